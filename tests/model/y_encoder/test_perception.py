"""Perception Encoder's text tower against PyTorch's own transformer, on tiny random weights under official names."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn

from vljepa.config import YEncoderConfig
from vljepa.errors import UserError
from vljepa.model.y_encoder import load_y_encoder, perception

SIZES = {"context": 6, "dim": 32, "num_heads": 4, "num_layers": 2, "width": 12}
WORDS = {"a": 5, "red": 6, "cube": 7, "<start>": 49406, "<end>": 49407}
TEXTS = ["a red cube", "cube", "a cube a red cube a red", "a red cube"]


def official() -> tuple[nn.TransformerEncoder, dict[str, Tensor]]:
    """PyTorch's transformer and, under the official names, its tensors and those around it."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(32, 4, 128, dropout=0, activation="gelu", batch_first=True, norm_first=True)
    network = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(32), enable_nested_tensor=False).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    names = {"self_attn": "attn", "linear1": "mlp.c_fc", "linear2": "mlp.c_proj", "norm1": "ln_1", "norm2": "ln_2"}
    state = {
        "token_embedding.weight": torch.randn(49408, 32),
        "positional_embedding": torch.randn(6, 32),
        "text_projection": torch.randn(32, 12),
        "visual.proj": torch.randn(2, 2),
        "logit_scale": torch.ones(()),
    }
    for name, tensor in network.state_dict().items():
        if name.startswith("norm."):
            state[name.replace("norm", "ln_final")] = tensor
            continue
        _, layer_number, part, rest = name.split(".", 3)
        state[f"transformer.resblocks.{layer_number}.{names[part]}.{rest}"] = tensor
    return network, state


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(perception.TOWERS, "PE-Tiny", SIZES)
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = [(word, WORDS[word]) for word in ("<start>", "<end>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<start> $A <end>", special_tokens=special)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_equals_the_official_computation(folder: Path) -> None:
    network, state = official()
    torch.save(state, folder / "PE-Tiny.pt")
    encoder = load_y_encoder(YEncoderConfig(name=str(folder)), embed_dim=8)
    for text, found in zip(TEXTS, encoder.sentence_embedding(TEXTS), strict=True):
        words = [WORDS["<start>"], *[WORDS[word] for word in text.split()][:4], WORDS["<end>"]]
        hidden = state["token_embedding.weight"][words] + state["positional_embedding"][: len(words)]
        mask = nn.Transformer.generate_square_subsequent_mask(len(words))
        out = network(hidden[None], mask=mask)[0, -1] @ state["text_projection"]
        torch.testing.assert_close(found, nn.functional.normalize(out, dim=-1), atol=1e-5, rtol=1e-4)


def test_what_is_missing_is_named(folder: Path) -> None:
    _, state = official()
    del state["transformer.resblocks.1.ln_2.bias"]
    torch.save(state, folder / "PE-Tiny.pt")
    with pytest.raises(UserError, match=r"layers\.1\.layer_norm2\.bias.* incomplete"):
        load_y_encoder(YEncoderConfig(name=str(folder)), embed_dim=8)
    _, state = official()
    torch.save(state, folder / "PE-Tiny.pt")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json: file not found; copy .*openai/clip"):
        load_y_encoder(YEncoderConfig(name=str(folder)), embed_dim=8)
