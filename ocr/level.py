"""A page laid level: its ink at about 204 dots an inch without the skew, its rules, and its words in the same frame.

For looking at shapes only. What is shown and kept are the original bits, so every place found here is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr.engine import Run
from ocr.image import grey
from ocr.page import Box, PageImage

DOTS = 204 / 25.4
"""Pixels of the level frame a millimetre; 204x196 counts as square (4 % off)."""

Ink = NDArray[np.uint8]
"""1 where it is black."""

_NEAR = 0.2
"""A page whose dots are this near to 204 an inch is not scaled."""
_SLANT = 0.15
"""Degrees of skew that do not matter."""
_RULE_ACROSS, _RULE_DOWN = 240, 70
"""Pixels of a straight line that no letter and no circle has."""

LETTERS, _USUAL = 0.72, 3.5 * DOTS
"""Height of letters in the height of the box that an engine draws round a line; and where there is none, 10 points."""


@dataclass(frozen=True, slots=True)
class Line:
    """A run of characters in the level frame."""

    text: str
    box: tuple[float, float, float, float]
    index: int
    """Which of the given runs."""

    @property
    def middle(self) -> float:
        """Its height on the page."""
        return (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, slots=True)
class Level:
    """The frame."""

    ink: Ink
    across: Ink
    """Level rules alone."""
    down: Ink
    """Upright rules alone."""
    free: Ink
    """Ink without rules."""
    lines: tuple[Line, ...]
    back: NDArray[Any]
    """2x3: from here to the page's pixels."""

    @property
    def letter(self) -> float:
        """The usual height of its letters."""
        heights = [line.box[3] - line.box[1] for line in self.lines if len(line.text) > 1]
        return LETTERS * float(np.median(heights)) if heights else _USUAL

    def on_page(self, box: Sequence[float]) -> Box:
        """A box of this frame in pixels of the page."""
        x0, y0, x1, y1 = box
        corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]]) @ self.back.T
        low, high = np.floor(corners.min(0)), np.ceil(corners.max(0))
        return max(0, int(low[0])), max(0, int(low[1])), int(high[0]), int(high[1])


def level(page: PageImage, runs: Sequence[Run], skew: float) -> Level:
    """The frame of an upright page of square pixels whose lines climb by ``skew`` degrees."""
    ink = (grey(page.image) < 128).astype(np.uint8)
    scale = DOTS * 25.4 / page.dpi[0] if page.dpi[0] > 0 else 1.0
    if abs(scale - 1) > _NEAR:
        size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
        ink = (cv2.resize(ink * np.uint8(255), size, interpolation=cv2.INTER_AREA) > 100).astype(np.uint8)
    else:
        scale = 1.0
    height, width = ink.shape
    there = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    if abs(skew) > _SLANT:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -skew, 1.0)
        turned = cv2.warpAffine(ink * np.uint8(255), turn, (width, height), flags=cv2.INTER_LINEAR)
        ink = (turned > 110).astype(np.uint8)
        there = turn @ np.vstack((there, [0.0, 0.0, 1.0]))
    across, down = _rules(ink)
    free = _without(ink, across, down)
    lines = tuple(_line(run, index, there) for index, run in enumerate(runs))
    return Level(ink, across, down, free, lines, cv2.invertAffineTransform(there))


def _rules(ink: Ink) -> tuple[Ink, Ink]:
    """Straight lines; scanned ones waver by a pixel, so each is thickened across before it is followed."""
    thick = cv2.dilate(ink, np.ones((3, 1), np.uint8))
    across = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, _RULE_ACROSS), np.uint8))
    thick = cv2.dilate(ink, np.ones((1, 3), np.uint8))
    down = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((_RULE_DOWN, 1), np.uint8))
    return np.minimum(across, ink).astype(np.uint8), np.minimum(down, ink).astype(np.uint8)


def _without(ink: Ink, across: Ink, down: Ink) -> Ink:
    """Ink without rules; what a rule runs across stays whole."""
    around = np.ones((3, 3), np.uint8)
    free, bridges = ink.copy(), []
    for rule in (across, down):
        free[cv2.dilate(rule, around) > 0] = 0
    for rule, size in ((across, (9, 1)), (down, (1, 9))):
        bridge = cv2.morphologyEx(free, cv2.MORPH_CLOSE, np.ones(size, np.uint8))
        bridges.append(np.minimum(np.minimum(bridge, cv2.dilate(rule, around)), ink))
    return np.maximum(free, np.maximum(*bridges)).astype(np.uint8)


def _line(run: Run, index: int, there: NDArray[Any]) -> Line:
    corners = np.hstack((np.array(run.corners), np.ones((4, 1)))) @ there.T
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    return Line(run.text, (float(x0), float(y0), float(x1), float(y1)), index)
