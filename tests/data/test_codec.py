"""torchcodec's frames are PyAV's, bit for bit; skipped where it is not installed."""

from pathlib import Path

import numpy as np
import pytest
from media import turn_clockwise, write_video

from vljepa.data import codec
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.types import Clip

pytestmark = pytest.mark.skipif(codec._decoder() is None, reason="torchcodec is not installed, or finds no FFmpeg")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "turned.mp4", "variable.mp4", "deep.mp4"])
def test_frames_are_those_of_pyav(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    tiles = np.kron(rng.integers(0, 255, (6, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    frames = [np.roll(tiles, 3 * index, 1) for index in range(30)]
    path = write_video(
        tmp_path / name,
        frames,
        pix_fmt="yuv420p10le" if name == "deep.mp4" else "yuv420p",
        times_ms=[0, *range(1000, 3900, 100)] if name == "variable.mp4" else None,
    )
    if name == "turned.mp4":
        turn_clockwise(path)
    used: list[bool] = []
    frames_at = codec.frames_at

    def watched(*args: object) -> np.ndarray | None:
        found = frames_at(*args)
        used.append(found is not None)
        return found

    for start, end in [(None, None), (0.4, 1.7)]:
        clip = Clip(media=(str(path),), start=start, end=end)
        monkeypatch.setattr(codec, "frames_at", watched)
        ours = read_clip(clip, 7, size=32)
        monkeypatch.setattr(codec, "frames_at", lambda *_: None)
        np.testing.assert_array_equal(ours, read_clip(clip, 7, size=32))
    assert used == ([] if name in ("deep.mp4", "a.avi") else [True, True])


def test_what_it_cannot_read_is_refused_in_our_words(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = write_video(
        tmp_path / "a.mp4", [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(40)], faststart=True
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"cut short|breaks off"):
        read_clip(Clip(media=(str(path),)), 8, size=32)
