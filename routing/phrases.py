"""The taxonomy's phrases made ready to be met in folded text: exactly, in look-alike characters, or nearly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from routing.disease import Diseases
from routing.fold import fold
from routing.taxonomy import Taxonomy

NOTIFICATION = "NOTIFICATION"
"""The three classes of 発生届 are one form; which of them it is, the disease tells."""
NOTIFICATIONS = ("DISEASE_IMMEDIATE", "DISEASE_7DAY", "TB_REPORT")

_SHORT_LATIN = 4
_SHORTEST_NEAR = 5
_OUTBREAK = "OUTBREAK_FACILITY"
# 入所者8名が嘔吐: an outbreak in a letter's own words. Bounded, so that hostile text ends.
_OF_MANY = re.compile(
    r"(?:入所者|入居者|利用者|通所者|入院患者|園児|職員|スタッフ)[^。]{0,6}?\d{1,3}(?:名|人)[^。]{0,20}?"
    r"(?:嘔吐|おう吐|下痢|発熱|陽性|発症(?!日)|胃腸炎|体調不良)"
)

# Characters of form titles that engines take for each other at 98 rows to the inch.
ALIKE = (
    "生牛主壬",
    "届屈居",
    "発癸",
    "書害昼",
    "注汪往",
    "文丈",
    "見貝",
    "積績",
    "請清",
    "票栗",
    "報幸",
    "検険",
    "核桜",
    "患息",
    "症疔",
    "感惑",
    "送迭",
    "休体",
    "閉閑",
    "査杳",
    "未末",
    "士土",
    "人入",
    "日曰",
    "申中由",
    "虐唐",
    "間問",
    "動助",
    "待侍",
)
_SKELETON = str.maketrans({c: group[0] for group in ALIKE for c in group[1:]})


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase of one class."""

    code: str
    written: str
    folded: str
    skeleton: str
    pattern: re.Pattern[str] | None
    """For phrases with ``#`` (a number), and for a few Latin letters, which stand alone."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it stands in folded text, exactly; at most 20 places."""
        if self.pattern is not None:
            return [m.span() for _, m in zip(range(20), self.pattern.finditer(text), strict=False)]
        spans: list[tuple[int, int]] = []
        at = text.find(self.folded)
        while at >= 0 and len(spans) < 20:
            spans.append((at, at + len(self.folded)))
            at = text.find(self.folded, at + 1)
        return spans

    def stands_in(self, text: str) -> bool:
        """Whether it stands in folded text, exactly."""
        return self.folded in text if self.pattern is None else self.pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class Book:
    """All phrases in force."""

    titles: tuple[Phrase, ...]
    anchors: tuple[Phrase, ...]
    keywords: tuple[Phrase, ...]
    against: tuple[Phrase, ...]
    pieces: Mapping[str, tuple[int, ...]] = field(hash=False, compare=False, default_factory=dict)
    """Two signs -> the titles (by place) of which one piece begins so: see :meth:`near`."""

    def near(self, folded: str) -> list[Phrase]:
        """The titles that :func:`nearly` may find in a folded line, in their order.

        Cut into one piece more than signs may be wrong, a title keeps one piece whole (Wu and Manber, 1992).
        """
        pairs = {folded[at : at + 2] for at in range(len(folded) - 1)}
        return [self.titles[n] for n in sorted({n for pair in pairs for n in self.pieces.get(pair, ())})]


