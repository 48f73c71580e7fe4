"""A page as lines for comparison: each folded, with its words, its place, and whether it stands where titles stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from routing.facts import Box, PageFacts
from routing.fold import fold

PAGE_LIMIT = 20_000
"""Characters of a page that are looked at. A full A4 page of small print has 4,000."""
FAX_LIMIT = 400_000
"""Characters of a fax that are looked at."""
_LINES = 600
_LINE_LIMIT = 400
_TITLE_LINES = 30
_EDGE = 0.05
"""Share of a page in which the sending machine's line stands: what is lower is the letter's own date and time."""

# The sender's machine prints its own line above the page (the trade calls it TTI): date, name, number, page.
_PAGE_OF = re.compile(
    r"(?<![a-z])(?:p|page|頁|ページ)[.:\s]{0,3}0*(\d{1,3})\s{0,2}/\s{0,2}0*(\d{1,3})(?![\d/])|(?<![\d/])0(\d\d)/0(\d\d)(?![\d/])",
    re.I,
)
_PAGE_OF_AFTER = re.compile(r"(?<![\d/])(\d{1,3})\s{0,2}/\s{0,2}(\d{1,3})\s{0,2}(?:頁|ページ|枚)")
_HEADER_LINE = re.compile(
    r"^\W*(?:\d{4}\s?[年/.-]|\d{1,2}[/.-]\s?\d{1,2}|[a-z]{3}[-. ]{1,2}\d|令和).{0,12}\d{1,2}\s?[:時]\s?\d{2}|"
    r"^\W*(?:fax|tel|from|p)(?:[\s.:]{0,3}no)?[\s.:]*[+\d][\d\-/ ().]+$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class PageLine:
    """One line of a page."""

    folded: str
    raw: str
    page: int
    title: bool
    """Whether it stands in the upper third."""
    box: Box
    """All zero when the place is not known."""
    confidence: float
    """How often such a line is right, letter for letter."""
    joined: bool = False
    """Whether it repeats single characters that stand as lines of their own too."""

    def sure_of(self, part: str) -> float:
        """How often a *part* of it is: the line's doubt is spread evenly over its letters."""
        return float(self.confidence ** min(1.0, len(fold(part)) / max(1, len(self.folded))))


@dataclass(frozen=True, slots=True)
class PageLines:
    """One page's lines and their folded words run together, for phrases that a line break cuts."""

    number: int
    lines: tuple[PageLine, ...]
    folded: str

    @property
    def blank(self) -> bool:
        """Nothing but the machine's own line and specks, if that: not two letters of any script."""
        return sum(character.isalpha() for character in self.folded[:200]) < 2


def lay_out(pages: Sequence[PageFacts]) -> tuple[PageLines, ...]:
    """The readable pages as lines, within the limits above; the sending machine's own line is left out."""
    left = FAX_LIMIT
    laid: list[PageLines] = []
    for page in pages:
        if not page.readable:
            continue
        lines = _lines(page, min(PAGE_LIMIT, left)) if page.kind != "blank" else []
        left -= sum(len(line.raw) for line in lines)
        edge = _EDGE * page.height if page.words and page.height else PAGE_LIMIT
        content = tuple(
            line for n, line in enumerate(lines) if not (n < 4 and line.box[1] <= edge and _is_header(line.raw))
        )
        laid.append(PageLines(page.number, content, "".join(line.folded for line in content)))
    return tuple(laid)


def page_of(page: PageFacts) -> tuple[int, int] | None:
    """``n`` and ``m`` of the machine's own ``P.n/m`` at the head of the page, or None."""
    head = "\n".join((page.text[:2000] or "\n".join(word.text for word in page.words[:8])).splitlines()[:4])
    head = unicodedata.normalize("NFKC", head)  # 1／3
    match = _PAGE_OF.search(head) or _PAGE_OF_AFTER.search(head)
    if match is None:
        return None
    n, m = (int(number) for number in match.groups() if number is not None)
    return (n, m) if 1 <= n <= m else None


def _is_header(raw: str) -> bool:
    return bool(_HEADER_LINE.search(raw) or _PAGE_OF.search(raw)) and len(raw) < 100


def _lines(page: PageFacts, limit: int) -> list[PageLine]:
    placed = _placed(page) if page.words else _unplaced(page, limit)
    lines: list[PageLine] = []
    length = 0
    for line in placed[:_LINES]:
        length += len(line.raw)
        if length > limit:
            break
        if line.folded:
            lines.append(line)
    return _with_joined(lines)


def _placed(page: PageFacts) -> list[PageLine]:
    """Words with boxes: the upper third is measured."""
    bottom = page.height or max(word.box[3] for word in page.words)
    return [
        PageLine(fold(raw), raw, page.number, word.box[1] * 3 < bottom, word.box, word.confidence)
        for word in page.words[:_LINES]
        for raw in word.text[:_LINE_LIMIT].splitlines()
    ]


def _unplaced(page: PageFacts, limit: int) -> list[PageLine]:
    """Text alone: the upper third is counted in lines, a short page's title zone is eight lines."""
    raws = [raw[:_LINE_LIMIT] for raw in page.text[:limit].splitlines() if raw.strip()]
    zone = min(max(8, len(raws) // 3), _TITLE_LINES)
    return [PageLine(fold(raw), raw, page.number, n < zone, (0, 0, 0, 0), 1.0) for n, raw in enumerate(raws[:_LINES])]


def _with_joined(lines: list[PageLine]) -> list[PageLine]:
    """A wide-spaced title comes as single characters: runs of them are joined to a line of their own."""
    result: list[PageLine] = []
    for short, run in groupby(lines, key=lambda line: len(line.folded) <= 2):
        members = list(run)
        result += members
        if short and len(members) > 1:
            head = members[:40]
            result.append(
                PageLine(
                    "".join(line.folded for line in head),
                    " ".join(line.raw for line in head),
                    head[0].page,
                    head[0].title,
                    _around([line.box for line in head]),
                    min(line.confidence for line in head),
                    joined=True,
                )
            )
    return result


def _around(boxes: list[Box]) -> Box:
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
