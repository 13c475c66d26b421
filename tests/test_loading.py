"""``vljepa.load`` takes shipped models, folders and recipes."""

import warnings
from pathlib import Path

import pytest
import torch

import vljepa
from vljepa import api
from vljepa.errors import UserError
from vljepa.recipes import RECIPES


def test_a_shipped_model_comes_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = vljepa.load("nano")
    state, shipped = loaded.network.trained_state(), api.load("nano").network.trained_state()
    assert all(torch.equal(state[name], tensor) for name, tensor in shipped.items())


def test_a_recipe_gives_its_architecture_before_training() -> None:
    random = torch.random.get_rng_state()
    with pytest.warns(UserWarning, match="before training; train it with: vljepa train tiny"):
        model = vljepa.load("tiny")
    assert torch.equal(torch.random.get_rng_state(), random)
    assert model.network.config == RECIPES["tiny"]().model
    assert not model.network.training
    # What training begins with, which the recipe's seed fixes.
    with pytest.warns(UserWarning):
        again = vljepa.load("tiny")
    texts = ["a red cube", "a blue ball"]
    assert torch.equal(model.encode_text(texts), again.encode_text(texts))


def test_an_absent_backbone_and_an_unknown_name_take_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"facebook/vjepa2-vitl-fpc64-256"):
        vljepa.load("open-image")
    with pytest.raises(UserError, match=r"^nothing: no checkpoint; .* nor is it a recipe: nano, "):
        vljepa.load("nothing")
    with pytest.raises(UserError, match=r"no checkpoint") as found:
        vljepa.load(tmp_path)
    assert "recipe:" not in str(found.value)
