"""The figures of docs/scaling.md are those that its commands print."""

import json
import re
from pathlib import Path

import pytest

from vljepa.cli import main

TEXT = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]
STAGES = [row for row in ROWS if len(row) == 8 and "`vljepa info" in row[1]]
SETTINGS = [row for row in ROWS if len(row) == 5 and row[1].startswith(("none", "`--"))]
RECIPES = [re.findall(r"`([\w-]+)`", row[0]) for row in SETTINGS]


def first_stage(command: str, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, float]]:
    assert main([*command.split(), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["plan"]["stages"][0]


def number(cell: str) -> float:
    return float(re.findall(r"[\d.]+", cell)[0])


@pytest.mark.parametrize("row", STAGES, ids=lambda row: row[0])
def test_stages(row: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    stage = first_stage(row[1].strip("`").removeprefix("vljepa "), capsys)
    unit = {"B": 1e9, "M": 1e6}[row[2][-1]]
    assert number(row[2]) == pytest.approx(stage["samples"] / unit, rel=0.005)
    total, *parts = map(float, re.findall(r"[\d.]+", row[3]))
    assert total == pytest.approx(sum(stage["flops"].values()) / 1e12, rel=0.001)
    found = [stage["flops"][name] / 1e12 for name in ("x_encoder", "predictor", "y_encoder")]
    if "recomputed" in row[3]:
        found.append(stage["flops"]["recomputed"] / 1e12)
    assert parts == pytest.approx(found, rel=0.02)
    memory, activations = map(float, re.findall(r"[\d.]+", row[4]))
    assert memory == pytest.approx(sum(stage["memory"].values()) / 1e9, abs=0.06)
    assert activations == pytest.approx(stage["memory"]["activations"] / 1e9, rel=0.03)
    assert number(row[5]) == pytest.approx(sum(stage["traffic"].values()) / 1e9, abs=0.06)
    assert number(row[6]) == pytest.approx(stage["samples_per_second"], abs=0.06)
    assert number(row[7]) == pytest.approx(stage["days"] * (1 if "days" in row[7] else 24), rel=0.03)


@pytest.mark.parametrize("index", range(len(SETTINGS)))
def test_settings(index: int, capsys: pytest.CaptureFixture[str]) -> None:
    (recipe,) = next(names for names in reversed(RECIPES[: index + 1]) if names)
    row = SETTINGS[index]
    options = row[1].strip("`") if row[1] != "none" else ""
    stage = first_stage(f"info {recipe} --gpus 192 {options}", capsys)
    assert number(row[2]) == pytest.approx(sum(stage["flops"].values()) / 1e12, rel=0.001)
    assert number(row[3]) == pytest.approx(sum(stage["memory"].values()) / 1e9, abs=0.06)
    assert number(row[4]) == pytest.approx(sum(stage["traffic"].values()) / 1e9, abs=0.06)


def test_the_tables_are_found() -> None:
    assert len(STAGES) == 5
    assert len(SETTINGS) == 9
