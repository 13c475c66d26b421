"""Each row changes what it says, and that alone."""

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from vljepa.ablate.rows import DEFAULT, GROUPS, ROWS, Row
from vljepa.ablate.setting import Ablation
from vljepa.errors import UserError
from vljepa.recipes import RECIPES

BY_NAME = {row.name: row for row in ROWS}
FROZEN = {"stages.0.optim.y_encoder_lr_multiplier": 0.0, "stages.0.optim.y_encoder_head_lr_multiplier": 0.0}
LAYERS = "model.predictor.transformer.num_layers"
CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    "y-rate-1": {"stages.0.optim.y_encoder_lr_multiplier": 1.0},
    "y-rate-0.1": {"stages.0.optim.y_encoder_lr_multiplier": 0.1},
    "y-rate-0.05": {},
    "y-rate-0.01": {"stages.0.optim.y_encoder_lr_multiplier": 0.01},
    "y-rate-0": {"stages.0.optim.y_encoder_lr_multiplier": 0.0},
    "frozen-info-nce": FROZEN,
    **{f"frozen-{name}": FROZEN | {"loss.name": name} for name in ("cosine", "l1", "l2", "vicreg", "sigreg")},
    "half-depth": {LAYERS: 4, "model.predictor.init_first_layer": 0},
    "first-layers": {"model.predictor.init_first_layer": 0},
    "double-depth": {LAYERS: 16, "model.predictor.init_first_layer": 0},
    "ema": {"stages.0.optim.y_encoder_momentum": 0.99},
    "causal": {"model.predictor.transformer.causal": True},
    "no-init": {"model.predictor.init": None, "model.predictor.init_first_layer": 0},
    "minilm": {},
    "minilm-frozen": {"stages.0.optim.y_encoder_lr_multiplier": 0.0},
    "vicreg": {"loss.name": "vicreg"},
    "sigreg": {"loss.name": "sigreg"},
    "multi-positive": {"loss.multi_positive": True},
    "half-batch": {"stages.0.global_batch_size": 32, "stages.0.num_steps": 300},
    "double-batch": {"stages.0.global_batch_size": 128, "stages.0.num_steps": 75},
    "temperature-0.02": {"loss.initial_temperature": 0.02},
    "temperature-0.2": {"loss.initial_temperature": 0.2},
}


def flat(value: Any, place: str = "") -> dict[str, Any]:
    if is_dataclass(value):
        return {k: v for f in fields(value) for k, v in flat(getattr(value, f.name), f"{place}.{f.name}").items()}
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return {k: v for i, one in enumerate(value) for k, v in flat(one, f"{place}.{i}").items()}
    return {place.removeprefix("."): value}


@pytest.mark.parametrize("row", [row for row in ROWS if not row.stage_1], ids=lambda row: row.name)
def test_a_row_changes_what_it_says_alone(row: Row) -> None:
    ablation = Ablation(recipe="small")
    default, changed = flat(ablation.run(BY_NAME[DEFAULT], 0)), flat(ablation.run(row, 0))
    assert default.keys() == changed.keys()
    found = {name: value for name, value in changed.items() if value != default[name] and name not in ("name", "out")}
    assert found == CHANGES[row.name]


def test_the_default_fine_tunes_alone_and_stage_1_comes_before() -> None:
    ablation = Ablation()
    (only,) = ablation.run(BY_NAME[DEFAULT], 1).stages
    images, videos, last = ablation.run(BY_NAME["stage-1"], 1).stages
    recipe = {stage.name: stage for stage in RECIPES["nano"]().stages}
    assert only == last and only.sources == recipe["sft"].sources
    assert (images.sources, videos.sources) == (recipe["image"].sources, recipe["video"].sources)
    assert (only.num_steps, images.num_steps, videos.num_steps) == (150, 100, 100)
    for stage in (only, images, videos):
        assert stage.optim.schedule == "constant" and stage.wordings is None and stage.global_batch_size == 64


def test_rows_of_equal_settings_have_one_run() -> None:
    ablation = Ablation(out="out")
    runs = {row.name: ablation.run(row, 2) for row in ablation.studied()}
    assert runs["default"].out == "out/default-2"
    assert runs["y-rate-0.05"] == runs["minilm"] == runs["default"]
    assert runs["minilm-frozen"] == runs["y-rate-0"] and runs["y-rate-0"] != runs["frozen-info-nce"]
    distinct = set(runs) - {"y-rate-0.05", "minilm", "minilm-frozen"}
    assert len({runs[name].out for name in distinct}) == len(distinct)


def test_rows_come_with_what_they_are_compared_with_and_fit_the_recipe() -> None:
    assert [row.name for row in Ablation(rows=("frozen-l1",)).studied()] == ["default", "frozen-info-nce", "frozen-l1"]
    of_small = {row.name for row in Ablation(recipe="small").studied()}
    assert of_small - {row.name for row in Ablation().studied()} == {"first-layers", "no-init"}
    with pytest.raises(UserError, match="no row 'no-init' with nano; choose of default, "):
        Ablation(rows=("no-init",))
    with pytest.raises(UserError, match="seeds"):
        Ablation(seeds=())
    with pytest.raises(UserError, match="even"):
        Ablation(num_steps=5)


def test_every_row_has_a_group_and_stands_in_one_block() -> None:
    groups = [row.group for row in ROWS]
    assert list(dict.fromkeys(groups)) == list(GROUPS) and sorted(groups, key=list(GROUPS).index) == groups
    assert len(BY_NAME) == len(ROWS)
