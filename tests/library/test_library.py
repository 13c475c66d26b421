"""Index and search with a model whose embeddings are known."""

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_model import FakeModel, direction
from media import grey, write_video

from vljepa.data.video import MediaInfo, probe
from vljepa.errors import UserError
from vljepa.library import IndexReport, Library
from vljepa.library.index import BATCH_CLIPS
from vljepa.library.store import Store


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def library(model: FakeModel, tmp_path: Path) -> Library:
    return Library.create(tmp_path / "library", model.embedder(), clip_seconds=1.0)


def assert_same(one: Path, other: Path) -> None:
    a, b = Store(one), Store(other)
    assert a.entries == b.entries
    np.testing.assert_array_equal(a.embeddings(), b.embeddings())


def test_search_ranks_as_brute_force_does(library: Library, folder: Path) -> None:
    library.index(folder)
    store = Store(folder.parent / "library")
    # The truth: each clip's grey level is known, and so its direction.
    levels = [
        round(entry.start) * 50 if entry.path.endswith(".mp4") else 10 * (int(Path(entry.path).stem) + 1)
        for entry in store.entries
    ]
    cosines = np.array([direction(value) @ direction(100) for value in levels])
    hits = library.search("100", top=len(levels))
    assert [hit.score for hit in hits] == pytest.approx(np.sort(cosines)[::-1].tolist(), abs=2e-3)
    by_place = {(entry.path, entry.start): cosine for entry, cosine in zip(store.entries, cosines, strict=True)}
    assert all(hit.score == pytest.approx(by_place[hit.path, hit.start], abs=2e-3) for hit in hits)
    assert library.search("100", top=3) == hits[:3]


def test_the_moment_is_found(library: Library, folder: Path) -> None:
    library.index(folder)
    found = next(hit for hit in library.search("150", top=30) if hit.path.endswith("film.mp4"))
    assert (found.start, found.end) == (3.0, 4.0) and found.score == pytest.approx(1.0, abs=1e-3)


def test_a_short_file_is_one_clip_and_an_image_is_asked_as_an_image(model: FakeModel, folder: Path) -> None:
    Library.create(folder.parent / "long", model.embedder(), clip_seconds=10.0).index(folder)
    film = [(clip, query) for clip, query in model.seen if clip.media[0].endswith(".mp4")]
    assert [(clip.start, clip.end, query) for clip, query in film] == [(None, None, "what film?")]
    assert {query for clip, query in model.seen if clip.media[0].endswith(".png")} == {"what picture?"}


def test_index_twice_is_index_once(library: Library, model: FakeModel, folder: Path, tmp_path: Path) -> None:
    first = library.index(folder)
    assert (first.done, first.there, first.clips, first.share, len(library)) == (21, 0, 25, 1.0, 25)
    shutil.copytree(tmp_path / "library", tmp_path / "copy")
    seen = len(model.seen)
    second = library.index(folder)
    assert (second.done, second.there, second.clips, len(model.seen)) == (0, 21, 0, seen)
    assert_same(tmp_path / "library", tmp_path / "copy")


@pytest.mark.parametrize("kill_at", [0, 3, 20, 24])
def test_a_killed_run_goes_on_as_if_never_stopped(
    library: Library, model: FakeModel, folder: Path, tmp_path: Path, kill_at: int
) -> None:
    model.kill_at = kill_at
    with pytest.raises(KeyboardInterrupt):
        library.index(folder)
    kept = len(Store(tmp_path / "library").entries)
    assert kept == kill_at // BATCH_CLIPS * BATCH_CLIPS
    model.kill_at, model.seen = None, []
    Library.open(tmp_path / "library", model.embedder()).index(folder)
    assert len(model.seen) == 25 - kept
    Library.create(tmp_path / "whole", FakeModel().embedder(), clip_seconds=1.0).index(folder)
    assert_same(tmp_path / "library", tmp_path / "whole")


def test_changed_files_are_done_again_and_gone_ones_dropped(
    library: Library, folder: Path, write_image: Callable[[Path, int], Path]
) -> None:
    library.index(folder)
    changed = write_image(folder / "sub 0" / "00.png", 250)
    os.utime(changed, ns=(1, 1))
    (folder / "film.mp4").unlink()
    report = library.index(folder)
    assert (report.done, report.there, report.gone, len(library)) == (1, 19, 1, 20)
    assert library.search("250", top=1)[0].path == str(changed)
    assert not any(hit.path.endswith(".mp4") for hit in library.search("100", top=30))


