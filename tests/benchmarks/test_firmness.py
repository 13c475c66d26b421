"""The script of table 6 on a handful of triplets: every row it is asked for, by groups and with intervals."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "firmness.py"
EASY = {"p1": "A cat sleeps on a sofa.", "p2": "On a couch a cat is asleep.", "n": "The stock market fell in May."}
IMPOSSIBLE = {"p1": "A cat and a dog.", "p2": "A dog and a cat.", "n": "A cat and a dog."}


def test_rows(tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("sugarcrepe_pp", "visla"):
        folder = tmp_path / "test" / name
        folder.mkdir(parents=True)
        about = {"name": name, "task": "triplet", "metric": "accuracy", "query": ""}
        (folder / "benchmark.json").write_text(json.dumps(about))
        items = [{"id": "1", "group": "easy", **EASY}, {"id": "2", "group": "impossible", **IMPOSSIBLE}]
        (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    arguments = [str(tmp_path), "--checkpoints", "nano", "--steps", "1", "--alterations", "0"]
    monkeypatch.setattr(sys, "argv", ["firmness.py", *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert rows[0][1:4] == ["sugarcrepe_pp", "easy", "impossible"]
    assert [row[0] for row in rows[1:]] == [
        "| untouched",
        "| nano",
        "| 1 steps on texts, 0 alterations, multiplier 0.05",
    ]
    for row in rows[1:]:
        assert row[1].startswith("**50.00** (") and row[2:4] == ["100.00", "0.00"]
