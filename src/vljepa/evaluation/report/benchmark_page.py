"""A benchmark's own page: figures, confusions, best and worst cases, items left out."""

import html
from collections.abc import Sequence

from vljepa.evaluation.report.blocks import (
    TAG,
    ReadStrip,
    cards,
    curve,
    document,
    figures_table,
    left_out,
    title_of,
    wide,
)
from vljepa.evaluation.report.cases import LABELLED, MATRIX_CLASSES, Matrix, best, confusions, matrix, worst
from vljepa.evaluation.report.lines import Line, chance, interval, items, value
from vljepa.evaluation.result import Result


def benchmark_page(line: Line, read_strip: ReadStrip | None, num_cases: int = 6) -> str:
    """The page; cases are those of the last system, the one that is reported on.

    Args:
        num_cases: best ones shown, and as many worst ones.
    """
    some = line.some
    results = list(line.results.values())
    rows = [
        (some.metric, [value(result) for result in results]),
        ("95 % interval", [interval(result) for result in results]),
        ("items", [items(result) for result in results]),
        ("left out", [str(len(result.left_out)) for result in results]),
    ]
    about = f"Task: {some.task}. Chance: {chance(some)}."
    last = results[-1]
    confused = "".join(_confused(name, result, last=result is last) for name, result in line.results.items())
    return document(
        title_of(line),
        f'<p><a href="../index.html">All tables</a></p><h1>{html.escape(title_of(line))}'
        f"{TAG if some.synthetic else ''}</h1><p>{html.escape(about)}</p>"
        + figures_table(line, rows)
        + "".join(curve(name, result) for name, result in line.results.items() if result.curve)
        + (f"<h2>What is taken for what</h2>{confused}" if confused else "")
        + cards(f"Best cases of {last.system}", line, best(last, num_cases), read_strip)
        + cards(f"Worst cases of {last.system}", line, worst(last, num_cases), read_strip)
        + left_out(line),
    )


def _confused(system: str, result: Result, *, last: bool) -> str:
    if result.task not in LABELLED or not result.outcomes:
        return ""
    pairs = confusions(result)
    rows = "".join(
        f'<tr><td>{html.escape(p.truth)}</td><td>{html.escape(p.found)}</td><td class="n">{p.count} of {p.of}</td></tr>'
        for p in pairs
    )
    listed = wide(f'<tr><th>truth</th><th>found</th><th class="n">items</th></tr>{rows}') if rows else "<p>Nothing.</p>"
    full = matrix(result)
    labels = {label for o in result.outcomes for label in (o.expected, o.found)}
    drawn = f"<p>A matrix of {len(labels)} labels would be too large to read.</p>"
    if full is not None:
        drawn = _picture(full, f"confusion matrix of {system}")
    elif len(labels) <= MATRIX_CLASSES:
        drawn = ""
    opened = " open" if last else ""
    return f"<details{opened}><summary>{html.escape(system)}</summary>{drawn}{listed}</details>"


def _picture(full: Matrix, alt: str) -> str:
    """Rows are truths, columns what was found; the share of a row is the strength of a field."""
    size, space = 22, 7 * min(max(map(len, full.labels)), 40) + 16
    side = size * len(full.labels)
    parts = []
    for i, (truth, counts) in enumerate(zip(full.labels, full.counts, strict=True)):
        total = sum(counts)
        y = space + size * i
        parts.append(_label(truth, space - 8, y + 15, "end"))
        parts.append(
            f'<g transform="translate({space + size * i + 15},{space - 8}) rotate(-90)">{_label(truth, 0, 0)}</g>'
        )
        for j, count in enumerate(counts):
            if not count:
                continue
            x, kind = space + size * j, "good" if i == j else "bad"
            said = f"{truth}: found {full.labels[j]}, {count} of {total}"
            parts.append(
                f'<rect x="{x}" y="{y}" width="{size}" height="{size}" fill="var(--{kind})" '
                f'fill-opacity="{0.15 + 0.7 * count / total:.2f}"><title>{html.escape(said)}</title></rect>'
                f'<text x="{x + size / 2:g}" y="{y + 15}" text-anchor="middle" class="count">{_short(count)}</text>'
            )
    parts += _grid(space, size, len(full.labels))
    whole = space + side + 1
    return (
        f"<p><small>Rows: truth. Columns: found.</small></p>"
        f'<div class="wide"><svg class="matrix" width="{whole}" height="{whole}" viewBox="0 0 {whole} {whole}" '
        f'role="img" aria-label="{html.escape(alt)}">{"".join(parts)}</svg></div>'
    )


def _grid(space: int, size: int, count: int) -> Sequence[str]:
    end = space + size * count
    at = [space + size * i for i in range(count + 1)]
    return [
        f'<line class="rule" x1="{space}" x2="{end}" y1="{p}" y2="{p}"/>'
        f'<line class="rule" x1="{p}" x2="{p}" y1="{space}" y2="{end}"/>'
        for p in at
    ]


def _label(text: str, x: int, y: int, anchor: str = "start") -> str:
    shown = text if len(text) <= 40 else text[:39] + "…"
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{html.escape(shown)}</text>'


def _short(count: int) -> str:
    return str(count) if count < 1000 else f"{count / 1000:.0f}k"
