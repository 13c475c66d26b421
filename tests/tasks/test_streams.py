"""Offline segments and the online decoder on streams whose changes are known; its properties are in test_online.py."""

import itertools

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.tasks.segment import segment, steady, uniform_segments
from vljepa.tasks.stream import OnlineDecoder, StreamPolicy, events
from vljepa.tasks.unit import unit_rows

NAMES = ["east", "north", "up"]


def made_stream(lengths: list[int], rate_hz: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Stretches of constant meaning with a little noise; returns times and embeddings."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.tile(np.eye(3)[i % 3], (n, 1)) for i, n in enumerate(lengths)])
    return np.arange(len(rows)) / rate_hz, rows + rng.normal(0, 0.02, rows.shape)


def decode(embedding: np.ndarray) -> tuple[str, float]:
    return NAMES[int(embedding.argmax())], float(embedding.max())


def test_segments_are_cut_where_meaning_changes() -> None:
    times, rows = made_stream([8, 20, 4, 12])
    found = segment(rows, times.tolist(), 4)
    assert [s.end for s in found[:-1]] == pytest.approx([1.875, 6.875, 7.875])
    assert found[0].start == 0.0 and found[-1].end == pytest.approx(times[-1] + 0.125)
    assert all(s.midpoint == pytest.approx((s.start + s.end) / 2) for s in found)


def test_more_segments_than_embeddings_gives_one_each() -> None:
    assert len(segment(np.eye(3), [0.0, 1.0, 2.0], 9)) == 3
    assert len(segment(np.eye(3), [0.0, 1.0, 2.0], 1)) == 1


def test_uniform_segments_have_equal_length() -> None:
    found = uniform_segments([0.5, 1.5, 2.5, 3.5], 2)
    assert [(s.start, s.end) for s in found] == [(0.0, 2.0), (2.0, 4.0)]


def test_steadying_keeps_edges_and_drops_what_lies_across_them() -> None:
    # Two meanings with something unlike both between them, as a window across a shift gives.
    times, rows = made_stream([12, 2, 12])
    calm = steady(rows, times.tolist(), 1.5)
    nearest = calm.argmax(axis=1)
    assert set(nearest[:12]) == {0} and set(nearest[12:14]) <= {0, 2} and set(nearest[14:]) == {2}
    assert np.linalg.norm(calm, axis=1) == pytest.approx(1.0)


def test_steadying_is_the_mean_of_the_calmest_stretch() -> None:
    rng = np.random.default_rng(0)
    rows, times = unit_rows(rng.standard_normal((40, 8))), np.cumsum(rng.uniform(0.1, 0.4, 40))
    calm = steady(rows, times.tolist(), 1.0)
    whole = [np.flatnonzero((times >= t) & (times < t + 1.0)) for t in times if t + 1.0 <= times[-1]]
    for i in range(len(whole)):
        means = [rows[some].mean(axis=0) for some in whole if i in some]
        best = max(means, key=lambda mean: float(mean @ mean))
        np.testing.assert_allclose(calm[i], unit_rows(best), atol=1e-5)
    assert steady(rows[:1], [0.0], 1.0) == pytest.approx(rows[:1]) and len(steady(rows[:3], [0.0, 1.0, 2.0], 9.0)) == 3


def test_bad_streams_are_refused() -> None:
    with pytest.raises(UserError, match="must increase"):
        segment(np.eye(3), [0.0, 2.0, 1.0], 2)
    with pytest.raises(UserError, match="at least one"):
        uniform_segments([], 2)


def test_online_decodes_once_a_stretch() -> None:
    times, rows = made_stream([20, 24, 16])
    found = list(events(zip(times.tolist(), rows, strict=True), decode))
    assert [e.text for e in found] == NAMES
    assert found[0].end == pytest.approx(5.0, abs=1.0) and found[1].end == pytest.approx(11.0, abs=1.0)
    assert all(a.end == b.start for a, b in itertools.pairwise(found))


def test_a_still_stream_is_decoded_again_after_the_longest_interval() -> None:
    times, rows = made_stream([80])
    found = list(events(zip(times.tolist(), rows, strict=True), decode, StreamPolicy(max_interval=5.0)))
    assert len(found) == 4 and {e.text for e in found} == {"east"}


def test_bad_policy_and_times_are_refused() -> None:
    with pytest.raises(UserError, match="max_interval"):
        StreamPolicy(min_interval=2.0, max_interval=1.0)
    decoder = OnlineDecoder(decode)
    decoder.push(1.0, np.eye(3)[0])
    with pytest.raises(UserError, match="must increase"):
        decoder.push(1.0, np.eye(3)[0])


def test_empty_stream_gives_nothing() -> None:
    assert list(events([], decode)) == []
