"""What the networks of a config cost, from formulas: operations of a forward pass, and what it keeps for the backward.

An operation is one multiplication or one addition of a matrix product or a convolution. Norms, activations, softmax,
rotary positions, biases, class tokens and the sparsity of causal masks are left out. What is kept is counted for the
code as it stands, weights apart; a GPU's fused norms keep up to 4 bytes an element less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from vljepa.config import ModelConfig, TransformerConfig
from vljepa.model.counts import token_table_shape, token_tables
from vljepa.model.token_vlm import learns_vocabulary
from vljepa.model.x_encoder import TokenShape, x_encoder_class
from vljepa.model.x_encoder.efficientnet import Block, EfficientNetLite0
from vljepa.model.y_encoder import y_encoder_class

_FULL = 4
"""Bytes of a float32 number."""


@dataclass(frozen=True, kw_only=True)
class Tower:
    """A pretrained stack of equal transformer layers, as far as its cost goes."""

    num_layers: int
    matrices: int
    """Elements of all matrices of a layer."""
    attention_width: int
    """All heads together."""
    products: int
    """Numbers a token that matrix products of a layer read and write for later use, each reader with a copy."""
    shared: int
    """Of these, numbers that several products read and that need no copies in float32."""
    norms: int
    """Numbers a token that the norms of a layer keep."""

    @classmethod
    def of(cls, network: nn.Module) -> "Tower":
        """The longest list of layers in a network, which may lie on the meta device."""
        layers = max((m for m in network.modules() if isinstance(m, nn.ModuleList)), key=len)
        shapes = [parameter.shape for parameter in layers[0].parameters() if parameter.ndim == 2]
        norms = [m for m in layers[0].modules() if "norm" in type(m).__name__.lower()]
        settings = next((m.config for m in network.modules() if hasattr(m, "config")), None)
        width = shapes[0][1]
        heads = getattr(settings, "num_attention_heads", 0)
        # Query, key and value apart; and a gate, whose activation is one more thing to keep.
        apart, gated = len(shapes) >= 6, len(shapes) == 7
        # What goes back to the residual from attention and from the perceptron need not be kept.
        products = sum(sum(shape) for shape in shapes) - 2 * width + (max(shapes[-1]) if gated else 0)
        return cls(
            num_layers=len(layers),
            matrices=sum(shape.numel() for shape in shapes),
            attention_width=heads * (getattr(settings, "head_dim", None) or width // heads) if heads else width,
            products=products,
            shared=(2 * apart + gated) * width,
            # Root mean square norms are composed of two operations that need their inputs.
            norms=sum(next(m.parameters()).numel() * (1 if isinstance(m, nn.LayerNorm) else 2) for m in norms),
        )

    def forward(self, length: int) -> int:
        """Operations on one sequence of ``length`` tokens."""
        return self.num_layers * (2 * self.matrices * length + 4 * length**2 * self.attention_width)

    def kept(self, length: int, size: int) -> int:
        """Bytes kept of one sequence, about; ``size`` is the bytes of a number in matrix products."""
        products = self.products - (self.shared if size == _FULL else 0)
        return self.num_layers * length * (products * size + self.norms * _FULL)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs of the parts of one model."""

    config: ModelConfig
    shape: TokenShape
    """Of the X-Encoder's tokens."""
    x_network: nn.Module
    """On the meta device, as the next."""
    y_network: nn.Module
    y_width: int
    """Of the Y-Encoder's embeddings before the head."""
    query_width: int
    """Of the token embeddings that read queries."""

    @classmethod
    def of(cls, config: ModelConfig) -> "Costs":
        """Those of a config; no weights are read.

        Raises:
            UserError: a backbone whose architecture is not known and cannot be had.
        """
        with torch.device("meta"):
            x_network, shape = x_encoder_class(config.x_encoder.name).skeleton(config.x_encoder)
            y_network, width = y_encoder_class(config.y_encoder.name).skeleton(config.y_encoder)
        return cls(
            config=config,
            shape=shape,
            x_network=x_network,
            y_network=y_network,
            y_width=width,
            query_width=token_table_shape(config.predictor.tokenizer)[1],
        )

    @cached_property
    def _x_tower(self) -> Tower:
        return Tower.of(self.x_network)

    @cached_property
    def _y_tower(self) -> Tower:
        return Tower.of(self.y_network)

    @property
    def tables(self) -> int:
        """Parameters of the Y-Encoder's token tables: in no matrix product, and frozen unless asked for."""
        return token_tables(self.y_network)

    def num_features(self, num_frames: int) -> int:
        """Numbers in the visual tokens of a clip, T * N * D."""
        return -(-num_frames // self.shape.tubelet) * self.shape.per_step * self.shape.dim

    def num_visual(self, num_frames: int) -> int:
        """Visual tokens of a clip in the predictor."""
        joined = self.shape.tubelet * self.config.predictor.tubelet
        return -(-num_frames // joined) * self.shape.per_step

    def x_encoder(self, num_frames: int) -> int:
        """Operations of the X-Encoder on a clip."""
        if isinstance(self.x_network, EfficientNetLite0):
            return num_frames * sum(_convolutions(self.x_network, self.config.x_encoder.frame_size))
        steps = -(-num_frames // self.shape.tubelet)
        patches = sum(m.weight.numel() for m in self.x_network.modules() if isinstance(m, (nn.Conv2d, nn.Conv3d)))
        # Frames see each other only where they are joined.
        joint = self.shape.tubelet > 1
        length = self.shape.per_step * (steps if joint else 1)
        return 2 * patches * self.shape.per_step * steps + (1 if joint else steps) * self._x_tower.forward(length)

    def predictor_layers(self, num_frames: int, query_tokens: int) -> int:
        """Operations of the predictor's layers on a clip and its query; none in the dual encoder."""
        if self.config.kind == "dual_encoder":
            return 0
        return layers_forward(self.config.predictor.transformer, self.num_visual(num_frames) + query_tokens)

    def recomputed(self, num_frames: int, query_tokens: int) -> int:
        """Operations to have the layers' activations again: a forward pass but for each layer's last product."""
        if self.config.kind == "dual_encoder":
            return 0
        transformer, length = self.config.predictor.transformer, self.num_visual(num_frames) + query_tokens
        last = 2 * transformer.num_layers * transformer.dim * transformer.ffn_dim * length
        return self.predictor_layers(num_frames, query_tokens) - last

    def predictor(self, num_frames: int, query_tokens: int) -> int:
        """Operations of the whole predictor on a clip and its query."""
        dim, embed = self.config.predictor.transformer.dim, self.config.embed_dim
        if self.config.kind == "dual_encoder":
            return 2 * 4 * dim * (self.shape.dim + embed)
        joined = self.shape.dim * self.config.predictor.tubelet
        visual = 2 * joined * dim * self.num_visual(num_frames)
        return visual + self.query(query_tokens) + self.predictor_layers(num_frames, query_tokens) + 2 * dim * embed

    def language_model(self, num_frames: int, query_tokens: int, target_tokens: int) -> int:
        """Operations of a token-space VLM on a clip, its query and a target, whose end token is one of its tokens."""
        dim, read = self.config.predictor.transformer.dim, query_tokens + target_tokens
        joined = self.shape.dim * self.config.predictor.tubelet
        visual = 2 * joined * dim * self.num_visual(num_frames)
        logits = 2 * dim * self.vocabulary * target_tokens
        return visual + self.query(query_tokens) + self.predictor_layers(num_frames, read) + logits

    @property
    def vocabulary(self) -> int:
        """Tokens that a token-space VLM writes in."""
        learned = learns_vocabulary(self.config)
        return self.config.y_decoder.vocab_size if learned else token_table_shape(self.config.predictor.tokenizer)[0]

    def query(self, query_tokens: int) -> int:
        """Operations of the projection that queries enter through."""
        if self.config.predictor.inputs == "plain" or self.config.kind == "dual_encoder":
            return 0
        return 2 * self.query_width * self.config.predictor.transformer.dim * query_tokens

    def unneeded(self, num_frames: int) -> int:
        """Operations of a backward pass that plain visual tokens spare: nothing behind their projection trains."""
        if self.config.predictor.inputs != "plain" or self.config.kind == "dual_encoder":
            return 0
        joined = self.shape.dim * self.config.predictor.tubelet
        return 2 * joined * self.config.predictor.transformer.dim * self.num_visual(num_frames)

    def y_encoder(self, target_tokens: int) -> int:
        """Operations of the Y-Encoder and its head on a text."""
        layers = {module for stack in self.y_network.modules() if isinstance(stack, nn.ModuleList) for module in stack}
        inside = {linear for layer in layers for linear in layer.modules()}
        after = [m for m in self.y_network.modules() if isinstance(m, nn.Linear) and m not in inside]
        head = self.y_width * self.config.embed_dim
        return self._y_tower.forward(target_tokens) + 2 * (sum(m.weight.numel() for m in after) + head)

    def y_decoder(self, target_tokens: int) -> int:
        """Operations of the Y-Decoder on a text, its own tokens being as many as the Y-Encoder's."""
        config = self.config.y_decoder
        dim = config.transformer.dim
        ends = self.config.embed_dim * config.prefix_tokens * dim + dim * config.vocab_size * target_tokens
        return 2 * ends + layers_forward(config.transformer, config.prefix_tokens + target_tokens - 1)

    @property
    def y_decoder_parameters(self) -> int:
        """Parameters of the Y-Decoder with a full vocabulary."""
        config = self.config.y_decoder
        dim = config.transformer.dim
        layers = config.transformer.num_layers * (_matrices(config.transformer) + 2 * dim)
        prefix = (self.config.embed_dim + 1) * config.prefix_tokens * dim
        return layers + dim + prefix + config.vocab_size * dim

    def predictor_kept(self, num_frames: int, query_tokens: int, size: int, *, recompute: bool) -> int:
        """Bytes that the predictor keeps of a sample for its backward pass; ``size`` as in ``Tower.kept``."""
        if self.config.kind == "dual_encoder":
            return (self.shape.dim + 2 * 4 * self.config.predictor.transformer.dim) * _FULL
        transformer, visual = self.config.predictor.transformer, self.num_visual(num_frames)
        dim, length = transformer.dim, visual + query_tokens
        joined = self.shape.dim * self.config.predictor.tubelet
        norm = 2 * dim * _FULL + _FULL
        if self.config.predictor.inputs == "plain":
            inputs = visual * joined * size
        else:
            inputs = visual * (joined * (_FULL + size) + norm) + query_tokens * (self.query_width * size + norm)
        # Where each token goes, its rotation (in bfloat16 each layer has copies), its final norm, and the mean of all.
        rope = 2 * transformer.head_dim * _FULL
        rest = inputs + length * (8 + rope + norm + dim * _FULL + 8)
        layer = length * _layer_kept(transformer, size)
        if recompute:
            return rest + transformer.num_layers * length * dim * _FULL + layer
        return rest + transformer.num_layers * layer

    def language_model_kept(
        self, num_frames: int, query_tokens: int, target_tokens: int, size: int, *, recompute: bool
    ) -> int:
        """Bytes that a token-space VLM keeps of a sample, about; the logits in float32 may be the most of it."""
        kept = self.predictor_kept(num_frames, query_tokens + target_tokens, size, recompute=recompute)
        return kept + target_tokens * self.vocabulary * (_FULL + size)

    def y_encoder_kept(self, target_tokens: int, size: int) -> int:
        """Bytes that the Y-Encoder keeps of a text, about."""
        return self._y_tower.kept(target_tokens, size)

    def y_decoder_kept(self, target_tokens: int, size: int) -> int:
        """Bytes that the Y-Decoder keeps of a text; its last layer's logits in float32 are the most of it."""
        config = self.config.y_decoder
        length = config.prefix_tokens + target_tokens - 1
        layers = config.transformer.num_layers * length * _layer_kept(config.transformer, size)
        return layers + target_tokens * config.vocab_size * (_FULL + size)


def layers_forward(config: TransformerConfig, length: int) -> int:
    """Operations of our transformer on one sequence."""
    return config.num_layers * (2 * _matrices(config) * length + 4 * length**2 * config.dim)


def _matrices(config: TransformerConfig) -> int:
    kv_dim = config.num_kv_heads * config.head_dim
    return 2 * config.dim * (config.dim + kv_dim) + 3 * config.dim * config.ffn_dim


def _layer_kept(config: TransformerConfig, size: int) -> int:
    """Bytes a token that a layer of ours keeps."""
    dim, kv_dim = config.dim, config.num_kv_heads * config.head_dim
    norms = 2 * (2 * dim * _FULL + _FULL)
    # In bfloat16 each of the five projections that read a norm gets a copy of its own.
    copies = (2 if size == _FULL else 5) * dim
    attention = 2 * dim + 2 * kv_dim
    # The softmax's logarithm, and rotations in the precision of what they turn.
    extra = config.num_heads * _FULL + (0 if size == _FULL else 4 * config.head_dim * size)
    return norms + (copies + attention + 4 * config.ffn_dim) * size + extra


def _convolutions(network: EfficientNetLite0, side: int) -> Iterator[int]:
    """Operations of each convolution on one picture."""
    side = -(-side // 2)
    yield 2 * network.stem.weight.numel() * side**2
    for block in network.blocks:
        assert isinstance(block, Block)
        if block.expand is not None:
            yield 2 * block.expand.weight.numel() * side**2
        side = -(-side // block.depthwise.stride[0])
        yield 2 * (block.depthwise.weight.numel() + block.project.weight.numel()) * side**2
