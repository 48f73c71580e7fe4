"""The journey of a fax, on one screen: open, read, decide.

Its first leg ends where the first page has told what it is: people are called to what is urgent, and the other pages of
all faxes wait until everybody's first page is read. Every step may run twice and has one effect; each writes only while
its run owns the fax. The engine that makes the steps durable is in :mod:`gateway.worker`; here is no engine, so the
journey can be walked without one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from gateway.alerts import Alerts
from gateway.config import Config
from gateway.message import MessageKind
from gateway.models import Fax, Page
from gateway.page_data import barcodes_of
from gateway.parts import Parts
from gateway.reader import MailToRead, Readers, Turn
from gateway.repeat import Repeats, said
from gateway.spool import Spool
from gateway.store import Decided, Opened, Store, Taken
from gateway.transmission import TYPED
from gateway.tti import read_tti, tti_of
from ocr.errors import ReadingError
from ocr.page import Reading
from routing import fold
from routing.decide import decide, decide_alone
from routing.directory import Directory, sighting_of
from routing.disease import Diseases
from routing.facts import Decision, Facts, Line, Mark, PageFacts, Share
from routing.model import Model
from routing.taxonomy import Taxonomy

T = TypeVar("T")

LATE = timedelta(days=5)
"""A machine tries for some days (RFC 5321 4.5.4.1: 4-5 days); a date older than that is a wrong clock."""
EARLY = timedelta(minutes=10)
"""A clock that is ahead by more is wrong."""

NO_FAX = {
    MessageKind.PART: "分割メールの一部です。残りが届くとひとつのFAXになります。",
    MessageKind.NOTICE: "機器からの通知で、FAXは添付されていません。",
    MessageKind.DEVICE_ERROR: "機器が受信エラーを知らせています。届かないFAXがあったかもしれません。",
    MessageKind.AUTO_REPLY: "自動応答のメールで、FAXではありません。",
    MessageKind.MDN: "開封通知のメールで、FAXではありません。",
    MessageKind.BOUNCE: "配送エラーの通知で、FAXではありません。",
    MessageKind.UNREADABLE: "FAXとして開ける添付がありません。原本を開いて確認してください。",
    MessageKind.NO_ATTACHMENT: "FAXが添付されていません。原本を開いて確認してください。",
}
"""Why a mail that is no fax waits in an inbox."""


COVERS = 3
"""Pages that are read at most before other faxes' first pages: a cover sheet tells nothing, nor does a blank page."""

Places = list[tuple[int, int]]
"""(document from 0, page from 1) of every page of a fax."""


class Glance(StrEnum):
    """What the first pages of a fax tell."""

    NOTHING = ""
    """A cover sheet, or nothing that could be read: the next page may."""
    ORDINARY = "ordinary"
    URGENT = "urgent"


class PutOff(Protocol):
    """Has the rest of a journey walked later, durably."""

    def __call__(self, fax_id: str, since: str, pages: Places, before: int, urgent: bool) -> None:
        """The words of :meth:`Pipeline.rest`."""


