"""A source that does not wait: read by a thread of its own, into a buffer that does not grow."""

import threading
import time
from collections import deque
from collections.abc import Iterator

from PIL import Image

from vljepa.data.connection import Connection
from vljepa.data.container import upright
from vljepa.data.frame_source import FrameSource, SourceCounts, TimedFrame
from vljepa.data.video import fit
from vljepa.errors import UserError

BUFFER_FRAMES = 16
"""Frames that wait to be taken at most: 4 s at 4 Hz. What waits longer is no longer live."""


class LiveSource(FrameSource):
    """A camera, or an RTSP or HTTP address.

    When its buffer is full the oldest frame is dropped and counted. A recording behind an address can wait, so nothing
    of it is dropped. Reading begins with the first frame that is asked for.

    Args:
        source: number of the camera, or the address.
        rate_hz: frames taken per second.
        size: side of the frames, pixels.

    Raises:
        UserError: it cannot be opened, or has no pictures.
    """

    def __init__(self, source: int | str, *, rate_hz: float, size: int) -> None:
        counts = SourceCounts()
        self._connection = Connection(source, counts)
        super().__init__(self._connection.name, self._taken(), counts)
        self.is_live = self._connection.is_live
        self._rate_hz = rate_hz
        self._size = size
        self._buffer: deque[TimedFrame] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._problem: UserError | None = None
        # A daemon: where it waits for the network, nobody needs to wait for its time-out.
        self._reader = threading.Thread(target=self._read, name=self.name, daemon=True)

    def close(self) -> None:
        self._connection.stop()
        with self._changed:
            self._is_over = True
            self._buffer.clear()
            self._changed.notify_all()
        if self._reader.ident is None:
            self._connection.close()
        else:
            self._reader.join(timeout=1.0)
        # Not closed as a generator: whoever reads may wait in it, in another thread. It has just been told to end.
        self._frames = iter(())

    def _taken(self) -> Iterator[TimedFrame]:
        self._reader.start()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._buffer or self._is_over)
                if not self._buffer:
                    break
                timed = self._buffer.popleft()
                self._changed.notify_all()
            yield timed
        if self._problem is not None:
            raise self._problem

    def _read(self) -> None:
        due = 0.0
        try:
            for now, frame in self._connection.frames():
                # A little early is in time: a camera's frames do not come to the millisecond.
                if now >= due - 0.1 / self._rate_hz:
                    due = max(due + 1 / self._rate_hz, now)
                    self._offer((now, fit(Image.fromarray(upright(frame)), self._size)))
                # Of this thread alone: what it waits for the network does not count.
                self.counts.seconds = time.thread_time()
        except UserError as error:
            self._problem = error
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _offer(self, timed: TimedFrame) -> None:
        with self._changed:
            if not self.is_live:
                self._changed.wait_for(lambda: len(self._buffer) < BUFFER_FRAMES or self._is_over)
            elif len(self._buffer) == BUFFER_FRAMES:
                self._buffer.popleft()
                self.counts.dropped += 1
            if not self._is_over:
                self._buffer.append(timed)
            self._changed.notify_all()
