"""How firm a Y-Encoder is against hard negatives (table 6 b of the paper), and what makes it firmer.

    vljepa prepare sugarcrepe_pp SOURCE data/official
    vljepa prepare visla SOURCE data/official
    python benchmarks/firmness.py data/official --checkpoints nano
    python benchmarks/firmness.py data/official --steps 100 --alterations 0 3 --multipliers 0.05 1

The first row is the pretrained encoder of `nano`, untouched. Checkpoints are measured as they are. With `--steps` the
untouched encoder is trained on made-up everyday captions alone (`vljepa.everyday`), once for each number of alterations
and each learning-rate multiplier. Neither set, nor a caption of the images they are about, has a part in any of it.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from vljepa.api import Model, load
from vljepa.config import OptimConfig, RunConfig, StageConfig, WordingConfig
from vljepa.evaluation.benchmark import Benchmark, read_benchmark
from vljepa.evaluation.measure import MEASURES
from vljepa.evaluation.system import System
from vljepa.model.vljepa import VLJEPA
from vljepa.recipes import nano
from vljepa.training.optim import build_optimizer, rate_at, set_rate
from vljepa.training.wordings import wording_step, wordings

BATCH = 512
"""Texts encoded at a time."""


def untouched(seed: int = 0) -> Model:
    """`nano` before its first step: its Y-Encoder is the pretrained one."""
    torch.manual_seed(seed)
    return Model(VLJEPA(nano().model))


def trained(steps: int, alterations: int, multiplier: float, seed: int) -> Model:
    """The untouched encoder after ``steps`` steps on texts alone, of as many pairs whatever the alterations."""
    pairs = WordingConfig().num_pairs
    config = WordingConfig(every=1, num_scenes=pairs // (1 + alterations), num_alterations=alterations)
    sft = next(stage for stage in nano().stages if stage.name == "sft")
    optim = OptimConfig(
        lr=sft.optim.lr, schedule="cosine", warmup_steps=min(20, steps // 2), y_encoder_lr_multiplier=multiplier
    )
    stage: StageConfig = replace(sft, num_steps=steps, optim=optim, wordings=config)
    run: RunConfig = replace(nano(), stages=(stage,), seed=seed)
    model = untouched(seed)
    model.network.train()
    optimizer = build_optimizer(model.network, optim)
    for step in range(steps):
        set_rate(optimizer, rate_at(step, steps, optim))
        loss = wording_step(run, stage, model.network, wordings(config, seed, step), optimizer)
        if step % 20 == 0:
            print(f"  step {step}: loss {float(loss):.3f}", flush=True)
    model.network.eval()
    return model


def row(name: str, model: Model, benchmarks: list[Benchmark]) -> str:
    """One line of the table: each benchmark with its 95 % interval, then its groups."""
    cells = [name]
    for benchmark in benchmarks:
        result = MEASURES["triplet"](benchmark, System(name=name, embed_clips=_no_clips, encode_text=_encoder(model)))
        low, high = result.interval
        cells.append(f"**{100 * result.value:.2f}** ({100 * low:.1f} to {100 * high:.1f})")
        cells += [f"{100 * result.figures[group]:.2f}" for group in _groups(benchmark)]
    return f"| {' | '.join(cells)} |"


def _groups(benchmark: Benchmark) -> list[str]:
    return list(dict.fromkeys(group for item in benchmark.items for group in item.groups))


def _encoder(model: Model) -> Callable[[list[str]], np.ndarray]:
    def encode(texts: list[str]) -> np.ndarray:
        parts = [model.encode_text(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return torch.cat(parts).numpy()

    return encode


def _no_clips(clips: list, queries: list[str]) -> np.ndarray:
    raise AssertionError("triplets have no clips")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that both sets were converted into")
    parser.add_argument("--checkpoints", nargs="*", default=[], help="shipped models or checkpoint folders")
    parser.add_argument("--steps", type=int, default=0, help="train on texts alone")
    parser.add_argument("--alterations", type=int, nargs="*", default=[3])
    parser.add_argument("--multipliers", type=float, nargs="*", default=[0.05])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    benchmarks = [read_benchmark(arguments.data / "test" / name) for name in ("sugarcrepe_pp", "visla")]
    names = [name for b in benchmarks for name in (b.name, *_groups(b))]
    print(f"| Y-Encoder | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")
    print(row("untouched", untouched(), benchmarks), flush=True)
    for name in arguments.checkpoints:
        print(row(name, load(name), benchmarks), flush=True)
    if arguments.steps:
        for alterations, multiplier in product(arguments.alterations, arguments.multipliers):
            model = trained(arguments.steps, alterations, multiplier, arguments.seed)
            about = f"{arguments.steps} steps on texts, {alterations} alterations, multiplier {multiplier:g}"
            print(row(about, model, benchmarks), flush=True)


if __name__ == "__main__":
    main()
