"""The loop on eight coloured pictures: it learns them, and a killed run ends like an uninterrupted one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from vljepa.config import OptimConfig, RunConfig, SourceConfig, StageConfig
from vljepa.errors import UserError
from vljepa.recipes import RECIPES
from vljepa.training import checkpoint
from vljepa.training.loop import train
from vljepa.training.prepare import read_samples

COLOURS = ("red", "green", "blue", "white", "black", "yellow", "purple", "orange")


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("pictures")
    data = folder / "data"
    (data / "train").mkdir(parents=True)
    lines = ["not JSON"]
    for colour in COLOURS:
        Image.new("RGB", (64, 64), colour).save(data / f"{colour}.png")
        lines.append(json.dumps({"id": colour, "media": f"../{colour}.png", "target": f"a {colour} picture"}))
    (data / "train/images.jsonl").write_text("\n".join(lines))
    stage = StageConfig(
        name="image",
        sources=(SourceConfig(manifest="train/images.jsonl", num_frames=1),),
        num_steps=12,
        global_batch_size=8,
        optim=OptimConfig(warmup_steps=2),
    )
    decoder = replace(stage, name="y_decoder", trains="y_decoder", num_steps=6, on_targets_steps=3, target_noise=0.1)
    return RunConfig(
        name="pictures",
        model=RECIPES["tiny"]().model,
        stages=(stage, decoder),
        data=str(data),
        out=str(folder / "run"),
        precision="float32",
        log_every=2,
        save_every=5,
    )


@pytest.fixture(scope="module")
def model(config: RunConfig) -> Path:
    """The model folder of an uninterrupted run."""
    return train(config)


def test_bad_lines_are_reported(config: RunConfig, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(read_samples(config)["train/images.jsonl"]) == len(COLOURS)
    assert "images.jsonl:1" in capsys.readouterr().out


def test_learns_logs_and_saves(config: RunConfig, model: Path) -> None:
    assert {path.name for path in model.iterdir()} >= {"config.json", "model.safetensors", "README.md"}
    rows = [json.loads(line) for line in (Path(config.out) / "log.jsonl").read_text().splitlines()]
    image = [row for row in rows if row["stage"] == "image"]
    assert image[-1]["loss"] < 0.7 * image[0]["loss"]
    assert set(image[0]) >= {
        "alignment",
        "uniformity_predicted",
        "logit_scale",
        "effective_rank_target",
        "samples_per_s",
    }
    assert [row["step"] for row in rows] == [2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert list((Path(config.out) / "tensorboard").iterdir())


@pytest.mark.parametrize("kill_at", [10, 17])
def test_killed_run_ends_with_the_same_weights(
    config: RunConfig, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    whole = load_file(model / "model.safetensors")
    save = checkpoint.save

    def save_or_die(folder: Path, step: int, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        if step >= kill_at:
            raise Killed
        save(folder, step, model, optimizer)

    other = replace(config, out=str(tmp_path / "other"))
    monkeypatch.setattr(checkpoint, "save", save_or_die)
    with pytest.raises(Killed):
        train(other)
    monkeypatch.setattr(checkpoint, "save", save)
    resumed = load_file(train(other) / "model.safetensors")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_other_settings_are_refused(config: RunConfig, model: Path) -> None:
    with pytest.raises(UserError, match="another 'seed'"):
        train(replace(config, seed=7))


def test_missing_data_is_named(config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such data folder"):
        train(replace(config, data=str(tmp_path / "absent"), out=str(tmp_path / "run")))
