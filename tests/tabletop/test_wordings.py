"""Manifests with a limited number of wordings: the same facts and media, the same wording for all clips."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from vljepa.data.manifest import read_manifest
from vljepa.errors import UserError
from vljepa.tabletop import suite, wordings


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wordings") / "data"
    suite.write(folder, "tiny")
    return folder


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("count", [1, 4])
def test_all_but_the_texts_stays_and_media_are_found(data: Path, count: int) -> None:
    out = data / f"few-{count}"
    wordings.write(data, out, count)
    for name in wordings.MANIFESTS:
        before, after = rows(data / "train" / f"{name}.jsonl"), rows(out / f"{name}.jsonl")
        samples, problems = read_manifest(out / f"{name}.jsonl")
        assert len(samples) == len(before) and not problems
        assert [row["id"] for row in after] == [row["id"] for row in before]
        for old, new in zip(before, after, strict=True):
            assert (out / new["media"]).resolve() == (data / "train" / old["media"]).resolve()
            assert {**new, "media": 0, "targets": 0} == {**old, "media": 0, "targets": 0}
            assert 1 <= len(new["targets"]) <= count


def test_a_fact_has_one_text_where_there_is_one_wording(data: Path, tmp_path: Path) -> None:
    wordings.write(data, tmp_path / "one", 1)
    wordings.write(data, tmp_path / "many", 16)
    labels: dict[str, set[str]] = defaultdict(set)
    plain = {row["id"]: row["targets"][0] for row in rows(data / "train" / "sft_actions.jsonl")}
    for row in rows(tmp_path / "one" / "sft_actions.jsonl"):
        labels[plain[row["id"]]].update(row["targets"])
    assert all(texts == {name} for name, texts in labels.items())
    # Captions of all clips are of one form: the first wording is a sentence of one kind, or a phrase.
    first = [row["targets"][0] for row in rows(tmp_path / "one" / "sft_videos.jsonl")]
    starts = {text.split()[0] for text in first}
    assert len(starts) == 1 or all(word[0].isupper() or word.endswith("ing") for word in starts)
    many = [row["targets"] for row in rows(tmp_path / "many" / "sft_videos.jsonl")]
    assert [texts[0] for texts in many] == first
    assert max(map(len, many)) > 6, "more than the suite's own"


def test_what_is_no_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="vljepa tabletop"):
        wordings.write(tmp_path, tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()
