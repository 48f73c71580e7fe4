"""The line that the sending machine prints at the top of every page: date, its name, its number, page n of m.

TTI, "transmit terminal identification": its form is the maker's own. It is the only place where many faxes tell who
sent them, and page 2 of 3 without a page 3 tells of a lost page. It comes through OCR: O for 0, l for 1, spaces lost.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gateway.moment import read_time
from ocr.page import Box, Word
from routing import number

_EDGE = 0.04
"""Of the page's width: 8 mm of A4. Machines print the line 2 to 5 mm below the edge."""
_MAX_WIDTH, _MOST_WORDS = 300, 12

_D = "[0-9OoIl|]"  # a digit as OCR may give it
_MONTHS = r"J[AU]N|FEB|MAR|APR|MAY|JU[L1I]|AUG|SEPT?|[O0]CT|N[O0]V|DEC"
_CLOCK = (
    rf"({_D}{{1,2}})\s*[:;.時]\s*({_D}{{2}}|{_D}(?=\s*分))(?:\s*[:;.分]\s*({_D}{{2}}))?\s*分?\s*([AaPp]\.?[Mm]\.?)?"
)
_WEEKDAY = r"(?:\s*[(\[]?(?:[日月火水木金土]|(?:SUN|MON|TUE|WED|THU|FRI|SAT)\.?)[)\]]?)?"
_YEAR_FIRST = re.compile(
    rf"(?<![0-9])(?:'?({_D}{{4}}|{_D}{{2}})|(令和|R)\s*({_D}{{1,2}}|元))"
    rf"(?:\s*[-/.年:]|\s)\s*({_D}{{1,2}})\s*[-/.月:]\s*({_D}{{1,2}})\s*日?"
    rf"{_WEEKDAY}[\s,]*{_CLOCK}",
    re.IGNORECASE,
)
_DAY_FIRST = re.compile(
    rf"({_D}{{1,2}})[-. ]({_MONTHS})[-. ,]\s*({_D}{{4}}|{_D}{{2}}){_WEEKDAY}[\s,]*{_CLOCK}", re.IGNORECASE
)
_MONTH_NAME = re.compile(rf"({_MONTHS})[-. ]+({_D}{{1,2}})[-. ,]\s*({_D}{{4}}){_WEEKDAY}[\s,]*{_CLOCK}", re.IGNORECASE)
_MONTH_FIRST = re.compile(
    rf"(?<![0-9])({_D}{{1,2}})[-/.]({_D}{{1,2}})(?:[-/.]({_D}{{4}})|\s*'\s*({_D}{{2}})){_WEEKDAY}[\s,]*{_CLOCK}",
    re.IGNORECASE,
)
_PAGE = re.compile(
    rf"(?<![A-Za-z])(?:P(?:AGE|G)?|頁|ページ)[\s.:,]*({_D}{{1,4}})(?:\s*(?:/|of)\s*({_D}{{1,4}}))?(?![0-9A-Za-z])|"
    rf"(?<![0-9/.:-])({_D}{{1,4}})\s*/\s*({_D}{{1,4}})\s*(?:頁|ページ)?\s*$|"
    rf"(?<![0-9/.:-])({_D}{{1,4}})\s*(?:頁|ページ)\s*(?:/\s*({_D}{{1,4}})\s*(?:頁|ページ))?|"
    r"(?<!\S)([0O][0-9OoIl|]{2})()\s*$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+(]?(?:[0-9]|(?<![A-Za-z])[OoIl|])[0-9OoIl|()\- .]{7,18}[0-9OoIl|]")
