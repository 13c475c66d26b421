"""Measure a model: ``eval``."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, load_any_model, show
from vljepa.errors import UserError

if TYPE_CHECKING:
    from vljepa.api import Model, Viewer
    from vljepa.evaluation.benchmark import Benchmark
    from vljepa.evaluation.features import Features
    from vljepa.evaluation.result import Evaluation
    from vljepa.evaluation.system import System
    from vljepa.progress import Tell
    from vljepa.token_api import TokenModel

_KINDS = {"vl_jepa": "VL-JEPA", "dual_encoder": "dual encoder", "token_vlm": "token-space VLM"}


def evaluate(
    checkpoint: Annotated[
        Positional[str],
        tyro.conf.arg(
            help="Name of a shipped model, a checkpoint folder, or a model of others: owner/name on the Hugging Face "
            "hub or a folder of transformers, a dual encoder or an image-text-to-text model."
        ),
    ],
    benchmarks: Annotated[
        Positional[tuple[Path, ...]], tyro.conf.arg(help="Benchmark folders, or folders that hold some.")
    ],
    nearest: Annotated[
        Path | None, tyro.conf.arg(help="Data folder of the training: measure nearest neighbour on it too.")
    ] = None,
    against: Annotated[
        tuple[str, ...], tyro.conf.arg(help="Further models to measure in the same run, named in the same ways.")
    ] = (),
    limit: Annotated[int | None, tyro.conf.arg(help="Items of each benchmark at most, spread over it.")] = None,
    templates: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            help="Prompts for class names, {} standing for the name; several are averaged. Or a file, one a line. "
            "Default: the benchmark's own, else the bare name."
        ),
    ] = (),
    out: Annotated[Path, tyro.conf.arg(help="Folder of the results.")] = Path("out/eval"),
    cache: Annotated[
        Path, tyro.conf.arg(help="Folder of features and embeddings, found again by the next run.")
    ] = Path("out/features"),
    as_json: AsJson = False,
) -> None:
    """Evaluate a checkpoint on benchmark folders; writes results.json, report.md and report.html to --out.

    The same command again continues a run that was stopped. Under torchrun its processes share the work.

    Example: vljepa eval runs/nano/model data/tabletop/test --nearest data/tabletop --against runs/other/model
    """
    from vljepa.distributed import joined

    with joined():
        whole = _evaluate(checkpoint, benchmarks, nearest, against, limit, templates, out, cache, as_json)
    if not whole:
        sys.exit(1)


def _evaluate(
    checkpoint: str,
    benchmarks: tuple[Path, ...],
    nearest: Path | None,
    against: tuple[str, ...],
    limit: int | None,
    templates: tuple[str, ...],
    out: Path,
    cache: Path,
    as_json: bool,
) -> bool:
    """Whether all was measured."""
    from vljepa.distributed import rank
    from vljepa.evaluation.features import Features
    from vljepa.evaluation.peers.loading import is_peer, peer_system
    from vljepa.evaluation.report import write_report, write_results
    from vljepa.evaluation.report.frames import read_strip
    from vljepa.evaluation.result import Evaluation, Omission, Result
    from vljepa.evaluation.runner import embedded, evaluate_all, with_templates
    from vljepa.progress import silent, stages

    if not benchmarks:
        raise UserError("eval: no benchmark given; name at least one benchmark folder")
    prompts = _prompts(templates)
    names = [*dict.fromkeys(name for name in against if name != checkpoint), checkpoint]
    peers = {name: peer_system(name) for name in names if is_peer(name)}
    models = {name: _load(name) for name in names if name not in peers}
    if nearest is not None and not models:
        raise UserError("eval: --nearest reads the features of a checkpoint of vljepa; name one of them too")
    good, failed = _read(benchmarks, limit)
    if prompts:
        good = [with_templates(b, prompts) if b.classes else b for b in good]
    with silent() if rank() else stages() as tell:
        # Last comes the one that the report is on.
        last = [peers.pop(checkpoint)] if checkpoint in peers else []
        systems = [*peers.values()]
        if models:
            main = [*models.values()][-1]
            features = Features(main, cache)
            own = _systems(models, features, cache)
            systems += own if nearest is None else _with_nearest(nearest, main, features, own, tell)
        systems += last
        found = Evaluation(systems={system.name: system.about for system in systems})
        systems = embedded(good, systems, cache, tell)
        for one in evaluate_all(good, systems, lambda what, done, total: tell("evaluating", what, done, total)):
            if isinstance(one, Result):
                found.results.append(one)
            elif isinstance(one, Omission):
                found.omissions.append(one)
            else:
                failed.append(str(one))
            # A run that is stopped keeps what it has found.
            if not rank():
                write_results(found, out)
    whole = bool(found.results) and not failed
    if rank():
        return whole
    for line in failed:
        print(f"vljepa: left out: {line}", file=sys.stderr)
    if found.results:
        write_report(found, out, read_strip)
    results = [{**dataclasses.asdict(result), "outcomes": len(result.outcomes)} for result in found.results]
    show(
        {**dataclasses.asdict(found), "results": results, "left_out": len(failed)},
        [*_lines(found), f"{len(failed)} left out", *([str(out / "report.html")] if found.results else [])],
        as_json,
    )
    return whole


def _load(checkpoint: str) -> "Model | TokenModel":
    """A model on this process's own GPU where there is one."""
    from vljepa.distributed import device

    model = load_any_model(checkpoint)
    model.network.to(device())
    return model


