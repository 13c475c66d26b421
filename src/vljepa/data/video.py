"""Video and image files to frames.

Videos are decoded by PyAV, images and animations (GIF, WebP, PNG) by Pillow, both in one thread: callers run as many
readers as they have cores. Every file that cannot be read gives a ``UserError`` of one line that names the file.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from jaxtyping import UInt8
from PIL import Image

from vljepa.data.image import MIN_SIDE, animation_frames, is_image, open_image, to_rgb
from vljepa.errors import UserError
from vljepa.types import Clip

T = TypeVar("T")

SEEK_GAP = 10.0
"""Seconds: over a longer gap seeking is cheaper than decoding all between (keyframes rarely lie further apart)."""
END_SLACK = 0.5
"""Seconds by which the last frame may end before the file's stated duration without the file counting as cut short."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaInfo:
    """What a file says of itself."""

    duration: float
    """Seconds; 0 for a still image."""
    fps: float
    """Mean frames per second; 0 for a still image."""
    width: int
    """Pixels, as shown (after rotation)."""
    height: int
    """Pixels, as shown (after rotation)."""
    num_frames: int
    """Frames; for a video whose container does not say, duration times fps."""


def probe(path: str | Path) -> MediaInfo:
    """Duration, rate and size of a video or image file.

    Raises:
        UserError: the file is missing, empty, not a video or image, or broken.
    """
    path = _existing(path)
    if is_image(path):
        with open_image(path) as image:
            num_frames = getattr(image, "n_frames", 1)
            width, height = to_rgb(image, path).size
            duration = sum(seconds for _, seconds, _ in animation_frames(image, path)) if num_frames > 1 else 0.0
        fps = num_frames / duration if duration else 0.0
        return MediaInfo(duration=duration, fps=fps, width=width, height=height, num_frames=num_frames)
    with _open_video(path) as (container, stream):
        first = next(iter(_video_frames(container, stream, path)), None)
        if first is None:
            raise UserError(f"{path}: holds no decodable frame; re-encode it")
        height, width = _upright(first[2]).shape[:2]
        duration, fps = _duration(container, stream, path), _fps(stream)
        return MediaInfo(
            duration=duration,
            fps=fps,
            width=width,
            height=height,
            num_frames=stream.frames or max(1, round(duration * fps)),
        )


def read_clip(clip: Clip, num_frames: int, *, size: int) -> UInt8[np.ndarray, "F size size 3"]:
    """Frames of a clip at uniform times: the middles of ``num_frames`` equal spans of it.

    At each time the frame on show then is taken, so variable frame rates keep their timing. A still image is
    repeated; of a list of frame images the nearest are taken. Frames are resized and cropped as ``resize`` does.

    Returns:
        (num_frames, size, size, 3) uint8 RGB.

    Raises:
        UserError: a file cannot be read, or the clip lies outside it.
    """
    if clip.start is not None and clip.end is not None and clip.end <= clip.start:
        raise UserError(f"{clip}: end must be greater than start")
    middles = (np.arange(num_frames) + 0.5) / num_frames
    if len(clip.media) > 1:
        if clip.start is not None or clip.end is not None:
            raise UserError(f"{clip}: a list of frame images has no times; remove start and end")
        chosen = [int(m * len(clip.media)) for m in middles]
        decoded = {i: _read_still(_existing(clip.media[i]), size) for i in sorted(set(chosen))}
        return np.stack([decoded[i] for i in chosen])
    path = _existing(clip.media[0])
    if is_image(path):
        with open_image(path) as image:
            if getattr(image, "n_frames", 1) == 1:
                return np.repeat(_fit(to_rgb(image, path), size)[None], num_frames, axis=0)
            # Durations must be known before times can be chosen; the second pass decodes again.
            duration = sum(seconds for _, seconds, _ in animation_frames(image, path))
            times = _times(clip, duration, middles)
            pictures, _ = _pick(animation_frames(image, path), times)
            return np.stack([_fit(picture, size) for picture in pictures])
    with _open_video(path) as (container, stream):
        times = _times(clip, _duration(container, stream, path), middles)
        frames: list[av.VideoFrame] = []
        for run in np.split(times, np.flatnonzero(np.diff(times) > SEEK_GAP) + 1):
            origin = float(run[0]) if run[0] > SEEK_GAP else 0.0
            # The run before has moved the reader on, so that every later run must seek.
            if origin or frames:
                _seek(container, stream, origin, path)
            picked, end = _pick(_video_frames(container, stream, path), run)
            if not picked:
                raise UserError(f"{path}: no frame can be decoded at {run[0]:.2f} s; re-encode or fetch it again")
            if run[-1] >= end + END_SLACK:
                raise UserError(f"{path}: cut short: frames end at {end:.2f} s, {run[-1]:.2f} s asked; fetch it again")
            frames += picked
        # Neighbouring times often show the same frame: convert it once.
        fitted = {id(f): _fit(Image.fromarray(_upright(f)), size) for f in frames}
        return np.stack([fitted[id(f)] for f in frames])


