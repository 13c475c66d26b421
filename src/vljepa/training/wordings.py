"""The Y-Encoder's own lesson, beside the joint objective: the same in other words is near, almost the same is not.

A target embedding is only as good as the Y-Encoder's sense of what a text means, and a narrow world wears that away:
trained on Tabletop alone it forgets what it has no use for there. So after one joint step in a few comes another of
the Y-Encoder alone. Two wordings of a caption take the places of prediction and target, and the other captions of the
batch, some of which differ from it in one word or in the order of two, are the negatives of the same InfoNCE.

It is an update of its own rather than a term of the joint one: the two gradients differ in length, and clipped
together the larger would take the smaller's share.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vljepa.config import RunConfig, StageConfig, WordingConfig
from vljepa.distributed import mean, rank, world_size
from vljepa.embedding import normalize
from vljepa.errors import UserError
from vljepa.everyday.pairs import Pair, pairs
from vljepa.losses import info_nce
from vljepa.model.bulk import autocast
from vljepa.model.vljepa import VLJEPA
from vljepa.training import chunks
from vljepa.training.parallel import average_gradients, clip_gradients, reduce_gradients


def wordings(config: WordingConfig | None, seed: int, step: int) -> list[Pair]:
    """This rank's share of the pairs of a step, a function of seed and step alone; none in most steps.

    Args:
        step: of the stage, from 0.

    Raises:
        UserError: the ranks cannot share the pairs.
    """
    if config is None or (step + 1) % config.every:
        return []
    if config.num_pairs % world_size():
        raise UserError(
            f"{config.num_pairs} pairs of wordings do not divide among {world_size()} processes; "
            "change num_scenes or the number of processes"
        )
    share = config.num_pairs // world_size()
    return pairs(config.num_scenes, config.num_alterations, seed, step)[rank() * share : (rank() + 1) * share]


def wording_step(
    config: RunConfig,
    stage: StageConfig,
    model: VLJEPA,
    found: Sequence[Pair],
    optimizer: torch.optim.Optimizer,
) -> Tensor:
    """Update the Y-Encoder on pairs of wordings; the temperature is the joint objective's and learns nothing here.

    Args:
        found: this rank's share of the pairs; all ranks have equally many.

    Returns:
        The loss of the pairs of all ranks, a scalar in nats.
    """

    def embed(part: Sequence[Pair]) -> tuple[Tensor, Tensor]:
        with autocast(model.device, config.precision):
            raw = model.y_encoder([pair[0] for pair in part] + [pair[1] for pair in part])
        first, second = normalize(raw.float()).chunk(2)
        return first, second

    scale = model.logit_scale().detach()
    size = config.micro_batch_size or len(found)
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    optimizer.zero_grad(set_to_none=True)
    loss, _, _ = chunks.backward(
        embed,
        lambda first, second: info_nce(first, second, scale),
        parts,
        before=lambda is_last: reduce_gradients(model, is_last),
    )
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    average_gradients(parameters)
    # Not for the guard of the joint steps, whose skipped ones in a row these would break up.
    if torch.isfinite(clip_gradients(parameters, stage.optim.grad_clip)):
        optimizer.step()
    return mean(loss)
