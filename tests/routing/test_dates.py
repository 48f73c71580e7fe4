"""Dates as forms write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.dates import find, nearest, parse

DAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    "written",
    [
        "R8.11.23",
        "Ｒ８．１１．２３",
        "r8/11/23",
        "R08-11-23",
        "令和8年11月23日",
        "令和８年１１月２３日",
        "令和 8 年 11 月 23 日",
        "令和八年十一月二十三日",
        "㋿8年11月23日",
        "(令和)8年11月23日",
        "令8.11.23",
        "2026年11月23日",
        "2026/11/23",
        "2026-11-23",
        "2026.11.23",
        "二〇二六年十一月二十三日",
        "報告年月日 令和8年11月23日 14時30分",
    ],
)
def test_every_writing_is_one_day(written: str) -> None:
    found = parse(written)
    assert found is not None
    assert (found.date, found.warning) == (DAY, None)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("令和元年5月1日", date(2019, 5, 1)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("S60.3.7", date(1985, 3, 7)),
        ("㍻30年1月1日", date(2018, 1, 1)),
        ("大正元年7月30日", date(1912, 7, 30)),
        ("明治45年7月29日", date(1912, 7, 29)),
        ("令和六年二月二十九日", date(2024, 2, 29)),
    ],
)
def test_eras(written: str, day: date) -> None:
    found = parse(written)
    assert found is not None
    assert (found.date, found.warning) == (day, None)


@pytest.mark.parametrize(
    ("written", "day", "word"),
    [
        ("平成38年11月23日", DAY, "平成が終わった後"),
        ("H31.5.1", date(2019, 5, 1), "平成が終わった後"),
        ("昭和64年1月8日", date(1989, 1, 8), "昭和が終わった後"),
        ("令和元年4月30日", date(2019, 4, 30), "令和が始まる前"),
        ("昭・平・令 8年11月23日", DAY, "元号の選択"),
        ("大正・昭和・平成・令和 8年11月23日", DAY, "元号の選択"),
        ("合和8年11月23日", DAY, "読み取りにくい"),
        ("令和8年11川23日", DAY, "読み取りにくい"),
        ("乎成30年1月1日", date(2018, 1, 1), "読み取りにくい"),
    ],
)
def test_odd_dates_are_converted_with_a_warning(written: str, day: date, word: str) -> None:
    found = parse(written)
    assert found is not None
    assert found.date == day
    assert found.warning is not None
    assert word in found.warning


@pytest.mark.parametrize(
    "written",
    [
        "",
        "令和 年 月 日",
        "令和8年13月1日",
        "令和8年2月30日",
        "H30.2.30",
        "11/26",
        "8年9月4日",
        "PO-2026-71136",
        "03-5388-1396",
        "192.168.1.2",
        "令和100年1月1日",
        "令和0年1月1日",
    ],
)
def test_no_date_is_none(written: str) -> None:
    assert parse(written) is None


@given(st.dates(date(2019, 5, 1), date(2099, 12, 31)), st.booleans(), st.sampled_from(["", " "]))
def test_reiwa_round_trip(day: date, wide: bool, gap: str) -> None:
    written = f"令和{gap}{day.year - 2018}{gap}年{gap}{day.month}{gap}月{gap}{day.day}{gap}日"
    if wide:
        written = written.translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)})
    found = parse(f"診断年月日 {written} 備考")
    assert found is not None
    assert (found.date, found.warning) == (day, None)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("合和8年8月201", 20),
        ("平成38年7月711", 7),
        ("令和8年9月1911", 19),
        ("令和8年8月291", 29),
        ("令和8年8月311", None),
        ("8月111", None),
    ],
)
def test_strokes_for_the_last_letter_are_no_digits(written: str, day: int | None) -> None:
    found = parse(written)
    assert (found.date.day if found is not None else None) == day
    assert found is None or "読み取りにくい" in (found.warning or "") or "平成が終わった後" in (found.warning or "")


@given(st.integers(1, 31), st.sampled_from(["1", "11"]))
def test_strokes_never_make_another_day(day: int, strokes: str) -> None:
    digits = f"{day}{strokes}"
    found = parse(f"令和8年8月{digits}")
    assert len(digits) < 3 or found is None or found.date.day == day


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    assert all(isinstance(found.date, date) and found.raw for found in find(text))


@pytest.mark.parametrize(
    "text", ["昭・" * 300_000, "令和8年" * 200_000, "1" * 1_000_000, " " * 1_000_000, "2026-1-1 " * 100_000]
)
def test_hostile_text_ends(text: str) -> None:
    assert len(find(text)) <= 500


@pytest.mark.parametrize(
    ("written", "era", "day"),
    [
        ("30年11月26日", "昭", date(1955, 11, 26)),
        ("30年11月26日", "昭和", date(1955, 11, 26)),
        ("3年4月5日", "平成", date(1991, 4, 5)),
        ("昭・平・令 3年4月5日", "平", date(1991, 4, 5)),
        ("令和8年5.月24日", None, date(2026, 5, 24)),
        ("成38年11月20日", None, date(2026, 11, 20)),
    ],
)
def test_an_era_chosen_by_a_circle(written: str, era: str | None, day: date) -> None:
    found = nearest(written, DAY, era)
    assert found is not None
    assert found.date == day


@pytest.mark.parametrize(
    ("written", "day", "word"),
    [
        ("8年11月20日", date(2026, 11, 20), "元号の記載がない"),
        ("11月20日", date(2026, 11, 20), "年の記載がない"),
        ("11/24", date(2025, 11, 24), "年の記載がない"),
        ("2月29日", date(2024, 2, 29), "年の記載がない"),
    ],
)
def test_a_date_without_its_year_is_the_last_one(written: str, day: date, word: str) -> None:
    found = nearest(written, DAY)
    assert found is not None
    assert (found.date, word in (found.warning or "")) == (day, True)


@pytest.mark.parametrize("written", ["", "年月日", "60年3月7日", "0年1月1日", "13月1日", "2月30日", "1/2/3/4", "20/11"])
def test_nothing_is_made_up(written: str) -> None:
    assert nearest(written, DAY) is None


@given(st.text(max_size=200), st.dates(date(2019, 5, 1), date(2060, 1, 1)), st.sampled_from([None, "昭", "令和", "x"]))
def test_nearest_answers_any_text(text: str, day: date, era: str | None) -> None:
    found = nearest(text, day, era)
    assert found is None or (isinstance(found.date, date) and found.raw)
