"""Where everything is between the beginning and the end of an action: items, hand and cup."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from vljepa.tabletop.actions import HOLD_HEIGHT
from vljepa.tabletop.layout import WIDTH, cup_place, height
from vljepa.tabletop.scene import Episode, Item, State, Step

Point = tuple[float, float, float]
Key = tuple[float, Point]
"""A moment, 0 to 1 of the action, and the place then."""

_AWAY = 1.25
"""Height at which the hand is out of the picture."""
_CUP_HEIGHT = 0.3
_GRASP, _RELEASE = 0.2, 0.82
"""The hand reaches X before the first of these moments and leaves it after the second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pose:
    """Where an item is drawn; ``angle`` is its turn about the vertical, in radians."""

    x: float
    y: float
    z: float
    angle: float = 0.0
    shown: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Hand:
    """The tips of the gripper; ``open`` runs from 0 (fist) to 1, ``pointing`` is one finger stretched out."""

    x: float
    y: float
    z: float
    open: float
    width: float
    pointing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One frame's worth of poses."""

    items: tuple[Pose, ...]
    hand: Hand | None
    cup: Point


def still(seed: int, state: State, hand: Hand | None = None) -> Moment:
    """The poses of a state in which nothing moves."""
    poses = tuple(
        Pose(x=p.x, y=p.y, z=p.z, shown=p.on_table and not p.in_box and not p.covered) for p in state.placements
    )
    covered = [(p.x, p.y, 0.0) for p in state.placements if p.covered]
    return Moment(items=poses, hand=hand, cup=covered[0] if covered else (*cup_place(seed), 0.0))


def motion(episode: Episode, t: float) -> Moment:
    """The poses ``t`` seconds into the episode."""
    state, last = episode.start_state, None
    for step in episode.steps:
        if step.start <= t < step.end:
            return _during(episode, step, (t - step.start) / (step.end - step.start))
        if t >= step.end:
            state, last = step.after, step
    if last is not None and last.verb == "lift_hold":
        return still(episode.seed, state, _during(episode, last, 1.0).hand)
    return still(episode.seed, state)


def _at(keys: Sequence[Key], u: float) -> Point:
    """The place at moment ``u``: from one key to the next with a soft start and stop."""
    for (u0, a), (u1, b) in itertools.pairwise(keys):
        if u < u1:
            s = min(max((u - u0) / max(u1 - u0, 1e-9), 0.0), 1.0)
            s = s * s * (3 - 2 * s)
            return (a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1]), a[2] + s * (b[2] - a[2]))
    return keys[-1][1]


def _spread(path: Sequence[Point], start: float = _GRASP, end: float = _RELEASE) -> list[Key]:
    return [(start + (end - start) * i / max(len(path) - 1, 1), p) for i, p in enumerate(path)]


def _up(p: Point, z: float = HOLD_HEIGHT) -> Point:
    return (p[0], p[1], z)


def _hop(a: Point, b: Point) -> list[Point]:
    return [a, _up(a, max(a[2], b[2]) + 0.3), _up(b, max(a[2], b[2]) + 0.3), b]


