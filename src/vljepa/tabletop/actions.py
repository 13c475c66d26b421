"""What the atomic actions do to the state of the table, and whole episodes of a single action."""

from collections.abc import Sequence
from dataclasses import replace
from math import hypot

import numpy as np

from vljepa.tabletop.scene import (
    COLOURS,
    MATERIALS,
    SHAPES,
    SIZES,
    TWO_OBJECT_VERBS,
    VERBS,
    Episode,
    Item,
    Placement,
    State,
    Step,
)

Pairs = frozenset[tuple[str, str]]

WIDTH = {"small": 0.13, "large": 0.215}
"""Width of an item by size, in table units."""
_HEIGHT = {"cube": 0.85, "ball": 1.0, "cylinder": 1.05, "cone": 1.2, "ring": 1.0, "star": 1.0}
FLAT = ("cube", "cylinder")
"""Shapes on which another object can stand."""
HOLD_HEIGHT = 0.34
"""Height at which the hand holds what it has lifted."""

_LEFT, _RIGHT, _FRONT, _BACK = 0.1, 0.9, 0.06, 0.68
_GAP = 0.05
_TRIES = 60
_LONG_VERBS = ("swap", "circle_around", "show_camera", "cover", "uncover", "circle", "left_and_back")


def height(item: Item) -> float:
    """Height of an item in table units."""
    return WIDTH[item.size] * _HEIGHT[item.shape]


def box_place(seed: int) -> tuple[float, float]:
    """(x, y) of the box of an episode; it stands in one of the far corners."""
    return (0.83 if seed % 2 else 0.17), 0.9


def cup_place(seed: int) -> tuple[float, float]:
    """(x, y) where the cup of an episode rests when it covers nothing: the far corner without the box."""
    return (0.17 if seed % 2 else 0.83), 0.9


def random_items(rng: np.random.Generator, count: int, *, exclude_pairs: Pairs = frozenset()) -> tuple[Item, ...]:
    """Distinct items of few colours and shapes, so that several share one of them."""
    items: list[Item] = []
    while len(items) < count:
        colours = rng.choice(COLOURS, size=int(rng.integers(2, 6)), replace=False)
        shapes = rng.choice(SHAPES, size=int(rng.integers(2, 6)), replace=False)
        items = []
        for _ in range(_TRIES):
            item = _random_item(rng, str(rng.choice(colours)), str(rng.choice(shapes)))
            if len(items) < count and (item.colour, item.shape) not in exclude_pairs and item not in items:
                items.append(item)
    return tuple(items)


def _random_item(rng: np.random.Generator, colour: str, shape: str) -> Item:
    return Item(shape=shape, colour=colour, size=str(rng.choice(SIZES)), material=str(rng.choice(MATERIALS)))


def random_state(rng: np.random.Generator, items: Sequence[Item]) -> State:
    """All items standing apart on the table."""
    while True:
        placements: list[Placement] = []
        for item in items:
            for _ in range(_TRIES):
                spot = Placement(x=float(rng.uniform(_LEFT, _RIGHT)), y=float(rng.uniform(_FRONT, _BACK)))
                if all(_apart(spot, item, p, other) for p, other in zip(placements, items, strict=False)):
                    placements.append(spot)
                    break
        if len(placements) == len(items):
            return State(placements=tuple(placements))


def _apart(a: Placement, item: Item, b: Placement, other: Item) -> bool:
    return hypot(a.x - b.x, 1.3 * (a.y - b.y)) >= (WIDTH[item.size] + WIDTH[other.size]) / 2 + 0.03


def perform(
    items: Sequence[Item], state: State, verb: str, x: int, y: int | None, seed: int, rng: np.random.Generator
) -> State | None:
    """The state after an action on item ``x`` (and ``y``), or None where it cannot be done from ``state``.

    Where the action leaves a choice, such as how far to push, ``rng`` makes it.
    """
    for _ in range(12):
        after = _attempt(items, state, verb, x, y, seed, rng)
        if after is not None:
            return after
    return None


def _attempt(
    items: Sequence[Item], state: State, verb: str, x: int, y: int | None, seed: int, rng: np.random.Generator
) -> State | None:
    places = state.placements
    here = places[x]
    if any(p.on == x for p in places):
        return None
    fit = {
        "bring_in": not here.on_table,
        "take_out_of_box": here.in_box,
        "uncover": here.covered,
        "take_off": here.on is not None and here.on == y,
    }.get(verb, here.on_table and not here.in_box and not here.covered and here.on is None and here.z == 0)
    if not fit or (verb == "cover" and any(p.covered for p in places)):
        return None
    moved: dict[int, Placement] = {}
    if y is not None:
        there = places[y]
        if y == x or y not in state.visible() or (verb != "stack_on" and verb != "take_off" and there.on is not None):
            return None
        if any(p.on == y for i, p in enumerate(places) if i != x):
            return None
        moved = _with_other(items, places, verb, x, y, rng)
        if not moved:
            return None
    else:
        end = _alone(here, verb, seed, rng)
        if end is None:
            return None
        moved = {x: end}
    for i, end in moved.items():
        if not _free(items, places, moved, i, end) or (
            verb.startswith("push") and not _clear_way(items, places, here, end, i, x, y)
        ):
            return None
    return State(placements=tuple(moved.get(i, p) for i, p in enumerate(places)))


