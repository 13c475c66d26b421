"""What a Tabletop caption claims, read back into symbols, so that a caption can be called right or wrong.

Two captions that share no word may say the same ("pushes the scarlet block left", "moves the red cube to the left
side"); word overlap, which CIDEr-D measures, does not see that. Tabletop's grammar is small enough to be read
backwards.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from vljepa.tabletop.language import TRAIN_WORDS, gerund, third_person
from vljepa.tabletop.scene import COLOURS, SHAPES
from vljepa.tabletop.verb_phrases import TRAIN_PHRASES

Thing = tuple[str, str]
"""Colour and shape."""

_SUBJECT = re.compile(r"^(a hand|someone|the hand) ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """An action and what it is done to."""

    verb: str
    things: tuple[Thing, ...]
    """The thing acted upon, and the other one if there is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """In what two captions agree."""

    action: bool
    things: bool
    """Colour and shape of everything named, in its role."""

    @property
    def whole(self) -> bool:
        return self.action and self.things


def read_caption(text: str) -> frozenset[Fact]:
    """Every reading of a caption in Tabletop's training words; none if it is no sentence of that language."""
    plain = _SUBJECT.sub("", text.strip().rstrip(".").lower())
    return frozenset(_readings(plain))


def compare(said: str, truth: str) -> Agreement:
    """Whether a caption claims the action and the things that the true one claims, in whatever words."""
    found, true = read_caption(said), read_caption(truth)
    return Agreement(
        action=not {f.verb for f in found}.isdisjoint(f.verb for f in true),
        things=not {f.things for f in found}.isdisjoint(f.things for f in true),
    )


def _readings(plain: str) -> Iterator[Fact]:
    for verb, pattern in _patterns():
        match = pattern.fullmatch(plain)
        if match is None:
            continue
        things = tuple(_thing(words) for words in match.groups())
        named = tuple(thing for thing in things if thing is not None)
        if len(named) == len(things):
            # Swapping A and B is swapping B and A.
            yield Fact(verb=verb, things=tuple(sorted(named)) if verb == "swap" else named)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    found = []
    for verb, phrases in TRAIN_PHRASES.items():
        for phrase in phrases:
            for form in (third_person(phrase), gerund(phrase)):
                parts = re.split(r"\{[xy]\}", form)
                found.append((verb, re.compile("the (.+)".join(map(re.escape, parts)))))
    return tuple(found)


def _thing(words: str) -> Thing | None:
    """``small scarlet pointed cone`` to (red, cone)."""
    shapes = [(word, shape) for shape in SHAPES for word in TRAIN_WORDS[shape] if f" {words}".endswith(f" {word}")]
    colours = [colour for colour in COLOURS if not set(words.split()).isdisjoint(TRAIN_WORDS[colour])]
    if not shapes or len(colours) != 1:
        return None
    return colours[0], max(shapes, key=lambda found: len(found[0]))[1]
