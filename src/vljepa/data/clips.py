"""Batches of decoded clips from a mixture of sources, as a pure function of seed and step, decoded ahead."""

import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
from torch import from_numpy

from vljepa.data.decoders import Decode, Decoders, Undecodable
from vljepa.data.left_out import LeftOut
from vljepa.data.mixture import Mixture, Source
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.types import Clip, FrameBatch

_MAX_SUBSTITUTES = 64
"""Samples in a row that may fail. Where a third of the clips are lost, so many in a row are no chance."""

_Decoded = tuple[np.ndarray, str, str]
"""Frames, query, target."""


class ClipLoader:
    """Decodes the batches of a mixture in processes; of several ranks each decodes its own slice of every batch.

    A clip that cannot be decoded, or not within the time limit, is replaced by the sample at the same place of its
    source's next batch, and if need be of the batch after: a rule that each rank applies without asking the others,
    and that within an epoch puts no sample twice into one batch. So given the same undecodable clips the batches are
    the same for any number of processes, and for a run that was continued. (Which clips pass the time limit depends on
    the machine; leave it large.)
    """

    def __init__(
        self,
        sources: Sequence[Source],
        batch_size: int,
        seed: int,
        *,
        size: int,
        num_processes: int = 2,
        time_limit: float = 30.0,
        rank: int = 0,
        world_size: int = 1,
        decode: Decode = read_clip,
    ) -> None:
        """
        Args:
            batch_size: of all ranks together.
            size: S, pixels.
            num_processes: that decode.
            time_limit: seconds for one clip.
            rank: this process's among ``world_size``.

        Raises:
            UserError: nothing to draw from, a weight that is not positive, or a batch that ranks cannot share.
        """
        self.mixture = Mixture(sources, batch_size, seed, rank, world_size)
        self.size = size
        self.num_processes = num_processes
        self.time_limit = time_limit
        self.left_out = [LeftOut() for _ in sources]
        """Of each source, the clips that could not be decoded so far, each once."""
        self._decode = decode
        self._bad: list[set[Clip]] = [set() for _ in sources]
        self._lock = threading.Lock()

    def batches(self, start: int, stop: int, ahead: int = 2) -> Generator[FrameBatch, None, None]:
        """This rank's share of the batches of steps ``start`` to ``stop - 1``, in order.

        Closing the iterator ends the processes; so does whatever error ends it.

        Args:
            ahead: batches that are decoded or wait at any time, beside the one last given: the bound on memory.

        Raises:
            UserError: a source of which nothing can be decoded.
        """
        # Left from the inside: the processes are killed first, so that no thread waits for one.
        with (
            ThreadPoolExecutor(self.num_processes, thread_name_prefix="decode") as threads,
            Decoders(self.num_processes, self.time_limit, self._decode) as decoders,
        ):

            def begin(step: int) -> list[Future[_Decoded]]:
                source, first = self.mixture.batch(step)
                return [threads.submit(self._clip, decoders, source, first + place) for place in self.mixture.share]

            steps = iter(range(start, stop))
            pending = deque(begin(step) for step in islice(steps, ahead))
            while pending:
                decoded = [future.result() for future in pending.popleft()]
                pending.extend(begin(step) for step in islice(steps, 1))
                frames, queries, targets = zip(*decoded, strict=True)
                yield FrameBatch(frames=from_numpy(np.stack(frames)), queries=list(queries), targets=list(targets))

    def _clip(self, decoders: Decoders, source: int, position: int) -> _Decoded:
        num_frames = self.mixture.sources[source].num_frames
        for attempt in range(_MAX_SUBSTITUTES):
            sample, target = self.mixture.sample(source, position + attempt * self.mixture.batch_size)
            if sample.clip in self._bad[source]:
                continue
            try:
                return decoders.decode(sample.clip, num_frames, self.size), sample.query, target
            except Undecodable as error:
                with self._lock:
                    if sample.clip not in self._bad[source]:
                        self._bad[source].add(sample.clip)
                        self.left_out[source].add(error.reason, str(error))
        first = self.left_out[source].first()
        raise UserError(
            f"{self.mixture.sources[source].name}: {_MAX_SUBSTITUTES} samples in a row cannot be decoded; one: {first}"
        )
