"""Small media files whose content is known, written by the tests that read them."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def grey(values: Sequence[int], height: int = 32, width: int = 32) -> list[np.ndarray]:
    """Frames of one grey level each."""
    return [np.full((height, width, 3), value, np.uint8) for value in values]


def write_video(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    fps: int = 10,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times_ms: Sequence[int] | None = None,
    faststart: bool = False,
    gop: int = 12,
) -> Path:
    """Encode RGB frames; ``times_ms`` gives each frame its own time (variable frame rate)."""
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.gop_size = gop
        if codec == "libx264":
            stream.options = {"crf": "1", "preset": "ultrafast", "threads": "1"}
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_audio(path: Path) -> Path:
    """A second of silence in an MP4."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        for index in range(16):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, index * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn_clockwise(path: Path) -> None:
    """Set the display matrix of an MP4's track header to a quarter turn clockwise (ISO/IEC 14496-12, 8.3.2)."""
    content = bytearray(path.read_bytes())
    one, w = (0x00010000).to_bytes(4, "big"), (0x40000000).to_bytes(4, "big")
    zero, minus = bytes(4), (0xFFFF0000).to_bytes(4, "big")
    identity = one + zero + zero + zero + one + zero + zero + zero + w
    at = content.index(identity, content.index(b"tkhd"))
    content[at : at + 36] = zero + one + zero + minus + zero + zero + zero + zero + w
    path.write_bytes(content)
