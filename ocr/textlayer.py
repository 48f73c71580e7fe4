"""Text that a page holds but does not show: found by search, copied with the mouse, printed by nobody.

Each character is a code of a font without outlines, drawn in render mode 3 (neither fill nor stroke, ISO 32000-1 table
106) and stretched over the place where it was read. The font is made here, from nothing: two empty glyphs, one as wide
as it is high for full-width characters, one half as wide. What a code means is said by its ToUnicode map alone, which
is what viewers copy and search by.
"""

from __future__ import annotations

import itertools
import math
import statistics
import struct
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ocr.page import PageText, Word

FONT = "/FaxlessText"
"""The font's name among a page's resources."""

Affine = tuple[float, float, float, float, float, float]
"""``(a, b, c, d, e, f)`` as PDF writes it: x' = ax + cy + e, y' = bx + dy + f (ISO 32000-1 8.3.3)."""

ASCENT, DESCENT = 880, -120
"""Of a thousand units of height, above and below the base line, as Japanese fonts have it."""
_NARROW, _WIDE = 500, 1000
_MOST_CODES = 0xFFFE  # two bytes a code (Identity-H); 0 is the glyph for nothing
_COLUMN = 1.5
"""A run this much taller than wide is a column of vertical writing (as in ocr.read)."""
_LETTERS_ABREAST = 3
"""So many narrow letters (``11``, ``ill``) may be taller than wide without being a column."""
_LEVEL = 0.15
"""Degrees below which lines are taken for level: half a point over the width of a page."""
_ALIKE = 1.5
"""Runs of one line whose heights differ by less share one height and base line, so that no viewer parts the line."""
_INNER = 0.8
"""Of a box's height: boxes are drawn a little larger than the writing, and those of two lines may overlap."""
_SPACE = 0.25
"""Of a run's height: the least width of a space; poppler does not see one below 0.15."""
_STEP = 0.3
"""Of a run's height: how far a level piece may stand off a slanted line."""
_STEEP = math.tan(math.radians(2.5))
"""Beyond it a slanted line is set as it lies, not in steps."""
_APART = 0.75
"""Of a run's height: text closer than that to where the text before it ended is one line with it for pdfium."""
_THIN = 0.25
"""Of a box's height: what must be left for the writing when its slant is taken off."""
_NO_AREA = 1e-6
"""Square points of a pixel; at 1200 dots an inch it has 0.0036."""
_LEAST = 0.02
"""Of a run's height: the least width of anything, so that no scale is nothing."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters of a document, each with its code."""

    codes: Mapping[str, int]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Alphabet:
        """All characters that can be written; the space is always among them."""
        found = {" "}.union(*texts)
        ordered = sorted(filter(_writable, found), key=lambda letter: (_width(letter), letter))
        return cls({letter: code for code, letter in enumerate(ordered[:_MOST_CODES], 1)})

    def width(self, text: str) -> int:
        """In thousandths of the height."""
        return sum(_width(letter) for letter in text if letter in self.codes)

    def coded(self, text: str) -> str:
        """As a PDF string."""
        return f"<{''.join(f'{self.codes[letter]:04x}' for letter in text if letter in self.codes)}>"

    def widths(self) -> list[int]:
        """First and last narrow code and their width; all others are wide (ISO 32000-1 9.7.4.3)."""
        return [1, sum(_width(letter) == _NARROW for letter in self.codes), _NARROW]

    def glyphs(self) -> bytes:
        """Which glyph draws which code (CIDToGIDMap): 1 is narrow, 2 is wide."""
        return b"\0\0" + b"".join(struct.pack(">H", 1 + (_width(letter) == _WIDE)) for letter in self.codes)

    def meanings(self) -> bytes:
        """The ToUnicode map (ISO 32000-1 9.10.3); characters beyond the BMP as their two halves of UTF-16."""
        letters = list(self.codes)
        blocks = []
        for first in range(0, len(letters) + 1, 256):  # the codes of a range share their first byte (Adobe TN 5014)
            found = letters[max(0, first - 1) : first + 255]
            low, high = max(1, first), max(1, first) + len(found) - 1
            meant = "".join(f"<{letter.encode('utf-16-be').hex()}>" for letter in found)
            blocks += [f"1 beginbfrange <{low:04x}> <{high:04x}> [{meant}] endbfrange"] if found else []
        lines = [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <ffff> endcodespacerange",
            *blocks,
            "endcmap CMapName currentdict /CMap defineresource pop end end\n",
        ]
        return "\n".join(lines).encode("ascii")


