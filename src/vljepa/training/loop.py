"""The one training loop, for every stage and every baseline; they differ by recipe alone."""

import json
import time
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vljepa.config import RunConfig, StageConfig, to_json
from vljepa.data.loader import prefetch
from vljepa.embedding import LogitScale
from vljepa.errors import UserError
from vljepa.model.vljepa import VLJEPA
from vljepa.training import checkpoint, prepare
from vljepa.training.card import model_card
from vljepa.training.decoder import DecoderStep, decoder_step
from vljepa.training.log import RunLog
from vljepa.training.optim import build_optimizer, rate_at, set_rate
from vljepa.training.step import Step, train_step
from vljepa.types import Batch

_FREE_TO_CHANGE = ("out", "log_every", "save_every")
"""Settings that do not touch the weights: a run may continue with others."""


def train(config: RunConfig) -> Path:
    """Train all stages of a run, or what is left of them: the same command again continues a stopped run.

    On one machine with a fixed seed, a run killed at any moment and continued ends with the weights of an
    uninterrupted one: data order and noise depend on the step alone, and all other state is in the checkpoint.

    Returns:
        The folder of the trained model, ``<run folder>/model``.

    Raises:
        UserError: the run folder holds a run with other settings, or the data cannot be used.
    """
    folder = Path(config.folder)
    _claim(folder, config)
    samples = prepare.read_samples(config)
    torch.manual_seed(config.seed)
    model = VLJEPA(config.model, decoder_tokenizer=prepare.decoder_tokenizer(config, samples, folder))
    model.logit_scale = LogitScale(config.loss.initial_temperature, config.loss.max_logit_scale)
    data = prepare.cache_features(config, model, samples)
    prepare.fit_familiarity(model, data, config.seed)

    done = max(checkpoint.saved_steps(folder / "state"), default=0)
    if done:
        checkpoint.load_weights(folder / "state", done, model)
    with RunLog(folder, done) as log, _progress() as progress:
        start = 0
        for stage in config.stages:
            if done < start + stage.num_steps:
                _run_stage(config, stage, start, max(0, done - start), model, data, log, progress)
            start += stage.num_steps
    model.save(folder / "model", card=model_card(config, samples, folder / "log.jsonl"))
    return folder / "model"


def _run_stage(
    config: RunConfig,
    stage: StageConfig,
    start: int,
    first: int,
    model: VLJEPA,
    data: prepare.Data,
    log: RunLog,
    progress: Progress,
) -> None:
    """Run a stage from its step ``first`` to its end; ``start`` is the run's step at which the stage begins."""
    states = Path(config.folder) / "state"
    optimizer = build_optimizer(model, stage.optim, part="y_decoder" if stage.trains == "y_decoder" else None)
    if first:
        checkpoint.load_optimizer(states, start + first, model, optimizer)
    # The seed moves with the stage: two stages over one manifest should not see it in the same order.
    loader = data.loader(stage.sources, stage.global_batch_size, config.seed + start)
    task = progress.add_task(stage.name, total=stage.num_steps, completed=first, loss=float("nan"), rate=0.0)
    logged_at, seen, tokens = time.perf_counter(), 0, 0

    for step, batch in enumerate(prefetch(loader, first, stage.num_steps), first):
        set_rate(optimizer, rate_at(step, stage.num_steps, stage.optim))
        result = _step(config, stage, step, model, batch, optimizer)
        done, last = start + step + 1, step + 1 == stage.num_steps
        seen += len(batch)
        tokens += batch.visual_tokens.shape[:-1].numel()
        progress.advance(task)
        if last or (step + 1) % config.log_every == 0:
            seconds = time.perf_counter() - logged_at
            figures = result.metrics() | {"samples_per_s": seen / seconds, "visual_tokens_per_s": tokens / seconds}
            log.write(done, stage.name, figures)
            progress.update(task, loss=figures["loss"], rate=figures["samples_per_s"])
            logged_at, seen, tokens = time.perf_counter(), 0, 0
        if last or (step + 1) % config.save_every == 0:
            checkpoint.save(states, done, model, optimizer)


def _step(
    config: RunConfig, stage: StageConfig, step: int, model: VLJEPA, batch: Batch, optimizer: torch.optim.Optimizer
) -> Step | DecoderStep:
    if stage.trains == "y_decoder":
        return decoder_step(model, batch, stage, step, optimizer, precision=config.precision)
    return train_step(model, batch, config.loss, optimizer, precision=config.precision, grad_clip=stage.optim.grad_clip)


def _claim(folder: Path, config: RunConfig) -> None:
    """Write the resolved config into a new run folder, or compare it with that of the run to be continued."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    ours = json.loads(json.dumps(to_json(config)))
    if not path.exists():
        aside = path.with_suffix(".writing")
        aside.write_text(json.dumps(ours, indent=2) + "\n", encoding="utf-8")
        aside.rename(path)
        return
    theirs = json.loads(path.read_text(encoding="utf-8"))
    for name in ours:
        if name not in _FREE_TO_CHANGE and ours[name] != theirs.get(name):
            raise UserError(
                f"{path}: the run to be continued has another {name!r}; use the same settings, or another --out"
            )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[rate]:.0f} samples/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
