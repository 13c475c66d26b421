"""Tabletop's language: a small grammar that says the same fact in many ways.

Every word class (verbs, colours, shapes, sizes, materials) has synonyms used in training and others kept for test
only; six colour-shape pairs are never seen or named in training. Verbs are marked with ``*`` in the phrases, in their
base form, and inflected as the sentence needs.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from vljepa.tabletop.scene import SHAPES, VERBS, Episode, Item, State, Step
from vljepa.tabletop.verb_phrases import HELD_OUT_PHRASES, TRAIN_PHRASES

HELD_OUT_PAIRS: frozenset[tuple[str, str]] = frozenset(
    {
        ("red", "ball"),
        ("green", "star"),
        ("blue", "cone"),
        ("yellow", "cube"),
        ("purple", "ring"),
        ("white", "cylinder"),
    }
)
"""(colour, shape) pairs that occur in no training scene and no training text."""

TRAIN_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "scarlet"), "green": ("green", "emerald"), "blue": ("blue", "azure"),
    "yellow": ("yellow", "golden"), "purple": ("purple", "lilac"), "orange": ("orange", "orange-coloured"),
    "white": ("white", "ivory"), "black": ("black", "jet-black"),
    "cube": ("cube", "block"), "ball": ("ball", "sphere"), "cylinder": ("cylinder", "tube"),
    "cone": ("cone", "pointed cone"), "ring": ("ring", "hoop"), "star": ("star", "star shape"),
    "small": ("small", "little"), "large": ("large", "big"),
    "matte": ("matte", "dull"), "shiny": ("shiny", "metallic"),
}  # fmt: skip
"""Symbol -> words for it in training; the first is the plain one."""

HELD_OUT_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("crimson",), "green": ("jade",), "blue": ("sapphire",), "yellow": ("lemon",),
    "purple": ("violet",), "orange": ("tangerine",), "white": ("snowy",), "black": ("ebony",),
    "cube": ("brick",), "ball": ("orb",), "cylinder": ("canister",), "cone": ("funnel",),
    "ring": ("doughnut",), "star": ("pentagram",),
    "small": ("tiny",), "large": ("huge",), "matte": ("unpolished",), "shiny": ("glossy",),
}  # fmt: skip
"""Symbol -> synonyms that occur in no training text."""

_IRREGULAR_GERUNDS = {
    word: word + word[-1] + "ing"
    for word in ("put", "drop", "hop", "swap", "spin", "get", "set", "tap", "prod", "ram", "let", "wag")
}
_MARKED = re.compile(r"\*(\w+)")
_PLAIN_SHARE = 0.6
"""Share of words drawn plain, so that the usual name of a thing stays the usual one."""


def word(symbol: str, rng: np.random.Generator | None = None, *, held_out: bool = False) -> str:
    """A word for a colour, shape, size or material; the plain one without ``rng``."""
    choices = (HELD_OUT_WORDS if held_out else TRAIN_WORDS)[symbol]
    if rng is None or (not held_out and rng.random() < _PLAIN_SHARE):
        return choices[0]
    return choices[int(rng.integers(len(choices)))]


def _third_person(match: re.Match[str]) -> str:
    verb = match[1]
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def third_person(phrase: str) -> str:
    """The phrase with its marked verbs in the third person: ``*push X`` -> ``pushes X``."""
    return _MARKED.sub(_third_person, phrase)


def _gerund(match: re.Match[str]) -> str:
    verb = match[1]
    if verb in _IRREGULAR_GERUNDS:
        return _IRREGULAR_GERUNDS[verb]
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return verb + "ing"


def gerund(phrase: str) -> str:
    """The phrase with its marked verbs as gerunds: ``*push X`` -> ``pushing X``."""
    return _MARKED.sub(_gerund, phrase)


def base_form(phrase: str) -> str:
    """The phrase with its marked verbs unchanged: ``*push X`` -> ``push X``."""
    return _MARKED.sub(r"\1", phrase)


def with_article(noun: str) -> str:
    """The noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def listing(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def noun(item: Item, attributes: Sequence[str], words: Callable[[str], str]) -> str:
    """The item's shape with the named attributes before it: ``small red cube``."""
    named = [words(getattr(item, name)) for name in ("size", "material", "colour") if name in attributes]
    return " ".join([*named, words(item.shape)])


def vocabulary(rng: np.random.Generator | None = None, *, held_out: bool = False) -> Callable[[str], str]:
    """A choice of words that stays the same within one text; the plain ones without ``rng``."""
    return cache(lambda symbol: word(symbol, rng, held_out=held_out))


def describe(index: int, items: Sequence[Item], words: Callable[[str], str]) -> str:
    """A referring expression for an item: colour and shape, and what else it takes to tell it from the others.

    Where two items are alike in all four attributes no expression tells them apart; all four are named then.
    """
    item = items[index]
    attributes: tuple[str, ...] = ()
    for attributes in (("colour",), ("size", "colour"), ("material", "colour"), ("size", "material", "colour")):
        names = ("shape", *attributes)
        alike = sum(all(getattr(other, n) == getattr(item, n) for n in names) for other in items)
        if alike == 1:
            break
    return f"the {noun(item, attributes, words)}"


def caption(episode: Episode, step: Step, rng: np.random.Generator, *, held_out: bool = False) -> str:
    """A sentence or phrase that says what happens in the step, with words and form drawn from ``rng``."""
    phrases = (HELD_OUT_PHRASES if held_out else TRAIN_PHRASES)[step.verb]
    phrase = phrases[int(rng.integers(len(phrases)))]
    form = int(rng.integers(5))
    words = vocabulary(rng, held_out=held_out)
    x = describe(step.item, episode.items, words)
    y = "" if step.other is None else describe(step.other, episode.items, words)
    phrase = phrase.format(x=x, y=y)
    if form < 3:
        return f"{('A hand', 'Someone', 'The hand')[form]} {third_person(phrase)}."
    text = gerund(phrase)
    return text[0].upper() + text[1:] + "." if form == 3 else text


def captions(episode: Episode, step: Step, seed: int, count: int) -> tuple[str, ...]:
    """Distinct training captions of the step, at most ``count``."""
    rng = np.random.default_rng([seed, 11])
    drawn = (caption(episode, step, rng) for _ in range(3 * count))
    return tuple(dict.fromkeys(drawn))[:count]


@cache
def action_labels(verb: str, shape: str | None) -> tuple[str, ...]:
    """Training paraphrases of an action class, a verb with the shape acted upon; any shape if None."""
    nouns = ("something", "an object") if shape is None else tuple(with_article(w) for w in TRAIN_WORDS[shape])
    return tuple(
        gerund(phrase.format(x=x, y="another object" if phrase is TRAIN_PHRASES[verb][0] else "something else"))
        for x in nouns
        for phrase in TRAIN_PHRASES[verb]
    )


def action_label(verb: str, shape: str | None) -> str:
    """The plain name of an action class: ``pushing a cube to the left``; with no shape, of a step class."""
    return action_labels(verb, shape)[0]


ACTION_CLASSES: tuple[str, ...] = tuple(action_label(verb, shape) for verb in VERBS for shape in SHAPES)
"""Plain names of the 34 x 6 action classes."""


def novel_label(verb: str, colour: str, shape: str) -> str:
    """An action class in held-out words only: ``shoving the crimson orb leftwards``."""
    x = f"the {HELD_OUT_WORDS[colour][0]} {HELD_OUT_WORDS[shape][0]}"
    return gerund(HELD_OUT_PHRASES[verb][0].format(x=x, y="some other thing"))


NOVEL_CLASSES: tuple[str, ...] = tuple(novel_label(v, c, s) for v in VERBS for c, s in sorted(HELD_OUT_PAIRS))
"""The 34 verbs x 6 held-out pairs, in held-out words only."""


def scene_caption(items: Sequence[Item], state: State, rng: np.random.Generator) -> str:
    """What an image shows: a listing of the visible objects, how many there are, or how two of them stand."""
    seen = list(state.visible())
    if not seen:
        return "An empty table."
    rng.shuffle(seen)
    words = vocabulary(rng)
    if len(seen) >= 2 and rng.random() < 0.3:
        relation = relation_between(state, seen[0], seen[1])
        if relation is not None:
            first, second = (describe(i, items, words) for i in seen[:2])
            return f"{first[0].upper()}{first[1:]} is {relation} {second}."
    attributes = (("colour",), ("size", "colour"), ("colour",), ("size", "material", "colour"))[int(rng.integers(4))]
    named = listing([with_article(noun(items[i], attributes, words)) for i in seen])
    objects = "one object" if len(seen) == 1 else f"{COUNT_WORDS[len(seen)]} objects"
    form = int(rng.integers(5))
    return (
        f"A table with {named}.",
        f"{objects.capitalize()} on a table: {named}.",
        f"There {'is' if len(seen) == 1 else 'are'} {named} on the table.",
        f"A picture of {named}.",
        f"{named[0].upper()}{named[1:]}",
    )[form]


COUNT_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

RELATION_MARGIN = 0.12
"""Distance on the table from which one object counts as left of, or behind, another."""


def relation_between(state: State, first: int, second: int) -> str | None:
    """How ``first`` stands to ``second``: the clearest of the six relations, or None if none is clear."""
    a, b = state.placements[first], state.placements[second]
    if a.on == second:
        return "on top of"
    if b.on == first:
        return "underneath"
    dx, dy = a.x - b.x, a.y - b.y
    if max(abs(dx), abs(dy)) < RELATION_MARGIN:
        return None
    if abs(dx) >= abs(dy):
        return "to the right of" if dx > 0 else "to the left of"
    return "behind" if dy > 0 else "in front of"


def procedure_label(name: str) -> str:
    """The plain name of a procedure class, in words: ``building a tower`` for "build a tower"."""
    return gerund("*" + name.replace("_", " "))


def procedure_captions(name: str) -> tuple[str, ...]:
    """Sentences and phrases that name a whole procedure, the label first."""
    label = procedure_label(name)
    plain = base_form("*" + name.replace("_", " "))
    return (label, f"A person is {label}.", f"Someone is {label}.", f"The video shows how to {plain}.")
