"""Which objective learns to look things up by a question: short runs, scored on images of held-out seeds.

    python benchmarks/objectives.py data/tabletop info_nce multi_positive

Each objective trains nano's model anew on nano's stage of image questions (the same samples in the same order), then
answers the image items of the question benchmarks. Objectives: info_nce, multi_positive (equal targets of a batch are
each other's positives and never negatives), cosine, l1, l2. Synthetic images.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vljepa import load
from vljepa.config import LossConfig
from vljepa.evaluation.benchmark import Benchmark, read_benchmark
from vljepa.evaluation.features import Features
from vljepa.evaluation.result import Result
from vljepa.evaluation.runner import clips_of, evaluate_all
from vljepa.evaluation.systems import model_system
from vljepa.recipes import nano
from vljepa.training.loop import train

OBJECTIVES = {
    "info_nce": LossConfig(),
    "multi_positive": LossConfig(multi_positive=True),
    "cosine": LossConfig(name="cosine"),
    "l1": LossConfig(name="l1"),
    "l2": LossConfig(name="l2"),
}
BENCHMARKS = ("counting", "existence", "compositional")


def about_images(folder: Path) -> Benchmark:
    """The benchmark's items about images alone."""
    read = read_benchmark(folder)
    items = [item for item in read.items if item.clip is not None and item.clip.media[0].endswith(".png")]
    return replace(read, items=items)


def run(objective: str, data: str, steps: int, seed: int, out: Path) -> Path:
    """Train and return the checkpoint's folder; a finished run is not repeated."""
    config = nano()
    stage = next(stage for stage in config.stages if stage.name == "sft_images")
    stage = replace(stage, num_steps=steps, optim=replace(stage.optim, schedule="cosine"))
    name = f"{objective}-{steps}-{seed}"
    return train(
        replace(
            config, name=name, data=data, stages=(stage,), loss=OBJECTIVES[objective], seed=seed, out=str(out / name)
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="Tabletop's folder; written if absent")
    parser.add_argument("objectives", nargs="+", choices=OBJECTIVES)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/objectives"))
    args = parser.parse_args()

    table = Table("objective", *BENCHMARKS, "existence, adversarial")
    for objective in args.objectives:
        model = load(str(run(objective, args.data, args.steps, args.seed, args.out)))
        benchmarks = [about_images(Path(args.data) / "test" / name) for name in BENCHMARKS]
        features = Features(model, args.out / "features")
        features.prepare(clips_of(benchmarks), lambda done, total: None)
        system = model_system(model, features, name=objective)
        results = [result for result in evaluate_all(benchmarks, [system]) if isinstance(result, Result)]
        shown = [f"{r.value:.3f} ({r.interval[0]:.3f} to {r.interval[1]:.3f})" for r in results]
        table.add_row(objective, *shown, f"{results[1].figures['adversarial']:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
