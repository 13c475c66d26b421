"""One step of the token-space VLM (paper, section 4.5): next-token cross-entropy on the targets."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vljepa import losses
from vljepa.distributed import gather, mean
from vljepa.model.bulk import autocast
from vljepa.model.token_vlm import TokenVLM
from vljepa.training.guard import Guard
from vljepa.training.parallel import reduce_gradients
from vljepa.training.step import update
from vljepa.types import Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenStep:
    """What a step on tokens leaves behind, of a token-space VLM or a Y-Decoder."""

    loss: Tensor
    """Scalar, nats a token of the whole batch."""
    grad_norm: Tensor
    """Scalar, before clipping."""

    def metrics(self) -> dict[str, float]:
        """The same as numbers."""
        return {"loss": float(self.loss), "grad_norm": float(self.grad_norm)}


def token_step(
    model: TokenVLM,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    guard: Guard,
    *,
    precision: str,
    grad_clip: float,
    micro_batch_size: int | None = None,
) -> TokenStep:
    """Update the model on one batch: the mean over all tokens of its targets, their end tokens included.

    Args:
        batch: this rank's share; all ranks have equally many samples.
        micro_batch_size: samples whose graph is held at a time; None is all. The gradient stays that of the batch.
    """
    language_model = model.language_model
    in_all = tokens_of_a_rank(language_model.num_tokens(batch.targets), model.device)
    optimizer.zero_grad(set_to_none=True)
    loss = torch.zeros((), device=model.device)
    parts = batch.split(micro_batch_size or len(batch))
    for number, part in enumerate(parts, start=1):
        if len(parts) > 1:
            reduce_gradients(model, number == len(parts))
        with autocast(model.device, precision):
            logits, tokens = language_model(part.visual_tokens.float(), part.queries, part.targets)
        share = losses.next_token(logits, tokens) * (len(tokens) / in_all)
        share.backward()  # type: ignore[no-untyped-call]
        loss += share.detach()
    loss = mean(loss)
    return TokenStep(loss=loss, grad_norm=update(loss, optimizer, guard, grad_clip))


def tokens_of_a_rank(own: int, device: torch.device) -> Tensor:
    """Tokens of the mean rank, a scalar: gradients are averaged over ranks, whose texts differ in length."""
    return gather(torch.tensor([float(own)], device=device)).mean()
