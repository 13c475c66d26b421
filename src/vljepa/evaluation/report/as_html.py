"""The tables as one HTML page, which links to the benchmarks' pages."""

import html
import itertools
import re
from collections.abc import Mapping, Sequence

from vljepa.evaluation.report.blocks import TAG, curve, document, title_of, wide
from vljepa.evaluation.report.filled import Cell, Filled, Row, fact_headings
from vljepa.evaluation.report.layout import Table
from vljepa.evaluation.report.lines import NOTE, Line
from vljepa.evaluation.report.page import summary
from vljepa.evaluation.report.quoted import FIGURE_4, PAPER
from vljepa.evaluation.report.text import LEGEND, MINIATURE, NOTHING, name_of, stands_for
from vljepa.evaluation.result import Evaluation

CHIPS = '<span class="chip quoted">quoted</span> <span class="chip measured">measured</span>'


def index(found: Evaluation, tables: Sequence[Filled], lines: Sequence[Line], pages: Mapping[str, str]) -> str:
    """The page.

    Args:
        pages: title of a line to the name of its page, without a suffix.
    """
    links = {line.benchmark: _address(pages[title_of(line)]) for line in lines if not line.variant}
    systems = "".join(f"<dt>{html.escape(n)}</dt><dd>{html.escape(about)}</dd>" for n, about in found.systems.items())
    contents = [(filled.table.name, name_of(filled.table)) for filled in tables if filled.table.part in ("", "GQA")]
    curves = [result for result in found.results if result.curve]
    contents += [("figure4", "Figure 4")] if curves else []
    contents += [("benchmarks", "Benchmarks")]
    menu = "".join(f'<a href="#{anchor}">{name.removesuffix(", GQA")}</a>' for anchor, name in contents)
    body = f"<h1>The paper's tables</h1><p>{CHIPS}</p><p>{html.escape(LEGEND)}</p><nav>{menu}</nav><dl>{systems}</dl>"
    real = [filled for filled in tables if not filled.table.synthetic]
    for broad, some in itertools.groupby(real, _is_broad):
        drawn = "".join(_table(filled, links) for filled in some)
        body += drawn if broad else f'<div class="parts">{drawn}</div>'
    small = [filled for filled in tables if filled.table.synthetic]
    if small:
        drawn = "".join(_table(filled, links) for filled in small)
        body += f'<section class="synthetic"><h2>In miniature{TAG}</h2><p>{html.escape(MINIATURE)}</p>{drawn}</section>'
    if curves:
        body += (
            f'<h2 id="figure4">Figure 4: selective decoding</h2><p><span class="chip quoted">quoted</span> '
            f"{FIGURE_4} times fewer decodings at equal CIDEr on EgoExo4D ({PAPER}, section 4.6). "
            f'<span class="chip measured">measured</span> the curves below; their data: figure4.csv.</p>'
        )
        body += "".join(curve(f"{r.benchmark}, {r.system}" + (", synthetic" if r.synthetic else ""), r) for r in curves)
    body += f'<h2 id="benchmarks">Benchmarks</h2><p>{html.escape(NOTE)}</p>'
    body += summary(found, lines, lambda line: _address(pages[title_of(line)]))
    return document("The paper's tables", f'<div class="tables">{body}</div>')


def _address(page: str) -> str:
    return f"pages/{page}.html"


def _is_broad(filled: Filled) -> bool:
    return _num_columns(filled) > 9


def _num_columns(filled: Filled) -> int:
    return 1 + len(filled.table.facts) + len(filled.headings)


def _table(filled: Filled, links: Mapping[str, str]) -> str:
    table = filled.table
    level = "h3" if table.synthetic else "h2"
    title = f"{name_of(table)}: {table.title}"
    quoted = [row for row in filled.rows if not row.measured]
    num_all = _num_columns(filled)
    body = _heads(filled)
    if quoted:
        body += _kind("quoted", f"quoted: {filled.reference}", num_all) + "".join(map(_quoted, quoted))
    body += _kind("measured", f"measured here{', synthetic' * table.synthetic}", num_all)
    body += "".join(_measured(row, links) for row in filled.measured)
    if not filled.measured:
        body += f'<tr><th colspan="{num_all}"><small>{NOTHING}</small></th></tr>'
    kind = "paper broad" if _is_broad(filled) else "paper"
    return f'<div><{level} id="{table.name}">{html.escape(title)}</{level}>{wide(body, kind)}</div>'


def _heads(filled: Filled) -> str:
    table = filled.table
    before = 1 + len(table.facts)
    rows = ""
    if any(group.title for group in table.groups):
        groups = "".join(
            f'<th class="group" colspan="{group.average + len(group.columns)}">{html.escape(group.title)}</th>'
            for group in table.groups
        )
        rows += f'<tr><th colspan="{before}"></th>{groups}</tr>'
    heads = "<th>Model</th>" + "".join(f"<th><span>{html.escape(name)}</span></th>" for name in fact_headings(table))
    under = _stands(table) if table.synthetic else [""] * len(filled.headings)
    for name, text in zip(filled.headings, under, strict=True):
        small = f"<small>for {html.escape(text)}</small>" if text else ""
        heads += f'<th class="n"><span>{html.escape(name)}{small}</span></th>'
    return f"{rows}<tr>{heads}</tr>"


def _stands(table: Table) -> list[str]:
    return [text for group in table.groups for text in stands_for(group)]


def _kind(kind: str, title: str, num_all: int) -> str:
    first, _, rest = title.partition(":")
    chip = f'<span class="chip {kind}">{html.escape(first)}</span>'
    return f'<tr class="kind"><th colspan="{num_all}">{chip}{html.escape(rest)}</th></tr>'


def _quoted(row: Row) -> str:
    facts = "".join(f"<td>{html.escape(fact)}</td>" for fact in row.facts)
    cells = "".join(f'<td class="n">{cell.text}</td>' for cell in row.cells)
    return f'<tr class="quoted"><td>{_model(row.model)}</td>{facts}{cells}</tr>'


def _measured(row: Row, links: Mapping[str, str]) -> str:
    facts = "".join(f"<td>{html.escape(fact)}</td>" for fact in row.facts)
    cells = "".join(f'<td class="n">{_cell(cell, links)}</td>' for cell in row.cells)
    return f'<tr class="measured"><td>{html.escape(row.model)}</td>{facts}{cells}</tr>'


def _cell(cell: Cell, links: Mapping[str, str]) -> str:
    if cell.value is None:
        return f"-<small>{cell.note}</small>" if cell.note else "-"
    shown = f"<b>{cell.text}</b>"
    if cell.result is not None and cell.result.benchmark in links:
        shown = f'<a href="{html.escape(links[cell.result.benchmark])}">{shown}</a>'
    ends = "" if cell.interval is None else f"<small>{cell.interval[0]:.1f}–{cell.interval[1]:.1f}</small>"
    return shown + ends + (f'<small class="part">{html.escape(cell.note)}</small>' if cell.note else "")


def _model(name: str) -> str:
    """VL-JEPA_BASE as the paper sets it."""
    return re.sub(r"_(\w+)", r"<sub>\1</sub>", html.escape(name))
