"""``vljepa report``: tables of several runs, and what is no run."""

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

from vljepa.cli import main
from vljepa.evaluation.report import write_results
from vljepa.evaluation.report.layout import miniatures
from vljepa.evaluation.result import Evaluation, Result

SOURCES = sorted({c.source for table in miniatures() for c in table.columns}, key=lambda s: (s.benchmark, s.figure))
ABOUT = "an untrained model"


def values() -> dict[tuple[str, str], float]:
    """A figure of its own for each of Tabletop's benchmarks, and for each group of its triplets."""
    return {(source.benchmark, source.figure): (i + 1) / 40 for i, source in enumerate(SOURCES)}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a system finds on all of Tabletop that stands for a column."""
    results = []
    for name in dict.fromkeys(source.benchmark for source in SOURCES):
        figures = {figure: value for (benchmark, figure), value in values().items() if benchmark == name}
        metric, value = next(iter(figures.items()))
        results.append(
            Result(
                system="ours", benchmark=name, task="choice", metric=metric, value=value, interval=(0.0, 1.0),
                chance=0.5, count=9, left_out=[], synthetic=True, figures=figures,
            )
        )  # fmt: skip
    write_results(Evaluation(systems={"ours": ABOUT}, results=results), tmp_path / "run")
    return tmp_path / "run"


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def test_every_cell_that_tabletop_has_a_counterpart_for_is_filled(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    assert main(["report", str(run), "--out", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["index"] == str(out / "index.html")
    filled = {one["table"]: (one["model"], one["filled"], one["columns"]) for one in printed["tables"]}
    columns = {1: 6, 2: 3, 3: 1, 4: 1, 5: 1, 6: 7}
    assert filled == {f"Table {n} in miniature": ("ours", m, m) for n, m in columns.items()}
    for number in columns:
        assert all(table(out / f"miniature{number}.csv")["ours"].values())
    known, first = values(), table(out / "miniature1.csv")["ours"]
    assert first["source"] == "measured, synthetic"
    kinds = ("action", "action_novel", "step", "procedure", "procedure_new_order")
    mean = sum(known[f"tabletop-{kind}", "top-1"] for kind in kinds) / 5
    assert float(first["action"]) == pytest.approx(100 * known["tabletop-action", "top-1"], abs=0.05)
    assert float(first["Average, Video classification (top-1 accuracy)"]) == pytest.approx(100 * mean, abs=0.05)
    recall = known["tabletop-anticipation", "class-mean recall@5"]
    assert float(table(out / "miniature4.csv")["ours"]["anticipation"]) == pytest.approx(100 * recall, abs=0.05)
    assert set(table(out / "table1.csv")) >= {"VL-JEPA_BASE", "VL-JEPA_SFT"}
    assert {path.stem for path in (out / "pages").glob("*.html")} == {source.benchmark for source in SOURCES}


def test_runs_come_together_in_one_table(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Result(
        system="ours", benchmark="ssv2", task="classification", metric="top-1", value=0.25, interval=(0.2, 0.3),
        chance=0.01, count=100, official=24_777, left_out=[], synthetic=False,
    )  # fmt: skip
    write_results(Evaluation(systems={"ours": ABOUT}, results=[other]), tmp_path / "other")
    assert main(["report", str(run), str(tmp_path / "other"), "--out", str(tmp_path / "out")]) == 0
    assert "Table 1: ours, 1 of 16 columns" in capsys.readouterr().out
    assert "**25.0** (100 of 24777)" in (tmp_path / "out" / "index.md").read_text()


def test_runs_that_disagree_are_bad_input(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "results.json").write_text((run / "results.json").read_text().replace(ABOUT, "another"))
    assert main(["report", str(run), str(other), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and "disagree about the system 'ours'" in error
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_none_is_bad_input(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(run, cut)
    os.truncate(cut / "results.json", 1000)
    cases = (([str(cut)], "damaged, not JSON"), ([str(tmp_path / "absent")], "is not there"), ([], "no run given"))
    for arguments, said in cases:
        assert main(["report", *arguments, "--out", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and said in error