class Step(Protocol):
    """Runs a function once, durably: when the journey is taken up again, what it said is remembered."""

    def __call__(self, function: Callable[..., T], *words: Any) -> T:
        """What ``function(*words)`` says, or said."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the journey needs on its way."""

    config: Config
    store: Store
    spool: Spool
    readers: Readers
    taxonomy: Taxonomy
    diseases: Diseases
    learned: Callable[[], Model]
    """The model that decides now (gateway.learning)."""
    directory: Callable[[], Directory] | None = None
    """Who sends, where that is not what the store knows."""

    def journey(self, fax_id: str, step: Step, put_off: PutOff | None = None) -> None:
        """Walk a fax from its mail to its department; with ``put_off``, as far as its first pages tell.

        ``put_off`` has :meth:`rest` walk on later; without it nobody waits, and all is walked at once.
        """
        run = uuid.uuid4().hex
        self.store.begin(fax_id, run)
        pages = step(self.open, fax_id, run)
        for number, (document, page) in enumerate(pages, 1):
            step(self.read, fax_id, run, number, document, page)
            if put_off is None or number == len(pages):
                continue
            told = step(self.glance, fax_id, run)
            if told or number == COVERS:
                put_off(fax_id, run, pages, number, told == Glance.URGENT)
                return
        step(self.decide, fax_id, run)

    def rest(self, fax_id: str, since: str, pages: Places, before: int, urgent: bool, step: Step) -> None:
        """Walk on after the first leg (the run ``since``), which has read ``before`` of the pages."""
        run = f"{since}-{uuid.uuid4().hex}"
        self.store.go_on(fax_id, since, run)
        for number, (document, page) in enumerate(pages[before:], before + 1):
            step(self.read, fax_id, run, number, document, page, Turn.URGENT if urgent else Turn.LATER)
        step(self.decide, fax_id, run)

    def open(self, fax_id: str, run: str) -> Places:
        """Understand the mail and open its documents; gives (document from 0, page from 1) of every page."""
        fax = self._fax(fax_id)
        whole = self._parts.whole(fax, run)
        mail = whole.mail
        told = mail.message.transmission
        self.store.opened(
            fax_id,
            run,
            Opened(
                kind=str(mail.message.kind),
                counts=mail.message.counts,
                received_at=received_at(fax, told.sent_at),
                sender=mail.message.sender,
                subject=mail.message.subject,
                message_id=mail.message.message_id,
                caller=told.caller,
                caller_source=told.caller_source,
                tsi=told.tsi,
                pages=mail.pages,
                problems=mail.message.problems,
                held_because=(*whole.lacking, *(document.problem for document in mail.documents if document.problem)),
                enclosed=mail.enclosed,
                said=said(mail.message.body),
            ),
        )
        return [(index, page) for index, document in enumerate(mail.documents) for page in range(1, document.pages + 1)]

    def read(self, fax_id: str, run: str, number: int, document: int, page: int, turn: Turn = Turn.FIRST) -> None:
        """Read one page; a page that cannot be read says why and hides no other."""
        fax = self._fax(fax_id)
        before = self.store.read_before(fax)
        twin = next((known for known in before if known.number == number), None)
        if twin is not None:
            self.store.page_read(run, Page(**{**twin.model_dump(), "fax_id": fax_id}))
            return
        try:
            reading = self.readers.read(replace(self._mail(fax), turn=turn), document, page)
        except ReadingError as error:
            self.store.page_read(run, Page(fax_id=fax_id, number=number, problem=f"{error}{error.advice}"))
            return
        self.store.page_read(run, page_row(fax_id, number, reading, self.spool.put(reading.png)))

    def glance(self, fax_id: str, run: str) -> Glance:
        """What the pages read so far tell; people are called to an urgent fax before the rest of it is read."""
        decided = self.judge(self._fax(fax_id), self.store.pages(fax_id))
        if decided.urgent:
            self.store.glanced(fax_id, run, decided, self.alerts.call)
            return Glance.URGENT
        return Glance.NOTHING if decided.document_type in (None, "COVER_ONLY") else Glance.ORDINARY

    def decide(self, fax_id: str, run: str) -> None:
        """Say what it is, where it goes, and why; its copies are set going with that, and no inbox waits for them."""
        pages = self.store.pages(fax_id)
        fax = self._fax(fax_id)
        if fax.taken_from is None:
            Repeats(self.store, self.readers).look(fax, run, pages)
        fax = self._fax(fax_id)
        # Nobody would take what is shared of these, and it would lie in the spool without a name.
        decided = self.judge(fax, pages, share=not fax.sealed and not self.store.repeats_its_line(fax))
        self.store.decided(fax_id, run, decided, self.config.sinks_of, self.alerts.call)

    def stop_waiting(self, moment: datetime) -> list[str]:
        """Let no split mail wait any longer than configured for its missing parts; gives the faxes made of the rest.

        Called again and again by whoever runs journeys; cheap where nothing waits.
        """
        return self.store.stop_waiting(moment - self._wait)

    def judge(self, fax: Fax, pages: list[Page], *, share: bool = False) -> Decided:
        """The decision on a fax whose pages are read; a mail that is no fax is held for its line.

        With ``share``, what other departments get of it is put into the spool; else nothing is written.
        """
        if fax.kind != MessageKind.FAX:
            return self._no_fax(fax)
        facts = facts_of(fax, pages)
        facts = replace(
            facts, sender=(self.directory or self.store.institutions.directory)().sender_of(facts, self._own_numbers)
        )
        lists = (self.config.organisation, self.taxonomy, self.diseases, self.learned())
        if fax.taken_from is not None:
            return _decided(fax, pages, facts, decide_alone(facts, *lists, whole=False))
        decision = decide(facts, *lists)
        also = decision.also if share and not fax.held_because else ()  # what is incomplete may tell its pages wrongly
        shares = tuple(taken for part in also if (taken := self._taken(fax, pages, facts, part)) is not None)
        known = _of_sender(facts, self._own_numbers)
        return replace(_decided(fax, pages, facts, decision), also=shares, rule=decision.rule, **known)

    def _taken(self, fax: Fax, pages: list[Page], facts: Facts, share: Share) -> Taken | None:
        """What another department gets: the pictures of its own pages in a mail of their own, no byte of the others.

        Pictures, because a page of a PDF may carry what it does not show. None where a page has none.
        """
        chosen = [page for page in pages if share.first_page <= page.number <= share.last_page]
        if not all(page.png for page in chosen):
            return None
        mail = pictures_mail([self.spool.get(page.png) for page in chosen], f"{fax.id}-p{share.first_page}")
        decided = replace(_decided(fax, chosen, facts, share.decision), barcodes=())
        return Taken(share.first_page, share.last_page, self.spool.put(mail), len(mail), decided)

    def _no_fax(self, fax: Fax) -> Decided:
        line = self.config.organisation.line(fax.line)
        return Decided(
            held=True,
            department=(line.department or None) if line else None,
            document_type=None,
            confidence=None,
            urgent=False,
            due_at=None,
            masked=False,
            reasons=(),
            held_because=() if fax.joined_into else (NO_FAX[MessageKind(fax.kind)], *fax.held_because, *fax.problems),
            fields={},
            barcodes=(),
            documents=(),
            caller=fax.caller,
            caller_source=fax.caller_source,
            tsi=fax.tsi,
        )

    @property
    def alerts(self) -> Alerts:
        """Who is called to what is urgent."""
        return Alerts(self.config)

    @property
    def _wait(self) -> timedelta:
        return timedelta(minutes=self.config.smtp.parts_wait_minutes)

    @property
    def _own_numbers(self) -> frozenset[str]:
        return frozenset(line.number for line in self.config.organisation.lines if line.number)

    @property
    def _parts(self) -> Parts:
        return Parts(self.store, self.spool, self.readers, self._own_numbers, self._wait)

    def _mail(self, fax: Fax) -> MailToRead:
        return MailToRead(fax.content, fax.envelope_from, self._own_numbers)

    def _fax(self, fax_id: str) -> Fax:
        fax = self.store.fax(fax_id)
        if fax is None:
            raise LookupError(fax_id)
        return fax


