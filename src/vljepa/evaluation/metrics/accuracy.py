"""Accuracy of classification, over items or over classes."""

from collections.abc import Collection

import numpy as np
from jaxtyping import Float, Int


def label_ranks(scores: Float[np.ndarray, "n classes"], truth: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Rank of each item's true class, 1 for the best; equal scores keep the order of the classes.

    Args:
        truth: index of the true class.
    """
    own = np.take_along_axis(scores, truth[:, None], axis=1)
    ahead = scores > own
    ahead |= (scores == own) & (np.arange(scores.shape[1]) < truth[:, None])
    return np.asarray(ahead.sum(axis=1) + 1)


def topk_accuracy(ranks: Int[np.ndarray, " n"], k: int) -> float:
    """Share of items whose true class is among the first k."""
    return float((ranks <= k).mean())


def class_mean_recall(ranks: Int[np.ndarray, " n"], truth: Int[np.ndarray, " n"], k: int) -> float:
    """Recall at k of each class that occurs in ``truth``, averaged over those classes.

    EPIC-KITCHENS' rule for anticipation: classes that no training sample has count like all others. V-JEPA 2 leaves
    those out first, see ``without_unseen``.
    """
    counts = np.bincount(truth)
    hits = np.bincount(truth, weights=ranks <= k)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def without_unseen(
    scores: Float[np.ndarray, "n classes"], truth: Int[np.ndarray, " n"], seen: Collection[int]
) -> tuple[Float[np.ndarray, "m seen"], Int[np.ndarray, " m"]]:
    """What V-JEPA 2's evaluation keeps of EPIC-KITCHENS: items and candidates of classes that training has seen.

    Returns:
        Scores and true classes, the classes numbered anew; as input for ``label_ranks``.
    """
    classes = np.array(sorted(seen), dtype=np.int64)
    kept = np.isin(truth, classes)
    return scores[kept][:, classes], np.searchsorted(classes, truth[kept])
