"""The training step at the paper's size: how fast it is, how near the card's limit, and what each measure brings.

    python benchmarks/step.py

On a GPU: ``paper_model`` of random weights, 32 frames of 256 x 256 a clip, already decoded, bfloat16. Without one, the
shapes of recipe ``small``. A step is all of it: the frozen X-Encoder, predictor, Y-Encoder, gradients and optimizer.
FLOPs are those of its matrix products and attention, counted once without recomputation or padding; the peak is that of
a large bfloat16 matrix product in the same run. Steps run over several batches in turn, as queries differ in length;
times are medians. Needs no network and no data.
"""

import argparse
import gc
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from backbones import write_paper
from rich.console import Console
from rich.table import Table
from timing import now, product
from torch.utils.flop_counter import FlopCounterMode
from transformers.utils import logging

from vljepa.config import LossConfig, ModelConfig, OptimConfig, RunConfig
from vljepa.errors import UserError
from vljepa.model.bulk import autocast
from vljepa.model.vljepa import VLJEPA
from vljepa.provenance import processor
from vljepa.recipes import paper_model, small
from vljepa.training import parallel
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.step import train_step
from vljepa.types import Batch

WORDS = ("the", "a", "red", "cube", "hand", "pushes", "lifts", "turns", "left", "which", "how", "many", "is", "behind")
QUERY_WORDS, TARGET_WORDS = (6, 24), (1, 16)
"""Fewest and most words of a text."""
NUM_BATCHES = 4
PADDED_TOKENS = 512
"""What the paper pads queries to."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One line of the table."""

    name: str
    run: dict[str, bool]
    """Fields of ``RunConfig``."""
    padded: bool = False
    sees: bool = True
    """Whether the X-Encoder runs, or its tokens are at hand."""


SETTINGS = (
    Setting(name="as it is: no [PAD], nothing recomputed", run={}),
    Setting(name="X-Encoder's tokens at hand", run={}, sees=False),
    Setting(name="activations recomputed", run={"recompute": True}),
    Setting(name="compiled", run={"compile": True}),
    Setting(name="recomputed and compiled", run={"recompute": True, "compile": True}),
    Setting(name=f"queries padded to {PADDED_TOKENS} tokens", run={}, padded=True),
)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all lines share."""

    config: ModelConfig
    device: torch.device
    frames: torch.Tensor
    """(B, F, S, S, 3) uint8, on the device."""
    texts: list[tuple[list[str], list[str]]]
    """Queries and targets of each batch."""
    padding: str
    """A query of ``PADDED_TOKENS`` tokens."""
    steps: int


def main() -> None:
    args = _arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    on = torch.cuda.get_device_name() if device.type == "cuda" else f"{processor()}, {args.threads} threads"
    with tempfile.TemporaryDirectory() as folder:
        bench = _bench(args, device, Path(folder))
        peak = _matrix_rate(device)
        flops = _flops(bench)
        table = Table("training step", "samples/s", "ms", "TFLOP/s", "of the matrix rate", "peak memory, GB")
        for column in table.columns[1:]:
            column.justify = "right"
        for setting in SETTINGS:
            row = _row(setting, bench, flops, peak)
            table.add_row(setting.name, *row)
            print(setting.name, *row, sep=" | ", file=sys.stderr, flush=True)
    console = Console(width=120)
    console.print(
        f"{on}, torch {torch.__version__}; shapes {args.shapes}, batches of {args.batch} clips of "
        f"{bench.config.x_encoder.num_frames} frames; {(flops.see + flops.learn) / args.batch / 1e12:.3g} TFLOP a "
        f"sample, {flops.see / args.batch / 1e12:.3g} of them the X-Encoder's; bfloat16 matrix rate "
        f"{peak / 1e12:.4g} TFLOP/s",
        highlight=False,
    )
    console.print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cuda = torch.cuda.is_available()
    parser.add_argument(
        "--shapes",
        choices=("paper", "small", "tiny"),
        default="paper" if cuda else "small",
        help="paper and tiny have the paper's parts, tiny for a trial",
    )
    parser.add_argument("--batch", type=int, default=16, help="samples; the paper's 3,072 on 192 GPUs are 16 on each")
    parser.add_argument("--steps", type=int, default=20 if cuda else 5, help="timed, of each line")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _bench(args: argparse.Namespace, device: torch.device, folder: Path) -> Bench:
    rng = np.random.default_rng(args.seed)

    def texts(shortest: int, longest: int) -> list[str]:
        return [" ".join(rng.choice(WORDS, rng.integers(shortest, longest + 1))) for _ in range(args.batch)]

    batches = [(texts(*QUERY_WORDS), texts(*TARGET_WORDS)) for _ in range(NUM_BATCHES)]
    if args.shapes == "small":
        config = small().model
    else:
        words = [text for batch in batches for texts in batch for text in texts]
        config = write_paper(folder, paper_model(), words, shrunk=args.shapes == "tiny")
    size, count = config.x_encoder.frame_size, config.x_encoder.num_frames
    frames = torch.randint(0, 256, (args.batch, count, size, size, 3), dtype=torch.uint8, device=device)
    # A word of WORDS is a token of its own, with the blank before it.
    return Bench(
        config=config,
        device=device,
        frames=frames,
        texts=batches,
        padding=" ".join(["red"] * PADDED_TOKENS),
        steps=args.steps,
    )


def _matrix_rate(device: torch.device) -> float:
    """FLOP a second of a large bfloat16 matrix product, the mean of ten."""
    multiply, flops = product(device, torch.bfloat16)
    for _ in range(3):
        multiply()
    began = now(device)
    for _ in range(10):
        multiply()
    return 10 * flops / (now(device) - began)


@dataclass(frozen=True, kw_only=True)
class Flops:
    """Of a batch; the mean over the batches."""

    see: float
    """The X-Encoder's."""
    learn: float
    """All the rest."""


