"""The Y-Encoder's own lesson, beside the joint objective: the same in other words is near, almost the same is not.

A target embedding is only as good as the Y-Encoder's sense of what a text means, and a narrow world wears that away:
trained on Tabletop alone it forgets what it has no use for there. So one step in a few has a second term, over texts
alone. Two wordings of a caption take the places of prediction and target, and the other captions of the batch, some of
which differ from it in one word or in the order of two, are the negatives of the same InfoNCE.
"""

from collections.abc import Sequence

from torch import Tensor

from vljepa.config import WordingConfig
from vljepa.distributed import mean, rank, world_size
from vljepa.embedding import normalize
from vljepa.errors import UserError
from vljepa.everyday.pairs import Pair, pairs
from vljepa.losses import info_nce
from vljepa.model.bulk import autocast
from vljepa.model.vljepa import VLJEPA
from vljepa.training import chunks


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


def add_gradient(model: VLJEPA, found: Sequence[Pair], precision: str, micro_batch_size: int | None) -> Tensor:
    """Add the gradient of the pairs' InfoNCE to that in the Y-Encoder's parameters.

    The temperature is the joint objective's and learns nothing here.

    Returns:
        The loss of the pairs of all ranks, a scalar in nats.
    """

    def embed(part: Sequence[Pair]) -> tuple[Tensor, Tensor]:
        with autocast(model.device, precision):
            raw = model.y_encoder([pair[0] for pair in part] + [pair[1] for pair in part])
        first, second = normalize(raw.float()).chunk(2)
        return first, second

    scale = model.logit_scale().detach()
    size = micro_batch_size or len(found)
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    loss, _, _ = chunks.backward(embed, lambda first, second: info_nce(first, second, scale), parts)
    return mean(loss)
