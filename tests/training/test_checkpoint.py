"""Saving and going on equals never having stopped."""

import math
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vljepa.config import OptimConfig
from vljepa.errors import UserError
from vljepa.training import checkpoint
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        inputs = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(inputs).square().sum().backward()
        optimizer.step()


def build(seed: int) -> tuple[nn.Module, torch.optim.Optimizer, Guard]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    config = OptimConfig(lr=0.01)
    return model, build_optimizer(model, config), Guard(config, "a stage")


def save(folder: Path, step: int, *state: Any) -> None:
    """Until it is on disk."""
    with checkpoint.Saver(folder) as saver:
        saver.save(step, *state)


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    whole, optimizer, _ = build(0)
    steps(whole, optimizer, 0, 6)
    first, optimizer, guard = build(0)
    steps(first, optimizer, 0, 3)
    guard.accepts(torch.tensor(1.0), torch.tensor(2.0))
    with checkpoint.Saver(tmp_path) as saver:
        saver.save(3, first, optimizer, guard)
        # Training goes on while the state is written.
        steps(first, optimizer, 3, 5)
        guard.accepts(torch.tensor(1.0), torch.tensor(math.nan))
    second, optimizer, guard = build(1)
    checkpoint.load_weights(tmp_path, 3, second)
    checkpoint.load_optimizer(tmp_path, 3, second, optimizer, guard)
    assert guard.state["norms"][:2].nan_to_num(-1).tolist() == [2.0, -1.0]
    assert guard.num_skipped == 0
    steps(second, optimizer, 3, 6)
    for expected, actual in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(expected, actual)


def test_half_written_states_are_not_read_and_old_ones_go(tmp_path: Path) -> None:
    state = build(0)
    steps(*state[:2], 0, 1)
    for step in (1, 2, 3):
        save(tmp_path, step, *state)
    (tmp_path / "writing-000000004").mkdir()
    assert checkpoint.saved_steps(tmp_path) == [2, 3]
    save(tmp_path, 4, *state)
    assert checkpoint.saved_steps(tmp_path) == [3, 4]
    assert not list(tmp_path.glob("writing-*"))
    assert checkpoint.saved_steps(tmp_path / "absent") == []
    assert checkpoint.newest(tmp_path / "absent") == 0


def damage(state: Path, how: str) -> None:
    data = state / "__0_0.distcp"
    match how:
        case "cut":
            data.write_bytes(data.read_bytes()[:500])
        case "flipped bit":
            content = bytearray(data.read_bytes())
            content[len(content) // 2] ^= 1
            data.write_bytes(content)
        case "lost":
            data.unlink()
        case "no metadata":
            (state / ".metadata").unlink()
        case "no checksums":
            (state / "sha256.json").write_bytes(b"")


@pytest.mark.parametrize("how", ["cut", "flipped bit", "lost", "no metadata", "no checksums"])
def test_damaged_state_gives_way_to_the_one_before(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = build(0)
    steps(*state[:2], 0, 1)
    for step in (4, 8):
        save(tmp_path, step, *state)
    assert checkpoint.newest(tmp_path) == 8
    damage(tmp_path / "step-000000008", how)
    assert checkpoint.newest(tmp_path) == 4
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'step-000000008'}: this training state is damaged")
    # The run that went on from the older one replaces it.
    save(tmp_path, 8, *state)
    assert checkpoint.newest(tmp_path) == 8
    for step in (4, 8):
        damage(tmp_path / f"step-{step:09d}", how)
    with pytest.raises(UserError, match="every training state is damaged; delete this folder"):
        checkpoint.newest(tmp_path)


def test_state_of_a_run_begun_before_there_was_a_guard_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, optimizer, guard = build(0)
    with monkeypatch.context() as patch:
        patch.setattr(guard, "state", {})
        save(tmp_path, 3, model, optimizer, guard)
    checkpoint.load_optimizer(tmp_path, 3, model, optimizer, guard)
    assert guard.accepts(torch.tensor(1.0), torch.tensor(2.0))


def test_state_without_checksums_is_read(tmp_path: Path) -> None:
    state = build(0)
    save(tmp_path, 3, *state)
    (tmp_path / "step-000000003" / "sha256.json").unlink()
    assert checkpoint.newest(tmp_path) == 3


def test_full_disk_is_one_line_and_leaves_the_states_before(tmp_path: Path) -> None:
    state = build(0)
    save(tmp_path, 1, *state)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match=r"cannot be written .*too large.*; is the disk full") as caught:
            save(tmp_path, 2, *state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]
    assert checkpoint.newest(tmp_path) == 1