def _writable(letter: str) -> bool:
    # ISO 19005-2 6.2.11.7.2: no code may mean U+0000, U+FEFF or U+FFFE; halves of a pair are no characters.
    return unicodedata.category(letter) not in ("Cc", "Cs") and letter not in "\ufeff\ufffe\uffff"


def _width(letter: str) -> int:
    return _WIDE if unicodedata.east_asian_width(letter) in ("F", "W", "A") else _NARROW


# ---- lines -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word of a line and what parts it from the next: a space or nothing."""

    word: Word
    after: str


def lines_of(page: PageText) -> tuple[tuple[_Piece, ...], ...]:
    """The words of each line, in reading order, as the page's text puts them together."""
    lines: list[list[_Piece]] = [[]]
    at = 0
    for word in page.words:
        start = page.text.find(word.text, at) if word.text else -1
        if start < 0:  # not in the text: a line of its own
            lines += [[_Piece(word, "")], []]
            continue
        between = page.text[at:start]
        if "\n" in between:
            lines.append([])
        elif lines[-1]:
            lines[-1][-1] = _Piece(lines[-1][-1].word, " " if between else "")
        lines[-1].append(_Piece(word, ""))
        at = start + len(word.text)
    return tuple(tuple(line) for line in lines if line)


@dataclass(frozen=True, slots=True)
class _Run:
    """A word as a strip of the page, in pixels: where its foot begins, how long and how high it is."""

    text: str
    x: float
    y: float
    length: float
    height: float
    column: bool = False
    """It goes down; its foot is its left side, as if the page were turned."""
    rise: float = 0.0
    """By how much its foot climbs for each pixel to the right."""

    @property
    def begins(self) -> float:
        """Where it begins, the way the text goes."""
        return self.y if self.column else self.x

    @property
    def foot(self) -> float:
        """Where its foot would be at the edge of the page: the same for all runs of a line."""
        return self.x if self.column else self.y + self.rise * self.x

    def on(self, foot: float, height: float) -> _Run:
        """The same run on another foot and of another height."""
        if self.column:
            return replace(self, x=foot, height=height)
        return replace(self, y=foot - self.rise * self.x, height=height)


def _run(word: Word, skew: float) -> _Run:
    """The strip in the word's upright box: a column as it stands, a line slanted as the page's lines are."""
    x0, y0, x1, y1 = map(float, word.box)
    wide, tall = max(1.0, x1 - x0), max(1.0, y1 - y0)
    abreast = word.text.isascii() and len(word.text) <= _LETTERS_ABREAST
    if tall > _COLUMN * wide and len(word.text) > 1 and not abreast:
        return _Run(word.text, x0, y0, tall, wide, column=True)
    rise = math.tan(skew)
    height = tall - wide * abs(rise)
    if height < _THIN * tall:  # its box is not that of a slanted line
        return _Run(word.text, x0, y1, wide, tall)
    return _Run(word.text, x0, y1 + wide * min(0.0, rise), wide, height, rise=rise)


def _levelled(runs: list[_Run]) -> list[_Run]:
    """The runs of a line on one foot and of one height, save those that are much higher or lower than most."""
    height = statistics.median(run.height for run in runs)
    alike = {
        index
        for index, run in enumerate(runs)
        if run.column == runs[0].column and 1 / _ALIKE < run.height / height < _ALIKE
    }
    if len(alike) < 2:
        return runs
    foot = statistics.median(runs[index].foot for index in alike)
    return [run.on(foot, height) if index in alike else run for index, run in enumerate(runs)]


