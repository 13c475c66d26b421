import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from vljepa.config import (
    ModelConfig,
    PredictorConfig,
    TransformerConfig,
    XEncoderConfig,
    YDecoderConfig,
    YEncoderConfig,
)
from vljepa.errors import UserError
from vljepa.model.network import pool
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer

TRANSFORMER = TransformerConfig(dim=32, num_layers=1, num_heads=2, num_kv_heads=2, ffn_dim=64)
CONFIG = ModelConfig(
    x_encoder=XEncoderConfig(),
    predictor=PredictorConfig(transformer=TRANSFORMER),
    y_encoder=YEncoderConfig(),
    y_decoder=YDecoderConfig(
        transformer=dataclasses.replace(TRANSFORMER, causal=True), prefix_tokens=2, vocab_size=280, max_tokens=8
    ),
)
TEXTS = ["a red cube", "the ball rolls to the left"]
QUERIES = ["", "How many cubes are there?"]


@pytest.fixture(scope="module")
def model() -> VLJEPA:
    torch.manual_seed(0)
    model = VLJEPA(CONFIG).eval()
    model.familiarity.fit(torch.randn(20, model.x_encoder.token_dim), torch.randn(10, model.x_encoder.token_dim))
    model.add_y_decoder(train_tokenizer(TEXTS, 280)).eval()
    with torch.no_grad():
        model.y_encoder.head.weight.add_(0.01 * torch.randn_like(model.y_encoder.head.weight))
    return model


