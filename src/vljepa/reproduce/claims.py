"""What the paper says, and whether the miniature says the same: each claim with what it is checked by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from vljepa.ablate.outcome import FIGURES, deltas
from vljepa.ablate.rows import ROWS
from vljepa.compare.figure import inference
from vljepa.compare.outcome import BOTH, NAMES, PANELS, curve
from vljepa.compare.points import Point
from vljepa.compare.setting import Kind
from vljepa.evaluation.report.quoted import FIGURE_4
from vljepa.evaluation.result import Result
from vljepa.model.counts import trained_parameters
from vljepa.reproduce.run import MODEL, UNTOUCHED, Outcome

_SCALE = {figure: scale for figure, _, scale in PANELS}
_STREAMS = "tabletop-stream"
_TRIPLETS = "tabletop-triplet"
_EXACT, _POOLED = (f"CIDEr-D at 1 Hz, uniform {kind}" for kind in ("exact", "pooled"))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the miniature shows of a claim."""

    ours: str
    agrees: bool
    """In direction."""
    clear: bool
    """Whether chance is ruled out: by intervals apart, or because nothing is left to chance."""

    @property
    def verdict(self) -> str:
        """In words."""
        if self.clear:
            return "yes" if self.agrees else "no"
        return f"{'in' if self.agrees else 'not in'} direction; chance is not ruled out"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of the paper."""

    where: str
    says: str
    paper: str
    """Its figures."""
    find: Callable[[Outcome], Finding | None]
    """None if it was not measured."""


def _ahead(outcome: Outcome, figure: str, of: Kind) -> Finding | None:
    """VL-JEPA before another model at the end of training."""
    courses = [curve(outcome.study.points, kind, figure) for kind in ("vl_jepa", of)]
    if not all(courses):
        return None
    ours, theirs = (course[-1] for course in courses)
    scale = _SCALE[figure]
    return Finding(
        ours=f"{scale * ours.value:.2f} against {scale * theirs.value:.2f} after {ours.samples:,} samples",
        agrees=ours.value > theirs.value,
        clear=_apart((ours.low, ours.high), (theirs.low, theirs.high)),
    )


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two intervals have nothing in common."""
    return one[0] > other[1] or one[1] < other[0]


def _lead_grows(outcome: Outcome, figure: str) -> Finding | None:
    """From the first point to the last."""
    points = outcome.study.points
    if not set(BOTH) <= {point.kind for point in points}:
        return None
    before, after = (_lead(points, figure, at) for at in (0, -1))
    return Finding(ours=f"lead of {before:+.2f}, then {after:+.2f}", agrees=after > before, clear=False)


def _half_the_parameters(outcome: Outcome) -> Finding:
    ours = trained_parameters(outcome.study.comparison.model("vl_jepa"))["predictor"]
    theirs = trained_parameters(outcome.study.comparison.model("token_vlm"))["language_model"]
    return Finding(ours=f"{ours / 1e6:.1f} M against {theirs / 1e6:.1f} M", agrees=ours < 0.6 * theirs, clear=True)


def _cheaper_without_text(outcome: Outcome) -> Finding:
    costs = inference(outcome.study.comparison)
    ours, theirs = costs[NAMES["vl_jepa"]], costs[NAMES["token_vlm"]]
    return Finding(ours=f"{ours:.0f} M operations against {theirs:.0f} M", agrees=ours < theirs, clear=True)


def _more_wordings(outcome: Outcome, figure: str) -> Finding | None:
    """Whether the lead over the VLM grows with the wordings of a fact."""
    by_wordings = outcome.study.by_wordings
    if len(by_wordings) < 2:
        return None
    few, many = min(by_wordings), max(by_wordings)
    before, after = (_lead(by_wordings[count], figure, -1) for count in (few, many))
    return Finding(
        ours=f"lead of {before:+.2f} with {few}, {after:+.2f} with {many}", agrees=after > before, clear=False
    )


def _lead(points: Sequence[Point], figure: str, at: int) -> float:
    """Of VL-JEPA over the VLM at one of their points."""
    ours, theirs = (curve(points, kind, figure)[at].value for kind in BOTH)
    return _SCALE[figure] * (ours - theirs)


def _fewer_decodings(outcome: Outcome) -> Finding | None:
    streams = _result(outcome, _STREAMS, MODEL)
    if streams is None:
        return None
    low, high = streams.interval
    return Finding(
        ours=f"{streams.value:.2f} times ({low:.2f} to {high:.2f})",
        agrees=streams.value > 1,
        clear=_apart(streams.interval, (1.0, 1.0)),
    )


def _pooling_helps(outcome: Outcome) -> Finding | None:
    streams = _result(outcome, _STREAMS, MODEL)
    if streams is None:
        return None
    exact, pooled = streams.figures[_EXACT], streams.figures[_POOLED]
    return Finding(ours=f"{pooled:.2f} pooled, {exact:.2f} exact", agrees=pooled > exact, clear=False)


