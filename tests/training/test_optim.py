"""Parameter groups and schedule."""

import pytest
import torch
from torch import nn

from vljepa.config import OptimConfig
from vljepa.training.optim import build_optimizer, rate_at, set_rate


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.predictor = nn.Linear(2, 3)
        self.y_encoder = nn.ModuleDict({"body": nn.Linear(3, 3), "words": nn.Embedding(4, 3), "head": nn.Linear(3, 3)})
        self.y_decoder = nn.Linear(3, 2)
        self.x_encoder = nn.Linear(2, 2).requires_grad_(False)
        self.log_scale = nn.Parameter(torch.zeros(()))


def settings(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, tuple[float, float]]:
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[parameter]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def test_groups() -> None:
    model = Parts()
    config = OptimConfig(lr=1.0, y_encoder_lr_multiplier=0.05, weight_decay=0.1)
    assert settings(build_optimizer(model, config), model) == {
        "predictor.weight": (1.0, 0.1),
        "predictor.bias": (1.0, 0.0),
        "y_encoder.body.weight": (0.05, 0.1),
        "y_encoder.body.bias": (0.05, 0.0),
        "y_encoder.words.weight": (0.05, 0.0),
        "y_encoder.head.weight": (1.0, 0.1),
        "y_encoder.head.bias": (1.0, 0.0),
        "log_scale": (1.0, 0.0),
    }
    assert set(settings(build_optimizer(model, config, part="y_decoder"), model)) == {
        "y_decoder.weight",
        "y_decoder.bias",
    }


def test_what_has_no_rate_is_not_trained() -> None:
    model = Parts()
    config = OptimConfig(y_encoder_lr_multiplier=0.0)
    trained = set(settings(build_optimizer(model, config), model))
    assert trained == {
        *("predictor.weight", "predictor.bias", "log_scale"),
        *("y_encoder.head.weight", "y_encoder.head.bias"),
    }
    frozen = OptimConfig(y_encoder_lr_multiplier=0.0, y_encoder_head_lr_multiplier=0.0)
    assert not any(name.startswith("y_encoder") for name in settings(build_optimizer(model, frozen), model))


def test_schedule() -> None:
    config = OptimConfig(lr=2.0, warmup_steps=4, schedule="cosine")
    assert [rate_at(step, 12, config) for step in range(4)] == [0.5, 1.0, 1.5, 2.0]
    assert rate_at(4, 12, config) == 2.0
    assert rate_at(8, 12, config) == pytest.approx(1.0)
    assert rate_at(12, 12, config) == pytest.approx(0.0)
    assert rate_at(9, 12, OptimConfig(lr=2.0, warmup_steps=4)) == 2.0


def test_set_rate_keeps_the_shares() -> None:
    model = Parts()
    optimizer = build_optimizer(model, OptimConfig(lr=1.0))
    set_rate(optimizer, 0.5)
    rates = {name: rate for name, (rate, _) in settings(optimizer, model).items()}
    assert rates["predictor.weight"] == 0.5
    assert rates["y_encoder.body.weight"] == 0.025
