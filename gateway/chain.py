"""The rows of the chain over the events; what a link is made of is :mod:`gateway.audit`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway.database import PER_QUERY, alone, database_time, transaction
from gateway.models import Chained, Event

LATE = timedelta(hours=1)
"""No transaction that wrote an event is open for so long: a number that is still missing then was never given."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Places in the chain, each holding one event."""

    engine: sa.Engine

    def add(self, link: Callable[[str, Event], str], moment: datetime | None = None, most: int = PER_QUERY) -> int:
        """Chain the oldest events that are not yet, each by ``link(hash before, event)``; gives how many.

        Whoever writes events does not wait for this. Of two that chain at once one gets nothing: a place is given once.
        ``moment`` stands for now.
        """
        try:
            with transaction(self.engine) as session:
                alone(session, Chained.__tablename__)
                moment = moment or database_time(session)
                last = session.exec(select(Chained).order_by(col(Chained.number).desc()).limit(1)).first()
                events = session.exec(
                    self._unchained().where(col(Event.id) > self._closed(session, moment)).limit(most)
                ).all()
                number, before, top = (last.number, last.hash, last.top) if last else (0, "", 0)
                for event in events:
                    number, before, top = number + 1, link(before, event), max(top, event.id or 0)
                    session.add(Chained(number=number, event_id=event.id or 0, hash=before, top=top, at=moment))
                return len(events)
        except IntegrityError:
            return 0  # another worker was first (SQLite)

    def places(self) -> Iterator[tuple[Chained, Event | None]]:
        """The whole chain, each place with its event when that is still there."""
        with transaction(self.engine) as session:
            statement = sa.select(Chained, Event).outerjoin(Event, col(Event.id) == col(Chained.event_id))
            ordered = statement.order_by(col(Chained.number)).execution_options(yield_per=PER_QUERY)
            with session.execute(ordered) as places:  # closed also when whoever asked has stopped asking
                yield from ((place, event) for place, event in places)

    def length(self) -> int:
        """How many events are chained."""
        with transaction(self.engine) as session:
            return session.exec(select(sa.func.count()).select_from(Chained)).one()

    def outside(self, moment: datetime | None = None) -> tuple[list[Event], list[Event]]:
        """Events outside the chain: those that wait their turn, and those whose number was passed long ago."""
        with transaction(self.engine) as session:
            closed = self._closed(session, moment or database_time(session))
            events = session.exec(self._unchained()).all()
        waiting = [event for event in events if (event.id or 0) > closed]
        return waiting, [event for event in events if (event.id or 0) <= closed]

    @staticmethod
    def _unchained() -> Any:
        known = sa.exists().where(col(Chained.event_id) == col(Event.id))
        return select(Event).where(~known).order_by(col(Event.id))

    def _closed(self, session: Session, moment: datetime) -> int:
        """The event number up to which nothing honest can be missing in the chain any more.

        SQLite has one writer, so numbers come in the order of commits; on PostgreSQL a number is given first and
        committed later.
        """
        places = select(Chained.top).order_by(col(Chained.number).desc()).limit(1)
        if self.engine.dialect.name != "sqlite":
            places = select(Chained.top).where(Chained.at < moment - LATE).order_by(col(Chained.at).desc()).limit(1)
        return session.exec(places).first() or 0
