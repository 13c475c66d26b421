"""What each step draws from a weighted mixture of sources, as a pure function of seed and step.

Nothing but the step's number needs to be saved to continue a run with the very same samples. Replay of an earlier
stage's data is its source among a later stage's, with the weight it shall have there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from vljepa.errors import UserError
from vljepa.types import Sample

# Separate random streams of one seed.
_MIXTURE, _ORDER, _TARGETS = 0, 1, 2


@runtime_checkable
class Samples(Protocol):
    """Samples with random access and an order for each epoch: a manifest, or a set of shards."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def order(self, rng: np.random.Generator) -> Int[np.ndarray, " samples"]:
        """Every index once."""


class ManifestSamples(list[Sample]):
    """Samples in memory, in any order an epoch."""

    def order(self, rng: np.random.Generator) -> Int[np.ndarray, " samples"]:
        """Every index once, uniformly permuted."""
        return rng.permutation(len(self))


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One part of a mixture."""

    name: str
    """Manifest or pattern of shards, for messages."""
    samples: Samples
    weight: float
    """Share of batches drawn from it, relative to the others."""
    num_frames: int
    """F, taken of each clip."""


class Mixture:
    """Each step picks a source by weight and draws its whole batch there.

    The negatives of a contrastive batch should be other answers to the same kind of question, since telling an action
    from a number teaches nothing (docs/log.md).
    Within a source samples come in a new random order each epoch, none twice in an epoch. Of a sample's equivalent
    targets a draw is made per epoch.
    """

    def __init__(
        self, sources: Sequence[Source], batch_size: int, seed: int, rank: int = 0, world_size: int = 1
    ) -> None:
        """
        Args:
            batch_size: of all ranks together.
            rank: this process's among ``world_size``.

        Raises:
            UserError: no sources, an empty one, a weight that is not positive, or a batch that ranks cannot share.
        """
        if batch_size % world_size:
            raise UserError(
                f"a batch of {batch_size} does not divide among {world_size} processes; "
                "change global_batch_size or the number of processes"
            )
        if not sources:
            raise UserError("no sources to draw batches from; name at least one manifest or set of shards")
        for source in sources:
            if not source.weight > 0:
                raise UserError(f"{source.name}: weight must be positive, found {source.weight}")
            if not len(source.samples):
                raise UserError(f"{source.name}: holds no samples; see the messages of its reading")
        self.sources = list(sources)
        self.batch_size = batch_size
        self.share = range(rank * batch_size // world_size, (rank + 1) * batch_size // world_size)
        """Places of a batch that this rank reads."""
        self.seed = seed
        weights = np.array([source.weight for source in sources], dtype=np.float64)
        self._weights = weights / weights.sum()
        # _picked[k]: the source of step k, and how many batches were drawn from it before.
        self._picked: list[tuple[int, int]] = []
        self._num_picked = [0] * len(sources)
        # The last two epochs of each source suffice, as a batch may span two.
        self._epoch = lru_cache(maxsize=2 * len(sources))(self._new_epoch)

    def batch(self, step: int) -> tuple[int, int]:
        """Where the batch of a step (from 0) lies.

        Returns:
            Number of the source, and the position of the batch's first sample in the source's endless order.
        """
        while len(self._picked) <= step:
            rng = np.random.default_rng([self.seed, _MIXTURE, len(self._picked)])
            source = int(rng.choice(len(self.sources), p=self._weights))
            self._picked.append((source, self._num_picked[source]))
            self._num_picked[source] += 1
        source, before = self._picked[step]
        return source, before * self.batch_size

    def sample(self, source: int, position: int) -> tuple[Sample, str]:
        """The sample at a position of a source's endless order, and which of its targets was drawn."""
        samples = self.sources[source].samples
        epoch, place = divmod(position, len(samples))
        order, draws = self._epoch(source, epoch)
        sample = samples[int(order[place])]
        return sample, sample.targets[int(draws[place] * len(sample.targets))]

    def _new_epoch(self, source: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Order of a source's samples in an epoch, and a number in [0, 1) per place that draws the target."""
        samples = self.sources[source].samples
        order = samples.order(np.random.default_rng([self.seed, _ORDER, source, epoch]))
        return order, np.random.default_rng([self.seed, _TARGETS, source, epoch]).random(len(samples))
