"""The blocks of a page: paragraphs, fields of a form, columns of vertical writing, the sending machine's own line.

Computed from what was read (words, rows, tables), so that nothing of it has to be kept. The rows of a page's text run
across columns and fields; a block's lines do not. Everything is measured along the skew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ocr.page import Box, PageText, Word

BlockKind = Literal["text", "cell", "vertical", "sender"]
"""A paragraph, a field of a ruled table, columns of vertical writing, what the sending machine printed."""

_SAME_ROW, _SAME_BLOCK = 1.2, 0.7
"""Widest gap between words of one line, and between lines of one paragraph, in heights of their boxes, each of which is
1.4 letters high."""
_ALIKE = 1.6
"""A title above a paragraph is this much larger than its lines, or it belongs to them."""
_RUNNING, _LONG = 3, 5
"""Lines of running text at least, and how wide they are at least in heights of a line: some eight letters."""
_COLUMN = 1.5
"""A word this much taller than wide is a column of vertical writing (as in ocr.read)."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """Words that stand on one row of one block."""

    text: str
    box: Box
    confidence: float
    """Mean of the words' confidences by length."""
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together."""

    kind: BlockKind
    box: Box
    lines: tuple[TextLine, ...]
    """In reading order."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Words beside one another on one row: where they stand along the skew, and which words of the page they are."""

    x0: float
    y0: float
    x1: float
    y1: float
    words: tuple[int, ...]
    lines: int = 1

    @property
    def is_running(self) -> bool:
        """Text of whole lines, not the labels of a form."""
        return self.lines >= _RUNNING and self.x1 - self.x0 > _LONG * self.tall / self.lines

    @property
    def tall(self) -> float:
        return self.y1 - self.y0

    def beside(self, other: _Run) -> _Run:
        """Both together."""
        edges = min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1)
        return _Run(*edges, self.words + other.words)

    def turned(self) -> _Run:
        """Columns become rows, the rightmost the uppermost."""
        return _Run(self.y0, -self.x1, self.y1, -self.x0, self.words)


def blocks(page: PageText, sender: Collection[int] = ()) -> tuple[Block, ...]:
    """The blocks of a page in reading order; every word stands in exactly one line of one block.

    ``sender``: which of the page's words the sending machine printed; they are blocks of their own.
    """
    rows, level = _rows_of(page), _Leveller(page.skew)
    placed = [_Run(*level(word.box), (index,)) for index, word in enumerate(page.words)]
    fields = [level(cell.box) for table in page.tables for cell in table.cells]
    groups: dict[tuple[BlockKind, int], list[_Run]] = {}
    for index, run in enumerate(placed):
        groups.setdefault(_group(run, page.words[index], fields, index in sender), []).append(run)
    found: list[tuple[BlockKind, _Run]] = []
    for (kind, _), runs in groups.items():
        found += [(kind, run) for run in _GROUPED[kind](runs, rows)]
    kinds = {run.words: kind for kind, run in found}
    vertical = 2 * sum(kind == "vertical" for kind in kinds.values()) > len(kinds)
    runs = [run for _, run in found]
    ordered = sorted(runs, key=lambda run: min(run.words)) if vertical else _ordered(runs)
    return tuple(_block(kinds[run.words], run, page.words, rows) for run in ordered)


def _rows_of(page: PageText) -> list[int]:
    """Which line of the page's text each word stands on."""
    rows, at, row = [], 0, 0
    for word in page.words:
        start = page.text.find(word.text, at)
        if start >= 0:
            row += page.text.count("\n", at, start)
            at = start + len(word.text)
        rows.append(row)
    return rows


class _Leveller:
    """Takes boxes of a skewed page to where and how large they would be on a level one."""

    def __init__(self, skew: float) -> None:
        self._cos, self._sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))

    def __call__(self, box: Box) -> tuple[float, float, float, float]:
        cos, sin, slant = self._cos, self._sin, abs(self._sin)
        x, y, wide, high = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]
        x, y = x * cos - y * sin, y * cos + x * sin
        # The box round a slanted one is wider by its height's share and higher by its width's.
        spread = max(0.1, cos * cos - slant * slant)
        half_wide = max(1.0, (wide * cos - high * slant) / spread) / 2
        half_high = max(1.0, (high * cos - wide * slant) / spread, 0.2 * min(wide, high)) / 2
        return x - half_wide, y - half_high, x + half_wide, y + half_high


def _group(
    run: _Run, word: Word, fields: Sequence[tuple[float, float, float, float]], sent: bool
) -> tuple[BlockKind, int]:
    """What a word can share a block with."""
    if sent:
        return "sender", 0
    x, y = (run.x0 + run.x1) / 2, (run.y0 + run.y1) / 2
    around = [n for n, (x0, y0, x1, y1) in enumerate(fields) if x0 < x < x1 and y0 < y < y1]
    if around:
        return "cell", min(around, key=lambda n: (fields[n][2] - fields[n][0]) * (fields[n][3] - fields[n][1]))
    tall = run.tall > _COLUMN * (run.x1 - run.x0) and len(word.text) > 1
    return ("vertical", 0) if tall else ("text", 0)


def _whole(runs: Sequence[_Run], _: Sequence[int]) -> list[_Run]:
    """All of it is one block, however it is set."""
    return [_joined(runs)]


def _paragraphs(runs: Sequence[_Run], rows: Sequence[int]) -> list[_Run]:
    """Words of one row with small gaps are a line; lines that have one another alone above and below, a paragraph."""
    return [replace(_joined(group), lines=len(group)) for group in _stacked(list(_segments(runs, rows)))]


