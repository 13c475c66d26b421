"""YFCC-100M's metadata: both column orders, packed or not, and what makes a caption."""

import bz2
import gzip
from typing import Any

import pytest

HASH = "abcdef0123456789abcdef0123456789"


def record(photo: str, title: str = "", text: str = "", tags: str = "", ext: str = "jpg", marker: str = "0") -> str:
    """A line in the official order, without line number and hash."""
    columns = [photo, "1@N00", "someone", "2012-01-01 10:00:00.0", "1325412000", "Canon", title, text, tags, ""]
    columns += ["", "", "", "http://page", "http://file", "Attribution", "http://licence", "1", "2", "se", "so"]
    return "\t".join([*columns, ext, marker])


def with_hash(line: str, number: int) -> str:
    photo, rest = line.split("\t", 1)
    return "\t".join([str(number), photo, HASH, rest])


LINES = [
    record("1", "A+red+boat", "On+the+lake%2C+see+%3Ca+href%3D%22http%3A%2F%2Fx.y%22%3Emore%3C%2Fa%3E+www.z.org"),
    record("2", "IMG_1234", "", "lake,blue+sky"),
    record("3", "DSC00042.JPG", "A+dog", marker="1"),
    record("4", "20120101-001"),
    record("5", "Gone"),
    "too\tshort",
    record("6", "Caf%C3%A9+2", ext="png"),
]


@pytest.mark.parametrize("packed", ["", ".bz2", ".gz"])
def test_metadata(run: Any, lines: Any, put: Any, tmp_path: Any, packed: str) -> None:
    for name in ("1.jpg", "2.jpg", "3.mp4", "4.jpg", "6.png"):
        put(f"files/{name}")
    dump = ("\n".join(LINES) + "\n").encode()
    put(f"dump.tsv{packed}", {"": bytes, ".bz2": bz2.compress, ".gz": gzip.compress}[packed](dump))
    report = run("yfcc100m", f"dump.tsv{packed}", media=tmp_path / "files")
    assert lines("yfcc100m") == [
        {"id": "1", "media": "../files/1.jpg", "targets": ["A red boat", "On the lake, see more"]},
        {"id": "2", "media": "../files/2.jpg", "targets": ["lake, blue sky"]},
        {"id": "3", "media": "../files/3.mp4", "targets": ["A dog"]},
        {"id": "6", "media": "../files/6.png", "targets": ["Café 2"]},
    ]
    assert report.left_out.counts == {
        "title, description, usertags: none tells anything": 1,
        "media: is missing": 1,
        "line: has neither 23 nor 25 columns": 1,
    }


def test_files_by_hash(run: Any, lines: Any, put: Any) -> None:
    put(f"images/abc/def/{HASH}.jpg")
    put("images/dump.tsv", with_hash(LINES[0], 0))
    run("yfcc100m", "images/dump.tsv")
    assert [(line["id"], line["media"]) for line in lines("yfcc100m")] == [("1", f"../images/abc/def/{HASH}.jpg")]
