"""What a pen chose on a form: check boxes, ticked or empty, and printed options with a circle round one of them.

Engines drop boxes or make letters of them (□ becomes 口, a tick レ), and a circle spoils the word inside it. So both
are sought in the pixels of the level page, and the words only say what they mean.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from PIL.Image import fromarray as image_of

from ocr.engine import Engine
from ocr.level import Ink, Level, Line
from ocr.page import Mark
from ocr.ring import Ring
from ocr.stamp import is_round_stamp

_Place = tuple[int, int, int, int]

# Boxes: side in pixels (2 to 5.5 mm), the share of a side that must be inked, how far from square.
_LEAST, _MOST, _INKED, _SQUARE = 17, 46, 0.8, 0.12
_SIDES = 3
"""Of the four that must be there."""
_EMPTY, _TICKED = 0.05, 0.09
"""Share of ink well inside a box up to which it is empty, and from which it is ticked."""
_FILLED, _ALONG_THE_SIDES = 0.75, 0.51
"""From which share of ink on a box is filled; from which share of strokes along its sides on it is a letter
(56 ticks had up to 0.47, 20 letters 0.55 and more)."""
_PAPER = 0.12
"""Share of ink in the margin round an empty box up to which it stands free, as no letter in a line does."""
_STROKES = 6000
"""More level strokes than this are a picture or noise."""
_SIZES = 3
"""A page has boxes of this many sizes at most."""
_DRAWN = "□☐☑☒■◻◼▢▣✓✔"
_BOXLIKE = "口ロ囗レㇾ∨V"
"""What engines make of a box, and of a ticked one."""

_HIGHEST = 56.0
_TALLER, _TALLER_ALONE = 1.12, 1.22
"""How much taller than letters a circle is, and one round a single letter."""
_SEAL = 0.8
"""From which half height in letters a ring as large and even as a seal is one, and no circle round a letter."""
_WRITTEN = (0.04, 0.6)
_CLEAR = 0.75
"""Least share of a ring no wider than a letter that has paper on both sides: letters (回, 届) have up to 0.67, circles
0.83 and more."""
_TALLER_THERE, _CLEAR_THERE, _CLOSED = 1.4, 0.7, 0.95
"""The same where the ring is so much taller than the other letters of its own line as no letter is; least share of it
that must be there then."""
_DOT = 6
"""Pixels of the smallest dot between options."""
_LONGEST = 16
"""Letters of an option."""
_READ = 0.6
"""Confidence from which on what was read without the circle is taken for what was read with it."""
_ROUND = "○〇◯◎●O0oΟ"
_APART = "・･·•／/、,，｜|"


@dataclass(frozen=True, slots=True)
class _Letter:
    """One character and where it should stand, were all of a line equally wide (Latin ones half as wide)."""

    text: str
    x0: float
    x1: float
    y: float

    @property
    def middle(self) -> float:
        return (self.x0 + self.x1) / 2


def marks(page: Level, rings: Sequence[Ring], engine: Engine) -> tuple[Mark, ...]:
    """All check boxes, and the options of every group in which one is circled, from the top down.

    What is circled is read anew without the circle, which is what spoils it.
    """
    boxes = _boxes(page.ink)
    found = [_box_mark(page, box, boxes) for box in boxes]
    found += [mark for ring in _circles(page, rings, boxes) for mark in _group(page, ring, engine)]
    best: dict[tuple[int, int], Mark] = {}
    for mark in found:  # two circles in one group: an option is on if one of them is round it
        place = mark.box[0], mark.box[1]
        if place not in best or mark.on:
            best[place] = mark
    return tuple(sorted(best.values(), key=lambda mark: (mark.box[1], mark.box[0])))


# --- check boxes


def _boxes(ink: Ink) -> list[_Place]:
    """Empty boxes by their shape, then all of the same sizes, whatever is in them.

    One that has lost a side on the way counts where it stands in a row or a column with others.
    """
    clean = [box for box in _squares(ink) if _is_free(ink, box)]
    found: list[_Place] = []
    for side in _sides(clean):
        boxes = [box for box in _of_side(ink, side) if not any(_meet(box, other) for other in found)]
        whole = [box for box in boxes if min(_edges(ink, box)[1]) >= _INKED]
        found += whole
        for box in boxes:
            if not any(_meet(box, other) for other in found) and any(_aligned(box, other) for other in whole):
                found.append(box)
    return found


def _aligned(one: _Place, other: _Place) -> bool:
    return abs(one[0] - other[0]) <= 4 or abs(one[1] - other[1]) <= 4


def _squares(ink: Ink) -> list[_Place]:
    """Places where two level strokes of one length lie as far apart as they are long."""
    thick = cv2.morphologyEx(cv2.dilate(ink, np.ones((2, 1), np.uint8)), cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    strokes = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, _LEAST - 1), np.uint8))
    contours, _ = cv2.findContours(strokes, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rects = (cv2.boundingRect(contour) for contour in contours)
    boxes = [(x, y, wide, high) for x, y, wide, high in rects if high <= 9 and wide <= _MOST + 4]
    if not boxes or len(boxes) > _STROKES:
        return []
    stats = np.array(sorted(boxes))
    reach = np.searchsorted(stats[:, 0], stats[:, 0] + 3, side="right")
    found = []
    for index, (x, y, wide, high) in enumerate(stats.tolist()):
        others = stats[index + 1 : reach[index]]
        apart = np.abs(others[:, 1] - y)
        near = others[(np.abs(others[:, 2] - wide) <= 3) & (np.abs(apart + high - wide) <= _SQUARE * wide + 4)]
        for left, top, other_wide, other_high in near.tolist():
            right, bottom = max(x + wide, left + other_wide), max(y + high, top + other_high)
            found.append(_edges(ink, (min(x, left), min(y, top), right, bottom))[0])
    return found


def _is_free(ink: Ink, box: _Place) -> bool:
    """Whether it is a closed, empty box with paper round it."""
    closed = _LEAST <= box[2] - box[0] <= _MOST and _is_square(box) and min(_edges(ink, box)[1]) >= _INKED
    return closed and _inside(ink, box) < _EMPTY and max(_margins(ink, box)) < _PAPER and _begins(ink, box)


def _is_square(box: _Place) -> bool:
    wide, high = box[2] - box[0], box[3] - box[1]
    return abs(wide - high) <= max(2.0, _SQUARE * max(wide, high))


def _edges(ink: Ink, box: _Place) -> tuple[_Place, tuple[float, ...]]:
    """The box moved to where its four sides are inked most, and how much: left, top, right, bottom."""
    left, top, right, bottom = box
    near = 3
    y0, x0 = max(0, top - near), max(0, left - near)
    part = ink[y0 : bottom + near, x0 : right + near]
    bands = (
        part[top - y0 : bottom - y0, : 2 * near + 1].T,
        part[: 2 * near + 1, left - x0 : right - x0],
        part[top - y0 : bottom - y0, ::-1][:, : 2 * near + 1].T,
        part[::-1][: 2 * near + 1, left - x0 : right - x0],
    )
    sides = [_straight(band) for band in bands]
    at = [place if share >= _INKED else near for place, share in sides]
    inked = tuple(share for _, share in sides)
    return (x0 + at[0], y0 + at[1], x0 + part.shape[1] - at[2], y0 + part.shape[0] - at[3]), inked


def _straight(band: Ink) -> tuple[int, float]:
    """Where in a band the straight stroke begins that covers the most of its length, and how much it covers."""
    if len(band) < 3:
        return 0, 0.0
    covered = (band[:-2] | band[1:-1] | band[2:]).mean(1)
    middle = int((covered + 0.3 * band[1:-1].mean(1)).argmax())
    return middle, float(covered[middle])


def _inside(ink: Ink, box: _Place) -> float:
    left, top, right, bottom = box
    inset = 3 + (right - left) // 10
    core = ink[top + inset : bottom - inset, left + inset : right - inset]
    return float(core.mean()) if core.size else 1.0


def _margins(ink: Ink, box: _Place) -> tuple[float, ...]:
    """Share of ink along each side, just outside: left, top, right, bottom."""
    left, top, right, bottom = box
    near, far = 2, 5
    strips = (
        ink[top:bottom, max(0, left - far) : max(0, left - near)],
        ink[max(0, top - far) : max(0, top - near), left:right],
        ink[top:bottom, right + near : right + far],
        ink[bottom + near : bottom + far, left:right],
    )
    return tuple(
        float(strip.any(axis).mean()) if strip.size else 0.0 for axis, strip in zip((1, 0, 1, 0), strips, strict=True)
    )


def _sides(clean: Sequence[_Place]) -> list[int]:
    """The sizes of empty boxes on the page, the most frequent first."""
    sides = sorted((box[2] - box[0] + box[3] - box[1]) // 2 for box in clean)
    groups: list[list[int]] = []
    for side in sides:
        if groups and side - groups[-1][0] <= 3:
            groups[-1].append(side)
        else:
            groups.append([side])
    groups.sort(key=len, reverse=True)
    return [group[len(group) // 2] for group in groups[:_SIZES]]


def _of_side(ink: Ink, side: int) -> list[_Place]:
    """All squares of about one size whose four sides are inked, in whatever they contain."""
    height, width = ink.shape
    if height <= side or width <= side:
        return []
    fat = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    length, near = side - 2, np.ones((3, 3), np.uint8)
    rows = cv2.dilate(cv2.erode(fat, np.ones((1, length), np.uint8)), near)
    columns = cv2.dilate(cv2.erode(fat, np.ones((length, 1), np.uint8)), near)
    half, rest = side // 2, (side - 1) - side // 2
    top, bottom = rows[: height - side + 1, half : width - rest], rows[side - 1 :, half : width - rest]
    left, right = columns[half : height - rest, : width - side + 1], columns[half : height - rest, side - 1 :]
    fits = (top + bottom + left + right >= _SIDES).astype(np.uint8)
    count, _, stats, centres = cv2.connectedComponentsWithStats(fits, connectivity=8)
    found = []
    for label in range(1, min(count, _STROKES)):
        if stats[label, 2] <= 9 and stats[label, 3] <= 9:
            x, y = (round(float(value)) for value in centres[label])
            box, _ = _edges(ink, (x, y, x + side, y + side))
            if abs(box[2] - box[0] - side) <= 3 and _stands(ink, box):
                found.append(box)
    return found


def _stands(ink: Ink, box: _Place) -> bool:
    """Whether a box stands free but for the strokes of what ticks it: a letter in a line has neighbours."""
    if not _is_square(box) or sum(share >= _INKED for share in _edges(ink, box)[1]) < _SIDES or not _begins(ink, box):
        return False
    if _inside(ink, box) < _EMPTY:
        return max(_margins(ink, box)) < _PAPER
    margins = sorted(_margins(ink, box))
    return margins[1] < 0.07 and margins[2] < 0.2 and margins[3] < 0.4 and not _is_letter(ink, box)


def _begins(ink: Ink, box: _Place) -> bool:
    """Whether nothing stands close at its left, as within a line something does."""
    left, top, right, bottom = box
    beside = ink[max(0, top - 3) : bottom + 3, max(0, left - (right - left) // 2) : max(0, left - 3)]
    return bool(beside.mean() < 0.01) if beside.size else True


def _is_letter(ink: Ink, box: _Place) -> bool:
    """日, 回 or 国: strokes along the sides within, as no tick and no cross has; a filled box is none."""
    left, top, right, bottom = box
    core = ink[top + 4 : bottom - 4, left + 4 : right - 4]
    return bool(core.any()) and core.mean() <= _FILLED and _upright(core) > _ALONG_THE_SIDES


def _upright(core: Ink) -> float:
    """The share of the edges of strokes that run level or upright."""
    soft = cv2.GaussianBlur(core.astype(np.float32), (0, 0), 1.2)
    across, down = np.abs(cv2.Sobel(soft, cv2.CV_32F, 1, 0)), np.abs(cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    steep = np.maximum(across, down)
    return float(steep[np.minimum(across, down) < 0.4 * steep].sum() / max(1e-6, float(steep.sum())))


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _box_mark(page: Level, box: _Place, boxes: Sequence[_Place]) -> Mark:
    share = _inside(page.ink, box)
    middle = (_EMPTY + _TICKED) / 2
    on = share > middle
    sure = min(1.0, abs(share - middle) / (0.06 if on else middle))
    return Mark("box", _label(page, box, boxes), page.on_page(box), on, round(0.6 + 0.39 * sure, 2))


def _label(page: Level, box: _Place, boxes: Sequence[_Place]) -> str:
    """The words right of a box, up to the next box of its row or a wide gap."""
    side = box[2] - box[0]
    middle = (box[1] + box[3]) / 2
    beside = [other[0] for other in boxes if other[0] > box[2] and abs((other[1] + other[3]) / 2 - middle) < side]
    end = min(beside, default=page.ink.shape[1])
    row = [line for line in page.lines if line.box[1] - 2 < middle < line.box[3] + 2]
    letters = [letter for line in row for letter in _letters(line, boxes) if box[2] - 2 < letter.middle < end]
    text, at = "", box[2] + 2.0 * side
    for letter in sorted(letters, key=lambda letter: letter.middle):
        if letter.x0 > at:
            break
        text, at = text + letter.text, letter.x1 + 1.2 * side
    return _named(text)


def _letters(line: Line, boxes: Sequence[_Place] = ()) -> list[_Letter]:
    """A line's characters from left to right; none stands where a box stands, whether it was read as one or not."""
    x0, y0, x1, y1 = line.box
    margin = 0.14 * (y1 - y0)
    taken = sorted(
        (max(x0, b[0]), min(x1, b[2] + 2)) for b in boxes if y0 < (b[1] + b[3]) / 2 < y1 and _within(b, line)
    )
    text = "".join(character for character in line.text if character not in _DRAWN)
    widths = [_width(character) for character in text]
    room = x1 - x0 - 2 * margin - sum(right - left for left, right in taken)
    step = max(1.0, room) / (sum(widths) or 1.0)
    letters, at = [], x0 + margin
    for character, width in zip(text, widths, strict=True):
        for left, right in taken:
            if left - margin <= at + 0.4 * width * step < right:
                at = right
        letters.append(_Letter(character, at, at + width * step, line.middle))
        at += width * step
    return letters


