"""Pieces that the pages share."""

import html
from collections.abc import Callable, Sequence

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.inline import picture_tag
from vljepa.evaluation.measure_stream import AIM
from vljepa.evaluation.report.lines import SYNTHETIC, Line, figure_rows, interval, value
from vljepa.evaluation.report.style import STYLE
from vljepa.evaluation.result import Outcome, Result
from vljepa.evaluation.svg import curves

ReadStrip = Callable[[Outcome], np.ndarray]
"""What an item shows, as one uint8 picture (H, W, 3): frames of its clip side by side."""

TAG = f' <span class="tag">{SYNTHETIC}</span>'


def document(title: str, body: str) -> str:
    """A whole page that needs no other file."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body>{body}</body></html>\n"
    )


def title_of(line: Line) -> str:
    """The benchmark's name, and of what variant."""
    return line.benchmark + (f", {line.variant}" if line.variant else "")


def wide(rows: str, kind: str = "") -> str:
    """A table in a frame that scrolls where the page is narrower; ``kind`` is its class."""
    table = f'<table class="{kind}">' if kind else "<table>"
    return f'<div class="wide">{table}{rows}</table></div>'


def value_cell(line: Line, system: str) -> str:
    """A system's value with its interval."""
    if system not in line.results:
        return '<td class="n">-</td>'
    result = line.results[system]
    kind = "n best" if system == line.best else "n"
    return f'<td class="{kind}"><b>{value(result)}</b><small>{interval(result)}</small></td>'


def figures_table(line: Line, more: Sequence[tuple[str, Sequence[str]]] = ()) -> str:
    """All figures of a benchmark, the systems side by side, after why some have none.

    Args:
        more: further rows, put first: name, and a cell for each system.
    """
    results = list(line.results.values())
    head = "<th></th>" + "".join(f'<th class="n">{html.escape(name)}</th>' for name in line.results)
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td>" + "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>"
        for name, cells in [*more, *figure_rows(results)]
    )
    missing = "".join(
        f"<p>{html.escape(name)} is not measured here: {html.escape(reason)}.</p>"
        for name, reason in line.reasons.items()
    )
    return missing + wide(f"<tr>{head}</tr>{rows}")


def left_out(line: Line) -> str:
    """A list of each system's items that could not be used."""
    return "".join(_left_out(name, result.left_out) for name, result in line.results.items() if result.left_out)


def _left_out(system: str, problems: Sequence[str]) -> str:
    listed = "".join(f"<li>{html.escape(problem)}</li>" for problem in problems)
    return f"<details><summary>{len(problems)} left out, {html.escape(system)}</summary><ul>{listed}</ul></details>"


def curve(system: str, result: Result) -> str:
    """CIDEr-D against the rate of decoding, as figure 4 of the paper, under its name."""
    return f"<h3>{html.escape(system)}</h3>" + figure_4(result)


def figure_4(result: Result) -> str:
    """The drawing: a curve for each way of decoding."""
    methods = dict.fromkeys(point.method for point in result.curve)
    points = {m: sorted((p.rate_hz, p.cider) for p in result.curve if p.method == m) for m in methods}
    alt = f"CIDEr-D of {result.system} against the rate of decoding"
    aim = result.figures.get(AIM)
    level = None if aim is None else (aim, AIM)
    return curves(points, alt, "decodings a second, Hz", "mean CIDEr-D", level)


def cards(heading: str, line: Line, chosen: Sequence[Outcome], read_strip: ReadStrip | None) -> str:
    """Some items, each with its frames and with what every system found."""
    # An item of several texts has an outcome for each of them.
    known = {name: {(o.id, o.expected): o for o in result.outcomes} for name, result in line.results.items()}
    figures = ""
    for outcome in chosen:
        found = "".join(
            _found(name, outcomes[outcome.id, outcome.expected], graded=line.some.task == "caption")
            for name, outcomes in known.items()
            if (outcome.id, outcome.expected) in outcomes
        )
        asked = f"<div><b>{html.escape(outcome.question)}</b></div>" if outcome.question else ""
        figures += (
            f"<figure>{_picture(outcome, read_strip)}<figcaption>{asked}"
            f'<div><span class="who">expected:</span> {html.escape(outcome.expected)}</div>'
            f"{found}</figcaption></figure>"
        )
    return f'<h3>{html.escape(heading)}</h3><div class="grid">{figures}</div>' if figures else ""


def _found(system: str, outcome: Outcome, *, graded: bool) -> str:
    kind, mark = ("right", "✓ ") if outcome.score == 1 else ("wrong", "✗ ")
    text = html.escape(outcome.found)
    said = f"{text} ({outcome.score:.2f})" if graded else f'<span class="{kind}">{mark}{text}</span>'
    return f'<div><span class="who">{html.escape(system)}:</span> {said}</div>'


def _picture(outcome: Outcome, read_strip: ReadStrip | None) -> str:
    if read_strip is None or not outcome.media:
        return ""
    try:
        return picture_tag(read_strip(outcome), "the clip")
    except UserError as error:
        # The file was read before; whatever became of it, the results stand.
        return f"<p>{html.escape(str(error))}</p>"
