"""Language: inflection, references, and that what is kept for test occurs in no training text."""

import re

import numpy as np
import pytest

from vljepa.tabletop import language
from vljepa.tabletop.scene import COLOURS, MATERIALS, SHAPES, SIZES, VERBS, Episode, Item, Placement, State, Step
from vljepa.tabletop.verb_phrases import HELD_OUT_PHRASES, TRAIN_PHRASES

RED_CUBE = Item(shape="cube", colour="red", size="small", material="matte")
BIG_RED_CUBE = Item(shape="cube", colour="red", size="large", material="matte")
BLUE_BALL = Item(shape="ball", colour="blue", size="large", material="shiny")


def _episode(verb: str, other: int | None = 1) -> Episode:
    state = State(placements=(Placement(x=0.2, y=0.2), Placement(x=0.7, y=0.7)))
    step = Step(verb=verb, item=0, other=other, start=0.5, end=1.5, before=state, after=state)
    return Episode(seed=1, items=(RED_CUBE, BLUE_BALL), start_state=state, steps=(step,), duration=2.0)


@pytest.mark.parametrize(
    ("phrase", "third", "gerund"),
    [
        ("*push it", "pushes it", "pushing it"),
        ("*put it", "puts it", "putting it"),
        ("*lift it and *drop it", "lifts it and drops it", "lifting it and dropping it"),
        ("*carry it", "carries it", "carrying it"),
        ("*take it", "takes it", "taking it"),
        ("*lower it", "lowers it", "lowering it"),
        ("*display it", "displays it", "displaying it"),
    ],
)
def test_inflection(phrase: str, third: str, gerund: str) -> None:
    assert language.third_person(phrase) == third
    assert language.gerund(phrase) == gerund


def test_every_symbol_has_words_and_phrases() -> None:
    symbols = {*SHAPES, *COLOURS, *SIZES, *MATERIALS}
    assert set(language.TRAIN_WORDS) == set(language.HELD_OUT_WORDS) == symbols
    assert set(TRAIN_PHRASES) == set(HELD_OUT_PHRASES) == set(VERBS)
    assert len(set(language.ACTION_CLASSES)) == len(language.ACTION_CLASSES) == 204
    assert len(set(language.NOVEL_CLASSES)) == 204


def test_no_phrase_is_said_of_two_verbs() -> None:
    phrases = [phrase for verb in VERBS for phrase in (*TRAIN_PHRASES[verb], *HELD_OUT_PHRASES[verb])]
    assert len(set(phrases)) == len(phrases)


def test_held_out_words_occur_in_no_training_text() -> None:
    held_out = {w for words in language.HELD_OUT_WORDS.values() for w in words}
    held_out |= {v for phrases in HELD_OUT_PHRASES.values() for p in phrases for v in re.findall(r"\*(\w+)", p)}
    text = " ".join(phrase for phrases in TRAIN_PHRASES.values() for phrase in phrases)
    text += " " + " ".join(w for words in language.TRAIN_WORDS.values() for w in words)
    assert not held_out & set(re.findall(r"[\w-]+", text))


def test_describe_names_what_tells_items_apart() -> None:
    assert language.describe(0, (RED_CUBE, BLUE_BALL), language.vocabulary()) == "the red cube"
    assert language.describe(0, (RED_CUBE, BIG_RED_CUBE), language.vocabulary()) == "the small red cube"
    words = language.vocabulary(held_out=True)
    assert language.describe(0, (RED_CUBE, BLUE_BALL), words) == "the crimson brick"


def test_captions_are_distinct_and_name_both_objects() -> None:
    episode = _episode("stack_on")
    texts = language.captions(episode, episode.steps[0], 3, 6)
    assert len(set(texts)) == len(texts) >= 5
    assert texts == language.captions(episode, episode.steps[0], 3, 6)
    assert all(re.search("cube|block", t) and re.search("ball|sphere", t) for t in texts)


def test_action_label() -> None:
    assert language.action_label("push_left", "cube") == "pushing a cube to the left"
    assert language.action_label("stack_on", None) == "stacking something on another object"
    assert language.novel_label("push_left", "red", "ball") == "shoving the crimson orb leftwards"


def test_scene_caption_names_what_is_seen() -> None:
    episode = _episode("spin", None)
    hidden = State(placements=(Placement(x=0.2, y=0.2), Placement(x=0.7, y=0.7, covered=True)))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert re.search("ball|sphere", language.scene_caption(episode.items, episode.start_state, rng))
        assert not re.search("ball|sphere", language.scene_caption(episode.items, hidden, rng))
