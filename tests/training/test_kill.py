"""Runs that SIGKILL ends at chosen moments, started again by the same command, against an uninterrupted one."""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest
import torch
from pictures import write_pictures
from ranks import TIME_LIMIT, forked
from safetensors.torch import load_file

from vljepa.cli import main
from vljepa.recipes import RECIPES

NUM_STEPS = 3
"""Of each stage; a state is saved at a stage's end."""
LAST_STEP = NUM_STEPS * len(RECIPES["tiny"]().stages)


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    return forked()


def start(processes: ForkServerContext, folder: Path) -> ForkServerProcess:
    """``vljepa train tiny``, made still smaller, on the pictures in ``folder``."""
    command = f"train tiny --data {folder}/data --out {folder}/run --log-every 1 --precision float32"
    command += " --model.x-encoder.frame-size 64 --model.x-encoder.grid 2"
    for number in range(len(RECIPES["tiny"]().stages)):
        command += f" --stages.{number}.num-steps {NUM_STEPS} --stages.{number}.global-batch-size 2"
    process = processes.Process(target=main, args=(command.split(),))
    process.start()
    return process


def finish(process: ForkServerProcess, folder: Path) -> dict[str, torch.Tensor]:
    process.join(TIME_LIMIT)
    assert process.exitcode == 0
    return load_file(folder / "run" / "model" / "model.safetensors")


def kill_when(process: ForkServerProcess, moment: Callable[[], bool]) -> None:
    """SIGKILL as soon as the moment has come; it must come before the process ends by itself."""
    deadline = time.monotonic() + TIME_LIMIT
    while not moment():
        assert process.is_alive(), "the run ended before the moment came"
        assert time.monotonic() < deadline
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.timeout(180)
def test_run_killed_at_many_moments_ends_with_the_same_weights(processes: ForkServerContext, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        write_pictures(folder / "data", RECIPES["tiny"]())
    expected = finish(start(processes, whole), whole)

    run = killed / "run"

    def logged() -> int:
        log = run / "log.jsonl"
        return log.read_text().count("\n") if log.exists() else 0

    moments: dict[str, Callable[[], bool]] = {
        "features are cached": lambda: any((killed / "data" / "features").glob("*/index.jsonl")),
        "a state is written": lambda: any((run / "state").glob("writing-*/*")),
        "the second stage is on its way": lambda: logged() == NUM_STEPS + 2,
        "the last state is written": lambda: (run / "state" / f"writing-{LAST_STEP:09d}").exists(),
        "the model folder is written": lambda: (run / "model.writing").exists(),
    }
    for moment in moments.values():
        kill_when(start(processes, killed), moment)
    actual = finish(start(processes, killed), killed)
    assert actual.keys() == expected.keys()
    assert all(torch.equal(actual[name], expected[name]) for name in expected)
    assert {path.name for path in run.iterdir()} == {path.name for path in (whole / "run").iterdir()}
