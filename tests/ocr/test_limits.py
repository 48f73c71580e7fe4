"""Every limit bites, none is switched off, and the libraries are left as they were."""

from __future__ import annotations

import dataclasses
import io
import struct
import zlib

import pytest
from PIL import Image, ImageFile, PngImagePlugin
from pypdf import get_configuration
from pypdf.errors import LimitReachedError
from pypdf.filters import FlateDecode

from ocr import pdf
from ocr.document import LIMITS, Limits, open_document, page_image
from ocr.errors import Damaged, ReadingError, TooLarge
from ocr.image import skew, square
from ocr.page import PageImage
from ocr.tiff import bounded_pillow


def smaller(**limits: int) -> Limits:
    return dataclasses.replace(LIMITS, **limits)


def deep(paper, levels: int, times: int = 1) -> bytes:
    """Forms in forms, each drawn so many times."""
    form = "/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
    bodies = [
        f"<<{form} /Resources <</XObject <</F {6 + at} 0 R>>>> /Length {6 * times}>>stream\n".encode()
        + b"/F Do " * times
        + b"\nendstream"
        for at in range(levels)
    ]
    return paper.raw_pdf([*bodies, f"<<{form} /Length 1>>stream\nq\nendstream".encode()], contents=b"/I0 Do")


def pages(paper, count: int) -> bytes:
    return paper.tiff(*[paper.draw(height=40, width=64)] * count)


def strips(paper, count: int) -> bytes:
    part = paper.draw(height=80, width=640)
    contents = b" ".join(b"q 600 0 0 75 0 %d cm /I%d Do Q" % (725 - 75 * at, at) for at in range(count))
    return paper.raw_pdf([paper.picture(paper.bare(part), part.size)] * count, contents=contents)


BITES = {
    "document_bytes": (lambda paper: paper.tiff(paper.draw()), 100, "大きすぎ"),
    "pages": (lambda paper: pages(paper, 3), 2, "ページ数が上限"),
    "page_pixels": (lambda paper: paper.tiff(paper.draw()), 1728 * 700 - 1, "大きすぎ"),
    "page_edge": (lambda paper: paper.tiff(paper.draw()), 1727, "大きすぎ"),
    "stream_bytes": (lambda paper: paper.raw_pdf(contents=b"q " * 5000), 9999, "大きすぎ"),
    "drawing_bytes": (lambda paper: paper.raw_pdf(contents=b"q " * 5000), 9999, "大きすぎ"),
    "forms": (lambda paper: deep(paper, 3, 5), 155, "入れ子が多"),
    "form_depth": (lambda paper: deep(paper, 5), 4, "入れ子が深"),
    "pdf_objects": (lambda paper: paper.raw_pdf()[:-40].replace(b"xref", b"gone"), 3, "多すぎ"),
}


@pytest.mark.parametrize("name", BITES)
def test_the_limit_bites_and_one_more_is_enough(name, paper, monkeypatch):
    make, most, reason = BITES[name]
    data = make(paper)
    monkeypatch.setattr(pdf, "LIMITS", smaller(**{name: most}))  # mending has no limits of its own
    with pytest.raises(TooLarge, match=reason):
        read(data, smaller(**{name: most}))
    monkeypatch.undo()
    read(data, LIMITS)


def read(data: bytes, limits: Limits) -> None:
    for number in range(1, open_document(data, limits).pages + 1):
        page_image(data, number, limits)


def test_every_limit_is_tried_here():
    tried = set(BITES) | {"pictures"}
    assert tried == {field.name for field in dataclasses.fields(Limits)}


def test_more_pictures_than_strips_of_a_scan_are_drawn_not_joined(paper):
    data = strips(paper, 10)
    joined = page_image(data, 1, LIMITS)
    drawn = page_image(data, 1, smaller(pictures=9))
    assert joined.image.size == (640, 800)
    assert drawn.image.size != joined.image.size


