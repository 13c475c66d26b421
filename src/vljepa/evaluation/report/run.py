"""Results as ``results.json``, ``report.md`` and a self-contained ``report.html``."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from vljepa.evaluation.report.lines import NOTE, SYNTHETIC, Line, chance, figure_rows, interval, items, lines, value
from vljepa.evaluation.report.page import ReadStrip, page
from vljepa.evaluation.result import Evaluation


def write_results(found: Evaluation, out: Path) -> None:
    """Write ``results.json``, replaced as a whole: a run that is stopped leaves what it has found."""
    out.mkdir(parents=True, exist_ok=True)
    aside = out / "results.json.writing"
    aside.write_text(json.dumps(asdict(found)) + "\n", encoding="utf-8")
    os.replace(aside, out / "results.json")


def write_report(found: Evaluation, out: Path, read_strip: ReadStrip | None = None, num_samples: int = 6) -> None:
    """Write the three files: a summary with the systems side by side, then each benchmark.

    Args:
        out: folder, made when missing.
        read_strip: shows sample clips when given.
        num_samples: items shown of each benchmark, half of them failures where there are any.
    """
    write_results(found, out)
    (out / "report.md").write_text(_markdown(found), encoding="utf-8")
    (out / "report.html").write_text(page(found, read_strip, num_samples), encoding="utf-8")


def _markdown(found: Evaluation) -> str:
    names = list(found.systems)
    text = ["# Evaluation", "", NOTE, ""]
    text += [f"* {_escaped(name)}: {_escaped(about)}" for name, about in found.systems.items()]
    text += ["", _row(["benchmark", "metric", "chance", *names, "paper", "items"]), "|" + "---|" * (5 + len(names))]
    for line in lines(found):
        some = line.some
        cells = [f"{value(r)} ({interval(r)})" if (r := line.results.get(name)) else "-" for name in names]
        paper = "-" if some.paper is None else f"{some.paper:g}"
        text.append(_row([_title(line), some.metric, chance(some), *cells, paper, items(some)]))
    for omission in found.omissions:
        text += ["", f"{omission.benchmark}, {omission.system}: not measured, {omission.reason}."]
    for line in lines(found):
        text += _section(line)
    return "\n".join(text) + "\n"


def _section(line: Line) -> list[str]:
    text = ["", f"## {_title(line)}", ""]
    results = list(line.results.values())
    rows = figure_rows(results)
    if rows:
        text += [_row(["figure", *line.results]), "|" + "---|" * (1 + len(results))]
        text += [_row([name, *cells]) for name, cells in rows]
    for name, result in line.results.items():
        text += [f"* left out, {name}: {problem}" for problem in result.left_out]
    return text


def _title(line: Line) -> str:
    name = line.benchmark + (f", {line.variant}" if line.variant else "")
    return f"{name} ({SYNTHETIC})" if line.some.synthetic else name


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
