"""Steps of the Y-Encoder on texts alone. That kills and ranks change nothing, the tests of the loop show."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import pictures_run

from vljepa.config import OptimConfig, RunConfig, WordingConfig
from vljepa.embedding import normalize
from vljepa.errors import UserError
from vljepa.everyday.pairs import pairs
from vljepa.losses import info_nce
from vljepa.model.vljepa import VLJEPA
from vljepa.training import wordings as module
from vljepa.training.optim import build_optimizer
from vljepa.training.plan import Setting, plan
from vljepa.training.wordings import wording_step, wordings

CONFIG = WordingConfig(every=3, num_scenes=2, num_alterations=2)


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return pictures_run(tmp_path, joint=4, decoder=2, batch=4)


def test_due_after_every_third_step() -> None:
    assert [bool(wordings(CONFIG, 0, step)) for step in range(7)] == [False, False, True, False, False, True, False]
    assert wordings(None, 0, 2) == []


def test_ranks_share_the_pairs(monkeypatch: Any) -> None:
    whole = wordings(CONFIG, 7, 2)
    monkeypatch.setattr(module, "world_size", lambda: 3)
    shares = []
    for rank in range(3):
        monkeypatch.setattr(module, "rank", lambda rank=rank: rank)
        shares.append(wordings(CONFIG, 7, 2))
    assert [pair for share in shares for pair in share] == whole == pairs(2, 2, 7, 2)
    monkeypatch.setattr(module, "world_size", lambda: 4)
    with pytest.raises(UserError, match="6 pairs of wordings do not divide among 4 processes"):
        wordings(CONFIG, 7, 2)


@pytest.mark.parametrize("micro_batch_size", [None, 4])
def test_teaches_the_y_encoder_and_nothing_else(config: RunConfig, micro_batch_size: int | None) -> None:
    torch.manual_seed(0)
    config = replace(config, micro_batch_size=micro_batch_size)
    stage = replace(config.stages[0], optim=OptimConfig(lr=1e-3, y_encoder_lr_multiplier=0.1))
    model = VLJEPA(config.model)
    others = {name: value.clone() for name, value in model.state_dict().items() if not name.startswith("y_encoder.")}
    optimizer = build_optimizer(model, stage.optim)
    found = pairs(3, 1, 0, 0)
    with torch.no_grad():
        first, second = (normalize(model.y_encoder([pair[side] for pair in found])) for side in (0, 1))
        expected = info_nce(first, second, model.logit_scale())
    losses = [float(wording_step(config, stage, model, found, optimizer)) for _ in range(4)]
    assert losses[0] == pytest.approx(float(expected), rel=1e-5)
    assert losses[-1] < 0.7 * losses[0]
    assert all(torch.equal(model.state_dict()[name], value) for name, value in others.items())


def test_the_plan_counts_their_operations(config: RunConfig) -> None:
    stage = replace(config.stages[0], wordings=replace(CONFIG, every=2))
    flops = plan(replace(config, stages=(stage,)), Setting()).stages[0].flops
    # Six pairs every other step are six captions a step, to a batch of four targets.
    assert flops["wordings"] == pytest.approx(flops["y_encoder"] * 6 / 4)


def test_only_where_the_y_encoder_trains(config: RunConfig) -> None:
    with pytest.raises(UserError, match="frozen here"):
        replace(config.stages[1], wordings=CONFIG)
    with pytest.raises(UserError, match="every must be >= 1"):
        WordingConfig(every=0)
