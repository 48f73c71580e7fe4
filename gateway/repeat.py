"""The same fax twice. What is surely one call counts once; what only looks the same is shown, and a person decides.

Surely the same: equal documents, or pages equal dot by dot, for the same line, from the same machine and caller, within
the time below. The line that the sending machine prints with date and time is among these dots, so that a second call
is no repeat. Message-ID, Date and file names are not asked: machines change them, or use them again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from gateway.models import Fax, Page
from gateway.reader import Readers
from gateway.store import Store
from gateway.tti import tti_of
from ocr.errors import ReadingError
from ocr.fingerprint import nearness
from routing.fold import fold

SAME_CALL = timedelta(days=5)
"""As long as a machine tries to send one mail (RFC 5321 4.5.4.1): for pages that carry date and time of the call."""
SAME_CALL_UNDATED = timedelta(hours=12)
"""For pages without: less than a day, because some forms are sent every day and look the same every day."""
SAME_SHEET = timedelta(days=7)
"""A sheet that is faxed again comes the same day, or after somebody has asked for it."""
ALIKE = 0.90
"""Share of the writing that must stand on both pages. Measured: docs/decisions.md, "How are near repeats found?"."""
PERHAPS = 0.85
"""Nearness of fingerprints from which the pages themselves are compared."""
MOST, MOST_PAGES = 20, 30
"""Faxes, and pages of each, that are compared closely."""
SURE = 0.3
"""Confidence of words that may speak against two pages' being one: 96 % of those of damaged pages, about as many as had
0.9 when confidence was the mean of what the recogniser says of characters."""
_EDGE = 0.04
"""Of the width: what stands so near to the edge is the machine's line."""
_LOOKALIKE = str.maketrans("oil|/;!", "0111111")
_STROKES = "1il|/;:!"

Word = tuple[str, float, float, float, float, float]
"""Folded text, centre across and down, width, height, confidence."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Where repeats are looked for."""

    store: Store
    readers: Readers

    def look(self, fax: Fax, run: str, pages: Sequence[Page]) -> None:
        """Note whether this fax repeats another, and which others may be the same. Runs before the decision."""
        dated = _dated(pages)
        pictures = "" if any(page.problem for page in pages) else pictures_of(pages)
        first = self.store.settle_repeat(fax.id, run, pictures, lambda one, other: same_call(one, other, dated))
        alike = {} if first or fax.kind != "fax" or fax.joined_into else self._alike(fax, pages)
        self.store.propose(fax.id, run, alike)

    def _alike(self, fax: Fax, pages: Sequence[Page]) -> dict[str, float]:
        mine = [page.fingerprint for page in pages]
        if not any(mine) or any(not page.png for page in pages):
            return {}
        lately = self.store.lately(fax, SAME_SHEET)
        others = [other.id for other in lately if abs(_came(other) - _came(fax)) <= SAME_SHEET]
        prints = self.store.fingerprints(others)
        near = sorted(((_near(mine, prints[other]), other) for other in others if other in prints), reverse=True)
        found: dict[str, float] = {}
        for nearest, other in near[:MOST]:
            if nearest < PERHAPS:
                break
            score = self._compared(pages, self.store.pages(other))
            if score >= ALIKE:
                found[other] = score
        return found

    def _compared(self, pages: Sequence[Page], others: Sequence[Page]) -> float:
        """How much of two faxes is the same, by the page that is the least so; 0 when the text speaks against it."""
        best = 0.0
        for pairs in _pairings(pages, others):
            written = [(one, other) for one, other in pairs[:MOST_PAGES] if one.fingerprint or other.fingerprint]
            if not written or any(contradicted(*pair) or contradicted(*pair[::-1]) for pair in written):
                continue
            best = max(best, self._least(written, best))
        return best

    def _least(self, pairs: Sequence[tuple[Page, Page]], beat: float) -> float:
        least = 1.0
        for one, other in pairs:
            if one.bits and one.bits == other.bits:
                continue
            try:
                least = min(least, self.readers.likeness(one.png, other.png))
            except ReadingError:
                return 0.0
            if least < max(ALIKE, beat):
                break
        return least


def pictures_of(pages: Sequence[Page]) -> str:
    """SHA-256 over the bits of all pages; empty when none is written on, because blank pages tell nothing."""
    if not any(page.fingerprint for page in pages) or any(not page.bits for page in pages):
        return ""
    return hashlib.sha256("\n".join(page.bits for page in pages).encode()).hexdigest()


