"""The tables against one another, and inflections against a list."""

import pytest

from vljepa.everyday.words import (
    ALONE,
    ATTRIBUTES,
    ATTRIBUTES_OF,
    GARMENTS,
    MOTIONS,
    MOVES,
    NOUNS,
    PLACES,
    POSES,
    RELATIONS,
    VERBS,
    gerund,
    participle,
    plural,
    third_person,
)

TABLES = [GARMENTS, PLACES, ALONE, MOVES, POSES, *NOUNS.values(), *ATTRIBUTES.values(), *VERBS.values()]


@pytest.mark.parametrize("table", TABLES)
def test_no_two_names_share_a_word(table: dict[str, tuple[str, ...]]) -> None:
    """Or what should be another thing could be the same in other words."""
    words = [word for synonyms in table.values() for word in synonyms]
    assert len(words) == len(set(words))
    assert all(word == word.strip() and word for word in words)


def test_relations_name_one_another() -> None:
    for name, relation in RELATIONS.items():
        assert set(relation.contrasts) <= set(RELATIONS) - {name}
        if relation.converse != "-":
            assert RELATIONS[relation.converse].converse == name
        for other in relation.contrasts:
            assert not set(relation.phrases) & set(RELATIONS[other].phrases), (name, other)
    for name, motion in MOTIONS.items():
        assert set(motion.contrasts) <= set(MOTIONS) - {name}
        for other in motion.contrasts:
            assert not set(motion.phrases) & set(MOTIONS[other].phrases), (name, other)


def test_every_class_has_attributes_that_exist() -> None:
    assert set(ATTRIBUTES_OF) == set(NOUNS)
    assert {group for groups in ATTRIBUTES_OF.values() for group in groups} <= set(ATTRIBUTES)
    assert {kind for classes in VERBS for kind in classes} <= set(NOUNS)


def test_inflections() -> None:
    verbs = {
        "carry": ("carries", "carrying", "carried"),
        "lie": ("lies", "lying", "lied"),
        "push": ("pushes", "pushing", "pushed"),
        "throw away": ("throws away", "throwing away", "thrown away"),
        "drop": ("drops", "dropping", "dropped"),
        "chase": ("chases", "chasing", "chased"),
        "play": ("plays", "playing", "played"),
        "cut": ("cuts", "cutting", "cut"),
    }
    assert {verb: (third_person(verb), gerund(verb), participle(verb)) for verb in verbs} == verbs
    nouns = {
        "man": "men", "fireman": "firemen", "police officer": "police officers", "bench": "benches", "puppy": "puppies",
        "slice of bread": "slices of bread", "knife": "knives", "sheep": "sheep", "toy": "toys", "tomato": "tomatoes",
    }  # fmt: skip
    assert {noun: plural(noun) for noun in nouns} == nouns
