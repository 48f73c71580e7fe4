"""Copies: what is carried to a department's sinks, what carrying answers, and when a failed try is repeated.

The inbox is the record and sinks carry copies: a dead sink never hides a fax. Every try carries the same parcel id, so
that a receiver drops what it has already; nothing can be carried exactly once over a wire, but it can count once.

    RoutingError
    ├── DeliveryError    a try failed; `again` says whether another one is worth it
    └── SinkMistake      the settings of a sink cannot be used
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from routing.errors import RoutingError

_TOKYO = "Asia/Tokyo"


@dataclass(frozen=True, slots=True)
class Patience:
    """How failed tries are repeated: after ``first``, doubling to ``longest``, given up after about ``whole``."""

    first: timedelta
    longest: timedelta
    whole: timedelta


COPY = Patience(timedelta(seconds=30), timedelta(hours=6), timedelta(days=3))
ALERT = Patience(timedelta(seconds=5), timedelta(minutes=5), timedelta(hours=12))
"""For messages that call a person: soon again, and not next week."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the fax as it came in, bit for bit."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A copy of one fax for one sink."""

    id: str
    """The same at every try; receivers drop repeats by it."""
    fax_id: str
    document_type: str | None
    """Taxonomy code."""
    type_name: str
    """What staff call it (``感染症発生届``); empty when nobody knows."""
    department: str
    sender: str | None
    """Caller (E.164) or what the machine calls itself; None when withheld."""
    received_at: datetime
    due_at: datetime | None
    urgent: bool
    pages: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Values found on the form as plain data: a text, or a mapping with ``value``."""
    reasons: tuple[str, ...] = ()
    original: bytes = field(default=b"", repr=False)
    """The mail that the machine sent (RFC 5322)."""
    documents: tuple[Document, ...] = ()
    pdf: bytes | None = field(default=None, repr=False)
    """A searchable PDF, when one has been made."""
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """A small message that calls a person to an urgent fax. Holds no personal data and nothing that a page says."""

    id: str
    """The same at every try; receivers drop repeats by it."""
    fax_id: str
    document_type: str | None
    type_name: str
    department: str
    """Its name, or empty while nobody knows."""
    line: str
    sender: str
    """The number that called, as people write it, or empty: what a machine calls itself may be a person's name."""
    received_at: datetime
    due_at: datetime | None
    step: int
    """1: just come; more: so many times nobody has opened it."""
    link: str
    """The address of its page."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receiver has it. ``text`` is what it said, or where it lies: for the person who looks for it later."""

    text: str


class DeliveryError(RoutingError):
    """A try failed. ``again``: later it may work; else a person has to change something first."""

    def __init__(self, sentence: str, *, again: bool, advice: str = "") -> None:
        super().__init__(sentence)
        self.again = again
        self.advice = advice or (
            "自動でもう一度試します。続くときは管理者に連絡してください。" if again else "管理者に連絡してください。"
        )


class SinkMistake(RoutingError):
    """The settings of a sink cannot be used."""

    advice = "config.toml の [[sink]] を直してから `faxless check` を実行してください。"


class Sink(Protocol):
    """A carrier of copies. Knows one receiver; may be asked to carry the same parcel any number of times."""

    @property
    def id(self) -> str:
        """The sink's name in the configuration."""

    def carry(self, parcel: Parcel) -> Receipt:
        """Hand the parcel over; raises :class:`DeliveryError`. When this returns, the receiver has it for good."""

    def tell(self, notice: Notice) -> Receipt:
        """Call a person; raises :class:`DeliveryError`."""


def next_try(attempts: int, patience: Patience = COPY) -> timedelta | None:
    """How long to wait after so many failed tries; None: given up. A copy: 30 s, doubling to 6 h, for three days."""
    waited = wait = timedelta(0)
    for attempt in range(max(1, attempts)):
        if waited >= patience.whole:
            return None
        wait = min(patience.first * 2 ** min(attempt, 20), patience.longest)
        waited += wait
    return wait


def stem(parcel_id: str) -> str:
    """The parcel's id as file names, Message-IDs and HTTP headers take it: letters, digits, ``-`` and ``_``.

    Different ids never share a stem: what had to be changed ends in a hash of what it was.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", parcel_id)[:80]
    if plain == parcel_id and plain:
        return plain
    return f"{plain}-{hashlib.sha256(parcel_id.encode()).hexdigest()[:16]}"


def as_plain(parcel: Parcel) -> dict[str, Any]:
    """The parcel without its bytes, ready for JSON: the same bytes at every try. Times carry Tokyo's offset."""
    return {
        "id": parcel.id,
        "fax_id": parcel.fax_id,
        "document_type": parcel.document_type,
        "type_name": parcel.type_name,
        "department": parcel.department,
        "sender": parcel.sender,
        "received_at": tokyo(parcel.received_at).isoformat(timespec="seconds"),
        "due_at": tokyo(parcel.due_at).isoformat(timespec="seconds") if parcel.due_at else None,
        "urgent": parcel.urgent,
        "pages": parcel.pages,
        "fields": dict(parcel.fields),
        "reasons": list(parcel.reasons),
        "text": parcel.text,
        "documents": [
            {
                "name": document.name,
                "media_type": document.media_type,
                "bytes": len(document.content),
                "sha256": hashlib.sha256(document.content).hexdigest(),
            }
            for document in parcel.documents
        ],
    }


def notice_as_plain(notice: Notice) -> dict[str, Any]:
    """The notice, ready for JSON: the same bytes at every try."""
    return {
        "id": notice.id,
        "fax_id": notice.fax_id,
        "document_type": notice.document_type,
        "type_name": notice.type_name,
        "department": notice.department,
        "line": notice.line,
        "sender": notice.sender or None,
        "received_at": tokyo(notice.received_at).isoformat(timespec="seconds"),
        "due_at": tokyo(notice.due_at).isoformat(timespec="seconds") if notice.due_at else None,
        "step": notice.step,
        "link": notice.link,
    }


def as_json(plain: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8; half a surrogate pair, which a broken mail can bring, becomes its escape (RFC 8259 section 7)."""
    return json.dumps(plain, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")


def attachments(parcel: Parcel) -> tuple[Document, ...]:
    """What a receiver gets as files, under names of our own: a machine's file names may hold anything.

    The documents as they came, the searchable PDF when there is one, and the mail itself when it held no document.
    """
    several = len(parcel.documents) > 1
    files = [
        Document(f"{parcel.fax_id}{f'-{n}' if several else ''}{_suffix(one.media_type)}", one.media_type, one.content)
        for n, one in enumerate(parcel.documents, 1)
    ]
    if parcel.pdf is not None:
        files.append(Document(f"{parcel.fax_id}-searchable.pdf", "application/pdf", parcel.pdf))
    if not files:
        files.append(Document(f"{parcel.fax_id}.eml", "message/rfc822", parcel.original))
    return tuple(files)


def _suffix(media_type: str) -> str:
    known = {"application/pdf": ".pdf", "image/tiff": ".tif", "image/png": ".png", "image/jpeg": ".jpg"}
    return known.get(media_type.partition(";")[0].strip().lower(), ".bin")


def tokyo(moment: datetime) -> datetime:
    """The moment as clocks in Tokyo show it."""
    return moment.astimezone(ZoneInfo(_TOKYO))
