"""Times of a stream's frames that only increase, whatever its time stamps do."""

import math
from collections.abc import Callable

_JITTER = 0.25
"""Seconds: a stamp that lies less far back is out of order; one further back has begun to count anew."""
_STEP = 1e-3
"""Seconds by which a frame out of order follows the one before it."""


class Clock:
    """Turns time stamps into seconds since the first frame.

    Args:
        now: seconds since the stream was opened: a live stream's time where stamps are missing or break off. Without
            it the stream goes on one frame after the last.
        longest: seconds; a stamp further ahead of the last frame is taken for a wrong one.
    """

    def __init__(self, now: Callable[[], float] | None = None, longest: float = math.inf) -> None:
        self._now = now
        self._longest = longest
        self._offset: float | None = None
        self.last: float | None = None
        """Time of the last frame, seconds; None before the first."""

    def break_off(self) -> None:
        """The next stamp has nothing to do with those before, as after a lost connection."""
        self._offset = None

    def is_past(self, stamp: float | None) -> bool:
        """Whether a frame of this stamp has been before: a recording is read again from a little further back."""
        if stamp is None or self._offset is None or self.last is None:
            return False
        return stamp + self._offset <= self.last

    def time(self, stamp: float | None, gap: float) -> float:
        """The time of the next frame, greater than the last.

        Args:
            stamp: the frame's own time, seconds; None where it has none.
            gap: what a frame usually lasts, seconds.
        """
        self.last = self._next(stamp, gap)
        return self.last

    def _next(self, stamp: float | None, gap: float) -> float:
        if self.last is None:
            self._offset = None if stamp is None else -stamp
            return 0.0
        if stamp is None:
            return max(self.last + _STEP, self._now()) if self._now else self.last + gap
        if self._offset is not None:
            ahead = stamp + self._offset - self.last
            if 0 < ahead <= self._longest:
                return stamp + self._offset
            if -_JITTER < ahead <= 0:
                return self.last + _STEP
        time = max(self.last + gap, self._now() if self._now else 0.0)
        self._offset = time - stamp
        return time
