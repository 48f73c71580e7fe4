"""Why a page was read as it was, as a picture for a person: on the left what was seen, on the right what was read.

On the left the page as it was read, every word in its box with its number in the reading order and the measured slant
of the lines; on the right the text in the same places, in the colour of its confidence. Above both, what was done.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ocr.block import blocks
from ocr.page import Box, PageText

WIDTH = 1200
"""Pixels of each half."""
SURE, LIKELY = 0.9, 0.6
"""Confidences from which on a word is green, and orange; below it is red, as it is marked on the pages."""
_GREEN, _ORANGE, _RED = (0, 125, 60), (190, 100, 0), (200, 0, 30)
_BLUE, _PURPLE, _INK, _PAPER, _SLANT = (20, 80, 200), (130, 0, 130), (30, 30, 30), (255, 255, 255), (120, 170, 255)
_ON, _OFF, _CELL, _STAMP, _SENDER = (230, 0, 120), (240, 160, 200), (0, 150, 150), (160, 90, 30), (90, 110, 130)
_BLOCK, _CODE = (150, 110, 220), (110, 120, 0)
_MARGIN, _ROW, _AROUND = 16, 26, 8
_HEADING, _SMALL, _LEAST, _MEASURED = 18, 13, 6, 40  # sizes of writing

_FONTS = (
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
    "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf",
    "/usr/share/fonts/truetype/takao-gothic/TakaoGothic.ttf",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
)
"""Where Debian and its kin put fonts with Japanese; none is shipped, because nothing else here draws text."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a page beside its text."""

    title: str
    """The file and which of its pages."""
    seconds: float
    fields: Mapping[str, Box] = field(default_factory=dict)
    """Places of the values that were taken out of the text, by name."""
    remarks: Sequence[str] = ()
    """Sentences: why it could not be read, what was decided."""
    sender: Box | None = None
    """Where the sending machine printed its own line, which is no content."""


def japanese_font() -> Path | None:
    """A font to draw Japanese with, if this machine has one."""
    return next((path for path in map(Path, _FONTS) if path.is_file()), None)


def explained(page: PageText | None, png: bytes, told: Told, font: Path | None = None) -> bytes:
    """The picture (PNG) of a page's reading; ``page`` is None, and ``png`` empty, where it could not be read.

    Without ``font`` characters other than Latin show as boxes, and the picture says so.
    """
    letters = _Font(font)
    head = _head(page, told, font)
    shown = _page(page, png)
    top = 2 * _MARGIN + _ROW * len(head)
    canvas = Image.new("RGB", (2 * WIDTH + 3 * _MARGIN, top + shown.height + _MARGIN), (235, 235, 235))
    pen = ImageDraw.Draw(canvas)
    for row, sentence in enumerate(head):
        pen.text((_MARGIN, _MARGIN + row * _ROW), sentence, _INK, font=letters(_HEADING))
    halves = _MARGIN, 2 * _MARGIN + WIDTH
    canvas.paste(shown, (halves[0], top))
    canvas.paste(_PAPER, (halves[1], top, halves[1] + WIDTH, top + shown.height))
    if page is not None:
        scale = WIDTH / max(1, page.width)
        _seen(pen, page, told, (halves[0], top), scale, letters)
        _understood(pen, page, (halves[1], top), scale, letters)
    file = io.BytesIO()
    canvas.save(file, "PNG")
    return file.getvalue()


def _head(page: PageText | None, told: Told, font: Path | None) -> list[str]:
    head = [told.title]
    if page is not None:
        head += [f"engine and steps: {page.engine}", _measured(page, told.seconds)]
        if page.barcodes or page.masked:
            codes = ", ".join(code.value for code in page.barcodes)
            head.append(f"barcodes: {codes or '-'}   masked places: {len(page.masked)}")
        head.append(_form(page))
    head += told.remarks
    if font is None:
        head.append("no Japanese font on this machine: install one, e.g. Debian's fonts-ipafont")
    head.append("green: sure   orange: likely   red: doubtful   blue: taken out as a field   purple: blacked out")
    head.append(
        "pink: ticked or circled (pale: not)   teal: table   brown: stamp   grey: the sending machine's own line   "
        "olive: barcode   thin violet: block"
    )
    return head


def _form(page: PageText) -> str:
    on = [mark.text or "?" for mark in page.marks if mark.on]
    parts = (
        f"page kind: {page.kind}",
        f"marks: {len(page.marks)}, on: {', '.join(on) or '-'}",
        f"tables: {len(page.tables)} of {sum(len(table.cells) for table in page.tables)} fields",
        f"stamps: {len(page.stamps)}",
    )
    return "   ".join(parts)


