"""One step of the Y-Decoder, trained after everything else (paper, figure 2): embedding to text."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vljepa.config import StageConfig
from vljepa.embedding import normalize
from vljepa.model.vljepa import VLJEPA
from vljepa.training.step import autocast, update
from vljepa.types import Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class DecoderStep:
    """What a step leaves behind."""

    loss: Tensor
    """Scalar, nats a token."""
    grad_norm: Tensor
    """Scalar, before clipping."""

    def metrics(self) -> dict[str, float]:
        """The same as numbers."""
        return {"loss": float(self.loss), "grad_norm": float(self.grad_norm)}


def decoder_step(
    model: VLJEPA, batch: Batch, stage: StageConfig, step: int, optimizer: torch.optim.Optimizer, *, precision: str
) -> DecoderStep:
    """Update the decoder on one batch, all else frozen.

    The first ``stage.on_targets_steps`` steps read the target's own embedding with Gaussian noise of length
    ``stage.target_noise``, so that a whole neighbourhood decodes to the text; the later ones read predictions.

    Args:
        step: step of the stage, from 0; it seeds the noise, so a resumed run draws the same.
    """
    assert model.y_decoder is not None, "the run builds the decoder with its tokenizer"
    with torch.no_grad(), autocast(precision):
        if step < stage.on_targets_steps:
            embeddings = noised(normalize(model.y_encoder(batch.targets).float()), stage.target_noise, step)
        else:
            embeddings = normalize(model.predictor(batch.visual_tokens.float(), batch.queries).float())
    with autocast(precision):
        loss = model.y_decoder.loss(embeddings, batch.targets)
    grad_norm = update(loss, optimizer, stage.optim.grad_clip)
    return DecoderStep(loss=loss.detach(), grad_norm=grad_norm)


def noised(embeddings: Tensor, length: float, seed: int) -> Tensor:
    """Unit vectors (batch, embed) moved by Gaussian noise of expected ``length`` and put back on the sphere."""
    noise = torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(seed))
    return normalize(embeddings + noise * (length / embeddings.shape[1] ** 0.5))
