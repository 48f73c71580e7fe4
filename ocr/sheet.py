"""A scanned page as PDF holds it: the picture's own bits, undecoded, and how they lie on paper of their true size."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from ocr.limits import Limits
from ocr.page import PageImage
from ocr.picture import MAGIC as PICTURES
from ocr.textlayer import Affine
from ocr.tiff import MAGIC as TIFF
from ocr.tiff import FaxCode, bounded_pillow, fax_code

_POINT = 72.0


@dataclass(frozen=True, slots=True)
class Strip:
    """One picture of a page."""

    data: bytes
    entries: Mapping[str, object]
    """Its dictionary: Width, Height, Filter and so on."""
    foot: float
    """Where it lies from the bottom of the page (0 to 1), before the page is turned."""
    height: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of pictures, its size in points."""

    width: float
    height: float
    strips: tuple[Strip, ...]
    matrix: Affine
    """From the unit square to the page: turns a picture that lies on its side."""


def own_sheet(data: bytes, page: PageImage, limits: Limits) -> Sheet | None:
    """The page in the very bits of its file (TIFF-F, JPEG, PNG); None where PDF has no filter for them."""
    if data.startswith(TIFF):
        code = fax_code(data, page.number, limits)
        return _sheet(page, _fax_strips(code), code.orientation) if code else None
    if data.startswith(PICTURES[0]):
        return _jpeg(data, page, limits)
    return _png(data, page, limits) if data.startswith(PICTURES[1]) else None


def drawn_sheet(page: PageImage, limits: Limits) -> Sheet:
    """The page's pixels coded anew without loss: T.6 where they are black and white, else Flate."""
    image = page.image
    if image.mode == "1":
        file = io.BytesIO()
        image.save(file, "TIFF", compression="group4", tiffinfo={278: image.height})
        code = fax_code(file.getvalue(), 1, limits)
        assert code is not None  # noqa: S101 for the type checker; libtiff wrote it
        return _sheet(page, _fax_strips(code))
    entries = {
        "Width": image.width,
        "Height": image.height,
        "ColorSpace": "/DeviceRGB" if image.mode == "RGB" else "/DeviceGray",
        "BitsPerComponent": 8,
        "Filter": "/FlateDecode",
    }
    return _sheet(page, (Strip(zlib.compress(image.tobytes(), 9), entries, 0.0, 1.0),))


def _sheet(page: PageImage, strips: tuple[Strip, ...], orientation: int = 1) -> Sheet:
    """On paper of the size that the fax machine scanned, however its dots lie (T.30: 204x98 and so on)."""
    width, height = (dots / dpi * _POINT for dots, dpi in zip(page.image.size, page.dpi, strict=True))
    unit = _UPRIGHT.get(orientation, _UPRIGHT[1])
    a, b, c, d, e, f = unit
    return Sheet(width, height, strips, (a * width, b * height, c * width, d * height, e * width, f * height))


# EXIF 2.32 4.6.4 A, tag 274 (TIFF 6.0 Orientation): where the first row and column lie, as matrices of the unit square.
_UPRIGHT: dict[int, Affine] = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


def _fax_strips(code: FaxCode) -> tuple[Strip, ...]:
    strips, top = [], 0
    width, height = code.size
    for data, rows in code.strips:
        # ISO 32000-1 table 11. EndOfLine stays false: the filter takes end-of-line codes where they are.
        parameters: dict[str, object] = {"K": code.k, "Columns": width, "Rows": rows}
        parameters |= {"EncodedByteAlign": True} if code.aligned else {}
        parameters |= {"BlackIs1": True} if code.inverted else {}
        entries = {
            "Width": width,
            "Height": rows,
            "ColorSpace": "/DeviceGray",
            "BitsPerComponent": 1,
            "Filter": "/CCITTFaxDecode",
            "DecodeParms": parameters,
        }
        top += rows
        strips.append(Strip(data, entries, 1 - top / height, rows / height))
    return tuple(strips)


def _jpeg(data: bytes, page: PageImage, limits: Limits) -> Sheet | None:
    with bounded_pillow("画像ファイル", limits), Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        spaces = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK"}
        if image.mode not in spaces or image.format != "JPEG":
            return None
        entries: dict[str, object] = {
            "Width": image.width,
            "Height": image.height,
            "ColorSpace": spaces[image.mode],
            "BitsPerComponent": 8,
            "Filter": "/DCTDecode",
        }
        if image.mode == "CMYK" and "adobe" in image.info:
            entries["Decode"] = [1, 0] * 4  # Adobe's own write ink as its absence
        orientation = image.getexif().get(274, 1)
    return _sheet(page, (Strip(data, entries, 0.0, 1.0),), orientation)


def _png(data: bytes, page: PageImage, limits: Limits) -> Sheet | None:
    """The file's own IDAT (PNG 11.2.4): Flate with the predictors that PDF knows too (ISO 32000-1 7.4.4.4)."""
    chunks: dict[bytes, bytes] = {}
    at = len(PICTURES[1])
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        chunks[kind] = chunks.get(kind, b"") + data[at + 8 : at + 8 + size]
        at += size + 12
    if len(chunks.get(b"IHDR", b"")) != 13 or b"tRNS" in chunks:
        return None
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    kinds = {0: ("/DeviceGray", 1), 2: ("/DeviceRGB", 3), 3: ("/DeviceRGB", 1)}
    if colour not in kinds or interlaced or bits > 8:
        return None
    space: object = kinds[colour][0]
    if colour == 3:
        palette = chunks.get(b"PLTE", b"")
        space = ["/Indexed", "/DeviceRGB", len(palette) // 3 - 1, palette]
    colours = kinds[colour][1]
    entries = {
        "Width": width,
        "Height": height,
        "ColorSpace": space,
        "BitsPerComponent": bits,
        "Filter": "/FlateDecode",
        "DecodeParms": {"Predictor": 15, "Colors": colours, "BitsPerComponent": bits, "Columns": width},
    }
    return _sheet(page, (Strip(chunks.get(b"IDAT", b""), entries, 0.0, 1.0),), _png_orientation(data, limits))


def _png_orientation(data: bytes, limits: Limits) -> int:
    with bounded_pillow("画像ファイル", limits), Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        return int(image.getexif().get(274, 1))
