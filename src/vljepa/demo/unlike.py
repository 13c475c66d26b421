"""Two videos that resemble nothing in Tabletop: no table, no objects, no hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vljepa.tabletop.jobs import write_video

_FRAMES = 24
_PIXELS = 128


def write_unlike(folder: Path) -> list[tuple[str, Path]]:
    """Write the videos below ``folder``; returns the name and the MP4 of each."""
    found = []
    for name, draw in _VIDEOS.items():
        path = folder / f"{name.replace(' ', '-')}.mp4"
        if not path.exists():
            # Written aside and renamed: a video that exists is whole.
            aside = path.with_name(f"writing-{path.name}")
            write_video(aside, draw())
            aside.replace(path)
        found.append((name, path))
    return found


def _drifting_colours() -> NDArray[np.uint8]:
    y, x = np.mgrid[0:_PIXELS, 0:_PIXELS] / _PIXELS
    frames = []
    for moment in np.linspace(0, 1, _FRAMES):
        waves = [np.sin(2 * np.pi * (x * (1 + c) + y * (2 - c) + moment + c / 3)) for c in range(3)]
        frames.append(np.stack(waves, axis=-1) * 127 + 128)
    return np.array(frames).astype(np.uint8)


def _game_of_life() -> NDArray[np.uint8]:
    cells = np.random.default_rng(0).random((_PIXELS // 4, _PIXELS // 4)) < 0.3
    frames = []
    for _ in range(_FRAMES):
        frames.append(np.repeat(np.repeat(cells, 4, axis=0), 4, axis=1))
        around = sum(np.roll(cells, (i, j), (0, 1)).astype(int) for i in (-1, 0, 1) for j in (-1, 0, 1)) - cells
        cells = (around == 3) | (cells & (around == 2))
    return np.repeat(np.array(frames)[..., None] * np.uint8(255), 3, axis=-1)


_VIDEOS: dict[str, Callable[[], NDArray[np.uint8]]] = {
    "drifting colours": _drifting_colours,
    "game of life": _game_of_life,
}
