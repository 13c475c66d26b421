"""What every source of a stream is: timed frames, and the count of what became of them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from jaxtyping import UInt8

TimedFrame = tuple[float, UInt8[np.ndarray, "S S 3"]]


@dataclass(kw_only=True)
class SourceCounts:
    """What became of a source's frames so far."""

    frames: int = 0
    """Given out."""
    dropped: int = 0
    """Thrown away because the reader was too slow: only of a live source."""
    corrupt: int = 0
    """Packets, or pictures of a folder, that could not be decoded."""
    reconnects: int = 0
    """Times a lost connection was made again."""
    seconds: float = 0.0
    """Spent on reading, decoding and resizing."""


class FrameSource(Iterator[TimedFrame]):
    """Timed frames, and what became of them. To be closed, or used as a context manager.

    Args:
        name: what messages begin with.
        frames: the frames; they may count in ``counts``.
        counts: of this source.
    """

    is_live = False
    """Whether frames come whether or not they are read."""

    def __init__(self, name: str, frames: Iterator[TimedFrame], counts: SourceCounts) -> None:
        self.name = name
        self.counts = counts
        self._frames = frames

    def __next__(self) -> TimedFrame:
        began = time.perf_counter()
        try:
            timed = next(self._frames)
        finally:
            if not self.is_live:
                self.counts.seconds += time.perf_counter() - began
        self.counts.frames += 1
        return timed

    def close(self) -> None:
        """Let go of the file or the connection; the source then ends."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()
        self._frames = iter(())

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
