"""Procedures, which are ordered steps with variation, and long streams that chain them."""

from collections.abc import Callable, Sequence

import numpy as np

from vljepa.tabletop.actions import perform, step_seconds
from vljepa.tabletop.layout import FLAT, Pairs, box_place, height, random_state
from vljepa.tabletop.scene import (
    COLOURS,
    MATERIALS,
    ONE_OBJECT_VERBS,
    SHAPES,
    SIZES,
    VERBS,
    Episode,
    Item,
    Placement,
    State,
    Step,
)

_LOOSE_VERBS = tuple(v for v in VERBS if v not in ("lift_hold", "cover", "throw_away", "push_off_table", "put_in_box"))
"""Actions of a stream outside procedures: those that leave the items in play and in sight."""


class _Stuck(Exception):
    """A step cannot be done from the present state; the procedure is then tried afresh."""


class _Director:
    """Carries out steps one after the other, with a pause after each."""

    def __init__(self, seed: int, items: tuple[Item, ...], state: State, rng: np.random.Generator) -> None:
        self.seed = seed
        self.items = items
        self.state = state
        self.rng = rng
        self.steps: list[Step] = []
        self.time = float(rng.uniform(0.1, 0.5))

    def do(self, verb: str, x: int, y: int | None = None) -> None:
        """Adds a step; raises _Stuck if it cannot be done."""
        after = perform(self.items, self.state, verb, x, y, self.seed, self.rng)
        if after is None:
            raise _Stuck
        end = self.time + step_seconds(verb, self.rng)
        self.steps.append(Step(verb=verb, item=x, other=y, start=self.time, end=end, before=self.state, after=after))
        self.state = after
        self.time = end + float(self.rng.uniform(0.1, 0.5))

    def free(self) -> list[int]:
        """Items that stand on the table with nothing on them, in random order."""
        places = self.state.placements
        carrying = {p.on for p in places}
        return self._mixed([i for i in self.state.visible() if places[i].on is None and i not in carrying])

    def where(self, test: Callable[[Placement], bool]) -> list[int]:
        """Items whose placement passes the test, in random order."""
        return self._mixed([i for i, p in enumerate(self.state.placements) if test(p)])

    def some(self, found: Sequence[int], least: int, most: int) -> list[int]:
        """``least`` to ``most`` of the items found; raises _Stuck if they are too few."""
        if len(found) < least:
            raise _Stuck
        return list(found)[: int(self.rng.integers(least, most + 1))]

    def maybe(self) -> bool:
        """True half of the time."""
        return bool(self.rng.random() < 0.5)

    def either(self, *verbs: str) -> str:
        """One of the verbs."""
        return verbs[int(self.rng.integers(len(verbs)))]

    def _mixed(self, found: list[int]) -> list[int]:
        return [found[int(i)] for i in self.rng.permutation(len(found))]


def _build_tower(d: _Director) -> None:
    flat = [i for i in d.free() if d.items[i].shape in FLAT and d.items[i].size == "small"]
    base, *rest = d.some(flat, 3, 3)
    top = d.some([i for i in d.free() if i not in flat], 1, 1)
    d.do(d.either("push_left", "push_right", "push_nearer", "spin"), base)
    below = base
    for i in rest + top:
        d.do("stack_on", i, below)
        below = i


def _take_down_tower(d: _Director) -> None:
    tower = sorted(d.where(lambda p: p.on is not None), key=lambda i: -d.state.placements[i].z)
    if len(tower) < 3:
        raise _Stuck
    for i in tower:
        d.do("take_off", i, d.state.placements[i].on)
    d.do(d.either("push_left", "push_right"), tower[0])
    if d.maybe():
        d.do("spin", tower[0])


def _fill_box(d: _Director) -> None:
    for i in d.some(d.free(), 4, 5):
        d.do("put_in_box", i)


def _empty_box(d: _Director) -> None:
    for i in d.some(d.where(lambda p: p.in_box), 4, 5):
        d.do("take_out_of_box", i)


