"""The plan of a run against a real step: its operations, tensors and state on disk; and against hand arithmetic."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from counting import operations

from vljepa.cli import main
from vljepa.config import OptimConfig, RunConfig, SourceConfig, StageConfig, TransformerConfig
from vljepa.errors import UserError
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes import RECIPES, nano, paper_model
from vljepa.recipes.models import token_vlm
from vljepa.training import checkpoint, parallel
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.plan import Setting, StagePlan, plan
from vljepa.training.step import train_step
from vljepa.training.tokens import token_step
from vljepa.types import Batch

BLOCK = TransformerConfig(dim=64, num_layers=3, num_heads=4, num_kv_heads=2, ffn_dim=176)
BATCH, FRAMES = 8, 8
QUERY = "How many red cubes are there?"
TARGETS = [f"{colour} {thing} is {done}" for colour in ("red", "blue") for thing in ("ball", "cube") for done in "ab"]


def run(**settings: Any) -> RunConfig:
    model = nano().model
    stage = StageConfig(
        name="video",
        sources=(SourceConfig(manifest="", num_frames=FRAMES),),
        num_steps=10,
        global_batch_size=BATCH,
        optim=OptimConfig(),
    )
    model = replace(model, predictor=replace(model.predictor, transformer=BLOCK))
    return RunConfig(**{"name": "", "model": model, "stages": (stage,), "precision": "float32", **settings})


def planned(config: RunConfig, **setting: Any) -> StagePlan:
    return plan(config, Setting(**setting)).stages[0]


@pytest.mark.parametrize("settings", [{}, {"recompute": True}, {"micro_batch_size": 4, "recompute": True}])
def test_a_real_step_does_that_many_operations_and_holds_those_tensors(settings: dict, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = run(**settings)
    model = VLJEPA(config.model)
    query = len(model.predictor._tokenize(QUERY))
    (target,) = {len(model.y_encoder._tokenizer.encode(text).ids) for text in TARGETS}
    parallel.prepare(model, config)
    optimizer = build_optimizer(model, config.stages[0].optim)
    guard = Guard(OptimConfig(), "")
    tokens = torch.randn(BATCH, FRAMES, model.x_encoder.tokens_per_frame, model.x_encoder.token_dim).half()
    batch = Batch(visual_tokens=tokens, queries=[QUERY] * BATCH, targets=TARGETS)

    def step() -> None:
        train_step(
            model,
            batch,
            config.loss,
            optimizer,
            guard,
            precision="float32",
            grad_clip=1.0,
            micro_batch_size=config.micro_batch_size,
        )

    stage = planned(config, query_tokens=query, target_tokens=target)
    by_formula = BATCH * sum(stage.flops.values())
    assert operations(step) == pytest.approx(by_formula, rel=1e-3)

    trained = [p for group in optimizer.param_groups for p in group["params"]]
    moments = [optimizer.state[p][name] for p in trained for name in ("exp_avg", "exp_avg_sq")]
    # The logit scale is one number more.
    assert stage.memory["gradients"] == sum(p.grad.nbytes for p in trained) - 4
    assert stage.memory["moments"] == sum(moment.nbytes for moment in moments) - 8
    weights = [*model.predictor.parameters(), *model.y_encoder.parameters()]
    assert stage.memory["weights"] == sum(p.nbytes for p in weights)
    frozen = [*model.x_encoder.parameters(), model.predictor.token_table]
    assert stage.memory["frozen"] == sum(p.nbytes for p in frozen)
    assert stage.memory["visual_tokens"] == tokens.nbytes
    assert stage.storage["features_per_clip"] == tokens[0].nbytes
    with checkpoint.Saver(tmp_path) as saver:
        saver.save(1, model, optimizer, guard)
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert on_disk == pytest.approx(stage.storage["state"], rel=0.02)


@pytest.mark.parametrize("settings", [{}, {"recompute": True}, {"micro_batch_size": 4}])
def test_a_real_step_of_a_token_space_vlm(settings: dict) -> None:
    torch.manual_seed(0)
    targets = [f"{letter} red ball" for letter in "abcdefgh"]
    # Bytes alone: all targets are equally long.
    tokenizer = train_tokenizer(targets, 257)
    jepa = run(**settings).model
    jepa = replace(jepa, y_decoder=replace(jepa.y_decoder, vocab_size=tokenizer.get_vocab_size()))
    config = replace(run(**settings), model=token_vlm(jepa))
    model = TokenVLM(config.model, tokenizer)
    query = len(model.language_model._tokenize(QUERY))
    (target,) = {len(text) for text in model.language_model.tokenize(targets)}
    parallel.prepare(model, config)
    optimizer = build_optimizer(model, config.stages[0].optim)
    tokens = torch.randn(BATCH, FRAMES, model.x_encoder.tokens_per_frame, model.x_encoder.token_dim).half()
    batch = Batch(visual_tokens=tokens, queries=[QUERY] * BATCH, targets=targets)
    micro = config.micro_batch_size

    def step() -> None:
        guard = Guard(OptimConfig(), "")
        token_step(model, batch, optimizer, guard, precision="float32", grad_clip=1.0, micro_batch_size=micro)

    stage = planned(config, query_tokens=query, target_tokens=target)
    assert stage.trains == "language model"
    assert operations(step) == pytest.approx(BATCH * sum(stage.flops.values()), rel=1e-3)
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    assert stage.memory["gradients"] == sum(p.grad.nbytes for p in trained) == stage.memory["weights"]
    frozen = [*model.x_encoder.parameters(), model.language_model.token_table]
    assert stage.memory["frozen"] == sum(p.nbytes for p in frozen)
    assert stage.traffic == {"embeddings": 0, "gradients": 0}


def test_traffic_by_hand() -> None:
    config = run()
    whole = planned(config, num_gpus=4)
    counts = plan(config, Setting()).parameters
    trained = sum(n for part, n in counts.items() if part not in ("x_encoder", "predictor.tokens"))
    # A ring of 4: three quarters in each of an all-reduce's two halves; gather and its backward, for either side.
    assert whole.traffic == {"embeddings": 4 * 3 * (BATCH // 4) * 384 * 4, "gradients": 2 * 3 * trained * 4 // 4}
    assert planned(config).traffic == {"embeddings": 0, "gradients": 0}

    sharded = planned(run(sharded=True, micro_batch_size=1), num_gpus=4)
    split = counts["predictor.layers"] + counts["y_encoder"] + counts["y_encoder.head"]
    # Two chunks of one sample: each embeds before, then goes forward and back; layers are gathered for all of it.
    gathered = 6 * counts["predictor.layers"] + 4 * (counts["y_encoder"] + counts["y_encoder.head"])
    assert sharded.traffic["shards"] == 3 * gathered * 4 // 4
    # Gradients travel once, whatever the chunks, and the frozen token table has none.
    table = (30_522 + 512 + 2) * 384  # words, positions, segments of MiniLM
    reduced = split - table
    assert sharded.traffic["shard_gradients"] == 3 * reduced * 4 // 4
    one_chunk = planned(run(sharded=True), num_gpus=4)
    assert one_chunk.traffic["shard_gradients"] == sharded.traffic["shard_gradients"]
    # Until then they are whole; with one chunk those of a part at a time are.
    y_encoder = split - counts["predictor.layers"] - table
    largest = max(y_encoder, counts["predictor.layers"] // BLOCK.num_layers)
    assert sharded.memory["gathered"] - one_chunk.memory["gathered"] == 4 * (reduced - largest)
    assert sharded.memory["weights"] == 4 * (trained - split + split // 4)
    assert sharded.memory["activations"] * 2 == whole.memory["activations"]


def test_days_are_those_of_the_papers_own_rate() -> None:
    stage = StageConfig(
        name="sft",
        sources=(SourceConfig(manifest="", num_frames=32),),
        num_steps=83_000,
        global_batch_size=3072,
        optim=OptimConfig(),
    )
    config = run(model=paper_model(), stages=(stage,), cache_features=False)
    flops = sum(planned(config, num_gpus=192).flops.values())
    at_its_rate = planned(config, num_gpus=192, tflops=6.1 * flops / 1e12, utilization=1.0)
    assert at_its_rate.samples_per_second == pytest.approx(6.1)
    # "About 2.5 days on 192 H200".
    assert at_its_rate.days == pytest.approx(2.5, abs=0.05)
    assert at_its_rate.samples == 254_976_000


def test_sources_of_a_stage_are_weighed_and_the_largest_must_fit() -> None:
    stage = run().stages[0]
    image, video = SourceConfig(manifest="a", num_frames=1, weight=3.0), SourceConfig(manifest="b", num_frames=8)

    def of(*sources: SourceConfig) -> StagePlan:
        return planned(run(stages=(replace(stage, sources=sources),)))

    mixed, images, videos = of(image, video), of(image), of(video)
    for part, count in mixed.flops.items():
        assert count == pytest.approx(0.75 * images.flops[part] + 0.25 * videos.flops[part])
    assert mixed.memory == videos.memory
    assert mixed.days == pytest.approx(0.75 * images.days + 0.25 * videos.days)


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(UserError, match="batch of 8 does not divide among 3 GPUs"):
        planned(run(), num_gpus=3)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_a_plan(name: str) -> None:
    config = RECIPES[name]()
    stages = plan(config, Setting()).stages
    assert [stage.samples for stage in stages] == [s.num_steps * s.global_batch_size for s in config.stages]
    for stage in stages:
        assert min(stage.flops.values()) >= 0 < stage.days
        assert stage.flops["x_encoder"] == (0 if config.cache_features else stage.features)


def test_a_name_that_is_both_gives_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "nano", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["kind"] == "vl_jepa"
    assert (
        values["plan"]["parameters"]["y_encoder"] + values["plan"]["parameters"]["y_encoder.head"]
        == (values["parameters"]["y_encoder"])
    )
    assert main(["info", "tiny"]) == 0
    shown = capsys.readouterr().out
    assert "stage video, trains the predictor: 64 samples" in shown
    assert "x_encoder 692.7 k" in shown
    assert main(["info", "tiny", "--gpus", "7"]) == 2
    assert "does not divide among 7 GPUs" in capsys.readouterr().err
    assert main(["info", "nowhere"]) == 2
    assert "nor is it a recipe: nano" in capsys.readouterr().err
    assert main(["info", "tiny", "--utilization", "45"]) == 2
    assert "utilization in (0, 1]" in capsys.readouterr().err
