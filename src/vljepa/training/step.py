"""One step of joint training: predictor, Y-Encoder and logit scale against the objective (paper, section 2)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vljepa import losses
from vljepa.config import LossConfig
from vljepa.embedding import normalize
from vljepa.model.vljepa import VLJEPA
from vljepa.types import Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What a step leaves behind. The figures are computed only when asked for: a step need not wait for them."""

    loss: Tensor
    """Scalar."""
    grad_norm: Tensor
    """Scalar, before clipping."""
    logit_scale: Tensor
    """Scalar."""
    predicted: Tensor
    """(batch, embed), unit."""
    target: Tensor
    """(batch, embed), unit."""

    def metrics(self) -> dict[str, float]:
        """Loss, alignment, uniformity, logit scale and effective ranks: a collapse shows in the last at once."""
        figures = {
            "loss": self.loss,
            "alignment": losses.alignment(self.predicted, self.target),
            "uniformity_predicted": losses.uniformity(self.predicted),
            "uniformity_target": losses.uniformity(self.target),
            "logit_scale": self.logit_scale,
            "effective_rank_predicted": losses.effective_rank(self.predicted),
            "effective_rank_target": losses.effective_rank(self.target),
            "grad_norm": self.grad_norm,
        }
        return {name: float(value) for name, value in figures.items()}


def train_step(
    model: VLJEPA,
    batch: Batch,
    loss_config: LossConfig,
    optimizer: torch.optim.Optimizer,
    *,
    precision: str,
    grad_clip: float,
) -> Step:
    """Update the model on one batch. Equal target texts are encoded once (by the Y-Encoder)."""
    with autocast(precision):
        raw_predicted = model.predictor(batch.visual_tokens.float(), batch.queries)
        raw_target = model.y_encoder(batch.targets)
    # Similarities and their softmax stay in float32: at a logit scale of 100, bfloat16 would round them to nothing.
    predicted, target = normalize(raw_predicted.float()), normalize(raw_target.float())
    scale = model.logit_scale()
    loss = losses.objective(loss_config, predicted, target, scale, batch.targets)
    grad_norm = update(loss, optimizer, grad_clip)
    return Step(
        loss=loss.detach(),
        grad_norm=grad_norm,
        logit_scale=scale.detach(),
        predicted=predicted.detach(),
        target=target.detach(),
    )


def update(loss: Tensor, optimizer: torch.optim.Optimizer, grad_clip: float) -> Tensor:
    """Backward, clip to a global norm of ``grad_clip``, step; returns the norm before clipping."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    grad_norm = nn.utils.clip_grad_norm_(parameters, grad_clip)
    optimizer.step()
    return grad_norm.detach()


def autocast(precision: str) -> torch.autocast:
    """Matrix products in bfloat16, or everything in float32."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")