def same_call(one: Fax, other: Fax, dated: bool) -> bool:
    """Whether two faxes with equal pages are one call that was forwarded twice.

    ``dated``: the pages carry the date and time of the call. What both mails tell must agree.
    """
    if one.line != other.line or one.envelope_from != other.envelope_from:
        return False
    told = [(getattr(one, name), getattr(other, name)) for name in ("caller", "tsi", "subject", "sender", "said")]
    if any(mine and theirs and mine != theirs for mine, theirs in told):
        return False
    return abs(_came(one) - _came(other)) <= (SAME_CALL if dated else SAME_CALL_UNDATED)


def said(body: str) -> str:
    """What a mail's text is compared by; empty for none. The text itself is not kept."""
    words = fold(body)
    return hashlib.sha256(words.encode()).hexdigest() if words else ""


def contradicted(one: Page, other: Page) -> bool:
    """Whether words that were read surely and stand at the same place differ: another name, date or number.

    Only words are compared that lie over each other when the two pages are laid on each other by the words that they
    share; where too few are shared to do so, the text says nothing.
    """
    mine, theirs = _words(one), _words(other)
    laid = _laid_over(mine, theirs)
    if laid is None:
        return False
    for word in mine:
        across, down = np.array([word[1], word[2], 1.0]) @ laid
        there = [seen for seen in theirs if _covers(word, float(across), float(down), seen)]
        if len(there) == 1 and min(word[5], there[0][5]) >= SURE and _differ(word[0], there[0][0]):
            return True
    return False


def _came(fax: Fax) -> datetime:
    return fax.received_at if fax.client == "backlog" else fax.accepted_at


def _dated(pages: Sequence[Page]) -> bool:
    return any((tti := tti_of(page.tti)) is not None and tti.date for page in pages)


def _near(mine: Sequence[str], theirs: Sequence[str]) -> float:
    """The nearness of the least near pages; the shorter fax may be the beginning or the end of the other."""
    short, long = sorted((list(mine), list(theirs)), key=len)
    offsets = {0, len(long) - len(short)}
    return max(min(nearness(a, b) for a, b in zip(short, long[at:], strict=False)) for at in offsets) if short else 0.0


def _pairings(pages: Sequence[Page], others: Sequence[Page]) -> list[list[tuple[Page, Page]]]:
    short, long = sorted((list(pages), list(others)), key=len)
    return [list(zip(short, long[at:], strict=False)) for at in sorted({0, len(long) - len(short)})]


def _words(page: Page) -> list[Word]:
    edge = _EDGE * page.width
    return [
        (fold(text), (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, sure)
        for text, x0, y0, x1, y1, sure in page.words
        if edge < (y0 + y1) / 2 < page.height - edge
    ]


def _laid_over(mine: Sequence[Word], theirs: Sequence[Word]) -> NDArray[np.float64] | None:
    """The affine map of places on one page to places on the other, by words that each page has once."""
    once = [{word[0]: word for word in reversed(page) if len(word[0]) >= 3} for page in (mine, theirs)]
    count = [[word[0] for word in page] for page in (mine, theirs)]
    shared = [text for text in once[0] if text in once[1] and count[0].count(text) == count[1].count(text) == 1]
    if len(shared) < 4:
        return None
    here = np.array([(once[0][text][1], once[0][text][2], 1.0) for text in shared])
    there = np.array([once[1][text][1:3] for text in shared])
    for _ in range(3):
        laid = np.linalg.lstsq(here, there, rcond=None)[0]
        off = np.abs(here @ laid - there).max(axis=1)
        keep = off <= max(12.0, 2.5 * float(np.median(off)))
        if keep.all() or keep.sum() < 4:
            break
        here, there = here[keep], there[keep]
    return np.asarray(laid, np.float64)


def _covers(word: Word, across: float, down: float, seen: Word) -> bool:
    wide = min(across + word[3] / 2, seen[1] + seen[3] / 2) - max(across - word[3] / 2, seen[1] - seen[3] / 2)
    return abs(seen[2] - down) < 0.5 * max(word[4], seen[4]) and wide > 0.75 * max(word[3], seen[3])


def _differ(one: str, other: str) -> bool:
    """Whether two words are surely not one: other digits, whichever way look-alikes are read, or hardly a letter."""
    if one == other:
        return False
    mine, theirs = _readings(one), _readings(other)
    if mine and theirs:
        return mine.isdisjoint(theirs)
    return min(len(one), len(other)) >= 2 and not (mine or theirs) and fuzz.ratio(one, other) < 60


def _readings(text: str) -> frozenset[str]:
    """Its digits as they stand, and with letters and strokes read as the digits that they look like.

    A stroke at either end may be a rule of the form. Empty where no real digit stands.
    """
    if not re.search(r"\d", text):
        return frozenset()
    plain = text.strip(_STROKES) or text
    return frozenset(re.sub(r"\D", "", way) for way in (text, plain, text.translate(_LOOKALIKE)))
