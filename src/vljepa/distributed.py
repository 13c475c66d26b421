"""The processes that train one model together: which of them this is, and what they tell one another.

torchrun starts them and names each in its environment. A process of its own is rank 0 of 1: there is nothing to start,
and what would go through the others comes back as it is. All ranks must make the same calls in the same order.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

S = TypeVar("S")
T = TypeVar("T")

# The older names, of before torch 2.13, warn there.
_all_gather = getattr(dist, "all_gather_single", dist.all_gather_into_tensor)
_reduce_scatter = getattr(dist, "reduce_scatter_single", dist.reduce_scatter_tensor)
_PATIENCE = timedelta(days=7)
"""How long ranks wait for the one that prepares the data. If it dies meanwhile, torchrun ends them."""
_host_group: dist.ProcessGroup | None = None


@contextmanager
def joined() -> Iterator[None]:
    """Be one of the processes that torchrun started, for the length of the block; only rank 0 prints."""
    global _host_group
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    on_gpu = device().type == "cuda"
    if on_gpu:
        torch.cuda.set_device(device())
    store, number, count = next(dist.rendezvous("env://"))
    # torchrun keeps its store when it starts the ranks again, and with it the addresses of those that are gone.
    store = dist.PrefixStore(f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    backend = "cpu:gloo,cuda:nccl" if on_gpu else "gloo"
    dist.init_process_group(backend, store=store, rank=number, world_size=count)
    _host_group = dist.new_group(backend="gloo", timeout=_PATIENCE)
    with ExitStack() as stack:
        if rank():
            stack.enter_context(redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
        yield
    # Not after an error: the other ranks would not take part.
    dist.destroy_process_group()
    _host_group = None


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def device() -> torch.device:
    """This rank's own GPU where there are any, otherwise the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def host_group() -> dist.ProcessGroup | None:
    """All ranks over the CPU, beside the step's own traffic: for waiting and for writing in the background."""
    return _host_group


def wait_for_all() -> None:
    """Return when every rank has come here."""
    if world_size() > 1:
        dist.barrier(_host_group)


@contextmanager
def rank_0_first() -> Iterator[None]:
    """Rank 0 goes through the block alone, then the others together, who find on disk what it made."""
    if rank():
        wait_for_all()
    yield
    if not rank():
        wait_for_all()


def from_rank_0(value: T) -> T:
    """The value that rank 0 gave."""
    values: list[Any] = [value]
    if world_size() > 1:
        dist.broadcast_object_list(values, src=0, group=_host_group)
    return values[0]


def from_all_ranks(value: T) -> list[T]:
    """The values of all ranks, in their order, once every rank has given its own."""
    values: list[Any] = [value] * world_size()
    if world_size() > 1:
        dist.all_gather_object(values, value, group=_host_group)
    return values


def share(work: Callable[[S], T], parts: Sequence[S]) -> list[T]:
    """``work`` on each part, of which every rank does its share; all ranks get all results, in order.

    A part is done by one rank as a whole, so that results do not depend on how many there are.
    """
    mine = {i: work(parts[i]) for i in range(rank(), len(parts), world_size())}
    found = {i: result for one in from_all_ranks(mine) for i, result in one.items()}
    return [found[i] for i in range(len(parts))]


def mean(value: Tensor) -> Tensor:
    """The mean of a tensor over the ranks, without gradient."""
    value = value.detach()
    if world_size() > 1:
        value = value.clone()
        dist.all_reduce(value)
        value /= world_size()
    return value


def gather(rows: Tensor) -> Tensor:
    """The rows of all ranks, in the order of ranks: (batch, ...) to (world size * batch, ...).

    Its gradient goes back to the rank whose rows they are, summed over all ranks: each of them uses every row, so a
    backward that kept only a rank's own share would lose what the others' losses say of its rows.
    """
    return rows if world_size() == 1 else _Gather.apply(rows)  # type: ignore[no-untyped-call]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, rows: Tensor) -> Tensor:
        everyone = rows.new_empty(world_size() * len(rows), *rows.shape[1:])
        _all_gather(everyone, rows.contiguous())
        return everyone

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        own = gradient.new_empty(len(gradient) // world_size(), *gradient.shape[1:])
        _reduce_scatter(own, gradient.contiguous())
        return own
