"""Vertical writing set anew as a line."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr.column import as_line
from ocr.read import read_page

COLUMNS = (
    "拝啓、センターの開館時間",
    "を延ばすこと。バス停、改",
    "札口にスロープを設けるこ",
    "と。以上、お願いします。",
)


def set_down(columns: tuple[str, ...], paper: SimpleNamespace) -> Image.Image:
    """A page of vertical writing: commas in the upper right of their squares, the long vowel mark upright."""
    page = Image.new("L", (1728, 1300), 255)
    font = ImageFont.truetype(paper.FONT, 48)
    for number, text in enumerate(columns):
        for row, character in enumerate(text):
            square = Image.new("L", (48, 48), 255)
            ImageDraw.Draw(square).text((0, 0), character, 0, font=font)
            if character == "ー":
                square = square.rotate(-90)
            shift = (26, -26) if character in "、。" else (0, 0)
            page.paste(square, (1500 - 120 * number + shift[0], 140 + 54 * row + shift[1]))
    return page.point(lambda value: 255 if value > 150 else 0, mode="1")


def test_commas_stops_and_long_vowels_of_vertical_writing_are_read(paper, paddle):
    page = read_page(paper.tiff(set_down(COLUMNS, paper)), 1, paddle).page
    assert page.text.split("\n") == list(COLUMNS)
    assert page.turned == 0
    assert page.engine.endswith(" columns")


def test_a_column_becomes_a_line_of_its_squares():
    column = np.full((400, 60), 255, np.uint8)
    for top in (10, 60, 110, 210, 260):  # characters 40 high at a distance of 50, one place blank
        column[top : top + 40, 10:50] = 0
    line = as_line(column)
    assert line is not None
    dark = (line < 128).any(0)
    edges = np.flatnonzero(np.diff(dark.astype(int)))
    assert len(edges) == 10, "five characters"
    middles = (edges[::2] + edges[1::2]) / 2
    assert np.diff(middles) == pytest.approx([50, 50, 100, 50], abs=3)


@pytest.mark.parametrize("ink", [0, 3])
def test_an_empty_column_is_no_line(ink):
    column = np.full((300, 40), 255 - ink, np.uint8)
    assert as_line(column) is None