def pictures_mail(pictures: Sequence[bytes], name: str) -> bytes:
    """PNG pictures in one mail, a page each; the same pictures give the same bytes."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = f"FAX {name}"
    mail.set_content("")
    for number, picture in enumerate(pictures, 1):
        mail.add_attachment(picture, maintype="image", subtype="png", filename=f"{name}-{number}.png")
    mail.set_boundary(f"=={name}==")
    return mail.as_bytes()


def received_at(fax: Fax, told: datetime | None) -> datetime:
    """When the call came in: as the machine says where its clock can be right, else when the door took it."""
    if told is None or not fax.accepted_at - LATE <= told <= fax.accepted_at + EARLY:
        return fax.received_at
    return told


def page_row(fax_id: str, number: int, reading: Reading, png: str) -> Page:
    """A page as it is kept."""
    page = reading.page
    tti = read_tti(page.words, page.width)
    return Page(
        fax_id=fax_id,
        number=number,
        width=page.width,
        height=page.height,
        png=png,
        text=page.text,
        folded=fold.fold(page.text),
        words=[[word.text, *word.box, round(word.confidence, 4)] for word in page.words],
        confidence=page.confidence,
        turned=page.turned,
        skew=page.skew,
        barcodes=[asdict(code) for code in page.barcodes],
        masked=[list(box) for box in page.masked],
        engine=page.engine,
        bits=page.bits,
        fingerprint=page.fingerprint,
        kind=page.kind,
        tti=tti.kept() if tti else {},
        marks=[asdict(mark) for mark in page.marks],
        tables=[asdict(table) for table in page.tables],
        stamps=[asdict(stamp) for stamp in page.stamps],
    )


def facts_of(fax: Fax, pages: list[Page]) -> Facts:
    """What routing is told: the mail's word on the caller comes before the printed line's."""
    tti = next((found for page in pages if (found := tti_of(page.tti))), None)
    return Facts(
        line=fax.line,
        received_at=fax.received_at,
        pages=tuple(_page_facts(page) for page in pages),
        caller=fax.caller or (tti.number if tti else None),
        caller_proven=bool(fax.caller) and fax.caller_source not in TYPED,
        tsi=fax.tsi or (tti.name if tti else None),
        barcodes=tuple(dict.fromkeys(code.value for page in pages for code in barcodes_of(page))),
    )


def _page_facts(page: Page) -> PageFacts:
    """A page's content: without the line that the sending machine printed on it."""
    tti = tti_of(page.tti)
    own = frozenset(page.tti.get("words", ()))
    return PageFacts(
        number=page.number,
        text=_without(page, own) if own else page.text,
        words=tuple(
            Line(text, (x0, y0, x1, y1), sure)
            for index, (text, x0, y0, x1, y1, sure) in enumerate(page.words)
            if index not in own
        ),
        width=page.width,
        height=page.height,
        readable=not page.problem,
        masked=tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in page.masked),
        printed=(tti.page, tti.of) if tti is not None and tti.page else None,
        marks=tuple(Mark(mark["text"], tuple(mark["box"]), mark["on"], mark["confidence"]) for mark in page.marks),
        kind=page.kind,
        skew=page.skew,
    )


