"""The promise of the door: bytes synced to the spool, row and job committed, and only then 250.

No mail is parsed here, so no strange mail can stand between a machine and its receipt. Bytes first, meaning later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.desk import Jobs
from gateway.spool import Arrival, Spool
from gateway.store import Mail, Store
from routing.department import Line, Organisation
from routing.line import line_of


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes mails for lines."""

    organisation: Organisation
    store: Store
    spool: Spool
    jobs: Jobs

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
            envelope_from=envelope_from,
            client=client,
            received_at=received_at,
        )
        return self.store.accept(mail, self.jobs.journey)
