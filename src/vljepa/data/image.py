"""Still images and animations by Pillow, in every mode, to upright RGB."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vljepa.errors import UserError

MIN_SIDE = 8
"""Pixels: smaller pictures (a web page's 1x1 counters) show nothing."""
MAX_PIXELS = 80_000_000
"""A picture that claims more is refused before it is decoded: a small file can claim gigabytes."""
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def is_image(path: Path) -> bool:
    """Whether the file begins like an image; suffixes lie."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return head.startswith(_SIGNATURES) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image after checking its size.

    Raises:
        UserError: broken, too small or too large.
    """
    try:
        image = Image.open(path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: claims over {MAX_PIXELS} pixels; shrink it") from error
    except _BROKEN as error:
        raise UserError(f"{path}: is not a readable image ({_reason(error, path)}); fetch it again") from error
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise UserError(f"{path}: {width}x{height} pixels is over the limit of {MAX_PIXELS}; shrink it")
        if min(width, height) < MIN_SIDE:
            raise UserError(f"{path}: {width}x{height} pixels is too small; at least {MIN_SIDE} a side are needed")
        yield image


def to_rgb(image: Image.Image, path: Path) -> Image.Image:
    """The current frame as RGB: turned upright by EXIF, alpha laid over white.

    Raises:
        UserError: the file is cut short or broken.
    """
    try:
        picture = ImageOps.exif_transpose(image)
        if picture.mode.startswith("I"):
            # 16-bit grey: Pillow's own conversion cuts everything above 255 off.
            return Image.fromarray((np.asarray(picture) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
        if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            return Image.alpha_composite(white, picture).convert("RGB")
        return picture.convert("RGB")
    except _BROKEN as error:
        raise UserError(f"{path}: is a broken image ({_reason(error, path)}); fetch it again") from error


def animation_frames(image: Image.Image, path: Path) -> Iterator[tuple[float, float, Image.Image]]:
    """(time, duration, RGB picture) of each frame of an animation, seconds.

    Raises:
        UserError: a frame is broken.
    """
    time = 0.0
    for index in range(getattr(image, "n_frames", 1)):
        try:
            image.seek(index)
        except _BROKEN as error:
            raise UserError(f"{path}: frame {index} is broken ({_reason(error, path)}); fetch it again") from error
        picture = to_rgb(image, path)
        # Browsers show a frame without duration for 100 ms.
        seconds = (image.info.get("duration") or 100) / 1000
        yield time, seconds, picture
        time += seconds


def _reason(error: Exception, path: Path) -> str:
    return " ".join(str(error).replace(str(path), "file").split()) or type(error).__name__
