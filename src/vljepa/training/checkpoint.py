"""Training state for resume, apart from the model folder: trainable weights, optimizer moments and the step.

The data order and all noise are functions of the seed and the step, so nothing else is needed to go on exactly.
A state is written aside, forced to disk and renamed: a kill at any moment leaves only whole ones to be read.
Each holds the checksums of its files, so that one that was damaged later is not read either.
"""

import hashlib
import json
import os
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.api import CheckpointException

from vljepa.errors import UserError

KEPT = 2
"""States kept; the newest whole one is read."""

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
_NAME = re.compile(r"step-(\d{9})")
_CHECKSUMS = "sha256.json"


def save(folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Write the state after ``step`` steps of the run into ``folder``, and drop all but the last ``KEPT``.

    Raises:
        OSError: it cannot be written, e.g. because the disk is full; the states before it stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left_by_a_kill in folder.glob("writing-*"):
        shutil.rmtree(left_by_a_kill)
    aside = folder / f"writing-{step:09d}"
    try:
        _write(aside, {"model": _weights(model), "optimizer": _moments(model, optimizer)})
    except OSError:
        # What there is of it would only keep a full disk full.
        shutil.rmtree(aside, ignore_errors=True)
        raise
    final = _path(folder, step)
    if final.exists():
        shutil.rmtree(final)
    aside.rename(final)
    _fsync(folder)
    for old in saved_steps(folder)[:-KEPT]:
        shutil.rmtree(_path(folder, old))


def saved_steps(folder: Path) -> list[int]:
    """Steps of the states in ``folder``, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name)))


def newest(folder: Path) -> int:
    """Step of the newest whole state in ``folder``, 0 if there is none at all; a damaged one is passed over, in a line.

    Raises:
        UserError: there are states, and all of them are damaged.
    """
    steps = saved_steps(folder)
    for step in reversed(steps):
        if _is_whole(_path(folder, step)):
            return step
        print(f"{_path(folder, step)}: this training state is damaged; looking for the one before it")
    if steps:
        raise UserError(f"{folder}: every training state is damaged; delete this folder to start from the beginning")
    return 0


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


def _write(aside: Path, state: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        # That there is one process is meant so (no_dist), but it warns of it at each save.
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
        try:
            dcp.save(state, checkpoint_id=aside, no_dist=True)
        except CheckpointException as error:
            # A BaseException of many lines; the system's own reason lies at the bottom of it.
            cause = next(iter(error.failures.values()))[0]
            if not isinstance(cause, Exception):
                raise cause from None
            while not isinstance(cause, OSError) and cause.__context__ is not None:
                cause = cause.__context__
            reason = str(cause).splitlines()[0]
            raise OSError(f"{aside}: the training state cannot be written ({reason}); is the disk full?") from error
    (aside / _CHECKSUMS).write_text(json.dumps(_checksums(aside)) + "\n", encoding="utf-8")
    for path in [*aside.iterdir(), aside]:
        _fsync(path)


def _checksums(state: Path) -> dict[str, str]:
    sums = {}
    for path in sorted(state.iterdir()):
        if path.name != _CHECKSUMS:
            with path.open("rb") as file:
                sums[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums


def _is_whole(state: Path) -> bool:
    try:
        expected = json.loads((state / _CHECKSUMS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        # Runs that were begun before there were checksums.
        return (state / ".metadata").exists()
    except ValueError:
        return False
    return bool(expected == _checksums(state))


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
