"""Ruled tables as data: where rules cross, fields begin.

Rules are followed on the level page, at half its size. A field is a patch of paper that rules close in; what it spans
follows from the lines of the table's grid that run through it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr.level import DOTS, Ink, Level, Line
from ocr.page import Cell, Table

_Place = tuple[int, int, int, int]

_RULE = round(5 * DOTS / 2)
"""The shortest rule, 5 mm, in pixels of half size: longer than strokes of letters, shorter than fields."""
_SPECK, _GAP = 7, 25
"""Pixels of half size: gaps in a rule, and between two pieces of one, that are closed."""
_LEAST, _LARGEST = (4 * DOTS / 2, 2.5 * DOTS / 2), 0.9
"""Least width and height of a field; the share of the page from which on it is a frame round everything."""
_SAME = 2 * DOTS / 2
"""Edges of fields that are nearer than 2 mm are one line of the grid."""


def tables(page: Level) -> tuple[Table, ...]:
    """The ruled tables of at least two fields, from the top down."""
    height, width = page.ink.shape
    half = max(1, width // 2), max(1, height // 2)
    small = cv2.resize(page.ink * np.uint8(255), half, interpolation=cv2.INTER_AREA)
    rules = _rules((small > 60).astype(np.uint8))
    found = [_table(page, fields) for fields in _together(_fields(rules)) if len(fields) > 1]
    return tuple(sorted(found, key=lambda table: (table.box[1], table.box[0])))


def _rules(ink: Ink) -> Ink:
    across, down = _along(ink, 1), _along(ink, 0)
    return np.maximum(across, down).astype(np.uint8)


def _along(ink: Ink, axis: int) -> Ink:
    """Rules of one direction: long strokes, what was lost between two of them put back, a little longer and thicker."""

    def brush(length: int, thickness: int = 1) -> NDArray[np.uint8]:
        return np.ones((thickness, length) if axis else (length, thickness), np.uint8)

    strokes = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, brush(_SPECK))
    strokes = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, brush(_RULE))
    strokes = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, brush(_GAP))
    return cv2.dilate(strokes, brush(_SPECK, 3)).astype(np.uint8)


def _fields(rules: Ink) -> list[_Place]:
    """Patches of paper that rules close in and that are about as large as the box round them."""
    height, width = rules.shape
    contours, tree = cv2.findContours(rules, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    fields = []
    for contour, (_, _, _, parent) in zip(contours, tree[0] if tree is not None else (), strict=False):
        x, y, wide, high = cv2.boundingRect(contour)
        hole = parent >= 0 and wide >= _LEAST[0] and high >= _LEAST[1] and wide * high < _LARGEST * width * height
        if hole and cv2.contourArea(contour) > 0.8 * wide * high:
            fields.append((x, y, x + wide, y + high))
    return fields


def _together(fields: Sequence[_Place]) -> list[list[_Place]]:
    """Fields that have a rule between them are of one table."""
    groups: list[list[_Place]] = []
    for field in sorted(fields, key=lambda field: (field[1], field[0])):
        near = [group for group in groups if any(_touch(field, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([field, *(other for group in near for other in group)])
    return groups


def _touch(one: _Place, other: _Place) -> bool:
    return (
        one[0] < other[2] + _SAME / 2
        and other[0] < one[2] + _SAME / 2
        and one[1] < other[3] + _SAME / 2
        and other[1] < one[3] + _SAME / 2
    )


def _table(page: Level, fields: Sequence[_Place]) -> Table:
    columns = _grid([edge for field in fields for edge in (field[0], field[2])])
    rows = _grid([edge for field in fields for edge in (field[1], field[3])])
    words = _words(page.lines, fields)
    cells = []
    for index, field in enumerate(fields):
        left, right = _at(columns, field[0]), _at(columns, field[2])
        top, bottom = _at(rows, field[1]), _at(rows, field[3])
        box = page.on_page([2 * edge for edge in field])
        cells.append(Cell(top, left, max(1, bottom - top), max(1, right - left), box, words[index]))
    around = page.on_page([2 * edge for edge in (columns[0], rows[0], columns[-1], rows[-1])])
    return Table(around, tuple(sorted(cells, key=lambda cell: (cell.row, cell.column))))


def _grid(edges: Sequence[int]) -> list[float]:
    """Edges of fields, those of one rule (a field left of it, one right of it) taken together."""
    groups: list[list[int]] = []
    for edge in sorted(edges):
        if groups and edge - groups[-1][-1] < _SAME:
            groups[-1].append(edge)
        else:
            groups.append([edge])
    return [sum(group) / len(group) for group in groups]


def _at(grid: Sequence[float], edge: int) -> int:
    return min(range(len(grid)), key=lambda index: abs(grid[index] - edge))


def _words(lines: Sequence[Line], fields: Sequence[_Place]) -> list[str]:
    """The text of each field: every line belongs to the field that holds most of it."""
    texts: list[list[Line]] = [[] for _ in fields]
    for line in lines:
        x0, y0, x1, y1 = (edge / 2 for edge in line.box)
        shares = [
            max(0.0, min(x1, field[2]) - max(x0, field[0])) * max(0.0, min(y1, field[3]) - max(y0, field[1]))
            for field in fields
        ]
        best = max(range(len(fields)), key=shares.__getitem__)
        if shares[best] > 0.4 * (x1 - x0) * (y1 - y0):
            texts[best].append(line)
    return [_text(inside) for inside in texts]


def _text(lines: Sequence[Line]) -> str:
    """Lines from the top down, those beside one another apart by a space."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.middle):
        if rows and line.middle - rows[-1][-1].middle < 0.4 * (line.box[3] - line.box[1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return "\n".join(" ".join(line.text for line in sorted(row, key=lambda line: line.box[0])) for row in rows)
