"""Sealed cases for programs: what the pages of gateway.web.case do, with the same rights."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Query as Asked
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from gateway.case import next_step, steps
from gateway.desk import Desk, moment
from gateway.models import Case, Fax, now
from gateway.web.api import PROBLEMS
from gateway.web.case import (
    LONGEST,
    CaseInReach,
    by_due,
    calling,
    closing,
    is_opened,
    leaking,
    opening,
    reporting,
    sent_of,
    settling,
    told_of,
)
from gateway.web.guard import FaxInReach, FaxSealedOrNot, Person, TheDesk, Worker


class StepAsJson(BaseModel):
    """Something to do in a case."""

    name: Literal["called", "settled", "reported", "confirmed"]
    due: str
    done: str | None
    late: bool


class CaseAsJson(BaseModel):
    """A misdirected fax's case. It tells nothing of what stands in the fax."""

    model_config = ConfigDict(extra="allow")

    fax: str = Field(description="The fax's id, and the case's")
    line: str
    department: str | None
    pages: int
    received_at: str
    since: str
    by: str = Field(description="Who sealed it: a person, or `journey`")
    outcome: Literal["", "returned", "kept", "destroyed", "ours"]
    closed_at: str | None
    destroyed_at: str | None = Field(description="When everything that the fax said was destroyed")
    bytes: dict[str, int] = Field(
        description="Of a destroyed fax: how much is still `leaving` the spool, `gone`, or `needed` by another fax"
    )
    steps: list[StepAsJson]
    next: StepAsJson | None = Field(description="What is due first; null when everything is done")
    opened: bool = Field(description="Whether the fax is open to you at the moment")
    lying: list[str] = Field(description="Every fax in this case: parts, repeats, documents taken out of it")
    copies: list[dict[str, Any]] = Field(description="Copies that receivers have: theirs to destroy")
    events: list[dict[str, Any]]


class CaseList(BaseModel):
    """Cases, what is due first on top."""

    cases: list[CaseAsJson]


Told = Annotated[str, Field(max_length=LONGEST)]


class Opening(BaseModel):
    """Why the fax is opened."""

    model_config = ConfigDict(extra="forbid")

    why: Told = Field(description="No names: it is kept for ever")


class Called(BaseModel):
    """A call to the sender."""

    model_config = ConfigDict(extra="forbid")

    number: Told
    note: Told = ""


