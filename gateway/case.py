"""The clock of a sealed case: what is still to do about a misdirected fax, and by when.

A fax that is not for us is a leak on its sender's side: they are called the same day, and decide what becomes of it.
Where our own side has passed it on, the report to the Personal Information Protection Commission is due: first within
three to five days, in full within thirty (個人情報の保護に関する法律68条, 同施行規則44条). The day on which it became
known is taken for the first of them, which is the earlier reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from gateway.models import TOKYO, Case

CLASS = "MISDIRECTED"
"""The document type (routing/data/document_taxonomy.csv) that is sealed."""
OPEN_FOR = timedelta(minutes=30)
"""How long a sealed fax stays open to a person who gave a reason."""
TO_SETTLE = 7
"""Days to return it or to agree on it; no law says so, it is our own."""
FIRST_REPORT, FINAL_REPORT = 3, 30
"""Days, the one on which the leak became known among them. The first report: 3 to 5, taken early."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do in a case."""

    name: str
    """``called``, ``settled``, ``reported``, ``confirmed``."""
    due: datetime
    done: datetime | None

    def late(self, moment: datetime) -> bool:
        """Whether its time is over and it is not done."""
        return self.done is None and self.due < moment


def steps(case: Case) -> tuple[Step, ...]:
    """What a case asks for, in order, done or not."""
    asked = [
        Step("called", last_moment(case.since, 1), case.called_at),
        Step("settled", last_moment(case.since, TO_SETTLE), case.settled_at),
    ]
    if case.leaked_at is not None:
        asked.append(Step("reported", last_moment(case.leaked_at, FIRST_REPORT), case.reported_at))
        asked.append(Step("confirmed", last_moment(case.leaked_at, FINAL_REPORT), case.confirmed_at))
    return tuple(asked)


def next_step(case: Case) -> Step | None:
    """What is due first; None when everything is done."""
    return min((step for step in steps(case) if step.done is None), key=lambda step: step.due, default=None)


def last_moment(since: datetime, days: int) -> datetime:
    """The end of the day in Tokyo that is the ``days``-th, the day of ``since`` being the first."""
    last = since.astimezone(TOKYO).date() + timedelta(days=days - 1)
    return datetime.combine(last, time(23, 59, 59), TOKYO)
