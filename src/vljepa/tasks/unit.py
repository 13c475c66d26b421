"""Rows of length one, whatever they came from."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

Embeddings = np.ndarray | Tensor
"""(rows, E), of a model or of a file."""
EncodeText = Callable[[list[str]], Embeddings]
"""Texts to their embeddings, (texts, E)."""


def unit_rows(embeddings: Embeddings) -> np.ndarray:
    """Embeddings as float32 NumPy rows of length one; a row of zeros stays zero.

    Args:
        embeddings: (..., E), any float type, on any device.
    """
    if isinstance(embeddings, Tensor):
        embeddings = embeddings.detach().float().cpu().numpy()
    rows = np.asarray(embeddings, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.maximum(lengths, np.finfo(np.float32).tiny)
