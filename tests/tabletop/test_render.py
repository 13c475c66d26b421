"""Rendered pictures, against the colours and the order of what they must show."""

import numpy as np
import pytest

from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.render import RGB, render, render_state
from vljepa.tabletop.scene import COLOURS, SHAPES, VERBS, Item, Placement, State


@pytest.mark.parametrize("verb", VERBS)
def test_action_is_seen_to_move(verb: str) -> None:
    episode = simulate_action(1, verb)
    frames = render(episode, size=64)
    assert frames.shape == (episode.num_frames, 64, 64, 3) and frames.dtype == np.uint8
    assert np.abs(frames[len(frames) // 2].astype(int) - frames[0]).max() > 40
    assert np.array_equal(frames[3:5], render(episode, size=64, frames=[3, 4]))


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("shape", SHAPES)
def test_item_shows_in_its_colour_where_it_stands(colour: str, shape: str) -> None:
    item = Item(shape=shape, colour=colour, size="large", material="matte")
    state = State(placements=(Placement(x=0.25, y=0.2),))
    empty = State(placements=(Placement(x=0.25, y=0.2, on_table=False),))
    picture, without = (render_state(4, [item], s).astype(int) for s in (state, empty))
    like = np.abs(picture - RGB[colour]).sum(-1) < 110
    new = like & (np.abs(picture - without).max(-1) > 20)
    assert new.sum() > 40
    assert np.nonzero(new)[1].mean() < 64


def test_large_covers_more_than_small_and_shiny_glints() -> None:
    def picture(size: str, material: str) -> np.ndarray:
        item = Item(shape="cube", colour="blue", size=size, material=material)
        return render_state(4, [item], State(placements=(Placement(x=0.5, y=0.2),))).astype(int)

    def area(pixels: np.ndarray) -> int:
        return int((np.abs(pixels - RGB["blue"]).sum(-1) < 150).sum())

    assert area(picture("large", "matte")) > 1.8 * area(picture("small", "matte"))
    glint = (picture("large", "shiny").min(-1) > 240).sum() - (picture("large", "matte").min(-1) > 240).sum()
    assert glint >= 2
