"""What all converters share: where manifests and media lie, what is kept and what is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from vljepa.data.prepare import Job, prepare
from vljepa.data.prepare.entry import Entry, Unusable
from vljepa.data.prepare.writer import write
from vljepa.errors import UserError


def test_media_elsewhere_are_linked(tmp_path: Path, put: Any) -> None:
    put("disk/a.mp4")
    put("disk/a.txt", "a cup")
    job = Job(source=tmp_path / "disk", out=tmp_path / "out")
    prepare("folder", job)
    first = (tmp_path / "out/train/folder.jsonl").read_bytes()
    assert (tmp_path / "out/media/folder").readlink() == tmp_path / "disk"
    assert json.loads(first)["media"] == "../media/folder/a.mp4"
    prepare("folder", job)  # the same again
    assert (tmp_path / "out/train/folder.jsonl").read_bytes() == first
    put("other/a.mp4")
    put("other/a.txt", "a cup")
    with pytest.raises(UserError, match=r"media/folder: is not .*other"):
        prepare("folder", Job(source=tmp_path / "other", out=tmp_path / "out"))


def test_a_run_that_fails_leaves_the_manifest_as_it_was(tmp_path: Path, put: Any) -> None:
    put("a.mp4")
    fields = {"id": "1", "media": str(tmp_path / "a.mp4"), "target": "a cup"}
    write([Entry(where="x:1", fields=fields)], tmp_path, "own")

    def broken() -> Any:
        yield Entry(where="x:1", fields=fields | {"target": "another"})
        raise UserError("torn")

    with pytest.raises(UserError, match="torn"):
        write(broken(), tmp_path, "own")
    with pytest.raises(UserError, match="no sample found, nothing written: 1 x line: is empty: x:2"):
        write([Unusable(where="x:2", reason="line: is empty")], tmp_path, "own")
    assert [path.name for path in (tmp_path / "train").iterdir()] == ["own.jsonl"]
    assert json.loads((tmp_path / "train/own.jsonl").read_text())["target"] == "a cup"


def test_only_the_first_of_a_reason_are_named(tmp_path: Path, put: Any) -> None:
    put("a.mp4")
    good = Entry(where="x:0", fields={"id": "1", "media": str(tmp_path / "a.mp4"), "target": "half \ud83d"})
    report = write(
        [
            Entry(where="x:9", fields=good.fields | {"target": "whole", "start": 0.12349, "end": 1}),
            good,
            *(Unusable(where=f"x:{i}", reason="line: is empty") for i in range(1, 8)),
        ],
        tmp_path,
        "own",
    )
    assert report.lines() == ["1 x text: holds half a character: x:0", "7 x line: is empty: x:1; x:2; x:3"]
    assert json.loads((tmp_path / "train/own.jsonl").read_text())["start"] == 0.123


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("imagenet", {}, "no set 'imagenet'; choose one of action100m, datacomp"),
        ("llava", {"source": "none.json"}, "none.json: is not there"),
        ("llava", {"media": "none"}, "none: is not a folder"),
        ("folder", {}, "is not a folder"),
        ("folder", {"media": "."}, "leave the option out"),
        ("plm", {"uids": "x.npy"}, "--uids: chooses from datacomp"),
    ],
)
def test_bad_usage(tmp_path: Path, put: Any, name: str, given: dict[str, str], message: str) -> None:
    put("source.json", [])
    paths = {"source": "source.json"} | given
    with pytest.raises(UserError, match=message):
        prepare(name, Job(out=tmp_path, **{key: tmp_path / path for key, path in paths.items()}))
