"""Tar shards in the form img2dataset writes, made with Python's own tarfile."""

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

from media import grey
from PIL import Image


def png(level: int, side: int = 16) -> bytes:
    """A picture of one grey level."""
    buffer = io.BytesIO()
    Image.fromarray(grey([level], side, side)[0]).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, members: Iterable[tuple[str, bytes]], format: int = tarfile.GNU_FORMAT) -> Path:
    """A tar of (name, content)."""
    with tarfile.open(path, "w", format=format) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def trio(key: str, level: int, caption: str) -> list[tuple[str, bytes]]:
    """Picture, caption and metadata of a sample."""
    about = {"caption": caption, "url": "u", "key": key, "status": "success", "width": 16, "height": 16}
    return [
        (f"{key}.png", png(level)),
        (f"{key}.txt", caption.encode()),
        (f"{key}.json", json.dumps(about).encode()),
    ]


def write_shards(folder: Path, counts: Iterable[int]) -> list[Path]:
    """Shards of so many pictures each; picture n of them all has grey level n and the caption ``grey n``."""
    paths, level = [], 0
    for shard, count in enumerate(counts):
        members = []
        for number in range(count):
            members += trio(f"{shard:05d}{number:04d}", level, f"grey {level}")
            level += 1
        paths.append(write_tar(folder / f"{shard:05d}.tar", members))
    return paths
