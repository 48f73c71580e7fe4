"""The tables. Bytes are in the spool, facts are here; the row of a fax is its place in the inbox.

Times are UTC in the database and aware everywhere else. ``month`` is the month of reception in Asia/Tokyo.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, Column, DateTime, Dialect, Index, Text, TypeDecorator, text
from sqlmodel import Field, SQLModel

TOKYO = ZoneInfo("Asia/Tokyo")
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # no i l o u: read aloud over the telephone


class Utc(TypeDecorator[datetime]):
    """An aware datetime, kept as UTC without offset so that both databases order it alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else value.replace(tzinfo=UTC)


class State(StrEnum):
    """Where a fax is on its way."""

    RECEIVED = "received"
    READING = "reading"
    ROUTED = "routed"
    HELD = "held"
    FAILED = "failed"


class Work(StrEnum):
    """What the department has done with it."""

    NEW = "new"
    CLAIMED = "claimed"
    DONE = "done"


class Fax(SQLModel, table=True):
    """One fax of one line (a mail for two lines is two), or a notice that a machine sent instead of one."""

    __table_args__ = (
        # The first of equal mails is the fax; the database itself refuses a second first one.
        Index("fax_first", "sha256", unique=True, sqlite_where=text("duplicate_of IS NULL"),
              postgresql_where=text("duplicate_of IS NULL")),
        Index("fax_inbox", "department", "work", "accepted_at"),
        Index("fax_newest", "accepted_at", "id"),
        Index("fax_of_line", "line", "accepted_at"),
        # The door writes rows without these, so that they cost it nothing.
        Index("fax_enclosed", "enclosed", sqlite_where=text("enclosed IS NOT NULL"),
              postgresql_where=text("enclosed IS NOT NULL")),
        Index("fax_pictures", "pictures", sqlite_where=text("pictures IS NOT NULL"),
              postgresql_where=text("pictures IS NOT NULL")),
        Index("fax_joined", "joined_into", sqlite_where=text("joined_into IS NOT NULL"),
              postgresql_where=text("joined_into IS NOT NULL")),
        Index("fax_sealed", "sealed", sqlite_where=text("sealed IS NOT NULL"),
              postgresql_where=text("sealed IS NOT NULL")),
        Index("fax_institution", "institution", sqlite_where=text("institution IS NOT NULL"),
              postgresql_where=text("institution IS NOT NULL")),
        Index("fax_taken", "taken_from", sqlite_where=text("taken_from IS NOT NULL"),
              postgresql_where=text("taken_from IS NOT NULL")),
        Index("fax_apart", "accepted_at", "id", sqlite_where=text("apart_since IS NOT NULL"),
              postgresql_where=text("apart_since IS NOT NULL")),
        Index("fax_notice", "kind", "accepted_at", sqlite_where=text("kind <> 'fax'"),
              postgresql_where=text("kind <> 'fax'")),
        Index("fax_whole", "content", sqlite_where=text("content <> sha256"),
              postgresql_where=text("content <> sha256")),
    )  # fmt: skip

    id: str = Field(primary_key=True)
    sha256: str = Field(index=True)
    """The mail as it was answered 250."""
    content: str = ""
    """The mail to read: itself, or the whole that its parts were joined to (derived bytes)."""
    bytes: int
    accepted_at: datetime = Field(sa_type=Utc)
    """When the door said 250."""
    received_at: datetime = Field(sa_type=Utc)
    """When the fax call came in, as the machine says where that is plausible, else ``accepted_at``."""
    month: str = Field(index=True)
    line: str
    envelope_from: str = ""
    client: str = ""
    kind: str = "fax"
    """gateway.message.MessageKind."""
    counts: bool = True
    duplicate_of: str | None = Field(default=None, index=True)
    state: str = Field(default=State.RECEIVED, index=True)
    work: str = Work.NEW
    work_by: str | None = None
    work_at: datetime | None = Field(default=None, sa_type=Utc)
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    caller: str | None = Field(default=None, index=True)
    caller_source: str = ""
    tsi: str | None = None
    pages: int = 0
    problems: list[str] = Field(default_factory=list, sa_type=JSON)
    """What opening it found wrong, sentences for staff."""
    document_type: str | None = Field(default=None, index=True)
    confidence: float | None = None
    department: str | None = Field(default=None, index=True)
    urgent: bool = False
    due_at: datetime | None = Field(default=None, sa_type=Utc)
    masked: bool = False
    reasons: list[str] = Field(default_factory=list, sa_type=JSON)
    held_because: list[str] = Field(default_factory=list, sa_type=JSON)
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    barcodes: list[str] = Field(default_factory=list, sa_type=JSON)
    documents: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    unopened: list[str] = Field(default_factory=list, sa_type=JSON)
    """Why a part of the mail could not be opened: what held it before anything was decided."""
    institution: str | None = None
    """Its sender in the directory, when that is one."""
    sender_known: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """``of`` (ids of institutions), ``by`` (what told), ``confidence``; empty when nobody is known."""
    corrected_by: str | None = None
    exempt: str | None = None
    joined_into: str | None = None
    """The fax that this part of a split mail (message/partial) became part of."""
    taken_from: str | None = None
    """The fax of which this is a document for another department, with pages of its own; no arrival of its own."""
    enclosed: str | None = None
    """SHA-256 over the documents of the mail as they were attached; None while nobody has opened it."""
    said: str | None = None
    """SHA-256 of the text of the mail, in which a machine may tell the call's time or its number."""
    pictures: str | None = None
    """SHA-256 over the bits of all its pages; None while not all of them are read."""
    sealed: str | None = None
    """The fax in whose case this one lies closed (gateway.case); None: open to its department."""
    destroyed_at: datetime | None = Field(default=None, sa_type=Utc)
    """When everything that it said was destroyed; the row stays, because the fax came."""
    apart_since: datetime | None = Field(default=None, sa_type=Utc)
    """Surely advertising: since when it is kept apart from the inbox; None: it is not."""
    attempt: int = 0
    """How often the journey was begun."""
    run: str = ""
    """The run that may write; an older run finds its writes refused."""
    updated_at: datetime = Field(sa_type=Utc)


