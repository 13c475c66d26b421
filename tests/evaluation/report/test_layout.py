"""Columns, and what of Tabletop stands for them."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vljepa.evaluation.benchmarks import SETS
from vljepa.evaluation.report.layout import RECALL1, RECALL5, TABLES, TOP1, miniatures
from vljepa.evaluation.runner import evaluate
from vljepa.evaluation.system import System

BESIDE_THE_TABLES = {"imagenet", "clevr", "egoexo4d_descriptions"}
"""Benchmarks of the paper's text, its ablations and its figure 4."""


def test_every_converted_benchmark_has_its_column() -> None:
    columns = {column.source.benchmark for table in TABLES for column in table.columns}
    converted = {spec.name for one in SETS.values() for spec in one.benchmarks}
    assert converted - BESIDE_THE_TABLES <= columns


def test_miniatures_have_all_of_the_papers_columns_once() -> None:
    for number, small in zip(range(1, 7), miniatures(), strict=True):
        paper = [column.heading for table in TABLES if table.number == number for column in table.columns]
        stood_for = [heading for column in small.columns for heading in column.stands_for]
        assert small.number == number and small.synthetic and not small.quoted
        assert sorted(stood_for) == sorted(paper)


def test_a_miniature_names_each_of_its_figures_once_in_a_group() -> None:
    for small in miniatures():
        for group in small.groups:
            sources = [column.source for column in group.columns]
            assert len(set(sources)) == len(sources)
            assert len({column.heading for column in group.columns}) == len(sources)


def test_names_of_files_differ() -> None:
    names = [table.name for table in (*TABLES, *miniatures())]
    assert len(set(names)) == len(names) and "table2_gqa" in names and "miniature2" in names


def embed(texts: list[str]) -> np.ndarray:
    return np.stack([np.random.default_rng(zlib.crc32(text.encode())).normal(size=8) for text in texts])


@pytest.mark.parametrize(
    ("task", "fields", "info", "figures"),
    [
        ("anticipation", {"media": "a.png", "label": "x"}, {"classes": ["x", "y"]}, {TOP1, RECALL5}),
        ("retrieval", {"media": "a.png", "texts": ["x"]}, {}, {RECALL1}),
        ("triplet", {"p1": "a", "p2": "b", "n": "c", "group": "replace_att"}, {}, {"replace_att"}),
    ],
)
def test_figures_are_called_as_they_are_measured(
    task: str, fields: dict[str, Any], info: dict[str, Any], figures: set[str], tmp_path: Path
) -> None:
    folder = tmp_path / "test" / "one"
    folder.mkdir(parents=True)
    (folder / "benchmark.json").write_text(json.dumps({"name": "one", "task": task, **info}))
    (folder / "items.jsonl").write_text(json.dumps({"id": "1", **fields}))
    system = System(name="s", embed_clips=lambda clips, queries: embed(queries), encode_text=embed)
    result = evaluate(folder, system)
    assert figures <= {result.metric, *result.figures}
