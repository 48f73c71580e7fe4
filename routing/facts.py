"""What routing is told of a fax, and what it answers. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One printed or written line of a page with its place."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a form that a pen can choose: a check box, or a printed option that may have a circle round it."""

    text: str
    """The words of the option, as read."""
    box: Box
    on: bool
    """Ticked, filled or circled."""
    confidence: float
    """0 to 1: how sure ``on`` is."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """One page as text, without the sending machine's own line where that was known; comparisons fold it."""

    number: int
    text: str
    words: tuple[Line, ...] = ()
    width: int = 0
    height: int = 0
    readable: bool = True
    """False when the page could not be read at all."""
    masked: tuple[Box, ...] = ()
    """Blacked-out places."""
    printed: tuple[int, int | None] | None = None
    """Page n of m by the sending machine's line, where the caller has read it; m None where only n stands there."""
    marks: tuple[Mark, ...] = ()
    """Check boxes and circled options."""
    kind: str = "content"
    """``content``, ``cover``, ``separator`` or ``blank``, by the look of the page."""
    skew: float = 0.0
    """Degrees by which the lines climb (positive) or fall."""


@dataclass(frozen=True, slots=True)
class Institution:
    """Somebody who sends faxes, as the directory knows them."""

    id: str
    name: str
    kind: str = ""
    """One of :data:`routing.directory.KINDS`; empty when nobody has said."""
    bureau: str = ""
    """Their own, where a public body or a company has several."""
    department: str = ""
    names: tuple[str, ...] = ()
    """Other ways in which the name is printed."""
    tsis: tuple[str, ...] = ()
    """What their machines call themselves."""
    numbers: tuple[str, ...] = ()
    """E.164: fax and telephone."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a fax, as far as the directory knows."""

    institutions: tuple[Institution, ...]
    """One; or all of those for whom the number or the name speaks."""
    known_by: str
    """``caller``, ``tsi``, ``letterhead`` (a number on the page) or ``name``."""
    seen: str
    """The number or the words that told."""
    confidence: float
    """0 to 1."""

    @property
    def one(self) -> Institution | None:
        """The institution, unless what told speaks for several."""
        return self.institutions[0] if len(self.institutions) == 1 else None

    @property
    def proven(self) -> bool:
        """Whether the call's own number says so; everything else was written by the sender."""
        return self.known_by == "caller"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision may rest on."""

    line: str
    received_at: datetime
    pages: tuple[PageFacts, ...] = ()
    caller: str | None = None
    """E.164."""
    tsi: str | None = None
    barcodes: tuple[str, ...] = ()
    caller_proven: bool = True
    """False when the caller's number is what the sending machine was told to say, not the call's own."""
    sender: Sender | None = None
    """Who that is in the directory."""

    @property
    def text(self) -> str:
        """All pages' text, a form feed between pages."""
        return "\f".join(page.text for page in self.pages)


@dataclass(frozen=True, slots=True)
class Witness:
    """Why a class was thought of: the words that told, and where they stand."""

    phrase: str
    page: int
    where: str
    """``title``, ``body`` or ``rule``."""
    weight: float


@dataclass(frozen=True, slots=True)
class Said:
    """What one witness, asked alone, takes a document for."""

    document_type: str
    """Taxonomy code; ``NOTIFICATION`` for one of the three 発生届, ``OTHER`` for nothing known."""
    share: float


@dataclass(frozen=True, slots=True)
class Part:
    """A document inside the fax: pages first_page to last_page."""

    first_page: int
    last_page: int
    document_type: str | None


@dataclass(frozen=True, slots=True)
class Classification:
    """What a fax is thought to be."""

    document_type: str | None
    """Taxonomy code; None when nothing told."""
    confidence: float
    witnesses: tuple[Witness, ...] = ()
    runner_up: str | None = None
    runner_up_confidence: float = 0.0
    parts: tuple[Part, ...] = ()
    """The documents of the fax in page order, each with its own class; every page is in one of them."""
    untitled: tuple[Part, ...] = ()
    """Those that begin with nothing but a page number 1, and of which nobody can say what they are."""
    disease: str | None = None
    """Name in the list of notifiable diseases, when a notification names one."""
    by_phrases: Said | None = None
    by_model: Said | None = None
    """Both witnesses alone; None where the model was not asked."""
    classes: tuple[tuple[str, float], ...] = ()
    """The likeliest classes with their shares, as many as make 95 %."""
    maybe: Said | None = None
    """A critical class that cannot be ruled out in a fax that is taken for something else."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value found on a form."""

    value: str
    """Empty when it is blacked out."""
    raw: str
    page: int
    box: Box
    confidence: float
    masked: bool = False
    """Whether its place on the form is blacked out: there, but not to be read."""
    note: str | None = None
    """What is odd about it, for staff, in Japanese."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a fax goes and why. ``held`` when a person must look."""

    held: bool
    department: str | None
    document_type: str | None
    confidence: float | None
    urgent: bool
    reasons: tuple[str, ...]
    """Sentences for staff, Japanese."""
    held_because: tuple[str, ...] = ()
    due_at: datetime | None = None
    masked: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    documents: tuple[Part, ...] = ()
    rule: str | None = None
    also: tuple[Share, ...] = ()
    """What other departments must have of it: nothing but these pages."""
    apart: bool = False
    """Surely advertising and nothing else: out of the inbox, into a list of its own that a person looks through."""


@dataclass(frozen=True, slots=True)
class Share:
    """A document inside a fax that another department must have."""

    first_page: int
    last_page: int
    decision: Decision
    """On these pages alone, counted from 1; never held."""
