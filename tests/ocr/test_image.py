"""Squaring, despeckling, turning, and the skew measured on the pixels."""

from __future__ import annotations

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image

from ocr.barcode import barcodes
from ocr.image import despeckle, skew, square, turn
from ocr.page import PageImage

rng = np.random.default_rng


def salted(page: Image.Image, share: float) -> Image.Image:
    """The page with a share of its pixels flipped."""
    flipped = rng(1).random((page.height, page.width)) < share
    return Image.fromarray((np.asarray(page) ^ flipped).astype(np.uint8) * 255).convert("1", dither=Image.Dither.NONE)


@pytest.mark.parametrize(
    ("dpi", "times"),
    [
        ((204, 98), (1, 2)),
        ((200, 100), (1, 2)),
        ((204, 196), (1, 1)),
        ((200, 200), (1, 1)),
        ((204, 391), (2, 1)),
        ((200, 400), (2, 1)),
        ((408, 391), (1, 1)),
        ((408, 98), (1, 4)),
        ((300, 200), (1, 1.5)),
    ],
)
def test_square_repeats_rows_or_columns(dpi, times):
    page = Image.new("1", (60, 40), 1)
    found = square(PageImage(3, page, dpi))
    assert found.number == 3
    assert found.image.size == (60 * times[0], 40 * times[1])
    assert found.dpi[0] / found.dpi[1] == pytest.approx(1, abs=0.06)


def test_squaring_changes_no_bit(paper):
    page = paper.draw(dpi=paper.STANDARD)
    rows = np.asarray(square(PageImage(1, page, (204, 98))).image)
    assert (rows[::2] == np.asarray(page)).all()
    assert (rows[1::2] == np.asarray(page)).all()


def test_absurd_resolutions_do_not_blow_the_page_up():
    page = Image.new("1", (100, 100), 1)
    for dpi in ((1300.0, 1.0), (1.0, 1300.0), (0.0, 0.0)):
        found = square(PageImage(1, page, dpi)).image
        assert found.width * found.height <= 4 * 100 * 100


def test_despeckle_cleans_a_drowned_page_and_leaves_others_alone(paper):
    page = paper.draw(height=1400)
    assert despeckle(page) is None
    noisy = salted(page, 0.01)
    clean = despeckle(noisy)
    assert clean is not None
    wrong = [(np.asarray(image) != np.asarray(page)).sum() for image in (noisy, clean)]
    assert wrong[1] < 0.4 * wrong[0]
    assert despeckle(page.convert("L")) is None


def test_turn_is_clockwise():
    page = Image.new("1", (2, 3), 1)
    page.putpixel((0, 0), 0)
    assert turn(page, 0).getpixel((0, 0)) == 0
    assert turn(page, 90).size == (3, 2)
    assert turn(page, 90).getpixel((2, 0)) == 0
    assert turn(page, 180).getpixel((1, 2)) == 0
    assert turn(page, 270).getpixel((0, 1)) == 0


@pytest.mark.parametrize("angle", [-4.0, -1.5, 0.0, 0.7, 3.0])
def test_skew_of_the_pixels(paper, angle):
    assert skew(paper.draw(height=1400, angle=angle)) == pytest.approx(angle, abs=0.2)


def test_skew_of_an_empty_page_is_none():
    assert skew(Image.new("1", (1728, 2292), 1)) == 0


def test_barcodes_in_their_order_with_kind_and_box_and_upside_down(paper):
    page = paper.draw(height=1400).convert("L")
    codes = {(1200, 100): "FAXLESS:受付:0123", (1200, 700): "https://example.jp/42", (200, 1000): "FAXLESS:受付:0123"}
    for place, text in codes.items():
        code = Image.fromarray(255 - 255 * np.array(list(segno.make(text, error="m").matrix), np.uint8))
        page.paste(code.resize((code.width * 8, code.height * 8), Image.Resampling.NEAREST), place)
    bars = zxingcpp.create_barcode("FORM-17", zxingcpp.BarcodeFormat.Code128)
    page.paste(Image.fromarray(np.asarray(bars.to_image(scale=3))), (800, 1200))
    found = barcodes(page.convert("1"))
    assert [(code.value, code.kind) for code in found] == [
        *((text, "QR Code") for text in codes.values()),
        ("FORM-17", "Code 128"),
    ]
    for place, code in zip(codes, found, strict=False):
        side = len(segno.make(code.value, error="m").matrix) * 8
        assert code.box == pytest.approx((*place, place[0] + side, place[1] + side), abs=4)
    width, height = page.size
    for code, turned in zip(found, reversed(barcodes(page.rotate(180))), strict=True):
        x0, y0, x1, y1 = code.box
        assert turned.value == code.value
        assert turned.box == pytest.approx((width - x1, height - y1, width - x0, height - y0), abs=4)
    assert barcodes(paper.draw()) == ()
