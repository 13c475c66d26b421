"""Procedures and streams: their steps follow from one another and fill the time they claim."""

import pytest

from vljepa.tabletop.procedures import HELD_OUT_OPENINGS, PROCEDURES, simulate_procedure, simulate_stream
from vljepa.tabletop.scene import Episode

_RED_BALL = frozenset({("red", "ball")})


def _check_chain(episode: Episode) -> None:
    state, time = episode.start_state, 0.0
    for step in episode.steps:
        assert step.before == state
        assert time <= step.start < step.end <= episode.duration
        state, time = step.after, step.end


def test_there_are_enough_procedures() -> None:
    assert len(PROCEDURES) >= 12


@pytest.mark.parametrize("name", PROCEDURES)
def test_steps_follow_from_one_another(name: str) -> None:
    scripts = set()
    for seed in range(3):
        episode = simulate_procedure(seed, name, exclude_pairs=_RED_BALL)
        assert episode.procedure == name
        assert 4 <= len(episode.steps) <= 8
        _check_chain(episode)
        assert len({(i.colour, i.shape) for i in episode.items}) == len(episode.items)
        assert ("red", "ball") not in {(i.colour, i.shape) for i in episode.items}
        assert episode == simulate_procedure(seed, name, exclude_pairs=_RED_BALL)
        scripts.add(tuple((s.verb, s.item) for s in episode.steps))
    assert len(scripts) > 1


@pytest.mark.parametrize("name", HELD_OUT_OPENINGS)
def test_some_orders_are_kept_for_test(name: str) -> None:
    opening = HELD_OUT_OPENINGS[name]
    for seed in range(12):
        for held_out in (False, True):
            steps = simulate_procedure(seed, name, held_out_order=held_out).steps
            assert (tuple(step.verb for step in steps[: len(opening)]) == opening) is held_out


def test_stream_chains_procedures() -> None:
    found: set[str] = set()
    for seed in range(2):
        episode = simulate_stream(seed, 120.0)
        _check_chain(episode)
        assert episode.num_frames == 960
        assert len(episode.steps) >= 20
        for name, start, end in episode.procedure_spans:
            inside = [s for s in episode.steps if start <= s.start and s.end <= end]
            assert 4 <= len(inside) <= 8
            found.add(name)
    assert len(found) >= 4