def _path(step: Step, start: Point, end: Point, other: Point, seed: int) -> list[Key]:
    """The way of X in time."""
    ahead = (start[0], start[1] + 0.02, 0.14)
    match step.verb:
        case "lift_hold":
            return [(_GRASP, start), (0.7, end)]
        case "lift_drop":
            return [(_GRASP, start), (0.6, _up(start)), (0.66, _up(start)), (0.76, start)]
        case "lift_put_back":
            return _spread([start, _up(start), _up(start), start])
        case "shake":
            sway = [(start[0] + side * 0.09, start[1], 0.14) for side in (1, -1, 1, -1, 1, -1)]
            return _spread([start, ahead, *sway, ahead, start])
        case "poke":
            nudge = (start[0] + 0.015, start[1], 0.0)
            return _spread([start, nudge, start, nudge, start], 0.36, 0.76)
        case "bounce":
            peaks = [p for z in (0.3, 0.22, 0.13) for p in ((start[0], start[1], z), start)]
            return _spread([start, *peaks], _GRASP, 0.95)
        case "circle":
            turn = [2 * pi * i / 12 for i in range(13)]
            return _spread([(start[0] + 0.12 * sin(a), start[1] + 0.12 * (1 - cos(a)), 0.0) for a in turn])
        case "left_and_back":
            left = (start[0] - 0.25, start[1], 0.0)
            return _spread([start, left, left, start])
        case "throw_away":
            side = 1 if start[0] > 0.5 else -1
            return [(_GRASP, start), (0.5, _up(start)), (0.72, (0.5 + side * 1.1, start[1], 0.6))]
        case "push_off_table":
            side = 1 if start[0] > 0.5 else -1
            edge = (0.5 + side * 0.57, start[1], 0.0)
            return [(_GRASP, start), (0.7, edge), (0.85, (0.5 + side * 0.66, start[1], -0.9))]
        case "bring_in":
            side = 1 if end[0] > 0.5 else -1
            return [(0.0, (0.5 + side * 0.85, end[1], 0.35)), (0.45, _up(end)), (_RELEASE - 0.05, end)]
        case "show_camera":
            near = (0.5, -0.42, 0.3)
            return _spread([start, _up(start, 0.2), near, near, near, _up(start, 0.2), start])
        case "put_in_box" | "take_out_of_box" | "stack_on" | "take_off" | "put_next_to" | "hide_behind":
            return _spread(_hop(start, end))
        case "put_in_front_of" | "hop_left" | "hop_right" | "carry_over":
            return _spread(_hop(start, end))
        case "push_into":
            return [(_GRASP, start), (_RELEASE, end)]
        case "swap":
            aside = ((start[0] + end[0]) / 2, max(-0.05, min(start[1], end[1]) - 0.22), 0.0)
            return [(0.12, start), (0.35, aside), (0.68, aside), (0.9, end)]
        case "circle_around":
            turn = [2 * pi * i / 16 for i in range(17)]
            dx, dy = start[0] - other[0], start[1] - other[1]
            circle = [(other[0] + dx * cos(a) - dy * sin(a), other[1] + dx * sin(a) + dy * cos(a), 0.0) for a in turn]
            return _spread(circle, 0.15, 0.88)
        case "cover" | "uncover" | "spin" | "pretend_pick_up":
            return [(0.0, start)]
    return _spread([start, end])


def _during(episode: Episode, step: Step, u: float) -> Moment:
    """The poses at moment ``u``, 0 to 1, of an action."""
    places = [(p.x, p.y, p.z) for p in step.before.placements]
    ends = [(p.x, p.y, p.z) for p in step.after.placements]
    x, y = step.item, step.other
    other = places[y] if y is not None else places[x]
    calm = still(episode.seed, step.before)
    poses = list(calm.items)
    keys = _path(step, places[x], ends[x], other, episode.seed)
    shown = step.verb != "uncover" or u > _GRASP
    if step.verb in ("put_in_box", "cover"):
        shown = u < _RELEASE - (0.04 if step.verb == "put_in_box" else 0.02)
    elif step.verb == "take_out_of_box":
        shown = u > _GRASP + 0.04
    elif step.verb in ("throw_away", "push_off_table"):
        shown = u < keys[-1][0]
    angle = 2 * pi * min(max((u - _GRASP) / (_RELEASE - _GRASP), 0.0), 1.0) if step.verb == "spin" else 0.0
    where = _at(keys, u)
    poses[x] = Pose(x=where[0], y=where[1], z=where[2], angle=angle, shown=shown)
    if y is not None and step.verb == "push_into":
        hit = _at([(0.6, places[y]), (0.9, ends[y])], u)
        poses[y] = Pose(x=hit[0], y=hit[1], z=hit[2])
    elif y is not None and step.verb == "swap":
        hit = _at([(0.4, places[y]), (0.5, _up(places[y], 0.12)), (0.58, _up(ends[y], 0.12)), (0.65, ends[y])], u)
        poses[y] = Pose(x=hit[0], y=hit[1], z=hit[2])
    cup = _cup(episode, step, places[x], u) if step.verb in ("cover", "uncover") else calm.cup
    return Moment(items=tuple(poses), hand=_hand(episode.items, step, poses, cup, keys, u), cup=cup)