def test_pypdf_has_no_limit_that_is_not_set_here():
    before = get_configuration()
    ours = {}
    for stream in (1_000_000, 30_000_000):  # twice, so that a default is never mistaken for a choice
        limits = Limits(stream_bytes=stream, page_edge=stream, drawing_bytes=stream, pdf_objects=stream, forms=stream)
        with pdf.pdf_limits(limits) as set_here:
            ours[stream] = dataclasses.asdict(set_here)
    by_hand = {"page_tree_maximum_depth": 100, "outline_maximum_depth": 100, "form_fields_maximum_depth": 100}
    by_hand |= {"named_destinations_maximum_depth": 100, "stream_filters_maximum_length": 8, "jbig2dec_binary": None}
    not_limits = {"page_merge_box", "disable_legacy_handling"}
    small, large = ours.values()
    unset = {name for name in small if small[name] == large[name]} - not_limits
    assert unset == set(by_hand)
    assert {name: small[name] for name in by_hand} == by_hand
    assert get_configuration() == before


def test_pypdfs_limit_ends_a_bomb_before_it_is_unpacked():
    bomb = zlib.compress(bytes(50_000_000), 9)
    with pdf.pdf_limits(smaller(stream_bytes=1_000_000)), pytest.raises(LimitReachedError):
        FlateDecode.decode(bomb)


def test_pillows_limit_is_ours_inside_and_its_own_outside():
    before = Image.MAX_IMAGE_PIXELS
    with bounded_pillow("画像", smaller(page_pixels=1234)):
        assert Image.MAX_IMAGE_PIXELS == 1234
    with pytest.raises(Damaged), bounded_pillow("画像"):
        raise ValueError
    assert before == Image.MAX_IMAGE_PIXELS == 89478485
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    assert PngImagePlugin.MAX_TEXT_CHUNK <= 1 << 20
    assert PngImagePlugin.MAX_TEXT_MEMORY <= 64 << 20


def test_pillows_warning_at_the_limit_is_an_error_here():
    file = io.BytesIO()
    Image.new("1", (1001, 1000)).save(file, "PNG")
    with pytest.raises(TooLarge):
        open_document(file.getvalue(), smaller(page_pixels=1_000_000))
    assert open_document(file.getvalue(), smaller(page_pixels=1_001_000)).pages == 1


def test_squaring_stays_within_the_limit():
    page = PageImage(1, Image.new("1", (1000, 1000)), (204.0, 51.0))
    assert square(page, smaller(page_pixels=4_000_000)).image.size == (1000, 4000)
    with pytest.raises(TooLarge):
        square(page, smaller(page_pixels=3_999_999))


@pytest.mark.parametrize("size", [(1, 50_000), (2, 40_000), (50_000, 1), (601, 50_000)])
def test_a_thread_of_dots_has_no_slant(size):
    """A page one dot wide was made 600 wide, and as many times as high: 30 million rows."""
    assert abs(skew(Image.new("L", size, 0))) < 7


def test_a_page_whose_picture_cannot_be_decoded_is_not_taken_for_an_empty_one(paper):
    page = paper.draw()
    data = paper.jbig2(page)
    good = paper.raw_pdf([paper.picture(data, page.size, "JBIG2Decode")])
    assert page_image(good, 1).image.size == page.size
    claims = struct.pack(">II", 65535, 65535).join(data.split(struct.pack(">II", *page.size)))
    bad = paper.raw_pdf([paper.picture(claims, page.size, "JBIG2Decode")])
    with pytest.raises(Damaged, match="展開できません"):
        page_image(bad, 1)


def test_an_empty_page_is_an_empty_page(paper):
    empty = Image.new("1", (1728, 700), 1)
    for data in (paper.pdf(empty), paper.raw_pdf()):
        assert page_image(data, 1).image.getextrema() == (255, 255)


def test_forms_within_the_limit_are_drawn(paper):
    data = deep(paper, 3, 4)
    assert page_image(data, 1)
    for wrong in (b"/F Do ", b"/#46 Do "):  # a name may be escaped (ISO 32000-1 7.3.5)
        ring = deep(paper, 1).replace(b"/F 6 0 R", b"/F 5 0 R").replace(b"/F Do ", wrong)
        with pytest.raises(ReadingError):
            page_image(ring, 1)
