"""Every recipe gives a full config that survives its JSON form, and the baseline differs from nano in kind alone."""

import json

import pytest
import torch

from vljepa.config import RunConfig, from_json, to_json
from vljepa.model.x_encoder import load_x_encoder
from vljepa.recipes import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_config_round_trip(name: str) -> None:
    config = RECIPES[name]()
    assert config.name == name
    assert from_json(RunConfig, json.loads(json.dumps(to_json(config)))) == config


@pytest.mark.parametrize("name", RECIPES)
def test_taps_fold_onto_the_grid(name: str) -> None:
    config = RECIPES[name]().model.x_encoder
    frames = torch.zeros(1, 2, config.frame_size, config.frame_size, 3, dtype=torch.uint8)
    assert load_x_encoder(config)(frames).shape[:3] == (1, 2, config.grid**2)


def test_baseline_sees_the_same_samples() -> None:
    nano, baseline = RECIPES["nano"](), RECIPES["nano-dual-encoder"]()
    assert baseline.stages == nano.stages[: len(baseline.stages)]
    assert {stage.trains for stage in nano.stages[len(baseline.stages) :]} == {"y_decoder"}
    assert baseline.seed == nano.seed
