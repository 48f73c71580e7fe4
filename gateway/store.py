"""The rows of faxes and of their journey, every query by name.

A write begins with its guard (an UPDATE or INSERT), so that SQLite takes the write lock before anything is decided.
People, the count, the chain over the events and the directory have rooms of their own, which hang here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway import case as clock
from gateway.chain import Chain
from gateway.database import LOOK_MS, PER_QUERY, alone, database_time, note, transaction, waiting
from gateway.errors import BeingDestroyed, Superseded, UsageError
from gateway.institutions import Institutions, sight
from gateway.ledger import Ledger
from gateway.models import (
    Alert,
    Case,
    Delivery,
    Doomed,
    Event,
    Executor,
    Fax,
    Job,
    LearnedModel,
    Likeness,
    Page,
    Part,
    Sighting,
    Standing,
    State,
    Work,
    month_of,
    new_fax_id,
    now,
)
from gateway.people import People
from routing.directory import Sighting as Seen

LOOKS = ("viewed", "downloaded", "sign-in", "sign-out", "token", "case:opened")
"""Events that tell who looked, and change nothing in a list."""

SHARED = {"accepted_at", "received_at", "month", "line", "envelope_from", "client", "kind", "sender", "subject",
          "caller", "caller_source", "tsi"}  # fmt: skip
"""What an entry for another department has of the fax: the call, none of its content."""
FAXES = ("fax", "unreadable", "no_attachment")
"""Kinds of mail that stand in an inbox as a fax, or where one should be; the rest are notices of machines."""

SEALED = "誤着のおそれがあるため封印しています。案件のページで理由を書いて開き、発信元に連絡してください。"
"""Stands instead of everything that a sealed fax tells."""

SEALED_WITH = "元のFAXが誤着とされたため封印しています。手元の写しは使わず、案件を扱う部署に確かめてください。"
"""The same at an entry for another department, whose people cannot open the case."""

NOT_SENT = "誤着として封印したため、送りません。"
"""Why a copy was stopped; it is set going again when the fax turns out to be ours."""

STOPPED = sa.and_(col(Delivery.state) == "failed", col(Delivery.error).is_not_distinct_from(NOT_SENT))
"""Copies that are kept back; no fault of their sink."""

ADVERTISING = "SPAM"
"""The document type (routing/data/document_taxonomy.csv) that is kept apart from the inbox."""

LOST = ("device_error", "bounce")
"""Notices that tell of something that has not arrived: a person must hear of them."""

NO_FAX = sa.text("fax.kind <> 'fax'")
"""By these words the database knows that an index of its own serves (models.Fax, ``fax_notice``)."""

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

PATIENT = timedelta(minutes=10)
"""How long a sink may take nothing, while copies wait for it, before it is said to be dead."""

RACES = 5
"""How often a commit of the door is tried again because another door was first with equal bytes."""

TOGETHER = timedelta(days=5)
"""Parts of one split mail come within the time for which a machine tries to send (RFC 5321 4.5.4.1)."""

BACKLOG = "backlog"
"""The client of mails from before there was a gateway: they wait behind everything, and nobody is called for them."""

UNDONE = ("pending", "deferred", "failed")
"""Copies that their sink has not taken."""

FEW = 20
"""Faxes that are looked at together for a lost job. Those that only wait their turn move on, and the next are seen."""

CORRECTED = "corrected"
"""The event of a person's word on a fax."""
MOST_LEARNED = 5_000
"""Corrections that are learned from, the newest."""

JOURNEY, CARRY, ALERT = "journey", "carry", "alert"
"""Work for a worker: walk a fax from its mail to its department; deliver its waiting copies; tell people of it."""

LAST_STEP = 8
"""Steps of an alert that nobody answers; with the usual 15 minutes people have been called for two hours."""

HandOver = Callable[[sa.Connection, str, str], None]
"""Puts a job (work, fax id) into the engine's queue inside the caller's transaction."""

Siblings = list[tuple[Part, Fax]]
"""Parts of a split mail, each with its row in the inbox."""

SinksOf = Callable[[str | None], Sequence[str]]
"""The ids of the sinks that carry a department's copies."""


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
class Haste:
    """What tells how soon a job is taken."""

    line: str
    client: str
    urgent: bool


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


