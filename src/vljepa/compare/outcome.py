"""A comparison's outcome: the curves over seeds with their intervals, as a table and as the panels of figure 3."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vljepa.compare.points import Point
from vljepa.compare.setting import Comparison, Kind
from vljepa.compare.study import Study
from vljepa.compare.tuning import Trial
from vljepa.evaluation.metrics.seeds import over_seeds
from vljepa.model.counts import trained_parameters

NAMES: dict[Kind, str] = {"vl_jepa": "VL-JEPA", "token_vlm": "token-space VLM", "dual_encoder": "dual encoder"}
PANELS = (("cider", "CIDEr-D", 1.0), ("top5", "top-5 %", 100.0))
"""Figure of a point, its unit, and by what it is multiplied."""
BOTH: tuple[Kind, ...] = ("vl_jepa", "token_vlm")
"""Of the comparison proper; the dual encoder stands beside them."""
PAPER = {
    "cider": {"vl_jepa": ((500e3, 1.23), (5e6, 14.7), (15e6, 14.8)), "token_vlm": ((500e3, 1.35), (15e6, 7.1))},
    "top5": {"vl_jepa": ((500e3, 14.9), (5e6, 35.3), (15e6, 41.0)), "token_vlm": ((500e3, 14.0), (15e6, 27.2))},
}
"""The paper's own points: samples seen, and CIDEr (in its scale of 100) or top-5 accuracy in percent."""


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
        values = [getattr(point, figure) for point in own if point.samples == samples]
        value, low, high = over_seeds(values)
        means.append(Mean(samples=samples, value=value, low=low, high=high))
    return means


def ahead_from(ours: Sequence[Mean], theirs: Sequence[Mean]) -> int | None:
    """Samples seen from which on one curve is ahead with intervals apart, to the end; None if never."""
    apart = [one.samples for one, other in zip(ours, theirs, strict=True) if one.low <= other.high]
    later = [one.samples for one in ours if not apart or one.samples > max(apart)]
    return later[0] if later else None


def table(study: Study, about: Mapping[str, str]) -> str:
    """All of it in Markdown: both panels, what each model trains, rates tried, wordings.

    Args:
        about: where the figures come from, each a line.
    """
    comparison, points = study.comparison, study.points
    kinds = comparison.kinds
    heads = [f"{NAMES[kind]}, {unit}" for _, unit, _ in PANELS for kind in kinds]
    columns = [(curve(points, kind, figure), scale) for figure, _, scale in PANELS for kind in kinds]
    seeds = ", ".join(map(str, comparison.seeds))
    lines = [
        f"Tabletop, synthetic; seeds {seeds}; batches of {comparison.global_batch_size}; {comparison.limit} items "
        f"of each benchmark at most, {comparison.split} split. Means over seeds with 95 % intervals of the mean.",
        "",
        *(f"* {name}: {value}" for name, value in about.items()),
        "",
        f"| samples seen | {' | '.join(heads)} |",
        "|---" * (1 + len(heads)) + "|",
    ]
    for row, samples in enumerate(mean.samples for mean in columns[0][0]):
        cells = [_cell(means[row], scale) for means, scale in columns]
        lines.append(f"| {samples:,} | {' | '.join(cells)} |")
    lines += [
        "",
        "| trained parameters | predictor or language model | text encoder | learning rate |",
        "|---|---|---|---|",
    ]
    for kind in kinds:
        counts = trained_parameters(comparison.model(kind))
        body = counts.get("predictor", 0) + counts.get("language_model", 0)
        lines.append(f"| {NAMES[kind]} | {body:,} | {counts.get('y_encoder', 0):,} | {comparison.lr(kind):g} |")
    lines += _leads(comparison, points)
    lines += _trials(study.trials, comparison)
    lines += _wordings(study.by_wordings)
    return "\n".join(lines) + "\n"


def _leads(comparison: Comparison, points: Sequence[Point]) -> list[str]:
    if not {"vl_jepa", "token_vlm"} <= set(comparison.kinds):
        return []
    lines = []
    for figure, name in (("cider", "captions"), ("top5", "classification")):
        start = ahead_from(curve(points, "vl_jepa", figure), curve(points, "token_vlm", figure))
        said = f"from {start:,} samples on" if start is not None else "never to the end"
        lines += ["", f"In {name} VL-JEPA is ahead of the token-space VLM with intervals apart {said}."]
    return lines


def _trials(trials: Sequence[Trial], comparison: Comparison) -> list[str]:
    if not trials:
        return []
    samples = trials[0].point.samples
    return [
        "",
        f"Learning rates tried, each model alike: one run of {samples:,} samples each, seed {trials[0].point.seed}, "
        "measured on the validation split; the best by the geometric mean of both figures was taken.",
        "",
        "| rate | model | CIDEr-D | top-5 % | taken |",
        "|---|---|---|---|---|",
        *(
            f"| {t.rate:g} | {NAMES[t.point.kind]} | {t.point.cider:.2f} | {t.point.top5 * 100:.2f} "
            f"| {'yes' if t.rate == comparison.lr(t.point.kind) else ''} |"
            for t in trials
        ),
    ]


def _wordings(by_wordings: Mapping[int, Sequence[Point]]) -> list[str]:
    if not by_wordings:
        return []
    lines = [
        "",
        "With a limited number of wordings for each fact in training, one seed; the test's texts are the same in all "
        "rows, and in many wordings.",
        "",
        "| wordings | samples seen | " + " | ".join(f"{NAMES[k]}, {u}" for _, u, _ in PANELS for k in BOTH) + " |",
        "|---" * (2 + len(PANELS) * len(BOTH)) + "|",
    ]
    for count, points in by_wordings.items():
        columns = [(curve(points, kind, figure), scale) for figure, _, scale in PANELS for kind in BOTH]
        for row, mean in enumerate(columns[0][0]):
            cells = " | ".join(_cell(means[row], scale) for means, scale in columns)
            lines.append(f"| {count} | {mean.samples:,} | {cells} |")
    return lines


def _cell(mean: Mean, scale: float) -> str:
    if math.isinf(mean.low):
        return f"{mean.value * scale:.2f}"
    return f"{mean.value * scale:.2f} ({mean.low * scale:.2f} to {mean.high * scale:.2f})"
