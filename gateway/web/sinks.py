"""The receivers of copies and calls: which of them have taken nothing, since when, why, and how much waits."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from gateway.models import now
from gateway.web.guard import Counter, TheDesk, Worker
from gateway.web.paper import paper, words
from gateway.web.words import SAID

router = APIRouter(include_in_schema=False)


@router.get("/sinks")
def page(request: Request, desk: TheDesk, person: Worker, said: str = "") -> Response:
    """All receivers: those of the configuration, and those that are gone but have something left."""
    states = {sink.id: sink for sink in desk.store.copies.sinks()}
    known = [*desk.config.sinks, *desk.config.alerts]
    gone = [sink for sink in states.values() if desk.config.receiver(sink.id) is None and (sink.waiting or sink.failed)]
    return paper(
        request,
        "sinks.html",
        person=person,
        sinks=[(table, states.get(table.id)) for table in known],
        gone=gone,
        moment=now(),
        said=words(request)(*SAID[said]) if said in SAID else "",
    )


@router.post("/sinks")
def resend(desk: TheDesk, person: Counter, sink: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Try everything again that this receiver has not taken."""
    desk.store.copies.resend(sink, person.name)
    return RedirectResponse("/sinks?said=resent", 303)
