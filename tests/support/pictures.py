"""A data folder of eight coloured pictures, as small as a training run can be, and runs over it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vljepa.config import OptimConfig, RunConfig, SourceConfig, StageConfig, WordingConfig
from vljepa.recipes import RECIPES
from vljepa.training.checkpoint import Saver

COLOURS = ("red", "green", "blue", "white", "black", "yellow", "purple", "orange")


def line(colour: str, **fields: object) -> str:
    """The manifest's line of a picture, some of its fields changed."""
    return json.dumps({"id": colour, "media": f"../{colour}.png", "target": f"a {colour} picture"} | fields)


def write_pictures(data: Path, config: RunConfig, extra: tuple[str, ...] = ()) -> None:
    """Write the pictures, and all manifests of a run over them, below ``data``; ``extra`` lines come first."""
    data.mkdir(parents=True)
    for colour in COLOURS:
        Image.new("RGB", (64, 64), colour).save(data / f"{colour}.png")
    for name in {source.manifest for stage in config.stages for source in stage.sources}:
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_text("\n".join([*extra, *map(line, COLOURS)]) + "\n")


def pictures_run(folder: Path, *, joint: int, decoder: int, batch: int, **settings: Any) -> RunConfig:
    """A run of ``joint`` steps of joint training and ``decoder`` of the Y-Decoder, over pictures in ``folder/data``."""
    stage = StageConfig(
        name="image",
        sources=(SourceConfig(manifest="train/images.jsonl", num_frames=1),),
        num_steps=joint,
        global_batch_size=batch,
        optim=OptimConfig(warmup_steps=2),
        wordings=WordingConfig(every=2, num_scenes=2, num_alterations=1),
    )
    after = replace(
        stage,
        name="y_decoder",
        trains="y_decoder",
        num_steps=decoder,
        on_targets_steps=decoder // 2,
        target_noise=0.1,
        wordings=None,
    )
    return RunConfig(
        name="pictures",
        model=RECIPES["tiny"]().model,
        stages=(stage, after),
        data=str(folder / "data"),
        precision="float32",
        **settings,
    )


class Killed(BaseException):
    """Stands for the end of the process."""


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """Training in this block must end as by a kill, when it is to save its state after ``step`` steps or more."""
    save = Saver.save

    def save_or_die(saver: Saver, now: int, *state: Any) -> None:
        if now >= step:
            raise Killed
        save(saver, now, *state)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Saver, "save", save_or_die)
        yield
