"""How large a document may be: set on purpose, far above any fax and far below what would stop a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What opening a document may cost. Beyond it the document is :class:`~ocr.errors.TooLarge`, never cut silently."""

    document_bytes: int = 128 * 1024 * 1024
    """Bytes of the file. A fax page in CCITT G4 is 20-100 KB; the door takes mails of 50 MB by default."""
    pages: int = 500
    page_pixels: int = 60_000_000
    """Pixels of one page. A3 at 408x391 dpi has 31 million; a 1-bit bomb of 60000x60000 has 3600 million."""
    stream_bytes: int = 75_000_000
    """Bytes that one compressed stream of a PDF may grow to (`pypdf`'s own default, kept on purpose)."""


LIMITS = Limits()
"""The limits used where the caller names none."""
