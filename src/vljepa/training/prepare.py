"""Everything a run needs before its first step: data, tokenizer, cached features, the familiarity score."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text
from tokenizers import Tokenizer

from vljepa.config import RunConfig, SourceConfig
from vljepa.data.features import FeatureCache
from vljepa.data.loader import Loader
from vljepa.data.manifest import read_manifest
from vljepa.errors import UserError
from vljepa.model import bulk
from vljepa.model.vljepa import VLJEPA, pool
from vljepa.model.y_decoder import train_tokenizer
from vljepa.tabletop import suite
from vljepa.types import Clip, Sample

_FAMILIARITY_CLIPS = 4000
"""Clips at most from which the familiarity score is fitted; a fifth of them calibrate it."""


class _Rate(ProgressColumn):
    """Items a second; blank until there is one."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress with rate and time left: yields the callback (done, in all)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """The samples of each manifest and the cached features of each number of frames."""

    samples: dict[str, list[Sample]]
    caches: dict[int, FeatureCache]

    def loader(self, sources: Sequence[SourceConfig], batch_size: int, seed: int) -> Loader:
        """The mixture of a stage."""
        return Loader(
            [(self.samples[source.manifest], self.caches[source.num_frames], source.weight) for source in sources],
            batch_size=batch_size,
            seed=seed,
        )


def read_samples(config: RunConfig) -> dict[str, list[Sample]]:
    """Read every manifest of the run, writing Tabletop first if the recipe asks for it; bad lines are reported.

    Raises:
        UserError: no data folder, or a manifest without a single good line.
    """
    folder = Path(config.data)
    if not folder.exists():
        if config.tabletop_size is None:
            raise UserError(f"{folder}: no such data folder; write one with: vljepa tabletop {folder}")
        # Written aside and renamed, so that a run killed here does not take half a world for a whole one.
        aside = folder.with_name(folder.name + ".writing")
        with counting("Tabletop") as progress:
            suite.write(aside, config.tabletop_size, progress=progress)
        aside.rename(folder)
    samples = {}
    for name in dict.fromkeys(source.manifest for stage in config.stages for source in stage.sources):
        samples[name], problems = read_manifest(folder / name)
        for problem in problems[:10]:
            print(f"left out: {problem}")
        if len(problems) > 10:
            print(f"left out: {len(problems) - 10} more lines of {folder / name}")
        if not samples[name]:
            raise UserError(f"{folder / name}: no usable sample")
    return samples


def decoder_tokenizer(config: RunConfig, samples: dict[str, list[Sample]], folder: Path) -> Tokenizer | None:
    """The Y-Decoder's tokenizer, learned from the training targets once per run; None if no stage trains a decoder."""
    if all(stage.trains != "y_decoder" for stage in config.stages):
        return None
    path = folder / "y_decoder_tokenizer.json"
    if not path.exists():
        texts = sorted({text for rows in samples.values() for row in rows for text in row.targets})
        aside = path.with_suffix(".writing")
        train_tokenizer(texts, config.model.y_decoder.vocab_size).save(str(aside))
        aside.rename(path)
    return Tokenizer.from_file(str(path))


def cache_features(config: RunConfig, model: VLJEPA, samples: dict[str, list[Sample]]) -> Data:
    """Run the frozen X-Encoder once over every clip of the run; clips that cannot be read are counted and left out."""
    clips: dict[int, dict[Clip, None]] = {}
    for source in (source for stage in config.stages for source in stage.sources):
        wanted = clips.setdefault(source.num_frames, {})
        wanted.update((sample.clip, None) for sample in samples[source.manifest])

    caches = {}
    for num_frames, wanted in clips.items():
        with counting(f"features of {num_frames}-frame clips") as progress:
            folder = Path(config.data) / "features"
            cache = bulk.cache_features(model, folder, wanted, num_frames, config.precision, progress)
        if cache.left_out:
            print(f"left out: {len(cache.left_out)} of {len(wanted)} clips cannot be read")
        caches[num_frames] = cache
    return Data(samples=samples, caches=caches)


def fit_familiarity(model: VLJEPA, data: Data, seed: int) -> None:
    """Fit the familiarity score on the pooled features of a random draw of the run's clips."""
    clips = [
        (num_frames, clip)
        for num_frames, cache in data.caches.items()
        for clip in dict.fromkeys(sample.clip for rows in data.samples.values() for sample in rows)
        if clip in cache
    ]
    order = np.random.default_rng(seed).permutation(len(clips))[:_FAMILIARITY_CLIPS]
    pooled = torch.cat([pool(torch.from_numpy(data.caches[clips[i][0]].read([clips[i][1]]))) for i in order])
    held_out = max(1, len(pooled) // 5)
    model.familiarity.fit(pooled[held_out:], pooled[:held_out])
