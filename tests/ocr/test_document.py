"""What is sniffed, and that no bytes whatever bring anything but a ReadingError."""

from __future__ import annotations

import io
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr.document import Limits, open_document, page_image
from ocr.errors import Damaged, ReadingError
from ocr.page import Document, PageImage

HEADS = (b"", b"II*\0", b"MM\0*", b"II+\0", b"%PDF-1.4\n", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
SMALL = Limits(document_bytes=2_000_000, pages=20, page_pixels=4_000_000, stream_bytes=2_000_000)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_pictures_are_documents_of_one_page(paper, form):
    file = io.BytesIO()
    paper.draw().convert("L").save(file, form, dpi=(200, 200))
    assert open_document(file.getvalue()) == Document("image", 1)
    found = page_image(file.getvalue(), 1)
    assert found.image.size == (1728, 700)
    assert found.dpi == pytest.approx((200, 200), rel=0.01)
    with pytest.raises(Damaged):
        page_image(file.getvalue(), 2)


def test_photographed_page_is_turned_as_its_exif_says(paper):
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    paper.draw().convert("L").save(file, "JPEG", exif=exif)
    assert page_image(file.getvalue(), 1).image.size == (700, 1728)


def test_transparent_paper_is_white():
    file = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(file, "PNG")
    assert page_image(file.getvalue(), 1).image.getextrema() == (255, 255)


@pytest.mark.parametrize("data", [*HEADS, b"\0", b"II", b"%PDF-", b"MM\0*\0\0\0\x08", b"GIF89a" + bytes(99), b"<html>"])
def test_what_is_no_document_is_damaged(data):
    for call in (open_document, lambda data: page_image(data, 1)):
        with pytest.raises(Damaged) as caught:
            call(data)
        assert not caught.value.again
        assert caught.value.advice


def test_pillow_is_left_as_it_was(paper):
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    page_image(paper.tiff(paper.draw()), 1)
    with pytest.raises(Damaged):
        open_document(b"II*\0")
    assert before == (Image.MAX_IMAGE_PIXELS, list(warnings.filters))


def attempt(data: bytes) -> None:
    """Open and read all pages; only what callers expect may come out."""
    try:
        document = open_document(data, SMALL)
        assert document.pages >= 1
        for number in range(1, min(document.pages, 4) + 1):
            try:
                page = page_image(data, number, SMALL)
            except ReadingError as error:
                assert str(error)
            else:
                assert isinstance(page, PageImage)
                assert page.image.mode in ("1", "L")
                assert min(page.dpi) > 0
    except ReadingError as error:
        assert str(error)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([b"", b"II*\0", b"MM\0*", b"II+\0", b"%PDF-1.4\n", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]),
    st.binary(max_size=400),
)
def test_random_bytes_give_a_reading_error(head, rest):
    attempt(head + rest)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_documents_give_a_page_or_a_reading_error(paper, data):
    page = paper.draw(("第三号様式",), height=200, width=640)
    kinds = {
        "g4": lambda: paper.tiff(page, page),
        "g3": lambda: paper.tiff(page, compression="group3"),
        "pdf": lambda: paper.pdf(page, page),
        "raw": lambda: paper.raw_pdf([paper.picture(paper.bare(page), page.size)]),
        "jbig2": lambda: paper.raw_pdf([paper.picture(paper.jbig2(page), page.size, "JBIG2Decode")]),
    }
    document = bytearray(kinds[data.draw(st.sampled_from(sorted(kinds)))]())
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, len(document) - 1))
        document[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del document[data.draw(st.integers(0, len(document) - 1)) :]
    attempt(bytes(document))
