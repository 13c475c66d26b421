"""Snapshots of a run are the models of shorter runs, whether it was killed in between or not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pictures import killed_at, pictures_run, write_pictures
from safetensors.torch import load_file

from vljepa.errors import UserError
from vljepa.training.loop import train


def test_a_snapshot_is_the_model_of_a_run_that_ends_there(tmp_path: Path) -> None:
    config = pictures_run(tmp_path, joint=8, decoder=2, batch=8, out=str(tmp_path / "run"), save_every=4)
    config = replace(config, stages=config.stages[:1], snapshots=(3, 8))
    write_pictures(tmp_path / "data", config)
    with killed_at(6):
        train(config)
    model = train(config)
    short = replace(config, stages=(replace(config.stages[0], num_steps=3),), out=str(tmp_path / "short"), snapshots=())
    train(short)
    for snapshot, whole in (("step-000000003", tmp_path / "short" / "model"), ("step-000000008", model)):
        found = load_file(tmp_path / "run" / "snapshots" / snapshot / "model.safetensors")
        expected = load_file(whole / "model.safetensors")
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    with pytest.raises(UserError, match="snapshots need the whole model"):
        replace(config, sharded=True)
