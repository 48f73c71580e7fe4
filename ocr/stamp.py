"""Stamps: round date stamps of reception (受付印), seals (印影), framed ones that lie askew (至急).

What a stamp says is no text of the form. Its words are kept apart where it stands alone; where writing runs through it
or lies under it, nothing is taken from the text. A framed stamp that lies straight cannot be told from a printed box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr.level import DOTS, Ink, Level, Line
from ocr.page import Stamp
from ocr.ring import Ring

_LEAST = 36.0
"""Radius in pixels of the smallest round stamp, 9 mm across; the circle round an option is smaller, or no circle."""
_ROUND = 1.25
"""Most that one axis of a round stamp is longer than the other."""
_WRITTEN = (0.05, 0.6)
"""Share of black within a stamp: it says something, and is no picture."""
_FRAME = (12 * DOTS, 45 * DOTS), (6 * DOTS, 25 * DOTS)
"""Least and greatest width, and height, of a framed stamp."""
_ASKEW = 1.5
"""Degrees from level: frames of the form lie straight."""
_GAP, _DRAWN = 5, 0.75
"""Pixels of a gap in a frame that is closed; share of each side that must be there."""
_STROKE = [(dx, dy) for dx in (-2, 0, 2) for dy in (-2, 0, 2)]
"""Where ink may lie beside a side."""
_INSIDE, _OUTSIDE, _CENTRED = 0.75, 0.1, 0.3
"""Share of a line that makes it the stamp's, and that leaves it beside; how far its middle may be from the stamp's."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """A stamp and the runs of characters that are its own."""

    stamp: Stamp
    runs: frozenset[int]


def is_round_stamp(ring: Ring) -> bool:
    """Whether a ring is the rim of a stamp rather than a circle round a word."""
    even = 1 / _ROUND < ring.rx / ring.ry < _ROUND
    return even and ring.ry >= _LEAST and _WRITTEN[0] < ring.inside < _WRITTEN[1]


def stamps(page: Level, rings: Sequence[Ring]) -> tuple[Stamped, ...]:
    """The stamps of a page, from the top down."""
    boxes = [ring.box for ring in rings if is_round_stamp(ring)]
    boxes += _frames(page.ink)
    return tuple(_stamped(page, box) for box in sorted(boxes, key=lambda box: (box[1], box[0])))


def _frames(ink: Ink) -> Iterator[tuple[float, float, float, float]]:
    """Frames that lie askew and touch nothing else, some of which may have got lost."""
    whole = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((_GAP, _GAP), np.uint8))
    for contour in cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        x, y, wide, high = cv2.boundingRect(contour)
        if not (_FRAME[0][0] < wide < 1.2 * _FRAME[0][1] and _FRAME[1][0] < high < 1.5 * _FRAME[1][1]):
            continue
        frame = cv2.minAreaRect(contour)
        tilt = abs((frame[2] + 45) % 90 - 45)
        if tilt < _ASKEW or max(frame[1]) > _FRAME[0][1] or min(_sides(ink, cv2.boxPoints(frame))) < _DRAWN:
            continue
        if _WRITTEN[0] < ink[y : y + high, x : x + wide].mean() < _WRITTEN[1]:
            yield float(x), float(y), float(x + wide), float(y + high)


def _sides(ink: Ink, corners: NDArray[Any]) -> Iterator[float]:
    """The share of each side of a rectangle that runs along ink, within a stroke's width."""
    for start, end in zip(corners, np.roll(corners, -1, 0), strict=True):
        at = np.rint(np.linspace(start, end, max(2, int(np.hypot(*(end - start)))))).astype(int)
        near = [np.add(at, step).clip(0, (ink.shape[1] - 1, ink.shape[0] - 1)) for step in _STROKE]
        yield float(np.max([ink[place[:, 1], place[:, 0]] for place in near], axis=0).mean())


def _stamped(page: Level, box: tuple[float, float, float, float]) -> Stamped:
    shares = [(_share(line, box), line) for line in page.lines]
    own = [line for share, line in shares if share >= _INSIDE]
    crossed = any(_OUTSIDE < share < _INSIDE for share, _ in shares)
    middle, reach = (box[0] + box[2]) / 2, _CENTRED * (box[2] - box[0]) / 2
    alone = not crossed and all(abs((line.box[0] + line.box[2]) / 2 - middle) < reach for line in own)
    text = "\n".join(line.text for line in sorted(own, key=lambda line: line.middle)) if alone else ""
    return Stamped(Stamp(page.on_page(box), text), frozenset(line.index for line in own) if alone else frozenset())


def _share(line: Line, box: tuple[float, float, float, float]) -> float:
    """How much of a line lies within a box."""
    wide = min(line.box[2], box[2]) - max(line.box[0], box[0])
    high = min(line.box[3], box[3]) - max(line.box[1], box[1])
    size = (line.box[2] - line.box[0]) * (line.box[3] - line.box[1])
    return float(np.clip(wide, 0, None) * np.clip(high, 0, None) / size) if size > 0 else 0.0
