"""The rows of table 7, each a change to the default run, with the paper's own figures.

Of (e) the paper's Y-Encoders lie on the hub alone; here stands the one that every installation has, trained and frozen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from vljepa.config import RunConfig, StageConfig

Change = Callable[[RunConfig], RunConfig]
Figures = tuple[float, float, float]
"""Classification, retrieval and questions, in percent."""

DEFAULT = "default"
FROZEN = "frozen-info-nce"

GROUPS = {
    "": "the default: no stage 1, InfoNCE, multiplier 0.05",
    "a": "stage 1",
    "b": "learning rate of the Y-Encoder, relative",
    "c": "objective, with a frozen Y-Encoder without head",
    "d": "predictor",
    "e": "Y-Encoder",
    "+": "beyond the paper",
}
"""The blocks of the table: the paper's letters, and what they vary."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One variation."""

    group: str
    """Of ``GROUPS``."""
    name: str
    about: str
    """What the table calls it."""
    paper: Figures | None = None
    change: Change = lambda run: run
    """From the default run."""
    stage_1: bool = False
    """Begin with the stages without queries."""
    against: str = DEFAULT
    """Name of the row it is compared with: the one that differs by the one thing alone."""
    of_language_model: bool = False
    """It needs a predictor that starts from a language model."""


def _optim(**settings: Any) -> Change:
    return _stages(lambda stage: replace(stage, optim=replace(stage.optim, **settings)))


def _stages(change: Callable[[StageConfig], StageConfig]) -> Change:
    return lambda run: replace(run, stages=tuple(map(change, run.stages)))


def _loss(**settings: Any) -> Change:
    return lambda run: replace(run, loss=replace(run.loss, **settings))


def _frozen(name: str) -> Change:
    """Without head: at the width of the text encoder it starts as the identity, and stays that."""
    freeze = _optim(y_encoder_lr_multiplier=0.0, y_encoder_head_lr_multiplier=0.0)
    return lambda run: _loss(name=name)(freeze(run))


def _predictor(**settings: Any) -> Change:
    return lambda run: replace(run, model=replace(run.model, predictor=replace(run.model.predictor, **settings)))


def _causal(run: RunConfig) -> RunConfig:
    return _predictor(transformer=replace(run.model.predictor.transformer, causal=True))(run)


def _depth(factor: float) -> Change:
    """So many times the layers; of a language model its first ones, as in the paper."""

    def change(run: RunConfig) -> RunConfig:
        transformer = run.model.predictor.transformer
        deep = replace(transformer, num_layers=round(factor * transformer.num_layers))
        return _predictor(transformer=deep, init_first_layer=0)(run)

    return change


def _batch(factor: float) -> Change:
    """So many times the batch, and the same samples in all."""
    return _stages(
        lambda stage: replace(
            stage,
            global_batch_size=round(factor * stage.global_batch_size),
            num_steps=round(stage.num_steps / factor),
        )
    )


ROWS = (
    Row(group="", name=DEFAULT, about="default", paper=(27.3, 30.2, 42.5)),
    Row(group="a", name="stage-1", about="with stage 1", paper=(49.0, 47.5, 46.1), stage_1=True),
    *(
        Row(
            group="b",
            name=f"y-rate-{multiplier:g}",
            about=f"{multiplier:g}",
            paper=paper,
            change=_optim(y_encoder_lr_multiplier=multiplier),
        )
        for multiplier, paper in (
            (1.0, (23.7, 28.8, 40.7)),
            (0.1, (26.9, 30.2, 42.9)),
            (0.05, (27.3, 30.2, 42.5)),
            (0.01, (25.6, 27.7, 41.0)),
            (0.0, (20.0, 25.9, 41.4)),
        )
    ),
    Row(group="c", name=FROZEN, about="InfoNCE", paper=(23.3, 30.3, 44.3), change=_frozen("info_nce")),
    *(
        Row(
            group="c",
            name=f"frozen-{name}",
            about=about,
            paper=paper,
            change=_frozen(name),
            against=FROZEN,
        )
        for name, about, paper in (
            ("cosine", "cosine", (16.5, 20.2, 46.6)),
            ("l1", "L1", (14.8, 15.5, 41.9)),
            ("l2", "L2", (13.5, 11.7, 43.7)),
            ("vicreg", "VICReg", None),
            ("sigreg", "SIGReg", None),
        )
    ),
    Row(group="d", name="half-depth", about="half the layers", paper=(25.1, 28.9, 43.6), change=_depth(0.5)),
    Row(
        group="d",
        name="first-layers",
        about="the language model's first layers",
        paper=(27.2, 29.3, 43.4),
        change=_depth(1.0),
        of_language_model=True,
    ),
    Row(group="d", name="double-depth", about="twice the layers", paper=(27.4, 31.0, 45.5), change=_depth(2.0)),
    Row(group="d", name="causal", about="causal attention", paper=(26.7, 31.2, 40.6), change=_causal),
    Row(
        group="d",
        name="no-init",
        about="no language model to start from",
        paper=(28.1, 30.4, 40.6),
        change=_predictor(init=None, init_first_layer=0),
        of_language_model=True,
    ),
    Row(group="e", name="minilm", about="MiniLM, trained"),
    Row(
        group="e",
        name="minilm-frozen",
        about="MiniLM, frozen, its head trained (the paper: EmbeddingGemma)",
        paper=(19.5, 24.1, 42.5),
        change=_optim(y_encoder_lr_multiplier=0.0),
    ),
    Row(group="+", name="vicreg", about="VICReg", change=_loss(name="vicreg")),
    Row(group="+", name="sigreg", about="SIGReg", change=_loss(name="sigreg")),
    Row(
        group="+",
        name="ema",
        about="targets by a moving average of the Y-Encoder, momentum 0.99",
        change=_optim(y_encoder_momentum=0.99),
    ),
    Row(group="+", name="multi-positive", about="multi-positive InfoNCE", change=_loss(multi_positive=True)),
    Row(group="+", name="half-batch", about="half the batch, equal samples", change=_batch(0.5)),
    Row(group="+", name="double-batch", about="twice the batch, equal samples", change=_batch(2.0)),
    Row(group="+", name="temperature-0.02", about="temperature 0.02 at first", change=_loss(initial_temperature=0.02)),
    Row(group="+", name="temperature-0.2", about="temperature 0.2 at first", change=_loss(initial_temperature=0.2)),
)  # fmt: skip
