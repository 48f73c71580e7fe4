"""The rows of faxes, from the door to the department's inbox, every query by name.

A write begins with its guard (an UPDATE or INSERT), so that SQLite takes the write lock before anything is decided.
What is not the journey itself has rooms of its own, which hang here: lists, copies, calls, sealed cases, the queue...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway import case as clock
from gateway.calls import CallOf, Calls, answered, nobody, raise_alert
from gateway.chain import Chain
from gateway.copies import Copies, send
from gateway.database import FEW, LOOK_MS, PER_QUERY, alone, mine, note, transaction, waiting
from gateway.errors import BeingDestroyed, Superseded, UsageError
from gateway.inbox import Inbox
from gateway.institutions import Institutions, sight
from gateway.ledger import Ledger
from gateway.lessons import CORRECTED, Lessons
from gateway.models import (
    Doomed,
    Event,
    Executor,
    Fax,
    Job,
    LearnedModel,
    Likeness,
    Page,
    Part,
    Standing,
    State,
    Work,
    month_of,
    new_fax_id,
    now,
)
from gateway.people import People
from gateway.queue import JOURNEY, Queue, restart, want
from gateway.sealing import DESTROYED, SEALED, Cases, open_again, seal, seal_if_misdirected, take_step
from routing.directory import Sighting as Seen

SHARED = {"accepted_at", "received_at", "month", "line", "envelope_from", "client", "kind", "sender", "subject",
          "caller", "caller_source", "tsi"}  # fmt: skip
"""What an entry for another department has of the fax: the call, none of its content."""


ADVERTISING = "SPAM"
"""The document type (routing/data/document_taxonomy.csv) that is kept apart from the inbox."""


RACES = 5
"""How often a commit of the door is tried again because another door was first with equal bytes."""

TOGETHER = timedelta(days=5)
"""Parts of one split mail come within the time for which a machine tries to send (RFC 5321 4.5.4.1)."""

BACKLOG = "backlog"
"""The client of mails from before there was a gateway: they wait behind everything, and nobody is called for them."""


Siblings = list[tuple[Part, Fax]]
"""Parts of a split mail, each with its row in the inbox."""

SinksOf = Callable[[str | None], Sequence[str]]
"""The ids of the sinks that carry a department's copies."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the spool has kept and the door wants to say 250 to."""

    sha256: str
    size: int
    lines: tuple[str, ...]
    envelope_from: str = ""
    client: str = ""
    received_at: datetime | None = None
    """Only for a backlog: when it came in, long before now."""


@dataclass(frozen=True, slots=True)
class Equal:
    """An entry whose mail has the same bytes as one that comes in."""

    fax_id: str
    line: str
    repeat_of: str | None
    destroyed: bool = False
    """Nobody can look it up any more: who comes with its bytes again waits for a person."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a mail told."""

    kind: str
    counts: bool
    received_at: datetime
    sender: str
    subject: str
    message_id: str
    caller: str | None
    caller_source: str
    tsi: str | None
    pages: int
    problems: tuple[str, ...]
    """Repairs and oddities; they do not hold the fax."""
    held_because: tuple[str, ...]
    """What could not be opened."""
    enclosed: str = ""
    """SHA-256 over the documents as they were attached."""
    said: str = ""
    """SHA-256 of the mail's text."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Where a fax goes, ready for its row."""

    held: bool
    department: str | None
    document_type: str | None
    confidence: float | None
    urgent: bool
    due_at: datetime | None
    masked: bool
    reasons: tuple[str, ...]
    held_because: tuple[str, ...]
    fields: dict[str, Any]
    barcodes: tuple[str, ...]
    documents: tuple[dict[str, Any], ...]
    caller: str | None = None
    caller_source: str = ""
    tsi: str | None = None
    institution: str | None = None
    """The sender in the directory, when that is one."""
    sender_known: dict[str, Any] = field(default_factory=dict)
    """As in models.Fax."""
    sighting: Seen | None = None
    """What the directory may learn from it."""
    rule: str | None = None
    """The rule that decided, by name."""
    also: tuple[Taken, ...] = ()
    apart: bool = False
    """As in routing.facts.Decision."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Pages of a fax for another department: a mail of their own with nothing else in it, and what it is."""

    first_page: int
    last_page: int
    sha256: str
    bytes: int
    decided: Decided


