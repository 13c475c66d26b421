"""What an evaluator knows of a model: a few callables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, unit_rows
from vljepa.types import Clip


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
    embed_clips: Callable[[list[Clip], list[str]], Embeddings]
    """Clips and as many queries to predicted embeddings, (n, E); a clip that cannot be read raises UserError."""
    encode_text: Callable[[list[str]], Embeddings]
    """Texts to embeddings, (n, E)."""
    decode: Callable[[Embeddings], list[str]] | None = None
    """Predicted embeddings (n, E) to texts; None where the system cannot speak."""
    embed_stream: Callable[[str, float, str], tuple[Sequence[float], Embeddings]] | None = None
    """Path, rate in hertz and query to times in seconds (T,) and embeddings (T, E) of a video."""

    def lacks(self, task: str) -> str:
        """Why the system cannot be measured on a task; empty if it can."""
        if task in ("caption", "stream") and self.decode is None:
            return "it has no Y-Decoder and cannot write text"
        if task == "stream" and self.embed_stream is None:
            return "it embeds clips alone and no streams"
        return ""


def embed_all(
    system: System, clips: list[Clip], queries: list[str], batch_size: int = 64
) -> tuple[np.ndarray, list[int], list[str]]:
    """Embed clips in batches, going on past those that cannot be read.

    Returns:
        Unit embeddings of the good clips (g, E), their positions in ``clips``, and a line for each bad one.

    Raises:
        UserError: not one clip could be read.
    """
    parts: list[np.ndarray] = []
    good: list[int] = []
    bad: list[str] = []
    for first in range(0, len(clips), batch_size):
        batch = list(range(first, min(first + batch_size, len(clips))))
        try:
            parts.append(unit_rows(system.embed_clips([clips[i] for i in batch], [queries[i] for i in batch])))
            good += batch
        except UserError:
            # One bad clip refuses the batch: ask for each alone to find it.
            for i in batch:
                try:
                    parts.append(unit_rows(system.embed_clips([clips[i]], [queries[i]])))
                    good.append(i)
                except UserError as error:
                    bad.append(str(error))
    if not good:
        raise UserError(f"no clip could be read; the first: {bad[0]}")
    return np.concatenate(parts), good, bad