def _prompts(templates: tuple[str, ...]) -> list[str]:
    """The templates themselves, and the lines of those that are files."""
    prompts: list[str] = []
    for one in templates:
        if "{}" in one:
            prompts.append(one)
        elif Path(one).is_file():
            prompts += [line for line in Path(one).read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        else:
            raise UserError(f"--templates {one!r}: neither has {{}} for the class nor is a file with a template a line")
    return prompts


def _read(folders: tuple[Path, ...], limit: int | None) -> "tuple[list[Benchmark], list[str]]":
    """The benchmarks, also those that a folder holds, and a line for each folder that is none."""
    from vljepa.evaluation.benchmark import benchmark_folders, read_benchmark

    good: list[Benchmark] = []
    bad: list[str] = []
    for folder in folders:
        try:
            inside = benchmark_folders(folder)
        except UserError as error:
            bad.append(str(error))
            continue
        for one in inside:
            try:
                good.append(read_benchmark(one, limit))
            except UserError as error:
                bad.append(str(error))
    return good, bad


def _systems(models: "dict[str, Model | TokenModel]", features: "Features", cache: Path) -> "list[System]":
    """A system for each checkpoint, in their order."""
    from vljepa.evaluation.features import Features
    from vljepa.evaluation.report.models import about_checkpoint
    from vljepa.evaluation.systems import model_system, token_vlm_system
    from vljepa.token_api import TokenModel

    kinds = [model.network.config.kind for model in models.values()]
    systems = []
    for (name, model), kind in zip(models.items(), kinds, strict=True):
        own = features if features.fits(model) else Features(model, cache)
        title = _KINDS[kind] if kinds.count(kind) == 1 else f"{_KINDS[kind]} {name}"
        if isinstance(model, TokenModel):
            systems.append(token_vlm_system(model, own, name=title, about=about_checkpoint(name)))
        else:
            systems.append(model_system(model, own, name=title, about=about_checkpoint(name)))
    return systems


def _with_nearest(
    data: Path, model: "Viewer", features: "Features", systems: "list[System]", tell: "Tell"
) -> "list[System]":
    """Nearest neighbour before the systems; after them the last one again, with training texts for a Y-Decoder.

    A token-space VLM needs no Y-Decoder.
    """
    from vljepa.config import RunConfig, YEncoderConfig
    from vljepa.distributed import rank
    from vljepa.evaluation.features import Features
    from vljepa.evaluation.nearest import nearest_system, read_training
    from vljepa.evaluation.systems import with_training_texts
    from vljepa.model.y_encoder import load_y_encoder
    from vljepa.recipes import nano

    sources = {source.manifest: source.num_frames for stage in nano().stages for source in stage.sources}
    # Features are known by the paths of their clips: a link to the data must not have them computed anew.
    data = data.resolve()
    samples, problems = read_training(data, sources)
    for problem in problems[: 0 if rank() else 10]:
        print(f"vljepa: left out: {problem}", file=sys.stderr)
    # There and in this precision a training run of the usual settings has left them.
    kept = Features(model, data / "features", precision=RunConfig.precision)
    baseline = nearest_system(
        samples,
        lambda clips, frames: kept.open(
            clips, frames, lambda done, total: tell(f"features of {frames}-frame training clips", "", done, total)
        ),
        features,
        load_y_encoder(YEncoderConfig(), model.network.config.embed_dim),
        model.network.config.x_encoder.num_frames,
    )
    baseline = dataclasses.replace(baseline, prepare=features.prepare)
    videos = samples.get(model.network.config.x_encoder.num_frames, [])
    texts = list(dict.fromkeys(text for sample in videos for text in sample.targets))
    speaks = systems[-1].caption_clips is not None
    return [baseline, *systems, *([with_training_texts(systems[-1], texts)] if texts and not speaks else [])]


def _lines(found: "Evaluation") -> list[str]:
    lines = []
    for r in found.results:
        name = f"{r.benchmark}, {r.system}" + (f", {r.variant}" if r.variant else "")
        interval = f"{r.interval[0]:.3f} to {r.interval[1]:.3f}"
        lines.append(f"{name}: {r.metric} {r.value:.3f} ({interval}; {r.count} items, {len(r.left_out)} left out)")
    return lines + [f"{o.benchmark}, {o.system}: not measured, {o.reason}" for o in found.omissions]
