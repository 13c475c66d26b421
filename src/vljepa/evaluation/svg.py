"""Plots as inline SVG: sharp at any size, and in the page's own colours, light or dark."""

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_STYLE = """<style>
svg { color: #222; background: #fff; font: 13px system-ui, sans-serif; --s0: #7a7f87; --s1: #c77700; --s2: #1769c4;
  --s3: #8a3fb5; --s4: #0f8a83; }
text { fill: currentColor; } circle, .amount { fill: var(--c); } .rule { stroke: #8883; }
.series { stroke: var(--c); stroke-width: 2; fill: none; }
.chance { stroke: currentColor; stroke-width: 2; stroke-dasharray: 2 3; }
</style>"""
"""Of a picture outside of a page."""


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A value with its interval."""

    series: int
    """Which colour: the page defines ``--s0``, ``--s1`` and so on."""
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a dot plot."""

    label: str
    chance: float | None
    dots: Sequence[Dot]


def dots(rows: Sequence[Row], alt: str) -> str:
    """Values between 0 and 1 with their intervals, a row each; a tick marks chance."""
    width, label, top, pitch = 720, 190, 24, 30
    bottom = top + pitch * len(rows)

    def x(value: float) -> float:
        return label + value * (width - label - 20)

    parts = [
        f'<line class="rule" x1="{x(t):.1f}" x2="{x(t):.1f}" y1="{top - 6}" y2="{bottom}"/>'
        f'<text x="{x(t):.1f}" y="{top - 10}" text-anchor="middle">{t:g}</text>'
        for t in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    for i, row in enumerate(rows):
        middle = top + pitch * (i + 0.5)
        parts.append(f'<text x="{label - 12}" y="{middle + 4:.1f}" text-anchor="end">{html.escape(row.label)}</text>')
        if row.chance is not None:
            at = x(row.chance)
            parts.append(
                f'<line class="chance" x1="{at:.1f}" x2="{at:.1f}" y1="{middle - 12:.1f}" y2="{middle + 12:.1f}"/>'
            )
        for j, dot in enumerate(row.dots):
            y = middle + (j - (len(row.dots) - 1) / 2) * 8
            parts.append(
                f'<g style="--c: var(--s{dot.series})"><line class="series" x1="{x(dot.low):.1f}" '
                f'x2="{x(dot.high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<circle cx="{x(dot.value):.1f}" cy="{y:.1f}" r="4"/></g>'
            )
    return drawing(width, bottom + 6, alt, parts)


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    alt: str,
    x_label: str,
    y_label: str,
    level: tuple[float, str] | None = None,
) -> str:
    """Points (x, y), x on a logarithmic axis, joined line by line; names stand in a legend below.

    Lines take the colours ``--s0``, ``--s1`` and so on, and every other one is dashed. ``level`` is a value of y that
    all are compared at, dotted, and what it is.
    """
    width, left, top, right, height = 720, 52, 16, 708, 300
    points = [point for line in lines.values() for point in line]
    low, high = (math.log10(pick(p[0] for p in points)) for pick in (min, max))
    highest = max(max(y for _, y in points), 1e-9)
    peak = highest * 1.08
    pitch = next(step * 10.0**k for k in range(-12, 12) for step in (1, 2, 5) if step * 10.0**k * 6 > highest)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        share = (math.log10(point[0]) - low) / max(high - low, 1e-9)
        return left + 8 + share * (right - left - 16), height - point[1] / peak * (height - top)

    parts = []
    # Where there are many decades, whole ones alone.
    steps = (1, 2, 5) if high - low < 3 else (1,)
    for tick in (step * 10.0**k for k in range(-4, 12) for step in steps):
        if low - 0.01 <= math.log10(tick) <= high + 0.01:
            at = place((tick, 0.0))[0]
            parts.append(f'<line class="rule" x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{height}"/>')
            parts.append(f'<text x="{at:.1f}" y="{height + 18}" text-anchor="middle">{_short(tick)}</text>')
    for i in range(int(highest / pitch) + 1):
        value = pitch * i
        y = place((1.0, value))[1]
        parts.append(f'<line class="rule" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    if level is not None:
        y = place((1.0, level[0]))[1]
        parts.append(f'<line class="chance" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left + 8}" y="{y - 6:.1f}">{html.escape(level[1])}</text>')
    parts.append(f'<text x="{(left + right) / 2}" y="{height + 38}" text-anchor="middle">{html.escape(x_label)}</text>')
    parts.append(f'<text x="{left}" y="{top - 4}">{html.escape(y_label)}</text>')
    for i, (name, line) in enumerate(lines.items()):
        placed = [place(point) for point in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        dash = ' stroke-dasharray="6 4"' if i % 2 else ""
        marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed)
        column, row = i % 3, i // 3
        at, y = left + column * 220, height + 64 + row * 22
        parts.append(
            f'<g style="--c: var(--s{i})"><polyline class="series" points="{path}"{dash}/>{marks}'
            f'<line class="series" x1="{at}" x2="{at + 28}" y1="{y - 4}" y2="{y - 4}"{dash}/></g>'
            f'<text x="{at + 36}" y="{y}">{html.escape(name)}</text>'
        )
    return drawing(width, height + 74 + (len(lines) - 1) // 3 * 22, alt, parts)


def _short(value: float) -> str:
    """A number, thousands and millions by their letters."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def drawing(width: int, height: int, alt: str, parts: Sequence[str]) -> str:
    """Parts as one picture of ``width`` by ``height`` units, in a frame that scrolls where the page is narrower."""
    return (
        f'<div class="wide"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(alt)}">'
        + "".join(parts)
        + "</svg></div>"
    )


def standalone(drawn: str) -> str:
    """A drawing as an SVG file of its own."""
    svg = re.search(r"<svg .*</svg>", drawn, re.DOTALL)
    assert svg is not None, "made by `drawing`"
    return svg[0].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f">{_STYLE}", 1) + "\n"