def _width(character: str) -> float:
    """Of a full one: Latin letters, figures and half-width kana are half as wide."""
    return 0.5 if unicodedata.east_asian_width(character) in ("Na", "N", "H") else 1.0


def _within(box: _Place, line: Line) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return line.box[0] - 4 < x < line.box[2] and line.box[1] < y < line.box[3]


def _named(text: str) -> str:
    """An option's words without the box and the signs round them."""
    return text.strip(_APART + " ").removeprefix(text[:1] if text[:1] in _BOXLIKE else "").strip(_APART + " ")


# --- circles


def _circles(page: Level, rings: Sequence[Ring], boxes: Sequence[_Place]) -> list[Ring]:
    """Rings that are higher than letters, have some inside, and are neither boxes nor stamps."""
    found: list[Ring] = []
    usual = page.letter
    for ring in sorted(rings, key=lambda ring: -ring.clear):
        if 2 * ring.ry < _TALLER * usual or ring.ry > _HIGHEST or (is_round_stamp(ring) and ring.ry > _SEAL * usual):
            continue
        if any(_meet(ring.box, other) for other in (*boxes, *(other.box for other in found))):
            continue
        near = _height_near(page, ring)
        well = near > 0 and 2 * ring.ry >= _TALLER_THERE * near and ring.along >= _CLOSED
        alone = well or 2 * ring.ry >= _TALLER_ALONE * usual
        drawn = ring.rx > usual or (ring.clear >= (_CLEAR_THERE if well else _CLEAR) and alone)
        written = _WRITTEN[0] < ring.inside < _WRITTEN[1]
        if drawn and written and 2 * ring.ry >= near:
            found.append(ring)
    return found


