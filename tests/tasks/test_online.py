"""Properties of the online decoder on streams of any kind: causal, bounded, and within its intervals and budget."""

import itertools
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.tasks.calibrate import calibrate, rate
from vljepa.tasks.history import History
from vljepa.tasks.stream import LEAST_THRESHOLD, OnlineDecoder, StreamPolicy, events
from vljepa.tasks.unit import unit_rows
from vljepa.types import Event

Stream = tuple[np.ndarray, np.ndarray]


def silent(_: np.ndarray) -> tuple[str, float]:
    return "", 0.0


def first_value(row: np.ndarray) -> tuple[str, float]:
    """A text that gives the embedding away."""
    return f"{row[0]:.6f}", float(row[0])


def changing(seed: int, num_instants: int = 400, every: float = 10.0, noise: float = 0.1) -> Stream:
    """Meanings that hold for about ``every`` instants at uneven times around 4 Hz."""
    rng = np.random.default_rng(seed)
    meaning = np.cumsum(rng.random(num_instants) < 1 / every)
    rows = rng.standard_normal((meaning[-1] + 1, 16))[meaning] + rng.normal(0, noise, (num_instants, 16))
    return np.cumsum(rng.uniform(0.15, 0.35, num_instants)), unit_rows(rows)


def emitted(stream: Stream, policy: StreamPolicy) -> list[Event | None]:
    decoder = OnlineDecoder(first_value, policy)
    return [decoder.push(float(time), row) for time, row in zip(*stream, strict=True)]


POLICIES = [
    StreamPolicy(),
    StreamPolicy(window=3.0, threshold=0.05, settle=0.0, smoothing=0.0, release=1.0),
    StreamPolicy(min_interval=2.0, max_interval=4.0),
    StreamPolicy(budget_hz=0.3),
]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(3))
def test_what_comes_later_changes_nothing(policy: StreamPolicy, seed: int) -> None:
    times, rows = changing(seed)
    whole = emitted((times, rows), policy)
    assert sum(event is not None for event in whole) > 10
    other = changing(seed + 100)[1]
    for cut in (1, 7, 50, 123, 390):
        assert emitted((times[:cut], rows[:cut]), policy) == whole[:cut]
        assert emitted((times, np.concatenate([rows[:cut], other[cut:]])), policy)[:cut] == whole[:cut]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(3))
def test_events_follow_each_other_within_the_intervals_and_the_delay(policy: StreamPolicy, seed: int) -> None:
    times, rows = changing(seed)
    decoder = OnlineDecoder(silent, policy)
    found, step = [], float(np.diff(times).max())
    for time, row in zip(times.tolist(), rows, strict=True):
        event = decoder.push(time, row)
        if event is not None:
            assert event.end <= time <= event.end + policy.delay + step
            found.append(event)
    assert all(policy.min_interval <= e.end - e.start <= policy.max_interval + step for e in found)
    last = decoder.finish()
    assert last is not None
    found.append(last)
    assert found[0].start == times[0] and last.end == times[-1]
    assert all(a.end == b.start for a, b in itertools.pairwise(found))
    assert decoder.num_decodings == len(found)


def test_a_cut_falls_between_two_meanings_and_their_middle_is_decoded() -> None:
    rows = np.repeat(np.eye(2), 20, axis=0)
    times = np.arange(40) / 4
    first, second = events(zip(times.tolist(), rows, strict=True), first_value)
    assert first.end == pytest.approx(4.875, abs=0.126)
    assert (first.text, second.text) == ("1.000000", "0.000000")


def test_a_shift_is_seen_once_until_the_window_has_calmed() -> None:
    # Three meanings half a window apart: the variance stays up between the two shifts.
    rows = np.repeat(np.eye(3), [20, 4, 20], axis=0)
    stream = [(i / 4, row) for i, row in enumerate(rows)]
    strict, lax = StreamPolicy(release=0.5, settle=0.25), StreamPolicy(release=1.0, settle=0.25)
    assert len(list(events(stream, silent, strict))) == 2
    assert len(list(events(stream, silent, lax))) >= 2


