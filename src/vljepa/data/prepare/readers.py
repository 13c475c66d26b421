"""Records out of JSON, JSON Lines and Parquet; the last two a piece at a time, whatever their size."""

import json
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from vljepa.data.manifest import parse_line
from vljepa.data.prepare.entry import Job, Unusable
from vljepa.errors import UserError

Tell = Callable[[int], None]
"""Is told the bytes of a file that are read."""


def each(files: list[Path], job: Job) -> Iterator[tuple[Path, Tell]]:
    """The files one after another, each with what its reader tells its progress to."""
    before, total = 0, sum(file.stat().st_size for file in files)

    def tell(done: int) -> None:
        job.progress(before + done, total)

    for file in files:
        yield file, tell
        before += file.stat().st_size
    job.progress(total, total)


def json_lines(path: Path, tell: Tell) -> Iterator[tuple[int, dict[str, Any]] | Unusable]:
    """(line number from 1, object) of each line that is not blank.

    Raises:
        UserError: the file cannot be opened.
    """
    with opened(path) as file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                yield line, parse_line(text)
            except UserError as error:
                yield Unusable(where=f"{path}:{line}", reason="line: holds no JSON object", detail=str(error))
            tell(file.tell())


def json_document(path: Path) -> Any:
    """The value of a JSON file, which is read whole.

    Raises:
        UserError: the file cannot be opened, or is not JSON.
    """
    with opened(path) as file:
        try:
            return json.loads(file.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: is not JSON ({error}); check the file") from error


def parquet_rows(path: Path, batch: int, tell: Tell) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file and row from 1, row) of a Parquet file.

    Args:
        batch: rows in memory at a time.

    Raises:
        UserError: pyarrow is not installed, or the file cannot be read.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise UserError(f"{path}: Parquet needs pyarrow; pip install 'open-vl-jepa[prepare]'") from error
    size, row = path.stat().st_size, 0
    try:
        with ParquetFile(path) as file:
            for piece in file.iter_batches(batch):
                for fields in piece.to_pylist():
                    row += 1
                    yield f"{path}: row {row}", fields
                tell(size * row // max(1, file.metadata.num_rows))
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: is no whole Parquet file ({error}); check the file") from error


def opened(path: Path) -> BufferedReader:
    """The file, open for reading bytes.

    Raises:
        UserError: it cannot be opened.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
