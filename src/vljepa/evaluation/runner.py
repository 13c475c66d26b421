"""Evaluate systems on benchmark folders."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.benchmark import Benchmark, read_benchmark
from vljepa.evaluation.measure import MEASURES
from vljepa.evaluation.result import Omission, Result
from vljepa.evaluation.system import System
from vljepa.tasks.unit import Embeddings
from vljepa.types import Clip

Progress = Callable[[str, int, int], None]
"""What is measured, items done, items in all."""


def evaluate(folder: Path, system: System, limit: int | None = None) -> Result:
    """Run one system on one benchmark; items that cannot be read are left out, listed and counted.

    Args:
        limit: evaluate at most so many items, spread evenly over the benchmark.

    Raises:
        UserError: the folder is no benchmark, no item of it can be used, or the system lacks what the task needs.
    """
    return _measure(read_benchmark(Path(folder), limit), system)


def evaluate_all(
    benchmarks: Sequence[Benchmark], systems: Sequence[System], progress: Progress | None = None
) -> Iterator[Result | Omission | UserError]:
    """Run every system on every benchmark that it is meant for, benchmark after benchmark.

    Yields:
        A result; or why the system cannot be measured there; or the error that stopped it.
    """
    pairs = [(b, s) for b in benchmarks for s in systems if not s.tasks or b.task in s.tasks]
    total = sum(len(benchmark.items) for benchmark, _ in pairs)
    done = 0
    for benchmark, system in pairs:
        reason = system.lacks(benchmark.task)
        if reason:
            yield Omission(system=system.name, variant=system.variant, benchmark=benchmark.name, reason=reason)
        else:
            count = len(benchmark.items)
            counted = system if progress is None else _counting(system, benchmark.name, progress, done, count, total)
            try:
                yield _measure(benchmark, counted)
            except UserError as error:
                yield error
        done += len(benchmark.items)
        if progress is not None:
            progress(f"{benchmark.name}, {system.name}", done, total)


def clips_of(benchmarks: Sequence[Benchmark]) -> list[Clip]:
    """Every clip that the benchmarks show, streams excepted, once each."""
    items = [item for benchmark in benchmarks if benchmark.task != "stream" for item in benchmark.items]
    return list(dict.fromkeys(c for item in items for c in (item.clip, *item.candidates) if c is not None))


def _measure(benchmark: Benchmark, system: System) -> Result:
    reason = system.lacks(benchmark.task)
    if reason:
        raise UserError(f"{benchmark.name}: {system.name} is left out: {reason}")
    return MEASURES[benchmark.task](benchmark, system)


def _counting(system: System, name: str, progress: Progress, before: int, count: int, total: int) -> System:
    """The system, telling of every batch; candidates of world models come after the items and are not counted."""
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done = min(done + more, count)
        progress(f"{name}, {system.name}", before + done, total)

    def embed_clips(clips: list[Clip], queries: list[str]) -> Embeddings:
        rows = system.embed_clips(clips, queries)
        tell(len(clips))
        return rows

    def embed_stream(path: str, rate_hz: float, query: str) -> tuple[Sequence[float], Embeddings]:
        assert system.embed_stream is not None
        found = system.embed_stream(path, rate_hz, query)
        tell(1)
        return found

    def rank_candidates(clips: list[Clip], queries: list[str], candidates: list[Sequence[str]]) -> list[np.ndarray]:
        assert system.rank_candidates is not None
        scores = system.rank_candidates(clips, queries, candidates)
        tell(len(clips))
        return scores

    def caption_clips(clips: list[Clip], queries: list[str]) -> list[str]:
        assert system.caption_clips is not None
        texts = system.caption_clips(clips, queries)
        tell(len(clips))
        return texts

    return replace(
        system,
        embed_clips=embed_clips,
        embed_stream=embed_stream,
        rank_candidates=system.rank_candidates and rank_candidates,
        caption_clips=system.caption_clips and caption_clips,
    )
