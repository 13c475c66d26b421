"""Nearest neighbour on frozen features: what the X-Encoder alone can do, without any training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.system import System
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.types import Clip

QUERY_WEIGHT = 1.0
"""Weight of the queries' cosine beside the clips' own."""
_CHUNK = 64
"""Rows that are compared with all training samples together."""


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Training samples whose clips all have the same number of frames."""

    visual: Embeddings
    """(clips, K) descriptions of the distinct clips."""
    clip_of: Sequence[int]
    """The clip of each sample, an index into ``visual``."""
    queries: Sequence[str]
    """The query of each sample."""
    targets: Sequence[str]
    """A target text of each sample."""

    def __post_init__(self) -> None:
        if not len(self.clip_of) == len(self.queries) == len(self.targets) or not len(self.targets):
            raise UserError(
                f"nearest neighbour: {len(self.clip_of)} clips, {len(self.queries)} queries, "
                f"{len(self.targets)} targets; give as many of each, and at least one"
            )


def nearest_neighbour(
    training: Mapping[int, TrainingSet],
    describe: Callable[[list[Clip]], list[tuple[list[int], int, Embeddings]]],
    encode_text: EncodeText,
    describe_stream: Callable[[str, float], tuple[Sequence[float], int, Embeddings]] | None = None,
    about: str = "",
) -> System:
    """A system that answers with the target of the nearest training sample.

    Nearest is largest cosine of the visual descriptions plus that of the query embeddings; what it predicts is the
    text embedding of that sample's target. It says the training text whose embedding is nearest, among those that it
    has predicted in this run: for a single prediction that is the sample's own target.

    Args:
        training: number of frames to the training samples of so many frames.
        describe: clips to descriptions: positions among the clips, number of frames, and (rows, K) as ``training``'s.
        encode_text: an untrained text encoder, texts to (m, E).
        describe_stream: path and rate in hertz to times in seconds, number of frames and (instants, K).
    """
    memories = {frames: _Memory(samples, encode_text) for frames, samples in training.items()}
    said = _Said(encode_text)

    def memory_of(num_frames: int) -> "_Memory":
        if num_frames not in memories:
            raise UserError(f"nearest neighbour: no training clip has {num_frames} frames")
        return memories[num_frames]

    def embed_clips(clips: list[Clip], queries: list[str]) -> np.ndarray:
        texts = [""] * len(clips)
        for rows, num_frames, visual in describe(clips):
            for row, text in zip(rows, memory_of(num_frames).nearest(visual, [queries[r] for r in rows]), strict=True):
                texts[row] = text
        return said.embed(texts)

    def embed_stream(path: str, rate_hz: float, query: str) -> tuple[Sequence[float], np.ndarray]:
        assert describe_stream is not None
        times, num_frames, visual = describe_stream(path, rate_hz)
        return times, said.embed(memory_of(num_frames).nearest(visual, [query] * len(visual)))

    return System(
        name="nearest neighbour",
        about=about,
        embed_clips=embed_clips,
        encode_text=encode_text,
        decode=said.decode,
        embed_stream=None if describe_stream is None else embed_stream,
    )


class _Memory:
    """Training samples ready for comparison."""

    def __init__(self, samples: TrainingSet, encode_text: EncodeText) -> None:
        self._visual = unit_rows(samples.visual)
        self._clip_of = np.asarray(samples.clip_of)
        self._targets = samples.targets
        self._encode_text = encode_text
        known, self._query_of = _distinct(samples.queries)
        self._queries = _encode_with_empty(known, encode_text)

    def nearest(self, visual: Embeddings, queries: Sequence[str]) -> list[str]:
        """The target of the nearest sample for each description (m, K) with its query."""
        rows = unit_rows(visual)
        asked, query_of = _distinct(queries)
        # (asked, samples): the same for every clip that is asked the same.
        alike = QUERY_WEIGHT * (_encode_with_empty(asked, self._encode_text) @ self._queries.T)[:, self._query_of]
        found: list[str] = []
        for first in range(0, len(rows), _CHUNK):
            some = slice(first, first + _CHUNK)
            scores = (rows[some] @ self._visual.T)[:, self._clip_of] + alike[query_of[some]]
            found += [self._targets[i] for i in scores.argmax(axis=1)]
        return found


class _Said:
    """Texts predicted so far with their embeddings; only these are ever encoded, not the whole training set."""

    def __init__(self, encode_text: EncodeText) -> None:
        self._encode_text = encode_text
        self._rows: dict[str, np.ndarray] = {}

    def embed(self, texts: list[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if new:
            self._rows.update(zip(new, unit_rows(self._encode_text(new)), strict=True))
        return np.stack([self._rows[text] for text in texts])

    def decode(self, embeddings: Embeddings) -> list[str]:
        texts = list(self._rows)
        known = np.stack(list(self._rows.values()))
        return [texts[i] for i in (unit_rows(embeddings) @ known.T).argmax(axis=1)]


def _distinct(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    distinct = list(dict.fromkeys(texts))
    row_of = {text: row for row, text in enumerate(distinct)}
    return distinct, np.array([row_of[text] for text in texts])


def _encode_with_empty(texts: list[str], encode_text: EncodeText) -> np.ndarray:
    """Unit embeddings in which the empty query is like itself alone: one more dimension stands for it."""
    rows = unit_rows(encode_text([text or "." for text in texts]))
    empty = np.array([[0.0 if text else 1.0] for text in texts], dtype=np.float32)
    return np.concatenate([rows * (1 - empty), empty], axis=1)
