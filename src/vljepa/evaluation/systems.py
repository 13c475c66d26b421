"""A model as a system under evaluation, with features that are computed once for the whole run."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vljepa.api import Model
from vljepa.config import to_json
from vljepa.distributed import share
from vljepa.evaluation.features import Features
from vljepa.evaluation.system import System
from vljepa.model.bulk import embed_windows
from vljepa.model.fingerprint import fingerprint
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.token_api import TokenModel
from vljepa.types import Clip

_TEXTS = 256
"""Texts that are encoded, or embeddings that are decoded, together: the share of a rank is so many at least."""


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
                predicted = network.predict(tokens.to(network.device), [queries[row] for row in rows])
                embedded[rows] = predicted.cpu()
        return embedded

    def embed_stream(path: str, rate_hz: float, query: str) -> tuple[Sequence[float], Embeddings]:
        times, parts = features.stream(path, rate_hz)
        rows = embed_windows(network, parts.to(network.device), query).cpu()
        return full_windows(times, rows, network.config.x_encoder.num_frames)

    def decode(rows: Embeddings) -> list[str]:
        parts = torch.from_numpy(np.asarray(rows)).to(network.device).split(_TEXTS)
        return [text for some in share(network.decode, parts) for text in some]

    return System(
        name=name,
        about=about,
        fingerprint=" ".join(
            [fingerprint(network), features.fingerprint, json.dumps(to_json(network.config), sort_keys=True)]
        ),
        prepare=features.prepare,
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

    return System(
        name=name,
        about=about,
        prepare=features.prepare,
        rank_candidates=rank_candidates,
        caption_clips=caption_clips,
    )


def with_training_texts(system: System, texts: Sequence[str]) -> System:
    """The same predictions, said in the nearest of the training texts instead of by the Y-Decoder: captions alone."""
    known: list[np.ndarray] = []

    def decode(rows: Embeddings) -> list[str]:
        if not known:
            known.append(unit_rows(system.encode_text(list(texts))))
        return [texts[i] for i in (unit_rows(rows) @ known[0].T).argmax(axis=1)]

    return replace(system, variant="nearest training text", tasks=("caption",), decode=decode)


def in_parts(encode_text: Callable[[list[str]], Tensor]) -> EncodeText:
    """Text encoding that takes any number of texts: in batches that ranks share, and each text but once in all."""
    known: dict[str, np.ndarray] = {}

    def encode_some(texts: list[str]) -> np.ndarray:
        with torch.inference_mode():
            return encode_text(texts).float().cpu().numpy()

    def encode(texts: list[str]) -> np.ndarray:
        new = list(dict.fromkeys(text for text in texts if text not in known))
        parts = [new[i : i + _TEXTS] for i in range(0, len(new), _TEXTS)]
        for some, rows in zip(parts, share(encode_some, parts), strict=True):
            known.update(zip(some, rows, strict=True))
        return np.stack([known[text] for text in texts])

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
