"""A folder with the official files of a benchmark, converted and read back by the reader of benchmarks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from media import grey, write_video

from vljepa.evaluation.benchmark import Benchmark, read_benchmark
from vljepa.evaluation.benchmarks import convert
from vljepa.evaluation.conversion.spec import Request
from vljepa.evaluation.conversion.writer import Written


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """``film(path, seconds)`` writes a real video below ``tmp_path``."""

    def write(name: str, seconds: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_video(path, grey([0] * (2 * seconds)), fps=2)

    return write


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[Written]]:
    """``run(name, source)`` converts into ``tmp_path / "out"``, by default what is there; ``partial=False`` insists."""

    def start(name: str, source: str = "source", **given: Any) -> list[Written]:
        return convert(name, Request(source=tmp_path / source, out=tmp_path / "out", **{"partial": True, **given}))

    return start


@pytest.fixture
def benchmark(tmp_path: Path) -> Callable[[str], Benchmark]:
    """The benchmark of that name as the evaluation reads it, which must refuse nothing and find the media."""

    def read(name: str) -> Benchmark:
        found = read_benchmark(tmp_path / "out" / "test" / name)
        assert found.left_out == []
        assert all(Path(path).is_file() for item in found.items if item.clip for path in item.clip.media)
        return found

    return read


@pytest.fixture
def items(tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    """The lines of a benchmark as they stand."""

    def read(name: str) -> list[dict[str, Any]]:
        text = (tmp_path / "out" / "test" / name / "items.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    return read