def _clear_table(d: _Director) -> None:
    for i in d.some(d.free(), 4, 5):
        d.do(d.either("throw_away", "push_off_table"), i)


def _set_table(d: _Director) -> None:
    for i in d.some(d.where(lambda p: not p.on_table), 4, 5):
        d.do("bring_in", i)


def _group(d: _Director, attribute: str) -> None:
    """Puts items that share the attribute's value side by side, at least four of them."""
    anchors: dict[str, int] = {}
    moved = 0
    for i in d.free():
        value = getattr(d.items[i], attribute)
        if value in anchors:
            d.do("put_next_to", i, anchors[value])
            moved += 1
        anchors[value] = i
    if moved < 3:
        raise _Stuck
    d.do("poke", i)


def _sort_by_colour(d: _Director) -> None:
    _group(d, "colour")


def _sort_by_shape(d: _Director) -> None:
    _group(d, "shape")


def _separate_sizes(d: _Director) -> None:
    for i in d.some(d.free(), 4, 5):
        d.do("push_nearer" if d.items[i].size == "small" else "push_away", i)


def _shell_game(d: _Director) -> None:
    hidden, *rest = d.some(d.free(), 3, 4)
    d.do("show_camera", hidden)
    d.do("cover", hidden)
    d.do("swap", rest[0], rest[1])
    if d.maybe():
        d.do("swap", rest[1], rest[0])
    d.do("uncover", hidden)


def _inspect(d: _Director) -> None:
    for i in d.some(d.free(), 4, 5):
        d.do("show_camera", i)


def _test_toy(d: _Director) -> None:
    (toy,) = d.some(d.free(), 1, 1)
    for verb in d.rng.permutation(["poke", "shake", "bounce", "spin", "lift_drop"])[: int(d.rng.integers(4, 6))]:
        d.do(str(verb), toy)


def _dance(d: _Director) -> None:
    dancer, partner = d.some(d.free(), 2, 2)
    d.do("circle", dancer)
    d.do("spin", dancer)
    if d.maybe():
        d.do("left_and_back", dancer)
    d.do("circle_around", dancer, partner)
    d.do("spin", partner)


def _bowling(d: _Director) -> None:
    ball, *pins = d.some(d.free(), 4, 4)
    for pin in pins:
        d.do("push_into", ball, pin)
    d.do("push_off_table", pins[-1])


def _tease(d: _Director) -> None:
    for i in d.some(d.free(), 3, 3):
        d.do("pretend_pick_up", i)
    d.do("lift_put_back", i)
    if d.maybe():
        d.do("shake", i)


PROCEDURES: dict[str, Callable[[_Director], None]] = {
    "build a tower": _build_tower,
    "take down a tower": _take_down_tower,
    "fill the box": _fill_box,
    "empty the box": _empty_box,
    "clear the table": _clear_table,
    "set the table": _set_table,
    "sort by colour": _sort_by_colour,
    "sort by shape": _sort_by_shape,
    "separate small from large": _separate_sizes,
    "play the shell game": _shell_game,
    "inspect the objects": _inspect,
    "test a toy": _test_toy,
    "make objects dance": _dance,
    "go bowling": _bowling,
    "tease the viewer": _tease,
}
"""Name -> script. Each makes 4 to 8 steps whose items, number and partly order vary."""

HELD_OUT_OPENINGS: dict[str, tuple[str, ...]] = {
    "build a tower": ("spin",),
    "clear the table": ("push_off_table", "throw_away"),
    "separate small from large": ("push_away", "push_nearer"),
    "test a toy": ("bounce",),
}
"""Procedure -> the first verbs of those orders of its steps that are kept for test; about a quarter of its orders."""


