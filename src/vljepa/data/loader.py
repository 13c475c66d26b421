"""Batches of a weighted mixture of sources, as a pure function of seed and step.

Nothing but the step's number needs to be saved to continue a run with the very same batches, on however many ranks:
each takes its slice of the one batch that all of them draw.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
from torch import from_numpy

from vljepa.data.features import FeatureCache
from vljepa.errors import UserError
from vljepa.types import Batch, Sample

# Separate random streams of one seed.
_MIXTURE, _ORDER, _TARGETS = 0, 1, 2


class Loader:
    """Draws training batches.

    Each step picks a source by weight and draws its whole batch there: the negatives of a contrastive batch should be
    other answers to the same kind of question, since telling an action from a number teaches nothing (docs/log.md).
    Within a source samples come in a new random order each epoch, none twice in an epoch. Of a sample's equivalent
    targets a draw is made per epoch.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Sequence[Sample], FeatureCache, float]],
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """
        Args:
            sources: (samples, cache of their clips, weight) each. Samples whose clip is not in the cache are left
                out and counted.
            batch_size: of all ranks together.
            rank: which slice of each batch is read, from 0.
            world_size: how many slices a batch has.

        Raises:
            UserError: nothing to draw from, a weight that is not positive, or a batch that does not divide.
        """
        if batch_size % world_size:
            raise UserError(
                f"a batch of {batch_size} does not divide among {world_size} processes; "
                "change global_batch_size or the number of processes"
            )
        self.batch_size = batch_size
        self.seed = seed
        self._first, self._size = rank * (batch_size // world_size), batch_size // world_size
        self.sources = [([s for s in samples if s.clip in cache], cache) for samples, cache, _ in sources]
        self.num_left_out = sum(len(samples) for samples, _, _ in sources) - sum(len(s) for s, _ in self.sources)
        """Samples without features."""
        for number, ((kept, _), (samples, _, weight)) in enumerate(zip(self.sources, sources, strict=True)):
            if not weight > 0:
                raise UserError(f"source {number}: weight must be positive, found {weight}")
            if not kept:
                raise UserError(f"source {number}: none of its {len(samples)} samples could be read; see the messages")
        if not self.sources:
            raise UserError("no sources to draw batches from; name at least one manifest")
        weights = np.array([weight for _, _, weight in sources], dtype=np.float64)
        self._weights = weights / weights.sum()
        # _picked[k]: the source of step k, and how many batches were drawn from it before.
        self._picked: list[tuple[int, int]] = []
        self._num_picked = [0] * len(self.sources)
        # The last two epochs of each source suffice, as a batch may span two.
        self._epoch = lru_cache(maxsize=2 * len(self.sources))(self._new_epoch)

    def batch(self, step: int) -> Batch:
        """This rank's slice of the batch of a step (from 0), the same at every call.

        Returns:
            A batch with (B, T, N, D) float16 visual tokens, B being ``batch_size / world_size``.
        """
        while len(self._picked) <= step:
            rng = np.random.default_rng([self.seed, _MIXTURE, len(self._picked)])
            source = int(rng.choice(len(self.sources), p=self._weights))
            self._picked.append((source, self._num_picked[source]))
            self._num_picked[source] += 1
        source, before = self._picked[step]
        samples, cache = self.sources[source]
        batch: list[Sample] = []
        targets: list[str] = []
        first = before * self.batch_size + self._first
        for position in range(first, first + self._size):
            epoch, place = divmod(position, len(samples))
            order, draws = self._epoch(source, epoch)
            sample = samples[order[place]]
            batch.append(sample)
            targets.append(sample.targets[int(draws[place] * len(sample.targets))])
        visual_tokens = from_numpy(cache.read([sample.clip for sample in batch]))
        return Batch(visual_tokens=visual_tokens, queries=[sample.query for sample in batch], targets=targets)

    def _new_epoch(self, source: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Order of a source's samples in an epoch, and a number in [0, 1) per place that draws the target."""
        count = len(self.sources[source][0])
        order = np.random.default_rng([self.seed, _ORDER, source, epoch]).permutation(count)
        return order, np.random.default_rng([self.seed, _TARGETS, source, epoch]).random(count)


def prefetch(loader: Loader, start: int, stop: int, depth: int = 2) -> Iterator[Batch]:
    """The batches of steps ``start`` to ``stop - 1``, read ahead by ``depth`` in a background thread.

    An error of the loader is raised at the batch it belongs to. Closing the iterator ends the thread.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        ahead = deque(pool.submit(loader.batch, step) for step in range(start, min(start + depth, stop)))
        try:
            for step in range(start, stop):
                if step + depth < stop:
                    ahead.append(pool.submit(loader.batch, step + depth))
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
