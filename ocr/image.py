"""The page's picture made ready for reading: square pixels, specks out, turned upright."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocr.errors import TooLarge
from ocr.limits import LIMITS, Limits
from ocr.page import PageImage, Turn

# Specks are taken out only where they drown the page. On a clean or faint page broken strokes look like specks: taking
# them out always made faint pages worse (CER 1.3 -> 7.2 %), on noisy pages it is what makes reading possible
# (55 -> 0.3 %). Measured shares of tiny components: noisy pages 84-94 %, all others at most 37 %.
_SPECK_PIXELS = 3
_SPECKS_AT_LEAST = 2000
_SPECK_SHARE = 0.6

# 204x196 is 4 % from square, 204x98 doubled too; a ratio as 1.5 is not doubled but resampled.
_SQUARE_ENOUGH, _NEARLY_WHOLE, _MOST_TIMES = 1.25, 0.15, 4.0

_TRANSPOSE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def square(page: PageImage, limits: Limits = LIMITS) -> PageImage:
    """The page with as many dots an inch across as down: rows (or columns) repeated, no bit changed.

    Standard fax (204x98) gets every row twice, 204x391 every column twice; 204x196 counts as square (4 % off). A ratio
    that is no whole number is resampled to the finer of the two. Raises :class:`~ocr.errors.TooLarge` beyond the limit.
    """
    across, down = page.dpi
    if across <= 0 or down <= 0:
        return page
    ratio = max(across / down, down / across)
    if ratio <= _SQUARE_ENOUGH:
        return page
    whole = round(ratio)
    times = float(whole) if abs(ratio / whole - 1) < _NEARLY_WHOLE else ratio
    times = min(times, _MOST_TIMES)
    width, height = page.image.size
    if width * height * times > limits.page_pixels:
        raise TooLarge(f"{page.number}ページ目の画像が大きすぎます({width}×{height}画素)。")
    if across > down:
        size, dpi = (width, round(height * times)), (across, down * times)
    else:
        size, dpi = (round(width * times), height), (across * times, down)
    return PageImage(page.number, page.image.resize(size, Image.Resampling.NEAREST), dpi)


def turn(image: Image.Image, degrees: Turn) -> Image.Image:
    """The picture turned clockwise."""
    return image.transpose(_TRANSPOSE[degrees]) if degrees else image


def despeckle(image: Image.Image) -> Image.Image | None:
    """A bilevel picture without its salt and pepper, or None where there is not so much of it that it matters.

    White specks inside black are left: the engine reads through them, and thin white gaps belong to the characters.
    """
    if image.mode != "1":
        return None
    ink = 1 - np.asarray(image).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    tiny = stats[:, cv2.CC_STAT_AREA] <= _SPECK_PIXELS
    tiny[0] = False
    specks = int(tiny.sum())
    if specks <= _SPECKS_AT_LEAST or specks <= _SPECK_SHARE * (count - 1):
        return None
    keep = np.where(tiny[labels], 0, ink).astype(bool)
    return Image.fromarray((~keep).astype(np.uint8) * 255).convert("1", dither=Image.Dither.NONE)


def grey(image: Image.Image) -> NDArray[np.uint8]:
    """The picture as rows of grey bytes, 0 black to 255 white."""
    return np.asarray(image if image.mode == "L" else image.convert("L"), np.uint8)


def skew(image: Image.Image) -> float:
    """Degrees by which the lines of an upright page climb to the right, from -6 to 6, measured on the pixels.

    Where the lines lie level, the rows of the page are either full or empty: the angle is sought at which the squares
    of the rows' ink are the most. 0 for a page with next to no ink.
    """
    rows = grey(image)
    # Never larger than it is, never higher than a long page: the search looks at each dot of ink 47 times.
    scale = min(1.0, 600 / rows.shape[1], 2400 / rows.shape[0])
    size = max(1, round(rows.shape[1] * scale)), max(1, round(rows.shape[0] * scale))
    small = cv2.resize(rows, size, interpolation=cv2.INTER_AREA)
    down, across = np.nonzero(small < 160)
    if len(down) < 200:
        return 0.0
    best = _sharpest(across, down, np.arange(-6, 6.01, 0.5))
    return float(_sharpest(across, down, np.arange(best - 0.5, best + 0.51, 0.1)))


def _sharpest(across: NDArray[np.int64], down: NDArray[np.int64], angles: NDArray[np.float64]) -> float:
    def sharpness(angle: float) -> float:
        level = down + across * np.tan(np.radians(angle))
        level -= np.floor(level.min())
        row = level.astype(np.int64)
        part = level - row
        ink = np.bincount(row, 1 - part, row.max() + 2) + np.bincount(row + 1, part, row.max() + 2)
        return float((ink**2).sum())

    return max((float(angle) for angle in angles), key=sharpness)
