"""Training on clips decoded in the step: the run that cached features give, from manifests and from tar shards."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import COLOURS, line, write_pictures
from safetensors.torch import load_file
from tars import write_tar

from vljepa.config import OptimConfig, RunConfig, SourceConfig, StageConfig
from vljepa.recipes import RECIPES
from vljepa.training import checkpoint
from vljepa.training.loop import train


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    """A run over eight pictures, one of whose lines names a picture that is none."""
    folder = tmp_path_factory.mktemp("decoded")
    stage = StageConfig(
        name="image",
        sources=(SourceConfig(manifest="train/images.jsonl", num_frames=1),),
        num_steps=8,
        global_batch_size=4,
        optim=OptimConfig(warmup_steps=2),
    )
    decoder = replace(stage, name="y_decoder", trains="y_decoder", num_steps=4, on_targets_steps=2, target_noise=0.1)
    config = RunConfig(
        name="pictures",
        model=RECIPES["tiny"]().model,
        stages=(stage, decoder),
        data=str(folder / "data"),
        out=str(folder / "decoded"),
        precision="float32",
        log_every=2,
        save_every=4,
        cache_features=False,
        decode_processes=1,
    )
    write_pictures(folder / "data", config)
    return config


@pytest.fixture(scope="module")
def decoded(config: RunConfig) -> Path:
    """The model folder of an uninterrupted run."""
    return train(config)


def test_ends_as_with_cached_features(config: RunConfig, decoded: Path, tmp_path: Path) -> None:
    cached = train(replace(config, cache_features=True, out=str(tmp_path / "cached")))
    here, there = (load_file(folder / "model.safetensors") for folder in (decoded, cached))
    assert here.keys() == there.keys()
    # The familiarity score is fitted on another draw of the clips.
    for name in (name for name in here if not name.startswith("familiarity.")):
        # Stored in float16; the X-Encoder's sums may round otherwise in batches of another size.
        assert torch.allclose(here[name].float(), there[name].float(), atol=2e-3, rtol=2e-3), name
    rows = [
        [json.loads(row)["loss"] for row in (folder.parent / "log.jsonl").read_text().splitlines()]
        for folder in (decoded, cached)
    ]
    assert rows[0] == pytest.approx(rows[1], rel=1e-4)


def test_killed_run_ends_with_the_same_weights(
    config: RunConfig, decoded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = checkpoint.Saver.save

    def save_or_die(saver: checkpoint.Saver, step: int, *state: Any) -> None:
        if step >= 6:
            raise Killed
        save(saver, step, *state)

    other = replace(config, out=str(tmp_path / "other"))
    monkeypatch.setattr(checkpoint.Saver, "save", save_or_die)
    with pytest.raises(Killed):
        train(other)
    monkeypatch.setattr(checkpoint.Saver, "save", save)
    # How many processes decode is the machine's affair.
    resumed = load_file(train(replace(other, decode_processes=2)) / "model.safetensors")
    whole = load_file(decoded / "model.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_reads_shards_and_counts_what_cannot_be_decoded(
    config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    write_pictures(data, config, extra=(line("pink", media="../pink.png"),))
    (data / "pink.png").write_text("no picture")
    members = {f"{i}.png": (data / f"{colour}.png").read_bytes() for i, colour in enumerate(COLOURS)}
    members |= {f"{i}.txt": f"all {colour}".encode() for i, colour in enumerate(COLOURS)}
    (data / "web").mkdir()
    write_tar(data / "web" / "00000.tar", [*members.items(), ("8.txt", b"no picture")])
    web = SourceConfig(manifest="web", num_frames=1)
    stage = replace(config.stages[0], sources=(*config.stages[0].sources, web), num_steps=12)
    model = train(replace(config, stages=(stage,), data=str(data), out=str(tmp_path / "run")))
    out = capsys.readouterr().out
    assert "pink.png: " in out
    assert "00000.tar/8" in out
    assert out.splitlines()[-1] == "left out: 2 of 18 samples"
    card = (model / "README.md").read_text()
    assert "| `train/images.jsonl` | 8 | 1 |" in card
    assert "| `web` | 8 | 1 |" in card
    assert "clips were decoded" in card
    assert not (data / "features").exists()
