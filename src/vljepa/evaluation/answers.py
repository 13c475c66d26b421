"""What a system answers to a benchmark's items: by embeddings, or by texts that it ranks or writes."""

from collections.abc import Sequence

import numpy as np

from vljepa.evaluation.benchmark import Benchmark, Item
from vljepa.evaluation.system import System, embed_all, run_all
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import classify, ranked
from vljepa.types import Clip, Scored


def predict(benchmark: Benchmark, system: System) -> tuple[np.ndarray, list[Item], list[str]]:
    """Unit embeddings (g, E), the items they are of, and a line for each item that cannot be read."""
    clips, queries = _asked(benchmark)
    rows, good, bad = embed_all(system, clips, queries)
    return rows, [benchmark.items[i] for i in good], bad


def ranked_classes(benchmark: Benchmark, system: System) -> tuple[list[list[Scored]], list[Item], list[str]]:
    """The benchmark's classes for each item, best first; otherwise as ``predict``.

    Of several templates, embeddings are averaged, or scores.
    """
    if system.rank_candidates is None:
        rows, items, bad = predict(benchmark, system)
        return classify(rows, benchmark.classes, system.encode_text, benchmark.templates), items, bad
    texts = [template.replace("{}", label) for template in benchmark.templates for label in benchmark.classes]
    scores, items, bad = _scores(benchmark, system, [texts] * len(benchmark.items))
    each = [row.reshape(len(benchmark.templates), -1).mean(axis=0) for row in scores]
    return [ranked(benchmark.classes, row) for row in each], items, bad


def ranked_choices(benchmark: Benchmark, system: System) -> tuple[list[list[Scored]], list[Item], list[str]]:
    """Each item's own choices, best first; otherwise as ``predict``."""
    if system.rank_candidates is None:
        rows, items, bad = predict(benchmark, system)
        return answer(rows, [item.choices for item in items], system.encode_text), items, bad
    scores, items, bad = _scores(benchmark, system, [item.choices for item in benchmark.items])
    return [ranked(item.choices, row) for item, row in zip(items, scores, strict=True)], items, bad


def captions(benchmark: Benchmark, system: System) -> tuple[list[str], list[Item], list[str]]:
    """A text for each item; otherwise as ``predict``."""
    write = system.caption_clips
    if write is None:
        assert system.decode is not None, "System.lacks was asked before"
        rows, items, bad = predict(benchmark, system)
        return system.decode(rows), items, bad
    clips, queries = _asked(benchmark)
    texts, good, bad = run_all(lambda rows: write([clips[i] for i in rows], [queries[i] for i in rows]), len(clips))
    return texts, [benchmark.items[i] for i in good], bad


def _scores(
    benchmark: Benchmark, system: System, candidates: Sequence[Sequence[str]]
) -> tuple[list[np.ndarray], list[Item], list[str]]:
    rank = system.rank_candidates
    assert rank is not None
    clips, queries = _asked(benchmark)
    scores, good, bad = run_all(
        lambda rows: rank([clips[i] for i in rows], [queries[i] for i in rows], [candidates[i] for i in rows]),
        len(clips),
    )
    return scores, [benchmark.items[i] for i in good], bad


def _asked(benchmark: Benchmark) -> tuple[list[Clip], list[str]]:
    """Clips, and the query of each."""
    clips = [item.clip for item in benchmark.items if item.clip is not None]
    return clips, [item.question or benchmark.query for item in benchmark.items]
