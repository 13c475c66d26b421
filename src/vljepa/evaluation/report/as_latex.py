"""Tables as LaTeX with booktabs: a file a table, and ``tables.tex``, which compiles as it is."""

import re
from collections.abc import Sequence
from pathlib import Path

from vljepa.evaluation.report.filled import Cell, Filled, Row, fact_headings
from vljepa.evaluation.report.text import LEGEND, MINIATURE, NOTHING, name_of, stands_for
from vljepa.evaluation.result import Evaluation, Result

_SPECIAL = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "—": "---",
    "’": "'",
    # Brackets at the start of a row would be an argument of the end of the one before.
    "[": "{[}",
    "]": "{]}",
}
_HEAD = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{booktabs,caption,graphicx,xcolor,pgfplots}
\pgfplotsset{compat=1.14}
% Quoted from the paper: grey and slanted. Measured here: upright and bold.
\newcommand{\quoted}[1]{\textcolor{gray}{\textit{#1}}}
\newcommand{\measured}[1]{\textbf{#1}}
\begin{document}
"""


def write_tables(tables: Sequence[Filled], found: Evaluation, out: Path) -> None:
    """``table1.tex`` and so on and ``figure4.tex``; ``tables.tex`` has what they need and inputs them all."""
    names = []
    for filled in tables:
        names.append(filled.table.name)
        (out / f"{filled.table.name}.tex").write_text(table_tex(filled), encoding="utf-8")
    curves = [result for result in found.results if result.curve]
    if curves:
        names.append("figure4")
        (out / "figure4.tex").write_text("".join(map(_figure, curves)), encoding="utf-8")
    inputs = "".join(f"\\input{{{name}}}\n" for name in names)
    (out / "tables.tex").write_text(f"{_HEAD}{escape(LEGEND)}\n{inputs}\\end{{document}}\n", encoding="utf-8")


def table_tex(filled: Filled) -> str:
    """One ``table`` environment."""
    table = filled.table
    num_facts = len(table.facts)
    num_all = 1 + num_facts + len(filled.headings)
    columns = "l" * (1 + num_facts) + "".join("@{\\quad}" + "r" * (g.average + len(g.columns)) for g in table.groups)
    about = f"{name_of(table)}. {table.title}. "
    about += f"{MINIATURE} {_stands(filled)}" if table.synthetic else f"Quoted rows: {filled.reference}."
    lines = [
        r"\begin{table}[!htbp]\centering",
        f"\\caption*{{{escape(about)}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        f"\\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *_heads(filled),
    ]
    for kind, rows in (("quoted", [r for r in filled.rows if not r.measured]), ("measured", filled.measured)):
        if rows:
            title = "Quoted from the paper" if kind == "quoted" else f"Measured here{', synthetic' * table.synthetic}"
            lines += [r"\midrule", f"\\multicolumn{{{num_all}}}{{l}}{{\\{kind}{{{title}}}}} \\\\"]
            lines += [_line(row, kind) for row in rows]
    if not filled.measured:
        lines += [r"\midrule", f"\\multicolumn{{{num_all}}}{{l}}{{{escape(NOTHING)}}} \\\\"]
    lines += [r"\bottomrule", r"\end{tabular}}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _heads(filled: Filled) -> list[str]:
    table = filled.table
    before = 1 + len(table.facts)
    lines = []
    if any(group.title for group in table.groups):
        cells, rules, at = [f"\\multicolumn{{{before}}}{{l}}{{}}"], [], before + 1
        for group in table.groups:
            width = group.average + len(group.columns)
            cells.append(f"\\multicolumn{{{width}}}{{c}}{{{escape(group.title)}}}")
            rules.append(f"\\cmidrule(lr){{{at}-{at + width - 1}}}")
            at += width
        lines += [" & ".join(cells) + r" \\", "".join(rules)]
    names = ["Model", *fact_headings(table), *filled.headings]
    return [*lines, " & ".join(_turned(name, len(names)) for name in names) + r" \\"]


def _stands(filled: Filled) -> str:
    """A sentence: one column may stand for eight of the paper's, more than a head has room for."""
    stands = [text for group in filled.table.groups for text in stands_for(group)]
    said = [f"{name} for {text}" for name, text in zip(filled.headings, stands, strict=True) if text]
    return f"Columns stand for the paper's: {'; '.join(said)}."


def _turned(text: str, columns: int) -> str:
    """Upright in narrow tables, on its side where columns are many, as in the paper."""
    return f"\\rotatebox{{90}}{{{escape(text)}}}" if columns > 9 else escape(text)


def _line(row: Row, kind: str) -> str:
    model = escape(row.model)
    if not row.measured:
        # VL-JEPA_BASE as the paper sets it.
        model = re.sub(r"\\_(\w+)", r"\\textsubscript{\1}", model)
    cells = [model, *map(escape, row.facts), *map(_cell, row.cells)]
    return " & ".join(f"\\{kind}{{{cell}}}" if cell else "" for cell in cells) + r" \\"


def _cell(cell: Cell) -> str:
    if cell.value is None:
        return escape(cell.note or "-")
    return cell.text + (f"\\,({escape(cell.note)})" if cell.note else "")


def _figure(result: Result) -> str:
    methods = dict.fromkeys(point.method for point in result.curve)
    plots = []
    for method in methods:
        points = sorted((p.rate_hz, p.cider) for p in result.curve if p.method == method)
        drawn = " ".join(f"({rate:.5f},{cider:.4f})" for rate, cider in points)
        plots.append(f"\\addplot coordinates {{{drawn}}};\n\\addlegendentry{{{escape(method)}}}\n")
    kind = " Synthetic." if result.synthetic else ""
    about = f"Figure 4, measured: CIDEr-D of {result.system} on {result.benchmark} against the rate of decoding.{kind}"
    return (
        "\\begin{figure}[!htbp]\\centering\n\\begin{tikzpicture}\n"
        "\\begin{semilogxaxis}[xlabel={decodings a second, Hz},ylabel={mean CIDEr-D},legend pos=outer north east]\n"
        f"{''.join(plots)}\\end{{semilogxaxis}}\n\\end{{tikzpicture}}\n\\caption*{{{escape(about)}}}\n\\end{{figure}}\n"
    )


def escape(text: str) -> str:
    """Plain text for LaTeX. Letters that pdflatex's fonts lack are given by their numbers, so that it compiles."""
    shown = " ".join(text.split())
    return "".join(_SPECIAL.get(c) or (c if c.isprintable() and ord(c) < 256 else f"U+{ord(c):04X}") for c in shown)
