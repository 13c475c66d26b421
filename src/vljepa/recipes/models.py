"""The models of the paper's size: its own two, and one without licences to accept."""

from dataclasses import replace

from vljepa.config import (
    ModelConfig,
    PredictorConfig,
    RopeScaling,
    TransformerConfig,
    XEncoderConfig,
    YDecoderConfig,
    YEncoderConfig,
)


def decoder(dim: int, num_layers: int, *, vocab_size: int = 1024, max_tokens: int = 48) -> YDecoderConfig:
    """A Y-Decoder of four heads."""
    return YDecoderConfig(
        transformer=TransformerConfig(
            dim=dim, num_layers=num_layers, num_heads=4, num_kv_heads=4, ffn_dim=dim * 8 // 3 // 16 * 16, causal=True
        ),
        vocab_size=vocab_size,
        max_tokens=max_tokens,
    )


def token_vlm(model: ModelConfig) -> ModelConfig:
    """The token-space VLM beside a VL-JEPA: a causal language model of twice its predictor's layers, as wide.

    Of a pretrained language model it takes the layers before the predictor's too.
    """
    ours, transformer = model.predictor, model.predictor.transformer
    twice = replace(transformer, num_layers=2 * transformer.num_layers, causal=True)
    first = max(0, ours.init_first_layer - transformer.num_layers)
    return replace(model, kind="token_vlm", predictor=replace(ours, transformer=twice, init_first_layer=first))


_LLAMA_32 = TransformerConfig(
    dim=2048,
    num_layers=8,
    num_heads=32,
    num_kv_heads=8,
    ffn_dim=8192,
    rope_theta=500_000.0,
    rope_scaling=RopeScaling(factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_context=8192),
)
"""The last 8 of Llama-3.2-1B's 16 layers, the causal mask off (paper, section 3.1)."""


def paper_model() -> ModelConfig:
    """The paper's instance, section 3.1: V-JEPA 2 ViT-L, eight layers of Llama-3.2-1B, EmbeddingGemma.

    Two of its backbones are behind licences, which are accepted on the hub. Frames of 292 pixels are V-JEPA 2's own
    preprocessing: it reads the 256 in their centre.
    """
    llama = "meta-llama/Llama-3.2-1B"
    return ModelConfig(
        x_encoder=XEncoderConfig(
            name="facebook/vjepa2-vitl-fpc64-256", frame_size=292, num_frames=32, dtype="bfloat16"
        ),
        predictor=PredictorConfig(transformer=_LLAMA_32, tokenizer=llama, tubelet=1, init=llama, init_first_layer=8),
        y_encoder=YEncoderConfig(name="google/embeddinggemma-300m", prompt="STS", train_token_embeddings=True),
        y_decoder=decoder(512, 6, vocab_size=16384, max_tokens=96),
        embed_dim=1536,
    )


def paper_control_model() -> ModelConfig:
    """The comparison of section 4.5: as ``paper_model``, on 16 frames of 336 pixels through Perception Encoder L/14."""
    return replace(
        paper_model(),
        x_encoder=XEncoderConfig(name="facebook/PE-Core-L14-336", frame_size=336, num_frames=16, dtype="bfloat16"),
    )


def paper_control_vlm_model() -> ModelConfig:
    """The token-space VLM of section 4.5: the same eyes, and all 16 layers of Llama-3.2-1B with its token table."""
    vlm = token_vlm(paper_control_model())
    return replace(vlm, predictor=replace(vlm.predictor, inputs="plain"))


def open_model() -> ModelConfig:
    """As ``paper_model`` without licences to accept: the last 8 of SmolLM2-1.7B's 24 layers, and Qwen3-Embedding."""
    smollm2 = "HuggingFaceTB/SmolLM2-1.7B"
    transformer = replace(_LLAMA_32, num_kv_heads=32, rope_theta=130_000.0, rope_scaling=None)
    return replace(
        paper_model(),
        predictor=PredictorConfig(
            transformer=transformer, tokenizer=smollm2, tubelet=1, init=smollm2, init_first_layer=16
        ),
        y_encoder=YEncoderConfig(name="Qwen/Qwen3-Embedding-0.6B", train_token_embeddings=True),
    )
