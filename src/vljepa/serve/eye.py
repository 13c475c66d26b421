"""What the model makes of a stream, instant by instant. Runs on the model's thread, but for the settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import UInt8

from vljepa.model.window import SlidingWindow
from vljepa.serve.engine import Engine, Look
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import label_embeddings, ranked
from vljepa.tasks.stream import OnlineDecoder, StreamPolicy
from vljepa.types import Event, Scored


@dataclass(frozen=True, kw_only=True)
class Instant:
    """What one frame gives rise to."""

    variance: float
    threshold: float
    scores: list[Scored]
    """The labels, in their order."""
    event: Event | None
    """The segment whose end has become certain; ``ranked`` holds the labels, best first."""
    familiarity: float | None
    """Told once, when the first window is full: as ``Model.familiarity``."""


class Eye:
    """The window over a stream, its decoder and its labels.

    Args:
        query: asked at every instant.
    """

    def __init__(self, engine: Engine, query: str, policy: StreamPolicy) -> None:
        self._engine = engine
        self._query = query
        self._window = SlidingWindow(engine.network)
        self._decoder = OnlineDecoder(self._decode, policy)
        self._labels: tuple[list[str], np.ndarray] = [], np.empty((0, engine.network.config.embed_dim), np.float32)
        self._ranked: tuple[Scored, ...] = ()
        # None once their familiarity is told.
        self._first_frames: list[np.ndarray] | None = []

    @property
    def labels(self) -> list[str]:
        return list(self._labels[0])

    @property
    def num_decodings(self) -> int:
        return self._decoder.num_decodings

    @property
    def threshold(self) -> float:
        """Variance at which it decodes at this instant."""
        return self._decoder.threshold

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        self._decoder.policy = replace(self._decoder.policy, threshold=threshold)

    def set_labels(self, labels: Sequence[str]) -> None:
        """Tell these labels apart from now on.

        Raises:
            UserError: one is blank or given twice.
        """
        rows = label_embeddings(labels, self._engine.model.encode_text) if labels else self._labels[1][:0]
        # At once, as other threads read both.
        self._labels = list(labels), rows

    def see(self, time: float, frame: UInt8[np.ndarray, "S S 3"]) -> Instant:
        """Take the next frame; ``time`` in seconds."""
        self._window.push(torch.from_numpy(frame.copy()))
        embedding = self._window.embed([self._query])[0].cpu().numpy()
        event = self._told(self._decoder.push(time, embedding))
        labels, rows = self._labels
        return Instant(
            variance=self._decoder.variance(),
            threshold=self.threshold,
            scores=[Scored(text=t, score=float(s)) for t, s in zip(labels, rows @ embedding, strict=True)],
            event=event,
            familiarity=self._judge(frame),
        )

    def finish(self) -> Event | None:
        """Close the open segment."""
        return self._told(self._decoder.finish())

    def answer(self, question: str, choices: Sequence[str]) -> list[Scored]:
        """Answers to a question on the window as it is now, best first.

        Raises:
            UserError: no frame has come in yet; choices are blank or repeated; or there are none and no Y-Decoder.
        """
        embedded = self._window.embed([question]).cpu().numpy()
        if choices:
            return answer(embedded, [choices], self._engine.model.encode_text)[0]
        return self._engine.write(embedded)

    def _told(self, event: Event | None) -> Event | None:
        return event and replace(event, ranked=self._ranked)

    def _decode(self, embedding: np.ndarray) -> tuple[str, float]:
        labels, rows = self._labels
        self._ranked = tuple(ranked(labels, rows @ embedding))
        text = self._engine.write(embedding[None])[0] if self._engine.writes else self._ranked[0]
        return text.text, text.score

    def _judge(self, frame: np.ndarray) -> float | None:
        if self._first_frames is None:
            return None
        self._first_frames.append(frame)
        if len(self._first_frames) < self._engine.network.config.x_encoder.num_frames:
            return None
        (seen,) = self._engine.look([Look(frames=np.stack(self._first_frames))])
        self._first_frames = None
        return seen.familiarity
