"""Sealed cases: faxes that are not for us, closed to everybody without a reason, returned or destroyed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from gateway import case as clock
from gateway.calls import answered
from gateway.copies import NOT_SENT, of_work
from gateway.database import PER_QUERY, mine, note, transaction, waiting
from gateway.errors import UsageError
from gateway.inbox import Query, conditions
from gateway.models import Alert, Case, Delivery, Doomed, Event, Fax, Likeness, Page, Part, Sighting, State, Work, now
from gateway.queue import CARRY, restart, want

SEALED = "誤着のおそれがあるため封印しています。案件のページで理由を書いて開き、発信元に連絡してください。"
"""Stands instead of everything that a sealed fax tells."""

SEALED_WITH = "元のFAXが誤着とされたため封印しています。手元の写しは使わず、案件を扱う部署に確かめてください。"
"""The same at an entry for another department, whose people cannot open the case."""

DESTROYED = "誤着のため、内容と原本を破棄しました。受信の記録と案件の経過だけが残っています。"
"""Stands instead of everything that a destroyed fax told."""

WIPED: dict[str, Any] = {
    "envelope_from": "", "sender": "", "subject": "", "message_id": "",
    "caller": None, "caller_source": "", "tsi": None,
    "problems": [], "document_type": clock.CLASS, "confidence": None, "masked": False, "reasons": [], "fields": {},
    "held_because": [DESTROYED], "barcodes": [], "documents": [], "unopened": [], "institution": None,
    "sender_known": {}, "enclosed": None, "said": None, "pictures": None, "state": State.HELD, "run": "",
    "urgent": False,
}  # fmt: skip
"""What a destroyed fax keeps of its content: nothing. Its call's line, time and number of pages stay, and its count."""


