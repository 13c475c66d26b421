"""The tables and the benchmarks' pages as Markdown."""

from collections.abc import Mapping, Sequence

from vljepa.evaluation.report.blocks import title_of
from vljepa.evaluation.report.cases import best, confusions, worst
from vljepa.evaluation.report.filled import Cell, Filled, fact_headings
from vljepa.evaluation.report.lines import NOTE, SYNTHETIC, Line, chance, figure_rows, interval, items, value
from vljepa.evaluation.report.text import LEGEND, MINIATURE, NOTHING, name_of, source_of, stands_for
from vljepa.evaluation.result import Evaluation, Outcome


def index(found: Evaluation, tables: Sequence[Filled], lines: Sequence[Line], pages: Mapping[str, str]) -> str:
    """All tables, figure 4's addresses, and every benchmark with a link to its page.

    Args:
        pages: title of a line to the name of its page, without a suffix.
    """
    text = ["# The paper's tables", "", f"{LEGEND} In *italics*: quoted. In **bold**: measured.", ""]
    text += [f"* {escape(name)}: {escape(about)}" for name, about in found.systems.items()]
    for filled in tables:
        text += ["", f"## {name_of(filled.table)}: {escape(filled.table.title)}", "", *filled_table(filled)]
    if any(result.curve for result in found.results):
        text += ["", "## Figure 4: selective decoding", "", "The curves: `figure4.csv`; drawn: `index.html`."]
    text += ["", "## Benchmarks", "", NOTE, ""]
    names = list(found.systems)
    text += [_row(["benchmark", "metric", "chance", *names, "items"]), _rule(4 + len(names))]
    for line in lines:
        name = title_of(line)
        link = f"[{escape(name)}](pages/{pages[name]}.md)" + (f" ({SYNTHETIC})" if line.some.synthetic else "")
        cells = [f"{value(r)} ({interval(r)})" if (r := line.results.get(system)) else "-" for system in names]
        text.append(f"| {link} " + _row([line.some.metric, chance(line.some), *cells, items(line.some)]))
    text += [
        line
        for o in found.omissions
        for line in ("", f"{escape(o.benchmark)}, {escape(o.system)}: not measured, {escape(o.reason)}.")
    ]
    return "\n".join(text) + "\n"


def benchmark_page(line: Line) -> str:
    """One benchmark: figures, confusions, best and worst cases, items left out."""
    some = line.some
    text = [f"# {escape(title_of(line))}" + (f" ({SYNTHETIC})" if some.synthetic else ""), ""]
    text += [f"{escape(some.task)}; {items(some)} items; chance {chance(some)}. [All tables](../index.md)", ""]
    results = list(line.results.values())
    text += [_row(["figure", *line.results]), _rule(1 + len(results))]
    text.append(_row([some.metric, *(f"{value(result)} ({interval(result)})" for result in results)]))
    text += [_row([name, *cells]) for name, cells in figure_rows(results)]
    text += [f"\n{escape(name)} is not measured here: {escape(reason)}." for name, reason in line.reasons.items()]
    for name, result in line.results.items():
        if pairs := confusions(result):
            text += ["", f"## Taken for another, {escape(name)}", "", _row(["truth", "found", "items"]), _rule(3)]
            text += [_row([pair.truth, pair.found, f"{pair.count} of {pair.of}"]) for pair in pairs]
    last = results[-1]
    for heading, cases in (("Best", best(last, 6)), ("Worst", worst(last, 6))):
        if cases:
            text += ["", f"## {heading} cases of {escape(last.system)}", ""]
            text += [_row(["item", "question", "expected", "found", "score", "medium"]), _rule(6)]
            text += [_row([o.id, o.question, o.expected, o.found, f"{o.score:.2f}", _medium(o)]) for o in cases]
    for name, result in line.results.items():
        if result.left_out:
            text += ["", f"## {len(result.left_out)} left out, {escape(name)}", ""]
            text += [f"* {escape(problem)}" for problem in result.left_out]
    return "\n".join(text) + "\n"


def filled_table(filled: Filled) -> list[str]:
    """Its lines: where it is from, its groups, its rows."""
    table = filled.table
    text = [MINIATURE if table.synthetic else f"Quoted rows: {filled.reference}.", ""]
    groups = [group for group in table.groups if group.title]
    text += [f"{escape(group.title)}: {', '.join(column.heading for column in group.columns)}.  " for group in groups]
    text += [""] if groups else []
    heads = ["source", "model", *fact_headings(table), *filled.headings]
    text += [_row(heads), _rule(len(heads))]
    if table.synthetic:
        stands = [name for group in table.groups for name in stands_for(group)]
        text.append(_row(["stands for", "", *[""] * len(table.facts), *stands]))
    for row in filled.rows:
        mark = "**" if row.measured else "*"
        cells = [source_of(table, measured=row.measured), row.model, *row.facts]
        marked = [f"{mark}{escape(cell)}{mark}" if cell not in ("", "-") else cell for cell in cells]
        text.append("| " + " | ".join([*marked, *(_cell(cell, mark) for cell in row.cells)]) + " |")
    return text if filled.measured else [*text, "", NOTHING]


def _cell(cell: Cell, mark: str) -> str:
    if cell.value is None:
        return cell.note or "-"
    return f"{mark}{cell.text}{mark}" + (f" ({cell.note})" if cell.note else "")


def _medium(outcome: Outcome) -> str:
    span = "" if outcome.start is None and outcome.end is None else f" {outcome.start or 0:g} s to "
    return outcome.media + (span + ("the end" if outcome.end is None else f"{outcome.end:g} s") if span else "")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(escape, cells)) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def escape(text: str) -> str:
    """Plain text: no mark-up, no HTML, one line, no end of a cell."""
    shown = "".join(f"\\{c}" if c in "\\`*_[]|#~" else c for c in " ".join(text.split()))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
