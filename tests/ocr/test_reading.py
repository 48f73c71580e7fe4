"""The chain from bytes to text, with the real engines."""

from __future__ import annotations

import io
import pickle
import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from ocr import paddle as paddle_engine
from ocr.read import read_document, read_page


def squeezed(text: str) -> str:
    return "".join(text.split())


def shown(reading) -> Image.Image:
    return Image.open(io.BytesIO(reading.png))


@pytest.mark.parametrize("dpi", [(204, 196), (204, 98), (204, 391)])
def test_paddle_reads_japanese_lines_in_order(paper, paddle, dpi):
    data = paper.tiff(paper.draw(dpi=dpi), dpi=dpi)
    page = read_page(data, 1, paddle).page
    # At 98 lines an inch an old form may be seen for the new one (診斷名): one character, and the order stands.
    wrong = Levenshtein.distance(squeezed(page.text), squeezed("".join(paper.LINES)))
    assert wrong <= (1 if dpi[1] < 100 else 0)
    assert page.text.count("\n") == len(paper.LINES) - 1
    assert page.confidence > 0.9
    assert page.turned == 0
    assert abs(page.skew) < 0.3
    assert page.engine.startswith("paddle/3.10")
    assert ("square" in page.engine.split()) == (dpi[1] != 196)


def test_what_is_shown_are_the_original_bits_squared(paper, paddle):
    page = paper.draw(dpi=paper.STANDARD)
    reading = read_page(paper.pdf(page, dpi=paper.STANDARD), 1, paddle)
    picture = shown(reading)
    assert picture.mode == "1"
    assert picture.size == (reading.page.width, reading.page.height) == (page.width, 2 * page.height)
    assert (np.asarray(picture)[::2] == np.asarray(page)).all()


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_turned_pages_are_read_and_shown_upright(paper, paddle, turned):
    page = paper.draw(height=1000)
    lying = page.rotate(turned, expand=True)  # counter-clockwise: it takes as much clockwise to stand
    reading = read_page(paper.tiff(lying), 1, paddle)
    assert reading.page.turned == turned
    assert squeezed(reading.page.text) == squeezed("".join(paper.LINES))
    assert paper.same(shown(reading), page)
    for word in reading.page.words:
        x0, y0, x1, y1 = word.box
        assert 0 <= x0 < x1 <= page.width
        assert 0 <= y0 < y1 <= page.height
        # The box holds the ink of its word.
        assert not np.asarray(page)[y0:y1, x0:x1].all()


def test_vertical_writing_is_not_taken_for_a_turned_page(paper, paddle):
    page = Image.new("L", (1728, 1400), 255)
    pen = ImageDraw.Draw(page)
    font = ImageFont.truetype(paper.FONT, 52)
    columns = (
        "拝啓時下ますます御清栄の",
        "こととお喜び申し上げます",
        "さて標記の件について次の",
        "とおり通知いたします敬具",
    )
    for index, column in enumerate(columns):
        for row, character in enumerate(column):
            pen.text((1400 - 160 * index, 150 + 64 * row), character, 0, font=font)
    reading = read_page(paper.tiff(page.convert("1")), 1, paddle)
    assert reading.page.turned == 0
    # from the right to the left
    assert reading.page.text.split("\n") == list(columns)


