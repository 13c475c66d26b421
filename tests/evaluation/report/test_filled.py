"""Cells, averages and what is said where something is missing."""

from collections.abc import Callable

import pytest

from vljepa.evaluation.report.filled import Filled, Row, fill
from vljepa.evaluation.report.layout import TABLES, miniatures
from vljepa.evaluation.result import HIGH, LOW, Evaluation, Result

Make = Callable[..., Result]
Together = Callable[..., Evaluation]
CLASSIFICATION = [c.source.benchmark for c in TABLES[0].groups[0].columns]


def ours(filled: Filled, model: str = "nano") -> Row:
    return next(row for row in filled.measured if row.model == model)


def test_average_is_the_mean_once_all_are_there(make_result: Make, make_evaluation: Together) -> None:
    results = [make_result(name, value=i / 10) for i, name in enumerate(CLASSIFICATION)]
    row = ours(fill(TABLES[0], make_evaluation(*results), {}))
    assert [cell.text for cell in row.cells[:9]] == [
        "35.0",
        "0.0",
        "10.0",
        "20.0",
        "30.0",
        "40.0",
        "50.0",
        "60.0",
        "70.0",
    ]
    assert row.cells[1].interval == (40.0, 60.0) and row.cells[9].text == "-"


def test_no_average_of_some(make_result: Make, make_evaluation: Together) -> None:
    results = [make_result(name) for name in CLASSIFICATION[:5]]
    filled = fill(TABLES[0], make_evaluation(*results), {"nano": {"parameters": "39M"}})
    row = ours(filled)
    assert row.cells[0].value is None and row.cells[0].note == "5 of 8" and row.cells[9].note == ""
    assert filled.num_filled(row) == 5 and filled.num_columns == 16
    assert row.facts == ("-", "39M", "-", "-", "-")


def test_part_of_a_split_is_called_so(make_result: Make, make_evaluation: Together) -> None:
    results = [make_result(name, official=24_777 if name == "ssv2" else 4) for name in CLASSIFICATION]
    row = ours(fill(TABLES[0], make_evaluation(*results), {}))
    assert row.cells[1].note == "4 of 24777" and row.cells[2].note == "" and row.cells[0].note == "in part"


def test_figures_are_taken_by_name(make_result: Make, make_evaluation: Together) -> None:
    """The recall of table 4 may be the result's value or one of its figures; the accuracy of table 5 likewise."""
    figures = {"class-mean recall@5": 0.3, "class-mean recall@5" + LOW: 0.2, "class-mean recall@5" + HIGH: 0.4}
    found = make_evaluation(
        make_result("epic_kitchens_anticipation_1s", figures=figures),
        make_result("epic_kitchens_anticipation_2s", metric="class-mean recall@5", value=0.25, figures={"top-1": 0.1}),
        make_result("epic_kitchens_anticipation_4s", metric="top-5", figures={}),
        make_result("coin_next_step", metric="class-mean recall@5", figures={"top-1": 0.45}),
    )
    table_4, table_5 = (next(t for t in TABLES if t.number == number) for number in (4, 5))
    row = ours(fill(table_4, found, {}))
    assert [cell.text for cell in row.cells] == ["30.0", "25.0", "-", "-"]
    assert row.cells[0].interval == pytest.approx((20.0, 40.0)) and row.cells[1].interval == (40.0, 60.0)
    assert ours(fill(table_5, found, {})).cells[0].text == "45.0"


def test_rows_are_quoted_first_and_systems_without_a_figure_have_none(
    make_result: Make, make_evaluation: Together
) -> None:
    found = make_evaluation(make_result("ssv2", "one"), make_result("gqa", "two"), make_result("ssv2", "three"))
    filled = fill(TABLES[0], found, {})
    assert [row.measured for row in filled.rows] == [False] * 12 + [True] * 2
    assert [row.model for row in filled.measured] == ["one", "three"]


def test_variants_are_rows_of_their_own(make_result: Make, make_evaluation: Together) -> None:
    found = make_evaluation(make_result("ssv2", value=0.1), make_result("ssv2", value=0.2, variant="other texts"))
    rows = fill(TABLES[0], found, {}).measured
    assert [(row.model, row.cells[1].text) for row in rows] == [("nano", "10.0"), ("nano, other texts", "20.0")]


def test_synthetic_figures_stand_in_miniatures_alone(make_result: Make, make_evaluation: Together) -> None:
    groups = {"replace_attribute": 0.1, "replace_object": 0.2, "replace_relation": 0.3}
    groups |= {"swap_attribute": 0.4, "swap_object": 0.5}
    found = make_evaluation(
        make_result("tabletop-action", synthetic=True),
        make_result("tabletop-triplet", synthetic=True, metric="accuracy", value=0.7, figures=groups),
    )
    assert not any(fill(table, found, {}).measured for table in TABLES)
    small = {table.number: fill(table, found, {}) for table in miniatures()}
    assert ours(small[1]).cells[0].note == "1 of 5"
    # Groups of SugarCrepe++ and their mean; VISLA's are all triplets, and those of a relation.
    texts = [cell.text for cell in ours(small[6]).cells]
    assert texts == ["30.0", "10.0", "20.0", "30.0", "40.0", "50.0", "50.0", "70.0", "30.0"]
