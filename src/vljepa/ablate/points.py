"""Train and measure the rows of an ablation; what is done already is not done again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vljepa.ablate.rows import Row
from vljepa.ablate.setting import Ablation
from vljepa.api import load
from vljepa.config import RunConfig
from vljepa.errors import UserError
from vljepa.evaluation.benchmark import benchmarks_in
from vljepa.evaluation.features import Features
from vljepa.evaluation.result import Result
from vljepa.evaluation.runner import evaluate_all
from vljepa.evaluation.systems import model_system
from vljepa.training import guard
from vljepa.training.kept import claimed, kept, trained

Progress = Callable[[str, int, int], None]
"""What is done, runs done, runs in all."""
_MEASURED = {"classification": "classification", "retrieval": "retrieval", "choice": "vqa"}
"""Tasks of benchmarks to the figures of a point."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One row with one seed."""

    row: str
    seed: int
    classification: float
    """Mean top-1 accuracy over the benchmarks of the task, from 0 to 1."""
    retrieval: float
    """Mean text-to-video recall@1."""
    vqa: float
    """Mean accuracy over the benchmarks of questions with choices."""
    figures: dict[str, float]
    """Of each benchmark."""


@dataclass(frozen=True, kw_only=True)
class Diverged:
    """One row with one seed, whose training ended early."""

    row: str
    seed: int
    reason: str


def measure_all(ablation: Ablation, progress: Progress | None = None) -> Iterator[Point | Diverged]:
    """Every row with every seed, seed after seed. Stopped, the same call goes on from the last state.

    Raises:
        UserError: the data lack the benchmarks, or a folder holds runs with other settings.
    """
    pairs = [(row, seed) for seed in ablation.seeds for row in ablation.studied()]
    for done, (row, seed) in enumerate(pairs):
        if progress is not None:
            progress(f"{row.name}, seed {seed}", done, len(pairs))
        yield _point(ablation, row, seed)


def _point(ablation: Ablation, row: Row, seed: int) -> Point | Diverged:
    """Found once; it lies beside its run, where rows with equal settings find it too."""
    run = ablation.run(row, seed)
    path = claimed(run) / f"{ablation.split}-limit-{ablation.limit}.json"
    found = kept(path, lambda: _found(ablation, run))
    return (Diverged if "reason" in found else Point)(row=row.name, seed=seed, **found)


def _found(ablation: Ablation, run: RunConfig) -> dict[str, Any]:
    """The fields of a point, or of why there is none."""
    try:
        model = load(trained(run, f"vljepa ablate --out {ablation.out}"))
    except guard.Diverged as error:
        return {"reason": str(error)}
    some = benchmarks_in(Path(ablation.data, ablation.split), tuple(_MEASURED), ablation.limit)
    # All models have the same eyes: the others find the first one's features.
    system = model_system(model, Features(model, Path(ablation.features)), name=run.name)
    values: dict[str, list[float]] = {name: [] for name in _MEASURED.values()}
    figures: dict[str, float] = {}
    for result in evaluate_all(some, [system]):
        if isinstance(result, UserError):
            raise result
        assert isinstance(result, Result), "a VL-JEPA lacks nothing for these tasks"
        figures[result.benchmark] = _figure(result)
        values[_MEASURED[result.task]].append(figures[result.benchmark])
    return {**{name: float(np.mean(some)) for name, some in values.items()}, "figures": figures}


def _figure(result: Result) -> float:
    """The one that table 7 has of the task."""
    return result.figure({"classification": "top-1", "retrieval": "text to video R@1"}.get(result.task, result.metric))
