"""An indexed manifest gives the samples and messages of one that is read whole, one line at a time."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vljepa.data import manifest_index
from vljepa.data.manifest import read_manifest
from vljepa.data.manifest_index import IndexedManifest
from vljepa.data.mixture import ManifestSamples, Samples
from vljepa.errors import UserError


def good(name: str, **fields: object) -> str:
    return json.dumps({"id": name, "media": f"{name}.mp4", "target": f"text of {name}"} | fields, ensure_ascii=False)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "train" / "x.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def forget(folder: Path) -> None:
    for path in (folder / "index").glob("x-*"):
        path.unlink()


_LINES = st.one_of(
    st.sampled_from("abcdé").map(lambda name: good(name)),
    st.text(min_size=1, max_size=3).map(lambda name: good(name)),
    st.sampled_from(["", "  ", "{", "[]", good("a", target=""), good("b", media="../../x"), good("c", end=-1)]),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_LINES, max_size=12), end=st.sampled_from(["\n", "\r\n"]), closed=st.booleans())
def test_equals_the_manifest_read_whole(tmp_path: Path, lines: list[str], end: str, closed: bool) -> None:
    text = end.join(lines) + (end if closed else "")
    path = write(tmp_path, text.encode("utf-8-sig" if len(lines) % 2 else "utf-8", "surrogatepass"))
    forget(tmp_path)
    samples, problems = read_manifest(path)
    indexed = IndexedManifest(path, tmp_path / "index")
    assert list(indexed) == samples and len(indexed) == len(samples)
    assert len(indexed.left_out) == len(problems)
    # Of every reason the first three are named, with the words of a manifest that is read whole.
    assert set(indexed.left_out.named()) <= set(problems)
    if all(count <= 3 for count in indexed.left_out.counts.values()):
        assert sorted(indexed.left_out.named()) == sorted(problems)


def test_ids_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_index, "hash", lambda text: len(text), raising=False)
    lines = [good("a"), good("b"), "", good("a"), good("cc"), "[", good("b"), good("a"), good("dd")]
    path = write(tmp_path, "\n".join(lines).encode())
    indexed = IndexedManifest(path, tmp_path / "index")
    assert [sample.id for sample in indexed] == ["a", "b", "cc", "dd"]
    assert indexed.left_out.counts == {"line": 1, "id used again": 3}
    assert indexed.left_out.examples["id used again"] == [
        f"{path}:4: id: 'a' is taken by line 1; ids must be unique",
        f"{path}:7: id: 'b' is taken by line 2; ids must be unique",
        f"{path}:8: id: 'a' is taken by line 1; ids must be unique",
    ]


def test_index_is_kept_and_made_anew_when_the_manifest_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, f"{good('a')}\n[\n{good('b')}\n".encode())
    first = IndexedManifest(path, tmp_path / "index")
    with monkeypatch.context() as patch:
        patch.setattr(manifest_index, "_Pass", None)
        again = IndexedManifest(path, tmp_path / "index")
    assert list(again) == list(first) and again.left_out == first.left_out
    size, time = path.stat().st_size, path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes().replace(b"text", b"word"))
    os.utime(path, ns=(time, time + 1))
    assert path.stat().st_size == size
    assert [sample.targets for sample in IndexedManifest(path, tmp_path / "index")] == [("word of a",), ("word of b",)]


def test_killed_between_its_two_files_it_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, f"{good('a')}\n{good('b')}\n".encode())
    IndexedManifest(path, tmp_path / "index")
    before = path.stat()
    old = path.read_bytes()
    path.write_bytes(f"{good('longer')}\n".encode())
    replace, calls = os.replace, []

    def killed(*paths: Any) -> None:
        calls.append(paths)
        if len(calls) == 2:
            raise KeyboardInterrupt
        replace(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            IndexedManifest(path, tmp_path / "index")
    # The very state of the manifest that the index was of before.
    path.write_bytes(old)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [sample.id for sample in IndexedManifest(path, tmp_path / "index")] == ["a", "b"]


def test_threads_read_at_random(tmp_path: Path) -> None:
    path = write(tmp_path, "".join(good(str(i), start=i) + "\n" for i in range(500)).encode())
    indexed = IndexedManifest(path, tmp_path / "index")
    barrier = threading.Barrier(4)

    def read(seed: int) -> bool:
        barrier.wait()
        places = np.random.default_rng(seed).integers(0, 500, 500).tolist()
        return all((indexed[i].id, indexed[i].clip.start) == (str(i), i) for i in places)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(4)))


def test_order_is_that_of_a_manifest_in_memory(tmp_path: Path) -> None:
    path = write(tmp_path, "".join(good(str(i)) + "\n" for i in range(50)).encode())
    indexed = IndexedManifest(path, tmp_path / "index")
    assert isinstance(indexed, Samples)
    orders = [samples.order(np.random.default_rng(3)) for samples in (indexed, ManifestSamples(indexed))]
    np.testing.assert_array_equal(*orders)
    for outside in (-1, 50):
        with pytest.raises(IndexError):
            indexed[outside]


def test_a_manifest_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, f"{good('a')}\n{good('b')}\n".encode())
    indexed = IndexedManifest(path, tmp_path / "index")
    # Replaced, it stays what it was for those who have it open.
    other = path.with_name("other")
    other.write_bytes(b"{}\n")
    other.replace(path)
    assert [sample.id for sample in indexed] == ["a", "b"]
    path = write(tmp_path, f"{good('a')}\n{good('b')}\n".encode())
    indexed = IndexedManifest(path, tmp_path / "index")
    os.truncate(path, 20)
    with pytest.raises(UserError, match=r"x\.jsonl: was changed while it was in use"):
        indexed[0]


def test_progress_and_no_manifest(tmp_path: Path) -> None:
    path = write(tmp_path, "".join(good(str(i)) + "\n" for i in range(20)).encode())
    told: list[tuple[int, int]] = []
    IndexedManifest(path, tmp_path / "index", progress=lambda *values: told.append(values))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
    with pytest.raises(UserError, match=r"none\.jsonl: cannot be opened"):
        IndexedManifest(tmp_path / "none.jsonl", tmp_path / "index")
