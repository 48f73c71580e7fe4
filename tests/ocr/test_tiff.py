"""Fax TIFFs (RFC 3949): every compression, resolution and oddity that machines write."""

from __future__ import annotations

import struct
import time

import pytest
from PIL import Image, ImageChops

from ocr.document import Limits, open_document, page_image
from ocr.errors import Damaged, TooLarge
from ocr.page import Document

X, Y, UNIT, OPTIONS, PHOTOMETRIC, FILL_ORDER = 282, 283, 296, 292, 262, 266


def entries(data: bytes) -> dict[int, int]:
    """Where the value of each tag of the first page of a little-endian TIFF stands."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    return {struct.unpack_from("<H", data, start + 2 + 12 * n)[0]: start + 10 + 12 * n for n in range(count)}


@pytest.mark.parametrize(
    ("compression", "options", "kind"),
    [
        ("group3", {}, "tiff-g3"),
        ("group3", {OPTIONS: 1}, "tiff-g3"),
        ("group3", {OPTIONS: 5}, "tiff-g3"),
        ("group4", {}, "tiff-g4"),
        ("tiff_ccitt", {}, "tiff-g3"),
        ("tiff_lzw", {}, "tiff-other"),
        (None, {}, "tiff-other"),
    ],
)
@pytest.mark.parametrize("dpi", [(204, 98), (204, 196), (204, 391), (200, 100), (200, 200), (200, 400), (408, 391)])
def test_bits_and_resolution_of_every_compression(paper, compression, options, kind, dpi):
    page = paper.draw(dpi=dpi, height=300)
    data = paper.tiff(page, compression=compression, dpi=dpi, tiffinfo=options)
    assert open_document(data) == Document(kind, 1)
    found = page_image(data, 1)
    assert paper.same(found.image, page)
    assert found.dpi == pytest.approx(dpi)


def test_many_pages_of_mixed_resolution(paper):
    pages = [paper.draw(height=300), paper.draw(dpi=paper.STANDARD, height=300), paper.draw(height=400)]
    data = paper.tiff(*pages, compression="group3", dpi=None)
    assert open_document(data) == Document("tiff-g3", 3)
    for number, page in enumerate(pages, 1):
        assert paper.same(page_image(data, number).image, page)
    with pytest.raises(Damaged):
        page_image(data, 4)


def test_white_is_zero_and_either_fill_order(paper):
    page = paper.draw(height=300)
    for fill_order in (1, 2):
        data = paper.tiff(ImageChops.invert(page), tiffinfo={FILL_ORDER: fill_order})
        places = entries(data)
        white_is_zero = bytearray(data)
        struct.pack_into("<H", white_is_zero, places[PHOTOMETRIC], 0)
        assert paper.same(page_image(bytes(white_is_zero), 1).image, page)


def test_resolution_in_centimetres(paper):
    page = paper.draw(dpi=paper.STANDARD, height=300)
    data = paper.tiff(page, dpi=None, tiffinfo={X: 80.3, Y: 38.6, UNIT: 3})
    assert page_image(data, 1).dpi == pytest.approx((204, 98), rel=0.01)


@pytest.mark.parametrize(("width", "paper_rows"), [(1728, 2292), (2048, 2809), (2432, 3241)])
@pytest.mark.parametrize(("lines", "share"), [(98, 0.5), (196, 1), (391, 2)])
@pytest.mark.parametrize("tags", [{}, {X: 1.0, Y: 1.0}, {X: 72.0, Y: 72.0}])
def test_resolution_is_told_by_the_size_where_the_tags_do_not(paper, width, paper_rows, lines, share, tags):
    page = Image.new("1", (width, round(paper_rows * share)), 1)
    found = page_image(paper.tiff(page, dpi=None, tiffinfo=tags), 1)
    assert found.dpi == pytest.approx((204, lines), rel=0.01)


def test_zero_denominator_is_no_resolution(paper):
    data = bytearray(paper.tiff(paper.draw(height=2292)))
    for tag in (X, Y):
        (place,) = struct.unpack_from("<I", data, entries(bytes(data))[tag])
        struct.pack_into("<II", data, place, 0, 0)
    assert page_image(bytes(data), 1).dpi == (204, 196)


def test_loop_in_the_chain_of_pages_ends_it(paper):
    data = bytearray(paper.tiff(*[paper.draw(height=60)] * 3))
    (first,) = struct.unpack_from("<I", data, 4)
    place, last = first, first
    while True:  # the last page points back to the first
        (count,) = struct.unpack_from("<H", data, place)
        last = place + 2 + 12 * count
        (place,) = struct.unpack_from("<I", data, last)
        if not place:
            break
    struct.pack_into("<I", data, last, first)
    assert open_document(bytes(data)).pages == 3
    assert page_image(bytes(data), 3).image.height == 60


def test_a_page_that_points_to_itself_is_one_page(paper):
    data = bytearray(paper.tiff(paper.draw(height=60)))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    assert open_document(bytes(data)).pages == 1


def test_bomb_of_60000_square_pixels_is_too_large_at_once(paper):
    data = bytearray(paper.tiff(paper.draw(height=60)))
    for tag in (256, 257):
        place = entries(bytes(data))[tag]
        struct.pack_into("<HI", data, place - 6, 4, 1)
        struct.pack_into("<I", data, place, 60_000)
    started = time.process_time()
    with pytest.raises(TooLarge):
        page_image(bytes(data), 1)
    # CPU, not the clock: unpacking 3,600 million pixels takes minutes
    assert time.process_time() - started < 5


def test_page_over_the_limit_is_too_large(paper):
    data = paper.tiff(paper.draw())
    with pytest.raises(TooLarge):
        page_image(data, 1, Limits(page_pixels=1_000_000))
    with pytest.raises(TooLarge):
        open_document(paper.tiff(*[paper.draw(height=40)] * 4), Limits(pages=3))
    with pytest.raises(TooLarge):
        open_document(data, Limits(document_bytes=1000))


def strip_last(paper, page: Image.Image, compression: str) -> bytes:
    """A TIFF with its table of contents before its strip, as fax machines stream it."""
    data = paper.tiff(page, compression=compression, tiffinfo={278: page.height})
    (start,) = struct.unpack_from("<I", data, 4)
    places = entries(data)
    (offset,), (size,) = struct.unpack_from("<I", data, places[273]), struct.unpack_from("<I", data, places[279])
    (count,) = struct.unpack_from("<H", data, start)
    table = bytearray(data[start : start + 2 + 12 * count + 4])
    shift = 8 + len(table) + 16  # two rationals behind the table
    for tag, value in ((273, shift), (X, 8 + len(table)), (Y, 16 + len(table))):
        struct.pack_into("<I", table, places[tag] - start, value)
    rationals = struct.pack("<IIII", 204, 1, 196, 1)
    return b"II*\0" + struct.pack("<I", 8) + bytes(table) + rationals + data[offset : offset + size]


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_cut_strip_gives_the_rows_that_are_there(paper, compression):
    page = paper.draw(tuple(f"第{n}行 届出の内容は次のとおりです" for n in range(1, 15)), height=1700)
    whole = strip_last(paper, page, compression)
    assert paper.same(page_image(whole, 1).image, page)
    cut = page_image(whole[: len(whole) * 2 // 3], 1).image
    assert cut.size == page.size
    top = (0, 0, page.width, page.height // 2)
    assert paper.same(cut.crop(top), page.crop(top))


def test_nothing_left_is_damaged(paper):
    whole = strip_last(paper, paper.draw(), "group4")
    for length in (4, 8, 20, 150):
        with pytest.raises(Damaged):
            page_image(whole[:length], 1)


def test_grey_and_colour_pages_become_grey(paper):
    page = paper.draw(height=300).convert("RGB")
    found = page_image(paper.tiff(page, compression="tiff_lzw"), 1)
    assert found.image.mode == "L"
    assert paper.same(found.image, page.convert("L"))


def test_big_endian_and_bigtiff(paper):
    page = paper.draw(height=64, width=64)
    rows = page.tobytes()
    big_endian = (
        b"MM\0*" + struct.pack(">I", 8) + struct.pack(">H", 7)
        + b"".join(
            struct.pack(">HHI", tag, 4, 1) + struct.pack(">I", value)
            for tag, value in ((256, 64), (257, 64), (258, 1), (259, 1), (262, 1), (273, 98), (279, len(rows)))
        )
        + struct.pack(">I", 0) + rows
    )  # fmt: skip
    assert paper.same(page_image(big_endian, 1).image, page)
    assert paper.same(page_image(paper.tiff(page, big_tiff=True), 1).image, page)
