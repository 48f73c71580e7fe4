"""The fax machines: when each last brought something, and what it told of itself. None of that is a fax."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.inbox import LOST
from gateway.web.guard import Person, TheDesk, Worker
from gateway.web.paper import paper
from routing.department import Line

router = APIRouter(include_in_schema=False)

SHOWN = 20
"""Mails of a machine that are listed; older ones stand in the inbox under 機器の通知."""


@router.get("/machines")
def machines(request: Request, desk: TheDesk, person: Worker) -> Response:
    """A machine a line, what needs a person on top of each list."""
    last = desk.store.ledger.last_of_lines()
    seen = [line for line in desk.config.organisation.lines if _is_theirs(person, line)]
    told = {line.id: desk.store.inbox.told_by_machine(line.id, person.departments, SHOWN) for line in seen}
    return paper(request, "machines.html", person=person, lines=seen, last=last, told=told, lost=LOST)


def _is_theirs(person: Person, line: Line) -> bool:
    return person.departments is None or line.department in person.departments
