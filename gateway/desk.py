"""What people do with faxes, whether at a page or at the command line: look, take, finish, correct, run again.

Also the shape of one fax that the API, the command line and users' scripts hold on to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Protocol

from gateway.alerts import Alerts
from gateway.case import CLASS
from gateway.config import Config
from gateway.copies import SinkState
from gateway.errors import Missing, UsageError
from gateway.models import TOKYO, Alert, Delivery, Fax, Page, Work, now
from gateway.page_data import PageData, page_data, page_text
from gateway.sealing import DESTROYED, SEALED, SEALED_WITH
from gateway.spool import Spool
from gateway.store import Store
from gateway.transmission import TYPED
from ocr.page import PageText
from routing import clock
from routing.directory import Directory
from routing.facts import Facts, Sender
from routing.personal import without_personal
from routing.taxonomy import DocumentType, Taxonomy

SAYS_NOTHING = frozenset({
    "id", "state", "received_at", "accepted_at", "sha256", "duplicate_of", "kind", "counted", "line", "pages", "bytes",
    "document_type", "department", "urgent", "due_at", "work", "work_by", "corrected_by", "joined_into", "exempt",
    "sealed", "destroyed_at", "taken_from",
})  # fmt: skip
"""What a sealed fax still tells."""


class Binder(Protocol):
    """Makes searchable PDFs, where hostile bytes may be opened (gateway.reader)."""

    def searchable(self, digest: str, envelope_from: str, pages: Mapping[int, PageText], title: str) -> bytes:
        """All documents of a mail as one PDF; raises :class:`ocr.errors.ReadingError`."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a page or a command needs to act on faxes."""

    config: Config
    store: Store
    spool: Spool
    taxonomy: Taxonomy

    def fax(self, fax_id: str) -> Fax:
        """The fax; raises :class:`UsageError` when there is none."""
        fax = self.store.fax(fax_id)
        if fax is None:
            raise UsageError(f"FAX {fax_id} がありません (no such fax)")
        return fax

    def original(self, fax: Fax) -> bytes:
        """The mail byte for byte as it was answered 250."""
        return self.spool.get(fax.sha256)

    def searchable(self, fax: Fax, binder: Binder) -> bytes:
        """The fax as one searchable PDF; raises :class:`ocr.errors.ReadingError` where none can be made."""
        return searchable(self.store, binder, fax)

    def mark(self, fax_id: str, who: str, work: str) -> Fax:
        """Take, finish or lay back."""
        try:
            wanted = Work(work)
        except ValueError:
            raise UsageError(f"作業状態「{work}」はありません (use new, claimed or done)") from None
        self._not_sealed(fax_id)
        return self.store.mark(fax_id, who, wanted)

    def correct(self, fax_id: str, who: str, department: str, document_type: str) -> Fax:
        """Say where the fax belongs and what it is; copies go to the new department's sinks."""
        if self.config.organisation.department(department) is None:
            raise UsageError(f"部署「{department}」がありません (no such department)")
        kind = self.taxonomy.get(document_type)
        if kind is None:
            raise UsageError(f"文書種別「{document_type}」がありません (no such document type)")
        call = Alerts(self.config).call
        haste = _haste(self.fax(fax_id), kind)
        return self.store.correct(fax_id, who, department, document_type, self.config.sinks_of(department), haste, call)

    def not_advertising(self, fax_id: str, who: str) -> Fax:
        """Say that a fax that is kept apart is no advertising: a correction like any other, whatever it is."""
        fax = self.fax(fax_id)
        if fax.apart_since is None:
            raise UsageError("このFAXは広告として分けられていません (not kept apart)")
        return self.correct(fax_id, who, fax.department or "", "OTHER")

    def requeue(self, fax_id: str, who: str) -> Fax:
        """Open, read and decide again."""
        self._not_sealed(fax_id)
        return self.store.again(fax_id, who)

    def say(self, fax_id: str, other_id: str, who: str, same: bool) -> Fax:
        """Say of two linked faxes that they are one, which then counts once, or two."""
        self._not_sealed(fax_id)
        said = self.store.say_same if same else self.store.say_different
        return said(fax_id, other_id, who)

    def separate(self, fax_id: str, who: str) -> Fax:
        """Say that the mails a fax was joined from are faxes of their own."""
        self._not_sealed(fax_id)
        return self.store.separate(fax_id, who)

    def release(self, fax_id: str, who: str, department: str, document_type: str) -> Fax:
        """Say that a sealed fax is ours after all, and whose and what it is."""
        if self.config.organisation.department(department) is None:
            raise UsageError(f"部署「{department}」がありません (no such department)")
        kind = self.taxonomy.get(document_type)
        if kind is None or document_type == CLASS:
            raise UsageError(f"文書種別「{document_type}」にはできません (choose another document type)")
        call = Alerts(self.config).call
        haste = _haste(self.fax(fax_id), kind)
        return self.store.release(fax_id, who, department, document_type, self.config.sinks_of(department), haste, call)

    def destroy(self, fax_id: str, who: str, confirm: str, why: str) -> None:
        """Destroy what a misdirected fax says, for good; ``confirm`` is its id once more, typed by the person."""
        if confirm.strip() != fax_id:
            raise UsageError("確認の受付番号が違います。何も破棄していません (not confirmed: type the fax's id)")
        self.store.cases.destroy(fax_id, who, why)

    def _not_sealed(self, fax_id: str) -> None:
        fax = self.store.fax(fax_id)
        if fax is not None and fax.sealed:
            raise UsageError(SEALED)

    def as_json(
        self, faxes: Sequence[Fax], knows: Callable[[Fax], bool] = lambda _: False, *, opened: bool = False
    ) -> list[dict[str, Any]]:
        """The faxes in the shape of the contract; a sealed one tells nothing but that it is there.

        Fields that tell who a patient is stand in it only where the reader ``knows``. ``opened``: whoever asks has
        opened them with a reason.
        """
        told = self._as_json(faxes, knows)
        return [
            one if not fax.sealed or (opened and not fax.destroyed_at) else _closed(one)
            for fax, one in zip(faxes, told, strict=True)
        ]

    def with_pages(self, fax: Fax, *, personal: bool) -> dict[str, Any]:
        """One fax in the shape of the contract, and each of its pages as data; a sealed one tells of none."""
        (told,) = self.as_json([fax], lambda _: personal)
        pages = [] if fax.sealed else [asdict(self.page_data(page)) for page in self.store.pages(fax.id)]
        return {**told, "page_data": pages}

    def page_data(self, page: Page) -> PageData:
        """What is known of one page; without its picture, too."""
        png = b""
        if page.png:
            with contextlib.suppress(Missing):
                png = self.spool.get(page.png)
        return page_data(page, png)

    def silent_sinks(self) -> list[SinkState]:
        """Receivers that are still configured and take nothing, or gave something up."""
        return [
            sink for sink in self.store.copies.sinks(undone=True) if self.config.receiver(sink.id) and sink.dead(now())
        ]

    def senders(self, faxes: Sequence[Fax]) -> dict[str, Sender]:
        """Who sent each of them, by the directory of today; those whose sender nobody knows are left out."""
        directory = self.store.institutions.directory()
        found = {fax.id: _sender(fax, directory) for fax in faxes}
        return {fax_id: sender for fax_id, sender in found.items() if sender is not None}

    def _as_json(self, faxes: Sequence[Fax], knows: Callable[[Fax], bool]) -> list[dict[str, Any]]:
        ids = [fax.id for fax in faxes]
        texts = self.store.inbox.texts(ids)
        copies: dict[str, list[Delivery]] = {}
        for delivery in self.store.copies.deliveries(ids):
            copies.setdefault(delivery.fax_id, []).append(delivery)
        alike, jobs, alerts = self.store.likenesses(ids), self.store.jobs(faxes), self.store.calls.alerts(ids)
        senders = self.senders(faxes)
        return [
            {
                **fax_json(fax, texts.get(fax.id, ""), copies.get(fax.id, []), personal=knows(fax)),
                "same_as": [other for other, _ in alike.get(fax.id, [])],
                "same_job": jobs.get(fax.id, []),
                "alert": alert_json(alerts[fax.id], copies.get(fax.id, [])) if fax.id in alerts else None,
                "sender_institution": sender_json(senders.get(fax.id)),
            }
            for fax in faxes
        ]