_DIALLED = re.compile(r"(?:\bTO|宛先?|->|→|着信)\s*[:.]?\s*$", re.IGNORECASE)
_LABEL = re.compile(
    r"(?<![A-Za-z])NO(?![A-Za-z])\s*[.:]*\s*\d{1,6}\b|"
    r"(?<![A-Za-z])(?:FROM|FR|TO|(?:TEL|FAX)(?:\s*(?:NO|NUMBER)(?![A-Za-z]))?|NO|ID|TX|RX|DATE|TIME|PAGE)(?![A-Za-z])"
    r"\s*[.:]*|"
    r"(?:送信元|受信|発信元|発信|電話|番号|ファクス|ファックス|宛先?)\s*[:]|[→|]|->",
    re.IGNORECASE,
)
_ENOUGH = 4


@dataclass(frozen=True, slots=True)
class Tti:
    """What the line says; every part may be missing. Typed in by the sender: a hint, never a proof."""

    date: datetime | None = None
    """By the sender's clock; Asia/Tokyo. None also for 05/02/2027, which is May here and February there."""
    name: str | None = None
    number: str | None = None
    """E.164."""
    page: int | None = None
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """The line where it stands on a page."""

    tti: Tti
    words: tuple[int, ...]
    """Which of the page's words it is, counted from 0 in reading order."""
    box: Box

    def kept(self) -> dict[str, Any]:
        """As JSON; :func:`tti_of` takes it back."""
        said = asdict(self.tti) | {"date": self.tti.date.isoformat() if self.tti.date else None}
        return {**said, "words": list(self.words), "box": list(self.box)}


def tti_of(kept: Mapping[str, Any]) -> Tti | None:
    """What the line says, from what is kept with a page; None where it has no such line."""
    if not kept:
        return None
    date = datetime.fromisoformat(kept["date"]) if kept["date"] else None
    return Tti(date, kept["name"], kept["number"], kept["page"], kept["of"])


def read_tti(words: Sequence[Word], width: int) -> Printed | None:
    """The sending machine's line among the words of a page ``width`` pixels wide, or None where there is none.

    It stands within the uppermost 8 mm, where no form prints, and holds at least two of: a date with a time, a page
    number, a telephone number. A fax that was passed on has one for each machine: all are taken out of the content,
    the one that tells most is read.
    """
    best: tuple[int, Tti] | None = None
    found: list[int] = []
    for row in _rows(words, _EDGE * width):
        score, tti = _read("  ".join(_plain(words[index].text) for index in row))
        if score < _ENOUGH:
            continue
        found += row
        if best is None or score > best[0]:
            best = (score, tti)
    if best is None:
        return None
    boxes = [words[index].box for index in found]
    around = min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)
    return Printed(best[1], tuple(sorted(found)), around)


def _rows(words: Sequence[Word], edge: float) -> list[list[int]]:
    """The words at the top edge, from the top down: those that stand beside one another, from left to right.

    The machine prints level, however the sheet lies.
    """
    rows: list[list[int]] = []
    for index in sorted(range(len(words)), key=lambda index: _middle(words[index])):
        if _middle(words[index]) >= edge:
            break
        last = words[rows[-1][-1]] if rows else None
        if last is not None and _middle(words[index]) - _middle(last) < 0.5 * min(_height(words[index]), _height(last)):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [sorted(row, key=lambda index: words[index].box[0])[:_MOST_WORDS] for row in rows]


def _middle(word: Word) -> float:
    return (word.box[1] + word.box[3]) / 2


def _height(word: Word) -> int:
    return word.box[3] - word.box[1]


