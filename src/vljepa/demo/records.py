"""What the demo finds: plain records that the summary prints and the page shows."""

from dataclasses import dataclass

import numpy as np

from vljepa.evaluation.selective import Sweep
from vljepa.types import Event


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Something the model said."""

    asked: str
    """What was wanted: ``caption``, a question, a set of labels."""
    said: str
    truth: str | None = None
    """None where nobody knows it: on a user's own video."""
    right: bool | None = None
    note: str = ""
    """More on it, such as what exactly is wrong."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One clip and what was said of it."""

    name: str
    strip: np.ndarray
    """Frames across the clip, (F, S, S, 3) uint8."""
    answers: tuple[Answer, ...]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many of all were right, not only of those shown."""

    what: str
    right: int
    of: int
    chance: float | None = None
    """Share right by guessing; None where guessing has no meaning."""

    @property
    def share(self) -> float:
        return self.right / self.of


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing the model does."""

    title: str
    explanation: str
    examples: tuple[Example, ...]
    tallies: tuple[Tally, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A clip that was found."""

    strip: np.ndarray
    """Frames across the clip, (F, S, S, 3) uint8."""
    truth: str
    """What the clip shows."""
    right: bool
    score: float
    """Cosine similarity with the text."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A text and the best clips for it."""

    text: str
    hits: tuple[Hit, ...]
    rank: int
    """Place of the clip the text was written for, 1 at best."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """Text-to-video search over a pool of clips."""

    found: tuple[Found, ...]
    tallies: tuple[Tally, ...]
    pool: int
    """Clips searched."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One decoded stretch of a stream beside what really happened in it."""

    event: Event
    frame: np.ndarray
    """The frame at its middle, (S, S, 3) uint8."""
    truth: tuple[tuple[float, str], ...] = ()
    """Annotations within it: seconds and text."""
    right: bool | None = None
    """Whether it says what one of them says; None if there is none, or no truth at all."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A stream as it was watched: where its meaning moved, and where it was decoded."""

    times: np.ndarray
    """(T,) seconds."""
    variance: np.ndarray
    """(T,) spread of the embeddings over the policy's window, 0 to 1."""
    threshold: float
    """Variance above which the stream is decoded."""
    told: tuple[Told, ...]
    duration: float
    """Seconds watched."""


@dataclass(frozen=True, kw_only=True)
class Economy:
    """Selective decoding against uniform decoding, on one stream."""

    decodings: int
    """By the online rule."""
    cider: float
    """CIDEr-D of what it said, against the annotations."""
    uniform: float | None
    """Decodings at equal intervals that first reach that score, interpolated; None where none of those tried does."""
    most: int
    """The most uniform decodings that were tried."""
    sweep: Sweep
    hindsight: float
    """How many times fewer Ward segments match decoding once a second; 0 where none do."""
    annotations: int
    right: int
    """Annotated actions told right, in action and things."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a video is like the training world, and what the model says of it."""

    name: str
    p_value: float
    familiar: bool
    strip: np.ndarray
    """Frames across the video, (F, S, S, 3) uint8."""
    caption: str


@dataclass(frozen=True, kw_only=True)
class Familiarity:
    """The familiarity score on clips of the training world, and on what is not."""

    p_values: np.ndarray
    """(n,), one a held-out clip of the training world."""
    flagged: int
    """How many of them were called unlike by mistake."""
    unlike: tuple[Verdict, ...]


@dataclass(frozen=True, kw_only=True)
class WorldReport:
    """All parts on the synthetic world."""

    model: str
    description: Part
    """Captions and questions."""
    labels: Part
    search: Search
    forecast: Part
    watched: Watched
    economy: Economy
    familiarity: Familiarity


@dataclass(frozen=True, kw_only=True)
class OwnReport:
    """All parts on a user's video."""

    model: str
    verdict: Verdict
    part: Part
    watched: Watched | None
    """None for a still image."""
    cut: bool
    """Whether only the beginning was watched as a stream."""


Report = WorldReport | OwnReport
