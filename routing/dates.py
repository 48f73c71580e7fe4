"""Dates as Japanese forms write them: wareki in all its forms and western ones.

Eras: 令和 from 2019-05-01, 平成 1989-01-08, 昭和 1926-12-25, 大正 1912-07-30, 明治 1868-01-25
(元号を改める政令 and its forerunners). Old stock still prints 平成; such a year is counted on (平成38年 = 2026) and the
value carries a warning. A form's era may be chosen by a circle, and its year may be left out: :func:`nearest` is told
both.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

_ERAS = {
    "令和": date(2019, 5, 1),
    "平成": date(1989, 1, 8),
    "昭和": date(1926, 12, 25),
    "大正": date(1912, 7, 30),
    "明治": date(1868, 1, 25),
}
_INITIALS = {
    "r": "令和",
    "h": "平成",
    "s": "昭和",
    "t": "大正",
    "m": "明治",
    "令": "令和",
    "平": "平成",
    "昭": "昭和",
    "大": "大正",
    "明": "明治",
    "成": "平成",
    "戌": "平成",
}
_KANJI = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_NUMERAL = r"(?:\d{1,4}|[〇零一二三四五六七八九十百千]{1,7}|元)"
_BETWEEN = r"[ \t]{0,6}"
_SPECK = r"[ \t.,・·]{0,4}"  # a form's own dots and rules beside its 年, 月 and 日
_FORM = re.compile(
    r"(?P<era>(?P<choice>[(\[]?(?:(?:明治?|大正?|昭和?|平成?|令和?)[・,/ ]{1,3}){1,4}(?:大正?|昭和?|平成?|令和?)[)\]]?)"
    r"|[(\[]?(?:[令今合全分冷]和|[平乎][成戌]|昭和|大正|明治|[成戌](?=[ ]?\d))[)\]]?"
    r"|(?<![a-zA-Z])[RHSTMrhstm](?=[ .]{0,2}\d)|[令平昭大明](?=[ .]{0,2}\d))?"
    rf"{_BETWEEN}[.]?{_BETWEEN}(?<!\d)(?P<year>{_NUMERAL})(?:{_SPECK}年{_SPECK}|{_BETWEEN}[./-]{_BETWEEN})"
    rf"(?P<month>\d{{1,2}}|[一二三四五六七八九十]{{1,2}})(?:{_SPECK}[月川]{_SPECK}|{_BETWEEN}[./-]{_BETWEEN})"
    r"(?P<day>\d{1,2}|[一二三四五六七八九十]{1,3})(?![\d/])(?:[ \t]{0,6}[日曰])?"
)
_OF_A_YEAR = re.compile(  # a year without its era: it stands printed elsewhere, or nowhere
    rf"(?<![\d./-])(?P<year>\d{{1,2}}){_SPECK}年{_SPECK}(?P<month>\d{{1,2}}){_SPECK}[月川]{_SPECK}(?P<day>\d{{1,2}})(?!\d)"
    r"(?:[ \t]{0,6}[日曰])?"
)
_OF_A_MONTH = re.compile(
    rf"(?<![\d./年-])(?P<month>\d{{1,2}})(?:{_SPECK}月{_SPECK}|[ \t]?/[ \t]?)"
    r"(?P<day>\d{1,2})(?![\d/年月])(?:[ \t]{0,6}[日曰])?"
)
_MISREAD_DAY = "曰"
_DAY_AND_STROKES = re.compile(r"([月川][ \t]{0,2})([1-9]\d{2,3})(?![\d日])")
_UNCLEAR = "元号の選択が読み取れないため令和とみなしました。"
_LONGEST = 20_000
_MOST_FOUND = 500


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date, the words it was read from, and what is odd about them."""

    date: date
    raw: str
    warning: str | None = None
    """For staff, in Japanese; None when the date stands as an era's calendar has it."""


def parse(text: str) -> WrittenDate | None:
    """The first date in ``text``, or None."""
    return next(iter(find(text)), None)


def nearest(text: str, day: date, era: str | None = None) -> WrittenDate | None:
    """The first date in ``text``, also one that leaves out its era or its year.

    ``era`` is the one that a circle or a column's head chooses (令和, 令, R); without it a bare year, and a month and a
    day alone, are those of the last such date up to ``day`` (令和 for a bare year), with a warning.
    """
    chosen = _era(era)
    written = parse(text)
    if written is not None and not (written.warning == _UNCLEAR and chosen):
        return written
    plain = _of_day(unicodedata.normalize("NFKC", text[:_LONGEST]))
    match = _OF_A_YEAR.search(plain)
    if match is not None:
        return _of_era(match, chosen, day)
    match = _OF_A_MONTH.search(plain)
    return _last(match, day) if match is not None and written is None else written


