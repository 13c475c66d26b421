"""SmolLM2 out of llama.cpp's GGUF file, dequantised to float32 and in the names of ``Transformer``."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from vljepa.config import TransformerConfig
from vljepa.errors import UserError

_NAMES = {
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


@functools.lru_cache(maxsize=1)
def open_file(path: Path) -> Any:
    """The file's reader, kept open: config, layers and tokenizer are read one after another."""
    from gguf import GGUFReader  # only SmolLM2 needs it

    return GGUFReader(path)


def config(reader: Any) -> TransformerConfig:
    """Sizes of the whole model.

    Raises:
        UserError: another architecture than Llama's.
    """
    architecture = reader.fields["general.architecture"].contents()
    if architecture != "llama":
        raise UserError(f"GGUF file: the architecture is {architecture!r}; give a file of a Llama model")

    def field(name: str) -> Any:
        return reader.fields[f"llama.{name}"].contents()

    return TransformerConfig(
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


def layers(reader: Any, config: TransformerConfig, wanted: range) -> dict[str, Tensor]:
    """Tensors ``layers.N...`` of some layers, N counted from the first of them, and the final ``norm.weight``."""
    state = {"norm.weight": tensor(reader, "output_norm.weight")}
    for number, layer in enumerate(wanted):
        for theirs, ours in _NAMES.items():
            values = tensor(reader, f"blk.{layer}.{theirs}.weight")
            if theirs in ("attn_q", "attn_k"):
                values = _pair_halves(values, config.head_dim)
            state[f"layers.{number}.{ours}.weight"] = values
    return state


def tensor(reader: Any, name: str) -> Tensor:
    """One tensor, float32.

    Raises:
        UserError: the file does not hold it.
    """
    from gguf import dequantize

    for found in reader.tensors:
        if found.name == name:
            return torch.from_numpy(np.array(dequantize(found.data, found.tensor_type), dtype=np.float32))
    raise UserError(f"GGUF file: tensor {name!r} is missing; the file is incomplete")


def _pair_halves(weight: Tensor, head_dim: int) -> Tensor:
    """Undo llama.cpp's order of rows: it rotates neighbours, we rotate an entry of each half of a head."""
    rows, columns = weight.shape
    pairs = weight.view(rows // head_dim, head_dim // 2, 2, columns)
    return pairs.transpose(1, 2).reshape(rows, columns).contiguous()


def end_token(reader: Any) -> int:
    """Number of the token that ends a text."""
    return int(reader.fields["tokenizer.ggml.eos_token_id"].contents())


def tokenizer(reader: Any) -> Tokenizer:
    """SmolLM's byte-level BPE: digits one by one, then GPT-2's splitting.

    Raises:
        UserError: a tokenizer of another kind.
    """
    fields = reader.fields
    kind = fields["tokenizer.ggml.pre"].contents()
    if kind != "smollm":
        raise UserError(f"GGUF tokenizer {kind!r} is not supported; only 'smollm' is")
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    bpe = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    control = 3  # llama.cpp's token type of special tokens
    types = fields["tokenizer.ggml.token_type"].contents()
    special = [token for token, type_ in zip(tokens, types, strict=True) if type_ == control]
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return bpe
