"""Saving and going on equals never having stopped."""

from pathlib import Path

import torch
from torch import nn

from vljepa.config import OptimConfig
from vljepa.training import checkpoint
from vljepa.training.optim import build_optimizer


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        inputs = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(inputs).square().sum().backward()
        optimizer.step()


def build(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    return model, build_optimizer(model, OptimConfig(lr=0.01))


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    whole, optimizer = build(0)
    steps(whole, optimizer, 0, 6)
    first, optimizer = build(0)
    steps(first, optimizer, 0, 3)
    checkpoint.save(tmp_path, 3, first, optimizer)
    second, optimizer = build(1)
    checkpoint.load_weights(tmp_path, 3, second)
    checkpoint.load_optimizer(tmp_path, 3, second, optimizer)
    steps(second, optimizer, 3, 6)
    for expected, actual in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(expected, actual)


def test_half_written_states_are_not_read_and_old_ones_go(tmp_path: Path) -> None:
    model, optimizer = build(0)
    steps(model, optimizer, 0, 1)
    for step in (1, 2, 3):
        checkpoint.save(tmp_path, step, model, optimizer)
    (tmp_path / "writing-000000004").mkdir()
    assert checkpoint.saved_steps(tmp_path) == [2, 3]
    checkpoint.save(tmp_path, 4, model, optimizer)
    assert checkpoint.saved_steps(tmp_path) == [3, 4]
    assert checkpoint.saved_steps(tmp_path / "absent") == []
