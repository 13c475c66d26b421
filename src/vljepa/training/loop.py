"""The one training loop, for every stage and every baseline; they differ by recipe alone."""

import json
import time
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import fields
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vljepa import distributed
from vljepa.config import RunConfig, StageConfig, from_json, to_json
from vljepa.data.lock import locked
from vljepa.errors import UserError
from vljepa.model.network import Network
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.training import checkpoint, parallel, prepare
from vljepa.training.card import model_card
from vljepa.training.data import Data, read_sources
from vljepa.training.decoder import decoder_step
from vljepa.training.guard import Guard
from vljepa.training.log import RunLog
from vljepa.training.optim import build_optimizer, rate_at, set_rate
from vljepa.training.step import Step, train_step
from vljepa.training.tokens import TokenStep, token_step
from vljepa.training.wordings import wording_step, wordings
from vljepa.types import Batch

_FREE_TO_CHANGE = (
    *("out", "log_every", "save_every", "micro_batch_size", "sharded", "recompute", "compile"),
    *("decode_processes", "decode_seconds"),
)
"""Settings that touch the weights by rounding at most: a run may continue with others, and on other machines."""


def train(config: RunConfig, command: str | None = None) -> Path:
    """Train all stages of a run, or what is left of them: the same command again continues a stopped run.

    On one machine with a fixed seed, a run killed at any moment and continued ends with the weights of an
    uninterrupted one: data order and noise depend on the step alone, and all other state is in the checkpoint.

    Under torchrun the processes share each batch, and the run is that of one process but for rounding; it may be
    continued with another number of them.

    Args:
        command: the command line, for the model card; default ``vljepa train <name>``.

    Returns:
        The folder of the trained model, ``<run folder>/model``.

    Raises:
        UserError: the run folder holds a run with other settings or another process trains in it, the data cannot
            be used, or the gradients of too many steps in a row could not.
        OSError: a file cannot be written, e.g. because the disk is full.
    """
    folder = Path(config.folder)
    folder.mkdir(parents=True, exist_ok=True)
    busy = f"{folder}: another process trains in this folder; wait for its end, or use another --out"
    # One lock for all ranks: that of rank 0.
    with distributed.joined(), nullcontext() if distributed.rank() else locked(folder / "lock", busy, wait=False):
        return _train(config, folder, command or f"vljepa train {config.name}")


def _train(config: RunConfig, folder: Path, command: str) -> Path:
    states = folder / "state"
    with distributed.rank_0_first():
        claim(folder, config)
        sources = read_sources(config)
        tokenizer = prepare.text_tokenizer(config, sources, folder)
        model = prepare.build_model(config, tokenizer)
    data = prepare.build_data(config, model, sources)
    with distributed.rank_0_first():
        prepare.fit_familiarity(config, model, data, folder)

    done = distributed.from_rank_0(0 if distributed.rank() else checkpoint.newest(states))
    parallel.prepare(model, config)
    if done:
        print(f"goes on after step {done}")
        checkpoint.load_weights(states, done, model)
    run_log: AbstractContextManager[RunLog | None] = nullcontext() if distributed.rank() else RunLog(folder, done)
    with run_log as log, checkpoint.Saver(states) as saver, _progress() as progress:
        start = 0
        for stage in config.stages:
            if done < start + stage.num_steps:
                _run_stage(config, stage, start, max(0, done - start), model, data, log, saver, progress)
            start += stage.num_steps
    if not distributed.rank():
        if config.sharded:
            # The ranks hold but parts of the model; the last state holds all of it.
            familiarity, model = model.familiarity, prepare.build_model(config, tokenizer)
            model.familiarity = familiarity
            checkpoint.load_weights(states, start, model)
        model.save(folder / "model", card=model_card(config, data, folder / "log.jsonl", command))
    print(f"left out: {data.num_left_out} of {sum(data.num_lines.values())} samples")
    return folder / "model"


def _run_stage(
    config: RunConfig,
    stage: StageConfig,
    start: int,
    first: int,
    model: Network,
    data: Data,
    log: RunLog | None,
    saver: checkpoint.Saver,
    progress: Progress,
) -> None:
    """Run a stage from its step ``first`` to its end; ``start`` is the run's step at which the stage begins."""
    optimizer = build_optimizer(model, stage.optim, part="y_decoder" if stage.trains == "y_decoder" else None)
    guard = Guard(stage.optim, f"stage {stage.name!r}")
    if first:
        checkpoint.load_optimizer(Path(config.folder) / "state", start + first, model, optimizer, guard)
    # The seed moves with the stage: two stages over one manifest should not see it in the same order.
    seed = config.seed + start
    task = progress.add_task(stage.name, total=stage.num_steps, completed=first, loss=float("nan"), rate=0.0)
    logged_at, seen, tokens = time.perf_counter(), 0, 0

    with closing(data.batches(stage, seed, first)) as batches:
        for step, batch in enumerate(batches, first):
            set_rate(optimizer, rate_at(step, stage.num_steps, stage.optim))
            result = _step(config, stage, step, model, batch, optimizer, guard)
            wording_loss = None
            if isinstance(model, VLJEPA) and (pairs := wordings(stage.wordings, seed, step)):
                wording_loss = wording_step(config, stage, model, pairs, optimizer)
            done, last = start + step + 1, step + 1 == stage.num_steps
            seen += stage.global_batch_size
            tokens += batch.visual_tokens.shape[:-1].numel() * distributed.world_size()
            progress.advance(task)
            if last or (step + 1) % config.log_every == 0:
                seconds = time.perf_counter() - logged_at
                figures = result.metrics() | {"samples_per_s": seen / seconds, "visual_tokens_per_s": tokens / seconds}
                if wording_loss is not None:
                    figures["wording_loss"] = float(wording_loss)
                if log is not None:
                    log.write(done, stage.name, figures | {"skipped": guard.num_skipped})
                progress.update(task, loss=figures["loss"], rate=figures["samples_per_s"])
                logged_at, seen, tokens = time.perf_counter(), 0, 0
            if done in config.snapshots and not distributed.rank():
                # Before the state of this step, so that a run that goes on after it has the snapshot.
                _keep(config, done, model)
            if last or (step + 1) % (config.save_every // 2) == 0:
                saver.save(done, model, optimizer, guard)


def _step(
    config: RunConfig,
    stage: StageConfig,
    step: int,
    model: Network,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    guard: Guard,
) -> Step | TokenStep:
    if isinstance(model, TokenVLM):
        return token_step(
            model,
            batch,
            optimizer,
            guard,
            precision=config.precision,
            grad_clip=stage.optim.grad_clip,
            micro_batch_size=config.micro_batch_size,
        )
    assert isinstance(model, VLJEPA)
    if stage.trains == "y_decoder":
        return decoder_step(model, batch, stage, step, optimizer, guard, precision=config.precision)
    return train_step(
        model,
        batch,
        config.loss,
        optimizer,
        guard,
        precision=config.precision,
        grad_clip=stage.optim.grad_clip,
        micro_batch_size=config.micro_batch_size,
    )


def _keep(config: RunConfig, done: int, model: Network) -> None:
    card = f"# {config.name}, after {done} steps\n\nA snapshot; `config.json` in the run's folder holds its settings.\n"
    model.save(Path(config.folder) / "snapshots" / f"step-{done:09d}", card=card)


def claim(folder: Path, config: RunConfig) -> None:
    """Write the resolved config into a new run folder, or compare it with that of the run to be continued.

    Raises:
        UserError: the folder holds a run with other settings.
    """
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
        disable=distributed.rank() > 0,
    )
