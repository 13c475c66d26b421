"""Every recipe gives a full config that survives its JSON form; the paper's have its numbers."""

import json
from dataclasses import replace

import pytest
import torch

from vljepa.config import RunConfig, from_json, to_json
from vljepa.model.counts import count_parameters
from vljepa.model.x_encoder import load_x_encoder
from vljepa.recipes import RECIPES

TABLETOP = ("nano", "nano-dual-encoder", "nano-token-vlm", "small", "tiny")
PAPER_GPUS = 192
STAGES = ("image", "video8", "video32", "sft")


@pytest.mark.parametrize("name", RECIPES)
def test_config_round_trip(name: str) -> None:
    config = RECIPES[name]()
    assert config.name == name
    assert from_json(RunConfig, json.loads(json.dumps(to_json(config)))) == config


@pytest.mark.parametrize("name", TABLETOP)
def test_taps_fold_onto_the_grid(name: str) -> None:
    config = RECIPES[name]().model.x_encoder
    frames = torch.zeros(1, 2, config.frame_size, config.frame_size, 3, dtype=torch.uint8)
    assert load_x_encoder(config)(frames).shape[:3] == (1, 2, config.grid**2)


@pytest.mark.parametrize("name", ["nano-dual-encoder", "nano-token-vlm"])
def test_baseline_sees_the_same_samples(name: str) -> None:
    nano, baseline = RECIPES["nano"](), RECIPES[name]()
    # A token-space VLM has no Y-Encoder, which steps on texts alone could train.
    assert all(
        one in (other, replace(other, wordings=None)) for one, other in zip(baseline.stages, nano.stages, strict=False)
    )
    assert {stage.trains for stage in nano.stages[len(baseline.stages) :]} == {"y_decoder"}
    assert baseline.seed == nano.seed


@pytest.mark.parametrize(
    ("name", "frames", "steps", "batch", "schedule"),
    [
        ("image", {1}, 100_000, 24_576, "constant"),
        ("video8", {8}, 60_000, None, "constant"),
        ("video32", {32}, 10_000, None, "constant"),
        ("sft", {1, 32}, 83_000, 3072, "cosine"),
        ("control", {1, 16}, 117_188, 128, "constant"),
    ],
)
def test_stages_of_the_paper(name: str, frames: set[int], steps: int, batch: int | None, schedule: str) -> None:
    for family in ("paper", "open"):
        stage = RECIPES[f"{family}-{name}"]().stages[0]
        assert {source.num_frames for source in stage.sources} == frames
        assert stage.num_steps == steps
        assert batch in (None, stage.global_batch_size)
        assert (stage.optim.lr, stage.optim.schedule) == (5e-5, schedule)
        assert stage.optim.y_encoder_lr_multiplier == 0.05


@pytest.mark.parametrize("family", ["paper", "open"])
def test_each_stage_starts_from_the_one_before_and_divides_among_the_papers_gpus(family: str) -> None:
    before = None
    for name in STAGES:
        config = RECIPES[f"{family}-{name}"]()
        assert config.start_from == before
        assert config.model == RECIPES[f"{family}-image"]().model
        assert all(stage.global_batch_size % PAPER_GPUS == 0 for stage in config.stages)
        before = f"{config.folder}/model"


def test_fine_tuning_replays_what_came_before() -> None:
    image, video, sft = (RECIPES[f"paper-{name}"]().stages[0] for name in ("image", "video32", "sft"))
    before = {source.manifest for stage in (image, video) for source in stage.sources}
    assert before < {source.manifest for source in sft.sources}
    assert sum(source.weight for source in sft.sources) == pytest.approx(1.0)
    replayed = sum(source.weight for source in sft.sources if source.manifest in before)
    assert 0 < replayed < 0.5


def test_open_recipes_name_no_gated_weights() -> None:
    for name, recipe in RECIPES.items():
        model = recipe().model
        names = f"{model.x_encoder.name} {model.predictor.tokenizer} {model.predictor.init} {model.y_encoder.name}"
        assert ("meta-llama" in names or "gemma" in names) == name.startswith("paper-")


def test_control_differs_from_the_paper_in_its_eyes_alone() -> None:
    paper, control = (count_parameters(RECIPES[f"paper-{name}"]().model) for name in ("sft", "control"))
    assert {part for part in paper if paper[part] != control[part]} <= {"x_encoder", "predictor.rest"}
    assert paper["predictor.layers"] == control["predictor.layers"] == 486_572_032


def test_token_space_vlm_is_the_whole_llama_on_the_samples_of_the_control() -> None:
    control, vlm = RECIPES["paper-control"](), RECIPES["paper-control-vlm"]()
    assert vlm.stages == control.stages and vlm.seed == control.seed
    assert vlm.model.x_encoder == control.model.x_encoder
    assert (vlm.model.predictor.transformer.num_layers, vlm.model.predictor.init_first_layer) == (16, 0)
    assert (control.model.predictor.transformer.num_layers, control.model.predictor.init_first_layer) == (8, 8)
    assert vlm.model.predictor.transformer.causal and vlm.model.predictor.inputs == "plain"
