"""When an office is open: hours in Tokyo, and the days on which it is closed. The only file that knows jpholiday.

Days off are those of 地方自治法4条の2第2項: Saturdays, Sundays, public holidays, and the turn of the year that each
body's ordinance names (29 December to 3 January, as 行政機関の休日に関する法律1条 has it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import jpholiday

from routing.errors import RoutingError

_TOKYO = ZoneInfo("Asia/Tokyo")
_TURN_OF_THE_YEAR = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})
_SATURDAY = 5
KNOWN_TO = 2027
"""The last year whose holidays jpholiday 1.0.3 is known to tell rightly: equinoxes are proclaimed each February for the
year after (国立天文台 暦要項), and laws have moved the days of single years (2019, 2020, 2021)."""


class HoursMistake(RoutingError):
    """Office hours that cannot be read."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """From ``opens`` (a moment inside) to ``closes`` (a moment outside), on working days."""

    opens: time = time(8, 30)
    closes: time = time(17, 15)

    @classmethod
    def read(cls, text: str) -> OfficeHours:
        """``08:30-17:15``; raises :class:`HoursMistake`."""
        found = re.fullmatch(r"(\d{2}:\d{2})-(\d{2}:\d{2})", text)
        try:
            opens, closes = (time.fromisoformat(part) for part in found.groups()) if found else (time.max, time.min)
        except ValueError:
            opens, closes = time.max, time.min
        if opens >= closes:
            raise HoursMistake(f"執務時間「{text}」は 08:30-17:15 のように書いてください (office hours)")
        return cls(opens, closes)

    def open_at(self, moment: datetime) -> bool:
        """Whether somebody is expected to be at the office at this (aware) moment."""
        local = moment.astimezone(_TOKYO)
        return not day_off(local.date()) and self.opens <= local.time() < self.closes


def day_off(day: date) -> bool:
    """Whether public offices are closed on this day."""
    return day.weekday() >= _SATURDAY or (day.month, day.day) in _TURN_OF_THE_YEAR or bool(jpholiday.is_holiday(day))


def holidays_known(year: int) -> bool:
    """Whether the holidays of this year are known for certain, or only calculated from today's law."""
    return year <= KNOWN_TO
