"""Every path and symbol that docs/paper_map.md names exists."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|\n ").split("|")]
    for line in (ROOT / "docs" / "paper_map.md").read_text().splitlines()
    if line.startswith("| ") and "`" in line
]


def test_the_map_has_rows() -> None:
    assert ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_row_names_what_exists(row: list[str]) -> None:
    _, symbols, tests = row
    for module, name in re.findall(r"`([\w.]+):(\w+)`", symbols):
        assert hasattr(importlib.import_module(module), name), f"{module} has no {name}"
    assert re.findall(r"`([\w.]+):(\w+)`", symbols)
    for path in re.findall(r"`(tests/[\w/.]+)`", tests):
        assert (ROOT / path).is_file(), path
