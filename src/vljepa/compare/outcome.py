"""A comparison's outcome: the curves over seeds with their intervals, as a table and as the panels of figure 3."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vljepa.compare.points import Point
from vljepa.compare.setting import KINDS, Comparison, Kind
from vljepa.model.counts import trained_parameters

NAMES: dict[Kind, str] = {"vl_jepa": "VL-JEPA", "token_vlm": "token-space VLM", "dual_encoder": "dual encoder"}
PAPER = {
    "cider": {"vl_jepa": ((500e3, 1.23), (5e6, 14.7), (15e6, 14.8)), "token_vlm": ((500e3, 1.35), (15e6, 7.1))},
    "top5": {"vl_jepa": ((500e3, 14.9), (5e6, 35.3), (15e6, 41.0)), "token_vlm": ((500e3, 14.0), (15e6, 27.2))},
}
"""The paper's own points: samples seen, and CIDEr (in its scale of 100) or top-5 accuracy in percent."""
_STUDENT = (math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""97.5 % quantiles of Student's t, by degrees of freedom."""


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A figure over seeds, with a 95 % interval of the mean; of one seed it has no ends."""

    samples: int
    value: float
    low: float
    high: float


def curve(points: Sequence[Point], kind: Kind, figure: str) -> list[Mean]:
    """One model's course, by samples seen.

    Args:
        figure: ``cider`` or ``top5``.
    """
    own = [point for point in points if point.kind == kind]
    means = []
    for samples in sorted({point.samples for point in own}):
        values = np.array([getattr(point, figure) for point in own if point.samples == samples])
        value = float(values.mean())
        # Ten seeds are more than anybody runs; beyond them the normal's 1.96 is near enough.
        t = _STUDENT[len(values) - 1] if len(values) <= len(_STUDENT) else 1.96
        half = t * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
        means.append(Mean(samples=samples, value=value, low=value - half, high=value + half))
    return means


def ahead_from(ours: Sequence[Mean], theirs: Sequence[Mean]) -> int | None:
    """Samples seen from which on one curve is ahead with intervals apart, to the end; None if never."""
    apart = [one.samples for one, other in zip(ours, theirs, strict=True) if one.low <= other.high]
    later = [one.samples for one in ours if not apart or one.samples > max(apart)]
    return later[0] if later else None


def table(comparison: Comparison, points: Sequence[Point]) -> str:
    """Both panels in Markdown, and what each model trains."""
    panels = (("cider", "CIDEr-D", 1.0), ("top5", "top-5 %", 100.0))
    heads = [f"{name}, {unit}" for _, unit, _ in panels for name in NAMES.values()]
    columns = [(curve(points, kind, figure), scale) for figure, _, scale in panels for kind in KINDS]
    seeds = ", ".join(map(str, comparison.seeds))
    lines = [
        f"Tabletop, synthetic; seeds {seeds}; batches of {comparison.global_batch_size}; {comparison.limit} items "
        "of each benchmark at most. Means over seeds with 95 % intervals.",
        "",
        f"| samples seen | {' | '.join(heads)} |",
        "|---" * (1 + len(heads)) + "|",
    ]
    for row, samples in enumerate(mean.samples for mean in columns[0][0]):
        cells = [_cell(means[row], scale) for means, scale in columns]
        lines.append(f"| {samples:,} | {' | '.join(cells)} |")
    lines += ["", "| trained parameters | predictor or language model | text encoder |", "|---|---|---|"]
    for kind, name in NAMES.items():
        counts = trained_parameters(comparison.model(kind))
        body = counts.get("predictor", 0) + counts.get("language_model", 0)
        lines.append(f"| {name} | {body:,} | {counts.get('y_encoder', 0):,} |")
    for figure, name in (("cider", "captions"), ("top5", "classification")):
        start = ahead_from(curve(points, "vl_jepa", figure), curve(points, "token_vlm", figure))
        said = f"from {start:,} samples on" if start is not None else "never to the end"
        lines += ["", f"In {name} VL-JEPA is ahead of the token-space VLM with intervals apart {said}."]
    return "\n".join(lines) + "\n"


def _cell(mean: Mean, scale: float) -> str:
    if math.isinf(mean.low):
        return f"{mean.value * scale:.2f}"
    return f"{mean.value * scale:.2f} ({mean.low * scale:.2f} to {mean.high * scale:.2f})"
