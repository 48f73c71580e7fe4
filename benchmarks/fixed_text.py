"""Runs the gateway's own command line with reading replaced by a fixed text; the product knows nothing of it.

``python benchmarks/fixed_text.py --config PATH serve`` is ``faxless --config PATH serve`` in which no page is looked
at: each has the words of one sample fax, in the places where they stand there, and that sample's picture. Everything
else is real: the mail is opened and its document counted in a reading process, the page and its picture are kept. What
tells pages apart (the scanned bits, the fingerprint, the picture's bytes) is made from the mail's hash, so that no two
faxes are taken for one.

Children made by multiprocessing run this file again as ``__mp_main__`` and read the same.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway import reader
from ocr.document import page_image
from ocr.image import square
from ocr.page import Box, PageText, Reading, Word

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SAMPLE = "02_baidoku"
"""A form of one page with sixty pieces of text, which goes to a department by itself."""
DOTS = 8
"""Dots a millimetre, across and down (204 dots an inch)."""
CELLS = 18 * 25
"""Of a fingerprint (ocr.fingerprint)."""


@functools.cache
def _words() -> tuple[Word, ...]:
    pieces = json.loads((SAMPLES / "truth" / f"{SAMPLE}.json").read_text("utf-8"))["segments"]
    return tuple(Word(piece["text"], _box(piece["box"]), 0.99) for piece in pieces if "box" in piece)


def _box(millimetres: list[float]) -> Box:
    x0, y0, x1, y1 = (round(DOTS * place) for place in millimetres)
    return x0, y0, x1, y1


@functools.cache
def _picture() -> tuple[int, int, bytes]:
    page = square(page_image((SAMPLES / f"{SAMPLE}.tif").read_bytes(), 1))
    png = io.BytesIO()
    page.image.save(png, "PNG", compress_level=6)
    return page.image.width, page.image.height, png.getvalue()


def _read(_desk: Any, mail: reader.MailToRead, _document: int, page: int) -> Reading:
    mark = hashlib.sha256(f"{mail.digest} {page}".encode()).digest()
    width, height, png = _picture()
    text = PageText(
        number=page,
        width=width,
        height=height,
        words=_words(),
        text="\n".join(word.text for word in _words()),
        confidence=0.99,
        turned=0,
        skew=0.0,
        barcodes=(),
        masked=(),
        engine="fixed text",
        bits=mark.hex(),
        fingerprint=base64.b64encode(bytes(_stream(mark, CELLS))).decode(),
    )
    return Reading(text, png + mark)  # what follows the end of a PNG is nothing


def _stream(mark: bytes, length: int) -> Iterator[int]:
    """So many bytes that are never alike for two pages."""
    blocks = (hashlib.sha256(mark + bytes([number])).digest() for number in range(-(-length // len(mark))))
    for _, byte in zip(range(length), (byte for block in blocks for byte in block), strict=False):
        yield byte


if __name__ in ("__main__", "__mp_main__"):
    _read.__module__, _read.__qualname__ = reader.__name__, "_read"  # it goes through a pipe by its name
    reader._read = _read  # type: ignore[assignment]
    reader._Desk.engine = lambda _desk: None  # type: ignore[assignment,method-assign,return-value]  # no weights

if __name__ == "__main__":
    from gateway.cli import main

    sys.exit(main())
