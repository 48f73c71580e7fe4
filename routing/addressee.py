"""Whom a fax is addressed to, when that is plainly not us. High precision: when unsure, nobody is named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from routing.layout import PageLine, PageLines

_LABEL = re.compile(r"^\W*(?:宛\s*先|送\s*信\s*先|送\s*付\s*先|宛\s*名|あて先|to)\s*[::\s]\s*", re.I)
_LABEL_ALONE = re.compile(r"^\W*(?:宛\s*先|送\s*信\s*先|送\s*付\s*先|宛\s*名|あて先|to)\s*[::]?\s*$", re.I)
_HONORIFIC = re.compile(r"\s*(?:御\s*中|御\S{1,2}|\S御中|卸中|先生(?:\s*御\S{1,2})?|様|殿|行き?|宛て?)\s*$")
_COMPANY = re.compile(
    r"株式会社|有限会社|合同会社|合資会社|\(株\)|\(有\)|法律事務所|税理士|司法書士|会計事務所|銀行|信用金庫|証券|co\.,?\s?ltd|\binc\b|\bllc\b|gmbh|\bcorp",
    re.I,
)
_CARE = re.compile(r"病院|クリニック|医院|診療所|歯科|薬局|調剤|助産院|接骨院|老人ホーム")
_PUBLIC = re.compile(
    r"知事|市長|区長|町長|村長|[都道府県市区町村]庁|役所|役場|保健所|保健センター|保健福祉|教育委員会|議会|消防|警察|"
    r"[都道府県市区町村国公]立|(?<!薬)局|government|metropolitan|city of|ward|prefectur|public|office of",
    re.I,
)
_LONGEST = 60
_HEAD = 14


@dataclass(frozen=True, slots=True)
class Addressee:
    """Another organisation, as addressed."""

    name: str
    """The organisation alone: a person's name is never kept."""
    page: int


def elsewhere(pages: Sequence[PageLines]) -> Addressee | None:
    """The organisation that the first page's head is addressed to when it is plainly another one, else None."""
    first = next((page for page in pages if not page.blank), None)
    if first is None:
        return None
    head = [line for line in first.lines if line.title][:_HEAD]
    for n, line in enumerate(head):
        name = _addressed(line, head[n - 1] if n else None)
        if name is not None:
            return Addressee(name, first.number)
    return None


def _addressed(line: PageLine, before: PageLine | None) -> str | None:
    text = unicodedata.normalize("NFKC", line.raw).strip()
    if len(text) > _LONGEST:
        return None
    bare = _LABEL.sub("", text)
    labelled = bare != text or (before is not None and _LABEL_ALONE.match(before.raw) is not None)
    named = _HONORIFIC.sub("", bare)
    if not labelled and named == bare:
        return None
    return _another(named)


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