@dataclass(frozen=True, slots=True)
class Query:
    """Which faxes to list. ``departments`` None means all."""

    departments: tuple[str, ...] | None = None
    department: str | None = None
    state: str | None = None
    work: str | None = None
    type: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    notices: bool | None = None
    """True: only mails that are no fax; False: only faxes; None: both."""
    nowhere: bool = False
    """Only faxes that no department has yet."""
    place: str | None = None
    """One tab of the inbox: new, claimed, held, done, spam or notices."""
    number: str | None = None
    """With ``text``: also everything from this caller (E.164)."""
    cursor: str | None = None
    limit: int = 50
    urgent_first: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """How much waits where, for those who watch the gateway."""

    faxes: dict[str, int]
    """By state."""
    deliveries: dict[str, int]
    """By state."""
    oldest_unread: datetime | None
    """When the oldest fax came that nobody has taken."""
    unopened: int = 0
    """Urgent faxes that people were called to and that nobody has opened."""
    apart: int = 0
    """Advertising that nobody has looked at."""


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
class Tally:
    """What an inbox shows on its tabs."""

    new: int = 0
    claimed: int = 0
    done: int = 0
    held: int = 0
    spam: int = 0
    """Advertising that nobody has looked at."""
    notices: int = 0
    urgent: int = 0
    by_department: dict[str, int] = field(default_factory=dict)


