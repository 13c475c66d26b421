"""Runs on Tabletop, the synthetic world: the shipped model, its baseline, and smaller and larger ones."""

from dataclasses import replace

from vljepa.config import (
    ModelConfig,
    OptimConfig,
    PredictorConfig,
    RunConfig,
    SourceConfig,
    StageConfig,
    TransformerConfig,
    WordingConfig,
    XEncoderConfig,
    YEncoderConfig,
)
from vljepa.recipes.models import decoder, token_vlm

_IMAGES = SourceConfig(manifest="train/images.jsonl", num_frames=1)
_VIDEOS = SourceConfig(manifest="train/videos.jsonl")
_IMAGE_QUESTIONS = SourceConfig(manifest="train/sft_image_questions.jsonl", num_frames=1)
_SFT = (
    SourceConfig(manifest="train/sft_actions.jsonl", weight=0.23),
    SourceConfig(manifest="train/sft_videos.jsonl", weight=0.14),
    SourceConfig(manifest="train/sft_procedures.jsonl", weight=0.10),
    SourceConfig(manifest="train/sft_video_questions.jsonl", weight=0.10),
    SourceConfig(manifest="train/sft_images.jsonl", num_frames=1, weight=0.02),
    replace(_IMAGE_QUESTIONS, weight=0.23),
    SourceConfig(manifest="train/sft_pairs.jsonl", num_frames=2, weight=0.07),
    # Replay of the query-free stages, so that fine-tuning does not undo them.
    replace(_IMAGES, weight=0.03),
    replace(_VIDEOS, weight=0.08),
)
_DECODED = (
    replace(_IMAGES, weight=0.2),
    replace(_VIDEOS, weight=0.3),
    SourceConfig(manifest="train/sft_images.jsonl", num_frames=1, weight=0.1),
    SourceConfig(manifest="train/sft_videos.jsonl", weight=0.2),
    SourceConfig(manifest="train/sft_actions.jsonl", weight=0.12),
    SourceConfig(manifest="train/sft_procedures.jsonl", weight=0.08),
)
_WORDINGS = WordingConfig(every=2)
"""Tabletop's language is narrow: without others the Y-Encoder forgets what it has no use for (docs/log.md)."""


def nano() -> RunConfig:
    """The shipped model: 4 predictor layers on Tabletop, about an hour and a half on 2 cores: ``vljepa train nano``."""
    model = ModelConfig(
        x_encoder=XEncoderConfig(),
        predictor=PredictorConfig(
            transformer=TransformerConfig(dim=256, num_layers=4, num_heads=4, num_kv_heads=4, ffn_dim=688)
        ),
        y_encoder=YEncoderConfig(),
        y_decoder=decoder(192, 3),
    )
    stages = (
        StageConfig(
            name="image",
            sources=(_IMAGES,),
            num_steps=120,
            global_batch_size=256,
            optim=OptimConfig(warmup_steps=50),
        ),
        StageConfig(
            name="video",
            sources=(_VIDEOS,),
            num_steps=150,
            global_batch_size=128,
            optim=OptimConfig(warmup_steps=50),
        ),
        # To look a thing up by a question comes late and at once. Still images are the cheapest place to learn it, and
        # many small steps bring it sooner than few large ones.
        StageConfig(
            name="sft_images",
            sources=(replace(_IMAGE_QUESTIONS, weight=0.85), replace(_IMAGES, weight=0.15)),
            num_steps=1500,
            global_batch_size=64,
            optim=OptimConfig(warmup_steps=50),
        ),
        StageConfig(
            name="sft",
            sources=_SFT,
            num_steps=3000,
            global_batch_size=128,
            optim=OptimConfig(lr=1e-3, schedule="cosine", warmup_steps=50),
        ),
        # What the stages before took from the Y-Encoder comes back in few steps; kept up from the beginning it would
        # cost as many again.
        StageConfig(
            name="sft_texts",
            sources=_SFT,
            num_steps=800,
            global_batch_size=128,
            optim=OptimConfig(lr=6e-4, schedule="cosine", warmup_steps=50),
            wordings=_WORDINGS,
        ),
        StageConfig(
            name="y_decoder",
            sources=_DECODED,
            num_steps=500,
            global_batch_size=96,
            optim=OptimConfig(lr=1e-3, schedule="cosine", warmup_steps=50),
            trains="y_decoder",
            on_targets_steps=250,
            target_noise=0.3,
        ),
    )
    return RunConfig(name="nano", model=model, stages=stages, tabletop_size="nano")


def nano_dual_encoder() -> RunConfig:
    """The CLIP-style baseline: pooled features and no query, on nano's data, samples and steps.

    ``vljepa train nano-dual-encoder``
    """
    config = nano()
    joint = tuple(stage for stage in config.stages if stage.trains == "predictor")
    return replace(config, name="nano-dual-encoder", model=replace(config.model, kind="dual_encoder"), stages=joint)


def nano_token_vlm() -> RunConfig:
    """The token-space VLM: nano's frozen eyes, data, samples and steps, and twice its predictor's layers, causal.

    It has no Y-Encoder that nano's steps on texts alone could train.

    ``vljepa train nano-token-vlm``
    """
    config = nano()
    joint = tuple(replace(stage, wordings=None) for stage in config.stages if stage.trains == "predictor")
    return replace(config, name="nano-token-vlm", model=token_vlm(config.model), stages=joint)


def small() -> RunConfig:
    """The predictor is the last 8 of SmolLM2-135M's 30 layers, on a finer grid; for one small GPU's patience.

    ``vljepa train small``
    """
    config = nano()
    predictor = PredictorConfig(
        transformer=TransformerConfig(
            dim=576, num_layers=8, num_heads=9, num_kv_heads=3, ffn_dim=1536, rope_theta=100_000.0
        ),
        tokenizer="SmolLM2-135M",
        init="SmolLM2-135M",
        init_first_layer=22,
    )
    model = replace(
        config.model,
        x_encoder=XEncoderConfig(grid=6),
        predictor=predictor,
        y_decoder=decoder(256, 4),
    )
    stages = tuple(
        stage if stage.trains == "y_decoder" else replace(stage, optim=replace(stage.optim, lr=3e-4))
        for stage in config.stages
    )
    return replace(config, name="small", model=model, stages=stages)


def tiny() -> RunConfig:
    """All stages in a few steps on a handful of clips, to see the whole chain run: ``vljepa train tiny``."""
    config = nano()
    predictor = PredictorConfig(
        transformer=TransformerConfig(dim=64, num_layers=2, num_heads=2, num_kv_heads=2, ffn_dim=160)
    )
    stages = tuple(
        replace(
            stage,
            num_steps=8,
            global_batch_size=8,
            on_targets_steps=4 if stage.trains == "y_decoder" else 0,
            optim=replace(stage.optim, warmup_steps=2),
            wordings=replace(stage.wordings, num_scenes=2) if stage.wordings else None,
        )
        for stage in config.stages
    )
    model = replace(config.model, predictor=predictor, y_decoder=decoder(64, 1))
    return replace(
        config, name="tiny", model=model, stages=stages, data="data/tabletop-tiny", tabletop_size="tiny", log_every=4
    )
