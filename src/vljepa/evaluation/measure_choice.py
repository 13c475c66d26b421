"""How a system is measured on questions with candidate answers (paper, section 4.2, table 2)."""

from collections.abc import Callable, Sequence

import numpy as np

from vljepa.evaluation.answers import chosen
from vljepa.evaluation.benchmark import Benchmark, Item
from vljepa.evaluation.measured import Score, groups_of, metric_of, outcome_of, result_of
from vljepa.evaluation.metrics.gqa import exact_matches, question_kind
from vljepa.evaluation.metrics.pope import says_yes, yes_no_scores
from vljepa.evaluation.metrics.tallyqa import count_of, count_scores
from vljepa.evaluation.result import Result
from vljepa.evaluation.system import System


def measure_choice(benchmark: Benchmark, system: System) -> Result:
    """Accuracy of the nearest candidate, and what the benchmark's own scorer gives beside it."""
    metric = metric_of(benchmark, "accuracy", "gqa", "tallyqa", "pope", "top-1")
    found, items, bad = chosen(benchmark, system)
    truth = [item.truth for item in items]
    groups = groups_of(items)
    if metric == "gqa":
        kinds = [question_kind(item.groups) for item in items]
        groups |= {kind: np.array([one == kind for one in kinds]) for kind in ("open", "binary") if kind in kinds}
    outcomes = [
        outcome_of(item, expected=item.truth, found=one, score=float(one == item.truth))
        for item, one in zip(items, found, strict=True)
    ]
    return result_of(
        benchmark,
        system,
        _SCORES.get(metric, _exact)(found, truth),
        "accuracy",
        len(items),
        bad,
        metric="top-1" if metric in ("accuracy", "top-1") else "accuracy",
        groups=groups,
        mean_of_groups=metric == "pope",
        chance=_chance(items),
        outcomes=outcomes,
    )


def _exact(found: Sequence[str], truth: Sequence[str]) -> Score:
    hits = exact_matches(found, truth)
    return lambda some: {"accuracy": float(hits[some].mean())}


def _counts(found: Sequence[str], truth: Sequence[str]) -> Score:
    said, right = (np.array([count_of(text) for text in texts]) for texts in (found, truth))
    return lambda some: count_scores(said[some], right[some])


def _yes_no(found: Sequence[str], truth: Sequence[str]) -> Score:
    said = np.array([says_yes(text) for text in found])
    right = np.array([text.lower() != "no" for text in truth])
    return lambda some: yes_no_scores(said[some], right[some])


_SCORES: dict[str, Callable[[Sequence[str], Sequence[str]], Score]] = {"tallyqa": _counts, "pope": _yes_no}
"""The scorers of benchmarks that count more than right answers."""


def _chance(items: Sequence[Item]) -> float:
    return float(np.mean([1 / len(item.choices) for item in items]))
