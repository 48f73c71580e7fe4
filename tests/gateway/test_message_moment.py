"""Dates as mails and machines write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.moment import TOKYO, compact_time, read_time

AT = datetime(2027, 2, 14, 9, 7, 31, tzinfo=TOKYO)
MINUTE = AT.replace(second=0)
EARLIEST = datetime.fromisoformat("1991-01-01")
LATEST = datetime.fromisoformat("2098-12-31")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 14 Feb 2027 09:07:31 +0900", AT),
        ("14 Feb 2027 00:07:31 GMT", AT),
        ("Sun, 14 Feb 2027 09:07:31 JST", AT),
        ("Sun, 14 Feb 2027 09:07:31", AT),
        ("Sun, 14 Feb 2027 09:07:31 +0900 (JST)", AT),
        ("Sun, 14 Feb 2027 00:07:31 -0000", AT),
        ("Sun Feb 14 09:07:31 2027", AT),
        ("14 Feb 27 09:07 +0900", MINUTE),
        ("2027/02/14 09:07", MINUTE),
        ("2027/2/14 9:07:31", AT),
        ("2027-02-14T00:07:31Z", AT),
        ("2027-02-14T09:07:31+09:00", AT),
        ("2027-02-13 19:07:31 -0500", AT),
        ("2027:02:14 09:07:31", AT),
        ("2027年2月14日(日) 9時7分", MINUTE),
        ("２０２７年２月１４日　９：０７", MINUTE),
        ("令和9年2月14日 9時07分", MINUTE),
        ("R9.2.14 9:07", MINUTE),
        ("2027-02-14 12:30 AM", datetime(2027, 2, 14, 0, 30, tzinfo=TOKYO)),
        ("2027-02-14 12:30PM", datetime(2027, 2, 14, 12, 30, tzinfo=TOKYO)),
        ("平成元年1月8日 0時00分", None),  # 1989: no fax machine sends mail yet
        ("平成31年4月30日 23:59", datetime(2019, 4, 30, 23, 59, tzinfo=TOKYO)),
        ("20270214090731", AT),
        ("Sun, 31 Feb 2027 09:07:31 +0900", None),
        ("2027-02-14 25:07", None),
        ("1970-01-01 00:00", None),
        ("Thu, 01 Jan 1970 00:00:00 +0000", None),
        ("14 Feb 2027 09:07:31 +99999999", None),
        ("soon", None),
        ("", None),
    ],
)
def test_moments(text: str, expected: datetime | None) -> None:
    assert read_time(text) == expected


@pytest.mark.parametrize(
    "name", ["FAX20270214090731.pdf", "x_20270214_090731_01.tif", "20270214-090731", "a20270214T090731z"]
)
def test_moments_in_names(name: str) -> None:
    assert compact_time(name) == AT


@pytest.mark.parametrize("name", ["FAX_20270214_1802563651.pdf", "120270214090731", "20271314090731", "0456.tif", ""])
def test_other_digits_are_no_moment(name: str) -> None:
    assert compact_time(name) is None


@given(st.datetimes(EARLIEST, LATEST), st.integers(-14 * 60, 14 * 60))
def test_rfc_5322_comes_back(moment: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{moment:%a, %d %b %Y %H:%M:%S} {sign}{hours:02}{rest:02}"
    expected = moment.replace(microsecond=0, tzinfo=UTC) - timedelta(minutes=minutes)
    assert read_time(text) == expected


@given(st.text(alphabet="0123456789:/-+.年月日時分秒令和R ()APMJSTZ,FebSun", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    moment = read_time(text)
    assert moment is None or (1990 <= moment.year <= 2099 and moment.tzinfo is not None)
