"""The plan of a recipe against a training step on this machine: `python benchmarks/scaling.py` (docs/scaling.md).

By formula and counted: the operations of a step. Measured: its time, and what the machine reaches in one large matrix
product of the same precision, in turns with it. Random features, queries and texts; the X-Encoder has no part in it.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import tyro
from rich.console import Console
from rich.table import Table
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vljepa.config import RunConfig
from vljepa.model.vljepa import VLJEPA
from vljepa.recipes import RECIPES
from vljepa.training import parallel
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.plan import Setting, plan
from vljepa.training.step import train_step
from vljepa.types import Batch

QUERY = "How many red cubes are there on the table?"
COLOURS = ("red", "green", "blue", "yellow", "black", "white", "grey", "pink")
THINGS = ("cube", "ball", "cone", "ring", "box", "cup", "lamp", "book")
_SIDE = 2048
"""Of the matrices that the machine's rate is measured with."""


def main(
    recipes: tuple[str, ...] = ("nano", "small"),
    num_frames: int = 8,
    batch: int = 32,
    threads: int = 2,
    repeats: int = 5,
    recompute: bool = False,
) -> None:
    """Print a table, a row a recipe."""
    torch.set_num_threads(threads)
    table = Table("recipe", "precision", "GFLOP by formula", "counted", "s a step", "GFLOP/s", "of one product's rate")
    for name in recipes:
        config = replace(RECIPES[name](), recompute=recompute)
        step, gflop = _step(config, num_frames, batch)
        counted = _counted(step)
        product = _product(config)
        seconds, product_seconds = [], []
        for _ in range(repeats):
            seconds.append(_timed(step))
            product_seconds.append(_timed(product))
        rate = gflop / statistics.median(seconds)
        reached = 2 * _SIDE**3 / 1e9 / statistics.median(product_seconds)
        table.add_row(
            name,
            config.precision,
            f"{gflop:.1f}",
            f"{counted:.1f}",
            f"{statistics.median(seconds):.2f}",
            f"{rate:.1f}",
            f"{rate / reached:.0%} of {reached:.0f}",
        )
    Console().print(table)


def _step(config: RunConfig, num_frames: int, size: int) -> tuple[Callable[[], object], float]:
    """A training step of the recipe's first stage on ``size`` clips, and its 10^9 operations by formula."""
    torch.manual_seed(0)
    model = VLJEPA(config.model)
    texts = [f"a {colour} {thing} is here" for colour in COLOURS for thing in THINGS][:size]
    visual = torch.randn(len(texts), num_frames, model.x_encoder.tokens_per_frame, model.x_encoder.token_dim)
    parts = Batch(visual_tokens=visual, queries=[QUERY] * len(texts), targets=texts)
    stage = replace(
        config.stages[0],
        global_batch_size=len(texts),
        sources=(replace(config.stages[0].sources[0], num_frames=num_frames),),
    )
    tokenizer = model.predictor.tokenizer
    setting = Setting(
        query_tokens=len(tokenizer.encode(QUERY, add_special_tokens=False).ids),
        # MiniLM puts a token at either end.
        target_tokens=len(texts[0].split()) + 2,
    )
    flops = sum(plan(replace(config, stages=(stage,)), setting).stages[0].flops.values()) * len(texts)
    parallel.prepare(model, config)
    optimizer, guard = build_optimizer(model, stage.optim), Guard(stage.optim, "")

    def step() -> object:
        return train_step(model, parts, config.loss, optimizer, guard, precision=config.precision, grad_clip=1.0)

    step()
    return step, flops / 1e9


def _counted(step: Callable[[], object]) -> float:
    """10^9 operations of a step, by torch's counter, which knows of attention its plain form alone."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        step()
    return counter.get_total_flops() / 1e9


def _product(config: RunConfig) -> Callable[[], object]:
    a, b = (torch.randn(_SIDE, _SIDE, dtype=getattr(torch, config.precision)) for _ in range(2))
    return lambda: a @ b


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    tyro.cli(main)
