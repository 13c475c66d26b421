"""Questions with known answers about the objects a viewer sees: counting, existence, compositional and lookup ones.

They are asked of a list of items and a state, so the same code asks about an image and about the end of a video.
Groups follow TallyQA (simple, complex), POPE (random, popular, adversarial) and GQA (query, verify, compare, choose).
Lookups are for training alone: a yes or a count teaches one to three bits, a list of things a dozen, and what finds
the red things to name them finds them to count them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from vljepa.tabletop.language import HELD_OUT_PAIRS, RELATION_MARGIN, listing, noun, vocabulary, with_article, word
from vljepa.tabletop.scene import COLOURS, MATERIALS, SHAPES, SIZES, Item, State

COUNTS = ("0", "1", "2", "3", "4", "5", "6")
"""Answers of the counting questions."""
YES_NO = ("yes", "no")

COUNTING_GROUPS = ("simple", "complex")
EXISTENCE_GROUPS = ("random", "popular", "adversarial")
COMPOSITIONAL_GROUPS = ("query", "verify", "compare", "choose")
LOOKUP_GROUPS = ("of_colour", "of_shape", "of_kind", "beside", "outermost", "looks")
_BESIDE = 0.02
"""Distance on the table within which an object is neither left nor right of another."""


_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question, its answer, and the answers to choose from."""

    question: str
    answer: str
    choices: tuple[str, ...]
    """Empty: an open question."""
    group: str


def _draw(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    return options[int(rng.integers(len(options)))]


def _unique_pairs(items: Sequence[Item], seen: Sequence[int]) -> list[int]:
    """Visible items that colour and shape alone tell apart."""
    pairs = Counter((items[i].colour, items[i].shape) for i in seen)
    return [i for i in seen if pairs[items[i].colour, items[i].shape] == 1]


def _named(item: Item, rng: np.random.Generator) -> str:
    return f"the {word(item.colour, rng)} {word(item.shape, rng)}"


def _plural(noun: str) -> str:
    return noun + "es" if noun.endswith(("sh", "s", "x")) else noun + "s"


def _beside(state: State, seen: Sequence[int], anchor: int, side: str) -> list[int] | None:
    """Items to the ``left`` or ``right`` of another; None if one of them is too close to call by eye."""
    sign = -1 if side == "left" else 1
    offsets = {i: sign * (state.placements[i].x - state.placements[anchor].x) for i in seen if i != anchor}
    if any(_BESIDE < abs(offset) < RELATION_MARGIN / 2 for offset in offsets.values()):
        return None
    return [i for i, offset in offsets.items() if offset > _BESIDE]


def counting(items: Sequence[Item], state: State, group: str, rng: np.random.Generator) -> Question | None:
    """A counting question of group ``simple`` (one attribute) or ``complex`` (two, or a relation); None if the scene
    has more objects to count than ``COUNTS`` goes to."""
    seen = state.visible()
    forms: tuple[str, ...]
    if group == "simple":
        kind = int(rng.integers(3))
        if kind == 0:
            counted, what = list(seen), "objects"
        elif kind == 1:
            shape = _draw(rng, [items[i].shape for i in seen] * 2 + list(SHAPES))
            counted = [i for i in seen if items[i].shape == shape]
            what = _plural(word(shape, rng))
        else:
            colour = _draw(rng, [items[i].colour for i in seen] * 2 + list(COLOURS))
            counted = [i for i in seen if items[i].colour == colour]
            what = f"{word(colour, rng)} objects"
        forms = (f"How many {what} are there?", f"How many {what} are on the table?", f"Count the {what}.")
    else:
        anchors = _unique_pairs(items, seen)
        if anchors and rng.random() < 0.5:
            anchor = _draw(rng, anchors)
            side = _draw(rng, ("left", "right"))
            beside = _beside(state, seen, anchor, side)
            if beside is None:
                return None
            counted = beside
            what = f"objects are to the {side} of {_named(items[anchor], rng)}"
        else:
            first, second = _draw(rng, (("colour", "size"), ("size", "shape"), ("material", "shape")))
            model = items[_draw(rng, seen)] if seen and rng.random() < 0.8 else None
            values = {
                name: getattr(model, name) if model else _draw(rng, options)
                for name, options in _ATTRIBUTES.items()
                if name in (first, second)
            }
            counted = [i for i in seen if all(getattr(items[i], n) == v for n, v in values.items())]
            head = (
                _plural(word(values["shape"], rng)) if "shape" in values else f"{word(values['colour'], rng)} objects"
            )
            lead = word(values["size"] if "size" in values else values["material"], rng)
            what = f"{lead} {head} are there"
        forms = (f"How many {what}?",)
    if len(counted) >= len(COUNTS):
        return None
    return Question(question=_draw(rng, forms), answer=str(len(counted)), choices=COUNTS, group=group)


_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "colour": COLOURS,
    "shape": SHAPES,
    "size": SIZES,
    "material": MATERIALS,
}


