"""What a caption says, apart from its words: things, what they are like, what they do and how they stand."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

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
)

_CLASSES = tuple(NOUNS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """One or several of a kind."""

    kind: str
    """Class of the noun."""
    noun: str
    attribute: tuple[str, str] | None = None
    """Group and name."""
    garment: tuple[str, str] | None = None
    """Colour and name of what a person wears."""
    number: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Predicate:
    """What is said of a subject: it does something, is somewhere, or does something somewhere."""

    verb: str | None = None
    relation: str | None = None
    target: Thing | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    subject: Thing
    predicates: tuple[Predicate, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One clause or two; clauses without predicates list what there is."""

    clauses: tuple[Clause, ...]
    place: str | None = None


def draw(rng: np.random.Generator) -> Scene:
    """A scene at random."""
    place = _one(rng, PLACES) if rng.random() < 0.25 else None
    form = rng.random()
    if form < 0.12:
        return Scene(clauses=tuple(Clause(subject=_thing(rng)) for _ in range(2)), place=place)
    if form < 0.55:
        return Scene(clauses=(_clause(rng, 1),), place=place)
    if form < 0.80:
        return Scene(clauses=(_clause(rng, 2),), place=place)
    return Scene(clauses=(_clause(rng, 1), _clause(rng, 1)), place=place)


def facts(scene: Scene) -> frozenset[object]:
    """What is so in the scene: equal for scenes that mean the same."""
    there = {clause.subject for clause in scene.clauses if not clause.predicates}
    said = {_fact(clause.subject, predicate) for clause in scene.clauses for predicate in clause.predicates}
    return frozenset(there | said | {scene.place})


def altered(scene: Scene, rng: np.random.Generator) -> Scene:
    """Almost the same scene: two of its parts have changed places, or one is another. Never the same in meaning."""
    swaps: tuple[Callable[[Scene, np.random.Generator], Scene], ...] = (_swap_things, _swap_traits, _swap_predicates)
    changes = (_change_noun, _change_trait, _change_predicate, _change_predicate, _change_place)
    for _ in range(50):
        options = swaps if rng.random() < 0.55 else changes
        other = options[int(rng.integers(len(options)))](scene, rng)
        if facts(other) != facts(scene):
            return other
    return _change_noun(scene, rng)


def things(scene: Scene) -> list[Thing]:
    """In order of mention."""
    return [
        thing
        for clause in scene.clauses
        for thing in (clause.subject, *(p.target for p in clause.predicates))
        if thing is not None
    ]


def _fact(subject: Thing, predicate: Predicate) -> object:
    """What a predicate says of its subject; a relation and its converse say the same."""
    if predicate.verb is not None or predicate.relation is None or predicate.target is None:
        return subject, predicate
    forth = (predicate.relation, subject, predicate.target)
    converse = RELATIONS[predicate.relation].converse
    return forth if converse == "-" else frozenset({forth, (converse, predicate.target, subject)})


def _one(rng: np.random.Generator, options: Collection[str]) -> str:
    names = tuple(options)
    return names[int(rng.integers(len(names)))]


def _thing(rng: np.random.Generator, kind: str | None = None) -> Thing:
    kind = kind or _one(rng, _CLASSES)
    trait, worn = rng.random() < 0.45, kind == "person" and rng.random() < 0.35
    number = int(rng.integers(2, 6)) if rng.random() < 0.1 else 1
    return Thing(
        kind=kind,
        noun=_one(rng, NOUNS[kind]),
        attribute=_attribute(rng, kind) if trait and not worn else None,
        garment=(_one(rng, ATTRIBUTES["colour"]), _one(rng, GARMENTS)) if worn else None,
        number=number,
    )


def _attribute(rng: np.random.Generator, kind: str) -> tuple[str, str]:
    group = _one(rng, ATTRIBUTES_OF[kind])
    return group, _one(rng, ATTRIBUTES[group])


def _clause(rng: np.random.Generator, count: int) -> Clause:
    lively = count == 2 or rng.random() < 0.6
    kind = _one(rng, ("person", "person", "animal")) if lively else _one(rng, _CLASSES)
    return Clause(subject=_thing(rng, kind), predicates=tuple(_predicate(rng, kind) for _ in range(count)))


def _predicate(rng: np.random.Generator, kind: str) -> Predicate:
    form = rng.random()
    targets = [whom for who, whom in VERBS if who == kind]
    if targets and form < 0.5:
        whom = _one(rng, targets)
        return Predicate(verb=_one(rng, VERBS[kind, whom]), target=_thing(rng, whom))
    if kind in ("person", "animal"):
        if form < 0.6:
            return Predicate(verb=_one(rng, ALONE))
        if form < 0.72:
            return Predicate(verb=_one(rng, MOVES), relation=_one(rng, MOTIONS), target=_thing(rng))
        if form < 0.88:
            return Predicate(verb=_one(rng, POSES), relation=_one(rng, RELATIONS), target=_thing(rng))
    return Predicate(relation=_one(rng, RELATIONS), target=_thing(rng))


