"""V-JEPA 2's encoder (arXiv 2506.09985), the paper's X-Encoder; its own predictor is left out.

Two frames become one time step, and all steps of a clip see each other. Its authors resize the short side to 256/224 of
the crop and take the centre (``facebookresearch/vjepa2``, and ``VJEPA2VideoProcessor`` of transformers): the same as
``frame_size=292`` here, for the checkpoints of 256 pixels.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import VJEPA2Model
from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder

from vljepa.config import XEncoderConfig
from vljepa.model.architectures import architecture
from vljepa.model.weights import find_weights, load_network
from vljepa.model.x_encoder.base import TokenShape, XEncoder
from vljepa.model.x_encoder.preprocessing import Preprocessing


class VJepa2(XEncoder):
    """V-JEPA 2 of any size.

    Args:
        config: ``name``, ``frame_size`` and ``dtype`` count.

    Raises:
        UserError: the weights cannot be had, or the frames are smaller than the network reads.
    """

    def __init__(self, config: XEncoderConfig) -> None:
        weights = find_weights(config.name)
        preprocessing = Preprocessing.read(weights.folder)
        preprocessing.check(config.name, config.frame_size)
        network = load_network(VJEPA2Model, weights, getattr(torch, config.dtype))
        super().__init__(
            config, _shape(network.config), [weights.sha256, preprocessing.identity(), config.frame_size, config.dtype]
        )
        self.preprocessing = preprocessing
        self.backbone = cast(nn.Module, network.encoder)
        self.requires_grad_(False)

    @staticmethod
    def skeleton(config: XEncoderConfig) -> tuple[nn.Module, TokenShape]:
        settings = architecture(config.name)
        return VJEPA2Encoder(settings), _shape(settings)

    def encode(self, frames: Tensor) -> Tensor:
        short = -frames.shape[1] % self.tubelet
        # An image is repeated to fill the tubelet, and so is the last frame of an odd number.
        frames = torch.cat((frames, frames[:, -1:].expand(-1, short, -1, -1, -1)), dim=1)
        pixels = self.preprocessing(frames.flatten(0, 1), getattr(torch, self.config.dtype))
        tokens: Tensor = self.backbone(pixels.unflatten(0, frames.shape[:2])).last_hidden_state
        return tokens.unflatten(1, (-1, self.tokens_per_frame))


def _shape(settings: Any) -> TokenShape:
    return TokenShape(
        per_step=(settings.crop_size // settings.patch_size) ** 2,
        dim=settings.hidden_size,
        tubelet=settings.tubelet_size,
    )
