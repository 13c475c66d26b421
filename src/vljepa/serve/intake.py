"""From what a request names or carries to frames, checked before anything is decoded."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer

from vljepa.data.decoders import UNREADABLE, Decoders, Undecodable
from vljepa.data.image import MAX_PIXELS, is_image
from vljepa.data.medium import IMAGES, VIDEOS, Medium
from vljepa.data.video import probe, read_clip
from vljepa.errors import UserError
from vljepa.serve.errors import Refused
from vljepa.serve.settings import ServeConfig
from vljepa.types import Clip

FORMATS = "mov,mp4,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,h264,hevc,m4v"
"""Containers that hold their own pictures. A playlist would send the decoder to files and addresses of its choice."""
_PROCESSES = 2
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """A clip of a request, and what the client calls it."""

    clip: Clip
    name: str


class Intake:
    """Decodes in processes of their own, within a time limit, what was checked for format, pixels and duration.

    Args:
        num_frames: taken of a video; of an image 1.
        size: side of the square they are cut to, pixels.
    """

    def __init__(self, config: ServeConfig, num_frames: int, size: int) -> None:
        self._num_frames = num_frames
        self._size = size
        self._root = None if config.media is None else config.media.resolve()
        self._scratch = config.data / "scratch"
        self._scratch.mkdir(parents=True, exist_ok=True)
        for left in self._scratch.iterdir():
            left.unlink()
        self._decoders = Decoders(
            _PROCESSES, config.time_limit, partial(read_checked, max_seconds=config.max_minutes * 60)
        )

    def frames(self, given: Given) -> np.ndarray:
        """Frames ``(F, S, S, 3)`` of the clip.

        Raises:
            Undecodable: it cannot be read, or is not to be.
        """
        try:
            return self._decoders.decode(given.clip, self._num_frames, self._size)
        except Undecodable as error:
            # The client knows its file by its own name, and nothing of ours.
            message = str(error).replace(given.clip.media[0], given.name)
            if error.reason != UNREADABLE:
                message = f"{given.name}: {error.reason}; re-encode it"
            raise Undecodable(error.reason, message) from error

    @contextlib.contextmanager
    def kept(self, name: str, content: BinaryIO) -> Iterator[Path]:
        """An upload as a file on disk, which is removed in the end unless it was moved away.

        Raises:
            Refused: its name is not that of a video or image, or it is empty.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in VIDEOS | IMAGES:
            raise Refused(415, f"{shown(name)}: is no video or image by its name; send one such as clip.mp4", "file")
        path = self._scratch / (secrets.token_hex(8) + suffix)
        try:
            with path.open("wb") as file:
                while chunk := content.read(_CHUNK):
                    file.write(chunk)
            if not path.stat().st_size:
                raise Refused(422, f"{shown(name)}: is empty (0 bytes); send it again", "file")
            yield path
        finally:
            path.unlink(missing_ok=True)

    def local(self, name: str) -> Path:
        """A file below the folder that requests may name files of.

        Raises:
            Refused: there is none.
        """
        unknown = Refused(404, f"{shown(name)}: no such media; upload it, or name a file below the --media folder")
        if self._root is None:
            raise unknown
        try:
            path = (self._root / name).resolve()
            if not (path.is_relative_to(self._root) and path.is_file()):
                raise unknown
        except (OSError, ValueError, RuntimeError) as error:
            # A name that is too long, holds a zero byte or is a loop of links.
            raise unknown from error
        if path.suffix.lower() not in VIDEOS | IMAGES:
            raise Refused(415, f"{shown(name)}: is no video or image by its name")
        return path

    def close(self) -> None:
        """End the processes."""
        self._decoders.close()


def shown(name: str) -> str:
    """A file name in one line of modest length."""
    return "".join(c if c.isprintable() else "?" for c in name)[-120:] or "file"


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
