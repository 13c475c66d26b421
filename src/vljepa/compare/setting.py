"""What the models have in common, and where along the way they are measured."""

from dataclasses import dataclass, replace
from typing import Literal

from vljepa.config import ModelConfig, OptimConfig, RunConfig, SourceConfig, StageConfig
from vljepa.errors import UserError
from vljepa.recipes import RECIPES
from vljepa.recipes.models import token_vlm

Kind = Literal["vl_jepa", "token_vlm", "dual_encoder"]
KINDS: tuple[Kind, ...] = ("vl_jepa", "token_vlm", "dual_encoder")

SHARES = {"sft_actions": 0.5, "sft_videos": 0.3, "sft_procedures": 0.2}
"""What the two panels measure: actions, captions, procedures and their steps. Questions on images are left out."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Models from the same samples in the same order, by one schedule, over several seeds."""

    recipe: Literal["nano", "small", "tiny"] = "nano"
    """Whose VL-JEPA is compared with the baselines of its size."""
    data: str = "data/tabletop"
    """Folder of Tabletop, written if it is not there."""
    tabletop_size: Literal["tiny", "demo", "nano"] = "nano"
    out: str = "runs/compare"
    """Folder of the runs, and of the outcome."""
    cache: str = ""
    """Folder of the frozen features of the benchmarks; default ``OUT/features``."""
    kinds: tuple[Kind, ...] = KINDS
    seeds: tuple[int, ...] = (0, 1, 2)
    num_steps: int = 200
    global_batch_size: int = 128
    """The paper's."""
    num_points: int = 8
    """Counts of samples seen at which models are measured, on a logarithmic scale; the last is the end."""
    first_share: float = 1 / 32
    """The first of them, relative to the last: 0.5 M of 15 M samples in the paper."""
    vl_jepa_lr: float = 7e-4
    token_vlm_lr: float = 7e-4
    dual_encoder_lr: float = 7e-4
    rates: tuple[float, ...] = ()
    """Learning rates that each model is tried with before, on the validation split; it goes on with its best. None:
    those above."""
    trial_steps: int = 100
    """Of a trial."""
    paraphrases: int | None = None
    """Wordings that training knows for each fact, the same for all clips; None: those of the data, drawn for each clip
    anew."""
    decoder_steps: int = 240
    """Of the first point's Y-Decoder, of a model that has one; no part of what is compared, as in the paper."""
    more_decoder_steps: int = 60
    """Of each later point's, which goes on from the one before."""
    limit: int = 200
    """Items of each benchmark at most."""
    split: Literal["test", "validation"] = "test"

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UserError("compare: seeds must be one or more different numbers")
        if not self.kinds or len(set(self.kinds)) < len(self.kinds):
            raise UserError("compare: kinds must be one or more different models")
        if not 0 < self.first_share < 1 or self.num_points < 1 or len(self.steps) < self.num_points:
            raise UserError(
                f"compare: {self.num_steps} steps are too few for {self.num_points} points; lower one of them"
            )
        if self.paraphrases is not None and self.paraphrases < 1:
            raise UserError(f"compare: paraphrases must be >= 1, found {self.paraphrases}")

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps after which the models are measured."""
        if self.num_points == 1:
            return (self.num_steps,)
        places = (k / (self.num_points - 1) for k in range(self.num_points))
        return tuple(sorted({max(1, round(self.num_steps * self.first_share ** (1 - place))) for place in places}))

    @property
    def features(self) -> str:
        return self.cache or f"{self.out}/features"

    @property
    def manifests(self) -> str:
        """Folder of the training manifests, below the data."""
        return "train" if self.paraphrases is None else f"wordings-{self.paraphrases}"

    def model(self, kind: Kind) -> ModelConfig:
        """The recipe's, or the baseline beside it."""
        ours = RECIPES[self.recipe]().model
        return token_vlm(ours) if kind == "token_vlm" else replace(ours, kind=kind)

    def lr(self, kind: Kind) -> float:
        """Peak learning rate."""
        return {"vl_jepa": self.vl_jepa_lr, "token_vlm": self.token_vlm_lr, "dual_encoder": self.dual_encoder_lr}[kind]

    def run(self, kind: Kind, seed: int) -> RunConfig:
        """The training run of one model; only its architecture and its rate differ from those beside it."""
        stage = StageConfig(
            name="control",
            sources=self._sources(),
            num_steps=self.num_steps,
            global_batch_size=self.global_batch_size,
            optim=OptimConfig(lr=self.lr(kind), warmup_steps=min(50, self.num_steps // 4)),
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
        """The run that gives a snapshot its Y-Decoder, from the one of the snapshot before it."""
        joint, last = self.run(kind, seed), RECIPES[self.recipe]().stages[-1]
        number = self.steps.index(step)
        num_steps = self.more_decoder_steps if number else self.decoder_steps
        optim = replace(last.optim, schedule="constant", warmup_steps=min(last.optim.warmup_steps, num_steps // 4))
        stage = replace(
            last,
            sources=self._sources(),
            num_steps=num_steps,
            on_targets_steps=num_steps // 2,
            optim=optim,
        )
        return replace(
            joint,
            name=f"{joint.name}-decoder",
            stages=(stage,),
            out=f"{joint.folder}/decoders/step-{step:09d}",
            start_from=snapshot(joint, step),
            y_decoder_from=f"{self.decoder(kind, seed, self.steps[number - 1]).folder}/model" if number else None,
            # Each goes on with other samples than the one before it.
            seed=len(self.steps) * seed + number,
            snapshots=(),
        )

    def _sources(self) -> tuple[SourceConfig, ...]:
        return tuple(
            SourceConfig(manifest=f"{self.manifests}/{name}.jsonl", weight=share) for name, share in SHARES.items()
        )


def snapshot(run: RunConfig, step: int) -> str:
    """Folder of the model after a step."""
    return f"{run.folder}/snapshots/step-{step:09d}"
