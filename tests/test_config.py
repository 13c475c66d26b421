"""Configs survive the way to JSON and back, and name what is wrong in one line."""

import json

import pytest

from vljepa.config import (
    ModelConfig,
    PredictorConfig,
    TransformerConfig,
    XEncoderConfig,
    YDecoderConfig,
    YEncoderConfig,
    from_json,
    to_json,
)
from vljepa.errors import UserError


def _model() -> ModelConfig:
    block = TransformerConfig(dim=8, num_layers=1, num_heads=2, num_kv_heads=1, ffn_dim=16)
    return ModelConfig(
        x_encoder=XEncoderConfig(taps=(4, 10)),
        predictor=PredictorConfig(transformer=block),
        y_encoder=YEncoderConfig(),
        y_decoder=YDecoderConfig(transformer=block),
    )


def test_json_round_trip_gives_an_equal_config() -> None:
    config = _model()
    assert from_json(ModelConfig, json.loads(json.dumps(to_json(config)))) == config


def test_unknown_field_is_named_with_its_file() -> None:
    values = to_json(_model()) | {"colour": "red"}
    with pytest.raises(UserError, match=r"^config\.json: unknown field 'colour' in ModelConfig"):
        from_json(ModelConfig, values, "config.json")


def test_missing_field_is_named() -> None:
    values = to_json(_model())
    del values["predictor"]["transformer"]["dim"]
    with pytest.raises(UserError, match="'dim' of TransformerConfig is missing"):
        from_json(ModelConfig, values)


def test_value_outside_the_choices_is_refused() -> None:
    with pytest.raises(UserError, match="'clip' is not one of"):
        from_json(ModelConfig, to_json(_model()) | {"kind": "clip"})


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(UserError, match="multiple of num_heads"):
        TransformerConfig(dim=10, num_layers=1, num_heads=4, num_kv_heads=4, ffn_dim=16)
