"""A value out of the words that stand where it should: a date, an age, a name, an option. None where it is none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz.distance import Levenshtein

from routing import dates, number, printed
from routing.facts import Mark
from routing.fold import fold

CASE_TYPES = ("患者(確定例)", "無症状病原体保有者", "疑似症患者", "感染症死亡者の死体", "感染症死亡疑い者の死体")
"""施行規則4条1項 and 別記様式: what kind of case is notified."""
SEXES = ("男", "女")
ERAS = ("明治", "大正", "昭和", "平成", "令和")
_ERA_NAMES = re.compile(r"明治|大正|昭和|平成|[令合]和|[明大昭平令合](?=[・·･.,、\s]|\d)")
_AGE = re.compile(r"(?<![\d./-])(\d{1,3})\s*(?:歳|才|オ|蔵|歲)(?!は)")
_MONTHS = re.compile(r"(?<![\d./-])(\d{1,2})\s*(?:か月|ヶ月|ヵ月|カ月|ケ月|箇月|月齢)")
_IN_AGE = re.compile(r"(?<![\w./-])(?:\d[ilI|oO]|[lI|]\d)(?=\s*(?:歳|才))")
_STROKES = str.maketrans("ilI|oO", "111100")
_BARE_AGE = re.compile(r"[(（]?\s*(\d{1,3})\s*[)）]?")
_HONORIFIC = re.compile(r"[\s　]*(?:様|殿|先生|㊞|印|[(（]印[)）]|[(（]署名[)）]|[(（]自署[)）])[\s　.]*$")
_NAME_SIGNS = re.compile(r"[^\W\d_]+(?:[\s　・･·.]{1,3}[^\W\d_]+){0,3}")
_NO_NAME = re.compile(
    r"氏名|住所|電話|医師|病院|診療所|年月日|性別|欄|記入|保健所|医院|クリニック|記載|届|同上|不明|^電.$|[・･·.][男女]$|^[男女][・･·.]|男.?女"
)
_PLACE = re.compile(r"[都道府県市区町村郡]|\d\s*(?:[-ー－‐−]|丁目|番地?)\s*\d?|丁目")
_CERTAINTY = re.compile(r"^[\W\d]*(?:確定|推定)?[\W]*(?:確定|推定)?[\W]*$")
"""感染地域(確定・推定): how sure, printed behind the label of what."""
_SPOILT = 0.3
_DOUBTED = 0.5
_WIDEST_LETTER = 1.5
"""One printed 男 is about as wide as high; a wider run was 男・女 with one of them lost under the pen's circle."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value and how it was got."""

    value: str
    raw: str
    sure: float = 1.0
    note: str | None = None


def day(text: str, received: date | None, era: str | None = None) -> Value | None:
    """A date as ISO 8601; what had to be supplied or converted is said and makes it less sure."""
    written = dates.parse(text) if received is None else dates.nearest(text, received, era)
    if written is None:
        return None
    late = received is not None and written.date > received
    note = written.warning or ("受信日より後の日付です。" if late else None)
    return Value(written.date.isoformat(), written.raw, 0.7 if note else 1.0, note)


def birth(text: str, received: date, era: str | None, age: int | None) -> Value | None:
    """A date of birth. Where no circle tells the era, the age does when only one era fits it.

    One written out with its era stands against the age, and says so; era and circle together may both be misread.
    """
    if era is not None:  # the circle chooses among the eras that are printed
        text = _ERA_NAMES.sub(" ", text)
    found = day(text, received, era)
    if found is not None and found.note is None and _fits(date.fromisoformat(found.value), received, age):
        return found
    if era is None and age is not None:
        tried = [(name, day(text, received, name)) for name in reversed(ERAS)]
        fitting = [v for _, v in tried if v and v.note is None and _fits(date.fromisoformat(v.value), received, age)]
        if len({value.value for value in fitting}) == 1:
            return Value(fitting[0].value, fitting[0].raw, 0.9, "元号は年齢から判断しました。")
    if era is None and found is not None and found.note is None and date.fromisoformat(found.value) <= received:
        return Value(found.value, found.raw, _DOUBTED, "年齢と合いません。")
    if found is None or not _fits(date.fromisoformat(found.value), received, age) or (era is None and found.note):
        return None  # what the form's own age contradicts is misread
    return found


def _fits(born: date, received: date, age: int | None) -> bool:
    years = (received - born).days / 365.25
    return 0 <= years < 121 and (age is None or age - 0.1 <= years < age + 1.6)


def age(text: str) -> Value | None:
    """Years, or months for a child under one: ``34``, ``8か月``."""
    plain = _digits(text)
    months = _MONTHS.search(plain)
    if months is not None and int(months[1]) < 24:
        return Value(f"{int(months[1])}か月", months.group())
    match = _AGE.search(plain) or _BARE_AGE.fullmatch(plain.strip())
    if match is None or int(match[1]) > 120:
        return None
    return Value(str(int(match[1])), match.group().strip())


def _digits(text: str) -> str:
    """Letters among the digits of an age are strokes of them: 6i歳."""
    return _IN_AGE.sub(lambda match: match[0].translate(_STROKES), unicodedata.normalize("NFKC", text))


