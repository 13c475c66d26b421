"""A library on disk: plain files, exact and safe against a kill at any moment.

    library.json          model, clip length, generation g
    clips-<g>.jsonl       line k: the clip of row k
    embeddings-<g>.npy    float16 (clips, E), unit vectors

Rows are written before their lines, and what has only one of the two does not count. Removing rows writes the next
generation beside the present one; naming it in library.json, by a rename, is what makes it true.
"""

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float

from vljepa.data.lock import locked
from vljepa.errors import UserError

FORMAT = 1
"""Version of the folder."""
_ABOUT = "library.json"
_LOCK = "lock"
_GENERATION = re.compile(r"clips-\d+\.(jsonl|tmp)|embeddings-\d+\.npy")
_OWN = re.compile(rf"{_GENERATION.pattern}|library\.(json|tmp)|lock")


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What all clips of a library have in common."""

    model: str
    """Name of a shipped model, or absolute path of a checkpoint folder."""
    fingerprint: str
    """Of the weights that made the embeddings."""
    embed_dim: int
    """E."""
    clip_seconds: float
    """Length of a clip of a longer file, seconds."""
    generation: int = 0
    """Counts the rewritings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One clip of the library."""

    path: str
    """Absolute path of the file."""
    size: int
    """Bytes of the file when it was embedded."""
    mtime_ns: int
    """Its modification time then."""
    index: int
    """Place of the clip in the file, from 0."""
    of: int
    """Number of clips of the file."""
    start: float
    """Seconds."""
    end: float
    """Seconds; 0 for a still image."""


class Store:
    """Clips and embeddings of one folder: row k of ``embeddings()`` belongs to ``entries[k]``."""

    about: About
    entries: list[Entry]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._load()

    @classmethod
    def create(cls, folder: Path, about: About) -> "Store":
        """An empty library in a folder that holds none.

        Raises:
            UserError: the path is a file, or the folder holds something else.
        """
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: is a file; name a folder for the library")
        if folder.is_dir() and not all(_OWN.fullmatch(path.name) for path in folder.iterdir()):
            raise UserError(f"{folder}: holds other files than a library; name a new or an empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        _write_generation(folder, about, [], np.empty((0, about.embed_dim), np.float16))
        return cls(folder)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether the folder is a library."""
        return (folder / _ABOUT).is_file()

    def embeddings(self) -> Float[np.ndarray, "clips embed"]:
        """(clips, E) float16, read from disk.

        Raises:
            UserError: the file is damaged.
        """
        return self._rows()[: len(self.entries)]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the library alone; first what a killed run left half written is cut off.

        Raises:
            UserError: another process holds it.
        """
        busy = f"{self.folder}: another process indexes into it; wait until it has ended"
        with locked(self.folder / _LOCK, busy, wait=False):
            self._load()
            self._cut()
            yield

    def append(self, entries: Sequence[Entry], embeddings: Float[np.ndarray, "new embed"]) -> None:
        """Add clips with their unit vectors (new, E), within ``writing``."""
        count = len(self.entries) + len(entries)
        with _embeddings(self.folder, self.about).open("r+b") as file:
            _write_header(file, len(self.entries), self.about.embed_dim)
            file.seek(len(self.entries) * self.about.embed_dim * np.float16().itemsize, os.SEEK_CUR)
            file.write(np.ascontiguousarray(embeddings, dtype=np.float16).tobytes())
            # On disk before the header counts them, or a power failure would leave a file shorter than it says.
            _sync(file)
            file.seek(0)
            _write_header(file, count, self.about.embed_dim)
            _sync(file)
        with _clips(self.folder, self.about).open("ab") as file:
            file.writelines(map(_line, entries))
            _sync(file)
        self.entries += entries

    def keep(self, rows: Sequence[int]) -> None:
        """Remove all but these rows, given in ascending order, within ``writing``."""
        old = self.about
        about = dataclasses.replace(old, generation=old.generation + 1)
        entries = [self.entries[row] for row in rows]
        _write_generation(self.folder, about, entries, self.embeddings()[np.asarray(rows, dtype=np.intp)])
        self.about, self.entries = about, entries
        self._remove_other_generations()

    def _load(self) -> None:
        self.about = _read_about(self.folder / _ABOUT)
        path = _clips(self.folder, self.about)
        self.entries = []
        try:
            # What follows the last line break was cut short by a kill.
            lines = path.read_bytes().split(b"\n")[:-1]
            self.entries = [Entry(**json.loads(line)) for line in lines]
        except (OSError, ValueError, TypeError) as error:
            raise _unreadable(path, error) from error
        # Only after a power failure can lines be on disk whose rows are not.
        del self.entries[len(self._rows()) :]

    def _rows(self) -> np.ndarray:
        path = _embeddings(self.folder, self.about)
        try:
            rows: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
        if rows.dtype != np.float16 or rows.shape[1:] != (self.about.embed_dim,):
            raise _unreadable(path, f"holds {rows.dtype} {rows.shape}, not float16 (clips, {self.about.embed_dim})")
        return rows

    def _cut(self) -> None:
        path = _clips(self.folder, self.about)
        whole = sum(len(_line(entry)) for entry in self.entries)
        if path.stat().st_size != whole:
            _replace(path, b"".join(map(_line, self.entries)))
        # Rows without lines need no cutting: the next rows are written over them.
        self._remove_other_generations()

    def _remove_other_generations(self) -> None:
        own = {_clips(self.folder, self.about), _embeddings(self.folder, self.about)}
        for path in self.folder.iterdir():
            if _GENERATION.fullmatch(path.name) and path not in own:
                path.unlink()


def _clips(folder: Path, about: About) -> Path:
    return folder / f"clips-{about.generation}.jsonl"


def _embeddings(folder: Path, about: About) -> Path:
    return folder / f"embeddings-{about.generation}.npy"


def _line(entry: Entry) -> bytes:
    return (json.dumps(dataclasses.asdict(entry)) + "\n").encode()


def _write_generation(folder: Path, about: About, entries: Iterable[Entry], rows: np.ndarray) -> None:
    with _embeddings(folder, about).open("wb") as file:
        _write_header(file, len(rows), about.embed_dim)
        file.write(rows.tobytes())
        _sync(file)
    _replace(_clips(folder, about), b"".join(map(_line, entries)))
    document = {"format": FORMAT, **dataclasses.asdict(about)}
    _replace(folder / _ABOUT, (json.dumps(document, indent=2) + "\n").encode())


def _write_header(file: BinaryIO, count: int, embed_dim: int) -> None:
    # NumPy pads the header for any number of rows, so that it can be written over in place.
    shape = {"descr": "<f2", "fortran_order": False, "shape": (count, embed_dim)}
    np.lib.format.write_array_header_1_0(file, shape)


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_suffix(".tmp")
    with aside.open("wb") as file:
        file.write(content)
        _sync(file)
    os.replace(aside, path)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _read_about(path: Path) -> About:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = document.pop("format")
        if found != FORMAT:
            raise UserError(f"{path}: format is {found}, this version reads {FORMAT}; update vljepa")
        return About(**document)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(
            f"{path.parent}: is no library; make one with: vljepa index DIR --library {path.parent}"
        ) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: object) -> UserError:
    return UserError(f"{path}: cannot be read ({error}); if it stays so, delete {path.parent} and index again")