def existence(items: Sequence[Item], state: State, group: str, rng: np.random.Generator) -> Question | None:
    """Whether there is a thing of a colour and shape; "yes" and "no" are equally likely.

    What is absent is, by group: ``random``, any pair; ``popular``, a shape that is on the table in a colour that is
    not; ``adversarial``, a colour and a shape that are both on the table, but on different objects. None if the scene
    offers no such pair.
    """
    present = {(items[i].colour, items[i].shape) for i in state.visible()}
    if rng.random() < 0.5:
        pairs, answer = sorted(present), "yes"
    else:
        colours, shapes = {c for c, _ in present}, {s for _, s in present}
        absent = [(c, s) for c in COLOURS for s in SHAPES if (c, s) not in present | HELD_OUT_PAIRS]
        if group == "popular":
            absent = [(c, s) for c, s in absent if s in shapes and c not in colours]
        elif group == "adversarial":
            absent = [(c, s) for c, s in absent if s in shapes and c in colours]
        pairs, answer = absent, "no"
    if not pairs:
        return None
    colour, shape = _draw(rng, pairs)
    thing = with_article(f"{word(colour, rng)} {word(shape, rng)}")
    forms = (f"Is there {thing}?", f"Is there {thing} on the table?", f"Can you see {thing}?")
    return Question(question=_draw(rng, forms), answer=answer, choices=YES_NO, group=group)


def compositional(items: Sequence[Item], state: State, group: str, rng: np.random.Generator) -> Question | None:
    """A question of group ``query`` (an attribute of a thing), ``verify`` (does a relation hold), ``compare`` (do two
    things share size or material) or ``choose`` (which of two things lies further
    to a side); None if the scene offers none."""
    seen = state.visible()
    if group == "query":
        return _query(items, seen, rng)
    unique = _unique_pairs(items, seen)
    if len(unique) < 2:
        return None
    first, second = (unique[i] for i in rng.permutation(len(unique))[:2])
    a, b = _named(items[first], rng), _named(items[second], rng)
    if group == "compare":
        return _compare(items[first], items[second], a, b, rng)
    p, q = state.placements[first], state.placements[second]
    sideways = rng.random() < 0.6
    gap = p.x - q.x if sideways else p.y - q.y
    if abs(gap) < RELATION_MARGIN or p.on is not None or q.on is not None:
        return None
    if group == "verify":
        low, high = ("to the left of", "to the right of") if sideways else ("in front of", "behind")
        true, false = (high, low) if gap > 0 else (low, high)
        answer = _draw(rng, YES_NO)
        return Question(
            question=f"Is {a} {true if answer == 'yes' else false} {b}?", answer=answer, choices=YES_NO, group=group
        )
    direction, wants_more = _draw(
        rng,
        (("further left", False), ("further right", True))
        if sideways
        else (("nearer to the camera", False), ("further from the camera", True)),
    )
    return Question(
        question=f"Which is {direction}, {a} or {b}?",
        answer=a if (gap > 0) == wants_more else b,
        choices=(a, b),
        group="choose",
    )


