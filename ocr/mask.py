"""Fields that somebody blacked out before faxing: Tokyo's health centres ask doctors to hide who the patient is."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ocr.page import Box, PageImage

_LOW, _SHORT = 2.5, 7.0
"""Millimetres: the least height and width of a bar that hides writing; a heavy rule is lower, a stroke shorter."""
_RING, _DARK = 2.0, 0.35
"""Millimetres around a bar, and the share of black in them from which on it is a piece of a banner or a letter."""
_SOLID = 0.90
"""Share of black within a bar, be it a little slanted; a banner with white writing has less."""
_PICTURE = 0.2
"""Share of the page beyond which black is a picture or a dark copy, not a field."""
_EDGE = 4.0
"""Millimetres from the edge of the page where a lid left open leaves black."""


def masked(page: PageImage) -> tuple[Box, ...]:
    """Boxes of solid black on a page of square pixels, from the top down, in its pixels.

    A bar counts when a solid piece of 2.5 x 7 mm fits into it; specks of noise in it do not matter.
    """
    black = (np.asarray(page.image.convert("L")) < 128).astype(np.uint8)
    whole = cv2.medianBlur(black, 5)
    across, down = page.dpi[0] / 25.4, page.dpi[1] / 25.4
    least = np.ones((round(_LOW * down), round(_SHORT * across)), np.uint8)
    solid = cv2.morphologyEx(whole, cv2.MORPH_OPEN, least)
    height, width = solid.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    boxes = []
    for left, top, wide, high, area in stats[1:].tolist():
        box = (left, top, left + wide, top + high)
        fits = area < _PICTURE * width * height and not _at_the_edge(box, width, height, across)
        solid_enough = whole[top : top + high, left : left + wide].mean() > _SOLID
        if fits and solid_enough and _black_around(whole, box, round(_RING * across)) < _DARK:
            boxes.append(box)
    return tuple(sorted(boxes, key=lambda box: (box[1], box[0])))


def _black_around(black: npt.NDArray[Any], box: Box, ring: int) -> float:
    left, top, right, bottom = box
    outer = black[max(0, top - ring) : bottom + ring, max(0, left - ring) : right + ring]
    inner = black[top:bottom, left:right]
    return float((int(outer.sum()) - int(inner.sum())) / max(1, outer.size - inner.size))


def _at_the_edge(box: Box, width: int, height: int, dots: float) -> bool:
    margin = _EDGE * dots
    return box[0] < margin or box[1] < margin or box[2] > width - margin or box[3] > height - margin
