"""The directory of senders: who is known by which numbers, and what arrived that a person may confirm."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi import Query as Asked
from starlette.responses import RedirectResponse, Response

from gateway import directory
from gateway.web.guard import Counter, TheDesk
from gateway.web.inbox import LONGEST_SEARCH
from gateway.web.paper import paper, words
from gateway.web.trouble import Refused
from gateway.web.words import SAID
from routing.directory import KINDS
from routing.facts import Institution

router = APIRouter(include_in_schema=False)

PER_PAGE = 50
MOST_PROPOSED = 20
"""Proposals that one page asks about."""

Typed = Annotated[str, Form(max_length=400)]


@router.get("/directory")
def page(
    request: Request,
    desk: TheDesk,
    person: Counter,
    q: Annotated[str, Asked(max_length=LONGEST_SEARCH * 4)] = "",
    page: Annotated[int, Asked(ge=1, le=100_000)] = 1,
    said: str = "",
) -> Response:
    """The list, what is proposed and which numbers speak for several."""
    known, wanted = desk.store.institutions.directory(), q.strip()[:LONGEST_SEARCH]
    found = directory.find(known, wanted)
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    proposed = directory.proposals(desk.store, MOST_PROPOSED + 1)
    return paper(
        request,
        "directory.html",
        person=person,
        q=wanted,
        page=page,
        pages=max(1, -(-len(found) // PER_PAGE)),
        found=len(found),
        entries=directory.entries(desk.store, shown),
        proposals=proposed[:MOST_PROPOSED],
        more=len(proposed) > MOST_PROPOSED,
        ambiguous=known.ambiguous,
        kinds=KINDS,
        said=words(request)(*SAID[said]) if said in SAID else "",
    )


@router.get("/directory/{institution}")
def one(request: Request, desk: TheDesk, person: Counter, institution: str, said: str = "") -> Response:
    """One institution with its numbers and its faxes."""
    (entry,) = directory.entries(desk.store, [_known(desk, institution)])
    return paper(
        request,
        "institution.html",
        person=person,
        entry=entry,
        ambiguous=desk.store.institutions.directory().ambiguous,
        said=words(request)(*SAID[said]) if said in SAID else "",
    )


@router.post("/directory/confirm")
def confirm(
    desk: TheDesk,
    person: Counter,
    number: Typed = "",
    seen: Typed = "",
    name: Typed = "",
    kind: Typed = "",
    verdict: Typed = "",
) -> Response:
    """Say of a proposal that the number is the institution's, or that it is not."""
    if verdict not in ("yes", "no"):
        raise Refused(422, "「登録する」か「違う」を選んでください。", "Say whether the number belongs to it.")
    proposed = directory.proposed(desk.store, number, seen)
    if verdict == "no":
        directory.refuse(desk.store, proposed, person.name)
        return RedirectResponse("/directory?said=refused", 303)
    made = directory.confirm(desk.store, proposed, person.name, name, kind)
    return RedirectResponse(f"/directory/{made.id}?said=confirmed", 303)


@router.post("/directory/{institution}/forget")
def forget(desk: TheDesk, person: Counter, institution: str, number: Typed = "") -> Response:
    """Say that a number no longer speaks for an institution."""
    desk.store.institutions.forget_number(_known(desk, institution).id, number, person.name)
    return RedirectResponse(f"/directory/{institution}?said=forgotten", 303)


@router.post("/directory/{institution}/merge")
def merge(desk: TheDesk, person: Counter, institution: str, into: Typed = "") -> Response:
    """Make this institution and another one, which stays, one."""
    desk.store.institutions.merge(_known(desk, institution).id, into.strip(), person.name)
    return RedirectResponse(f"/directory/{into.strip()}?said=merged", 303)


def _known(desk: TheDesk, wanted: str) -> Institution:
    found = desk.store.institutions.directory().ids.get(wanted)
    if found is None:
        raise Refused(404, "この機関は台帳にありません。", "There is no such institution in the directory.")
    return found
