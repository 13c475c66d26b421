"""What exists and what happens in Tabletop, as plain symbols: the ground truth every text is written from.

The table's surface is the square [0, 1] x [0, 1]: x grows to the viewer's right, y grows away from the viewer
(toward the back), z is height above the table in the same unit.
"""

from dataclasses import dataclass

SHAPES = ("cube", "ball", "cylinder", "cone", "ring", "star")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "white", "black")
SIZES = ("small", "large")
MATERIALS = ("matte", "shiny")

FPS = 8
"""Frames per second of every Tabletop video."""

ONE_OBJECT_VERBS = (
    "push_left", "push_right", "push_away", "push_nearer",
    "lift_hold", "lift_drop", "lift_put_back", "hop_left", "hop_right",
    "spin", "shake", "poke", "pretend_pick_up", "bounce", "circle", "left_and_back",
    "throw_away", "bring_in", "push_off_table", "show_camera",
    "put_in_box", "take_out_of_box", "cover", "uncover",
)  # fmt: skip
"""Atomic actions on one object X. ``cover``/``uncover`` use the cup; ``put_in_box``/``take_out_of_box`` the box."""

TWO_OBJECT_VERBS = (
    "stack_on", "take_off", "push_into", "push_past", "put_next_to", "hide_behind",
    "put_in_front_of", "swap", "carry_over", "circle_around",
)  # fmt: skip
"""Atomic actions on X with respect to Y."""

VERBS = ONE_OBJECT_VERBS + TWO_OBJECT_VERBS


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An object on the table."""

    shape: str
    colour: str
    size: str
    material: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where an item is at one moment."""

    x: float
    y: float
    z: float = 0.0
    on: int | None = None
    """Index of the item it stands on."""
    in_box: bool = False
    covered: bool = False
    """Under the cup."""
    on_table: bool = True
    """False once thrown or pushed away, or not brought in yet: it is out of the picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Everything at one moment."""

    placements: tuple[Placement, ...]
    """One for each item of the episode, in order."""

    def visible(self) -> tuple[int, ...]:
        """Indices of the items a viewer can see: on the table, not in the box, not under the cup."""
        return tuple(i for i, p in enumerate(self.placements) if p.on_table and not p.in_box and not p.covered)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One atomic action in time."""

    verb: str
    item: int
    """Index of X."""
    other: int | None
    """Index of Y for the two-object verbs."""
    start: float
    """Seconds, from the beginning of the video."""
    end: float
    before: State
    after: State


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """A video, symbolically: items, what happens to them, and when."""

    seed: int
    items: tuple[Item, ...]
    start_state: State
    steps: tuple[Step, ...]
    duration: float
    """Seconds; idle time may precede, separate and follow the steps."""
    procedure: str | None = None
    """Name of the procedure the steps make up, or None."""
    procedure_spans: tuple[tuple[str, float, float], ...] = ()
    """Long streams only: (procedure, start, end) of each procedure chained in them."""

    @property
    def num_frames(self) -> int:
        return max(1, round(self.duration * FPS))
