"""Vertical writing set anew: a column's characters, one by one, side by side in a line that reads from left to right.

A recogniser of lines that is shown a column laid on its side reads the kanji but loses every comma, full stop and long
vowel mark (12 of 172 characters on a trial page). In print the characters of a column stand at equal distances, so the
column is cut by the lattice whose cuts meet the least ink, and what vertical writing turns or moves is put back.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Grey rows, 0 black to 255 white."""

# Distance of two characters in widths of the ink: solid setting is 1.05 (no character fills its square), and what is
# set wider than this is no line of text.
_NEAREST, _FARTHEST, _STEP = 0.95, 1.75, 0.25
_INK = 40
"""Darker than white by so much is ink."""
_PAPER = 0.16
"""Paper above and below the new line, in characters."""


def as_line(column: Pixels) -> Pixels | None:
    """The upright *column* of one row of characters as a horizontal line; None where there is no ink.

    Blank places inside stay as wide as a character, those at the ends are left out.
    """
    ink = 255 - column.astype(np.int32)
    ink[ink < _INK] = 0
    if not ink.any():
        return None
    distance, first, middle = _lattice(ink)
    side = round(distance)
    paper = np.asarray(cv2.copyMakeBorder(column, side, side, side, side, cv2.BORDER_CONSTANT, value=(255,)), np.uint8)
    left = side + round(middle - distance / 2)
    tops = np.arange(first - distance, len(column), distance)
    cells = [_upright(paper[top : top + side, left : left + side]) for top in side + np.round(tops).astype(int)]
    written = [number for number, cell in enumerate(cells) if (cell < 128).any()]
    if not written:
        return None
    line = np.concatenate(cells[written[0] : written[-1] + 1], axis=1)
    edge = int(side * _PAPER)
    return np.asarray(cv2.copyMakeBorder(line, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(255,)), np.uint8)


def _lattice(ink: NDArray[np.int32]) -> tuple[float, float, float]:
    """Distance of the cuts, the first cut, and the column's middle, in pixels."""
    across = np.cumsum(ink.sum(0)) / ink.sum()
    left, right = np.searchsorted(across, (0.01, 0.99))
    wide = max(8, int(right - left))
    down = np.convolve(ink.sum(1), np.ones(3) / 3, "same")
    best = (np.inf, float(wide), 0.0)
    for distance in np.arange(_NEAREST * wide, _FARTHEST * wide, _STEP):
        starts = np.arange(0.0, distance)
        cuts = (starts[:, None] + distance * np.arange(len(down) / distance)).astype(int)
        met = np.where(cuts < len(down), down[np.minimum(cuts, len(down) - 1)], 0).sum(1) * distance
        start = int(met.argmin())
        best = min(best, (float(met[start]), float(distance), float(starts[start])))
    return best[1], best[2], float(left + right) / 2


def _upright(cell: Pixels) -> Pixels:
    """A character as it stands in horizontal writing: commas below on the left, bars and brackets turned back."""
    down, across = np.nonzero(cell < 128)
    side = len(cell)
    if not len(down):
        return cell
    tall, wide = np.ptp(down) + 1, np.ptp(across) + 1
    height, place = (down.min() + down.max()) / 2, (across.min() + across.max()) / 2
    if max(tall, wide) < 0.55 * side and place > 0.55 * side and height < 0.45 * side:
        shift = np.array([[1, 0, -0.5 * side], [0, 1, 0.5 * side]], np.float32)
        return np.asarray(cv2.warpAffine(cell, shift, (side, side), borderValue=(255,)), np.uint8)
    bar = wide < 0.16 * side and tall > 0.55 * side
    bracket = 0.13 * side < tall < 0.4 * side and wide > 0.5 * side and abs(height - side / 2) > 0.15 * side
    return np.rot90(cell) if bar or bracket else cell
