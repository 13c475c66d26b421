"""Accuracy, retrieval, triplets and intervals, against figures counted by hand."""

import numpy as np
import pytest

from vljepa.evaluation.metrics.accuracy import class_mean_recall, topk_accuracy
from vljepa.evaluation.metrics.bootstrap import bootstrap_interval
from vljepa.evaluation.metrics.retrieval import median_rank, ranks, recall_at_k
from vljepa.evaluation.metrics.triplet import triplet_hits


def test_accuracy_over_items_and_over_classes() -> None:
    ranked = [["a", "b", "c"], ["a", "b", "c"], ["b", "a", "c"], ["c", "a", "b"]]
    truth = ["a", "a", "a", "b"]
    assert topk_accuracy(ranked, truth, 1) == 0.5
    assert topk_accuracy(ranked, truth, 2) == 0.75
    assert class_mean_recall(ranked, truth, 1) == pytest.approx((2 / 3 + 0) / 2)


def test_ranks_count_ties_against_us() -> None:
    scores = np.array([[0.9, 0.1, 0.5], [0.3, 0.3, 0.3], [0.0, 0.2, 0.1]])
    found = ranks(scores, [0, 1, 2])
    assert found.tolist() == [1, 3, 2]
    assert recall_at_k(found, 1) == pytest.approx(1 / 3)
    assert median_rank(found) == 2


def test_triplet_needs_both_comparisons_strictly() -> None:
    p1 = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    p2 = np.array([[0.8, 0.6], [0.8, 0.6], [1.0, 0.0]])
    negative = np.array([[0.0, -1.0], [0.6, 0.8], [1.0, 0.0]])
    # The second is nearer to p2 than p1 is; the third ties.
    assert triplet_hits(p1, p2, negative).tolist() == [1.0, 0.0, 0.0]


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = (np.arange(400) % 4 == 0).astype(float)
    low, high = bootstrap_interval(values)
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert low == pytest.approx(0.25 - half, abs=0.01)
    assert high == pytest.approx(0.25 + half, abs=0.01)
    assert bootstrap_interval(np.ones(5)) == (1.0, 1.0)
