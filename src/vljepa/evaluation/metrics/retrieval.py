"""Recall and median rank of retrieval."""

from collections.abc import Sequence

import numpy as np


def ranks(scores: np.ndarray, targets: Sequence[int]) -> np.ndarray:
    """Rank of each query's target in the pool, 1 for the best; ties count against us.

    Args:
        scores: (m, n), queries by pool.
        targets: m indices into the pool.
    """
    own = scores[np.arange(len(scores)), list(targets)]
    return np.asarray((scores >= own[:, None]).sum(axis=1))


def recall_at_k(target_ranks: np.ndarray, k: int) -> float:
    """Share of queries whose target is among the first k."""
    return float((target_ranks <= k).mean())


def median_rank(target_ranks: np.ndarray) -> float:
    """Median of the ranks, 1 at best."""
    return float(np.median(target_ranks))
