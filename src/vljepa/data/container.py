"""Video files by PyAV, or torchcodec where it is installed: their frames by time, in one thread."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from jaxtyping import Float, UInt8

from vljepa.data import codec
from vljepa.data.clock import Clock
from vljepa.data.image import check_side
from vljepa.data.medium import Medium
from vljepa.errors import UserError

T = TypeVar("T")

SEEK_GAP = 10.0
"""Seconds: over a longer gap seeking is cheaper than decoding all between (keyframes rarely lie further apart)."""
SCANNED_SECONDS = 60.0
"""torchcodec scans a file from end to end before it decodes; longer ones are left to PyAV, which seeks."""
SCANNED_FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts")
"""Containers for torchcodec. Not playlists, whose addresses it would follow into the network, and not AVI, which has
no times: there it takes other frames."""
_MAX_FAILURES = 1000
"""Packets one after the other that cannot be read, before a file is given up."""
END_SLACK = 0.5
"""Seconds by which the last frame may end before the file's stated duration without the file counting as cut short."""


class Video:
    """An open video. Times are seconds since its first frame; every method raises ``UserError`` where it breaks off."""

    def __init__(self, medium: Medium, container: InputContainer, stream: VideoStream) -> None:
        self.medium = medium
        self.stream = stream
        self._container = container
        # Asked once: FFmpeg may change it as it reads on, in Matroska after a seek.
        self._start = stream.start_time or 0
        self._origin = float(self._start * (stream.time_base or 0))

    @property
    def fps(self) -> float:
        """Mean frames per second."""
        return mean_rate(self.stream)

    @property
    def stated_duration(self) -> float | None:
        """What the stream says of its duration, seconds."""
        return stated_duration(self.stream)

    @property
    def known_duration(self) -> float | None:
        """What the stream or else the container says of the duration, seconds."""
        if self.stated_duration is None and self._container.duration:
            return self._container.duration / av.time_base
        return self.stated_duration

    def duration(self) -> float:
        """Seconds; raw streams say nothing and are decoded to their end."""
        if self.known_duration is not None:
            return self.known_duration
        end = 0.0
        for time, held, _ in self.frames():
            end = time + held
        if not end:
            raise UserError(f"{self.medium}: holds no decodable frame; re-encode it")
        self._seek(0.0)
        return end

    def frames(self) -> Iterator[tuple[float, float, av.VideoFrame]]:
        """(time, duration, frame) from where the reader stands."""
        gap = 1 / self.fps
        time = -gap
        try:
            for frame in self._container.decode(self.stream):
                # Raw streams carry no times: count frames instead.
                time = time + gap if frame.time is None else frame.time - self._origin
                held = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else gap
                yield time, held, frame
        except av.FFmpegError as error:
            raise UserError(
                f"{self.medium}: breaks off after {time:.2f} s ({error.strerror}); fetch it again"
            ) from error

    def sound_frames(self, corrupt: Callable[[], None]) -> Iterator[tuple[float, float, av.VideoFrame]]:
        """``frames`` from the beginning, past what is broken; times increase even where the file's own do not.

        Args:
            corrupt: called for each packet that cannot be decoded.
        """
        gap = 1 / self.fps
        clock = Clock(longest=self.known_duration or math.inf)
        try:
            for frame in sound_frames(self._container, self.stream, corrupt):
                held = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else gap
                yield clock.time(frame.time, gap), held, frame
        except av.FFmpegError as error:
            raise UserError(
                f"{self.medium}: breaks off after {clock.last or 0.0:.2f} s ({error.strerror}); fetch it again"
            ) from error

    def pixels_at(self, times: Float[np.ndarray, " F"]) -> list[UInt8[np.ndarray, "H W 3"]]:
        """RGB of the frame on show at each of the ascending times; the reader stands at the beginning before.

        Raises:
            UserError: also if the frames end well before the last time.
        """
        if self._is_for_torchcodec():
            pixels = codec.frames_at(self.medium, self.stream.index, times + self._origin)
            if pixels is not None:
                return list(pixels)
        frames = self._frames_at(times)
        # Neighbouring times often show the same frame: convert it once.
        converted = {id(frame): upright(frame) for frame in frames}
        return [converted[id(frame)] for frame in frames]

    def _is_for_torchcodec(self) -> bool:
        pixel = self.stream.codec_context.format
        return (
            self._container.format.name in SCANNED_FORMATS
            and self.duration() <= SCANNED_SECONDS
            # Of more bits its colours differ from PyAV's.
            and pixel is not None
            and all(component.bits == 8 for component in pixel.components)
        )

    def _frames_at(self, times: Float[np.ndarray, " F"]) -> list[av.VideoFrame]:
        frames: list[av.VideoFrame] = []
        for run in np.split(times, np.flatnonzero(np.diff(times) > SEEK_GAP) + 1):
            origin = float(run[0]) if run[0] > SEEK_GAP else 0.0
            # The run before has moved the reader on, so that every later run must seek.
            if origin or frames:
                self._seek(origin)
            picked, end = pick(self.frames(), run)
            if not picked:
                raise UserError(
                    f"{self.medium}: no frame can be decoded at {run[0]:.2f} s; re-encode or fetch it again"
                )
            if run[-1] >= end + END_SLACK:
                raise UserError(
                    f"{self.medium}: cut short: frames end at {end:.2f} s, {run[-1]:.2f} s asked; fetch it again"
                )
            frames += picked
        return frames

    def _seek(self, time: float) -> None:
        base = float(self.stream.time_base or 1)
        try:
            self._container.seek(int(time / base) + self._start, stream=self.stream, backward=True)
        except av.FFmpegError as error:
            raise UserError(f"{self.medium}: cannot go to {time:.2f} s ({error.strerror}); re-encode it") from error