class Page(SQLModel, table=True):
    """One page read. Can be made again from the mail."""

    __table_args__ = (Index("page_picture", "png"),)

    fax_id: str = Field(primary_key=True, foreign_key="fax.id")
    number: int = Field(primary_key=True)
    width: int = 0
    height: int = 0
    png: str = ""
    """sha256 of the picture in the spool; empty when there is none."""
    text: str = Field(default="", sa_column=Column(Text, nullable=False))
    folded: str = Field(default="", sa_column=Column(Text, nullable=False))
    """The text folded for search (routing.fold)."""
    words: list[Any] = Field(default_factory=list, sa_type=JSON)
    """``[text, x0, y0, x1, y1, confidence]`` in reading order."""
    confidence: float = 0.0
    turned: int = 0
    skew: float = 0.0
    barcodes: list[Any] = Field(default_factory=list, sa_type=JSON)
    """As ocr.page.Barcode names their parts; the values alone where a page was read by an older version."""
    masked: list[Any] = Field(default_factory=list, sa_type=JSON)
    """Boxes of blacked-out places."""
    engine: str = ""
    bits: str = ""
    """SHA-256 of the picture as it was scanned (ocr.fingerprint.bits)."""
    fingerprint: str = ""
    """Where it has how much ink (ocr.fingerprint); empty for a blank page."""
    kind: str = "content"
    """``content``, ``cover``, ``separator`` or ``blank`` (ocr.page.PageKind)."""
    tti: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """The sending machine's own line (gateway.tti): what it says and which words it is; empty where there is none."""
    marks: list[Any] = Field(default_factory=list, sa_type=JSON)
    """Check boxes and circled options, as ocr.page.Mark names their parts; so also tables and stamps."""
    tables: list[Any] = Field(default_factory=list, sa_type=JSON)
    stamps: list[Any] = Field(default_factory=list, sa_type=JSON)
    problem: str = ""
    """Why it could not be read; empty when it could."""


class Event(SQLModel, table=True):
    """What happened, in order; never changed, never deleted. Holds no content of a fax."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Utc)
    fax_id: str | None = Field(default=None, index=True)
    who: str
    """A user's name, or the part of the gateway."""
    action: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Chained(SQLModel, table=True):
    """An event in the chain that makes a later change of it visible (gateway.audit); never changed, never deleted."""

    __tablename__ = "chain"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """1, 2, 3 … without a gap: two who write the same place cannot both."""
    event_id: int = Field(unique=True)
    hash: str
    """SHA-256 over the hash before and all that the event says."""
    top: int
    """The largest event_id in the chain so far."""
    at: datetime = Field(sa_type=Utc, index=True)
    """When it was chained."""


class Delivery(SQLModel, table=True):
    """A copy, or the message of an alert, on its way to a sink."""

    # What waits is little beside what was delivered, and every inbox asks for it.
    __table_args__ = (Index("delivery_state", "state", "sink", "updated_at"),)

    id: str = Field(primary_key=True)
    """``<fax>-<sink>``, of an alert ``<fax>-alert<step>-<sink>``: the same for every try, so that a receiver can drop a
    repeat."""
    fax_id: str = Field(index=True, foreign_key="fax.id")
    sink: str
    step: int = 0
    """0: a copy of the fax; else the step of the alert that this message belongs to."""
    state: str = "pending"
    attempts: int = 0
    next_attempt: datetime | None = Field(default=None, sa_type=Utc)
    error: str | None = None
    receipt: str | None = None
    updated_at: datetime = Field(sa_type=Utc)


