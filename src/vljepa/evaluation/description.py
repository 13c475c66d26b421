"""Frozen features of a clip as one vector, so that cosines between clips mean something."""

from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


class Description:
    """Principal components of the visual tokens at every place and frame, end to end.

    The mean over places or frames would lose where things are and which way they move. The mean of each place is
    taken off first, for it is the table's and not the clip's; made by ``fit``.
    """

    ABOUT: ClassVar[str] = "64 principal components of the frozen features at every place and frame"
    FIT_CLIPS: ClassVar[int] = 512
    """Clips from which the components are found; more change nothing."""
    _COMPONENTS: ClassVar[int] = 64

    def __init__(self, mean: Float[Tensor, "N D"], components: Float[Tensor, "D K"]) -> None:
        self._mean = mean
        self._components = components

    @classmethod
    def fit(cls, tokens: Float[Tensor, "B F N D"]) -> "Description":
        """From the visual tokens of some training clips."""
        mean = tokens.mean(dim=(0, 1))
        rest = (tokens - mean).flatten(0, 2)
        vectors = torch.linalg.eigh(rest.T @ rest / len(rest)).eigenvectors
        # Largest last.
        return cls(mean, vectors[:, -cls._COMPONENTS :])

    def __call__(self, tokens: Float[Tensor, "B F N D"]) -> Float[np.ndarray, "B K"]:
        """Descriptions of clips; K grows with F and N."""
        return ((tokens - self._mean) @ self._components).flatten(1).numpy()
