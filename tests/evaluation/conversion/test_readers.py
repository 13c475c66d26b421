"""Annotation files as they are met in the wild: each is read with a note, or refused in one line."""

import gzip
import json
import os
import pickle
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vljepa.data.left_out import LeftOut
from vljepa.errors import UserError
from vljepa.evaluation.conversion import readers

VALUE = {"a": [1, 2.5, None, "piñata", True], "b": {"c": []}}


@pytest.fixture
def repaired() -> LeftOut:
    return LeftOut()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.json"


@pytest.mark.parametrize(
    ("encode", "note"),
    [
        (lambda text: text.encode(), None),
        (lambda text: text.replace("\n", "\r\n").encode(), None),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), "encoding: begins with a byte order mark"),
        (lambda text: text.encode("latin-1"), "encoding: a line is not UTF-8, read as Latin-1"),
        (lambda text: text.encode("utf-16"), "encoding: is UTF-16"),
        (lambda text: gzip.compress(text.encode()), "file: is gzip under another name"),
    ],
)
def test_json_in_every_dress(path: Path, repaired: LeftOut, encode: Any, note: str | None) -> None:
    path.write_bytes(encode(json.dumps(VALUE, ensure_ascii=False, indent=1)))
    assert readers.json_value(path, repaired.add) == VALUE
    assert list(repaired.counts) == ([note] if note else [])


def test_two_encodings_in_one_file(path: Path, repaired: LeftOut) -> None:
    path.write_bytes("\ufeffid,text\n1,piñata ナルト\n2,".encode() + "piñata\n".encode("latin-1"))
    records = readers.table(path, ("id", "text"), repaired.add, repaired.add)
    assert [record.fields["text"] for record in records] == ["piñata ナルト", "piñata"]
    assert repaired.examples["encoding: a line is not UTF-8, read as Latin-1"] == [f"{path}:3"]


def test_gzip_by_its_name_is_no_repair(tmp_path: Path, repaired: LeftOut) -> None:
    path = tmp_path / "file.json.gz"
    path.write_bytes(gzip.compress(b"[1]"))
    assert readers.json_value(path, repaired.add) == [1] and not repaired


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", r"file.json: is empty \(0 bytes\); fetch it again"),
        (b" \n ", r"file.json: is empty \(3 bytes\); fetch it again"),
        (gzip.compress(json.dumps(VALUE).encode())[:-9], r"file.json: is no whole gzip file \(.*\); fetch it again"),
        (gzip.compress(b""), r"file.json: is empty"),
        (
            json.dumps(VALUE, indent=1).encode()[:40],
            r"file.json:\d+: column \d+: is not whole JSON \(.*\); fetch it again",
        ),
        (b"[" * 100_000, r"file.json: is not JSON that can be read"),
        (b"ab\0cd", r"file.json: holds zero bytes, it is no text"),
    ],
)
def test_damaged_files_are_refused(path: Path, repaired: LeftOut, content: bytes, problem: str) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError, match=problem) as refused:
        readers.json_value(path, repaired.add)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there(path: Path, repaired: LeftOut) -> None:
    with pytest.raises(UserError, match=r"file.json: cannot be opened \(No such file or directory\)"):
        readers.json_value(path, repaired.add)


def test_a_key_that_stands_twice(path: Path, repaired: LeftOut) -> None:
    path.write_text('{"v_1": {"a": 1}, "v_2": {}, "v_1": {"a": 2}}')
    assert readers.json_value(path, repaired.add) == {"v_1": {"a": 2}, "v_2": {}}
    assert repaired.examples == {"key: stands twice in one object, the last is taken": [f"{path}: v_1"]}


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}]', '{"a": 1}\n\n{"a": 2}', '[{"a": 1},\r\n {"a": 2}]\n'])
def test_records(path: Path, repaired: LeftOut, text: str) -> None:
    path.write_text(text, newline="")
    records = readers.json_records(path, repaired.add, repaired.add)
    assert [record.fields for record in records] == [{"a": 1}, {"a": 2}] and not repaired


def test_bad_lines_cost_only_themselves(path: Path, repaired: LeftOut) -> None:
    left_out = LeftOut()
    path.write_text('{"a": 1}\n{"a": \n7\n{"a": 2}\n{"a": 3')
    records = readers.json_records(path, repaired.add, left_out.add)
    assert [(record.where, record.fields) for record in records] == [(f"{path}:1", {"a": 1}), (f"{path}:4", {"a": 2})]
    assert left_out.counts == {"line: is not whole JSON": 2, "line: holds no object": 1}
    assert left_out.examples["line: holds no object"] == [f"{path}:3"]
    path.write_text('[{"a": 1}, 2]')
    assert len(readers.json_records(path, repaired.add, left_out.add)) == 1
    assert left_out.examples["record: is no object"] == [f"{path}: record 1"]
    path.write_text("7")
    with pytest.raises(UserError, match=r"holds int, not a list of records; is it the right file\?"):
        readers.json_records(path, repaired.add, left_out.add)


