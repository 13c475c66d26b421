"""How a system is measured on each task; streams have a file of their own."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.answers import captions, predict, ranked_choices, ranked_classes
from vljepa.evaluation.benchmark import Benchmark, Item
from vljepa.evaluation.measure_stream import make_result, measure_stream
from vljepa.evaluation.metrics.accuracy import class_mean_recall, topk_accuracy
from vljepa.evaluation.metrics.bootstrap import bootstrap_interval
from vljepa.evaluation.metrics.cider import cider
from vljepa.evaluation.metrics.retrieval import median_rank, ranks, recall_at_k
from vljepa.evaluation.metrics.triplet import triplet_hits
from vljepa.evaluation.result import Outcome, Result
from vljepa.evaluation.system import System, embed_all
from vljepa.tasks.unit import unit_rows
from vljepa.tasks.world_model import choose_action
from vljepa.types import Clip


def _classification(benchmark: Benchmark, system: System) -> Result:
    ranked, items, bad = ranked_classes(benchmark, system)
    found = [[scored.text for scored in row] for row in ranked]
    truth = [item.truth for item in items]
    figures = {
        "top-5": topk_accuracy(found, truth, 5),
        "class-mean recall@5": class_mean_recall(found, truth, 5),
    }
    return _accuracy(
        benchmark, system, items, [row[0] for row in found], bad, 1 / len(benchmark.classes), figures=figures
    )


def _choice(benchmark: Benchmark, system: System) -> Result:
    ranked, items, bad = ranked_choices(benchmark, system)
    chance = float(np.mean([1 / len(item.choices) for item in items]))
    return _accuracy(benchmark, system, items, [row[0].text for row in ranked], bad, chance)


def _retrieval(benchmark: Benchmark, system: System) -> Result:
    rows, items, bad = predict(benchmark, system)
    texts = [text for item in items for text in item.texts]
    targets = [i for i, item in enumerate(items) for _ in item.texts]
    scores = unit_rows(system.encode_text(texts)) @ rows.T
    by_text = ranks(scores, targets)
    first_text = np.unique(targets, return_index=True)[1]
    by_video = ranks(scores.T, first_text.tolist())
    hits = (by_text == 1).astype(float)
    outcomes = [
        _outcome(items[target], expected=text, found=f"rank {rank} of {len(items)}", score=float(hit))
        for target, text, rank, hit in zip(targets, texts, by_text, hits, strict=True)
    ]
    figures = {
        "text to video R@5": recall_at_k(by_text, 5),
        "text to video R@10": recall_at_k(by_text, 10),
        "text to video median rank": median_rank(by_text),
        "video to text R@1": recall_at_k(by_video, 1),
    }
    return _result(
        benchmark, system, hits, "text to video R@1", bad, chance=1 / len(items), figures=figures, outcomes=outcomes
    )


def _caption(benchmark: Benchmark, system: System) -> Result:
    said, items, bad = captions(benchmark, system)
    scores = cider(said, [item.texts for item in items])
    outcomes = [
        _outcome(item, expected=item.texts[0], found=text, score=float(score))
        for item, text, score in zip(items, said, scores, strict=True)
    ]
    figures = {"distinct captions": len(set(said)) / len(said)}
    return _result(benchmark, system, scores, "CIDEr-D (0 to 10)", bad, figures=figures, outcomes=outcomes)


def _world_model(benchmark: Benchmark, system: System) -> Result:
    rows, items, bad = predict(benchmark, system)
    query = str(benchmark.info.get("candidate_query", ""))
    distinct = list(dict.fromkeys(clip for item in items for clip in item.candidates))
    embedded, good, bad_candidates = embed_all(system, distinct, [query] * len(distinct))
    row_of = {distinct[i]: row for i, row in zip(good, embedded, strict=True)}
    usable = [i for i, item in enumerate(items) if all(clip in row_of for clip in item.candidates)]
    if not usable:
        raise UserError(f"{benchmark.name}: no item has all its candidates; the first: {bad_candidates[0]}")
    items = [items[i] for i in usable]
    candidates = [np.stack([row_of[clip] for clip in item.candidates]) for item in items]
    found = [int(scores.argmax()) for scores in choose_action(rows[usable], candidates)]
    hits = np.array([float(one == item.answer) for one, item in zip(found, items, strict=True)])
    outcomes = [
        _outcome(
            item, expected=_name(item.candidates[item.answer]), found=_name(item.candidates[one]), score=float(hit)
        )
        for item, one, hit in zip(items, found, hits, strict=True)
    ]
    chance = float(np.mean([1 / len(item.candidates) for item in items]))
    return _result(benchmark, system, hits, "accuracy", bad + bad_candidates, chance=chance, outcomes=outcomes)


def _triplet(benchmark: Benchmark, system: System) -> Result:
    items = benchmark.items
    distinct = list(dict.fromkeys(text for item in items for text in item.texts))
    row_of = {text: i for i, text in enumerate(distinct)}
    encoded = unit_rows(system.encode_text(distinct))
    p1, p2, negative = (encoded[[row_of[item.texts[i]] for item in items]] for i in range(3))
    hits = triplet_hits(p1, p2, negative)
    outcomes = [
        _outcome(item, expected=" = ".join(item.texts[:2]), found=f"not: {item.texts[2]}", score=float(hit))
        for item, hit in zip(items, hits, strict=True)
    ]
    figures = _by_group(items, hits)
    return _result(benchmark, system, hits, "accuracy", [], chance=1 / 3, figures=figures, outcomes=outcomes)


MEASURES: dict[str, Callable[[Benchmark, System], Result]] = {
    "classification": _classification,
    "retrieval": _retrieval,
    "choice": _choice,
    "caption": _caption,
    "anticipation": _classification,
    "world_model": _world_model,
    "stream": measure_stream,
    "triplet": _triplet,
}
"""Task to the function that measures a system on a benchmark of it."""


def _accuracy(
    benchmark: Benchmark,
    system: System,
    items: Sequence[Item],
    found: Sequence[str],
    bad: list[str],
    chance: float,
    figures: dict[str, float] | None = None,
) -> Result:
    hits = np.array([float(one == item.truth) for one, item in zip(found, items, strict=True)])
    outcomes = [
        _outcome(item, expected=item.truth, found=one, score=float(hit))
        for item, one, hit in zip(items, found, hits, strict=True)
    ]
    figures = {**(figures or {}), **_by_group(items, hits)}
    return _result(benchmark, system, hits, "top-1", bad, chance=chance, figures=figures, outcomes=outcomes)


def _by_group(items: Sequence[Item], hits: np.ndarray) -> dict[str, float]:
    groups: dict[str, list[float]] = defaultdict(list)
    for item, hit in zip(items, hits, strict=True):
        if item.group:
            groups[item.group].append(float(hit))
    return {group: float(np.mean(values)) for group, values in sorted(groups.items())}


def _result(
    benchmark: Benchmark,
    system: System,
    values: np.ndarray,
    metric: str,
    bad: list[str],
    *,
    chance: float | None = None,
    figures: dict[str, float] | None = None,
    outcomes: list[Outcome],
) -> Result:
    return make_result(
        benchmark,
        system,
        value=float(values.mean()),
        interval=bootstrap_interval(values),
        metric=metric,
        chance=chance,
        count=len(values),
        bad=bad,
        figures=figures or {},
        outcomes=outcomes,
    )


def _outcome(item: Item, *, expected: str, found: str, score: float) -> Outcome:
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


def _name(clip: Clip) -> str:
    return Path(clip.media[0]).name
