"""What lists of faxes show: by department, by tab, by word, in order, with figures."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from gateway.database import FEW, transaction
from gateway.errors import UsageError
from gateway.models import Alert, Delivery, Event, Fax, Page, State, Work

LOOKS = ("viewed", "downloaded", "sign-in", "sign-out", "token", "case:opened")
"""Events that tell who looked, and change nothing in a list."""

FAXES = ("fax", "unreadable", "no_attachment")
"""Kinds of mail that stand in an inbox as a fax, or where one should be; the rest are notices of machines."""

LOST = ("device_error", "bounce")
"""Notices that tell of something that has not arrived: a person must hear of them."""

NO_FAX = sa.text("fax.kind <> 'fax'")
"""By these words the database knows that an index of its own serves (models.Fax, ``fax_notice``)."""


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
class Inbox:
    """Faxes as lists show them; nothing is changed here."""

    engine: sa.Engine

    def find(self, query: Query) -> tuple[list[Fax], str | None]:
        """Faxes, newest first, and the cursor of the next ones."""
        statement = select(Fax).where(*conditions(query))
        if query.cursor:
            statement = statement.where(_beyond(query, *_read_cursor(query.cursor), newer=False))
        with transaction(self.engine) as session:
            rows = list(session.exec(statement.order_by(*_order(query, newer=False)).limit(query.limit + 1)))
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        return rows, _cursor(rows[-1]) if more else None

    def texts(self, fax_ids: Sequence[str]) -> dict[str, str]:
        """The whole text of each fax, a form feed between pages."""
        with transaction(self.engine) as session:
            return texts(session, fax_ids)

    def neighbours(self, fax: Fax, query: Query) -> tuple[str | None, str | None]:
        """The faxes before and after this one in the list that ``query`` shows; the fax itself may have left it."""
        found: list[str | None] = []
        with transaction(self.engine) as session:
            for newer in (True, False):
                beyond = _beyond(query, fax.urgent, fax.accepted_at, fax.id, newer=newer)
                statement = select(Fax.id).where(*conditions(query), beyond).order_by(*_order(query, newer=newer))
                found.append(session.exec(statement.limit(1)).first())
        return found[0], found[1]

    def tally(self, departments: tuple[str, ...] | None, nowhere: bool = False) -> Tally:
        """The figures on the tabs of an inbox; ``nowhere`` for the inbox of faxes that no department has yet."""
        keys: list[Any] = [Fax.department, Fax.work, Fax.state, Fax.urgent, Fax.kind, col(Fax.apart_since).is_not(None)]
        shown = Query(departments=departments, nowhere=nowhere)
        with transaction(self.engine) as session:
            rows = session.execute(sa.select(*keys, sa.func.count()).where(*conditions(shown)).group_by(*keys)).all()
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

    def figures(self) -> Figures:
        """How much waits where."""
        with transaction(self.engine) as session:
            faxes: list[Any] = [Fax.state, sa.func.count()]
            copies: list[Any] = [Delivery.state, sa.func.count()]
            unopened = sa.select(sa.func.count()).select_from(Alert).where(col(Alert.opened_at).is_(None))
            in_sight = [*conditions(Query(work=Work.NEW, notices=False)), col(Fax.apart_since).is_(None)]
            unread = sa.select(sa.func.min(Fax.accepted_at)).where(*in_sight)
            apart = sa.select(sa.func.count()).select_from(Fax).where(*conditions(Query(place="spam")))
            return Figures(
                faxes=dict(session.execute(sa.select(*faxes).group_by(col(Fax.state))).all()),
                deliveries=dict(session.execute(sa.select(*copies).group_by(col(Delivery.state))).all()),
                oldest_unread=session.execute(unread).scalar_one(),
                unopened=session.execute(unopened).scalar_one(),
                apart=session.execute(apart).scalar_one(),
            )

    def overlooked_apart(self, departments: tuple[str, ...] | None, before: datetime) -> int:
        """How much advertising came before then that nobody of these departments has looked at."""
        shown = conditions(Query(departments=departments, place="spam", until=before))
        with transaction(self.engine) as session:
            return session.exec(select(sa.func.count()).select_from(Fax).where(*shown)).one()

    def lost(self, departments: tuple[str, ...] | None, most: int = FEW) -> list[Fax]:
        """Machines' mails that tell of something that has not arrived, which nobody has finished; newest first."""
        shown = conditions(Query(departments=departments))
        telling = select(Fax).where(NO_FAX, *shown, col(Fax.kind).in_(LOST), Fax.work != Work.DONE)
        with transaction(self.engine) as session:
            return list(session.exec(telling.order_by(col(Fax.accepted_at).desc(), col(Fax.id)).limit(most)))

    def told_by_machine(self, line: str, departments: tuple[str, ...] | None, most: int) -> list[Fax]:
        """The newest mails of the machine of this line that are no fax and no part of one."""
        shown = conditions(Query(departments=departments, notices=True))
        telling = select(Fax).where(NO_FAX, *shown, Fax.line == line, Fax.kind != "part")
        with transaction(self.engine) as session:
            return list(session.exec(telling.order_by(col(Fax.accepted_at).desc(), col(Fax.id)).limit(most)))

    def last_event(self) -> int:
        """The number of the newest event that changed something: when it grows, a list looks different."""
        with transaction(self.engine) as session:
            changes = select(sa.func.max(col(Event.id))).where(col(Event.action).not_in(LOOKS))
            return session.exec(changes).one() or 0


def texts(session: Session, fax_ids: Sequence[str]) -> dict[str, str]:
    """The whole text of each fax, a form feed between pages."""
    pages = select(Page.fax_id, Page.text).where(col(Page.fax_id).in_(fax_ids))
    found: dict[str, list[str]] = {}
    for fax_id, text in session.exec(pages.order_by(col(Page.fax_id), col(Page.number))):
        found.setdefault(fax_id, []).append(text)
    return {fax_id: "\f".join(told) for fax_id, told in found.items()}


def conditions(query: Query) -> list[Any]:
    """What a fax must be to stand in this list."""
    asked: list[Any] = []
    if query.departments is not None:
        asked.append(col(Fax.department).in_(query.departments))
    pairs = ((Fax.department, query.department), (Fax.state, query.state), (Fax.work, query.work))
    asked += [col(column) == value for column, value in pairs if value]
    if query.type:
        asked.append(Fax.document_type == query.type)
    if query.since:
        asked.append(Fax.accepted_at >= query.since)
    if query.until:
        asked.append(Fax.accepted_at < query.until)
    if query.notices is not None:
        real = col(Fax.kind).in_(FAXES)
        asked.append(sa.not_(real) if query.notices else real)
    if query.nowhere:
        asked.append(col(Fax.department).is_(None))
    if query.place:
        asked += _at_place(query.place)
    if query.text:
        holding = select(Page.fax_id).where(col(Page.folded).contains(query.text, autoescape=True))
        found: list[Any] = [col(Fax.id).in_(holding)]
        if query.number:
            found.append(col(Fax.caller) == query.number)
        asked += [sa.or_(*found), col(Fax.sealed).is_(None)]  # a hit would tell what stands in it
    return asked


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
