"""What was seen of one stream, on disk: written as it happens, read after a restart.

about.json     what is watched, and how
log.jsonl      a record a line: events, answers, changes of labels and threshold, the end
drift.f32      a row an instant: time in seconds, variance, threshold; float32
"""

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from jaxtyping import Float

Record = dict[str, Any]
"""A line of the log; ``type`` says which."""

_ROW = 3
_SHOWN = 4096
"""Instants that a reader is sent of a longer stream."""


class About(TypedDict):
    """What is watched, and how."""

    id: str
    name: str
    """Of the source, for people."""
    media: str | None
    """What ``/v1/media`` knows the source by; None for one that is live or lies in the media folder."""
    path: str | None
    """File of this machine; None for a live source. Not told to clients."""
    is_live: bool
    duration: float | None
    """Seconds, of a file."""
    query: str
    realtime: bool
    created: float
    """Seconds since 1970."""


class StreamLog:
    """The folder of one stream."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about: About = json.loads((folder / "about.json").read_text(encoding="utf-8"))

    @classmethod
    def create(cls, folder: Path, about: About) -> "StreamLog":
        """A new folder."""
        folder.mkdir(parents=True)
        aside = folder / "about.tmp"
        aside.write_text(json.dumps(about), encoding="utf-8")
        os.replace(aside, folder / "about.json")
        return cls(folder)

    def append(self, record: Record) -> None:
        """Add a line, which a killed server does not lose."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def add_drift(self, rows: Float[np.ndarray, "instants 3"]) -> None:
        """Add instants."""
        with (self.folder / "drift.f32").open("ab") as file:
            file.write(rows.astype("<f4").tobytes())

    def records(self) -> list[Record]:
        """All whole lines."""
        try:
            content = (self.folder / "log.jsonl").read_bytes()
        except FileNotFoundError:
            return []
        # What follows the last line break was cut short by a kill.
        return [json.loads(line) for line in content.split(b"\n")[:-1]]

    def drift(self) -> Float[np.ndarray, "instants 3"]:
        """The curve; of a long one the highest instant of each of equal spans."""
        try:
            content = (self.folder / "drift.f32").read_bytes()
        except FileNotFoundError:
            content = b""
        rows = np.frombuffer(content[: len(content) // (4 * _ROW) * 4 * _ROW], "<f4").reshape(-1, _ROW)
        if len(rows) <= _SHOWN:
            return rows
        bounds = np.linspace(0, len(rows), _SHOWN + 1).astype(int)
        return np.stack([rows[a:b][rows[a:b, 1].argmax()] for a, b in pairwise(bounds)])


def logs(folder: Path) -> Iterator[StreamLog]:
    """The streams of a folder; half-made ones are passed over."""
    for path in sorted(folder.iterdir()):
        if (path / "about.json").is_file():
            yield StreamLog(path)