@dataclass(frozen=True, slots=True)
class Cases:
    """The rows of sealed cases and of bytes that are doomed; their clock is :mod:`gateway.case`."""

    engine: sa.Engine

    def in_case(self, fax_id: str) -> list[Fax]:
        """The fax of a case and all that lies in it, in order."""
        with transaction(self.engine) as session:
            return _in_case(session, fax_id)

    def case(self, fax_id: str) -> Case | None:
        """The case of a fax, or None."""
        with transaction(self.engine) as session:
            return session.get(Case, fax_id)

    def listed(
        self, departments: tuple[str, ...] | None, closed: bool, most: int = PER_QUERY
    ) -> list[tuple[Case, Fax]]:
        """Cases of these departments (None: all), newest first: those that are ``closed``, or those that are not."""
        ended = col(Case.closed_at).is_not(None) if closed else col(Case.closed_at).is_(None)
        query = select(Case, Fax).where(Case.fax_id == Fax.id, ended)
        with transaction(self.engine) as session:
            rows = session.exec(query.where(*conditions(Query(departments=departments))).order_by(
                col(Case.since).desc()).limit(most))  # fmt: skip
            return [(case, fax) for case, fax in rows]

    def open_for(self, fax_id: str, who: str, why: str) -> None:
        """Open a sealed fax to a person who says why; who, when and why is written down."""
        with transaction(self.engine) as session:
            fax = mine(session, fax_id)
            note(session, who, "case:opened", fax.sealed or fax.id, why=why)

    def is_open_to(self, fax: Fax, who: str) -> bool:
        """Whether this person may see into the fax: it is not sealed, or they have opened it lately."""
        if fax.sealed is None:
            return True
        with transaction(self.engine) as session:
            lately = now() - clock.OPEN_FOR
            opening = select(Event.id).where(Event.fax_id == fax.sealed, Event.action == "case:opened")
            return session.exec(opening.where(Event.who == who, Event.at > lately).limit(1)).first() is not None

    def step(self, fax_id: str, who: str, action: str, change: dict[str, Any], **detail: str) -> None:
        """Something was done in a case: what changes in its row, and what is told of it."""
        with transaction(self.engine) as session:
            fax = mine(session, fax_id)
            take_step(session, fax, who, action, change, **detail)
            if "closed_at" in change:
                filed = {"work": Work.DONE, "work_by": who, "work_at": now()}
                session.execute(sa.update(Fax).where(col(Fax.sealed) == fax.id).values(**filed))

    def destroy(self, fax_id: str, who: str, why: str) -> None:
        """Wipe what a sealed fax says, and all that lies in its case; raises :class:`UsageError` where that is over.

        Their rows, counts and events stay. Their bytes are doomed in the same transaction: whatever breaks afterwards,
        :meth:`doomed` names them until they are gone.
        """
        with transaction(self.engine) as session, self._traceless(session):
            moment = now()
            fax = mine(session, fax_id)
            if fax.destroyed_at is not None:
                raise UsageError(DESTROYED)
            _gather(session, fax_id, moment)
            family = _in_case(session, fax_id)
            ids = [one.id for one in family]
            change = {"outcome": "destroyed", "settled_at": moment}
            take_step(session, fax, who, "destroyed", change, why=why, **_withdraw(session, ids))
            session.flush()
            pictures = session.exec(select(Page.png).where(col(Page.fax_id).in_(ids), Page.png != "")).all()
            for digest in sorted({*pictures, *(name for one in family for name in (one.sha256, one.content))}):
                session.add(Doomed(digest=digest, fax_id=fax_id, since=moment))
            for kind in (Page, Part, Sighting):
                session.execute(sa.delete(kind).where(col(kind.fax_id).in_(ids)))
            either = sa.or_(col(Likeness.fax_id).in_(ids), col(Likeness.other_id).in_(ids))
            session.execute(sa.delete(Likeness).where(either))
            for one in family:
                answered(session, one.id, who)
                if one.id != fax_id:
                    note(session, who, "case:destroyed", one.id)
            due_at = sa.case((col(Fax.id) == fax_id, col(Fax.due_at)), else_=None)  # the case's clock runs on
            wiped = sa.update(Fax).where(col(Fax.id).in_(ids))
            wiped = wiped.values(**WIPED, due_at=due_at, destroyed_at=moment, content=Fax.sha256, updated_at=moment)
            session.execute(wiped.execution_options(synchronize_session=False))

    def sharing(self, fax_id: str) -> list[Fax]:
        """Other faxes that came in the same mail, byte for byte, as one in this case: its bytes stay for them."""
        with transaction(self.engine) as session:
            names = {name for one in _in_case(session, fax_id) for name in (one.sha256, one.content)}
            others = select(Fax).where(sa.or_(col(Fax.sha256).in_(names), col(Fax.content).in_(names)))
            others = others.where(col(Fax.destroyed_at).is_(None), Fax.sealed.is_distinct_from(fax_id))  # type: ignore[union-attr]
            return list(session.exec(others.order_by(col(Fax.accepted_at), col(Fax.id))))

    def doomed(self, before: datetime) -> list[str]:
        """Bytes that were doomed before then and are not gone yet."""
        with transaction(self.engine) as session:
            left = select(Doomed.digest).where(Doomed.fate == "", Doomed.since < before).distinct()
            return list(session.exec(left.order_by(Doomed.digest).limit(PER_QUERY)))

    def settle_doomed(self, digest: str, fate: str) -> None:
        """Note that doomed bytes are ``gone``, or ``needed`` by another fax; the last one of a case is told there."""
        with transaction(self.engine) as session:
            left = sa.and_(col(Doomed.digest) == digest, col(Doomed.fate) == "")
            cases = session.execute(sa.update(Doomed).where(left).values(fate=fate).returning(col(Doomed.fax_id))).all()
            for (fax_id,) in cases:
                mine(session, fax_id)  # of two hosts that settle the last two one sees that it is the last
                fates = {"gone": 0, "needed": 0, **_fates(session, fax_id)}
                if not fates.get(""):
                    note(session, "gateway", "case:erased", fax_id, **fates)

    def fates(self, fax_id: str) -> dict[str, int]:
        """How many of the doomed bytes of a case are still there (empty), gone, or needed by another fax."""
        with transaction(self.engine) as session:
            return _fates(session, fax_id)

    def empty_log(self) -> None:
        """SQLite's log of changes still holds what was destroyed; copy it into the database and cut it off.

        Writers wait meanwhile: where somebody reads for long, say a backup, it is left as it is and overwritten later.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self.engine.connect() as connection, waiting(connection, 100):
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()

    @contextmanager
    def _traceless(self, session: Session) -> Iterator[None]:
        """SQLite writes zeros over what is deleted meanwhile (sqlite.org/pragma.html#pragma_secure_delete)."""
        if self.engine.dialect.name != "sqlite":
            yield
            return
        connection = session.connection()
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
        try:
            yield
            session.flush()
        finally:
            connection.exec_driver_sql("PRAGMA secure_delete=OFF")


def seal_if_misdirected(session: Session, fax: Fax) -> None:
    """Close what the journey finds misdirected, and what is part of, or the same as, a fax that is closed."""
    if fax.sealed:
        _close(fax)  # only a person opens it again, whatever is read now
        return
    case = _case_of_the_same(session, fax)
    if case is not None and case.closed_at is None:
        fax.sealed = case.fax_id
        _close(fax)
    elif fax.corrected_by is None and (fax.document_type == clock.CLASS or _was_destroyed(session, fax)):
        seal(session, fax, "journey")


def seal(session: Session, fax: Fax, who: str) -> None:
    """The fax and what is the same fax on this line, parts and repeats; and what other departments have of it."""
    moment = now()
    case = session.merge(Case(fax_id=fax.id, since=moment, by=who))
    session.flush()
    root = fax.duplicate_of or fax.id
    same = sa.and_(sa.or_(col(Fax.id) == root, col(Fax.duplicate_of) == root), col(Fax.line) == fax.line)
    here = col(Fax.destroyed_at).is_(None)
    alike = session.exec(select(Fax).where(sa.or_(same, col(Fax.joined_into) == fax.id), here)).all()
    ids = list(dict.fromkeys((fax.id, *(one.id for one in alike))))
    free = col(Fax.sealed).is_(None)  # one that its own department has sealed has a case of its own
    entries = list(session.exec(select(Fax).where(col(Fax.taken_from).in_(ids), here, free)).all())
    ids += [entry.id for entry in entries]
    for one in (fax, *alike, *entries):
        one.sealed = fax.id
        session.add(one)
    for entry in entries:
        _shut_entry(session, entry, who)
    _close(fax)
    following = clock.next_step(case)
    fax.due_at = following.due if following else None
    if fax.work == Work.DONE and fax.work_by != "gateway":
        fax.work, fax.work_by, fax.work_at = Work.NEW, None, None
    waiting = col(Delivery.state).in_(["pending", "deferred"])
    stopped = sa.update(Delivery).where(col(Delivery.fax_id).in_(ids), waiting, of_work(CARRY))
    session.execute(stopped.values(state="failed", error=NOT_SENT, next_attempt=None))
    note(session, who, "case:sealed", fax.id)


def open_again(session: Session, fax: Fax, who: str, sinks: Sequence[str]) -> None:
    """All that lies in this case, and the copies that were stopped; an entry's go to the sinks they had."""
    family = _in_case(session, fax.id)
    for one in family:
        one.sealed = None
        session.add(one)
        if one.id != fax.id and one.document_type == clock.CLASS and one.corrected_by is None:
            restart(session, one.id)  # it was closed before anybody knew what it is
        if one.taken_from:
            note(session, who, "case:ours", one.id)
    session.flush()
    entries = [one.id for one in family if one.taken_from]
    own = sa.and_(col(Delivery.fax_id) == fax.id, col(Delivery.sink).in_(sinks))
    again = sa.update(Delivery).where(sa.or_(own, col(Delivery.fax_id).in_(entries)))
    again = again.where(col(Delivery.error) == NOT_SENT)
    session.execute(again.values(state="pending", error=None, next_attempt=None))
    unopened = sa.and_(col(Alert.fax_id).in_(entries), col(Alert.opened_at).is_(None))
    session.execute(sa.update(Alert).where(unopened).values(next_at=now()))  # nobody there could open it
    for fax_id in (fax.id, *entries):
        want(session, CARRY, fax_id)


def _close(fax: Fax) -> None:
    fax.state, fax.document_type, fax.held_because = State.HELD, clock.CLASS, [SEALED]
    fax.apart_since = None


def _case_of_the_same(session: Session, fax: Fax) -> Case | None:
    """The case in which the fax lies that this one is a part of or repeats, for the same line."""
    other = session.get(Fax, fax.joined_into or fax.duplicate_of or "")
    if other is None or other.line != fax.line:
        return None
    if other.destroyed_at is None:
        return session.get(Case, other.sealed) if other.sealed else None
    again = select(Case).join(Fax, col(Case.fax_id) == col(Fax.id)).where(Fax.duplicate_of == other.id)
    again = again.where(Fax.line == fax.line, col(Fax.destroyed_at).is_(None), col(Case.closed_at).is_(None))
    return session.exec(again).first()


def _was_destroyed(session: Session, fax: Fax) -> bool:
    """Whether this is, byte for byte, a fax of this line that was destroyed as misdirected."""
    other = session.get(Fax, fax.duplicate_of or "")
    return other is not None and other.destroyed_at is not None and other.line == fax.line


def _shut_entry(session: Session, entry: Fax, who: str) -> None:
    """Another department sees that what it has is not to be used, finished or not; nobody is called to it."""
    if entry.work == Work.DONE:
        entry.work, entry.work_by, entry.work_at = Work.NEW, None, None
    note(session, who, "case:sealed", entry.id)
    session.execute(sa.update(Alert).where(col(Alert.fax_id) == entry.id).values(next_at=None))


def _in_case(session: Session, fax_id: str) -> list[Fax]:
    """The fax of a case and all that lies in it: its parts, repeats and entries for other departments."""
    return list(session.exec(select(Fax).where(Fax.sealed == fax_id).order_by(col(Fax.accepted_at), col(Fax.id))))


def take_step(session: Session, fax: Fax, who: str, action: str, change: dict[str, Any], **detail: str) -> None:
    """A step of the case, inside the caller's transaction; raises :class:`UsageError` where the case is closed."""
    guard = sa.update(Case).where(col(Case.fax_id) == fax.id, col(Case.closed_at).is_(None)).values(**change)
    if fax.sealed != fax.id or not session.execute(guard).rowcount:  # type: ignore[attr-defined]
        raise UsageError("この案件はもう終わっています (the case is closed)")
    note(session, who, f"case:{action}", fax.id, **detail)
    case = session.exec(select(Case).where(Case.fax_id == fax.id)).one()
    following = clock.next_step(case)
    fax.due_at = following.due if following else None
    session.add(fax)


def _gather(session: Session, fax_id: str, moment: datetime) -> None:
    """Entries for other departments that do not lie in this case yet, because they have one of their own."""
    ids = sa.select(col(Fax.id)).where(col(Fax.sealed) == fax_id)
    others = select(Fax).where(col(Fax.taken_from).in_(ids), Fax.sealed.is_distinct_from(fax_id))  # type: ignore[union-attr]
    for entry in session.exec(others.where(col(Fax.destroyed_at).is_(None))).all():
        own = session.get(Case, entry.id)
        if own is not None and own.closed_at is None:
            own.outcome, own.settled_at, own.closed_at = "destroyed", own.settled_at or moment, moment
            session.add(own)
        entry.sealed = fax_id
        session.add(entry)
    session.flush()


def _withdraw(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Forget what has not arrived; of what was tried in vain nobody knows whether it has, and the event says so."""
    unsent = sa.and_(col(Delivery.fax_id).in_(ids), col(Delivery.state) != "delivered")
    tried = select(Delivery.sink).where(unsent, Delivery.attempts > 0, Delivery.step == 0)
    unsure = sorted(set(session.exec(tried).all()))
    session.execute(sa.delete(Delivery).where(unsent))
    return {"unsure": f"届いたかもしれない配送先: {'、'.join(unsure)}"} if unsure else {}


def _fates(session: Session, fax_id: str) -> dict[str, int]:
    columns: list[Any] = [Doomed.fate, sa.func.count()]
    rows = session.execute(sa.select(*columns).where(col(Doomed.fax_id) == fax_id).group_by(col(Doomed.fate)))
    return {row[0]: row[1] for row in rows}
