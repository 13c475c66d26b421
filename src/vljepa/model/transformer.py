"""Llama's transformer over packed sequences (the predictor and the Y-Decoder; paper, section 3.1).

Sequences of different lengths lie end to end in one ``(tokens, dim)`` tensor, so padding does not
exist: no output can depend on it and no time is spent on it. Parameters carry Llama's names, so
Llama checkpoints load unchanged.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, silu

from vljepa.config import RopeScaling, TransformerConfig

Group = tuple[int, int]
"""Number of sequences and their common length, of a run of equally long sequences."""
_WRITTEN_OUT_TOKENS = 2048
"""Longest sequences whose weights of all to all are held in memory."""
_WEIGHTS_AT_ONCE = 2**20
"""Attention weights computed together: 2 MiB."""


class LayerCache:
    """Keys and values of one layer, ``(batch, kv_heads, tokens, head_dim)`` each.

    A layer meets its own and no other's, so that all layers of a stack compile to the same code.
    """

    def __init__(self, keys: Tensor | None = None, values: Tensor | None = None) -> None:
        self.keys, self.values = keys, values

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append those of new tokens and return all."""
        if self.keys is not None and self.values is not None:
            keys = torch.cat((self.keys, keys), dim=2)
            values = torch.cat((self.values, values), dim=2)
        self.keys, self.values = keys, values
        return keys, values


class KVCache:
    """Keys and values of the tokens read so far, for decoding one token at a time.

    All sequences of a cache have the same length; a new cache is empty.
    """

    def __init__(self) -> None:
        self._layers: list[LayerCache] = []

    def layers(self, count: int) -> list[LayerCache]:
        """Those of a stack's ``count`` layers."""
        self._layers = self._layers or [LayerCache() for _ in range(count)]
        return self._layers

    @property
    def length(self) -> int:
        """Tokens held per sequence."""
        keys = self._layers[0].keys if self._layers else None
        return 0 if keys is None else keys.shape[2]

    def select(self, rows: Int[Tensor, " new"]) -> "KVCache":
        """A cache of some of the sequences, in another order or several times."""
        selected = KVCache()
        for layer in self._layers:
            assert layer.keys is not None and layer.values is not None
            selected._layers.append(LayerCache(layer.keys[rows], layer.values[rows]))
        return selected


def rope_table(positions: Tensor, config: TransformerConfig) -> tuple[Tensor, Tensor]:
    """Cosine and sine of rotary positions, each ``(tokens, 1, head_dim)``, float32."""
    exponents = torch.arange(0, config.head_dim, 2, device=positions.device, dtype=torch.float32) / config.head_dim
    speeds = config.rope_theta**-exponents
    if config.rope_scaling is not None:
        speeds = _slowed(speeds, config.rope_scaling)
    angles = positions[:, None].float() * speeds
    angles = torch.cat((angles, angles), dim=-1)[:, None]
    return angles.cos(), angles.sin()


def _slowed(speeds: Tensor, scaling: RopeScaling) -> Tensor:
    """Llama 3's rotations, radians a token: slow ones slowed further, fast ones as they are, the rest in between."""
    turns = scaling.original_context * speeds / (2 * math.pi)
    kept = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
    kept = kept.clamp(0, 1)
    return speeds * (kept + (1 - kept) / scaling.factor)


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Apply rotary positions to ``(tokens, heads, head_dim)``; a pair is an entry of each half."""
    cos, sin = rope
    first, second = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat((-second, first), dim=-1) * sin.to(x.dtype)


class Attention(nn.Module):
    """Grouped-query self-attention with rotary positions."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        kv_dim = config.num_kv_heads * config.head_dim
        self.q_proj = nn.Linear(config.dim, config.dim, bias=False)
        self.k_proj = nn.Linear(config.dim, kv_dim, bias=False)
        self.v_proj = nn.Linear(config.dim, kv_dim, bias=False)
        self.o_proj = nn.Linear(config.dim, config.dim, bias=False)

    def forward(
        self, hidden: Tensor, rope: tuple[Tensor, Tensor], groups: Sequence[Group], cache: LayerCache | None
    ) -> Tensor:
        head_dim = self.config.head_dim
        q = rotate(self.q_proj(hidden).view(len(hidden), -1, head_dim), rope)
        k = rotate(self.k_proj(hidden).view(len(hidden), -1, head_dim), rope)
        v = self.v_proj(hidden).view(len(hidden), -1, head_dim)
        # Cut at once: the gradient of a slice would be as large as the whole.
        sizes = [count * length for count, length in groups]
        parts = zip(q.split(sizes), k.split(sizes), v.split(sizes), groups, strict=True)
        mixed = [self._attend(*part, cache) for part in parts]
        return self.o_proj(mixed[0] if len(mixed) == 1 else torch.cat(mixed))

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, group: Group, cache: LayerCache | None) -> Tensor:
        """Attention inside each sequence of one group, from its tokens: ``(count * length, dim)``."""
        count, length = group
        q, k, v = (x.view(count, length, -1, self.config.head_dim).transpose(1, 2) for x in (q, k, v))
        if cache is not None:
            k, v = cache.extend(k, v)
        written_out = q.device.type == "cpu" and q.dtype == torch.bfloat16 and length <= _WRITTEN_OUT_TOKENS
        past = k.shape[2] - length
        if written_out and not past:
            return _written_out(q, k, v, causal=self.config.causal).transpose(1, 2).reshape(count * length, -1)
        mask = None
        if self.config.causal and past and length > 1:
            mask = torch.ones(length, past + length, dtype=torch.bool, device=q.device).tril(past)
        out = scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            is_causal=self.config.causal and not past and length > 1,
            enable_gqa=self.config.num_heads != self.config.num_kv_heads,
        )
        return out.transpose(1, 2).reshape(count * length, -1)


