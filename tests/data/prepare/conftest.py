"""A folder with the files of a set, converted and read back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vljepa.data.manifest import read_manifest
from vljepa.data.prepare import Job, Report, prepare

Run = Callable[..., Report]
Lines = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(name, source, media=..., uids=...)`` converts into ``tmp_path``."""
    return lambda name, source, **given: prepare(name, Job(source=tmp_path / source, out=tmp_path, **given))


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """The lines of a manifest, none of which its reader may refuse."""

    def read(name: str) -> list[dict[str, Any]]:
        path = tmp_path / "train" / f"{name}.jsonl"
        samples, problems = read_manifest(path)
        written = [json.loads(line) for line in path.read_text().splitlines()]
        assert problems == [] and len(samples) == len(written)
        assert all(Path(media).is_file() for sample in samples for media in sample.clip.media)
        return written

    return read
