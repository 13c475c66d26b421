"""The model card of a trained checkpoint: data, recipe, seed, steps and the last training figures."""

import json
from pathlib import Path

from vljepa.config import RunConfig
from vljepa.types import Sample


def model_card(config: RunConfig, samples: dict[str, list[Sample]], log: Path) -> str:
    """Markdown for the checkpoint's README.md.

    Args:
        samples: the samples read from each manifest.
        log: the run's ``log.jsonl``.
    """
    synthetic = config.tabletop_size is not None
    last: dict[str, dict[str, float]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        last[row["stage"]] = row
    data = [f"| `{name}` | {len(rows)} |" for name, rows in samples.items()]
    stages = [
        f"| {stage.name} | {stage.num_steps} | {stage.global_batch_size} | {stage.num_steps * stage.global_batch_size} "
        f"| {last[stage.name]['loss']:.3f} |"
        for stage in config.stages
    ]
    origin = (
        f"Tabletop, the synthetic world of this project, size `{config.tabletop_size}`" if synthetic else "Own data"
    )
    return "\n".join(
        [
            f"# {config.name}",
            "",
            "A VL-JEPA trained with `vljepa`; `config.json` beside this file holds its architecture.",
            "",
            f"Made by: `vljepa train {config.name}` (seed {config.seed}, {config.precision}).",
            "",
            f"## Data\n\n{origin}.",
            "",
            "| manifest | samples |",
            "|---|---|",
            *data,
            "",
            "## Stages",
            "",
            "| stage | steps | batch | samples seen | last loss, nats |",
            "|---|---|---|---|---|",
            *stages,
            "",
        ]
    )
