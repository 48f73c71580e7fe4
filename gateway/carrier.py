"""Carries the waiting copies of a fax to their sinks, and calls people to urgent ones.

A failed try waits longer each time; the inbox never waits, and no call waits for a copy.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.alerts import Alerts
from gateway.config import Config, ReceiverTable, SinkTable
from gateway.copies import NOT_SENT
from gateway.desk import pages_read
from gateway.errors import Closed, SpoolError
from gateway.models import Delivery, Fax, now
from gateway.queue import ALERT
from gateway.reader import MailToRead, Readers, Turn
from gateway.spool import Spool
from gateway.store import Store
from ocr.errors import ReadingError
from routing import delivery, sinks
from routing.delivery import DeliveryError, Document, Parcel, Receipt, Sink, next_try
from routing.errors import RoutingError
from routing.personal import without_personal
from routing.taxonomy import Taxonomy

CALL_SECONDS = 10.0
"""A receiver that is silent for so long is tried again later: others may be reached meanwhile."""

log = structlog.get_logger("carrier")


@dataclass(frozen=True, slots=True)
class Carrier:
    """What carrying needs."""

    config: Config
    store: Store
    spool: Spool
    readers: Readers
    taxonomy: Taxonomy

    def carry(self, fax_id: str) -> str | None:
        """Try every copy that is due; gives the moment (ISO 8601) of the next try, or None when none is waiting."""
        waits = [wait for copy in self.store.copies.waiting(fax_id) if (wait := self._try(copy)) is not None]
        return min(waits).isoformat() if waits else None

    def call(self, fax_id: str) -> str | None:
        """Send every message about this fax that is due, all at once: who answers slowly keeps nobody waiting."""
        messages = self.store.copies.waiting(fax_id, ALERT)
        with ThreadPoolExecutor(max(1, len(messages))) as hands:
            waits = [wait for wait in hands.map(self._try, messages) if wait is not None]
        return min(waits).isoformat() if waits else None

    def _try(self, copy: Delivery) -> datetime | None:
        if copy.next_attempt is not None and copy.next_attempt > now():
            return copy.next_attempt
        settings = self.config.receiver(copy.sink)
        if settings is None:
            return self._failed(copy, "この配信先は設定から消えました。", again=False)
        try:
            receipt = self._handed_over(copy, settings)
        except DeliveryError as error:
            return self._failed(copy, f"{error}{error.advice}", again=error.again)
        except RoutingError as error:
            return self._failed(copy, str(error), again=False)
        except SpoolError as error:
            return self._failed(copy, str(error), again=error.again)
        except (SQLAlchemyError, Closed):
            raise  # nothing is known of the copy; it is looked for again
        except Exception as error:  # noqa: BLE001 - whatever it is, it must end where people see it
            log.error("copy", fax=copy.fax_id, sink=copy.sink, error=type(error).__name__)
            return self._failed(copy, "写しを作れませんでした。ログを確認してください。", again=True)
        self.store.copies.carried(copy.id, "delivered", None, receipt.text, None)
        return None

    def _handed_over(self, copy: Delivery, settings: ReceiverTable) -> Receipt:
        fax = self.store.fax(copy.fax_id)
        if fax is None:
            raise LookupError(copy.fax_id)
        if copy.step:
            notice = Alerts(self.config).notice(fax, copy, self.taxonomy)
            return sink_of(self.config, settings, CALL_SECONDS).tell(notice)
        if fax.sealed:  # since this copy was taken up
            raise RoutingError(NOT_SENT)
        return sink_of(self.config, settings).carry(self._parcel(copy, settings, fax))

    def _failed(self, copy: Delivery, sentence: str, *, again: bool) -> datetime | None:
        wait = next_try(copy.attempts + 1, delivery.ALERT if copy.step else delivery.COPY) if again else None
        at = now() + wait if wait else None
        log.warning("call" if copy.step else "copy", fax=copy.fax_id, sink=copy.sink, again=at is not None)
        self.store.copies.carried(copy.id, "deferred" if at else "failed", sentence, None, at)
        if copy.step and at is None:
            self.store.calls.unreachable(copy.fax_id, copy.step)
        return at

    def _parcel(self, copy: Delivery, settings: ReceiverTable, fax: Fax) -> Parcel:
        kind = self.taxonomy.get(fax.document_type)
        return Parcel(
            id=copy.id,
            fax_id=fax.id,
            document_type=fax.document_type,
            type_name=kind.name if kind else "",
            department=fax.department or "",
            sender=fax.caller or fax.tsi,
            received_at=fax.received_at,
            due_at=fax.due_at,
            urgent=fax.urgent,
            pages=fax.pages,
            fields=fax.fields if _may_know(settings, fax) else without_personal(fax.fields),
            reasons=tuple(fax.reasons),
            original=self.spool.get(fax.sha256),
            documents=self._documents(fax),
            pdf=self._searchable(fax),
            text=self.store.inbox.texts([fax.id]).get(fax.id, ""),
        )

    def _documents(self, fax: Fax) -> tuple[Document, ...]:
        try:
            files = self.readers.documents(MailToRead(fax.content, fax.envelope_from, turn=_turn(fax)))
        except ReadingError:
            return ()  # the mail itself goes along
        return tuple(Document(name, media_type, data) for name, media_type, data in files)

    def _searchable(self, fax: Fax) -> bytes | None:
        try:
            read, title = pages_read(self.store, fax.id), f"FAX {fax.id}"
            return self.readers.searchable(fax.content, fax.envelope_from, read, title, _turn(fax))
        except ReadingError:
            return None  # as above


def _may_know(settings: ReceiverTable, fax: Fax) -> bool:
    """Whether a sink gets the fields that tell who the patient is: its department's own, and asked for."""
    return isinstance(settings, SinkTable) and settings.personal and settings.department == fax.department


def _turn(fax: Fax) -> Turn:
    return Turn.URGENT if fax.urgent else Turn.LATER


def sink_of(config: Config, settings: ReceiverTable, seconds: float | None = None) -> Sink:
    """The carrier that a [[sink]] or [[alert]] describes; raises :class:`routing.delivery.SinkMistake`."""
    department = config.organisation.department(settings.department)
    return sinks.build(
        settings.kind,
        settings.id,
        to=settings.to or (department.mail if department else ""),
        relay=settings.relay,
        sender=settings.sender,
        path=str(config.path.parent / settings.path) if settings.path else "",
        url=settings.url,
        secret=settings.secret,
        seconds=seconds,
    )


def sink_mistakes(config: Config) -> tuple[str, ...]:
    """What is wrong with the settings of the sinks and alerts."""
    mistakes = []
    for settings in (*config.sinks, *config.alerts):
        try:
            sink_of(config, settings)
        except RoutingError as error:
            mistakes.append(str(error))
    return tuple(mistakes)
