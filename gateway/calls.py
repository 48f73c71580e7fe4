"""Who is called to an urgent fax, step by step until somebody has opened it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from gateway.database import FEW, note, transaction
from gateway.models import Alert, Delivery, Fax, now
from gateway.queue import ALERT, want

LAST_STEP = 8
"""Steps of an alert that nobody answers; with the usual 15 minutes people have been called for two hours."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who is told of an urgent fax at one step, and how long they have to open it."""

    sinks: tuple[str, ...]
    wait: timedelta


CallOf = Callable[[Fax, int, datetime], Call]
"""The call for a fax at a step (from 1) at a moment."""


def nobody(_fax: Fax, _step: int, _moment: datetime) -> Call:
    """No alerts: nobody is told."""
    return Call((), timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class Calls:
    """The rows of alerts; whom they call is told by :mod:`gateway.alerts`."""

    engine: sa.Engine

    def escalate(self, moment: datetime, call_of: CallOf, most: int = FEW) -> list[str]:
        """Take the next step of every alert that nobody has answered in its time; gives the faxes.

        Called again and again by every host; each step is taken once.
        """
        with transaction(self.engine) as session:
            late = select(Alert.fax_id, Alert.step).where(col(Alert.next_at) <= moment).order_by(col(Alert.next_at))
            found = session.exec(late.limit(most)).all()
        return [fax_id for fax_id, step in found if self._escalate(fax_id, step, moment, call_of)]

    def _escalate(self, fax_id: str, step: int, moment: datetime, call_of: CallOf) -> bool:
        with transaction(self.engine) as session:
            guard = (
                sa.update(Alert)
                .where(col(Alert.fax_id) == fax_id, col(Alert.step) == step, col(Alert.next_at) <= moment)
                .values(step=step + 1, stepped_at=moment, next_at=None)
            )
            if not session.execute(guard).rowcount:  # type: ignore[attr-defined]
                return False  # another host was faster, or somebody has just opened it
            fax = session.exec(select(Fax).where(Fax.id == fax_id)).one()
            call = call_of(fax, step + 1, moment)
            if step + 1 < LAST_STEP:
                session.execute(sa.update(Alert).where(col(Alert.fax_id) == fax_id).values(next_at=moment + call.wait))
            _tell(session, fax, step + 1, call)
            return True

    def unreachable(self, fax_id: str, step: int) -> None:
        """A message of this step can never arrive: where none has, the next step is due now."""
        with transaction(self.engine) as session:
            reached = select(Delivery.id).where(
                Delivery.fax_id == fax_id, Delivery.step == step, col(Delivery.state) != "failed"
            )
            if session.exec(reached.limit(1)).first() is None:
                session.execute(
                    sa.update(Alert)
                    .where(col(Alert.fax_id) == fax_id, col(Alert.step) == step, col(Alert.next_at).is_not(None))
                    .values(next_at=now())
                )

    def looked(self, fax_id: str, who: str) -> None:
        """A person has opened the fax's page."""
        with transaction(self.engine) as session:
            note(session, who, "viewed", fax_id)
            answered(session, fax_id, who)

    def alerts(self, fax_ids: Sequence[str]) -> dict[str, Alert]:
        """The alerts of these faxes, by fax."""
        with transaction(self.engine) as session:
            return {alert.fax_id: alert for alert in session.exec(select(Alert).where(col(Alert.fax_id).in_(fax_ids)))}


def raise_alert(session: Session, fax: Fax, call_of: CallOf) -> None:
    """Tell people of an urgent fax, once for each department that it comes to."""
    known = session.get(Alert, fax.id)
    if known is not None and known.department == fax.department:
        return
    moment = now()
    call = call_of(fax, 1, moment)
    raised = {"raised_at": moment, "stepped_at": moment, "next_at": moment + call.wait}
    session.merge(Alert(fax_id=fax.id, department=fax.department, step=1, opened_at=None, opened_by=None, **raised))
    _tell(session, fax, 1, call)


def _tell(session: Session, fax: Fax, step: int, call: Call) -> None:
    for sink in call.sinks:
        name = f"{fax.id}-alert{step}-{sink}"
        if session.get(Delivery, name) is None:
            session.add(Delivery(id=name, fax_id=fax.id, sink=sink, step=step, updated_at=now()))
    session.flush()
    want(session, ALERT, fax.id)
    note(session, "gateway", "alerted" if step == 1 else "escalated", fax.id, step=step, sinks=list(call.sinks))


def answered(session: Session, fax_id: str, who: str) -> None:
    """Nobody else is called for this fax."""
    moment = now()
    guard = (
        sa.update(Alert)
        .where(col(Alert.fax_id) == fax_id, col(Alert.opened_at).is_(None))
        .values(opened_at=moment, opened_by=who, next_at=None)
    )
    if not session.execute(guard).rowcount:  # type: ignore[attr-defined]
        return
    unsent = sa.and_(col(Delivery.fax_id) == fax_id, col(Delivery.step) > 0, col(Delivery.state) == "deferred")
    session.execute(sa.delete(Delivery).where(unsent))  # a message that comes hours later calls for nothing
    note(session, who, "opened", fax_id)