def _haste(fax: Fax, kind: DocumentType) -> tuple[bool, datetime | None]:
    """Whether a fax of this class is urgent, and when it is due; one that only moves is as urgent as before."""
    if fax.document_type == kind.code:
        return fax.urgent, fax.due_at
    due = clock.due(kind, fax.received_at, _diagnosed(fax))
    return kind.critical, due.at if due is not None else None


def _diagnosed(fax: Fax) -> date | None:
    """The day of diagnosis as it was read, where it was."""
    found = fax.fields.get("diagnosed")
    with contextlib.suppress(ValueError, TypeError):
        return date.fromisoformat(found["value"]) if isinstance(found, dict) else None
    return None


def sender_json(sender: Sender | None) -> dict[str, Any] | None:
    """Who sent a fax, for programs; None when the directory knows nobody."""
    if sender is None:
        return None
    one = sender.one
    return {
        "id": one.id if one else None,
        "name": one.name if one else None,
        "kind": (one.kind or None) if one else None,
        "known_by": sender.known_by,
        "proven": sender.proven and one is not None,
        "confidence": sender.confidence,
        "ambiguous": [] if one else [{"id": other.id, "name": other.name} for other in sender.institutions],
    }


def searchable(store: Store, binder: Binder, fax: Fax) -> bytes:
    """The fax as one searchable PDF; raises :class:`ocr.errors.ReadingError` where none can be made."""
    return binder.searchable(fax.content, fax.envelope_from, pages_read(store, fax.id), f"FAX {fax.id}")