def _firmer_texts(outcome: Outcome) -> Finding | None:
    ours, before = (_result(outcome, _TRIPLETS, system) for system in (MODEL, UNTOUCHED))
    if ours is None or before is None:
        return None
    return Finding(
        ours=f"{100 * ours.value:.1f} % against {100 * before.value:.1f} % before training",
        agrees=ours.value > before.value,
        clear=_apart(ours.interval, before.interval),
    )


def _result(outcome: Outcome, benchmark: str, system: str) -> Result | None:
    return next((r for r in outcome.evaluation.results if (r.benchmark, r.system) == (benchmark, system)), None)


def _ablated(outcome: Outcome, row: str, figure: str) -> Finding | None:
    """A row of table 7 beside the one it is compared with, in one figure."""
    delta = deltas(outcome.setting.ablation, outcome.ablation).get((row, figure))
    if delta is None:
        return None
    return Finding(ours=f"{delta.ours:+.1f} points", agrees=delta.same_sign is True, clear=delta.clear)


def _of_table_7(says: str, name: str, figure: str) -> Claim:
    rows = {row.name: row for row in ROWS}
    row, number = rows[name], list(FIGURES).index(figure)
    theirs, base = row.paper, rows[row.against].paper
    assert theirs is not None and base is not None, "a claim of the paper's"
    return Claim(
        where=f"table 7 {row.group}",
        says=says,
        paper=f"{theirs[number] - base[number]:+.1f} points",
        find=partial(_ablated, row=name, figure=figure),
    )


CLAIMS = (
    Claim(
        where="figure 3",
        says="Trained alike, VL-JEPA captions better than the token-space VLM",
        paper="CIDEr 14.8 against 7.1 after 15 M samples",
        find=partial(_ahead, figure="cider", of="token_vlm"),
    ),
    Claim(
        where="figure 3",
        says="... and classifies better",
        paper="41.0 % against 27.2 %",
        find=partial(_ahead, figure="top5", of="token_vlm"),
    ),
    Claim(
        where="figure 3",
        says="The lead in captions grows with the samples seen",
        paper="-0.12 after 0.5 M, +7.7 after 15 M",
        find=partial(_lead_grows, figure="cider"),
    ),
    Claim(
        where="figure 3",
        says="The lead in classification grows with the samples seen",
        paper="+0.9 after 0.5 M, +13.8 after 15 M",
        find=partial(_lead_grows, figure="top5"),
    ),
    Claim(
        where="figure 3",
        says="VL-JEPA trains half the parameters, the text encoder apart",
        paper="0.5 B against 1 B",
        find=_half_the_parameters,
    ),
    Claim(
        where="figure 3",
        says="Without text it costs less than the VLM, the X-Encoder apart",
        paper="126 ms against 330 ms, with the X-Encoder",
        find=_cheaper_without_text,
    ),
    Claim(
        where="section 1",
        says="The more wordings a fact has, the more predicting embeddings gains in captions",
        paper="argued, no figure",
        find=partial(_more_wordings, figure="cider"),
    ),
    Claim(
        where="table 1",
        says="VL-JEPA classifies better than a dual encoder in CLIP's manner",
        paper="trained on other data; here on the same",
        find=partial(_ahead, figure="top5", of="dual_encoder"),
    ),
    Claim(
        where="figure 4",
        says="Decoding where the meaning changes needs fewer decodings for the CIDEr of uniform 1 Hz",
        paper=f"{FIGURE_4} times",
        find=_fewer_decodings,
    ),
    Claim(where="figure 4", says="Average pooling helps uniform decoding", paper="curves", find=_pooling_helps),
    Claim(
        where="table 6",
        says="Training makes the text side firmer against hard negatives",
        paper="63.9 % on SugarCrepe++, the best of its table",
        find=_firmer_texts,
    ),
    _of_table_7("Stage 1 helps classification", "stage-1", "classification"),
    _of_table_7("Stage 1 helps retrieval", "stage-1", "retrieval"),
    _of_table_7("Stage 1 helps VQA", "stage-1", "vqa"),
    _of_table_7("A frozen Y-Encoder classifies worse", "y-rate-0", "classification"),
    _of_table_7("A Y-Encoder at the full rate classifies worse", "y-rate-1", "classification"),
    _of_table_7("Cosine classifies worse than InfoNCE", "frozen-cosine", "classification"),
    _of_table_7("Cosine retrieves worse than InfoNCE", "frozen-cosine", "retrieval"),
    _of_table_7("Cosine answers better than InfoNCE", "frozen-cosine", "vqa"),
    _of_table_7("L1 classifies worse than InfoNCE", "frozen-l1", "classification"),
    _of_table_7("L2 classifies worse than InfoNCE", "frozen-l2", "classification"),
    _of_table_7("Twice the layers answer better", "double-depth", "vqa"),
    _of_table_7("Causal attention answers worse", "causal", "vqa"),
)
"""In the order of the page."""
