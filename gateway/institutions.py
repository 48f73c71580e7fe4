"""The rows of the directory: institutions, their numbers, and the names that were seen with a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from gateway.database import alone, transaction
from gateway.errors import UsageError
from gateway.models import Event, Fax, Institution, InstitutionNumber, Sighting, now
from routing.directory import Directory
from routing.directory import Sighting as Seen
from routing.facts import Institution as Known


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of institutions that were handed in."""

    new: int
    changed: int


class Institutions:
    """Who sends faxes, as far as anybody has said so."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._directory: tuple[tuple[int, int], Directory] = ((0, 0), Directory())

    def directory(self) -> Directory:
        """All institutions, read again only when somebody has changed them."""
        with transaction(self.engine) as session:
            newest: list[Any] = [sa.func.coalesce(sa.func.max(col(Institution.changed)), 0), sa.func.count()]
            highest, count = session.execute(sa.select(*newest).select_from(Institution)).one()
            edition = (int(highest), int(count))  # never the same twice: changes count up, and a merge leaves fewer
            if self._directory[0] != edition:
                numbers: dict[str, list[str]] = {}
                for row in session.exec(select(InstitutionNumber).order_by(col(InstitutionNumber.number))):
                    numbers.setdefault(row.institution_id, []).append(row.number)
                rows = session.exec(select(Institution).order_by(col(Institution.name), col(Institution.id)))
                self._directory = edition, Directory.of(_known_as(row, numbers.get(row.id, ())) for row in rows)
            return self._directory[1]

    def save(self, institutions: Sequence[Known], who: str, action: str = "imported") -> Imported:
        """Take institutions in; what is said of one that is here already is added to it."""
        with transaction(self.engine) as session:
            event = _changing(session, who, action, rows=len(institutions))
            rows = {row.id: row for row in session.exec(select(Institution))}
            before = {key: _described(row) for key, row in rows.items()}
            for one in institutions:
                row = rows.setdefault(one.id, Institution(id=one.id, name=one.name))
                row.kind, row.bureau = one.kind or row.kind, one.bureau or row.bureau
                row.department = one.department or row.department
                row.names = _united((*row.names, row.name), one.names, one.name)
                row.name, row.tsis = one.name, _united(row.tsis, one.tsis)
                session.add(row)
            session.flush()  # numbers name institutions
            added = _add_numbers(session, [(number, one.id) for one in institutions for number in one.numbers], who)
            touched = {one.id for one in institutions}
            changed = {key for key in touched if key in added or before.get(key) != _described(rows[key])}
            for key in changed:
                rows[key].changed = event
        return Imported(len(changed - set(before)), len(changed & set(before)))

    def merge(self, drop: str, into: str, who: str) -> None:
        """Make two institutions one: its names, numbers and faxes go to ``into``; raises :class:`UsageError`."""
        with transaction(self.engine) as session:
            event = _changing(session, who, "merged", dropped=drop, into=into)
            gone, kept = session.get(Institution, drop), session.get(Institution, into)
            if gone is None or kept is None or drop == into:
                raise UsageError(f"機関 {drop} と {into} はまとめられません (no two such institutions)")
            numbers = session.exec(select(InstitutionNumber).where(InstitutionNumber.institution_id == drop)).all()
            _add_numbers(session, [(row.number, into) for row in numbers], who)
            for row in numbers:
                session.delete(row)
            kept.names = _united(kept.names, (gone.name, *gone.names), kept.name)
            kept.tsis, kept.changed = _united(kept.tsis, gone.tsis), event
            kept.kind, kept.bureau = kept.kind or gone.kind, kept.bureau or gone.bureau
            kept.department = kept.department or gone.department
            session.add(kept)
            session.execute(sa.update(Fax).where(col(Fax.institution) == drop).values(institution=into))
            session.flush()
            session.delete(gone)

    def forget_number(self, institution_id: str, number: str, who: str) -> None:
        """A number no longer speaks for an institution."""
        with transaction(self.engine) as session:
            event = _changing(session, who, "number-removed", institution=institution_id)
            row = session.get(InstitutionNumber, (number, institution_id))
            held = session.get(Institution, institution_id)
            if row is None or held is None:
                raise UsageError(f"機関 {institution_id} に番号 {number} はありません (no such number)")
            session.delete(row)
            held.changed = event
            session.add(held)

    def sightings(self) -> list[Seen]:
        """Numbers seen with a name, how often; those that somebody has refused are left out."""
        with transaction(self.engine) as session:
            keys: list[Any] = [Sighting.number, Sighting.name, Sighting.tsi]
            rows = session.execute(
                sa.select(*keys, sa.func.count()).where(col(Sighting.refused_by).is_(None)).group_by(*keys)
            ).all()
        return [Seen(*row) for row in rows]

    def refuse(self, number: str, names: Sequence[str], who: str) -> None:
        """These names do not belong to this number; what comes with them from now on is not proposed either."""
        with transaction(self.engine) as session:
            _changing(session, who, "refused", names=len(names))
            session.execute(
                sa.update(Sighting)
                .where(col(Sighting.number) == number, col(Sighting.name).in_(names))
                .values(refused_by=who)
            )

    def faxes_from(self, institutions: Sequence[Known]) -> dict[str, tuple[int, datetime]]:
        """How many counted faxes came from each, by its own numbers or as it was known then, and when the last did."""
        told = {one.id for one in institutions}
        holders = self.directory().numbers
        of = {one: holders[one][0].id for who in institutions for one in who.numbers if len(holders[one]) == 1}
        found: dict[str, tuple[int, datetime]] = {}
        with transaction(self.engine) as session:
            keys: list[Any] = [Fax.institution, Fax.caller]
            wanted = sa.or_(col(Fax.institution).in_(sorted(told)), col(Fax.caller).in_(sorted(of)))
            figures: list[Any] = [sa.func.count(), sa.func.max(Fax.received_at)]
            rows = session.execute(
                sa.select(*keys, *figures).where(wanted, col(Fax.counts).is_(True)).group_by(*keys)
            ).all()
        for institution, caller, count, last in rows:
            sender = of.get(caller) or institution
            if sender in told:
                sofar = found.get(sender, (0, last))
                found[sender] = (sofar[0] + count, max(sofar[1], last))
        return found


def sight(session: Session, fax: Fax, seen: Seen | None) -> None:
    """Keep with which name the fax's number was seen; a repeat or a document taken out shows nothing new."""
    session.execute(sa.delete(Sighting).where(col(Sighting.fax_id) == fax.id))
    if seen is None or fax.duplicate_of is not None:
        return
    same = sa.and_(col(Sighting.number) == seen.number, col(Sighting.name) == seen.name)
    refused = session.exec(select(Sighting.refused_by).where(same, col(Sighting.refused_by).is_not(None))).first()
    session.add(Sighting(fax_id=fax.id, number=seen.number, name=seen.name, tsi=seen.tsi, refused_by=refused))


