"""Retrieval: a pool ordered by likeness to a query, text to video or the other way (paper, section 4.1)."""

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, unit_rows


def rank(queries: Embeddings, pool: Embeddings, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k most alike of the pool for each query, best first.

    Args:
        queries: (m, E).
        pool: (n, E).
        k: how many; more than n gives n.

    Returns:
        Indices into the pool and cosine similarities, both (m, min(k, n)).

    Raises:
        UserError: k is below one or the pool is empty.
    """
    if k < 1 or len(pool) == 0:
        raise UserError(f"retrieval: asked for the best {k} of a pool of {len(pool)}; both must be at least 1")
    scores = unit_rows(queries) @ unit_rows(pool).T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)
