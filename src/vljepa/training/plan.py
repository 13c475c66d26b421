"""What a run will take, before it is begun: operations, memory, traffic, storage and days of each stage, by formula.

All of it is arithmetic on the config (``docs/scaling.md`` says how well it holds); nothing is loaded or measured.
"""

from dataclasses import dataclass, field

from vljepa.config import RunConfig, StageConfig
from vljepa.errors import UserError
from vljepa.model.costs import Costs
from vljepa.model.counts import count_parameters

_FULL, _HALF, _WIDE = 4, 2, 8
"""Bytes of float32, of bfloat16 and float16, and of AdamW's two moments."""
_QUERY_TABLES = ("predictor.tokens", "language_model.queries")
"""Frozen tables, of which one reads the queries."""
_LOGITS = 4
"""Matrices of the loss held at once: logits, two log-softmaxes, a gradient."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a config does not say."""

    num_gpus: int = 1
    tflops: float = 600.0
    """What one card reaches in large bfloat16 matrix products, 10^12 operations a second."""
    utilization: float = 0.45
    """Share of it that a training step reaches."""
    query_tokens: int = 16
    """Of a mean query."""
    target_tokens: int = 16
    """Of a mean target text."""

    def __post_init__(self) -> None:
        if self.num_gpus < 1 or self.tflops <= 0 or not 0 < self.utilization <= 1:
            raise UserError("plan: gpus must be >= 1, tflops positive and utilization in (0, 1]")
        if self.query_tokens < 0 or self.target_tokens < 1:
            raise UserError("plan: query tokens must be >= 0 and target tokens >= 1")


@dataclass(frozen=True, kw_only=True)
class StagePlan:
    """One stage. Operations are means over its sources, memory is that of the largest."""

    name: str
    trains: str
    samples: int
    """Steps times batch."""
    flops: dict[str, float]
    """Operations a sample, by part; those of the X-Encoder only where each step computes its features."""
    features: float
    """Operations on the features of a clip, which a cache needs once."""
    memory: dict[str, int]
    """Bytes a GPU, by what they hold."""
    traffic: dict[str, int]
    """Bytes that a GPU receives in a step."""
    storage: dict[str, int]
    """Bytes on disk: ``features_per_clip``, the most a clip of the stage takes; ``state``, to resume from."""
    samples_per_second: float
    """Of one GPU."""
    days: float
    """On all GPUs; cached features lie ready."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole run."""

    recipe: str
    setting: Setting
    parameters: dict[str, int]
    """Part by part, as ``count_parameters``."""
    stages: list[StagePlan] = field(default_factory=list)


def plan(config: RunConfig, setting: Setting) -> Plan:
    """The plan of a run.

    Raises:
        UserError: a batch that does not divide among the GPUs, or a backbone whose architecture cannot be had.
    """
    parameters = count_parameters(config.model)
    costs = Costs.of(config.model)
    stages = [_Stage(config, stage, setting, costs, parameters).plan() for stage in config.stages]
    return Plan(recipe=config.name, setting=setting, parameters=parameters, stages=stages)


