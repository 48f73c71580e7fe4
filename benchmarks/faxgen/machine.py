"""The fax machine: scans a grey sheet to 1 bit, damages it as machines and lines do, and prints its header line.

Widths and resolutions are those of ITU-T T.4 and T.30: 1728, 2048 or 2432 pels of 8.04 per mm (204 dpi) on A4, B4
and A3, 3.85, 7.7 or 15.4 lines per mm (98, 196 and 391 dpi), and 16.08 pels with 15.4 lines per mm (408 x 391).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cv2
import img2pdf
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.paper import DPI
from benchmarks.faxgen.people import Institution, half_width

Grey = NDArray[np.uint8]
Bits = NDArray[np.bool_]
"""True is white."""
Noise = np.random.Generator


@dataclass(frozen=True, slots=True)
class Resolution:
    """Dots per inch across and down."""

    name: str
    across: int
    down: int


STANDARD = Resolution("standard", 204, 98)
FINE = Resolution("fine", 204, 196)
SUPERFINE = Resolution("superfine", 204, 391)
ULTRAFINE = Resolution("ultrafine", 408, 391)
RESOLUTIONS = {r.name: r for r in (STANDARD, FINE, SUPERFINE, ULTRAFINE)}


@dataclass(frozen=True, slots=True)
class Damage:
    """What goes wrong and how badly: *strength* runs from 0 (hardly seen) to 1 (as bad as still can be read)."""

    kind: str
    strength: float = 0.5


@dataclass(frozen=True, slots=True)
class Header:
    """The line a sending machine prints at the top of each page (TTI, 発信元記録)."""

    style: str
    text: str
    page: int
    pages: int


# ---- scanning ------------------------------------------------------------------------------------------------------


def scan(
    sheet: Image.Image, resolution: Resolution, damages: tuple[Damage, ...], noise: Noise
) -> tuple[Bits, dict[str, Any]]:
    """The 1-bit raster of *sheet* and what was done to it (``angle`` in degrees, ``turn`` clockwise).

    A landscape sheet, and one with damage ``turn90`` or ``turn270``, goes in sideways: a landscape sheet fills the
    raster of its portrait size, a turned portrait sheet needs the wider feed of A3 (2432 pels).
    """
    strength = {damage.kind: damage.strength for damage in damages}
    unknown = strength.keys() - DAMAGES
    if unknown:
        raise ValueError(f"no such damage: {', '.join(sorted(unknown))}")
    page = np.asarray(sheet)
    page, turn = _feed(page, strength)
    page, angle = _skew(page, strength, noise)
    for kind, spoil in ON_PAPER.items():
        if kind in strength:
            page = spoil(page, strength[kind], noise)
    bits = _threshold(_reduce(page, resolution), strength, noise)
    for kind, break_ in ON_LINE.items():
        if kind in strength:
            bits = break_(bits, strength[kind], noise)
    return bits, {"angle": round(angle, 2), "turn": turn}


def _feed(page: Grey, strength: dict[str, float]) -> tuple[Grey, int]:
    landscape = page.shape[1] > page.shape[0]
    sideways = "turn90" in strength or (landscape and "turn270" not in strength)
    turn = (90 if sideways else 270 if "turn270" in strength else 0) + (180 if "upside_down" in strength else 0)
    page = np.rot90(page, -(turn // 90) % 4)
    if not landscape and turn % 180:
        page = _on_feed(page, 2 * 2432)
    return np.ascontiguousarray(page), turn % 360


def _on_feed(page: Grey, width: int) -> Grey:
    """*page* against the left guide of a wider feed."""
    wide = np.full((page.shape[0], width), 255, np.uint8)
    wide[:, : min(width, page.shape[1])] = page[:, :width]
    return wide


def _skew(page: Grey, strength: dict[str, float], noise: Noise) -> tuple[Grey, float]:
    most = 5.0 * strength.get("skew", 0.0)
    angle = float(noise.uniform(0.6, 1.0) * most * noise.choice((-1, 1))) if most else float(noise.uniform(-0.15, 0.15))
    high, wide = page.shape
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0)
    turned = cv2.warpAffine(page, turn, (wide, high), flags=cv2.INTER_LINEAR, borderValue=(255,))
    return np.asarray(turned, np.uint8), angle


def _reduce(page: Grey, resolution: Resolution) -> NDArray[np.float32]:
    high, wide = page.shape
    size = (round(wide * resolution.across / DPI), round(high * resolution.down / DPI))
    return np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.float32)


def _threshold(page: NDArray[np.float32], strength: dict[str, float], noise: Noise) -> Bits:
    """Black or white, with the sensor's noise; too light a setting loses strokes, too dark a one fills them."""
    level, grain = 150.0, 10.0
    if "faint" in strength:
        level, grain = 150 - 95 * strength["faint"], 12 + 26 * strength["faint"]
    if "dark" in strength:
        level, grain = 150 + 80 * strength["dark"], 10 + 14 * strength["dark"]
    if "noise" in strength:
        grain += 38 * strength["noise"]
    if "halftone" in strength:  # photo mode: greys become dots, and the edges of letters with them
        return np.asarray(page > level + (_screen(page.shape) / 64 - 0.5) * 210 * strength["halftone"], np.bool_)
    page = page + noise.standard_normal(page.shape, np.float32) * grain
    return np.asarray(page > level, np.bool_)


