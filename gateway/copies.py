"""Copies for the sinks of departments, and how each sink does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from gateway.database import FEW, note, transaction
from gateway.models import Delivery, Fax, now
from gateway.queue import ALERT, CARRY, want

PATIENT = timedelta(minutes=10)
"""How long a sink may take nothing, while copies wait for it, before it is said to be dead."""

UNDONE = ("pending", "deferred", "failed")
"""Copies that their sink has not taken."""

NOT_SENT = "誤着として封印したため、送りません。"
"""Why a copy was stopped; it is set going again when the fax turns out to be ours."""

STOPPED = sa.and_(col(Delivery.state) == "failed", col(Delivery.error).is_not_distinct_from(NOT_SENT))
"""Copies that are kept back; no fault of their sink."""


@dataclass(frozen=True, slots=True)
class SinkState:
    """How a sink does."""

    id: str
    waiting: int
    failed: int
    """Given up; a person has to change something."""
    taken_at: datetime | None
    """When it last took anything."""
    tried_since: datetime | None
    """When the oldest fax came whose copy it was offered in vain; None: nothing is stuck."""
    error: str | None

    def dead(self, moment: datetime) -> bool:
        """Whether it has taken nothing for a while although there was something, or something was given up."""
        if self.tried_since is None:
            return self.failed > 0
        last = max(self.tried_since, self.taken_at) if self.taken_at else self.tried_since
        return self.failed > 0 or moment - last > PATIENT


@dataclass(frozen=True, slots=True)
class Copies:
    """The rows of copies and of messages about urgent faxes."""

    engine: sa.Engine

    def waiting(self, fax_id: str, work: str = CARRY) -> list[Delivery]:
        """Copies of this fax, or messages about it (ALERT), that have not arrived."""
        with transaction(self.engine) as session:
            waits = col(Delivery.state).in_(["pending", "deferred"])
            rows = select(Delivery).where(Delivery.fax_id == fax_id, waits, of_work(work))
            if work == CARRY:  # of a sealed fax nothing goes out; people are called to it all the same
                closed = select(Fax.id).where(Fax.id == fax_id, col(Fax.sealed).is_not(None))
                rows = rows.where(col(Delivery.fax_id).not_in(closed))
            return list(session.exec(rows))

    def deliveries(self, fax_ids: Sequence[str]) -> list[Delivery]:
        """All copies of these faxes."""
        with transaction(self.engine) as session:
            return list(
                session.exec(select(Delivery).where(col(Delivery.fax_id).in_(fax_ids)).order_by(col(Delivery.id)))
            )

    def carried(
        self, delivery_id: str, state: str, error: str | None, receipt: str | None, next_attempt: datetime | None
    ) -> None:
        """Note how a try went."""
        with transaction(self.engine) as session:
            session.execute(
                sa.update(Delivery)
                .where(col(Delivery.id) == delivery_id, col(Delivery.state) != "delivered")
                .values(
                    state=state,
                    attempts=Delivery.attempts + 1,
                    error=error,
                    receipt=receipt and receipt.replace("\0", ""),  # a receiver's words; PostgreSQL takes no NUL
                    next_attempt=next_attempt,
                    updated_at=now(),
                )
            )

    def carry_again(self, before: datetime, work: str = CARRY, most: int = FEW) -> list[str]:
        """Faxes with copies (or messages: ALERT) that should have been tried before then, and were not.

        Their job may be lost. Those first that have waited longest.
        """
        late = sa.func.coalesce(Delivery.next_attempt, Delivery.updated_at) < before
        waiting = sa.and_(col(Delivery.state).in_(["pending", "deferred"]), of_work(work))
        with transaction(self.engine) as session:
            longest = sa.func.min(Delivery.updated_at)
            found = select(Delivery.fax_id).where(waiting, late).group_by(col(Delivery.fax_id)).order_by(longest)
            return list(session.exec(found.limit(most)))

    def resend(self, sink: str, who: str) -> int:
        """Try again now what this sink has not taken; gives how much. Copies of sealed faxes stay stopped."""
        with transaction(self.engine) as session:
            undone = sa.and_(col(Delivery.sink) == sink, col(Delivery.state).in_(["deferred", "failed"]), ~STOPPED)
            again = (
                sa.update(Delivery)
                .where(undone, col(Delivery.step) == 0)
                .values(state="pending", attempts=0, next_attempt=None, updated_at=now())
                .returning(col(Delivery.fax_id))
            )
            faxes = sorted({row[0] for row in session.execute(again)})
            for fax_id in faxes:
                want(session, CARRY, fax_id)
            note(session, who, "resent", None, sink=sink, copies=len(faxes))
            return len(faxes)

    def sinks(self, *, undone: bool = False) -> list[SinkState]:
        """How each sink does that was ever given a copy or a message; ``undone``: only those with something left."""
        state, waits = col(Delivery.state), col(Delivery.state).in_(["pending", "deferred"])
        columns: list[Any] = [
            Delivery.sink,
            sa.func.sum(sa.case((waits, 1), else_=0)),
            sa.func.sum(sa.case((state == "failed", 1), else_=0)),
            sa.func.min(sa.case((sa.and_(waits, col(Delivery.attempts) > 0), col(Fax.accepted_at)))),
        ]
        left = sa.select(*columns).join(Fax, col(Fax.id) == col(Delivery.fax_id)).where(state.in_(UNDONE), ~STOPPED)
        with transaction(self.engine) as session:
            rows = {row[0]: row[1:] for row in session.execute(left.group_by(col(Delivery.sink)))}
            names = rows if undone else session.exec(select(Delivery.sink).distinct())
            taken = {sink: self._last_taken(session, sink) for sink in names}
            return [
                SinkState(
                    id=sink,
                    waiting=(found := rows.get(sink, (0, 0, None)))[0],
                    failed=found[1],
                    taken_at=taken[sink],
                    tried_since=found[2],
                    error=self._last_error(session, sink),
                )
                for sink in sorted(taken)
            ]

    @staticmethod
    def _last_taken(session: Session, sink: str) -> datetime | None:
        """One look into the index for each sink: together they would go over all that was ever delivered."""
        last = select(sa.func.max(col(Delivery.updated_at))).where(Delivery.state == "delivered", Delivery.sink == sink)
        return session.exec(last).one()

    @staticmethod
    def _last_error(session: Session, sink: str) -> str | None:
        undone = col(Delivery.state).in_(["deferred", "failed"])
        wrong = select(Delivery.error).where(Delivery.sink == sink, undone, ~STOPPED)
        return session.exec(wrong.order_by(col(Delivery.updated_at).desc()).limit(1)).first()


def send(session: Session, fax: Fax, sinks: Sequence[str]) -> None:
    """A copy for each of these sinks that has none yet, inside the caller's transaction."""
    fresh = [sink for sink in sinks if session.get(Delivery, f"{fax.id}-{sink}") is None]
    for sink in fresh:
        session.add(Delivery(id=f"{fax.id}-{sink}", fax_id=fax.id, sink=sink, updated_at=now()))
    if fresh:
        want(session, CARRY, fax.id)


def of_work(work: str) -> Any:
    """The condition that parts copies (CARRY) from messages that call people (ALERT)."""
    return col(Delivery.step) > 0 if work == ALERT else col(Delivery.step) == 0
