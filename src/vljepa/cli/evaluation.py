"""Measure a model: ``eval``."""

import dataclasses
import sys
from pathlib import Path

from tyro.conf import Positional

from vljepa.cli.common import AsJson, load_model, show
from vljepa.errors import UserError


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
    model = load_model(checkpoint)

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
    show(
        {"results": [{**dataclasses.asdict(r), "outcomes": len(r.outcomes)} for r in results], "left_out": left_out},
        [*lines, f"{left_out} benchmarks left out", *([str(out / "report.html")] if results else [])],
        as_json,
    )
    if left_out:
        sys.exit(1)
