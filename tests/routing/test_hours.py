"""When an office is open: hours, weekends, public holidays and the turn of the year, on Tokyo's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.clock import JST
from routing.hours import HoursMistake, OfficeHours, day_off, holidays_known

OFFICE = OfficeHours.read("08:30-17:15")


@pytest.mark.parametrize(
    ("day", "off"),
    [
        ((2026, 11, 23), True),  # 勤労感謝の日, a Monday
        ((2026, 11, 24), False),
        ((2026, 5, 6), True),  # 振替休日: 憲法記念日 was a Sunday
        ((2026, 9, 22), True),  # 国民の休日, between 敬老の日 and 秋分の日
        ((2027, 3, 22), True),  # 振替休日 for 春分の日
        ((2026, 12, 28), False),
        ((2026, 12, 29), True),
        ((2027, 1, 3), True),
        ((2027, 1, 4), False),
        ((2026, 11, 21), True),  # a Saturday
    ],
)
def test_days_off(day: tuple[int, int, int], off: bool) -> None:
    assert day_off(date(*day)) is off


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 11, 24, 8, 29, 59, tzinfo=JST), False),
        (datetime(2026, 11, 24, 8, 30, tzinfo=JST), True),
        (datetime(2026, 11, 24, 17, 14, 59, tzinfo=JST), True),
        (datetime(2026, 11, 24, 17, 15, tzinfo=JST), False),
        (datetime(2026, 11, 23, 12, 0, tzinfo=JST), False),
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), True),  # nine in the morning in Tokyo
        (datetime(2026, 11, 23, 23, 45, tzinfo=UTC), True),  # a holiday in London, the 24th in Tokyo
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=JST), False),
    ],
)
def test_the_office_is_open(moment: datetime, is_open: bool) -> None:
    assert OFFICE.open_at(moment) is is_open


@pytest.mark.parametrize("text", ["", "8:30-17:15", "08:30", "17:15-08:30", "08:30-08:30", "25:00-26:00", "朝から夕方"])
def test_hours_that_are_none(text: str) -> None:
    with pytest.raises(HoursMistake, match="08:30-17:15"):
        OfficeHours.read(text)


@given(st.integers(0, 7 * 365 * 86_400), st.integers(-14, 14))
def test_the_same_moment_is_the_same_wherever_it_is_told(second: int, offset: int) -> None:
    moment = datetime(2024, 1, 1, tzinfo=JST) + timedelta(seconds=second)
    there = moment.astimezone(timezone(timedelta(hours=offset)))
    assert OFFICE.open_at(there) == OFFICE.open_at(moment)
    inside = time(8, 30) <= moment.time() < time(17, 15)
    assert OFFICE.open_at(moment) == (inside and not day_off(moment.date()))


@given(st.dates(date(2020, 1, 1), date(2100, 12, 31)))
def test_weekends_and_the_turn_of_the_year_are_always_off(day: date) -> None:
    if day.weekday() > 4 or (day.month, day.day) in ((12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)):
        assert day_off(day)
    # Somebody is at work within ten days of any day: the longest rest of the law is Golden Week.
    assert not all(day_off(day + timedelta(days=n)) for n in range(10))


def test_years_to_come_are_said_to_be_unknown() -> None:
    assert holidays_known(2026)
    assert not holidays_known(2035)
