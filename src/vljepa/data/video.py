"""Video and image files, and members of tar shards, to frames.

Videos are decoded by PyAV (or torchcodec, if installed: the same frames), images and animations (GIF, WebP, PNG) by
Pillow, both in one thread: callers run as many readers as they have cores. Every file that cannot be read gives a
``UserError`` of one line that names the file.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from vljepa.clip import Clip
from vljepa.data.container import END_SLACK, open_video, pick, upright
from vljepa.data.image import animation_frames, check_side, is_image, open_image, to_rgb
from vljepa.data.medium import Medium
from vljepa.errors import UserError

T = TypeVar("T")


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
    medium = Medium.of_file(path)
    if is_image(medium):
        with open_image(medium) as image:
            num_frames = getattr(image, "n_frames", 1)
            width, height = to_rgb(image, medium).size
            duration = sum(seconds for _, seconds, _ in animation_frames(image, medium)) if num_frames > 1 else 0.0
        fps = num_frames / duration if duration else 0.0
        return MediaInfo(duration=duration, fps=fps, width=width, height=height, num_frames=num_frames)
    with open_video(medium) as video:
        first = next(iter(video.frames()), None)
        if first is None:
            raise UserError(f"{medium}: holds no decodable frame; re-encode it")
        height, width = upright(first[2]).shape[:2]
        duration, fps = video.duration(), video.fps
        return MediaInfo(
            duration=duration,
            fps=fps,
            width=width,
            height=height,
            num_frames=video.stream.frames or max(1, round(duration * fps)),
        )


def read_clip(clip: Clip, num_frames: int, *, size: int) -> UInt8[np.ndarray, "F size size 3"]:
    """Frames of a clip as ``read_pictures`` takes them, resized and cropped as ``resize`` does.

    Returns:
        (num_frames, size, size, 3) uint8 RGB.

    Raises:
        UserError: a file cannot be read, or the clip lies outside it.
    """
    pictures = read_pictures(clip, num_frames)
    # Neighbouring times often show the same frame: fit it once.
    fitted = {id(picture): fit(picture, size) for picture in pictures}
    return np.stack([fitted[id(picture)] for picture in pictures])


def read_pictures(clip: Clip, num_frames: int) -> list[Image.Image]:
    """Whole frames of a clip at uniform times: the middles of ``num_frames`` equal spans of it.

    At each time the frame on show then is taken, so variable frame rates keep their timing. A still image is
    repeated; of a list of frame images the nearest are taken. A frame that is taken twice is the same object.

    Returns:
        ``num_frames`` RGB pictures; those of a list of frame images may differ in size.

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
        decoded = {i: _read_still(Medium.of_file(clip.media[i])) for i in sorted(set(chosen))}
        return [decoded[i] for i in chosen]
    medium = Medium.of_clip(clip)
    if is_image(medium):
        with open_image(medium) as image:
            if getattr(image, "n_frames", 1) == 1:
                return [to_rgb(image, medium)] * num_frames
            # Durations must be known before times can be chosen; the second pass decodes again.
            duration = sum(seconds for _, seconds, _ in animation_frames(image, medium))
            return pick(animation_frames(image, medium), _times(clip, medium, duration, middles))[0]
    with open_video(medium) as video:
        pixels = video.pixels_at(_times(clip, medium, video.duration(), middles))
    pictures = {id(p): Image.fromarray(p) for p in pixels}
    return [pictures[id(p)] for p in pixels]


def iter_frames(
    path: str | Path, rate_hz: float, size: int, corrupt: Callable[[], None] | None = None
) -> Iterator[tuple[float, UInt8[np.ndarray, "size size 3"]]]:
    """Stream a file of any length at a fixed rate, one frame in memory at a time.

    Args:
        path: a video or image file.
        rate_hz: frames per second of time.
        size: side of the frames, pixels.
        corrupt: called for each packet that cannot be decoded, which is then left out; without it the first raises.

    Yields:
        (time in seconds, (size, size, 3) uint8 RGB) at 0, 1/rate_hz, 2/rate_hz, ... while the video lasts;
        a still image gives one frame, at 0.

    Raises:
        UserError: the file cannot be read, or ends well before its stated duration (after its last good frame).
    """
    if rate_hz <= 0:
        raise UserError(f"rate_hz must be positive, found {rate_hz}")
    medium = Medium.of_file(path)
    if is_image(medium):
        with open_image(medium) as image:
            if getattr(image, "n_frames", 1) == 1:
                yield 0.0, fit(to_rgb(image, medium), size)
                return
            for time, picture in at_rate(animation_frames(image, medium), rate_hz):
                yield time, fit(picture, size)
        return
    with open_video(medium) as video:
        time = -1.0
        for time, frame in at_rate(video.frames() if corrupt is None else video.sound_frames(corrupt), rate_hz):
            yield time, fit(Image.fromarray(upright(frame)), size)
        if time < 0:
            raise UserError(f"{medium}: holds no decodable frame; re-encode it")
        end = time + 1 / rate_hz
        if video.stated_duration is not None and end + END_SLACK < video.stated_duration:
            raise UserError(f"{medium}: cut short: frames end at {end:.2f} s; fetch it again")


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
    check_side("frames", frames.shape[2], frames.shape[1])
    return np.stack([fit(Image.fromarray(frame), size) for frame in frames])


def _read_still(medium: Medium) -> Image.Image:
    if not is_image(medium):
        raise UserError(f"{medium}: is not an image; a list of media must be frame images")
    with open_image(medium) as image:
        return to_rgb(image, medium)


def fit(picture: Image.Image, size: int) -> UInt8[np.ndarray, "size size 3"]:
    width, height = picture.size
    if width == height == size:
        return np.asarray(picture)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    # Pillow widens its filter when it shrinks, which is the antialiasing.
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC, box=box))


def _times(clip: Clip, medium: Medium, duration: float, middles: np.ndarray) -> np.ndarray:
    start = clip.start or 0.0
    # Annotated ends are often rounded up past the last frame, so the end is clamped; a start past it is a mistake.
    end = duration if clip.end is None else min(clip.end, duration)
    if start >= duration:
        raise UserError(f"{medium}: start {start:g} s lies past the end, {duration:.2f} s")
    return start + middles * (end - start)


def at_rate(timed: Iterable[tuple[float, float, T]], rate_hz: float) -> Iterator[tuple[float, T]]:
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
