"""One step of the Y-Decoder, trained after everything else (paper, figure 2): embedding to text."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vljepa.config import StageConfig
from vljepa.distributed import gather, mean, rank, world_size
from vljepa.embedding import normalize
from vljepa.model.bulk import autocast
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import YDecoder
from vljepa.training.guard import Guard
from vljepa.training.step import update
from vljepa.types import Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class DecoderStep:
    """What a step leaves behind."""

    loss: Tensor
    """Scalar, nats a token of the whole batch."""
    grad_norm: Tensor
    """Scalar, before clipping."""

    def metrics(self) -> dict[str, float]:
        """The same as numbers."""
        return {"loss": float(self.loss), "grad_norm": float(self.grad_norm)}


def decoder_step(
    model: VLJEPA,
    batch: Batch,
    stage: StageConfig,
    step: int,
    optimizer: torch.optim.Optimizer,
    guard: Guard,
    *,
    precision: str,
) -> DecoderStep:
    """Update the decoder on one batch, all else frozen.

    The first ``stage.on_targets_steps`` steps read the target's own embedding with Gaussian noise of length
    ``stage.target_noise``, so that a whole neighbourhood decodes to the text; the later ones read predictions.

    Args:
        batch: this rank's share; all ranks have equally many samples.
        step: step of the stage, from 0; it seeds the noise, so a resumed run draws the same.
    """
    assert model.y_decoder is not None, "the run builds the decoder with its tokenizer"
    with torch.no_grad(), autocast(model.device, precision):
        if step < stage.on_targets_steps:
            embeddings = noised(normalize(model.y_encoder(batch.targets).float()), stage.target_noise, step)
        else:
            embeddings = normalize(model.predictor(batch.visual_tokens.float(), batch.queries).float())
    optimizer.zero_grad(set_to_none=True)
    with autocast(model.device, precision):
        loss = model.y_decoder.loss(embeddings, batch.targets) * _share(model.y_decoder, batch.targets)
    loss.backward()  # type: ignore[no-untyped-call]
    loss = mean(loss)
    return DecoderStep(loss=loss, grad_norm=update(loss, optimizer, guard, stage.optim.grad_clip))


def noised(embeddings: Tensor, length: float, seed: int) -> Tensor:
    """Unit vectors (batch, embed) moved by Gaussian noise of expected ``length`` and put back on the sphere.

    The noise is drawn for the batch of all ranks, so that a sample's does not depend on how many they are.
    """
    count, dim = embeddings.shape
    noise = torch.randn(world_size() * count, dim, generator=torch.Generator().manual_seed(seed))
    own = noise[rank() * count : (rank() + 1) * count].to(embeddings.device)
    return normalize(embeddings + own * (length / dim**0.5))


def _share(decoder: YDecoder, texts: list[str]) -> Tensor | float:
    """What a rank's loss, a mean over its tokens, weighs in the mean over those of all ranks; 1 on average."""
    if world_size() == 1:
        return 1.0
    tokens = torch.tensor([float(decoder.num_tokens(texts))], device=decoder.tokens.weight.device)
    return tokens[0] / gather(tokens).mean()
