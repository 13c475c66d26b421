"""The loop on eight coloured pictures: it learns them, and a killed run ends like an uninterrupted one."""

import json
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import COLOURS, killed_at, line, pictures_run, write_pictures
from PIL import Image
from safetensors.torch import load_file

from vljepa import losses
from vljepa.config import RunConfig
from vljepa.data.lock import locked
from vljepa.errors import UserError
from vljepa.training import checkpoint
from vljepa.training.data import read_sources
from vljepa.training.loop import train


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("pictures")
    config = pictures_run(folder, joint=12, decoder=6, batch=8, out=str(folder / "run"), log_every=2, save_every=5)
    write_pictures(folder / "data", config, extra=("not JSON", line("pink", media="../none.png")))
    return config


@pytest.fixture(scope="module")
def model(config: RunConfig) -> Path:
    """The model folder of an uninterrupted run."""
    return train(config)


def test_bad_lines_are_reported(config: RunConfig, capsys: pytest.CaptureFixture[str]) -> None:
    read = read_sources(config)["train/images.jsonl"]
    assert len(read.samples) == len(COLOURS) + 1  # that there is no such picture shows later
    assert read.num_lines == len(COLOURS) + 2
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
def test_killed_run_ends_with_the_same_weights(config: RunConfig, model: Path, tmp_path: Path, kill_at: int) -> None:
    whole = load_file(model / "model.safetensors")
    other = replace(config, out=str(tmp_path / "other"))
    with killed_at(kill_at):
        train(other)
    resumed = load_file(train(other) / "model.safetensors")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_run_without_a_usable_gradient_ends_in_one_line_and_keeps_its_state(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps 3 and 7 on have no number for a loss: one is skipped, then the run ends."""
    objective, calls = losses.objective, iter(range(100))

    def broken(*args: Any) -> torch.Tensor:
        call = next(calls)
        return objective(*args) * (math.nan if call == 3 or call >= 7 else 1.0)

    optim = replace(config.stages[0].optim, max_skipped=2)
    stages = (replace(config.stages[0], optim=optim),)
    monkeypatch.setattr(losses, "objective", broken)
    with pytest.raises(UserError, match=r"stage 'image': 2 steps in a row .* the state before them is kept"):
        train(replace(config, stages=stages, out=str(tmp_path / "run"), log_every=1))
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["skipped"] for row in rows] == [0, 0, 0, 1, 1, 1, 1, 2]
    assert checkpoint.newest(tmp_path / "run" / "state") == 8


def test_damaged_state_costs_the_steps_since_the_one_before(config: RunConfig, model: Path, tmp_path: Path) -> None:
    whole = load_file(model / "model.safetensors")
    other = Path(shutil.copytree(config.out, tmp_path / "other"))
    assert checkpoint.saved_steps(other / "state") == [16, 18]
    os.truncate(other / "state" / "step-000000018" / "__0_0.distcp", 1000)
    again = load_file(train(replace(config, out=str(other))) / "model.safetensors")
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_run_begun_before_a_setting_existed_is_continued(config: RunConfig, model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(config.out, tmp_path / "other"))
    written = json.loads((other / "config.json").read_text())
    del written["start_from"]
    (other / "config.json").write_text(json.dumps(written))
    assert train(replace(config, out=str(other))) == other / "model"
    (other / "config.json").write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        train(replace(config, out=str(other)))


def test_what_was_left_out_is_counted_at_the_end_and_in_the_card(
    config: RunConfig, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(config)
    assert capsys.readouterr().out.splitlines()[-1] == "left out: 2 of 10 samples"
    card = (model / "README.md").read_text()
    assert "Left out: 2 of 10 samples." in card
    assert "| `train/images.jsonl` | 8 | 2 |" in card


def test_card_says_how_the_model_was_made(config: RunConfig, model: Path) -> None:
    card = (model / "README.md").read_text()
    rows = [json.loads(row) for row in (Path(config.out) / "log.jsonl").read_text().splitlines()]
    seconds = sum(2 * 8 / row["samples_per_s"] for row in rows[:6])
    tokens = 12 * 8 * config.model.x_encoder.grid**2
    stage = (
        f"| image | predictor | 12 | 8 | 96 | {tokens} | {seconds:.1f} s | {96 / seconds:.0f} | {rows[5]['loss']:.3f} |"
    )
    assert stage in card.splitlines()
    assert "* Made by: `vljepa train pictures`" in card
    assert "* Seed: 0;" in card
    assert "## Results" in card


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "images.jsonl: holds no samples"),
        (["not JSON", "{}"], "images.jsonl: no line of it can be used; the first: .*images.jsonl:1: line: not JSON"),
        ([line("none")], "images.jsonl: none of its clips can be decoded; one: .*none.png: cannot be opened"),
        ([line("x", media="../short.gif", start=3.0)], "one: .*short.gif: start 3 s lies past the end, 0.20 s"),
    ],
)
def test_nothing_but_bad_samples_is_one_line(config: RunConfig, tmp_path: Path, lines: list[str], message: str) -> None:
    data = Path(shutil.copytree(config.data, tmp_path / "data"))
    (data / "train/images.jsonl").write_text("\n".join(lines))
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    red.save(data / "short.gif", save_all=True, append_images=[blue], duration=100)
    with pytest.raises(UserError, match=message) as caught:
        train(replace(config, data=str(data), out=str(tmp_path / "run")))
    assert "\n" not in str(caught.value)


def test_other_settings_are_refused(config: RunConfig, model: Path) -> None:
    with pytest.raises(UserError, match="another 'seed'"):
        train(replace(config, seed=7))


def test_two_processes_do_not_train_in_one_folder(config: RunConfig, model: Path) -> None:
    busy = "another process trains in this folder; wait for its end, or use another --out"
    with locked(Path(config.out) / "lock", "", wait=False), pytest.raises(UserError, match=busy):
        train(config)


def test_missing_data_is_named(config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such data folder"):
        train(replace(config, data=str(tmp_path / "absent"), out=str(tmp_path / "run")))
