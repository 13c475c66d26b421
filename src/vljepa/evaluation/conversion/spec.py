"""What a data set says of its benchmarks, and what a user asks for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vljepa.evaluation.conversion.record import Record

if TYPE_CHECKING:
    from vljepa.evaluation.conversion.files import Files

ACTION = "What is the action shown?"
CAPTION = "Describe this video in one sentence."
"""The paper's prompts (figure 2), which training asks too."""
STEP = "What is the step?"
TASK = "What is the procedure?"
NEXT = "What happens next?"
"""Where the paper shows no prompt: those of Tabletop."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What stands in the official files, read for one benchmark."""

    records: Iterable[Record]
    item: Callable[[Record], dict[str, Any] | None]
    """The fields of a record's item, media as ``Files`` found them; None if it belongs to another split.

    It may raise ``Refused``; what the reader of benchmarks would refuse is left out too.
    """
    info: Mapping[str, Any] = field(default_factory=dict)
    """What ``benchmark.json`` holds beside: ``classes``, ``answers``, ``templates``."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One benchmark of a data set."""

    name: str
    """Folder below ``OUT/test``."""
    task: str
    metric: str
    query: str = ""
    """The single prompt of the paper's zero-shot protocol; a question has its own."""
    paper: float | None = None
    """The paper's figure of VL-JEPA_SFT (of BASE, where it has no other) on the scale of our metric, 0 to 1."""
    items: int | None
    """Size of the official split; None where it is not public, so that all that is found must be usable."""
    classes: int | None = None
    """Of the official split, equal names taken together."""
    read: Callable[["Files"], Content]


@dataclass(frozen=True, kw_only=True)
class BenchmarkSet:
    """A data set: all that is made from its official files at once."""

    benchmarks: tuple[Spec, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    """Name of an option that only this set takes, to what it means."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a user asks for."""

    source: Path
    """The official annotation file, or the folder that holds it."""
    out: Path
    """Folder of the data: benchmarks go into its ``test``."""
    media: Path | None = None
    """Folder of the videos or images; default the source's."""
    partial: bool = False
    """Take what is there, though it is not the whole split."""
    options: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[int, int], None] = lambda done, total: None
    """Is told the records that are done, and all of them."""
