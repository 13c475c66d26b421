"""Frozen features of a clip as one vector, so that cosines between clips mean something."""

from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vljepa.embedding import normalize


class Description:
    """What stands at each place of the grid, and how it changes from frame to frame; made by ``fit``.

    Both are principal components of the visual tokens, less the mean of their place, which is the table's and not the
    clip's. The mean over the frames says what is there; the differences from it say what moves and which way. Each has
    length one, so that both weigh the same: as one vector, what stands still would drown what moves. A clip of one
    frame has no change.
    """

    ABOUT: ClassVar[str] = (
        "64 principal components of the frozen features at every place, their mean over the frames and each frame's "
        "difference from it, both of length one"
    )
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
        reduced = (tokens - self._mean) @ self._components
        still = reduced.mean(dim=1, keepdim=True)
        change = reduced - still
        return torch.cat((normalize(still.flatten(1)), normalize(change.flatten(1))), dim=1).numpy()
