"""Everything a run needs before its first step: data, tokenizer, model, cached features, the familiarity score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from vljepa.config import RunConfig, SourceConfig
from vljepa.data.features import FeatureCache
from vljepa.data.loader import Loader
from vljepa.data.lock import locked
from vljepa.data.manifest import read_manifest
from vljepa.distributed import rank, world_size
from vljepa.embedding import LogitScale
from vljepa.errors import UserError
from vljepa.model import bulk
from vljepa.model.vljepa import VLJEPA, pool
from vljepa.model.y_decoder import train_tokenizer
from vljepa.progress import counting
from vljepa.tabletop import suite
from vljepa.types import Clip, Sample

_FAMILIARITY_CLIPS = 4000
"""Clips at most from which the familiarity score is fitted; a fifth of them calibrate it."""
_SHOWN = 10
"""Bad lines or clips that are named one by one; of the others there is a count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What was read of one manifest."""

    samples: list[Sample]
    num_lines: int
    """Good and bad ones; blank lines do not count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """The usable samples of each manifest and the cached features of each number of frames."""

    samples: dict[str, list[Sample]]
    """Those that were read and whose clips have features."""
    num_lines: dict[str, int]
    """Lines of each manifest, the bad ones and those with unreadable clips included."""
    caches: dict[int, FeatureCache]

    @property
    def num_left_out(self) -> int:
        """Lines that gave no usable sample, over all manifests."""
        return sum(self.num_lines.values()) - sum(map(len, self.samples.values()))

    def loader(self, sources: Sequence[SourceConfig], batch_size: int, seed: int) -> Loader:
        """This rank's slices of the mixture of a stage."""
        return Loader(
            [(self.samples[source.manifest], self.caches[source.num_frames], source.weight) for source in sources],
            batch_size=batch_size,
            seed=seed,
            rank=rank(),
            world_size=world_size(),
        )


def read_manifests(config: RunConfig) -> dict[str, Manifest]:
    """Read every manifest of the run, writing Tabletop first if the recipe asks for it; bad lines are reported.

    Raises:
        UserError: no data folder, or a manifest without a single good line.
    """
    folder = Path(config.data)
    if not folder.exists():
        if config.tabletop_size is None:
            raise UserError(f"{folder}: no such data folder; write one with: vljepa tabletop {folder}")
        _write_tabletop(folder, config.tabletop_size)
    manifests = {}
    for name in dict.fromkeys(source.manifest for stage in config.stages for source in stage.sources):
        samples, problems = read_manifest(folder / name)
        _report(problems, f"lines of {folder / name}")
        if not samples:
            first = f"no line of it can be used; the first: {problems[0]}" if problems else "holds no samples"
            raise UserError(f"{folder / name}: {first}")
        manifests[name] = Manifest(samples=samples, num_lines=len(samples) + len(problems))
    return manifests


def _write_tabletop(folder: Path, size: str) -> None:
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


def decoder_tokenizer(config: RunConfig, manifests: dict[str, Manifest], folder: Path) -> Tokenizer | None:
    """The Y-Decoder's tokenizer, learned from the training targets once per run; None if no stage trains a decoder."""
    if all(stage.trains != "y_decoder" for stage in config.stages):
        return None
    path = folder / "y_decoder_tokenizer.json"
    if not path.exists():
        texts = sorted({text for read in manifests.values() for sample in read.samples for text in sample.targets})
        aside = path.with_suffix(".writing")
        train_tokenizer(texts, config.model.y_decoder.vocab_size).save(str(aside))
        aside.rename(path)
    return Tokenizer.from_file(str(path))


def build_model(config: RunConfig, tokenizer: Tokenizer | None) -> VLJEPA:
    """The model before its first step: a new one, or that of ``config.start_from`` with a new Y-Decoder.

    Raises:
        UserError: the checkpoint to start from cannot be read or has other shapes than ``config.model``.
    """
    torch.manual_seed(config.seed)
    if config.start_from is None:
        model = VLJEPA(config.model, decoder_tokenizer=tokenizer)
        model.logit_scale = LogitScale(config.loss.initial_temperature, config.loss.max_logit_scale)
        return model
    model = VLJEPA.load(config.start_from)
    if replace(model.config, y_decoder=config.model.y_decoder) != config.model:
        raise UserError(f"{config.start_from}: has another architecture than the run; only its Y-Decoder may differ")
    model.config = config.model
    assert tokenizer is not None, "a run that starts from a checkpoint trains a decoder"
    model.add_y_decoder(tokenizer)
    return model


def cache_features(config: RunConfig, model: VLJEPA, manifests: dict[str, Manifest]) -> Data:
    """Run the frozen X-Encoder once over every clip of the run; clips that cannot be read are reported and left out.

    Raises:
        UserError: not one clip of a manifest can be read.
    """
    sources = dict.fromkeys((source.manifest, source.num_frames) for stage in config.stages for source in stage.sources)
    clips: dict[int, dict[Clip, None]] = {}
    for name, num_frames in sources:
        clips.setdefault(num_frames, {}).update((sample.clip, None) for sample in manifests[name].samples)

    caches = {}
    for num_frames, wanted in clips.items():
        with counting(f"features of {num_frames}-frame clips") as progress:
            folder = Path(config.data) / "features"
            caches[num_frames] = bulk.cache_features(model, folder, wanted, num_frames, config.precision, progress)
        _report(caches[num_frames].left_out, f"of {len(wanted)} clips")

    samples = {name: read.samples for name, read in manifests.items()}
    for name, num_frames in sources:
        cache = caches[num_frames]
        usable = [sample for sample in samples[name] if sample.clip in cache]
        if not usable:
            first = next(m for m in cache.left_out if m.startswith(samples[name][0].clip.media[0]))
            raise UserError(f"{Path(config.data) / name}: none of its clips can be read; the first: {first}")
        samples[name] = usable
    return Data(samples=samples, num_lines={name: read.num_lines for name, read in manifests.items()}, caches=caches)


def _report(problems: list[str], what: str) -> None:
    for problem in problems[:_SHOWN]:
        print(f"left out: {problem}")
    if len(problems) > _SHOWN:
        print(f"left out: {len(problems) - _SHOWN} more {what}")


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
