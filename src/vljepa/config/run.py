"""What a run trains a model on, and how."""

from dataclasses import dataclass, field
from typing import Literal

from vljepa.config.model import ModelConfig
from vljepa.errors import UserError


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    name: Literal["info_nce", "cosine", "l1", "l2", "vicreg", "sigreg"] = "info_nce"
    multi_positive: bool = False
    """Equal targets in a batch are each other's positives and never negatives (info_nce only).

    Off: equal texts have one embedding, so that plain InfoNCE already learns from them as from one soft target, and it
    learned yes-or-no questions sooner (docs/log.md)."""
    initial_temperature: float = 0.07
    max_logit_scale: float = 100.0


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    lr: float = 7e-4
    """Peak learning rate of predictor, heads and logit scale."""
    y_encoder_lr_multiplier: float = 0.05
    """Learning rate of the Y-Encoder's backbone relative to ``lr`` (paper, section 3.1); 0 freezes it."""
    y_encoder_head_lr_multiplier: float = 1.0
    """The same of its head. 0 leaves the head as it starts: the identity, where it has equally many ins and outs."""
    y_encoder_momentum: float | None = None
    """Predictions learn from the targets of a second Y-Encoder, the moving average of the trained one with this
    momentum; the trained one learns from the predictions, held still. None: both are one. With plain InfoNCE."""
    weight_decay: float = 0.05
    """On matrices only; never on gains, biases, embeddings or the logit scale."""
    betas: tuple[float, float] = (0.9, 0.98)
    warmup_steps: int = 200
    schedule: Literal["constant", "cosine"] = "constant"
    grad_clip: float = 1.0
    spike_factor: float = 20.0
    """A step is skipped if its gradient norm exceeds this many medians of the norms before it, and ``grad_clip``, or is
    not finite."""
    max_skipped: int = 10
    """Steps skipped in a row that end the run."""

    def __post_init__(self) -> None:
        if self.y_encoder_momentum is not None and not 0 <= self.y_encoder_momentum < 1:
            raise UserError(f"y_encoder_momentum must be >= 0 and below 1, found {self.y_encoder_momentum}")


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """One manifest, or set of shards, in a mixture."""

    manifest: str
    """Path relative to the run's ``data``: a manifest, ``*.jsonl``, or WebDataset tar shards, a folder of them or a
    pattern such as ``datacomp/{00000..00041}.tar``."""
    weight: float = 1.0
    """Share of steps that draw their batch from it, relative to the others."""
    num_frames: int = 8
    """F, taken of each clip; 1 for images."""


