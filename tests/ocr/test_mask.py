"""Blacked-out fields are found, and nothing else that is dark on a page."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr.mask import masked
from ocr.page import Box, PageImage

FONT = "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf"


def found_on(image: Image.Image) -> tuple[Box, ...]:
    return masked(PageImage(1, image, (204, 196)))


def form() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("1", (1728, 2292), 1)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(FONT, 34)
    for row in range(12):
        draw.rectangle((120, 300 + 120 * row, 1600, 420 + 120 * row), outline=0, width=3)
        draw.text((140, 330 + 120 * row), "当該者氏名 性別 生年月日 診断時の年齢", 0, font=font)
    draw.text((500, 120), "感染症発生届", 0, font=ImageFont.truetype(FONT, 110))
    return page, draw


def test_a_form_without_bars_has_none() -> None:
    assert found_on(form()[0]) == ()


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_bars_over_name_and_address_are_found(noise: float) -> None:
    page, draw = form()
    bars = [(700, 320, 1100, 390), (700, 560, 1500, 630)]
    for bar in bars:
        draw.rectangle(bar, fill=0)
    dots = np.asarray(page).copy()
    dots ^= np.random.default_rng(1).random(dots.shape) < noise
    found = found_on(Image.fromarray(dots))
    assert len(found) == len(bars)
    for bar, box in zip(bars, found, strict=True):
        assert all(abs(a - b) <= 4 for a, b in zip(bar, box, strict=True))


@pytest.mark.parametrize(
    "dark",
    [
        pytest.param((0, 0, 1727, 60), id="an open lid"),
        pytest.param((1690, 0, 1727, 2291), id="a dark edge"),
        pytest.param((120, 900, 1600, 915), id="a heavy rule"),
        pytest.param((200, 900, 215, 2000), id="a streak"),
        pytest.param((150, 500, 1600, 1900), id="a dark picture"),
        pytest.param((300, 900, 345, 945), id="a ticked box"),
    ],
)
def test_what_is_only_dark_is_no_mask(dark: tuple[int, int, int, int]) -> None:
    page, draw = form()
    draw.rectangle(dark, fill=0)
    assert found_on(page) == ()


def test_white_writing_on_a_black_banner_is_no_mask() -> None:
    page, draw = form()
    draw.rectangle((150, 100, 1500, 230), fill=0)
    draw.text((300, 115), "特別価格のご案内", 1, font=ImageFont.truetype(FONT, 100))
    assert found_on(page) == ()
