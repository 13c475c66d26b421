"""One step of joint training: predictor, Y-Encoder and logit scale against the objective (paper, section 2)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vljepa import losses
from vljepa.config import LossConfig
from vljepa.distributed import gather, mean
from vljepa.embedding import normalize
from vljepa.model.bulk import autocast
from vljepa.model.vljepa import VLJEPA
from vljepa.training import chunks
from vljepa.training.guard import Guard
from vljepa.training.parallel import average_gradients, clip_gradients, reduce_gradients
from vljepa.training.slow import SlowYEncoder
from vljepa.types import Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What a step leaves behind. The figures are computed only when asked for: a step need not wait for them."""

    loss: Tensor
    """Scalar, of the whole batch."""
    grad_norm: Tensor
    """Scalar, before clipping."""
    logit_scale: Tensor
    """Scalar."""
    predicted: Tensor
    """(batch, embed), unit, of this rank."""
    target: Tensor
    """(batch, embed), unit, of this rank."""

    def metrics(self) -> dict[str, float]:
        """Loss, alignment, uniformity, logit scale and effective ranks: a collapse shows in the last at once.

        They are those of the whole batch, so all ranks must ask for them.
        """
        predicted, target = gather(self.predicted), gather(self.target)
        figures = {
            "loss": self.loss,
            "alignment": losses.alignment(predicted, target),
            "uniformity_predicted": losses.uniformity(predicted),
            "uniformity_target": losses.uniformity(target),
            "logit_scale": self.logit_scale,
            "effective_rank_predicted": losses.effective_rank(predicted),
            "effective_rank_target": losses.effective_rank(target),
            "grad_norm": self.grad_norm,
        }
        return {name: float(value) for name, value in figures.items()}


def train_step(
    model: VLJEPA,
    batch: Batch,
    loss_config: LossConfig,
    optimizer: torch.optim.Optimizer,
    guard: Guard,
    *,
    precision: str,
    grad_clip: float,
    micro_batch_size: int | None = None,
) -> Step:
    """Update the model on one batch. Equal target texts are encoded once (by the Y-Encoder).

    Args:
        batch: this rank's share; all ranks have equally many samples.
        micro_batch_size: samples whose graph is held at a time; None is all.
    """

    def embed(part: Batch) -> tuple[Tensor, Tensor]:
        with autocast(model.device, precision):
            raw_predicted = model.predictor(part.visual_tokens.float(), part.queries)
            raw_target = model.y_encoder(part.targets)
        # Similarities and their softmax stay in float32: at a logit scale of 100, bfloat16 would round them to nothing.
        return normalize(raw_predicted.float()), normalize(raw_target.float())

    slow = SlowYEncoder(model.y_encoder, optimizer)
    slow_target = None
    if slow:
        with autocast(model.device, precision):
            slow_target = slow.encode(batch.targets)

    def objective(predicted: Tensor, target: Tensor) -> Tensor:
        if slow_target is not None:
            return losses.momentum_info_nce(predicted, target, slow_target, scale)
        return losses.objective(loss_config, predicted, target, scale, batch.targets)

    scale = model.logit_scale()
    optimizer.zero_grad(set_to_none=True)
    loss, predicted, target = chunks.backward(
        embed,
        objective,
        batch.split(micro_batch_size or len(batch)),
        before=lambda is_last: reduce_gradients(model, is_last),
    )
    loss = mean(loss)
    grad_norm = update(loss, optimizer, guard, grad_clip)
    slow.follow()
    return Step(loss=loss, grad_norm=grad_norm, logit_scale=scale.detach(), predicted=predicted, target=target)


def update(loss: Tensor, optimizer: torch.optim.Optimizer, guard: Guard, grad_clip: float) -> Tensor:
    """Average the gradients over the ranks, clip to a global norm of ``grad_clip``, step unless the guard objects.

    Args:
        loss: of the whole batch; its gradient lies in the parameters already.

    Returns:
        The norm before clipping, a scalar.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    average_gradients(parameters)
    grad_norm = clip_gradients(parameters, grad_clip)
    if guard.accepts(loss, grad_norm):
        optimizer.step()
    return grad_norm
