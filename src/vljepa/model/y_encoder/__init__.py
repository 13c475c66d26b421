"""The Y-Encoders: target text to its embedding (paper, section 2). One file a kind, one interface for all."""

from vljepa.config import YEncoderConfig
from vljepa.model.architectures import PERCEPTION_ENCODER, model_type
from vljepa.model.y_encoder.base import YEncoder
from vljepa.model.y_encoder.minilm import MINILM, MiniLM
from vljepa.model.y_encoder.perception import PerceptionText
from vljepa.model.y_encoder.sentence import SentenceEncoder

__all__ = ["YEncoder", "load_y_encoder", "y_encoder_class"]

Kind = type[MiniLM] | type[PerceptionText] | type[SentenceEncoder]


def load_y_encoder(config: YEncoderConfig, embed_dim: int) -> YEncoder:
    """The Y-Encoder that a config names, with its pretrained weights and a new head.

    Args:
        embed_dim: E, width of the shared space.

    Raises:
        UserError: an unknown backbone, or weights that cannot be had.
    """
    return y_encoder_class(config.name)(config, embed_dim)


def y_encoder_class(name: str) -> Kind:
    """Which of the family reads a backbone.

    Raises:
        UserError: the weights cannot be had, which tell what they are.
    """
    if name == MINILM:
        return MiniLM
    return PerceptionText if model_type(name) == PERCEPTION_ENCODER else SentenceEncoder
