"""Draws Tabletop: a table seen at an angle, its items, a box, a cup and a gripper, in shaded colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from vljepa.tabletop.layout import WIDTH, box_place, height
from vljepa.tabletop.motion import Hand, Moment, Pose, motion, still
from vljepa.tabletop.scene import FPS, Episode, Item, State

Colour = tuple[int, int, int]
Spot = tuple[float, float]

RGB: dict[str, Colour] = {
    "red": (208, 34, 38), "green": (38, 150, 58), "blue": (38, 82, 214), "yellow": (242, 212, 40),
    "purple": (138, 56, 176), "orange": (244, 126, 24), "white": (244, 244, 244), "black": (34, 34, 38),
}  # fmt: skip
_WOOD = ((196, 170, 136), (168, 176, 170), (150, 160, 178), (186, 180, 168), (176, 150, 126))
_WALL = ((108, 122, 134), (122, 112, 104), (96, 112, 104), (132, 128, 140))
_CARDBOARD: Colour = (152, 112, 70)
_CUP: Colour = (92, 172, 172)
_STEEL: Colour = (88, 96, 108)
_SLEEVE: Colour = (62, 70, 96)
_OVERSAMPLING = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Camera:
    """Projection of table coordinates to the pixels of the oversampled picture, and the light."""

    pixels: int
    zoom: float
    shift_x: float
    shift_y: float
    roll: float
    light: float
    light_side: int

    def scale(self, y: float) -> float:
        """Pixels of one table unit at depth ``y``."""
        return self.pixels * self.zoom * 0.94 / (1 + 0.34 * y)

    def spot(self, x: float, y: float, z: float = 0.0) -> Spot:
        """Pixel of a place."""
        scale = self.scale(y)
        depth = y / (1 + 0.34 * y)
        px = self.pixels * (0.5 + self.shift_x) + (x - 0.5) * scale + self.roll * y * self.pixels
        return px, self.pixels * (0.93 + self.shift_y - 0.78 * depth) - z * scale

    def lit(self, colour: Colour, brightness: float = 1.0) -> Colour:
        """The colour under this light."""
        r, g, b = (min(255, max(0, int(c * self.light * brightness))) for c in colour)
        return r, g, b


def _camera(seed: int, pixels: int) -> _Camera:
    rng = np.random.default_rng([seed, 21])
    return _Camera(
        pixels=pixels,
        zoom=float(rng.uniform(0.94, 1.04)),
        shift_x=float(rng.uniform(-0.025, 0.025)),
        shift_y=float(rng.uniform(-0.03, 0.02)),
        roll=float(rng.uniform(-0.03, 0.03)),
        light=float(rng.uniform(0.9, 1.05)),
        light_side=1 if rng.random() < 0.5 else -1,
    )


@lru_cache(maxsize=8)
def _backdrop(seed: int, pixels: int) -> Image.Image:
    """The wall, the table with its grain, and the box's back; the same in all frames of an episode."""
    camera = _camera(seed, pixels)
    rng = np.random.default_rng([seed, 22])
    wall, wood = _WALL[int(rng.integers(len(_WALL)))], _WOOD[int(rng.integers(len(_WOOD)))]
    picture = Image.new("RGB", (pixels, pixels), camera.lit(wall))
    draw = ImageDraw.Draw(picture)
    corners = [camera.spot(*p) for p in ((-0.06, -0.08), (1.06, -0.08), (1.06, 1.06), (-0.06, 1.06))]
    draw.polygon([*corners[:2], (corners[1][0], pixels), (corners[0][0], pixels)], fill=camera.lit(wood, 0.6))
    draw.polygon(corners, fill=camera.lit(wood))
    for y in np.linspace(-0.05, 1.03, int(rng.integers(5, 14))):
        tone = float(rng.uniform(0.9, 1.0))
        draw.line([camera.spot(-0.06, float(y)), camera.spot(1.06, float(y))], fill=camera.lit(wood, tone), width=2)
    shade = np.linspace(1.04, 0.94, pixels)[None, :: -1 if camera.light_side > 0 else 1, None]
    grain = rng.normal(0.0, 3.0, (pixels // 2, pixels // 2, 1)).repeat(2, 0).repeat(2, 1)
    lit = np.asarray(picture, dtype=np.float32) * shade + grain
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


class _Painter:
    """Draws one frame."""

    def __init__(self, camera: _Camera, backdrop: Image.Image) -> None:
        self.camera = camera
        self.picture = backdrop.copy()
        self.draw = ImageDraw.Draw(self.picture)

    def frame(self, items: Sequence[Item], moment: Moment, box: Spot) -> None:
        """Everything, from the back to the front."""
        for item, pose in zip(items, moment.items, strict=True):
            if pose.shown and pose.z >= 0:
                self._shadow(pose.x, pose.y, pose.z, WIDTH[item.size])
        self._shadow(moment.cup[0], moment.cup[1], moment.cup[2], 0.2)
        jobs = [(box[1] + 0.02, 0, -2), (moment.cup[1], moment.cup[2], -1)]
        jobs += [(p.y, p.z, i) for i, p in enumerate(moment.items) if p.shown]
        for _, _, what in sorted(jobs, key=lambda job: (-job[0], job[1])):
            if what == -2:
                self._box(*box)
            elif what == -1:
                self._cup(*moment.cup)
            else:
                self._item(items[what], moment.items[what])
        if moment.hand is not None:
            self._hand(moment.hand)

    def _shadow(self, x: float, y: float, z: float, width: float) -> None:
        px, py = self.camera.spot(x + self.camera.light_side * (0.025 + 0.25 * z), y)
        half = self.camera.scale(y) * width * 0.56
        self._ellipse(px, py, half, half * 0.4, self.camera.lit((96, 84, 74)))

    def _ellipse(self, px: float, py: float, rx: float, ry: float, fill: Colour) -> None:
        self.draw.ellipse((px - rx, py - ry, px + rx, py + ry), fill=fill)

    def _item(self, item: Item, pose: Pose) -> None:
        px, py = self.camera.spot(pose.x, pose.y, pose.z)
        scale = self.camera.scale(pose.y)
        half, tall = scale * WIDTH[item.size] / 2, scale * height(item)
        colour, shiny = RGB[item.colour], item.material == "shiny"
        getattr(self, f"_{item.shape}")(px, py, half, tall, colour, shiny, pose.angle)

    def _tones(self, colour: Colour, shiny: bool) -> list[Colour]:
        """Dark side to lit side; black and white keep some shading."""
        spread = (0.5, 0.8, 1.0, 1.25) if shiny else (0.72, 0.88, 1.0, 1.06)
        lift = 26 if max(colour) < 60 else 0
        return [self.camera.lit((colour[0] + lift, colour[1] + lift, colour[2] + lift), s) for s in spread]

    def _glint(self, px: float, py: float, size: float) -> None:
        self._ellipse(px, py, size, size, (255, 255, 255))

    def _bands(self, outline: list[Spot], px: float, half: float, tones: list[Colour]) -> None:
        """Fills a convex outline, darkest on the side turned from the light."""
        side = self.camera.light_side
        self.draw.polygon(outline, fill=tones[1])
        for tone, shrink in ((tones[2], 0.72), (tones[3], 0.3)):
            centre = px - side * half * (1 - shrink) * 0.6
            self.draw.polygon([(centre + (x - px) * shrink, y) for x, y in outline], fill=tone)

    def _mark(self, px: float, py: float, half: float, size: float, colour: Colour, angle: float) -> None:
        """A spot on the side of a round item, which shows that it turns."""
        if cos(angle) > -0.1:
            tone: Colour = (40, 40, 40) if sum(colour) > 330 else (235, 235, 235)
            self._ellipse(px + half * sin(angle), py, max(1.0, size * max(0.2, cos(angle))), size, tone)

    def _cube(self, px: float, py: float, half: float, tall: float, colour: Colour, shiny: bool, angle: float) -> None:
        tones = self._tones(colour, shiny)
        turned = angle + 0.5
        base = [(half * 1.12 * cos(turned + k * pi / 2), half * 0.5 * sin(turned + k * pi / 2)) for k in range(4)]
        tall *= 0.85
        lower = [(px + x, py - y) for x, y in base]
        upper = [(x, y - tall) for x, y in lower]
        for k in range(4):
            middle = turned + (k + 0.5) * pi / 2
            if sin(middle) < 0.05:
                lit = cos(middle) * self.camera.light_side < 0
                face = [lower[k], lower[(k + 1) % 4], upper[(k + 1) % 4], upper[k]]
                self.draw.polygon(face, fill=tones[2] if lit else tones[0])
        self.draw.polygon(upper, fill=tones[3])
        if shiny:
            self._glint(px - self.camera.light_side * half * 0.35, py - tall * 0.7, half * 0.2)

    def _ball(self, px: float, py: float, half: float, tall: float, colour: Colour, shiny: bool, angle: float) -> None:
        tones = self._tones(colour, shiny)
        side = self.camera.light_side
        for tone, size in zip(tones, (1.0, 0.86, 0.66, 0.36), strict=True):
            off = (1 - size) * 0.55 * half
            self._ellipse(px - side * off, py - half - off, half * size, half * size, tone)
        self._mark(px, py - half, half * 0.9, half * 0.16, colour, angle + 0.6 * side)
        if shiny:
            self._glint(px - side * half * 0.36, py - half * 1.4, half * 0.2)

    def _cylinder(
        self, px: float, py: float, half: float, tall: float, colour: Colour, shiny: bool, angle: float
    ) -> None:
        tones = self._tones(colour, shiny)
        rim = half * 0.36
        self._ellipse(px, py, half, rim, tones[1])
        self._bands(
            [(px - half, py), (px + half, py), (px + half, py - tall + rim), (px - half, py - tall + rim)],
            px, half, [tones[0], tones[1], tones[2], tones[3]],
        )  # fmt: skip
        self._mark(px, py - tall * 0.4, half * 0.9, half * 0.16, colour, angle + 0.6 * self.camera.light_side)
        self._ellipse(px, py - tall + rim, half, rim, tones[0])
        self._ellipse(px, py - tall + rim, half * 0.9, rim * 0.86, tones[3])
        if shiny:
            self._glint(px - self.camera.light_side * half * 0.45, py - tall * 0.6, half * 0.18)

    def _cone(self, px: float, py: float, half: float, tall: float, colour: Colour, shiny: bool, angle: float) -> None:
        tones = self._tones(colour, shiny)
        self._ellipse(px, py, half, half * 0.34, tones[1])
        self._bands([(px - half, py), (px + half, py), (px, py - tall)], px, half, tones)
        self._mark(px, py - tall * 0.2, half * 0.75, half * 0.15, colour, angle + 0.6 * self.camera.light_side)
        if shiny:
            self._glint(px - self.camera.light_side * half * 0.3, py - tall * 0.35, half * 0.17)

    def _ring(self, px: float, py: float, half: float, tall: float, colour: Colour, shiny: bool, angle: float) -> None:
        tones = self._tones(colour, shiny)
        wide = half * max(0.3, abs(cos(angle)))
        middle = py - half
        line = max(2, round(half * 0.42))
        for tone, inset, width in ((tones[0], 0.0, line), (tones[2], 1.0, line - 2)):
            box = (px - wide + inset, middle - half + inset, px + wide - inset, middle + half - inset)
            self.draw.ellipse(box, outline=tone, width=max(1, width))
        if shiny:
            side = self.camera.light_side
            self._glint(px - side * wide * 0.56, middle - half * 0.56, half * 0.16)

    def _star(self, px: float, py: float, half: float, tall: float, colour: Colour, shiny: bool, angle: float) -> None:
        tones = self._tones(colour, shiny)
        squeeze = max(0.25, abs(cos(angle)))
        middle = py - half
        points = []
        for k in range(10):
            radius = half * (1.16 if k % 2 == 0 else 0.5)
            a = pi / 2 + k * pi / 5
            points.append((px + squeeze * radius * cos(a), middle - radius * sin(a) + half * 0.06))
        self.draw.polygon([(x + 2 * self.camera.light_side, y + 1) for x, y in points], fill=tones[0])
        self.draw.polygon(points, fill=tones[2])
        if shiny:
            self._glint(px - self.camera.light_side * squeeze * half * 0.15, middle - half * 0.2, half * 0.2)

    def _box(self, x: float, y: float) -> None:
        wide, deep, tall = 0.17, 0.08, 0.17
        spot, lit = self.camera.spot, self.camera.lit
        self.draw.polygon([spot(x - wide, y + deep), spot(x + wide, y + deep), spot(x + wide, y + deep, tall),
                           spot(x - wide, y + deep, tall)], fill=lit(_CARDBOARD, 0.62))  # fmt: skip
        self.draw.polygon([spot(x - wide, y - deep, tall), spot(x + wide, y - deep, tall),
                           spot(x + wide, y + deep, tall), spot(x - wide, y + deep, tall)],
                          fill=lit(_CARDBOARD, 0.42))  # fmt: skip
        front = [spot(x - wide, y - deep), spot(x + wide, y - deep), spot(x + wide, y - deep, tall),
                 spot(x - wide, y - deep, tall)]  # fmt: skip
        self.draw.polygon(front, fill=lit(_CARDBOARD), outline=lit(_CARDBOARD, 0.75))

    def _cup(self, x: float, y: float, z: float) -> None:
        """Upside down, wide enough to hide any item."""
        px, py = self.camera.spot(x, y, z)
        scale = self.camera.scale(y)
        half, tall = scale * 0.135, scale * 0.29
        rim = half * 0.3
        tones = self._tones(_CUP, shiny=False)
        self._ellipse(px, py, half, rim, tones[0])
        outline = [(px - half, py), (px + half, py), (px + half * 0.74, py - tall), (px - half * 0.74, py - tall)]
        self._bands(outline, px, half, tones)
        self.draw.line([(px - half, py - 2), (px + half, py - 2)], fill=self.camera.lit((240, 240, 230)), width=3)
        self._ellipse(px, py - tall, half * 0.74, rim * 0.8, tones[3])

    def _hand(self, hand: Hand) -> None:
        """A two-finger gripper on an arm that hangs from above."""
        px, py = self.camera.spot(hand.x, hand.y, hand.z)
        scale = self.camera.scale(hand.y)
        lit = self.camera.lit
        finger = max(2, round(scale * 0.035))
        if hand.pointing:
            palm = py - scale * 0.16
            self.draw.line([(px, py), (px, palm)], fill=lit(_STEEL), width=finger + 1)
            half = scale * 0.05
        else:
            half = scale * (hand.width / 2 * (1 if hand.open > 0 else 0.2) + 0.02 + 0.05 * hand.open)
            palm = py - scale * (0.17 if hand.open > 0 else 0.1)
            for side in (-1, 1):
                self.draw.line([(px + side * half, py), (px + side * half, palm)], fill=lit(_STEEL), width=finger)
        half = max(half, scale * 0.05)
        self.draw.rectangle(
            (px - half - finger / 2, palm - scale * 0.05, px + half + finger / 2, palm), fill=lit(_STEEL, 0.8)
        )
        arm = scale * 0.045
        lean = scale * 0.06 * self.camera.light_side
        top = palm - scale * 1.5
        self.draw.polygon(
            [
                (px - arm, palm - scale * 0.05),
                (px + arm, palm - scale * 0.05),
                (px + arm + lean, top),
                (px - arm + lean, top),
            ],
            fill=lit(_SLEEVE),
        )


def _draw(items: Sequence[Item], moment: Moment, seed: int, size: int) -> np.ndarray:
    pixels = size * _OVERSAMPLING
    painter = _Painter(_camera(seed, pixels), _backdrop(seed, pixels))
    painter.frame(items, moment, box_place(seed))
    return np.asarray(painter.picture.reduce(_OVERSAMPLING))


def render(episode: Episode, size: int = 128, frames: Sequence[int] | None = None) -> np.ndarray:
    """The episode's frames, or those of the given numbers, as (frames, size, size, 3) uint8; ``FPS`` a second."""
    wanted = range(episode.num_frames) if frames is None else frames
    return np.stack([_draw(episode.items, motion(episode, (f + 0.5) / FPS), episode.seed, size) for f in wanted])


def render_state(seed: int, items: Sequence[Item], state: State, size: int = 128) -> np.ndarray:
    """A state without the hand, as (size, size, 3) uint8, under the camera and light of ``seed``."""
    return _draw(items, still(seed, state), seed, size)