def _screen(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Bayer's ordered dither, 8 x 8, values 0 to 63, over the whole raster."""
    small = np.array([[0, 2], [3, 1]])
    screen = small
    for _ in range(2):
        screen = np.block([[4 * screen + value for value in row] for row in small.tolist()])
    return np.asarray(np.tile(screen, (shape[0] // 8 + 1, shape[1] // 8 + 1))[: shape[0], : shape[1]], np.int64)


# ---- what happens to the paper ---------------------------------------------------------------------------------


def _cloud(shape: tuple[int, int], noise: Noise, cells: int) -> NDArray[np.float32]:
    """Soft blotches between 0 and 1."""
    coarse = noise.random((cells, cells), np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _broken(page: Grey, strength: float, noise: Noise) -> Grey:
    """Strokes worn thin in patches, as from a dry pen or a worn drum."""
    thin = cv2.dilate(page, np.ones((3, 3), np.uint8))
    pale = cv2.addWeighted(page, 0.65 - 0.5 * strength, thin, 0.35 + 0.5 * strength, 0)
    worn = _cloud((page.shape[0], page.shape[1]), noise, 40) > 0.75 - 0.35 * strength
    broken = np.where(worn, pale, page)
    gaps = noise.random((page.shape[0] // 6 + 1, page.shape[1] // 6 + 1)) < 0.1 * strength
    holes = np.kron(gaps, np.ones((6, 6), np.bool_))[: page.shape[0], : page.shape[1]]
    return np.where(holes, np.uint8(255), broken).astype(np.uint8)


def _copied(page: Grey, strength: float, noise: Noise) -> Grey:
    """A copy of a copy: soft edges, hard threshold, dirt."""
    soft = cv2.GaussianBlur(page, (0, 0), 1.2 + 2.2 * strength)
    hard = np.where(soft > 150 + 20 * strength, 255, 0).astype(np.uint8)
    dirt = noise.random((page.shape[0] // 5 + 1, page.shape[1] // 5 + 1)) < 0.0012 * strength
    return np.where(np.kron(dirt, np.ones((5, 5), np.bool_))[: page.shape[0], : page.shape[1]], 0, hard).astype(
        np.uint8
    )


def _edges(page: Grey, strength: float, noise: Noise) -> Grey:
    """Dark rims of an open lid, punch holes, a staple's shadow."""
    page = page.copy()
    rim = int(10 + 90 * strength)
    side = int(noise.integers(0, 3))
    page[:, :rim] = np.where(side == 0, 0, page[:, :rim])
    page[:, -rim:] = np.where(side == 1, 0, page[:, -rim:])
    page[-rim:, :] = np.where(side == 2, 0, page[-rim:, :])
    middle = page.shape[0] // 2
    for y in (middle - 640, middle + 640):
        cv2.circle(page, (170, y), 45, (0,), -1)
    return page


# ---- what happens on the line ---------------------------------------------------------------------------------------


def _salt(bits: Bits, strength: float, noise: Noise) -> Bits:
    """Salt and pepper."""
    return np.asarray(bits ^ (noise.random(bits.shape, np.float32) < 0.012 * strength), np.bool_)


def _grey(bits: Bits, strength: float, noise: Noise) -> Bits:
    """Coloured or recycled paper in half-tone mode: its light grey becomes a pattern of dots (a Bayer screen)."""
    paper = 1 + 7 * strength + 3 * (_cloud((bits.shape[0], bits.shape[1]), noise, 5) - 0.5)
    return np.asarray(bits & (_screen(bits.shape) >= paper), np.bool_)


def _dropped(bits: Bits, strength: float, noise: Noise) -> Bits:
    """Lines lost on the wire: the receiver repeats the one before, or leaves white."""
    bits = bits.copy()
    high = bits.shape[0]
    for y in noise.choice(np.arange(high // 40, high - 4), round(high * 0.022 * strength), replace=False):
        thick = int(noise.integers(1, 4)) if high > 1500 else 1
        bits[y : y + thick] = bits[y - 1] if noise.random() < 0.6 else True
    return bits


def _streaks(bits: Bits, strength: float, noise: Noise) -> Bits:
    """Dirt on the scanner's glass: vertical lines, black mostly, white where the sensor is blind."""
    bits = bits.copy()
    for x in noise.integers(30, bits.shape[1] - 30, round(1 + 5 * strength)):
        bits[:, x : x + int(noise.integers(1, 3))] = noise.random() < 0.25
    return bits


def _bursts(bits: Bits, strength: float, noise: Noise) -> Bits:
    """A burst of line noise: from some column on, a few lines are rubbish."""
    bits = bits.copy()
    for _ in range(round(1 + 6 * strength)):
        y, x = int(noise.integers(60, bits.shape[0] - 12)), int(noise.integers(0, bits.shape[1]))
        lines = bits[y : y + int(noise.integers(1, 5)), x:]
        lines[:] = np.roll(lines, int(noise.integers(5, 60)), axis=1) ^ (noise.random(lines.shape) < 0.1)
    return bits


Spoil = Callable[[Any, float, Noise], Any]
ON_PAPER: dict[str, Spoil] = {"broken": _broken, "copied": _copied, "edges": _edges}
ON_LINE: dict[str, Spoil] = {"grey": _grey, "noise": _salt, "dropped": _dropped, "streaks": _streaks, "bursts": _bursts}
TURNS = ("upside_down", "turn90", "turn270")
DAMAGES = frozenset({*ON_PAPER, *ON_LINE, *TURNS, "skew", "faint", "dark", "halftone"})


# ---- the header line ----------------------------------------------------------------------------------------------


def header(style: str, sender: Institution, when: datetime, page: int, pages: int, called: str) -> Header:
    """What a machine of that *style* prints; the styles follow what several makers' machines print."""
    clock, digits = when.strftime("%H:%M"), sender.fax.replace("-", "")
    day = f"{when.year}年{when.month:2d}月{when.day:2d}日"
    time, job = f"{when.hour:2d}時{when.minute:02d}分", f"{when.minute * 61 + page:04d}"
    english = f"{when:%b-%d-%Y} {when:%a} {when:%I:%M %p}".upper()
    text = {
        "kanji": f"{day} {time}  {sender.name}      No.{job}  P. {page}/{pages}",
        "plain": f"{when:%Y-%m-%d} {clock}    {sender.name} FAX {sender.fax}        P.{page:03d}/{pages:03d}",
        "kana": f"FROM:{half_width(sender.reading)} (FAX){digits}      {when:%Y/%m/%d} {clock}    P.{page:03d}",
        "english": f"{english}   FAX NO. {sender.fax}          P. {page:02d}/{pages:02d}",
        "arrow": f"{when:%d/%m/%Y} {clock} FAX {sender.fax}  {sender.name}  → {called}     {page:03d}/{pages:03d}",
        "short": f"'{when:%y/%m/%d} {clock} FAX {digits}  {half_width(sender.reading)}    {page:03d}",
        "wide": f"送信元：{sender.name}  {day}({'月火水木金土日'[when.weekday()]}) {clock}  ページ {page}／{pages}",
        "none": "",
    }[style]
    return Header(style, text, page, pages)


HEADER_STYLES = ("kanji", "plain", "kana", "english", "arrow", "short", "wide", "none")


def imprint(bits: Bits, line: Header, resolution: Resolution, book: FontBook) -> Bits:
    """*bits* with the header line over their first 4 mm: the sender's machine adds it, so no scan ever skews it."""
    if not line.text:
        return bits
    high, wide = bits.shape
    px = round(8 * DPI / 72)
    strip = Image.new("L", (wide * DPI // resolution.across, round(px * 1.6)), 255)
    face = "latin-mono" if line.style == "english" else "gothic-fixed"
    start = px if book.width(line.text, face, px) < strip.width - 2 * px else px // 4
    ImageDraw.Draw(strip).text((start, px * 1.2), line.text, 0, font=book.font(face, px), anchor="ls")
    small = _reduce(np.asarray(strip), resolution) > 140
    rows = min(small.shape[0], high)
    bits = bits.copy()
    bits[:rows] = True
    bits[:rows, : min(wide, small.shape[1])] = small[:rows, :wide]
    return bits


# ---- files --------------------------------------------------------------------------------------------------------


def tiff(pages: list[tuple[Bits, Resolution]], compression: str = "group4") -> bytes:
    """A multi-page TIFF of 1-bit pages: *compression* is ``group4`` (T.6) or ``group3`` (T.4)."""
    pictures = []
    for bits, resolution in pages:
        picture = Image.fromarray(np.where(bits, 255, 0).astype(np.uint8)).convert("1", dither=Image.Dither.NONE)
        picture.encoderinfo = {"dpi": (resolution.across, resolution.down), "compression": compression}
        pictures.append(picture)
    out = io.BytesIO()
    first = pages[0][1]
    pictures[0].save(
        out, "TIFF", save_all=True, append_images=pictures[1:], compression=compression, dpi=(first.across, first.down)
    )
    return out.getvalue()


def pdf(tiff_bytes: bytes) -> bytes:
    """The same CCITT stream in a PDF, its page boxes from the resolution (img2pdf copies group 4 untouched).

    img2pdf's own writer is asked for, because the other one puts the clock into the file's ID.
    """
    return bytes(img2pdf.convert(tiff_bytes, nodate=True, engine=img2pdf.Engine.internal))
