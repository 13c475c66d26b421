"""The paper's tables and figure 4 out of one or more runs, in all formats, with a page for each benchmark."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from vljepa.evaluation.report import as_csv, as_html, as_latex, as_markdown
from vljepa.evaluation.report.benchmark_page import benchmark_page
from vljepa.evaluation.report.blocks import ReadStrip, title_of
from vljepa.evaluation.report.filled import Filled, fill
from vljepa.evaluation.report.layout import TABLES, miniatures
from vljepa.evaluation.report.lines import Line, lines
from vljepa.evaluation.report.models import model_facts
from vljepa.evaluation.result import Evaluation


def write_paper(
    found: Evaluation,
    out: Path,
    read_strip: ReadStrip | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Filled]:
    """Write ``index.html``, ``index.md``, ``pages/``, the CSV files and the LaTeX files below ``out``.

    Args:
        read_strip: shows the cases' frames when given.
        progress: is told the pages done, and all of them.

    Returns:
        The tables as filled; miniatures only if a system has a figure in one of them.
    """
    tables = paper_tables(found)
    all_lines = lines(found)
    pages = _names([title_of(line) for line in all_lines])
    (out / "pages").mkdir(parents=True, exist_ok=True)
    as_csv.write_tables(tables, out)
    as_csv.write_curves(found, out / "figure4.csv")
    as_latex.write_tables(tables, found, out)
    _write(out / "index.md", as_markdown.index(found, tables, all_lines, pages))
    _write(out / "index.html", as_html.index(found, tables, all_lines, pages))
    for done, line in enumerate(all_lines, start=1):
        _write_page(line, out / "pages" / pages[title_of(line)], read_strip)
        progress(done, len(all_lines))
    return tables


def paper_tables(found: Evaluation) -> list[Filled]:
    """Tables 1 to 6, then those of their miniatures in which a system has a figure."""
    facts = {name: model_facts(about) for name, about in found.systems.items()}
    small = [fill(table, found, facts) for table in miniatures()]
    return [*(fill(table, found, facts) for table in TABLES), *(filled for filled in small if filled.measured)]


def _write_page(line: Line, path: Path, read_strip: ReadStrip | None) -> None:
    _write(path.with_name(path.name + ".html"), benchmark_page(line, read_strip))
    _write(path.with_name(path.name + ".md"), as_markdown.benchmark_page(line))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _names(titles: Sequence[str]) -> dict[str, str]:
    """A file name for each title, none twice, wherever the files are kept."""
    names: dict[str, str] = {}
    for title in titles:
        plain = re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-")[:80] or "benchmark"
        name, number = plain, 2
        while name in names.values():
            name, number = f"{plain}-{number}", number + 1
        names[title] = name
    return names
