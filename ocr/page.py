"""The values of reading: a page's picture, its words, and the transcript of a document.

Boxes are ``(x0, y0, x1, y1)`` in pixels of the page *as shown*: square pixels, upright, origin at the top left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL.Image import Image

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the page as shown."""

Turn = Literal[0, 90, 180, 270]
"""Degrees clockwise by which a page was turned to stand upright."""

Kind = Literal["tiff-g3", "tiff-g4", "tiff-other", "pdf-ccitt", "pdf-jbig2", "pdf-jpeg", "pdf-drawn", "image"]
"""How the pages of a document are stored."""


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page as the fax machine scanned it, original bits: rows may be lower than columns are wide."""

    number: int
    """1 for the first page of its document."""
    image: Image
    """Mode ``1`` where the original is bilevel, else ``L``; black text on white."""
    dpi: tuple[float, float]
    """Dots per inch across and down (T.30: 204x98 standard, 204x196 fine, 204x391 superfine)."""


@dataclass(frozen=True, slots=True)
class Document:
    """What opening a document tells without reading it."""

    kind: Kind
    pages: int
    """How many can be read."""
    cut_off: bool = False
    """The file ends before its pages do: some may be missing, wholly or in part."""


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters in one line, as the engine found it."""

    text: str
    box: Box
    confidence: float
    """0 to 1: the share of such words that are right, letter for letter (ocr.sureness)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a form that a pen can choose: a check box, or a printed option that may have a circle round it."""

    kind: Literal["box", "circle"]
    text: str
    """The words of the option, as read."""
    box: Box
    on: bool
    """Ticked, filled or circled."""
    confidence: float
    """0 to 1: how sure ``on`` is."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of a ruled table; rows and columns count from 0, ``rows`` and ``columns`` tell how many it spans."""

    row: int
    column: int
    rows: int
    columns: int
    box: Box
    text: str
    """The words inside, lines apart by line breaks."""


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table, its fields row by row."""

    box: Box
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What was stamped on the page: a date stamp of reception (受付印) or a seal (印影)."""

    box: Box
    text: str
    """What it says, as far as it was read; kept out of the page's text."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """A QR code or another barcode."""

    value: str
    kind: str
    """Its symbology, e.g. ``QR Code``, ``Code 128``; empty where it was not kept."""
    box: Box | None
    """None where it was not kept."""


PageKind = Literal["content", "cover", "separator", "blank"]
"""What a page is to the fax: its matter, a cover sheet, a sheet between two documents, nothing."""


@dataclass(frozen=True, slots=True)
class PageText:
    """What one page says."""

    number: int
    width: int
    height: int
    words: tuple[Word, ...]
    """In reading order."""
    text: str
    """One line of the page a line."""
    confidence: float
    """Mean of the words' confidences by length; 0 for a page without words."""
    turned: Turn
    skew: float
    """Degrees by which the lines climb (positive) or fall."""
    barcodes: tuple[Barcode, ...]
    """From the top down."""
    masked: tuple[Box, ...]
    """Blacked-out places, from the top down."""
    engine: str
    """Name and version of the engine and the steps that ran, e.g. ``paddle/3.10.0 square despeckle turn180``."""
    bits: str = ""
    """SHA-256 of the page as it was scanned."""
    fingerprint: str = ""
    """What to find the same sheet by, scanned again (ocr.fingerprint); empty for a blank page."""
    marks: tuple[Mark, ...] = ()
    """Check boxes and circled options, from the top down."""
    tables: tuple[Table, ...] = ()
    """From the top down."""
    stamps: tuple[Stamp, ...] = ()
    """From the top down."""
    kind: PageKind = "content"


@dataclass(frozen=True, slots=True)
class Reading:
    """One page read: the text, and the picture to show beside it."""

    page: PageText
    png: bytes
    """The page as shown: 1-bit PNG (grey where the original is grey), square pixels, upright."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole document read."""

    kind: Kind
    pages: tuple[PageText, ...]

    @property
    def text(self) -> str:
        """All pages' text, a form feed between pages."""
        return "\f".join(page.text for page in self.pages)
