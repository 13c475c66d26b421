"""An untrained model of the smallest kind: its values mean nothing, what is done with them does."""

from dataclasses import replace

import pytest
import torch

from vljepa.api import Model
from vljepa.config import ModelConfig
from vljepa.model.vljepa import VLJEPA


@pytest.fixture(scope="session")
def model(tiny_config: ModelConfig) -> Model:
    torch.manual_seed(0)
    x_encoder = replace(tiny_config.x_encoder, num_frames=4)
    return Model(VLJEPA(replace(tiny_config, x_encoder=x_encoder)))
