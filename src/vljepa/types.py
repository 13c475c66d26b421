"""Shape legend and the small records that pass between layers.

Shape legend, used in every annotation and docstring:

======== =====================================================================
letter   meaning
======== =====================================================================
B        batch: samples
F        frames of one clip, in order of time
T        time steps of a clip's visual tokens: F, or fewer where the X-Encoder joins frames
H, W     height and width of a frame, pixels
S        side of a square frame, pixels
N        visual tokens of one time step
L        query or text tokens
D        hidden width of a network
E        width of the shared embedding space
======== =====================================================================

Frames are ``uint8`` RGB, ``(F, H, W, 3)``. Times are seconds, rates are hertz.
"""

from dataclasses import dataclass

from jaxtyping import UInt8
from torch import Tensor

from vljepa.clip import Clip as Clip
from vljepa.clip import Member as Member


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A training triplet (X_V, X_Q, Y) of the paper, section 2."""

    id: str
    """Unique within its manifest."""
    clip: Clip
    """X_V."""
    query: str
    """X_Q; empty in query-free pretraining."""
    targets: tuple[str, ...]
    """Y: equivalent target texts, of which a draw is made per epoch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Samples ready for a training step; all clips have the same number of frames."""

    visual_tokens: Tensor
    """(B, T, N, D) features of the frozen X-Encoder, float16 or float32."""
    queries: list[str]
    """B queries, X_Q."""
    targets: list[str]
    """B target texts, Y; equal texts are one another's positives."""

    def __len__(self) -> int:
        return len(self.queries)

    def split(self, size: int) -> list["Batch"]:
        """The samples in order, in batches of ``size``; the last may be smaller."""
        return [
            Batch(
                visual_tokens=self.visual_tokens[start : start + size],
                queries=self.queries[start : start + size],
                targets=self.targets[start : start + size],
            )
            for start in range(0, len(self), size)
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameBatch:
    """Decoded samples; all clips have the same number of frames."""

    frames: UInt8[Tensor, "B F S S 3"]
    """(B, F, S, S, 3) uint8 RGB."""
    queries: list[str]
    """B queries, X_Q."""
    targets: list[str]
    """B target texts, Y."""

    def __len__(self) -> int:
        return len(self.queries)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """A text with its score."""

    text: str
    score: float
    """Cosine similarity to the predicted embedding, in [-1, 1]; by a token-space VLM, log-probability a token, nats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A time span over which an embedding stream means one thing (paper, section 4.6)."""

    start: float
    """Seconds, inclusive."""
    end: float
    """Seconds, exclusive."""
    midpoint: float
    """Time of decoding, seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One decoded stretch of a stream."""

    start: float
    """Seconds."""
    end: float
    """Seconds."""
    text: str
    """The decoded text, or the best of the given labels."""
    score: float
    """Cosine similarity of the text's embedding with the segment's embedding."""
    ranked: tuple[Scored, ...] = ()
    """Of given labels all, with their scores, best first."""
