"""Images in every mode, and animations as videos."""

from pathlib import Path

import numpy as np
import pytest
from media import grey
from PIL import Image

from vljepa.data.video import iter_frames, probe, read_clip
from vljepa.types import Clip


def read(path: Path, num_frames: int = 1) -> np.ndarray:
    return read_clip(Clip(media=(str(path),)), num_frames, size=32)


def test_still_is_repeated(tmp_path: Path) -> None:
    Image.fromarray(grey([70])[0]).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png", 4) == 70).all()
    assert [time for time, _ in iter_frames(tmp_path / "a.png", 4.0, 32)] == [0.0]


def test_alpha_is_laid_over_white(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:16] = (100, 0, 0, 255)
    pixels[16:, :16, 3] = 128
    Image.fromarray(pixels).save(tmp_path / "a.png")
    frame = read(tmp_path / "a.png")[0]
    assert frame[0, 0].tolist() == [100, 0, 0]
    assert np.abs(frame[31, 0].astype(int) - 127).max() <= 1
    assert frame[31, 31].tolist() == [255, 255, 255]


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(tmp_path / "a.png", transparency=0)
    assert (read(tmp_path / "a.png") == 255).all()


def test_cmyk_jpeg(tmp_path: Path) -> None:
    # No cyan, all magenta and yellow: red.
    Image.new("CMYK", (32, 32), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = read(tmp_path / "a.jpg")[0, 16, 16].tolist()
    assert red > 220
    assert max(green, blue) < 60


def test_sixteen_bit_grey(tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 32), 40000, np.uint16)).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == 40000 >> 8).all()


def test_exif_orientation(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16] = 255
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    frame = read(tmp_path / "a.jpg")[0]
    assert frame[4].mean() < 20
    assert frame[28].mean() > 235


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animation_is_a_video(tmp_path: Path, suffix: str) -> None:
    pictures = [Image.fromarray(f) for f in grey([0, 80, 160, 240])]
    path = tmp_path / f"a.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    # The last frame stays five times as long.
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[100, 100, 100, 500], **options)
    assert probe(path).duration == pytest.approx(0.8)
    assert probe(path).num_frames == 4
    got = read(path, 8).mean(axis=(1, 2, 3))
    assert got.tolist() == pytest.approx([0, 80, 160, 240, 240, 240, 240, 240], abs=2)
    assert [t for t, _ in iter_frames(path, 10.0, 32)] == pytest.approx([0.1 * i for i in range(8)])
