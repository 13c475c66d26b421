"""The four formats: complete, well-formed whatever names hold, quoted and measured told apart."""

import csv
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.report.paper import write_paper
from vljepa.evaluation.result import CurvePoint, Evaluation, Omission, Outcome, Result

NASTY = r"""=a|b & <c> $x_1$ 50%#{}~^\ [d] "q" `w` *e* 日本 – é"""
VOID = {"meta", "img"}


@pytest.fixture
def report(
    make_result: Callable[..., Result],
    make_outcome: Callable[..., Outcome],
    make_evaluation: Callable[..., Evaluation],
    tmp_path: Path,
) -> Path:
    """A report on results of which every text is nasty."""
    outcomes = [
        make_outcome(i, t, f, question=NASTY) for i, (t, f) in enumerate([("x", NASTY), (NASTY, "x"), ("x", "x")])
    ]
    curve = [CurvePoint(method=NASTY, rate_hz=r, cider=r) for r in (1.0, 0.1)]
    found = make_evaluation(
        make_result("ssv2", NASTY, value=0.123, official=24_777, outcomes=outcomes, left_out=[NASTY]),
        make_result("ssv2", "plain", value=0.456),
        make_result("SSV2!", "plain", outcomes=outcomes),
        make_result("tabletop-action", "plain", synthetic=True, value=0.789, outcomes=outcomes),
        make_result(f"{NASTY}/../x", NASTY, task="stream", synthetic=True, curve=curve, chance=None),
    )
    found.omissions.append(Omission(system="plain", benchmark=NASTY, reason=NASTY))
    out = tmp_path / "report"

    def read_strip(outcome: Outcome) -> np.ndarray:
        if outcome.id == "1":
            raise UserError(f"{NASTY}: gone")
        return np.zeros((8, 24, 3), np.uint8)

    write_paper(found, out, read_strip)
    return out


