"""Moments as fax machines and mails write them.

RFC 5322 dates, and all that is none: ``2026/11/23 10:15``, HylaFAX's ``2026:11:23 10:15:42``, 令和8年11月23日, the
digits of a file's name. A time without a zone is Tokyo's, where the machine stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
"""The zone of times that a machine writes without one."""


_CLOCK = r"(\d{1,2})\s*[:時]\s*(\d{2}|\d(?=\s*分))(?:\s*[:分]\s*(\d{2}|\d(?=\s*秒)))?"
_ZONE = r"(?:\s*(?:\([A-Za-z]{1,5}\))?\s*(Z|GMT|UTC|JST|[+-]\d{2}:?\d{2})\b)?"
_ISO = re.compile(
    rf"(?<!\d)(\d{{4}})\s*[-/:.年]\s*(\d{{1,2}})\s*[-/:.月]\s*(\d{{1,2}})\s*日?\s*(?:[(（][^)）]{{1,4}}[)）])?[\sT,]*{_CLOCK}\s*([AP]M)?{_ZONE}",
    re.IGNORECASE,
)
# 令和元年, R8.11.23: the era's first year is 元 (元号法; years from Babel are not needed for three eras).
_ERA = re.compile(
    r"(令和|平成|昭和|[RHS])\s*(元|\d{1,2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?\s*(?:[(（][^)）]{1,4}[)）])?\s*"
    + _CLOCK
)
_ERA_START = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925, "S": 1925}
_COMPACT = re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})[-_T]?(\d{2})(\d{2})(\d{2})?(?!\d)")


def read_time(text: str) -> datetime | None:
    """A moment as mails and machines write it: RFC 5322, ``2026/11/23 10:15``, ``2026:11:23 10:15:42``, 令和8年….

    Times without a zone are Asia/Tokyo. None when there is no such moment or its year is outside 1990 to 2099.
    """
    plain = unicodedata.normalize("NFKC", text[:200]).strip()
    return _iso_time(plain) or _era_time(plain) or _mail_time(plain) or compact_time(plain)


def _iso_time(text: str) -> datetime | None:
    found = _ISO.search(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, half, zone = found.groups()
    return _moment((year, month, day), (_hour24(int(hour), half), minute, second), _zone(zone))


def _hour24(hour: int, half: str | None) -> int:
    if not half:
        return hour
    return hour % 12 + (12 if half.upper() == "PM" else 0)


def _era_time(text: str) -> datetime | None:
    found = _ERA.search(text)
    if found is None:
        return None
    era, year, month, day, hour, minute, second = found.groups()
    full = _ERA_START[era] + (1 if year == "元" else int(year))
    return _moment((full, month, day), (hour, minute, second), TOKYO)


def compact_time(text: str) -> datetime | None:
    """A moment written in digits alone, as in a file's name: ``20261123101552``, ``20261123_1015``."""
    found = _COMPACT.search(text)
    return _moment(found.group(1, 2, 3), found.group(4, 5, 6), TOKYO) if found else None


def _mail_time(text: str) -> datetime | None:
    """RFC 5322 3.3 and its obsolete forms."""
    try:
        parsed = parsedate_tz(text)
    except (ValueError, TypeError, IndexError, OverflowError):  # parsedate_tz trips over some inputs
        return None
    if parsed is None:
        return None
    zone: timezone | ZoneInfo = TOKYO
    # parsedate_tz gives 0 for UTC, for no zone and for zones it does not know (JST): those two are Tokyo's.
    if parsed[9] or re.search(r"[+-]\d{4}\b|\b(?:GMT|UTC?|Z)\b", text):
        if abs(parsed[9] or 0) >= 86_400:
            return None
        zone = timezone(timedelta(seconds=parsed[9] or 0))
    return _moment(parsed[0:3], parsed[3:6], zone)


def _zone(text: str | None) -> timezone | ZoneInfo:
    if not text or text.upper() == "JST":
        return TOKYO
    if text.upper() in ("Z", "GMT", "UTC"):
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset) if offset < timedelta(hours=24) else TOKYO


def _moment(
    date: Iterable[str | int | None], clock: Iterable[str | int | None], zone: timezone | ZoneInfo
) -> datetime | None:
    try:
        moment = datetime(*(int(value or 0) for value in (*date, *clock)), tzinfo=zone)  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None
    return moment if 1990 <= moment.year <= 2099 else None
