"""Video frames by torchcodec, where it is installed and finds its FFmpeg: PyAV's frames, bit for bit, in less time."""

from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from vljepa.data.medium import Medium


@cache
def _decoder() -> Any:
    """torchcodec's ``VideoDecoder``, or None."""
    try:
        from torchcodec.decoders import VideoDecoder
    # Without the libraries of an FFmpeg that it knows, its import fails in one of these ways.
    except (ImportError, OSError, RuntimeError):
        return None
    return VideoDecoder


def frames_at(medium: Medium, stream_index: int, times: Float[np.ndarray, " F"]) -> UInt8[np.ndarray, "F H W 3"] | None:
    """The frame on show at each of the times, upright RGB; None if PyAV shall decode the video, or say what it lacks.

    Args:
        times: seconds as the stream counts them, which need not begin at 0.
    """
    decoder = _decoder()
    if decoder is None:
        return None
    try:
        video = decoder(medium.source, stream_index=stream_index, dimension_order="NHWC", num_ffmpeg_threads=1)
        return video.get_frames_played_at(times.tolist()).data.numpy()
    except (RuntimeError, ValueError, IndexError):
        return None