def _alone(here: Placement, verb: str, seed: int, rng: np.random.Generator) -> Placement | None:
    far, deep = float(rng.uniform(0.24, 0.45)), float(rng.uniform(0.22, 0.4))
    match verb:
        case "push_left" | "hop_left":
            return replace(here, x=here.x - far)
        case "push_right" | "hop_right":
            return replace(here, x=here.x + far)
        case "push_away":
            return replace(here, y=here.y + deep)
        case "push_nearer":
            return replace(here, y=here.y - deep)
        case "lift_hold":
            return replace(here, z=HOLD_HEIGHT)
        case "throw_away" | "push_off_table":
            return replace(here, on_table=False)
        case "bring_in" | "take_out_of_box":
            return Placement(x=float(rng.uniform(_LEFT, _RIGHT)), y=float(rng.uniform(_FRONT, _BACK)))
        case "put_in_box":
            box_x, box_y = box_place(seed)
            return Placement(x=box_x, y=box_y, in_box=True)
        case "cover":
            return replace(here, covered=True)
        case "uncover":
            return replace(here, covered=False)
        case "circle":
            return here if _LEFT + 0.1 < here.x < _RIGHT - 0.1 else None
        case "left_and_back":
            return here if here.x - 0.25 > _LEFT - 0.05 else None
    return here


def _with_other(
    items: Sequence[Item], places: Sequence[Placement], verb: str, x: int, y: int, rng: np.random.Generator
) -> dict[int, Placement]:
    here, there = places[x], places[y]
    dx, dy = there.x - here.x, there.y - here.y
    distance = hypot(dx, dy)
    beside = (WIDTH[items[x].size] + WIDTH[items[y].size]) / 2 + _GAP
    side = 1 if rng.random() < 0.5 else -1
    match verb:
        case "stack_on":
            if items[y].shape not in FLAT:
                return {}
            return {x: Placement(x=there.x, y=there.y, z=there.z + height(items[y]), on=y)}
        case "take_off":
            angle = float(rng.uniform(0, 2 * np.pi))
            reach = beside + float(rng.uniform(0.05, 0.25))
            return {x: Placement(x=there.x + reach * np.cos(angle), y=there.y + reach * np.sin(angle))}
        case "push_into":
            if distance < beside + 0.12:
                return {}
            touch = (distance - beside + _GAP) / distance
            push = float(rng.uniform(0.1, 0.16)) / distance
            return {
                x: replace(here, x=here.x + (touch + push * 0.6) * dx, y=here.y + (touch + push * 0.6) * dy),
                y: replace(there, x=there.x + push * dx, y=there.y + push * dy),
            }
        case "push_past":
            if abs(dx) < 0.12 or not beside / 1.3 < abs(dy) < 0.36:
                return {}
            return {x: replace(here, x=there.x + np.sign(dx) * float(rng.uniform(0.15, 0.3)))}
        case "put_next_to":
            return {} if distance < beside + 0.1 else {x: replace(here, x=there.x + side * beside, y=there.y)}
        case "hide_behind":
            return {x: replace(here, x=there.x, y=there.y + beside)}
        case "put_in_front_of":
            return {x: replace(here, x=there.x, y=there.y - beside)}
        case "swap":
            return {
                x: replace(there, z=0.0) if distance > 0.25 else replace(here, x=-1.0),
                y: replace(here, z=0.0),
            }
        case "carry_over":
            stretch = float(rng.uniform(0.22, 0.35)) / distance
            return {} if distance > 0.5 else {x: replace(here, x=there.x + stretch * dx, y=there.y + stretch * dy)}
        case "circle_around":
            inside = there.x - distance > _LEFT and there.x + distance < _RIGHT and there.y - distance > 0
            return {x: here} if inside and beside - 0.02 < distance < 0.34 else {}
    raise ValueError(f"no such action: {verb}")


def _free(
    items: Sequence[Item], places: Sequence[Placement], moved: dict[int, Placement], i: int, end: Placement
) -> bool:
    if end.in_box or not end.on_table or end.on is not None:
        return True
    if not (_LEFT - 0.03 <= end.x <= _RIGHT + 0.03 and _FRONT - 0.04 <= end.y <= _BACK + 0.06):
        return False
    others = ((j, moved.get(j, p)) for j, p in enumerate(places) if j != i)
    close = (
        j for j, p in others if p.on_table and not p.in_box and p.on is None and not _apart(end, items[i], p, items[j])
    )
    return all(j in moved for j in close)