def _cast(rng: np.random.Generator, exclude_pairs: Pairs) -> tuple[Item, ...]:
    """Five or six items, each the only one of its colour and shape.

    Three are small and flat, so that a tower can be built of them; colours and shapes repeat, so that they can be
    sorted.
    """
    count = int(rng.integers(5, 7))
    while True:
        colours = rng.choice(COLOURS, size=3, replace=False)
        shapes = [str(rng.choice(FLAT)), *(str(s) for s in rng.choice(SHAPES, size=2, replace=False))]
        items: dict[tuple[str, str], Item] = {}
        for _ in range(40):
            flat = len(items) < 3
            colour, shape = str(rng.choice(colours)), str(rng.choice(FLAT if flat else shapes))
            if len(items) < count and (colour, shape) not in exclude_pairs and (colour, shape) not in items:
                size = "small" if flat else str(rng.choice(SIZES))
                items[colour, shape] = Item(shape=shape, colour=colour, size=size, material=str(rng.choice(MATERIALS)))
        if len(items) == count:
            return tuple(items.values())


def _opening(seed: int, name: str, items: tuple[Item, ...], rng: np.random.Generator) -> State:
    """A state in which the procedure can begin."""
    places = list(random_state(rng, items).placements)
    box_x, box_y = box_place(seed)
    for i in range(len(items)):
        if name == "set the table":
            places[i] = Placement(x=places[i].x, y=places[i].y, on_table=False)
        elif name == "empty the box":
            places[i] = Placement(x=box_x, y=box_y, in_box=True)
    if name == "take down a tower":
        z = 0.0
        for i, below in ((1, 0), (2, 1), (3, 2)):
            z += height(items[below])
            places[i] = Placement(x=places[0].x, y=places[0].y, z=z, on=below)
    return State(placements=tuple(places))


def has_held_out_order(name: str, steps: Sequence[Step]) -> bool:
    """Whether the procedure's steps come in an order that is kept for test."""
    opening = HELD_OUT_OPENINGS.get(name)
    return opening is not None and tuple(step.verb for step in steps[: len(opening)]) == opening


def simulate_procedure(
    seed: int, name: str, *, exclude_pairs: Pairs = frozenset(), held_out_order: bool = False
) -> Episode:
    """A video of one procedure, its steps timed; no item is of a pair in ``exclude_pairs``.

    Args:
        held_out_order: in an order that is kept for test (``name`` must have one), instead of one that is not.
    """
    rng = np.random.default_rng([seed, list(PROCEDURES).index(name), 8])
    while True:
        items = _cast(rng, exclude_pairs)
        director = _Director(seed, items, _opening(seed, name, items, rng), rng)
        start_state = director.state
        try:
            PROCEDURES[name](director)
        except _Stuck:
            continue
        if has_held_out_order(name, director.steps) != held_out_order:
            continue
        return Episode(
            seed=seed,
            items=items,
            start_state=start_state,
            steps=tuple(director.steps),
            duration=director.time + 0.2,
            procedure=name,
        )


def simulate_stream(seed: int, duration: float, *, exclude_pairs: Pairs = frozenset()) -> Episode:
    """A long video, ``duration`` seconds, of procedures and loose actions on one table with idle time between."""
    rng = np.random.default_rng([seed, 9])
    items = _cast(rng, exclude_pairs)
    director = _Director(seed, items, random_state(rng, items), rng)
    start_state = director.state
    spans: list[tuple[str, float, float]] = []
    while director.time < duration:
        state, time, done = director.state, director.time, len(director.steps)
        director.time += float(rng.uniform(0.3, 3.0))
        name = str(rng.choice(list(PROCEDURES))) if rng.random() < 0.5 else None
        try:
            if name is not None:
                PROCEDURES[name](director)
            else:
                _loose_action(director)
        except _Stuck:
            director.state, director.time = state, time
            del director.steps[done:]
            continue
        if name is not None:
            spans.append((name, director.steps[done].start, director.steps[-1].end))
    return Episode(
        seed=seed,
        items=items,
        start_state=start_state,
        steps=tuple(s for s in director.steps if s.end <= duration),
        duration=duration,
        procedure_spans=tuple(s for s in spans if s[2] <= duration),
    )


def _loose_action(d: _Director) -> None:
    verb = d.either(*_LOOSE_VERBS)
    x, y = int(d.rng.integers(len(d.items))), int(d.rng.integers(len(d.items)))
    d.do(verb, x, None if verb in ONE_OBJECT_VERBS else y)
