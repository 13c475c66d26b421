"""Every setting of a run, as frozen dataclasses. A recipe (``vljepa.recipes``) returns a full ``RunConfig``.

Configs are written as JSON beside every checkpoint (``to_json``/``from_json``).
"""

from vljepa.config.as_json import from_json, to_json
from vljepa.config.model import (
    ModelConfig,
    PredictorConfig,
    RopeScaling,
    TransformerConfig,
    XEncoderConfig,
    YDecoderConfig,
    YEncoderConfig,
)
from vljepa.config.run import LossConfig, OptimConfig, RunConfig, SourceConfig, StageConfig, WordingConfig

__all__ = [
    "LossConfig",
    "ModelConfig",
    "OptimConfig",
    "PredictorConfig",
    "RopeScaling",
    "RunConfig",
    "SourceConfig",
    "StageConfig",
    "TransformerConfig",
    "WordingConfig",
    "XEncoderConfig",
    "YDecoderConfig",
    "YEncoderConfig",
    "from_json",
    "to_json",
]