def _height_near(page: Level, ring: Ring) -> float:
    """Height of the other letters of the line that a ring lies in, or 0: a loop of a large letter is lower than these.

    Measured on the ink beside the ring: the box that an engine draws round the line is as high as a circle in it.
    """
    highest = 0.0
    for line in page.lines:
        x0, y0, x1, y1 = (max(0, round(edge)) for edge in line.box)
        if y0 < ring.y < y1 and x0 < ring.x < x1:
            part = page.free[y0:y1, x0:x1].copy()
            reach = ring.rx + _pen(ring)
            part[:, max(0, round(ring.x - reach) - x0) : max(0, round(ring.x + reach) - x0)] = 0
            heights = cv2.connectedComponentsWithStats(part, connectivity=8)[2][1:, cv2.CC_STAT_HEIGHT]
            highest = max(highest, float(heights.max(initial=0)))
    return highest


def _group(page: Level, ring: Ring, engine: Engine) -> list[Mark]:
    """The circled option, and the options beside it that are not."""
    letters = [x for line in page.lines if line.box[1] < ring.y < line.box[3] for x in _letters(line)]
    seen = _between(letters, ring.x - ring.rx, ring.x + ring.rx)
    if seen and all(unicodedata.decomposition(x).startswith("<circle>") or x in _ROUND for x in seen):
        return []  # printed so: ①, ㊞
    row = _Row.of(page, ring)
    words = row.words(page.lines)
    text, confidence = engine.line(_picture(_uncircled(page, ring)))
    if confidence < _READ:
        text = "".join(words.get(piece, "") for piece in row.pieces if row.holds(ring, piece)) or seen
    sure = round(min(0.99, 0.3 + 0.4 * ring.along + 0.3 * ring.clear), 2)
    marks = [Mark("circle", _named(text), page.on_page(ring.box), True, sure)]
    for piece in row.beside(ring):
        box = page.on_page((piece.x0, row.top, piece.x1, row.top + row.ink.shape[0]))
        text = words.get(piece) or row.read(piece, engine) or _between(letters, piece.x0, piece.x1)
        marks.append(Mark("circle", _named(text), box, False, sure))
    return marks


