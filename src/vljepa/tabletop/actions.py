"""What the atomic actions do to the state of the table, and whole episodes of a single action."""

from collections.abc import Sequence
from dataclasses import replace
from math import hypot

import numpy as np

from vljepa.tabletop.layout import (
    BACK,
    FLAT,
    FRONT,
    LEFT,
    RIGHT,
    WIDTH,
    Pairs,
    apart,
    box_place,
    height,
    random_item,
    random_items,
    random_state,
)
from vljepa.tabletop.scene import COLOURS, SHAPES, TWO_OBJECT_VERBS, VERBS, Episode, Item, Placement, State, Step

HOLD_HEIGHT = 0.34
"""Height at which the hand holds what it has lifted."""
_GAP = 0.05
_LONG_VERBS = ("swap", "circle_around", "show_camera", "cover", "uncover", "circle", "left_and_back")


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
            return Placement(x=float(rng.uniform(LEFT, RIGHT)), y=float(rng.uniform(FRONT, BACK)))
        case "put_in_box":
            box_x, box_y = box_place(seed)
            return Placement(x=box_x, y=box_y, in_box=True)
        case "cover":
            return replace(here, covered=True)
        case "uncover":
            return replace(here, covered=False)
        case "circle":
            return here if LEFT + 0.1 < here.x < RIGHT - 0.1 else None
        case "left_and_back":
            return here if here.x - 0.25 > LEFT - 0.05 else None
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
            inside = there.x - distance > LEFT and there.x + distance < RIGHT and there.y - distance > 0
            return {x: here} if inside and beside - 0.02 < distance < 0.34 else {}
    raise ValueError(f"no such action: {verb}")


def _free(
    items: Sequence[Item], places: Sequence[Placement], moved: dict[int, Placement], i: int, end: Placement
) -> bool:
    if end.in_box or not end.on_table or end.on is not None:
        return True
    if not (LEFT - 0.03 <= end.x <= RIGHT + 0.03 and FRONT - 0.04 <= end.y <= BACK + 0.06):
        return False
    others = ((j, moved.get(j, p)) for j, p in enumerate(places) if j != i)
    close = (
        j for j, p in others if p.on_table and not p.in_box and p.on is None and not apart(end, items[i], p, items[j])
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
        items = (random_item(rng, colour, chosen), *random_items(rng, count - 1, exclude_pairs=exclude_pairs))
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
