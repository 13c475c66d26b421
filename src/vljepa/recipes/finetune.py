"""A trained model taken further on clips of one's own."""

from vljepa.config import OptimConfig, RunConfig, SourceConfig, StageConfig
from vljepa.recipes.tabletop import nano


def finetune() -> RunConfig:
    """One GPU, or a CPU and the shipped model: fine-tune a checkpoint on a manifest.

        vljepa prepare folder clips data/own
        vljepa train finetune --start-from runs/open-sft/model

    The architecture, and with it the frames a clip gives, is the checkpoint's; without ``--start-from`` it is that of
    the shipped ``nano``. Features are computed once, as a manifest of one's own is small and seen many times. All that
    was trained goes on being trained, gently; the Y-Decoder stays, and ``vljepa train-decoder`` makes a new one where
    the texts are of another kind.
    """
    stage = StageConfig(
        name="finetune",
        sources=(SourceConfig(manifest="train/folder.jsonl"),),
        num_steps=500,
        global_batch_size=64,
        optim=OptimConfig(lr=1e-4, schedule="cosine", warmup_steps=25),
    )
    return RunConfig(
        name="finetune",
        model=nano().model,
        stages=(stage,),
        data="data/own",
        start_from="nano",
        save_every=50,
    )
