"""JSON files of a gigabyte, one member at a time: GQA's training questions would fill ten as Python objects."""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.readers import Note

_CHUNK = 1 << 20
"""Characters read at once; a larger member takes more."""
_PIECE = 16
"""More characters than a number's point, an escape or a word of JSON may have before the end of a chunk."""


def members(path: Path, inside: tuple[str, ...], repaired: Note) -> Iterator[tuple[str, Any]]:
    """The members of a JSON object with their keys, or of an array with their places ``"0"``, ``"1"``, ...

    Gzip under another name, a byte order mark and UTF-16 are repaired and counted; Latin-1 is not, and of a key that
    stands twice both members are given.

    Args:
        inside: keys that lead from the top to that object or array.

    Raises:
        UserError: the file cannot be read, is empty, no whole JSON, or has no such object or array. As it is read
            while it is used, this may come after any number of members.
    """
    try:
        with path.open("rb") as file:
            stream = _Stream(path, _text(file, path, repaired))
            if not stream.peek():
                raise UserError(f"{path}: is empty ({path.stat().st_size} bytes); fetch it again")
            yield from _walk(stream, inside)
            if stream.peek():
                raise stream.broken("goes on after its end")
    except UnicodeError as error:
        raise UserError(f"{path}: is not UTF-8 ({error}); save it as that") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: is no whole gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _text(file: io.BufferedReader, path: Path, repaired: Note) -> io.TextIOWrapper:
    packed = file.peek(2)[:2] == b"\x1f\x8b"
    if packed and path.suffix != ".gz":
        repaired("file: is gzip under another name", str(path))
    binary = gzip.GzipFile(fileobj=file) if packed else file
    head = binary.peek(3)[:3]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        repaired("encoding: is UTF-16", str(path))
        return io.TextIOWrapper(binary, encoding="utf-16", newline="")
    if head == b"\xef\xbb\xbf":
        repaired("encoding: begins with a byte order mark", str(path))
    return io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")


def _walk(stream: "_Stream", inside: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """The members of the object or array that begins here, or ``inside`` it."""
    opening = stream.take("{[")
    closing = "}" if opening == "{" else "]"
    wanted = not inside
    if stream.peek() == closing:
        stream.take(closing)
    else:
        place = 0
        while True:
            key = str(place)
            if opening == "{":
                key = str(stream.value())
                stream.take(":")
            if not inside:
                yield key, stream.value()
            elif key == inside[0]:
                wanted = True
                yield from _walk(stream, inside[1:])
            else:
                stream.value()
            place += 1
            if stream.take(f",{closing}") == closing:
                break
    if not wanted:
        raise UserError(f"{stream.path}: {inside[0]}: is missing; is it the right file?")


class _Stream:
    """Text of which no more is held than the value that is being read."""

    def __init__(self, path: Path, text: io.TextIOWrapper) -> None:
        self.path, self._file = path, text
        self._text, self._at = "", 0
        self._lines, self._column = 0, 0
        self._decoder = json.JSONDecoder()

    def peek(self) -> str:
        """The next character that is not blank, "" at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more(_CHUNK):
                return ""

    def take(self, expected: str) -> str:
        """The next character, which must be one of those expected."""
        found = self.peek()
        if not found or found not in expected:
            raise self.broken(f"expected {' or '.join(expected)}, found {found or 'the end'}")
        self._at += 1
        return found

    def value(self) -> Any:
        """The next value as a whole."""
        self.peek()
        wanted = _CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                # Of a number at the end of what was read, "." or "e+" may be there and its digits may not.
                if end + _PIECE <= len(self._text) or not self._more(wanted):
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                # What is cut off fails at its end, or where a text of it begins.
                cut_off = error.msg.startswith("Unterminated") or error.pos + _PIECE > len(self._text)
                if not (cut_off and self._more(wanted)):
                    self._at = error.pos
                    raise self.broken(error.msg) from error
            except RecursionError as error:
                raise self.broken(str(error)) from error
            wanted *= 2

    def broken(self, what: str) -> UserError:
        """That the file is no whole JSON, and where."""
        line, column = self._place()
        return UserError(f"{self.path}:{line + 1}: column {column + 1}: is not whole JSON ({what}); fetch it again")

    def _more(self, size: int) -> bool:
        """Read on, dropping what was used."""
        found = self._file.read(size)
        if found:
            self._lines, self._column = self._place()
            self._text, self._at = self._text[self._at :] + found, 0
        return bool(found)

    def _place(self) -> tuple[int, int]:
        """Line and column, from 0."""
        lines = self._text.count("\n", 0, self._at)
        column = self._at - self._text.rfind("\n", 0, self._at) - 1 if lines else self._column + self._at
        return self._lines + lines, column
