"""Whether two pages may be one sheet scanned twice: a short fingerprint to find them by, then the pictures themselves.

The line that a machine prints at the top, rules and the page's edges are left out; what is written is compared piece by
piece, each piece sought where the other page has it. Noise, a few rows' shift and some degrees of skew do not matter;
other words in the same form do. Measured in docs/decisions.md, "How are near repeats found?".
"""

from __future__ import annotations

import base64
import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocr.image import grey, skew

Ink = NDArray[np.float32]

_WIDTH = 864
"""Dots across to which every page is brought: 4 a millimetre on A4."""
_EDGE = 26
"""Dots left out at every edge, 6.5 mm: there stands what the sending machine prints (TTI), and the scanner's rim."""
_PALE = 80.0
"""Ink lighter than this is the paper's: the dots of a halftone come to 64 when the page is made half as large."""
_RULE = 45
"""Dots in a row that make a rule of a form: 11 mm; no stroke of a letter is that long."""
_CELLS = (18, 25)
_LEAST_INK = 0.5
"""Mean ink below which a page counts as blank."""
_TILE, _SEEK = 24, 10
"""The pieces that are compared (6 mm square), and how far from its place one is looked for (2.5 mm)."""
_TILE_INK, _TILES_AT_LEAST = 8.0, 8
_KNOWN_AGAIN = 0.8
"""Correlation from which a piece is the same: half of the pieces of a sheet scanned again give 0.95 and more."""


def bits(image: Image.Image) -> str:
    """SHA-256 of a picture as it was scanned: equal for equal pixels, whatever file they came in."""
    head = f"{image.mode} {image.width} {image.height} ".encode()
    return hashlib.sha256(head + image.tobytes()).hexdigest()


def fingerprint(image: Image.Image, climb: float) -> str:
    """Where a page has how much ink, in 600 letters; empty for a blank page. ``climb``: its skew in degrees."""
    ink = _ink(image, climb)
    if float(ink.mean()) < _LEAST_INK:
        return ""
    cells = cv2.resize(cv2.GaussianBlur(ink, (0, 0), 16), _CELLS, interpolation=cv2.INTER_AREA)
    return base64.b64encode(np.asarray(cells * (255 / cells.max()), np.uint8).tobytes()).decode()


def nearness(one: str, other: str) -> float:
    """How alike two fingerprints are, -1 to 1; blank pages are like blank pages only. Symmetric."""
    if not one or not other:
        return float(one == other)
    a, b = _cells(one), _cells(other)
    if a.size != b.size or not a.size:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size else 0.0


def likeness(one: Image.Image, other: Image.Image) -> float:
    """The share of what is written on either page that stands on the other too, 0 to 1. Symmetric; 0 for blank pages.

    Both as shown: square pixels, upright.
    """
    a, b = _same_height(_ink(one, skew(one)), _ink(other, skew(other)))
    across, down = _shift(a, b)
    shares = (_share(a, _moved(b, -across, -down)), _share(b, _moved(a, across, down)))
    return round(min(shares), 4)


def _ink(image: Image.Image, climb: float) -> Ink:
    """What is written, 0 to 175, level, without rules and edges."""
    rows = grey(image)
    high = max(2 * _EDGE + 1, round(rows.shape[0] * _WIDTH / rows.shape[1]))
    rows = np.asarray(cv2.resize(rows, (_WIDTH, min(high, 4 * _WIDTH)), interpolation=cv2.INTER_AREA), np.uint8)
    if abs(climb) > 0.05:
        turn = cv2.getRotationMatrix2D((_WIDTH / 2, rows.shape[0] / 2), -climb, 1)
        level = cv2.warpAffine(rows, turn, (_WIDTH, rows.shape[0]), borderValue=(255,))
        rows = np.asarray(level, np.uint8)
    ink = np.clip(255 - _PALE - rows.astype(np.float32), 0, None)
    ink[_rules(ink)] = 0
    ink[:_EDGE] = ink[-_EDGE:] = 0
    ink[:, :_EDGE] = ink[:, -_EDGE:] = 0
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), 1), np.float32)


def _rules(ink: Ink) -> NDArray[np.bool_]:
    black = (ink > 0).astype(np.uint8)
    level = cv2.morphologyEx(black, cv2.MORPH_OPEN, np.ones((1, _RULE), np.uint8))
    upright = cv2.morphologyEx(black, cv2.MORPH_OPEN, np.ones((_RULE, 1), np.uint8))
    rules = np.maximum(np.asarray(level), np.asarray(upright))
    return np.asarray(np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8))) > 0, np.bool_)


def _cells(written: str) -> NDArray[np.float64]:
    try:
        return np.frombuffer(base64.b64decode(written), np.uint8).astype(np.float64)
    except ValueError:  # no letters of base64
        return np.zeros(0)


def _same_height(a: Ink, b: Ink) -> tuple[Ink, Ink]:
    high = max(a.shape[0], b.shape[0])
    return np.pad(a, ((0, high - a.shape[0]), (0, 0))), np.pad(b, ((0, high - b.shape[0]), (0, 0)))


def _shift(a: Ink, b: Ink) -> tuple[int, int]:
    """Dots across and down by which the second page's writing lies off the first's (phase correlation)."""
    size = (_WIDTH // 4, max(1, a.shape[0] // 4))
    small = [cv2.resize(cv2.GaussianBlur(page, (0, 0), 3), size, interpolation=cv2.INTER_AREA) for page in (a, b)]
    (across, down), _ = cv2.phaseCorrelate(small[0], small[1])
    return round(4 * across), round(4 * down)


def _moved(page: Ink, across: int, down: int) -> Ink:
    there = np.array([[1, 0, across], [0, 1, down]], np.float32)
    return np.asarray(cv2.warpAffine(page, there, (page.shape[1], page.shape[0])), np.float32)


def _share(page: Ink, other: Ink) -> float:
    """The share of the pieces of ``page`` that are found on ``other``; 0 where there are too few to tell."""
    written = known = 0
    for y in range(_SEEK, page.shape[0] - _TILE - _SEEK + 1, _TILE):
        for x in range(_SEEK, page.shape[1] - _TILE - _SEEK + 1, _TILE):
            piece = page[y : y + _TILE, x : x + _TILE]
            if max(float(piece.mean()), float(other[y : y + _TILE, x : x + _TILE].mean())) < _TILE_INK:
                continue
            written += 1
            if float(piece.std()) < _TILE_INK:
                continue
            near = other[y - _SEEK : y + _TILE + _SEEK, x - _SEEK : x + _TILE + _SEEK]
            known += float(cv2.matchTemplate(near, piece, cv2.TM_CCOEFF_NORMED).max()) >= _KNOWN_AGAIN
    return known / written if written >= _TILES_AT_LEAST else 0.0