def _flops(bench: Bench) -> Flops:
    """Counted from the operations of a step as it is."""
    step, see = _step(SETTINGS[0], bench)
    with _counted() as seen:
        tokens = see()
    with _counted() as learned:
        for i in range(NUM_BATCHES):
            step(i, tokens)
    return Flops(see=seen[0], learn=learned[0] / NUM_BATCHES)


@contextmanager
def _counted() -> Iterator[list[int]]:
    """FLOPs within, in the list afterwards. torch itself does not count a CPU's fused attention."""
    names = {
        "_scaled_dot_product_flash_attention": 0,
        "_scaled_dot_product_flash_attention_for_cpu": 0,
        "_scaled_dot_product_efficient_attention": 0,
        "_scaled_dot_product_cudnn_attention": 0,
        "_scaled_dot_product_flash_attention_backward": 1,
        "_scaled_dot_product_flash_attention_for_cpu_backward": 1,
        "_scaled_dot_product_efficient_attention_backward": 1,
        "_scaled_dot_product_cudnn_attention_backward": 1,
    }
    formulas = {getattr(torch.ops.aten, name): _attention_flops(first) for name, first in names.items()}
    found: list[int] = []
    with FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        yield found
    found.append(counter.get_total_flops())


def _attention_flops(first: int) -> Callable[..., int]:
    """Of queries, keys and values at arguments ``first`` on; after the gradient, if that is the first."""

    def count(*shapes: Any, out_shape: Any = None, **other: Any) -> int:
        (batch, heads, length, dim), (_, _, keys, _) = shapes[first], shapes[first + 1]
        # Two products forward and four backward. That the fused kernel computes the scores again is its own affair.
        return int((4 if first else 2) * 2 * batch * heads * length * keys * dim)

    return count


def _step(
    setting: Setting, bench: Bench
) -> tuple[Callable[[int, torch.Tensor | None], object], Callable[[], torch.Tensor]]:
    """A step of a new model, of the number of the batch and the tokens if at hand; and its X-Encoder."""
    run = RunConfig(name="step", model=bench.config, stages=(), **setting.run)
    model = VLJEPA(bench.config)
    parallel.prepare(model, run)
    optim = OptimConfig(lr=1e-4)
    optimizer, guard, loss = build_optimizer(model, optim), Guard(optim, "step"), LossConfig()

    def see() -> torch.Tensor:
        with torch.no_grad(), autocast(bench.device, run.precision):
            return model.encode_frames(bench.frames)

    def step(i: int, tokens: torch.Tensor | None = None) -> None:
        queries, targets = bench.texts[i % NUM_BATCHES]
        batch = Batch(
            visual_tokens=see() if tokens is None else tokens,
            queries=[bench.padding] * len(queries) if setting.padded else queries,
            targets=targets,
        )
        train_step(model, batch, loss, optimizer, guard, precision=run.precision, grad_clip=optim.grad_clip)

    return step, see


def _row(setting: Setting, bench: Bench, flops: Flops, peak: float) -> list[str]:
    try:
        seconds, memory = _measure(setting, bench)
    except torch.OutOfMemoryError:
        return ["out of memory", "", "", "", ""]
    finally:
        gc.collect()
        torch.compiler.reset()
        if bench.device.type == "cuda":
            torch.cuda.empty_cache()
    rate = (flops.learn + setting.sees * flops.see) / seconds
    samples = len(bench.frames) / seconds
    return [
        f"{samples:.2f}",
        f"{seconds * 1000:.0f}",
        f"{rate / 1e12:.4g}",
        f"{rate / peak:.1%}",
        f"{memory / 1e9:.1f}",
    ]


def _measure(setting: Setting, bench: Bench) -> tuple[float, int]:
    """Median seconds of a step, and the most bytes in use."""
    step, see = _step(setting, bench)
    tokens = None if setting.sees else see()
    for i in range(NUM_BATCHES):
        step(i, tokens)
    _forget_peak(bench.device)
    times = []
    for i in range(bench.steps):
        began = now(bench.device)
        step(i, tokens)
        times.append(now(bench.device) - began)
    return statistics.median(times), _peak(bench.device)


def _forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        # Linux's way of setting the peak back to what is in use.
        Path("/proc/self/clear_refs").write_text("5")


def _peak(device: torch.device) -> int:
    """Bytes: on a GPU of its tensors, on a CPU of the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"step.py: {error}") from error
