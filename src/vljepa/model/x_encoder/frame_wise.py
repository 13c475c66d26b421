"""Image backbones of transformers, frame by frame: CLIP, SigLIP and SigLIP 2, DINOv2 and DINOv3.

The tokens are the patches of the last layer; class and register tokens are dropped. SigLIP squeezes a picture into its
square, whereas frames here are cropped to one. Of SigLIP 2 the checkpoints of a fixed resolution are read, not NaFlex.
"""

from typing import Any

import torch
import transformers
from torch import Tensor, nn

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError
from vljepa.model.architectures import architecture, model_type
from vljepa.model.weights import find_weights, load_network
from vljepa.model.x_encoder.base import TokenShape, XEncoder
from vljepa.model.x_encoder.preprocessing import Preprocessing

_NETWORKS = {
    "clip": "CLIPVisionModel",
    "clip_vision_model": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "dinov3_vit": "DINOv3ViTModel",
}


class FrameWise(XEncoder):
    """A vision transformer on single frames.

    Args:
        config: ``name``, ``frame_size`` and ``dtype`` count.

    Raises:
        UserError: the weights cannot be had, are of an unknown kind, or read more pixels than the frames have.
    """

    def __init__(self, config: XEncoderConfig) -> None:
        kind = _network(config.name)
        weights = find_weights(config.name)
        preprocessing = Preprocessing.read(weights.folder)
        preprocessing.check(config.name, config.frame_size)
        network = load_network(kind, weights, getattr(torch, config.dtype))
        super().__init__(
            config,
            _shape(network.config, preprocessing),
            [weights.sha256, preprocessing.identity(), config.frame_size, config.dtype],
        )
        self.preprocessing = preprocessing
        self.backbone = network
        self.requires_grad_(False)

    @staticmethod
    def skeleton(config: XEncoderConfig) -> tuple[nn.Module, TokenShape]:
        settings = architecture(config.name)
        settings = getattr(settings, "vision_config", settings)
        preprocessing = Preprocessing.read(find_weights(config.name).folder)
        return _network(config.name)(settings), _shape(settings, preprocessing)

    def encode(self, frames: Tensor) -> Tensor:
        pixels = self.preprocessing(frames.flatten(0, 1), getattr(torch, self.config.dtype))
        tokens: Tensor = self.backbone(pixels).last_hidden_state
        # Class and register tokens come first.
        return tokens[:, -self.tokens_per_frame :].unflatten(0, frames.shape[:2])


def _shape(settings: Any, preprocessing: Preprocessing) -> TokenShape:
    return TokenShape(per_step=(preprocessing.size // settings.patch_size) ** 2, dim=settings.hidden_size)


def _network(name: str) -> Any:
    kind = model_type(name)
    if kind not in _NETWORKS:
        known = ", ".join(dict.fromkeys(_NETWORKS))
        raise UserError(f"x_encoder.name: {name} is a {kind!r}; read are vjepa2, Perception Encoder, {known}")
    return getattr(transformers, _NETWORKS[kind])
