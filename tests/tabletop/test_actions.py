"""Every action, against what its name says of the state before and after."""

import pytest

from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.scene import SHAPES, TWO_OBJECT_VERBS, VERBS, Episode


def _x(episode: Episode):
    step = episode.steps[0]
    return step.before.placements[step.item], step.after.placements[step.item]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("shape", SHAPES[::2])
def test_every_action_class_can_be_simulated(verb: str, shape: str) -> None:
    episode = simulate_action(5, verb, shape=shape)
    step = episode.steps[0]
    assert episode.items[step.item].shape == shape
    assert (step.other is not None) == (verb in TWO_OBJECT_VERBS)
    assert 0 <= step.start < step.end <= episode.duration
    assert 13 <= episode.num_frames <= 24
    assert episode == simulate_action(5, verb, shape=shape)
    names = [(item.colour, item.shape) for item in episode.items]
    assert names.count(names[step.item]) == 1


@pytest.mark.parametrize("seed", range(8))
def test_states_follow_the_verb(seed: int) -> None:
    before, after = _x(simulate_action(seed, "push_left"))
    assert after.x < before.x - 0.2 and after.y == before.y
    before, after = _x(simulate_action(seed, "push_away"))
    assert after.y > before.y + 0.2
    before, after = _x(simulate_action(seed, "put_in_box"))
    assert after.in_box and not before.in_box
    before, after = _x(simulate_action(seed, "uncover"))
    assert before.covered and not after.covered
    before, after = _x(simulate_action(seed, "throw_away"))
    assert before.on_table and not after.on_table
    episode = simulate_action(seed, "stack_on")
    assert _x(episode)[1].on == episode.steps[0].other
    episode = simulate_action(seed, "hide_behind")
    step = episode.steps[0]
    assert step.other is not None
    assert step.after.placements[step.item].y > step.after.placements[step.other].y


def test_swap_exchanges_places() -> None:
    step = simulate_action(3, "swap").steps[0]
    assert step.other is not None
    a, b = step.before.placements, step.after.placements
    assert (a[step.item].x, a[step.item].y) == (b[step.other].x, b[step.other].y)
    assert (a[step.other].x, a[step.other].y) == (b[step.item].x, b[step.item].y)


def test_pairs_are_respected() -> None:
    red_ball = frozenset({("red", "ball")})
    for seed in range(30):
        episode = simulate_action(seed, "stack_on", exclude_pairs=red_ball)
        assert ("red", "ball") not in {(i.colour, i.shape) for i in episode.items}
        episode = simulate_action(seed, "poke", only_pairs=red_ball)
        item = episode.items[episode.steps[0].item]
        assert (item.colour, item.shape) == ("red", "ball")
    with pytest.raises(ValueError, match=r"no .* pair is left"):
        simulate_action(0, "poke", only_pairs=red_ball, exclude_pairs=red_ball)
