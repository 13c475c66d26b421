"""A table with the columns of the manifest, in CSV or Parquet.

``media`` and one of ``target`` and ``targets`` must be there; ``id`` is the number of the row unless it is given.
Empty cells are absent fields, other columns are passed over. In CSV a list is written as a JSON array.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import below
from vljepa.data.prepare.readers import Tell, each, opened, parquet_rows
from vljepa.errors import UserError

_COLUMNS = ("id", "media", "start", "end", "query", "target", "targets")


def read(job: Job) -> Found:
    """A sample for each row.

    Raises:
        UserError: the file cannot be read, or lacks a column.
    """
    root = below(job.out, job.media or job.source.parent, "table")
    for file, tell in each([job.source], job):
        rows = parquet_rows(file, 1024, tell) if file.suffix == ".parquet" else _csv_rows(file, tell)
        for i, (where, row) in enumerate(rows, start=1):
            if i == 1 and ("media" not in row or not {"target", "targets"} & set(row)):
                raise UserError(f"{file}: has no column media, or neither target nor targets; name the columns so")
            fields = {name: row[name] for name in _COLUMNS if row.get(name) not in (None, "", [])}
            fields["id"] = str(fields.get("id", i))
            media = fields.get("media")
            if isinstance(media, str):
                fields["media"] = str(root / media)
            elif isinstance(media, list) and all(isinstance(path, str) and path for path in media):
                fields["media"] = [str(root / path) for path in media]
            else:
                yield Unusable(where=where, reason="media: is no path and no list of paths", detail=repr(media))
                continue
            yield Entry(where=where, fields=fields)


def _csv_rows(path: Path, tell: Tell) -> Iterator[tuple[str, dict[str, Any]]]:
    with opened(path) as file:
        reader = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), strict=True)
        try:
            for row in reader:
                yield f"{path}:{reader.line_num}", {name: _cell(name, value) for name, value in row.items()}
                tell(file.tell())
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"{path}:{reader.line_num}: is no CSV in UTF-8 ({error}); mend the line") from error


def _cell(name: str | None, text: Any) -> Any:
    """A time as a number and a list as a list, where the text is one; else the text, for the check to refuse."""
    try:
        if name in ("start", "end"):
            return float(text)
        if name in ("media", "targets") and text.startswith("["):
            return json.loads(text)
    except (ValueError, TypeError):
        pass
    return text
