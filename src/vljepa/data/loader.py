"""Batches of cached features from a weighted mixture of sources, as a pure function of seed and step."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from torch import from_numpy

from vljepa.data.features import FeatureCache
from vljepa.data.mixture import ManifestSamples, Mixture, Source
from vljepa.errors import UserError
from vljepa.types import Batch, Sample


class Loader:
    """Reads the features of what a mixture draws."""

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
            rank: this process's among ``world_size``.

        Raises:
            UserError: nothing to draw from, a weight that is not positive, or a batch that ranks cannot share.
        """
        self.sources = [
            (ManifestSamples(sample for sample in samples if sample.clip in cache), cache)
            for samples, cache, _ in sources
        ]
        self.num_left_out = sum(len(samples) for samples, _, _ in sources) - sum(len(s) for s, _ in self.sources)
        """Samples without features."""
        mixed = []
        for number, ((kept, cache), (samples, _, weight)) in enumerate(zip(self.sources, sources, strict=True)):
            name = f"source {number}"
            if not kept:
                raise UserError(f"{name}: none of its {len(samples)} samples could be read; see the messages")
            mixed.append(Source(name=name, samples=kept, weight=weight, num_frames=cache.num_frames))
        self._mixture = Mixture(mixed, batch_size, seed, rank, world_size)

    def batch(self, step: int) -> Batch:
        """This rank's share of the batch of a step (from 0), the same at every call.

        Returns:
            A batch with (B, T, N, D) float16 visual tokens, B being ``batch_size / world_size``.
        """
        source, first = self._mixture.batch(step)
        drawn = [self._mixture.sample(source, first + place) for place in self._mixture.share]
        cache = self.sources[source][1]
        return Batch(
            visual_tokens=from_numpy(cache.read([sample.clip for sample, _ in drawn])),
            queries=[sample.query for sample, _ in drawn],
            targets=[target for _, target in drawn],
        )


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
