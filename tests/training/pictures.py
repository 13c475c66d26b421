"""A data folder of eight coloured pictures, as small as a training run can be."""

import json
from pathlib import Path

from PIL import Image

from vljepa.config import RunConfig

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