class _Stage:
    """The arithmetic of one stage."""

    def __init__(
        self, config: RunConfig, stage: StageConfig, setting: Setting, costs: Costs, parameters: dict[str, int]
    ) -> None:
        self.config, self.stage, self.setting, self.costs = config, stage, setting, costs
        if stage.global_batch_size % setting.num_gpus:
            raise UserError(
                f"stage {stage.name!r}: its batch of {stage.global_batch_size} does not divide among "
                f"{setting.num_gpus} GPUs; choose another number"
            )
        self.batch = stage.global_batch_size // setting.num_gpus
        self.joint = stage.trains == "predictor"
        self.writes = config.model.kind == "token_vlm"
        micro = config.micro_batch_size or self.batch
        # The Y-Decoder's step has no chunks.
        self.micro = min(micro, self.batch) if self.joint else self.batch
        self.passes = -(-self.batch // self.micro)
        self.size = _HALF if config.precision == "bfloat16" else _FULL
        self.sharded = config.sharded and setting.num_gpus > 1
        # Layers and the whole Y-Encoder are sharded, all else lies whole on each GPU.
        y_encoder = parameters.get("y_encoder", 0) + parameters.get("y_encoder.head", 0)
        self.layers = parameters.get("predictor.layers", 0) + parameters.get("language_model.layers", 0)
        wordings = stage.wordings
        # Captions of their own in a mean step, for each sample of the batch.
        self.wordings = (
            2 * wordings.num_pairs / wordings.every / stage.global_batch_size if self.joint and wordings else 0.0
        )
        self.split = self.layers + y_encoder if self.sharded else 0
        self.all = sum(n for part, n in parameters.items() if part not in ("x_encoder", *_QUERY_TABLES))
        self.tables = 0 if self.writes else costs.tables
        self.frozen = 0 if config.model.y_encoder.train_token_embeddings else self.tables
        self.y_encoder, self.parameters = y_encoder, parameters

    def plan(self) -> StagePlan:
        flops, setting = self.flops(), self.setting
        features = flops["x_encoder"]
        if self.config.cache_features:
            flops["x_encoder"] = 0.0
        samples = self.stage.num_steps * self.stage.global_batch_size
        rate = setting.tflops * 1e12 * setting.utilization
        days = samples / (rate * setting.num_gpus) / 86_400
        total = sum(flops.values())
        return StagePlan(
            name=self.stage.name,
            trains="language model" if self.writes else self.stage.trains,
            samples=samples,
            flops=flops,
            features=features,
            memory=self.memory(),
            traffic=self.traffic(),
            storage=self.storage(),
            samples_per_second=rate / total,
            days=days * total,
        )

    def flops(self) -> dict[str, float]:
        weights = [source.weight for source in self.stage.sources]
        each = [self.flops_of(source.num_frames) for source in self.stage.sources]
        return {
            part: sum(w * one[part] for w, one in zip(weights, each, strict=True)) / sum(weights) for part in each[0]
        }

    def flops_of(self, num_frames: int) -> dict[str, int | float]:
        """Operations a sample with clips of that length. A backward pass is two forward passes."""
        costs, query, target = self.costs, self.setting.query_tokens, self.setting.target_tokens
        if self.writes:
            forward = costs.language_model(num_frames, query, target)
            return {
                "x_encoder": costs.x_encoder(num_frames),
                "language_model": 3 * forward - costs.query(query) - costs.unneeded(num_frames),
                "recomputed": costs.recomputed(num_frames, query + target) if self.config.recompute else 0,
            }
        x_encoder, y_encoder = costs.x_encoder(num_frames), costs.y_encoder(target)
        predictor = costs.predictor(num_frames, query)
        if not self.joint:
            on_targets = self.stage.on_targets_steps / self.stage.num_steps
            return {
                "x_encoder": (1 - on_targets) * x_encoder,
                "predictor": (1 - on_targets) * predictor,
                "y_encoder": on_targets * y_encoder,
                "y_decoder": 3 * costs.y_decoder(target),
            }
        # Nothing behind frozen token embeddings wants a gradient, and behind plain visual tokens neither.
        backward = 2 * predictor - costs.query(query) - costs.unneeded(num_frames)
        # Each row of the batch meets all others, on several GPUs once from either side.
        sides = 1 if self.setting.num_gpus == 1 else 2
        pairs = 2 * self.stage.global_batch_size * self.config.model.embed_dim * sides
        recomputed = costs.recomputed(num_frames, query) if self.config.recompute else 0
        return {
            "x_encoder": x_encoder,
            "predictor": predictor + backward,
            "y_encoder": 3 * y_encoder,
            "wordings": 3 * y_encoder * self.wordings,
            "loss": 3 * pairs if self.config.loss.name == "info_nce" else 0,
            "recomputed": recomputed,
            "embedded_before": predictor + y_encoder if self.passes > 1 else 0,
        }

    def memory(self) -> dict[str, int]:
        model, setting, costs = self.config.model, self.setting, self.costs
        num_frames = max(source.num_frames for source in self.stage.sources)
        trained = self.trained()
        x_bytes = _HALF if model.x_encoder.dtype == "bfloat16" else _FULL
        decoder = 0 if self.joint else costs.y_decoder_parameters
        frozen = x_bytes * self.parameters["x_encoder"]
        frozen += _FULL * sum(self.parameters.get(table, 0) for table in _QUERY_TABLES)
        memory = {
            "frozen": frozen,
            "weights": _FULL * (self.own(self.all) + decoder),
            "gradients": _FULL * trained,
            "moments": _WIDE * trained,
            "visual_tokens": _HALF * self.batch * costs.num_features(num_frames),
        }
        if self.sharded:
            # What is together at a time: the Y-Encoder, and a layer with the next one; one of them as a gradient.
            layer = self.layers // model.predictor.transformer.num_layers
            memory["gathered"] = self.size * (self.y_encoder + 2 * layer)
            if self.joint:
                # Of chunks, the sum of all gradients is kept whole until the last.
                largest = max(self.y_encoder - self.frozen, layer)
                memory["gathered"] += _FULL * (self.split - self.frozen if self.passes > 1 else largest)
        elif self.size == _HALF:
            memory["copies"] = _HALF * (self.all - self.tables)
        if setting.num_gpus > 1:
            memory["message"] = _FULL * (trained if not self.joint else self.all - self.split)
        if self.writes:
            memory["activations"] = self.micro * costs.language_model_kept(
                num_frames, setting.query_tokens, setting.target_tokens, self.size, recompute=self.config.recompute
            )
        elif self.joint:
            kept = costs.predictor_kept(
                num_frames, setting.query_tokens, self.size, recompute=self.config.recompute
            ) + costs.y_encoder_kept(setting.target_tokens, self.size)
            memory["activations"] = self.micro * kept
            if self.config.loss.name == "info_nce":
                memory["logits"] = _LOGITS * _FULL * self.batch * self.stage.global_batch_size
        else:
            memory["activations"] = self.batch * costs.y_decoder_kept(setting.target_tokens, self.size)
        return memory

    def traffic(self) -> dict[str, int]:
        """Rings: of what n GPUs share, each receives (n - 1) / n in a gather or a reduction to shards."""
        n = self.setting.num_gpus
        share = (n - 1) / n
        if not self.joint:
            return {"gradients": int(2 * share * _FULL * self.costs.y_decoder_parameters)}
        # Predictions and targets, and their gradients back.
        embeddings = 4 * share * self.stage.global_batch_size * self.config.model.embed_dim * _FULL * (not self.writes)
        traffic = {
            "embeddings": int(embeddings),
            "gradients": int(2 * share * _FULL * (self.all - self.split)),
        }
        if self.sharded:
            # A contrastive loss needs all embeddings before the first backward pass.
            before = self.passes if self.passes > 1 and not self.writes else 0
            # Layers are let go of after the forward pass; the Y-Encoder, a root of its own, stays for the backward.
            gathers = (before + 2 * self.passes) * self.layers + (before + self.passes) * self.y_encoder
            traffic["shards"] = int(share * self.size * gathers)
            traffic["shard_gradients"] = int(share * _FULL * (self.split - self.frozen))
        return traffic

    def storage(self) -> dict[str, int]:
        frames = max(source.num_frames for source in self.stage.sources)
        trained = self.all - self.frozen
        state = (_FULL + _WIDE) * trained if self.joint else _FULL * trained + 12 * self.costs.y_decoder_parameters
        return {"features_per_clip": _HALF * self.costs.num_features(frames), "state": state}

    def trained(self) -> int:
        """Parameters with a gradient that one GPU holds."""
        if not self.joint:
            return self.costs.y_decoder_parameters
        return self.own(self.all) - (self.frozen // self.setting.num_gpus if self.sharded else self.frozen)

    def own(self, total: int) -> int:
        """Of all parameters, those that one GPU holds."""
        return total - self.split + self.split // self.setting.num_gpus
