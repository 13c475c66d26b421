"""The files of a library: plain to read, and whole again after a kill."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.library.store import About, Entry, Store

ABOUT = About(model="fake", fingerprint="f", embed_dim=4, clip_seconds=10.0)
RNG = np.random.default_rng(0)


def entries(first: int, count: int) -> list[Entry]:
    return [
        Entry(path=f"/videos/{i}.mp4", size=i, mtime_ns=i, index=0, of=1, start=0.0, end=float(i))
        for i in range(first, first + count)
    ]


@pytest.fixture
def rows() -> np.ndarray:
    return RNG.standard_normal((5, 4)).astype(np.float32)


@pytest.fixture
def store(tmp_path: Path, rows: np.ndarray) -> Store:
    store = Store.create(tmp_path / "library", ABOUT)
    with store.writing():
        store.append(entries(0, 3), rows[:3])
        store.append(entries(3, 2), rows[3:])
    return store


def assert_holds(folder: Path, count: int, rows: np.ndarray) -> None:
    read = Store(folder)
    assert read.entries == entries(0, count)
    np.testing.assert_array_equal(read.embeddings(), rows[:count].astype(np.float16))


def test_files_are_plain(store: Store, rows: np.ndarray) -> None:
    np.testing.assert_array_equal(np.load(store.folder / "embeddings-0.npy", allow_pickle=False), np.float16(rows))
    lines = (store.folder / "clips-0.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [dataclasses.asdict(entry) for entry in entries(0, 5)]


def test_what_was_written_is_read(store: Store, rows: np.ndarray) -> None:
    assert_holds(store.folder, 5, rows)
    assert Store(store.folder).about == ABOUT


@pytest.mark.parametrize("lost", [1, 60, 120])
def test_a_cut_line_counts_for_nothing_and_the_next_is_not_glued_to_it(
    store: Store, rows: np.ndarray, lost: int
) -> None:
    path = store.folder / "clips-0.jsonl"
    path.write_bytes(path.read_bytes()[:-lost])
    survivors = len(Store(store.folder).entries)
    assert survivors in (3, 4)
    assert_holds(store.folder, survivors, rows)
    again = Store(store.folder)
    with again.writing():
        again.append(entries(survivors, 5 - survivors), rows[survivors:])
    assert_holds(store.folder, 5, rows)
    assert len(np.load(store.folder / "embeddings-0.npy", allow_pickle=False)) == 5


def test_rows_beyond_the_header_count_for_nothing(store: Store, rows: np.ndarray) -> None:
    with (store.folder / "embeddings-0.npy").open("ab") as file:
        file.write(b"half a row")
    with store.writing():
        store.append(entries(5, 1), rows[:1])
    np.testing.assert_array_equal(Store(store.folder).embeddings(), np.float16([*rows, rows[0]]))


def test_keep_removes_rows(store: Store, rows: np.ndarray) -> None:
    with store.writing():
        store.keep([0, 2, 4])
        store.append(entries(7, 1), rows[1:2])
    read = Store(store.folder)
    assert [entry.size for entry in read.entries] == [0, 2, 4, 7]
    np.testing.assert_array_equal(read.embeddings(), np.float16(rows[[0, 2, 4, 1]]))
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "clips-1.jsonl",
        "embeddings-1.npy",
        "library.json",
        "lock",
    ]


def test_keep_killed_before_its_rename_changes_nothing(
    store: Store, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, store.writing(), pytest.raises(KeyboardInterrupt):
        patch.setattr("vljepa.library.store.os.replace", kill)
        store.keep([1])
    assert_holds(store.folder, 5, rows)
    with Store(store.folder).writing():
        pass
    assert not list(store.folder.glob("*-1.*"))


def test_creation_killed_on_its_way_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("vljepa.library.store.os.replace", kill)
        Store.create(tmp_path / "library", ABOUT)
    assert not Store.exists(tmp_path / "library")
    assert Store.create(tmp_path / "library", ABOUT).entries == []


def test_two_writers_exclude_each_other(store: Store) -> None:
    with store.writing(), pytest.raises(UserError, match="another process"), Store(store.folder).writing():
        pass
    with Store(store.folder).writing():
        pass


def test_damage_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no library; make one with: vljepa index"):
        Store(tmp_path / "nowhere")
    about = store.folder / "library.json"
    text = about.read_text()
    about.write_text(text.replace('"format": 1', '"format": 99'))
    with pytest.raises(UserError, match=r"library\.json: format is 99"):
        Store(store.folder)
    for bad in ("{", "[]", "{}", '{"format": 1}'):
        about.write_text(bad)
        with pytest.raises(UserError, match=r"library\.json: cannot be read"):
            Store(store.folder)
    about.write_text(text)
    lines = store.folder / "clips-0.jsonl"
    kept = lines.read_bytes()
    for bad_line in (b"nonsense\n", b"[]\n", b'{"path": 1}\n'):
        lines.write_bytes(bad_line + kept)
        with pytest.raises(UserError, match=r"clips-0\.jsonl: cannot be read"):
            Store(store.folder)
    lines.write_bytes(kept)
    np.save(store.folder / "embeddings-0.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(UserError, match=r"embeddings-0\.npy: cannot be read"):
        Store(store.folder)
    np.save(store.folder / "embeddings-0.npy", np.zeros((5, 3), np.float16))
    with pytest.raises(UserError, match=r"not float16 \(clips, 4\)"):
        Store(store.folder)


def test_a_library_is_made_only_where_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "embeddings.npy").write_text("somebody's")
    with pytest.raises(UserError, match="is a file"):
        Store.create(tmp_path / "embeddings.npy", ABOUT)
    with pytest.raises(UserError, match="holds other files"):
        Store.create(tmp_path, ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["embeddings.npy"]
