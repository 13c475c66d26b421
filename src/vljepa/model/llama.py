"""Language models of Llama's architecture: the start of the predictor, and the tokens that read its queries.

From a folder in the format of the Hugging Face hub, or from the package of SmolLM2-135M (``gguf.py``).
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor

from vljepa.config import RopeScaling, TransformerConfig
from vljepa.errors import UserError
from vljepa.model import gguf
from vljepa.model.transformer import Transformer
from vljepa.model.weights import SOURCES, find_weights

_SMOLLM2 = "SmolLM2-135M"
_MINILM = "all-MiniLM-L6-v2"
_LAYER = (
    "input_layernorm",
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "post_attention_layernorm",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
_TABLE = "model.embed_tokens.weight"


@dataclass(frozen=True, kw_only=True)
class Llama:
    """A Llama-architecture language model, in the names of ``Transformer``."""

    config: TransformerConfig
    """Of the whole model, causal; ``state`` may hold some of its layers only."""
    state: dict[str, Tensor]
    """Float32 tensors ``layers.N...`` and the final ``norm.weight``, N counted from the first layer read."""


@dataclass(frozen=True, kw_only=True)
class TokenEmbedder:
    """A tokenizer and its token embeddings, as the predictor reads queries."""

    tokenizer: Tokenizer
    table: Tensor
    """``(vocabulary, dim)``, float32."""
    end: int | None = None
    """Token that ends a text; None where the backbone writes none, or by another table than it reads."""


def load_token_embedder(name: str) -> TokenEmbedder:
    """Tokenizer without padding or cutting, and token table of a language backbone.

    Args:
        name: as ``find_weights`` takes it.

    Raises:
        UserError: not a language backbone, or its weights cannot be had.
    """
    if name in SOURCES and name not in (_SMOLLM2, _MINILM):
        raise UserError(f"backbone {name!r} has no token embeddings; choose {_MINILM}, {_SMOLLM2} or a Llama")
    weights = find_weights(name)
    if name == _SMOLLM2:
        reader = gguf.open_file(weights.files[0])
        table = gguf.tensor(reader, "token_embd.weight")
        return TokenEmbedder(tokenizer=gguf.tokenizer(reader), table=table, end=gguf.end_token(reader))
    key = "embeddings.word_embeddings.weight" if name == _MINILM else _TABLE
    tokenizer = Tokenizer.from_file(str(_existing(weights.folder / "tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    end = None if name == _MINILM else _end_token(weights.folder)
    return TokenEmbedder(tokenizer=tokenizer, table=_read_tensors(weights.folder, [key])[key], end=end)


def load_llama(name: str, first_layer: int = 0, num_layers: int | None = None) -> Llama:
    """Layers of a Llama, and its final norm.

    Args:
        name: as ``find_weights`` takes it.
        num_layers: how many from ``first_layer`` on; default all.

    Raises:
        UserError: the weights cannot be had, belong to another architecture, lack a tensor, or have fewer layers.
    """
    if name in SOURCES and name != _SMOLLM2:
        raise UserError(f"backbone {name!r} is no Llama; choose {_SMOLLM2} or a Llama on the hub or in a folder")
    weights = find_weights(name)
    if name == _SMOLLM2:
        reader = gguf.open_file(weights.files[0])
        config = gguf.config(reader)
        return Llama(config=config, state=gguf.layers(reader, config, _slice(name, config, first_layer, num_layers)))
    config = read_config(weights.folder / "config.json")
    names = {"model.norm.weight": "norm.weight"}
    for ours, theirs in enumerate(_slice(name, config, first_layer, num_layers)):
        names |= {f"model.layers.{theirs}.{part}.weight": f"layers.{ours}.{part}.weight" for part in _LAYER}
    tensors = _read_tensors(weights.folder, list(names))
    return Llama(config=config, state={ours: tensors[theirs] for theirs, ours in names.items()})


def start_from_llama(transformer: Transformer, name: str, first_layer: int) -> None:
    """Load as many layers of a language model as ours has, from ``first_layer`` on, and its final norm.

    Raises:
        UserError: as ``load_llama``, and sizes other than the transformer's.
    """
    ours = transformer.config
    llama = load_llama(name, first_layer, ours.num_layers)
    theirs = replace(llama.config, num_layers=ours.num_layers, causal=ours.causal)
    if ours != theirs:
        raise UserError(f"predictor.init: the layers of {name} are {theirs}; the config says {ours}")
    transformer.load_state_dict(llama.state)


def read_config(path: Path) -> TransformerConfig:
    """Sizes of a Llama from its ``config.json``.

    Raises:
        UserError: no such file, or an architecture that ``Transformer`` does not have.
    """
    values = json.loads(_existing(path).read_text(encoding="utf-8"))
    if values.get("model_type") != "llama":
        raise UserError(f"{path}: model_type is {values.get('model_type')!r}; only 'llama' is read")
    for bias in ("attention_bias", "mlp_bias"):
        if values.get(bias):
            raise UserError(f"{path}: {bias} is set; only Llamas without biases are read")
    heads = values["num_attention_heads"]
    if (values.get("head_dim") or values["hidden_size"] // heads) * heads != values["hidden_size"]:
        raise UserError(f"{path}: head_dim times num_attention_heads must be hidden_size; choose another Llama")
    # Older files keep theta outside.
    rope = {"rope_theta": 10_000.0} | {k: v for k, v in values.items() if k == "rope_theta"}
    rope |= values.get("rope_parameters") or values.get("rope_scaling") or {}
    return TransformerConfig(
        dim=values["hidden_size"],
        num_layers=values["num_hidden_layers"],
        num_heads=heads,
        num_kv_heads=values.get("num_key_value_heads") or heads,
        ffn_dim=values["intermediate_size"],
        causal=True,
        rope_theta=float(rope["rope_theta"]),
        rope_scaling=_rope_scaling(rope, path),
        norm_eps=values["rms_norm_eps"],
    )


def _end_token(folder: Path) -> int | None:
    """The first of the tokens that end a text, by ``config.json``; None if the output layer is not the token table."""
    path = folder / "config.json"
    values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    ends = values.get("eos_token_id") if values.get("tie_word_embeddings") else None
    return ends[0] if isinstance(ends, list) else ends


def _rope_scaling(rope: dict[str, Any], path: Path) -> RopeScaling | None:
    kind = rope.get("rope_type", "default")
    if kind == "default":
        return None
    if kind != "llama3":
        raise UserError(f"{path}: rope_type {kind!r} is not supported; only 'default' and 'llama3' are")
    return RopeScaling(
        factor=float(rope["factor"]),
        low_freq_factor=float(rope["low_freq_factor"]),
        high_freq_factor=float(rope["high_freq_factor"]),
        original_context=int(rope["original_max_position_embeddings"]),
    )


def _read_tensors(folder: Path, names: list[str]) -> dict[str, Tensor]:
    """Float32 tensors by name, from one safetensors file or several."""
    tensors: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            tensors |= {name: file.get_tensor(name).float() for name in set(file.keys()) & set(names)}
    for name in names:
        if name not in tensors:
            raise UserError(f"{folder}: tensor {name!r} is in no .safetensors file; the checkpoint is incomplete")
    return tensors


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path} is missing; give the folder of a Llama checkpoint")
    return path


def _slice(name: str, config: TransformerConfig, first_layer: int, num_layers: int | None) -> range:
    count = config.num_layers - first_layer if num_layers is None else num_layers
    if first_layer < 0 or count < 1 or first_layer + count > config.num_layers:
        raise UserError(
            f"{name}: {count} layers from layer {first_layer} on are not among its {config.num_layers} layers"
        )
    return range(first_layer, first_layer + count)