def _without(page: Page, own: frozenset[int]) -> str:
    """The page's text without some of its words."""
    rest, at, cut = "", 0, 0
    for index, (word, *_) in enumerate(page.words):
        start = page.text.find(word, at)
        if start < 0:
            continue
        at = start + len(word)
        if index in own:
            rest, cut = rest + page.text[cut:start], at
    return "\n".join(line.strip() for line in (rest + page.text[cut:]).splitlines() if line.strip())


def _of_sender(facts: Facts, own: frozenset[str]) -> dict[str, Any]:
    """What is kept of who sent it, and what the directory may learn from it."""
    sender = facts.sender
    known = {
        "of": [one.id for one in sender.institutions], "by": sender.known_by, "confidence": sender.confidence
    } if sender else {}  # fmt: skip
    one = sender.one if sender else None
    return {"institution": one.id if one else None, "sender_known": known, "sighting": sighting_of(facts, own)}


def _decided(fax: Fax, pages: list[Page], facts: Facts, decision: Decision) -> Decided:
    unread = [f"{page.number}ページ目: {page.problem}" for page in pages if page.problem]
    blocking = [*fax.held_because, *unread]
    routing = decision.held_because if pages or not blocking else ()  # why there are no pages is said already
    return Decided(
        held=decision.held or bool(blocking),
        department=decision.department,
        document_type=decision.document_type,
        confidence=decision.confidence,
        urgent=decision.urgent,
        due_at=decision.due_at,
        masked=decision.masked,
        reasons=decision.reasons,
        held_because=tuple(dict.fromkeys([*blocking, *routing])),
        fields={
            name: {
                "value": found.value,
                "raw": found.raw,
                "page": found.page,
                "box": list(found.box),
                "confidence": found.confidence,
                **({"masked": True} if found.masked else {}),
                **({"note": found.note} if found.note else {}),
            }
            for name, found in decision.fields.items()
        },
        barcodes=facts.barcodes,
        documents=tuple(
            {"first_page": part.first_page, "last_page": part.last_page, "document_type": part.document_type}
            for part in decision.documents
        ),
        caller=facts.caller,
        caller_source=fax.caller_source or ("tti" if facts.caller else ""),
        tsi=facts.tsi,
        apart=decision.apart and not blocking,
    )