def _between(letters: Sequence[_Letter], left: float, right: float) -> str:
    return _named("".join(letter.text for letter in letters if left < letter.middle < right))


def _uncircled(page: Level, ring: Ring) -> Ink:
    """The ink inside a ring, without it and what it touches outside."""
    x0, y0 = max(0, int(ring.x - ring.rx)), max(0, int(ring.y - ring.ry))
    part = page.free[y0 : int(ring.y + ring.ry) + 1, x0 : int(ring.x + ring.rx) + 1]
    return np.where(_distance(ring, part, x0, y0, -_pen(ring)) < 1, part, 0).astype(np.uint8)


def _pen(ring: Ring) -> float:
    """How far from its ellipse a hand's stroke may lie, in pixels."""
    return 2.5 + 0.05 * ring.ry


def _distance(ring: Ring, part: Ink, x0: int, y0: int, wider: float) -> NDArray[np.float64]:
    """For each pixel of a part of the page how far out it lies; 1 on the ring made ``wider`` by some pixels."""
    rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
    across, down = (columns + x0 - ring.x) / (ring.rx + wider), (rows + y0 - ring.y) / (ring.ry + wider)
    return np.asarray(across**2 + down**2, np.float64)


def _picture(ink: Ink) -> Image:
    """Letters cut out closely, black on white."""
    down, across = np.nonzero(ink)
    if len(down):
        ink = ink[down.min() : down.max() + 1, across.min() : across.max() + 1]
    return image_of(np.pad(1 - ink, 4, constant_values=1).astype(bool))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Letters that stand together on a row, and whether a dot parts them from those before."""

    x0: int
    x1: int
    dotted: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """The row that a ring lies in, from rule to rule, cut at its gaps: engines lose the dots between options."""

    ink: Ink
    left: int
    top: int
    pieces: tuple[_Piece, ...]
    letter: float

    @classmethod
    def of(cls, page: Level, ring: Ring) -> _Row:
        """The row, without the ring."""
        tall = 0.65 * page.letter
        top, bottom = max(0, round(ring.y - tall)), round(ring.y + tall)
        rules = np.flatnonzero(page.down[top:bottom].any(0))
        left = int(max((x for x in rules if x < ring.x - ring.rx), default=-1)) + 4
        right = int(min((x for x in rules if x > ring.x + ring.rx), default=page.ink.shape[1])) - 3
        part = page.free[top:bottom, left : max(left, right)]
        drawn = (_distance(ring, part, left, top, _pen(ring)) < 1) & (_distance(ring, part, left, top, -_pen(ring)) > 1)
        ink = np.where(drawn, 0, part).astype(np.uint8)
        columns = np.arange(ink.shape[1]) + left
        ink[:, np.abs(np.abs(columns - ring.x) - ring.rx) < _pen(ring) + 2] = 0  # what its two ends left
        return cls(ink, left, top, tuple(_pieces(ink, left, page.letter)), page.letter)

    def beside(self, ring: Ring) -> Iterator[_Piece]:
        """The options of a ring's group: joined to it by dots (男・女), or, where there are none, by equal gaps."""
        inside = [n for n, piece in enumerate(self.pieces) if self.holds(ring, piece)]
        if not inside:
            return
        first, last = inside[0], inside[-1]
        sides = [n for n in (first, last + 1) if 0 < n < len(self.pieces)]
        dots = any(self.pieces[n].dotted for n in sides)
        most = 1.3 * self.letter if dots else min(4 * self.letter, 1.4 * min(map(self._gap, sides), default=0))
        for step, at in ((-1, first), (1, last)):
            while 0 <= at + step < len(self.pieces):
                later = max(at, at + step)
                if self._gap(later) > (4 * self.letter if self.pieces[later].dotted else most):
                    break
                at += step
                if self.pieces[at].x1 - self.pieces[at].x0 <= _LONGEST * self.letter:
                    yield self.pieces[at]

    def holds(self, ring: Ring, piece: _Piece) -> bool:
        """Whether a piece stands inside the ring."""
        return abs((piece.x0 + piece.x1) / 2 - ring.x) < ring.rx

    def words(self, lines: Sequence[Line]) -> dict[_Piece, str]:
        """What was read of the pieces, as far as a line was read as so many words as it has pieces."""
        words: dict[_Piece, str] = {}
        middle = self.top + self.ink.shape[0] / 2
        for line in lines:
            if line.box[1] < middle < line.box[3]:
                within = [x for x in self.pieces if line.box[0] < (x.x0 + x.x1) / 2 < line.box[2]]
                parts = "".join("\n" if letter in _APART else letter for letter in line.text).split("\n")
                parts = [part.strip() for part in parts if part.strip()]
                if len(parts) == len(within):
                    words |= dict(zip(within, parts, strict=True))
        return words

    def read(self, piece: _Piece, engine: Engine) -> str:
        """What a piece says when it is read alone; nothing where that is not sure."""
        text, confidence = engine.line(_picture(self.ink[:, piece.x0 - self.left : piece.x1 - self.left]))
        return text if confidence >= _READ else ""

    def _gap(self, piece: int) -> int:
        return self.pieces[piece].x0 - self.pieces[piece - 1].x1


