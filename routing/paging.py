"""Pages that did not come, by what the sending machine printed on those that did: page 2 of 3, and no page 3.

The line is read by OCR, so a page's number may be missing or wrong; several faxes may come in one mail, each counted
from 1; some machines print 1/1 on every page. A page whose number is not known may be any: it fills a gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from routing.facts import PageFacts
from routing.layout import page_of

Printed = tuple[int, int | None]
"""n and m of "page n of m"; m None where it is not printed."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """What is missing of one fax among the pages."""

    total: int | None
    numbers: tuple[int, ...]
    """Printed numbers of the missing pages; empty where only their count is known."""
    count: int


@dataclass(slots=True)
class _Run:
    """Pages of one fax, counted upward: (place among the pages, n, m)."""

    read: list[tuple[int, int, int | None]] = field(default_factory=list)

    @property
    def total(self) -> int | None:
        """What most of its pages say; of several the least that fits."""
        said = Counter(total for _, _, total in self.read if total)
        most = max(said.values(), default=0)
        return min((total for total, times in said.items() if times == most), default=None)

    def takes(self, place: int, number: int, total: int | None) -> bool | None:
        """Whether a page goes on counting here; None when its number is more likely misread."""
        last_place, last, _ = self.read[-1]
        expected = last + place - last_place
        if number <= last:
            return False
        if number == expected or total == self.total:
            return True
        return None if self.total is not None and expected <= self.total else False


def printed(page: PageFacts) -> Printed | None:
    """What stands on a page: as it was handed in, else as its text shows it."""
    return page.printed if page.printed is not None else page_of(page)


def lacking(pages: Sequence[PageFacts]) -> tuple[Lacking, ...]:
    """Of each fax among the pages what did not come; empty when nothing speaks of a missing page."""
    return lacking_of([printed(page) for page in pages])


def lacking_of(pages: Sequence[Printed | None]) -> tuple[Lacking, ...]:
    """The same by the numbers that stand on the pages, None where none is known."""
    runs: list[_Run] = []
    for place, told in enumerate(pages):
        if told is None:
            continue
        goes_on = runs[-1].takes(place, *told) if runs else False
        if goes_on is None:
            continue
        if not goes_on:
            runs.append(_Run())
        runs[-1].read.append((place, *told))
    found: list[Lacking] = []
    free = 0  # pages of unknown number before the run in hand
    for at, run in enumerate(runs):
        first_place = run.read[0][0]
        free = first_place if at == 0 else free
        end = runs[at + 1].read[0][0] if at + 1 < len(runs) else len(pages)
        behind = end - run.read[-1][0] - 1
        for_next = min(behind, runs[at + 1].read[0][1] - 1) if at + 1 < len(runs) else 0
        gone = _gone(run, free, behind - for_next)
        free = for_next
        if gone is not None:
            found.append(gone)
    return tuple(found)


def _gone(run: _Run, before: int, behind: int) -> Lacking | None:
    """What a run lacks, ``before`` and ``behind`` being pages of unknown number that may be its own."""
    total = run.total
    gaps = _inner(run)
    first, last = run.read[0][1], run.read[-1][1]
    if total is not None or len(run.read) > 1:  # a number alone may be misread
        gaps.append((range(1, first), before))
    if total is not None:
        gaps.append((range(last + 1, total + 1), behind))
    count = sum(max(0, len(numbers) - known) for numbers, known in gaps)
    if not count:
        return None
    certain = all(not known or len(numbers) <= known for numbers, known in gaps)
    numbers = tuple(number for numbers, known in gaps if not known for number in numbers) if certain else ()
    return Lacking(total, tuple(sorted(numbers)), count)


def _inner(run: _Run) -> list[tuple[range, int]]:
    pairs = zip(run.read, run.read[1:], strict=False)
    return [(range(a + 1, b), at - before - 1) for (before, a, _), (at, b, _) in pairs]
