"""A benchmark folder is whole or not there, and the same source gives the same bytes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vljepa.errors import UserError
from vljepa.evaluation.benchmark import read_benchmark
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import Content, Request, Spec
from vljepa.evaluation.conversion.writer import Writer, Written

Make = Callable[..., Written]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make(labels)`` writes a benchmark of one image for each label, and gives it its name."""
    (tmp_path / "media").mkdir()

    def start(*labels: object, items: int | None = None, partial: bool = False, classes: int | None = None) -> Written:
        for i in range(len(labels)):
            (tmp_path / "media" / f"{i}.jpg").touch()

        def read(files: Files) -> Content:
            records = [Record(where=f"file:{i}", fields={"label": label, "i": i}) for i, label in enumerate(labels, 1)]

            def item(record: Record) -> dict[str, Any] | None:
                if record.get("label") == "other split":
                    return None
                image = files.image(str(record.fields["i"] - 1))
                return {"id": str(record.fields["i"]), "media": image, "label": record.word("label")}

            return Content(records=records, item=item, info={"classes": ["a", "b"]})

        spec = Spec(name="x", task="classification", metric="top1", items=items, classes=classes, paper=0.5, read=read)
        request = Request(source=tmp_path, out=tmp_path)
        writer = Writer(spec, Files("x", request), tmp_path)
        try:
            written = writer.write(partial, request.progress)
            writer.finish()
        finally:
            writer.discard()
        return written

    return start


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_whole(make: Make, tmp_path: Path) -> None:
    written = make("a", "other split", "b", items=2, classes=2)
    found = read_benchmark(written.folder)
    assert [item.truth for item in found.items] == ["a", "b"]
    assert found.info == {
        "name": "x", "task": "classification", "metric": "top1", "query": "", "paper": 0.5, "classes": ["a", "b"],
        "items": 2, "official_items": 2, "left_out": {}, "repaired": {},
    }  # fmt: skip
    before = contents(written.folder)
    assert contents(make("a", "other split", "b", items=2).folder) == before
    assert sorted(path.name for path in (tmp_path / "test").iterdir()) == ["x"]


def test_another_size_is_refused_and_nothing_is_lost(make: Make, tmp_path: Path) -> None:
    before = contents(make("a", "b", items=2).folder)
    with pytest.raises(UserError, match=r"^x: 1 items found, the official split has 2; give --partial to take them$"):
        make("a", items=2)
    with pytest.raises(UserError, match=r"^x: 3 items found, the official split has 2; give --partial"):
        make("a", "b", "a", items=2)
    with pytest.raises(UserError, match=r"^x: 2 classes found, the official split has 3; is it another release\?"):
        make("a", "b", items=2, classes=3)
    assert contents(tmp_path / "test" / "x") == before
    assert sorted(path.name for path in (tmp_path / "test").iterdir()) == ["x"]
    written = make("a", items=2, partial=True)
    assert (written.items, written.official) == (1, 2)
    assert read_benchmark(written.folder).official_items == 2


def test_where_the_size_is_not_known_all_must_be_usable(make: Make) -> None:
    assert make("a", "b").official == 2
    why = r"^x: 1 items found, the official split has 3; .* label: is not .*: file:2: label: 'c'.*; 1 x label: is empty"
    with pytest.raises(UserError, match=why):
        make("a", "c", " ")
    assert make("a", "c", " ", partial=True).left_out.counts == {
        "label: is not what a benchmark may hold": 1,
        "label: is empty": 1,
    }


def test_nothing_to_use(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^x: no item found, nothing written: the file holds no record of the split$"):
        make("other split", partial=True)
    assert not (tmp_path / "test" / "x").exists()


def test_missing_media_are_listed(make: Make, tmp_path: Path) -> None:
    make("a", "b")
    (tmp_path / "media" / "1.jpg").unlink()
    (tmp_path / "media" / "1.jpg").mkdir()
    listed = tmp_path / "missing" / "x.txt"
    with pytest.raises(UserError, match=rf"1 x media: is missing: .*; all 1 missing media are listed in {listed}$"):
        make("a", "b")
    assert listed.read_text() == "1\n"


def test_half_a_character(make: Make) -> None:
    assert make("a", "\ud83d", partial=True).left_out.counts == {"text: holds half a character": 1}


def test_a_folder_of_somebody_else_is_not_replaced(make: Make, tmp_path: Path) -> None:
    folder = make("a").folder
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"test/x: holds notes.txt, which is no part of a benchmark; move it away$"):
        make("b")
    assert (folder / "notes.txt").read_text() == "mine"


def test_what_a_kill_left_is_cleared(make: Make, tmp_path: Path) -> None:
    make("a")
    for name in (".x.old", ".x.writing"):
        (tmp_path / "test" / name).mkdir()
        (tmp_path / "test" / name / "items.jsonl").write_text("half")
    make("b")
    assert [path.name for path in (tmp_path / "test").iterdir()] == ["x"]


def test_counts_are_kept(make: Make) -> None:
    written = make("a", "c", partial=True)
    info = json.loads((written.folder / "benchmark.json").read_text())
    assert info["left_out"] == {"label: is not what a benchmark may hold": 1}
    assert info["repaired"] == {"classes: one has no item, it stays a candidate": 1}
