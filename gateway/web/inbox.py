"""The department's inbox: what is new, what somebody works on, what a person must look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi import Query as Asked
from starlette.responses import Response

from gateway.desk import Desk
from gateway.inbox import Query
from gateway.models import now
from gateway.web.guard import Person, TheDesk, Worker
from gateway.web.paper import paper, words
from gateway.web.words import PLACES, SAID
from routing import number
from routing.fold import fold

router = APIRouter(include_in_schema=False)

NOWHERE = "-"
"""Stands in an address for the inbox of faxes that no department has yet."""
PER_PAGE = 50
LONGEST_SEARCH = 100
FORGOTTEN = timedelta(days=3)
"""Advertising that nobody has looked at for so long is told of in every tab."""


@dataclass(frozen=True, slots=True)
class View:
    """What a person has chosen to see; the same in every link of the inbox."""

    department: str = ""
    place: str = "new"
    q: str = ""
    cursor: str = ""

    def link(self, path: str = "/", **change: str) -> str:
        """An address that shows this view, with changes; a change of place begins at the first page."""
        chosen = {
            "place": self.place,
            "department": self.department,
            "q": self.q,
            "cursor": "" if change else self.cursor,
            **change,
        }
        given = {name: value for name, value in chosen.items() if value and (name, value) != ("place", "new")}
        return path + (f"?{urlencode(given)}" if given else "")

    def pairs(self) -> list[tuple[str, str]]:
        """For the hidden fields of a form."""
        return [("place", self.place), ("department", self.department), ("q", self.q), ("cursor", self.cursor)]


def view(
    person: Worker,
    place: str = "new",
    department: str = "",
    q: Annotated[str, Asked(max_length=LONGEST_SEARCH * 4)] = "",
    cursor: Annotated[str, Asked(max_length=400)] = "",
) -> View:
    """The view of an address; what the person may not see becomes what they may."""
    return settle(person, View(department, place, q, cursor))


TheView = Annotated[View, Depends(view)]


def settle(person: Person, wanted: View) -> View:
    """The view with places that exist and departments that the person has."""
    place = wanted.place if wanted.place in PLACES else "new"
    allowed = person.departments is None or wanted.department in person.departments
    department = wanted.department if allowed else ""
    return View(department, place, wanted.q.strip()[:LONGEST_SEARCH], wanted.cursor)


def query_of(person: Person, view: View) -> Query:
    """The view as the store understands it."""
    called = number.parse(view.q)
    return Query(
        departments=person.departments,
        department=None if view.department == NOWHERE else view.department or None,
        nowhere=view.department == NOWHERE,
        # A search looks everywhere but among the machines' notices, unless it is begun there.
        place=view.place if not view.q or view.place == "notices" else None,
        notices=False if view.q and view.place != "notices" else None,
        text=fold(view.q) or None,
        number=called.e164 if called else None,
        cursor=view.cursor or None,
        limit=PER_PAGE,
        urgent_first=not view.q and view.place in ("new", "claimed", "held"),
    )


def contents(desk: Desk, person: Person, view: View) -> dict[str, Any]:
    """What the list shows."""
    faxes, following = desk.store.inbox.find(query_of(person, view))
    everything = desk.store.inbox.tally(person.departments)
    shown = everything
    if view.department == NOWHERE:
        shown = desk.store.inbox.tally(None, nowhere=True)
    elif view.department:
        shown = desk.store.inbox.tally((view.department,))
    known = desk.config.organisation.departments
    return {
        "person": person,
        "view": view,
        "faxes": faxes,
        "senders": desk.senders(faxes),
        "following": following,
        "tally": shown,
        "waiting": everything.by_department,
        "departments": [d for d in known if person.departments is None or d.id in person.departments],
        "nowhere": NOWHERE,
        "places": tuple(PLACES),
        "overlooked": _overlooked(desk, person, view),
        "forgotten": desk.store.inbox.overlooked_apart(person.departments, now() - FORGOTTEN),
        "lost": desk.store.inbox.lost(person.departments),
        "alerts": desk.store.calls.alerts([fax.id for fax in faxes]),
        "silent": desk.silent_sinks(),
        "newest": desk.store.inbox.last_event(),
    }


def _overlooked(desk: Desk, person: Person, view: View) -> bool:
    """Whether something urgent waits to be checked, which the tab in view does not show."""
    if view.place == "held" or view.q:
        return False
    held = replace(query_of(person, view), place="held", cursor=None, limit=1, urgent_first=True)
    first, _ = desk.store.inbox.find(held)
    return any(fax.urgent for fax in first)


@router.get("/")
def inbox(request: Request, desk: TheDesk, person: Worker, view: TheView, said: str = "") -> Response:
    """The page."""
    sentence = words(request)(*SAID[said]) if said in SAID else ""
    return paper(request, "inbox.html", said=sentence, **contents(desk, person, view))


@router.get("/list")
def listed(request: Request, desk: TheDesk, person: Worker, view: TheView) -> Response:
    """The list alone, for a page that knows of a change."""
    return paper(request, "list.html", said="", **contents(desk, person, view))
