"""Online selective decoding: watch an embedding stream, decode only where its meaning shifts (paper, section 2).

Causal: what is emitted at a time depends on nothing later, so it serves a camera as well as a file.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, unit_rows
from vljepa.types import Event

Decode = Callable[[np.ndarray], tuple[str, float]]
"""A unit embedding (E,) to its text and the text's cosine similarity with it."""


@dataclass(frozen=True, kw_only=True)
class StreamPolicy:
    """When to decode.

    The defaults were chosen with ``nano`` on Tabletop's validation streams: a lower threshold is seldom fallen below
    again, so that fewer shifts are seen, and a higher one is seldom reached.
    """

    window: float = 1.5
    """Stretch of the past over which variance is taken, seconds."""
    threshold: float = 0.2
    """Variance in the window (0 for equal, 1 for opposed embeddings) that counts as a shift of meaning."""
    release: float = 0.9
    """Share of the threshold below which the variance must fall before another shift can be seen (hysteresis)."""
    min_interval: float = 1.0
    """Shortest segment, seconds."""
    max_interval: float = 30.0
    """Longest segment, seconds: a still scene is decoded again after it."""

    def __post_init__(self) -> None:
        if self.window <= 0 or self.threshold <= 0 or not 0 < self.release <= 1:
            raise UserError("stream policy: window and threshold must be positive, release between 0 and 1")
        if not 0 < self.min_interval <= self.max_interval:
            raise UserError("stream policy: min_interval must be positive and no longer than max_interval")


class OnlineDecoder:
    """Cuts a stream as it comes in and decodes each segment once, when it ends.

    A segment's embedding is the mean over the segment: the smoothing by average pooling of the paper.
    """

    def __init__(self, decode: Decode, policy: StreamPolicy | None = None) -> None:
        self.policy = policy or StreamPolicy()
        self._decode = decode
        self._recent: deque[tuple[float, np.ndarray]] = deque()
        self._armed = True
        self._start: float | None = None
        self._last = 0.0
        self._sum: np.ndarray | None = None
        self.num_decodings = 0

    def push(self, time: float, embedding: Embeddings) -> Event | None:
        """Take the embedding (E,) of one instant; returns the segment that ends there, if one does.

        Raises:
            UserError: the time is not later than the one before.
        """
        row = unit_rows(embedding)
        if self._start is None:
            self._start = time
        elif time <= self._last:
            raise UserError(f"stream: time {time} s does not follow {self._last} s; times must increase")
        self._recent.append((time, row))
        while self._recent[0][0] < time - self.policy.window:
            self._recent.popleft()
        event = None
        if self._sum is not None and self._ends(time):
            event = self._close(time)
        self._sum = row.copy() if self._sum is None else self._sum + row
        self._last = time
        return event

    def finish(self, end: float | None = None) -> Event | None:
        """Close and decode the last segment; ``end`` is the stream's, seconds, default the last instant."""
        return None if self._sum is None else self._close(self._last if end is None else end)

    def variance(self) -> float:
        """Spread of the unit embeddings in the window: mean squared distance from their mean."""
        mean = np.mean([row for _, row in self._recent], axis=0)
        return float(max(0.0, 1.0 - mean @ mean))

    def _ends(self, time: float) -> bool:
        assert self._start is not None
        length, variance = time - self._start, self.variance()
        if variance < self.policy.release * self.policy.threshold:
            self._armed = True
        if length >= self.policy.max_interval:
            return True
        if self._armed and variance > self.policy.threshold and length >= self.policy.min_interval:
            # Disarmed until the window has calmed: one shift passes through it for several instants.
            self._armed = False
            return True
        return False

    def _close(self, end: float) -> Event:
        assert self._sum is not None and self._start is not None
        text, score = self._decode(unit_rows(self._sum))
        self.num_decodings += 1
        event = Event(start=self._start, end=end, text=text, score=score)
        self._start, self._sum = end, None
        return event


def events(
    stream: Iterable[tuple[float, Embeddings]], decode: Decode, policy: StreamPolicy | None = None
) -> Iterator[Event]:
    """Decode a stream of (time in seconds, embedding (E,)) where its meaning shifts, event by event.

    Raises:
        UserError: times that do not increase.
    """
    decoder = OnlineDecoder(decode, policy)
    for time, embedding in stream:
        event = decoder.push(time, embedding)
        if event is not None:
            yield event
    last = decoder.finish()
    if last is not None:
        yield last
