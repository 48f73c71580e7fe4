"""What the count is made of: faxes by month, the base year, and the register of faxes that never pass the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from gateway.database import PER_QUERY, note, transaction
from gateway.models import Baseline, Fax, RegisterEntry


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How many faxes came in one month by where and from whom."""

    month: str
    line: str
    department: str | None
    caller: str | None
    document_type: str | None
    institution: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rows that are counted; what they mean is :mod:`gateway.traffic`'s."""

    engine: sa.Engine

    def arrivals(self, first: str, last: str) -> list[Arrivals]:
        """Counted faxes of the months ``first`` to ``last`` (``2026-11``)."""
        told = col(Fax.sealed).is_(None)  # of a sealed fax nobody is told who sent it
        caller, institution = sa.case((told, col(Fax.caller))), sa.case((told, col(Fax.institution)))
        keys: list[Any] = [Fax.month, Fax.line, Fax.department, caller, Fax.document_type, institution]
        with transaction(self.engine) as session:
            rows = session.execute(
                sa.select(*keys, sa.func.count())
                .where(col(Fax.counts).is_(True), col(Fax.month) >= first, col(Fax.month) <= last)
                .group_by(*keys)
            ).all()
        return [Arrivals(*row) for row in rows]

    def excluded(self, first: str, last: str) -> list[tuple[str, str, int]]:
        """What was taken but not counted: month, why (``duplicates``, ``parts`` or ``notices``), how many."""
        why = sa.case(
            (col(Fax.duplicate_of).is_not(None), "duplicates"),
            (col(Fax.kind) == "part", "parts"),
            (col(Fax.joined_into).is_not(None), "parts"),
            else_="notices",
        )
        with transaction(self.engine) as session:
            keys: list[Any] = [Fax.month, why]
            rows = session.execute(
                sa.select(*keys, sa.func.count())
                .where(col(Fax.counts).is_(False), col(Fax.month) >= first, col(Fax.month) <= last)
                .where(col(Fax.taken_from).is_(None))
                .group_by(*keys)
            ).all()
        return [(month, reason, count) for month, reason, count in rows]

    def first_month(self) -> str | None:
        """The month of the oldest fax."""
        with transaction(self.engine) as session:
            return session.exec(select(sa.func.min(col(Fax.month)))).one()

    def last_of_lines(self) -> dict[str, datetime]:
        """When each line last brought anything: a silent machine must not look like a success."""
        with transaction(self.engine) as session:
            latest: list[Any] = [Fax.line, sa.func.max(Fax.accepted_at)]
            return dict(session.execute(sa.select(*latest).group_by(col(Fax.line))).all())

    def save_baseline(self, rows: Sequence[Baseline], who: str) -> int:
        """Take the base year's counts; the same key again replaces the count. Returns how many keys were new."""
        new = 0
        with transaction(self.engine) as session:
            for row in rows:
                new += session.get(Baseline, (row.month, row.bureau, row.department, row.direction)) is None
                session.merge(row)
            note(session, who, "baseline", None, rows=len(rows), new=new)
        return new

    def baseline(self, months: Sequence[str]) -> list[Baseline]:
        """The base year's counts of these months."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Baseline).where(col(Baseline.month).in_(months))))

    def save_register(self, rows: Sequence[RegisterEntry], who: str) -> int:
        """Take entries of the register; those already taken stay. Returns how many were new."""
        with transaction(self.engine) as session:
            keys = {row.key for row in rows}
            here: set[str] = set()
            for start in range(0, len(rows), PER_QUERY):
                some = [row.key for row in rows[start : start + PER_QUERY]]
                here.update(session.exec(select(RegisterEntry.key).where(col(RegisterEntry.key).in_(some))))
            fresh = {row.key: row for row in rows if row.key not in here}
            session.add_all(fresh.values())
            added = len(keys - here)
            note(session, who, "register", None, rows=len(rows), new=added)
            return added

    def register(self, first: str, last: str) -> list[RegisterEntry]:
        """Entries of the months ``first`` to ``last``."""
        with transaction(self.engine) as session:
            return list(
                session.exec(select(RegisterEntry).where(RegisterEntry.month >= first, RegisterEntry.month <= last))
            )
