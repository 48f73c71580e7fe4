"""Whom a fax is addressed to, when that is plainly not us. High precision: when unsure, nobody is named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from routing.fold import fold
from routing.layout import PageLine, PageLines
from routing.phrases import skeleton

_LABEL = re.compile(r"^\W*(?:宛\s*先|送\s*信\s*先|送\s*付\s*先|宛\s*名|あて先|to)\s*[::\s]\s*", re.I)
_LABEL_ALONE = re.compile(r"^\W*(?:宛\s*先|送\s*信\s*先|送\s*付\s*先|宛\s*名|あて先|to)\s*[::]?\s*$", re.I)
# With what engines make of them (御巾, 衛中, 樣); a person's role may stand between: 御担当医 様.
_HONORIFIC = re.compile(
    r"\s*(?:(?:御|ご)\s?担当(?:者|医|医師|薬剤師)?\s*)?"
    r"(?:[御卸衛]\s*[中巾申]|(?<![制防統])御\S{1,2}|\S御中|先生(?:\s*(?:御\S{1,2}|侍史|机下))?|[御卸]?侍史|[御卸]?机下|[様樣檨]|殿|行き?|宛て?)\s*$"
)
_COMPANY = re.compile(
    r"株式会社|株.会社|株式会.|株式.社|有限会社|有限会.|合同会社|合資会社|\(株\)|\(有\)|法律事務所|税理士|司法書士|会計事務所|銀行|信用金庫|証券|co\.,?\s?ltd|\binc\b|\bllc\b|gmbh|\bcorp",
    re.I,
)
_CARE = re.compile(r"病院|クリニック|医院|診療所|歯科|薬局|調剤|助産院|接骨院|老人ホーム")
_PUBLIC = re.compile(
    r"知事|市長|区長|町長|村長|[都道府県市区町村]庁|役所|役場|保健所|保健センター|保健福祉|教育委員会|議会|消防|警察|"
    r"[都道府県市区町村国公]立(?!\S{0,14}(?:病院|診療所|医療センター|医院|薬局))|(?<!薬)局|"
    r"government|metropolitan|city of|ward|prefectur|public|office of",
    re.I,
)
_GOVERNED = re.compile(r"[都道府県市区町村庁署省]|公社|公団|機構")
# A municipality or prefecture as addressed: 潮見市 健康推進課, 西原市長, 港南区役所. A person is called 中村, 古市,
# and an office 都市整備課: 村 and 町 count with what only they have, 市 with a whole office behind it.
_OFFICE = r"\S{2,14}(?:課|室|係|局|部|センター|委員会)(?=\s|$)"
_BODY = re.compile(
    rf"(?P<name>[^\s\d、。・()]{{1,7}}?(?:[市区県](?=長(?:\s|$)|役所|庁|知事|保健所|立|議会|\s*{_OFFICE})|府(?=知事|庁)"
    rf"|[町村](?=長(?:\s|$)|役場|立|議会|\s*\S{{0,8}}(?:委員会|センター)(?:\s|$)))|東京都|北海道|\S{{1,3}}都(?=知事|庁))"
)
_NO_BODY = re.compile(r"[都道府県市区町村]+|(?:地|校|学|特別|行政|当|本|各|全|他|同|管|選挙)[市区]")
_BESIDE = re.compile(r"(?<=御中|.様|.殿)\s+\S.*$")  # a right-hand column that was read into the addressee's line
_REMARK = re.compile(r"(?<=\S)\s*\([^()]{1,20}\)$")
"""Where somebody is, behind the name: (あおば市)."""
_LONGEST = 60
_HEAD = 14


@dataclass(frozen=True, slots=True)
class Addressee:
    """Another organisation, as addressed."""

    name: str
    """The organisation alone: a person's name is never kept."""
    page: int


def elsewhere(pages: Sequence[PageLines], names: Sequence[str] = ()) -> Addressee | None:
    """The organisation that the first page's head is addressed to when it is plainly another one, else None.

    ``names``: how the body that runs this is called (みどり区, 東都); without them no other public body is seen.
    """
    first = next((page for page in pages if not page.blank), None)
    if first is None:
        return None
    head = [line for line in first.lines if line.title][:_HEAD]
    for n, line in enumerate(head):
        name = _addressed(line, head[n - 1] if n else None, head[n + 1] if n + 1 < len(head) else None, names)
        if name is not None:
            return Addressee(name, first.number)
    return None


def public(pages: Sequence[PageLines]) -> bool:
    """Whether the head of any page names a public body: as addressee or sender, on a cover sheet too."""
    heads = [unicodedata.normalize("NFKC", line.raw) for page in pages for line in page.lines[:40] if line.title]
    return any(_PUBLIC.search(head) or (_GOVERNED.search(head) and _HONORIFIC.search(head)) for head in heads)


def _addressed(
    line: PageLine, before: PageLine | None, after: PageLine | None, names: Sequence[str] = ()
) -> str | None:
    text = unicodedata.normalize("NFKC", line.raw).strip()
    text = _REMARK.sub("", _BESIDE.sub("", text))
    if len(text) > _LONGEST:
        return None
    bare = _LABEL.sub("", text)
    labelled = bare != text or (before is not None and _LABEL_ALONE.match(before.raw) is not None)
    named = _HONORIFIC.sub("", bare)
    if not (labelled or named != bare or (after is not None and _honours(after, line))):
        return None
    return _another_body(named, names) or _another(named)


def _honours(word: PageLine, line: PageLine) -> bool:
    """Whether ``word`` is the honorific of ``line``, set apart on its row (or, where places are unknown, below it)."""
    bare = unicodedata.normalize("NFKC", word.raw).strip()
    middle = (word.box[1] + word.box[3]) / 2
    return bare != "" and _HONORIFIC.sub("", bare) == "" and line.box[1] <= middle <= line.box[3]


def _another_body(name: str, names: Sequence[str]) -> str | None:
    """The municipality or prefecture in ``name`` when none of ours is named with it."""
    found = _BODY.search(name) if names else None
    if found is None or _NO_BODY.fullmatch(found["name"]) or any(_names(name, own) for own in names):
        return None
    return found["name"]


def _names(text: str, own: str) -> bool:
    """Whether ``own`` stands in ``text``, one sign in three misread."""
    wanted, there = skeleton(fold(own)), skeleton(fold(text))
    windows = (there[at : at + size] for size in (len(wanted) - 1, len(wanted)) for at in range(len(there)))
    return any(Levenshtein.distance(wanted, window) <= len(wanted) // 3 for window in windows)


def _another(name: str) -> str | None:
    """The organisation in ``name`` when no public body is meant; a company's department is still the company."""
    if _PUBLIC.search(name):
        return None
    if name.isascii():
        return name[:40] if _COMPANY.search(name) else None
    tokens = name.split()
    for n, token in enumerate(tokens):
        if _COMPANY.search(token) or _CARE.search(token):
            alone = token in {"株式会社", "有限会社", "合同会社"}
            return " ".join(tokens[: n + 2] if alone else tokens[: n + 1])[:40]
    return None