def _cup(episode: Episode, step: Step, place: Point, u: float) -> Point:
    rest = (*cup_place(episode.seed), 0.0)
    over = (place[0], place[1], 0.0)
    return _at(_spread(_hop(rest, over) if step.verb == "cover" else _hop(over, rest)), u)


def _hand(items: tuple[Item, ...], step: Step, poses: list[Pose], cup: Point, keys: list[Key], u: float) -> Hand:
    """The hand comes from above, follows what it holds and leaves upward."""
    x, verb = step.item, step.verb
    item, held = items[x], poses[x]
    top, width = height(item), WIDTH[item.size]
    if verb in ("cover", "uncover"):
        held, top, width = Pose(x=cup[0], y=cup[1], z=cup[2]), _CUP_HEIGHT, 0.2
    grasp, release = _GRASP, _RELEASE
    dx, grip, z = 0.0, top * 0.55, held.z
    pointing = False
    place = (held.x, held.y)
    if verb in ("push_left", "left_and_back", "push_right", "push_off_table", "push_past", "push_into"):
        # A fist beside the item, on the side it is pushed from.
        first, last = keys[0][1], keys[-1][1] if verb != "left_and_back" else (keys[0][1][0] - 1, 0.0, 0.0)
        dx = -1.0 if last[0] > first[0] else 1.0
        if verb == "left_and_back" and u > 0.5:
            dx = -1.0
        dx *= width / 2 + 0.03
        grip = 0.03
    match verb:
        case "lift_drop":
            release = 0.66
            if u > 0.66:
                z = HOLD_HEIGHT
        case "bounce":
            release = 0.3
        case "throw_away":
            release = 0.6
            if u > 0.6:
                where = _at(keys, 0.6)
                place, z = (where[0], where[1]), where[2]
        case "push_off_table":
            release = 0.7
            if u > 0.7:
                place, z = (_at(keys, 0.7)[0], held.y), 0.0
        case "lift_hold":
            release = 2.0
        case "bring_in":
            grasp = -1.0
        case "poke":
            pointing = True
            begin, stop = 0.3, 0.8
            z = 0.03 + (0.1 * abs(cos(2 * pi * (u - begin) / (stop - begin)))) if begin < u < stop else 0.1
            grip = top
        case "pretend_pick_up":
            z = _at([(0.35, (0.0, 0.0, 0.0)), (0.75, (0.0, 0.0, HOLD_HEIGHT))], u)[2]
            release = 2.0
        case "swap":
            grasp, release = 0.12, 0.9
            if 0.38 < u < 0.66 and step.other is not None:
                mate = poses[step.other]
                place, z, width = (mate.x, mate.y), mate.z, WIDTH[items[step.other].size]
                grip = height(items[step.other]) * 0.55
        case "spin":
            width *= 0.55 + 0.45 * abs(cos(held.angle))
    gap = 0.0 if dx or pointing else (1.0 if u < grasp - 0.04 or u > release + 0.02 else 0.25)
    if u < grasp:
        z += (_AWAY - z) * float(np.clip(1 - u / grasp, 0, 1)) ** 1.3
    elif u > release:
        z += (_AWAY - z) * float(np.clip((u - release) / (1 - release), 0, 1)) ** 1.3
    return Hand(x=place[0] + dx, y=place[1], z=z + grip, open=gap, width=width, pointing=pointing)
