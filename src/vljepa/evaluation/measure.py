"""How a system is measured on each task; the larger ones have files of their own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.answers import captions
from vljepa.evaluation.benchmark import Benchmark
from vljepa.evaluation.measure_choice import measure_choice
from vljepa.evaluation.measure_classification import measure_classification
from vljepa.evaluation.measure_retrieval import measure_retrieval
from vljepa.evaluation.measure_stream import measure_stream
from vljepa.evaluation.measured import Score, groups_of, metric_of, outcome_of, predict, result_of
from vljepa.evaluation.metrics.cider import cider
from vljepa.evaluation.metrics.triplet import triplet_hits
from vljepa.evaluation.result import Result
from vljepa.evaluation.system import System, embed_all
from vljepa.tasks.unit import unit_rows
from vljepa.tasks.world_model import choose_action
from vljepa.types import Clip

_CIDER = "CIDEr-D (0 to 10)"


def _caption(benchmark: Benchmark, system: System) -> Result:
    metric_of(benchmark, "cider", "cider-d")
    said, items, bad = captions(benchmark, system)
    scores = cider(said, [item.texts for item in items])
    outcomes = [
        outcome_of(item, expected=item.texts[0], found=text, score=float(score))
        for item, text, score in zip(items, said, scores, strict=True)
    ]
    places = np.unique(said, return_inverse=True)[1]

    def score(some: np.ndarray) -> dict[str, float]:
        return {
            _CIDER: float(scores[some].mean()),
            "distinct captions": len(np.unique(places[some])) / len(some),
        }

    return result_of(benchmark, system, score, _CIDER, len(items), bad, chance=None, outcomes=outcomes)


def _world_model(benchmark: Benchmark, system: System) -> Result:
    metric_of(benchmark, "accuracy", "top-1")
    rows, items, bad = predict(benchmark, system)
    distinct = candidates_of(benchmark)
    embedded, good, bad_candidates = embed_all(system, distinct, [candidate_query(benchmark)] * len(distinct))
    row_of = {distinct[i]: row for i, row in zip(good, embedded, strict=True)}
    usable = [i for i, item in enumerate(items) if all(clip in row_of for clip in item.candidates)]
    if not usable:
        raise UserError(f"{benchmark.name}: no item has all its candidates; the first: {bad_candidates[0]}")
    items = [items[i] for i in usable]
    candidates = [np.stack([row_of[clip] for clip in item.candidates]) for item in items]
    found = [int(scores.argmax()) for scores in choose_action(rows[usable], candidates)]
    hits = np.array([float(one == item.answer) for one, item in zip(found, items, strict=True)])
    outcomes = [
        outcome_of(
            item, expected=_name(item.candidates[item.answer]), found=_name(item.candidates[one]), score=float(hit)
        )
        for item, one, hit in zip(items, found, hits, strict=True)
    ]
    chance = float(np.mean([1 / len(item.candidates) for item in items]))
    return result_of(
        benchmark,
        system,
        _accuracy(hits),
        "accuracy",
        len(items),
        bad + bad_candidates,
        groups=groups_of(items),
        chance=chance,
        outcomes=outcomes,
    )


def candidates_of(benchmark: Benchmark) -> list[Clip]:
    """All candidate actions of a world model benchmark, once each."""
    return list(dict.fromkeys(clip for item in benchmark.items for clip in item.candidates))


def candidate_query(benchmark: Benchmark) -> str:
    """What the candidates of a world model benchmark are asked."""
    return str(benchmark.info.get("candidate_query", ""))


def _triplet(benchmark: Benchmark, system: System) -> Result:
    metric_of(benchmark, "accuracy")
    items = benchmark.items
    distinct = list(dict.fromkeys(text for item in items for text in item.texts))
    row_of = {text: i for i, text in enumerate(distinct)}
    encoded = unit_rows(system.encode_text(distinct))
    p1, p2, negative = (encoded[[row_of[item.texts[i]] for item in items]] for i in range(3))
    hits = triplet_hits(p1, p2, negative)
    outcomes = [
        outcome_of(item, expected=" = ".join(item.texts[:2]), found=f"not: {item.texts[2]}", score=float(hit))
        for item, hit in zip(items, hits, strict=True)
    ]
    return result_of(
        benchmark,
        system,
        _accuracy(hits),
        "accuracy",
        len(items),
        [],
        groups=groups_of(items),
        chance=1 / 3,
        outcomes=outcomes,
    )


MEASURES: dict[str, Callable[[Benchmark, System], Result]] = {
    "classification": measure_classification,
    "retrieval": measure_retrieval,
    "choice": measure_choice,
    "caption": _caption,
    "anticipation": measure_classification,
    "world_model": _world_model,
    "stream": measure_stream,
    "triplet": _triplet,
}
"""Task to the function that measures a system on a benchmark of it."""


def _accuracy(hits: np.ndarray) -> Score:
    return lambda some: {"accuracy": float(hits[some].mean())}


def _name(clip: Clip) -> str:
    return Path(clip.media[0]).name
