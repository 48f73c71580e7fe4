"""The line at the top of a page, as machines print it and as OCR gives it."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.moment import TOKYO
from gateway.tti import Tti, read_tti, tti_of
from ocr.page import Word

NUMBER = "+81359990123"
WHEN = datetime(2027, 2, 14, 9, 7, tzinfo=TOKYO)
NAME = "高田馬場クリニック"
EARLIEST = datetime.fromisoformat("2000-01-01")
LATEST = datetime.fromisoformat("2098-12-31")

PRINTED = {
    "japanese": (
        "2027年02月14日 09時07分  高田馬場クリニック   FAX 03-5999-0123   P.001/003",
        Tti(WHEN, NAME, NUMBER, 1, 3),
    ),
    "letters for digits": (
        "2O27年O2月l4日 O9時O7分  高田馬場クリニック   FAX O3-5999-Ol23   P.OO1/OO3",
        Tti(WHEN, NAME, NUMBER, 1, 3),
    ),
    "spaces lost": ("2027年02月14日09時07分高田馬場クリニックFAX03-5999-0123P.001/003", Tti(WHEN, NAME, NUMBER, 1, 3)),
    "spaces inside": ("'27年 2月14日(日) 9時 7分  高田馬場クリニック  P.  2/  3", Tti(WHEN, NAME, None, 2, 3)),
    "reiwa": ("令和 9年 2月14日 9時07分 高田馬場クリニック 03(5999)0123 1頁/2頁", Tti(WHEN, NAME, NUMBER, 1, 2)),
    "job number": ("2027年 2月14日  9時07分  高田馬場クリニック      No.0429  P. 2/3", Tti(WHEN, NAME, None, 2, 3)),
    "weekday": ("送信元：高田馬場クリニック  2027年 2月14日(日) 09:07  ページ 2／3", Tti(WHEN, NAME, None, 2, 3)),
    "half-width kana": (
        "FROM:ﾀｶﾀﾞﾉﾊﾞﾊﾞ (FAX)0359990123      2027/02/14 09:07    P.002",
        Tti(WHEN, "タカダノババ", NUMBER, 2, None),
    ),
    "short": ("'27/02/14 09:07 FAX 0359990123  ﾀｶﾀﾞ    002", Tti(WHEN, "タカダ", NUMBER, 2, None)),
    "english": ("FEB-14-2027 SUN 09:07 AM   FAX NO. 03-5999-0123          P. 02/03", Tti(WHEN, None, NUMBER, 2, 3)),
    "english, OCR": ("14-FE8-2027 09:07 NO 03-5999-0123 P.01", Tti(None, "14-FE8-2027 09:07", NUMBER, 1, None)),
    "from, to": ("14-FEB-2027 09:07  FROM:TAKADA CLINIC  TO:0355501000  P.2/4", Tti(WHEN, "TAKADA CLINIC", None, 2, 4)),
    "afternoon": (
        "FROM : TAKADA CLINIC   FAX NO. : 03 5999 0123   Feb. 14 2027 10:15PM  P1",
        Tti(datetime(2027, 2, 14, 22, 15, tzinfo=TOKYO), "TAKADA CLINIC", NUMBER, 1, None),
    ),
    "november": (
        "N0V-3O-2O27 1O:O5 TAKADA CLINIC 03-5999-0123 P.1/1",
        Tti(datetime(2027, 11, 30, 10, 5, tzinfo=TOKYO), "TAKADA CLINIC", NUMBER, 1, 1),
    ),
    "arrow": (
        "14/02/2027 09:07 FAX 03-5999-0123  高田馬場クリニック  → 0355501000     002/003",
        Tti(WHEN, NAME, NUMBER, 2, 3),
    ),
    "ambiguous date": ("03/02/2027 09:07 0359990123 TAKADA PAGE 01/03", Tti(None, "TAKADA", NUMBER, 1, 3)),
    "year at the end": ("02/14 '27 09:07 FAX 03 5999 0123 TAKADA 001/003", Tti(WHEN, "TAKADA", NUMBER, 1, 3)),
    "seconds": (
        "From: 0359990123  Page: 2/5  Date: 2027/02/14 09:07:55",
        Tti(datetime(2027, 2, 14, 9, 7, 55, tzinfo=TOKYO), None, NUMBER, 2, 5),
    ),
    "abroad": (
        "2027-02-14 09:07   +44 20 7946 0812  GLOBAL TRADE LTD  P.1/1",
        Tti(WHEN, "GLOBAL TRADE LTD", "+442079460812", 1, 1),
    ),
    "a name with P3 in it": (
        "2027年02月14日 09時07分  P3薬局  FAX 03-5999-0123   P.001/003",
        Tti(WHEN, "P3薬局", NUMBER, 1, 3),
    ),
    "page without the whole": ("2027/02/14 09:07 高田馬場クリニック P. 4", Tti(WHEN, NAME, None, 4, None)),
    "page beyond the whole is none": (
        "2027/02/14 09:07 高田馬場クリニック 03-5999-0123 7/3",
        Tti(WHEN, f"{NAME} 7/3", NUMBER),
    ),
}


LINE = "2027/02/14 09:07 高田馬場クリニック P.1/2"
SAID = Tti(WHEN, NAME, None, 1, 2)


def at(text: str, top: int = 18, left: int = 40, height: int = 24) -> Word:
    """A word on a page of 1728 pixels' width; the machine's line stands some 3 mm below the edge."""
    return Word(text, (left, top, left + 12 * len(text), top + height), 0.95)


def said(*words: Word) -> Tti | None:
    found = read_tti(words, 1728)
    return found.tti if found else None


@pytest.mark.parametrize(("line", "expected"), PRINTED.values(), ids=PRINTED)
def test_line_is_read(line: str, expected: Tti) -> None:
    found = read_tti((at(line), at("発 生 届", 150), at("医師の氏名", 260)), 1728)
    assert found is not None
    assert found.tti == expected
    assert found.words == (0,)
    assert tti_of(json.loads(json.dumps(found.kept()))) == expected


def test_line_in_several_boxes_is_one() -> None:
    boxes = ("P.001/002", 1500), ("2027年02月14日 09時07分 高田馬場クリニック", 40), ("FAX 03-5999-0123", 900)
    words = [at(text, 18 + index, left) for index, (text, left) in enumerate(boxes)]
    found = read_tti([at("結核発生届", 150), *words], 1728)
    assert found is not None
    assert found.tti == Tti(WHEN, NAME, NUMBER, 1, 2)
    assert found.words == (1, 2, 3)
    assert found.box == (40, 18, 1608, 44)


def test_line_may_stand_under_a_stray_one() -> None:
    assert said(at("。", 2, height=8), at(LINE)) == SAID


def test_a_fax_that_was_passed_on_has_two_and_neither_is_content() -> None:
    found = read_tti((at("2027/02/14 11:30 P.1", 4, height=20), at(LINE, 34), at("結核発生届", 150)), 1728)
    assert found is not None
    assert found.words == (0, 1)
    assert found.tti.page == 1


def test_nothing_kept_is_no_line() -> None:
    assert tti_of({}) is None


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ["結核発生届", "患者情報", "1/3 ページ"],
        ["注 文 書", "株式会社テスト", "TEL 03-5999-0123"],
        ["令和9年2月14日", "保健所長 殿", "発生届"],
        ["診断(検案)した者の死亡日時 令和9年2月14日 9時07分"],
    ],
)
def test_content_is_no_tti(lines: list[str]) -> None:
    assert said(*(at(line, 18 + 60 * row) for row, line in enumerate(lines))) is None


def test_only_the_edge_of_the_page_counts() -> None:
    assert said(at(LINE, 60)) is None  # 9 mm below the edge: the form's own first line
    assert said(at("本文"), at(LINE, 200)) is None


@given(st.lists(st.text(alphabet="0123456789OIl|/.-: 年月日時分PＰpage令和JANNOV'→()", max_size=60), max_size=6))
def test_any_lines_are_survived(lines: list[str]) -> None:
    tti = said(*(at(line, 30 * row % 70) for row, line in enumerate(lines)))
    if tti is not None:
        assert tti.page is None or tti.page > 0
        assert tti.of is None or (tti.page is not None and tti.page <= tti.of)


@given(
    st.datetimes(EARLIEST, LATEST).map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.integers(1, 999),
    st.integers(0, 99),
)
def test_plain_lines_come_back(moment: datetime, page: int, more: int) -> None:
    line = f"{moment:%Y-%m-%d %H:%M}  {NAME} FAX 03-5999-0123  P.{page:03}/{page + more:03}"
    assert said(at(line)) == Tti(moment.replace(tzinfo=TOKYO), NAME, NUMBER, page, page + more)
