"""Who sent a fax: the institutions that are known, by the call's number, by what their machine and their page say.

Only the call's own number proves anything. The machine's name (TSI), a printed number and a name on the page were
written by whoever sent the fax: they tell people who it seems to be, and pass no rule that asks for proof.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

from rapidfuzz import fuzz, process

from routing import number
from routing.facts import Facts, Institution, PageFacts, Sender
from routing.fold import fold
from routing.number import written

KINDS = {
    "clinic": "診療所",
    "hospital": "病院",
    "pharmacy": "薬局",
    "laboratory": "検査機関",
    "nursery": "保育園・幼稚園",
    "school": "学校",
    "care_home": "介護・福祉施設",
    "company": "会社・団体",
    "public_body": "官公庁",
    "citizen": "住民",
    "other": "その他",
}
"""Sorts of sender, with their Japanese names."""

KNOWN_BY = {
    "caller": "発信番号で一致",
    "tsi": "発信機の名乗り(TSI)で一致、証明にはなりません",
    "letterhead": "紙面の電話・FAX番号で一致、証明にはなりません",
    "name": "紙面の名称で一致、証明にはなりません",
}
"""What told, in the order in which it is believed."""

# How much each witness alone is worth; several that agree are worth more (noisy-or). A caller's number can be forged
# in the network or be an exchange's that many share; the rest is writing.
_WORTH = {"caller": 0.98, "tsi": 0.6, "letterhead": 0.7, "name": 0.6}
_DOUBT = 0.7
"""What is left of it for each witness that names somebody else."""

_LINES = 60
"""Lines of a page that are looked at: who sends says so at the top, or in the form's own box."""
_PAGES = 5
"""Blank pages that are turned over before one with text."""
_LONGEST, _TEXT = 120, 20_000
"""Signs of a line, and of a page, that are looked at."""
_NEAR = 4
"""Lines between a name and the numbers that belong to it."""
_ALIKE = 88.0
"""rapidfuzz's ratio from which two folded names are one that was misread: one sign in eight."""
_CLEAR = 4.0
"""By how much the likest name must be liker than the next."""
_SPELLINGS = 200
"""Names of one number that are compared: an exchange's number may come with thousands."""
_FEWEST = 4
"""Signs of a name that is looked for in running text; shorter ones stand in other words."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who a page says that it is from."""

    name: str
    """As it was read, without blanks; empty when no line looks like a sender's name."""
    kind: str
    """What the name looks like: one of KINDS, or empty."""
    numbers: tuple[str, ...]
    """E.164: the telephone and fax numbers beside it."""
    labelled: bool
    """Whether the page calls it the sender (発信元, 医療機関名), or numbers stand with it: enough to learn from."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A number that was called from, seen with a name on the page."""

    number: str
    name: str
    tsi: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A number that may belong to an institution: nothing rests on it until a person has confirmed it."""

    number: str
    name: str
    """In its most frequent spelling."""
    kind: str
    tsis: tuple[str, ...]
    count: int
    """Faxes on which they were seen together."""
    known: tuple[Institution, ...] = ()
    """Institutions that have this name already."""
    holders: tuple[Institution, ...] = ()
    """Institutions that have this number already: confirming makes it speak for several."""


@dataclass(frozen=True, slots=True)
class Directory:
    """All institutions, looked up by number and by name. Built once from rows, by :meth:`of`."""

    institutions: tuple[Institution, ...] = ()
    numbers: dict[str, tuple[Institution, ...]] = field(default_factory=dict)
    tsis: dict[str, tuple[Institution, ...]] = field(default_factory=dict)
    names: dict[str, tuple[Institution, ...]] = field(default_factory=dict)
    ids: dict[str, Institution] = field(default_factory=dict)

    @classmethod
    def of(cls, institutions: Iterable[Institution]) -> Directory:
        """The directory of these institutions."""
        known = tuple(institutions)
        return cls(
            known,
            _index((one, e164) for one in known for e164 in one.numbers),
            _index((one, fold(tsi)) for one in known for tsi in one.tsis),
            _index((one, fold(name)) for one in known for name in (one.name, *one.names)),
            {one.id: one for one in known},
        )

    @property
    def ambiguous(self) -> dict[str, tuple[Institution, ...]]:
        """Numbers that speak for several institutions."""
        return {e164: holders for e164, holders in self.numbers.items() if len(holders) > 1}

    def of_caller(self, e164: str | None) -> tuple[Institution, ...]:
        """Whom the call's own number speaks for."""
        return self.numbers.get(e164 or "", ())

    def sender_of(self, facts: Facts, own: Collection[str] = ()) -> Sender | None:
        """Who sent the fax: by the first witness that knows, in the order caller, TSI, printed number, name.

        ``own``: numbers of our own lines, which stand on many forms and speak for nobody. A caller's number that is
        only typed (``caller_proven`` False) is heard as a TSI. Bounded time for any text.
        """
        if not self.institutions:
            return None
        heard = tuple(self._heard(facts, frozenset(own)))
        if not heard:
            return None
        known_by, seen, found = heard[0]
        agreeing = [witness for witness, _, others in heard if set(others) & set(found)]
        doubt = 1.0 - reduce(lambda left, witness: left * (1.0 - _WORTH[witness]), agreeing, 1.0)
        sure = doubt * _DOUBT ** (0 if known_by == "caller" else len(heard) - len(agreeing))
        return Sender(found, known_by, seen, round(sure / len(found), 3))

    def _heard(self, facts: Facts, own: frozenset[str]) -> Iterator[tuple[str, str, tuple[Institution, ...]]]:
        if facts.caller_proven and facts.caller in self.numbers:
            yield "caller", facts.caller, self.numbers[facts.caller]
        named = self._of_tsi(facts)
        if named is not None:
            yield "tsi", *named
        head = letterhead(facts.pages, own)
        printed = [(e164, self.numbers[e164]) for e164 in head.numbers if e164 in self.numbers]
        if printed:
            yield "letterhead", printed[0][0], tuple({one.id: one for _, found in printed for one in found}.values())
        found = self.of_name(head.name) or self._of_lines(facts.pages)
        if found:
            yield "name", found[0].name, found

    def _of_tsi(self, facts: Facts) -> tuple[str, tuple[Institution, ...]] | None:
        typed = () if facts.caller_proven or facts.caller is None else (facts.caller,)
        for said in (facts.tsi or "", *typed):
            called = number.parse(said)
            found = self.numbers.get(called.e164, ()) if called else ()
            found = found or self.tsis.get(fold(said), ()) or self.names.get(fold(said), ())
            if said.strip() and found:
                return said, found
        return None

    def of_name(self, name: str) -> tuple[Institution, ...]:
        """The institutions of this name, or of the one that it is a misreading of; empty when none is clearly it."""
        folded = fold(name[:_LONGEST])
        if not folded:
            return ()
        if folded in self.names:
            return self.names[folded]
        inside = _longest(known for known in self.names if len(known) >= _FEWEST and known in folded)
        if inside:
            return self.names[inside]
        likest = process.extract(folded, self.names.keys(), scorer=fuzz.ratio, score_cutoff=_ALIKE - _CLEAR, limit=2)
        if not likest or likest[0][1] < _ALIKE or (len(likest) > 1 and likest[0][1] - likest[1][1] < _CLEAR):
            return ()
        return self.names[likest[0][0]]

    def _of_lines(self, pages: Sequence[PageFacts]) -> tuple[Institution, ...]:
        """Known names that stand on a line of the first page which is no addressee's."""
        lines = [fold(line) for line in _lines(pages) if not _ADDRESSED.search(line)]
        text = "\n".join(lines)
        standing = [known for known in self.names if len(known) >= _FEWEST and known in text]
        whole = [known for known in standing if not any(known != other and known in other for other in standing)]
        return tuple({one.id: one for known in whole for one in self.names[known]}.values())


