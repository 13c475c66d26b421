"""Reading a file that a stranger sent. Runs in the decoding processes, so it imports nothing of the server."""

import av
import numpy as np
from av.container import InputContainer

from vljepa.data.image import MAX_PIXELS, is_image
from vljepa.data.medium import Medium
from vljepa.data.video import probe, read_clip
from vljepa.errors import UserError
from vljepa.types import Clip

FORMATS = "mov,mp4,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,h264,hevc,m4v"
"""Containers that hold their own pictures. A playlist would send the decoder to files and addresses of its choice."""


def read_checked(clip: Clip, num_frames: int, *, size: int, max_seconds: float) -> np.ndarray:
    """``read_clip`` of an untrusted file.

    Raises:
        UserError: also for containers that refer to other files, too many pixels and too long a video.
    """
    medium = Medium.of_file(clip.media[0])
    if is_image(medium):
        still = probe(clip.media[0]).num_frames == 1
        return read_clip(clip, 1 if still else num_frames, size=size)
    try:
        options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
        with av.open(f"file:{clip.media[0]}", "r", options=options) as container:
            _check(container, medium, max_seconds)
    except av.FFmpegError as error:
        raise UserError(f"{medium}: is not a readable video ({error.strerror}); re-encode it") from error
    return read_clip(clip, num_frames, size=size)


def _check(container: InputContainer, medium: Medium, max_seconds: float) -> None:
    for stream in container.streams.video:
        width, height = (stream.width, stream.height) if stream.codec_context is not None else (0, 0)
        if width * height > MAX_PIXELS:
            raise UserError(f"{medium}: {width}x{height} pixels is over the limit of {MAX_PIXELS}; shrink it")
    if container.duration and container.duration / av.time_base > max_seconds:
        raise UserError(f"{medium}: is longer than {max_seconds / 60:g} minutes; cut it")
