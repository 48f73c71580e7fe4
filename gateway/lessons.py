"""What people corrected, and the models that were learned from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from gateway.database import PER_QUERY, note, transaction
from gateway.inbox import texts
from gateway.models import Event, LearnedModel

CORRECTED = "corrected"
"""The event of a person's word on a fax."""

MOST_LEARNED = 5_000
"""Corrections that are learned from, the newest."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """The corrections that learning reads, and the rows of learned models."""

    engine: sa.Engine

    def corrections(self, most: int = MOST_LEARNED) -> list[tuple[Event, str]]:
        """The last word of a person on each corrected fax, with the text that was read on it; the newest, by time."""
        newest = (
            sa.select(sa.func.max(col(Event.id)))
            .where(col(Event.action) == CORRECTED, col(Event.fax_id).is_not(None))
            .group_by(col(Event.fax_id))
        )
        with transaction(self.engine) as session:
            events = session.exec(
                select(Event).where(col(Event.id).in_(newest)).order_by(col(Event.id).desc()).limit(most)
            ).all()
            read: dict[str, str] = {}
            for start in range(0, len(events), PER_QUERY):
                read |= texts(session, [event.fax_id for event in events[start : start + PER_QUERY] if event.fax_id])
        return [(event, read.get(event.fax_id or "", "")) for event in reversed(events)]

    def answered_before(self, fax_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What had been decided of faxes before a person corrected them for the first time."""
        found: dict[str, dict[str, Any]] = {}
        with transaction(self.engine) as session:
            for start in range(0, len(fax_ids), PER_QUERY):
                some = fax_ids[start : start + PER_QUERY]
                corrected = select(Event).where(col(Event.fax_id).in_(some), Event.action == CORRECTED)
                for event in session.exec(corrected.order_by(col(Event.id))):
                    found.setdefault(event.fax_id or "", event.detail.get("before", {}))
        return found

    def model_in_use(self) -> LearnedModel | None:
        """The learned model that decides; None: the one that ships."""
        with transaction(self.engine) as session:
            return session.exec(select(LearnedModel).where(col(LearnedModel.in_use).is_(True))).first()

    def take_over(self, model: LearnedModel) -> None:
        """Let a new model decide from now on, on all hosts."""
        with transaction(self.engine) as session:
            former = self._out_of_use(session)
            model.before, model.in_use = former.id if former else None, True
            session.add(model)
            session.flush()
            note(session, model.who, "learned", model=model.sha256, corrections=model.card.get("corrections"))

    def back_to_former(self, who: str) -> tuple[LearnedModel, LearnedModel | None] | None:
        """Let the model decide that did before: (the one put aside, the one in use); None when none was learned."""
        with transaction(self.engine) as session:
            aside = self._out_of_use(session)
            if aside is None:
                return None
            former = session.get(LearnedModel, aside.before) if aside.before is not None else None
            if former is not None:
                former.in_use = True
                session.add(former)
            note(session, who, "unlearned", model=aside.sha256, back_to=former.sha256 if former else None)
            return aside, former

    @staticmethod
    def _out_of_use(session: Session) -> LearnedModel | None:
        """Takes the row's write lock first, so that two who do this at once follow each other."""
        session.execute(sa.update(LearnedModel).where(col(LearnedModel.in_use).is_(True)).values(in_use=True))
        former = session.exec(select(LearnedModel).where(col(LearnedModel.in_use).is_(True))).first()
        if former is not None:
            former.in_use = False
            session.add(former)
            session.flush()
        return former
