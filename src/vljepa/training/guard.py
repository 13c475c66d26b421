"""Steps whose gradient cannot be trusted are left out, and a run of nothing else is ended."""

import math

import torch
from torch import Tensor

from vljepa.config import OptimConfig
from vljepa.errors import UserError

_WINDOW = 100
"""Gradient norms of which the median is taken."""
_FIRST = 20
"""Norms there must be before one is called a spike: at the start of a stage they are large and fall."""


class Diverged(UserError):
    """A run whose steps could not be taken any more."""


class Guard:
    """Watches the gradient norms of a stage. All ranks see the same ones, so all decide alike.

    Args:
        config: when a norm is a spike, and how many steps in a row may be skipped.
        where: names the stage in messages.
    """

    def __init__(self, config: OptimConfig, where: str) -> None:
        self._config = config
        self._where = where
        self.state = {"norms": torch.full((_WINDOW,), math.nan), "counts": torch.zeros(3, dtype=torch.long)}
        """Part of the training state: the last accepted norms; steps accepted, skipped, and skipped in a row."""

    @property
    def num_skipped(self) -> int:
        """Steps of the stage that were left out so far."""
        return int(self.state["counts"][1])

    def accepts(self, loss: Tensor, grad_norm: Tensor) -> bool:
        """Whether the optimizer may take the step with this loss and gradient norm, scalars, of the whole batch.

        Raises:
            Diverged: too many steps in a row were skipped.
        """
        norms, counts = self.state["norms"], self.state["counts"]
        # The one time a step waits for its figures.
        norm = float(grad_norm)
        highest = math.inf
        if counts[0] >= _FIRST:
            # What is not even clipped does no harm: a model that has learned its data well has a tiny median.
            highest = max(self._config.spike_factor * float(norms.nanmedian()), self._config.grad_clip)
        if math.isfinite(float(loss)) and math.isfinite(norm) and norm <= highest:
            norms[counts[0] % _WINDOW] = norm
            counts += torch.tensor([1, 0, 0])
            counts[2] = 0
            return True
        counts += torch.tensor([0, 1, 1])
        if counts[2] >= self._config.max_skipped:
            raise Diverged(
                f"{self._where}: {int(counts[2])} steps in a row had a loss or gradient that is not finite or a spike "
                f"(the last: loss {float(loss):.3g}, gradient norm {norm:.3g}); the state before them is kept; "
                "lower the learning rate or look at the data"
            )
        return False
