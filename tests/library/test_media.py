"""Which files a folder gives, and how a file is cut into clips."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vljepa.errors import UserError
from vljepa.library.media import count_spans, find_media, spans


def test_finds_videos_and_images_at_any_depth_sorted_and_nothing_else(tmp_path: Path) -> None:
    for name in ["b.MP4", "a/z.jpg", "a/y/x.webm", "notes.txt", ".hidden.mp4", ".trash/old.mp4", "film.mp4.part"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"0")
    found = find_media(tmp_path)
    assert [Path(file.path).relative_to(tmp_path).as_posix() for file in found.files] == [
        "a/y/x.webm",
        "a/z.jpg",
        "b.MP4",
    ]
    assert found.problems == []


def test_a_folder_reached_by_a_link_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert find_media(tmp_path / "link") == find_media(folder)


def test_a_broken_link_is_a_problem_and_not_gone(folder: Path) -> None:
    (folder / "lost.mp4").symlink_to(folder / "nowhere.mp4")
    found = find_media(folder)
    (problem,) = found.problems
    assert problem.startswith(f"{folder}/lost.mp4: cannot be opened")
    assert not found.is_gone(f"{folder}/lost.mp4") and found.is_gone(f"{folder}/other.mp4")
    assert not found.is_gone(f"{folder} of another/other.mp4")


def test_mistakes_are_user_errors(tmp_path: Path, write_image: Callable[[Path, int], Path]) -> None:
    with pytest.raises(UserError, match="not a folder"):
        find_media(tmp_path / "nowhere")
    with pytest.raises(UserError, match="not a folder"):
        find_media(write_image(tmp_path / "a.png", 0))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no readable video or image"):
        find_media(tmp_path / "empty")


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (0.0, [(0, 0.0)]),
        (3.0, [(0, 3.0)]),
        (14.9, [(0, 14.9)]),
        (15.0, [(0, 10), (10, 15.0)]),
        (40.0, [(0, 10), (10, 20), (20, 30), (30, 40.0)]),
        (44.0, [(0, 10), (10, 20), (20, 30), (30, 44.0)]),
    ],
)
def test_spans_by_hand(duration: float, expected: list[tuple[float, float]]) -> None:
    assert list(spans(duration, 10.0)) == expected


@given(st.floats(0.01, 5000), st.floats(0.5, 60))
def test_spans_cover_the_file_without_rests(duration: float, length: float) -> None:
    cut = list(spans(duration, length))
    assert len(cut) == count_spans(duration, length)
    assert cut[0][0] == 0 and cut[-1][1] == duration
    assert all(a[1] == b[0] and abs(a[1] - a[0] - length) < 1e-6 for a, b in itertools.pairwise(cut))
    assert len(cut) == 1 or 0.499 * length < cut[-1][1] - cut[-1][0] < 1.501 * length
