"""Perception Encoder's image tower (arXiv 2504.13181), frame by frame: the X-Encoder of the paper's section 4.5.

transformers reads it through timm alone, so the network is written here, after ``facebookresearch/perception_models``:
a pre-norm transformer with learned positions and rotary ones in two dimensions. Parameters carry the official names.
The tokens are the patches of the last layer after its norm; the pooling head on top is left out. Its authors squeeze
pictures into the square, whereas frames here are cropped to one; colours go to [-1, 1].
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError
from vljepa.model.architectures import perception_encoder
from vljepa.model.weights import check_complete, find_weights
from vljepa.model.x_encoder.base import TokenShape, XEncoder
from vljepa.model.x_encoder.preprocessing import Preprocessing

_THETA = 10_000.0


@dataclass(frozen=True, kw_only=True)
class PerceptionConfig:
    """Sizes of a tower, as in the official ``config.py``."""

    image_size: int
    """Pixels a side."""
    patch_size: int
    dim: int
    """D."""
    num_layers: int
    num_heads: int
    ffn_dim: int
    class_token: bool = True


ARCHITECTURES: dict[str, PerceptionConfig] = {
    "PE-Core-B16-224": PerceptionConfig(
        image_size=224, patch_size=16, dim=768, num_layers=12, num_heads=12, ffn_dim=3072
    ),
    "PE-Core-L14-336": PerceptionConfig(
        image_size=336, patch_size=14, dim=1024, num_layers=24, num_heads=16, ffn_dim=4096
    ),
    "PE-Core-G14-448": PerceptionConfig(
        image_size=448, patch_size=14, dim=1536, num_layers=50, num_heads=16, ffn_dim=8960, class_token=False
    ),
}


class _Attention(nn.Module):
    """Self-attention with rotary positions, under the names of ``nn.MultiheadAttention``."""

    def __init__(self, config: PerceptionConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * config.dim, config.dim))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * config.dim))
        self.out_proj = nn.Linear(config.dim, config.dim)

    def forward(self, x: Tensor, angles: Tensor) -> Tensor:
        projected = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        # (3, B, heads, tokens, head_dim)
        q, k, v = projected.unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(_rotate(q, angles), _rotate(k, angles), v)
        attended: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return attended


class _Block(nn.Module):
    def __init__(self, config: PerceptionConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.dim)
        self.attn = _Attention(config)
        self.ln_2 = nn.LayerNorm(config.dim)
        self.mlp = nn.ModuleDict(
            {"c_fc": nn.Linear(config.dim, config.ffn_dim), "c_proj": nn.Linear(config.ffn_dim, config.dim)}
        )

    def forward(self, x: Tensor, angles: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x), angles)
        return x + self.mlp["c_proj"](nn.functional.gelu(self.mlp["c_fc"](self.ln_2(x))))


class PerceptionTower(nn.Module):
    """Images ``(n, 3, size, size)`` to patch tokens ``(n, N, D)``."""

    def __init__(self, config: PerceptionConfig) -> None:
        super().__init__()
        self.config = config
        grid = config.image_size // config.patch_size
        self.conv1 = nn.Conv2d(3, config.dim, config.patch_size, config.patch_size, bias=False)
        if config.class_token:
            self.class_embedding = nn.Parameter(torch.empty(config.dim))
        self.positional_embedding = nn.Parameter(torch.empty(config.class_token + grid**2, config.dim))
        self.ln_pre = nn.LayerNorm(config.dim)
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList(_Block(config) for _ in range(config.num_layers))})
        self.ln_post = nn.LayerNorm(config.dim)

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv1(images).flatten(2).transpose(1, 2)
        if self.config.class_token:
            x = torch.cat((self.class_embedding.expand(len(x), 1, -1), x), dim=1)
        x = self.ln_pre(x + self.positional_embedding)
        angles = self._angles(x.device)
        for block in self.transformer["resblocks"]:  # type: ignore[attr-defined]
            x = block(x, angles)
        return self.ln_post(x)[:, int(self.config.class_token) :]

    def _angles(self, device: torch.device) -> Tensor:
        """Rotations ``(tokens, head_dim / 2)``: columns turn the first half of a head, rows the second.

        The class token lies at the origin, and the patches then begin at 1.
        """
        config = self.config
        half = config.dim // config.num_heads // 2
        grid = config.image_size // config.patch_size
        speeds = _THETA ** -(torch.arange(0, half, 2, device=device) / half)
        turned = (torch.arange(grid, device=device) + int(config.class_token))[:, None] * speeds
        rows, columns = turned[:, None].expand(-1, grid, -1), turned[None].expand(grid, -1, -1)
        angles = torch.cat((columns, rows), dim=-1).flatten(0, 1)
        return torch.cat((angles.new_zeros(int(config.class_token), angles.shape[1]), angles))


def _rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Rotate neighbouring entries of ``(B, heads, tokens, head_dim)`` as pairs."""
    first, second = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1).flatten(-2).to(x.dtype)


class PerceptionEncoder(XEncoder):
    """Perception Encoder Core of any size, by the name of its weight file.

    Args:
        config: ``name``, ``frame_size`` and ``dtype`` count.

    Raises:
        UserError: the weights cannot be had or are incomplete, or the frames are smaller than the network reads.
    """

    def __init__(self, config: XEncoderConfig) -> None:
        sizes = _sizes(config.name)
        preprocessing = Preprocessing(size=sizes.image_size, mean=(0.5,) * 3, std=(0.5,) * 3)
        preprocessing.check(config.name, config.frame_size)
        weights = find_weights(config.name)
        dtype = getattr(torch, config.dtype)
        tower, shape = self.skeleton(config)
        backbone = tower.to(dtype)
        state = torch.load(weights.files[0], map_location="cpu", weights_only=True, mmap=True)
        own = {name.removeprefix("visual."): tensor for name, tensor in state.items() if name.startswith("visual.")}
        check_complete(weights, [f"visual.{name}" for name in backbone.load_state_dict(own, strict=False).missing_keys])
        super().__init__(config, shape, [weights.sha256, preprocessing.identity(), config.frame_size, config.dtype])
        self.preprocessing = preprocessing
        self.backbone = backbone.eval()
        self.requires_grad_(False)

    @staticmethod
    def skeleton(config: XEncoderConfig) -> tuple[nn.Module, TokenShape]:
        sizes = _sizes(config.name)
        grid = sizes.image_size // sizes.patch_size
        return PerceptionTower(sizes), TokenShape(per_step=grid**2, dim=sizes.dim)

    def encode(self, frames: Tensor) -> Tensor:
        pixels = self.preprocessing(frames.flatten(0, 1), getattr(torch, self.config.dtype))
        tokens: Tensor = self.backbone(pixels)
        return tokens.unflatten(0, frames.shape[:2])


def _sizes(name: str) -> PerceptionConfig:
    which = perception_encoder(name)
    if which not in ARCHITECTURES:
        raise UserError(f"x_encoder.name: {name} is no known Perception Encoder; read are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[which]
