"""The report as one HTML page without any other file."""

import html
from collections.abc import Callable, Sequence

import numpy as np

from vljepa.evaluation.report.blocks import (
    TAG,
    ReadStrip,
    cards,
    curve,
    document,
    figures_table,
    left_out,
    title_of,
    value_cell,
    wide,
)
from vljepa.evaluation.report.lines import NOTE, SYNTHETIC, Line, chance, items, lines, value
from vljepa.evaluation.result import Evaluation, Outcome
from vljepa.evaluation.svg import Dot, Row, dots


def page(found: Evaluation, read_strip: ReadStrip | None, num_samples: int) -> str:
    """The page's HTML.

    Args:
        read_strip: shows sample clips when given.
        num_samples: items shown of each benchmark.
    """
    all_lines = lines(found)
    systems = "".join(
        f'<dt class="key" style="--c: var(--s{i})">{html.escape(name)}</dt><dd>{html.escape(about)}</dd>'
        for i, (name, about) in enumerate(found.systems.items())
    )
    sections = "".join(_section(line, read_strip, num_samples) for line in all_lines)
    return document(
        "Evaluation",
        f"<h1>Evaluation</h1><p>{html.escape(NOTE)}</p><dl>{systems}</dl>"
        f"{summary(found, all_lines)}{_plot_values(found, all_lines)}{sections}",
    )


def summary(found: Evaluation, all_lines: Sequence[Line], link: Callable[[Line], str] | None = None) -> str:
    """Every benchmark, the systems side by side, and what was not measured.

    Args:
        link: address of a benchmark's own page.
    """
    paper = any(line.some.paper is not None for line in all_lines)
    heads = ["chance", *found.systems, *(["paper"] if paper else []), "items"]
    head = "<th>benchmark</th>" + "".join(f'<th class="n">{html.escape(name)}</th>' for name in heads)
    rows = ""
    for line in all_lines:
        some = line.some
        kind = f", {SYNTHETIC}" if some.synthetic else ""
        name = html.escape(title_of(line))
        if link is not None:
            name = f'<a href="{html.escape(link(line))}">{name}</a>'
        cells = "".join(value_cell(line, system) for system in found.systems)
        if paper:
            cells += f'<td class="n">{"-" if some.paper is None else f"{some.paper:g}"}</td>'
        rows += (
            f"<tr><td>{name}<small>{html.escape(some.metric)}{kind}</small></td>"
            f'<td class="n">{chance(some)}</td>{cells}<td class="n">{items(some)}</td></tr>'
        )
    omitted = "".join(
        f"<p>{html.escape(o.benchmark)}, {html.escape(o.system)}: not measured, {html.escape(o.reason)}.</p>"
        for o in found.omissions
    )
    return wide(f"<tr>{head}</tr>{rows}") + omitted


def _section(line: Line, read_strip: ReadStrip | None, num_samples: int) -> str:
    values = (line.some.metric, [value(result) for result in line.results.values()])
    # They are chosen by the last system, the one that is reported on.
    chosen = _chosen(list(line.results.values())[-1].outcomes, num_samples)
    return (
        f"<h2>{html.escape(title_of(line))}{TAG if line.some.synthetic else ''}</h2>{figures_table(line, [values])}"
        + "".join(curve(name, result) for name, result in line.results.items() if result.curve)
        + cards("Samples", line, chosen, read_strip)
        + left_out(line)
    )


def _chosen(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """As many failures as successes, where there are enough, spread over the items."""
    middle = float(np.mean([o.score for o in outcomes])) if outcomes else 0.0
    good = [o for o in outcomes if o.score >= middle]
    poor = [o for o in outcomes if o.score < middle]
    num_poor = min(len(poor), max(count // 2, count - len(good)))
    return _spread(good, count - num_poor) + _spread(poor, num_poor)


def _spread(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    count = min(count, len(outcomes))
    return [outcomes[i * len(outcomes) // count] for i in range(count)]


def _plot_values(found: Evaluation, all_lines: Sequence[Line]) -> str:
    """Results that are shares, with intervals and chance."""
    colours = {name: i for i, name in enumerate(found.systems)}
    rows = []
    for line in all_lines:
        if line.some.task in ("caption", "stream"):
            continue
        some = [
            Dot(series=colours[name], value=r.value, low=r.interval[0], high=r.interval[1])
            for name, r in line.results.items()
        ]
        rows.append(Row(label=line.benchmark, chance=line.some.chance, dots=some))
    return dots(rows, "values of all benchmarks, with 95 % intervals; dotted: chance") if rows else ""
