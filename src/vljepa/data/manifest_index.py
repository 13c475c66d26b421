"""A manifest as a source of samples with random access, of which only an index is kept: where each good line begins.

The index is made by one pass that checks every line, and lies in two files: offsets as int64 ``.npy``, which is
memory-mapped, and what the manifest was when it was read and what was left out of it as JSON.
"""

import hashlib
import json
import os
import weakref
from array import array
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

import numpy as np
from jaxtyping import Int, Int64

from vljepa.data.left_out import LeftOut
from vljepa.data.lock import locked
from vljepa.data.manifest import parse_line, parse_sample, shown
from vljepa.errors import UserError
from vljepa.types import Sample

_TELL_EVERY = 10_000
"""Lines between two reports of progress."""


class IndexedManifest:
    """The samples of a manifest, each read from its line when it is asked for, by any thread."""

    def __init__(
        self, path: str | Path, index_folder: str | Path, *, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Make the index if it is absent or the manifest's size or time has changed, and open it.

        Args:
            index_folder: where indexes are kept, made if absent. Another process that indexes there is waited for.
            progress: called with (bytes checked, bytes in all).

        Raises:
            UserError: the manifest cannot be read.
            OSError: the index cannot be written.
        """
        self.path = Path(os.path.abspath(path))
        try:
            self._file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise UserError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
        weakref.finalize(self, self._file.close)
        folder = Path(index_folder)
        folder.mkdir(parents=True, exist_ok=True)
        name = folder / f"{self.path.stem}-{hashlib.sha256(str(self.path).encode()).hexdigest()[:16]}"
        offsets, about = name.with_name(name.name + ".npy"), name.with_name(name.name + ".json")
        stat = os.stat(self._file.fileno())
        manifest = {"manifest": str(self.path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        with locked(folder / "lock", f"{folder}: another process indexes a manifest there; waiting for it", wait=True):
            known = json.loads(about.read_text(encoding="utf-8")) if about.exists() else {}
            if {key: known.get(key) for key in manifest} != manifest:
                starts, left_out = _Pass(self.path, stat.st_size, progress).result()
                # Never beside the offsets of another state of the manifest, wherever this is killed.
                about.unlink(missing_ok=True)
                aside = name.with_name(name.name + ".writing")
                with aside.open("wb") as file:
                    np.save(file, starts)
                os.replace(aside, offsets)
                known = manifest | {"left_out": left_out.to_json()}
                aside.write_text(json.dumps(known) + "\n", encoding="utf-8")
                os.replace(aside, about)
            self._starts: Int64[np.ndarray, " starts"] = np.load(offsets, mmap_mode="r")
        self.left_out = LeftOut.from_json(known["left_out"])
        """Bad lines, by the field that is at fault."""

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> Sample:
        """Sample ``index`` in the order of the lines.

        Raises:
            IndexError: not in ``range(len(self))``.
            UserError: the manifest has been changed since it was opened.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        try:
            return _sample(self._file, self.path, *self._starts[index : index + 2].tolist())
        except UserError as error:
            raise UserError(f"{self.path}: was changed while it was in use ({error}); start again") from error

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def order(self, rng: np.random.Generator) -> Int[np.ndarray, " samples"]:
        """Every index once, uniformly permuted; 8 bytes a sample."""
        return rng.permutation(len(self))


def _sample(file: FileIO, path: Path, start: int, stop: int) -> Sample:
    """The sample in the first line of a stretch of bytes; what follows it there are lines that are left out."""
    # A read that has no place of its own in the file, which threads would move under one another.
    text = os.pread(file.fileno(), stop - start, start)
    return parse_sample(parse_line(text.partition(b"\n")[0]), path)


class _Pass:
    """One pass over a manifest, which keeps two numbers of each good line: where it begins, and its id's hash."""

    def __init__(self, path: Path, size: int, progress: Callable[[int, int], None] | None) -> None:
        self._path = path
        self._left_out = LeftOut()
        self._starts, self._hashes = array("q"), array("q")
        # Of each line that is no sample, how many samples there were before it.
        self._skipped = array("q")
        with path.open("rb") as file:
            done = 0
            for line, text in enumerate(file, start=1):
                self._read(line, text, done)
                done += len(text)
                if progress is not None and line % _TELL_EVERY == 0:
                    progress(done, size)
        self._starts.append(done)
        if progress is not None:
            progress(done, size)

    def _read(self, line: int, text: bytes, start: int) -> None:
        if not text.isspace():
            try:
                sample = parse_sample(parse_line(text), self._path)
            except UserError as error:
                self._left_out.add(str(error).partition(":")[0], f"{self._path}:{line}: {error}")
            else:
                self._starts.append(start)
                self._hashes.append(hash(sample.id))
                return
        self._skipped.append(len(self._starts))

    def result(self) -> tuple[Int64[np.ndarray, " starts"], LeftOut]:
        """Where the good lines begin, and the end of the file; and what was left out."""
        starts = np.frombuffer(self._starts, np.int64)
        repeated: list[int] = []
        with self._path.open("rb", buffering=0) as file:
            for place, first in sorted(self._repeated(file, starts)):
                sample_id = _sample(file, self._path, *starts[place : place + 2].tolist()).id
                message = f"id: {shown(sample_id)} is taken by line {self._line(first)}; ids must be unique"
                self._left_out.add("id used again", f"{self._path}:{self._line(place)}: {message}")
                repeated.append(place)
        return np.delete(starts, repeated), self._left_out

    def _repeated(self, file: FileIO, starts: Int64[np.ndarray, " starts"]) -> Iterator[tuple[int, int]]:
        """(number of a sample whose id is taken, number of the one that has it), not in order."""
        hashes = np.frombuffer(self._hashes, np.int64)
        ordered = np.sort(hashes)
        suspects = np.flatnonzero(np.isin(hashes, ordered[1:][ordered[1:] == ordered[:-1]]))
        del ordered
        suspects = suspects[np.argsort(hashes[suspects], kind="stable")]
        owners: dict[str, int] = {}
        before = None
        for place in suspects.tolist():
            # Two ids may have the same hash: it is the ids that are compared.
            if hashes[place] != before:
                before, owners = hashes[place], {}
            sample_id = _sample(file, self._path, *starts[place : place + 2].tolist()).id
            if sample_id in owners:
                yield place, owners[sample_id]
            else:
                owners[sample_id] = place

    def _line(self, place: int) -> int:
        """Number from 1 of a sample's line."""
        return place + 1 + int(np.searchsorted(np.frombuffer(self._skipped, np.int64), place, side="right"))