def sex(text: str, letters: float) -> Value | None:
    """男 or 女 where one of them stands alone; ``letters`` is the width of the run in its own heights, 0 unknown."""
    plain = fold(_digits(text))
    met = [one for one in SEXES if one in plain]
    if len(met) != 1 or plain.count(met[0]) != 1:
        return None
    alone = plain == met[0] or plain in (f"{met[0]}性", f"{met[0]}児")
    if alone:
        return None if letters > _WIDEST_LETTER and plain == met[0] else Value(met[0], text.strip())
    rest = re.sub(rf"{met[0]}性?|\d{{1,3}}(?:歳|才)?|[^\w]", "", plain)
    return Value(met[0], text.strip()) if not rest and re.search(r"\d", plain) else None


def phone(text: str) -> Value | None:
    """E.164."""
    found = number.find(text)
    return Value(found[0].e164, found[0].printed) if found else None


def person(text: str) -> Value | None:
    """A person's name as it stands, without 様 and the mark for a seal."""
    bare = _HONORIFIC.sub("", text.strip(" \u3000:：・")).strip()
    if not 2 <= len(bare) <= 20 or not _NAME_SIGNS.fullmatch(bare) or _NO_NAME.search(bare):
        return None
    return Value(bare, text.strip())


def organisation(text: str) -> Value | None:
    """The name of an institution as it stands; whom the fax is for (殿, 御中) is none."""
    bare = text.strip(" \u3000:：・")
    if not 2 <= len(bare) <= 60 or not re.search(r"[^\W\d_]{2}", bare) or re.search(r"[殿様宛]$|御中|行$|年月日", bare):
        return None
    return Value(bare, bare)


def address(text: str) -> Value | None:
    """A place as it stands: something of a postal address is in it."""
    bare = re.sub(r"[\s　]*(?:電話|tel|TEL|☎).*$", "", text.strip(" \u3000:：・"))
    return Value(bare, bare) if 3 <= len(bare) <= 120 and _PLACE.search(bare) and re.search(r"[^\W\d_]", bare) else None


def place(text: str) -> Value | None:
    """Where it was caught, as it stands; 確定・推定, printed behind the label, is none, however it was read."""
    found = words(text)
    return None if found is None or (re.search("確定|推定|定推", found.value) and len(found.value) < 12) else found


def listed(text: str) -> Value | None:
    """Options written out (頭痛、発熱): those of the printed forms as they are printed, all else as it stands."""
    found = words(text)
    if found is None:
        return None
    mended, sure = printed.mended(found.value)
    return Value(mended, found.raw, sure)


def words(text: str) -> Value | None:
    """Whatever stands there, when it is words."""
    bare = text.strip(" \u3000:：・。")
    return (
        Value(bare, text.strip())
        if not _CERTAINTY.match(bare) and re.search(r"[^\W_]", bare) and len(bare) <= 200
        else None
    )


def chosen(options: Sequence[str], marks: Sequence[Mark], text: str) -> Value | None:
    """The option that is circled or ticked; without marks, the only one that stands there and nothing else."""
    on = [(option, mark) for mark in marks if mark.on and (option := _option(options, mark.text)) is not None]
    if len({option for option, _ in on}) == 1:
        return Value(on[0][0], on[0][1].text, max(mark.confidence for _, mark in on))
    if on:
        return None
    return _only(options, text)


def _only(options: Sequence[str], text: str) -> Value | None:
    """The option that a text is, a quarter of its signs misread; the text has nothing else."""
    plain = fold(text)
    if plain.strip("・.,、") != plain:
        return None  # one of a printed row, the others lost
    ranked = sorted((Levenshtein.distance(fold(option), plain) / len(fold(option)), option) for option in options)
    if ranked[0][0] > 0.25 or (len(ranked) > 1 and ranked[1][0] - ranked[0][0] < 0.2):
        return None
    return Value(ranked[0][1], text.strip(), 1 - ranked[0][0])


def _option(options: Sequence[str], written: str) -> str | None:
    """The option that a mark's words are: whole, or by their first sign (昭 for 昭和)."""
    plain = re.sub(r"^[\d\W_]+", "", fold(written))
    if not plain:
        return None
    exact = [option for option in options if fold(option) == plain or fold(option) in plain]
    if not exact and len(plain) <= 2:
        exact = [option for option in options if fold(option).startswith(plain)]
    if not exact and len(plain) >= 4:
        exact = [option for option in options if plain in fold(option)] or _misread(options, plain)
    return exact[0] if len(exact) == 1 else None


def _misread(options: Sequence[str], plain: str) -> list[str]:
    """The option that a circle spoilt (派症状病原体保有名): three in ten signs are others, and no option is as near."""
    shares = sorted((Levenshtein.distance(fold(option), plain) / len(fold(option)), option) for option in options)
    sure = shares[0][0] <= _SPOILT and (len(shares) == 1 or shares[1][0] - shares[0][0] > _SPOILT / 2)
    return [shares[0][1]] if sure else []
