"""What the three models have in common, and where along the way they are measured."""

from dataclasses import dataclass, replace
from typing import Literal

from vljepa.config import ModelConfig, OptimConfig, RunConfig, SourceConfig, StageConfig
from vljepa.errors import UserError
from vljepa.recipes import RECIPES
from vljepa.recipes.models import token_vlm

Kind = Literal["vl_jepa", "token_vlm", "dual_encoder"]
KINDS: tuple[Kind, ...] = ("vl_jepa", "token_vlm", "dual_encoder")

_SOURCES = (
    SourceConfig(manifest="train/sft_actions.jsonl", weight=0.5),
    SourceConfig(manifest="train/sft_videos.jsonl", weight=0.3),
    SourceConfig(manifest="train/sft_procedures.jsonl", weight=0.2),
)
"""What the two panels measure: actions, captions, procedures and their steps. Questions on images are left out."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Three models from the same samples in the same order, by one schedule, over several seeds."""

    recipe: Literal["nano", "small", "tiny"] = "nano"
    """Whose VL-JEPA is compared with the baselines of its size."""
    data: str = "data/tabletop"
    """Folder of Tabletop, written if it is not there."""
    out: str = "runs/compare"
    """Folder of the runs, and of the outcome."""
    seeds: tuple[int, ...] = (0, 1, 2)
    num_steps: int = 1600
    global_batch_size: int = 128
    """The paper's."""
    num_points: int = 8
    """Counts of samples seen at which models are measured, on a logarithmic scale; the last is the end."""
    first_share: float = 1 / 32
    """The first of them, relative to the last: 0.5 M of 15 M samples in the paper."""
    lr: float = 7e-4
    """Of VL-JEPA and the dual encoder."""
    vlm_lr: float = 7e-4
    """Of the token-space VLM."""
    decoder_steps: int = 200
    """Of a Y-Decoder for each point of the models that have one; no part of what is compared, as in the paper."""
    limit: int = 200
    """Items of each benchmark at most."""
    tabletop_size: Literal["tiny", "demo", "nano"] = "nano"

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UserError("compare: seeds must be one or more different numbers")
        if not 0 < self.first_share < 1 or self.num_points < 2 or len(self.steps) < self.num_points:
            raise UserError(
                f"compare: {self.num_steps} steps are too few for {self.num_points} points; lower one of them"
            )

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps after which the models are measured."""
        places = (k / (self.num_points - 1) for k in range(self.num_points))
        return tuple(sorted({max(1, round(self.num_steps * self.first_share ** (1 - place))) for place in places}))

    def model(self, kind: Kind) -> ModelConfig:
        """The recipe's, or the baseline beside it."""
        ours = RECIPES[self.recipe]().model
        return token_vlm(ours) if kind == "token_vlm" else replace(ours, kind=kind)

    def run(self, kind: Kind, seed: int) -> RunConfig:
        """The training run of one model; only its architecture and its rate differ from those beside it."""
        stage = StageConfig(
            name="control",
            sources=_SOURCES,
            num_steps=self.num_steps,
            global_batch_size=self.global_batch_size,
            optim=OptimConfig(lr=self.vlm_lr if kind == "token_vlm" else self.lr, warmup_steps=50),
        )
        return RunConfig(
            name=f"compare-{kind}-{seed}",
            model=self.model(kind),
            stages=(stage,),
            data=self.data,
            tabletop_size=self.tabletop_size,
            out=f"{self.out}/{kind}-{seed}",
            seed=seed,
            snapshots=self.steps,
        )

    def decoder(self, kind: Kind, seed: int, step: int) -> RunConfig:
        """The run that gives a snapshot its Y-Decoder."""
        joint, last = self.run(kind, seed), RECIPES[self.recipe]().stages[-1]
        stage = replace(
            last,
            sources=_SOURCES,
            num_steps=self.decoder_steps,
            on_targets_steps=self.decoder_steps // 2,
        )
        return replace(
            joint,
            name=f"{joint.name}-decoder",
            stages=(stage,),
            out=f"{joint.folder}/decoders/step-{step:09d}",
            start_from=snapshot(joint, step),
            snapshots=(),
        )


def snapshot(run: RunConfig, step: int) -> str:
    """Folder of the model after a step."""
    return f"{run.folder}/snapshots/step-{step:09d}"
