"""What a system answers to a benchmark's items: by embeddings, or by texts that it ranks or writes."""

from collections.abc import Sequence

import numpy as np

from vljepa.evaluation.benchmark import Benchmark, Item
from vljepa.evaluation.measured import asked, predict
from vljepa.evaluation.system import System, run_all
from vljepa.tasks.classify import label_embeddings
from vljepa.tasks.unit import EncodeText, unit_rows

_BLOCK = 1024
"""Questions that are compared with the same candidates together."""


def class_scores(benchmark: Benchmark, system: System) -> tuple[np.ndarray, list[Item], list[str]]:
    """Scores of the benchmark's classes (g, classes), the best the highest; the items, and a line for each bad one.

    Of several templates, embeddings are averaged, or scores.
    """
    if system.rank_candidates is None:
        rows, items, bad = predict(benchmark, system)
        return rows @ label_embeddings(benchmark.classes, system.encode_text, benchmark.templates).T, items, bad
    texts = [template.replace("{}", label) for template in benchmark.templates for label in benchmark.classes]
    scores, items, bad = _scores(benchmark, system, [texts] * len(benchmark.items))
    return np.stack(scores).reshape(len(items), len(benchmark.templates), -1).mean(axis=1), items, bad


def chosen(benchmark: Benchmark, system: System) -> tuple[list[str], list[Item], list[str]]:
    """The best of each item's own choices; otherwise as ``class_scores``."""
    if system.rank_candidates is None:
        rows, items, bad = predict(benchmark, system)
        return nearest_choices(rows, [item.choices for item in items], system.encode_text), items, bad
    scores, items, bad = _scores(benchmark, system, [item.choices for item in benchmark.items])
    return [item.choices[int(row.argmax())] for item, row in zip(items, scores, strict=True)], items, bad


def nearest_choices(rows: np.ndarray, choices: Sequence[tuple[str, ...]], encode_text: EncodeText) -> list[str]:
    """The candidate nearest to each unit embedding (n, E); of equal ones the first. Each text is encoded once."""
    distinct = list(dict.fromkeys(text for one in dict.fromkeys(choices) for text in one))
    row_of = {text: row for row, text in enumerate(distinct)}
    encoded = unit_rows(encode_text(distinct))
    rows_of: dict[tuple[str, ...], list[int]] = {}
    for i, one in enumerate(choices):
        rows_of.setdefault(one, []).append(i)
    found = [""] * len(choices)
    for one, where in rows_of.items():
        candidates = encoded[[row_of[text] for text in one]].T
        for first in range(0, len(where), _BLOCK):
            some = where[first : first + _BLOCK]
            for i, best in zip(some, (rows[some] @ candidates).argmax(axis=1), strict=True):
                found[i] = one[best]
    return found


def captions(benchmark: Benchmark, system: System) -> tuple[list[str], list[Item], list[str]]:
    """A text for each item; otherwise as ``class_scores``."""
    write = system.caption_clips
    if write is None:
        assert system.decode is not None, "System.lacks was asked before"
        rows, items, bad = predict(benchmark, system)
        return system.decode(rows), items, bad
    clips, queries = asked(benchmark)
    texts, good, bad = run_all(lambda some: write([clips[i] for i in some], [queries[i] for i in some]), len(clips))
    return texts, [benchmark.items[i] for i in good], bad


def _scores(
    benchmark: Benchmark, system: System, candidates: Sequence[Sequence[str]]
) -> tuple[list[np.ndarray], list[Item], list[str]]:
    rank = system.rank_candidates
    assert rank is not None
    clips, queries = asked(benchmark)
    scores, good, bad = run_all(
        lambda some: rank([clips[i] for i in some], [queries[i] for i in some], [candidates[i] for i in some]),
        len(clips),
    )
    return scores, [benchmark.items[i] for i in good], bad
