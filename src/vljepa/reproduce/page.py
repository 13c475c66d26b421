"""The page, in Markdown and in HTML: every claim, table and figure, the paper's figures beside the miniature's."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from markdown_it import MarkdownIt

from vljepa.ablate.outcome import table as table_7
from vljepa.compare.figure import panels
from vljepa.compare.outcome import table as figure_3
from vljepa.evaluation.report.as_markdown import escape, filled_table
from vljepa.evaluation.report.blocks import document, figure_4
from vljepa.evaluation.report.lines import NOTE
from vljepa.evaluation.report.paper import paper_tables
from vljepa.evaluation.report.quoted import FIGURE_4
from vljepa.evaluation.report.text import MINIATURE, NOTHING, name_of
from vljepa.evaluation.svg import standalone
from vljepa.reproduce.claims import CLAIMS
from vljepa.reproduce.run import Outcome

_ABOUT = (
    "The paper's tables 1 to 7 and figures 3 and 4, and beside them what this project finds on Tabletop, a made-up "
    "world of coloured objects on a table, with models of a few million parameters. Figures of the two worlds cannot "
    "be set beside each other; directions can. Intervals are 95 %: over items, over streams, over seeds, as each "
    "table says."
)

Show = Callable[[str, str], str]
"""A figure's name and drawing to what stands for it on the page."""


def write_page(outcome: Outcome, about: Mapping[str, str], out: Path) -> None:
    """Write ``page.md`` with its figures as SVG files, and ``page.html``, which needs no other file.

    Args:
        about: where the figures come from, each a line.
    """

    def as_file(name: str, drawing: str) -> str:
        path = out / f"{name}.svg"
        path.write_text(standalone(drawing), encoding="utf-8")
        return f"![{name}]({path.name})"

    (out / "page.md").write_text(markdown(outcome, about, as_file), encoding="utf-8")
    (out / "page.html").write_text(page(outcome, about), encoding="utf-8")


def page(outcome: Outcome, about: Mapping[str, str]) -> str:
    """As HTML."""
    text = markdown(outcome, about, lambda name, drawing: drawing)
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return document(
        "The paper in miniature", re.sub(r"<table>.*?</table>", r'<div class="wide">\g<0></div>', body, flags=re.DOTALL)
    )


def markdown(outcome: Outcome, about: Mapping[str, str], show: Show) -> str:
    """As Markdown."""
    parts = [
        "# The paper in miniature",
        _ABOUT,
        "\n".join(f"* {escape(name)}: {escape(value)}" for name, value in about.items()),
        "## What agrees",
        _claims(outcome),
        "## Tables 1 to 6",
        f"{MINIATURE} {NOTE}",
        *_tables(outcome),
        "## Figure 3: VL-JEPA beside a token-space VLM, trained alike",
        *(part for panel in panels(outcome.study) for part in (panel.title, show(panel.name, panel.drawing))),
        figure_3(outcome.study, {}),
        "## Figure 4: selective decoding",
        *_streams(outcome, show),
        "## Table 7: ablations",
        table_7(outcome.setting.ablation, outcome.ablation, {}),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _claims(outcome: Outcome) -> str:
    rows = ["| where | the paper says | its figures | in miniature | agrees |", "|---|---|---|---|---|"]
    for claim in CLAIMS:
        finding = claim.find(outcome)
        ours, verdict = ("-", "not measured") if finding is None else (finding.ours, finding.verdict)
        rows.append(f"| {' | '.join(map(escape, (claim.where, claim.says, claim.paper, ours, verdict)))} |")
    return "\n".join(rows)


def _tables(outcome: Outcome) -> list[str]:
    """Each as the paper has it, and after it the miniature in the same layout."""
    filled = sorted(paper_tables(outcome.evaluation), key=lambda one: (one.table.number, one.table.synthetic))
    parts = []
    for one in filled:
        rows = filled_table(one)
        # That nothing official was measured goes without saying here.
        rows = [row for row in rows if row != NOTHING]
        parts += [f"### {name_of(one.table)}: {escape(one.table.title)}", "\n".join(rows)]
    return parts


def _streams(outcome: Outcome, show: Show) -> list[str]:
    parts = []
    for result in outcome.evaluation.results:
        if result.curve:
            low, high = result.interval
            said = f"{result.benchmark}, {result.count} streams, {result.system}: {result.metric}: {result.value:.2f}"
            parts.append(f"{escape(said)} ({low:.2f} to {high:.2f}). The paper: {FIGURE_4}, on EgoExo4D.")
            parts.append(show(f"figure4-{result.benchmark}", figure_4(result)))
    return parts
