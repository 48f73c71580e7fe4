"""A page as data: one shape for the API, ``show`` and ``replay``, made of a row of the table and the page's picture.

Boxes are (left, top, right, bottom) in pixels of the picture. What stands here is what stands on the page: whoever may
see the picture may see it, and nobody else.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from PIL import Image, UnidentifiedImageError

from gateway.models import Page
from ocr.block import Block, blocks
from ocr.page import Barcode, Box, Cell, Mark, PageKind, PageText, Stamp, Table, Turn, Word


@dataclass(frozen=True, slots=True)
class SenderLine:
    """What the sending machine printed at the top edge (TTI); every part may be missing, and none is a proof."""

    date: str | None
    """ISO 8601 with Tokyo's offset, by the sender's clock."""
    name: str | None
    number: str | None
    """E.164."""
    page: int | None
    of: int | None
    box: Box


@dataclass(frozen=True, slots=True)
class PageData:
    """One page; keys are only ever added."""

    page: int
    problem: str | None
    """Why it could not be read; then all that follows is empty."""
    width: int
    height: int
    dpi: tuple[int, int] | None
    """Dots per inch of the picture, across and down; None where the picture does not tell."""
    kind: PageKind
    turn: int
    """Degrees clockwise by which it was turned to stand upright."""
    skew: float
    """Degrees by which its lines climb (positive) or fall."""
    confidence: float
    engine: str
    tti: SenderLine | None
    text: str
    blocks: tuple[Block, ...]
    tables: tuple[Table, ...]
    marks: tuple[Mark, ...]
    masked: tuple[Box, ...]
    stamps: tuple[Stamp, ...]
    barcodes: tuple[Barcode, ...]


def page_data(page: Page, png: bytes) -> PageData:
    """The page as data; ``png`` is its picture, empty where there is none."""
    read = page_text(page)
    return PageData(
        page=page.number,
        problem=page.problem or None,
        width=read.width,
        height=read.height,
        dpi=_dpi(png),
        kind=read.kind,
        turn=read.turned,
        skew=read.skew,
        confidence=read.confidence,
        engine=read.engine,
        tti=_sender_line(page.tti) if page.tti else None,
        text=read.text,
        blocks=blocks(read, frozenset(page.tti.get("words", ()))),
        tables=read.tables,
        marks=read.marks,
        masked=read.masked,
        stamps=read.stamps,
        barcodes=read.barcodes,
    )


def page_text(page: Page) -> PageText:
    """A page that was kept, as the workshop said it."""
    return PageText(
        number=page.number,
        width=page.width,
        height=page.height,
        words=tuple(Word(text, (x0, y0, x1, y1), sure) for text, x0, y0, x1, y1, sure in page.words),
        text=page.text,
        confidence=page.confidence,
        turned=cast("Turn", page.turned),
        skew=page.skew,
        barcodes=barcodes_of(page),
        masked=tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in page.masked),
        engine=page.engine,
        marks=tuple(Mark(**_boxed(mark)) for mark in page.marks),
        tables=tuple(Table(tuple(t["box"]), tuple(Cell(**_boxed(cell)) for cell in t["cells"])) for t in page.tables),
        stamps=tuple(Stamp(**_boxed(stamp)) for stamp in page.stamps),
        kind=cast("PageKind", page.kind),
    )


def barcodes_of(page: Page) -> tuple[Barcode, ...]:
    """The barcodes of a page; of pages read before their places were kept, the values alone are known."""
    kept = (
        {"value": code, "kind": "", "box": None} if isinstance(code, str) else _boxed(code) for code in page.barcodes
    )
    return tuple(Barcode(**code) for code in kept)


def _boxed(kept: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {**kept, "box": tuple(kept["box"])}


def _sender_line(kept: Mapping[str, Any]) -> SenderLine:
    said = {name: kept[name] for name in ("date", "name", "number", "page", "of")}
    return SenderLine(**said, box=cast("Box", tuple(kept["box"])))


def _dpi(png: bytes) -> tuple[int, int] | None:
    """What the picture says of its own resolution (the chunk pHYs), in whole dots."""
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            across, down = image.info.get("dpi", (0, 0))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None
    return (round(across), round(down)) if across and down else None
