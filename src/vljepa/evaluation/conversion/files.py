"""The official files and the media of a data set, as a converter asks for them."""

import fnmatch
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from vljepa.data.left_out import LeftOut
from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.data.prepare.files import below, walk
from vljepa.errors import UserError
from vljepa.evaluation.conversion import readers
from vljepa.evaluation.conversion.media import MediaIndex
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import Request
from vljepa.evaluation.conversion.streaming import members


class Files:
    """Everything that is left out, repaired or missing on the way is counted here, for one benchmark at a time."""

    def __init__(self, name: str, request: Request) -> None:
        self._name, self._request = name, request
        self.begin()

    def begin(self) -> None:
        """Count anew."""
        self.left_out, self.repaired = LeftOut(), LeftOut()
        self.missing: dict[str, None] = {}
        """Ids of media that are not there, once each, in order."""

    def option(self, name: str, default: str = "") -> str:
        """An option's value as the user gave it."""
        return self._request.options.get(name, default)

    # Annotation files

    def path(self, *names: str, main: bool = False) -> Path:
        """The file of the first name that is there, anywhere below the source, packed with gzip or not.

        Args:
            main: the file that the source may be itself, under whatever name.

        Raises:
            UserError: it is not there.
        """
        found = self.optional(*names, main=main)
        if found is None:
            source = self._request.source
            folder = source if source.is_dir() else source.parent
            raise UserError(f"{folder}: holds no {' or '.join(names)}; check SOURCE")
        return found

    def optional(self, *names: str, main: bool = False) -> Path | None:
        """As ``path``, or None."""
        if main and self._request.source.is_file():
            return self._request.source
        return next(
            (self._annotations[n] for name in names for n in (name, f"{name}.gz") if n in self._annotations), None
        )

    @cached_property
    def _annotations(self) -> dict[str, Path]:
        """Files that are no media by name; of two of one name the one nearest to the top."""
        source = self._request.source
        folder = source if source.is_dir() else source.parent
        # The folder of a lone file may be a home directory: its neighbours, and nothing further down.
        paths = walk(folder) if source.is_dir() else (p for p in sorted(folder.iterdir()) if p.is_file())
        found: dict[str, Path] = {}
        for path in sorted(paths, key=lambda path: len(path.parts)):
            if path.suffix.lower() not in VIDEOS | IMAGES:
                found.setdefault(path.name, path)
        return found

    def matching(self, pattern: str) -> list[Path]:
        """The files whose names fit a pattern such as ``*.csv``, in order of their names."""
        return [self._annotations[name] for name in sorted(fnmatch.filter(self._annotations, pattern))]

    def expect(self, what: str, found: int, official: int) -> None:
        """Compare a number with that of the official release.

        Raises:
            UserError: they differ, and the user did not ask for a part.
        """
        if found != official and not self._request.partial:
            raise UserError(
                f"{what}: {found:,} found, the official release has {official:,}; give --partial to take them"
            )

    def json(self, path: Path) -> Any:
        """The value of a JSON file."""
        return readers.json_value(path, self.repaired.add)

    def records(self, path: Path) -> list[Record]:
        """The objects of a JSON array or of JSON Lines."""
        return readers.json_records(path, self.repaired.add, self.left_out.add)

    def keyed(self, path: Path, *inside: str) -> list[Record]:
        """The objects of a JSON object, each with its key; ``inside`` leads to that object from the top.

        Raises:
            UserError: there is none.
        """
        value, where = self.json(path), str(path)
        for name in inside:
            if not isinstance(value, dict) or name not in value:
                raise UserError(f"{where}: {name}: is missing; is it the right file?")
            value, where = value[name], f"{where}: {name}"
        if not isinstance(value, dict):
            raise UserError(f"{where}: holds {type(value).__name__}, not an object of records; is it the right file?")
        records = []
        for key, fields in value.items():
            if isinstance(fields, dict):
                records.append(Record(where=f"{path}: {key}", fields=fields, key=key))
            else:
                self.left_out.add("record: is no object", f"{path}: {key}")
        return records

    def members(self, path: Path, *inside: str) -> Iterator[Record]:
        """As ``keyed``, or the objects of an array, one at a time: for files too large to be held."""
        for key, fields in members(path, inside, self.repaired.add):
            where = f"{path}: {key}" if not key.isdecimal() else f"{path}: record {key}"
            if isinstance(fields, dict):
                yield Record(where=where, fields=fields, key=key)
            else:
                self.left_out.add("record: is no object", where)

    def table(self, path: Path, columns: Sequence[str], *, delimiter: str = ",", header: bool = True) -> list[Record]:
        """The rows of a CSV or TSV file; ``columns`` must be there, without a header they are all there are."""
        return readers.table(path, columns, self.repaired.add, self.left_out.add, delimiter=delimiter, header=header)

    def listed(self, path: Path) -> list[Record]:
        """The lines of a list of ids, each as the key of a record without fields; blank ones are passed over."""
        lines = enumerate(self.text(path).splitlines(), start=1)
        return [Record(where=f"{path}:{number}", fields={}, key=line.strip()) for number, line in lines if line.strip()]

    def text(self, path: Path) -> str:
        """The text of a file."""
        return readers.text(path, self.repaired.add)

    def pickled(self, path: Path) -> Any:
        """The plain value of a pickle, read without running code."""
        return readers.pickled(path, self.repaired.add)

    # Media

    def video(self, *names: str, named: str | None = None) -> str:
        """Path of the video under the first of the names that is there: ``id``, or ``folder/id`` to ask for a folder.

        Args:
            named: what it is called in messages and in the list of what is missing; default the last name.

        Raises:
            Refused: there is none.
        """
        return self._medium(names, VIDEOS, named)

    def optional_video(self, *names: str) -> str | None:
        """As ``video``, or None."""
        found = self._media.find(names, VIDEOS)
        return str(found[0]) if found else None

    def image(self, *names: str, named: str | None = None) -> str:
        """As ``video``, of an image."""
        return self._medium(names, IMAGES, named)

    def medium(self, *names: str, named: str | None = None) -> str:
        """As ``video``, of a video or an image."""
        return self._medium(names, VIDEOS | IMAGES, named)

    def _medium(self, names: tuple[str, ...], suffixes: set[str], named: str | None) -> str:
        found = self._media.find(names, suffixes)
        if not found:
            named = named or names[-1]
            self.missing[named] = None
            raise Refused("media: is missing", f"no file is called {named}")
        if len(found) > 1:
            self.repaired.add("media: has several files, the first is taken", str(found[0]))
        return str(found[0])

    @cached_property
    def _media(self) -> MediaIndex:
        source = self._request.source
        folder = self._request.media or (source if source.is_dir() else source.parent)
        return MediaIndex(below(self._request.out, Path(os.path.abspath(folder)), self._name))
