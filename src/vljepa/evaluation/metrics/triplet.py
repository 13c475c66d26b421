"""Hard-negative triplets on text alone (paper, table 6): two texts of one meaning, one of another."""

import numpy as np


def triplet_hits(p1: np.ndarray, p2: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Whether sim(p1, p2) is strictly above both sim(p1, n) and sim(p2, n), (n,) of 0.0 and 1.0.

    Args:
        p1, p2, negative: (n, E) unit rows.
    """
    together = (p1 * p2).sum(axis=-1)
    apart = np.maximum((p1 * negative).sum(axis=-1), (p2 * negative).sum(axis=-1))
    return np.asarray(together > apart, dtype=np.float64)
