"""The summary of an evaluation: a line for each benchmark, the systems side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from vljepa.evaluation.result import HIGH, LOW, Evaluation, Result

SYNTHETIC = "synthetic"
NOTE = (
    "Benchmarks marked synthetic show a made-up world; their figures say nothing about real video. "
    "Intervals are 95 % bootstrap intervals over items, of streams over streams."
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A benchmark, and the results that may be compared on it."""

    benchmark: str
    variant: str
    results: dict[str, Result]
    """Name of a system to its result."""
    reasons: dict[str, str]
    """Name of a system to why it has no result."""

    @property
    def some(self) -> Result:
        """One of the results: what does not depend on the system."""
        return next(iter(self.results.values()))

    @property
    def best(self) -> str | None:
        """Name of the system with the largest value, if it stands out; in every metric here larger is better."""
        first, *rest = sorted(self.results, key=lambda name: -self.results[name].value)
        return first if rest and self.results[first].value > self.results[rest[0]].value else None


def lines(found: Evaluation) -> list[Line]:
    """In the order in which benchmarks were measured; those without any result are left out."""
    keys = dict.fromkeys((result.benchmark, result.variant) for result in found.results)
    return [
        Line(
            benchmark=benchmark,
            variant=variant,
            results={
                name: result
                for name in found.systems
                for result in found.results
                if (result.system, result.benchmark, result.variant) == (name, benchmark, variant)
            },
            reasons={o.system: o.reason for o in found.omissions if (o.benchmark, o.variant) == (benchmark, variant)},
        )
        for benchmark, variant in keys
    ]


def value(result: Result) -> str:
    """The value as printed."""
    return f"{result.value:.3f}"


def interval(result: Result) -> str:
    """The interval as printed."""
    return f"{result.interval[0]:.3f}–{result.interval[1]:.3f}"


def chance(result: Result) -> str:
    """Chance as printed."""
    return "-" if result.chance is None else f"{result.chance:.3f}"


def items(result: Result) -> str:
    """How many items were evaluated as printed, and of how many if the official split has more."""
    short = result.official is not None and result.count < result.official
    return f"{result.count} of {result.official}" if short else str(result.count)


def figure_rows(line_results: Sequence[Result]) -> list[tuple[str, list[str]]]:
    """Further figures of several systems on one benchmark: name, and a cell for each system."""
    names = dict.fromkeys(name for result in line_results for name in result.figures)
    ends = {name + end for name in names for end in (LOW, HIGH)}
    return [(name, [_figure(result.figures, name) for result in line_results]) for name in names if name not in ends]


def _figure(figures: dict[str, float], name: str) -> str:
    """A figure with its interval, if it has one."""
    if name not in figures:
        return "-"
    ends = f" ({figures[name + LOW]:.3f}–{figures[name + HIGH]:.3f})" if name + LOW in figures else ""
    return f"{figures[name]:.3f}{ends}"