def _plain(line: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", line[:_MAX_WIDTH])).strip()


def _read(text: str) -> tuple[int, Tti]:
    rest = text
    date, dated, rest = _date(rest)
    page, of, rest = _page(rest)
    e164, rest = _number(rest)
    name = _name(rest)
    score = (3 if dated else 0) + (2 if page else 0) + (2 if e164 else 0)
    return score, Tti(date, name, e164, page, of)


def _mended(text: str) -> str:
    return re.sub(r"[Il|]", "1", re.sub(r"[Oo]", "0", text))


def _digits(text: str | None) -> str:
    return re.sub(r"[^0-9]", "1", _mended(text or ""))  # IGNORECASE lets i and L through the pattern


def _date(text: str) -> tuple[datetime | None, bool, str]:
    """The moment, whether there is one (it may be ambiguous), and the text without it."""
    for shape, order in _SHAPES:
        found = shape.search(text)
        if found is None:
            continue
        written = [_written(order, found.groups())]
        if order.startswith("md"):
            written.append(_written("dm" + order[2:], found.groups()))
        moments = list(dict.fromkeys(moment for moment in map(read_time, written) if moment))
        if moments:
            rest = text[: found.start()] + "  " + text[found.end() :]
            return (moments[0] if len(moments) == 1 else None), True, rest
    return None, False, text


def _written(order: str, groups: tuple[str | None, ...]) -> str:
    """The date in the one form that ``read_time`` is sure of."""
    parts = list(groups[:-4])
    if order == "ymd":
        year, month, day = _year(parts[0], parts[1], parts[2]), _digits(parts[3]), _digits(parts[4])
    else:
        at = {letter: parts[place] for place, letter in enumerate(order)}
        year, day = _year(at.get("y") or at.get("Y"), None, None), _digits(at["d"])
        month = str(_month(at["b"] or "")) if "b" in at else _digits(at.get("m"))
    hour, minute, second, half = groups[-4:]
    clock = f"{_digits(hour)}:{_digits(minute):0>2}:{_digits(second) or '00'}"
    return f"{year}-{month}-{day} {clock} {(half or '').replace('.', '').upper()}".strip()


def _year(western: str | None, era: str | None, of_era: str | None) -> str:
    if era:
        return str(2018 + (1 if of_era == "元" else int(_digits(of_era))))
    year = _digits(western)
    return year if len(year) == 4 else f"20{year}"


def _month(name: str) -> int:
    # OCR writes NOV and OCT with a nought, JUL with a one.
    clean = name.upper().replace("0", "O").replace("JU1", "JUL").replace("JUI", "JUL")[:3]
    return ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"].index(clean) + 1


_SHAPES = ((_YEAR_FIRST, "ymd"), (_DAY_FIRST, "dby"), (_MONTH_NAME, "bdy"), (_MONTH_FIRST, "mdyY"))


def _page(text: str) -> tuple[int | None, int | None, str]:
    for found in reversed(list(_PAGE.finditer(text))):  # it stands at the right
        groups = [_digits(group) if group else None for group in found.groups()]
        page, of = next((groups[at], groups[at + 1]) for at in (0, 2, 4, 6) if groups[at])
        number_of = int(of) if of else None
        if page and 0 < int(page) <= (number_of or 9999):
            return int(page), number_of, text[: found.start()] + "  " + text[found.end() :]
    return None, None, text


def _number(text: str) -> tuple[str | None, str]:
    """The sender's number; one that the line says was dialled is taken out and not given."""
    given: str | None = None
    for found in reversed(list(_NUMBER.finditer(text))):
        if sum(char.isdigit() for char in found.group()) < 7:
            continue
        written = found.group()
        while (seen := number.parse(_mended(written))) is None and " " in written:
            written = written.rpartition(" ")[0]  # what follows is no part of it
        if seen is None:
            continue
        if not _DIALLED.search(text[: found.start()]):
            given = seen.e164
        text = text[: found.start()] + "  " + text[found.start() + len(written) :]
    return given, text


def _name(text: str) -> str | None:
    sender = re.split(r"\bTO\s*:|宛先?\s*:|→|->", text, maxsplit=1)[0]
    text = sender if sum(char.isalpha() for char in sender) >= 2 else text
    text = _LABEL.sub("  ", text)
    text = re.sub(r"(?<!\S)(?:[\W_]+|受信|送信)(?!\S)", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" .,:;-_/|()")
    return text[:80] if sum(char.isalpha() for char in text) >= 2 else None
