"""What a figure says of its origin."""

import subprocess
from pathlib import Path

import pytest
import torch

import vljepa
from vljepa import provenance


def test_the_commit_is_gits() -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(vljepa.__file__).parent, capture_output=True, text=True, check=False
    )
    said = provenance.commit()
    if head.returncode:
        assert said is None
    else:
        assert said is not None and head.stdout.startswith(said.rstrip("+"))


def test_versions_and_hardware_are_named() -> None:
    about = provenance.provenance()
    assert torch.__version__ in about["versions"] and about["hardware"]


def test_outside_of_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() is None
