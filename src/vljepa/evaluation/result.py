"""What an evaluation finds."""

from dataclasses import dataclass, field

LOW, HIGH = ", 2.5 %", ", 97.5 %"
"""What is added to a figure's name for the ends of its 95 % bootstrap interval."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One item's outcome, for the report."""

    id: str
    media: str
    """Path of the video or image; empty for text alone."""
    start: float | None = None
    """Start of the clip inside the media, seconds; None is its beginning."""
    end: float | None = None
    """End of the clip inside the media, seconds; None is its end."""
    question: str = ""
    expected: str
    found: str
    score: float
    """1 or 0 for right or wrong; CIDEr-D for captions."""


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Mean CIDEr-D of a stream benchmark at one rate of decoding."""

    method: str
    rate_hz: float
    """Decodings a second, as realised."""
    cider: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """One system on one benchmark."""

    system: str
    variant: str = ""
    """How it differs from the system of that name."""
    benchmark: str
    task: str
    metric: str
    value: float
    interval: tuple[float, float]
    """95 % bootstrap interval over items (streams: over streams)."""
    chance: float | None
    count: int
    """Items evaluated."""
    official: int | None = None
    """Items of the official split, where the benchmark was made from one."""
    left_out: list[str]
    """A line for each item that could not be used."""
    synthetic: bool
    """The benchmark's world is made up; the figure says nothing about real video."""
    paper: float | None = None
    """The paper's figure, where it has this benchmark."""
    figures: dict[str, float] = field(default_factory=dict)
    """Further figures of the same run, groups of items among them."""
    outcomes: list[Outcome] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)
    """``stream`` only."""

    def figure(self, name: str) -> float:
        """One by its name: a benchmark says which of its figures is its value, the others stand beside it."""
        return {**self.figures, self.metric: self.value}[name]


@dataclass(frozen=True, kw_only=True)
class Omission:
    """A benchmark on which a system is not measured."""

    system: str
    variant: str = ""
    benchmark: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All of a run."""

    systems: dict[str, str]
    """Name of each system to what it is, in the order of the report's columns."""
    results: list[Result] = field(default_factory=list)
    omissions: list[Omission] = field(default_factory=list)