@contextmanager
def open_video(medium: Medium) -> Iterator[Video]:
    """Open a video at its beginning.

    Raises:
        UserError: not a video, or one whose pictures cannot be decoded.
    """
    # A playlist must not reach the network, nor one inside a shard other files; nor may a name like "http:...".
    try:
        if isinstance(medium.source, bytes):
            container = av.open(medium.open(), "r", options={"protocol_whitelist": "none"})
        else:
            container = av.open(f"file:{medium.source}", "r", options={"protocol_whitelist": "file"})
    except av.FFmpegError as error:
        raise UserError(f"{medium}: is not a readable video ({error.strerror}); re-encode or fetch it again") from error
    with container:
        yield Video(medium, container, video_stream(container, str(medium)))


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The pictures of an open container, decoded by one thread.

    Args:
        name: what messages begin with.

    Raises:
        UserError: there are none that can be decoded.
    """
    # A song's cover picture is stored as a video stream of its own.
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise UserError(f"{name}: has no video stream (audio only?); name a file with pictures")
    stream = streams[0]
    if stream.codec_context is None:
        raise UserError(f"{name}: its video codec is unknown to this FFmpeg; re-encode it, e.g. as H.264")
    stream.codec_context.thread_count = 1
    check_side(name, stream.codec_context.width, stream.codec_context.height)
    return stream


def mean_rate(stream: VideoStream) -> float:
    """Frames per second; where the stream does not say, 25."""
    return float(stream.average_rate or stream.guessed_rate or 25)


def stated_duration(stream: VideoStream) -> float | None:
    """What a stream says of its duration, seconds."""
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None


def sound_frames(
    container: InputContainer, stream: VideoStream, corrupt: Callable[[], None]
) -> Iterator[av.VideoFrame]:
    """The frames of a container that can be decoded.

    Args:
        corrupt: called for each packet that is marked as damaged or cannot be decoded, and each frame made up for one.

    Raises:
        av.FFmpegError: the container cannot be read on.
    """
    packets = container.demux(stream)
    failures = 0
    while True:
        try:
            packet = next(packets, None)
        except av.InvalidDataError:
            # Behind it there may be good ones.
            corrupt()
            failures += 1
            if failures > _MAX_FAILURES:
                raise
            packets = container.demux(stream)
            continue
        if packet is None:
            return
        failures = 0
        if packet.is_corrupt:
            corrupt()
            continue
        try:
            frames = packet.decode()
        # FFmpeg ends a decoder that has been emptied before so.
        except EOFError:
            return
        except av.FFmpegError:
            corrupt()
            continue
        for frame in frames:
            if frame.is_corrupt:
                corrupt()
            else:
                yield frame


def upright(frame: av.VideoFrame) -> UInt8[np.ndarray, "H W 3"]:
    """RGB pixels, turned as the display matrix asks."""
    pixels = frame.to_ndarray(format="rgb24")
    # FFmpeg states the angle counter-clockwise, as NumPy turns.
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))


def pick(timed: Iterable[tuple[float, float, T]], times: Float[np.ndarray, " F"]) -> tuple[list[T], float]:
    """The item on show at each of the ascending times, and when the last item looked at ends.

    Args:
        timed: (time, duration, item) in order of time, seconds.
    """
    picked: list[T] = []
    current: tuple[float, float, T] | None = None
    for item in timed:
        # A time before the very first frame shows that frame.
        while current is not None and len(picked) < len(times) and times[len(picked)] < item[0]:
            picked.append(current[2])
        if len(picked) == len(times):
            return picked, item[0]
        current = item
    if current is None:
        return [], 0.0
    return picked + [current[2]] * (len(times) - len(picked)), current[0] + current[1]