def pages_read(store: Store, fax_id: str) -> dict[int, PageText]:
    """What was read on each page that could be, as the workshop said it."""
    return {page.number: page_text(page) for page in store.pages(fax_id) if not page.problem}


def fax_json(fax: Fax, text: str, deliveries: Sequence[Delivery], *, personal: bool) -> dict[str, Any]:
    """One fax in the shape of the contract; keys are only ever added. Without ``personal``, fields are withheld."""
    shown = fax.fields if personal else without_personal(fax.fields)
    return {
        "id": fax.id,
        "state": fax.state,
        "received_at": moment(fax.received_at),
        "accepted_at": moment(fax.accepted_at),
        "sha256": fax.sha256,
        "duplicate_of": fax.duplicate_of,
        "kind": fax.kind,
        "counted": fax.counts,
        "line": fax.line,
        "caller": fax.caller,
        "caller_source": fax.caller_source or None,
        "tsi": fax.tsi,
        "subject": fax.subject,
        "pages": fax.pages,
        "bytes": fax.bytes,
        "document_type": fax.document_type,
        "documents": fax.documents,
        "confidence": fax.confidence,
        "department": fax.department,
        "reasons": fax.reasons,
        "held_because": fax.held_because,
        "urgent": fax.urgent,
        "due_at": moment(fax.due_at),
        "masked": fax.masked,
        "fields": shown,
        "withheld": sorted(fax.fields.keys() - shown.keys()),
        "barcodes": fax.barcodes,
        "text": text,
        "deliveries": [_delivery(copy) for copy in deliveries if not copy.step],
        "work": fax.work,
        "work_by": fax.work_by,
        "corrected_by": fax.corrected_by,
        "joined_into": fax.joined_into,
        "taken_from": fax.taken_from,
        "exempt": fax.exempt,
        "apart": fax.apart_since is not None,
        "sealed": fax.sealed is not None,
        "destroyed_at": moment(fax.destroyed_at),
    }


def alert_json(alert: Alert, deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """Who was called to an urgent fax, and who has opened it."""
    return {
        "raised_at": moment(alert.raised_at),
        "step": alert.step,
        "stepped_at": moment(alert.stepped_at),
        "next_at": moment(alert.next_at),
        "opened_at": moment(alert.opened_at),
        "opened_by": alert.opened_by,
        "messages": [{**_delivery(copy), "step": copy.step} for copy in deliveries if copy.step],
    }


def _delivery(copy: Delivery) -> dict[str, Any]:
    return {
        "id": copy.id,
        "sink": copy.sink,
        "state": copy.state,
        "attempts": copy.attempts,
        "next_attempt": moment(copy.next_attempt),
        "error": copy.error,
    }


def _closed(told: dict[str, Any]) -> dict[str, Any]:
    """What is told of a sealed fax: everything that is not named here is left empty, also what is added later."""
    empty: dict[type, Any] = {list: [], dict: {}, bool: False}
    kept = {name: value if name in SAYS_NOTHING else empty.get(type(value)) for name, value in told.items()}
    why = DESTROYED if told["destroyed_at"] else SEALED_WITH if told["taken_from"] else SEALED
    return {**kept, "subject": "", "text": "", "held_because": [why]}


def _sender(fax: Fax, directory: Directory) -> Sender | None:
    """By the call's own number as the directory has it now, else by what was found on the page when it was decided."""
    proven = fax.caller if fax.caller_source not in TYPED else None
    if directory.of_caller(proven):
        return directory.sender_of(Facts(fax.line, fax.received_at, caller=fax.caller, tsi=fax.tsi))
    told = fax.sender_known
    ids = [fax.institution] if fax.institution else told.get("of", ())
    known = tuple(directory.ids[one] for one in ids if one in directory.ids)
    if not known or told.get("by") == "caller":
        return None
    return Sender(known, told["by"], "", told["confidence"])


def moment(at: datetime | None) -> str | None:
    """ISO 8601 with Tokyo's offset."""
    return at.astimezone(TOKYO).isoformat(timespec="seconds") if at else None