def sender_reason(sender: Sender) -> str:
    """Who sent it and what told, in a sentence that names all of them when the number speaks for several."""
    if sender.one is not None:
        return f"発信元: {sender.one.name}({KNOWN_BY[sender.known_by]})"
    names = "か".join(f"「{one.name}」" for one in sender.institutions[:3])
    more = f"ほか{len(sender.institutions) - 3}件" if len(sender.institutions) > 3 else ""
    seen = written(sender.seen) if sender.known_by in ("caller", "letterhead") else sender.seen
    return f"発信元: {names}{more}(「{seen}」は複数の機関のものとして登録されています)"


def kind_of(word: str) -> str | None:
    """The code of a sort of sender, written as the code or in Japanese; None for what is neither."""
    plain = unicodedata.normalize("NFKC", word).strip().casefold()
    return next((code for code, name in KINDS.items() if plain in (code, unicodedata.normalize("NFKC", name))), None)


# --- what a page says of its sender

_TOP = 4
_PRINTED = re.compile(
    r"^\W*(?:\d{2,4}\s?[年/.-]|[a-z]{3}[-. ]|令和).{1,14}?\d{1,2}\s?[:時]\s?\d{2}|"
    r"\bp(?:age)?[. ]{0,2}\d+\s?/\s?\d+\W*$",
    re.I,
)
_PRINTED_TOO = re.compile(r"\W*(?:(?:fax|tel|from|no)[\s.:]*)*[+\d][\d\-/ ().]+|\W*(?:p|page)[. ]*\d+\W*", re.I)
"""What a machine's line looks like, and what engines read apart from it: its number, its page."""
_BLANK_BETWEEN = re.compile(r"(?<=[ぁ-ヿ一-鿿々])[ \t　]+(?=[ぁ-ヿ一-鿿々](?:[ \t　]|$))")
"""Letter-spacing: さ く ら 医 院. A blank between two words stays."""
_ADDRESSED = re.compile(
    r"(?:[御衛][中巾申]|様|樣|殿|先生|[宛行]て?)\s*(?:[)）]|$)|宛\s*先|送\s*信\s*先|送\s*付\s*先|宛\s*名|あて先|^\W*to\b",
    re.I,
)
_LABEL = re.compile(
    r"発\s*信\s*(?:元|者)|送\s*信\s*(?:元|者)|差\s*出\s*人|発注[者元]|依頼[者元]|提出[者元]|届出[者元]|報告[者元]|申請[者元]|"
    r"(?:従事する)?病院[・･、]?診療所(?:等)?(?:の)?(?:名称)?|医療機関(?:等)?(?:の)?名称?|(?:施設|事業所|会社|団体|法人|学校|園|薬局)(?:等)?(?:の)?名称?(?=\s|[:：]|$)|"
    r"所属(?:機関)?|^\W*from\b",
    re.I,
)
_NOT_A_NAME = re.compile(
    r"を|^(?:従事する|医療機関|病院|診療所|施設|事業所)|"
    r"^(?:当|貴|御|各|他の?|同|本|上記の?|主治医の)(?:医療|病|医|診療|施設|事業|校|学校|園|所|社|院|薬局|クリニック|会社|法人)"
)
_HEAD_OF = re.compile(r"(?<=院|校|園|館|所|局|会|組)長$")
"""The head of an institution signs for it: 中学校長."""
_TOKEN = re.compile(r"[^\s、。,，:：;/／|()（）「」【】\[\]<>＜＞*＊■□●○◆]+")
_COMPANY = re.compile(r"[(（](株|有|社|医|福)[)）]")
_SUFFIXES = (
    ("pharmacy", r"薬局|ファーマシー|調剤"),
    ("laboratory", r"検査センター|検査所|衛生研究所"),
    ("nursery", r"保育園|保育所|保育室|幼稚園|こども園"),
    ("school", r"小学校|中学校|高等学校|高校|支援学校|専門学校|大学|学園|学院"),
    ("care_home", r"老人ホーム|ホーム|老健|デイサービス|(?:訪問看護)?ステーション|支援センター|作業所|苑|の里|の家"),
    ("hospital", r"病院|医療センター|療養所"),
    ("clinic", r"クリニック|医院|診療所|歯科|内科|小児科|外科|眼科|皮膚科|耳鼻(?:咽喉)?科|婦人科|整形外科"),
    ("public_body", r"市役所|区役所|役場|[都道府県]庁|消防署|警察署|保健所|保健センター|児童相談所|教育委員会"),
    ("company", r"(?:株式|有限|合同|合資)会社|法人|㈱|㈲|センター|商店|工務店|協会|組合|[振新]興会|自治会"),
)  # fmt: skip
_KINDS = tuple((kind, re.compile(suffix)) for kind, suffix in _SUFFIXES)
_CONTACT = re.compile(r"tel|fax|電\s*話|ファッ?クス|ファクシミリ|〒|所\s*在\s*地|住\s*所", re.I)


