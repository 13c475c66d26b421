"""The Y-Encoder's moving average against its closed form, and through a saved state."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from vljepa.config import LossConfig, OptimConfig, RunConfig
from vljepa.errors import UserError
from vljepa.recipes import tiny
from vljepa.training import checkpoint
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.slow import AVERAGE, SlowYEncoder

MOMENTUM = 0.75
TEXTS = ["a", "bb", "cccc"]


class Encoder(nn.Module):
    """A text is its length and its vowels."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)

    def forward(self, texts: list[str]) -> Tensor:
        rows = [[float(len(text)), float(sum(c in "aeiou" for c in text))] for text in texts]
        return self.head(torch.tensor(rows))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.predictor = nn.Linear(2, 3)
        self.y_encoder = Encoder()


def build(seed: int) -> tuple[Model, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = Model()
    return model, build_optimizer(model, OptimConfig(lr=0.1, y_encoder_momentum=MOMENTUM))


def step(model: Model, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    (model.y_encoder(TEXTS).square().sum() + model.predictor(torch.ones(1, 2)).square().sum()).backward()
    optimizer.step()
    SlowYEncoder(model.y_encoder, optimizer).follow()


def test_the_average_is_that_of_the_weights_after_each_step() -> None:
    model, optimizer = build(0)
    slow, weight = SlowYEncoder(model.y_encoder, optimizer), model.y_encoder.head.weight
    before = functional.normalize(model.y_encoder(TEXTS), dim=1)
    assert slow and torch.equal(slow.encode(TEXTS), before.detach())
    seen = []
    for _ in range(4):
        step(model, optimizer)
        seen.append(weight.detach().clone())
    # It begins with the weights after the first step.
    expected = seen[0] * MOMENTUM**3 + sum(
        (1 - MOMENTUM) * MOMENTUM ** (3 - i) * later for i, later in enumerate(seen) if i
    )
    torch.testing.assert_close(optimizer.state[weight][AVERAGE], expected)
    with torch.no_grad():
        rows = torch.tensor([[1.0, 1.0], [2.0, 0.0], [4.0, 0.0]])
        outputs = rows @ expected.T + optimizer.state[model.y_encoder.head.bias][AVERAGE]
    torch.testing.assert_close(slow.encode(TEXTS), functional.normalize(outputs, dim=1))
    assert not torch.allclose(slow.encode(TEXTS), functional.normalize(model.y_encoder(TEXTS), dim=1))
    assert AVERAGE not in optimizer.state[model.predictor.weight]


def test_without_a_momentum_there_is_none() -> None:
    model = Model()
    assert not SlowYEncoder(model.y_encoder, build_optimizer(model, OptimConfig()))


def test_it_goes_on_from_a_saved_state(tmp_path: Path) -> None:
    whole, optimizer = build(0)
    guard = Guard(OptimConfig(), "a stage")
    for _ in range(3):
        step(whole, optimizer)
    with checkpoint.Saver(tmp_path) as saver:
        saver.save(3, whole, optimizer, guard)
    again, other = build(1)
    checkpoint.load_weights(tmp_path, 3, again)
    checkpoint.load_optimizer(tmp_path, 3, again, other, guard)
    for model, state in ((whole, optimizer), (again, other)):
        step(model, state)
    expected, found = (SlowYEncoder(m.y_encoder, o).encode(TEXTS) for m, o in ((whole, optimizer), (again, other)))
    assert torch.equal(expected, found)


def test_what_it_does_not_go_with_is_refused() -> None:
    config = tiny()
    stages = tuple(stage for stage in config.stages if stage.trains == "predictor")[:1]

    def run(loss: LossConfig, *, sharded: bool = False) -> RunConfig:
        with_it = OptimConfig(y_encoder_momentum=MOMENTUM)
        return replace(config, stages=(replace(stages[0], optim=with_it),), loss=loss, sharded=sharded)

    assert run(LossConfig()).loss.name == "info_nce"
    with pytest.raises(UserError, match="plain info_nce"):
        run(LossConfig(multi_positive=True))
    with pytest.raises(UserError, match="leave out --sharded"):
        run(LossConfig(), sharded=True)
    with pytest.raises(UserError, match="below 1"):
        OptimConfig(y_encoder_momentum=1.0)
