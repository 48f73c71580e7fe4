"""The connection to the database, and what every transaction does the same way.

SQLite runs in WAL with synchronous=FULL: a commit is on the disk when it returns, and that is what 250 rests on.
A write begins with its guard (an UPDATE or INSERT), so that SQLite takes the write lock before anything is decided.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import InvalidatePoolError
from sqlmodel import Session, col, select

from gateway.errors import UsageError
from gateway.models import Event, Fax, now

BUSY_MS, LOOK_MS = 30_000, 3_000
"""How long a write waits for another program's lock on SQLite: a mail (then 451), and who only wants to know."""

RESTED = 1.0
"""Seconds after which a connection to PostgreSQL is asked whether it still lives."""

PER_QUERY = 500
"""Names in one IN (...): far below what either database allows."""

FEW = 20
"""Rows that are looked at together by what looks again and again. Those that only wait move on; the next are seen."""


def connect(url: str) -> sa.Engine:
    """An engine that keeps the promise: WAL and FULL on SQLite, a checked pool on PostgreSQL.

    Values are hidden from its errors: they would carry a fax's text into the log.
    """
    if not url.startswith("sqlite"):
        return _checked(sa.create_engine(url, pool_size=20, max_overflow=20, hide_parameters=True))
    engine = sa.create_engine(url, pool_size=20, max_overflow=20, connect_args={"timeout": 30}, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"  # a writer waits at its first write, not at its commit
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _checked(engine: sa.Engine) -> sa.Engine:
    """Connections that have rested are asked whether they still live before they are given out.

    ``pool_pre_ping`` asks each time, which was half of all transactions on the way of a fax.
    """

    @sa.event.listens_for(engine, "checkin")
    def _rests(_connection: Any, record: Any) -> None:
        record.info["rests since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _lives(connection: Any, record: Any, _proxy: object) -> None:
        since = record.info.get("rests since")
        if since is None or time.monotonic() - since < RESTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:  # all others are as old: the pool drops them too
            raise InvalidatePoolError("the database has been away") from error

    return engine


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[Session]:
    """A session whose work is committed at the end of the block, or not at all."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def waiting(connection: sa.Connection, milliseconds: int) -> Iterator[None]:
    """While the block lasts, SQLite waits so long for another program's lock, not as long as a mail may."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")


def note(session: Session, who: str, action: str, fax_id: str | None = None, **detail: Any) -> None:
    """Write an event, with whatever else the transaction does."""
    session.add(Event(at=now(), fax_id=fax_id, who=who, action=action, detail=detail))


def mine(session: Session, fax_id: str, **change: Any) -> Fax:
    """The fax, changed so, and nobody else's until the transaction ends; raises :class:`UsageError`."""
    guard = sa.update(Fax).where(col(Fax.id) == fax_id).values(updated_at=now(), **change)
    if not session.execute(guard).rowcount:  # type: ignore[attr-defined]
        raise UsageError(f"FAX {fax_id} がありません (no such fax)")
    return session.exec(select(Fax).where(Fax.id == fax_id)).one()


def alone(session: Session, key: str) -> None:
    """Nobody else decides on the same until this transaction ends; on SQLite there is one writer anyhow."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})


def database_time(session: Session) -> datetime:
    """The database's time: hosts whose clocks differ agree on it."""
    if session.get_bind().dialect.name == "sqlite":
        return now()  # one machine, one clock
    moment: datetime = session.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return moment
