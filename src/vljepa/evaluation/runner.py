"""Evaluate systems on benchmark folders.

Under torchrun every rank runs this. They share what takes time, the embedding of clips, streams and texts and the
decoding; the rest each of them does for itself, and all find the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vljepa.distributed import world_size
from vljepa.errors import UserError
from vljepa.evaluation.benchmark import Benchmark, read_benchmark
from vljepa.evaluation.embedding_cache import Asked, EmbeddingCache
from vljepa.evaluation.measure import MEASURES, candidate_query, candidates_of
from vljepa.evaluation.measured import queries_of
from vljepa.evaluation.result import Omission, Result
from vljepa.evaluation.system import System
from vljepa.progress import Tell
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


def embedded(
    benchmarks: Sequence[Benchmark], systems: Sequence[System], cache: Path, tell: Tell | None = None
) -> list[System]:
    """The systems, with every clip of the benchmarks embedded once for each of its queries.

    What a system of the same fingerprint has embedded before, in a run that was stopped or in another, is found again.

    Args:
        cache: folder of embeddings and features, the same for all ranks.
        tell: progress.
    """

    def counted(stage: str, what: str = "") -> Callable[[int, int], None] | None:
        return None if tell is None else lambda done, total: tell(stage, what, done, total)

    found = []
    for system in systems:
        ready = [b for b in benchmarks if system.measures(b.task) and not system.lacks(b.task)]
        asked = list(dict.fromkeys(pair for benchmark in ready for pair in asked_of(benchmark)))

        def prepare(clips: list[Clip], system: System = system) -> None:
            if system.prepare is not None:
                system.prepare(clips, counted("features of clips"))

        if system.fingerprint:
            progress = counted("embedding", system.name)
            stored = EmbeddingCache.build(cache, system.fingerprint, asked, system.embed_clips, prepare, progress)
            system = replace(system, embed_clips=stored.read)
        else:
            prepare(list(dict.fromkeys(clip for clip, _ in asked)))
        found.append(system)
    return found


def evaluate_all(
    benchmarks: Sequence[Benchmark], systems: Sequence[System], progress: Progress | None = None
) -> Iterator[Result | Omission | UserError]:
    """Run every system on every benchmark that it is meant for, benchmark after benchmark.

    Yields:
        A result; or why the system cannot be measured there; or the error that stopped it.
    """
    pairs = [(b, s) for b in benchmarks for s in systems if s.measures(b.task)]
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


def asked_of(benchmark: Benchmark) -> list[Asked]:
    """What is embedded for a benchmark, clips with their queries; of streams nothing, they are no clips."""
    if benchmark.task == "stream":
        return []
    items = zip(benchmark.items, queries_of(benchmark), strict=True)
    asked = [(item.clip, query) for item, query in items if item.clip is not None]
    return asked + [(clip, candidate_query(benchmark)) for clip in candidates_of(benchmark)]


def clips_of(benchmarks: Sequence[Benchmark]) -> list[Clip]:
    """Every clip that the benchmarks show, streams excepted, once each."""
    return list(dict.fromkeys(clip for benchmark in benchmarks for clip, _ in asked_of(benchmark)))


def with_templates(benchmark: Benchmark, templates: Sequence[str]) -> Benchmark:
    """The benchmark with other prompts for its classes; their embeddings are averaged.

    Raises:
        UserError: a template lacks the place of the class, ``{}``.
    """
    for template in templates:
        if "{}" not in template:
            raise UserError(f"template {template!r}: it needs the place of the class, {{}}")
    return replace(benchmark, info={**benchmark.info, "templates": list(templates)})


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
        # The other ranks are taken to be as fast.
        tell(world_size() if system.fingerprint else 1)
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