def _written_out(q: Tensor, k: Tensor, v: Tensor, *, causal: bool) -> Tensor:
    """Attention inside sequences, each ``(batch, heads, length, head_dim)`` in bfloat16.

    On a CPU the fused kernel takes 2 to 4 times as long, most of it in the backward pass, and so does this with all
    weights at once, which leave the processor's cache and are new memory each time.
    """
    # A row for each key head; the query heads that share it lie one below the other.
    rows = [x.reshape(k.shape[0] * k.shape[1], -1, k.shape[-1]) for x in (q * k.shape[-1] ** -0.5, k, v)]
    at_once = max(1, _WEIGHTS_AT_ONCE // (rows[0].shape[1] * k.shape[2]))
    future = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device).triu(1) if causal else None
    mixed = []
    # Autocast would make the weights float32; softmax computes in float32 by itself.
    with torch.autocast("cpu", enabled=False):
        # Of single matrices the gradient needs no transposed copy.
        parts = zip(*(x.unbind() if at_once == 1 else x.split(at_once) for x in rows), strict=True)
        for queries, keys, values in parts:
            weights = queries @ keys.mT
            if future is not None:
                weights = weights.masked_fill(future.repeat(q.shape[1] // k.shape[1], 1), -math.inf)
            mixed.append(weights.softmax(-1) @ values)
    return torch.cat(mixed).view(q.shape)


class MLP(nn.Module):
    """SwiGLU."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.dim, config.ffn_dim, bias=False)
        self.up_proj = nn.Linear(config.dim, config.ffn_dim, bias=False)
        self.down_proj = nn.Linear(config.ffn_dim, config.dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One pre-norm block: attention, then SwiGLU, each added to the residual."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.dim, eps=config.norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = nn.RMSNorm(config.dim, eps=config.norm_eps)
        self.mlp = MLP(config)

    def forward(
        self, hidden: Tensor, rope: tuple[Tensor, Tensor], groups: Sequence[Group], cache: LayerCache | None
    ) -> Tensor:
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), rope, groups, cache)
        return hidden + self.mlp(self.post_attention_layernorm(hidden))


class Transformer(nn.Module):
    """Stack of Llama layers with the final RMSNorm; no token table and no head."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_layers))
        self.norm = nn.RMSNorm(config.dim, eps=config.norm_eps)
        # Keeps unit variance at any width (Llama's 0.02 does so at 2,500; at 256 it leaves every layer nearly idle).
        std = config.dim**-0.5
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # What is added to the residual starts smaller, so that depth does not grow its variance.
                adds = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=std / math.sqrt(2 * config.num_layers) if adds else std)

    def forward(
        self, hidden: Float[Tensor, "tokens D"], lengths: Sequence[int], cache: KVCache | None = None
    ) -> Float[Tensor, "tokens D"]:
        """Run all sequences; none sees another.

        Args:
            hidden: the sequences end to end.
            lengths: tokens per sequence, each >= 1; their sum is ``tokens``.
            cache: earlier tokens of every sequence, which these continue; then all lengths must be equal.

        Raises:
            ValueError: lengths that do not fit ``hidden`` or the cache.
        """
        if sum(lengths) != len(hidden) or min(lengths) < 1:
            raise ValueError(f"lengths {list(lengths)} do not cut {len(hidden)} tokens into sequences")
        if cache is not None and len(set(lengths)) > 1:
            raise ValueError("with a cache all sequences must have the same length")
        order, groups = _group(lengths)
        if order is not None:
            order = order.to(hidden.device)
            hidden = hidden[order]
        past = cache.length if cache is not None else 0
        positions = torch.cat(
            [torch.arange(past, past + length, device=hidden.device).repeat(count) for count, length in groups]
        )
        rope = rope_table(positions, self.config)
        caches = [None] * len(self.layers) if cache is None else cache.layers(len(self.layers))
        for layer, held in zip(self.layers, caches, strict=True):
            hidden = layer(hidden, rope, groups, held)
        hidden = self.norm(hidden)
        if order is None:
            return hidden
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order), device=order.device)
        return hidden[back]


def _group(lengths: Sequence[int]) -> tuple[Int[Tensor, " tokens"] | None, list[Group]]:
    """Order of tokens that brings equally long sequences together (None: as they are), and the groups."""
    sizes = torch.tensor(lengths)
    if (sizes == sizes[0]).all():
        return None, [(len(lengths), int(lengths[0]))]
    starts = sizes.cumsum(0) - sizes
    groups, pieces = [], []
    for length in sorted(set(lengths)):
        begin = starts[sizes == length]
        pieces.append((begin[:, None] + torch.arange(length)).flatten())
        groups.append((len(begin), int(length)))
    return torch.cat(pieces), groups
