"""Training on clips decoded in the step: the run that cached features give, from manifests and from tar shards."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pictures import COLOURS, killed_at, line, pictures_run, write_pictures
from safetensors.torch import load_file
from tars import write_tar

from vljepa.config import RunConfig, SourceConfig
from vljepa.training.loop import train


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("decoded")
    settings = {"log_every": 2, "save_every": 4, "cache_features": False, "decode_processes": 1}
    config = pictures_run(folder, joint=8, decoder=4, batch=4, out=str(folder / "decoded"), **settings)
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


def test_killed_run_ends_with_the_same_weights(config: RunConfig, decoded: Path, tmp_path: Path) -> None:
    other = replace(config, out=str(tmp_path / "other"))
    with killed_at(6):
        train(other)
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
