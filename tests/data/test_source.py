"""Files, folders and frames as streams: the right frame at the right time, past what is broken."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from media import grey, write_video
from PIL import Image

from vljepa.data.source import open_source
from vljepa.data.video import iter_frames
from vljepa.errors import UserError


def textured(count: int) -> list[np.ndarray]:
    """Frames whose mean tells their number, with enough in them to be broken."""
    rng = np.random.default_rng(0)
    return [
        np.clip(rng.normal(40 + 4 * i, 15, (64, 64, 1)), 0, 255).repeat(3, 2).astype(np.uint8) for i in range(count)
    ]


def test_a_file_is_what_iter_frames_gives(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", grey([10 * i for i in range(20)]))
    with open_source(path, rate_hz=4.0, size=32) as source:
        taken = list(source)
    expected = list(iter_frames(path, 4.0, 32))
    assert [time for time, _ in taken] == [time for time, _ in expected]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(taken, expected, strict=True))
    assert source.counts.frames == 8 and not source.is_live and source.counts.seconds > 0
    assert source.counts.dropped == source.counts.corrupt == source.counts.reconnects == 0


def test_variable_frame_rate_keeps_its_timing(tmp_path: Path) -> None:
    times = [0, 100, 200, 1500, 1600, 3000]
    path = write_video(tmp_path / "a.mkv", grey([0, 40, 80, 120, 160, 200]), times_ms=times)
    with open_source(path, rate_hz=2.0, size=32) as source:
        taken = [(time, float(frame.mean())) for time, frame in source]
    assert [time for time, _ in taken[:7]] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert [level for _, level in taken[:7]] == pytest.approx([0, 80, 80, 120, 160, 160, 200], abs=3)


@pytest.mark.parametrize("name", ["a.ts", "a.mkv"])
def test_broken_bytes_in_the_middle_are_passed_over(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, textured(50), gop=5)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = np.random.default_rng(1).bytes(4000)
    path.write_bytes(content)
    with open_source(path, rate_hz=10.0, size=64) as source:
        taken = list(source)
    assert source.counts.corrupt > 0
    times = [time for time, _ in taken]
    assert len(taken) >= 45 and all(a < b for a, b in itertools.pairwise(times))
    # Before and well after the damage every frame is in its place.
    for time, frame in [*taken[:20], *taken[-15:]]:
        assert float(frame.mean()) == pytest.approx(40 + 4 * round(time * 10), abs=4)


def test_two_recordings_joined_go_on(tmp_path: Path) -> None:
    first = write_video(tmp_path / "1.ts", grey([0] * 10)).read_bytes()
    second = write_video(tmp_path / "2.ts", grey([200] * 10)).read_bytes()
    (tmp_path / "joined.ts").write_bytes(first + second)
    with open_source(tmp_path / "joined.ts", rate_hz=10.0, size=32) as source:
        taken = [(time, round(float(frame.mean()), -2)) for time, frame in source]
    assert [level for _, level in taken] == [0] * 10 + [200] * 10
    assert [time for time, _ in taken] == pytest.approx([i / 10 for i in range(20)])


def test_a_folder_of_frames_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for index in range(12):
        Image.fromarray(grey([20 * index])[0]).save(tmp_path / f"frame{index}.png")
    (tmp_path / "frame5.png").write_bytes(b"broken")
    (tmp_path / "notes.txt").write_text("not a picture")
    with open_source(tmp_path, rate_hz=4.0, size=32, fps=4.0) as source:
        taken = [(time, int(frame.mean())) for time, frame in source]
    assert taken == [(index / 4, 20 * index) for index in range(12) if index != 5]
    assert source.counts.corrupt == 1


def test_frames_of_any_iterable_come_at_once() -> None:
    asked = []

    def camera():
        for index in range(100):
            asked.append(index)
            yield np.full((32, 32, 3), index, np.uint8)

    with open_source(camera(), rate_hz=4.0, size=32, fps=8.0) as source:
        assert next(source)[0] == 0.0 and asked == [0]
        assert [(time, int(frame[0, 0, 0])) for time, frame in itertools.islice(source, 2)] == [(0.25, 2), (0.5, 4)]
        # None is held back until the next has come.
        assert asked[-1] == 4
    assert list(source) == []
    array = np.stack(grey([0, 50]))
    for frames in (array, torch.from_numpy(array), list(array)):
        taken = list(open_source(frames, rate_hz=4.0, size=32, fps=1.0))
        # Slower than asked: seen at its own rate.
        assert [(time, int(frame.mean())) for time, frame in taken] == [(0.0, 0), (1.0, 50)]


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="rate_hz must be positive"):
        open_source([], rate_hz=0.0, size=32, fps=1.0)
    with pytest.raises(UserError, match="frames need fps"):
        open_source([], rate_hz=4.0, size=32)
    with pytest.raises(UserError, match="holds no image"):
        open_source(tmp_path, rate_hz=4.0, size=32, fps=1.0)
    with pytest.raises(UserError, match="No such file"):
        open_source(tmp_path / "none.mp4", rate_hz=4.0, size=32)
    with pytest.raises(UserError, match="expected uint8 frames"):
        next(open_source(np.zeros((1, 4, 4, 3)), rate_hz=4.0, size=32, fps=1.0))
    (tmp_path / "a.png").write_bytes(b"broken")
    with pytest.raises(UserError, match="needs fps"):
        open_source(tmp_path, rate_hz=4.0, size=32)
    with pytest.raises(UserError, match="none of its 1 images can be read"):
        list(open_source(tmp_path, rate_hz=4.0, size=32, fps=1.0))
