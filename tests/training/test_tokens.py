"""The token-space VLM in the same loop: learns the pictures, is killed and continued, and takes chunks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pictures import COLOURS, killed_at, pictures_run, write_pictures
from safetensors.torch import load_file

from vljepa.config import RunConfig
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.model.generate import generate
from vljepa.model.token_vlm import TokenVLM
from vljepa.recipes.models import token_vlm
from vljepa.training.loop import train
from vljepa.types import Clip


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("pictures")
    config = pictures_run(folder, joint=100, decoder=6, batch=8, out=str(folder / "run"), log_every=1, save_every=50)
    write_pictures(folder / "data", config)
    model = token_vlm(replace(config.model, x_encoder=replace(config.model.x_encoder, frame_size=64)))
    stage = replace(config.stages[0], wordings=None, optim=replace(config.stages[0].optim, lr=2e-3))
    return replace(config, model=model, stages=(stage,))


@pytest.fixture(scope="module")
def model(config: RunConfig) -> Path:
    """The model folder of an uninterrupted run."""
    return train(config)


def losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_says_the_targets_it_has_learned(config: RunConfig, model: Path) -> None:
    network = TokenVLM.load(model)
    clips = [Clip(media=(str(Path(config.data) / f"{colour}.png"),)) for colour in COLOURS]
    frames = torch.stack([torch.from_numpy(read_clip(clip, 1, size=64)) for clip in clips])
    said = generate(network.language_model, network.encode_frames(frames), [""] * len(COLOURS))
    assert said == [f"a {colour} picture" for colour in COLOURS]
    assert losses(Path(config.out))[-1] < 0.1
    card = (model / "README.md").read_text()
    assert "A token-space VLM" in card and "| language model |" in card


def test_killed_run_ends_with_the_same_weights(config: RunConfig, model: Path, tmp_path: Path) -> None:
    whole = load_file(model / "model.safetensors")
    other = replace(config, out=str(tmp_path / "other"))
    with killed_at(60):
        train(other)
    resumed = load_file(train(other) / "model.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_chunks_and_recomputed_activations_change_nothing_but_rounding(
    config: RunConfig, model: Path, tmp_path: Path
) -> None:
    stage = replace(config.stages[0], num_steps=20)
    train(replace(config, stages=(stage,), out=str(tmp_path / "chunks"), micro_batch_size=3, recompute=True))
    torch.testing.assert_close(losses(tmp_path / "chunks"), losses(Path(config.out))[:20], rtol=1e-4, atol=1e-5)


def test_it_has_no_decoder_to_train(config: RunConfig) -> None:
    stage = replace(config.stages[0], trains="y_decoder")
    with pytest.raises(UserError, match="no Y-Decoder to train"):
        replace(config, stages=(stage,))