def _steps(run: _Run) -> list[_Run]:
    """A slanted run as level pieces, each a little higher or lower: viewers tell lines apart by level boxes.

    A column as its first letter and the rest: pdfium takes all that begins at one height for one line, from the left.
    """
    climb = abs(run.rise) * run.length
    count = 2 if run.column else math.ceil(climb / (_STEP * run.height))
    count = min(len(run.text), count)
    if count < 2:
        return [replace(run, y=run.y - run.rise * run.length / 2, rise=0.0)]
    cuts = [0, 1, len(run.text)] if run.column else [len(run.text) * step // count for step in range(count + 1)]
    widths = [_width(letter) for letter in run.text]
    whole, pieces, at = sum(widths), [], 0.0
    for first, last in itertools.pairwise(cuts):
        length = run.length * sum(widths[first:last]) / whole
        x, y = (run.x, run.y + at) if run.column else (run.x + at, run.y - run.rise * (at + length / 2))
        pieces.append(replace(run, text=run.text[first:last], x=x, y=y, length=length, rise=0.0))
        at += length
    return pieces


def _stepped(lines: list[list[_Run]]) -> bool:
    """Whether the lines of a page can be set in level pieces: not where a line ends as low as the next one begins."""
    for above, below in itertools.pairwise(lines):
        last, first = above[-1], below[0]
        ends = last.y - last.rise * last.length
        if last.rise and abs(first.y - ends) < _APART * max(first.height, last.height):
            return False
    return all(abs(run.rise) <= _STEEP for line in lines for run in line)


# ---- instructions ----------------------------------------------------------------------------------------------------


def layer(page: PageText, place: Affine, alphabet: Alphabet) -> bytes:
    """The drawing instructions of a page's text; ``place`` leads from the pixels of the page as shown to PDF's points.

    One text object a line, in reading order. Between the words of a line a space as wide as the gap, where the page's
    text has one, so that no viewer has to guess; else the word before reaches to the next. A page without area gets
    no text.
    """
    area = place[0] * place[3] - place[1] * place[2]
    if not all(map(math.isfinite, place)) or abs(area) < _NO_AREA:
        return b""
    skew = math.radians(page.skew) if abs(page.skew) >= _LEVEL else 0.0
    pieces = [tuple(piece for piece in line if alphabet.width(piece.word.text)) for line in lines_of(page)]
    pieces = [line for line in pieces if line]
    lines = [_levelled([_run(piece.word, skew) for piece in line]) for line in pieces]
    stepped = _stepped(lines)
    objects = [
        _line(line, [piece.after for piece in parts], stepped, place, alphabet)
        for line, parts in zip(lines, pieces, strict=True)
    ]
    return "\n".join(["q 3 Tr", *objects, "Q\n"]).encode("ascii") if objects else b""


def _line(runs: list[_Run], spaces: list[str], stepped: bool, place: Affine, alphabet: Alphabet) -> str:
    shown = []
    for run, following, space in zip(runs, [*runs[1:], None], spaces, strict=True):
        gap = 0.0
        if following and following.column == run.column:
            least = _SPACE * run.height if space else 0.0
            gap = following.begins - run.begins - run.length
            if gap < least or not space:  # never over the next word; without a space, up to it
                run = replace(run, length=max(_LEAST * run.height, run.length + gap - least))
                gap = least
        *steps, last = _steps(run) if stepped else [run]
        for step in steps:
            shown += _shown(step, 0.0, place, alphabet)
        shown += _shown(last, gap, place, alphabet)
    return "\n".join(["BT", *shown, "ET"])


def _shown(run: _Run, gap: float, place: Affine, alphabet: Alphabet) -> list[str]:
    """Set the font, the place and the width, show the text, and a space after it as wide as the gap."""
    a, b, c, d, e, f = place
    height = _INNER * run.height
    inset = (run.height - height) / 2 - DESCENT / 1000 * height  # from the foot of the box to the base line
    x, y = (run.x + inset, run.y) if run.column else (run.x, run.y - inset)
    forth, up = ((c, d), (a, b)) if run.column else ((a - run.rise * c, b - run.rise * d), (-c, -d))
    size, scale = max(0.1, round(height * math.hypot(*up), 1)), math.hypot(*forth)
    cos, sin = forth[0] / scale, forth[1] / scale
    ways = " ".join(_number(value, 4) for value in (cos, sin, -sin, cos))
    at = f"{ways} {_number(a * x + c * y + e)} {_number(b * x + d * y + f)}"
    words = [f"{FONT} {_number(size)} Tf {at} Tm"]
    for text, length in ((run.text, run.length), (" ", gap)):
        natural = alphabet.width(text) / 1000 * size
        if length > 0 and natural:
            words.append(f"{_number(100 * length * scale / natural)} Tz {alphabet.coded(text)} Tj")
    return words


def _number(value: float, places: int = 1) -> str:
    """As short as it may be: a tenth of a point is half a dot of superfine fax."""
    return f"{value:.{places}f}".rstrip("0").rstrip(".") if abs(value) >= 0.5 / 10**places else "0"


# ---- the font --------------------------------------------------------------------------------------------------------


_MAGIC = 0x5F0F3CF5


def font_file() -> bytes:
    """A TrueType font of three glyphs: nothing, narrow, wide (OpenType 1.9; ISO 32000-1 9.9).

    The outline of each is a line back and forth over its place: it has no area, so it paints nothing in any mode, but
    it has bounds. pdfium takes text without bounds for repeated text and drops it, and cannot tell its lines apart.
    """
    units, glyphs = 1000, 3
    narrow, wide = _stroke(_NARROW), _stroke(_WIDE)
    tables = {
        b"glyf": narrow + wide,
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh",
            *(0x10000, 0x10000, 0, _MAGIC, 0, units, 0, 0),
            *(0, DESCENT, _WIDE, ASCENT, 0, 8, 2, 0, 0),
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH",
            *(0x10000, ASCENT, DESCENT, 0, _WIDE, 0, 0, _WIDE, 1, 0),
            *(0, 0, 0, 0, 0, 0, glyphs),
        ),
        b"hmtx": struct.pack(">HhHhHh", 0, 0, _NARROW, 0, _WIDE, 0),
        b"loca": struct.pack(">4H", 0, 0, len(narrow) // 2, len(narrow + wide) // 2),
        b"maxp": struct.pack(">IH13H", 0x10000, glyphs, 2, 1, 0, 0, 1, *([0] * 8)),
    }
    count = len(tables)
    # Search range, entry selector and range shift of six tables: the largest power of two below is four.
    head = struct.pack(">IHHHH", 0x10000, count, 64, 2, 16 * count - 64)
    at = len(head) + 16 * count
    directory, body = b"", b""
    for tag, table in tables.items():
        directory += struct.pack(">4sIII", tag, _sum(table), at + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    file = bytearray(head + directory + body)
    place = file.index(struct.pack(">I", _MAGIC)) - 4  # checkSumAdjustment stands before the magic number
    file[place : place + 4] = struct.pack(">I", (0xB1B0AFBA - _sum(bytes(file))) & 0xFFFFFFFF)
    return bytes(file)


def _stroke(width: int) -> bytes:
    """One contour of two points, from the lower left to the upper right of the glyph's place."""
    bounds = struct.pack(">5h", 1, 0, DESCENT, width, ASCENT)
    return bounds + struct.pack(">HH2B4h", 1, 0, 1, 1, 0, width, DESCENT, ASCENT - DESCENT)


def _sum(table: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{-(-len(table) // 4)}I", table + bytes(-len(table) % 4))
    return sum(words) & 0xFFFFFFFF
