"""Training state for resume, apart from the model folder: trainable weights, optimizer moments, guard and the step.

The data order and all noise are functions of the seed and the step, so nothing else is needed to go on exactly.
A state is written aside, forced to disk and renamed: a kill at any moment leaves only whole ones to be read.
Each holds the checksums of its files, so that one that was damaged later is not read either.

Every rank writes its own share of a state, in one folder that all of them see; tensors are known by name and place, so
that any number of ranks, sharded or not, reads what any other wrote (torch.distributed.checkpoint).
"""

import hashlib
import json
import os
import re
import shutil
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint import DefaultLoadPlanner
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.fsdp import FSDPModule

from vljepa.distributed import host_group, rank, wait_for_all, world_size
from vljepa.errors import UserError
from vljepa.training.guard import Guard
from vljepa.training.slow import AVERAGE

# That there is one process is meant so, but torch warns of it at each save.
warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)

KEPT = 2
"""States kept; the newest whole one is read."""

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
"""Of every parameter; beside them the average of those that have a momentum."""
_NAME = re.compile(r"step-(\d{9})")
_CHECKSUMS = "sha256.json"

State = dict[str, dict[str, Tensor]]


class Saver:
    """Writes states into a folder in the background, one at a time; leaving its block waits for the last one.

    A save begins when the one before it is on disk. So a kill costs at most the steps of two intervals between saves:
    those since the last one was asked for, and those before it if it was still being written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="save")
        self._writing: Future[None] | None = None

    def save(self, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, guard: Guard) -> None:
        """Copy the state after ``step`` steps of the run and begin to write it; all but the last ``KEPT`` are dropped.

        Raises:
            OSError: the state before this one could not be written, e.g. because the disk is full; those before it
                stay.
        """
        self._finish()
        parts = {"model": _weights(model), "optimizer": _moments(model, optimizer), "guard": guard.state}
        # Copied where they lie: the steps to come change the originals.
        copy = {part: {name: tensor.clone() for name, tensor in tensors.items()} for part, tensors in parts.items()}
        self._writing = self._thread.submit(_save, self._folder, step, copy)

    def _finish(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def __enter__(self) -> "Saver":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if error is None:
            self._finish()


def _save(folder: Path, step: int, state: State) -> None:
    aside, final = folder / f"writing-{step:09d}", _path(folder, step)
    if not rank():
        folder.mkdir(parents=True, exist_ok=True)
        for left_by_a_kill in folder.glob("writing-*"):
            shutil.rmtree(left_by_a_kill)
    wait_for_all()
    try:
        _write(aside, state)
    except OSError:
        # What there is of it would only keep a full disk full.
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if rank():
        return
    (aside / _CHECKSUMS).write_text(json.dumps(_checksums(aside)) + "\n", encoding="utf-8")
    for path in [*aside.iterdir(), aside]:
        _fsync(path)
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


def load_optimizer(folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, guard: Guard) -> None:
    """Read the optimizer's moments and the guard at ``step``; the same parameters must be trained as were then."""
    for parameter, average in _parameters(optimizer).items():
        optimizer.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
        if average:
            optimizer.state[parameter][AVERAGE] = parameter.detach().clone()
    _read(folder, step, {"optimizer": _moments(model, optimizer), "guard": guard.state})


def _write(aside: Path, state: State) -> None:
    """This rank's share of a state; when rank 0 returns, all shares are on disk."""
    try:
        dcp.save(state, checkpoint_id=aside, process_group=host_group(), no_dist=world_size() == 1)
    except CheckpointException as error:
        # A BaseException of many lines; the system's own reason lies at the bottom of it.
        cause = next(iter(error.failures.values()))[0]
        if not isinstance(cause, Exception):
            raise cause from None
        while not isinstance(cause, OSError) and cause.__context__ is not None:
            cause = cause.__context__
        reason = str(cause).splitlines()[0]
        raise OSError(f"{aside}: the training state cannot be written ({reason}); is the disk full?") from error


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


def _read(folder: Path, step: int, state: State) -> None:
    """Each rank reads for itself what of the state is its own."""
    # Partial: runs that were begun before there was a guard.
    planner = DefaultLoadPlanner(allow_partial_load=True)
    dcp.load(state, checkpoint_id=_path(folder, step), planner=planner, no_dist=True)


def _weights(model: nn.Module) -> dict[str, Tensor]:
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # A forward pass without a backward has left its weights whole, and in the precision of the products.
            module.reshard()
    return {name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad}


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    names = {parameter: name for name, parameter in model.named_parameters()}
    # A parameter without a gradient so far has no moments yet: zeros are what AdamW would start it with.
    moments: dict[str, Tensor] = {}
    for parameter, average in _parameters(optimizer).items():
        state = optimizer.state[parameter]
        for moment in _MOMENTS:
            empty = torch.zeros(()) if moment == "step" else torch.zeros_like(parameter)
            moments[f"{names[parameter]}.{moment}"] = state.get(moment, empty)
        if average:
            moments[f"{names[parameter]}.{AVERAGE}"] = state.get(AVERAGE, parameter.detach())
    return moments


def _parameters(optimizer: torch.optim.Optimizer) -> dict[nn.Parameter, bool]:
    """All of them, and whether each has a moving average."""
    return {
        parameter: group.get("y_encoder_momentum") is not None
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def _path(folder: Path, step: int) -> Path:
    return folder / f"step-{step:09d}"


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
