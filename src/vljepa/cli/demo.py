"""The first five minutes: ``demo``."""

import time
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from vljepa.cli.common import ModelName


def demo(
    video: Annotated[
        Positional[Path | None], tyro.conf.arg(help="Your own video or image; default: Tabletop's.")
    ] = None,
    model: ModelName = "nano",
    out: Annotated[Path, tyro.conf.arg(help="Folder of the demo's videos and its report.")] = Path("out/demo"),
) -> None:
    """Show everything the model does, on videos it was not trained on, and write one HTML page.

    Example: vljepa demo clip.mp4
    """
    began = time.monotonic()
    from rich.console import Console

    from vljepa.demo.run import run

    console = Console(highlight=False)
    console.width = min(console.width, 80)
    run(model, video, out, console, began)
