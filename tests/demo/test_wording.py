"""The sentences with figures in them, and the figures."""

from collections.abc import Sequence

import numpy as np
import pytest

from vljepa.demo.records import Economy
from vljepa.demo.streams import uniform_for
from vljepa.demo.wording import p_value, percent, spared, with_hindsight
from vljepa.evaluation.selective import Sweep


def _sweep(scores: Sequence[tuple[float, float]]) -> Sweep:
    rates, scored = np.array(scores).reshape(-1, 2, 1).transpose(1, 0, 2)
    one = np.array([1])
    return Sweep(
        scores={"uniform exact": scored}, decodings={"uniform exact": rates}, num_annotations=one, durations=one
    )


def _economy(cider: float, uniform: float | None) -> Economy:
    return Economy(
        decodings=20, cider=cider, uniform=uniform, most=240, sweep=_sweep([]), hindsight=0.0, annotations=40, right=3
    )


def test_uniform_count_is_interpolated_in_its_logarithm() -> None:
    # Ten seconds: 10 decodings score 0, 40 score 2; 1 is half way, at the geometric mean.
    assert uniform_for(_sweep([(4.0, 2.0), (1.0, 0.0)]), 1.0, 10.0) == (pytest.approx(20.0), 40)
    assert uniform_for(_sweep([(1.0, 0.5), (4.0, 2.0)]), 0.5, 10.0) == (10.0, 40)
    assert uniform_for(_sweep([(1.0, 0.0), (4.0, 2.0)]), 3.0, 10.0) == (None, 40)


def test_what_was_spared_is_said_as_it_is() -> None:
    assert "with 50 decodings, 2.5 times as many." in spared(_economy(1.0, 50.0))
    assert "nothing was spared" in spared(_economy(1.0, 12.0))
    assert "never reached that quality" in spared(_economy(1.0, None)) and "240" in spared(_economy(1.0, None))
    assert "no quality to compare" in spared(_economy(0.0, 1.0))


def test_hindsight_is_said_as_it_is() -> None:
    assert "matched with 2.9 times fewer" in with_hindsight(2.85)
    assert "but with more" in with_hindsight(0.8) and "never matched" in with_hindsight(0.0)


def test_figures() -> None:
    assert p_value(0.0) == "p < 0.001" and p_value(0.25) == "p = 0.250"
    assert percent(1 / 3) == "33.3\u00a0%"
