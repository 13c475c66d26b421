"""The saving read off a sweep in closed form, and the sweep on a stream whose meanings are known."""

import numpy as np
import pytest

from vljepa.evaluation.selective import (
    METHODS,
    ONLINE,
    ONLINE_THRESHOLDS,
    RATES_HZ,
    REFERENCE_HZ,
    EmbeddedStream,
    Sweep,
    sweep,
)
from vljepa.tasks.unit import unit_rows

ROW = RATES_HZ.index(REFERENCE_HZ)
TEXTS = [
    "pushing the red cube left",
    "lifting a blue ball high",
    "turning one green cone around",
    "shaking it from side to side",
]


def made_sweep(selective: dict[float, float], aim: float) -> Sweep:
    """Two equal streams of 100 s; ``selective`` is rate to score, ``uniform`` scores ``aim`` at 1 Hz."""
    rates = np.array(RATES_HZ)
    uniform = np.where(rates >= REFERENCE_HZ, aim, 0.0)
    both = {"ward exact": (np.array(list(selective)), np.array(list(selective.values()))), "uniform": (rates, uniform)}
    return Sweep(
        scores={name: np.stack([scores, scores], axis=1) * 10 for name, (_, scores) in both.items()},
        decodings={name: np.stack([asked, asked], axis=1) * 100 for name, (asked, _) in both.items()},
        num_annotations=np.array([10, 10]),
        durations=np.array([100.0, 100.0]),
    )


def test_saving_is_interpolated_in_log_rate() -> None:
    swept = made_sweep({0.8: 2.0, 0.2: 1.0, 0.05: 0.0}, aim=1.5)
    # Half way in score from 0.2 to 0.8 Hz is 0.4 Hz.
    assert swept.saving("ward exact", "uniform") == pytest.approx(1 / 0.4)
    # In whatever order the points come, as those of thresholds do.
    assert made_sweep({0.2: 1.0, 0.05: 0.0, 0.8: 2.0}, aim=1.5).saving("ward exact", "uniform") == pytest.approx(2.5)


def test_saving_at_the_lowest_rate_and_out_of_reach() -> None:
    assert made_sweep({0.8: 2.0, 0.2: 1.5}, aim=1.5).saving("ward exact", "uniform") == pytest.approx(5.0)
    assert made_sweep({0.8: 1.4}, aim=1.5).saving("ward exact", "uniform") == 0.0
    assert made_sweep({0.8: 1.4}, aim=0.0).saving("ward exact", "uniform") == 0.0


def test_a_resample_counts_its_own_decodings() -> None:
    swept = made_sweep({0.8: 2.0, 0.2: 1.5}, aim=1.5)
    swept.decodings["ward exact"][1, 1] = 40  # 0.4 Hz in the second stream
    assert swept.saving("ward exact", "uniform") == pytest.approx(1 / 0.3)
    assert swept.saving("ward exact", "uniform", np.array([1, 1])) == pytest.approx(1 / 0.4)


def test_smoothing_is_the_mean_round_about() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.1, 0.4, 50))
    rows = unit_rows(rng.standard_normal((50, 8)))
    stream = EmbeddedStream(times=times, embeddings=rows, annotations=())
    direct = [rows[np.abs(times - time) <= 0.375].mean(axis=0) for time in times]
    np.testing.assert_allclose(stream.smoothed(0.75).embeddings, unit_rows(np.stack(direct)), atol=1e-6)


def test_uneven_meanings_are_cut_better_than_evenly() -> None:
    """Short and long stretches, one annotation in the middle of each; the texts are decoded without error."""
    rng = np.random.default_rng(0)
    lengths = rng.choice([9, 12, 40], 30)
    meaning = np.repeat(np.arange(30) % 4, lengths)
    rows = unit_rows(np.eye(4)[meaning] + rng.normal(0, 0.02, (len(meaning), 4)))
    times = np.arange(len(meaning)) / 4
    middles = (np.cumsum(lengths) - lengths / 2) / 4
    notes = tuple((float(time), TEXTS[i % 4]) for i, time in enumerate(middles))
    stream = EmbeddedStream(times=times, embeddings=rows, annotations=notes)
    swept = sweep([stream], lambda some: [TEXTS[i] for i in some.argmax(axis=1)])
    best = {method: swept.points(method)[1].max() for method in (*METHODS, ONLINE)}
    assert best["ward exact"] == best["ward pooled"] == pytest.approx(10.0)
    assert best[ONLINE] == pytest.approx(10.0)
    num_segments = swept.decodings[ONLINE][:, 0]
    assert len(num_segments) == len(ONLINE_THRESHOLDS) and 30 in num_segments
    for method in ("ward exact", ONLINE):
        assert swept.saving(method, "uniform exact") > 1.5
    assert {point.method for point in swept.curve} == {*METHODS, ONLINE}
    assert swept.at_reference()["uniform exact"] == swept.points("uniform exact")[1][ROW]
