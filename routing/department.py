"""The organisation as routing knows it: departments, fax lines, rules. Built from the configuration, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from routing.hours import OfficeHours


@dataclass(frozen=True, slots=True)
class Department:
    """One inbox."""

    id: str
    name: str
    kind: str = ""
    """A destination kind of the taxonomy (``保健所 感染症対策係``); several are parted by ``|``."""
    bureau: str = ""
    mail: str = ""
    hours: OfficeHours = field(default_factory=OfficeHours)
    """When somebody is there."""
    alert_after: timedelta = timedelta(minutes=15)
    """How long an urgent fax may lie unopened before others are called."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fax line: the address its machine forwards to."""

    id: str
    address: str
    """RFC 5321 mailbox that the machine puts in RCPT TO."""
    number: str = ""
    """The called number, E.164."""
    department: str = ""
    """Where a fax goes when nothing else speaks."""
    machine: str = ""
    urgent: bool = False
    """Its faxes are read before those of other lines."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule holds: every part that is set must hold. Texts are compared after folding (see facts.fold)."""

    caller: str = ""
    """Number, or its beginning followed by ``*``."""
    type: str = ""
    text: str = ""
    """Any of the phrases parted by ``|``."""
    barcode: str = ""
    """The code's text, or its beginning followed by ``*``."""
    line: str = ""
    tsi: str = ""
    institution: str = ""
    """Id or name of a sender in the directory."""
    sender_kind: str = ""
    """One of :data:`routing.directory.KINDS`."""
    proof: bool = False
    """Only where the call's own number says who it is; what the sender typed (TSI, the page) does not count."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An administrator's rule: when it holds, it decides. Rules are tried in the order of the file."""

    name: str
    when: Condition
    department: str = ""
    type: str = ""
    urgent: bool | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """All of it, looked up by id."""

    departments: tuple[Department, ...] = ()
    lines: tuple[Line, ...] = ()
    rules: tuple[Rule, ...] = ()
    hold_below: float = 0.80
    names: tuple[str, ...] = ()
    """How the body itself is addressed (みどり区, 東都): what names another one is not for us."""

    def department(self, id: str) -> Department | None:
        """The department with this id, or None."""
        return next((d for d in self.departments if d.id == id), None)

    def line(self, id: str) -> Line | None:
        """The line with this id, or None."""
        return next((line for line in self.lines if line.id == id), None)

    def of_kind(self, kind: str) -> Department | None:
        """The first department that serves this destination kind of the taxonomy, or None."""
        return next((d for d in self.departments if kind and kind in d.kind.split("|")), None)
