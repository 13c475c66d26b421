"""The suite on disk: its layout, its determinism and the promises of its splits."""

import json
import re
import zlib
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.benchmark import benchmark_folders, read_benchmark
from vljepa.evaluation.report.paper import paper_tables
from vljepa.evaluation.result import Evaluation, Result
from vljepa.evaluation.runner import evaluate_all
from vljepa.evaluation.system import System
from vljepa.tabletop import jobs, language, suite
from vljepa.tabletop.verb_phrases import HELD_OUT_PHRASES

BENCHMARKS = {
    "action", "action_novel", "procedure", "procedure_new_order", "step", "retrieval", "caption", "counting",
    "existence", "compositional", "world_model", "anticipation", "stream", "triplet",
}  # fmt: skip


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _annotations(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.json*"))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tabletop")
    suite.write(out, "tiny", workers=2)
    return out


def test_layout(folder: Path) -> None:
    assert {p.stem for p in (folder / "train").glob("*.jsonl")} == set(suite.MANIFESTS)
    for split in ("validation", "test"):
        assert {p.parent.name for p in (folder / split).glob("*/benchmark.json")} == BENCHMARKS
        for path in (folder / split).glob("*/benchmark.json"):
            about = json.loads(path.read_text())
            assert about["synthetic"] is True and 0 <= about["chance"] <= 0.5 and about["split"]
            for row in _rows(path.with_name("items.jsonl")):
                if "label" in row:
                    assert row["label"] in about["classes"]


def test_all_media_exist_and_ids_are_unique(folder: Path) -> None:
    for path in folder.rglob("*.jsonl"):
        rows = _rows(path)
        assert len({row["id"] for row in rows}) == len(rows)
        for name in re.findall(r'"([^"]+\.(?:mp4|png))"', path.read_text()):
            assert (path.parent / name).is_file()


def test_training_asks_open_questions_and_benchmarks_do_not(folder: Path) -> None:
    asked = _rows(folder / "train/sft_image_questions.jsonl")
    assert any(row["query"].startswith("Which objects are") for row in asked)
    assert len({(row["media"], row["query"]) for row in asked}) == len(asked)
    for name in ("counting", "existence", "compositional"):
        for row in _rows(folder / f"test/{name}/items.jsonl"):
            assert row["answer"] in row["choices"]


@pytest.mark.parametrize("limit", [None, 20])
def test_every_cell_of_the_papers_tables_has_a_counterpart(folder: Path, limit: int | None) -> None:
    def embed(texts: list[str]) -> np.ndarray:
        return np.stack([np.random.default_rng(zlib.crc32(text.encode())).normal(size=8) for text in texts])

    system = System(name="any", embed_clips=lambda clips, queries: embed(queries), encode_text=embed)
    found = Evaluation(systems={"any": ""})
    benchmarks = [read_benchmark(one, limit) for one in benchmark_folders(folder / "test")]
    found.results.extend(one for one in evaluate_all(benchmarks, [system]) if isinstance(one, Result))
    small = [table for table in paper_tables(found) if table.table.synthetic]
    assert [table.table.number for table in small] == [1, 2, 3, 4, 5, 6]
    for table in small:
        (row,) = table.measured
        empty = [name for name, cell in zip(table.headings, row.cells, strict=True) if cell.value is None]
        assert not empty, f"table {table.table.number}: {empty}"
        assert all(cell.result is None or cell.result.synthetic for cell in row.cells)
    assert not any(table.measured for table in paper_tables(found) if not table.table.synthetic)


def test_videos_decode_at_the_stated_length(folder: Path) -> None:
    for row in _rows(folder / "test/retrieval/items.jsonl")[:3]:
        with av.open(str(folder / "test/retrieval" / row["media"])) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert frames[0].shape == (128, 128, 3)
        assert abs(len(frames) / 8 - row["end"]) <= 0.13
        assert np.abs(frames[0].astype(int) - frames[len(frames) // 2]).max() > 20


def test_same_seed_same_annotations_in_any_number_of_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = suite.Size(train_actions=2, train_procedures=1, train_images=2, actions=2, novel=1, procedures=1,
                     new_orders=1, images=1, world_model=1, streams=0, stream_seconds=0.0)  # fmt: skip
    monkeypatch.setitem(suite.SIZES, "few", few)
    for name, workers, seed in (("one", 1, 0), ("two", 2, 0), ("other", 2, 1)):
        suite.write(tmp_path / name, "few", workers=workers, seed=seed)
    assert _annotations(tmp_path / "one") == _annotations(tmp_path / "two")
    assert _annotations(tmp_path / "one") != _annotations(tmp_path / "other")


def test_long_streams_are_a_benchmark_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LONG", 70.0)
    for name, seconds in (("short", 69.0), ("long", 70.0)):
        size = replace(suite.SIZES["hours"], streams=1, stream_seconds=seconds, pixels=32)
        monkeypatch.setitem(suite.SIZES, name, size)
        suite.write(tmp_path / name, name, workers=1)
    (short,) = _rows(tmp_path / "short/test/stream/items.jsonl")
    (long,) = _rows(tmp_path / "long/test/stream_hour/items.jsonl")
    assert json.loads((tmp_path / "long/test/stream_hour/benchmark.json").read_text())["task"] == "stream"
    assert short["annotations"][:5] != long["annotations"][:5], "a long stream repeats a short one"
    with av.open(str(tmp_path / "long/test/stream_hour" / long["media"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 70 * 8


def test_training_texts_hold_nothing_that_is_kept_for_test(folder: Path) -> None:
    texts = " ".join(path.read_text() for path in (folder / "train").glob("*.jsonl"))
    words = set(re.findall(r"[a-z-]+", texts.lower()))
    kept = {w for found in language.HELD_OUT_WORDS.values() for w in found}
    for phrases in HELD_OUT_PHRASES.values():
        for verb in re.findall(r"\*(\w+)", " ".join(phrases)):
            kept |= {verb, language.gerund(f"*{verb}"), language.third_person(f"*{verb}")}
    assert not words & kept
    for colour, shape in language.HELD_OUT_PAIRS:
        for c in language.TRAIN_WORDS[colour]:
            for s in language.TRAIN_WORDS[shape]:
                # Whole words: an orange-coloured sphere is none that is red.
                assert not re.search(rf"\b{c} {s}\b", texts)


def test_unknown_size_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"huge.*tiny"):
        suite.write(tmp_path, "huge")
