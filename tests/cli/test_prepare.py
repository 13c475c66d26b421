"""``vljepa prepare``: what is printed, and the exit codes."""

import json
from pathlib import Path

import pytest

from vljepa.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "a.txt").write_text("a cup falls")
    return tmp_path


def test_counts_are_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "folder", str(folder), str(folder)]) == 0
    printed = capsys.readouterr()
    manifest = folder / "train" / "folder.jsonl"
    assert printed.out == f"1 samples in {manifest}\n1 left out\n"
    told = f"vljepa: left out: 1 x caption: there is no text file of that name: {folder / 'b.mp4'}"
    assert told in printed.err


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "folder", str(folder), str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["manifests"] == {str(folder / "train" / "folder.jsonl"): 1}
    assert printed["left_out"] == {"caption: there is no text file of that name": 1}


def test_an_unknown_set_is_bad_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "imagenet", str(folder), str(folder)]) == 2
    error = capsys.readouterr().err.strip()
    assert error.splitlines()[-1].startswith("vljepa: no set 'imagenet'; choose one of action100m,")
