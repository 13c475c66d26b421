"""Say what a checkpoint holds, and what a recipe will take: ``info``."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, load_any_model, show
from vljepa.errors import UserError

if TYPE_CHECKING:
    from vljepa.training.plan import Plan, StagePlan


def info(
    name: Annotated[Positional[str], tyro.conf.arg(metavar="NAME", help="A checkpoint, or a recipe.")],
    gpus: Annotated[int, tyro.conf.arg(help="Recipe: on how many GPUs it would run.")] = 1,
    tflops: Annotated[
        float, tyro.conf.arg(help="Recipe: what one reaches in large bfloat16 matrix products, 10^12 operations/s.")
    ] = 600.0,
    utilization: Annotated[float, tyro.conf.arg(help="Recipe: the share of it that a training step reaches.")] = 0.45,
    query_tokens: Annotated[int, tyro.conf.arg(help="Recipe: of a mean query.")] = 16,
    target_tokens: Annotated[int, tyro.conf.arg(help="Recipe: of a mean target text.")] = 16,
    recompute: Annotated[bool, tyro.conf.arg(help="Recipe: with the settings of the same names.")] = False,
    sharded: bool = False,
    micro_batch_size: int | None = None,
    as_json: AsJson = False,
) -> None:
    """Say what a checkpoint holds, or what a recipe will take: operations, memory, traffic, storage and days.

    A name that is both, such as nano, gives both. The formulas and their checks: docs/scaling.md.

    Example: vljepa info small --gpus 8 --tflops 600
    """
    from vljepa.api import checkpoint_folder
    from vljepa.recipes import RECIPES
    from vljepa.training.plan import Setting, plan

    values: dict[str, Any] = {}
    lines: list[str] = []
    try:
        folder = checkpoint_folder(name)
    except UserError as error:
        if name not in RECIPES:
            raise UserError(f"{error}; nor is it a recipe: {', '.join(RECIPES)}") from error
    else:
        values = _held(str(folder))
        lines = [f"{key}: {value}" for key, value in values.items()]
    if name in RECIPES:
        setting = Setting(
            num_gpus=gpus,
            tflops=tflops,
            utilization=utilization,
            query_tokens=query_tokens,
            target_tokens=target_tokens,
        )
        recipe = RECIPES[name]()
        config = replace(
            recipe,
            recompute=recompute or recipe.recompute,
            sharded=sharded or recipe.sharded,
            micro_batch_size=micro_batch_size or recipe.micro_batch_size,
        )
        planned = plan(config, setting)
        values["plan"] = asdict(planned)
        lines += [*([""] if lines else []), *_plan_lines(planned)]
    show(values, lines, as_json)


def _held(folder: str) -> dict[str, Any]:
    from vljepa.model.token_vlm import TokenVLM
    from vljepa.model.vljepa import VLJEPA

    network = load_any_model(folder).network
    held: dict[str, Any] = {"kind": network.config.kind, "x_encoder": network.config.x_encoder.name}
    if isinstance(network, VLJEPA):
        held |= {
            "y_encoder": network.config.y_encoder.name,
            "embed_dim": network.config.embed_dim,
            "y_decoder": network.y_decoder is not None,
        }
    elif isinstance(network, TokenVLM):
        held |= {"layers": len(network.transformer.layers), "vocabulary": network.language_model.tokens.num_embeddings}
    return held | {
        "parameters": {
            name: sum(parameter.numel() for parameter in child.parameters()) for name, child in network.named_children()
        },
    }


def _plan_lines(plan: "Plan") -> Iterator[str]:
    setting = plan.setting
    yield (
        f"recipe {plan.recipe} on {setting.num_gpus} GPU{'s' * (setting.num_gpus > 1)} of {setting.tflops:g} TFLOP/s, "
        f"{setting.utilization:.0%} of that reached; {setting.query_tokens} tokens a query, "
        f"{setting.target_tokens} a target"
    )
    yield from _parts("parameters", plan.parameters, "")
    for stage in plan.stages:
        yield from _stage_lines(stage)


def _stage_lines(stage: "StagePlan") -> Iterator[str]:
    yield ""
    yield f"stage {stage.name}, trains the {stage.trains}: {stage.samples:,} samples"
    yield from _parts("operations a sample", stage.flops, "FLOP")
    yield from _parts("memory a GPU", stage.memory, "B")
    if sum(stage.traffic.values()):
        yield from _parts("received by a GPU each step", stage.traffic, "B")
    on_disk = ", ".join(f"{part} {_short(count, 'B')}" for part, count in stage.storage.items())
    yield f"  on disk: {on_disk}; features take {_short(stage.features, 'FLOP')} a clip"
    yield f"  {stage.samples_per_second:,.1f} samples/s a GPU, {_time(stage.days)} in all"


def _parts(title: str, parts: dict[str, Any], unit: str) -> Iterator[str]:
    each = ", ".join(f"{part} {_short(count, unit)}" for part, count in parts.items() if count)
    yield f"  {title}: {_short(sum(parts.values()), unit)} = {each}"


def _short(count: int | float, unit: str) -> str:
    for factor, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= factor:
            return f"{count / factor:.4g} {letter}{unit}"
    return f"{count:.4g} {unit}".rstrip()


def _time(days: float) -> str:
    for size, name in ((1.0, "days"), (1 / 24, "hours"), (1 / 1440, "minutes")):
        if days >= size:
            return f"{days / size:.3g} {name}"
    return f"{days * 86_400:.3g} s"
