"""Recall and median rank of retrieval."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

_BLOCK = 1024
"""Queries that are compared with the whole pool together: ten thousand by ten thousand need no matrix of that size."""


def ranks(
    queries: Float[np.ndarray, "m E"], pool: Float[np.ndarray, "n E"], positives: Sequence[Sequence[int]]
) -> Int[np.ndarray, " m"]:
    """Rank of each query's best positive in the pool, 1 for the best; ties with others count against us.

    A query's other positives never stand in the way of its best one.

    Args:
        queries: unit rows.
        pool: unit rows; equal ones tie exactly.
        positives: of each query, at least one index into the pool.
    """
    row_of: dict[bytes, int] = {}
    # The last bits of a product depend on its place in the matrix, so that equal rows are multiplied but once.
    place = np.array([row_of.setdefault(row.tobytes(), len(row_of)) for row in pool])
    distinct = np.frombuffer(b"".join(row_of), dtype=pool.dtype).reshape(len(row_of), -1)
    found = np.empty(len(queries), dtype=np.int64)
    for first in range(0, len(queries), _BLOCK):
        scores = queries[first : first + _BLOCK] @ distinct.T
        if len(distinct) < len(pool):
            scores = scores[:, place]
        some = positives[first : first + _BLOCK]
        rows = np.repeat(np.arange(len(some)), [len(one) for one in some])
        columns = np.concatenate([np.asarray(one) for one in some])
        best = np.full(len(some), -np.inf, dtype=scores.dtype)
        np.maximum.at(best, rows, scores[rows, columns])
        ahead = scores >= best[:, None]
        ahead[rows, columns] = False
        found[first : first + len(some)] = ahead.sum(axis=1) + 1
    return found


def recall_at_k(found: Int[np.ndarray, " m"], k: int) -> float:
    """Share of queries whose best positive has rank k or better."""
    return float((found <= k).mean())


def median_rank(found: Int[np.ndarray, " m"]) -> float:
    """Median of the ranks, 1 at best."""
    return float(np.median(found))