def _pieces(ink: Ink, left: int, letter: float) -> Iterator[_Piece]:
    """A row's ink cut where nothing stands for most of a letter's width, and at dots."""
    begun: tuple[int, int] | None = None
    dotted = False
    for x0, x1 in _runs(ink, 0.25 * letter):
        rows = np.flatnonzero(ink[:, x0:x1].any(1))
        if x1 - x0 < 0.35 * letter and rows[-1] - rows[0] < 0.35 * letter:
            if ink[:, x0:x1].sum() < _DOT:
                continue
            if begun:
                yield _Piece(left + begun[0], left + begun[1], dotted)
            begun, dotted = None, True
        elif begun and x0 - begun[1] < 0.8 * letter:
            begun = (begun[0], x1)
        else:
            if begun:
                yield _Piece(left + begun[0], left + begun[1], dotted)
                dotted = False
            begun = (x0, x1)
    if begun:
        yield _Piece(left + begun[0], left + begun[1], dotted)


def _runs(ink: Ink, gap: float) -> list[tuple[int, int]]:
    """Where ink stands along a row, gaps smaller than ``gap`` closed."""
    columns = np.flatnonzero(ink.sum(0) > 1)  # a single pixel is a speck
    if not len(columns):
        return []
    cuts = np.flatnonzero(np.diff(columns) > gap)
    starts, ends = [0, *(cuts + 1)], [*cuts, len(columns) - 1]
    return [(int(columns[a]), int(columns[b]) + 1) for a, b in zip(starts, ends, strict=True)]
