"""The reader of captions against the grammar that writes them."""

import numpy as np
import pytest

from vljepa.demo.facts import compare, read_caption
from vljepa.tabletop import language
from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.scene import VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_caption_is_read_as_what_it_was_written_from(verb: str) -> None:
    for seed in range(4):
        episode = simulate_action(seed, verb)
        step = episode.steps[0]
        things = [episode.items[i] for i in (step.item, step.other) if i is not None]
        pairs = [(thing.colour, thing.shape) for thing in things]
        for draw in range(12):
            text = language.caption(episode, step, np.random.default_rng([seed, draw]))
            # One phrase, one meaning: every reading is the true one.
            assert {fact.verb for fact in read_caption(text)} == {verb}, text
            (fact,) = read_caption(text)
            assert list(fact.things) == (sorted(pairs) if verb == "swap" else pairs), text


def test_other_words_for_the_same_agree() -> None:
    agreement = compare("Someone pushes the scarlet block to the left.", "moving the small red cube left")
    assert agreement.whole


def test_disagreement_is_told_apart() -> None:
    truth = "A hand stacks the red cube on the blue ring."
    assert compare("Stacking the blue ring on the red cube.", truth) == compare(
        "Putting the red ring on top of the blue cube.", truth
    )
    assert compare("Stacking the blue ring on the red cube.", truth).action
    assert not compare("Stacking the blue ring on the red cube.", truth).things
    wrong_action = compare("The hand puts the red cube next to the blue hoop.", truth)
    assert wrong_action.things and not wrong_action.action


@pytest.mark.parametrize("text", ["", "the", "A dog runs.", "the the the the", "A hand pushes the cube to the left."])
def test_what_is_no_caption_agrees_with_nothing(text: str) -> None:
    assert not read_caption(text)
    assert not compare(text, text).action
