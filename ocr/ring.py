"""Closed curves on a page: circles drawn round a printed word by hand, and the rims of round stamps.

A pen's circle is neither closed nor round, and it runs through the letters beside it. So no shape is asked to be
one piece: points of what is tall enough are taken by fours, the ellipse through each four is laid on the page, and the
one that runs along most ink, with paper outside, wins (random sample consensus, Fischler and Bolles 1981).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr.level import DOTS, Ink, Level

Floats = NDArray[np.float64]

_TRIES, _ANGLES = 320, 48
_POINTS = 240
"""Of an outline, at most."""
_LEAST, _LARGEST = 14.0, 130.0
"""Lower half axis in pixels, 1.7 and 16 mm."""
_LONG = 90
"""Millimetres of the longest circled option."""
_FLATTEST = 12
"""How often its height a ring may be wide: a pen goes once round 動物・蚊・昆虫等からの感染."""
_MARGIN = 12
"""Pixels around a shape that are looked at."""
_ALONG, _CLEAR, _BOTH = 0.85, 0.35, 1.35
"""Least share of the curve that runs along ink, and that has paper on both sides as well; least sum of the two."""
_BRIDGED = (1, 1), (5, 3), (9, 7)
"""Height and width of gaps that are closed: lines get lost on the wire, and at 98 lines an inch a stroke with them.
What mends one ring grows another together with the letters in it, so shapes are sought with each."""
_SAME = 3
"""Pixels by which the boxes of one shape differ."""
_MOST = 80
"""Shapes looked at on a page, the largest first."""
_ONE = 0.3
"""Share of a half axis by which one ring, found twice, may differ."""


@dataclass(frozen=True, slots=True)
class Ring:
    """An ellipse of ink, its axes along the page's."""

    x: float
    y: float
    rx: float
    ry: float
    """Centre and half axes in pixels."""
    along: float
    """Share of it that runs along ink."""
    clear: float
    """Share of it that runs along ink and has paper outside."""
    inside: float
    """Share of black well within it."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The box round it."""
        return self.x - self.rx, self.y - self.ry, self.x + self.rx, self.y + self.ry


def rings(page: Level) -> tuple[Ring, ...]:
    """The rings of a level page that are higher than its letters, up to the largest stamp.

    Rules are left out, but where a ring lies on a rule it runs along ink all the same.
    """
    least, most = max(_LEAST, 0.5 * page.letter), _LARGEST
    free, rules = page.free, np.maximum(page.across, page.down)
    shapes = sorted(_shapes(free, least, most), key=lambda shape: -cv2.contourArea(shape[0]))
    chance = np.random.default_rng(len(shapes))
    found = (_ring(free, rules, contour[:, 0], box, (least, most), chance) for contour, box in shapes[:_MOST])
    kept: list[Ring] = []
    for ring in sorted((ring for ring in found if ring is not None), key=lambda ring: -ring.along - ring.clear):
        if not any(_are_one(ring, other) for other in kept):
            kept.append(ring)
    return tuple(kept)


def _are_one(ring: Ring, other: Ring) -> bool:
    """Whether two rings are the same, found in two shapes."""
    apart = abs(ring.x - other.x) / min(ring.rx, other.rx), abs(ring.y - other.y) / min(ring.ry, other.ry)
    return max(apart) < _ONE and max(ring.rx, other.rx) < (1 + _ONE) * min(ring.rx, other.rx)