def _measured(page: PageText, seconds: float) -> str:
    sure = sum(word.confidence >= SURE for word in page.words)
    parts = (
        f"turned {page.turned}° clockwise",
        f"skew {page.skew:+.2f}°",
        f"{page.width}x{page.height} dots",
        f"{len(page.words)} words, {sure} of them sure ({SURE:.1f} and more)",
        f"page confidence {page.confidence:.3f}",
        f"{seconds:.2f} s",
    )
    return "   ".join(parts)


def _page(page: PageText | None, png: bytes) -> Image.Image:
    if page is None or not png:
        return Image.new("RGB", (WIDTH, WIDTH // 4), _PAPER)
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        height = max(1, round(image.height * WIDTH / image.width))
        return image.convert("L").resize((WIDTH, height), Image.Resampling.BOX).convert("RGB")


def _seen(
    pen: ImageDraw.ImageDraw, page: PageText, told: Told, place: tuple[int, int], scale: float, font: _Font
) -> None:
    if page.skew:
        fall = math.tan(math.radians(page.skew)) * WIDTH
        for third in (1, 2):
            level = place[1] + page.height * scale * third / 3
            pen.line((place[0], level + fall / 2, place[0] + WIDTH, level - fall / 2), _SLANT, 2)
    for shape, colour, width in _shapes(page, told):
        pen.rectangle(_box(shape, place, scale), outline=colour, width=width)
    for number, word in enumerate(page.words, 1):
        box = _box(word.box, place, scale)
        pen.rectangle(box, outline=_colour(word.confidence), width=2)
        pen.text((box[0] + 1, box[1] - _SMALL), str(number), _colour(word.confidence), font=font(_SMALL))
    for box in page.masked:
        pen.rectangle(_box(box, place, scale), outline=_PURPLE, width=5)
    for name, box in told.fields.items():
        left, upper, right, lower = _box(box, place, scale)
        pen.rectangle((left - 4, upper - 4, right + 4, lower + 4), outline=_BLUE, width=3)
        label = pen.textbbox((right + 6, lower - _SMALL), name, font=font(_SMALL))
        pen.rectangle(label, fill=_PAPER)
        pen.text((right + 6, lower - _SMALL), name, _BLUE, font=font(_SMALL))


def _shapes(page: PageText, told: Told) -> Iterator[tuple[Box, tuple[int, int, int], int]]:
    """What stands on the page beside words: box, colour and width of the line."""
    for table in page.tables:
        yield from ((cell.box, _CELL, 1) for cell in table.cells)
    yield from ((stamp.box, _STAMP, 3) for stamp in page.stamps)
    yield from ((mark.box, _ON if mark.on else _OFF, 4 if mark.on else 2) for mark in page.marks)
    for x0, y0, x1, y1 in (block.box for block in blocks(page)):
        yield (x0 - _AROUND, y0 - _AROUND, x1 + _AROUND, y1 + _AROUND), _BLOCK, 1
    yield from ((code.box, _CODE, 3) for code in page.barcodes if code.box)
    if told.sender is not None:
        yield told.sender, _SENDER, 3


def _understood(pen: ImageDraw.ImageDraw, page: PageText, place: tuple[int, int], scale: float, font: _Font) -> None:
    for word in page.words:
        left, upper, right, lower = _box(word.box, place, scale)
        colour = _colour(word.confidence)
        text = "".join(letter if letter.isprintable() else "�" for letter in word.text)
        wide, high = max(1.0, right - left), max(1.0, lower - upper)
        column = high > 1.5 * wide and len(text) > 1
        along, across = (high, wide) if column else (wide, high)
        natural = pen.textlength(text, font=font(_MEASURED)) / _MEASURED or 1.0
        size = max(_LEAST, int(min(0.8 * across, along / natural)))
        if column:
            step = along / len(text)
            for row, letter in enumerate(text):
                pen.text((left, upper + row * step), letter, colour, font=font(size))
        else:
            pen.text((left, upper), text, colour, font=font(size))
        if word.confidence < SURE:
            pen.text((right + 2, upper - 2), f"{word.confidence:.2f}", colour, font=font(_SMALL))


def _box(box: Box, place: tuple[int, int], scale: float) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (edge * scale + place[index % 2] for index, edge in enumerate(box))
    return x0, y0, max(x0, x1), max(y0, y1)


def _colour(confidence: float) -> tuple[int, int, int]:
    return _GREEN if confidence >= SURE else _ORANGE if confidence >= LIKELY else _RED


class _Font:
    """One typeface in all the sizes that a picture needs."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._sizes: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}

    def __call__(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        if size not in self._sizes:
            made = ImageFont.truetype(str(self.path), size) if self.path else ImageFont.load_default(size)
            self._sizes[size] = made
        return self._sizes[size]
