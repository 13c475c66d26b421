"""The facade of a token-space VLM, untrained: its answers mean nothing, its shapes, orders and errors do."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vljepa.api import Model, load
from vljepa.config import ModelConfig
from vljepa.errors import UserError
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes.models import token_vlm
from vljepa.token_api import TokenModel, load_any


@pytest.fixture(scope="module")
def network(tiny_config: ModelConfig) -> TokenVLM:
    torch.manual_seed(0)
    return TokenVLM(token_vlm(tiny_config), train_tokenizer(["a red cube", "a blue ball"], 300))


@pytest.fixture(scope="module")
def model(network: TokenVLM) -> TokenModel:
    return TokenModel(network)


@pytest.fixture(scope="module")
def video() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 48, 60, 3), dtype=np.uint8)


def test_classify_ranks_every_label_by_its_mean_log_probability(model: TokenModel, video: np.ndarray) -> None:
    labels = ["a red cube", "a blue ball", "rain"]
    ranked = model.classify(video, labels, query="What is it?")
    tokens = model.network.encode_frames(model.frames(video)[None])
    expected = {}
    for label in labels:
        with torch.no_grad():
            logits, ids = model.network.language_model(tokens, ["What is it?"], [label])
        expected[label] = -float(torch.nn.functional.cross_entropy(logits, ids))
    assert {s.text: s.score for s in ranked} == pytest.approx(expected, abs=1e-5)
    assert [s.score for s in ranked] == sorted(expected.values(), reverse=True)


def test_ask_ranks_choices_or_writes_text(model: TokenModel, video: np.ndarray) -> None:
    assert {s.text for s in model.ask(video, "How many?", choices=["1", "2"])} == {"1", "2"}
    (written,) = model.ask(video, "How many?")
    assert written.score < 0
    assert isinstance(model.caption(video), str) and isinstance(model.caption(video[:1], beams=2), str)


def test_bad_input_is_refused(model: TokenModel, video: np.ndarray) -> None:
    with pytest.raises(UserError, match="question: is empty"):
        model.ask(video, " ")
    with pytest.raises(UserError, match="labels: 'a' is given 2 times"):
        model.classify(video, ["a", "a"])
    with pytest.raises(UserError, match="choices: the list is empty"):
        model.ask(video, "How many?", choices=[])
    with pytest.raises(UserError, match="expected uint8"):
        model.caption(video.astype(np.float32))


def test_a_checkpoint_is_loaded_as_what_it_is(network: TokenVLM, tiny_config: ModelConfig, tmp_path: Path) -> None:
    network.save(tmp_path / "vlm", card="")
    VLJEPA(tiny_config).save(tmp_path / "jepa", card="")
    assert isinstance(load_any(tmp_path / "vlm"), TokenModel)
    assert isinstance(load_any(tmp_path / "jepa"), Model)
    with pytest.raises(UserError, match="makes no embeddings"):
        load(tmp_path / "vlm")
