"""How a system is measured where one of the benchmark's classes is right: classification and anticipation."""

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.answers import class_scores
from vljepa.evaluation.benchmark import Benchmark
from vljepa.evaluation.measured import groups_of, metric_of, outcome_of, result_of
from vljepa.evaluation.metrics.accuracy import class_mean_recall, label_ranks, topk_accuracy, without_unseen
from vljepa.evaluation.result import Result
from vljepa.evaluation.system import System

TOP1, TOP5, CLASS_MEAN = "top-1", "top-5", "class-mean recall@5"
SEEN_ALONE = "class-mean recall@5 of trained classes"
"""By the rule of V-JEPA 2's evaluation."""


def measure_classification(benchmark: Benchmark, system: System) -> Result:
    """Top-1, top-5 and class-mean recall@5; ``benchmark.json`` says which is the value.

    If it names the ``train_classes`` too, the recall is also given as V-JEPA 2's evaluation counts it: without the
    items and the candidates of all other classes.
    """
    headline = metric_of(benchmark, TOP1, TOP5, CLASS_MEAN)
    scores, items, bad = class_scores(benchmark, system)
    classes = benchmark.classes
    row_of = {name: row for row, name in enumerate(classes)}
    truth = np.array([row_of[item.truth] for item in items])
    ranks = label_ranks(scores, truth)
    seen = _seen(benchmark, row_of)
    kept = np.isin(truth, seen)
    seen_ranks, seen_truth = np.zeros_like(ranks), np.zeros_like(truth)
    if kept.any():
        fewer_scores, seen_truth[kept] = without_unseen(scores, truth, seen)
        seen_ranks[kept] = label_ranks(fewer_scores, seen_truth[kept])

    def score(some: np.ndarray) -> dict[str, float]:
        figures = {
            TOP1: topk_accuracy(ranks[some], 1),
            TOP5: topk_accuracy(ranks[some], 5),
            CLASS_MEAN: class_mean_recall(ranks[some], truth[some], 5),
        }
        known = some[kept[some]]
        if len(known):
            figures[SEEN_ALONE] = class_mean_recall(seen_ranks[known], seen_truth[known], 5)
        return figures

    found = scores.argmax(axis=1)
    outcomes = [
        outcome_of(item, expected=item.truth, found=classes[one], score=float(rank == 1))
        for item, one, rank in zip(items, found, ranks, strict=True)
    ]
    chance = (1 if headline == TOP1 else min(5, len(classes))) / len(classes)
    return result_of(
        benchmark,
        system,
        score,
        headline,
        len(items),
        bad,
        groups=groups_of(items),
        chance=chance,
        outcomes=outcomes,
    )


def _seen(benchmark: Benchmark, row_of: dict[str, int]) -> list[int]:
    """The classes of ``train_classes``, as indices."""
    names = benchmark.info.get("train_classes", [])
    unknown = [name for name in names if name not in row_of]
    if unknown:
        raise UserError(
            f"{benchmark.folder / 'benchmark.json'}: train_classes: {unknown[0]!r} is not among the classes"
        )
    return sorted({row_of[name] for name in names})