def _of_era(match: re.Match[str], era: str | None, day: date) -> WrittenDate | None:
    year = int(match["year"])
    if not year:
        return None
    guessed = None if era else "元号の記載がないため令和とみなしました。"
    written = _with_warning(_ERAS[era or "令和"].year + year - 1, match, match.group().strip(), guessed)
    if written is None or (era is None and written.date > day):
        return None
    return written if guessed else WrittenDate(written.date, written.raw, _odd(era or "令和", written.date))


def _last(match: re.Match[str], day: date) -> WrittenDate | None:
    """The last day of this month and number up to ``day``."""
    raw, warning = match.group().strip(), "年の記載がないため受信日に近い年とみなしました。"
    tried = (_with_warning(year, match, raw, warning) for year in range(day.year, day.year - 9, -1))
    return next((written for written in tried if written is not None and written.date <= day), None)


def find(text: str) -> tuple[WrittenDate, ...]:
    """All dates in ``text`` in their order; only the first 20,000 characters are looked at, at most 500 dates."""
    plain = _of_day(_DASHES.sub("-", unicodedata.normalize("NFKC", text[:_LONGEST])))
    found: list[WrittenDate] = []
    for match in _FORM.finditer(plain):
        written = _written(match)
        if written is not None:
            found.append(written)
        if len(found) >= _MOST_FOUND:
            break
    return tuple(found)


def _of_day(plain: str) -> str:
    """日 read as 1 or as 11 (8月201): put right where only one day can be meant."""
    return _DAY_AND_STROKES.sub(lambda match: match[1] + (_day_before_strokes(match[2]) or match[2]), plain)


def _day_before_strokes(digits: str) -> str | None:
    days = [day for strokes in ("1", "11") if (day := digits.removesuffix(strokes)) != digits and 1 <= int(day) <= 31]
    return f"{days[0]}{_MISREAD_DAY}" if len(days) == 1 else None


def _written(match: re.Match[str]) -> WrittenDate | None:
    """The date of one match; None when no calendar has it, or when a bare year is too small to be western."""
    era, year = _era(match["era"]), _value(match["year"])
    raw = match.group().strip()
    if match["era"] is None:
        return _with_warning(year, match, raw, None) if 1868 <= year <= 2199 else None
    if not 1 <= year <= 99:
        return None
    begins = _ERAS[era or "令和"]
    unclear = None if era else _UNCLEAR
    written = _with_warning(begins.year + year - 1, match, raw, unclear)
    if written is None or unclear:
        return written
    return WrittenDate(written.date, raw, _odd(era or "令和", written.date) or _repaired(match))


def _with_warning(year: int, match: re.Match[str], raw: str, warning: str | None) -> WrittenDate | None:
    try:
        return WrittenDate(date(year, _value(match["month"]), _value(match["day"])), raw, warning)
    except ValueError:
        return None


def _era(written: str | None) -> str | None:
    """The era that is meant; None for a printed choice (昭・平・令) whose circle no text can tell."""
    if written is None:
        return None
    era = written.strip("()[]")
    if len(era) == 2 and era not in _ERAS:
        return "令和" if era[1] == "和" else "平成"
    return era if era in _ERAS else _INITIALS.get(era.lower())


def _repaired(match: re.Match[str]) -> str | None:
    """Signs that engines take for those of a date (合和, 川): read, and said so."""
    era = match["era"].strip("()[]")
    misread = (len(era) == 2 and era not in _ERAS) or "川" in match.group() or _MISREAD_DAY in match.group()
    return "元号または月日の文字が読み取りにくいため補いました。" if misread else None


def _odd(era: str, day: date) -> str | None:
    """What is odd about a date in an era: before it began, or after its last day."""
    eras = list(_ERAS)
    begins = _ERAS[era]
    ends = _ERAS[eras[eras.index(era) - 1]] if eras.index(era) else date.max
    if day < begins:
        return f"{era}が始まる前の日付です({day.isoformat()}とみなしました)。"
    if day >= ends:
        return f"{era}が終わった後の日付です({day.isoformat()}とみなしました)。"
    return None


def _value(numeral: str) -> int:
    """``12``, ``十二``, ``二〇二六``, ``元`` as a number."""
    if numeral.isdecimal():
        return int(numeral)
    if numeral == "元":
        return 1
    if not any(sign in numeral for sign in "十百千"):
        return int("".join(str(_KANJI[sign]) for sign in numeral))
    return _tens(numeral)


def _tens(numeral: str) -> int:
    total, digit = 0, 0
    for sign in numeral:
        unit = {"十": 10, "百": 100, "千": 1000}.get(sign)
        if unit is None:
            digit = _KANJI[sign]
        else:
            total += max(digit, 1) * unit
            digit = 0
    return total + digit


_DASHES = re.compile("[‐‑‒–—―−﹘﹣⁃─━]")
