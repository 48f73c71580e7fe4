"""What waits for a worker and who works: jobs on their way into the engine's queue, and the executors that live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from gateway.database import database_time, transaction
from gateway.models import Executor, Fax, Job, State, now

JOURNEY, CARRY, ALERT = "journey", "carry", "alert"
"""Work for a worker: walk a fax from its mail to its department; deliver its waiting copies; tell people of it."""

HandOver = Callable[[sa.Connection, str, str], None]
"""Puts a job (work, fax id) into the engine's queue inside the caller's transaction."""


@dataclass(frozen=True, slots=True)
class Haste:
    """What tells how soon a job is taken."""

    line: str
    client: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """The rows of jobs that the engine does not have yet, and of the executors that run them."""

    engine: sa.Engine

    def hand_over(self, put: HandOver, most: int = 100) -> int:
        """Put the oldest jobs into the engine's queue and take them out here, both or neither; gives how many."""
        with self.engine.connect() as connection:  # a look takes no write lock
            if connection.execute(sa.select(col(Job.id)).limit(1)).first() is None:
                return 0
        with self.engine.begin() as connection:
            # Another host may do the same at this moment (PostgreSQL); SQLite has one writer. Alerts wait for nobody.
            first: list[Any] = [Job.work != ALERT, Job.id]
            oldest = sa.select(col(Job.id)).order_by(*first).limit(most).with_for_update(skip_locked=True)
            taken = connection.execute(
                sa.delete(Job)
                .where(col(Job.id).in_(oldest.scalar_subquery()))
                .returning(col(Job.id), col(Job.work), col(Job.fax_id))
            ).all()
            for _, work, fax_id in sorted(taken):
                put(connection, work, fax_id)
        return len(taken)

    @staticmethod
    def haste(connection: sa.Connection, fax_id: str) -> Haste:
        """What tells how soon a fax's job is taken, inside the transaction that hands it over."""
        columns: list[Any] = [Fax.line, Fax.client, Fax.urgent]
        return Haste(*connection.execute(sa.select(*columns).where(col(Fax.id) == fax_id)).one())

    def want_carried(self, fax_id: str, work: str = CARRY) -> None:
        """Have the waiting copies (or messages: ALERT) of a fax tried."""
        with transaction(self.engine) as session:
            want(session, work, fax_id)

    def wanted(self, fax_id: str) -> bool:
        """Whether a job of this fax waits for a worker."""
        with transaction(self.engine) as session:
            return session.exec(select(Job.id).where(Job.fax_id == fax_id)).first() is not None

    def beat(self, executor: str, silent_for: timedelta) -> list[str]:
        """Say that this executor lives; gives back those that have been silent too long. By the database's clock."""
        with transaction(self.engine) as session:
            moment = database_time(session)
            session.merge(Executor(id=executor, beat_at=moment))
            session.flush()
            return list(session.exec(select(Executor.id).where(Executor.beat_at < moment - silent_for)))

    def buried(self, executor: str) -> None:
        """Forget an executor: its journeys have been taken over, or it has said good-bye."""
        with transaction(self.engine) as session:
            session.execute(sa.delete(Executor).where(col(Executor.id) == executor))

    def executors(self) -> list[Executor]:
        """Everybody who runs journeys."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Executor)))


def want(session: Session, work: str, fax_id: str) -> None:
    """Have a worker do this for the fax once the caller's transaction is committed."""
    session.add(Job(work=work, fax_id=fax_id))


def restart(session: Session, fax_id: str) -> None:
    """Run the journey from the start, for another reason than a failure."""
    anew = {"state": State.RECEIVED, "run": "", "attempt": 0, "updated_at": now()}
    again = sa.update(Fax).where(col(Fax.id) == fax_id, col(Fax.destroyed_at).is_(None)).values(**anew)
    if session.execute(again.execution_options(synchronize_session=False)).rowcount:  # type: ignore[attr-defined]
        want(session, JOURNEY, fax_id)
