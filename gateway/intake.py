"""The promise of the door: bytes synced to the spool, row and job committed, and only then 250.

No mail is parsed here, so no strange mail can stand between a machine and its receipt. Bytes first, meaning later.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gateway.errors import BeingDestroyed
from gateway.spool import Arrival, Spool
from gateway.store import Mail, Store
from routing.department import Line, Organisation
from routing.line import line_of

TOGETHER = 64
"""Mails in one commit at most: one that waits for more gains nothing and makes its machine wait."""

ASKED, PAUSE = 200, 0.0005
"""How often and how quickly (seconds) a process asks for its turn."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes mails for lines."""

    organisation: Organisation
    entries: Entries
    spool: Spool

    def line(self, rcpt: str) -> Line | None:
        """The line that RCPT TO names, or None: 550."""
        return line_of(self.organisation, rcpt)

    def begin(self) -> Arrival:
        """A mail begins to come in."""
        return self.spool.begin()

    def accept(
        self,
        arrival: Arrival,
        lines: tuple[str, ...],
        envelope_from: str = "",
        client: str = "",
        received_at: datetime | None = None,
    ) -> tuple[str, ...]:
        """Make the mail durable and its faxes known, and give their ids; when this returns, 250 may be said.

        Raises what the disk or the database raises; nothing is known then, and what may lie in the spool is only
        bytes that the machine sends again under the same name.
        """
        digest = arrival.keep()
        mail = Mail(
            sha256=digest,
            size=arrival.size,
            lines=tuple(dict.fromkeys(lines)),
            envelope_from=_writable(envelope_from),
            client=client,
            received_at=received_at,
        )
        return self.entries.enter(mail)


@dataclass(slots=True)
class _Entry:
    mail: Mail
    ids: tuple[str, ...] = ()
    error: Exception | None = None
    settled: bool = False


class Entries:
    """Commits together what several threads want committed at the same time.

    Who finds nobody committing does it for all who wait; who comes meanwhile waits and is committed with the next.
    """

    def __init__(self, store: Store, turn: Path | None = None) -> None:
        """``turn``: a file by which processes on one SQLite take turns; see :func:`_in_turn`."""
        self._store = store
        self._waiting: list[_Entry] = []
        self._here = threading.Lock()
        self._turn = turn

    def enter(self, mail: Mail) -> tuple[str, ...]:
        """Rows and jobs of a mail, committed; gives the ids of its faxes. Raises what the database raises."""
        entry = _Entry(mail)
        self._waiting.append(entry)
        with self._here:
            if not entry.settled:
                with _in_turn(self._turn):
                    self._settle(self._next(entry))
        if entry.error is not None:
            raise entry.error
        return entry.ids

    def _next(self, entry: _Entry) -> list[_Entry]:
        together = [entry, *(other for other in self._waiting if other is not entry)][:TOGETHER]
        for taken in together:
            self._waiting.remove(taken)
        return together

    def _settle(self, together: list[_Entry]) -> None:
        try:
            for entry, ids in zip(together, self._store.accept([one.mail for one in together]), strict=True):
                entry.ids = ids
        except (SQLAlchemyError, ValueError, BeingDestroyed) as error:
            # A database that is gone is gone for all; anything else must not refuse a mail for what another brought.
            if len(together) > 1 and not isinstance(error, OperationalError):
                for entry in together:
                    self._settle([entry])
            for entry in together:
                entry.error = entry.error or (None if entry.ids else error)
        for entry in together:
            entry.settled = True


@contextlib.contextmanager
def _in_turn(file: Path | None) -> Iterator[None]:
    """Commit when no other process does. A courtesy: who waits too long goes ahead, and the database decides.

    SQLite has one writer, and who finds it busy sleeps 1, 2, 5, 10 ... ms before it asks again: with two doors that
    cost a tenth of the mails a second. A process that was stopped while it had the turn must not stop the other.
    """
    if file is None:
        yield
        return
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for _ in range(ASKED):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(PAUSE)
        yield
    finally:
        os.close(handle)  # and the turn is the next one's


def _writable(text: str) -> str:
    # What machines write into MAIL FROM is theirs; PostgreSQL takes neither NUL nor half a character.
    return text.replace("\0", "").encode("utf-8", "replace").decode()
