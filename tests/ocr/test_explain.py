"""The picture that explains a reading: what was seen beside what was read, and what was done."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image, ImageChops

from ocr.explain import WIDTH, Told, explained, japanese_font
from ocr.page import Barcode, Cell, Mark, PageText, Stamp, Table, Word

PAGE = PageText(
    number=1,
    width=600,
    height=800,
    words=(
        Word("発生届", (100, 100, 250, 150), 0.98),
        Word("不明", (300, 100, 400, 150), 0.70),
        Word("縦に読む", (500, 200, 540, 400), 0.30),
    ),
    text="発生届 不明\n縦に読む",
    confidence=0.8,
    turned=90,
    skew=1.5,
    barcodes=(Barcode("DOC-001", "QR Code", (420, 600, 560, 740)),),
    masked=((100, 500, 300, 560),),
    engine="drawn/1 square turn90",
)
TOLD = Told("fax.pdf   1 / 2", 1.25, {"disease": (100, 100, 250, 150)}, ("held",))
GREEN, ORANGE, RED, BLUE, PURPLE = (0, 125, 60), (190, 100, 0), (200, 0, 30), (20, 80, 200), (130, 0, 130)


def page_png() -> bytes:
    file = io.BytesIO()
    Image.new("1", (600, 800), 1).save(file, "PNG")
    return file.getvalue()


def shown(page: PageText | None, png: bytes, told: Told = TOLD, font: Path | None = None) -> Image.Image:
    with Image.open(io.BytesIO(explained(page, png, told, font))) as image:
        return image.convert("RGB")


def has(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    return colour in {used for _, used in image.getcolors(1 << 24) or []}


def test_words_stand_in_their_boxes_in_the_colour_of_their_confidence(paper: SimpleNamespace) -> None:
    image = shown(PAGE, page_png(), font=Path(paper.FONT))
    assert image.width > 2 * WIDTH
    for colour in (GREEN, ORANGE, RED, BLUE, PURPLE):
        assert has(image, colour)
    bottom = image.height - 16
    scale = WIDTH / 600
    top = bottom - round(800 * scale)
    for half in (16, 32 + WIDTH):
        for word, colour in zip(PAGE.words, (GREEN, ORANGE, RED), strict=True):
            x0, y0, x1, y1 = (round(edge * scale) for edge in word.box)
            assert has(image.crop((half + x0, top + y0, half + x1, top + y1)), colour), word


def test_every_word_is_drawn_on_the_right(paper: SimpleNamespace) -> None:
    with_words = shown(PAGE, page_png(), font=Path(paper.FONT))
    bare = PageText(**{field: getattr(PAGE, field) for field in PAGE.__slots__} | {"words": ()})
    without = shown(bare, page_png(), font=Path(paper.FONT))
    right = (32 + WIDTH, 300, with_words.width, with_words.height)
    assert ImageChops.difference(with_words.crop(right), without.crop(right)).getbbox()
    assert not has(without.crop(right), RED)


def test_a_page_that_could_not_be_read_says_why() -> None:
    image = shown(None, b"", Told("fax.pdf   2 / 2", 0.1, remarks=("ページ目が壊れています。",)))
    assert image.height > WIDTH // 4
    assert not has(image.crop((0, 150, *image.size)), GREEN)


def test_marks_tables_stamps_and_the_senders_line_have_their_colours() -> None:
    form = {
        "marks": (
            Mark("box", "発熱", (60, 600, 84, 624), True, 0.9),
            Mark("box", "下痢", (60, 650, 84, 674), False, 0.9),
        ),
        "tables": (Table((300, 600, 500, 700), (Cell(0, 0, 1, 1, (300, 600, 500, 700), ""),)),),
        "stamps": (Stamp((420, 420, 500, 500), "収受"),),
    }
    page = PageText(**{field: getattr(PAGE, field) for field in PAGE.__slots__} | form)
    colours = (230, 0, 120), (240, 160, 200), (0, 150, 150), (160, 90, 30), (90, 110, 130)
    plain, drawn = shown(PAGE, page_png()), shown(page, page_png(), Told("fax.pdf", 1.0, sender=(20, 10, 580, 40)))
    for colour in colours:
        assert has(drawn, colour)
        assert not has(plain, colour)


def test_blocks_and_barcodes_have_theirs() -> None:
    bare = PageText(**{field: getattr(PAGE, field) for field in PAGE.__slots__} | {"words": (), "barcodes": ()})
    drawn, plain = shown(PAGE, page_png()), shown(bare, page_png())
    for colour in ((150, 110, 220), (110, 120, 0)):
        assert has(drawn, colour)
        assert not has(plain, colour)


def test_odd_words_are_drawn_somehow(paper: SimpleNamespace) -> None:
    words = (Word("", (0, 0, 0, 0), 0.0), Word("\x00\ud800𠮷", (5, 5, 4, 4), 1.0), Word("x" * 500, (0, 0, 9, 9), 0.5))
    page = PageText(**{field: getattr(PAGE, field) for field in PAGE.__slots__} | {"words": words})
    for font in (Path(paper.FONT), None):
        assert shown(page, page_png(), font=font).size[0] > WIDTH


def test_the_machines_own_font_is_found_where_there_is_one(
    paper: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = japanese_font()
    assert found is not None
    assert found.is_file()
    monkeypatch.setattr("ocr.explain._FONTS", ("/nowhere/font.ttf",))
    assert japanese_font() is None
