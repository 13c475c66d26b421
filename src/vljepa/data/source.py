"""Where a stream's frames come from: a file, a folder of frames, an iterator, a camera, an RTSP or HTTP address.

A source is iterated over once and gives ``(time in seconds, uint8 RGB frame (size, size, 3))``, times increasing.
"""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from vljepa.data.frame_source import FrameSource, SourceCounts, TimedFrame
from vljepa.data.image import open_image, to_rgb
from vljepa.data.live import LiveSource
from vljepa.data.medium import IMAGES, Medium
from vljepa.data.video import at_rate, fit, iter_frames, resize
from vljepa.errors import UserError


def open_source(
    source: str | Path | int | np.ndarray | Tensor | Iterable[np.ndarray | Tensor],
    *,
    rate_hz: float,
    size: int,
    fps: float | None = None,
) -> FrameSource:
    """Open a stream of frames.

    Args:
        source: a video or image file; a folder of images in the order of their names; frames ``(height, width, 3)``
            uint8 as an array or any iterable; the number of a camera; or an address, ``rtsp://`` or ``http://``.
        rate_hz: frames taken per second of time. A file shows at each tick the frame on show then; of other sources
            the first frame after each tick is taken, and a slower one is seen at its own rate.
        size: side of the frames, pixels: the short side is scaled to it and the centre square cropped.
        fps: rate of the frames of a folder or an iterable, hertz; only for these.

    Raises:
        UserError: the source cannot be opened, ``fps`` is missing, or the rate is not positive.
    """
    if not 0 < rate_hz < math.inf:
        raise UserError(f"rate_hz must be positive, found {rate_hz}")
    counts = SourceCounts()
    if isinstance(source, int) or (isinstance(source, str) and is_address(source)):
        return LiveSource(source, rate_hz=rate_hz, size=size)
    if not isinstance(source, str | Path):
        frames = _sampled(source, _rate(fps, "frames need"), rate_hz, size)
        return FrameSource("frames", frames, counts)
    path = Path(source)
    if path.is_dir():
        names = _pictures(path)
        return FrameSource(str(path), _folder(names, _rate(fps, f"{path}: needs"), rate_hz, size, counts), counts)
    Medium.of_file(path)

    def corrupt() -> None:
        counts.corrupt += 1

    return FrameSource(str(path), iter_frames(path, rate_hz, size, corrupt), counts)


def is_address(source: str) -> bool:
    """Whether a text names something on the network, ``scheme://...``, rather than a file."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source) is not None


def _rate(fps: float | None, begin: str) -> float:
    if fps is None or not 0 < fps < math.inf:
        raise UserError(f"stream: {begin} fps, the rate of the frames in hertz; pass fps=...")
    return fps


def _sampled(frames: Iterable[np.ndarray | Tensor], fps: float, rate_hz: float, size: int) -> Iterator[TimedFrame]:
    """At once as they come: of a camera's frames none is held back until the next."""
    due = 0.0
    for index, frame in enumerate(frames):
        now = index / fps
        if now + 1e-9 >= due:
            due = max(due + 1 / rate_hz, now)
            yield now, resize(_checked(np.asarray(frame)), size)[0]


def _checked(frame: np.ndarray) -> UInt8[np.ndarray, "1 H W 3"]:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3 or not frame.size:
        raise UserError(
            f"stream: expected uint8 frames (height, width, 3), found {frame.dtype} {frame.shape}; convert them"
        )
    return frame[None]


def _pictures(folder: Path) -> list[Path]:
    """The images of a folder, ``9.png`` before ``10.png``."""

    def key(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path.name)]

    found = sorted((path for path in folder.iterdir() if path.suffix.lower() in IMAGES and path.is_file()), key=key)
    if not found:
        raise UserError(f"{folder}: is not a file, and as a folder of frames it holds no image; name a video")
    return found


def _folder(paths: list[Path], fps: float, rate_hz: float, size: int, counts: SourceCounts) -> Iterator[TimedFrame]:
    good = False
    for now, path in at_rate(((index / fps, 1 / fps, path) for index, path in enumerate(paths)), rate_hz):
        try:
            medium = Medium.of_file(path)
            with open_image(medium) as image:
                frame = fit(to_rgb(image, medium), size)
        except UserError:
            counts.corrupt += 1
            continue
        good = True
        yield now, frame
    if not good:
        raise UserError(f"{paths[0].parent}: none of its {len(paths)} images can be read; fetch them again")
