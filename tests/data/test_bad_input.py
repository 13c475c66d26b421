"""Files that cannot be read: one clear line that names the file."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from media import grey, write_audio, write_video
from PIL import Image

from vljepa.data.video import iter_frames, probe, read_clip
from vljepa.errors import UserError
from vljepa.types import Clip


def refuse(path: Path, match: str) -> None:
    """``read_clip`` and ``iter_frames`` give one line that begins with the file and matches."""
    for read in (
        lambda: read_clip(Clip(media=(str(path),)), 8, size=32),
        lambda: list(iter_frames(path, 4.0, 32)),
    ):
        with pytest.raises(UserError, match=match) as caught:
            read()
        message = str(caught.value)
        assert message.startswith(str(path))
        assert "\n" not in message


def test_missing_file(tmp_path: Path) -> None:
    refuse(tmp_path / "none.mp4", "No such file")


def test_folder(tmp_path: Path) -> None:
    refuse(tmp_path, "is not a file")


@pytest.mark.parametrize("name", ["a.mp4", "a.png"])
def test_zero_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    refuse(tmp_path / name, "is empty")


def test_text_renamed(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("Dear diary, today nothing moved.\n" * 20)
    refuse(path, "is not a readable video")


def test_playlist_does_not_reach_the_network(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://localhost:1/a.ts\n#EXT-X-ENDLIST\n")
    refuse(path, "readable video|video stream|decodable")


def test_audio_only(tmp_path: Path) -> None:
    refuse(write_audio(tmp_path / "a.mp4"), "no video stream")


def noise(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(count)]


@pytest.mark.parametrize("faststart", [False, True])
def test_truncated_mp4(tmp_path: Path, faststart: bool) -> None:
    path = write_video(tmp_path / "a.mp4", noise(40), faststart=faststart)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refuse(path, "cut short|breaks off" if faststart else "is not a readable video")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.webp"])
def test_truncated_image(tmp_path: Path, name: str) -> None:
    Image.fromarray(noise(1)[0]).save(path := tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    refuse(path, "broken|not a readable image")


def test_one_pixel(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    refuse(tmp_path / "a.png", "1x1 pixels is too small")
    refuse(write_video(tmp_path / "a.mkv", grey([0], 1, 1), codec="ffv1", pix_fmt="bgr0"), "1x1 pixels is too small")
    with pytest.raises(UserError, match="too small"):
        probe(tmp_path / "a.png")


def test_decompression_bomb(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    refuse(path, "shrink it")


def test_list_with_a_video(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", grey([0] * 3))
    with pytest.raises(UserError, match="a list of media must be frame images"):
        read_clip(Clip(media=(str(video), str(video))), 2, size=32)
