"""What an evaluator knows of a model: a few callables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.types import Clip

BATCH_SIZE = 64
"""Clips that are embedded together."""
Embed = Callable[[list[Clip], list[str]], Embeddings]
"""Clips and as many queries to predicted embeddings, (n, E); a clip that cannot be read raises UserError."""
Count = Callable[[int, int], None]
"""Progress: done, and in all."""


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
    """What ranks do together before ``embed_clips`` is called for some of these clips by some of them."""
    embed_clips: Embed
    encode_text: EncodeText
    """Texts to embeddings, (n, E)."""
    decode: Callable[[Embeddings], list[str]] | None = None
    """Predicted embeddings (n, E) to texts; None where the system cannot speak."""
    embed_stream: Callable[[str, float, str], tuple[Sequence[float], Embeddings]] | None = None
    """Path, rate in hertz and query to times in seconds (T,) and embeddings (T, E) of a video."""

    def measures(self, task: str) -> bool:
        """Whether it is meant for a task."""
        return not self.tasks or task in self.tasks

    def lacks(self, task: str) -> str:
        """Why the system cannot be measured on a task; empty if it can."""
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
    parts: list[np.ndarray] = []
    good: list[int] = []
    bad: list[str] = []
    for first in range(0, len(clips), BATCH_SIZE):
        some = slice(first, first + BATCH_SIZE)
        rows, readable, reasons = embed_batch(system.embed_clips, clips[some], queries[some])
        parts += [rows] if readable else []
        good += [first + i for i in readable]
        bad += reasons.values()
    if not good:
        raise UserError(f"no clip could be read; the first: {bad[0]}")
    return np.concatenate(parts), good, bad


def embed_batch(embed: Embed, clips: list[Clip], queries: list[str]) -> tuple[np.ndarray, list[int], dict[int, str]]:
    """Embed clips together, going on past those that cannot be read.

    Returns:
        Unit embeddings of the good clips (g, E), their positions in ``clips``, and by position what is wrong with the
        bad ones.
    """
    try:
        return unit_rows(embed(clips, queries)), list(range(len(clips))), {}
    except UserError:
        # One bad clip refuses the batch: ask for each alone to find it.
        rows: list[np.ndarray] = []
        good: list[int] = []
        bad: dict[int, str] = {}
        for i, (clip, query) in enumerate(zip(clips, queries, strict=True)):
            try:
                rows.append(unit_rows(embed([clip], [query])))
                good.append(i)
            except UserError as error:
                bad[i] = str(error)
        return np.concatenate(rows) if rows else np.empty((0, 0), np.float32), good, bad
