"""What goes into a converter, and what comes out of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a converter is asked for."""

    source: Path
    """The official file, or a folder of them."""
    out: Path
    """Folder of the data set: manifests lie in its ``train``, media anywhere below it."""
    media: Path | None = None
    """Folder of the videos or images that the records name."""
    uids: Path | None = None
    """DataComp: the subset to keep."""
    progress: Callable[[int, int], None] = lambda done, total: None
    """Is told the bytes of the source that are read, and all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A sample found, not checked yet."""

    where: str
    """File and record, for messages."""
    fields: dict[str, Any]
    """As in the manifest, except that ``media`` are paths below the job's ``out``."""
    manifest: str = ""
    """What is appended to the manifest's name, for a set that gives several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unusable:
    """A record that gives no sample, or a part of one."""

    where: str
    """File and record."""
    reason: str
    """``field: what``; the same words for every record that is left out for it."""
    detail: str = ""
    """What was found in this one."""


Found = Iterator[Entry | Unusable]
"""What a converter yields, in the order of its source."""
