"""Media are found by id under the names in use."""

import unicodedata
from pathlib import Path

import pytest

from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.evaluation.conversion.media import MediaIndex

FILES = (
    "a/-x_1.MP4",
    "b/v_y.webm",
    "26292851@N04_4253489686_265c3c8051.m4v.mp4",
    "10052357@N03_7585070382_5762149bfc..mp4",
    "ナルト.mkv",
    unicodedata.normalize("NFD", "café.mp4"),
    "train2014/7.jpg",
    "val2014/7.jpg",
    "air_drumming/z.avi",
    "same/w.mp4",
    "same/w.webm",
    "same/w.jpg",
    "v1.5_clip.mp4",
    ".hidden/h.mp4",
    "notes.txt",
)


@pytest.fixture
def index(tmp_path: Path) -> MediaIndex:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return MediaIndex(tmp_path)


@pytest.mark.parametrize(
    ("names", "kind", "found"),
    [
        (("-x_1",), VIDEOS, ["a/-x_1.MP4"]),
        (("-x_1",), IMAGES, []),
        (("y", "v_y"), VIDEOS, ["b/v_y.webm"]),
        (("y.mp4", "v_y.mp4"), VIDEOS, ["b/v_y.webm"]),
        (("26292851@N04_4253489686_265c3c8051.m4v",), VIDEOS, ["26292851@N04_4253489686_265c3c8051.m4v.mp4"]),
        (("10052357@N03_7585070382_5762149bfc.",), VIDEOS, ["10052357@N03_7585070382_5762149bfc..mp4"]),
        (("ナルト",), VIDEOS, ["ナルト.mkv"]),
        (("café",), VIDEOS, [unicodedata.normalize("NFD", "café.mp4")]),
        (("val2014/7.jpg",), IMAGES, ["val2014/7.jpg"]),
        (("test2014/7.jpg",), IMAGES, []),
        (("test2014/7", "7"), IMAGES, ["train2014/7.jpg", "val2014/7.jpg"]),
        (("air drumming/z",), VIDEOS, ["air_drumming/z.avi"]),
        (("r drumming/z",), VIDEOS, []),
        (("w",), VIDEOS, ["same/w.mp4", "same/w.webm"]),
        (("v1.5_clip",), VIDEOS, ["v1.5_clip.mp4"]),
        (("h",), VIDEOS, []),
        (("notes",), VIDEOS | IMAGES, []),
        (("",), VIDEOS | IMAGES, []),
    ],
)
def test_find(index: MediaIndex, tmp_path: Path, names: tuple[str, ...], kind: set[str], found: list[str]) -> None:
    assert index.find(names, kind) == [tmp_path / name for name in found]