def letterhead(pages: Sequence[PageFacts], own: Collection[str] = ()) -> Letterhead:
    """Who the first page with text says that it is from, and the numbers beside it.

    Only names that look like an institution's are taken, never a person's. Lines that name the addressee are left out.
    """
    lines = _lines(pages)
    best: tuple[int, int, str, str] | None = None
    for at, line in enumerate(lines):
        for name, kind in _names(line, at, lines):
            score = _score(at, lines, kind)
            if best is None or score > best[0]:
                best = (score, at, name, kind)
    if best is None:
        return Letterhead("", "", _numbers(lines[: _LINES // 4], own), labelled=False)
    score, at, name, kind = best
    near = _numbers(lines[max(0, at - 1) : at + 1 + _NEAR], own)
    return Letterhead(name, kind, near, labelled=score > 1)


def _lines(pages: Sequence[PageFacts]) -> list[str]:
    """The first lines of the first page with text; the sending machine's own line is none of them (that is the TSI)."""
    first = next((page for page in pages[:_PAGES] if any(map(str.isalpha, page.text[:_TEXT]))), None)
    if first is None:
        return []
    lines = [line[:_LONGEST].strip() for line in first.text[:_TEXT].splitlines() if line.strip()]
    top = lines[:_TOP]
    if any(_PRINTED.search(line) for line in top):
        top = [line for line in top if not (_PRINTED.search(line) or _PRINTED_TOO.fullmatch(line))]
    return [_BLANK_BETWEEN.sub("", line) for line in (*top, *lines[_TOP:_LINES])]


def _names(line: str, at: int, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What on a line looks like a sender's name, with its kind."""
    if _ADDRESSED.search(line) or (at and re.fullmatch(r"\W*(?:宛先|送信先|送付先|宛名|あて先)\W*", lines[at - 1])):
        return
    bare = _COMPANY.sub(r"\1", _LABEL.sub(" ", line))
    for token in _TOKEN.findall(bare):
        name = _HEAD_OF.sub("", token)
        kind = _kind(name)
        if kind and 3 <= len(name) <= 40 and not _NOT_A_NAME.search(name):
            yield name, kind


def _kind(name: str) -> str:
    """What a name looks like; empty for what is no institution's, or nothing but the word for one."""
    return next((kind for kind, suffix in _KINDS if (found := suffix.search(name)) and found[0] != name), "")


def _score(at: int, lines: Sequence[str], kind: str) -> int:
    """3: the page calls it the sender; 2: numbers or an address stand below it; 1: it only stands there."""
    if _LABEL.search(lines[at]) or (at and _LABEL.search(lines[at - 1]) and len(lines[at - 1]) < 24):
        return 3
    below = lines[at : at + 1 + _NEAR]
    return 2 if kind != "public_body" and any(_CONTACT.search(line) for line in below) else 1


def _numbers(lines: Sequence[str], own: Collection[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for at, line in enumerate(lines):
        if _ADDRESSED.search(line) or (at and _ADDRESSED.search(lines[at - 1]) and len(lines[at - 1]) < 10):
            continue
        found |= dict.fromkeys(seen.e164 for seen in number.find(line) if seen.e164 not in own)
    return tuple(found)


# --- what arrives teaches


def sighting_of(facts: Facts, own: Collection[str] = ()) -> Sighting | None:
    """What a fax may teach: the call's own number, and the name that its page gives as the sender's."""
    if facts.caller is None or not facts.caller_proven or facts.caller in own:
        return None
    head = letterhead(facts.pages, own)
    return Sighting(facts.caller, head.name, (facts.tsi or "")[:80]) if head.name and head.labelled else None


def proposals(
    sightings: Iterable[Sighting], directory: Directory, least: int = 2, most: int = 200
) -> tuple[Proposal, ...]:
    """Numbers seen with a name at least so often, the most frequent first; those that the directory has are left out.

    Spellings that are alike (OCR) are one name; its most frequent spelling is shown.
    """
    by_number: dict[str, list[Sighting]] = {}
    for seen in sightings:
        by_number.setdefault(seen.number, []).append(seen)
    found = [
        (sum(one.count for one in spellings), e164, spellings)
        for e164, seen in by_number.items()
        for spellings in _spellings(seen)
        if not any(_has(one, spellings[0].name) for one in directory.of_caller(e164))
    ]
    often = sorted((one for one in found if one[0] >= least), key=lambda one: (-one[0], one[1], one[2][0].name))
    return tuple(_proposal(e164, spellings, directory) for _, e164, spellings in often[:most])


def _has(one: Institution, name: str) -> bool:
    """Whether a name is one of the institution's, misread or with more around it."""
    return any(alike(known, name) or fold(known) in fold(name) for known in (one.name, *one.names))


def alike(one: str, other: str) -> bool:
    """Whether two names are one, spelled or read differently."""
    return fuzz.ratio(fold(one), fold(other)) >= _ALIKE


def _spellings(seen: Sequence[Sighting]) -> list[list[Sighting]]:
    groups: list[list[Sighting]] = []
    for one in sorted(seen, key=lambda sighting: (-sighting.count, sighting.name))[:_SPELLINGS]:
        group = next((group for group in groups if alike(group[0].name, one.name)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _proposal(e164: str, spellings: Sequence[Sighting], directory: Directory) -> Proposal:
    name = spellings[0].name
    return Proposal(
        number=e164,
        name=name,
        kind=_kind(name),
        tsis=tuple(dict.fromkeys(one.tsi for one in spellings if one.tsi and number.parse(one.tsi) is None)),
        count=sum(one.count for one in spellings),
        known=directory.of_name(name),
        holders=directory.of_caller(e164),
    )


def _index(pairs: Iterable[tuple[Institution, str]]) -> dict[str, tuple[Institution, ...]]:
    found: dict[str, dict[str, Institution]] = {}
    for one, key in pairs:
        if key:
            found.setdefault(key, {})[one.id] = one
    return {key: tuple(holders.values()) for key, holders in found.items()}


def _longest(names: Iterable[str]) -> str:
    return max(names, key=len, default="")