class Store:
    """The database. Built once by the service; everything else is handed it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.people, self.ledger, self.chain = People(engine), Ledger(engine), Chain(engine)
        self.institutions, self.queue, self.copies = Institutions(engine), Queue(engine), Copies(engine)
        self.calls, self.inbox, self.lessons, self.cases = Calls(engine), Inbox(engine), Lessons(engine), Cases(engine)
        # Made once: building these again for every mail was a third of what the door spent on its rows.
        self._insert_fax, self._insert_event, self._insert_job = sa.insert(Fax), sa.insert(Event), sa.insert(Job)
        doomed = sa.and_(col(Doomed.digest) == col(Fax.sha256), col(Doomed.fate) == "")
        self._find_equal = sa.select(
            col(Fax.sha256),
            col(Fax.id),
            col(Fax.line),
            col(Fax.duplicate_of),
            col(Fax.destroyed_at),
            sa.exists().where(doomed),
        ).where(col(Fax.sha256).in_(sa.bindparam("digests", expanding=True)))

    def check(self) -> None:
        """Raise when the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))

    def check_write(self) -> None:
        """Raise when nothing can be written: another program holds the database, or it is read-only."""
        with self.engine.connect() as connection, waiting(connection, LOOK_MS):
            try:
                connection.execute(sa.delete(Executor).where(sa.false()))
            finally:
                connection.rollback()

    # ---- the door -------------------------------------------------------------------------------

    def accept(self, mails: Sequence[Mail]) -> list[tuple[str, ...]]:
        """Row and job of each line of each mail in one transaction, and the ids of each mail's faxes.

        Raises :class:`BeingDestroyed` for a mail whose equal is just leaving the spool.
        When this returns, 250 may be said to all of them. Many in one commit, because the disk takes a commit a
        millisecond whatever it holds.
        """
        for _ in range(RACES):
            try:
                return self._accept(mails)
            except IntegrityError:
                continue  # another door committed equal bytes at the same moment: now they can be seen
        return self._accept(mails)

    def _accept(self, mails: Sequence[Mail]) -> list[tuple[str, ...]]:
        # Plain inserts: making objects of the rows took a third of the door's time.
        moment = now()
        faxes: list[dict[str, Any]] = []
        ids: list[tuple[str, ...]] = []
        with self.engine.begin() as connection:
            known = _known(connection.execute(self._find_equal, {"digests": [mail.sha256 for mail in mails]}))
            for mail in mails:
                rows = [_fax_row(mail, line, moment, known.setdefault(mail.sha256, [])) for line in mail.lines]
                ids.append(tuple(row["id"] for row in rows))
                faxes += rows
            connection.execute(self._insert_fax, faxes)
            connection.execute(self._insert_event, [_received(row) for row in faxes])
            connection.execute(self._insert_job, [{"fax_id": row["id"], "work": JOURNEY} for row in faxes])
        return ids

    def strangers(self, digests: Sequence[str]) -> set[str]:
        """Those of the spool's names that no row names: no mail, whole made of parts, picture or model."""
        unknown = set(digests)
        with transaction(self.engine) as session:
            for start in range(0, len(digests), PER_QUERY):
                some = digests[start : start + PER_QUERY]
                mails = session.exec(
                    select(Fax.sha256).where(col(Fax.sha256).in_(some), col(Fax.destroyed_at).is_(None))
                ).all()
                wholes = session.exec(
                    select(Fax.content).where(col(Fax.content).in_(some), Fax.content != Fax.sha256)
                ).all()
                pictures = session.exec(select(Page.png).where(col(Page.png).in_(some))).all()
                models = session.exec(select(LearnedModel.sha256).where(col(LearnedModel.sha256).in_(some))).all()
                unknown.difference_update(mails, wholes, pictures, models)
        return unknown

    def known(self, sha256: str, line: str) -> bool:
        """Whether this mail has been taken for this line before."""
        with transaction(self.engine) as session:
            return session.exec(select(Fax.id).where(Fax.sha256 == sha256, Fax.line == line)).first() is not None

    # ---- the journey ----------------------------------------------------------------------------

    def begin(self, fax_id: str, run: str) -> Fax:
        """Take the fax for this run; every older run is refused from now on.

        A decision that is there already stays: the engine, taken up after a crash, does not decide again.
        """
        decided = col(Fax.state).in_([State.ROUTED, State.HELD])
        state = sa.case((decided, col(Fax.state)), else_=State.READING)
        with transaction(self.engine) as session:
            fax = mine(session, fax_id, run=run, attempt=Fax.attempt + 1, state=state)
            if fax.destroyed_at is not None:
                raise Superseded(f"FAX {fax_id} は破棄されました (destroyed)")
            return fax

    def go_on(self, fax_id: str, since: str, run: str) -> None:
        """Take the fax for the rest of a journey whose first leg was the run ``since``; ``run`` begins with that name.

        Refused when another journey has begun meanwhile. Taken up again after a crash, it is one more attempt.
        """
        with transaction(self.engine) as session:
            done = session.execute(
                sa.update(Fax)
                .where(col(Fax.id) == fax_id, col(Fax.run).startswith(since))
                .values(run=run, attempt=Fax.attempt + sa.case((col(Fax.run) == since, 0), else_=1), updated_at=now())
            )
            if not done.rowcount:  # type: ignore[attr-defined]
                raise Superseded(f"FAX {fax_id} は別の処理が引き継ぎました (another run has taken over)")

    def opened(self, fax_id: str, run: str, opened: Opened) -> None:
        """Note what the mail told."""
        with self._owned(fax_id, run) as (session, fax):
            fax.kind, fax.message_id, fax.pages = opened.kind, opened.message_id, opened.pages
            fax.problems, fax.held_because = list(opened.problems), list(opened.held_because)
            fax.unopened = list(opened.held_because)
            if fax.taken_from is None:  # else the call is the whole fax's, and its mail is ours
                fax.caller, fax.caller_source, fax.tsi = opened.caller, opened.caller_source, opened.tsi
                fax.received_at, fax.month = opened.received_at, month_of(opened.received_at)
                fax.sender, fax.subject = opened.sender, opened.subject
            fax.counts = opened.counts and not (fax.duplicate_of or fax.joined_into or fax.taken_from)
            fax.enclosed, fax.said, fax.pictures = opened.enclosed or None, opened.said or None, None
            session.add(fax)
            # Pages of an earlier run that read more of them: parts that were joined and are taken apart again.
            session.execute(sa.delete(Page).where(col(Page.fax_id) == fax_id, col(Page.number) > opened.pages))

    def part_of(self, fax_id: str) -> Part | None:
        """Which part of a split mail this is, or None."""
        with transaction(self.engine) as session:
            return session.get(Part, fax_id)

    def note_part(self, run: str, part: Part) -> Part:
        """Note a part that waits for the others; what was noted before stays."""
        with self._owned(part.fax_id, run) as (session, _fax):
            known = session.get(Part, part.fax_id)
            if known is None:
                session.add(part)
            return known or part

    def take_place(self, run: str, part: Part, into: Callable[[Siblings], str | None]) -> Part:
        """Note a mail of a split fax and its place: joined into the fax that ``into`` names, else the first of its own.

        In one step with looking who is there, so that two that come together are not both the first.
        """
        with self._owned(part.fax_id, run) as (session, fax):
            alone(session, part.partial_id)
            known = session.get(Part, part.fax_id)
            if known is not None:
                return known
            fax.joined_into = into(self._siblings(session, part, fax))
            part.standing = Standing.JOINED if fax.joined_into else Standing.SHORT
            session.add(fax)
            session.add(part)
            if fax.joined_into:
                session.flush()
                session.execute(sa.update(Fax).where(col(Fax.id) == fax.id).values(**_joined_into(fax.joined_into)))
                restart(session, fax.joined_into)
            return part

    def siblings(self, part: Part) -> Siblings:
        """Parts that may be of one split mail with this one, this one among them, by number and time."""
        with transaction(self.engine) as session:
            fax = session.exec(select(Fax).where(Fax.id == part.fax_id)).one()
            return self._siblings(session, part, fax)

    @staticmethod
    def _siblings(session: Session, part: Part, fax: Fax) -> Siblings:
        rows = session.exec(
            select(Part, Fax)
            .where(
                Part.fax_id == Fax.id,
                Part.partial_id == part.partial_id,
                Part.style == part.style,
                Part.sender == part.sender,
                Part.standing != Standing.APART,
                Fax.line == fax.line,
                Fax.envelope_from == fax.envelope_from,
                col(Fax.duplicate_of).is_(None),
                Fax.accepted_at > fax.accepted_at - TOGETHER,
                Fax.accepted_at < fax.accepted_at + TOGETHER,
            )
            .order_by(col(Part.number), col(Fax.accepted_at), col(Fax.id))
        )
        return [(one, of) for one, of in rows]

    def joined(self, parts: Iterable[str], into: str, run: str, content: str, standing: Standing) -> None:
        """The parts have become one fax, whose whole is ``content``: they no longer wait in an inbox."""
        others = [part for part in parts if part != into]
        with self._owned(into, run) as (session, fax):
            if fax.content != content and fax.work == Work.DONE:
                fax.work, fax.work_by, fax.work_at = Work.NEW, None, None  # done without what has come since
            fax.content = content
            session.add(fax)
            session.execute(sa.update(Part).where(col(Part.fax_id) == into).values(standing=standing))
            if others:
                session.execute(sa.update(Fax).where(col(Fax.id).in_(others)).values(**_joined_into(into)))
                session.execute(sa.update(Part).where(col(Part.fax_id).in_(others)).values(standing=Standing.JOINED))
                note(session, "journey", "joined", into, parts=len(others) + 1)

    def join(self, fax_id: str, run: str, into: str) -> None:
        """A part that came again belongs to the fax that was made without it."""
        with self._owned(fax_id, run) as (session, _fax):
            session.execute(sa.update(Fax).where(col(Fax.id) == fax_id).values(**_joined_into(into)))
            session.execute(sa.update(Part).where(col(Part.fax_id) == fax_id).values(standing=Standing.JOINED))

    def stop_waiting(self, before: datetime) -> list[str]:
        """Make a fax of what is there of split mails whose newest part came before ``before``; gives the faxes' ids.

        One a split mail at a time: its journey looks which of the others belong to it.
        """
        with transaction(self.engine) as session:
            rows = session.exec(
                select(Part, Fax)
                .where(Part.fax_id == Fax.id, col(Part.standing).in_([Standing.WAITING, Standing.SHORT]))
                .where(Part.style == "partial", col(Fax.duplicate_of).is_(None))
                .order_by(col(Fax.accepted_at), col(Fax.id))
            ).all()
        newest: dict[tuple[str, ...], Fax] = {}
        busy: set[tuple[str, ...]] = set()
        for part, fax in rows:
            key = (part.partial_id, part.sender, fax.line, fax.envelope_from)
            if fax.state in (State.RECEIVED, State.READING):
                busy.add(key)
            elif part.standing == Standing.WAITING:
                newest[key] = fax
        overdue = [fax.id for key, fax in newest.items() if key not in busy and fax.accepted_at < before]
        return [fax_id for fax_id in overdue if self._stop_waiting(fax_id)]

    def _stop_waiting(self, fax_id: str) -> bool:
        with transaction(self.engine) as session:
            guard = (
                sa.update(Part)
                .where(col(Part.fax_id) == fax_id, col(Part.standing) == Standing.WAITING)
                .values(standing=Standing.SHORT)
            )
            if not session.execute(guard).rowcount:  # type: ignore[attr-defined]
                return False  # another worker was faster, or the last part has come
            restart(session, fax_id)
            note(session, "gateway", "incomplete", fax_id)
            return True

    def separate(self, fax_id: str, who: str) -> Fax:
        """A person says that the mails of a split fax are faxes of their own: each is opened and read again as one."""
        with transaction(self.engine) as session:
            mine(session, fax_id)
            mails = self._of_one_job(session, [fax_id])
            if len(mails) < 2 or any(part.style != "counter" for part, _ in mails):
                raise UsageError("分けられるのは、件名に [1/3] のような番号のあるメールだけです (nothing to separate)")
            for part, fax in mails:
                part.standing, fax.joined_into, fax.content = Standing.APART, None, fax.sha256
                if fax.work_by == "gateway":
                    fax.work, fax.work_by, fax.work_at = Work.NEW, None, None
                session.add(part)
                session.add(fax)
                restart(session, fax.id)
                note(session, who, "separated", fax.id)
            return session.exec(select(Fax).where(Fax.id == fax_id)).one()

    def jobs(self, faxes: Sequence[Fax]) -> dict[str, list[str]]:
        """The mails that make one fax together, by number, for each fax or mail that is one of several."""
        heads = {fax.joined_into or fax.id for fax in faxes}
        with transaction(self.engine) as session:
            found = self._of_one_job(session, sorted(heads))
        members: dict[str, list[str]] = {}
        for _, fax in found:
            members.setdefault(fax.joined_into or fax.id, []).append(fax.id)
        of = {fax.id: members.get(fax.joined_into or fax.id, []) for fax in faxes}
        return {fax_id: ids for fax_id, ids in of.items() if len(ids) > 1}

    def mails_of(self, fax: Fax) -> Siblings:
        """The mails that this fax was joined from, or is joined with, by number."""
        with transaction(self.engine) as session:
            return self._of_one_job(session, [fax.joined_into or fax.id])

    @staticmethod
    def _of_one_job(session: Session, heads: Sequence[str]) -> Siblings:
        rows = session.exec(
            select(Part, Fax)
            .where(Part.fax_id == Fax.id, sa.or_(col(Fax.id).in_(heads), col(Fax.joined_into).in_(heads)))
            .order_by(col(Part.number), col(Fax.accepted_at), col(Fax.id))
        )
        return [(part, fax) for part, fax in rows]

    @staticmethod
    def _keep_together(session: Session, fax: Fax) -> None:
        # Whoever may see a fax may open the mails that it was joined from.
        head = session.get(Fax, fax.joined_into) if fax.joined_into else None
        if head is not None:
            fax.department, fax.sealed = head.department or fax.department, head.sealed
        session.execute(
            sa.update(Fax)
            .where(col(Fax.joined_into) == fax.id)
            .values(department=fax.department, sealed=fax.sealed)
            .execution_options(synchronize_session=False)
        )

    def more_came(self, fax_id: str) -> None:
        """Another part of this fax is here: it is opened again, with it."""
        with transaction(self.engine) as session:
            restart(session, fax_id)

    def page_read(self, run: str, page: Page) -> None:
        """Keep a page; the same page again replaces itself."""
        with self._owned(page.fax_id, run) as (session, _fax):
            session.merge(page)

    def pages(self, fax_id: str) -> list[Page]:
        """The pages read so far, in order."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Page).where(Page.fax_id == fax_id).order_by(col(Page.number))))

    def page(self, fax_id: str, number: int) -> Page | None:
        """One page; None when it is not read yet, or there is none."""
        with transaction(self.engine) as session:
            return session.get(Page, (fax_id, number))

    def read_before(self, fax: Fax) -> list[Page]:
        """The pages of an equal mail that was read completely, or nothing."""
        with transaction(self.engine) as session:
            twin = session.exec(
                select(Fax.id)
                .join(Page, col(Page.fax_id) == col(Fax.id))
                .where(Fax.sha256 == fax.content, Fax.content == fax.content, Fax.id != fax.id, Page.problem == "")
                .group_by(Fax.id)
                .having(sa.func.count() == fax.pages)
            ).first()
        return self.pages(twin) if twin else []

    def glanced(self, fax_id: str, run: str, decided: Decided, call_of: CallOf) -> None:
        """The first pages tell that it is urgent: it says so in its inbox, and people are told, before it is read."""
        with self._owned(fax_id, run) as (session, fax):
            if fax.corrected_by is None:
                fax.urgent, fax.due_at, fax.department = True, decided.due_at, decided.department
                fax.document_type = decided.document_type
            session.add(fax)
            session.flush()
            self._raise(session, fax, call_of)

    def decided(
        self,
        fax_id: str,
        run: str,
        decided: Decided,
        sinks_of: SinksOf = lambda _: (),
        call_of: CallOf = nobody,
    ) -> None:
        """Settle the fax in its inbox and set its copies and its alert going, in one transaction.

        A person's correction stays. A repeat for the same line has its copies already.
        """
        with self._owned(fax_id, run) as (session, fax):
            fax.reasons, fax.held_because = list(decided.reasons), list(decided.held_because)
            fax.confidence, fax.fields, fax.barcodes = decided.confidence, decided.fields, list(decided.barcodes)
            fax.documents, fax.masked = list(decided.documents), decided.masked
            fax.caller, fax.caller_source, fax.tsi = decided.caller, decided.caller_source, decided.tsi
            fax.urgent, fax.due_at = decided.urgent, decided.due_at
            fax.institution, fax.sender_known = decided.institution, decided.sender_known
            sight(session, fax, decided.sighting)
            if fax.corrected_by is None:
                fax.department, fax.document_type = decided.department, decided.document_type
                fax.state = State.HELD if decided.held else State.ROUTED
                fax.apart_since = (fax.apart_since or now()) if decided.apart else None
            else:
                fax.state = State.ROUTED
            seal_if_misdirected(session, fax)
            self._keep_together(session, fax)
            session.add(fax)
            session.flush()
            note(session, "journey", str(fax.state), fax_id, department=fax.department, type=fax.document_type)
            again = self._repeat(session, fax)
            if fax.state == State.ROUTED and not again:
                send(session, fax, sinks_of(fax.department))
            if fax.urgent:
                self._raise(session, fax, call_of)
            for taken in () if again or fax.sealed or fax.taken_from else decided.also:
                self._take_out(session, fax, taken, sinks_of, call_of)

    def _take_out(self, session: Session, fax: Fax, taken: Taken, sinks_of: SinksOf, call_of: CallOf) -> None:
        """An entry of its own for the pages that another department must have; one that is there stays as it is."""
        entry_id = f"{fax.id}-p{taken.first_page}"
        if session.get(Fax, entry_id) is not None:
            return
        decided = taken.decided
        entry = Fax(
            **fax.model_dump(include=SHARED),
            id=entry_id,
            taken_from=fax.id,
            sha256=taken.sha256,
            content=taken.sha256,
            bytes=taken.bytes,
            pages=taken.last_page - taken.first_page + 1,
            counts=False,
            state=State.ROUTED,
            updated_at=now(),
            reasons=list(decided.reasons),
            document_type=decided.document_type,
            confidence=decided.confidence,
            department=decided.department,
            urgent=decided.urgent,
            due_at=decided.due_at,
            masked=decided.masked,
            fields=decided.fields,
            documents=list(decided.documents),
        )
        session.add(entry)
        session.flush()
        pages = select(Page).where(
            Page.fax_id == fax.id, Page.number >= taken.first_page, Page.number <= taken.last_page
        )
        for page in session.exec(pages).all():
            number = page.number - taken.first_page + 1
            session.add(Page(**{**page.model_dump(), "fax_id": entry_id, "number": number}))
        note(session, "journey", "taken", entry_id, department=entry.department, type=entry.document_type)
        note(session, "journey", "shared", fax.id, department=entry.department, entry=entry_id)
        send(session, entry, sinks_of(entry.department))
        if entry.urgent:
            self._raise(session, entry, call_of)

    def taken_from(self, fax_id: str) -> list[Fax]:
        """The entries that other departments have of this fax."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Fax).where(Fax.taken_from == fax_id).order_by(col(Fax.id))))

    def failed(self, fax_id: str, run: str, sentence: str) -> None:
        """The journey broke off: a person sees it in the inbox, with the original."""
        with self._owned(fax_id, run) as (session, fax):
            fax.state, fax.held_because = State.FAILED, [sentence]
            session.add(fax)
            note(session, "journey", "failed", fax_id)

    def again(self, fax_id: str, who: str) -> Fax:
        """Run the journey again from the start (requeue)."""
        with transaction(self.engine) as session:
            fax = mine(session, fax_id)
            if fax.destroyed_at is None:
                fax.state, fax.run = State.RECEIVED, ""
                session.add(fax)
                note(session, who, "requeued", fax_id)
                want(session, JOURNEY, fax_id)
            return fax

    def excused(self, fax_id: str) -> None:
        """This attempt does not count: nothing was wrong with the fax."""
        with transaction(self.engine) as session:
            session.execute(sa.update(Fax).where(col(Fax.id) == fax_id).values(attempt=Fax.attempt - 1))

    def unfinished(self, before: datetime, tries: int, most: int = FEW) -> list[Fax]:
        """Faxes that have not moved since ``before`` although their journey has not ended, the oldest first.

        One that failed has not ended before so many ``tries``: the disk that was full when its next one was to be put
        into the queue had no room for that either.
        """
        open_ = col(Fax.state).in_([State.RECEIVED, State.READING])
        to_be_tried = sa.and_(col(Fax.state) == State.FAILED, col(Fax.attempt) <= tries)
        waiting = select(Fax).where(sa.or_(open_, to_be_tried), Fax.updated_at < before)
        with transaction(self.engine) as session:
            return list(session.exec(waiting.order_by(col(Fax.updated_at)).limit(most)))

    @contextmanager
    def _owned(self, fax_id: str, run: str) -> Iterator[tuple[Session, Fax]]:
        with transaction(self.engine) as session:
            guard = sa.update(Fax).where(col(Fax.id) == fax_id, col(Fax.run) == run).values(updated_at=now())
            if not session.execute(guard).rowcount:  # type: ignore[attr-defined]
                raise Superseded(f"FAX {fax_id} は別の処理が引き継ぎました (another run has taken over)")
            yield session, session.exec(select(Fax).where(Fax.id == fax_id)).one()

    def repeats_its_line(self, fax: Fax) -> bool:
        """Whether the same fax has come for the same line before: it sends nothing, and nobody gets a part of it."""
        with transaction(self.engine) as session:
            return self._repeat(session, fax)

    @staticmethod
    def _repeat(session: Session, fax: Fax) -> bool:
        # The same fax for the same line: its copies are on their way already.
        if fax.duplicate_of is None:
            return False
        earlier = sa.or_(
            col(Fax.accepted_at) < fax.accepted_at,
            sa.and_(col(Fax.accepted_at) == fax.accepted_at, col(Fax.id) < fax.id),
        )
        family = sa.or_(col(Fax.id) == fax.duplicate_of, sa.and_(col(Fax.duplicate_of) == fax.duplicate_of, earlier))
        known = session.exec(select(Fax.id).where(Fax.line == fax.line, Fax.id != fax.id, family)).first()
        return known is not None

    def _raise(self, session: Session, fax: Fax, call_of: CallOf) -> None:
        """Nobody is called for a repeat, a part, a notice or an old mail."""
        if fax.kind == "fax" and not fax.joined_into and fax.client != BACKLOG and not self._repeat(session, fax):
            raise_alert(session, fax, call_of)

    # ---- the same fax again ---------------------------------------------------------------------

    def settle_repeat(self, fax_id: str, run: str, pictures: str, again: Callable[[Fax, Fax], bool]) -> str | None:
        """Note what its pages look like and whether an equal fax of its line is there; gives the fax that it repeats.

        ``again`` says whether two faxes with equal documents or equal pages (this one first) are one call.
        """
        with self._owned(fax_id, run) as (session, fax):
            fax.pictures = pictures or None
            session.add(fax)
            session.flush()
            alone(session, fax.line)
            if fax.duplicate_of or fax.kind != "fax" or fax.joined_into or fax.taken_from:
                return fax.duplicate_of
            said = {entry.fax_id if entry.other_id == fax_id else entry.other_id for entry in self._told(session, fax)}
            for other in self._equal(session, fax):
                first = other.duplicate_of or other.id
                if first != fax_id and other.id not in said and (other.sha256 == fax.sha256 or again(fax, other)):
                    self._repeats(session, fax, first)
                    return first
            return None

    @staticmethod
    def _equal(session: Session, fax: Fax) -> list[Fax]:
        equal: list[Any] = [col(Fax.sha256) == fax.sha256]
        equal += [col(Fax.pictures) == fax.pictures] if fax.pictures else []
        equal += [col(Fax.enclosed) == fax.enclosed] if fax.enclosed else []
        return list(
            session.exec(
                select(Fax)
                .where(sa.or_(*equal), Fax.line == fax.line, Fax.id != fax.id, Fax.kind == "fax")
                .where(col(Fax.taken_from).is_(None))
                .where(col(Fax.joined_into).is_(None), sa.or_(col(Fax.pictures).is_not(None), col(Fax.pages) == 0))
                .order_by(col(Fax.accepted_at), col(Fax.id))
                .limit(PER_QUERY)
            )
        )

    @staticmethod
    def _told(session: Session, fax: Fax) -> list[Likeness]:
        """Pairs of which somebody has said that they are different."""
        return list(
            session.exec(
                select(Likeness).where(
                    sa.or_(col(Likeness.fax_id) == fax.id, col(Likeness.other_id) == fax.id),
                    Likeness.verdict == "different",
                )
            )
        )

    def _repeats(self, session: Session, fax: Fax, first: str) -> None:
        fax.duplicate_of, fax.counts = first, False
        if fax.work == Work.NEW:
            fax.work, fax.work_by, fax.work_at = Work.DONE, "gateway", now()
        session.add(fax)
        session.execute(sa.update(Fax).where(col(Fax.duplicate_of) == fax.id).values(duplicate_of=first))
        one, other = sorted((fax.id, first))
        session.merge(Likeness(fax_id=one, other_id=other, score=1.0, verdict="same", who="gateway", at=now()))
        note(session, "journey", "repeat", fax.id, of=first)

    def lately(self, fax: Fax, within: timedelta, most: int = PER_QUERY) -> list[Fax]:
        """Other faxes of this line and, where both are known, of this caller, the nearest in time first."""
        with transaction(self.engine) as session:
            found = session.exec(
                select(Fax)
                .where(
                    Fax.line == fax.line,
                    Fax.accepted_at >= fax.accepted_at - within,
                    Fax.accepted_at <= fax.accepted_at + within,
                    Fax.id != fax.id,
                    Fax.kind == "fax",
                    col(Fax.duplicate_of).is_(None),
                    col(Fax.joined_into).is_(None),
                    col(Fax.taken_from).is_(None),
                    *([sa.or_(col(Fax.caller) == fax.caller, col(Fax.caller).is_(None))] if fax.caller else []),
                )
                .order_by(col(Fax.accepted_at).desc(), col(Fax.id))
                .limit(most)
            )
            return list(found)

    def fingerprints(self, fax_ids: Sequence[str]) -> dict[str, list[str]]:
        """The fingerprints of the pages of these faxes, in order; a fax with an unread page has none."""
        found: dict[str, list[str]] = {}
        unread: set[str] = set()
        with transaction(self.engine) as session:
            rows = session.exec(
                select(Page.fax_id, Page.fingerprint, Page.png)
                .where(col(Page.fax_id).in_(fax_ids))
                .order_by(col(Page.fax_id), col(Page.number))
            ).all()
        for fax_id, fingerprint, png in rows:
            found.setdefault(fax_id, []).append(fingerprint)
            if not png:
                unread.add(fax_id)
        return {fax_id: pages for fax_id, pages in found.items() if fax_id not in unread}

    def propose(self, fax_id: str, run: str, found: dict[str, float]) -> None:
        """Link faxes that may be the same as this one; what nobody has decided on and is not found again goes."""
        with self._owned(fax_id, run) as (session, _fax):
            for entry in self._links(session, [fax_id]):
                other = entry.other_id if entry.fax_id == fax_id else entry.fax_id
                if not entry.verdict and other not in found:
                    session.delete(entry)
            for other, score in found.items():
                one, two = sorted((fax_id, other))
                known = session.get(Likeness, (one, two))
                if known is None:
                    session.add(Likeness(fax_id=one, other_id=two, score=score, at=now()))

    def likenesses(self, fax_ids: Sequence[str]) -> dict[str, list[tuple[str, Likeness]]]:
        """For each fax those that are, or may be, the same as it; pairs that somebody found different are left out."""
        found: dict[str, list[tuple[str, Likeness]]] = {}
        with transaction(self.engine) as session:
            for entry in self._links(session, fax_ids):
                if entry.verdict == "different":
                    continue
                found.setdefault(entry.fax_id, []).append((entry.other_id, entry))
                found.setdefault(entry.other_id, []).append((entry.fax_id, entry))
        return found

    @staticmethod
    def _links(session: Session, fax_ids: Sequence[str]) -> list[Likeness]:
        either = sa.or_(col(Likeness.fax_id).in_(fax_ids), col(Likeness.other_id).in_(fax_ids))
        return list(session.exec(select(Likeness).where(either).order_by(Likeness.fax_id, Likeness.other_id)))

    def say_same(self, fax_id: str, other_id: str, who: str) -> Fax:
        """A person says that two faxes are one: the earlier one counts, the other is a repeat of it."""
        with transaction(self.engine) as session:
            fax, other = self._pair(session, fax_id, other_id)
            roots = {one.duplicate_of or one.id for one in (fax, other)}
            if len(roots) == 2:
                found = list(session.exec(select(Fax).where(col(Fax.id).in_(roots))))
                keep, drop = sorted(found, key=lambda one: (one.accepted_at, one.id))
                session.execute(
                    sa.update(Fax)
                    .where(sa.or_(col(Fax.id) == drop.id, col(Fax.duplicate_of) == drop.id))
                    .values(duplicate_of=keep.id, counts=False, updated_at=now())
                    .execution_options(synchronize_session=False)
                )
            self._say(session, fax, other, "same", who)
        return self._sure(fax_id)

    def say_different(self, fax_id: str, other_id: str, who: str) -> Fax:
        """A person says that two faxes are two; the link goes, and a repeat that rested on it counts again."""
        with transaction(self.engine) as session:
            fax, other = self._pair(session, fax_id, other_id)
            if fax.sha256 == other.sha256:
                raise UsageError("一字一句同じメールです。別のFAXにはできません (equal byte for byte)")
            of_one = len({one.duplicate_of or one.id for one in (fax, other)}) == 1
            repeats = [one for one in (fax, other) if one.duplicate_of] if of_one else []
            if repeats:
                child = max(repeats, key=lambda one: (one.accepted_at, one.id))
                child.duplicate_of, child.counts = None, child.kind == "fax"
                session.add(child)
                if child.work_by == "gateway":  # filed as done without anybody's seeing it, and without copies
                    child.work, child.work_by, child.work_at = Work.NEW, None, None
                    restart(session, child.id)
            self._say(session, fax, other, "different", who)
        return self._sure(fax_id)

    def _pair(self, session: Session, fax_id: str, other_id: str) -> tuple[Fax, Fax]:
        guard = sa.update(Fax).where(col(Fax.id).in_([fax_id, other_id])).values(updated_at=now())
        one, two = sorted((fax_id, other_id))
        if session.execute(guard).rowcount != 2 or session.get(Likeness, (one, two)) is None:  # type: ignore[attr-defined]
            raise UsageError(f"FAX {fax_id} と {other_id} は同じFAXの候補ではありません (not linked)")
        found = {fax.id: fax for fax in session.exec(select(Fax).where(col(Fax.id).in_([fax_id, other_id])))}
        return found[fax_id], found[other_id]

    def _say(self, session: Session, fax: Fax, other: Fax, verdict: str, who: str) -> None:
        one, two = sorted((fax.id, other.id))
        link = session.get(Likeness, (one, two))
        if link is not None:
            link.verdict, link.who, link.at = verdict, who, now()
            session.add(link)
        for about, against in ((fax, other), (other, fax)):
            note(session, who, f"said:{verdict}", about.id, other=against.id)

    def _sure(self, fax_id: str) -> Fax:
        with transaction(self.engine) as session:
            return session.exec(select(Fax).where(Fax.id == fax_id)).one()

    # ---- what people do ------------------------------------------------------------------------------

    def fax(self, fax_id: str) -> Fax | None:
        """One fax, or None."""
        with transaction(self.engine) as session:
            return session.get(Fax, fax_id)

    def repeats(self, fax_id: str) -> list[Fax]:
        """Entries that are this fax come again."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Fax).where(Fax.duplicate_of == fax_id).order_by(col(Fax.accepted_at))))

    def events(self, fax_id: str) -> list[Event]:
        """What happened to this fax, oldest first."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Event).where(Event.fax_id == fax_id).order_by(col(Event.id))))

    def note(self, who: str, action: str, fax_id: str | None = None, **detail: Any) -> None:
        """Write an event."""
        with transaction(self.engine) as session:
            note(session, who, action, fax_id, **detail)

    def mark(self, fax_id: str, who: str, work: Work) -> Fax:
        """A person takes the fax, finishes it or lays it back."""
        with transaction(self.engine) as session:
            fax = mine(session, fax_id, work=work, work_by=who, work_at=now())
            note(session, who, f"work:{work}", fax_id)
            if work != Work.NEW:
                answered(session, fax_id, who)
            return fax

    def correct(
        self,
        fax_id: str,
        who: str,
        department: str,
        document_type: str,
        sinks: Sequence[str],
        haste: tuple[bool, datetime | None] = (False, None),
        call_of: CallOf = nobody,
    ) -> Fax:
        """A person says where the fax belongs and what it is; the event is what learning reads.

        ``haste``: whether what it is now is urgent, and when it is due; an urgent one is told to its department.
        """
        with transaction(self.engine) as session:
            fax = mine(session, fax_id, corrected_by=who)
            if fax.sealed:
                raise UsageError(SEALED)
            return self._correct(session, fax, who, (department, document_type), sinks, haste, call_of)

    def _correct(
        self,
        session: Session,
        fax: Fax,
        who: str,
        where: tuple[str | None, str],
        sinks: Sequence[str],
        haste: tuple[bool, datetime | None],
        call_of: CallOf,
    ) -> Fax:
        department, document_type = where
        held = fax.state == State.HELD
        before = {"department": fax.department, "type": fax.document_type, "held": held, "urgent": fax.urgent}
        after = {"department": department, "type": document_type}
        note(session, who, CORRECTED, fax.id, before=before, after=after)
        moved = fax.department != department
        fax.department, fax.document_type, fax.state = department, document_type, State.ROUTED
        fax.held_because = []
        if moved:
            fax.work, fax.work_by, fax.work_at = Work.NEW, None, None
        fax.urgent, fax.due_at = haste
        fax.apart_since = (fax.apart_since or now()) if document_type == ADVERTISING else None
        if document_type == clock.CLASS:
            seal(session, fax, who)
        self._keep_together(session, fax)
        session.add(fax)
        session.flush()
        if not fax.sealed:
            send(session, fax, sinks)
        answered(session, fax.id, who)
        if fax.urgent and fax.work != Work.DONE and not fax.sealed:
            self._raise(session, fax, call_of)
        return fax

    # ---- sealed cases ---------------------------------------------------------------------------

    def seal(self, fax_id: str, who: str) -> Fax:
        """A person says that a fax is not for us: it is closed, and its copies stop."""
        with transaction(self.engine) as session:
            fax = mine(session, fax_id, corrected_by=who)
            head = session.get(Fax, fax.joined_into) if fax.joined_into else fax
            if head is None or head.sealed:
                return fax
            head.corrected_by = who
            self._correct(session, head, who, (head.department, clock.CLASS), (), (head.urgent, None), nobody)
            return fax

    def release(
        self,
        fax_id: str,
        who: str,
        department: str,
        document_type: str,
        sinks: Sequence[str],
        haste: tuple[bool, datetime | None] = (False, None),
        call_of: CallOf = nobody,
    ) -> Fax:
        """A sealed fax is ours after all: it goes on as one that a person has corrected."""
        with transaction(self.engine) as session:
            fax = mine(session, fax_id, corrected_by=who)
            take_step(session, fax, who, "ours", {"outcome": "ours", "settled_at": now(), "closed_at": now()})
            if fax.destroyed_at is not None:
                raise UsageError(DESTROYED)
            open_again(session, fax, who, sinks)
            fax.sealed, fax.due_at = None, None
            return self._correct(session, fax, who, (department, document_type), sinks, haste, call_of)


