"""From what a request names or carries to frames, checked before anything is decoded."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vljepa.data.decoders import UNREADABLE, Decoders, Undecodable
from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.serve.checked import read_checked
from vljepa.serve.errors import Refused
from vljepa.serve.settings import ServeConfig
from vljepa.types import Clip

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
