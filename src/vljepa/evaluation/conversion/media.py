"""Finds media by the ids that annotation files give them."""

import unicodedata
from collections import defaultdict
from pathlib import Path

from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.data.prepare.files import walk


class MediaIndex:
    """The videos and images below a folder, which is walked once.

    A file is found under its name without suffix, wherever it lies and whatever its suffix is: ``x`` finds ``x.webm``,
    ``a/x.MP4`` and, as some mirrors name them, ``x.avi.mp4`` and ``x..mp4``.
    """

    def __init__(self, folder: Path) -> None:
        self._found: dict[str, list[Path]] = defaultdict(list)
        for path in walk(folder):
            if path.suffix.lower() in VIDEOS | IMAGES:
                self._found[_stem(path.name)].append(path)

    def find(self, names: tuple[str, ...], suffixes: set[str]) -> list[Path]:
        """The files with one of the suffixes under the first of the names that has any, in order of their paths.

        Args:
            names: ``id``, or ``folder/id`` for files whose path ends so; a blank of a folder may be ``_`` on disk.
        """
        for name in names:
            folder, _, base = name.rpartition("/")
            parts = _parts(Path(folder)) if folder else ()
            found = [
                path
                for path in self._found.get(_stem(base), ())
                if path.suffix.lower() in suffixes and _parts(path.parent)[-len(parts) or None :][: len(parts)] == parts
            ]
            if found:
                return found
        return []


def _parts(folder: Path) -> tuple[str, ...]:
    return tuple(part.replace("_", " ") for part in folder.parts if part != "/")


def _stem(name: str) -> str:
    """Without suffixes of media, of which there may be several, and without a bare dot at the end."""
    # Some file systems take accents apart.
    name = unicodedata.normalize("NFC", name)
    while True:
        stem, dot, suffix = name.rpartition(".")
        if not dot or not stem or (suffix and f".{suffix.lower()}" not in VIDEOS | IMAGES):
            return name
        name = stem
