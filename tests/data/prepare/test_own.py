"""Folders and tables of one's own."""

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from vljepa.errors import UserError


def test_folder(run: Any, lines: Any, put: Any) -> None:
    put("own/b/clip.MP4")
    put("own/b/clip.txt", "a cup falls\n\nsomething falls\n")
    put("own/a.jpg")
    put("own/a.txt", b"\xef\xbb\xbfa cup")
    put("own/lonely.mp4")
    put("own/lost.txt", "no video")
    put("own/empty.png")
    put("own/empty.txt", "\n")
    put("own/latin.png")
    put("own/latin.txt", "café".encode("latin-1"))
    put("own/.hidden.mp4")
    report = run("folder", "own")
    assert lines("folder") == [
        {"id": "a.jpg", "media": "../own/a.jpg", "targets": ["a cup"]},
        {"id": "b/clip.MP4", "media": "../own/b/clip.MP4", "targets": ["a cup falls", "something falls"]},
    ]
    assert report.left_out.counts == {
        "caption: there is no text file of that name": 1,
        "media: there is no video or image of that name": 1,
        "targets: is not what a manifest may hold": 1,
        "caption: is no text in UTF-8": 1,
    }


CSV = (
    "id,media,start,end,query,target,targets,licence\n"
    'x,a.mp4,1,2.5,What?,"a cup, red",,free\n'
    ',"[""b.png"", ""c.png""]",,,,,"[""two"", ""2""]",free\n'
    "x,a.mp4,,,,again,,free\n"
    "late,a.mp4,3,3,,a cup,,free\n"
    "word,a.mp4,soon,,,a cup,,free\n"
    "both,a.mp4,,,,a cup,a cup,free\n"
    "none,,,,,a cup,,free\n"
    "gone,gone.mp4,,,,a cup,,free\n"
    "mute,a.mp4,,,,,,free\n"
)
EXPECTED = [
    {"id": "x", "media": "../t/a.mp4", "start": 1.0, "end": 2.5, "query": "What?", "target": "a cup, red"},
    {"id": "2", "media": ["../t/b.png", "../t/c.png"], "targets": ["two", "2"]},
]


def test_csv(run: Any, lines: Any, put: Any) -> None:
    for name in ("a.mp4", "b.png", "c.png"):
        put(f"t/{name}")
    put("t/own.csv", CSV)
    report = run("table", "t/own.csv")
    assert lines("table") == EXPECTED
    assert report.left_out.counts == {
        "id: is taken by an earlier sample": 1,
        "end: is not what a manifest may hold": 1,
        "start: is not what a manifest may hold": 1,
        "target: is not what a manifest may hold": 2,
        "media: is no path and no list of paths": 1,
        "media: is missing": 1,
    }
    assert (
        "own.csv:5: end: 3 is not after start 3" in report.left_out.examples["end: is not what a manifest may hold"][0]
    )


def test_parquet(run: Any, lines: Any, put: Any, tmp_path: Path) -> None:
    put("t/a.mp4")
    rows = [
        {"id": 7, "media": "a.mp4", "start": 0.25, "end": None, "query": None, "targets": ["a cup"]},
        {"id": 8, "media": "a.mp4", "start": None, "end": None, "query": "What?", "targets": []},
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "t" / "own.parquet")
    report = run("table", "t/own.parquet")
    assert lines("table") == [{"id": "7", "media": "../t/a.mp4", "start": 0.25, "targets": ["a cup"]}]
    assert report.left_out.counts == {"target: is not what a manifest may hold": 1}


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "it holds no record"),
        (b"media,text\na.mp4,hello\n", "has no column media, or neither target nor targets"),
        (b"media,target\na.mp4,caf\xe9\n", "is no CSV in UTF-8"),
        (b'media,target\na.mp4,"open\n', "is no CSV in UTF-8"),
    ],
)
def test_a_bad_table(run: Any, put: Any, contents: bytes, message: str) -> None:
    put("t/own.csv", contents)
    with pytest.raises(UserError, match=message):
        run("table", "t/own.csv")
