"""``vljepa train finetune``: a run that begins where a checkpoint ended, with its architecture."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pictures import write_pictures
from safetensors.torch import load_file

from vljepa.cli import main
from vljepa.config import ModelConfig
from vljepa.model.network import model_config
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes import RECIPES


@pytest.fixture(scope="module")
def architecture() -> ModelConfig:
    """One that is no recipe's, in its frames too."""
    model = RECIPES["tiny"]().model
    return replace(model, embed_dim=48, x_encoder=replace(model.x_encoder, num_frames=2, frame_size=64, grid=2))


@pytest.fixture(scope="module")
def trained(architecture: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    write_pictures(folder / "data", RECIPES["finetune"]())
    torch.manual_seed(1)
    model = VLJEPA(architecture, train_tokenizer(["a red picture", "a blue picture"], 300))
    model.save(folder / "model", card="# Before", dtype="float32")
    return folder / "model"


def finetune(trained: Path, out: Path, *overrides: str) -> int:
    data = ("--data", str(trained.parent / "data"), "--out", str(out))
    steps = ("--stages.0.num-steps", "3", "--stages.0.global-batch-size", "4", "--log-every", "1")
    return main(["train", "finetune", "--start-from", str(trained), *data, *steps, *overrides])


def test_begins_with_the_weights_and_the_architecture_of_the_checkpoint(
    trained: Path, architecture: ModelConfig, tmp_path: Path
) -> None:
    assert finetune(trained, tmp_path / "run", "--stages.0.optim.lr", "0") == 0
    model = tmp_path / "run" / "model"
    assert model_config(model) == architecture
    before, after = load_file(trained / "model.safetensors"), load_file(model / "model.safetensors")
    assert before.keys() == after.keys()
    for name in before:
        # Without a learning rate nothing moves but the score of what is familiar, which is the new data's.
        assert torch.equal(before[name], after[name]) != name.startswith("familiarity."), name
    source = json.loads((tmp_path / "run" / "config.json").read_text())["stages"][0]["sources"][0]
    assert source["num_frames"] == 2
    assert "### Before" in (model / "README.md").read_text()


def test_trains_predictor_and_y_encoder_and_keeps_the_decoder(trained: Path, tmp_path: Path) -> None:
    assert finetune(trained, tmp_path / "run") == 0
    before, after = (load_file(f / "model.safetensors") for f in (trained, tmp_path / "run" / "model"))
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"predictor", "y_encoder", "logit_scale", "familiarity"}


def test_another_architecture_is_one_line(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert finetune(trained, tmp_path / "run", "--model.embed-dim", "32") == 2
    error = capsys.readouterr().err
    assert "has another architecture than the run" in error
    assert error.count("vljepa:") == 1
