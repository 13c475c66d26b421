"""The paper's runs, section 3.1, one recipe a stage of training, each from the checkpoint of the one before.

    torchrun --nnodes 24 --nproc-per-node 8 -m vljepa train paper-image

The sources lie in ``data/paper``: ``datacomp``, tar shards as img2dataset writes them, and in ``train`` the manifests
that ``vljepa prepare`` makes of YFCC-100M, Action100M and the PLM mixture (docs/data.md). Each recipe of a VL-JEPA has
a counterpart ``open-...`` that needs no licence.

What the paper leaves open is decided here and marked as assumed.
"""

from dataclasses import replace

from vljepa.config import ModelConfig, OptimConfig, RunConfig, SourceConfig, StageConfig
from vljepa.recipes.models import open_model, paper_control_model, paper_control_vlm_model, paper_model

_LR = 5e-5
_CONSTANT = OptimConfig(lr=_LR, warmup_steps=1000)
"""The rate is the paper's, the warm-up assumed."""
_COSINE = OptimConfig(lr=_LR, schedule="cosine", warmup_steps=1000)
"""The schedule is the paper's, its peak assumed to be the rate before it."""

# By size: DataComp's 1.3 billion pairs, of which not all can still be had, against a hundred million; assumed.
_IMAGES = (
    SourceConfig(manifest="datacomp", num_frames=1, weight=0.9),
    SourceConfig(manifest="train/yfcc100m.jsonl", num_frames=1, weight=0.1),
)
_FRAMES = 32
_ACTION100M = SourceConfig(manifest="train/action100m.jsonl", num_frames=_FRAMES)
_SFT = (
    SourceConfig(manifest="train/plm_images.jsonl", num_frames=1, weight=0.45),
    SourceConfig(manifest="train/plm_videos.jsonl", num_frames=_FRAMES, weight=0.30),
    SourceConfig(manifest="train/action100m_sft.jsonl", num_frames=_FRAMES, weight=0.05),
    # Replay of the query-free stages, so that fine-tuning does not undo them. The paper says that there is some.
    *(replace(source, weight=0.1 * source.weight) for source in _IMAGES),
    replace(_ACTION100M, weight=0.10),
)
_DECODED = (_IMAGES[0], replace(_ACTION100M, num_frames=8, weight=0.6), replace(_SFT[1], num_frames=8, weight=0.3))


def paper_image() -> RunConfig:
    """Stage 1 on images: batch 24k, 100,000 steps, constant rate.

    ``vljepa train paper-image``
    """
    return _run("paper-image", paper_model(), _image())


def paper_video8() -> RunConfig:
    """Stage 1 on videos of 8 frames: 60,000 steps. The batch is assumed to be that of fine-tuning.

    ``vljepa train paper-video8``
    """
    return _run("paper-video8", paper_model(), _video(8, 60_000), after="paper-image")


def paper_video32() -> RunConfig:
    """Stage 1 on videos of 32 frames: 10,000 steps. Its result is the paper's VL-JEPA_BASE.

    ``vljepa train paper-video32``
    """
    return _run("paper-video32", paper_model(), _video(_FRAMES, 10_000), after="paper-video8")


def paper_sft() -> RunConfig:
    """Stage 2, with queries: batch 3,072, 83,000 steps, cosine, replay of stage 1; then the Y-Decoder.

    Its result is the paper's VL-JEPA_SFT. ``vljepa train paper-sft``
    """
    return _run("paper-sft", paper_model(), _sft(), _y_decoder(), after="paper-video32")


def paper_control() -> RunConfig:
    """The comparison of section 4.5 with a token-space VLM: batch 128, 15 million samples, from no checkpoint.

    It recomputes activations, without which 8 GPUs, 16 samples each, would need 180 GB each (docs/scaling.md).

    ``vljepa train paper-control``
    """
    return replace(_run("paper-control", paper_control_model(), _control()), recompute=True)


def paper_control_vlm() -> RunConfig:
    """The token-space VLM of that comparison: the samples, order, batch and schedule of ``paper_control``.

    ``vljepa train paper-control-vlm``
    """
    return _run("paper-control-vlm", paper_control_vlm_model(), _control())


def open_image() -> RunConfig:
    """As ``paper_image``, without licences to accept: ``vljepa train open-image``."""
    return _run("open-image", open_model(), _image())


def open_video8() -> RunConfig:
    """As ``paper_video8``, without licences to accept: ``vljepa train open-video8``."""
    return _run("open-video8", open_model(), _video(8, 60_000), after="open-image")


def open_video32() -> RunConfig:
    """As ``paper_video32``, without licences to accept: ``vljepa train open-video32``."""
    return _run("open-video32", open_model(), _video(_FRAMES, 10_000), after="open-video8")


def open_sft() -> RunConfig:
    """As ``paper_sft``, without licences to accept: ``vljepa train open-sft``."""
    return _run("open-sft", open_model(), _sft(), _y_decoder(), after="open-video32")


def open_control() -> RunConfig:
    """As ``paper_control``, on ``open_model``'s language model and text encoder: ``vljepa train open-control``."""
    model = replace(open_model(), x_encoder=paper_control_model().x_encoder)
    return replace(_run("open-control", model, _control()), recompute=True)


def _run(name: str, model: ModelConfig, *stages: StageConfig, after: str | None = None) -> RunConfig:
    return RunConfig(
        name=name,
        model=model,
        stages=stages,
        data="data/paper",
        start_from=after and f"runs/{after}/model",
        cache_features=False,
        decode_processes=12,
        save_every=500,
    )


def _image() -> StageConfig:
    # "24k": the multiple of 192, the paper's GPUs, that is nearest to a round number in binary.
    return StageConfig(name="image", sources=_IMAGES, num_steps=100_000, global_batch_size=24_576, optim=_CONSTANT)


def _video(num_frames: int, num_steps: int) -> StageConfig:
    return StageConfig(
        name=f"video{num_frames}",
        sources=(replace(_ACTION100M, num_frames=num_frames),),
        num_steps=num_steps,
        global_batch_size=3072,
        optim=_CONSTANT,
    )


def _sft() -> StageConfig:
    return StageConfig(name="sft", sources=_SFT, num_steps=83_000, global_batch_size=3072, optim=_COSINE)


def _control() -> StageConfig:
    # 117,188 batches of 128 are the 15 million samples at which figure 3 ends. Its training set is not named.
    sources = tuple(replace(source, num_frames=min(source.num_frames, 16)) for source in _SFT)
    return StageConfig(name="control", sources=sources, num_steps=117_188, global_batch_size=128, optim=_CONSTANT)


def _y_decoder() -> StageConfig:
    """Assumed whole: the paper says of the Y-Decoder that it is trained afterwards."""
    return StageConfig(
        name="y_decoder",
        sources=_DECODED,
        num_steps=20_000,
        global_batch_size=768,
        optim=OptimConfig(lr=5e-4, schedule="cosine", warmup_steps=500),
        trains="y_decoder",
        on_targets_steps=10_000,
        target_noise=0.3,
    )
