"""Pictures inside a page, so that it needs no other file."""

import base64
import html
import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image


def picture_tag(picture: UInt8[np.ndarray, "H W 3"], alt: str) -> str:
    """An ``<img>`` that carries the picture as JPEG.

    Args:
        alt: what it shows, for those who cannot see it.
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=80)
    height, width = picture.shape[:2]
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
        f'src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    )
