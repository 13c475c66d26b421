"""Which steps are left out, and when a run is ended."""

import math

import pytest
import torch
from torch import nn

from vljepa.config import OptimConfig
from vljepa.errors import UserError
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.step import update

CONFIG = OptimConfig(spike_factor=5.0, max_skipped=3)


def accepts(guard: Guard, norm: float, loss: float = 1.0) -> bool:
    return guard.accepts(torch.tensor(loss), torch.tensor(norm))


def test_skips_what_is_not_finite_and_spikes_over_the_running_median() -> None:
    guard = Guard(CONFIG, "stage 'sft'")
    assert all(accepts(guard, norm) for norm in [100.0, 50.0] + [1.0, 3.0] * 9)  # no spikes before there are 20 norms
    assert accepts(guard, 14.9)  # the median is 3
    assert not accepts(guard, 15.1)
    assert not accepts(guard, math.nan)
    assert accepts(guard, 3.0)
    assert not accepts(guard, math.inf)
    assert not accepts(guard, 1.0, loss=math.nan)
    assert guard.num_skipped == 4


def test_a_median_follows_the_norms() -> None:
    guard = Guard(CONFIG, "stage 'sft'")
    assert all(accepts(guard, 1.0) for _ in range(100))
    assert not accepts(guard, 6.0)
    assert all(accepts(guard, 4.0) for _ in range(60))
    assert accepts(guard, 6.0)


def test_what_is_not_clipped_is_no_spike() -> None:
    guard = Guard(CONFIG, "stage 'sft'")
    assert all(accepts(guard, 0.01) for _ in range(30))
    assert accepts(guard, CONFIG.grad_clip)
    assert not accepts(guard, CONFIG.grad_clip + 0.01)


def test_too_many_in_a_row_end_the_run_in_one_line() -> None:
    guard = Guard(CONFIG, "stage 'sft'")
    for _ in range(5):
        assert not accepts(guard, math.nan)
        assert not accepts(guard, math.nan)
        assert accepts(guard, 1.0)
    accepts(guard, math.nan)
    accepts(guard, math.nan)
    with pytest.raises(UserError, match=r"^stage 'sft': 3 steps in a row .*gradient norm nan.*lower the") as caught:
        accepts(guard, math.nan)
    assert "\n" not in str(caught.value)


def test_a_skipped_step_changes_nothing() -> None:
    model = nn.Linear(2, 1)
    optimizer, guard = build_optimizer(model, CONFIG), Guard(CONFIG, "stage 'sft'")
    before = [p.clone() for p in model.parameters()]
    for factor, changes in ((math.nan, False), (1.0, True)):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).sum() * factor
        loss.backward()
        update(loss.detach(), optimizer, guard, 1.0)
        assert all(torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True)) != changes
    assert not optimizer.state_dict()["state"][0]["exp_avg"].isnan().any()
