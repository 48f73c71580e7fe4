"""Opening a document: which format it is, how many pages it has, and one page's picture."""

from __future__ import annotations

from ocr import pdf, picture, tiff
from ocr.errors import Damaged, TooLarge
from ocr.limits import LIMITS, Limits
from ocr.page import Document, PageImage

__all__ = ["LIMITS", "Limits", "open_document", "page_image"]

# Acrobat takes a header within the first 1024 bytes (ISO 32000-1 annex H.3, implementation note 13).
_HEADER_WITHIN = 1024


def open_document(data: bytes, limits: Limits = LIMITS) -> Document:
    """Tell the kind and the number of pages of a PDF, TIFF, JPEG or PNG.

    The bytes decide, never a name or a MIME type. Raises :class:`~ocr.errors.Encrypted`,
    :class:`~ocr.errors.Damaged` or :class:`~ocr.errors.TooLarge`, nothing else.
    """
    form = _form(data, limits)
    if form == "tiff":
        return tiff.open_tiff(data, limits)
    return pdf.open_pdf(data, limits) if form == "pdf" else picture.open_picture(data, limits)


def page_image(data: bytes, number: int, limits: Limits = LIMITS) -> PageImage:
    """One page's picture, ``number`` 1 for the first, in the bits in which it was scanned.

    Raises like :func:`open_document`; :class:`~ocr.errors.Damaged` for this page says nothing about the others.
    """
    form = _form(data, limits)
    if number < 1:
        raise Damaged(f"{number}ページ目がありません。")
    if form == "tiff":
        return tiff.tiff_page(data, number, limits)
    return pdf.pdf_page(data, number, limits) if form == "pdf" else picture.picture_page(data, number, limits)


def _form(data: bytes, limits: Limits) -> str:
    if len(data) > limits.document_bytes:
        raise TooLarge(f"ファイルが大きすぎます({len(data):,}バイト)。")
    if data.startswith(tiff.MAGIC):
        return "tiff"
    if data.startswith(picture.MAGIC):
        return "picture"
    if b"%PDF-" in data[:_HEADER_WITHIN]:
        return "pdf"
    raise Damaged("PDF・TIFF・画像のいずれでもないファイルか、壊れたファイルです。")
