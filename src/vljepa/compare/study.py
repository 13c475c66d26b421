"""A whole comparison: learning rates first, then every model over all seeds, then with more and fewer wordings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vljepa.compare.points import Point, Progress, measure_all
from vljepa.compare.setting import Comparison
from vljepa.compare.tuning import Trial, trials, tuned


@dataclass(frozen=True, kw_only=True)
class Study:
    """What was found."""

    comparison: Comparison
    """With the rates that were chosen."""
    trials: list[Trial]
    points: list[Point]
    by_wordings: dict[int, list[Point]]
    """Wordings of a fact in training -> points of VL-JEPA and the VLM, of the first seed."""


def study(comparison: Comparison, wordings: Sequence[int] = (), progress: Progress | None = None) -> Study:
    """Train and measure all that is not there yet.

    Args:
        wordings: counts of wordings a fact, each of which the two models are trained with once more.

    Raises:
        UserError: the data lack the benchmarks, or a folder holds runs with other settings.
    """
    tried = trials(comparison, progress)
    chosen = tuned(comparison, tried)
    points = list(measure_all(chosen, progress))
    by_wordings = {count: list(measure_all(with_wordings(chosen, count), progress)) for count in wordings}
    return Study(comparison=chosen, trials=tried, points=points, by_wordings=by_wordings)


def with_wordings(comparison: Comparison, count: int) -> Comparison:
    """The comparison of VL-JEPA and the VLM with so many wordings a fact, at every other point."""
    return replace(
        comparison,
        paraphrases=count,
        kinds=("vl_jepa", "token_vlm"),
        seeds=comparison.seeds[:1],
        num_points=max(1, comparison.num_points // 2),
        out=f"{comparison.out}/wordings-{count}",
        cache=comparison.features,
    )
