"""The demo's plots as inline SVG, in the page's own colours."""

import html
from collections.abc import Sequence

import numpy as np

from vljepa.demo.records import Economy, Familiarity, Told, Watched
from vljepa.evaluation.selective import METHODS
from vljepa.evaluation.svg import curves, drawing

_WIDTH, _LEFT, _RIGHT = 960, 44, 938
_KINDS = {True: "good", False: "bad", None: "idle"}


def watching(watched: Watched) -> str:
    """The spread of the embeddings over time, where it crosses the threshold, and what was told when.

    Below the curve a bar for each stretch told, and a tick for each annotated action.
    """
    top, bottom, lane, notes = 18, 190, 214, 254
    judged = any(one.truth for one in watched.told)
    peak = max(float(watched.variance.max()), watched.threshold) * 1.1

    def x(time: float) -> float:
        return _LEFT + time / watched.duration * (_RIGHT - _LEFT)

    def y(value: float) -> float:
        return bottom - value / peak * (bottom - top)

    threshold = y(watched.threshold)
    step = next(s for s in (1, 2, 5, 10, 20, 60) if watched.duration / s <= 14 or s == 60)
    ticks = np.arange(0.0, watched.duration + 1e-6, step).tolist()
    parts = [
        f'<line class="rule" x1="{x(t):.1f}" x2="{x(t):.1f}" y1="{top}" y2="{bottom}"/>'
        f'<text x="{x(t):.1f}" y="{bottom + 16}" text-anchor="middle">{t:.0f} s</text>'
        for t in ticks
    ]
    path = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(watched.times, watched.variance, strict=True))
    parts += [
        f'<polyline class="series" style="--c: var(--s0)" points="{path}"/>',
        f'<line class="chance" x1="{_LEFT}" x2="{_RIGHT}" y1="{threshold:.1f}" y2="{threshold:.1f}"/>',
        f'<text x="{_LEFT}" y="{top - 5}">spread of the last two seconds; dotted: the threshold</text>',
        *(_bar(one, x(one.event.start), x(one.event.end), y(0.0), top, lane) for one in watched.told),
    ]
    parts += [f'<text class="soft" x="{_LEFT - 8}" y="{lane + 16}" text-anchor="end">told</text>']
    if judged:
        parts += [
            f'<line class="note" x1="{x(time):.1f}" x2="{x(time):.1f}" y1="{notes - 8}" y2="{notes + 8}">'
            f"<title>{time:.1f} s: {html.escape(text)}</title></line>"
            for one in watched.told
            for time, text in one.truth
        ]
        parts.append(f'<text class="soft" x="{_LEFT - 8}" y="{notes + 5}" text-anchor="end">truth</text>')
    alt = (
        f"Spread of the embeddings over {watched.duration:.0f} seconds, with {len(watched.told)} stretches decoded "
        f"where it passes the threshold"
    )
    return drawing(_WIDTH, notes + 16 if judged else lane + 30, alt, parts)


def _bar(one: Told, start: float, end: float, zero: float, top: int, lane: int) -> str:
    kind, width = _KINDS[one.right], max(0.5, end - start - 1.5)
    return (
        f'<line class="cut" x1="{end:.1f}" x2="{end:.1f}" y1="{top}" y2="{zero:.1f}"/>'
        f'<rect class="{kind}" x="{start + 0.75:.1f}" y="{lane}" width="{width:.1f}" height="22" rx="3">'
        f"<title>{one.event.start:.1f} to {one.event.end:.1f} s: {html.escape(one.event.text)}</title></rect>"
    )


def economy(found: Economy, duration: float) -> str:
    """Quality against the number of decodings: the online rule's one point among the sweep's curves."""
    lines = {
        _CURVES[method]: sorted((p.rate_hz, p.cider) for p in found.sweep.curve if p.method == method)
        for method in METHODS
        if method in _CURVES
    }
    lines["the online rule used above"] = [(found.decodings / duration, found.cider)]
    alt = "CIDEr-D against decodings a second: equal intervals, cut where the meaning changes, and the online rule"
    return curves(lines, alt, "decodings a second, Hz", "CIDEr-D")


_CURVES = {"ward exact": "cut with hindsight (Ward)", "uniform exact": "equal intervals"}


def p_values(found: Familiarity) -> str:
    """How often each value of the score came up on the training world's own clips, beside the even share."""
    counts, _ = np.histogram(found.p_values, bins=10, range=(0, 1))
    top, bottom, left, pitch = 20, 170, 44, 88
    peak = max(int(counts.max()), 1) * 1.1
    even = bottom - len(found.p_values) / 10 / peak * (bottom - top)
    parts = [f'<text x="{left}" y="{top - 6}">clips; dotted: an even share</text>']
    for i, count in enumerate(counts):
        height = count / peak * (bottom - top)
        at = left + i * pitch
        parts.append(
            f'<rect class="bar" x="{at + 3}" y="{bottom - height:.1f}" width="{pitch - 6}" height="{height:.1f}"/>'
            f'<text x="{at + pitch / 2}" y="{bottom - height - 5:.1f}" text-anchor="middle">{count}</text>'
        )
    parts += [
        f'<text x="{left + i * pitch}" y="{bottom + 18}" text-anchor="middle">{i / 10:.1f}</text>' for i in range(11)
    ]
    parts.append(f'<line class="chance" x1="{left}" x2="{left + 10 * pitch}" y1="{even:.1f}" y2="{even:.1f}"/>')
    parts.append(f'<text x="{left + 5 * pitch}" y="{bottom + 38}" text-anchor="middle">familiarity score</text>')
    return drawing(_WIDTH, bottom + 44, "Histogram of the familiarity score over clips of the training world", parts)


def side_by_side(frames: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Frames (F, S, S, 3) as one picture (S, F * S, 3)."""
    return np.concatenate(list(frames), axis=1)