def _query(items: Sequence[Item], seen: Sequence[int], rng: np.random.Generator) -> Question | None:
    """What is the one attribute of the thing that another attribute singles out?"""
    asked, given = _draw(rng, (("colour", "shape"), ("shape", "colour"), ("size", "both"), ("material", "both")))
    if given == "both":
        candidates = _unique_pairs(items, seen)
    else:
        counts = Counter(getattr(items[i], given) for i in seen)
        candidates = [i for i in seen if counts[getattr(items[i], given)] == 1]
    if not candidates:
        return None
    item = items[_draw(rng, candidates)]
    if asked == "colour":
        question = f"What colour is the {word(item.shape, rng)}?"
    elif asked == "shape":
        question = f"What shape is the {word(item.colour, rng)} object?"
    elif asked == "size":
        question = f"Is {_named(item, rng)} small or large?"
    else:
        question = f"Is {_named(item, rng)} matte or shiny?"
    return Question(question=question, answer=getattr(item, asked), choices=_ATTRIBUTES[asked], group="query")


def _compare(first: Item, second: Item, a: str, b: str, rng: np.random.Generator) -> Question:
    """Do two things share an attribute? Named by colour and shape, only size and material need looking at."""
    asked = _draw(rng, ("size", "material"))
    same = getattr(first, asked) == getattr(second, asked)
    question = f"Are {a} and {b} the same size?" if asked == "size" else f"Are {a} and {b} made of the same material?"
    return Question(question=question, answer="yes" if same else "no", choices=YES_NO, group="compare")


def lookup(items: Sequence[Item], state: State, group: str, rng: np.random.Generator) -> Question | None:
    """An open question whose answer names things, from left to right and in plain words.

    Groups: things ``of_colour``; colours of things ``of_shape``; things ``of_kind`` (a size or material); what is
    ``beside`` a thing; which is ``outermost``; how a thing ``looks``. None if the scene does not settle it.
    """
    seen = sorted(state.visible(), key=lambda i: state.placements[i].x)
    if not seen:
        return None
    model = items[_draw(rng, seen)]
    unique = _unique_pairs(items, seen)

    def names(found: Sequence[int]) -> str:
        named = (with_article(noun(items[i], ("colour",), vocabulary())) for i in sorted(found, key=seen.index))
        return listing(list(named)) if found else "nothing"

    # One time in five about something that need not be there.
    any_value = rng.random() < 0.2
    if group == "of_colour":
        colour = _draw(rng, COLOURS) if any_value else model.colour
        question = f"Which objects are {word(colour, rng)}?"
        answer = names([i for i in seen if items[i].colour == colour])
    elif group == "of_shape":
        shape = _draw(rng, SHAPES) if any_value else model.shape
        question = f"What colours are the {_plural(word(shape, rng))}?"
        answer = listing([items[i].colour for i in seen if items[i].shape == shape] or ["none"])
    elif group == "of_kind":
        kind = _draw(rng, ("size", "material"))
        question = f"Which objects are {word(getattr(model, kind), rng)}?"
        answer = names([i for i in seen if getattr(items[i], kind) == getattr(model, kind)])
    elif group == "outermost":
        direction, axis, sign = _draw(rng, _DIRECTIONS)
        places = {i: sign * getattr(state.placements[i], axis) for i in seen}
        first, *others = sorted(seen, key=lambda i: places[i])
        if others and places[others[0]] - places[first] < RELATION_MARGIN / 2:
            return None
        question, answer = f"Which object is {direction}?", f"the {items[first].colour} {items[first].shape}"
    elif not unique:
        return None
    elif group == "beside":
        anchor, side = _draw(rng, unique), _draw(rng, ("left", "right"))
        beside = _beside(state, seen, anchor, side)
        if beside is None:
            return None
        question, answer = f"What is to the {side} of {_named(items[anchor], rng)}?", names(beside)
    else:
        item = items[_draw(rng, unique)]
        question = f"What does {_named(item, rng)} look like?"
        answer = with_article(noun(item, ("size", "material", "colour"), vocabulary()))
    return Question(question=question, answer=answer, choices=(), group=group)


_DIRECTIONS = (
    ("furthest left", "x", 1),
    ("furthest right", "x", -1),
    ("nearest to the camera", "y", 1),
    ("furthest from the camera", "y", -1),
)
"""How a thing lies outermost, along which axis of the table, and with which sign it comes first."""
