"""What a model is made of."""

from dataclasses import dataclass
from typing import Literal

from vljepa.errors import UserError


@dataclass(frozen=True, kw_only=True)
class RopeScaling:
    """Llama 3's stretching of rotary positions ("llama3" in ``config.json``) for contexts longer than first trained."""

    factor: float
    """By how much the slow rotations are slowed further."""
    low_freq_factor: float
    """Rotations with fewer turns than this in the original context are slow."""
    high_freq_factor: float
    """Those with more turns than this stay as they are; between the two they are blended."""
    original_context: int
    """Tokens."""


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The one transformer block of the project: Llama's (RMSNorm, RoPE, grouped-query attention, SwiGLU)."""

    dim: int
    """Hidden width D."""
    num_layers: int
    num_heads: int
    num_kv_heads: int
    """Key/value heads; num_heads must be a multiple."""
    ffn_dim: int
    """Inner width of SwiGLU."""
    causal: bool = False
    """Mask the future: True for language models, False for the predictor."""
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.dim % self.num_heads or self.num_heads % self.num_kv_heads:
            raise UserError(
                f"transformer: dim {self.dim} must be a multiple of num_heads {self.num_heads}, "
                f"and that a multiple of num_kv_heads {self.num_kv_heads}"
            )

    @property
    def head_dim(self) -> int:
        return self.dim // self.num_heads


@dataclass(frozen=True, kw_only=True)
class XEncoderConfig:
    """The frozen X-Encoder: frames to visual tokens."""

    name: str = "efficientnet-lite0"
    """Backbone: that one, ``owner/name`` or ``owner/name@revision`` on the Hugging Face hub, or a folder in its
    format."""
    frame_size: int = 192
    """Frames are resized and centre-cropped to this square, pixels; a hub backbone then takes the centre it reads."""
    taps: tuple[int, ...] = (7, 10)
    """Of efficientnet-lite0: blocks whose outputs are concatenated into the visual tokens."""
    grid: int = 4
    """Of efficientnet-lite0: tokens per side, N = grid * grid. Finer taps are folded (space to depth) onto it."""
    num_frames: int = 8
    """Frames sampled uniformly from a video clip (an image gives 1)."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of a hub backbone's frozen weights."""


@dataclass(frozen=True, kw_only=True)
class PredictorConfig:
    """Predictor: visual tokens and query to the predicted target embedding."""

    transformer: TransformerConfig
    tokenizer: str = "all-MiniLM-L6-v2"
    """Whose tokenizer and token embeddings read the query: a backbone of the project, or a Llama on the hub or in a
    folder."""
    tubelet: int = 2
    """Consecutive time steps joined into one token per grid cell; a single one is repeated to fill it. 1 for an
    X-Encoder that joins frames itself."""
    max_query_tokens: int = 512
    inputs: Literal["normalized", "plain"] = "normalized"
    """``normalized``: both kinds of tokens are projected and brought to one scale, visual ones get learned positions.
    ``plain``, the form of open-vljepa: visual tokens are projected and nothing more, rotary positions alone tell them
    apart; the query enters as the language model's own embeddings, begin token included."""
    init: str | None = None
    """Llama whose layers start the predictor, named as ``tokenizer``; None starts at random."""
    init_first_layer: int = 0
    """First layer taken from ``init``."""


@dataclass(frozen=True, kw_only=True)
class YEncoderConfig:
    """Y-Encoder: target text to its embedding."""

    name: str = "all-MiniLM-L6-v2"
    """Backbone: that one, or a text encoder on the Hugging Face hub or in a folder, named as the X-Encoder."""
    max_tokens: int = 512
    """Context, tokens; longer texts are cut."""
    prompt: str | None = None
    """Name of the backbone's own prompt put before every text, e.g. EmbeddingGemma's ``STS``; None adds nothing."""
    pooled_only: bool = False
    """The head reads the pooled outputs as they are: without the linear layers that a sentence encoder has after
    pooling, and without scaling to unit length (the form of open-vljepa)."""
    train_token_embeddings: bool = False
    """Train the token table too. Off in ``nano``: the table alone would exceed the shipped size."""


@dataclass(frozen=True, kw_only=True)
class YDecoderConfig:
    """Y-Decoder: embedding to text, trained after everything else."""

    transformer: TransformerConfig
    prefix_tokens: int = 4
    """Tokens into which the embedding is projected, read before the text."""
    vocab_size: int = 1024
    """Byte-level BPE, learned from the training targets."""
    max_tokens: int = 48
    """Longest decoded text, tokens."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A whole VL-JEPA, or one of its two baselines, whose config says only what differs."""

    x_encoder: XEncoderConfig
    predictor: PredictorConfig
    y_encoder: YEncoderConfig
    y_decoder: YDecoderConfig
    embed_dim: int = 384
    """E, the shared space (the paper: 1,536)."""
    kind: Literal["vl_jepa", "dual_encoder", "token_vlm"] = "vl_jepa"
    """``dual_encoder``: pooled visual features and no query, in the predictor's place (CLIP-style).

    ``token_vlm``: no shared space; what ``predictor`` describes, causal and deeper, goes on to write the target, token
    by token (section 4.5). With plain inputs it writes in the tokens that read its queries, as a language model does;
    else in a vocabulary learned from the targets, ``y_decoder.vocab_size``. Texts are as long as the Y-Decoder's."""
    video_query: str = "Describe this video in one sentence."
    """Asked of a video that comes without a query, to caption or to find it; it should be one the model has learned."""
    image_query: str = "Describe this image."
    """The same of an image."""
