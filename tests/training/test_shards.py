"""A sharded step in chunks: the gradients of one process, averaged over the ranks once, in as many bytes as planned."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pictures import pictures_run
from ranks import run_ranks
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.utils._python_dispatch import TorchDispatchMode

from vljepa.config import RunConfig
from vljepa.distributed import rank, world_size
from vljepa.model.vljepa import VLJEPA
from vljepa.training import parallel
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.plan import Setting, plan
from vljepa.training.step import train_step
from vljepa.types import Batch

BATCH, MICRO = 12, 2
QUERIES = ["", "what is it?"]


class Reductions(TorchDispatchMode):
    """Counts the reductions to shards, and their bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "reduce_scatter" in function.name():
            (size, *_) = (argument.nbytes for argument in args[1:] if isinstance(argument, Tensor))
            self.sizes.append(size)
        return function(*args, **(kwargs or {}))


def step(config: RunConfig) -> tuple[list[int], Tensor, dict[str, Tensor]]:
    """Sizes of the reductions of one step, its loss and the whole gradients by name."""
    torch.manual_seed(0)
    model = VLJEPA(config.model)
    parallel.prepare(model, config)
    optimizer = build_optimizer(model, config.stages[0].optim)
    tokens = torch.randn(BATCH, 1, model.x_encoder.tokens_per_frame, model.x_encoder.token_dim)
    texts = [f"number {i}" for i in range(BATCH)]
    own = slice(rank() * BATCH // world_size(), (rank() + 1) * BATCH // world_size())
    # Chunks of one rank with queries, and without.
    queries = [QUERIES[i // MICRO % 2] for i in range(BATCH)]
    batch = Batch(visual_tokens=tokens[own], queries=queries[own], targets=texts[own])
    with Reductions() as reductions:
        result = train_step(
            model,
            batch,
            config.loss,
            optimizer,
            Guard(config.stages[0].optim, ""),
            precision=config.precision,
            grad_clip=1.0,
            micro_batch_size=config.micro_batch_size,
        )
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    whole = {name: g.full_tensor() if isinstance(g, DTensor) else g for name, g in gradients.items()}
    return reductions.sizes, result.loss, whole


def run(folder: Path) -> RunConfig:
    config = pictures_run(folder, joint=1, decoder=1, batch=BATCH)
    return replace(config, stages=config.stages[:1])


def work(folder: Path) -> list[tuple[list[int], Tensor, dict[str, Tensor]]]:
    sharded = replace(run(folder), sharded=True)
    chunks = replace(sharded, micro_batch_size=MICRO)
    bfloat16 = [replace(config, precision="bfloat16") for config in (sharded, chunks)]
    return [step(config) for config in (sharded, chunks, replace(chunks, recompute=True), *bfloat16)]


def test_gradients_of_chunks_are_reduced_once_and_those_of_one_process(tmp_path: Path) -> None:
    _, loss, expected = step(run(tmp_path))
    for whole, *chunked, whole_16, chunked_16 in run_ranks(work, tmp_path, tmp_path):
        for sizes, other, gradients in (whole, *chunked):
            torch.testing.assert_close(other, loss, rtol=1e-5, atol=1e-6)
            assert gradients.keys() == expected.keys()
            for name, gradient in gradients.items():
                torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-6, msg=name)
            # Three chunks, and no more messages than of one.
            assert sizes == whole[0]
        assert chunked_16[0] == whole_16[0] == whole[0]
        torch.testing.assert_close(chunked_16[1], whole_16[1], rtol=1e-3, atol=1e-3)
        norms = [torch.cat([g.flatten() for g in result[2].values()]).norm() for result in (whole_16, chunked_16)]
        torch.testing.assert_close(*norms, rtol=1e-2, atol=0)

        (stage,) = plan(replace(run(tmp_path), sharded=True, micro_batch_size=MICRO), Setting(num_gpus=2)).stages
        # Predictions and targets are reduced to shards as well: a quarter of all that is said of them.
        planned = stage.traffic["shard_gradients"] + stage.traffic["embeddings"] // 2
        # Each rank receives half; shards of uneven parameters are padded.
        torch.testing.assert_close(sum(whole[0]) / 2, float(planned), rtol=0.01, atol=0)
