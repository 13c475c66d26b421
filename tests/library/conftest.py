"""A folder of media whose content is known; makes ``fake_model`` and ``media`` importable here."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def write_image() -> Callable[[Path, int], Path]:
    def write(path: Path, grey_level: int) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (grey_level,) * 3).save(path)
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path, write_image: Callable[[Path, int], Path]) -> Path:
    """Twenty images, and a video of 5 s whose seconds are 0, 50, 100, 150 and 200 grey."""
    from media import grey, write_video

    root = tmp_path / "videos"
    for index in range(20):
        write_image(root / f"sub {index % 3}" / f"{index:02d}.png", 10 * (index + 1))
    write_video(root / "film.mp4", grey([second * 50 for second in range(5) for _ in range(10)]))
    return root
