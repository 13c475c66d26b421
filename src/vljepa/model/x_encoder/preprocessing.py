"""From frames to what a hub backbone reads: its centre, its colours' mean and spread."""

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vljepa.errors import UserError

_FILES = ("video_preprocessor_config.json", "preprocessor_config.json")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Centre crop, then (x / 255 - mean) / std a channel: what image processors of transformers do after resizing."""

    size: int
    """Side of what the network reads, pixels."""
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def read(cls, folder: Path) -> "Preprocessing":
        """From the preprocessor config of a hub folder.

        Raises:
            UserError: there is none, or it lacks a field.
        """
        path = next((folder / name for name in _FILES if (folder / name).is_file()), None)
        if path is None:
            raise UserError(f"{folder}: {_FILES[1]} is missing; copy it from the hub")
        values = json.loads(path.read_text(encoding="utf-8"))
        try:
            # Processors that crop resize to something larger before.
            size = _side(values["crop_size"] if values.get("do_center_crop") else values["size"])
            return cls(size=size, mean=tuple(values["image_mean"]), std=tuple(values["image_std"]))
        except KeyError as error:
            raise UserError(f"{path}: field {error} is missing; copy the file from the hub again") from error

    def check(self, name: str, frame_size: int) -> None:
        """Refuse frames that are smaller than what the network reads.

        Raises:
            UserError: they are.
        """
        if frame_size < self.size:
            raise UserError(f"x_encoder.frame_size: {name} reads {self.size} pixels a side, found {frame_size}")

    def identity(self) -> list[Any]:
        """Its values, for a fingerprint."""
        return list(astuple(self))

    def __call__(self, frames: UInt8[Tensor, "n S S 3"], dtype: torch.dtype) -> Float[Tensor, "n 3 size size"]:
        """Frames of any larger square to network inputs."""
        start = (frames.shape[1] - self.size) // 2
        crop = frames[:, start : start + self.size, start : start + self.size].permute(0, 3, 1, 2).float() / 255
        mean, std = (torch.tensor(values, device=frames.device)[:, None, None] for values in (self.mean, self.std))
        return ((crop - mean) / std).to(dtype)


def _side(size: int | dict[str, int]) -> int:
    if isinstance(size, int):
        return size
    return size["height"] if "height" in size else size["shortest_edge"]
