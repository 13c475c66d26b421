"""Reading of good files: the right frame at the right time, in the right colours, the right way up."""

from pathlib import Path

import numpy as np
import pytest
from media import grey, turn_clockwise, write_video
from PIL import Image

from vljepa.data.video import iter_frames, probe, read_clip, resize
from vljepa.errors import UserError
from vljepa.types import Clip


def clip(*media: Path, start: float | None = None, end: float | None = None) -> Clip:
    return Clip(media=tuple(map(str, media)), start=start, end=end)


def levels(frames: np.ndarray) -> list[float]:
    return frames.mean(axis=(1, 2, 3)).tolist()


def quadrants(height: int, width: int) -> np.ndarray:
    """Red, green / blue, white."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    return pixels


def corners(frame: np.ndarray) -> list[str]:
    """Colour names of the four quadrants, row by row."""
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    quarter = len(frame) // 4
    at = [(quarter, quarter), (quarter, -quarter), (-quarter, quarter), (-quarter, -quarter)]
    return [names[tuple(int(v > 128) for v in frame[y, x])] for y, x in at]


def test_frames_are_the_middles_of_equal_spans(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", grey([10 * i for i in range(20)]))
    # 2 s in 4 spans: 0.25, 0.75, 1.25, 1.75 s; at 10 Hz frames 2, 7, 12, 17 are on show.
    frames = read_clip(clip(path), 4, size=32)
    assert frames.shape == (4, 32, 32, 3)
    assert levels(frames) == pytest.approx([20, 70, 120, 170], abs=3)
    # From 1 to 1.4 s: 1.1 and 1.3 s, on the borders of frames; 1.05, 1.15, ... are clear of them.
    assert levels(read_clip(clip(path, start=1.0, end=1.4), 4, size=32)) == pytest.approx([100, 110, 120, 130], abs=3)


def test_end_is_clamped_but_start_past_the_end_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", grey([10 * i for i in range(20)]))
    assert levels(read_clip(clip(path, start=1.8, end=9.0), 2, size=32)) == pytest.approx([180, 190], abs=3)
    with pytest.raises(UserError, match=r"a\.mp4: start 3 s lies past the end, 2\.00 s"):
        read_clip(clip(path, start=3.0), 2, size=32)
    with pytest.raises(UserError, match="end must be greater than start"):
        read_clip(clip(path, start=1.0, end=1.0), 2, size=32)


def test_seeking_in_a_long_file_finds_the_same_frames(tmp_path: Path) -> None:
    values = [(7 * i) % 250 for i in range(300)]
    path = write_video(tmp_path / "long.mp4", grey(values), fps=5, gop=37)
    # One minute in 3 spans, 20 s apart: each time is sought.
    assert levels(read_clip(clip(path), 3, size=32)) == pytest.approx([values[50], values[150], values[250]], abs=3)
    assert levels(read_clip(clip(path, start=41.0, end=41.4), 2, size=32)) == pytest.approx(values[205:207], abs=3)


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv"])
def test_seeking_from_the_first_time_on(tmp_path: Path, name: str) -> None:
    values = [(7 * i) % 250 for i in range(300)]
    path = write_video(tmp_path / name, grey(values), fps=5, gop=37)
    # From 15 to 57 s in 3 spans of 14 s: 22, 36 and 50 s and a little more, none of them in reach of the beginning.
    times = [22.1, 36.1, 50.1]
    got = levels(read_clip(clip(path, start=15.1, end=57.1), 3, size=32))
    assert got == pytest.approx([values[int(time * 5)] for time in times], abs=3)


def test_variable_frame_rate_keeps_its_timing(tmp_path: Path) -> None:
    # The first frame stays for a second, the others for 100 ms each.
    times = [0, *range(1000, 2000, 100)]
    path = write_video(tmp_path / "vfr.mp4", grey([0] + [20 * i for i in range(1, 11)]), fps=10, times_ms=times)
    got = levels(read_clip(clip(path, start=0.0, end=1.9), 19, size=32))
    assert got[:10] == pytest.approx([0] * 10, abs=3)
    assert got[10:] == pytest.approx([20 * i for i in range(1, 10)], abs=3)


def test_streaming_gives_the_frame_on_show_at_each_tick(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", grey([10 * i for i in range(20)]))
    stream = list(iter_frames(path, 4.0, 32))
    assert [time for time, _ in stream] == [0.25 * i for i in range(8)]
    expected = [0, 20, 50, 70, 100, 120, 150, 170]
    assert [float(frame.mean()) for _, frame in stream] == pytest.approx(expected, abs=3)
    with pytest.raises(UserError, match="rate_hz must be positive"):
        next(iter_frames(path, 0.0, 32))


def test_rotation_metadata_is_honoured(tmp_path: Path) -> None:
    path = write_video(tmp_path / "phone.mp4", [quadrants(32, 64)] * 5)
    assert corners(read_clip(clip(path), 1, size=32)[0]) == ["red", "green", "blue", "white"]
    turn_clockwise(path)
    assert corners(read_clip(clip(path), 1, size=32)[0]) == ["blue", "red", "white", "green"]
    assert (probe(path).width, probe(path).height) == (32, 64)


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p10le", "yuv422p"])
def test_pixel_formats(tmp_path: Path, pix_fmt: str) -> None:
    path = write_video(tmp_path / "a.mp4", [quadrants(64, 64)] * 4, pix_fmt=pix_fmt)
    assert corners(read_clip(clip(path), 2, size=32)[1]) == ["red", "green", "blue", "white"]


def test_odd_sizes(tmp_path: Path) -> None:
    path = write_video(tmp_path / "odd.mp4", [quadrants(51, 77)] * 4, pix_fmt="yuv444p")
    assert (probe(path).width, probe(path).height) == (77, 51)
    assert corners(read_clip(clip(path), 1, size=33)[0]) == ["red", "green", "blue", "white"]


def test_one_frame_is_repeated(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", grey([90]))
    assert levels(read_clip(clip(path), 8, size=32)) == pytest.approx([90] * 8, abs=3)
    assert len(list(iter_frames(path, 4.0, 32))) == 1


def test_probe(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "a.mp4", grey([0] * 20, 32, 48)))
    assert (info.duration, info.fps, info.width, info.height, info.num_frames) == (2.0, 10.0, 48, 32, 20)
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    info = probe(tmp_path / "a.png")
    assert (info.duration, info.width, info.height, info.num_frames) == (0.0, 40, 30, 1)


def test_list_of_frame_images(tmp_path: Path) -> None:
    paths = []
    for i in range(10):
        Image.fromarray(grey([20 * i])[0]).save(path := tmp_path / f"{i}.png")
        paths.append(path)
    assert levels(read_clip(clip(*paths), 5, size=32)) == [20, 60, 100, 140, 180]
    assert levels(read_clip(clip(*paths[:2]), 4, size=32)) == [0, 0, 20, 20]
    with pytest.raises(UserError, match="remove start and end"):
        read_clip(clip(*paths, start=0.0), 2, size=32)


def test_resize_crops_the_centre_and_is_antialiased() -> None:
    wide = np.zeros((1, 64, 128, 3), np.uint8)
    wide[:, :, 32:96] = 200
    # The filter looks a little past the cut, as it does when the whole picture is scaled first.
    assert (resize(wide, 32)[:, :, 2:-2] == 200).all()
    # A fine chequerboard shrinks to its mean, not to one of its colours.
    board = np.indices((256, 256)).sum(0) % 2 * 200
    small = resize(np.repeat(board[None, :, :, None], 3, axis=3).astype(np.uint8), 32)
    assert np.abs(small.astype(int) - 100).max() <= 3
    with pytest.raises(UserError, match="expected uint8"):
        resize(np.zeros((0, 8, 8, 3), np.uint8), 32)
