"""Confusions counted, and which items are shown."""

from collections.abc import Callable

import pytest

from vljepa.evaluation.report.cases import best, confusions, matrix, worst
from vljepa.evaluation.result import Outcome, Result

Make = Callable[..., Result]
MakeOutcome = Callable[..., Outcome]


@pytest.fixture
def labelled(make_result: Make, make_outcome: MakeOutcome) -> Result:
    pairs = ["ab", "aa", "ab", "ba", "cc", "cc", "aa", "ac"]
    return make_result("action", outcomes=[make_outcome(i, *pair) for i, pair in enumerate(pairs)])


def test_confusions_are_counted(labelled: Result) -> None:
    found = [(c.truth, c.found, c.count, c.of) for c in confusions(labelled)]
    assert found == [("a", "b", 2, 5), ("a", "c", 1, 5), ("b", "a", 1, 1)]
    assert len(confusions(labelled, most=1)) == 1


def test_matrix_equals_scikit_learn(labelled: Result) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    full = matrix(labelled)
    assert full is not None and full.labels == ["a", "b", "c"]
    truth, found = zip(*((o.expected, o.found) for o in labelled.outcomes), strict=True)
    assert full.counts == metrics.confusion_matrix(truth, found, labels=full.labels).tolist()


def test_numbers_stand_in_their_order(make_result: Make, make_outcome: MakeOutcome) -> None:
    outcomes = [make_outcome(i, text, "2") for i, text in enumerate(["10", "9", "many", "2"])]
    full = matrix(make_result("counting", task="choice", outcomes=outcomes))
    assert full is not None and full.labels == ["2", "9", "10", "many"]


def test_no_matrix_of_many_labels_or_of_none(make_result: Make, make_outcome: MakeOutcome) -> None:
    many = [make_outcome(i, f"{i}", f"{i}") for i in range(41)]
    assert matrix(make_result("action", outcomes=many)) is None
    assert matrix(make_result("action", outcomes=many[:40])) is not None
    assert matrix(make_result("caption", task="caption", outcomes=many[:3])) is None
    assert confusions(make_result("retrieval", task="retrieval", outcomes=many)) == []


def test_worst_are_one_of_each_frequent_confusion_first(labelled: Result) -> None:
    assert [o.id for o in worst(labelled, 3)] == ["0", "3", "7"]
    assert [o.id for o in worst(labelled, 9)] == ["0", "3", "7", "2"]


def test_best_are_of_different_labels(labelled: Result) -> None:
    assert [o.id for o in best(labelled, 2)] == ["1", "4"]
    assert [o.id for o in best(labelled, 9)] == ["1", "4", "5", "6"]


def test_retrieval_is_worst_at_the_farthest_rank(make_result: Make, make_outcome: MakeOutcome) -> None:
    ranks = [1, 30, 200, 1, 2]
    outcomes = [make_outcome(i, "text", f"rank {r} of 300", float(r == 1)) for i, r in enumerate(ranks)]
    result = make_result("retrieval", task="retrieval", outcomes=outcomes)
    assert [o.id for o in worst(result, 2)] == ["2", "1"]
    assert [o.id for o in best(result, 5)] == ["0", "3"]


def test_captions_go_by_their_score(make_result: Make, make_outcome: MakeOutcome) -> None:
    outcomes = [make_outcome(i, "text", "said", score) for i, score in enumerate([0.5, 3.0, 0.0])]
    result = make_result("caption", task="caption", outcomes=outcomes)
    assert [o.id for o in worst(result, 2)] == ["2", "0"] and [o.id for o in best(result, 2)] == ["1", "0"]
