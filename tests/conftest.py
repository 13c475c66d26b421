"""Settings of every test: shapes checked at each call, one thread, no network; ``support`` can be imported."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "support"))
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

import pytest
import torch
from jaxtyping import install_import_hook

# Annotations of public signatures, shapes included, are enforced under test only.
install_import_hook("vljepa", "beartype.beartype")

from vljepa.config import (  # noqa: E402 - after the hook, to be checked as well
    ModelConfig,
    PredictorConfig,
    TransformerConfig,
    XEncoderConfig,
    YDecoderConfig,
    YEncoderConfig,
)

# One thread: results do not depend on the machine's number of cores.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    """A model of the smallest kind: untrained, its values mean nothing, what is done with them does."""
    block = TransformerConfig(dim=16, num_layers=1, num_heads=2, num_kv_heads=2, ffn_dim=32)
    return ModelConfig(
        x_encoder=XEncoderConfig(frame_size=64, taps=(15,), grid=2),
        predictor=PredictorConfig(transformer=block),
        y_encoder=YEncoderConfig(),
        y_decoder=YDecoderConfig(transformer=replace(block, causal=True), vocab_size=300, max_tokens=6),
    )


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """``put(path, contents)`` writes a file below ``tmp_path``: text, bytes, or a value as JSON; nothing by default."""

    def write(name: str, contents: Any = b"") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(contents, bytes):
            contents = (contents if isinstance(contents, str) else json.dumps(contents)).encode()
        path.write_bytes(contents)
        return path

    return write
