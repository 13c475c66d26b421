"""Still images and animations by Pillow, in every mode, to upright RGB."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vljepa.data.medium import Medium
from vljepa.errors import UserError

MIN_SIDE = 8
"""Pixels: smaller pictures (a web page's 1x1 counters) show nothing."""
MAX_PIXELS = 80_000_000
"""A picture that claims more is refused before it is decoded: a small file can claim gigabytes."""
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def is_image(medium: Medium) -> bool:
    """Whether the medium begins like an image; suffixes lie.

    Raises:
        UserError: it must not be read.
    """
    with medium.open() as file:
        head = file.read(12)
    return head.startswith(_SIGNATURES) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


@contextmanager
def open_image(medium: Medium) -> Iterator[Image.Image]:
    """Open an image after checking its size.

    Raises:
        UserError: broken, too small or too large.
    """
    with medium.open() as file:
        try:
            image = Image.open(file)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise UserError(f"{medium}: claims over {MAX_PIXELS} pixels; shrink it") from error
        except UnidentifiedImageError as error:
            raise UserError(f"{medium}: is not a readable image (broken header); fetch it again") from error
        except _BROKEN as error:
            raise UserError(f"{medium}: is not a readable image ({_reason(error)}); fetch it again") from error
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise UserError(f"{medium}: {width}x{height} pixels is over the limit of {MAX_PIXELS}; shrink it")
        check_side(medium, width, height)
        yield image


def check_side(name: Medium | str, width: int, height: int) -> None:
    """
    Args:
        name: what the message begins with.

    Raises:
        UserError: fewer than ``MIN_SIDE`` pixels a side.
    """
    if min(width, height) < MIN_SIDE:
        raise UserError(f"{name}: {width}x{height} pixels is too small; at least {MIN_SIDE} a side are needed")


def to_rgb(image: Image.Image, medium: Medium) -> Image.Image:
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
        raise UserError(f"{medium}: is a broken image ({_reason(error)}); fetch it again") from error


def animation_frames(image: Image.Image, medium: Medium) -> Iterator[tuple[float, float, Image.Image]]:
    """(time, duration, RGB picture) of each frame of an animation, seconds.

    Raises:
        UserError: a frame is broken.
    """
    time = 0.0
    for index in range(getattr(image, "n_frames", 1)):
        try:
            image.seek(index)
        except _BROKEN as error:
            raise UserError(f"{medium}: frame {index} is broken ({_reason(error)}); fetch it again") from error
        picture = to_rgb(image, medium)
        # Browsers show a frame without duration for 100 ms.
        seconds = (image.info.get("duration") or 100) / 1000
        yield time, seconds, picture
        time += seconds


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
