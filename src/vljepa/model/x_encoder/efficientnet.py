"""EfficientNet-lite0 on single frames: the small X-Encoder of ``nano``, from a Python package.

The network has no squeeze-and-excitation and clips at 6 (ReLU6); batch norms are folded into the
convolutions when the weights are read, since they never train here.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_unshuffle

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError
from vljepa.model.weights import find_weights
from vljepa.model.x_encoder.base import TokenShape, XEncoder

EFFICIENTNET = "efficientnet-lite0"
# Per stage: number of blocks, output channels, expansion, kernel, stride of the first block.
_STAGES = (
    (1, 16, 1, 3, 1),
    (2, 24, 6, 3, 2),
    (2, 40, 6, 5, 2),
    (3, 80, 6, 3, 2),
    (3, 112, 6, 5, 1),
    (4, 192, 6, 5, 2),
    (1, 320, 6, 3, 1),
)
_STEM_CHANNELS = 32
_BATCH_NORM_EPS = 1e-3
# The authors of EfficientNet-lite feed (x - 127) / 128, x in [0, 255].
_MEAN, _STD = 127.0, 128.0


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding: the odd pixel goes to the right and the bottom."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, groups=groups)
        # With stride 1 both sides get the same, which the convolution does faster by itself.
        self.padding = (kernel // 2, kernel // 2) if stride == 1 else (0, 0)

    def forward(self, input: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride > 1:
            height, width = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in input.shape[-2:])
            input = pad(input, (width // 2, width - width // 2, height // 2, height - height // 2))
        return super().forward(input)


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project; added to its input where the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = in_channels * expansion
        self.expand = SameConv(in_channels, inner, 1) if expansion > 1 else None
        self.depthwise = SameConv(inner, inner, kernel, stride, groups=inner)
        self.project = SameConv(inner, out_channels, 1)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x).clamp_(0, 6)
        y = self.project(self.depthwise(y).clamp_(0, 6))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """The convolutional trunk, up to the last block that is asked for."""

    def __init__(self, num_blocks: int) -> None:
        super().__init__()
        self.stem = SameConv(3, _STEM_CHANNELS, 3, stride=2)
        blocks, channels = [], _STEM_CHANNELS
        for count, out, expansion, kernel, stride in _STAGES:
            for i in range(count):
                blocks.append(Block(channels, out, expansion, kernel, stride if i == 0 else 1))
                channels = out
        self.blocks = nn.ModuleList(blocks[:num_blocks])

    def forward(self, x: Tensor) -> list[Tensor]:
        """Outputs of all blocks, ``(images, channels, height, width)`` each."""
        x = self.stem(x).clamp_(0, 6)
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        return outputs

    def load_pretrained(self, state: dict[str, Tensor]) -> None:
        """Read the published weights, folding every batch norm into the convolution before it."""
        self._fold(self.stem, state, "_conv_stem", "_bn0")
        for i, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            if block.expand is not None:
                self._fold(block.expand, state, f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0")
            self._fold(block.depthwise, state, f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1")
            self._fold(block.project, state, f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2")

    @staticmethod
    def _fold(conv: nn.Conv2d, state: dict[str, Tensor], conv_name: str, norm_name: str) -> None:
        gain = state[f"{norm_name}.weight"] / (state[f"{norm_name}.running_var"] + _BATCH_NORM_EPS).sqrt()
        bias = state[f"{norm_name}.bias"] - state[f"{norm_name}.running_mean"] * gain
        weight = state[f"{conv_name}.weight"] * gain[:, None, None, None]
        conv.load_state_dict({"weight": weight, "bias": bias})


class EfficientNet(XEncoder):
    """Outputs of some of its blocks, brought onto one grid.

    Args:
        config: which blocks are tapped and onto which grid their outputs are brought.

    Raises:
        UserError: weights that cannot be had, or a tap that does not fit the grid.
    """

    def __init__(self, config: XEncoderConfig) -> None:
        backbone, shape = self.skeleton(config)
        weights = find_weights(config.name)
        backbone.load_pretrained(torch.load(weights.files[0], map_location="cpu", weights_only=True))
        backbone.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # By name, so that a setting of other backbones leaves features on disk valid.
        settings = {name: getattr(config, name) for name in ("name", "frame_size", "taps", "grid", "num_frames")}
        super().__init__(config, shape, identity=[settings, weights.sha256])
        self.backbone = backbone

    @staticmethod
    def skeleton(config: XEncoderConfig) -> tuple[EfficientNetLite0, TokenShape]:
        num_blocks = sum(stage[0] for stage in _STAGES)
        if not config.taps or not all(0 <= tap < num_blocks for tap in config.taps):
            raise UserError(f"x_encoder.taps: {config.taps} must name blocks 0 to {num_blocks - 1}")
        backbone = EfficientNetLite0(max(config.taps) + 1)
        blank = torch.zeros(1, 1, config.frame_size, config.frame_size, 3, dtype=torch.uint8)
        with torch.no_grad():
            tokens = _tokens(backbone, blank, config)
        return backbone, TokenShape(per_step=tokens.shape[2], dim=tokens.shape[3])

    def encode(self, frames: Tensor) -> Tensor:
        return _tokens(self.backbone, frames, self.config)


def _tokens(backbone: EfficientNetLite0, frames: Tensor, config: XEncoderConfig) -> Tensor:
    """Frames ``(B, F, S, S, 3)`` to ``(B, F, N, D)``: what the taps give, brought onto the grid."""
    images = frames.flatten(0, 1).permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
    outputs = backbone((images - _MEAN) / _STD)
    tokens = torch.cat([_to_grid(outputs[tap], tap, config) for tap in config.taps], dim=1)
    return tokens.flatten(2).transpose(1, 2).unflatten(0, frames.shape[:2])


def _to_grid(output: Tensor, tap: int, config: XEncoderConfig) -> Tensor:
    """Fold a finer output onto the grid, its neighbours side by side in the channels."""
    side, grid = output.shape[-1], config.grid
    if side % grid:
        raise UserError(
            f"x_encoder.grid: block {tap} gives {side} x {side} at {config.frame_size} pixels, "
            f"which does not fold onto {grid} x {grid}; choose a divisor of {side}"
        )
    return pixel_unshuffle(output.contiguous(), side // grid)