def _shapes(free: Ink, least: float, most: float) -> Iterator[tuple[NDArray[Any], Sequence[int]]]:
    """Outlines of the size of rings, and the boxes round them; those that closing gaps does not change come once."""
    known: set[tuple[int, ...]] = set()
    for gap in _BRIDGED:
        whole = cv2.morphologyEx(free, cv2.MORPH_CLOSE, np.ones(gap, np.uint8))
        for contour in cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            box = cv2.boundingRect(contour)
            small, large = sorted(box[2:])
            if len(contour) < 6 * least or not 1.8 * least <= small <= 2.5 * most or large > _LONG * DOTS:
                continue
            place = tuple(edge // _SAME for edge in box)
            if place not in known:
                known.add(place)
                yield contour, box


def _ring(
    free: Ink,
    rules: Ink,
    outline: NDArray[Any],
    box: Sequence[int],
    sizes: tuple[float, float],
    chance: np.random.Generator,
) -> Ring | None:
    left, top, wide, high = box
    x0, y0 = max(0, left - _MARGIN), max(0, top - _MARGIN)
    window = np.s_[y0 : top + high + _MARGIN, x0 : left + wide + _MARGIN]
    points = (outline - (x0, y0)).astype(np.float64)
    curves = _curves(points[:: max(1, len(points) // _POINTS)], sizes, chance)
    if not len(curves):
        return None
    own = cv2.drawContours(np.zeros(free[window].shape, np.uint8), [outline - (x0, y0)], 0, (1,), cv2.FILLED)
    ink = np.maximum(np.minimum(np.asarray(own, np.uint8), free[window]), rules[window])
    distance = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3)
    along, clear = _support(curves, distance)
    best = int(np.argmax(along + clear))
    if along[best] < _ALONG or clear[best] < _CLEAR or along[best] + clear[best] < _BOTH:
        return None
    cx, cy, rx, ry = (float(value) for value in curves[best])
    inside = _inside(free[window], cx, cy, rx, ry)
    return Ring(cx + x0, cy + y0, rx, ry, float(along[best]), float(clear[best]), inside)


def _curves(points: Floats, sizes: tuple[float, float], chance: np.random.Generator) -> Floats:
    """Ellipses (x, y, rx, ry) with level axes through four points each: a x² + b y² + c x + d y = 1."""
    middle, scale = points.mean(0), max(1.0, float(np.ptp(points, axis=0).max()))
    four = ((points - middle) / scale)[chance.integers(0, len(points), (_TRIES, 4))]
    x, y = four[..., 0], four[..., 1]
    terms = np.stack((x * x, y * y, x, y), -1)
    terms = terms[np.abs(np.linalg.det(terms)) > 1e-7]
    if not len(terms):
        return np.empty((0, 4))
    a, b, c, d = np.linalg.solve(terms, np.ones((len(terms), 4, 1)))[..., 0].T
    real = (a > 1e-6) & (b > 1e-6)
    a, b, c, d = a[real], b[real], c[real], d[real]
    cx, cy = -c / (2 * a), -d / (2 * b)
    square = 1 + a * cx * cx + b * cy * cy
    rx, ry = np.sqrt(square / a) * scale, np.sqrt(square / b) * scale
    curves = np.stack((cx * scale + middle[0], cy * scale + middle[1], rx, ry), -1)
    least, most = sizes
    low, reach = points.min(0) - 6, points.max(0) + 6
    fits = (ry >= least) & (ry <= most) & (rx >= 0.7 * ry) & (rx <= _FLATTEST * ry)
    fits &= (curves[:, 0] - rx > low[0]) & (curves[:, 0] + rx < reach[0])
    fits &= (curves[:, 1] - ry > low[1]) & (curves[:, 1] + ry < reach[1])
    return np.asarray(curves[fits], np.float64)


def _support(curves: Floats, distance: NDArray[Any]) -> tuple[Floats, Floats]:
    """For each ellipse the share of it along ink, and the share along ink with paper outside."""
    turn = np.arange(_ANGLES) * (2 * math.pi / _ANGLES)
    cos, sin = np.cos(turn), np.sin(turn)
    cx, cy, rx, ry = (curves[:, index, None] for index in range(4))
    slack = 1.5 + 0.05 * ry

    def distances(more: Floats) -> NDArray[Any]:
        x = np.clip(np.rint(cx + (rx + more) * cos), 0, distance.shape[1] - 1).astype(np.int64)
        y = np.clip(np.rint(cy + (ry + more) * sin), 0, distance.shape[0] - 1).astype(np.int64)
        return np.asarray(distance[y, x])

    on = distances(np.zeros_like(rx)) <= slack
    paper = distances(slack + 4) > 1.5
    within = distances(-slack - 4) > 1.5
    return on.mean(1), (on & paper & within).mean(1)


def _inside(window: Ink, cx: float, cy: float, rx: float, ry: float) -> float:
    height, width = window.shape
    rows, columns = np.ogrid[:height, :width]
    core = ((columns - cx) / (0.8 * rx)) ** 2 + ((rows - cy) / (0.75 * ry)) ** 2 < 1
    return float(window[core].mean()) if core.any() else 0.0
