"""The model card of a trained checkpoint: data, command, settings, stages with what they saw and took, machine."""

import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from vljepa.config import RunConfig, StageConfig
from vljepa.training.prepare import Data

_CPU_INFO = Path("/proc/cpuinfo")
_KINDS = {
    "vl_jepa": "A VL-JEPA",
    "dual_encoder": "A dual encoder in CLIP's manner, a baseline beside VL-JEPA,",
    "token_vlm": "A token-space VLM, a baseline beside VL-JEPA,",
}


def model_card(config: RunConfig, data: Data, log: Path, command: str) -> str:
    """Markdown for the checkpoint's README.md.

    It ends with a section Results, to be filled with the table of ``vljepa eval``'s report.

    Args:
        data: the samples of each source, and how many of them were left out.
        log: the run's ``log.jsonl``.
        command: the command line that made the checkpoint.
    """
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    manifests = [f"| `{name}` | {count} | {data.num_lines[name] - count} |" for name, count in data.num_samples.items()]
    stages, start = [], 0
    for stage in config.stages:
        own = [row for row in rows if start < row["step"] <= start + stage.num_steps]
        trains = "language model" if config.model.kind == "token_vlm" else stage.trains
        stages.append(_stage(stage, trains, own, start))
        start += stage.num_steps
    return "\n".join(
        [
            f"# {config.name}",
            "",
            f"{_KINDS[config.model.kind]} trained with `vljepa`; `config.json` holds its architecture.",
            "",
            f"* Made by: `{command}`",
            f"* Seed: {config.seed}; matrix products in {config.precision}",
            f"* Versions: open-vl-jepa {version('open-vl-jepa')}, torch {torch.__version__}",
            f"* Machine: {_machine()}",
            "",
            "## Data",
            "",
            f"{_origin(Path(config.data))} Left out: {data.num_left_out} of {sum(data.num_lines.values())} samples.",
            "",
            "| source | samples | left out |",
            "|---|---|---|",
            *manifests,
            "",
            "## Stages",
            "",
            f"Time is that of the steps; {_features(config)} Losses are in nats.",
            "",
            "| stage | trains | steps | batch | samples seen | visual tokens seen | time | samples/s | last loss |",
            "|---|---|---|---|---|---|---|---|---|",
            *stages,
            "",
            *_wordings(config),
            "## Results",
            "",
            "Not measured yet: `vljepa eval CHECKPOINT BENCHMARK...` writes the table that belongs here.",
            "",
            *_ancestor(config),
        ]
    )


def _stage(stage: StageConfig, trains: str, rows: list[dict[str, Any]], start: int) -> str:
    """The stage's row. Each line of the log stands for the steps since the one before, at its rates."""
    seconds = tokens = 0.0
    for row in rows:
        span = (row["step"] - start) * stage.global_batch_size / row["samples_per_s"]
        start = row["step"]
        seconds += span
        tokens += span * row["visual_tokens_per_s"]
    seen = stage.num_steps * stage.global_batch_size
    cells = (
        stage.name,
        trains,
        stage.num_steps,
        stage.global_batch_size,
        seen,
        round(tokens),
        f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.1f} s",
        f"{seen / seconds:.0f}",
        f"{rows[-1]['loss']:.3f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _wordings(config: RunConfig) -> list[str]:
    """What the stages' Y-Encoder learned of texts alone."""
    told = [
        f"* {stage.name}: {stage.num_steps // w.every} steps of {w.num_pairs} pairs, {w.num_alterations} of "
        f"{1 + w.num_alterations} being alterations of the first"
        for stage in config.stages
        if (w := stage.wordings)
    ]
    about = "Pairs of made-up everyday captions, which trained the Y-Encoder beside the sources (`vljepa.everyday`):"
    return [about, "", *told, ""] if told else []


def _origin(data: Path) -> str:
    about = data / "tabletop.json"
    if not about.is_file():
        return f"Own data, `{data.name}`."
    world = json.loads(about.read_text(encoding="utf-8"))
    return f"Tabletop, the synthetic world of this project, size `{world['size']}`, seed {world['seed']}."


def _machine() -> str:
    names = re.findall(r"^model name\s*: (.+)$", _CPU_INFO.read_text(), re.M) if _CPU_INFO.exists() else []
    cpu = names[0] if names else platform.processor() or platform.machine()
    return f"{cpu}, {os.cpu_count()} cores; threads of torch: {torch.get_num_threads()}"


def _ancestor(config: RunConfig) -> list[str]:
    """The card of the checkpoint a run starts from: what the weights that were not trained come from."""
    if config.start_from is None:
        return []
    card = Path(config.start_from) / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else "It has no model card."
    return [
        "## The checkpoint it starts from",
        "",
        f"{_unchanged(config)} Its card said:",
        "",
        re.sub("^#", "###", text, flags=re.M),
    ]


def _unchanged(config: RunConfig) -> str:
    decoder_alone = all(stage.trains == "y_decoder" for stage in config.stages)
    return "Everything but the Y-Decoder is unchanged." if decoder_alone else f"Of `{config.start_from}`."


def _features(config: RunConfig) -> str:
    if config.cache_features:
        return "the features of the frozen X-Encoder were computed once before them."
    return "clips were decoded and passed the frozen X-Encoder in them."
