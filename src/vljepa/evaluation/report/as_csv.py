"""Tables as CSV: one file a table as it is printed, and ``cells.csv`` with every figure in full."""

import csv
from collections.abc import Sequence
from pathlib import Path

from vljepa.evaluation.report.filled import Filled, fact_headings
from vljepa.evaluation.report.text import source_of
from vljepa.evaluation.result import Evaluation

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_tables(tables: Sequence[Filled], out: Path) -> None:
    """``table1.csv`` and so on, as printed, each row with its source (quoted or measured); and ``cells.csv``."""
    long = [_LONG]
    for filled in tables:
        heads = ["source", "model", *fact_headings(filled.table), *_headings(filled)]
        rows = [
            [
                source_of(filled.table, measured=row.measured), row.model, *row.facts,
                *("" if c.value is None else c.text for c in row.cells),
            ]
            for row in filled.rows
        ]  # fmt: skip
        write_rows(out / f"{filled.table.name}.csv", [heads, *rows])
        long += _cells(filled)
    write_rows(out / "cells.csv", long)


def write_curves(found: Evaluation, path: Path) -> None:
    """Figure 4: every point of every system's curves."""
    points = [
        [r.benchmark, "yes" if r.synthetic else "no", r.system, p.method, f"{p.rate_hz:.5f}", f"{p.cider:.4f}"]
        for r in found.results
        for p in r.curve
    ]
    write_rows(path, [["benchmark", "synthetic", "system", "method", "rate_hz", "cider"], *points])


def write_rows(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Quoted where needed; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_safe(cell) for cell in row] for row in rows)


_LONG = [
    "table", "part", "synthetic", "source", "model", "column", "percent", "low", "high", "evaluated", "official",
    "benchmark", "metric", "chance", "reference",
]  # fmt: skip


def _cells(filled: Filled) -> list[list[str]]:
    table = filled.table
    rows = []
    for row in filled.rows:
        for heading, cell in zip(_headings(filled), row.cells, strict=True):
            if cell.value is None:
                continue
            low, high = ("", "") if cell.interval is None else (f"{end:.4f}" for end in cell.interval)
            r = cell.result
            measured = ["", "", "", "", ""] if r is None else [
                str(r.count), "" if r.official is None else str(r.official), r.benchmark, r.metric,
                "" if r.chance is None else f"{100 * r.chance:.4f}",
            ]  # fmt: skip
            value = f"{cell.value:.4f}" if row.measured else cell.text
            rows.append([
                str(table.number), table.part, "yes" if table.synthetic else "no",
                source_of(table, measured=row.measured), row.model, heading, value, low, high, *measured,
                "" if row.measured else filled.reference,
            ])  # fmt: skip
    return rows


def _headings(filled: Filled) -> list[str]:
    """Headings that are told apart without the groups above them."""
    groups = [group for group in filled.table.groups for _ in range(group.average + len(group.columns))]
    return [
        f"{heading}, {group.title}" if heading == "Average" and group.title else heading
        for heading, group in zip(filled.headings, groups, strict=True)
    ]


def _safe(cell: str) -> str:
    is_number = cell.replace("-", "", 1).replace(".", "", 1).isdecimal()
    return f"'{cell}" if cell.startswith(_FORMULA) and cell != "-" and not is_number else cell