def _map(scene: Scene, change: Callable[[int, Thing], Thing]) -> Scene:
    """The scene with each thing, numbered in order of mention, replaced."""
    number = iter(range(100))

    def moved(thing: Thing) -> Thing:
        return change(next(number), thing)

    clauses = []
    for clause in scene.clauses:
        subject = moved(clause.subject)
        predicates = tuple(replace(p, target=None if p.target is None else moved(p.target)) for p in clause.predicates)
        clauses.append(Clause(subject=subject, predicates=predicates))
    return replace(scene, clauses=tuple(clauses))


def _two(scene: Scene, rng: np.random.Generator) -> tuple[int, int, list[Thing]]:
    found = things(scene)
    first, second = (int(i) for i in rng.permutation(len(found))[:2]) if len(found) > 1 else (0, 0)
    return first, second, found


def _swap_things(scene: Scene, rng: np.random.Generator) -> Scene:
    first, second, found = _two(scene, rng)
    return _map(scene, lambda i, thing: found[second] if i == first else found[first] if i == second else thing)


def _swap_traits(scene: Scene, rng: np.random.Generator) -> Scene:
    """Two things exchange what they are like and how many they are."""
    first, second, found = _two(scene, rng)

    def change(i: int, thing: Thing) -> Thing:
        if i not in (first, second):
            return thing
        other = found[second if i == first else first]
        # Clothes stay with people; their colours are exchanged.
        if thing.garment and other.garment:
            return replace(thing, garment=(other.garment[0], thing.garment[1]), number=other.number)
        if thing.garment and other.attribute and other.attribute[0] == "colour":
            return replace(thing, garment=(other.attribute[1], thing.garment[1]))
        if other.garment and thing.attribute and thing.attribute[0] == "colour":
            return replace(thing, attribute=("colour", other.garment[0]))
        if thing.garment or other.garment:
            return replace(thing, number=other.number)
        return replace(thing, attribute=other.attribute, number=other.number)

    return _map(scene, change)


def _swap_predicates(scene: Scene, rng: np.random.Generator) -> Scene:
    """Two predicates exchange their verbs and relations, or two subjects all that they do."""
    if len(scene.clauses) == 2:
        a, b = scene.clauses
        return replace(scene, clauses=(replace(a, predicates=b.predicates), replace(b, predicates=a.predicates)))
    clause = scene.clauses[0]
    if len(clause.predicates) != 2 or any(p.target is None for p in clause.predicates):
        return scene
    first, second = clause.predicates
    swapped = replace(first, target=second.target), replace(second, target=first.target)
    return replace(scene, clauses=(replace(clause, predicates=swapped),))


def _change_noun(scene: Scene, rng: np.random.Generator) -> Scene:
    chosen = int(rng.integers(len(things(scene))))

    def change(i: int, thing: Thing) -> Thing:
        return replace(thing, noun=_other(rng, NOUNS[thing.kind], thing.noun)) if i == chosen else thing

    return _map(scene, change)


def _change_trait(scene: Scene, rng: np.random.Generator) -> Scene:
    chosen = int(rng.integers(len(things(scene))))

    def change(i: int, thing: Thing) -> Thing:
        if i != chosen:
            return thing
        if thing.number > 1 and rng.random() < 0.5:
            return replace(thing, number=thing.number % 5 + 1)
        if thing.garment:
            colour, worn = thing.garment
            if rng.random() < 0.3:
                return replace(thing, garment=(colour, _other(rng, GARMENTS, worn)))
            return replace(thing, garment=(_other(rng, ATTRIBUTES["colour"], colour), worn))
        if thing.attribute:
            group, name = thing.attribute
            return replace(thing, attribute=(group, _other(rng, ATTRIBUTES[group], name)))
        return thing

    return _map(scene, change)


def _change_predicate(scene: Scene, rng: np.random.Generator) -> Scene:
    """A predicate's verb or relation is another."""
    which = int(rng.integers(len(scene.clauses)))
    clause = scene.clauses[which]
    if not clause.predicates:
        return scene
    place = int(rng.integers(len(clause.predicates)))
    predicates = list(clause.predicates)
    predicates[place] = _other_predicate(rng, clause.subject.kind, predicates[place])
    clauses = list(scene.clauses)
    clauses[which] = replace(clause, predicates=tuple(predicates))
    return replace(scene, clauses=tuple(clauses))


def _other_predicate(rng: np.random.Generator, kind: str, predicate: Predicate) -> Predicate:
    verb, relation, target = predicate.verb, predicate.relation, predicate.target
    if relation is None and verb is not None:
        verbs = ALONE if target is None else VERBS.get((kind, target.kind), {})
        return replace(predicate, verb=_other(rng, verbs, verb)) if verbs else predicate
    assert relation is not None
    if verb is not None and rng.random() < 0.4:
        return replace(predicate, verb=_other(rng, MOVES if verb in MOVES else POSES, verb))
    contrasts = (MOTIONS if verb in MOVES else RELATIONS)[relation].contrasts
    return replace(predicate, relation=_one(rng, contrasts))


def _change_place(scene: Scene, rng: np.random.Generator) -> Scene:
    return scene if scene.place is None else replace(scene, place=_other(rng, PLACES, scene.place))


def _other(rng: np.random.Generator, options: dict[str, tuple[str, ...]], name: str) -> str:
    return _one(rng, [option for option in options if option != name])
