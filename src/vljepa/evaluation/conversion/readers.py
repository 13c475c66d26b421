"""Annotation files as they come: official, re-saved by others, or damaged.

Repaired and counted: gzip under another name, a byte order mark, UTF-16, Latin-1, another delimiter than the official
one, a key that stands twice in a JSON object. Line ends need no repair. A file that is empty or cut short in its middle
is refused in one line; a record that is no record is left out.
"""

import csv
import gzip
import io
import json
import pickle
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vljepa.data.manifest import shown
from vljepa.errors import UserError
from vljepa.evaluation.conversion.record import Record

Note = Callable[[str, str], None]
"""Is told a reason, the same words each time, and where it was met."""

_DELIMITERS = ",;\t|"
_NAMES = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a bar"}
_BROKEN_PICKLE = (pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError, AttributeError, OverflowError)


def content(path: Path, repaired: Note) -> bytes:
    """The bytes of a file, unpacked if they are gzip, whatever the name says.

    Raises:
        UserError: the file cannot be read, is empty, or its gzip is cut short.
    """
    try:
        found = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
    if found[:2] == b"\x1f\x8b":
        if path.suffix != ".gz":
            repaired("file: is gzip under another name", str(path))
        try:
            found = gzip.decompress(found)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path}: is no whole gzip file ({error}); fetch it again") from error
    if not found.strip():
        raise UserError(f"{path}: is empty ({len(found)} bytes); fetch it again")
    return found


def text(path: Path, repaired: Note) -> str:
    """The text of a file.

    Raises:
        UserError: as ``content``, or it holds zero bytes as no text does.
    """
    found = content(path, repaired)
    if found[:2] in (b"\xff\xfe", b"\xfe\xff"):
        repaired("encoding: is UTF-16", str(path))
        decoded = found.decode("utf-16", errors="replace")
    else:
        if found[:3] == b"\xef\xbb\xbf":
            repaired("encoding: begins with a byte order mark", str(path))
        try:
            decoded = found.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Line by line: files that several people edited hold both encodings.
            lines = found.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            decoded = "\n".join(_line(line, f"{path}:{number}", repaired) for number, line in enumerate(lines, start=1))
    if "\0" in decoded:
        raise UserError(f"{path}: holds zero bytes, it is no text; fetch it again")
    return decoded


def json_value(path: Path, repaired: Note) -> Any:
    """The value of a JSON file.

    Raises:
        UserError: as ``text``, or it is not whole JSON.
    """
    return _parsed(text(path, repaired), path, repaired)


def json_records(path: Path, repaired: Note, left_out: Note) -> list[Record]:
    """The objects of a JSON array, or of JSON Lines; both go under either name.

    Raises:
        UserError: as ``text``, or it is neither.
    """
    found = text(path, repaired)
    lines = [(number, line) for number, line in enumerate(found.split("\n"), start=1) if line.strip()]
    if _is_object(lines[0][1]):
        return _json_lines(path, lines, repaired, left_out)
    values = _parsed(found, path, repaired)
    if not isinstance(values, list):
        raise UserError(f"{path}: holds {type(values).__name__}, not a list of records; is it the right file?")
    records = []
    for i, value in enumerate(values):
        if isinstance(value, dict):
            records.append(Record(where=f"{path}: record {i}", fields=value))
        else:
            left_out("record: is no object", f"{path}: record {i}")
    return records


