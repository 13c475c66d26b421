"""Train and measure all that the page needs; what is there already is not done again."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from vljepa.ablate.points import Diverged, Point, measure_all
from vljepa.api import Model, load
from vljepa.compare.study import Study, study
from vljepa.evaluation.benchmark import benchmark_folders, read_benchmark
from vljepa.evaluation.features import Features
from vljepa.evaluation.report.models import about_checkpoint
from vljepa.evaluation.result import Evaluation, Omission, Result
from vljepa.evaluation.runner import embedded, evaluate_all
from vljepa.evaluation.system import System
from vljepa.evaluation.systems import in_parts, model_system
from vljepa.model.y_encoder import load_y_encoder
from vljepa.progress import Tell
from vljepa.reproduce.setting import Reproduction
from vljepa.training.data import write_tabletop

MODEL = "VL-JEPA"
UNTOUCHED = "untouched text encoder"
"""Names of the systems in tables 1 to 6."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that was found."""

    setting: Reproduction
    evaluation: Evaluation
    """Tables 1 to 6 and figure 4."""
    study: Study
    """Figure 3."""
    ablation: list[Point | Diverged]
    """Table 7."""


def reproduce(setting: Reproduction, tell: Tell) -> Outcome:
    """Everything, table by table.

    Raises:
        UserError: the model or the data cannot be used, or a folder holds runs with other settings.
    """
    if not Path(setting.data).exists():
        write_tabletop(Path(setting.data), setting.comparison.tabletop_size)
    evaluation = evaluate(setting, tell)
    found = study(setting.comparison, setting.wordings, partial(tell, "figure 3"))
    ablation = list(measure_all(setting.ablation, partial(tell, "table 7")))
    return Outcome(setting=setting, evaluation=evaluation, study=found, ablation=ablation)


def evaluate(setting: Reproduction, tell: Tell) -> Evaluation:
    """The model on every benchmark of the test split; on triplets of texts also the encoder that it started from."""
    model = load(setting.model)
    cache = Path(setting.comparison.features)
    benchmarks = [read_benchmark(folder, setting.limit) for folder in benchmark_folders(Path(setting.data, "test"))]
    systems = [
        _untouched(model),
        model_system(model, Features(model, cache), name=MODEL, about=about_checkpoint(setting.model)),
    ]
    found = Evaluation(systems={system.name: system.about for system in systems})
    ready = embedded(benchmarks, systems, cache, tell)
    for one in evaluate_all(benchmarks, ready, partial(tell, "evaluating")):
        if isinstance(one, Result):
            found.results.append(one)
        elif isinstance(one, Omission):
            found.omissions.append(one)
        else:
            raise one
    return found


def _untouched(model: Model) -> System:
    """The text encoder as it was before any training, with nothing but its own pooling."""
    config = model.network.config
    encoder = load_y_encoder(config.y_encoder, config.embed_dim)

    @torch.inference_mode()
    def encode_text(texts: list[str]) -> Tensor:
        return encoder.sentence_embedding(texts)

    return System(
        name=UNTOUCHED,
        about=f"{config.y_encoder.name}, before training",
        tasks=("triplet",),
        encode_text=in_parts(encode_text),
    )
