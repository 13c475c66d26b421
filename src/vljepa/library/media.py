"""The video and image files of a folder, and the clips a file is cut into."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.errors import UserError


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaFile:
    """A file as the file system knows it; a change of size or time means new contents."""

    path: str
    """Absolute."""
    size: int
    """Bytes."""
    mtime_ns: int
    """Modification time, nanoseconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a walk over a folder met."""

    root: str
    """The folder, absolute."""
    files: list[MediaFile]
    """Sorted by path."""
    problems: list[str]
    """A message for each file or folder that could not be looked at."""
    unseen: list[str]
    """Absolute paths of those: nothing can be said of what lies in them."""

    def is_gone(self, path: str) -> bool:
        """Whether a file that is not among ``files`` was looked for and not there."""
        return os.path.join(path, "").startswith(os.path.join(self.root, "")) and not any(
            os.path.join(path, "").startswith(os.path.join(unseen, "")) for unseen in self.unseen
        )


def find_media(folder: str | Path) -> Found:
    """Videos and images below a folder, known by their suffixes; hidden ones are passed over.

    Raises:
        UserError: there is no such folder, or it holds no video or image.
    """
    # Resolved, or a folder reached by a link would be indexed twice.
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise UserError(f"{folder}: is not a folder; name one that holds videos or images")
    found = Found(root=root, files=[], problems=[], unseen=[])

    def leave_out(error: OSError) -> None:
        found.problems.append(f"{error.filename}: cannot be opened ({error.strerror}); check it")
        found.unseen.append(error.filename)

    for parent, folders, names in os.walk(root, onerror=leave_out):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith(".") or Path(name).suffix.lower() not in VIDEOS | IMAGES:
                continue
            path = os.path.join(parent, name)
            try:
                stat = os.stat(path)
            except OSError as error:
                leave_out(error)
                continue
            found.files.append(MediaFile(path=path, size=stat.st_size, mtime_ns=stat.st_mtime_ns))
    # A disk that is not mounted is an empty folder: its library must not be emptied for that.
    if not found.files:
        raise UserError(f"{folder}: holds no readable video or image; nothing was changed, check the folder")
    found.files.sort(key=lambda file: file.path)
    return found


def count_spans(duration: float, clip_seconds: float) -> int:
    """Number of clips of a file; the last is half a clip to one and a half long, so that none is a mere rest."""
    return max(1, int(duration / clip_seconds + 0.5))


def spans(duration: float, clip_seconds: float) -> Iterator[tuple[float, float]]:
    """Consecutive (start, end) in seconds that cover a file from 0 to its duration."""
    count = count_spans(duration, clip_seconds)
    for index in range(count):
        yield index * clip_seconds, duration if index == count - 1 else (index + 1) * clip_seconds
