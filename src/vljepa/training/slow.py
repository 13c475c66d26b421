"""A second Y-Encoder, the moving average of the trained one (``OptimConfig.y_encoder_momentum``)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from vljepa.embedding import normalize

AVERAGE = "average"
"""Key of a parameter's moving average in the optimizer's state, with which it is saved and read again."""


class SlowYEncoder:
    """The average of each weight lies with its moments in the optimizer; before the first step there is none, and the
    trained weights are taken.

    Args:
        y_encoder: the trained one.
        optimizer: of ``build_optimizer``; its groups say whose average is kept.
    """

    def __init__(self, y_encoder: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._encoder, self._state = y_encoder, optimizer.state
        names = {parameter: name for name, parameter in y_encoder.named_parameters()}
        self._momentum = {
            parameter: group["y_encoder_momentum"]
            for group in optimizer.param_groups
            if group.get("y_encoder_momentum") is not None
            for parameter in group["params"]
        }
        self._names = {parameter: names[parameter] for parameter in self._momentum}

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._momentum)

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Texts to target embeddings (n, E), unit length, without gradient."""
        weights = {name: self._state[p].get(AVERAGE, p.detach()) for p, name in self._names.items()}
        return normalize(functional_call(self._encoder, weights, (list(texts),)).float())

    @torch.no_grad()
    def follow(self) -> None:
        """Move every average towards what the optimizer has made of its weight."""
        for parameter, momentum in self._momentum.items():
            # Not the first thing there: AdamW makes its moments where it finds nothing.
            if state := self._state[parameter]:
                state.setdefault(AVERAGE, parameter.detach().clone()).lerp_(parameter.detach(), 1 - momentum)
