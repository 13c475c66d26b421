"""Accuracy, retrieval, answers, triplets and intervals, against other people's scorers and figures counted by hand."""

from collections import defaultdict

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics

from vljepa.evaluation.metrics.accuracy import class_mean_recall, label_ranks, topk_accuracy, without_unseen
from vljepa.evaluation.metrics.bootstrap import bootstrap, bootstrap_interval
from vljepa.evaluation.metrics.gqa import exact_matches, question_kind
from vljepa.evaluation.metrics.pope import says_yes, yes_no_scores
from vljepa.evaluation.metrics.retrieval import median_rank, ranks, recall_at_k
from vljepa.evaluation.metrics.tallyqa import count_of, count_scores
from vljepa.evaluation.metrics.triplet import triplet_hits


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    rows = rng.normal(size=shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_accuracy_over_items_and_over_classes() -> None:
    # Classes a, b, c; ranked abc, abc, bac, cab.
    scores = np.array([[0.9, 0.5, 0.1], [0.8, 0.7, 0.6], [0.5, 0.9, 0.1], [0.5, 0.1, 0.9]])
    truth = np.array([0, 0, 0, 1])
    found = label_ranks(scores, truth)
    assert found.tolist() == [1, 1, 2, 3]
    assert topk_accuracy(found, 1) == 0.5
    assert topk_accuracy(found, 2) == 0.75
    assert class_mean_recall(found, truth, 1) == pytest.approx((2 / 3 + 0) / 2)


def test_equal_scores_keep_the_order_of_the_classes() -> None:
    assert label_ranks(np.zeros((3, 3)), np.array([0, 1, 2])).tolist() == [1, 2, 3]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_accuracy_equals_scikit_learn(k: int) -> None:
    rng = np.random.default_rng(k)
    scores, truth = rng.normal(size=(500, 20)), rng.integers(0, 20, 500)
    found = label_ranks(scores, truth)
    theirs = sklearn_metrics.top_k_accuracy_score(truth, scores, k=k, labels=range(20))
    assert topk_accuracy(found, k) == pytest.approx(theirs, abs=1e-9)
    if k == 1:
        recall = sklearn_metrics.balanced_accuracy_score(truth, scores.argmax(axis=1))
        assert class_mean_recall(found, truth, 1) == pytest.approx(recall, abs=1e-9)


def epic_mean_topk_recall(scores: np.ndarray, truth: np.ndarray, k: int) -> float:
    """After the text of EPIC-KITCHENS' rule: for each class in the truth the share of its items found in the top k."""
    recalls = []
    for one in set(truth.tolist()):
        items = [i for i in range(len(truth)) if truth[i] == one]
        recalls.append(sum(one in np.argsort(-scores[i])[:k] for i in items) / len(items))
    return sum(recalls) / len(recalls)


def test_class_mean_recall_follows_the_official_rule_and_not_that_of_vjepa2() -> None:
    rng = np.random.default_rng(0)
    scores, truth = rng.normal(size=(300, 40)), rng.integers(0, 30, 300)
    official = class_mean_recall(label_ranks(scores, truth), truth, 5)
    assert official == pytest.approx(epic_mean_topk_recall(scores, truth, 5), abs=1e-9)

    # V-JEPA 2 drops what training has not seen, from the items and from the candidates, and numbers the rest anew.
    seen = [c for c in range(40) if c % 3]
    new = {old: i for i, old in enumerate(seen)}
    kept = [i for i in range(300) if truth[i] in new]
    theirs = epic_mean_topk_recall(scores[np.ix_(kept, seen)], np.array([new[truth[i]] for i in kept]), 5)
    fewer, renumbered = without_unseen(scores, truth, seen)
    ours = class_mean_recall(label_ranks(fewer, renumbered), renumbered, 5)
    assert ours == pytest.approx(theirs, abs=1e-9)
    # A third fewer candidates to be among the first five of: the two must not be put beside each other.
    assert ours > official


def test_an_unseen_class_counts_against_us_by_the_official_rule_alone() -> None:
    # The third class is never seen in training and never found.
    scores, truth = np.array([[1.0, 0.5, 0.0]] * 3), np.array([0, 1, 2])
    assert class_mean_recall(label_ranks(scores, truth), truth, 1) == pytest.approx(1 / 3)
    fewer, renumbered = without_unseen(scores, truth, [0, 1])
    assert class_mean_recall(label_ranks(fewer, renumbered), renumbered, 1) == pytest.approx(1 / 2)


def test_ranks_count_ties_against_us() -> None:
    # The unit vectors as pool: the queries are their own scores.
    scores = np.array([[0.9, 0.1, 0.5], [0.3, 0.3, 0.3], [0.0, 0.2, 0.1]])
    found = ranks(scores, np.eye(3), [[0], [1], [2]])
    assert found.tolist() == [1, 3, 2]
    assert recall_at_k(found, 1) == pytest.approx(1 / 3)
    assert median_rank(found) == 2


def test_best_of_several_positives_counts_and_the_others_are_not_in_its_way() -> None:
    scores = np.array([[0.9, 0.8, 0.5, 0.7], [0.9, 0.9, 0.9, 0.1]])
    assert ranks(scores, np.eye(4), [[2, 3], [0, 3]]).tolist() == [3, 3]
    assert ranks(scores, np.eye(4), [[0, 1], [0, 1, 2]]).tolist() == [1, 1]


def test_ranks_equal_scipy_over_several_blocks() -> None:
    rng = np.random.default_rng(0)
    queries, pool = unit(rng, 2500, 16), unit(rng, 700, 16)
    # Equal rows tie, wherever they stand.
    pool[500:] = pool[:200]
    own = rng.integers(0, 700, 2500)
    distinct, place = np.unique(pool, axis=0, return_inverse=True)
    scores = (queries @ distinct.T)[:, place.ravel()]
    theirs = [stats.rankdata(-row, method="max")[one] for row, one in zip(scores, own, strict=True)]
    found = ranks(queries, pool, own[:, None].tolist())
    # The last bits of a product depend on the shape of the matrix: near ties may fall the other way.
    assert np.mean(found != theirs) < 1e-3
    assert recall_at_k(found, 10) == pytest.approx(np.mean(np.array(theirs) <= 10), abs=1e-6)
    assert median_rank(found) == pytest.approx(np.median(theirs), abs=1)


@pytest.mark.parametrize("seed", range(3))
def test_pope_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said, truth = rng.random(200) < 0.6, rng.random(200) < 0.5
    found = yes_no_scores(said, truth)
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(truth, said), abs=1e-9)
    assert found["precision"] == pytest.approx(sklearn_metrics.precision_score(truth, said), abs=1e-9)
    assert found["recall"] == pytest.approx(sklearn_metrics.recall_score(truth, said), abs=1e-9)
    assert found["F1"] == pytest.approx(sklearn_metrics.f1_score(truth, said), abs=1e-9)
    assert found["yes ratio"] == said.mean()


