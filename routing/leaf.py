"""Page numbers that forms print on themselves (2/3, - 2 -, 2枚目), and what they tell of the documents in a fax.

A form's own count is not the machine's: it begins at 1 with every form. But dates (11/2), doses (1/2錠) and fractions
look the same, so a count is believed only where it runs over pages, or where it says both that it is one and of how
many (全3枚中2枚目, 2/3ページ). The machine's count says one thing too: where it begins anew, a fax begins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from routing.facts import PageFacts
from routing.paging import Lacking, Printed, lacking_of, printed

_MACHINE = "machine"
_LINES, _LONGEST = 4, 60
_HEAD, _FOOT = 0.14, 0.86
"""Where on a page counts stand: shares of its height."""
_UNIT = r"(?:ページ|ぺージ|頁|枚|葉)"
_N, _M = r"0{0,2}(?P<n>[1-9]\d{0,2})", r"0{0,2}(?P<m>[1-9]\d{0,2})"
_EDGE, _END = r"(?<![\d/.:-])", r"(?![\d/.:-])"
_PLAIN = r"^[\W_]*"
_SAYS_SO = (
    rf"(?:全|計|総)\s*{_M}\s*{_UNIT}\s*(?:中|の内|のうち|の)?\s*(?:の|第)?\s*{_N}\s*{_UNIT}?\s*目?",
    rf"{_EDGE}{_M}\s*{_UNIT}\s*(?:中|の内|のうち)\s*(?:の|第)?\s*{_N}\s*{_UNIT}?\s*目?",
    rf"{_EDGE}{_N}\s*{_UNIT}\s*目?\s*[/(]\s*(?:全|計|総)?\s*{_M}\s*{_UNIT}",
    rf"{_EDGE}{_N}\s*/\s*(?:全|計|総)?\s*{_M}\s*{_UNIT}",
    rf"(?<![a-z])(?:page|ページ|頁|p)[.:\s]*{_N}\s*(?:/|of|の)\s*{_M}{_END}",
)
"""A number with how many there are, in words that mean pages and nothing else."""
_IF_IT_RUNS = {
    "of": (rf"{_PLAIN}{_N}\s*/\s*{_M}[\W_]*$", rf"[(\[〔【]\s*{_N}\s*/\s*{_M}\s*[)\]〕】]$"),
    "page": (
        rf"{_PLAIN}(?:page|ページ|頁|p|no)[.:\s]*{_N}[\W_]*$",
        rf"{_PLAIN}{_N}\s*(?:(?:ページ|ぺージ|頁)\s*目?|(?:枚|葉)\s*目)[\W_]*$",
        rf"[(\[〔【]\s*{_N}\s*(?:(?:ページ|ぺージ|頁)\s*目?|(?:枚|葉)\s*目)\s*[)\]〕】]$",
    ),
    "dash": (rf"^\s*[-‐‑–—―−ー~・]\s*{_N}\s*[-‐‑–—―−ー~・]\s*$",),
}
_STRONG = tuple(re.compile(pattern, re.I) for pattern in _SAYS_SO)
_WEAK = {kind: tuple(re.compile(pattern, re.I) for pattern in some) for kind, some in _IF_IT_RUNS.items()}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What may be a page's number."""

    place: int
    """Of the page in the fax, from 0."""
    n: int
    m: int | None
    strong: bool

    def goes_on(self, before: _Seen) -> bool:
        """Whether it counts on from ``before``; pages between may be unread."""
        return self.n - before.n == self.place - before.place > 0 and self.m == before.m


@dataclass(frozen=True, slots=True)
class Leaves:
    """What is believed of a fax's pages, by their place from 0."""

    own: Mapping[int, Printed] = field(default_factory=dict)
    """The forms' own numbers."""
    begins: frozenset[int] = frozenset()
    """Pages on which a count begins anew, a form's or the machine's, after other pages."""

    def goes_on(self, place: int) -> bool:
        """Whether a page says that it is not the first of its form."""
        return place in self.own and self.own[place][0] > 1 and place not in self.begins

    def lacking(self, first: int, last: int) -> tuple[Lacking, ...]:
        """What the forms on these pages lack, by their own numbers."""
        return lacking_of([self.own.get(place) for place in range(first, last + 1)])


