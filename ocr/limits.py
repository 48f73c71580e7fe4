"""How large a document may be: set on purpose, far above any fax and far below what would stop a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What opening a document may cost. Beyond it the document is :class:`~ocr.errors.TooLarge`, never cut silently."""

    document_bytes: int = 128 * 1024 * 1024
    """Bytes of the file. A fax page in CCITT G4 is 20-100 KB; the door takes mails of 50 MB by default."""
    pages: int = 500
    """Pages of one document; a sender's machine holds a few hundred."""
    page_pixels: int = 60_000_000
    """Pixels of one page, also after squaring. A3 at 408x391 dpi has 31 million; a 1-bit bomb of 60000x60000 has 3600
    million. Pillow is held to the same (`MAX_IMAGE_PIXELS`, 89 million by default)."""
    page_edge: int = 50_000
    """Pixels of the longer edge: six metres of paper in fine fax, where machines end a page by themselves."""
    stream_bytes: int = 75_000_000
    """Bytes that one compressed stream of a PDF may grow to (`pypdf`'s own default, kept on purpose)."""
    drawing_bytes: int = 16_000_000
    """Bytes of the drawing instructions of one PDF page, with the forms that it draws. A scan has 100, a dense map 5
    million; drawing a million rectangles takes 10 s."""
    forms: int = 1000
    """Form XObjects drawn on one page, those drawn by others counted each time; nine tens in a row are a thousand
    million."""
    form_depth: int = 20
    """Forms in forms in forms; producers nest two or three."""
    pictures: int = 1000
    """Pictures on a page that are looked at as strips of a scan; scanners write a hundred at most."""
    pdf_objects: int = 100_000
    """Objects of a PDF without its end, among which pages are looked for."""


LIMITS = Limits()
"""The limits used where the caller names none."""
