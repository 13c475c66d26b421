"""The paper's figures against a second reading of it, its arithmetic, and what the converters' files say."""

import pytest

from vljepa.evaluation.benchmarks import SETS
from vljepa.evaluation.report.layout import TABLES, Table
from vljepa.evaluation.report.quoted import TABLE_1, TABLE_3, TABLE_6, Quoted

FULL_ROWS = [
    (table, row)
    for table in TABLES
    for row in table.quoted
    if any(group.average for group in table.groups) and row.values[0] is not None
]


def table(number: int, part: str = "") -> Table:
    return next(t for t in TABLES if (t.number, t.part) == (number, part))


def quoted(table: Table, model: str, size: str = "") -> Quoted:
    return next(row for row in table.quoted if row.model == model and (not size or size in row.facts))


def value(number: int, part: str, model: str, column: str, size: str = "") -> float | None:
    found = table(number, part)
    headings = [
        h for group in found.groups for h in [*["Average"] * group.average, *(c.heading for c in group.columns)]
    ]
    return quoted(found, model, size).values[headings.index(column)]


@pytest.mark.parametrize(
    ("number", "part", "model", "size", "column", "printed"),
    [
        # Typed from the printed pages, apart from the module.
        (1, "", "CLIP", "RN50", "SSv2", 2.1),
        (1, "", "CLIP", "ViT-B", "VDC-1k", 42.9),
        (1, "", "CLIP", "ViT-L", "MSVD", 41.9),
        (1, "", "SigLIP2", "ViT-L", "COIN (TR)", 78.5),
        (1, "", "SigLIP2", "ViT-g", "EgoExo4D", 5.6),
        (1, "", "PE-Core", "ViT-B", "CrossTask (TR)", 91.8),
        (1, "", "PE-Core", "ViT-G", "Kinetics-400", 76.4),
        (1, "", "PE-Core", "ViT-G", "DiDeMo", 44.5),
        (1, "", "VL-JEPA_BASE", "ViT-L", "ActivityNet", 64.9),
        (1, "", "VL-JEPA_BASE", "ViT-L", "CrossTask (SR)", 64.5),
        (1, "", "VL-JEPA_SFT", "ViT-L", "EK100", 44.6),
        (1, "", "VL-JEPA_SFT", "ViT-L", "YouCook2", 37.8),
        (1, "", "Previous SoTA (including specialist models)", "", "COIN (TR)", 95.3),
        (2, "GQA", "InternVL-Chat (Vicuna-13B)", "", "GQA", 66.6),
        (2, "GQA", "VL-JEPA_SFT (1.6B)", "", "GQA", 61.5),
        (2, "TallyQA", "PaliGemma (3B)", "", "TallyQA", 76.8),
        (2, "TallyQA", "VL-JEPA_SFT (1.6B)", "", "TallyQA", 69.9),
        (2, "POPE", "LLaVA-1.5-13B-HD", "", "POPE", 86.3),
        (2, "POPE", "VL-JEPA_SFT (1.6B)", "", "POPE", 85.7),
        (2, "POPEv2", "Qwen2-VL-2B", "", "POPEv2", 91.3),
        (2, "POPEv2", "VL-JEPA_SFT (1.6B)", "", "POPEv2", 86.3),
        (3, "", "Qwen2.5-VL", "72B", "WorldPrediction-WM", 57.0),
        (3, "", "VL-JEPA_BASE", "", "WorldPrediction-WM", 63.9),
        (3, "", "VL-JEPA_SFT", "", "WorldPrediction-WM", 65.7),
        (4, "", "V-JEPA 2", "ViT-L-256px", "t = 10 s", 7.1),
        (4, "", "VL-JEPA (finetuned SFT)", "", "t = 4 s", 19.4),
        (5, "", "ProVideLLM-8B/11+", "", "COIN next step", 53.6),
        (5, "", "VL-JEPA (finetuned SFT)", "", "COIN next step", 56.2),
        (6, "", "CLIP", "ViT-L", "Swap object", 13.5),
        (6, "", "SigLIP2", "ViT-g", "Generic", 48.7),
        (6, "", "PE-Core", "ViT-G", "Replace attribute", 73.6),
        (6, "", "VL-JEPA_BASE", "ViT-L", "Swap attribute", 62.9),
        (6, "", "VL-JEPA_SFT", "ViT-L", "Spatial", 34.2),
    ],
)
def test_figure_is_as_printed(number: int, part: str, model: str, size: str, column: str, printed: float) -> None:
    assert value(number, part, model, column, size) == printed


@pytest.mark.parametrize(("found", "row"), FULL_ROWS, ids=[f"{t.number}-{r.model}-{r.facts[0]}" for t, r in FULL_ROWS])
def test_averages_are_plain_means_of_their_group(found: Table, row: Quoted) -> None:
    """Which checks every figure of tables 1 and 6: a slip of 0.5 in any would show."""
    values = list(row.values)
    for group in found.groups:
        average, cells = values[0], values[1 : 1 + len(group.columns)]
        del values[: 1 + len(group.columns)]
        assert None not in cells
        # One decimal of the mean of numbers with one decimal.
        assert average == pytest.approx(sum(filter(None, cells)) / len(cells), abs=0.051)
    assert not values


def test_averages_of_table_6_are_no_micro_averages() -> None:
    """The paper's text calls them so; weighted by the sizes of the official groups they would be others."""
    sugarcrepe = (788, 1652, 1406, 666, 245)
    base = quoted(table(6), "VL-JEPA_BASE").values
    micro = sum(n * v for n, v in zip(sugarcrepe, base[1:6], strict=True) if v is not None) / sum(sugarcrepe)
    assert micro == pytest.approx(69.6, abs=0.1) and base[0] == 63.9


def test_rows_have_a_cell_for_each_column_and_a_fact_for_each_head() -> None:
    for found in TABLES:
        cells = sum(group.average + len(group.columns) for group in found.groups)
        assert all(len(row.values) == cells and len(row.facts) == len(found.facts) for row in found.quoted)
    assert (len(TABLE_1), len(TABLE_3), len(TABLE_6)) == (12, 20, 5)


def test_converters_name_the_same_figures() -> None:
    """Each converter's figure, typed by whoever wrote it, is that of VL-JEPA's last row in the table."""
    named = {spec.name: spec.paper for one in SETS.values() for spec in one.benchmarks if spec.paper is not None}
    for found in TABLES:
        ours = next(row for row in reversed(found.quoted) if row.model.startswith("VL-JEPA"))
        values = list(ours.values)
        for group in found.groups:
            values = values[group.average :]
            for column in group.columns:
                printed = values.pop(0)
                if column.source.benchmark in named and found.number != 6:
                    assert named[column.source.benchmark] == pytest.approx((printed or 0) / 100, abs=1e-9)
