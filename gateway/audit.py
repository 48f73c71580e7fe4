"""Nobody changes what happened unnoticed: every event is chained to the one before it by a hash.

The door and the desks write events without waiting for this; a worker chains them some seconds later, in the order of
their commits. Whoever changes, removes, inserts or swaps rows afterwards breaks the chain at that place. Whoever can
write the whole database could make the whole chain anew: against that the head (number and hash) is kept elsewhere, on
paper or in another system, and held against the chain later.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.database import PER_QUERY
from gateway.errors import UsageError
from gateway.models import Event
from gateway.progress import Watch
from gateway.store import Store


@dataclass(frozen=True, slots=True)
class Head:
    """A place in the chain by which everything before it is known."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Break:
    """A place at which the chain does not hold."""

    what: str
    """``changed``, ``deleted``, ``inserted`` (events); ``unchained`` (a place is gone); ``head`` (not in the chain)."""
    number: int | None = None
    event_id: int | None = None
    fax_id: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the chain."""

    events: int
    """Chained."""
    waiting: int
    """Written lately and not chained yet: of these nothing can be said."""
    waits_since: datetime | None
    head: Head | None
    broken: int
    first: Break | None
    """The first broken place."""

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        first = self.first and {
            "what": self.first.what,
            "number": self.first.number,
            "event": self.first.event_id,
            "fax": self.first.fax_id,
            "at": self.first.at.isoformat() if self.first.at else None,
        }
        return {
            "ok": self.first is None,
            "events": self.events,
            "waiting": self.waiting,
            "waits_since": self.waits_since.isoformat() if self.waits_since else None,
            "head": str(self.head) if self.head else None,
            "broken": self.broken,
            "first_broken": first,
        }


def head_of(text: str) -> Head:
    """A head as it was printed: ``1234:ab12…``."""
    found = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", text.strip().lower())
    if found is None:
        raise UsageError("先頭は「番号:ハッシュ」の形で書いてください (not a head: write number:hash)")
    return Head(int(found[1]), found[2])


def link(before: str, event: Event) -> str:
    """The hash of an event that follows ``before``: SHA-256 over that and all that the event says, as JSON."""
    said = [event.id, event.at.astimezone(UTC).isoformat(timespec="microseconds"), event.fax_id]
    told = json.dumps([before, *said, event.who, event.action, event.detail], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode("ascii")).hexdigest()


def chain(store: Store, moment: datetime | None = None) -> bool:
    """Chain some of the events that wait; gives whether more may wait. Several workers may do it at once."""
    return store.chain.add(link, moment) == PER_QUERY


def verify(store: Store, watch: Watch, known: Head | None = None, moment: datetime | None = None) -> Verdict:
    """Walk the whole chain. ``known`` is a head that was kept elsewhere and must stand in it. Changes nothing."""
    breaks: list[Break] = []
    head, met = Head(0, ""), known is None
    length = store.chain.length()
    with watch(length, "event") as bar:
        for place, event in store.chain.places():
            bar.update(1)
            of = (place.number, place.event_id)
            if place.number != head.number + 1:
                breaks.append(Break("unchained", head.number + 1))
            elif event is None:
                breaks.append(Break("deleted", *of))
            elif link(head.hash, event) != place.hash:
                breaks.append(Break("changed", *of, event.fax_id, event.at))
            head = Head(place.number, place.hash)
            met = met or head == known
    waiting, strange = store.chain.outside(moment)
    breaks += [Break("inserted", None, event.id, event.fax_id, event.at) for event in strange]
    breaks += [] if met or known is None else [Break("head", known.number)]
    return Verdict(
        events=length,
        waiting=len(waiting),
        waits_since=min((event.at for event in waiting), default=None),
        head=head if head.number else None,
        broken=len(breaks),
        first=breaks[0] if breaks else None,
    )