def test_another_folder_is_added_and_drops_nothing(
    library: Library, folder: Path, tmp_path: Path, write_image: Callable[[Path, int], Path]
) -> None:
    library.index(folder)
    write_image(tmp_path / "more" / "a.png", 230)
    shutil.rmtree(folder)
    report = library.index(tmp_path / "more")
    assert (report.done, report.gone, len(library)) == (1, 0, 26)
    with pytest.raises(UserError, match="not a folder"):
        library.index(folder)
    assert len(library) == 26


def test_unreadable_files_are_left_out_and_tried_again(library: Library, model: FakeModel, folder: Path) -> None:
    (folder / "broken.mp4").write_bytes(b"no video at all")
    (folder / "empty.jpg").touch()
    reports = []
    report = library.index(folder, lambda report: reports.append(dataclasses.replace(report)))
    assert (report.done, len(report.left_out)) == (21, 2)
    assert all(problem.count("\n") == 0 for problem in report.left_out)
    assert {problem.split(":")[0] for problem in report.left_out} == {f"{folder}/broken.mp4", f"{folder}/empty.jpg"}
    shares = [each.share for each in reports]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == pytest.approx(1.0)
    shutil.copy(folder / "film.mp4", folder / "broken.mp4")
    again = library.index(folder)
    assert (again.done, again.there, len(again.left_out)) == (1, 21, 1)


def test_a_file_that_breaks_off_is_kept_up_to_there(library: Library, model: FakeModel, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    whole = write_video(
        tmp_path / "in" / "film.mp4",
        [np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8) for i in range(60)],
        faststart=True,
    )
    write_video(tmp_path / "in" / "good.mp4", grey([50] * 10))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    report = library.index(tmp_path / "in")
    assert report.done == 1 and len(report.left_out) == 1 and "film.mp4" in report.left_out[0]
    starts = [entry.start for entry in Store(tmp_path / "library").entries if entry.path == str(whole)]
    assert starts == [float(i) for i in range(len(starts))] and 1 <= len(starts) <= 3
    seen = len(model.seen)
    again = library.index(tmp_path / "in")
    assert (again.there, again.done, again.clips, len(again.left_out), len(model.seen)) == (1, 0, 0, 1, seen)


def test_a_claimed_endless_duration_costs_one_try(
    library: Library, model: FakeModel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(path: str) -> MediaInfo:
        info = probe(path)
        return dataclasses.replace(info, duration=1e12) if path.endswith(".mp4") else info

    monkeypatch.setattr("vljepa.library.index.probe", endless)
    report = library.index(folder)
    assert report.done == 20 and len(report.left_out) == 1


def test_another_model_is_refused(library: Library, model: FakeModel, folder: Path, tmp_path: Path) -> None:
    library.index(folder)
    other = model.embedder(fingerprint="0" * 64)
    for use in (Library.create, Library.open):
        with pytest.raises(UserError, match=r"was made by fake with other weights than those of fake now; ") as caught:
            use(tmp_path / "library", other)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"made with --clip-seconds 1, not 10; "):
        Library.create(tmp_path / "library", model.embedder())


def test_mistakes_are_user_errors(library: Library, model: FakeModel, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no clips yet"):
        library.search("100")
    library.index(folder)
    with pytest.raises(UserError, match="the text is empty"):
        library.search("  ")
    with pytest.raises(UserError, match="at least 1"):
        library.search("100", top=0)
    with pytest.raises(UserError, match="no library"):
        Library.open(tmp_path / "nowhere", model.embedder())
    for seconds in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="clip-seconds"):
            Library.create(tmp_path / "new", model.embedder(), clip_seconds=seconds)
    assert not (tmp_path / "new").exists()


def test_report_is_empty_before_the_first_batch(library: Library, folder: Path) -> None:
    first: list[IndexReport] = []
    library.index(folder, lambda report: first.append(dataclasses.replace(report)) if not first else None)
    assert first == [IndexReport()]
