"""Runs a function of a test file in several processes that train together, as torchrun would start them."""

import importlib.util
import multiprocessing
import os
import socket
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import torch

from vljepa.distributed import joined

TIME_LIMIT = 170.0
"""Seconds that any process of a test may take, on however busy a machine."""


def forked() -> ForkServerContext:
    """Starts processes that have imported torch and the rest already: real ones, but quickly there."""
    # One thread: OpenMP's threads do not live through a fork.
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vljepa.training.loop", "vljepa.recipes"])
    return context


def run_ranks(work: Callable[..., Any], folder: Path, *args: Any, world_size: int = 2) -> list[Any]:
    """What ``work(*args)`` returned, tensors and the like, in each of ``world_size`` processes joined over gloo.

    Args:
        work: a function at the top level of a file.
        folder: for the results to pass through.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = []
    for rank in range(world_size):
        environment = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world_size, "MASTER_PORT": port}
        place = (work.__code__.co_filename, work.__name__)
        process = forked().Process(target=_child, args=(environment, place, args, folder / f"{rank}.pt"))
        process.start()
        processes.append(process)
    # Not as daemons, which may have no decoding processes of their own.
    try:
        for process in processes:
            process.join(TIME_LIMIT)
        assert [process.exitcode for process in processes] == [0] * world_size
    finally:
        for process in processes:
            process.kill()
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(world_size)]


def _child(environment: dict[str, int], place: tuple[str, str], args: tuple[Any, ...], result: Path) -> None:
    os.environ |= {name: str(value) for name, value in environment.items()} | {"MASTER_ADDR": "127.0.0.1"}
    torch.set_num_threads(1)
    # By its path: a test file has no name to import it by.
    spec = importlib.util.spec_from_file_location("work", place[0])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with joined():
        torch.save(getattr(module, place[1])(*args), result)
