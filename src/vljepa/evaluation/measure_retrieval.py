"""How a system is measured on retrieval, text to video and video to text (paper, section 4.1, table 1)."""

import numpy as np

from vljepa.evaluation.benchmark import Benchmark
from vljepa.evaluation.measured import metric_of, outcome_of, predict, result_of
from vljepa.evaluation.metrics.retrieval import median_rank, ranks, recall_at_k
from vljepa.evaluation.result import Result
from vljepa.evaluation.system import System
from vljepa.tasks.unit import unit_rows

_RECALLS = (1, 5, 10)


def measure_retrieval(benchmark: Benchmark, system: System) -> Result:
    """Recall@1, 5, 10 and median rank, both ways, on the pool of the benchmark's clips.

    Every text is a query of its own. A video finds its text if any of its own texts is among the first k of all.
    If ``benchmark.json`` says ``"shared_texts": true``, a text that several clips have is right with each of them.
    Intervals are over clips.
    """
    names_of = {f"{name}{k}": k for k in _RECALLS for name in ("recall@", "text to video R@")}
    recall = names_of[metric_of(benchmark, *names_of)]
    rows, items, bad = predict(benchmark, system)
    texts = [text for item in items for text in item.texts]
    owners = np.array([i for i, item in enumerate(items) for _ in item.texts])
    distinct = list(dict.fromkeys(texts))
    row_of = {text: row for row, text in enumerate(distinct)}
    encoded = unit_rows(system.encode_text(distinct))[[row_of[text] for text in texts]]
    # By what a text is known: its words, or its place among all texts.
    shared = bool(benchmark.info.get("shared_texts", False))
    names: list[str | int] = list(texts) if shared else list(range(len(texts)))
    clips_of: dict[str | int, list[int]] = {}
    places_of: dict[str | int, list[int]] = {}
    for place, name in enumerate(names):
        clips_of.setdefault(name, []).append(int(owners[place]))
        places_of.setdefault(name, []).append(place)
    first = np.searchsorted(owners, np.arange(len(items)))
    counts = np.array([len(item.texts) for item in items])
    own = [names[start : start + count] for start, count in zip(first, counts, strict=True)]
    by_text = ranks(encoded, rows, [list(dict.fromkeys(clips_of[name])) for name in names])
    by_video = ranks(rows, encoded, [list(dict.fromkeys(p for name in some for p in places_of[name])) for some in own])

    def score(some: np.ndarray) -> dict[str, float]:
        # The texts of these clips: as many as each has, from its first on.
        many = counts[some]
        texts_of = np.repeat(first[some], many) + np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        figures: dict[str, float] = {}
        for way, found in (("text to video", by_text[texts_of]), ("video to text", by_video[some])):
            figures |= {f"{way} R@{k}": recall_at_k(found, k) for k in _RECALLS}
            figures[f"{way} median rank"] = median_rank(found)
        return figures

    outcomes = [
        outcome_of(items[owner], expected=text, found=f"rank {rank} of {len(items)}", score=float(rank <= recall))
        for owner, text, rank in zip(owners, texts, by_text, strict=True)
    ]
    return result_of(
        benchmark,
        system,
        score,
        f"text to video R@{recall}",
        len(items),
        bad,
        chance=min(recall, len(items)) / len(items),
        outcomes=outcomes,
    )