def iter_frames(
    path: str | Path, rate_hz: float, size: int
) -> Iterator[tuple[float, UInt8[np.ndarray, "size size 3"]]]:
    """Stream a file of any length at a fixed rate, one frame in memory at a time.

    Yields:
        (time in seconds, (size, size, 3) uint8 RGB) at 0, 1/rate_hz, 2/rate_hz, ... while the video lasts;
        a still image gives one frame, at 0.

    Raises:
        UserError: the file cannot be read, or ends well before its stated duration (after its last good frame).
    """
    if rate_hz <= 0:
        raise UserError(f"rate_hz must be positive, found {rate_hz}")
    path = _existing(path)
    if is_image(path):
        with open_image(path) as image:
            if getattr(image, "n_frames", 1) == 1:
                yield 0.0, _fit(to_rgb(image, path), size)
                return
            for time, picture in _at_rate(animation_frames(image, path), rate_hz):
                yield time, _fit(picture, size)
        return
    with _open_video(path) as (container, stream):
        time = -1.0
        for time, frame in _at_rate(_video_frames(container, stream, path), rate_hz):
            yield time, _fit(Image.fromarray(_upright(frame)), size)
        if time < 0:
            raise UserError(f"{path}: holds no decodable frame; re-encode it")
        stated = stream.duration
        end = time + 1 / rate_hz
        if stated is not None and stream.time_base is not None and end + END_SLACK < float(stated * stream.time_base):
            raise UserError(f"{path}: cut short: frames end at {end:.2f} s; fetch it again")


