"""What every X-Encoder is: frozen, from frames to visual tokens, and known by a fingerprint."""

import hashlib
import json
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError


@dataclass(frozen=True, kw_only=True)
class TokenShape:
    """Of an X-Encoder's visual tokens."""

    per_step: int
    """N, tokens of one time step."""
    dim: int
    """D."""
    tubelet: int = 1
    """Frames that become one time step. 1: each frame is seen alone. More: all frames of a clip are seen together, and
    T = F / tubelet."""


class XEncoder(nn.Module):
    """Frames to visual tokens S_V; frozen.

    Args:
        config: the settings it was made from.
        shape: of the tokens it gives.
        identity: weights and settings that the tokens depend on, as JSON values.
    """

    def __init__(self, config: XEncoderConfig, shape: TokenShape, identity: list[Any]) -> None:
        super().__init__()
        self.config = config
        self.tokens_per_frame = shape.per_step
        self.token_dim = shape.dim
        self.tubelet = shape.tubelet
        self.fingerprint = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
        """Names the weights and settings: equal fingerprints mean equal tokens."""

    @staticmethod
    @abstractmethod
    def skeleton(config: XEncoderConfig) -> tuple[nn.Module, TokenShape]:
        """The network without its weights: on the meta device, parameters are counted so.

        Raises:
            UserError: the architecture is not known, and its config cannot be had.
        """

    @abstractmethod
    def encode(self, frames: Tensor) -> Tensor:
        """``forward`` for frames of the right size, in any floating dtype."""

    @torch.no_grad()
    def forward(self, frames: UInt8[Tensor, "B F S S 3"]) -> Float[Tensor, "B T N D"]:
        """Visual tokens of every time step, row by row over the grid, float32.

        Raises:
            UserError: frames of another size than ``config.frame_size``.
        """
        height, width = frames.shape[2:4]
        size = self.config.frame_size
        if (height, width) != (size, size):
            raise UserError(f"frames are {width} x {height} pixels; the X-Encoder reads {size} x {size}, resize them")
        return self.encode(frames).float()
