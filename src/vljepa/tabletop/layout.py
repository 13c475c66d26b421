"""What a table can look like at rest: the size of things, the edges of the table, and random scenes."""

from collections.abc import Sequence
from math import hypot

import numpy as np

from vljepa.tabletop.scene import COLOURS, MATERIALS, SHAPES, SIZES, Item, Placement, State

Pairs = frozenset[tuple[str, str]]

WIDTH = {"small": 0.13, "large": 0.215}
"""Width of an item by size, in table units."""
_HEIGHT = {"cube": 0.85, "ball": 1.0, "cylinder": 1.05, "cone": 1.2, "ring": 1.0, "star": 1.0}
FLAT = ("cube", "cylinder")
"""Shapes on which another object can stand."""

LEFT, RIGHT, FRONT, BACK = 0.1, 0.9, 0.06, 0.68
"""Edges of the part of the table where things are put."""
_TRIES = 60


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
            item = random_item(rng, str(rng.choice(colours)), str(rng.choice(shapes)))
            if len(items) < count and (item.colour, item.shape) not in exclude_pairs and item not in items:
                items.append(item)
    return tuple(items)


def random_item(rng: np.random.Generator, colour: str, shape: str) -> Item:
    """An item of a colour and shape, of any size and material."""
    return Item(shape=shape, colour=colour, size=str(rng.choice(SIZES)), material=str(rng.choice(MATERIALS)))


def random_state(rng: np.random.Generator, items: Sequence[Item]) -> State:
    """All items standing apart on the table."""
    while True:
        placements: list[Placement] = []
        for item in items:
            for _ in range(_TRIES):
                spot = Placement(x=float(rng.uniform(LEFT, RIGHT)), y=float(rng.uniform(FRONT, BACK)))
                if all(apart(spot, item, p, other) for p, other in zip(placements, items, strict=False)):
                    placements.append(spot)
                    break
        if len(placements) == len(items):
            return State(placements=tuple(placements))


def apart(a: Placement, item: Item, b: Placement, other: Item) -> bool:
    """Whether an item at ``a`` keeps clear of another at ``b``."""
    return hypot(a.x - b.x, 1.3 * (a.y - b.y)) >= (WIDTH[item.size] + WIDTH[other.size]) / 2 + 0.03
