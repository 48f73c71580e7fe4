"""How well faxes were known: decisions held against the truth.

The figures of one class are about the class; *right* and *risk* are about the department, because that is where a fax
does harm. A fax that is held goes nowhere by itself, so it is neither right nor wrong; one of an urgent class counts as
found when it came out as urgent, routed or held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_BINS = 10
_POINTS = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fax: what it is, and what was decided."""

    name: str
    document_type: str
    department: str | None
    urgent: bool
    """Whether its class is one whose loss is far worse than a question."""
    told_type: str | None
    told_department: str | None
    told_urgent: bool
    held: bool
    confidence: float

    @property
    def known(self) -> bool:
        """The class is right."""
        return self.told_type == self.document_type

    @property
    def at_home(self) -> bool:
        """The department is right."""
        return self.told_department == self.department


@dataclass(frozen=True, slots=True)
class OfClass:
    """The figures of one class; a share is None where nothing was there to be counted."""

    document_type: str
    faxes: int
    precision: float | None
    recall: float | None
    held: float | None
    urgent_recall: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """Holding everything below ``threshold``: the share of faxes that go by themselves, and of those the wrong."""

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Faxes of about one confidence: how many, how sure on average, and how many of them were right."""

    faxes: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything measured on a set of faxes. Shares are 0 to 1, None where there is nothing to divide by."""

    faxes: int
    known: float | None
    """Share whose class is right."""
    routed: float | None
    """Share that went by themselves."""
    routed_right: float | None
    """Share of those in the right department."""
    misdirected: int
    """Faxes that went by themselves, and to the wrong department."""
    urgent_recall: float | None
    missed: int
    """Urgent faxes that did not come out as urgent."""
    classes: tuple[OfClass, ...]
    confusion: tuple[tuple[str, str, int], ...]
    """(is, was taken for, how often), the most frequent mistakes first."""
    curve: tuple[Point, ...]
    calibration: tuple[Bin, ...]
    calibration_error: float | None
    """Expected calibration error: the mean distance of a bin's confidence from its share of right ones."""

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` tells it."""
        return asdict(self)


def measure(outcomes: Sequence[Outcome]) -> Figures:
    """The figures of these faxes."""
    routed = [outcome for outcome in outcomes if not outcome.held]
    urgent = [outcome for outcome in outcomes if outcome.urgent]
    mistakes = Counter((o.document_type, o.told_type or "-") for o in outcomes if not o.known)
    bins = _bins(outcomes)
    return Figures(
        faxes=len(outcomes),
        known=_share(outcomes, lambda o: o.known),
        routed=_share(outcomes, lambda o: not o.held),
        routed_right=_share(routed, lambda o: o.at_home),
        misdirected=sum(not o.at_home for o in routed),
        urgent_recall=_share(urgent, lambda o: o.told_urgent),
        missed=sum(not o.told_urgent for o in urgent),
        classes=tuple(_of_class(code, outcomes) for code in sorted({o.document_type for o in outcomes})),
        confusion=tuple((true, told, count) for (true, told), count in sorted(mistakes.items(), key=_often)),
        curve=_curve(outcomes),
        calibration=bins,
        calibration_error=sum(b.faxes * abs(b.confidence - b.right) for b in bins) / len(outcomes) if bins else None,
    )


def _often(mistake: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -mistake[1], mistake[0]


def _share(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> float | None:
    return sum(map(holds, outcomes)) / len(outcomes) if outcomes else None


def _of_class(code: str, outcomes: Sequence[Outcome]) -> OfClass:
    own = [outcome for outcome in outcomes if outcome.document_type == code]
    told = [outcome for outcome in outcomes if outcome.told_type == code]
    return OfClass(
        document_type=code,
        faxes=len(own),
        precision=_share(told, lambda o: o.known),
        recall=_share(own, lambda o: o.known),
        held=_share(own, lambda o: o.held),
        urgent_recall=_share([o for o in own if o.urgent], lambda o: o.told_urgent),
    )


def _curve(outcomes: Sequence[Outcome]) -> tuple[Point, ...]:
    """From the surest fax to the least sure; faxes of one confidence come together."""
    points: list[Point] = []
    wrong = 0
    surest = sorted(outcomes, key=lambda o: -o.confidence)
    for number, outcome in enumerate(surest, 1):
        wrong += not outcome.at_home
        if number == len(surest) or surest[number].confidence < outcome.confidence:
            points.append(Point(outcome.confidence, number / len(surest), wrong / number))
    step = max(1, -(-len(points) // _POINTS))
    return tuple(point for n, point in enumerate(points, 1) if n % step == 0 or n == len(points))


def _bins(outcomes: Sequence[Outcome]) -> tuple[Bin, ...]:
    groups: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(min(_BINS - 1, int(outcome.confidence * _BINS)), []).append(outcome)
    return tuple(
        Bin(len(own), sum(o.confidence for o in own) / len(own), sum(o.known for o in own) / len(own))
        for _, own in sorted(groups.items())
    )