@dataclass(frozen=True, kw_only=True)
class WordingConfig:
    """What trains the Y-Encoder on texts alone, between joint steps: made-up everyday captions in two wordings each
    (``vljepa.everyday``), told apart from captions that are almost the same."""

    every: int = 5
    """Joint steps for each one on texts."""
    num_scenes: int = 16
    """Of a batch."""
    num_alterations: int = 3
    """Scenes beside each, in which a part has changed its place or is another: hard negatives. 0: paraphrases alone."""

    def __post_init__(self) -> None:
        if self.every < 1 or self.num_alterations < 0 or self.num_pairs < 2:
            raise UserError("wordings: every must be >= 1, num_alterations >= 0, and the pairs of a batch >= 2")

    @property
    def num_pairs(self) -> int:
        """Of a batch, over all processes."""
        return self.num_scenes * (1 + self.num_alterations)


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """One stage of training; stages of a run follow each other on the same model."""

    name: str
    sources: tuple[SourceConfig, ...]
    num_steps: int
    global_batch_size: int
    optim: OptimConfig
    trains: Literal["predictor", "y_decoder"] = "predictor"
    """``predictor``: predictor and Y-Encoder jointly; of a token-space VLM all that is not frozen. ``y_decoder``: the
    decoder alone, all else frozen."""
    on_targets_steps: int = 0
    """``y_decoder`` only: first steps on noised target embeddings (text alone); then on predicted ones."""
    target_noise: float = 0.0
    """``y_decoder`` only: length of the Gaussian noise added to unit target embeddings."""
    wordings: WordingConfig | None = None
    """``predictor`` only: texts beside the sources' targets; None: no others."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise UserError(f"stage {self.name!r}: no sources; name at least one manifest")
        if self.num_steps < 1 or self.global_batch_size < 2:
            raise UserError(f"stage {self.name!r}: num_steps must be >= 1 and global_batch_size >= 2")
        if self.wordings is not None and self.trains != "predictor":
            raise UserError(f"stage {self.name!r}: wordings train the Y-Encoder, which is frozen here; leave them out")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that determines a run: same config, same machine, same weights."""

    name: str
    model: ModelConfig
    stages: tuple[StageConfig, ...]
    loss: LossConfig = field(default_factory=LossConfig)
    data: str = "data/tabletop"
    """Folder that the sources lie in."""
    cache_features: bool = True
    """Compute the frozen features of every clip before the first step and keep them below ``data``. False decodes clips
    and runs the X-Encoder in every step, for data that is too much to keep features of; shards are then read as they
    lie."""
    decode_processes: int = 2
    """Processes that decode clips for each process that trains."""
    decode_seconds: float = 30.0
    """For one clip; one that takes longer is left out."""
    tabletop_size: Literal["tiny", "demo", "nano"] | None = None
    """If set, Tabletop of this size is written to ``data`` when that folder is absent."""
    out: str = ""
    """Run folder; default ``runs/<name>``."""
    start_from: str | None = None
    """Checkpoint, by folder or as a shipped model's name, whose weights the run starts from; a stage that trains the
    Y-Decoder trains a new one for it. None starts anew."""
    y_decoder_from: str | None = None
    """Checkpoint with the Y-Decoder that a stage which trains one goes on with, instead of a new one; with
    ``start_from``."""
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """Of matrix products in forward and backward; weights and optimizer stay float32."""
    log_every: int = 20
    """Steps."""
    save_every: int = 200
    """Steps that a kill may cost at most. A state is begun twice as often, as it is written while training goes on."""
    snapshots: tuple[int, ...] = ()
    """Steps of the run after which the model is kept as a checkpoint, ``<run folder>/snapshots/step-...``, so that its
    course can be measured."""
    micro_batch_size: int | None = None
    """Samples that a process holds the graph of at a time in joint training, whatever its batch; the gradient stays
    that of the batch. None: all of them, which saves one forward pass."""
    sharded: bool = False
    """Split weights, gradients and moments over the processes (FSDP2) instead of keeping all on each."""
    recompute: bool = False
    """Compute the predictor's activations again in the backward pass instead of keeping them."""
    compile: bool = False
    """Compile the predictor's layers (torch.compile)."""

    def __post_init__(self) -> None:
        if self.save_every < 2:
            raise UserError(f"save_every must be >= 2, found {self.save_every}")
        if self.micro_batch_size is not None and self.micro_batch_size < 1:
            raise UserError(f"micro_batch_size must be >= 1, found {self.micro_batch_size}")
        if self.decode_processes < 1 or self.decode_seconds <= 0:
            raise UserError("decode_processes must be >= 1 and decode_seconds positive")
        if self.y_decoder_from is not None and self.start_from is None:
            raise UserError("y_decoder_from needs start_from, the model whose embeddings the decoder reads")
        if any(stage.optim.y_encoder_momentum is not None for stage in self.stages):
            if self.sharded:
                raise UserError("y_encoder_momentum needs the whole Y-Encoder on each process; leave out --sharded")
            if self.loss.name != "info_nce" or self.loss.multi_positive:
                raise UserError("y_encoder_momentum goes with plain info_nce alone; set another loss or leave it out")
        if self.snapshots and self.sharded:
            raise UserError("snapshots need the whole model on each process; leave out --sharded")
        if self.model.kind == "token_vlm" and any(stage.trains == "y_decoder" for stage in self.stages):
            raise UserError("a token-space VLM writes its texts itself; there is no Y-Decoder to train")
        if self.model.kind == "token_vlm" and any(stage.wordings for stage in self.stages):
            raise UserError("a token-space VLM has no Y-Encoder that wordings could train; leave them out")

    @property
    def folder(self) -> str:
        return self.out or f"runs/{self.name}"
