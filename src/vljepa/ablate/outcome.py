"""An ablation's outcome: each row's figures, how they differ from the default's, and what the paper found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vljepa.ablate.points import Diverged, Point
from vljepa.ablate.rows import GROUPS, Row
from vljepa.ablate.setting import Ablation
from vljepa.evaluation.metrics.seeds import over_seeds

FIGURES = {"classification": "classification, top-1 %", "retrieval": "retrieval, R@1 %", "vqa": "VQA, %"}
"""Of a point, in the paper's order."""


@dataclass(frozen=True, kw_only=True)
class Delta:
    """How a figure of a row differs from that of the row it is compared with, in points of percent.

    Ours is the mean over the seeds that both have, with the 95 % interval of their paired differences, which has no
    ends of one seed.
    """

    ours: float
    low: float
    high: float
    paper: float | None
    """None where the paper has no such row; rounded as its figures are."""

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    @property
    def same_sign(self) -> bool | None:
        """Whether ours has the sign of the paper's; None where either sees no difference, or the paper has none."""
        return self.ours * self.paper > 0 if self.ours and self.paper else None


def deltas(ablation: Ablation, found: Sequence[Point | Diverged]) -> dict[tuple[str, str], Delta]:
    """By row and figure; without the default, and rows that no seed has beside what they are compared with."""
    points = {(point.row, point.seed): point for point in found if isinstance(point, Point)}
    rows = {row.name: row for row in ablation.studied()}
    result = {}
    for row in rows.values():
        pairs = [
            (points[row.name, seed], points[row.against, seed])
            for seed in ablation.seeds
            if row.name != row.against and (row.name, seed) in points and (row.against, seed) in points
        ]
        for number, figure in enumerate(FIGURES if pairs else ()):
            ours, low, high = over_seeds([100 * (getattr(a, figure) - getattr(b, figure)) for a, b in pairs])
            theirs, base = row.paper, rows[row.against].paper
            paper = round(theirs[number] - base[number], 1) if theirs and base else None
            result[row.name, figure] = Delta(ours=ours, low=low, high=high, paper=paper)
    return result


def table(ablation: Ablation, found: Sequence[Point | Diverged], about: Mapping[str, str]) -> str:
    """All of it in Markdown.

    Args:
        about: where the figures come from, each a line.
    """
    points = [point for point in found if isinstance(point, Point)]
    lost = [one for one in found if isinstance(one, Diverged)]
    changes = deltas(ablation, found)
    measured = ", ".join(points[0].figures) if points else "none"
    lines = [
        f"Tabletop, synthetic; {ablation.recipe}, seeds {', '.join(map(str, ablation.seeds))}; {ablation.num_steps} "
        f"steps of {ablation.global_batch_size}; {ablation.limit} items of each benchmark at most, {ablation.split} "
        f"split: {measured}. Means over seeds; after each the difference from the default, of (c) from its InfoNCE, "
        "with the 95 % interval of the paired differences over seeds. The paper's figures are of real video.",
        "",
        *(f"* {name}: {value}" for name, value in about.items()),
        "",
        f"| | row | {' | '.join(FIGURES.values())} | the paper | its sign |",
        "|---" * (4 + len(FIGURES)) + "|",
    ]
    group = None
    for row in ablation.studied():
        if row.group != group:
            group = row.group
            lines.append(f"| {group} | *{GROUPS[group]}* |" + " |" * (2 + len(FIGURES)))
        own = [point for point in points if point.row == row.name]
        cells = [_cell(own, figure, changes.get((row.name, figure))) for figure in FIGURES]
        of_row = [changes.get((row.name, figure)) for figure in FIGURES]
        lines.append(f"| | {row.about} | {' | '.join(cells)} | {_paper(row, of_row)} | {_signs(of_row)} |")
    lines += ["", _agreement(list(changes.values()))]
    for one in lost:
        lines += ["", f"`{one.row}` diverged with seed {one.seed}, and is left out with it: {one.reason}."]
    return "\n".join(lines) + "\n"


def _cell(own: Sequence[Point], figure: str, delta: Delta | None) -> str:
    if not own:
        return "diverged"
    mean, _, _ = over_seeds([100 * getattr(point, figure) for point in own])
    if delta is None:
        return f"{mean:.1f}"
    ends = "" if math.isinf(delta.low) else f" ({delta.low:+.1f} to {delta.high:+.1f})"
    return f"{mean:.1f}; {delta.ours:+.1f}{ends}"


def _paper(row: Row, of_row: Sequence[Delta | None]) -> str:
    if row.paper is None:
        return ""
    figures = " / ".join(f"{figure:.1f}" for figure in row.paper)
    known = [f"{delta.paper:+.1f}" for delta in of_row if delta is not None and delta.paper is not None]
    return f"{figures}; {' / '.join(known)}" if known else figures


def _signs(of_row: Sequence[Delta | None]) -> str:
    """Of each figure; an asterisk where our interval leaves zero out."""
    known = [delta for delta in of_row if delta is not None and delta.paper is not None]
    said = {True: "same", False: "other", None: "–"}
    return " / ".join(said[d.same_sign] + ("*" if d.clear and d.same_sign is not None else "") for d in known)


def _agreement(changes: Sequence[Delta]) -> str:
    known = [delta for delta in changes if delta.same_sign is not None]
    clear = [delta for delta in known if delta.clear]
    same, of_clear = (sum(delta.same_sign is True for delta in some) for some in (known, clear))
    return (
        f"Of {len(known)} differences that both see, {same} have the paper's sign; of the {len(clear)} whose interval "
        f"leaves zero out (*), {of_clear}."
    )
