"""A file that ends before its pages do: what is there is read, and that something is missing is said."""

from __future__ import annotations

import contextlib
import io

import img2pdf
import pytest
from PIL import Image, ImageDraw

from ocr.document import open_document
from ocr.errors import Damaged


def three_pages() -> list[Image.Image]:
    pages = []
    for number in range(3):
        page = Image.new("1", (1728, 1146), 1)
        draw = ImageDraw.Draw(page)
        for line in range(40):
            draw.line([(50, 20 + 28 * line), (1600 - 7 * line * (number + 1), 24 + 28 * line)], fill=0, width=3)
        pages.append(page)
    return pages


def tiff() -> bytes:
    first, *others = three_pages()
    kept = io.BytesIO()
    first.save(kept, "TIFF", save_all=True, append_images=others, compression="group4", dpi=(204, 98))
    return kept.getvalue()


@pytest.mark.parametrize("share", [0.98, 0.8, 0.6, 0.5])
def test_a_tiff_cut_anywhere_behind_its_first_page_says_so(share: float) -> None:
    whole = tiff()
    assert open_document(whole).cut_off is False
    cut = open_document(whole[: int(len(whole) * share)])
    assert cut.cut_off
    assert 1 <= cut.pages <= 3


@pytest.mark.parametrize("share", [0.99, 0.9, 0.7])
def test_a_pdf_whose_end_is_lost_says_so(share: float) -> None:
    whole = img2pdf.convert(tiff())
    assert open_document(whole).cut_off is False
    assert open_document(whole + b"\0" * 512 + b"\r\n").cut_off is False
    with contextlib.suppress(Damaged):  # said louder
        assert open_document(whole[: int(len(whole) * share)]).cut_off


def test_bytes_behind_the_last_page_are_no_loss() -> None:
    assert open_document(tiff() + b"padding" * 100).cut_off is False
