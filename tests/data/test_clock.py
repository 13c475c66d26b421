"""Times of frames, against lists made by hand."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vljepa.data.clock import Clock


def run(clock: Clock, stamps: list[float | None]) -> list[float]:
    return [clock.time(stamp, 0.1) for stamp in stamps]


def test_times_are_the_stamps_from_the_first_on() -> None:
    assert run(Clock(), [5.0, 5.5, 9.0]) == pytest.approx([0.0, 0.5, 4.0])


def test_a_missing_stamp_is_a_frame_after_the_last() -> None:
    assert run(Clock(), [None, None, 7.0, 7.3, None, 7.5]) == pytest.approx([0.0, 0.1, 0.2, 0.5, 0.6, 0.7])


def test_stamps_that_begin_anew_go_on_and_those_out_of_order_do_not_set_the_clock_back() -> None:
    assert run(Clock(), [100.0, 101.0, 0.0, 0.5]) == pytest.approx([0.0, 1.0, 1.1, 1.6])
    assert run(Clock(), [0.0, 1.0, 0.9, 2.0]) == pytest.approx([0.0, 1.0, 1.001, 2.0])


def test_a_leap_is_a_wrong_stamp() -> None:
    assert run(Clock(longest=10.0), [0.0, 95443.7, 95443.9]) == pytest.approx([0.0, 0.1, 0.3])


def test_a_live_stream_goes_on_by_the_clock_on_the_wall() -> None:
    now = iter([4.0, 9.0, 0.0])
    clock = Clock(lambda: next(now), longest=10.0)
    assert run(clock, [50.0, 51.0, None]) == pytest.approx([0.0, 1.0, 4.0])
    clock.break_off()
    assert run(clock, [3.0, 3.5]) == pytest.approx([9.0, 9.5])
    clock.break_off()
    # The stream ran ahead of the wall: it is not set back.
    assert run(clock, [3.0]) == pytest.approx([9.6])


def test_what_has_been_is_past() -> None:
    clock = Clock()
    assert not clock.is_past(3.0)
    run(clock, [2.0, 3.0])
    assert clock.is_past(3.0) and clock.is_past(2.0) and not clock.is_past(3.1) and not clock.is_past(None)


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=2, max_size=30), st.booleans())
def test_times_increase_whatever_comes(stamps: list[float | None], live: bool) -> None:
    times = run(Clock((lambda: 3.0) if live else None, 10.0), stamps)
    assert all(a < b for a, b in itertools.pairwise(times))
