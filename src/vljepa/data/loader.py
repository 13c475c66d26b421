"""Batches of a weighted mixture of sources, as a pure function of seed and step.

Nothing but the step's number needs to be saved to continue a run with the very same batches.
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

    Each step first picks a number of frames, by the total weight of the sources that have it, and then splits its
    batch among these sources by weight. Within a source samples come in a new random order each epoch, none twice
    in an epoch. Of a sample's equivalent targets a draw is made per epoch.
    """

    def __init__(
        self, sources: Sequence[tuple[Sequence[Sample], FeatureCache, float]], batch_size: int, seed: int
    ) -> None:
        """
        Args:
            sources: (samples, cache of their clips, weight) each. Samples whose clip is not in the cache are left
                out and counted.
            batch_size: B.

        Raises:
            UserError: nothing to draw from, or a weight that is not positive.
        """
        self.batch_size = batch_size
        self.seed = seed
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
        self._weights = np.array([weight for _, _, weight in sources], dtype=np.float64)
        self._frames = np.array([cache.num_frames for _, cache in self.sources])
        self._groups = np.unique(self._frames)
        # _drawn[k]: how many samples of each source were drawn before step k.
        self._drawn = [np.zeros(len(self.sources), dtype=np.int64)]
        # The last two epochs of each source suffice, as a batch may span two.
        self._epoch = lru_cache(maxsize=2 * len(self.sources))(self._new_epoch)

    def batch(self, step: int) -> Batch:
        """The batch of a step (from 0), the same at every call.

        Returns:
            A batch with (B, F, N, D) float16 visual tokens.
        """
        while len(self._drawn) <= step + 1:
            self._drawn.append(self._drawn[-1] + self._shares(len(self._drawn) - 1))
        before, after = self._drawn[step], self._drawn[step + 1]
        features: list[np.ndarray] = []
        queries: list[str] = []
        targets: list[str] = []
        for source in np.flatnonzero(after > before):
            samples, cache = self.sources[source]
            clips = []
            for position in range(before[source], after[source]):
                epoch, place = divmod(position, len(samples))
                order, draws = self._epoch(int(source), int(epoch))
                sample = samples[order[place]]
                clips.append(sample.clip)
                queries.append(sample.query)
                targets.append(sample.targets[int(draws[place] * len(sample.targets))])
            features.append(cache.read(clips))
        visual_tokens = features[0] if len(features) == 1 else np.concatenate(features)
        return Batch(visual_tokens=from_numpy(visual_tokens), queries=queries, targets=targets)

    def _shares(self, step: int) -> np.ndarray:
        """How many samples of each source step ``step`` draws."""
        rng = np.random.default_rng([self.seed, _MIXTURE, step])
        totals = np.array([self._weights[self._frames == group].sum() for group in self._groups])
        group = rng.choice(self._groups, p=totals / totals.sum())
        weights = np.where(self._frames == group, self._weights, 0.0)
        return rng.multinomial(self.batch_size, weights / weights.sum())

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
