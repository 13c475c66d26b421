"""Manifests: good lines become samples, bad lines are named by file, line and field and skipped."""

import json
from pathlib import Path

import pytest

from vljepa.data.manifest import parse_clip, read_jsonl, read_manifest
from vljepa.errors import UserError
from vljepa.types import Clip, Sample

GOOD = {"id": "x", "media": "../media/a.mp4", "target": "a cube moves"}
GOOD_TARGETS = ("a cube moves",)


def write(folder: Path, *lines: object) -> Path:
    """A manifest at train/x.jsonl; strings are written as they stand."""
    path = folder / "train" / "x.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_good_lines(tmp_path: Path) -> None:
    full = {"id": "y", "media": ["a.png", "b.png"], "query": "How many?", "targets": ["2", "two"]}
    samples, problems = read_manifest(write(tmp_path, GOOD | {"start": 1, "end": 2.5}, "", full))
    assert problems == []
    video = Clip(media=(str(tmp_path / "media" / "a.mp4"),), start=1.0, end=2.5)
    images = Clip(media=(str(tmp_path / "train" / "a.png"), str(tmp_path / "train" / "b.png")))
    assert samples == [
        Sample(id="x", clip=video, query="", targets=("a cube moves",)),
        Sample(id="y", clip=images, query="How many?", targets=("2", "two")),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", "line: not JSON"),
        ("[1, 2]", "line: holds list"),
        ("[" * 100_000, "line: not JSON"),
        ({k: v for k, v in GOOD.items() if k != "id"}, "id: is missing"),
        ({k: v for k, v in GOOD.items() if k != "media"}, "media: is missing"),
        ({k: v for k, v in GOOD.items() if k != "target"}, "target: is missing"),
        (GOOD | {"id": 7}, "id: expected a text, found 7"),
        (GOOD | {"media": []}, "media: expected a text or a list of texts"),
        (GOOD | {"target": " "}, "target: expected a text"),
        (GOOD | {"targets": ["b"]}, "target: stands beside targets"),
        (GOOD | {"query": None}, "query: expected a text"),
        (GOOD | {"start": 2.0, "end": 2.0}, "end: 2 is not after start 2"),
        (GOOD | {"end": 0}, "end: 0 is not after start 0"),
        (GOOD | {"start": -1}, "start: expected seconds"),
        (GOOD | {"start": "1"}, "start: expected seconds"),
        (GOOD | {"end": float("nan")}, "end: expected seconds"),
        (GOOD | {"end": True}, "end: expected seconds"),
        (GOOD | {"media": ["a.png", "b.png"], "start": 1}, "start: a list of frame images has no times"),
        (GOOD | {"media": "../../secret.mp4"}, "media: '../../secret.mp4' lies outside"),
        (GOOD | {"media": "/etc/passwd"}, "media: '/etc/passwd' lies outside"),
        (GOOD | {"id": "first"}, "id: 'first' is taken by line 1"),
        (GOOD | {"start": float("nan")}, "start: expected seconds"),
        (GOOD | {"start": float("-inf")}, "start: expected seconds"),
        (GOOD | {"start": [1]}, "start: expected seconds"),
        (GOOD | {"end": {}}, "end: expected seconds"),
        (GOOD | {"id": None}, "id: expected a text, found None"),
        (GOOD | {"media": None}, "media: expected a text"),
        (GOOD | {"media": ["a.png", 7]}, "media: expected a text"),
        (GOOD | {"media": "a\0.mp4"}, "media: "),
        (GOOD | {"target": 7}, "target: expected a text or a list of texts, none empty, found 7"),
        ('{"id": "x", "media": "a.mp4", "target": "half a smile \\ud83d"}', "line: holds half a character"),
        ("null", "line: holds NoneType"),
    ],
)
def test_bad_line_is_named_and_skipped(tmp_path: Path, line: object, message: str) -> None:
    path = write(tmp_path, GOOD | {"id": "first"}, line, GOOD | {"id": "last"})
    samples, problems = read_manifest(path)
    assert [sample.id for sample in samples] == ["first", "last"]
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:2: {message}")
    assert "\n" not in problems[0]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.write_bytes(b"\xff\xfe\n" + b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    samples, problems = read_manifest(path)
    assert len(samples) == 1  # a byte order mark does no harm
    assert problems[0].startswith(f"{path}:1: line: not JSON")


def test_windows_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_bytes(
        b"\xef\xbb\xbf" + (json.dumps(GOOD) + "\r\n\r\n" + json.dumps(GOOD | {"id": "y"}) + "\r\n").encode()
    )
    samples, problems = read_manifest(path)
    assert problems == []
    assert [(sample.id, sample.targets) for sample in samples] == [("x", GOOD_TARGETS), ("y", GOOD_TARGETS)]


def test_empty_manifest(tmp_path: Path) -> None:
    assert read_manifest(write(tmp_path)) == ([], [])


def test_huge_ids_are_unique_too_and_shortened_in_the_message(tmp_path: Path) -> None:
    huge = "x" * 1_000_000
    path = write(tmp_path, GOOD | {"id": huge}, GOOD | {"id": huge + "y"}, GOOD | {"id": huge})
    samples, problems = read_manifest(path)
    assert len(samples) == 2
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:3: id: 'xxx")
    assert len(problems[0]) < len(str(path)) + 200


def test_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl: cannot be opened"):
        read_manifest(tmp_path / "none.jsonl")


def test_read_jsonl_raises_unless_problems_are_collected(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": 1}, "oops", {"a": 2})
    with pytest.raises(UserError, match=r"x\.jsonl:2: line: not JSON"):
        list(read_jsonl(path))
    problems: list[str] = []
    assert list(read_jsonl(path, problems)) == [(1, {"a": 1}), (3, {"a": 2})]
    assert len(problems) == 1


def test_benchmarks_lie_a_folder_deeper(tmp_path: Path) -> None:
    items = tmp_path / "test" / "action" / "items.jsonl"
    fields = {"media": "../../media/a.mp4"}
    assert parse_clip(fields, items, levels_up=2) == Clip(media=(str(tmp_path / "media" / "a.mp4"),))
    with pytest.raises(UserError, match="lies outside"):
        parse_clip(fields, items)
