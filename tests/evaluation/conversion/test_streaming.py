"""Large JSON files, read piece by piece, give what Python's own reader gives of the whole."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vljepa.errors import UserError
from vljepa.evaluation.conversion import streaming

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(path: Path, *inside: str) -> tuple[list[tuple[str, Any]], list[str]]:
    notes: list[str] = []
    return list(streaming.members(path, inside, lambda reason, where: notes.append(reason))), notes


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_CHUNK", 5)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text(), values), st.lists(values), st.sampled_from([None, 1]), st.booleans())
def test_as_the_whole(tmp_path: Path, keyed: Any, listed: Any, indent: int | None, ascii: bool) -> None:
    path = tmp_path / "a.json"
    whole = {"info": {"questions": 0}, "keyed": keyed, "listed": listed, "more": [{}]}
    path.write_text(json.dumps(whole, indent=indent, ensure_ascii=ascii), encoding="utf-8", errors="replace")
    whole = json.loads(path.read_text(encoding="utf-8"))
    assert read(path) == (list(whole.items()), [])
    assert read(path, "keyed")[0] == list(whole["keyed"].items())
    assert read(path, "listed")[0] == [(str(i), value) for i, value in enumerate(whole["listed"])]


TEXT = '{"questions": [{"é": 1},\r\n {"b": [1, 2, 34567]}]}\r\n'
READ = [("0", {"é": 1}), ("1", {"b": [1, 2, 34567]})]


@pytest.mark.parametrize(
    ("name", "contents", "notes"),
    [
        ("a.json", TEXT.encode(), []),
        ("a.json", b"\xef\xbb\xbf" + TEXT.encode(), ["encoding: begins with a byte order mark"]),
        ("a.json", TEXT.encode("utf-16"), ["encoding: is UTF-16"]),
        ("a.json.gz", gzip.compress(TEXT.encode()), []),
        ("a.json", gzip.compress(TEXT.encode()), ["file: is gzip under another name"]),
    ],
)
def test_repaired(tmp_path: Path, name: str, contents: bytes, notes: list[str]) -> None:
    (tmp_path / name).write_bytes(contents)
    assert read(tmp_path / name, "questions") == (READ, notes)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", r": is empty \(0 bytes\); fetch it again"),
        (b" \r\n", r": is empty \(3 bytes\); fetch it again"),
        (TEXT.encode()[:-20], r":2: column \d+: is not whole JSON \(Expecting .*\); fetch it again"),
        (TEXT.encode()[:-4], r":2: column 22: is not whole JSON \(expected , or \], found the end\); fetch it again"),
        (b'{"questions": [{"a": 1} {"b": 2}]}', r":1: column 25: is not whole JSON \(expected , or \], found {\)"),
        (b'{"questions": [{"a": no}' + b", {}" * 99, r":1: column 22: is not whole JSON \(Expecting value\)"),
        (b'{"questions": []} []', r":1: column 19: is not whole JSON \(goes on after its end\)"),
        (b'{"question": []}', r": questions: is missing; is it the right file\?"),
        (b'{"questions": 3}', r":1: column 15: is not whole JSON \(expected { or \[, found 3\)"),
        (TEXT.encode("latin-1"), r": is not UTF-8 \(.*\); save it as that"),
        (gzip.compress(TEXT.encode())[:-9], r": is no whole gzip file \(.*\); fetch it again"),
        (b'{"questions": [' + b"[" * 200_000, r":1: column \d+: is not whole JSON \(.*\); fetch it again"),
    ],
)
def test_refused_in_one_line(tmp_path: Path, contents: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(contents)
    with pytest.raises(UserError, match=rf"^{path}{message}") as error:
        read(path, "questions")
    assert "\n" not in str(error.value)


def test_no_more_is_held_than_a_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_CHUNK", 10_000)
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"questions": [{"number": i, "text": "x" * 1_000} for i in range(2_000)]}))
    tracemalloc.start()
    try:
        numbers = sum(fields["number"] for _, fields in streaming.members(path, ("questions",), print))
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 10
    finally:
        tracemalloc.stop()
    assert numbers == sum(range(2_000))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a.json: cannot be read \(No such file or directory\); check the path"):
        read(tmp_path / "a.json")