ROWS = [["-x", 'he said "no", twice'], ["y", "a;b|c"], ["z", "zwei\nZeilen"]]


@settings(deadline=None)
@given(
    delimiter=st.sampled_from(",;\t|"), quoted=st.booleans(), crlf=st.booleans(), bom=st.booleans(), spare=st.booleans()
)
def test_tables_saved_again(
    tmp_path_factory: Any, delimiter: str, quoted: bool, crlf: bool, bom: bool, spare: bool
) -> None:
    def cell(text: str) -> str:
        needs = quoted or any(mark in text for mark in (delimiter, '"', "\n"))
        return '"' + text.replace('"', '""') + '"' if needs else text

    rows = [["id", " text ", *(["note"] if spare else [])], *([*row, ""] if spare else row for row in ROWS)]
    end = "\r\n" if crlf else "\n"
    text = end.join(delimiter.join(cell(c) for c in row) for row in rows) + end
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode())
    repaired = LeftOut()
    records = readers.table(path, ("id", "text"), repaired.add, repaired.add)
    assert [[record.fields["id"], record.fields["text"]] for record in records] == ROWS
    assert len(repaired) == (delimiter != ",") + bom


def test_tables_that_are_none(path: Path, repaired: LeftOut) -> None:
    path.write_text("id,name\n1,a\n")
    with pytest.raises(
        UserError, match=r"file.json:1: text: there is no such column among 'id, name'; is it the right"
    ):
        readers.table(path, ("id", "text"), repaired.add, repaired.add)
    with pytest.raises(UserError, match=r"file.json:1: is not 3 cells \(a, b, c\), found 'id,name'"):
        readers.table(path, ("a", "b", "c"), repaired.add, repaired.add, header=False)
    path.write_text("id,text\n1," + "x" * 200_000)
    with pytest.raises(UserError, match=r"file.json:\d+: is no CSV \(field larger than"):
        readers.table(path, ("id", "text"), repaired.add, repaired.add)


def test_rows_cut_short(path: Path, repaired: LeftOut) -> None:
    path.write_text("id\ttext\n1\ta\n\n2\n3\tb\tc\n4\td\t\t\n5")
    records = readers.table(path, ("id", "text"), repaired.add, repaired.add, delimiter="\t")
    assert [record.fields for record in records] == [{"id": "1", "text": "a"}, {"id": "4", "text": "d"}]
    assert repaired.examples == {
        "row: has not as many cells as columns": [f"{path}:4: 1, not 2", f"{path}:5: 3, not 2", f"{path}:7: 1, not 2"]
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_plain_values(path: Path, repaired: LeftOut, protocol: int) -> None:
    value = {"-4wsuPCjDBc_5_15": [["a", "squirrel"], ["ein", "Eichhörnchen"]], "n": [1, 2.5, None, True, (1, 2)]}
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    assert readers.pickled(path, repaired.add) == value


def test_a_pickle_of_python_2(path: Path, repaired: LeftOut) -> None:
    # What Python 2 wrote for {'id': [['a', 'caf\xc3\xa9']]} with protocol 0.
    path.write_bytes(b"(dp0\nS'id'\np1\n(lp2\n(lp3\nS'a'\np4\naS'caf\\xc3\\xa9'\np5\naas.")
    assert readers.pickled(path, repaired.add) == {"id": [["a", "café"]]}


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


@pytest.mark.parametrize("value", [Evil(), [Evil()], Counter("a"), defaultdict(int), Path("x")])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles_run_no_code(path: Path, repaired: LeftOut, value: object, protocol: int, monkeypatch: Any) -> None:
    monkeypatch.chdir(path.parent)
    path.write_bytes(pickle.dumps({"id": value}, protocol=protocol))
    with pytest.raises(UserError, match=r"file.json: asks for \S+\.\S+, which a file of texts does not need"):
        readers.pickled(path, repaired.add)
    assert not (path.parent / "ran").exists()


@pytest.mark.parametrize(
    "content", [pickle.dumps({"a": ["b"] * 9})[:-4], b"no pickle", b"\x80\x04.", b"cos\nsystem\n(S'x'\ntR."]
)
def test_pickles_that_are_none(path: Path, repaired: LeftOut, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"file.json: (is no whole pickle|asks for os.system)"):
        readers.pickled(path, repaired.add)
