"""docs/add-a-benchmark.md, followed to the letter: its files written, its lines added, its commands run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from media import grey, write_video

from vljepa.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-a-benchmark.md").read_text()
NAMED = dict(re.findall(r"`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
"""Blocks by the path at the end of the text before them."""
PREPARE, EVAL = re.findall(r"^vljepa .*$", PAGE, re.MULTILINE)
(PRINTED,) = re.findall(r"prints:\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CONVERTER = "src/vljepa/evaluation/benchmarks/workbench.py"
REGISTRY = "src/vljepa/evaluation/benchmarks/__init__.py"
WRITTEN = "data/workbench/test/workbench"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the project's code in which the page has been followed up to its commands."""
    clone = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns("checkpoints", "__pycache__")
    shutil.copytree(ROOT / "src", clone / "src", ignore=ignored)
    (clone / "src/vljepa/checkpoints").symlink_to(ROOT / "src/vljepa/checkpoints")
    for path in ("downloads/workbench/workbench_test.csv", "downloads/workbench/tools.txt", CONVERTER):
        assert not (clone / path).exists()
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_text(NAMED[path])
    videos = re.findall(r"`(downloads/[\w/]+\.mp4)`", PAGE)
    for shade, path in enumerate(videos):
        (clone / path).parent.mkdir(exist_ok=True)
        write_video(clone / path, grey([80 * shade] * 6), fps=2)
    assert len(videos) == 2
    registry = clone / REGISTRY
    text = registry.read_text()
    for hunk in NAMED[REGISTRY].split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] == " ")
        assert text.count(before) == 1
        text = text.replace(before, "".join(line[1:] for line in lines))
    registry.write_text(text)
    return clone


def prepare(clone: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run by the clone's code, in a process of its own."""
    words = [sys.executable, "-m", *shlex.split(command)]
    paths = os.environ | {"PYTHONPATH": str(clone / "src")}
    return subprocess.run(words, cwd=clone, env=paths, capture_output=True, text=True, check=False)


def test_the_commands_give_what_the_page_shows(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepare(clone, PREPARE)
    assert run.returncode == 0, run.stderr
    assert run.stdout.replace(str(clone), "/home/you/vl-jepa") == PRINTED
    info = json.loads((clone / WRITTEN / "benchmark.json").read_text())
    assert info == json.loads(NAMED[f"{WRITTEN}/benchmark.json"])
    items = (clone / WRITTEN / "items.jsonl").read_text().splitlines()
    assert items[0] == NAMED[f"{WRITTEN}/items.jsonl"].strip()
    monkeypatch.chdir(clone)
    assert main(shlex.split(EVAL)[1:]) == 0
    (result,) = json.loads(Path("out/workbench/results.json").read_text())["results"]
    assert (result["benchmark"], result["count"], result["official"]) == ("workbench", 4, 4)


def test_a_missing_video_stops_it_as_the_page_says(clone: Path) -> None:
    (clone / "downloads/workbench/videos/bench_02.mp4").unlink()
    run = prepare(clone, PREPARE.replace("data/", "elsewhere/"))
    (said,) = re.findall(r'"(workbench: [^"]+)"', PAGE)
    assert run.returncode == 2 and said in run.stderr
    assert not (clone / "elsewhere/workbench/test/workbench").exists()


def test_the_converter_is_short() -> None:
    assert len(NAMED[CONVERTER].splitlines()) <= 40


def test_what_the_page_names_exists() -> None:
    named = set(re.findall(r"`((?:docs|src|tests)/[\w./-]+)`", PAGE)) - {CONVERTER}
    assert all((ROOT / path).exists() for path in named)
