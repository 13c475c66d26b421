"""Learning rates of a comparison: every model is tried with the same ones, on a split that is not the one reported."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vljepa.compare.points import Point, Progress, measure_all
from vljepa.compare.setting import Comparison, Kind


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One model at one rate, measured on the validation split after ``Comparison.trial_steps``."""

    rate: float
    point: Point


def trials(comparison: Comparison, progress: Progress | None = None) -> list[Trial]:
    """Every kind at every rate, with the first seed; what is done already is not done again."""
    return [
        Trial(rate=rate, point=point)
        for rate in comparison.rates
        for point in measure_all(_at(comparison, rate), progress)
    ]


def tuned(comparison: Comparison, tried: Sequence[Trial]) -> Comparison:
    """The comparison with each model's best rate of those tried; without trials as it is."""
    best = {
        kind: max((trial for trial in tried if trial.point.kind == kind), key=lambda trial: _score(trial.point)).rate
        for kind in {trial.point.kind for trial in tried}
    }

    def rate(kind: Kind) -> float:
        return best.get(kind, comparison.lr(kind))

    return replace(
        comparison,
        rates=(),
        vl_jepa_lr=rate("vl_jepa"),
        token_vlm_lr=rate("token_vlm"),
        dual_encoder_lr=rate("dual_encoder"),
    )


def _score(point: Point) -> float:
    """Both panels count alike, whatever their units."""
    return math.sqrt(max(point.cider, 0.0) * point.top5)


def _at(comparison: Comparison, rate: float) -> Comparison:
    return replace(
        comparison,
        rates=(),
        vl_jepa_lr=rate,
        token_vlm_lr=rate,
        dual_encoder_lr=rate,
        seeds=comparison.seeds[:1],
        num_steps=comparison.trial_steps,
        num_points=1,
        split="validation",
        out=f"{comparison.out}/trials/{rate:g}",
        cache=comparison.features,
    )