def test_pope_has_zeros_where_there_is_nothing_to_divide_by() -> None:
    found = yes_no_scores(np.array([False, False]), np.array([True, False]))
    assert found == {"accuracy": 0.5, "precision": 0.0, "recall": 0.0, "F1": 0.0, "yes ratio": 0.0}


def test_pope_reads_texts_as_its_scorer_does() -> None:
    # Whatever is not clearly a no is a yes; only the first sentence is read; words end at blanks alone.
    said = {"yes": True, "no": False, "No, there is not": False, "There is not a dog. Yes": False, "": True}
    said |= {"Yes. There is no dog": True, "NO": True, "no\n": True, "nothing": True, "Yes, no": False}
    assert {text: says_yes(text) for text in said} == said


def test_tallyqa_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    found, truth = rng.integers(0, 16, 300), rng.integers(0, 16, 300)
    scores = count_scores(found, truth)
    assert scores["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(truth, found), abs=1e-9)
    assert scores["RMSE"] == pytest.approx(sklearn_metrics.root_mean_squared_error(truth, found), abs=1e-9)
    answers = {"3": 3, " 12 ": 12, "Two": 2, "twenty": 20, "many": 0, "": 0, "-1": 0}
    assert {text: count_of(text) for text in answers} == answers


def test_gqa_compares_to_the_letter() -> None:
    assert exact_matches(["t-shirt", "Dog", "dog "], ["t-shirt", "dog", "dog"]).tolist() == [1.0, 0.0, 0.0]
    kinds = [question_kind(types) for types in (["query", "attr"], ["verify"], ["rel", "choose"], ["obj"])]
    assert kinds == ["open", "binary", "binary", None]


def test_triplet_needs_both_comparisons_strictly() -> None:
    p1 = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    p2 = np.array([[0.8, 0.6], [0.8, 0.6], [1.0, 0.0]])
    negative = np.array([[0.0, -1.0], [0.6, 0.8], [1.0, 0.0]])
    # The second is nearer to p2 than p1 is; the third ties.
    assert triplet_hits(p1, p2, negative).tolist() == [1.0, 0.0, 0.0]


def test_triplets_whose_negative_is_one_of_the_positives_are_never_right() -> None:
    """As two of SugarCrepe++'s are: the same text gives the same similarity to the last bit, which is not above it."""
    p1, p2 = unit(np.random.default_rng(0), 2, 500, 384)
    assert not triplet_hits(p1, p2, p1).any()
    assert not triplet_hits(p1, p2, p2).any()


def test_triplets_equal_a_plain_loop() -> None:
    p1, p2, negative = (rows.astype(np.float64) for rows in unit(np.random.default_rng(0), 3, 300, 4))
    theirs = [float(a @ b > a @ n and a @ b > b @ n) for a, b, n in zip(p1, p2, negative, strict=True)]
    assert triplet_hits(p1, p2, negative).tolist() == theirs


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = (np.arange(400) % 4 == 0).astype(float)
    low, high = bootstrap_interval(values)
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert low == pytest.approx(0.25 - half, abs=0.01)
    assert high == pytest.approx(0.25 + half, abs=0.01)
    assert bootstrap_interval(np.ones(5)) == (1.0, 1.0)


def test_intervals_agree_with_scipy_on_a_figure_that_is_no_mean() -> None:
    values = np.random.default_rng(1).exponential(size=200)
    low, high = bootstrap(lambda rows: {"median": float(np.median(values[rows]))}, 200, num_resamples=4000)["median"]
    theirs = stats.bootstrap((values,), np.median, n_resamples=4000, method="percentile", rng=0).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_a_figure_that_some_resamples_lack_has_the_interval_of_the_others() -> None:
    seen: dict[str, list[float]] = defaultdict(list)

    def figures(rows: np.ndarray) -> dict[str, float]:
        found = {"all": 1.0} | ({"rare": float((rows == 0).sum())} if (rows == 0).any() else {})
        for name, value in found.items():
            seen[name].append(value)
        return found

    found = bootstrap(figures, 5, num_resamples=100)
    assert len(seen["rare"]) < len(seen["all"]) == 100
    assert found["rare"][0] >= 1.0
