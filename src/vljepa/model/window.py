"""The window over a running stream: each frame passes the X-Encoder once, any number of questions ask its tokens."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vljepa.errors import UserError
from vljepa.model.bulk import window_parts, window_tokens
from vljepa.model.vljepa import VLJEPA


@dataclass(kw_only=True)
class StreamStats:
    """What a stream's work was spent on, seconds; measured as it runs."""

    windows: int = 0
    """Instants at which an embedding was predicted."""
    encode: float = 0.0
    """X-Encoder."""
    predict: float = 0.0
    """Predictor."""
    text: float = 0.0
    """Y-Decoder and Y-Encoder."""

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Count the time of the body to ``encode``, ``predict`` or ``text``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, part, getattr(self, part) + time.perf_counter() - began)


class SlidingWindow:
    """The last ``num_frames`` frames of a stream as visual tokens.

    An X-Encoder that sees frames one by one sees each once, when it comes in. One that joins them (V-JEPA 2) sees the
    whole window, and only where it is asked for: once between two frames, however many questions there are.

    Args:
        network: the model.
        stats: counts the time taken.
    """

    def __init__(self, network: VLJEPA, stats: StreamStats | None = None) -> None:
        self.stats = stats or StreamStats()
        self._network = network
        self._count = network.config.x_encoder.num_frames
        self._parts: deque[Tensor] = deque(maxlen=self._count)
        self._tokens: Tensor | None = None

    def __len__(self) -> int:
        """Frames in the window: ``num_frames`` once it is full."""
        return len(self._parts)

    @torch.inference_mode()
    def push(self, frame: UInt8[Tensor, "S S 3"]) -> None:
        """Take the next frame."""
        with self.stats.timing("encode"):
            self._parts.append(window_parts(self._network, frame[None]))
        self._tokens = None

    @torch.inference_mode()
    def embed(self, queries: Sequence[str]) -> Float[Tensor, "Q E"]:
        """Predicted embeddings of the window as it is now, one unit vector for each of the queries.

        Raises:
            UserError: no frame has come in yet, or there is no query.
        """
        if not self._parts or not queries:
            raise UserError("stream: nothing to embed; give at least one frame and one query")
        if self._tokens is None:
            with self.stats.timing("encode"):
                # Until the window is full its first frame stands for what came before.
                parts = [self._parts[0]] * (self._count - len(self._parts)) + list(self._parts)
                self._tokens = window_tokens(self._network, torch.stack(parts, dim=1))
            self.stats.windows += 1
        with self.stats.timing("predict"):
            tokens = self._tokens.expand(len(queries), -1, -1, -1)
            predicted: Tensor = self._network.predict(tokens, list(queries))
        return predicted
