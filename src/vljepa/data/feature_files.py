"""The files of a cache of features, or of embeddings, which lie in one folder:

    about.json             fingerprint and shape of one clip's features
    index.jsonl            one line per clip: its key and its row
    shard-00000.npy        (SHARD_CLIPS, T, N, D), float16; row r lies in shard r // SHARD_CLIPS
    index-1b2c3d4e.jsonl   the same once more for each other rank of a build, with shards of its own:
    shard-1b2c3d4e-00000.npy
    lock                   held by the process that builds, of several ranks by rank 0

Rows are written before an index names them, so a build that is killed continues where it was. No two processes write
one file: ``index.jsonl`` and its shards belong to the holder of the lock, the others make up a name at each build,
which a process that has outlived its build cannot have.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vljepa.errors import UserError

SHARD_CLIPS = 512
"""Clips per file."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where a clip's features lie."""

    name: str
    """Of the index and its shards; empty for the lock holder's."""
    number: int


class Reader:
    """Reads rows through memory maps of the shards."""

    def __init__(self, folder: Path) -> None:
        self._shard = lru_cache(maxsize=None)(
            lambda name, number: np.load(_shard_path(folder, name, number), mmap_mode="r")
        )

    def read(self, row: Row) -> np.ndarray:
        """A view, not a copy."""
        features: np.ndarray = self._shard(row.name, row.number // SHARD_CLIPS)[row.number % SHARD_CLIPS]
        return features


class Writer:
    """Appends rows to the shards of one name, then names them in its index."""

    def __init__(self, folder: Path, about: str, name: str, rows: Mapping[str, Row]) -> None:
        """
        Args:
            about: what the cache's contents depend on.
            name: of the index and its shards.
            rows: what is in the cache, by key.
        """
        self.folder = folder
        self.about = about
        self.name = name
        self.next_row = max((row.number for row in rows.values() if row.name == name), default=-1) + 1

    def write(self, features: Mapping[str, np.ndarray]) -> dict[str, Row]:
        """Store features by key, and say where.

        Raises:
            UserError: the cache is damaged, or holds features of another shape.
            OSError: it cannot be written, e.g. because the disk is full.
        """
        ((shape, dtype),) = {(value.shape, value.dtype) for value in features.values()}
        self._check_shape(list(shape))
        rows = {key: Row(self.name, self.next_row + i) for i, key in enumerate(features)}
        for number in sorted({row.number // SHARD_CLIPS for row in rows.values()}):
            path = _shard_path(self.folder, self.name, number)
            if not _is_whole(path):
                # Made aside and renamed: a shard that exists has its full size.
                aside = path.with_suffix(".tmp")
                np.lib.format.open_memmap(aside, mode="w+", dtype=dtype, shape=(SHARD_CLIPS, *shape)).flush()
                os.replace(aside, path)
            first = np.load(path, mmap_mode="r").offset
            # Written as a file and not through the map: on a full disk that is an error, the map would be the end.
            with path.open("r+b") as file:
                for value, row in zip(features.values(), rows.values(), strict=True):
                    if row.number // SHARD_CLIPS == number:
                        file.seek(first + row.number % SHARD_CLIPS * value.nbytes)
                        file.write(value.tobytes())
                file.flush()
                os.fsync(file.fileno())
        with _index_path(self.folder, self.name).open("a", encoding="utf-8") as file:
            file.writelines(_index_line(key, row) for key, row in rows.items())
        self.next_row += len(rows)
        return rows

    def _check_shape(self, shape: list[int]) -> None:
        path = self.folder / "about.json"
        if not path.exists():
            # Other ranks may write the same at this moment.
            aside = path.with_suffix(f".{self.name}.tmp")
            aside.write_text(json.dumps({"about": self.about, "shape": shape}) + "\n", encoding="utf-8")
            os.replace(aside, path)
            return
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))["shape"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}: is damaged; delete the folder {self.folder}") from error
        if stored != shape:
            raise UserError(
                f"{path}: stores features of shape {stored}, found {shape}; delete the folder {self.folder}"
            )


def read_index(folder: Path) -> dict[str, Row]:
    """Where the features of each key lie; what a kill or a lost shard left behind is mended, so the lock must be held.

    Raises:
        UserError: an index is damaged.
    """
    rows: dict[str, Row] = {}
    for path in sorted(folder.glob("index*.jsonl")):
        rows.update(_read_index(path, path.stem.partition("-")[2]))
    return rows


def _read_index(path: Path, name: str) -> dict[str, Row]:
    content = path.read_bytes()
    # A kill in mid-write leaves half a line, to which the next line must not be glued.
    whole = content[: content.rfind(b"\n") + 1]
    try:
        entries = [json.loads(line) for line in whole.splitlines()]
        rows = {entry["key"]: Row(name, entry["row"]) for entry in entries}
        shards = {row.number // SHARD_CLIPS for row in rows.values()}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: is damaged ({error}); delete the folder {path.parent}") from error
    usable = {number for number in shards if _is_whole(_shard_path(path.parent, name, number))}
    # Rows of a lost shard must go, before the shard is made anew with other clips in them.
    kept = {key: row for key, row in rows.items() if row.number // SHARD_CLIPS in usable}
    if whole != content or len(kept) != len(entries):
        aside = path.with_suffix(".tmp")
        aside.write_text("".join(_index_line(key, row) for key, row in kept.items()), encoding="utf-8")
        os.replace(aside, path)
    return kept


def _is_whole(shard: Path) -> bool:
    """Whether the file is there and can be mapped; one that is cut short is deleted, its rows are computed anew."""
    try:
        np.load(shard, mmap_mode="r")
    except FileNotFoundError:
        return False
    except (ValueError, EOFError):
        shard.unlink()
        return False
    return True


def _index_path(folder: Path, name: str) -> Path:
    return folder / f"{'-'.join(filter(None, ('index', name)))}.jsonl"


def _shard_path(folder: Path, name: str, number: int) -> Path:
    return folder / f"{'-'.join(filter(None, ('shard', name, f'{number:05d}')))}.npy"


def _index_line(key: str, row: Row) -> str:
    return json.dumps({"key": key, "row": row.number}) + "\n"
