"""Colours of videos against the arithmetic of the standards: matrix, range and bit depth as the file states them."""

from pathlib import Path

import av
import numpy as np
import pytest

from vljepa.data.video import read_clip
from vljepa.types import Clip

RGB = (200, 60, 30)
# Weights of red and blue in the luma: ITU-R BT.601, BT.709, BT.2020; and FFmpeg's number of each matrix.
WEIGHTS = {6: (0.299, 0.114), 1: (0.2126, 0.0722), 9: (0.2627, 0.0593)}


def ycbcr(matrix: int, full_range: bool, bits: int) -> list[int]:
    """The code values of ``RGB``."""
    red, green, blue = (value / 255 for value in RGB)
    weight_red, weight_blue = WEIGHTS[matrix]
    luma = weight_red * red + (1 - weight_red - weight_blue) * green + weight_blue * blue
    chroma = (blue - luma) / (2 - 2 * weight_blue), (red - luma) / (2 - 2 * weight_red)
    if full_range:
        values = [255 * luma, *(128 + 255 * c for c in chroma)]
    else:
        values = [16 + 219 * luma, *(128 + 224 * c for c in chroma)]
    return [round(value * 2 ** (bits - 8)) for value in values]


@pytest.mark.parametrize(
    ("matrix", "full_range", "pix_fmt", "bits"),
    [
        (6, False, "yuv420p", 8),
        (6, True, "yuv420p", 8),
        (1, False, "yuv420p", 8),
        (1, True, "yuv420p", 8),
        (1, False, "yuv444p", 8),
        (1, False, "yuv420p10le", 10),
        (9, False, "yuv420p10le", 10),
    ],
)
def test_colour_is_what_the_standard_says(
    tmp_path: Path, matrix: int, full_range: bool, pix_fmt: str, bits: int
) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "1", "preset": "ultrafast", "threads": "1"})
        stream.height = stream.width = 64
        stream.pix_fmt = pix_fmt
        for stated in (stream.codec_context, frame := av.VideoFrame(64, 64, pix_fmt)):
            stated.colorspace, stated.color_range = matrix, 2 if full_range else 1
        sample = np.uint8 if bits == 8 else np.uint16
        for plane, value in zip(frame.planes, ycbcr(matrix, full_range, bits), strict=True):
            plane.update(np.full(plane.buffer_size // sample().nbytes, value, sample).tobytes())
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    pixel = read_clip(Clip(media=(str(path),)), 1, size=64)[0, 32, 32]
    assert np.abs(pixel.astype(int) - RGB).max() <= 3