def _clear_way(
    items: Sequence[Item], places: Sequence[Placement], start: Placement, end: Placement, i: int, x: int, y: int | None
) -> bool:
    """Whether nothing stands in the way of a push; Y may."""
    if i != x:
        return True
    dx, dy = end.x - start.x, end.y - start.y
    length = max(hypot(dx, dy), 1e-9)
    for j, p in enumerate(places):
        if j in (x, y) or not p.on_table or p.in_box:
            continue
        along = float(np.clip(((p.x - start.x) * dx + (p.y - start.y) * dy) / length**2, 0, 1))
        gap = hypot(p.x - start.x - along * dx, p.y - start.y - along * dy)
        if gap < (WIDTH[items[i].size] + WIDTH[items[j].size]) / 2:
            return False
    return True


def step_seconds(verb: str, rng: np.random.Generator) -> float:
    """How long an action takes: 1.5 to 1.9 seconds, a little more for the longer ones."""
    return float(rng.uniform(1.5, 1.9)) + (0.4 if verb in _LONG_VERBS else 0.0)


def prepared_state(
    items: Sequence[Item], verb: str, x: int, y: int | None, seed: int, rng: np.random.Generator
) -> State | None:
    """A random state from which the action starts, such as X in the box before it is taken out."""
    state = random_state(rng, items)
    places = list(state.placements)
    match verb:
        case "bring_in":
            places[x] = replace(places[x], on_table=False)
        case "take_out_of_box":
            box_x, box_y = box_place(seed)
            places[x] = Placement(x=box_x, y=box_y, in_box=True)
        case "uncover":
            places[x] = replace(places[x], covered=True)
        case "take_off":
            if y is None or items[y].shape not in FLAT:
                return None
            places[x] = Placement(x=places[y].x, y=places[y].y, z=height(items[y]), on=y)
    return State(placements=tuple(places))


def simulate_action(
    seed: int,
    verb: str,
    *,
    shape: str | None = None,
    exclude_pairs: Pairs = frozenset(),
    only_pairs: Pairs | None = None,
    num_items: int | None = None,
) -> Episode:
    """A video of about two seconds in which one action happens.

    Args:
        seed: not negative; the same arguments give the same episode.
        verb: one of ``VERBS``.
        shape: shape of X, the item acted upon; any if None.
        exclude_pairs: (colour, shape) pairs that no item has.
        only_pairs: pairs X is drawn from; any if None.
        num_items: how many items there are; 2 to 5 if None.

    X and Y are each the only item of their colour and shape. Raises ValueError if no pair is left for X.
    """
    rng = np.random.default_rng([seed, VERBS.index(verb), 7])
    pairs = sorted(
        (c, s)
        for c in COLOURS
        for s in SHAPES
        if (shape is None or s == shape)
        and (c, s) not in exclude_pairs
        and (only_pairs is None or (c, s) in only_pairs)
    )
    if not pairs:
        raise ValueError("no (colour, shape) pair is left for X; widen only_pairs or exclude_pairs")
    least = 2 if verb in TWO_OBJECT_VERBS else 1
    y = 1 if verb in TWO_OBJECT_VERBS else None
    while True:
        # Drawn afresh until the action fits the scene, so that no action has scenes of its own more than it must.
        colour, chosen = pairs[int(rng.integers(len(pairs)))]
        count = max(least, num_items if num_items is not None else int(rng.integers(2, 6)))
        items = (_random_item(rng, colour, chosen), *random_items(rng, count - 1, exclude_pairs=exclude_pairs))
        names = [(item.colour, item.shape) for item in items]
        if names.count(names[0]) > 1 or (y is not None and names.count(names[y]) > 1):
            continue
        before = prepared_state(items, verb, 0, y, seed, rng)
        after = None if before is None else perform(items, before, verb, 0, y, seed, rng)
        if before is None or after is None:
            continue
        start = float(rng.uniform(0.0, 0.25))
        end = start + step_seconds(verb, rng)
        step = Step(verb=verb, item=0, other=y, start=start, end=end, before=before, after=after)
        duration = end + float(rng.uniform(0.1, 0.3))
        # X is not always the first item, so that its place in the list tells nothing.
        return _shuffled(Episode(seed=seed, items=items, start_state=before, steps=(step,), duration=duration), rng)


def _shuffled(episode: Episode, rng: np.random.Generator) -> Episode:
    order = [int(i) for i in rng.permutation(len(episode.items))]
    new = {old: i for i, old in enumerate(order)}

    def state(old: State) -> State:
        return State(
            placements=tuple(
                replace(p, on=None if p.on is None else new[p.on]) for p in (old.placements[i] for i in order)
            )
        )

    steps = tuple(
        replace(
            s,
            item=new[s.item],
            other=None if s.other is None else new[s.other],
            before=state(s.before),
            after=state(s.after),
        )
        for s in episode.steps
    )
    items = tuple(episode.items[i] for i in order)
    return replace(episode, items=items, start_state=state(episode.start_state), steps=steps)