def table(
    path: Path, columns: Sequence[str], repaired: Note, left_out: Note, *, delimiter: str = ",", header: bool = True
) -> list[Record]:
    """The rows of a CSV or TSV file.

    Args:
        columns: those that must be there; without a header all of them, in order.
        delimiter: the official one; another is found out.

    Raises:
        UserError: as ``text``, or a column is missing.
    """
    found = text(path, repaired)
    first = next(line for line in found.splitlines() if line.strip())
    used = _delimiter(path, first, columns, delimiter, header)
    if used != delimiter:
        repaired(f"delimiter: is {_NAMES[used]}, not {_NAMES[delimiter]}", str(path))
    reader = csv.reader(io.StringIO(found, newline=""), delimiter=used)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: is no CSV ({error}); mend the line") from error
    names = [cell.strip() for cell in rows.pop(0)[1]] if header else list(columns)
    records: list[Record] = []
    for line, row in rows:
        # Spreadsheets fill rows up with empty cells.
        while len(row) > len(names) and not row[-1].strip():
            row.pop()
        if len(row) == len(names):
            records.append(Record(where=f"{path}:{line}", fields=dict(zip(names, row, strict=True))))
        else:
            left_out("row: has not as many cells as columns", f"{path}:{line}: {len(row)}, not {len(names)}")
    return records


def pickled(path: Path, repaired: Note) -> Any:
    """The value of a pickle of plain values: texts, numbers, lists, dicts. Whatever could run code is refused.

    Raises:
        UserError: as ``content``, it is no whole pickle, or it asks for anything but plain values.
    """
    try:
        # Texts written by Python 2 are bytes.
        return _Plain(io.BytesIO(content(path, repaired)), encoding="utf-8", errors="replace").load()
    except _NotPlain as error:
        raise UserError(f"{path}: asks for {error}, which a file of texts does not need; do not use it") from error
    except _BROKEN_PICKLE as error:
        raise UserError(f"{path}: is no whole pickle ({error}); fetch it again") from error


class _NotPlain(Exception):
    pass


_CONTAINERS = {
    ("collections", "OrderedDict"): dict,
    ("collections", "defaultdict"): lambda *_: {},
    ("builtins", "list"): list,
    ("__builtin__", "list"): list,
}
"""What captions are often gathered in, read as plain dicts and lists."""


class _Plain(pickle.Unpickler):
    """Every way by which a pickle reaches a function goes through one of these two."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CONTAINERS:
            return _CONTAINERS[module, name]
        raise _NotPlain(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        raise _NotPlain("a persistent object")


def _line(line: bytes, where: str, repaired: Note) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        repaired("encoding: a line is not UTF-8, read as Latin-1", where)
        return line.decode("latin-1")


def _delimiter(path: Path, first: str, columns: Sequence[str], official: str, header: bool) -> str:
    """The delimiter by which the first line gives the columns."""
    for delimiter in (official, *_DELIMITERS):
        cells = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter))]
        if (set(columns) <= set(cells)) if header else (len(cells) == len(columns)):
            return delimiter
    if not header:
        raise UserError(f"{path}:1: is not {len(columns)} cells ({', '.join(columns)}), found {shown(first)}")
    cells = [cell.strip() for cell in next(csv.reader([first], delimiter=official))]
    missing = next(column for column in columns if column not in cells)
    raise UserError(
        f"{path}:1: {missing}: there is no such column among {shown(', '.join(cells))}; is it the right file?"
    )


def _parsed(found: str, path: Path, repaired: Note) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            repaired("key: stands twice in one object, the last is taken", f"{path}: {twice}")
        return values

    try:
        return json.loads(found, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}: column {error.colno}"
        raise UserError(f"{where}: is not whole JSON ({error.msg}); fetch it again") from error
    except RecursionError as error:
        raise UserError(f"{path}: is not JSON that can be read ({error}); fetch it again") from error


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _json_lines(path: Path, lines: list[tuple[int, str]], repaired: Note, left_out: Note) -> list[Record]:
    records = []
    for number, line in lines:
        try:
            value = _parsed(line, path, repaired)
        except UserError as error:
            left_out("line: is not whole JSON", f"{path}:{number}: {error.__cause__}")
            continue
        if isinstance(value, dict):
            records.append(Record(where=f"{path}:{number}", fields=value))
        else:
            left_out("line: holds no object", f"{path}:{number}")
    return records