def _changing(session: Session, who: str, action: str, **detail: Any) -> int:
    """One at a time: the event's number is the edition of the directory that readers compare."""
    alone(session, "directory")
    event = Event(at=now(), who=who, action=f"directory:{action}", detail=detail)
    session.add(event)
    session.flush()
    return event.id or 0


def _add_numbers(session: Session, pairs: Sequence[tuple[str, str]], who: str) -> set[str]:
    """Add (number, institution) pairs that are not there; gives the institutions that had one added."""
    here = {(row.number, row.institution_id) for row in session.exec(select(InstitutionNumber))}
    fresh = [pair for pair in dict.fromkeys(pairs) if pair not in here]
    session.add_all(InstitutionNumber(number=number, institution_id=of, who=who, at=now()) for number, of in fresh)
    session.flush()
    return {of for _, of in fresh}


def _known_as(row: Institution, numbers: Sequence[str]) -> Known:
    """An institution as routing knows it."""
    return Known(
        row.id, row.name, row.kind, row.bureau, row.department, tuple(row.names), tuple(row.tsis), tuple(numbers)
    )


def _described(row: Institution) -> tuple[Any, ...]:
    """What is said of an institution, to see whether it has changed."""
    return row.name, row.kind, row.bureau, row.department, tuple(row.names), tuple(row.tsis)


def _united(here: Sequence[str], more: Iterable[str], but: str = "") -> list[str]:
    """Both, in order, each once; ``but`` is known without."""
    return [one for one in dict.fromkeys((*here, *more)) if one and one != but]
