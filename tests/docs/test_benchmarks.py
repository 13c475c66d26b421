"""docs/benchmarks.md has every benchmark of the converters once, with what the code checks and the paper prints."""

import re
import sys
from pathlib import Path

import pytest

from vljepa.evaluation.benchmarks import SETS
from vljepa.evaluation.conversion.spec import BenchmarkSet
from vljepa.evaluation.report.layout import TABLES

TEXT = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
NAMES = {spec.name: name for name, one in SETS.items() for spec in one.benchmarks}
SPECS = {spec.name: spec for one in SETS.values() for spec in one.benchmarks}


def table(head: str) -> list[dict[str, str]]:
    """The rows of the table whose head begins so, each by column."""
    lines = TEXT[TEXT.index(f"\n| {head}") + 1 :].split("\n\n")[0].splitlines()
    titles, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(titles, row, strict=True)) for row in rows]


ROWS = {row["benchmark"].strip("`"): row for row in table("benchmark")}
SOURCES = {row["NAME"].strip("`"): row for row in table("NAME | data set")}
CONVERTED = {row["NAME"] for row in table("NAME | file")}


def head_of(one: BenchmarkSet) -> str:
    """The docstring of the set's file, on one line."""
    read = one.benchmarks[0].read
    return " ".join(str(sys.modules[getattr(read, "func", read).__module__].__doc__).split())


def printed(benchmark: str) -> dict[str, float]:
    """The paper's figures of a benchmark in percent, by the name of the model."""
    found: dict[str, float] = {}
    for one in TABLES:
        place = 0
        for group in one.groups:
            sources = [column.source.benchmark for column in group.columns]
            # Of a benchmark that has the columns of a group to itself the average is quoted.
            alone = group.average and set(sources) == {benchmark}
            place += group.average
            if benchmark in sources:
                at = place - 1 if alone else place + sources.index(benchmark)
                for row in one.quoted:
                    if row.model.startswith("VL-JEPA") and row.values[at] is not None:
                        found["BASE" if "BASE" in row.model else "SFT"] = row.values[at]
            place += len(sources)
    return found


def test_every_benchmark_has_one_row() -> None:
    assert sorted(row["benchmark"].strip("`") for row in table("benchmark")) == sorted(SPECS)
    assert [row["NAME"].strip("`") for row in table("NAME | data set")] == sorted(SETS)


@pytest.mark.parametrize("name", SPECS)
def test_a_row_says_what_the_code_checks(name: str) -> None:
    row, spec = ROWS[name], SPECS[name]
    assert row["NAME"] == f"`{NAMES[name]}`"
    assert (row["task"], row["metric"]) == (spec.task, spec.metric)
    assert row["split"] == ("open" if spec.items is None else f"{spec.items:,}")
    assert row["classes"] == ("" if spec.classes is None else f"{spec.classes:,}")


@pytest.mark.parametrize("name", SPECS)
def test_a_row_has_the_paper_s_figures(name: str) -> None:
    cells = ROWS[name]["paper"].split(" / ")
    found = {model: float(cell) for model, cell in zip(("BASE", "SFT"), cells, strict=True) if cell != "-"}
    if quoted := printed(name):
        assert found == quoted
    # The converter states SFT's, or BASE's where there is no other; so it does beside the tables, as of ImageNet.
    stated = SPECS[name].paper
    assert found.get("SFT", found.get("BASE")) == (None if stated is None else pytest.approx(100 * stated))


@pytest.mark.parametrize("name", SPECS)
def test_a_state_names_the_whole_split_or_none(name: str) -> None:
    state, spec = ROWS[name]["state"], SPECS[name]
    counts = re.findall(r"([\d,]+) items", state)
    assert counts or state.startswith("fixture only")
    if counts and spec.items is not None:
        assert counts == [f"{spec.items:,}"]
    assert not counts or f"`{NAMES[name]}`" in CONVERTED


@pytest.mark.parametrize("name", SETS)
def test_a_source_is_that_of_the_converter(name: str) -> None:
    row, head = SOURCES[name], head_of(SETS[name])
    (link,) = re.findall(r"\]\((https?://[^)]+)\)", row["data set"])
    assert link in head
    assert row["licence"] in head
    for option in SETS[name].options:
        assert f"{option}=" in row["options"]