class Store:
    """The database. Built once by the service; everything else is handed it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.people, self.ledger, self.chain = People(engine), Ledger(engine), Chain(engine)
        self.institutions = Institutions(engine)
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

    # ---- jobs -----------------------------------------------------------------------------------

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

    def carry_again(self, before: datetime, work: str = CARRY, most: int = FEW) -> list[str]:
        """Faxes with copies (or messages: ALERT) that should have been tried before then, and were not.

        Their job may be lost. Those first that have waited longest.
        """
        late = sa.func.coalesce(Delivery.next_attempt, Delivery.updated_at) < before
        waiting = sa.and_(col(Delivery.state).in_(["pending", "deferred"]), _of_work(work))
        with transaction(self.engine) as session:
            longest = sa.func.min(Delivery.updated_at)
            found = select(Delivery.fax_id).where(waiting, late).group_by(col(Delivery.fax_id)).order_by(longest)
            return list(session.exec(found.limit(most)))

    def want_carried(self, fax_id: str, work: str = CARRY) -> None:
        """Have the waiting copies (or messages: ALERT) of a fax tried."""
        with transaction(self.engine) as session:
            self._want(session, work, fax_id)

    def wanted(self, fax_id: str) -> bool:
        """Whether a job of this fax waits for a worker."""
        with transaction(self.engine) as session:
            return session.exec(select(Job.id).where(Job.fax_id == fax_id)).first() is not None

    @staticmethod
    def _want(session: Session, work: str, fax_id: str) -> None:
        session.add(Job(work=work, fax_id=fax_id))

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
            fax = self._mine(session, fax_id, run=run, attempt=Fax.attempt + 1, state=state)
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
                self._restart(session, fax.joined_into)
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
            self._restart(session, fax_id)
            note(session, "gateway", "incomplete", fax_id)
            return True

    def separate(self, fax_id: str, who: str) -> Fax:
        """A person says that the mails of a split fax are faxes of their own: each is opened and read again as one."""
        with transaction(self.engine) as session:
            self._mine(session, fax_id)
            mails = self._of_one_job(session, [fax_id])
            if len(mails) < 2 or any(part.style != "counter" for part, _ in mails):
                raise UsageError("分けられるのは、件名に [1/3] のような番号のあるメールだけです (nothing to separate)")
            for part, fax in mails:
                part.standing, fax.joined_into, fax.content = Standing.APART, None, fax.sha256
                if fax.work_by == "gateway":
                    fax.work, fax.work_by, fax.work_at = Work.NEW, None, None
                session.add(part)
                session.add(fax)
                self._restart(session, fax.id)
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
            self._restart(session, fax_id)

    def _restart(self, session: Session, fax_id: str) -> None:
        """Run the journey from the start, for another reason than a failure."""
        anew = {"state": State.RECEIVED, "run": "", "attempt": 0, "updated_at": now()}
        again = sa.update(Fax).where(col(Fax.id) == fax_id, col(Fax.destroyed_at).is_(None)).values(**anew)
        if session.execute(again.execution_options(synchronize_session=False)).rowcount:  # type: ignore[attr-defined]
            self._want(session, JOURNEY, fax_id)

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
            self._seal_if_misdirected(session, fax)
            self._keep_together(session, fax)
            session.add(fax)
            session.flush()
            note(session, "journey", str(fax.state), fax_id, department=fax.department, type=fax.document_type)
            again = self._repeat(session, fax)
            if fax.state == State.ROUTED and not again:
                self._send(session, fax, sinks_of(fax.department))
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
        self._send(session, entry, sinks_of(entry.department))
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
            fax = self._mine(session, fax_id)
            if fax.destroyed_at is None:
                fax.state, fax.run = State.RECEIVED, ""
                session.add(fax)
                note(session, who, "requeued", fax_id)
                self._want(session, JOURNEY, fax_id)
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

    def _send(self, session: Session, fax: Fax, sinks: Sequence[str]) -> None:
        fresh = [sink for sink in sinks if session.get(Delivery, f"{fax.id}-{sink}") is None]
        for sink in fresh:
            session.add(Delivery(id=f"{fax.id}-{sink}", fax_id=fax.id, sink=sink, updated_at=now()))
        if fresh:
            self._want(session, CARRY, fax.id)

    # ---- alerts ---------------------------------------------------------------------------------

    def _raise(self, session: Session, fax: Fax, call_of: CallOf) -> None:
        """Tell people of an urgent fax, once for each department that it comes to; not of repeats and old mails."""
        if fax.kind != "fax" or fax.joined_into or fax.client == BACKLOG or self._repeat(session, fax):
            return
        known = session.get(Alert, fax.id)
        if known is not None and known.department == fax.department:
            return
        moment = now()
        call = call_of(fax, 1, moment)
        raised = {"raised_at": moment, "stepped_at": moment, "next_at": moment + call.wait}
        session.merge(Alert(fax_id=fax.id, department=fax.department, step=1, opened_at=None, opened_by=None, **raised))
        self._tell(session, fax, 1, call)

    def _tell(self, session: Session, fax: Fax, step: int, call: Call) -> None:
        for sink in call.sinks:
            name = f"{fax.id}-alert{step}-{sink}"
            if session.get(Delivery, name) is None:
                session.add(Delivery(id=name, fax_id=fax.id, sink=sink, step=step, updated_at=now()))
        session.flush()
        self._want(session, ALERT, fax.id)
        note(session, "gateway", "alerted" if step == 1 else "escalated", fax.id, step=step, sinks=list(call.sinks))

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
            self._tell(session, fax, step + 1, call)
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
            self._answered(session, fax_id, who)

    def _answered(self, session: Session, fax_id: str, who: str) -> None:
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

    def alerts(self, fax_ids: Sequence[str]) -> dict[str, Alert]:
        """The alerts of these faxes, by fax."""
        with transaction(self.engine) as session:
            return {alert.fax_id: alert for alert in session.exec(select(Alert).where(col(Alert.fax_id).in_(fax_ids)))}

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
                    self._restart(session, child.id)
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

    # ---- copies ---------------------------------------------------------------------------------

    def waiting(self, fax_id: str, work: str = CARRY) -> list[Delivery]:
        """Copies of this fax, or messages about it (ALERT), that have not arrived."""
        with transaction(self.engine) as session:
            waits = col(Delivery.state).in_(["pending", "deferred"])
            rows = select(Delivery).where(Delivery.fax_id == fax_id, waits, _of_work(work))
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
                self._want(session, CARRY, fax_id)
            note(session, who, "resent", None, sink=sink, copies=len(faxes))
            return len(faxes)

    # ---- the inbox ------------------------------------------------------------------------------

    def fax(self, fax_id: str) -> Fax | None:
        """One fax, or None."""
        with transaction(self.engine) as session:
            return session.get(Fax, fax_id)

    def texts(self, fax_ids: Sequence[str]) -> dict[str, str]:
        """The whole text of each fax, a form feed between pages."""
        with transaction(self.engine) as session:
            rows = session.exec(
                select(Page.fax_id, Page.text)
                .where(col(Page.fax_id).in_(fax_ids))
                .order_by(col(Page.fax_id), col(Page.number))
            ).all()
        texts: dict[str, list[str]] = {}
        for fax_id, text in rows:
            texts.setdefault(fax_id, []).append(text)
        return {fax_id: "\f".join(pages) for fax_id, pages in texts.items()}

    def find(self, query: Query) -> tuple[list[Fax], str | None]:
        """Faxes, newest first, and the cursor of the next ones."""
        statement = select(Fax).where(*_conditions(query))
        if query.cursor:
            statement = statement.where(_beyond(query, *_read_cursor(query.cursor), newer=False))
        with transaction(self.engine) as session:
            rows = list(session.exec(statement.order_by(*_order(query, newer=False)).limit(query.limit + 1)))
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        return rows, _cursor(rows[-1]) if more else None

    def neighbours(self, fax: Fax, query: Query) -> tuple[str | None, str | None]:
        """The faxes before and after this one in the list that ``query`` shows; the fax itself may have left it."""
        found: list[str | None] = []
        with transaction(self.engine) as session:
            for newer in (True, False):
                beyond = _beyond(query, fax.urgent, fax.accepted_at, fax.id, newer=newer)
                statement = select(Fax.id).where(*_conditions(query), beyond).order_by(*_order(query, newer=newer))
                found.append(session.exec(statement.limit(1)).first())
        return found[0], found[1]

    def tally(self, departments: tuple[str, ...] | None, nowhere: bool = False) -> Tally:
        """The figures on the tabs of an inbox; ``nowhere`` for the inbox of faxes that no department has yet."""
        keys: list[Any] = [Fax.department, Fax.work, Fax.state, Fax.urgent, Fax.kind, col(Fax.apart_since).is_not(None)]
        shown = Query(departments=departments, nowhere=nowhere)
        with transaction(self.engine) as session:
            rows = session.execute(sa.select(*keys, sa.func.count()).where(*_conditions(shown)).group_by(*keys)).all()
        figures = {"new": 0, "claimed": 0, "done": 0, "held": 0, "spam": 0, "notices": 0, "urgent": 0}
        by_department: dict[str, int] = {}
        for department, work, state, urgent, kind, apart, count in rows:
            place = _place(work, state, kind, apart)
            figures[place] += count
            if urgent and work != Work.DONE and place != "notices":
                figures["urgent"] += count
            if work == Work.NEW and place not in ("notices", "spam"):
                by_department[department or ""] = by_department.get(department or "", 0) + count
        return Tally(**figures, by_department=by_department)

    def repeats(self, fax_id: str) -> list[Fax]:
        """Entries that are this fax come again."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Fax).where(Fax.duplicate_of == fax_id).order_by(col(Fax.accepted_at))))

    def events(self, fax_id: str) -> list[Event]:
        """What happened to this fax, oldest first."""
        with transaction(self.engine) as session:
            return list(session.exec(select(Event).where(Event.fax_id == fax_id).order_by(col(Event.id))))

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

    def last_event(self) -> int:
        """The number of the newest event that changed something: when it grows, a list looks different."""
        with transaction(self.engine) as session:
            changes = select(sa.func.max(col(Event.id))).where(col(Event.action).not_in(LOOKS))
            return session.exec(changes).one() or 0

    def figures(self) -> Figures:
        """How much waits where."""
        with transaction(self.engine) as session:
            faxes: list[Any] = [Fax.state, sa.func.count()]
            copies: list[Any] = [Delivery.state, sa.func.count()]
            unopened = sa.select(sa.func.count()).select_from(Alert).where(col(Alert.opened_at).is_(None))
            in_sight = [*_conditions(Query(work=Work.NEW, notices=False)), col(Fax.apart_since).is_(None)]
            unread = sa.select(sa.func.min(Fax.accepted_at)).where(*in_sight)
            apart = sa.select(sa.func.count()).select_from(Fax).where(*_conditions(Query(place="spam")))
            return Figures(
                faxes=dict(session.execute(sa.select(*faxes).group_by(col(Fax.state))).all()),
                deliveries=dict(session.execute(sa.select(*copies).group_by(col(Delivery.state))).all()),
                oldest_unread=session.execute(unread).scalar_one(),
                unopened=session.execute(unopened).scalar_one(),
                apart=session.execute(apart).scalar_one(),
            )

    def overlooked_apart(self, departments: tuple[str, ...] | None, before: datetime) -> int:
        """How much advertising came before then that nobody of these departments has looked at."""
        shown = _conditions(Query(departments=departments, place="spam", until=before))
        with transaction(self.engine) as session:
            return session.exec(select(sa.func.count()).select_from(Fax).where(*shown)).one()

    def lost(self, departments: tuple[str, ...] | None, most: int = FEW) -> list[Fax]:
        """Machines' mails that tell of something that has not arrived, which nobody has finished; newest first."""
        shown = _conditions(Query(departments=departments))
        telling = select(Fax).where(NO_FAX, *shown, col(Fax.kind).in_(LOST), Fax.work != Work.DONE)
        with transaction(self.engine) as session:
            return list(session.exec(telling.order_by(col(Fax.accepted_at).desc(), col(Fax.id)).limit(most)))

    def told_by_machine(self, line: str, departments: tuple[str, ...] | None, most: int) -> list[Fax]:
        """The newest mails of the machine of this line that are no fax and no part of one."""
        shown = _conditions(Query(departments=departments, notices=True))
        telling = select(Fax).where(NO_FAX, *shown, Fax.line == line, Fax.kind != "part")
        with transaction(self.engine) as session:
            return list(session.exec(telling.order_by(col(Fax.accepted_at).desc(), col(Fax.id)).limit(most)))

    def note(self, who: str, action: str, fax_id: str | None = None, **detail: Any) -> None:
        """Write an event."""
        with transaction(self.engine) as session:
            note(session, who, action, fax_id, **detail)

    def mark(self, fax_id: str, who: str, work: Work) -> Fax:
        """A person takes the fax, finishes it or lays it back."""
        with transaction(self.engine) as session:
            fax = self._mine(session, fax_id, work=work, work_by=who, work_at=now())
            note(session, who, f"work:{work}", fax_id)
            if work != Work.NEW:
                self._answered(session, fax_id, who)
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
            fax = self._mine(session, fax_id, corrected_by=who)
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
            self._seal(session, fax, who)
        self._keep_together(session, fax)
        session.add(fax)
        session.flush()
        if not fax.sealed:
            self._send(session, fax, sinks)
        self._answered(session, fax.id, who)
        if fax.urgent and fax.work != Work.DONE and not fax.sealed:
            self._raise(session, fax, call_of)
        return fax

    # ---- sealed cases ---------------------------------------------------------------------------

    def seal(self, fax_id: str, who: str) -> Fax:
        """A person says that a fax is not for us: it is closed, and its copies stop."""
        with transaction(self.engine) as session:
            fax = self._mine(session, fax_id, corrected_by=who)
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
            fax = self._mine(session, fax_id, corrected_by=who)
            self._step(session, fax, who, "ours", {"outcome": "ours", "settled_at": now(), "closed_at": now()})
            if fax.destroyed_at is not None:
                raise UsageError(DESTROYED)
            self._open_again(session, fax, who, sinks)
            fax.sealed, fax.due_at = None, None
            return self._correct(session, fax, who, (department, document_type), sinks, haste, call_of)

    def _open_again(self, session: Session, fax: Fax, who: str, sinks: Sequence[str]) -> None:
        """All that lies in this case, and the copies that were stopped; an entry's go to the sinks they had."""
        family = self._in_case(session, fax.id)
        for one in family:
            one.sealed = None
            session.add(one)
            if one.id != fax.id and one.document_type == clock.CLASS and one.corrected_by is None:
                self._restart(session, one.id)  # it was closed before anybody knew what it is
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
            self._want(session, CARRY, fax_id)

    @staticmethod
    def _in_case(session: Session, fax_id: str) -> list[Fax]:
        """The fax of a case and all that lies in it: its parts, repeats and entries for other departments."""
        return list(session.exec(select(Fax).where(Fax.sealed == fax_id).order_by(col(Fax.accepted_at), col(Fax.id))))

    def in_case(self, fax_id: str) -> list[Fax]:
        """The fax of a case and all that lies in it, in order."""
        with transaction(self.engine) as session:
            return self._in_case(session, fax_id)

    def case(self, fax_id: str) -> Case | None:
        """The case of a fax, or None."""
        with transaction(self.engine) as session:
            return session.get(Case, fax_id)

    def cases(self, departments: tuple[str, ...] | None, closed: bool, most: int = PER_QUERY) -> list[tuple[Case, Fax]]:
        """Cases of these departments (None: all), newest first: those that are ``closed``, or those that are not."""
        ended = col(Case.closed_at).is_not(None) if closed else col(Case.closed_at).is_(None)
        query = select(Case, Fax).where(Case.fax_id == Fax.id, ended)
        with transaction(self.engine) as session:
            rows = session.exec(query.where(*_conditions(Query(departments=departments))).order_by(
                col(Case.since).desc()).limit(most))  # fmt: skip
            return [(case, fax) for case, fax in rows]

    def open_for(self, fax_id: str, who: str, why: str) -> None:
        """Open a sealed fax to a person who says why; who, when and why is written down."""
        with transaction(self.engine) as session:
            fax = self._mine(session, fax_id)
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
            fax = self._mine(session, fax_id)
            self._step(session, fax, who, action, change, **detail)
            if "closed_at" in change:
                filed = {"work": Work.DONE, "work_by": who, "work_at": now()}
                session.execute(sa.update(Fax).where(col(Fax.sealed) == fax.id).values(**filed))

    def _step(self, session: Session, fax: Fax, who: str, action: str, change: dict[str, Any], **detail: str) -> None:
        guard = sa.update(Case).where(col(Case.fax_id) == fax.id, col(Case.closed_at).is_(None)).values(**change)
        if fax.sealed != fax.id or not session.execute(guard).rowcount:  # type: ignore[attr-defined]
            raise UsageError("この案件はもう終わっています (the case is closed)")
        note(session, who, f"case:{action}", fax.id, **detail)
        case = session.exec(select(Case).where(Case.fax_id == fax.id)).one()
        following = clock.next_step(case)
        fax.due_at = following.due if following else None
        session.add(fax)

    @staticmethod
    def _mine(session: Session, fax_id: str, **change: Any) -> Fax:
        """The fax, changed so, and nobody else's until the transaction ends; raises :class:`UsageError`."""
        guard = sa.update(Fax).where(col(Fax.id) == fax_id).values(updated_at=now(), **change)
        if not session.execute(guard).rowcount:  # type: ignore[attr-defined]
            raise UsageError(f"FAX {fax_id} がありません (no such fax)")
        return session.exec(select(Fax).where(Fax.id == fax_id)).one()

    def _seal_if_misdirected(self, session: Session, fax: Fax) -> None:
        """Close what the journey finds misdirected, and what is part of, or the same as, a fax that is closed."""
        if fax.sealed:
            self._close(fax)  # only a person opens it again, whatever is read now
            return
        case = self._case_of_the_same(session, fax)
        if case is not None and case.closed_at is None:
            fax.sealed = case.fax_id
            self._close(fax)
        elif fax.corrected_by is None and (fax.document_type == clock.CLASS or self._was_destroyed(session, fax)):
            self._seal(session, fax, "journey")

    @staticmethod
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

    @staticmethod
    def _was_destroyed(session: Session, fax: Fax) -> bool:
        """Whether this is, byte for byte, a fax of this line that was destroyed as misdirected."""
        other = session.get(Fax, fax.duplicate_of or "")
        return other is not None and other.destroyed_at is not None and other.line == fax.line

    def _seal(self, session: Session, fax: Fax, who: str) -> None:
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
            self._shut_entry(session, entry, who)
        self._close(fax)
        following = clock.next_step(case)
        fax.due_at = following.due if following else None
        if fax.work == Work.DONE and fax.work_by != "gateway":
            fax.work, fax.work_by, fax.work_at = Work.NEW, None, None
        waiting = col(Delivery.state).in_(["pending", "deferred"])
        stopped = sa.update(Delivery).where(col(Delivery.fax_id).in_(ids), waiting, _of_work(CARRY))
        session.execute(stopped.values(state="failed", error=NOT_SENT, next_attempt=None))
        note(session, who, "case:sealed", fax.id)

    def _shut_entry(self, session: Session, entry: Fax, who: str) -> None:
        """Another department sees that what it has is not to be used, finished or not; nobody is called to it."""
        if entry.work == Work.DONE:
            entry.work, entry.work_by, entry.work_at = Work.NEW, None, None
        note(session, who, "case:sealed", entry.id)
        session.execute(sa.update(Alert).where(col(Alert.fax_id) == entry.id).values(next_at=None))

    # ---- destroying what a misdirected fax says --------------------------------------------------

    def destroy(self, fax_id: str, who: str, why: str) -> None:
        """Wipe what a sealed fax says, and all that lies in its case; raises :class:`UsageError` where that is over.

        Their rows, counts and events stay. Their bytes are doomed in the same transaction: whatever breaks afterwards,
        :meth:`doomed` names them until they are gone.
        """
        with transaction(self.engine) as session, self._traceless(session):
            moment = now()
            fax = self._mine(session, fax_id)
            if fax.destroyed_at is not None:
                raise UsageError(DESTROYED)
            self._gather(session, fax_id, moment)
            family = self._in_case(session, fax_id)
            ids = [one.id for one in family]
            change = {"outcome": "destroyed", "settled_at": moment}
            self._step(session, fax, who, "destroyed", change, why=why, **self._withdraw(session, ids))
            session.flush()
            pictures = session.exec(select(Page.png).where(col(Page.fax_id).in_(ids), Page.png != "")).all()
            for digest in sorted({*pictures, *(name for one in family for name in (one.sha256, one.content))}):
                session.add(Doomed(digest=digest, fax_id=fax_id, since=moment))
            for kind in (Page, Part, Sighting):
                session.execute(sa.delete(kind).where(col(kind.fax_id).in_(ids)))
            either = sa.or_(col(Likeness.fax_id).in_(ids), col(Likeness.other_id).in_(ids))
            session.execute(sa.delete(Likeness).where(either))
            for one in family:
                self._answered(session, one.id, who)
                if one.id != fax_id:
                    note(session, who, "case:destroyed", one.id)
            due_at = sa.case((col(Fax.id) == fax_id, col(Fax.due_at)), else_=None)  # the case's clock runs on
            wiped = sa.update(Fax).where(col(Fax.id).in_(ids))
            wiped = wiped.values(**WIPED, due_at=due_at, destroyed_at=moment, content=Fax.sha256, updated_at=moment)
            session.execute(wiped.execution_options(synchronize_session=False))

    @staticmethod
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

    @staticmethod
    def _withdraw(session: Session, ids: Sequence[str]) -> dict[str, str]:
        """Forget what has not arrived; of what was tried in vain nobody knows whether it has, and the event says so."""
        unsent = sa.and_(col(Delivery.fax_id).in_(ids), col(Delivery.state) != "delivered")
        tried = select(Delivery.sink).where(unsent, Delivery.attempts > 0, Delivery.step == 0)
        unsure = sorted(set(session.exec(tried).all()))
        session.execute(sa.delete(Delivery).where(unsent))
        return {"unsure": f"届いたかもしれない配送先: {'、'.join(unsure)}"} if unsure else {}

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

    def sharing(self, fax_id: str) -> list[Fax]:
        """Other faxes that came in the same mail, byte for byte, as one in this case: its bytes stay for them."""
        with transaction(self.engine) as session:
            names = {name for one in self._in_case(session, fax_id) for name in (one.sha256, one.content)}
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
            mine = sa.and_(col(Doomed.digest) == digest, col(Doomed.fate) == "")
            cases = session.execute(sa.update(Doomed).where(mine).values(fate=fate).returning(col(Doomed.fax_id))).all()
            for (fax_id,) in cases:
                self._mine(session, fax_id)  # of two hosts that settle the last two one sees that it is the last
                fates = {"gone": 0, "needed": 0, **self._fates(session, fax_id)}
                if not fates.get(""):
                    note(session, "gateway", "case:erased", fax_id, **fates)

    def fates(self, fax_id: str) -> dict[str, int]:
        """How many of the doomed bytes of a case are still there (empty), gone, or needed by another fax."""
        with transaction(self.engine) as session:
            return self._fates(session, fax_id)

    @staticmethod
    def _fates(session: Session, fax_id: str) -> dict[str, int]:
        columns: list[Any] = [Doomed.fate, sa.func.count()]
        rows = session.execute(sa.select(*columns).where(col(Doomed.fax_id) == fax_id).group_by(col(Doomed.fate)))
        return {row[0]: row[1] for row in rows}

    def empty_log(self) -> None:
        """SQLite's log of changes still holds what was destroyed; copy it into the database and cut it off.

        Writers wait meanwhile: where somebody reads for long, say a backup, it is left as it is and overwritten later.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self.engine.connect() as connection, waiting(connection, 100):
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()

    @staticmethod
    def _close(fax: Fax) -> None:
        fax.state, fax.document_type, fax.held_because = State.HELD, clock.CLASS, [SEALED]
        fax.apart_since = None

    # ---- what is learned ------------------------------------------------------------------------

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
        texts: dict[str, str] = {}
        for start in range(0, len(events), PER_QUERY):
            texts |= self.texts([event.fax_id for event in events[start : start + PER_QUERY] if event.fax_id])
        return [(event, texts.get(event.fax_id or "", "")) for event in reversed(events)]

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

    # ---- the engine -----------------------------------------------------------------------------

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


def _of_work(work: str) -> Any:
    return col(Delivery.step) > 0 if work == ALERT else col(Delivery.step) == 0


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


def _place(work: str, state: str, kind: str, apart: bool) -> str:
    if kind not in FAXES:
        return "notices"
    if work == Work.DONE:
        return "done"
    if apart:
        return "spam"
    if state in (State.HELD, State.FAILED):
        return "held"
    return str(work)


def _conditions(query: Query) -> list[Any]:
    conditions: list[Any] = []
    if query.departments is not None:
        conditions.append(col(Fax.department).in_(query.departments))
    pairs = ((Fax.department, query.department), (Fax.state, query.state), (Fax.work, query.work))
    conditions += [col(column) == value for column, value in pairs if value]
    if query.type:
        conditions.append(Fax.document_type == query.type)
    if query.since:
        conditions.append(Fax.accepted_at >= query.since)
    if query.until:
        conditions.append(Fax.accepted_at < query.until)
    if query.notices is not None:
        real = col(Fax.kind).in_(FAXES)
        conditions.append(sa.not_(real) if query.notices else real)
    if query.nowhere:
        conditions.append(col(Fax.department).is_(None))
    if query.place:
        conditions += _at_place(query.place)
    if query.text:
        holding = select(Page.fax_id).where(col(Page.folded).contains(query.text, autoescape=True))
        found: list[Any] = [col(Fax.id).in_(holding)]
        if query.number:
            found.append(col(Fax.caller) == query.number)
        conditions += [sa.or_(*found), col(Fax.sealed).is_(None)]  # a hit would tell what stands in it
    return conditions


def _at_place(place: str) -> list[Any]:
    # The same division as _place, for the database.
    real = col(Fax.kind).in_(FAXES)
    stuck = col(Fax.state).in_([State.HELD, State.FAILED])
    if place == "notices":
        return [sa.not_(real)]
    if place == "done":
        return [real, Fax.work == Work.DONE]
    apart = col(Fax.apart_since).is_not(None)
    if place == "spam":
        return [real, Fax.work != Work.DONE, apart]
    if place == "held":
        return [real, Fax.work != Work.DONE, sa.not_(apart), stuck]
    return [real, Fax.work == place, sa.not_(apart), sa.not_(stuck)]


def _order(query: Query, newer: bool) -> list[Any]:
    keys: list[Any] = [col(Fax.accepted_at), col(Fax.id)]
    if query.urgent_first:
        keys.insert(0, col(Fax.urgent))
    return [key.asc() if newer else key.desc() for key in keys]


def _beyond(query: Query, urgent: bool, at: datetime, fax_id: str, newer: bool) -> Any:
    keys: list[tuple[Any, Any]] = [(col(Fax.accepted_at), at), (col(Fax.id), fax_id)]
    if query.urgent_first:
        keys.insert(0, (col(Fax.urgent), sa.literal(urgent, sa.Boolean)))  # a bare True has no order
    steps: list[Any] = []
    for index, (key, value) in enumerate(keys):
        equal = [earlier == same for earlier, same in keys[:index]]
        steps.append(sa.and_(*equal, key > value if newer else key < value))
    return sa.or_(*steps)


def _cursor(fax: Fax) -> str:
    plain = f"{int(fax.urgent)}|{fax.accepted_at.isoformat()}|{fax.id}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[bool, datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        urgent, at, fax_id = text.split("|")
        moment = datetime.fromisoformat(at)
    except (binascii.Error, ValueError, UnicodeDecodeError) as error:
        raise UsageError("続きの目印が読めません (not a cursor)") from error
    if moment.tzinfo is None or not fax_id or "\0" in fax_id:
        raise UsageError("続きの目印が読めません (not a cursor)")
    return urgent == "1", moment, fax_id
