"""Differences from points made by hand."""

import math

import pytest

from vljepa.ablate.outcome import deltas, table
from vljepa.ablate.points import Diverged, Point
from vljepa.ablate.setting import Ablation


def point(row: str, seed: int, classification: float, retrieval: float = 0.5, vqa: float = 0.5) -> Point:
    figures = {"actions": classification, "texts": retrieval, "counting": vqa}
    return Point(row=row, seed=seed, classification=classification, retrieval=retrieval, vqa=vqa, figures=figures)


FOUND: list[Point | Diverged] = [
    *(point("default", seed, base) for seed, base in enumerate((0.30, 0.40, 0.50))),
    # Differences of -1, -2 and -3 points: the seeds differ by far more, but alike. Retrieval rises in all by one.
    *(point("y-rate-1", seed, base, 0.51) for seed, base in enumerate((0.29, 0.38, 0.47))),
    *(point("frozen-info-nce", seed, 0.20) for seed in range(3)),
    point("frozen-l1", 0, 0.22),
    Diverged(row="frozen-l1", seed=1, reason="stage 'sft': spikes"),
    Diverged(row="frozen-l1", seed=2, reason="stage 'sft': spikes"),
    *(Diverged(row="frozen-l2", seed=seed, reason="stage 'sft': spikes") for seed in range(3)),
]
ABLATION = Ablation(rows=("y-rate-1", "frozen-l1", "frozen-l2"))


def test_deltas_are_paired_over_seeds() -> None:
    found = deltas(ABLATION, FOUND)
    delta = found["y-rate-1", "classification"]
    # 4.303 is Student's 97.5 % quantile at two degrees of freedom; the differences' standard deviation is 1.
    half = 4.303 / math.sqrt(3)
    assert (delta.ours, delta.low, delta.high) == pytest.approx((-2.0, -2 - half, -2 + half))
    assert delta.paper == -3.6 and delta.same_sign and not delta.clear
    assert found["y-rate-1", "retrieval"].same_sign is False and found["y-rate-1", "retrieval"].clear
    assert found["y-rate-1", "vqa"].same_sign is None
    assert found["frozen-info-nce", "classification"].ours == pytest.approx(-20.0)


def test_a_row_of_c_is_compared_with_its_own_info_nce_over_the_seeds_that_are_left() -> None:
    found = deltas(ABLATION, FOUND)
    delta = found["frozen-l1", "classification"]
    assert delta.ours == pytest.approx(2.0) and math.isinf(delta.high) and delta.paper == -8.5
    assert not {row for row, _ in found} & {"default", "frozen-l2"}


def test_the_table() -> None:
    lines = table(ABLATION, FOUND, {"hardware": "a pocket calculator"}).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in rows} == {8}
    assert "* hardware: a pocket calculator" in lines
    assert "| | default | 40.0 | 50.0 | 50.0 | 27.3 / 30.2 / 42.5 |  |" in rows
    assert (
        "| | 1 | 38.0; -2.0 (-4.5 to +0.5) | 51.0; +1.0 (+1.0 to +1.0) | 50.0; +0.0 (+0.0 to +0.0) "
        "| 23.7 / 28.8 / 40.7; -3.6 / -1.4 / -1.8 | same / other* / – |"
    ) in rows
    assert "| | L2 | diverged | diverged | diverged | 13.5 / 11.7 / 43.7 |  |" in rows
    assert "`frozen-l1` diverged with seed 2, and is left out with it: stage 'sft': spikes." in lines
    # The two above, and classification with a frozen text encoder (paired: -10, -20, -30) and with L1.
    agreement = (
        "Of 4 differences that both see, 2 have the paper's sign; of the 1 whose interval leaves zero out (*), 0."
    )
    assert agreement in lines