def resize(frames: UInt8[np.ndarray, "F H W 3"], size: int) -> UInt8[np.ndarray, "F size size 3"]:
    """Scale the short side to ``size`` (antialiased) and crop the centre square.

    Args:
        frames: (F, H, W, 3) uint8 RGB.

    Returns:
        (F, size, size, 3) uint8 RGB.

    Raises:
        UserError: no frames, or fewer than ``MIN_SIDE`` pixels a side.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or not len(frames):
        raise UserError(f"frames: expected uint8 (frames, height, width, 3), found shape {frames.shape}")
    _check_side("frames", frames.shape[2], frames.shape[1])
    return np.stack([_fit(Image.fromarray(frame), size) for frame in frames])


def _existing(path: str | Path) -> Path:
    path = Path(path)
    try:
        num_bytes = path.stat().st_size
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be opened ({reason}); check the path") from error
    if not path.is_file():
        raise UserError(f"{path}: is not a file; name a video or image file")
    if num_bytes == 0:
        raise UserError(f"{path}: is empty (0 bytes); fetch it again")
    return path


def _check_side(name: str | Path, width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE:
        raise UserError(f"{name}: {width}x{height} pixels is too small; at least {MIN_SIDE} a side are needed")


def _read_still(path: Path, size: int) -> UInt8[np.ndarray, "size size 3"]:
    if not is_image(path):
        raise UserError(f"{path}: is not an image; a list of media must be frame images")
    with open_image(path) as image:
        return _fit(to_rgb(image, path), size)


def _fit(picture: Image.Image, size: int) -> UInt8[np.ndarray, "size size 3"]:
    width, height = picture.size
    if width == height == size:
        return np.asarray(picture)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    # Pillow widens its filter when it shrinks, which is the antialiasing.
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC, box=box))


def _times(clip: Clip, duration: float, middles: np.ndarray) -> np.ndarray:
    start = clip.start or 0.0
    # Annotated ends are often rounded up past the last frame, so the end is clamped; a start past it is a mistake.
    end = duration if clip.end is None else min(clip.end, duration)
    if start >= duration:
        raise UserError(f"{clip.media[0]}: start {start:g} s lies past the end, {duration:.2f} s")
    return start + middles * (end - start)


def _pick(timed: Iterable[tuple[float, float, T]], times: np.ndarray) -> tuple[list[T], float]:
    """The item on show at each of the ascending times, and when the last item looked at ends."""
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


def _at_rate(timed: Iterable[tuple[float, float, T]], rate_hz: float) -> Iterator[tuple[float, T]]:
    tick = 0
    current: tuple[float, float, T] | None = None
    for item in timed:
        while current is not None and tick / rate_hz < item[0]:
            yield tick / rate_hz, current[2]
            tick += 1
        current = item
    if current is not None:
        while tick == 0 or tick / rate_hz < current[0] + current[1] - 1e-6:
            yield tick / rate_hz, current[2]
            tick += 1


@contextmanager
def _open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        # "file:" and the whitelist: a playlist or a name like "http:..." must not reach the network.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except av.FFmpegError as error:
        raise UserError(f"{path}: is not a readable video ({error.strerror}); re-encode or fetch it again") from error
    with container:
        # A song's cover picture is stored as a video stream of its own.
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise UserError(f"{path}: has no video stream (audio only?); name a file with pictures")
        stream = streams[0]
        if stream.codec_context is None:
            raise UserError(f"{path}: its video codec is unknown to this FFmpeg; re-encode it, e.g. as H.264")
        stream.codec_context.thread_count = 1
        _check_side(path, stream.codec_context.width, stream.codec_context.height)
        yield container, stream


def _video_frames(
    container: InputContainer, stream: VideoStream, path: Path
) -> Iterator[tuple[float, float, av.VideoFrame]]:
    """(time, duration, frame) in seconds since the stream's first frame."""
    origin = float((stream.start_time or 0) * (stream.time_base or 0))
    gap = 1 / _fps(stream)
    time = -gap
    try:
        for frame in container.decode(stream):
            # Raw streams carry no times: count frames instead.
            time = time + gap if frame.time is None else frame.time - origin
            held = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else gap
            yield time, held, frame
    except av.FFmpegError as error:
        raise UserError(f"{path}: breaks off after {time:.2f} s ({error.strerror}); fetch it again") from error


def _seek(container: InputContainer, stream: VideoStream, time: float, path: Path) -> None:
    base = float(stream.time_base or 1)
    try:
        container.seek(int(time / base) + (stream.start_time or 0), stream=stream, backward=True)
    except av.FFmpegError as error:
        raise UserError(f"{path}: cannot go to {time:.2f} s ({error.strerror}); re-encode it") from error


def _fps(stream: VideoStream) -> float:
    return float(stream.average_rate or stream.guessed_rate or 25)


def _duration(container: InputContainer, stream: VideoStream, path: Path) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / av.time_base
    # Raw streams say nothing: decode to the end and come back.
    end = 0.0
    for time, held, _ in _video_frames(container, stream, path):
        end = time + held
    if not end:
        raise UserError(f"{path}: holds no decodable frame; re-encode it")
    _seek(container, stream, 0.0, path)
    return end


def _upright(frame: av.VideoFrame) -> UInt8[np.ndarray, "H W 3"]:
    """RGB pixels, turned as the display matrix asks."""
    pixels = frame.to_ndarray(format="rgb24")
    # FFmpeg states the angle counter-clockwise, as NumPy turns.
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))
