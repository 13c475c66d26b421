"""Make data and models: ``tabletop``, ``train``, ``train-decoder``; and say what a model is: ``info``."""

from pathlib import Path
from typing import Literal

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, load_model, show
from vljepa.errors import UserError


def tabletop(
    out: Positional[Path],
    size: Literal["tiny", "demo", "nano"] = "nano",
    seed: int = 0,
    workers: int = 2,
) -> None:
    """Write the synthetic world Tabletop: videos, images, training manifests and benchmarks.

    Example: vljepa tabletop data/tabletop --size nano
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from vljepa.tabletop import suite

    with Progress("writing", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("writing")
        suite.write(
            out,
            size,
            seed=seed,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def train(recipe: Positional[str], overrides: Positional[tuple[str, ...]] = ()) -> None:
    """Train a recipe; the same command again continues a run that was stopped. Any setting of it may follow.

    Example: vljepa train nano --seed 1 --out runs/nano-1
    """
    from vljepa.config import RunConfig
    from vljepa.recipes import RECIPES
    from vljepa.training.loop import train as run

    if recipe not in RECIPES:
        raise UserError(f"no recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    config = tyro.cli(RunConfig, default=RECIPES[recipe](), args=overrides, prog=f"vljepa train {recipe}")
    print(run(config))


def info(checkpoint: Positional[str], as_json: AsJson = False) -> None:
    """Say what a checkpoint holds.

    Example: vljepa info runs/nano/model
    """
    network = load_model(checkpoint).network
    values = {
        "kind": network.config.kind,
        "x_encoder": network.config.x_encoder.name,
        "y_encoder": network.config.y_encoder.name,
        "embed_dim": network.config.embed_dim,
        "y_decoder": network.y_decoder is not None,
        "parameters": {
            name: sum(parameter.numel() for parameter in child.parameters()) for name, child in network.named_children()
        },
    }
    show(values, [f"{name}: {value}" for name, value in values.items()], as_json)