@lru_cache(maxsize=16)
def book(taxonomy: Taxonomy, diseases: Diseases) -> Book:
    """The phrases of ``taxonomy``, and a notification's title for every disease (麻しん発生届)."""
    titles: list[Phrase] = []
    anchors: list[Phrase] = []
    keywords: list[Phrase] = []
    against: list[Phrase] = []
    for kind in taxonomy.types:
        code = NOTIFICATION if kind.code in NOTIFICATIONS else kind.code
        titles += [_phrase(code, p) for p in kind.title_phrases]
        anchors += [_phrase(code, p) for p in kind.anchors]
        keywords += [_phrase(code, p) for p in kind.keywords]
        against += [_phrase(code, p) for p in kind.against]
    if any(kind.code in NOTIFICATIONS for kind in taxonomy.types):
        for disease in diseases.rows:
            if disease.every_case and not disease.name.startswith("("):
                titles += [_phrase(NOTIFICATION, f"{name}発生届") for name in (disease.name, *disease.aliases)]
        anchors.append(_of_a_case(diseases))
    if any(kind.code == _OUTBREAK for kind in taxonomy.types):
        anchors.append(Phrase(_OUTBREAK, "施設の有症状者の人数", "", "", _OF_MANY))
    once = [tuple({(p.code, p.folded): p for p in group}.values()) for group in (titles, anchors, keywords, against)]
    return Book(once[0], once[1], once[2], once[3], _pieces(once[0]))


def _pieces(titles: Sequence[Phrase]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for place, phrase in enumerate(titles):
        if phrase.pattern is None and len(phrase.folded) >= _SHORTEST_NEAR:
            parts = _allowed(phrase.folded) + 1
            starts = (len(phrase.folded) * part // parts for part in range(parts))
            for pair in {phrase.folded[start : start + 2] for start in starts}:
                found.setdefault(pair, []).append(place)
    return {pair: tuple(places) for pair, places in found.items()}


def _allowed(phrase: str) -> int:
    """How many signs may be misread."""
    return min(3, len(phrase) // 4)


def _phrase(code: str, written: str) -> Phrase:
    folded = fold(written)
    pattern = None
    if "#" in folded:
        pattern = re.compile(
            r"(?:\d{1,5}|[一二三四五六七八九十]{1,3})".join(re.escape(part) for part in folded.split("#"))
        )
    elif folded.isascii() and len(folded) <= _SHORT_LATIN:
        pattern = re.compile(rf"(?<![a-z0-9]){re.escape(folded)}(?![a-z0-9])")  # ICT is no part of "district"
    return Phrase(code, written, folded, skeleton(folded), pattern)


def _of_a_case(diseases: Diseases) -> Phrase:
    """A disease and a word that speaks of a case of it (麻しんを疑う患者): a notification in a letter's own words."""
    names = {fold(name) for d in diseases.rows if d.every_case for name in (d.name, *d.aliases) if name[0] != "("}
    told = sorted((re.escape(name) for name in names if not name.isascii()), key=len, reverse=True)
    words = (
        r"疑い(?!(?:は|が|も|で)?(?:な[しいくか]|無|ありません|否定|認め(?:ない|ません|られ(?:ない|ません))))|"
        r"疑う|疑われ(?!る(?:疾患|疾病|病名|感染症))|疑って|疑似症|患者発生|患者が発生|患者の発生|患者を診|と診断|を診断|"
        r"陽性|発症(?!日|年月|時|状況)"
    )
    pattern = re.compile(f"(?<!非)(?:{'|'.join(told) or '(?!)'})[^。、]{{0,6}}?(?:{words})")
    return Phrase(NOTIFICATION, "病名と「疑い・診断・陽性」", "", "", pattern)


def skeleton(folded: str) -> str:
    """Folded text with look-alike characters made one: 発牛屈 and 発生届 are the same."""
    return folded.translate(_SKELETON)


def nearly(phrase: str, line: str) -> tuple[int, int, float] | None:
    """Where a folded phrase stands in a folded line with a few signs misread, and how near (0..1); None when too far.

    One sign of five to seven may be wrong, two of eight to eleven, three of more; shorter phrases are never guessed.
    """
    length = len(phrase)
    if length < _SHORTEST_NEAR or len(line) < length - length // 4:
        return None
    allowed = _allowed(phrase)
    if len(line) <= length:
        distance = Levenshtein.distance(phrase, line, score_cutoff=allowed)
        return None if distance > allowed else (0, len(line), 1 - distance / length)
    alignment = fuzz.partial_ratio_alignment(phrase, line, score_cutoff=70)
    if alignment is None:
        return None
    start, end = alignment.dest_start, alignment.dest_end
    distance = Levenshtein.distance(phrase, line[start:end], score_cutoff=allowed)
    return None if distance > allowed else (start, end, 1 - distance / length)
