"""The frozen X-Encoders: frames to visual tokens (paper, section 2). One file a backbone, one interface for all."""

from vljepa.config import XEncoderConfig
from vljepa.model.architectures import PERCEPTION_ENCODER, model_type
from vljepa.model.x_encoder.base import TokenShape, XEncoder
from vljepa.model.x_encoder.efficientnet import EFFICIENTNET, EfficientNet
from vljepa.model.x_encoder.frame_wise import FrameWise
from vljepa.model.x_encoder.perception import PerceptionEncoder
from vljepa.model.x_encoder.vjepa2 import VJepa2

__all__ = ["TokenShape", "XEncoder", "load_x_encoder", "x_encoder_class"]

Kind = type[EfficientNet] | type[VJepa2] | type[PerceptionEncoder] | type[FrameWise]


def load_x_encoder(config: XEncoderConfig) -> XEncoder:
    """The X-Encoder that a config names, with its pretrained weights.

    Raises:
        UserError: an unknown backbone, weights that cannot be had, or settings that do not fit it.
    """
    return x_encoder_class(config.name)(config)


def x_encoder_class(name: str) -> Kind:
    """Which of the family reads a backbone.

    Raises:
        UserError: the weights cannot be had, which tell what they are.
    """
    if name == EFFICIENTNET:
        return EfficientNet
    kind = model_type(name)
    if kind == "vjepa2":
        return VJepa2
    return PerceptionEncoder if kind == PERCEPTION_ENCODER else FrameWise
