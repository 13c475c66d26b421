"""A medium inside a larger file gives what it gives as a file of its own, and reaches nothing else."""

import os
from pathlib import Path

import numpy as np
import pytest
from media import grey, turn_clockwise, write_audio, write_video
from PIL import Image

from vljepa.data.features import FeatureCache
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.types import Clip, Member

BEFORE = 777
"""Bytes, of something else."""


def inside(path: Path, start: float | None = None, end: float | None = None) -> Clip:
    """The file as a stretch of a larger one."""
    content = path.read_bytes()
    larger = path.with_suffix(".tar")
    larger.write_bytes(os.urandom(BEFORE) + content + b"rest")
    member = Member(name=path.name, offset=BEFORE, size=len(content))
    return Clip(media=(str(larger),), member=member, start=start, end=end)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "turned.mp4", "raw.mjpeg", "a.gif", "a.jpg", "a.webp"])
def test_frames_are_those_of_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frames = [np.roll(np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3), 5 * i, 0) for i in range(30)]
    if name in ("a.gif", "a.webp", "a.jpg"):
        first, *others = map(Image.fromarray, frames[:8])
        first.save(path, **({} if name == "a.jpg" else {"save_all": True, "append_images": others, "duration": 100}))
    elif name == "raw.mjpeg":
        write_video(path, frames, codec="mjpeg", pix_fmt="yuvj420p")
    else:
        # At 1 Hz half a minute: longer than what is decoded without seeking.
        write_video(path, frames, fps=1, gop=4)
    if name == "turned.mp4":
        turn_clockwise(path)
    for start, end in [(None, None), (0.3, 0.6)] if name != "a.jpg" else [(None, None)]:
        for num_frames in (2, 5):
            whole = read_clip(Clip(media=(str(path),), start=start, end=end), num_frames, size=32)
            np.testing.assert_array_equal(read_clip(inside(path, start, end), num_frames, size=32), whole)


def refuse(clip: Clip, match: str) -> None:
    with pytest.raises(UserError, match=match) as caught:
        read_clip(clip, 2, size=16)
    assert str(caught.value).startswith(str(clip)) and "\n" not in str(caught.value)


def test_bad_members_are_named(tmp_path: Path) -> None:
    text = tmp_path / "a.mp4"
    text.write_text("Dear diary, today nothing moved.\n" * 20)
    refuse(inside(text), r"a\.tar/a\.mp4: is not a readable video")
    refuse(inside(write_audio(tmp_path / "b.mp4")), r"b\.tar/b\.mp4: has no video stream")
    Image.fromarray(grey([0], 64, 64)[0]).save(tmp_path / "c.png")
    (tmp_path / "c.png").write_bytes((tmp_path / "c.png").read_bytes()[:60])
    refuse(inside(tmp_path / "c.png"), r"c\.tar/c\.png: is (a broken|not a readable) image")
    (tmp_path / "d.png").touch()
    refuse(inside(tmp_path / "d.png"), r"d\.tar/d\.png: is empty")


def test_shard_that_has_become_shorter(tmp_path: Path) -> None:
    Image.fromarray(grey([0])[0]).save(tmp_path / "a.png")
    clip = inside(tmp_path / "a.png")
    os.truncate(clip.media[0], BEFORE + 20)
    refuse(clip, "past the end of its shard")


def test_playlist_in_a_shard_reaches_no_file(tmp_path: Path) -> None:
    secret = write_video(tmp_path / "secret.ts", grey([80] * 20))
    playlist = tmp_path / "a.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n")
    refuse(inside(playlist), "readable video|video stream|decodable")


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(UserError, match="is not a file"):
        read_clip(Clip(media=(str(tmp_path / "a.mp4"),)), 2, size=16)


def test_feature_cache_tells_members_apart(tmp_path: Path) -> None:
    clips = []
    content = b""
    for level in (10, 20):
        Image.fromarray(grey([level])[0]).save(tmp_path / "a.png")
        picture = (tmp_path / "a.png").read_bytes()
        member = Member(name="a.png", offset=len(content), size=len(picture))
        clips.append(Clip(media=(str(tmp_path / "0.tar"),), member=member))
        content += picture
    (tmp_path / "0.tar").write_bytes(content)
    cache = FeatureCache.build(
        tmp_path / "cache", clips, 1, lambda frames: frames.float()[:, :, 0, :1, :1], "a", size=32
    )
    assert cache.read(clips)[:, 0, 0, 0].tolist() == [10, 20]
