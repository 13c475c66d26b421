"""What an evaluator knows of a model: a few callables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.types import Clip

T = TypeVar("T")

BATCH_SIZE = 64
"""Clips that are asked about together."""
Embed = Callable[[list[Clip], list[str]], Embeddings]
"""Clips and as many queries to predicted embeddings, (n, E); a clip that cannot be read raises UserError."""
Count = Callable[[int, int], None]
"""Progress: done, and in all."""

_WITHOUT_EMBEDDINGS = ("classification", "anticipation", "choice", "caption")
"""Tasks that a system can be measured on that only ranks and writes texts."""


def _no_embeddings(*_: Any) -> NoReturn:
    raise UserError("this system makes no embeddings; measure it on tasks that need none")


@dataclass(frozen=True, kw_only=True)
class System:
    """A model or a baseline under evaluation."""

    name: str
    variant: str = ""
    """How it differs from the system of the same name; empty for that one itself."""
    about: str = ""
    """What it is, in one line for the report."""
    tasks: tuple[str, ...] = ()
    """The tasks it is meant for; empty: all."""
    fingerprint: str = ""
    """Equal ones mean equal embeddings, so that those of an earlier run are good. Empty if they depend on more than
    the clip and the query: then they are neither kept nor shared among ranks."""
    prepare: Callable[[list[Clip], Count | None], None] | None = None
    """What ranks do together before some of them ask about some of these clips."""
    embed_clips: Embed = _no_embeddings
    encode_text: EncodeText = _no_embeddings
    """Texts to embeddings, (n, E)."""
    decode: Callable[[Embeddings], list[str]] | None = None
    """Predicted embeddings (n, E) to texts; None where the system cannot speak."""
    embed_stream: Callable[[str, float, str], tuple[Sequence[float], Embeddings]] | None = None
    """Path, rate in hertz and query to times in seconds (T,) and embeddings (T, E) of a video."""
    rank_candidates: Callable[[list[Clip], list[str], list[Sequence[str]]], list[np.ndarray]] | None = None
    """Of a system without embeddings: clips, as many queries and lists of texts to scores; the best has the highest."""
    caption_clips: Callable[[list[Clip], list[str]], list[str]] | None = None
    """Of a system without embeddings: clips and as many queries to texts."""

    def measures(self, task: str) -> bool:
        """Whether it is meant for a task."""
        return not self.tasks or task in self.tasks

    def lacks(self, task: str) -> str:
        """Why the system cannot be measured on a task; empty if it can."""
        if self.rank_candidates is not None and self.caption_clips is not None:
            return "" if task in _WITHOUT_EMBEDDINGS else "it ranks and writes texts and makes no embeddings"
        if task in ("caption", "stream") and self.decode is None:
            return "it has no Y-Decoder and cannot write text"
        if task == "stream" and self.embed_stream is None:
            return "it embeds clips alone and no streams"
        return ""


def embed_all(system: System, clips: list[Clip], queries: list[str]) -> tuple[np.ndarray, list[int], list[str]]:
    """Embed clips in batches, going on past those that cannot be read.

    Returns:
        Unit embeddings of the good clips (g, E), their positions in ``clips``, and a line for each bad one.

    Raises:
        UserError: not one clip could be read.
    """
    rows, good, bad = run_all(_embedding(system.embed_clips, clips, queries), len(clips))
    return np.stack(rows), good, bad


def embed_batch(embed: Embed, clips: list[Clip], queries: list[str]) -> tuple[np.ndarray, list[int], dict[int, str]]:
    """Embed clips together, going on past those that cannot be read.

    Returns:
        Unit embeddings of the good clips (g, E), their positions in ``clips``, and by position what is wrong with the
        bad ones.
    """
    rows, good, bad = _run(_embedding(embed, clips, queries), list(range(len(clips))))
    return np.stack(rows) if rows else np.empty((0, 0), np.float32), good, bad


def run_all(run: Callable[[list[int]], list[T]], count: int) -> tuple[list[T], list[int], list[str]]:
    """Ask about clips in batches, going on past those that cannot be read.

    Args:
        run: numbers of clips, below ``count``, to a result for each; UserError if one of them cannot be read.

    Returns:
        Results of the good clips, their numbers, and a line for each bad one.

    Raises:
        UserError: not one clip could be read.
    """
    results: list[T] = []
    good: list[int] = []
    bad: list[str] = []
    for first in range(0, count, BATCH_SIZE):
        found, readable, reasons = _run(run, list(range(first, min(first + BATCH_SIZE, count))))
        results += found
        good += readable
        bad += reasons.values()
    if not good:
        raise UserError(f"no clip could be read; the first: {bad[0]}")
    return results, good, bad


def _run(run: Callable[[list[int]], list[T]], batch: list[int]) -> tuple[list[T], list[int], dict[int, str]]:
    try:
        return run(batch), batch, {}
    except UserError:
        # One bad clip refuses the batch: ask for each alone to find it.
        results: list[T] = []
        good: list[int] = []
        bad: dict[int, str] = {}
        for i in batch:
            try:
                results += run([i])
                good.append(i)
            except UserError as error:
                bad[i] = str(error)
        return results, good, bad


def _embedding(embed: Embed, clips: list[Clip], queries: list[str]) -> Callable[[list[int]], list[np.ndarray]]:
    return lambda some: list(unit_rows(embed([clips[i] for i in some], [queries[i] for i in some])))