class Alert(SQLModel, table=True):
    """An urgent fax that somebody is told of at once, and others when nobody has opened it. One row a fax."""

    fax_id: str = Field(primary_key=True, foreign_key="fax.id")
    department: str | None = None
    """Who was told; a fax that goes to another department is told there anew."""
    raised_at: datetime = Field(sa_type=Utc)
    step: int = 1
    stepped_at: datetime = Field(sa_type=Utc)
    """When the present step was taken."""
    next_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
    """When the next step is due; None when somebody has opened it, or no step is left."""
    opened_at: datetime | None = Field(default=None, sa_type=Utc)
    opened_by: str | None = None
    """The first person who looked at its page or took it."""


class Job(SQLModel, table=True):
    """Work that somebody wants done, written with what it is about, until a worker has it in its queue."""

    id: int | None = Field(default=None, primary_key=True)
    fax_id: str = Field(index=True)
    work: str
    """``journey``: open, read and decide; ``carry``: deliver the waiting copies; ``alert``: the waiting messages."""


class Standing(StrEnum):
    """What has become of a part of a split mail."""

    WAITING = "waiting"
    """For the others."""
    SHORT = "short"
    """It is the fax, made of the parts that are here; some are missing."""
    WHOLE = "whole"
    """It is the fax, made of all of them."""
    JOINED = "joined"
    """It belongs to the fax that ``joined_into`` names."""
    APART = "apart"
    """A person has said that it is a fax of its own."""


class Part(SQLModel, table=True):
    """A part of a split mail (RFC 2046 5.2.2, message/partial), or one of the mails that a machine split a fax into."""

    fax_id: str = Field(primary_key=True, foreign_key="fax.id")
    partial_id: str = Field(index=True)
    """The id of message/partial, or what the subjects of the mails have in common; never trusted alone."""
    number: int
    total: int | None = None
    style: str = "partial"
    """``partial`` (message/partial) or ``counter`` (whole mails with ``[1/3]`` in the subject)."""
    sender: str = ""
    """The mail's From: two machines may use the same id."""
    caller: str | None = None
    told_at: datetime | None = Field(default=None, sa_type=Utc)
    """When the fax came in, as the mail tells."""
    enclosed: str = ""
    """SHA-256 over the documents of this mail alone, where it has some."""
    standing: str = Field(default=Standing.WAITING, index=True)


class Likeness(SQLModel, table=True):
    """Two faxes that may be the same one, and what a person said of it."""

    fax_id: str = Field(primary_key=True, foreign_key="fax.id")
    """The smaller of the two ids."""
    other_id: str = Field(primary_key=True, foreign_key="fax.id", index=True)
    score: float = 0.0
    """The share of the writing that stands on both, 0 to 1."""
    verdict: str = ""
    """Empty: proposed. ``same``, ``different``: said by ``who``."""
    who: str = "gateway"
    at: datetime = Field(sa_type=Utc)


class Case(SQLModel, table=True):
    """A misdirected fax, closed to everybody who does not give a reason. Who did what stands in the events."""

    __tablename__ = "sealed_case"  # `case` is a word of SQL

    fax_id: str = Field(primary_key=True, foreign_key="fax.id")
    since: datetime = Field(sa_type=Utc)
    by: str
    """A person, or ``journey``."""
    called_at: datetime | None = Field(default=None, sa_type=Utc)
    """The sender was called back."""
    settled_at: datetime | None = Field(default=None, sa_type=Utc)
    outcome: str = ""
    """``returned`` to its sender, ``kept`` sealed as agreed, ``destroyed`` here, ``ours`` after all; empty: open."""
    leaked_at: datetime | None = Field(default=None, sa_type=Utc)
    """When it was known that our own side had passed it on; None where it did not."""
    reported_at: datetime | None = Field(default=None, sa_type=Utc)
    confirmed_at: datetime | None = Field(default=None, sa_type=Utc)
    """The first and the final report on that."""
    closed_at: datetime | None = Field(default=None, sa_type=Utc, index=True)


class Doomed(SQLModel, table=True):
    """Bytes of a destroyed fax that have to leave the spool, and what has become of them."""

    digest: str = Field(primary_key=True)
    fax_id: str = Field(primary_key=True, foreign_key="fax.id")
    """The fax in whose case it lay."""
    since: datetime = Field(sa_type=Utc)
    fate: str = Field(default="", index=True)
    """Empty: still there. ``gone``; ``needed``: another fax has the same bytes, and they stay for that one."""