def _vertical(runs: Sequence[_Run], rows: Sequence[int]) -> list[_Run]:
    found = _paragraphs([run.turned() for run in runs], rows)
    return [_Run(-run.y1, run.x0, -run.y0, run.x1, run.words) for run in found]


_GROUPED: dict[BlockKind, Callable[[Sequence[_Run], Sequence[int]], list[_Run]]] = {
    "text": _paragraphs,
    "cell": _whole,
    "vertical": _vertical,
    "sender": _paragraphs,
}


def _segments(runs: Sequence[_Run], rows: Sequence[int]) -> Iterator[_Run]:
    """Neighbours of one row joined, in the page's order."""
    last: _Run | None = None
    for run in sorted(runs, key=lambda run: (rows[run.words[0]], run.words)):
        if last is None:
            last = run
        elif rows[last.words[-1]] == rows[run.words[0]] and run.x0 - last.x1 < _SAME_ROW * min(last.tall, run.tall):
            last = last.beside(run)
        else:
            yield last
            last = run
    if last is not None:
        yield last


def _stacked(lines: Sequence[_Run]) -> list[list[_Run]]:
    """Lines in groups: each has the next as its only neighbour below, and is its only one above.

    So a title over two columns joins neither, and where a line is parted by a wide gap its block ends.
    """
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    order = sorted(range(len(lines)), key=lambda n: lines[n].y0)
    most = max((line.tall for line in lines), default=0.0)
    for place, upper in enumerate(order):
        for lower in order[place + 1 :]:
            if lines[lower].y0 > lines[upper].y1 + _SAME_BLOCK * most:
                break
            if _near(lines[upper], lines[lower]):
                below.setdefault(upper, []).append(lower)
                above.setdefault(lower, []).append(upper)
    groups: dict[int, list[_Run]] = {}
    first: dict[int, int] = {}
    for number in order:
        over = above.get(number, [])
        follows = len(over) == 1 and len(below[over[0]]) == 1 and _alike(lines[over[0]], lines[number])
        first[number] = first[over[0]] if follows else number
        groups.setdefault(first[number], []).append(lines[number])
    return list(groups.values())


def _near(upper: _Run, lower: _Run) -> bool:
    """Whether one line lies right above the other."""
    size = min(upper.tall, lower.tall)
    over = min(upper.x1, lower.x1) - max(upper.x0, lower.x0)
    return over > 0 and -0.5 * size < lower.y0 - upper.y1 < _SAME_BLOCK * size


def _alike(one: _Run, other: _Run) -> bool:
    return max(one.tall, other.tall) < _ALIKE * min(one.tall, other.tall)


def _ordered(runs: Sequence[_Run]) -> list[_Run]:
    """Cut where a row, else a column of paper runs through all of it, and each part again (XY cut, Nagy 1984).

    Rows first, as forms are read; where all sides of a gutter hold running text, its columns first.
    """
    waiting, ordered = [list(runs)], list[_Run]()
    while waiting:
        part = waiting.pop()
        parts = _cut(part, _across) if _in_columns(part) else _strips(part)
        if len(parts) == 1:
            parts = _cut(part, _across)
        if len(parts) == 1:
            ordered += sorted(part, key=lambda run: min(run.words))
        else:
            waiting += reversed(parts)
    return ordered


def _strips(runs: Sequence[_Run]) -> list[list[_Run]]:
    """Cut into rows, but for the gaps that happen to lie side by side in columns of text."""
    strips: list[list[_Run]] = []
    for strip in _cut(runs, _down):
        if strips and len(_cut(strip, _across)) > 1 and _in_columns(strips[-1] + strip):
            strips[-1] += strip
        else:
            strips.append(strip)
    return strips


def _in_columns(runs: Sequence[_Run]) -> bool:
    columns = _cut(runs, _across)
    return len(columns) > 1 and all(any(run.is_running for run in column) for column in columns)


def _across(run: _Run) -> tuple[float, float]:
    return run.x0, run.x1


def _down(run: _Run) -> tuple[float, float]:
    return run.y0, run.y1


def _cut(runs: Iterable[_Run], edges: Callable[[_Run], tuple[float, float]]) -> list[list[_Run]]:
    parts: list[list[_Run]] = []
    end = -math.inf
    for run in sorted(runs, key=edges):
        low, high = edges(run)
        inset = min(0.2 * run.tall / run.lines, 0.4 * (high - low))  # boxes of neighbours touch
        if parts and low + inset < end:
            parts[-1].append(run)
        else:
            parts.append([run])
        end = max(end, high - inset)
    return parts


def _joined(runs: Iterable[_Run]) -> _Run:
    first, *rest = runs
    for run in rest:
        first = first.beside(run)
    return first


def _block(kind: BlockKind, run: _Run, words: Sequence[Word], rows: Sequence[int]) -> Block:
    lines: dict[int, list[Word]] = {}
    for index in sorted(run.words):
        lines.setdefault(rows[index], []).append(words[index])
    return Block(kind, _around(words[index] for index in run.words), tuple(map(_line, lines.values())))


def _line(words: Sequence[Word]) -> TextLine:
    letters = sum(len(word.text) for word in words)
    confidence = sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0
    return TextLine(" ".join(word.text for word in words), _around(words), round(confidence, 4), tuple(words))


def _around(words: Iterable[Word]) -> Box:
    left, top, right, bottom = zip(*(word.box for word in words), strict=True)
    return min(left), min(top), max(right), max(bottom)
