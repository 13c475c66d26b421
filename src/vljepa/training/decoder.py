"""One step of the Y-Decoder, trained after everything else (paper, figure 2): embedding to text."""

import torch
from torch import Tensor

from vljepa.config import StageConfig
from vljepa.distributed import mean, rank, world_size
from vljepa.embedding import normalize
from vljepa.model.bulk import autocast
from vljepa.model.vljepa import VLJEPA
from vljepa.training.guard import Guard
from vljepa.training.step import update
from vljepa.training.tokens import TokenStep, tokens_of_a_rank
from vljepa.types import Batch


def decoder_step(
    model: VLJEPA,
    batch: Batch,
    stage: StageConfig,
    step: int,
    optimizer: torch.optim.Optimizer,
    guard: Guard,
    *,
    precision: str,
) -> TokenStep:
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
        loss = model.y_decoder.loss(embeddings, batch.targets)
    own = model.y_decoder.num_tokens(batch.targets)
    loss = loss * (own / tokens_of_a_rank(own, model.device))
    loss.backward()  # type: ignore[no-untyped-call]
    loss = mean(loss)
    return TokenStep(loss=loss, grad_norm=update(loss, optimizer, guard, stage.optim.grad_clip))


def noised(embeddings: Tensor, length: float, seed: int) -> Tensor:
    """Unit vectors (batch, embed) moved by Gaussian noise of expected ``length`` and put back on the sphere.

    The noise is drawn for the batch of all ranks, so that a sample's does not depend on how many they are.
    """
    count, dim = embeddings.shape
    noise = torch.randn(world_size() * count, dim, generator=torch.Generator().manual_seed(seed))
    own = noise[rank() * count : (rank() + 1) * count].to(embeddings.device)
    return normalize(embeddings + own * (length / dim**0.5))
