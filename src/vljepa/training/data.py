"""What a run trains on: the sources its recipe names, read once, and their batches in either of two ways.

``CachedData`` (``cached.py``) computes the frozen features of every clip before the first step; ``DecodedData``
(``decoded.py``) decodes clips while the run goes on, for data that is too much to keep features of.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from vljepa.config import RunConfig, StageConfig
from vljepa.data.left_out import LeftOut
from vljepa.data.lock import locked
from vljepa.data.manifest_index import IndexedManifest
from vljepa.data.mixture import Samples
from vljepa.data.shards import ShardSet
from vljepa.errors import UserError
from vljepa.progress import counting
from vljepa.tabletop import suite
from vljepa.types import Batch

_SHOWN = 10
"""Bad lines or clips that are named one by one; of the others there is a count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceData:
    """What was read of one source."""

    samples: Samples
    num_lines: int
    """Samples, good and bad: lines of a manifest that are not blank, or samples of shards."""


class Data(ABC):
    """The sources of a run by the name that its config gives them, and their batches."""

    def __init__(self, sources: dict[str, SourceData]) -> None:
        self.sources = sources

    @property
    @abstractmethod
    def num_samples(self) -> dict[str, int]:
        """Of each source, the samples that can be used as far as is known."""

    @property
    def num_lines(self) -> dict[str, int]:
        """Of each source, the samples it has, those that cannot be used included."""
        return {name: source.num_lines for name, source in self.sources.items()}

    @property
    def num_left_out(self) -> int:
        """Samples that cannot be used, over all sources."""
        return sum(self.num_lines.values()) - sum(self.num_samples.values())

    @abstractmethod
    def batches(self, stage: StageConfig, seed: int, first: int) -> Generator[Batch, None, None]:
        """This rank's share of the batches of a stage's steps from ``first`` on, on this rank's device.

        Closing the iterator ends what works ahead.

        Raises:
            UserError: nothing to draw from, or a batch that ranks cannot share.
        """

    @abstractmethod
    def pooled(self, count: int, seed: int) -> Float[Tensor, "clips D"]:
        """Clip features, visual tokens averaged over time and places, of a random draw of at most ``count`` clips."""


def read_sources(config: RunConfig) -> dict[str, SourceData]:
    """Read every source of the run, writing Tabletop first if the recipe asks for it; what is bad is reported.

    Raises:
        UserError: no data folder, or a source without a single good sample.
    """
    folder = Path(config.data)
    if not folder.exists():
        if config.tabletop_size is None:
            raise UserError(f"{folder}: no such data folder; name yours with --data, or make one with `vljepa prepare`")
        write_tabletop(folder, config.tabletop_size)
    names = dict.fromkeys(source.manifest for stage in config.stages for source in stage.sources)
    return {name: _manifest(folder, name) if _is_manifest(name) else _shards(folder, name) for name in names}


def report(problems: Sequence[str], what: str) -> None:
    """Print the first of the problems, and how many more ``what`` there are."""
    for problem in problems[:_SHOWN]:
        print(f"left out: {problem}")
    if len(problems) > _SHOWN:
        print(f"left out: {len(problems) - _SHOWN} more {what}")


def report_left_out(left_out: LeftOut, what: str) -> None:
    """Print the first of each reason, and how many ``what`` there are of it."""
    for example in left_out.named():
        print(f"left out: {example}")
    for reason, count in left_out.counts.most_common():
        print(f"left out: {count} {what}: {reason}")


def _is_manifest(name: str) -> bool:
    return name.endswith(".jsonl")


def _manifest(folder: Path, name: str) -> SourceData:
    path = folder / name
    with counting(f"index of {name}") as progress:
        samples = IndexedManifest(path, folder / "manifest_index", progress=progress)
    left_out = samples.left_out
    report_left_out(left_out, f"lines of {path}")
    if not len(samples):
        first = f"no line of it can be used; the first: {left_out.first()}" if len(left_out) else "holds no samples"
        raise UserError(f"{path}: {first}")
    return SourceData(samples=samples, num_lines=len(samples) + len(left_out))


def _shards(folder: Path, name: str) -> SourceData:
    with counting(f"index of {name}") as progress:
        shards = ShardSet(str(folder / name), folder / "shard_index", progress=progress)
    report_left_out(shards.left_out, f"samples of {folder / name}")
    return SourceData(samples=shards, num_lines=len(shards) + len(shards.left_out))


def write_tabletop(folder: Path, size: str) -> None:
    """Write Tabletop to a folder that does not exist; a process that does so already is waited for."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    busy = f"{folder}: another process writes Tabletop there; waiting for it"
    with locked(folder.with_name(folder.name + ".lock"), busy, wait=True):
        if folder.exists():
            return
        # Written aside and renamed, so that a run killed here does not take half a world for a whole one.
        aside = folder.with_name(folder.name + ".writing")
        with counting("Tabletop") as progress:
            suite.write(aside, size, progress=progress)
        aside.rename(folder)