def test_a_second_look_without_blur_reads_half_width_katakana_better(paper, paddle, monkeypatch):
    names = ("ﾐﾄﾞﾘﾀﾞｲ ｿｳｺﾞｳﾋﾞｮｳｲﾝ", "ﾋｶﾞｼﾊﾏ ｶｲｶﾞﾝﾋﾞｮｳｲﾝ", "ﾆｼﾊﾗｼﾘﾂ ｶｸｳﾋﾞｮｳｲﾝ", "ﾄｳﾄﾁｭｳｵｳ ｷﾈﾝﾋﾞｮｳｲﾝ")
    sheet = Image.new("L", (1728, 500), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.truetype(paper.FONT, 30)
    for number, name in enumerate(names):
        pen.text((140, 60 + 90 * number), name, 0, font=font)
    data = paper.tiff(sheet.point(lambda value: 255 if value > 150 else 0, mode="1"))
    wanted = squeezed(unicodedata.normalize("NFKC", "".join(names)))

    def wrong() -> int:
        page = read_page(data, 1, paddle).page
        assert ("second-look" in page.engine.split()) == (paddle_engine._LOOK_AGAIN > 0)
        return Levenshtein.distance(wanted, unicodedata.normalize("NFKC", squeezed(page.text)))

    twice = wrong()
    monkeypatch.setattr(paddle_engine, "_LOOK_AGAIN", 0.0)
    assert twice < wrong()


@pytest.mark.parametrize("angle", [-5.0, 2.0])
def test_skewed_lines_keep_their_order(paper, paddle, angle):
    lines = tuple(f"{left}          {right}" for left, right in zip("一二三四五六", "ABCDEF", strict=True))
    lines = tuple(f"第{line[0]}号の報告者氏名        届出の年月日 令和{n}年" for n, line in enumerate(lines, 1))
    page = read_page(paper.tiff(paper.draw(lines, height=900, angle=angle)), 1, paddle).page
    assert page.skew == pytest.approx(angle, abs=0.3)
    assert [squeezed(line) for line in page.text.split("\n")] == [squeezed(line) for line in lines]


def test_salt_and_pepper_is_taken_out_for_the_engine_alone(paper, paddle):
    page = paper.draw(height=1400)
    flipped = np.random.default_rng(2).random((page.height, page.width)) < 0.008
    noisy = Image.fromarray((np.asarray(page) ^ flipped).astype(np.uint8) * 255).convert("1")
    reading = read_page(paper.tiff(noisy), 1, paddle)
    assert "despeckle" in reading.page.engine
    assert squeezed(reading.page.text) == squeezed("".join(paper.LINES))
    assert paper.same(shown(reading), noisy)


@pytest.mark.parametrize("name", ["paddle", "tesseract"])
def test_blank_page_has_no_words_and_no_confidence(paper, request, name):
    engine = request.getfixturevalue(name)
    reading = read_page(paper.tiff(Image.new("1", (1728, 1146), 1), dpi=paper.STANDARD), 1, engine)
    assert (reading.page.words, reading.page.text, reading.page.confidence) == ((), "", 0)
    assert shown(reading).size == (1728, 2292)


def test_all_black_and_tiny_pages_are_no_error(paper, paddle):
    for page in (Image.new("1", (1728, 1146), 0), Image.new("1", (1, 1), 0), Image.new("1", (3000, 2), 1)):
        assert read_page(paper.tiff(page), 1, paddle).page.text == ""


def test_tesseract_reads_a_japanese_line(paper, tesseract):
    page = read_page(paper.tiff(paper.draw()), 1, tesseract).page
    assert "診断名腸管出血性大腸菌感染症" in squeezed(page.text)
    assert "みどり台総合病院" in squeezed(page.text)
    assert page.engine.startswith("tesseract/")
    assert 0 < page.confidence < 0.9


def test_words_boxes_and_confidences(paper, paddle):
    page = read_page(paper.tiff(paper.draw(("左の欄の文字            右の欄の文字",))), 1, paddle).page
    assert [word.text for word in page.words] == ["左の欄の文字", "右の欄の文字"]
    left, right = (word.box for word in page.words)
    assert left[2] < right[0]
    # drawn at 140, 90 in 44 pixels a character
    assert left[0] == pytest.approx(140, abs=25)
    assert (left[1] + left[3]) / 2 == pytest.approx(112, abs=12)
    assert page.text == "左の欄の文字 右の欄の文字"
    assert all(0 < word.confidence <= 1 for word in page.words)


def test_text_is_kept_as_it_was_read(paper, paddle):
    # NFKC would turn ① into 1 and full-width forms into half-width ones.
    assert "①" in read_page(paper.tiff(paper.draw(("添付書類 ①診断書",))), 1, paddle).page.text


def test_read_document_joins_the_pages(paper, paddle):
    data = paper.tiff(paper.draw(("一枚目の文書です",), height=200), paper.draw(("二枚目の文書です",), height=200))
    transcript = read_document(data, paddle)
    assert transcript.kind == "tiff-g4"
    assert transcript.text == "一枚目の文書です\f二枚目の文書です"
    assert [page.number for page in transcript.pages] == [1, 2]
    assert pickle.loads(pickle.dumps(transcript)) == transcript  # noqa: S301  our own
