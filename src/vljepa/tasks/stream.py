"""Online selective decoding: watch an embedding stream, decode only where its meaning shifts (paper, section 2).

Causal: what is emitted at a time depends on nothing later, so it serves a camera as well as a file. A shift is told
from what follows it, so a segment is emitted ``StreamPolicy.delay`` after it ended.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.history import History
from vljepa.tasks.unit import Embeddings, unit_rows
from vljepa.types import Event

Decode = Callable[[np.ndarray], tuple[str, float]]
"""A unit embedding (E,) to its text and the text's cosine similarity with it."""

LEAST_THRESHOLD = 1e-3
"""Variance below which nothing is a shift: that of one still scene, compressed."""
_GAIN = 0.1
"""How far one decoding moves the threshold of a budget, in its logarithm."""


@dataclass(frozen=True, kw_only=True)
class StreamPolicy:
    """When to decode.

    The window's variance is greatest when the window lies half before a shift and half after it. So a segment ends at
    the middle of the window whose variance has passed the threshold and is the greatest round about.
    """

    window: float = 2.0
    """Stretch of the past over which variance is taken, seconds."""
    threshold: float = 0.15
    """Variance in the window (0 for equal, 1 for opposed embeddings) that counts as a shift of meaning."""
    release: float = 1.0
    """Share of a shift's variance below which it must have been since the shift before (hysteresis)."""
    settle: float = 0.5
    """How long the variance must have stayed below its peak for the shift to count, seconds."""
    smoothing: float = 0.75
    """Stretch about a segment's middle whose mean is decoded, seconds (average pooling)."""
    min_interval: float = 0.5
    """Shortest segment, seconds."""
    max_interval: float = 30.0
    """Longest segment, seconds: a still scene is decoded again after it. What is remembered spans no more."""
    budget_hz: float | None = None
    """Decodings a second to keep to: the threshold then rises with each and falls with time. None: it stays."""

    def __post_init__(self) -> None:
        if self.window <= 0 or self.threshold <= 0 or not 0 < self.release <= 1:
            raise UserError("stream policy: window and threshold must be positive, release between 0 and 1")
        if self.settle < 0 or self.smoothing < 0:
            raise UserError("stream policy: settle and smoothing must not be negative")
        if not 0 < self.min_interval <= self.max_interval:
            raise UserError("stream policy: min_interval must be positive and no longer than max_interval")
        if self.budget_hz is not None and not 1 / self.max_interval < self.budget_hz < 1 / self.min_interval:
            raise UserError(
                f"stream policy: budget_hz {self.budget_hz:g} is out of reach; with these least and greatest intervals "
                f"it must lie between {1 / self.max_interval:.3g} and {1 / self.min_interval:.3g} Hz"
            )

    @property
    def delay(self) -> float:
        """Seconds from a segment's end until it is emitted."""
        return self.window / 2 + self.settle


class OnlineDecoder:
    """Cuts a stream as it comes in and decodes each segment once, after it has ended.

    Time and memory for an instant are the same however long the stream runs: see ``History``. ``policy`` may be
    replaced while it runs, but for its window.
    """

    def __init__(self, decode: Decode, policy: StreamPolicy | None = None) -> None:
        self.policy = policy or StreamPolicy()
        self.num_decodings = 0
        self._decode = decode
        self._history = History(self.policy.window)
        self._start: float | None = None
        self._last = 0.0
        self._scale = 0.0
        # The least variance since the last shift, and what may be the next: its variance, when, where it cuts.
        self._low = math.inf
        self._rise: tuple[float, float, float] | None = None

    @property
    def threshold(self) -> float:
        """The threshold at this instant: the policy's, or where the budget has moved it."""
        return self.policy.threshold * math.exp(self._scale)

    def push(self, time: float, embedding: Embeddings) -> Event | None:
        """Take the embedding (E,) of one instant; returns the segment whose end has become certain, if one has.

        Raises:
            UserError: the time is not later than the one before.
        """
        row = unit_rows(embedding)
        if self._start is None:
            self._start = self._last = time
        elif time <= self._last:
            raise UserError(f"stream: time {time} s does not follow {self._last} s; times must increase")
        self._history.push(time, row)
        end = self._ended(time)
        event = None if end is None else self._close(end)
        self._spend(time - self._last, event is not None)
        self._last = time
        return event

    def finish(self, end: float | None = None) -> Event | None:
        """Close and decode the last segment; ``end`` is the stream's, seconds, default the last instant."""
        if self._start is None:
            return None
        event = self._close(self._last if end is None else end, last=True)
        self._start = None
        return event

    def variance(self) -> float:
        """Spread of the unit embeddings in the window: mean squared distance from their mean."""
        return self._history.variance()

    def _ended(self, time: float) -> float | None:
        """Where the running segment ended, if that has become certain."""
        assert self._start is not None
        variance, policy = self.variance(), self.policy
        self._low = min(self._low, variance)
        highest = self._rise[0] if self._rise is not None else self.threshold
        if variance > highest and self._low < policy.release * variance:
            self._rise = variance, time, self._history.middle()
        if self._rise is not None and time - self._rise[1] >= policy.settle:
            cut, self._low, self._rise = self._rise[2], variance, None
            if cut - self._start >= policy.min_interval:
                return cut
        certain = time - policy.delay
        return certain if certain - self._start >= policy.max_interval else None

    def _spend(self, seconds: float, decoded: bool) -> None:
        """Move the threshold by what was decoded beyond the budget.

        The moves add up to the overdraft, so that it stays bounded as long as the threshold does, whatever the stream.
        """
        policy = self.policy
        if policy.budget_hz is None:
            self._scale = 0.0
            return
        moved = self._scale + _GAIN * (decoded - policy.budget_hz * seconds)
        lowest, highest = (math.log(bound / policy.threshold) for bound in (LEAST_THRESHOLD, 1.0))
        self._scale = min(max(moved, lowest), highest)

    def _close(self, end: float, *, last: bool = False) -> Event:
        assert self._start is not None
        start = self._start
        row = self._history.mean(start, math.inf if last else end, (start + end) / 2, self.policy.smoothing)
        text, score = self._decode(unit_rows(row))
        self.num_decodings += 1
        self._start = end
        self._history.forget(end)
        return Event(start=start, end=end, text=text, score=score)


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
