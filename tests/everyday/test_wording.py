"""Captions against what they must say, read by patterns that know nothing of the grammar."""

import re

import numpy as np

from vljepa.everyday.scene import Clause, Predicate, Scene, Thing, altered, draw, facts
from vljepa.everyday.wording import caption
from vljepa.everyday.words import RELATIONS

STYLES = range(300)
MAN, DOG = Thing(kind="person", noun="man"), Thing(kind="animal", noun="dog")
CUP, TRAY = Thing(kind="object", noun="cup", attribute=("colour", "red")), Thing(kind="furniture", noun="table")


def scene(subject: Thing, *predicates: Predicate) -> Scene:
    return Scene(clauses=(Clause(subject=subject, predicates=predicates),))


def texts(of: Scene) -> set[str]:
    return {caption(of, style) for style in STYLES}


def test_who_does_what_to_whom_in_every_wording() -> None:
    man, dog, chase = "(man|guy|gentleman)", "(dog|hound)", "(chase|chasing|pursue|pursuing)"
    found = texts(scene(MAN, Predicate(verb="chase", target=DOG)))
    active = {text for text in found if re.search(rf"{man} (is )?{chase}s? (a|the) {dog}\.?$", text)}
    passive = {
        text for text in found if re.search(rf"{dog} (is |is being |being )(chased|pursued) by (a|the) {man}", text)
    }
    assert active | passive == found
    assert len(active) > 20 and len(passive) > 10


def test_how_things_stand_in_every_wording() -> None:
    cup, table = r"((red (cup|mug))|((cup|mug) that is red))", "table"
    forth, back = ("|".join(RELATIONS[name].phrases) for name in ("above", "below"))
    found = texts(scene(CUP, Predicate(relation="above", target=TRAY)))
    assert all(
        re.search(rf"{cup} (is )?({forth}) (a|the) {table}", text)
        or re.search(rf"{table} (is )?({back}) (a|the) {cup}", text)
        for text in found
    )
    assert facts(scene(TRAY, Predicate(relation="below", target=CUP))) == facts(
        scene(CUP, Predicate(relation="above", target=TRAY))
    )
    assert facts(scene(TRAY, Predicate(relation="beside", target=CUP))) == facts(
        scene(CUP, Predicate(relation="beside", target=TRAY))
    )


def test_number_and_clothes() -> None:
    dogs = Thing(kind="animal", noun="dog", number=3)
    girl = Thing(kind="person", noun="girl", garment=("blue", "skirt"))
    found = texts(scene(dogs, Predicate(verb="follow", target=girl)))
    assert all(re.search(r"(T|t)hree (dogs|hounds)", text) for text in found)
    assert all(re.search(r"girl (in|wearing|with|dressed in) a blue skirt", text) for text in found)
    assert not any(re.search(r"(dogs|hounds) (is|follows)\b", text) for text in found)


def test_a_style_decides_each_word_once() -> None:
    """So what changes places keeps its words."""
    for style in STYLES:
        one = caption(scene(MAN, Predicate(verb="kiss", target=DOG)), style)
        other = caption(scene(DOG, Predicate(verb="kiss", target=MAN)), style)
        assert one != other
        assert sorted(re.findall(r"\w+", one.lower())) == sorted(re.findall(r"\w+", other.lower()))


def test_alterations_mean_and_say_something_else() -> None:
    rng = np.random.default_rng(0)
    same_text = same_wording = 0
    for style in range(1000):
        one = draw(rng)
        other = altered(one, rng)
        assert facts(one) != facts(other)
        same_text += caption(one, style) == caption(other, style)
        same_wording += caption(one, style) == caption(one, style + 1)
    assert same_text == 0
    assert same_wording < 20
