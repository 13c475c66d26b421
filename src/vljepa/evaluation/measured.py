"""From the outcomes of items to a result: what measuring is about whatever the task."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.benchmark import Benchmark, Item
from vljepa.evaluation.metrics.bootstrap import bootstrap
from vljepa.evaluation.result import HIGH, LOW, Outcome, Result
from vljepa.evaluation.system import System, embed_all
from vljepa.types import Clip

Score = Callable[[np.ndarray], dict[str, float]]
"""Rows of the items (n,), repeated ones among them, to figures by name."""


def queries_of(benchmark: Benchmark) -> list[str]:
    """What each item is asked."""
    return [item.question or benchmark.query for item in benchmark.items]


def asked(benchmark: Benchmark) -> tuple[list[Clip], list[str]]:
    """The clips of all items, and what is asked of each."""
    return [item.clip for item in benchmark.items if item.clip is not None], queries_of(benchmark)


def predict(benchmark: Benchmark, system: System) -> tuple[np.ndarray, list[Item], list[str]]:
    """Unit embeddings (g, E) of the items that can be read, those items, and a line for each of the others."""
    rows, good, bad = embed_all(system, *asked(benchmark))
    return rows, [benchmark.items[i] for i in good], bad


def metric_of(benchmark: Benchmark, *known: str) -> str:
    """Which of the metrics that a task knows ``benchmark.json`` names; the first if it names none.

    How a name is spelled is no matter: ``top-1`` is ``Top1``.

    Raises:
        UserError: it names another.
    """
    asked = _spelled(benchmark.metric)
    for name in known:
        if asked in ("", _spelled(name)):
            return name
    raise UserError(
        f"{benchmark.folder / 'benchmark.json'}: metric: {benchmark.metric!r} is none of a {benchmark.task} benchmark: "
        f"{', '.join(known)}"
    )


def groups_of(items: Sequence[Item]) -> dict[str, np.ndarray]:
    """Which items (n,) each group has, in the groups' order."""
    names = sorted({name for item in items for name in item.groups})
    return {name: np.array([name in item.groups for item in items]) for name in names}


def result_of(
    benchmark: Benchmark,
    system: System,
    score: Score,
    headline: str,
    count: int,
    bad: list[str],
    *,
    metric: str | None = None,
    groups: Mapping[str, np.ndarray] | None = None,
    mean_of_groups: bool = False,
    **found: Any,
) -> Result:
    """A result with the bootstrap intervals of all its figures.

    Args:
        headline: the figure that is the result's value; of a group it goes by the group's name alone.
        count: items.
        bad: a line for each item that could not be used, beside the benchmark's own.
        metric: what the value is called; default: as the headline.
        groups: see ``groups_of``; figures are given for each group too.
        mean_of_groups: the value is the mean of the groups', however many items each of them has.
        found: the other fields of ``Result``.
    """
    masks = dict(groups or {})

    def figures(rows: np.ndarray) -> dict[str, float]:
        values = score(rows)
        each: dict[str, float] = {}
        for group, mask in masks.items():
            inside = rows[mask[rows]]
            if len(inside):
                each |= {
                    group if name == headline else f"{group} {name}": value for name, value in score(inside).items()
                }
        if mean_of_groups and masks:
            values = {**values, headline: float(np.mean([each[group] for group in masks if group in each]))}
        return {**values, **each}

    values = figures(np.arange(count))
    intervals = bootstrap(figures, count)
    named: dict[str, float] = {}
    for name, value in values.items():
        if name != headline:
            low, high = intervals[name]
            named |= {name: value, name + LOW: low, name + HIGH: high}
    return make_result(
        benchmark,
        system,
        bad=bad,
        value=values[headline],
        interval=intervals[headline],
        metric=metric or headline,
        count=count,
        figures=named,
        **found,
    )


def make_result(benchmark: Benchmark, system: System, *, bad: list[str], **found: Any) -> Result:
    """A result of the benchmark and the system.

    Args:
        bad: a line for each item that could not be used, beside the benchmark's own.
        found: the other fields of ``Result``.
    """
    paper = benchmark.info.get("paper")
    return Result(
        system=system.name,
        variant=system.variant,
        benchmark=benchmark.name,
        task=benchmark.task,
        official=benchmark.official_items,
        left_out=benchmark.left_out + bad,
        synthetic=bool(benchmark.info.get("synthetic", False)),
        paper=float(paper) if isinstance(paper, int | float) else None,
        **found,
    )


def outcome_of(item: Item, *, expected: str, found: str, score: float) -> Outcome:
    """An item's outcome, for the report."""
    clip = item.clip
    return Outcome(
        id=item.id,
        media=clip.media[0] if clip else "",
        start=clip.start if clip else None,
        end=clip.end if clip else None,
        question=item.question,
        expected=expected,
        found=found,
        score=score,
    )


def _spelled(metric: str) -> str:
    return re.sub(r"[\s_-]", "", metric.lower())
