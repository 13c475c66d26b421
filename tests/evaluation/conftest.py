"""An untrained model of the smallest kind: its values mean nothing, what is done with them does."""

import pytest
import torch

from vljepa.api import Model
from vljepa.config import (
    ModelConfig,
    PredictorConfig,
    TransformerConfig,
    XEncoderConfig,
    YDecoderConfig,
    YEncoderConfig,
)
from vljepa.model.vljepa import VLJEPA


@pytest.fixture(scope="session")
def model() -> Model:
    torch.manual_seed(0)
    block = TransformerConfig(dim=16, num_layers=1, num_heads=2, num_kv_heads=2, ffn_dim=32)
    config = ModelConfig(
        x_encoder=XEncoderConfig(frame_size=64, taps=(15,), grid=2, num_frames=4),
        predictor=PredictorConfig(transformer=block),
        y_encoder=YEncoderConfig(),
        y_decoder=YDecoderConfig(
            transformer=TransformerConfig(dim=16, num_layers=1, num_heads=2, num_kv_heads=2, ffn_dim=32, causal=True)
        ),
    )
    return Model(VLJEPA(config))
