"""Make data and models: ``tabletop``, ``train``, ``train-decoder``."""

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from vljepa.errors import UserError

if TYPE_CHECKING:
    from vljepa.config import RunConfig, StageConfig


def tabletop(
    out: Positional[Path],
    size: Literal["tiny", "demo", "nano", "hours"] = "nano",
    seed: int = 0,
    workers: int = 2,
) -> None:
    """Write the synthetic world Tabletop: videos, images, training manifests and benchmarks.

    Example: vljepa tabletop data/tabletop --size nano
    """
    from vljepa.progress import counting
    from vljepa.tabletop import suite

    with counting("writing") as progress:
        suite.write(out, size, seed=seed, workers=workers, progress=progress)


def train(recipe: Positional[str], overrides: Positional[tuple[str, ...]] = ()) -> None:
    """Train a recipe; the same command again continues a run that was stopped. Any setting of it may follow.

    Example: vljepa train nano --seed 1 --out runs/nano-1
    """
    from vljepa.config import RunConfig

    def parsed(default: RunConfig) -> RunConfig:
        return tyro.cli(RunConfig, default=default, args=overrides, prog=f"vljepa train {recipe}")

    config = parsed(_recipe(recipe))
    if config.start_from is not None:
        started = _started(_recipe(recipe), config.start_from)
        # Read again: settings on the command line go over those of the checkpoint.
        config = dataclasses.replace(parsed(started), start_from=started.start_from)
    _run(config, ["vljepa", "train", recipe, *overrides])


def train_decoder(
    checkpoint: Positional[str],
    recipe: str = "nano",
    data: Annotated[str | None, tyro.conf.arg(help="Folder of the manifests; default: the recipe's.")] = None,
    out: Annotated[str, tyro.conf.arg(help="Run folder; default: runs/RECIPE-decoder.")] = "",
) -> None:
    """Train a new Y-Decoder for a checkpoint by a recipe's y_decoder stage; all other weights stay as they are.

    The same command again continues a run that was stopped. The new checkpoint is the folder model in --out.

    Example: vljepa train-decoder runs/nano/model --data data/tabletop --out runs/nano-decoder
    """
    config = _recipe(recipe)
    stages = tuple(stage for stage in config.stages if stage.trains == "y_decoder")
    if not stages:
        raise UserError(f"recipe {recipe!r} has no stage that trains a y_decoder; choose another --recipe")
    config = dataclasses.replace(config, name=f"{recipe}-decoder", stages=stages, out=out)
    config = _started(config, checkpoint)
    command = ["vljepa", "train-decoder", checkpoint, "--recipe", recipe]
    if data is not None:
        # A data folder that the user names is not made up where it is missing.
        config = dataclasses.replace(config, data=data, tabletop_size=None)
        command += ["--data", data]
    _run(config, [*command, *(["--out", out] if out else [])])


def _run(config: "RunConfig", command: list[str]) -> None:
    """Train, and print where the model is: once, however many processes torchrun has started."""
    from vljepa.distributed import joined
    from vljepa.training.loop import train as run

    with joined():
        print(run(config, shlex.join(command)))


def _recipe(name: str) -> "RunConfig":
    from vljepa.recipes import RECIPES

    if name not in RECIPES:
        raise UserError(f"no recipe {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]()


def _started(config: "RunConfig", checkpoint: str) -> "RunConfig":
    """The run begun from a checkpoint, whose architecture it takes over, but for a Y-Decoder that it trains anew.

    Sources of as many frames as the recipe's model sees give as many as the checkpoint's.
    """
    from vljepa.api import checkpoint_folder
    from vljepa.model.network import model_config

    folder = checkpoint_folder(checkpoint)
    model = model_config(folder)
    if any(stage.trains == "y_decoder" for stage in config.stages):
        model = dataclasses.replace(model, y_decoder=config.model.y_decoder)
    frames = {config.model.x_encoder.num_frames: model.x_encoder.num_frames}

    def fitted(stage: "StageConfig") -> "StageConfig":
        sources = (dataclasses.replace(s, num_frames=frames.get(s.num_frames, s.num_frames)) for s in stage.sources)
        return dataclasses.replace(stage, sources=tuple(sources))

    stages = tuple(map(fitted, config.stages))
    return dataclasses.replace(config, model=model, stages=stages, start_from=str(folder))
