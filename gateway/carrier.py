"""Carries the waiting copies of a fax to their sinks. A failed try waits longer each time; the inbox never waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway.config import Config, SinkTable
from gateway.desk import searchable
from gateway.errors import SpoolError
from gateway.models import Delivery, Fax, now
from gateway.reader import MailToRead, Readers
from gateway.spool import Spool
from gateway.store import Store
from ocr.errors import ReadingError
from routing import sinks
from routing.delivery import DeliveryError, Document, Parcel, Sink, next_try
from routing.errors import RoutingError
from routing.personal import without_personal
from routing.taxonomy import Taxonomy

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
        waits = [wait for copy in self.store.waiting(fax_id) if (wait := self._try(copy)) is not None]
        return min(waits).isoformat() if waits else None

    def _try(self, copy: Delivery) -> datetime | None:
        if copy.next_attempt is not None and copy.next_attempt > now():
            return copy.next_attempt
        settings = next((sink for sink in self.config.sinks if sink.id == copy.sink), None)
        if settings is None:
            self.store.carried(copy.id, "failed", "この配信先は設定から消えました。", None, None)
            return None
        try:
            receipt = sink_of(self.config, settings).carry(self._parcel(copy, settings))
        except DeliveryError as error:
            return self._failed(copy, f"{error}{error.advice}", again=error.again)
        except RoutingError as error:
            return self._failed(copy, str(error), again=False)
        except SpoolError as error:
            return self._failed(copy, str(error), again=error.again)
        self.store.carried(copy.id, "delivered", None, receipt.text, None)
        return None

    def _failed(self, copy: Delivery, sentence: str, *, again: bool) -> datetime | None:
        wait = next_try(copy.attempts + 1) if again else None
        at = now() + wait if wait else None
        log.warning("copy", fax=copy.fax_id, sink=copy.sink, again=at is not None)
        self.store.carried(copy.id, "deferred" if at else "failed", sentence, None, at)
        return at

    def _parcel(self, copy: Delivery, settings: SinkTable) -> Parcel:
        fax = self.store.fax(copy.fax_id)
        if fax is None:
            raise LookupError(copy.fax_id)
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
            text=self.store.texts([fax.id]).get(fax.id, ""),
        )

    def _documents(self, fax: Fax) -> tuple[Document, ...]:
        try:
            files = self.readers.documents(MailToRead(digest=fax.content, envelope_from=fax.envelope_from))
        except ReadingError:
            return ()  # the mail itself goes along
        return tuple(Document(name, media_type, data) for name, media_type, data in files)

    def _searchable(self, fax: Fax) -> bytes | None:
        try:
            return searchable(self.store, self.readers, fax)
        except ReadingError:
            return None  # as above


def _may_know(settings: SinkTable, fax: Fax) -> bool:
    """Whether a sink gets the fields that tell who the patient is: its department's own, and asked for."""
    return settings.personal and settings.department == fax.department


def sink_of(config: Config, settings: SinkTable) -> Sink:
    """The carrier that a [[sink]] describes; raises :class:`routing.delivery.SinkMistake`."""
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
    )


def sink_mistakes(config: Config) -> tuple[str, ...]:
    """What is wrong with the settings of the sinks."""
    mistakes = []
    for settings in config.sinks:
        try:
            sink_of(config, settings)
        except RoutingError as error:
            mistakes.append(str(error))
    return tuple(mistakes)
