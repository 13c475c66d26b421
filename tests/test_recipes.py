"""Every recipe gives a full config that survives its JSON form, and the baseline differs from nano in kind alone."""

import json

import pytest

from vljepa.config import RunConfig, from_json, to_json
from vljepa.recipes import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_config_round_trip(name: str) -> None:
    config = RECIPES[name]()
    assert config.name == name
    assert from_json(RunConfig, json.loads(json.dumps(to_json(config)))) == config


def test_baseline_sees_the_same_samples() -> None:
    nano, baseline = RECIPES["nano"](), RECIPES["nano-dual-encoder"]()
    assert baseline.stages == nano.stages[: len(baseline.stages)]
    assert {stage.trains for stage in nano.stages[len(baseline.stages) :]} == {"y_decoder"}
    assert baseline.seed == nano.seed
