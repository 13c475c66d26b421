"""Nearest neighbour on frozen features: what the X-Encoder alone can do, without any training."""

from collections.abc import Callable, Sequence

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.system import System
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.types import Clip


def nearest_neighbour(
    visual: Embeddings,
    queries: Sequence[str],
    targets: Sequence[str],
    pool_clips: Callable[[list[Clip]], Embeddings],
    encode_text: EncodeText,
) -> System:
    """A system that answers with the target of the nearest training sample.

    Nearest is largest cosine of the visual features plus cosine of the query embeddings; what it predicts is the text
    embedding of that sample's target, and its captions are nearest training texts.

    Args:
        visual: (n, D) pooled frozen features of training clips.
        queries: n queries of those samples.
        targets: n target texts.
        pool_clips: clips to the same pooled features, (m, D).
        encode_text: an untrained text encoder, texts to (m, E).

    Raises:
        UserError: no training sample, or numbers of features, queries and targets differ.
    """
    if not len(visual) == len(queries) == len(targets) or not len(targets):
        raise UserError(
            f"nearest neighbour: {len(visual)} features, {len(queries)} queries, {len(targets)} targets; "
            "give as many of each, and at least one"
        )
    known = unit_rows(visual)
    known_queries, query_rows = _distinct(queries)
    query_embeddings = _encode_with_empty(known_queries, encode_text)
    known_targets, target_rows = _distinct(targets)
    target_embeddings = unit_rows(encode_text(known_targets))

    def embed_clips(clips: list[Clip], asked: list[str]) -> np.ndarray:
        distinct, rows = _distinct(asked)
        alike = _encode_with_empty(distinct, encode_text) @ query_embeddings.T
        scores = unit_rows(pool_clips(clips)) @ known.T + alike[rows][:, query_rows]
        return target_embeddings[target_rows[scores.argmax(axis=1)]]

    def decode(embeddings: Embeddings) -> list[str]:
        nearest = (unit_rows(embeddings) @ target_embeddings.T).argmax(axis=1)
        return [known_targets[i] for i in nearest]

    return System(name="nearest neighbour", embed_clips=embed_clips, encode_text=encode_text, decode=decode)


def _distinct(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    distinct = list(dict.fromkeys(texts))
    row_of = {text: row for row, text in enumerate(distinct)}
    return distinct, np.array([row_of[text] for text in texts])


def _encode_with_empty(texts: list[str], encode_text: EncodeText) -> np.ndarray:
    """Unit embeddings in which the empty query is like itself alone: one more dimension stands for it."""
    rows = unit_rows(encode_text([text or "." for text in texts]))
    empty = np.array([[0.0 if text else 1.0] for text in texts], dtype=np.float32)
    return np.concatenate([rows * (1 - empty), empty], axis=1)