class Settled(BaseModel):
    """What became of it."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["returned", "kept", "destroyed"]
    note: Told = Field(description="What was done, or why it is destroyed; no names")
    confirm: Told = Field("", description="`destroyed` cannot be undone: the fax's id once more")


class Ours(BaseModel):
    """It is ours after all."""

    model_config = ConfigDict(extra="forbid")

    department: Told
    type: Told = Field(description="code of a document type")


class Leaked(BaseModel):
    """Our own side had passed it on."""

    model_config = ConfigDict(extra="forbid")

    known: Told = Field("", description="ISO 8601, when that was known; empty: now")
    note: Told


class Reported(BaseModel):
    """A report to the Commission was made."""

    model_config = ConfigDict(extra="forbid")

    which: Literal["reported", "confirmed"] = Field(description="The first, or the final report")
    note: Told


v1 = APIRouter(prefix="/api/v1/cases", responses=PROBLEMS, default_response_class=JSONResponse)


@v1.get("", summary="Cases of misdirected faxes", response_model=CaseList)
def cases(desk: TheDesk, person: Worker, closed: Annotated[bool, Asked()] = False) -> Response:
    """Those of your departments that are not closed, or those that are."""
    told = [case_json(desk, person, fax, case) for case, fax, _ in by_due(desk, person, closed)]
    return JSONResponse({"cases": told})


@v1.get("/{fax_id}", summary="One case", response_model=CaseAsJson)
def one(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach) -> Response:
    """What is to do, what was done, and by whom."""
    return JSONResponse(case_json(desk, person, fax, case))


@v1.post("/{fax_id}/seal", summary="Say that a fax is not for us", response_model=CaseAsJson)
def seal(desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """It is closed to everybody, its copies stop, and the clock of its case begins."""
    return _told(desk, person, desk.store.seal(fax.id, person.name).sealed or fax.id)


@v1.post("/{fax_id}/open", summary="Open the fax to yourself, with a reason", response_model=CaseAsJson)
def open_it(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, said: Opening) -> Response:
    """For 30 minutes, and for you alone; who, when and why is kept."""
    opening(desk, person, fax, said.why)
    return _told(desk, person, fax.id)


@v1.post("/{fax_id}/called", summary="The sender was called", response_model=CaseAsJson)
def called(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, said: Called) -> Response:
    """At which number, and what was said."""
    calling(desk, person, fax, said.number, said.note)
    return _told(desk, person, fax.id)


@v1.post("/{fax_id}/settled", summary="Returned, kept, or destroyed", response_model=CaseAsJson)
def settled(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, said: Settled) -> Response:
    """What was agreed with the sender; `destroyed` wipes everything that the fax says, for good."""
    settling(desk, person, fax, said.outcome, said.note, said.confirm)
    return _told(desk, person, fax.id)


@v1.post("/{fax_id}/leaked", summary="Our own side had passed it on", response_model=CaseAsJson)
def leaked(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, said: Leaked) -> Response:
    """The clock of the reports begins."""
    leaking(desk, person, fax, said.known, said.note)
    return _told(desk, person, fax.id)


@v1.post("/{fax_id}/reported", summary="A report was made", response_model=CaseAsJson)
def reported(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, said: Reported) -> Response:
    """The first or the final one."""
    reporting(desk, person, fax, case, said.which, said.note)
    return _told(desk, person, fax.id)


@v1.post("/{fax_id}/ours", summary="It is ours after all", response_model=CaseAsJson)
def ours(desk: TheDesk, person: Worker, fax: FaxInReach, case: CaseInReach, said: Ours) -> Response:
    """Unsealed and routed; only for who has opened it."""
    desk.release(fax.id, person.name, said.department, said.type)
    return _told(desk, person, fax.id)


@v1.post("/{fax_id}/closed", summary="Close the case", response_model=CaseAsJson)
def closed(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach) -> Response:
    """When everything is done; the fax stays sealed."""
    closing(desk, person, fax, case)
    return _told(desk, person, fax.id)


def case_json(desk: Desk, person: Person, fax: Fax, case: Case) -> dict[str, Any]:
    """A case for programs; times with Tokyo's offset."""
    asked = [
        {"name": step.name, "due": moment(step.due), "done": moment(step.done), "late": step.late(now())}
        for step in steps(case)
    ]
    following, fates = next_step(case), desk.store.cases.fates(fax.id)
    return {
        "fax": fax.id,
        "line": fax.line,
        "department": fax.department,
        "pages": fax.pages,
        "received_at": moment(fax.received_at),
        "since": moment(case.since),
        "by": case.by,
        "outcome": case.outcome,
        "closed_at": moment(case.closed_at),
        "destroyed_at": moment(fax.destroyed_at),
        "bytes": {"leaving": fates.get("", 0), "gone": fates.get("gone", 0), "needed": fates.get("needed", 0)},
        "steps": asked,
        "next": next((step for step in asked if following and step["name"] == following.name), None),
        "opened": is_opened(desk, person, fax),
        "lying": [entry.id for entry in desk.store.cases.in_case(fax.id)],
        "copies": [{"id": copy.id, "sink": copy.sink, "fax": copy.fax_id} for copy in sent_of(desk, fax)],
        "events": [
            {"at": moment(event.at), "who": event.who, "action": event.action.removeprefix("case:"), **_detail(event)}
            for event in told_of(desk, fax)
        ],
    }


def _detail(event: Any) -> dict[str, Any]:
    return {"detail": event.detail} if event.detail else {}


def _told(desk: Desk, person: Person, fax_id: str) -> Response:
    fax, case = desk.fax(fax_id), desk.store.cases.case(fax_id)
    assert case is not None  # noqa: S101 for the type checker: who came here has passed case_in_reach
    return JSONResponse(case_json(desk, person, fax, case))