class Page(HTMLParser):
    """Elements that end where they should, links, texts of rows by class."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.rows: list[tuple[str, int]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "a":
            self.links.append(known["href"] or "")
        if tag == "img":
            self.pictures.append(known["src"] or "")
        if tag == "tr":
            self.rows.append((known.get("class") or "", 0))
        if tag in ("td", "th"):
            kind, count = self.rows[-1]
            self.rows[-1] = kind, count + int(known.get("colspan") or 1)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_pages_are_whole_and_linked(report: Path) -> None:
    index = Page((report / "index.html").read_text())
    assert NASTY in index.text and f"not measured, {NASTY}" in index.text
    links = {link for link in index.links if not link.startswith("#")}
    assert len(links) == 4 and all((report / link).is_file() for link in links)
    assert {path.name for path in (report / "pages").glob("*.html")} == {Path(link).name for link in links}
    # The name of a benchmark leads no file out of its folder, and two that differ by signs alone have a page each.
    assert {"ssv2.html", "ssv2-2.html"} < {Path(link).name for link in links}
    for link in links:
        page = Page((report / link).read_text())
        assert "../index.html" in page.links and not re.search(r"https?://", (report / link).read_text())
        assert all(source.startswith("data:image/jpeg") for source in page.pictures)


def test_rows_of_the_pages_tables_are_as_wide_as_their_heads(report: Path) -> None:
    text = (report / "index.html").read_text()
    for table in re.findall(r'<table class="paper.*?</table>', text, re.DOTALL):
        assert len({count for _, count in Page(table).rows}) == 1
    classes = [kind for kind, _ in Page(text).rows]
    assert text.count("measured here, synthetic") == 1
    assert classes.count("measured") == 3 and classes.count("quoted") == 12 + 40 + 20 + 3 + 4 + 5


def test_a_benchmarks_page_shows_confusions_cases_and_what_is_left_out(report: Path) -> None:
    page = Page((report / "pages" / "ssv2.html").read_text())
    assert "0.400–0.600" in page.text and "4 of 24777" in page.text and "1 left out" in page.text
    assert "What is taken for what" in page.text and "1 of 2" in page.text
    # One right and two wrong; of one of these the medium is gone.
    assert len(page.pictures) == 0 and "Best cases" not in page.text
    other = Page((report / "pages" / "ssv2-2.html").read_text())
    assert len(other.pictures) == 2 and f"{NASTY}: gone" in other.text
    assert "Best cases of plain" in other.text and "Worst cases of plain" in other.text


def test_markdown_rows_are_as_wide_as_their_heads(report: Path) -> None:
    for path in (report / "index.md", *(report / "pages").glob("*.md")):
        width = 0
        for line in path.read_text().splitlines():
            if not line.startswith("|"):
                width = 0
                continue
            columns = len(re.findall(r"(?<!\\)\|", line.replace("\\\\", "")))
            width = width or columns
            assert columns == width, line
            assert "<c>" not in line
    text = (report / "index.md").read_text()
    assert "| *quoted* | *PE-Core* | *ViT-G* | *2.3B* |" in text
    assert "| **measured** | **plain** | - | - | - | - | - | 1 of 8 | **45.6** |" in text
    assert "**12.3** (4 of 24777)" in text and "| **measured, synthetic** | **plain** |" in text
    assert all((report / link).is_file() for link in re.findall(r"\]\((\S+)\)", text))


def test_csv_is_read_back(report: Path) -> None:
    with (report / "table1.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len({len(row) for row in rows}) == 1 and len(rows) == 1 + 12 + 2
    assert rows[0][:4] == ["source", "model", "Size", "# Parameters"] and rows[0].count("SSv2") == 1
    assert len(set(rows[0])) == len(rows[0])
    base = next(row for row in rows if row[1] == "VL-JEPA_BASE")
    assert base[0] == "quoted" and base[rows[0].index("YouCook2")] == "40.4"
    # A spreadsheet must not take a name for a formula.
    assert rows[-2][:2] == ["measured", "'" + NASTY] and rows[-2][rows[0].index("SSv2")] == "12.3"
    assert rows[-1][rows[0].index("EK100")] == ""
    with (report / "cells.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    ours = [c for c in cells if c["source"] == "measured" and c["synthetic"] == "no"]
    assert [(c["column"], c["percent"], c["low"], c["evaluated"], c["official"]) for c in ours] == [
        ("SSv2", "12.3000", "40.0000", "4", "24777"),
        ("SSv2", "45.6000", "40.0000", "4", ""),
    ]
    assert all(c["reference"].startswith("arXiv 2512.10942v2, table ") == (c["source"] == "quoted") for c in cells)
    with (report / "figure4.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def latex_rows(text: str) -> list[tuple[int, int]]:
    """For each row of each ``tabular`` how many columns it has and how many it should; braces and ends are checked."""
    bare = re.sub(r"(?<!\\)%.*", "", text).replace(r"\\", "\n")
    depth, environments = 0, []
    for token in re.findall(r"\\(?:begin|end)\{\w+\*?\}|\\.|[{}]", bare.replace("\n", " ")):
        if token.startswith(r"\begin"):
            environments.append(token[7:-1])
        elif token.startswith(r"\end"):
            assert environments.pop() == token[5:-1]
        elif token in "{}":
            depth += 1 if token == "{" else -1
            assert depth >= 0
    assert depth == 0 and environments == []
    rows = []
    for columns, body in re.findall(r"\\begin\{tabular\}\{(.*?)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL):
        wanted = len(re.sub(r"@\{.*?\}", "", columns))
        for line in body.splitlines():
            if line.endswith(r"\\"):
                spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                rows.append((len(re.findall(r"(?<!\\)&", line)) + 1 + spans, wanted))
    return rows


def test_latex_is_well_formed(report: Path) -> None:
    """As far as can be told without TeX: braces, environments, columns, no special sign that is not escaped."""
    names = re.findall(r"\\input\{(\w+)\}", (report / "tables.tex").read_text())
    assert len(names) == 9 + 1 + 1 and names[-1] == "figure4"
    for name in names:
        text = (report / f"{name}.tex").read_text()
        rows = latex_rows(text)
        assert all(found == wanted for found, wanted in rows) and (rows or name == "figure4")
        assert not re.search(r"(?<!\\)[$#_]", text) and "日" not in text
    assert latex_rows((report / "tables.tex").read_text()) == []
    table = (report / "table1.tex").read_text()
    assert r"\quoted{VL-JEPA\textsubscript{BASE}}" in table and r"\measured{45.6}" in table
    assert r"\measured{12.3\,(4 of 24777)}" in table and r"\toprule" in table
    small = (report / "miniature1.tex").read_text()
    assert r"{\measured{Measured here, synthetic}}" in small and "action for SSv2, Kinetics-400;" in small
    nasty = r"=a\textbar{}b \& \textless{}c\textgreater{} \$x\_1\$ 50\%\#\{\}\textasciitilde{}\textasciicircum{}"
    assert nasty + r"\textbackslash{} {[}d{]} \textquotedbl{}q\textquotedbl{}" in table


def test_latex_check_finds_what_is_wrong() -> None:
    row = "\\begin{tabular}{ll}\n%s \\\\\n\\end{tabular}"
    assert latex_rows(row % "a & b") == [(2, 2)] and latex_rows(row % r"a \& b") == [(1, 2)]
    assert latex_rows(row % r"\multicolumn{2}{l}{a}") == [(2, 2)]
    for broken in ("a & {b", "a & b}", "\\begin{x}a & b"):
        with pytest.raises((AssertionError, IndexError)):
            latex_rows(row % broken)