@pytest.mark.parametrize("seed", range(3))
def test_running_variance_is_that_of_the_formula(seed: int) -> None:
    times, rows = changing(seed, num_instants=9000)
    history = History(1.75)
    for i, (time, row) in enumerate(zip(times.tolist(), rows, strict=True)):
        history.push(time, row)
        history.forget(time)
        if i % 97 == 0:
            inside = rows[(times <= time) & (times >= time - 1.75)].astype(np.float64)
            direct = ((inside - inside.mean(axis=0)) ** 2).sum(axis=1).mean()
            # Unit vectors are so in float32 alone.
            assert history.variance() == pytest.approx(direct, abs=1e-6)


def test_instants_that_share_a_sum_hardly_change_the_variance() -> None:
    rows = np.repeat(changing(0, num_instants=40)[1], 50, axis=0)
    times = np.arange(len(rows)) / 200
    history = History(2.0)
    for i, (time, row) in enumerate(zip(times.tolist(), rows, strict=True)):
        history.push(time, row)
        if i > 400 and i % 31 == 0:
            mean = rows[(times <= time) & (times >= time - 2.0)].mean(axis=0)
            # What is at stake is a 32nd of the window at its edge, and twice that in the square of the mean.
            assert history.variance() == pytest.approx(1 - mean @ mean, abs=1 / 16)


@pytest.mark.parametrize("step", [1e-7, 0.01, 0.25])
def test_memory_does_not_grow_with_the_stream(step: float) -> None:
    rng = np.random.default_rng(0)
    rows = unit_rows(rng.standard_normal((64, 64)))
    decoder = OnlineDecoder(silent, StreamPolicy(max_interval=5.0, threshold=0.9))

    def watch(first: int, count: int) -> int:
        for i in range(first, first + count):
            decoder.push(i * step, rows[i % 64])
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = watch(0, 3000)
        late = watch(3000, 9000)
    finally:
        tracemalloc.stop()
    assert late < early * 1.05 + 4096


def test_a_budget_holds_where_the_stream_changes_its_nature() -> None:
    parts = [
        changing(seed, 3000, every, noise) for seed, (every, noise) in enumerate([(12, 0.1), (30, 0.02), (15, 0.3)])
    ]
    rows = np.concatenate([part[1] for part in parts])
    times = np.arange(len(rows)) / 4
    for budget in (0.05, 0.15):
        decoder = OnlineDecoder(silent, StreamPolicy(budget_hz=budget))
        counts = []
        for time, row in zip(times.tolist(), rows, strict=True):
            decoder.push(time, row)
            counts.append(decoder.num_decodings)
        later = len(times) // 9
        assert (counts[-1] - counts[later]) / (times[-1] - times[later]) == pytest.approx(budget, rel=0.1)
        # The overdraft is bounded at every time: the threshold's range over the gain.
        bound = np.log(1 / LEAST_THRESHOLD) / 0.1
        assert np.abs(np.array(counts) - budget * times).max() < bound


def test_a_budget_out_of_reach_is_refused() -> None:
    with pytest.raises(UserError, match=r"between 0\.0333 and 2 Hz"):
        StreamPolicy(budget_hz=5.0)


def test_calibration_comes_to_the_wanted_rate_and_holds_on_other_streams() -> None:
    sample = [changing(seed, 1500, every=12) for seed in range(4)]
    others = [changing(seed, 1500, every=12) for seed in range(10, 14)]
    for wanted in (0.1, 0.2):
        found = calibrate(sample, wanted, StreamPolicy(budget_hz=0.5))
        assert found.policy.budget_hz is None
        assert found.rate_hz == rate(sample, found.policy) == pytest.approx(wanted, rel=0.05)
        assert rate(others, found.policy) == pytest.approx(wanted, rel=0.35)
    with pytest.raises(UserError, match="no threshold decodes these streams at 5 Hz"):
        calibrate(sample, 5.0)
    with pytest.raises(UserError, match="at least one stream"):
        calibrate([], 0.2)


def test_a_replaced_policy_counts_at_once() -> None:
    decoder = OnlineDecoder(silent)
    decoder.policy = replace(decoder.policy, threshold=0.7)
    assert decoder.threshold == pytest.approx(0.7)