def _known(rows: Iterable[Any]) -> dict[str, list[Equal]]:
    """The entries of mails, by their sha256."""
    known: dict[str, list[Equal]] = {}
    for digest, fax_id, line, of, destroyed_at, leaving in rows:
        if leaving:
            raise BeingDestroyed("同じメールを破棄しているところです (an equal mail is just being destroyed)")
        known.setdefault(digest, []).append(Equal(fax_id, line, of, destroyed_at is not None))
    return known


def _fax_row(mail: Mail, line: str, moment: datetime, known: list[Equal]) -> dict[str, Any]:
    """The row of a fax that comes in; ``known`` are the entries of equal bytes, and this one is added to them."""
    first = next((equal.fax_id for equal in known if equal.repeat_of is None), None)
    repeat = any(equal.line == line and not equal.destroyed for equal in known)
    received = mail.received_at or moment
    fax_id = new_fax_id(moment)
    known.append(Equal(fax_id, line, first))
    return {
        "id": fax_id,
        "sha256": mail.sha256,
        "content": mail.sha256,
        "bytes": mail.size,
        "accepted_at": moment,
        "received_at": received,
        "month": month_of(received),
        "line": line,
        "envelope_from": mail.envelope_from,
        "client": mail.client,
        "counts": first is None,
        "duplicate_of": first,
        "updated_at": moment,
        "work": Work.DONE if repeat else Work.NEW,
        "work_by": "gateway" if repeat else None,
        "work_at": moment if repeat else None,
    }


def _received(row: dict[str, Any]) -> dict[str, Any]:
    note = {"line": row["line"], "duplicate_of": row["duplicate_of"]}
    return {"at": row["accepted_at"], "fax_id": row["id"], "who": "door", "action": "received", "detail": note}


def _joined_into(into: str) -> dict[str, Any]:
    """What changes in the row of a part that has become part of another fax."""
    moment = now()
    filed = {"work": Work.DONE, "work_by": "gateway", "work_at": moment}
    return {"joined_into": into, "counts": False, "held_because": [], "updated_at": moment, **filed}
