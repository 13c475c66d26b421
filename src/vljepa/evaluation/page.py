"""The report as one HTML page without any other file."""

import html
from collections.abc import Callable, Sequence

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.inline import picture_tag
from vljepa.evaluation.measure_stream import AIM
from vljepa.evaluation.result import Evaluation, Outcome, Result
from vljepa.evaluation.svg import Dot, Row, curves, dots
from vljepa.evaluation.table import NOTE, SYNTHETIC, Line, chance, figure_rows, interval, items, lines, value

ReadStrip = Callable[[Outcome], np.ndarray]
"""What an item shows, as one uint8 picture (H, W, 3): frames of its clip side by side."""

_STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --good: #1d7f45; --bad: #b83b2b;
  --s0: #7a7f87; --s1: #c77700; --s2: #1769c4; --s3: #8a3fb5; --s4: #0f8a83; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd197; --bad: #ff8f7d;
  --s0: #a3a9b3; --s1: #f2ab43; --s2: #6fb1ff; --s3: #cf97f0; --s4: #58d0c7; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 3rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p, dd { margin: 0 0 .6rem; max-width: 46rem; } dt { font-weight: 600; }
dd { overflow-wrap: anywhere; font-size: .9rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
th, td { text-align: left; padding: .45rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; vertical-align: bottom; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
td small, th small { display: block; font-weight: 400; opacity: .7; } td.best b { border-bottom: 2px solid; }
td:first-child { min-width: 9rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { padding: 1.25rem .75rem 3rem; } th, td { padding: .4rem .3rem; font-size: .8rem; }
  td:first-child { min-width: 6rem; } }
.tag { font-size: .75rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; font-weight: 400; }
.key::before { content: ""; display: inline-block; width: .7em; height: .7em; border-radius: 50%;
  margin-right: .4em; background: var(--c); }
svg { width: 100%; min-width: 34rem; height: auto; font-size: 13px; } svg text { fill: currentColor; }
.rule { stroke: var(--line); } .chance { stroke: currentColor; stroke-width: 2; stroke-dasharray: 2 3; }
.series { stroke: var(--c); stroke-width: 2; fill: none; } circle { fill: var(--c); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1.25rem; }
figure { margin: 0; font-size: .85rem; background: var(--soft); border-radius: .5rem; overflow: hidden; }
figure img { display: block; width: 100%; height: auto; max-height: 11rem; object-fit: contain; }
figcaption { padding: .6rem .75rem .75rem; overflow-wrap: anywhere; }
figcaption div { margin-top: .3rem; } .who { opacity: .7; }
.right { color: var(--good); } .wrong { color: var(--bad); }
details { margin-top: .8rem; } li { overflow-wrap: anywhere; }
"""


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
    sections = "".join(_section(line, list(found.systems), read_strip, num_samples) for line in all_lines)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evaluation</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>Evaluation</h1><p>{html.escape(NOTE)}</p><dl>{systems}</dl>"
        f"{_summary(found, all_lines)}{_plot_values(found, all_lines)}{sections}</body></html>\n"
    )


def _summary(found: Evaluation, all_lines: Sequence[Line]) -> str:
    paper = any(line.some.paper is not None for line in all_lines)
    heads = ["chance", *found.systems, *(["paper"] if paper else []), "items"]
    head = "<th>benchmark</th>" + "".join(f'<th class="n">{html.escape(name)}</th>' for name in heads)
    rows = ""
    for line in all_lines:
        some = line.some
        kind = f", {SYNTHETIC}" if some.synthetic else ""
        cells = "".join(_value_cell(line, name) for name in found.systems)
        if paper:
            cells += f'<td class="n">{"-" if some.paper is None else f"{some.paper:g}"}</td>'
        rows += (
            f"<tr><td>{_title(line)}<small>{html.escape(some.metric)}{kind}</small></td>"
            f'<td class="n">{chance(some)}</td>{cells}<td class="n">{items(some)}</td></tr>'
        )
    omitted = "".join(
        f"<p>{html.escape(o.benchmark)}, {html.escape(o.system)}: not measured, {html.escape(o.reason)}.</p>"
        for o in found.omissions
    )
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>{omitted}'


def _value_cell(line: Line, system: str) -> str:
    if system not in line.results:
        return '<td class="n">-</td>'
    result = line.results[system]
    kind = "n best" if system == line.best else "n"
    return f'<td class="{kind}"><b>{value(result)}</b><small>{interval(result)}</small></td>'


def _section(line: Line, systems: Sequence[str], read_strip: ReadStrip | None, num_samples: int) -> str:
    tag = f' <span class="tag">{SYNTHETIC}</span>' if line.some.synthetic else ""
    results = list(line.results.values())
    head = "<th></th>" + "".join(f'<th class="n">{html.escape(name)}</th>' for name in line.results)
    rows = [(line.some.metric, [value(result) for result in results]), *figure_rows(results)]
    table = "".join(
        f"<tr><td>{html.escape(name)}</td>" + "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>"
        for name, cells in rows
    )
    missing = "".join(
        f"<p>{html.escape(name)} is not measured here: {html.escape(reason)}.</p>"
        for name, reason in line.reasons.items()
    )
    return (
        f"<h2>{_title(line)}{tag}</h2>{missing}"
        f'<div class="wide"><table><tr>{head}</tr>{table}</table></div>'
        + "".join(_plot_curve(name, result) for name, result in line.results.items() if result.curve)
        + _samples(line, read_strip, num_samples)
        + "".join(_left_out(name, result.left_out) for name, result in line.results.items() if result.left_out)
    )


def _left_out(system: str, problems: Sequence[str]) -> str:
    listed = "".join(f"<li>{html.escape(problem)}</li>" for problem in problems)
    return f"<details><summary>{len(problems)} left out, {html.escape(system)}</summary><ul>{listed}</ul></details>"


def _samples(line: Line, read_strip: ReadStrip | None, num_samples: int) -> str:
    """Some items with what each system found; they are chosen by the last system, the one that is reported on."""
    by_id = {name: {outcome.id: outcome for outcome in result.outcomes} for name, result in line.results.items()}
    chosen = _chosen(list(line.results.values())[-1].outcomes, num_samples)
    figures = ""
    for outcome in chosen:
        found = "".join(
            _found(name, outcomes[outcome.id], graded=line.some.task == "caption")
            for name, outcomes in by_id.items()
            if outcome.id in outcomes
        )
        asked = f"<div><b>{html.escape(outcome.question)}</b></div>" if outcome.question else ""
        figures += (
            f"<figure>{_picture(outcome, read_strip)}<figcaption>{asked}"
            f'<div><span class="who">expected:</span> {html.escape(outcome.expected)}</div>'
            f"{found}</figcaption></figure>"
        )
    return f'<h3>Samples</h3><div class="grid">{figures}</div>' if figures else ""


def _found(system: str, outcome: Outcome, *, graded: bool) -> str:
    kind, mark = ("right", "✓ ") if outcome.score == 1 else ("wrong", "✗ ")
    text = html.escape(outcome.found)
    said = f"{text} ({outcome.score:.2f})" if graded else f'<span class="{kind}">{mark}{text}</span>'
    return f'<div><span class="who">{html.escape(system)}:</span> {said}</div>'


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


def _picture(outcome: Outcome, read_strip: ReadStrip | None) -> str:
    if read_strip is None or not outcome.media:
        return ""
    try:
        return picture_tag(read_strip(outcome), "the clip")
    except UserError as error:
        # The file was read before; whatever became of it, the results stand.
        return f"<p>{html.escape(str(error))}</p>"


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


def _plot_curve(system: str, result: Result) -> str:
    """CIDEr-D against the rate of decoding, as figure 4 of the paper."""
    methods = dict.fromkeys(point.method for point in result.curve)
    points = {m: sorted((p.rate_hz, p.cider) for p in result.curve if p.method == m) for m in methods}
    alt = f"CIDEr-D of {system} against the rate of decoding"
    aim = result.figures.get(AIM)
    level = None if aim is None else (aim, AIM)
    return f"<h3>{html.escape(system)}</h3>" + curves(points, alt, "decodings a second, Hz", "mean CIDEr-D", level)


def _title(line: Line) -> str:
    return html.escape(line.benchmark + (f", {line.variant}" if line.variant else ""))
