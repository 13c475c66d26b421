"""The command ``vljepa``. Exit code 0: done; 1: the work failed; 2: bad usage or bad input, said in one line."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from vljepa.errors import UserError

if TYPE_CHECKING:
    from vljepa.api import Model

# Layers are imported inside the commands: importing torch and transformers takes seconds, and `--help` must not.

AsJson = Annotated[bool, tyro.conf.arg(name="json", help="Print one JSON value for a program to read.")]

UNFAMILIAR = 0.01
"""Below this p-value a video counts as unlike the training world."""


def caption(checkpoint: Positional[str], video: Positional[Path], as_json: AsJson = False) -> None:
    """Describe a video or an image in one sentence.

    Example: vljepa caption runs/nano/model clip.mp4
    """
    model = _load(checkpoint)
    familiarity = model.familiarity(video)
    text = model.caption(video)
    _show({"caption": text, "familiarity": familiarity}, [text, *_warning(familiarity)], as_json)


def ask(
    checkpoint: Positional[str],
    video: Positional[Path],
    question: Positional[str],
    choices: tuple[str, ...] = (),
    as_json: AsJson = False,
) -> None:
    """Answer a question on a video: the best of the choices, or free text without them.

    Example: vljepa ask runs/nano/model clip.mp4 "How many cubes are there?" --choices 1 2 3
    """
    _rank(_load(checkpoint), video, as_json, lambda model: model.ask(video, question, choices or None))


def classify(
    checkpoint: Positional[str], video: Positional[Path], labels: Positional[tuple[str, ...]], as_json: AsJson = False
) -> None:
    """Rank labels of your own words for a video.

    Example: vljepa classify runs/nano/model clip.mp4 "pushing a cube to the left" "spinning a ball"
    """
    _rank(_load(checkpoint), video, as_json, lambda model: model.classify(video, labels))


def stream(
    checkpoint: Positional[str], video: Positional[Path], labels: tuple[str, ...] = (), as_json: AsJson = False
) -> None:
    """Say what happens in a long video, at the moments where the meaning changes; with --json one object a line.

    Example: vljepa stream runs/nano/model long.mp4
    """
    for event in _load(checkpoint).stream(video, labels=labels or None):
        line = f"{event.start:7.1f} s to {event.end:7.1f} s  {event.text}  ({event.score:.2f})"
        print(json.dumps(dataclasses.asdict(event)) if as_json else line, flush=True)


def info(checkpoint: Positional[str], as_json: AsJson = False) -> None:
    """Say what a checkpoint holds.

    Example: vljepa info runs/nano/model
    """
    network = _load(checkpoint).network
    values = {
        "kind": network.config.kind,
        "x_encoder": network.config.x_encoder.name,
        "y_encoder": network.config.y_encoder.name,
        "embed_dim": network.config.embed_dim,
        "y_decoder": network.y_decoder is not None,
        "parameters": {
            name: sum(parameter.numel() for parameter in child.parameters()) for name, child in network.named_children()
        },
    }
    _show(values, [f"{name}: {value}" for name, value in values.items()], as_json)


def tabletop(
    out: Positional[Path],
    size: Literal["tiny", "demo", "nano"] = "nano",
    seed: int = 0,
    workers: int = 2,
) -> None:
    """Write the synthetic world Tabletop: videos, images, training manifests and benchmarks.

    Example: vljepa tabletop data/tabletop --size nano
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from vljepa.tabletop import suite

    with Progress("writing", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("writing")
        suite.write(
            out,
            size,
            seed=seed,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def train(recipe: Positional[str], overrides: Positional[tuple[str, ...]] = ()) -> None:
    """Train a recipe; the same command again continues a run that was stopped. Any setting of it may follow.

    Example: vljepa train nano --seed 1 --out runs/nano-1
    """
    from vljepa.config import RunConfig
    from vljepa.recipes import RECIPES
    from vljepa.training.loop import train as run

    if recipe not in RECIPES:
        raise UserError(f"no recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    config = tyro.cli(RunConfig, default=RECIPES[recipe](), args=overrides, prog=f"vljepa train {recipe}")
    print(run(config))


def evaluate(
    checkpoint: Positional[str],
    benchmarks: Positional[tuple[Path, ...]],
    limit: int | None = None,
    out: Path = Path("out/eval"),
    as_json: AsJson = False,
) -> None:
    """Evaluate a checkpoint on benchmark folders; writes results.json, report.md and report.html to --out.

    Example: vljepa eval runs/nano/model data/tabletop/test/action --limit 100
    """
    import numpy as np
    import torch
    from rich.console import Console
    from rich.progress import track

    from vljepa.evaluation.report import write_report
    from vljepa.evaluation.runner import evaluate as run
    from vljepa.evaluation.system import System

    if not benchmarks:
        raise UserError("eval: no benchmark given; name at least one benchmark folder")
    model = _load(checkpoint)

    def embed_stream(path: str, rate_hz: float) -> "tuple[list[float], torch.Tensor]":
        times, embeddings = zip(*model.embed_stream(path, rate_hz=rate_hz), strict=True)
        return list(times), torch.stack(embeddings)

    speaks = model.network.y_decoder is not None
    system = System(
        name=checkpoint,
        embed_clips=model.encode_clips,
        encode_text=model.encode_text,
        decode=(lambda rows: model.network.decode(torch.from_numpy(np.asarray(rows)))) if speaks else None,
        embed_stream=embed_stream,
    )
    results = []
    for folder in track(benchmarks, "evaluating", console=Console(stderr=True)):
        try:
            results.append(run(folder, system, limit))
        except UserError as error:
            print(f"vljepa: left out: {error}", file=sys.stderr)
    if results:
        write_report(results, out)
    lines = [f"{r.benchmark}: {r.metric} {r.value:.3f} ({r.count} items, {len(r.left_out)} left out)" for r in results]
    left_out = len(benchmarks) - len(results)
    _show(
        {"results": [{**dataclasses.asdict(r), "outcomes": len(r.outcomes)} for r in results], "left_out": left_out},
        [*lines, f"{left_out} benchmarks left out", *([str(out / "report.html")] if results else [])],
        as_json,
    )
    if left_out:
        sys.exit(1)


COMMANDS: dict[str, Callable[..., None]] = {
    "train": train,
    "eval": evaluate,
    "caption": caption,
    "ask": ask,
    "classify": classify,
    "stream": stream,
    "tabletop": tabletop,
    "info": info,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        if len(args) > 1 and args[0] == "train" and not args[1].startswith("-"):
            # The settings of a recipe are known once its name is, so its options are read by a parser of their own.
            train(args[1], tuple(args[2:]))
        else:
            tyro.extras.subcommand_cli_from_dict(COMMANDS, args=args, prog="vljepa")
    except UserError as error:
        print(f"vljepa: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"vljepa: {error}", file=sys.stderr)
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _load(checkpoint: str) -> "Model":
    from vljepa.api import load

    return load(checkpoint)


def _rank(model: "Model", video: Path, as_json: bool, rank: "Callable[[Model], Iterable[Any]]") -> None:
    ranked = list(rank(model))
    familiarity = model.familiarity(video)
    values = {"ranked": [dataclasses.asdict(scored) for scored in ranked], "familiarity": familiarity}
    _show(values, [*(f"{s.score:6.3f}  {s.text}" for s in ranked), *_warning(familiarity)], as_json)


def _warning(familiarity: float) -> list[str]:
    if familiarity >= UNFAMILIAR:
        return []
    return [f"(unlike the videos this model was trained on, p = {familiarity:.3f}: do not trust the answer)"]


def _show(values: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    print(json.dumps(values) if as_json else "\n".join(lines))
