"""Training state for resume, apart from the model folder: trainable weights, optimizer moments and the step.

The data order and all noise are functions of the seed and the step, so nothing else is needed to go on exactly.
A state is written aside, forced to disk and renamed: a kill at any moment leaves only whole ones to be read.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn

KEPT = 2
"""States kept; the newest is read."""

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
_WHOLE = re.compile(r"step-(\d{9})")


def save(folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Write the state after ``step`` steps of the run into ``folder``, and drop all but the last ``KEPT``."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"writing-{step:09d}"
    if aside.exists():
        shutil.rmtree(aside)
    state = {"model": _weights(model), "optimizer": _moments(model, optimizer)}
    dcp.save(state, checkpoint_id=aside, no_dist=True)
    for path in [*aside.iterdir(), aside]:
        _fsync(path)
    final = _path(folder, step)
    if final.exists():
        shutil.rmtree(final)
    aside.rename(final)
    _fsync(folder)
    for old in saved_steps(folder)[:-KEPT]:
        shutil.rmtree(_path(folder, old))


def saved_steps(folder: Path) -> list[int]:
    """Steps of the whole states in ``folder``, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for path in folder.iterdir() if (match := _WHOLE.fullmatch(path.name)))


def load_weights(folder: Path, step: int, model: nn.Module) -> None:
    """Read the trainable weights of the state at ``step`` into ``model``."""
    _read(folder, step, {"model": _weights(model)})


def load_optimizer(folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Read the optimizer's moments at ``step``; it must hold the same parameters as the one that was saved."""
    for parameter in _parameters(optimizer):
        optimizer.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    _read(folder, step, {"optimizer": _moments(model, optimizer)})


def _read(folder: Path, step: int, state: dict[str, Any]) -> None:
    dcp.load(state, checkpoint_id=_path(folder, step), no_dist=True)


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad}


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    names = {parameter: name for name, parameter in model.named_parameters()}
    # A parameter without a gradient so far has no moments yet: zeros are what AdamW would start it with.
    moments: dict[str, Tensor] = {}
    for parameter in _parameters(optimizer):
        state = optimizer.state[parameter]
        for moment in _MOMENTS:
            empty = torch.zeros(()) if moment == "step" else torch.zeros_like(parameter)
            moments[f"{names[parameter]}.{moment}"] = state.get(moment, empty)
    return moments


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _path(folder: Path, step: int) -> Path:
    return folder / f"step-{step:09d}"


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
