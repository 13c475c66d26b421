"""A model as a system under evaluation, with features that are computed once for the whole run."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vljepa.api import Model
from vljepa.evaluation.features import Features
from vljepa.evaluation.system import System
from vljepa.model.bulk import embed_windows
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.token_api import TokenModel
from vljepa.types import Clip

_TEXTS = 1024
"""Texts that are encoded together: more would only take more memory."""


def model_system(model: Model, features: Features, *, name: str, about: str = "") -> System:
    """VL-JEPA or the dual encoder as a system.

    Args:
        features: of this model, or of another with the same X-Encoder.
    """
    network = model.network

    def embed_clips(clips: list[Clip], queries: list[str]) -> Tensor:
        embedded = torch.empty(len(clips), network.config.embed_dim)
        for rows, tokens in features.tokens(clips):
            with torch.inference_mode():
                embedded[rows] = network.predict(tokens, [queries[row] for row in rows])
        return embedded

    def embed_stream(path: str, rate_hz: float, query: str) -> tuple[Sequence[float], Embeddings]:
        times, parts = features.stream(path, rate_hz)
        return full_windows(times, embed_windows(network, parts, query), network.config.x_encoder.num_frames)

    def decode(rows: Embeddings) -> list[str]:
        return network.decode(torch.from_numpy(np.asarray(rows)))

    return System(
        name=name,
        about=about,
        embed_clips=embed_clips,
        encode_text=in_parts(model.encode_text),
        decode=decode if network.y_decoder is not None else None,
        embed_stream=embed_stream,
    )


def token_vlm_system(model: TokenModel, features: Features, *, name: str, about: str = "") -> System:
    """A token-space VLM as a system: it ranks texts by perplexity, and writes greedily.

    Args:
        features: of this model, or of another with the same X-Encoder.
    """

    def rank_candidates(clips: list[Clip], queries: list[str], candidates: list[Sequence[str]]) -> list[np.ndarray]:
        scores = [np.empty(0)] * len(clips)
        for rows, tokens in features.tokens(clips):
            found = model.rank(tokens, [queries[row] for row in rows], [candidates[row] for row in rows])
            for row, one in zip(rows, found, strict=True):
                scores[row] = one
        return scores

    def caption_clips(clips: list[Clip], queries: list[str]) -> list[str]:
        texts = [""] * len(clips)
        for rows, tokens in features.tokens(clips):
            for row, text in zip(rows, model.write(tokens, [queries[row] for row in rows]), strict=True):
                texts[row] = text
        return texts

    return System(name=name, about=about, rank_candidates=rank_candidates, caption_clips=caption_clips)


def with_training_texts(system: System, texts: Sequence[str]) -> System:
    """The same predictions, said in the nearest of the training texts instead of by the Y-Decoder: captions alone."""
    known: list[np.ndarray] = []

    def decode(rows: Embeddings) -> list[str]:
        if not known:
            known.append(unit_rows(system.encode_text(list(texts))))
        return [texts[i] for i in (unit_rows(rows) @ known[0].T).argmax(axis=1)]

    return replace(system, variant="nearest training text", tasks=("caption",), decode=decode)


def in_parts(encode_text: Callable[[list[str]], Tensor]) -> EncodeText:
    """Text encoding that takes any number of texts without taking memory for all of them."""

    def encode(texts: list[str]) -> Tensor:
        with torch.inference_mode():
            return torch.cat([encode_text(texts[i : i + _TEXTS]) for i in range(0, len(texts), _TEXTS)])

    return encode


def full_windows(times: Sequence[float], embeddings: Embeddings, num_frames: int) -> tuple[Sequence[float], Embeddings]:
    """Whole windows alone, each at its middle: where a recording is at hand, an embedding belongs there.

    Live, an embedding is known at its window's end, half a window later. A stream shorter than a window is kept.

    Args:
        times: (T,) seconds at which windows end.
        embeddings: (T, E).
        num_frames: frames of a window.
    """
    first = min(num_frames, len(times)) - 1
    middles = [(times[i - first] + times[i]) / 2 for i in range(first, len(times))]
    return middles, embeddings[first:]