@pytest.fixture(scope="module")
def saved(model: VLJEPA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    model.save(folder, card="# A test", dtype="float32")
    return folder


@pytest.fixture
def broken(saved: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoint, to be damaged."""
    return Path(shutil.copytree(saved, tmp_path / "checkpoint"))


@pytest.fixture(scope="module")
def tokens(model: VLJEPA) -> torch.Tensor:
    frames = torch.randint(0, 256, (2, 8, 192, 192, 3), dtype=torch.uint8)
    return model.encode_frames(frames)


def test_four_parts_meet_in_one_space_of_unit_vectors(model: VLJEPA, tokens: torch.Tensor) -> None:
    assert tokens.shape == (2, 8, model.x_encoder.tokens_per_frame, model.x_encoder.token_dim)
    with torch.no_grad():
        predicted, target = model.predict(tokens, QUERIES), model.encode_text(TEXTS)
        image = model.predict(tokens[:, :1], QUERIES)
    for embeddings in (predicted, target, image):
        assert embeddings.shape == (2, 384)
        assert torch.allclose(embeddings.norm(dim=-1), torch.ones(2), atol=1e-5)
    assert len(model.decode(predicted)) == 2
    assert model.familiar(tokens).shape == (2,)
    assert pool(tokens).shape == (2, model.x_encoder.token_dim)


def test_reload_gives_the_same_outputs(model: VLJEPA, saved: Path, tokens: torch.Tensor) -> None:
    loaded = VLJEPA.load(saved)
    with torch.no_grad():
        expected = model.predict(tokens, QUERIES)
        assert torch.equal(loaded.predict(tokens, QUERIES), expected)
        assert torch.equal(loaded.encode_text(TEXTS), model.encode_text(TEXTS))
    assert loaded.decode(expected) == model.decode(expected)
    assert torch.equal(loaded.familiar(tokens), model.familiar(tokens))
    assert loaded.config == CONFIG
    assert (saved / "README.md").read_text() == "# A test"


def test_half_precision_is_near_and_frozen_backbones_are_not_copied(
    model: VLJEPA, tokens: torch.Tensor, tmp_path: Path
) -> None:
    model.save(tmp_path, card="")
    state = load_file(tmp_path / "model.safetensors")
    assert not [name for name in state if name.startswith("x_encoder.") or "word_embeddings" in name]
    assert state["logit_scale.log_scale"].dtype == torch.float32
    assert state["y_encoder.head.weight"].dtype == torch.float16
    assert (tmp_path / "model.safetensors").stat().st_size < 25e6
    loaded = VLJEPA.load(tmp_path)
    with torch.no_grad():
        assert torch.allclose(loaded.predict(tokens, QUERIES), model.predict(tokens, QUERIES), atol=5e-3)


def test_gradients_reach_all_that_is_trained_and_nothing_else(model: VLJEPA, tokens: torch.Tensor) -> None:
    loss = (model.predict(tokens, QUERIES) * model.encode_text(TEXTS)).sum() * model.logit_scale()
    assert model.y_decoder is not None
    (loss + model.y_decoder.loss(torch.randn(2, 384), TEXTS)).backward()
    reached = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    buffers = {f"familiarity.{name}" for name, _ in model.familiarity.named_buffers()}
    assert reached == set(model.trained_state()) - buffers
    model.zero_grad(set_to_none=True)


def test_freezing_a_part_for_a_while_keeps_it_in_the_checkpoint(model: VLJEPA) -> None:
    names = list(model.trained_state())
    model.predictor.requires_grad_(False)
    assert list(model.trained_state()) == names
    model.predictor.requires_grad_(True)


def test_dual_encoder_is_the_same_model_with_another_predictor(tokens: torch.Tensor, tmp_path: Path) -> None:
    model = VLJEPA(dataclasses.replace(CONFIG, kind="dual_encoder")).eval()
    with torch.no_grad():
        assert torch.equal(model.predict(tokens, QUERIES), model.predict(tokens, ["", ""]))
        model.save(tmp_path, card="", dtype="float32")
        loaded = VLJEPA.load(tmp_path)
        assert torch.equal(loaded.predict(tokens, QUERIES), model.predict(tokens, QUERIES))
    with pytest.raises(UserError, match="no Y-Decoder"):
        loaded.decode(torch.randn(1, 384))


@pytest.mark.parametrize("damage", ["missing", "foreign", "shape", "truncated", "absent"])
def test_bad_weights_are_named(broken: Path, damage: str) -> None:
    path = broken / "model.safetensors"
    state = load_file(path)
    match damage:
        case "missing":
            del state["y_encoder.head.weight"]
            expected = "'y_encoder.head.weight' is missing"
        case "foreign":
            state["stranger"] = torch.zeros(1)
            expected = "foreign tensor 'stranger'"
        case "shape":
            state["y_encoder.head.bias"] = torch.zeros(7)
            expected = r"'y_encoder.head.bias' has shape \(7,\)"
        case _:
            expected = "not found" if damage == "absent" else "not a readable safetensors"
    save_file(state, path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    if damage == "absent":
        path.unlink()
    with pytest.raises(UserError, match=f"model.safetensors: .*{expected}"):
        VLJEPA.load(broken)


def test_bad_config_is_named(broken: Path) -> None:
    path = broken / "config.json"
    document = json.loads(path.read_text())
    changed_backbone = json.loads(path.read_text())
    changed_backbone["backbones"]["all-MiniLM-L6-v2"]["sha256"] = "0"
    for text, expected in [
        ("{", "not readable as JSON"),
        ("[]", "not a JSON object"),
        (json.dumps({**document, "format": 99}), "format is 99"),
        (json.dumps({**document, "model": None}), "'model' is missing"),
        (json.dumps(changed_backbone), "backbone 'all-MiniLM-L6-v2'"),
    ]:
        path.write_text(text)
        with pytest.raises(UserError, match=f"config.json: .*{expected}"):
            VLJEPA.load(broken)
    (broken / "y_decoder_tokenizer.json").unlink()
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"y_decoder_tokenizer\.json: file not found"):
        VLJEPA.load(broken)
    with pytest.raises(UserError, match="name a checkpoint folder"):
        VLJEPA.load(broken / "nowhere")


def test_saving_replaces_a_checkpoint_but_no_other_folder(model: VLJEPA, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"somebody's")
    with pytest.raises(UserError, match="other files than a checkpoint"):
        model.save(tmp_path, card="")
    assert (tmp_path / "photo.jpg").exists()
    model.save(tmp_path / "model", card="first")
    (tmp_path / "model.old" / "left by a kill").mkdir(parents=True)
    model.save(tmp_path / "model", card="second")
    assert (tmp_path / "model" / "README.md").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("model")] == ["model"]
