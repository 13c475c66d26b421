"""Figure 3: captions and classification against samples seen, trained parameters, inference; ours and the paper's."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vljepa.compare.outcome import BOTH, NAMES, PAPER, curve
from vljepa.compare.points import Point
from vljepa.compare.setting import KINDS, Comparison, Kind
from vljepa.compare.study import Study
from vljepa.evaluation.svg import curves, drawing
from vljepa.model.costs import Costs
from vljepa.model.counts import trained_parameters

_STYLE = """<style>
body { font: 15px system-ui, sans-serif; max-width: 760px; margin: 2em auto; }
body { --s0: #1769c4; --s1: #c77700; --s2: #7a7f87; }
svg { width: 100%; } text { fill: currentColor; font-size: 13px; } circle, .amount { fill: var(--c); }
.rule { stroke: #8883; } .series { stroke: var(--c); stroke-width: 2; fill: none; }
</style>"""
_QUERY_TOKENS, _TEXT_TOKENS = 8, 16
"""Of a mean query and text on Tabletop, about."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One drawing of the figure."""

    name: str
    """Fit for a file."""
    title: str
    drawing: str
    """As HTML."""


def figure(study: Study) -> str:
    """A page with all panels."""
    title = "VL-JEPA beside a token-space VLM on Tabletop, synthetic"
    drawn = "".join(f"<h2>{html.escape(panel.title)}</h2>{panel.drawing}" for panel in panels(study))
    return f'<!doctype html><meta charset="utf-8"><title>Figure 3</title>{_STYLE}<h1>{title}</h1>{drawn}\n'


def panels(study: Study) -> list[Panel]:
    """Ours and the paper's, then the courses with more and fewer wordings where there are some."""
    comparison = study.comparison
    trained = {NAMES[kind]: _trained(comparison, kind) / 1e6 for kind in KINDS}
    return [
        *_courses("Captions", "cider", "CIDEr-D, 0 to 10", "CIDEr, times 100", study.points),
        *_courses("Classification", "top5", "top-5 accuracy", "top-5 accuracy, %", study.points),
        Panel(
            name="parameters",
            title="Trained parameters, million, the text encoder apart (the paper: 0.5 B beside 1 B)",
            drawing=bars(trained, "Trained parameters, the text encoder apart"),
        ),
        Panel(
            name="inference",
            title="Million operations on a clip behind the X-Encoder, by formula (the paper, on 64 frames with the "
            "X-Encoder: 126 ms, 203 more where text is wanted; 330 for the token-space VLM)",
            drawing=bars(inference(comparison), "Operations on a clip"),
        ),
        *_wordings(study.by_wordings),
    ]


def inference(comparison: Comparison) -> dict[str, float]:
    """Million operations on a clip behind the X-Encoder, with and without text."""
    ours, vlm, dual = (Costs.of(comparison.model(kind)) for kind in ("vl_jepa", "token_vlm", "dual_encoder"))
    frames = ours.config.x_encoder.num_frames
    embed = ours.predictor(frames, _QUERY_TOKENS)
    return {
        "VL-JEPA": embed / 1e6,
        "VL-JEPA with text": (embed + ours.y_decoder(_TEXT_TOKENS)) / 1e6,
        "token-space VLM": vlm.language_model(frames, _QUERY_TOKENS, _TEXT_TOKENS) / 1e6,
        "dual encoder": dual.predictor(frames, 0) / 1e6,
    }


def bars(values: Mapping[str, float], alt: str) -> str:
    """A bar for each value, from zero."""
    left, right, pitch = 190, 640, 30
    highest = max(values.values())
    parts = []
    for i, (name, value) in enumerate(values.items()):
        y, width = 8 + pitch * i, value / highest * (right - left)
        parts.append(
            f'<text x="{left - 12}" y="{y + 15}" text-anchor="end">{html.escape(name)}</text>'
            f'<rect class="amount" style="--c: var(--s{_colour(name)})" x="{left}" y="{y}" width="{width:.1f}" '
            'height="20"/>'
            f'<text x="{left + width + 8:.1f}" y="{y + 15}">{value:.1f}</text>'
        )
    return drawing(720, 8 + pitch * len(values), alt, parts)


def _courses(title: str, name: str, ours: str, theirs: str, points: Sequence[Point]) -> list[Panel]:
    trained = {point.kind for point in points}
    own = {
        NAMES[kind]: [(float(m.samples), m.value) for m in curve(points, kind, name)]
        for kind in KINDS
        if kind in trained
    }
    paper = {NAMES[kind]: PAPER[name][kind] for kind in KINDS if kind in PAPER[name]}
    shown = ((title, name, own, ours), (f"{title} in the paper, on real video", f"{name}-paper", paper, theirs))
    return [
        Panel(name=key, title=head, drawing=curves(lines, f"{head} against samples seen", "samples seen", unit))
        for head, key, lines, unit in shown
    ]


def _wordings(by_wordings: Mapping[int, Sequence[Point]]) -> list[Panel]:
    """How the curves of both models move with the number of wordings that training has for a fact."""
    found = []
    for name, unit in (("cider", "CIDEr-D, 0 to 10"), ("top5", "top-5 accuracy")) if by_wordings else ():
        for kind in BOTH:
            courses = {
                "1 wording" if count == 1 else f"{count} wordings": [
                    (float(m.samples), m.value) for m in curve(points, kind, name)
                ]
                for count, points in by_wordings.items()
            }
            title = f"{NAMES[kind]} with more and fewer wordings of a fact in training, {unit}"
            drawing = curves(courses, title, "samples seen", unit)
            found.append(Panel(name=f"wordings-{name}-{kind}", title=title, drawing=drawing))
    return found


def _trained(comparison: Comparison, kind: Kind) -> int:
    counts = trained_parameters(comparison.model(kind))
    return counts.get("predictor", 0) + counts.get("language_model", 0)


def _colour(name: str) -> int:
    return next(i for i, kind in enumerate(KINDS) if name.startswith(NAMES[kind]))
