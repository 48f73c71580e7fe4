"""Tables, stamps and the kind of a page, drawn; and all of it together from a real reading."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFont

from ocr.level import level
from ocr.page import PageImage, PageText
from ocr.read import read_page
from ocr.ring import rings
from ocr.signature import page_kind
from ocr.stamp import stamps
from ocr.table import tables
from tests.ocr.form import FONT, SIZE, Form

FAXED = {
    "clean": {},
    "skewed": {"angle": 2.8},
    "standard": {"standard": True},
    "specks": {"noise": 0.002},
}


def ruled(*, broken: bool = False) -> Form:
    """Three rows of two fields and a row that is one field."""
    form = Form()
    for row, (label, value) in enumerate(
        (("氏名", "見本 花子"), ("住所", "東都みどり区青葉台1-2-3"), ("電話", "03-5555-0100"))
    ):
        y = 400 + 90 * row
        form.pen.rectangle((200, y, 560, y + 90), outline=0, width=3)
        form.pen.rectangle((560, y, 1500, y + 90), outline=0, width=3)
        form.text(220, y + 30, label)
        form.text(580, y + 30, value)
    form.pen.rectangle((200, 670, 1500, 900), outline=0, width=3)
    form.text(220, 690, "備考")
    form.text(220, 740, "二行目です")
    if broken:  # what is lost on the way
        form.pen.rectangle((900, 395, 930, 405), fill=255)
        form.pen.rectangle((555, 430, 565, 441), fill=255)
    return form


@pytest.mark.parametrize("faxed", FAXED.values(), ids=FAXED)
@pytest.mark.parametrize("broken", [False, True])
def test_fields_of_a_table_have_their_place_and_words(faxed, broken: bool) -> None:
    (table,) = tables(ruled(broken=broken).level(**faxed))
    assert [(cell.row, cell.column, cell.rows, cell.columns, cell.text) for cell in table.cells] == [
        (0, 0, 1, 1, "氏名"),
        (0, 1, 1, 1, "見本 花子"),
        (1, 0, 1, 1, "住所"),
        (1, 1, 1, 1, "東都みどり区青葉台1-2-3"),
        (2, 0, 1, 1, "電話"),
        (2, 1, 1, 1, "03-5555-0100"),
        (3, 0, 1, 2, "備考\n二行目です"),
    ]
    if not faxed:
        assert table.box == pytest.approx((200, 400, 1500, 900), abs=12)
        assert table.cells[0].box == pytest.approx((200, 400, 560, 490), abs=12)


def test_text_and_a_single_frame_are_no_table() -> None:
    form = Form()
    for row in range(20):
        form.text(150, 300 + 50 * row, "一二三四五六七八九十口田日目国回一二三四五六七八九十")
    form.pen.rectangle((100, 250, 1600, 1400), outline=0, width=3)
    assert tables(form.level()) == ()


def received(form: Form, x: float, y: float, lines=("東都みどり", "R8.11.20", "保健所収受"), radius: int = 108) -> None:
    form.pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=0, width=4)
    for row, line in enumerate(lines):
        width = ImageFont.truetype(FONT, 20).getlength(line)
        form.text(x - width / 2, y - 50 + 36 * row, line, size=20)


def stamped(form: Form, **faxed):
    page = form.level(**faxed)
    return stamps(page, rings(page))


@pytest.mark.parametrize("faxed", FAXED.values(), ids=FAXED)
def test_a_stamp_that_stands_alone_keeps_its_words(faxed) -> None:
    form = Form()
    form.text(200, 300, "発生届")
    received(form, 1300, 350)
    (found,) = stamped(form, **faxed)
    assert found.stamp.text == "東都みどり\nR8.11.20\n保健所収受"
    assert found.runs == {1, 2, 3}
    if not faxed:
        assert found.stamp.box == pytest.approx((1192, 242, 1408, 458), abs=12)


def test_nothing_is_taken_from_writing_that_a_stamp_covers() -> None:
    form = Form()
    received(form, 700, 500, lines=())
    form.text(420, 480, "診断名 腸管出血性大腸菌感染症 と診断した")
    form.text(625, 540, "患者3名")
    (found,) = stamped(form)
    assert found.runs == frozenset()
    assert found.stamp.text == ""


def test_a_framed_stamp_is_known_by_lying_askew() -> None:
    for tilt, count in ((5.0, 1), (0.0, 0)):
        form = Form()
        tile = Form()
        tile.pen.rectangle((700, 500, 880, 580), outline=0, width=5)
        tile.text(755, 515, "至急", size=36)
        turned = tile.image.rotate(tilt, center=(790, 540), resample=Image.Resampling.BICUBIC, fillcolor=255)
        form.image.paste(turned)
        form.runs += tile.runs
        assert len(stamped(form)) == count


@pytest.mark.parametrize("faxed", [{}, {"standard": True}, {"noise": 0.002}], ids=["clean", "standard", "specks"])
def test_blank_is_a_page_without_a_stroke(faxed) -> None:
    form = Form()
    form.text(40, 10, "2026年11月20日 14時32分 みどり台病院 P.2/3", size=22)
    assert page_kind(form.level(**faxed), form.runs, ()) == "blank"
    streak = Image.new("L", SIZE, 255)
    streak.paste(0, (800, 0, 802, SIZE[1]))
    form.image.paste(streak, mask=Image.fromarray(255 - np.asarray(streak)))
    assert page_kind(form.level(**faxed), form.runs, ()) == "blank"
    form.text(800, 1000, "済", size=80, read="")  # a word by hand, that no engine reads
    assert page_kind(form.level(**faxed), form.runs, ()) == "content"


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("FAX送信票", "cover"),
        ("ファクシミリ送信票", "cover"),
        ("送 付 状", "cover"),
        ("FAX COVER SHEET", "cover"),
        ("検体送付票", "content"),
        ("FAX送信先変更届", "content"),
        ("発生届", "content"),
    ],
)
def test_a_cover_sheet_is_known_by_its_title(title: str, kind: str) -> None:
    form = Form()
    form.text(600, 300, title, size=48)
    for row in range(8):
        form.text(200, 500 + 60 * row, "平素よりお世話になっております。")
    assert page_kind(form.level(), form.runs, ()) == kind


def test_a_separator_has_next_to_nothing_but_its_code() -> None:
    form = Form()
    form.text(600, 900, "区切り用紙", size=60)
    assert page_kind(form.level(), form.runs, ()) == "separator"
    form = Form()
    form.text(600, 900, "DOC-001")
    assert page_kind(form.level(), form.runs, ("DOC-001",)) == "separator"
    assert page_kind(form.level(), form.runs, ()) == "content"


def test_a_real_reading_tells_all_of_it(paper, paddle) -> None:
    form = ruled()
    form.text(600, 200, "診断した者の類型", size=40)
    form.options(300, 1100, ["患者", "疑似症患者"], 1, "　・　")
    form.box(300, 1302, "check")
    form.text(340, 1300, "入院あり")
    form.box(700, 1302)
    form.text(740, 1300, "入院なし")
    received(form, 1350, 1600)
    page: PageText = read_page(
        paper.tiff(form.image.point(lambda value: 255 if value > 150 else 0, mode="1")), 1, paddle
    ).page
    assert page.kind == "content"
    assert {(mark.kind, mark.text, mark.on) for mark in page.marks} >= {
        ("box", "入院あり", True),
        ("box", "入院なし", False),
    }
    assert sorted(mark.on for mark in page.marks if mark.kind == "circle") in ([True], [False, True])
    assert [len(table.cells) for table in page.tables] == [7]
    assert page.tables[0].cells[1].text.replace(" ", "") == "見本花子"
    assert len(page.stamps) == 1
    assert "収受" in page.stamps[0].text
    assert "収受" not in page.text
    assert all("収受" not in word.text for word in page.words)


@pytest.mark.parametrize("ink", [0, 1])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3000, 4), (2, 900), (1728, 1146)])
def test_odd_pages_are_no_error(size: tuple[int, int], ink: int) -> None:
    page = level(PageImage(1, Image.new("1", size, ink), (204, 196)), (), 0.0)
    assert tables(page) == stamps(page, rings(page)) == ()
    assert page_kind(page, (), ()) == ("blank" if ink or min(size) < 100 else "content")
