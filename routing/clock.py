"""By when: what the law gives a document of its class, from the day of diagnosis or from reception.

``直ちに`` is reception itself. Days are counted without the first (民法140条) and end with the last second of the
last one in Tokyo. A last day on which offices are closed is NOT moved: 地方自治法4条の2第4項 (it goes before
民法142条) would move the sender's duty to the next working day; the department's clock rather rings a day early.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from routing.disease import Disease
from routing.hours import day_off
from routing.phrases import NOTIFICATIONS
from routing.taxonomy import DocumentType

JST = timezone(timedelta(hours=9), "JST")
"""Asia/Tokyo: no summer time since 1951. Deadlines of the law are days of this calendar."""
_OLDEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Due:
    """The end of the department's time, and why then: a sentence for staff, empty where the class says it already."""

    at: datetime
    why: str = ""


def due(
    kind: DocumentType | None, received_at: datetime, diagnosed: date | None = None, disease: Disease | None = None
) -> Due | None:
    """When the department's time is over; None where the class sets none.

    The taxonomy's ``due`` rules (``at_once``, ``hours:N``, ``days:N``), but a notification of a disease that is due at
    once is so whatever form it came on: 麻しん, 風しん and 侵襲性髄膜炎菌感染症 are of class 5 and have no seven days
    (感染症法12条1項1号).
    """
    if kind is None or not kind.due:
        return None
    clock, _, amount = kind.due.partition(":")
    if clock == "at_once":
        return Due(received_at)
    if clock == "hours":
        return Due(received_at + timedelta(hours=int(amount)))
    notified = kind.code in NOTIFICATIONS
    if notified and disease is not None and disease.deadline_hours == 0:
        return Due(received_at, f"期限 直ちに(「{disease.name}」は診断後直ちに届け出る感染症)")
    return _days(int(amount), received_at, diagnosed if notified else None)


def _days(amount: int, received_at: datetime, diagnosed: date | None) -> Due:
    received = received_at.astimezone(JST).date()
    begins = _plausible(diagnosed, received)
    last = (begins or received) + timedelta(days=amount)
    since = "診断日" if begins else "受信日"
    closed = "。閉庁日ですが繰り延べません" if day_off(last) else ""
    return Due(
        datetime.combine(last, time(23, 59, 59), JST),
        f"期限 {last.month}月{last.day}日({since}の翌日から{amount}日{closed})",
    )


def _plausible(diagnosed: date | None, received: date) -> date | None:
    """A diagnosis after the reception, or more than a year before it, is a misread date."""
    if diagnosed is None or not received - _OLDEST <= diagnosed <= received:
        return None
    return diagnosed
