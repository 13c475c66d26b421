"""Accuracy of classification, over items or over classes."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np


def hits_at_k(ranked: Sequence[Sequence[str]], truth: Sequence[str], k: int) -> np.ndarray:
    """Whether the truth stands among the first k of each ranking, (n,) of 0.0 and 1.0."""
    return np.array([float(label in row[:k]) for row, label in zip(ranked, truth, strict=True)])


def topk_accuracy(ranked: Sequence[Sequence[str]], truth: Sequence[str], k: int) -> float:
    """Share of items whose truth stands among the first k."""
    return float(hits_at_k(ranked, truth, k).mean())


def class_mean_recall(ranked: Sequence[Sequence[str]], truth: Sequence[str], k: int) -> float:
    """Recall at k of each class that occurs, averaged over those classes (EPIC-KITCHENS' anticipation metric)."""
    of_class: dict[str, list[float]] = defaultdict(list)
    for label, hit in zip(truth, hits_at_k(ranked, truth, k), strict=True):
        of_class[label].append(float(hit))
    return float(np.mean([np.mean(hits) for hits in of_class.values()]))
