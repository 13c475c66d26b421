"""Cameras and addresses by PyAV: their frames with increasing times, through lost connections and broken packets."""

import re
import sys
import threading
import time
from collections.abc import Iterator

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vljepa.data.clock import Clock
from vljepa.data.container import END_SLACK, mean_rate, sound_frames, stated_duration, video_stream
from vljepa.data.frame_source import SourceCounts
from vljepa.errors import UserError

OPEN_TIMEOUT = 20.0
"""Seconds until an address that does not answer is given up; FFmpeg looks at up to 5 s of a stream to know it."""
READ_TIMEOUT = 10.0
"""Seconds without a packet after which a connection counts as lost."""
RETRY_DELAY = 0.5
"""Seconds before a lost connection is made again; doubled each time."""
LONGEST_DELAY = 30.0
"""Seconds between two attempts at most."""
MAX_RETRIES = 8
"""Attempts in a row before a source is given up, which takes a minute and a half."""
LONGEST_GAP = 10.0
"""Seconds by which a live stream's stamps may leap; over a longer leap the clock on the wall is believed instead."""

_WEB, _RTSP = "http,https,httpproxy,tcp,tls,crypto", "rtp,srtp,udp,tcp,tls"
_PROTOCOLS = {"http": _WEB, "https": _WEB, "rtsp": _RTSP, "rtsps": _RTSP}
"""What FFmpeg may open for an address of each scheme: a playlist from the network must not name files."""
_UNTIMED = ("mpjpeg", "mjpeg", "h264", "hevc")
"""Formats without time stamps, for which FFmpeg makes some up."""


class Connection:
    """An open camera or address.

    Args:
        source: number of the camera, or an address.
        counts: where broken packets and new connections are counted.

    Raises:
        UserError: it cannot be opened, or has no pictures.
    """

    def __init__(self, source: int | str, counts: SourceCounts) -> None:
        self.name = shown(source)
        self._source = source
        self._counts = counts
        self._container, self._stream = self._open()
        is_web = isinstance(source, str) and source.lower().startswith("http")
        # FFmpeg knows the length of a recording alone.
        self.is_live = not is_web or self._container.duration is None
        self._stop = threading.Event()

    def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """(time in seconds, frame) until the recording ends or ``stop`` is called.

        Raises:
            UserError: a lost connection could not be made again, or a recording is cut short.
        """
        began = time.monotonic()
        clock = Clock(lambda: time.monotonic() - began, LONGEST_GAP) if self.is_live else Clock()
        retries = 0
        try:
            while True:
                reason, is_new = "the stream ended", False
                try:
                    for timed in self._timed(clock):
                        self._counts.reconnects += bool(retries)
                        retries, is_new = 0, True
                        yield timed
                        if self._stop.is_set():
                            return
                except av.FFmpegError as error:
                    reason, is_new = (error.strerror or "cannot be read on").lower(), True
                if not self.is_live and self._is_complete(clock, is_new):
                    return
                retries = self._connect_again(clock, reason, retries)
                if self._stop.is_set():
                    return
        finally:
            self._container.close()

    def stop(self) -> None:
        """End ``frames``, from another thread: at the next frame, or where it waits to connect again."""
        self._stop.set()

    def close(self) -> None:
        """Let go of a connection whose frames were not asked for."""
        self._container.close()

    def _timed(self, clock: Clock) -> Iterator[tuple[float, av.VideoFrame]]:
        untimed = self.is_live and self._container.format.name in _UNTIMED
        for frame in sound_frames(self._container, self._stream, self._corrupt):
            stamp = None if untimed else frame.time
            # A recording is read again from a little further back.
            if self.is_live or not clock.is_past(stamp):
                yield clock.time(stamp, self._gap), frame

    @property
    def _gap(self) -> float:
        return 1 / mean_rate(self._stream)

    def _corrupt(self) -> None:
        self._counts.corrupt += 1

    def _is_complete(self, clock: Clock, is_new: bool) -> bool:
        """Whether a recording whose packets have ended is at its end."""
        stated = stated_duration(self._stream)
        end = 0.0 if clock.last is None else clock.last + self._gap
        known = stated if stated is not None else (self._container.duration or 0) / av.time_base
        if end + END_SLACK >= known:
            return True
        if not is_new and stated is not None:
            raise UserError(f"{self.name}: cut short: frames end at {end:.2f} s of {stated:.2f} s; fetch it again")
        # Of a container's duration the pictures may be the shorter part: read again, they end where they did.
        return not is_new

    def _connect_again(self, clock: Clock, reason: str, retries: int) -> int:
        """Returns the attempts made since the last frame."""
        self._container.close()
        while True:
            if retries >= MAX_RETRIES:
                raise UserError(
                    f"{self.name}: lost after {clock.last or 0.0:.1f} s ({reason}); {retries} retries failed"
                )
            self._stop.wait(min(LONGEST_DELAY, RETRY_DELAY * 2**retries))
            retries += 1
            if self._stop.is_set():
                return retries
            try:
                self._container, self._stream = self._open()
                if self.is_live:
                    clock.break_off()
                elif clock.last is not None:
                    self._seek(clock.last)
                return retries
            except UserError:
                continue

    def _seek(self, seconds: float) -> None:
        base = float(self._stream.time_base or 1)
        try:
            self._container.seek(int(seconds / base) + (self._stream.start_time or 0), stream=self._stream)
        except av.FFmpegError:
            # A server that cannot go to a place sends all of it again.
            self._container.close()
            self._container, self._stream = self._open()

    def _open(self) -> tuple[InputContainer, VideoStream]:
        file, kind, options = _place(self._source, self.name)
        try:
            container = av.open(file, "r", format=kind, options=options, timeout=(OPEN_TIMEOUT, READ_TIMEOUT))
        except av.FFmpegError as error:
            # PyAV interrupts what takes too long.
            reason = "no answer" if isinstance(error, av.ExitError) else error.strerror
            raise UserError(f"{self.name}: cannot be opened ({reason}); check that it is there and free") from error
        except ValueError as error:
            raise UserError(f"{self.name}: this build of PyAV reads no cameras; name a file or an address") from error
        try:
            return container, video_stream(container, self.name)
        except UserError:
            container.close()
            raise


def shown(source: int | str) -> str:
    """The source as messages name it: without the password of an address."""
    if isinstance(source, int):
        return f"camera {source}"
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:***@", source)


def _place(source: int | str, name: str) -> tuple[str, str | None, dict[str, str]]:
    """What FFmpeg opens, in which format and with which options."""
    if isinstance(source, int):
        return (f"/dev/video{source}", "v4l2", {}) if sys.platform == "linux" else (str(source), "avfoundation", {})
    scheme = source.split("://")[0].lower()
    if scheme not in _PROTOCOLS:
        raise UserError(f"{name}: addresses of streams begin with {', '.join(f'{s}://' for s in _PROTOCOLS)}")
    # Of the frame rate, for which FFmpeg gathers 20 frames, a rough idea is enough.
    options = {"protocol_whitelist": _PROTOCOLS[scheme], "fpsprobesize": "1"}
    # Over UDP, FFmpeg's first choice, routers and firewalls lose packets.
    return source, None, options | ({"rtsp_flags": "prefer_tcp"} if scheme.startswith("rtsp") else {})