class User(SQLModel, table=True):
    """Somebody who may sign in. ``departments`` holds ids, or ``*`` for all."""

    __tablename__ = "account"  # `user` is a word of SQL

    name: str = Field(primary_key=True)
    password_hash: str
    role: str = "clerk"
    """clerk, manager (sees the numbers of all) or admin."""
    departments: list[str] = Field(default_factory=list, sa_type=JSON)
    must_change: bool = True
    disabled: bool = False
    created_at: datetime = Field(sa_type=Utc)


class SignIn(SQLModel, table=True):
    """A browser that is signed in, or an API token. Only the hash of the secret is kept."""

    __tablename__ = "sign_in"

    secret_hash: str = Field(primary_key=True)
    user: str = Field(index=True)
    label: str = ""
    """Empty for a browser; an API token's name."""
    created_at: datetime = Field(sa_type=Utc)
    seen_at: datetime = Field(sa_type=Utc)


class FailedSignIn(SQLModel, table=True):
    """A wrong password, kept for a while to slow guessing."""

    __tablename__ = "failed_sign_in"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    at: datetime = Field(sa_type=Utc)


class Baseline(SQLModel, table=True):
    """The base year's count of one month."""

    month: str = Field(primary_key=True)
    bureau: str = Field(primary_key=True)
    department: str = Field(primary_key=True)
    direction: str = Field(primary_key=True)
    count: int
    extra: dict[str, str] = Field(default_factory=dict, sa_type=JSON)


class RegisterEntry(SQLModel, table=True):
    """One fax that never passed the gateway (使用簿)."""

    __tablename__ = "register_entry"

    key: str = Field(primary_key=True)
    """Hash of the row and of how many equal rows stood before it: importing twice is the same as once."""
    date: str
    month: str = Field(index=True)
    bureau: str = ""
    department: str = ""
    machine: str = ""
    direction: str
    counterpart: str = ""
    number: str = ""
    purpose: str = ""
    pages: int = 0
    reason: str = ""


class LearnedModel(SQLModel, table=True):
    """A model that learned from people's corrections and took over (gateway.learning); its bytes are in the spool."""

    __tablename__ = "model"
    __table_args__ = (Index("model_in_use", "in_use", unique=True, sqlite_where=text("in_use"),
                            postgresql_where=text("in_use")),)  # fmt: skip

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(index=True)
    at: datetime = Field(sa_type=Utc)
    who: str
    card: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """What it learned from, and its figures."""
    before: int | None = None
    """The model that it took over from; None: the one that ships."""
    in_use: bool = False
    """One row at the most; none: the model that ships."""


class Institution(SQLModel, table=True):
    """Somebody who sends faxes, imported or confirmed by a person; never learned unasked."""

    id: str = Field(primary_key=True)
    name: str
    kind: str = ""
    """One of routing.directory.KINDS, or empty."""
    bureau: str = ""
    department: str = ""
    names: list[str] = Field(default_factory=list, sa_type=JSON)
    tsis: list[str] = Field(default_factory=list, sa_type=JSON)
    changed: int = 0
    """The event of its last change: a directory with a higher one is a newer directory."""


class InstitutionNumber(SQLModel, table=True):
    """A number that speaks for an institution; one that speaks for two is ambiguous."""

    __tablename__ = "institution_number"

    number: str = Field(primary_key=True)
    """E.164."""
    institution_id: str = Field(primary_key=True, foreign_key="institution.id", index=True)
    who: str
    """Who said so."""
    at: datetime = Field(sa_type=Utc)


class Sighting(SQLModel, table=True):
    """A caller's number and the institution's name on the page of one fax: what the directory may learn from."""

    __table_args__ = (Index("sighting_of", "number", "name"),)

    fax_id: str = Field(primary_key=True, foreign_key="fax.id")
    number: str
    name: str
    tsi: str = ""
    refused_by: str | None = None
    """Who said that this name does not belong to this number."""


class Executor(SQLModel, table=True):
    """A process that runs journeys; one that falls silent is taken over."""

    id: str = Field(primary_key=True)
    beat_at: datetime = Field(sa_type=Utc)


def now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)


def month_of(moment: datetime) -> str:
    """The month of reception, in Tokyo's time: ``2026-11``."""
    return moment.astimezone(TOKYO).strftime("%Y-%m")


def new_fax_id(moment: datetime) -> str:
    """A name that can be read aloud: Tokyo's date and eight characters (40 random bits)."""
    return f"{moment.astimezone(TOKYO):%Y%m%d}-" + "".join(secrets.choice(ALPHABET) for _ in range(8))
