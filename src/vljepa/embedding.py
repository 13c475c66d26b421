"""The shared space: unit vectors, their similarity and the learned logit scale (paper, section 2)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def normalize(x: Float[Tensor, "*batch E"]) -> Float[Tensor, "*batch E"]:
    """Scale vectors to unit length, in float32 so that similarities stay exact under autocast.

    A zero vector stays zero.
    """
    return nn.functional.normalize(x.float(), dim=-1)


def similarity(a: Float[Tensor, "A E"], b: Float[Tensor, "B E"]) -> Float[Tensor, "A B"]:
    """Cosine similarity of every row of ``a`` with every row of ``b``; unit inputs, in [-1, 1]."""
    with torch.autocast(a.device.type, enabled=False):
        return a.float() @ b.float().T


class LogitScale(nn.Module):
    """The learned factor on similarities before the softmax: the inverse temperature.

    Stored as its logarithm, so that it stays positive and equal steps are equal ratios.

    Args:
        initial_temperature: the scale starts at 1 / initial_temperature.
        maximum: the scale never exceeds this; beyond it InfoNCE gets unstable.
    """

    def __init__(self, initial_temperature: float = 0.07, maximum: float = 100.0) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(-math.log(initial_temperature)))
        self.log_maximum = math.log(maximum)

    def forward(self) -> Float[Tensor, ""]:
        """The scale, a scalar."""
        return self.log_scale.clamp(max=self.log_maximum).exp()
