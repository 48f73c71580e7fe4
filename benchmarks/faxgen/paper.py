"""A sheet of paper: everything is drawn in millimetres at 408 dpi in grey, and everything drawn is noted as truth."""

from __future__ import annotations

import io
import math
import random
import re
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFont

from benchmarks.faxgen.fonts import HANDS, FontBook

DPI = 408
"""Twice the 204 pels per inch of T.4, so that every fax raster is a reduction."""
MM = DPI / 25.4
POINT = 25.4 / 72
SIZES = {"A4": (3456, 4771), "B4": (4096, 5847), "A3": (4864, 6746)}
"""Pixels; the widths are twice the 1728, 2048 and 2432 pels of a T.4 line (215, 255 and 303 mm)."""
_NEVER_FIRST = "、。，．）」』】・ーっゃゅょッャュョ々％)"
_SIDEWAYS = "ー()（）「」〜-～"
"""Characters that lie on their side in vertical writing."""

Box = tuple[float, float, float, float]


@dataclass
class Sheet:
    """One page being drawn. Lengths in millimetres from the top left corner, sizes of letters in points."""

    book: FontBook
    rng: random.Random
    face: str = "mincho"
    hand: str = "klee-one"
    size: str = "A4"
    landscape: bool = False
    segments: list[dict[str, Any]] = field(default_factory=list)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    choices: list[dict[str, Any]] = field(default_factory=list)
    masked: list[dict[str, Any]] = field(default_factory=list)
    barcodes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        width, height = SIZES[self.size]
        self.image = Image.new("L", (height, width) if self.landscape else (width, height), 255)
        self.draw = ImageDraw.Draw(self.image)
        self.marks = self.rng.choice(("check", "check", "check", "cross", "fill", "check"))

    @property
    def width(self) -> float:
        """Millimetres."""
        return self.image.width / MM

    @property
    def height(self) -> float:
        """Millimetres."""
        return self.image.height / MM

    # ---- letters ---------------------------------------------------------------------------------------------------

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 10.5,
        face: str = "",
        *,
        name: str = "",
        align: str = "left",
        spread: float = 0.0,
        cls: str = "print",
        ink: int = 0,
    ) -> float:
        """Set one line with the top of its em box at *y* and return the x behind it.

        *align* says what *x* is (``left``, ``center``, ``right``); *spread* opens the letters by so many ems, as
        Japanese titles are (「注　文　書」); *name* notes the text as the value of that field.
        """
        if not text.strip():
            return x
        face = face or self.face
        px = round(size * POINT * MM)
        width = self.book.width(text, face, px) + spread * px * (len(text) - 1)
        left = x * MM - {"left": 0.0, "center": width / 2, "right": width}[align]
        base = (y + size * POINT * 0.88) * MM
        if face in HANDS:
            cls, width = "hand", self._pen(left, base, text, px, face) - left
        elif spread:
            self._spread(left, base, text, px, face, spread, ink)
        else:
            self.draw.text((left, base), text, ink, font=self.book.font(face, px), anchor="ls")
        box = (left / MM, y, (left + width) / MM, y + size * POINT)
        self._note(text, cls, box, name)
        return (left + width) / MM

    def write(self, x: float, y: float, text: str, size: float = 13, *, name: str = "", align: str = "left") -> float:
        """The same by hand."""
        return self.text(x, y, text, size, self.hand, name=name, align=align)

    def title(self, y: float, text: str, size: float = 17, face: str = "", spread: float | None = None) -> None:
        """The document's title, centred; letter-spaced as often as not when *spread* is left open."""
        if spread is None:
            spread = self.rng.choice((0.0, 0.0, 0.3, 0.6, 1.0)) if len(text) <= 12 else self.rng.choice((0.0, 0.15))
        self.text(
            self.width / 2,
            y,
            text,
            size,
            face or self.rng.choice(("sans-bold", "gothic", "serif-bold")),
            align="center",
            spread=spread,
            name="title",
        )

    def para(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        size: float = 10.5,
        face: str = "",
        lead: float = 1.6,
        name: str = "",
    ) -> float:
        """Set *text* in lines of *width* and return the y below; each line is a segment."""
        for line in self._lines(text, width, size, face or self.face):
            self.text(x, y, line, size, face, name=name)
            y += size * POINT * lead
            name = ""
        return y

    def vertical(self, x: float, y: float, text: str, size: float = 12, face: str = "mincho-fixed") -> None:
        """One column of vertical writing, its centre line at *x*, from *y* down."""
        px = round(size * POINT * MM)
        top = y * MM
        for character in text:
            if character.strip():
                self._upright(x * MM, top + px / 2, character, px, face)
            top += px * 1.1
        half = size * POINT / 2
        self._note(text.strip("　"), "vertical", (x - half, y, x + half, top / MM), "")

    # ---- lines, boxes and cells ------------------------------------------------------------------------------------

    def line(self, x0: float, y0: float, x1: float, y1: float, weight: float = 0.25) -> None:
        """A ruled line."""
        self.draw.line([x0 * MM, y0 * MM, x1 * MM, y1 * MM], fill=0, width=max(2, round(weight * MM)))

    def box(self, x: float, y: float, w: float, h: float, weight: float = 0.25, fill: int | None = None) -> None:
        """A frame; *fill* is the grey behind it (a scanner turns light grey into dots)."""
        corners = [x * MM, y * MM, (x + w) * MM, (y + h) * MM]
        self.draw.rectangle(corners, fill=fill, outline=0, width=max(2, round(weight * MM)))

    def cell(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        text: str = "",
        size: float = 10,
        face: str = "",
        *,
        name: str = "",
        align: str = "left",
        fill: int | None = None,
        weight: float = 0.25,
    ) -> None:
        """A frame with text in the middle of its height, set smaller or in two lines until it fits."""
        self.box(x, y, w, h, weight, fill)
        if not text.strip():
            return
        face = face or self.face
        lines, size = self._fit(text, w - 3, h, size, face)
        step = size * POINT * 1.25
        top = y + (h - step * (len(lines) - 1) - size * POINT) / 2
        at = {"left": x + 1.5, "center": x + w / 2, "right": x + w - 1.5}[align]
        for number, line in enumerate(lines):
            self.text(at, top + number * step, line, size, face, align=align)
        if name:
            self.fields[name] = {"value": text, "hand": face in HANDS}

    def row(
        self,
        x: float,
        y: float,
        h: float,
        widths: list[float],
        texts: list[str],
        size: float = 9.5,
        face: str = "",
        *,
        align: str = "left",
        fill: int | None = None,
        names: tuple[str, ...] = (),
    ) -> float:
        """Cells side by side; a text that begins with ``~`` is handwritten. Returns the y below."""
        for number, (width, text) in enumerate(zip(widths, texts, strict=True)):
            by_hand = text.startswith("~")
            self.cell(
                x,
                y,
                width,
                h,
                text.lstrip("~"),
                size + 3 if by_hand else size,
                self.hand if by_hand else face,
                align=align,
                fill=fill,
                name=names[number] if number < len(names) else "",
            )
            x += width
        return y + h

    def labelled(
        self,
        x: float,
        y: float,
        label: str,
        value: str,
        *,
        gap: float = 30,
        length: float = 0,
        name: str = "",
        size: float = 10.5,
        printed: bool = False,
    ) -> None:
        """A printed label and its value, with a rule of *length* below the value when given."""
        self.text(x, y, label, size)
        if printed:
            self.text(x + gap, y, value, size + 0.5, name=name)
        else:
            self.write(x + gap, y - 0.8, value, size + 2.5, name=name)
        if length:
            self.line(x + gap - 1, y + size * POINT + 1, x + gap - 1 + length, y + size * POINT + 1, 0.18)

    # ---- what pens, stamps and machines add ------------------------------------------------------------------------

    def tick(self, x: float, y: float, label: str, on: bool, size: float = 9.5, name: str = "") -> float:
        """A tick box with its label; returns the x behind. Ticked as people do: check, cross or filled."""
        side = size * POINT * 0.85
        self.box(x, y + 0.3, side, side, 0.2)
        if on:
            self._mark(x, y + 0.3, side)
        end = self.text(x + side + 1, y, label, size)
        box = (x, y, x + side, y + side + 0.3)
        self.choices.append({"label": label, "on": on, "style": "tick", "name": name, "box": _rounded(box)})
        return end + 4

    def options(
        self,
        x: float,
        y: float,
        labels: list[str],
        chosen: int | None,
        size: float = 10,
        between: str = "・",
        name: str = "",
    ) -> float:
        """Printed options in a row, the *chosen* one circled by hand; returns the x behind."""
        whole, start, marks = between.join(labels), x, []
        px = round(size * POINT * MM)
        for number, label in enumerate(labels):
            end = x + self.book.width(label, self.face, px) / MM
            marks.append((x, end))
            if number == chosen:
                self._circle(x - 0.8, y - 0.9, end + 0.8, y + size * POINT + 0.9)
            self.choices.append(
                {
                    "label": label,
                    "on": number == chosen,
                    "style": "circle",
                    "name": name,
                    "box": _rounded((x, y, end, y + size * POINT)),
                }
            )
            x = end + self.book.width(between, self.face, px) / MM
        if name and chosen is not None:
            self.fields[name] = {"value": labels[chosen], "hand": False, "circled": True}
        return self.text(start, y, whole, size)

    def blackout(self, x: float, y: float, w: float, h: float, name: str = "") -> None:
        """A value made unreadable with a marker before it was faxed (黒塗り), as health centres ask for."""
        edge = [(x + w * t / 12, y + self.rng.uniform(-0.3, 0.3)) for t in range(13)]
        edge += [(x + w * t / 12, y + h + self.rng.uniform(-0.3, 0.3)) for t in range(12, -1, -1)]
        self.draw.polygon([(a * MM, b * MM) for a, b in edge], fill=self.rng.choice((0, 0, 20, 45)))
        self.masked.append({"name": name, "box": _rounded((x, y, x + w, y + h))})

    def seal(self, x: float, y: float, text: str, diameter: float = 11) -> None:
        """A personal or company seal (印影) in red ink, that is grey to a fax; centre at *x*, *y*."""
        self._stamp(x, y, [text], diameter, diameter, ring=True)

    def received(self, x: float, y: float, lines: list[str], diameter: float = 26) -> None:
        """A round date stamp of reception (受付印): office, date, 収受."""
        self._stamp(x, y, lines, diameter, diameter, ring=True, bars=True)

    def square_stamp(self, x: float, y: float, text: str, w: float = 26, h: float = 9) -> None:
        """A framed stamp such as 至急, 親展, コピー."""
        self._stamp(x, y, [text], w, h, ring=False)

    def qr(self, x: float, y: float, side: float, data: str) -> None:
        """A QR code of *side* millimetres with its quiet zone (ISO/IEC 18004 wants four modules)."""
        picture = io.BytesIO()
        segno.make(data, error="m", micro=False).save(picture, kind="png", scale=1, border=4)
        pixels = round(side * MM)
        code = Image.open(picture).convert("L").resize((pixels, pixels), Image.Resampling.NEAREST)
        self.image.paste(code, (round(x * MM), round(y * MM)))
        self.barcodes.append(data)

    def tone(self, x: float, y: float, w: float, h: float, grey: int = 215) -> None:
        """A grey field without a frame."""
        self.draw.rectangle([x * MM, y * MM, (x + w) * MM, (y + h) * MM], fill=grey)

    def reversed_text(self, x: float, y: float, w: float, h: float, text: str, size: float = 16) -> None:
        """White letters on a black bar, as advertisements like them."""
        self.tone(x, y, w, h, 0)
        self.text(x + w / 2, y + (h - size * POINT) / 2, text, size, "sans-bold", align="center", ink=255)

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _note(self, text: str, cls: str, box: Box, name: str) -> None:
        self.segments.append({"text": text.strip(), "cls": cls, "box": _rounded(box)})
        if name:
            self.fields[name] = {"value": text.strip(), "hand": cls == "hand"}

    def _spread(self, left: float, base: float, text: str, px: int, face: str, spread: float, ink: int) -> None:
        font = self.book.font(face, px)
        for character in text:
            self.draw.text((left, base), character, ink, font=font, anchor="ls")
            left += font.getlength(character) + spread * px

    def _upright(self, x: float, y: float, character: str, px: int, face: str) -> None:
        """One character of vertical writing: brackets and bars turned, commas in the upper right corner."""
        font = self.book.font(face, px, character)
        tile = Image.new("L", (px, px), 0)
        ImageDraw.Draw(tile).text((0, px * 0.88), character, 255, font=font, anchor="ls")
        if character in _SIDEWAYS:
            tile = tile.transpose(Image.Transpose.ROTATE_270)
        shift = (0.55 * px, -0.55 * px) if character in "、。" else (0.0, 0.0)
        self.image.paste(0, (round(x - px / 2 + shift[0]), round(y - px / 2 + shift[1])), tile)

    def _pen(self, left: float, base: float, text: str, px: int, face: str) -> float:
        """Set *text* letter by letter, each a little off in place, size and angle; returns the x behind."""
        drift = self.rng.uniform(-0.012, 0.012)
        start, stroke = left, 0 if face == "yusei-magic" else 1
        for character in text:
            font = self.book.font(face, px, character)
            swell = self.rng.uniform(0.94, 1.08)
            if character.strip():
                tile = Image.new("L", (px * 2, px * 2), 0)
                pen = ImageDraw.Draw(tile)
                pen.text((px / 2, px * 1.4), character, 255, font=font, anchor="ls", stroke_width=stroke)
                tile = _tilted(tile, self.rng.uniform(-5, 5), swell)
                x = left - px / 2 + self.rng.uniform(-0.02, 0.02) * px
                y = base + drift * (left - start) - px * 1.4 + self.rng.uniform(-0.05, 0.05) * px
                self.image.paste(0, (round(x), round(y)), tile)
            left += font.getlength(character) * swell * self.rng.uniform(1.0, 1.1)
        return left

    def _lines(self, text: str, width: float, size: float, face: str) -> list[str]:
        px, limit = round(size * POINT * MM), width * MM
        lines, line = [], ""
        for token in re.findall(r"[A-Za-z0-9.,;:'&()@/+-]+ ?|.", text):
            if line and token[0] not in _NEVER_FIRST and self.book.width(line + token.rstrip(), face, px) > limit:
                lines.append(line)
                line = ""
            line += token
        return [*lines, line]

    def _fit(self, text: str, width: float, height: float, size: float, face: str) -> tuple[list[str], float]:
        """Lines and letter size with which *text* fits a cell."""
        while size > 5:
            px = round(size * POINT * MM)
            if self.book.width(text, face, px) <= width * MM:
                return [text], size
            lines = self._lines(text, width, size, face)
            if len(lines) * size * POINT * 1.25 <= height - 0.6:
                return lines, size
            size -= 0.5
        return self._lines(text, width, size, face), size

    def _mark(self, x: float, y: float, side: float) -> None:
        if self.marks == "fill":
            self.draw.rectangle([x * MM, y * MM, (x + side) * MM, (y + side) * MM], fill=0)
            return
        check = [(0.05, 0.5), (0.4, 1.0), (1.25, -0.25)]
        strokes = [check] if self.marks == "check" else [[(0, 0), (1, 1)], [(1, 0), (0, 1)]]
        for stroke in strokes:
            points = [((x + a * side) * MM, (y + b * side) * MM) for a, b in stroke]
            self.draw.line(points, fill=0, width=6, joint="curve")

    def _circle(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A ○ drawn by hand: not closed, not round, not centred."""
        cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
        start, turn = self.rng.uniform(0, 6.28), self.rng.uniform(6.1, 6.7)
        rx, ry, lean = rx * self.rng.uniform(0.95, 1.12), ry * self.rng.uniform(0.95, 1.15), self.rng.uniform(-0.5, 0.5)
        points = []
        for step in range(49):
            angle = start + turn * step / 48
            swell = 1 + 0.04 * math.sin(2 * angle + start)
            points.append(((cx + rx * swell * math.cos(angle)) * MM, (cy + lean + ry * swell * math.sin(angle)) * MM))
        self.draw.line(points, fill=0, width=self.rng.choice((4, 5, 6, 7)), joint="curve")

    def _stamp(
        self, x: float, y: float, lines: list[str], w: float, h: float, *, ring: bool, bars: bool = False
    ) -> None:
        wide, high = round(w * MM), round(h * MM)
        tile = Image.new("L", (wide, high), 0)
        pen = ImageDraw.Draw(tile)
        frame = [4, 4, wide - 5, high - 5]
        (pen.ellipse if ring else pen.rectangle)(frame, outline=255, width=max(4, wide // 40))
        step = high / (len(lines) + (1 if ring else 0))
        if bars:
            for edge in (0.36, 0.64):
                pen.line([wide * 0.03, high * edge, wide * 0.97, high * edge], fill=255, width=4)
        self._stamp_lines(pen, lines, wide, high, step if not bars else high * 0.28)
        tile = tile.rotate(self.rng.uniform(-9, 9), resample=Image.Resampling.BICUBIC, expand=not ring)
        place = round(x * MM - tile.width / 2), round(y * MM - tile.height / 2)
        self.image.paste(self.rng.choice((60, 90, 115)), place, tile)
        box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        self.segments.extend({"text": line, "cls": "stamp", "box": _rounded(box)} for line in lines)

    def _stamp_lines(self, pen: ImageDraw.ImageDraw, lines: list[str], wide: int, high: int, step: float) -> None:
        for number, line in enumerate(lines):
            room = wide * (0.86 if number == len(lines) // 2 else 0.6)
            px = round(min(room / max(1, len(line)) * 1.02, step * 0.8))
            font: ImageFont.FreeTypeFont = self.book.font("serif", px)
            pen.text((wide / 2, high / 2 + (number - (len(lines) - 1) / 2) * step), line, 255, font=font, anchor="mm")


def _tilted(tile: Image.Image, degrees: float, swell: float) -> Image.Image:
    """*tile* turned and enlarged about its middle."""
    turn = cv2.getRotationMatrix2D((tile.width / 2, tile.height / 2), degrees, swell)
    return Image.fromarray(cv2.warpAffine(np.asarray(tile), turn, tile.size, flags=cv2.INTER_LINEAR))


def _rounded(box: Box) -> list[float]:
    return [round(value, 1) for value in box]