def leaves(pages: Sequence[PageFacts]) -> Leaves:
    """The numbers that the pages of one fax carry. Time is linear in the pages, whatever stands on them."""
    kinds: dict[str, list[_Seen]] = {}
    for place, page in enumerate(pages):
        for kind, seen in _candidates(place, page):
            kinds.setdefault(kind, []).append(seen)
    believed = {kind: _believed(seen) for kind, seen in kinds.items()}
    own: dict[int, Printed] = {}
    begins: set[int] = set()
    for kind, numbers in sorted(believed.items(), key=lambda pair: -len(pair[1])):
        for one in numbers:
            if kind != _MACHINE:
                if one.place in own:
                    continue
                own[one.place] = (one.n, one.m)
            if one.n == 1:
                begins.add(one.place)
    return Leaves(own, frozenset(begins - {0}))


def _believed(seen: Sequence[_Seen]) -> list[_Seen]:
    """Those of one kind that count over pages, begin such a count again, or leave no doubt by themselves."""
    runs: list[list[_Seen]] = []
    for one in seen:
        if runs and one.goes_on(runs[-1][-1]):
            runs[-1].append(one)
        else:
            runs.append([one])
    told = {run[0].m is not None for run in runs if len(run) > 1}
    return [
        one
        for run in runs
        for one in run
        if len(run) > 1 or one.strong or (one.n == 1 and one.m is not None and True in told)
    ]


def _candidates(place: int, page: PageFacts) -> Iterator[tuple[str, _Seen]]:
    """What may count on a page, the first of each kind, at its head and at its foot."""
    machine = printed(page)
    if machine is not None:
        yield _MACHINE, _Seen(place, *machine, strong=False)
    for zone, lines in _edges(page, skip=machine is not None and page.printed is None):
        kinds: dict[str, _Seen] = {}
        for line in lines:
            for kind, n, m, strong in _counts(line):
                kinds.setdefault(kind, _Seen(place, n, m, strong))
        yield from ((f"{zone} {kind}", seen) for kind, seen in kinds.items())


def _edges(page: PageFacts, *, skip: bool) -> Iterator[tuple[str, list[str]]]:
    """The lines at the head and at the foot; ``skip``: the machine's own line stands among the first four."""
    if page.words and page.height:
        high, low = page.height * _HEAD, page.height * _FOOT
        head = [word.text for word in page.words[:200] if word.box[3] < high]
        foot = [word.text for word in page.words[-200:] if word.box[1] > low]
    else:
        lines = [line for line in page.text[:20_000].splitlines() if line.strip()]
        head, foot = lines[:_LINES], lines[-_LINES:]  # a short page's lines are both
    if skip:
        head, foot = ([line for line in some if printed(PageFacts(1, line)) is None] for some in (head, foot))
    yield "head", [_plain(line) for line in head]
    yield "foot", [_plain(line) for line in foot]


def _plain(line: str) -> str:
    return unicodedata.normalize("NFKC", line[: 2 * _LONGEST]).strip()


def _counts(line: str) -> Iterator[tuple[str, int, int | None, bool]]:
    """Readings of one line: kind, n, m, and whether its words leave no doubt."""
    if not line or len(line) > _LONGEST:
        return
    strong = next((found for pattern in _STRONG if (found := pattern.search(line))), None)
    if strong is not None:
        n, m = int(strong["n"]), int(strong["m"])
        if n <= m:
            yield "of", n, m, True
        return
    for kind, patterns in _WEAK.items():
        found = next((found for pattern in patterns if (found := pattern.search(line))), None)
        if found is not None:
            n, m_told = int(found["n"]), found.groupdict().get("m")
            if m_told is None or n <= int(m_told):
                yield kind, n, int(m_told) if m_told else None, False
