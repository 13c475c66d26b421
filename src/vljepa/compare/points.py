"""Train the models of a comparison and measure them along the way; what is done already is not done again."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vljepa.compare.setting import Comparison, Kind, snapshot
from vljepa.config import RunConfig
from vljepa.errors import UserError
from vljepa.evaluation.benchmark import benchmarks_in
from vljepa.evaluation.features import Features
from vljepa.evaluation.result import Result
from vljepa.evaluation.runner import evaluate_all
from vljepa.evaluation.system import System
from vljepa.evaluation.systems import model_system, token_vlm_system
from vljepa.tabletop import wordings
from vljepa.token_api import TokenModel, load_any
from vljepa.training.data import write_tabletop
from vljepa.training.kept import kept, trained

Progress = Callable[[str, int, int], None]
"""What is done, segments done, segments in all."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One model after so many samples."""

    kind: Kind
    seed: int
    samples: int
    """Seen in training."""
    cider: float
    """Mean over the captioning benchmarks, CIDEr-D from 0 to 10."""
    top5: float
    """Mean over the classification benchmarks."""
    figures: dict[str, float]
    """Of each benchmark."""


def measure_all(comparison: Comparison, progress: Progress | None = None) -> Iterator[Point]:
    """Every point of every model, seed after seed. Stopped, the same call goes on from the last state or point.

    Raises:
        UserError: the data lack the benchmarks, or a folder holds runs with other settings.
    """
    _write_wordings(comparison)
    pairs = [(kind, seed) for seed in comparison.seeds for kind in comparison.kinds]
    total = len(pairs) * (1 + len(comparison.steps))
    for i, (kind, seed) in enumerate(pairs):
        done = i * (1 + len(comparison.steps))
        if progress is not None:
            progress(f"{kind}, seed {seed}: training", done, total)
        _trained(comparison, comparison.run(kind, seed))
        for number, step in enumerate(comparison.steps, 1):
            if progress is not None:
                progress(f"{kind}, seed {seed}: measuring after {step} steps", done + number, total)
            yield _point(comparison, kind, seed, step)


def _write_wordings(comparison: Comparison) -> None:
    """The manifests with so many wordings, if they are wanted and not there."""
    data = Path(comparison.data)
    if comparison.paraphrases is None or (data / comparison.manifests).exists():
        return
    if not data.exists():
        write_tabletop(data, comparison.tabletop_size)
    wordings.write(data, data / comparison.manifests, comparison.paraphrases)


def _trained(comparison: Comparison, run: RunConfig) -> Path:
    return trained(run, f"vljepa compare --out {comparison.out}")


def _point(comparison: Comparison, kind: Kind, seed: int, step: int) -> Point:
    """Measured once; it lies beside its snapshot."""
    folder = Path(snapshot(comparison.run(kind, seed), step))
    path = folder.with_name(f"{folder.name}-limit-{comparison.limit}.json")
    return Point(**kept(path, lambda: asdict(_measured(comparison, kind, seed, step))))


def _measured(comparison: Comparison, kind: Kind, seed: int, step: int) -> Point:
    some = benchmarks_in(Path(comparison.data, comparison.split), ("classification", "caption"), comparison.limit)
    values: dict[str, list[float]] = {"classification": [], "caption": []}
    figures: dict[str, float] = {}
    for result in evaluate_all(some, [_system(comparison, kind, seed, step)]):
        if isinstance(result, UserError):
            raise result
        assert isinstance(result, Result), "every kind is measured on both tasks"
        value = result.value if result.task == "caption" else result.figure("top-5")
        values[result.task].append(value)
        figures[result.benchmark] = value
    return Point(
        kind=kind,
        seed=seed,
        samples=step * comparison.global_batch_size,
        cider=float(np.mean(values["caption"])),
        top5=float(np.mean(values["classification"])),
        figures=figures,
    )


def _system(comparison: Comparison, kind: Kind, seed: int, step: int) -> System:
    if kind == "token_vlm":
        folder = Path(snapshot(comparison.run(kind, seed), step))
    else:
        folder = _trained(comparison, comparison.decoder(kind, seed, step))
    loaded = load_any(folder)
    # All models have the same eyes: the second finds the first one's features.
    features = Features(loaded, Path(comparison.features))
    if isinstance(loaded, TokenModel):
        return token_vlm_system(loaded, features, name=kind)
    return model_system(loaded, features, name=kind)
