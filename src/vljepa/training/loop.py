"""The one training loop, for every stage and every baseline; they differ by recipe alone."""

import json
import time
from dataclasses import fields
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vljepa.config import RunConfig, StageConfig, from_json, to_json
from vljepa.data.loader import prefetch
from vljepa.data.lock import locked
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


def train(config: RunConfig, command: str | None = None) -> Path:
    """Train all stages of a run, or what is left of them: the same command again continues a stopped run.

    On one machine with a fixed seed, a run killed at any moment and continued ends with the weights of an
    uninterrupted one: data order and noise depend on the step alone, and all other state is in the checkpoint.

    Args:
        command: the command line, for the model card; default ``vljepa train <name>``.

    Returns:
        The folder of the trained model, ``<run folder>/model``.

    Raises:
        UserError: the run folder holds a run with other settings or another process trains in it, or the data
            cannot be used.
        OSError: a file cannot be written, e.g. because the disk is full.
    """
    folder = Path(config.folder)
    folder.mkdir(parents=True, exist_ok=True)
    busy = f"{folder}: another process trains in this folder; wait for its end, or use another --out"
    with locked(folder / "lock", busy, wait=False):
        return _train(config, folder, command or f"vljepa train {config.name}")


def _train(config: RunConfig, folder: Path, command: str) -> Path:
    _claim(folder, config)
    manifests = prepare.read_manifests(config)
    model = prepare.build_model(config, prepare.decoder_tokenizer(config, manifests, folder))
    data = prepare.cache_features(config, model, manifests)
    if config.start_from is None:
        prepare.fit_familiarity(model, data, config.seed)

    done = checkpoint.newest(folder / "state")
    if done:
        checkpoint.load_weights(folder / "state", done, model)
    with RunLog(folder, done) as log, _progress() as progress:
        start = 0
        for stage in config.stages:
            if done < start + stage.num_steps:
                _run_stage(config, stage, start, max(0, done - start), model, data, log, progress)
            start += stage.num_steps
    model.save(folder / "model", card=model_card(config, data, folder / "log.jsonl", command))
    print(f"left out: {data.num_left_out} of {sum(data.num_lines.values())} samples")
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
    path = folder / "config.json"
    if not path.exists():
        aside = path.with_suffix(".writing")
        aside.write_text(json.dumps(to_json(config), indent=2) + "\n", encoding="utf-8")
        aside.rename(path)
        return
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: is damaged ({error}); use another --out") from error
    # Settings that the run was begun without have their defaults.
    theirs = from_json(RunConfig, written, str(path))
    for field in fields(RunConfig):
        if field.name not in _FREE_TO_CHANGE and getattr(config, field.name) != getattr(theirs, field.name):
            raise UserError(
                f"{path}: the run to be continued has another {field.name!r}; use the same settings, or another --out"
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
