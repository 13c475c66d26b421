"""EmbeddingGemma and Qwen3-Embedding against sentence-transformers, on tiny random checkpoints in the hub's format."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hub import write_gemma, write_qwen
from sentence_transformers import SentenceTransformer

from vljepa.config import YEncoderConfig
from vljepa.errors import UserError
from vljepa.model.y_encoder import load_y_encoder

TEXTS = ["a red cube", "the ball rolls", "how a cube : rolls", "a red cube", "ball", "a the red " * 20]
Write = Callable[[Path], SentenceTransformer]


@pytest.mark.parametrize(
    ("write", "prompt"), [(write_gemma, "STS"), (write_gemma, None), (write_qwen, None), (write_qwen, "query")]
)
def test_equals_sentence_transformers(write: Write, prompt: str | None, tmp_path: Path) -> None:
    reference = write(tmp_path)
    encoder = load_y_encoder(YEncoderConfig(name=str(tmp_path), prompt=prompt), embed_dim=8)
    expected = torch.from_numpy(reference.encode(TEXTS, prompt_name=prompt, show_progress_bar=False))
    with torch.no_grad():
        found = encoder.sentence_embedding(TEXTS)
        assert encoder(TEXTS).shape == (len(TEXTS), 8)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("write", [write_gemma, write_qwen])
def test_a_text_is_encoded_alike_alone_and_in_company(write: Write, tmp_path: Path) -> None:
    write(tmp_path)
    encoder = load_y_encoder(YEncoderConfig(name=str(tmp_path)), embed_dim=8)
    with torch.no_grad():
        alone = torch.cat([encoder([text]) for text in TEXTS])
        torch.testing.assert_close(encoder(TEXTS), alone, atol=1e-5, rtol=1e-4)


def test_long_texts_are_cut_and_keep_their_end_token(tmp_path: Path) -> None:
    write_qwen(tmp_path)
    encoder = load_y_encoder(YEncoderConfig(name=str(tmp_path), max_tokens=5), embed_dim=8)
    with torch.no_grad():
        cut = encoder(["a red cube the ball rolls"])
        assert torch.equal(cut, encoder(["a red cube the"]))
        assert not torch.equal(cut, encoder(["a red cube"]))


def test_everything_trains_but_the_token_table_unless_asked(tmp_path: Path) -> None:
    write_gemma(tmp_path)
    for train in (False, True):
        encoder = load_y_encoder(YEncoderConfig(name=str(tmp_path), train_token_embeddings=train), embed_dim=8)
        encoder(TEXTS).square().sum().backward()
        still = [name for name, parameter in encoder.named_parameters() if parameter.grad is None]
        assert still == ([] if train else ["backbone.transformer.embed_tokens.weight"])


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("modules.json", [], "no Pooling"),
        ("modules.json", None, r"modules\.json: file not found"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "pools by 'pooling_mode_max_tokens'"),
        ("2_Dense/config.json", {"activation_function": "torch.nn.modules.activation.Tanh"}, "Tanh is not supported"),
    ],
)
def test_folders_of_another_kind_are_named(tmp_path: Path, file: str, change: object, message: str) -> None:
    write_gemma(tmp_path)
    if change is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(json.dumps(change))
    with pytest.raises(UserError, match=message):
        load_y_encoder(YEncoderConfig(name=str(tmp_path)), embed_dim=8)


def test_an_unknown_prompt_is_refused(tmp_path: Path) -> None:
    write_gemma(tmp_path)
    with pytest.raises(UserError, match=r"no prompt 'poem'; choose one of .*STS"):
        load_y_encoder(YEncoderConfig(name=str(tmp_path), prompt="poem"), embed_dim=8)
