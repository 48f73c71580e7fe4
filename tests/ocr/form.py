"""A form drawn for tests, with the lines as an engine would see them: no engine runs, so a test takes milliseconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ocr.engine import Run
from ocr.level import Level, level
from ocr.page import PageImage

FONT = "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf"
SIZE = 1728, 2290
LETTER = 28
"""Pixels of 10 points."""


@dataclass
class Form:
    """A page of fine fax; places in pixels."""

    image: Image.Image = field(default_factory=lambda: Image.new("L", SIZE, 255))
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pen = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, text: str, size: int = LETTER, read: str | None = None) -> float:
        """Print a line, read as it is or as ``read`` says (empty: not at all); gives its right end."""
        font = ImageFont.truetype(FONT, size)
        self.pen.text((x, y), text, 0, font=font)
        right = x + font.getlength(text)
        margin = 0.2 * size
        said = text if read is None else read
        if said:
            self.runs.append(run(said, (x - margin, y - margin, right + margin, y + size + margin)))
        return right

    def box(self, x: float, y: float, tick: str = "", side: int = 24) -> float:
        """A check box: empty, or with ``check``, ``cross``, ``fill`` or ``dot`` in it; gives its right end."""
        self.pen.rectangle((x, y, x + side, y + side), outline=0, width=2)
        strokes = {"check": [(0.1, 0.5, 0.4, 0.9), (0.4, 0.9, 1.2, -0.15)], "cross": [(0, 0, 1, 1), (0, 1, 1, 0)]}
        for a, b, c, d in strokes.get(tick, []):
            self.pen.line((x + a * side, y + b * side, x + c * side, y + d * side), fill=0, width=4)
        if tick == "fill":
            self.pen.rectangle((x, y, x + side, y + side), fill=0)
        return x + side

    def circle(self, x0: float, y0: float, x1: float, y1: float, turn: float = 6.1) -> None:
        """A circle as a hand draws it: neither closed nor round."""
        cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
        angles = [1.0 + turn * step / 60 for step in range(61)]
        swell = [1 + 0.03 * math.sin(2 * angle) for angle in angles]
        points = [(cx + rx * s * math.cos(a), cy + ry * s * math.sin(a)) for a, s in zip(angles, swell, strict=True)]
        self.pen.line(points, fill=0, width=3, joint="curve")

    def options(self, x: float, y: float, labels: list[str], chosen: int | None, between: str = "・") -> None:
        """Printed options in a row as one line, one of them with a circle round it."""
        font = ImageFont.truetype(FONT, LETTER)
        at = x
        for index, label in enumerate(labels):
            if index == chosen:
                self.circle(at - 8, y - 8, at + font.getlength(label) + 8, y + LETTER + 8)
            at += font.getlength(label + between)
        self.text(x, y, between.join(labels))

    def level(self, *, angle: float = 0.0, noise: float = 0.0, standard: bool = False) -> Level:
        """The page faxed (skewed, with specks, at 98 lines an inch) and laid level again."""
        turned = self.image.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=255)
        if standard:
            turned = turned.resize((SIZE[0], SIZE[1] // 2), Image.Resampling.BOX).resize(SIZE, Image.Resampling.NEAREST)
        ink = np.asarray(turned) < 150
        if noise:
            ink = ink ^ (np.random.default_rng(5).random(ink.shape) < noise)
        page = Image.fromarray(np.where(ink, 0, 255).astype(np.uint8))
        return level(PageImage(1, page, (204, 204)), [_turned(one, angle) for one in self.runs], angle)


def run(text: str, box: tuple[float, float, float, float]) -> Run:
    """A line as an engine sees it."""
    x0, y0, x1, y1 = box
    return Run(text, ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), 0.95)


def _turned(one: Run, angle: float) -> Run:
    """The line where it lies when the page is turned counter-clockwise about its middle."""
    middle, turn = (SIZE[0] / 2, SIZE[1] / 2), math.radians(angle)

    def moved(x: float, y: float) -> tuple[float, float]:
        dx, dy = x - middle[0], y - middle[1]
        return (
            middle[0] + dx * math.cos(turn) + dy * math.sin(turn),
            middle[1] - dx * math.sin(turn) + dy * math.cos(turn),
        )

    a, b, c, d = (moved(x, y) for x, y in one.corners)
    return Run(one.text, (a, b, c, d), one.confidence)
