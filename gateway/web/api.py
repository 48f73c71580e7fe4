"""The same for programs: JSON, cursors, tokens, problem+json. What it promises is only ever added to."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi import Query as Asked
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from gateway import traffic
from gateway.errors import UsageError
from gateway.inbox import Query
from gateway.models import TOKYO, month_of, now
from gateway.page_data import PageData
from gateway.web.fax import MOST_PAGES, mail, other_in_reach, page_of, page_picture, searchable_pdf
from gateway.web.guard import Counter, FaxInReach, FaxSealedOrNot, TheDesk, Worker
from gateway.web.inbox import LONGEST_SEARCH
from gateway.web.paper import paper
from gateway.web.traffic import report_of
from gateway.web.trouble import Refused
from routing import number
from routing.fold import fold


class Copy(BaseModel):
    """A copy on its way to a sink."""

    id: str
    sink: str
    state: Literal["pending", "delivered", "deferred", "failed"]
    attempts: int
    next_attempt: str | None
    error: str | None


class FaxAsJson(BaseModel):
    """One fax with everything known of it."""

    model_config = ConfigDict(extra="allow")

    id: str
    state: Literal["received", "reading", "routed", "held", "failed"]
    received_at: str = Field(description="ISO 8601 with Tokyo's offset: when the fax call came in")
    accepted_at: str = Field(description="When the gateway answered 250")
    sha256: str = Field(description="Of the mail as it was taken")
    duplicate_of: str | None = Field(description="The fax that this one repeats; never counted")
    same_as: list[str] = Field(description="Faxes that may be the same one, or are: not those that somebody ruled out")
    alert: dict[str, Any] | None = Field(description="An urgent fax: when who was called, and who has opened it")
    taken_from: str | None = Field(
        description="The fax of another department that this document came in; counted there"
    )
    same_job: list[str] = Field(description="The mails, in order, that make one fax together; empty for most")
    kind: str
    counted: bool
    line: str
    caller: str | None = Field(description="E.164")
    tsi: str | None = Field(description="What the sending machine calls itself; never a proof")
    sender_institution: dict[str, Any] | None = Field(
        description="Who sent it, by the directory; only `known_by` = `caller` is a proof"
    )
    pages: int
    bytes: int
    document_type: str | None
    documents: list[dict[str, Any]]
    confidence: float | None
    department: str | None
    reasons: list[str]
    held_because: list[str]
    urgent: bool
    due_at: str | None
    masked: bool
    fields: dict[str, Any]
    withheld: list[str] = Field(description="Fields that only people of the fax's own department may read")
    barcodes: list[str]
    text: str = Field(description="The whole text, a form feed between pages")
    deliveries: list[Copy]
    work: Literal["new", "claimed", "done"]
    work_by: str | None
    exempt: str | None
    apart: bool = Field(description="Surely advertising: kept apart from the inbox until somebody has looked at it")
    destroyed_at: str | None = Field(description="Misdirected, and everything that it said is destroyed")
    sealed: bool = Field(description="Misdirected: closed until somebody opens its case with a reason")


class FaxList(BaseModel):
    """Faxes, newest first."""

    faxes: list[FaxAsJson]
    next: str | None = Field(description="Give it as `cursor` to read on; null at the end")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str


class Correction(BaseModel):
    """Where a fax belongs and what it is."""

    model_config = ConfigDict(extra="forbid")

    department: str = Field(max_length=64, description="id of a department")
    type: str = Field(max_length=64, description="code of a document type")


class Comparison(BaseModel):
    """Whether two linked faxes are one."""

    model_config = ConfigDict(extra="forbid")

    other: str = Field(max_length=64, description="One of `same_as`")
    same: bool = Field(description="True: one fax, counted once; false: two, and the link goes")


class WorkDone(BaseModel):
    """What the department has done with it."""

    model_config = ConfigDict(extra="forbid")

    work: Literal["new", "claimed", "done"]


def _problem(sentence: str) -> dict[str, Any]:
    return {
        "description": sentence,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, **_problem("Not signed in, or the token is not (any more) valid")},
    403: _problem("Not allowed"),
    404: _problem("No such fax in your departments"),
    422: _problem("Something in the request is wrong"),
    503: _problem("Not available at the moment: try again"),
}
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "The picture"}}
_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {}}, "description": "The PDF"},
    409: _problem("It is still being read, or none of its documents can be opened"),
}
_MAIL: dict[int | str, dict[str, Any]] = {200: {"content": {"message/rfc822": {}}, "description": "The mail"}}

router = APIRouter()
v1 = APIRouter(prefix="/api/v1", responses=PROBLEMS, default_response_class=JSONResponse)

Id = Annotated[str, Asked(max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
At = Annotated[datetime | None, Asked(description="ISO 8601; without an offset it is Tokyo's time")]
Month = Annotated[str, Asked(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
PageNumber = Annotated[int, Path(ge=1, le=MOST_PAGES)]


@v1.get("/faxes", summary="List and search faxes", response_model=FaxList)
def faxes(
    desk: TheDesk,
    person: Worker,
    department: Id | None = None,
    state: Literal["received", "reading", "routed", "held", "failed"] | None = None,
    work: Literal["new", "claimed", "done"] | None = None,
    type: Id | None = None,
    q: Annotated[str | None, Asked(max_length=LONGEST_SEARCH, description="Words of the text, or a caller")] = None,
    since: At = None,
    until: At = None,
    cursor: Annotated[str | None, Asked(max_length=400)] = None,
    limit: Annotated[int, Asked(ge=1, le=200)] = 50,
) -> Response:
    """The faxes of your departments, newest first; ``since`` and ``until`` are compared with ``accepted_at``."""
    if department and person.departments is not None and department not in person.departments:
        raise Refused(403, "この部署のFAXは見られません。", "You may not see this department's faxes.")
    called = number.parse(q) if q else None
    found, following = desk.store.inbox.find(
        Query(
            departments=person.departments,
            department=department,
            state=state,
            work=work,
            type=type,
            text=(fold(q) or None) if q else None,
            number=called.e164 if called else None,
            since=_tokyo(since),
            until=_tokyo(until),
            cursor=cursor,
            limit=limit,
        )
    )
    return JSONResponse({"faxes": desk.as_json(found, person.knows), "next": following})


@v1.get("/faxes/{fax_id}", summary="One fax", response_model=FaxAsJson)
def fax(desk: TheDesk, person: Worker, fax: FaxSealedOrNot) -> Response:
    """Everything known of a fax; of a sealed one little, until its case was opened. Who asked is written down."""
    desk.store.note(person.name, "viewed", fax.id)
    opened = desk.store.cases.is_open_to(fax, person.name)
    return JSONResponse(desk.as_json([fax], person.knows, opened=opened)[0])


@v1.get("/faxes/{fax_id}/pages/{number}.png", summary="Picture of a page", responses=_PNG, response_class=Response)
def picture(desk: TheDesk, fax: FaxInReach, number: PageNumber) -> Response:
    """The page as it was read; pages count from 1."""
    return page_picture(desk, fax, number)


@v1.get("/faxes/{fax_id}/pages/{number}.json", summary="A page as data", response_model=PageData)
def page(desk: TheDesk, person: Worker, fax: FaxInReach, number: PageNumber) -> Response:
    """What is known of a page: its blocks, lines and words with their boxes, tables, marks, stamps, barcodes.

    Boxes are (left, top, right, bottom) in pixels of the page's picture. Who asked is written down.
    """
    found = page_of(desk, fax, number)
    desk.store.note(person.name, "viewed", fax.id)
    return JSONResponse(asdict(desk.page_data(found)))


@v1.get("/faxes/{fax_id}/original", summary="The original mail", responses=_MAIL, response_class=Response)
def original(desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """The mail byte for byte as it was taken."""
    return mail(desk, person, fax)


@v1.get("/faxes/{fax_id}/searchable.pdf", summary="A searchable PDF", responses=_PDF, response_class=Response)
def searchable(request: Request, desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """All pages in the bits in which they came, with their text to search and copy."""
    return searchable_pdf(request, desk, person, fax)


@v1.post("/faxes/{fax_id}/route", summary="Correct department and type", response_model=FaxAsJson)
def route(desk: TheDesk, person: Worker, fax: FaxInReach, correction: Correction) -> Response:
    """Say where a fax belongs and what it is; its copies go to the new department's sinks."""
    corrected = desk.correct(fax.id, person.name, correction.department, correction.type)
    return JSONResponse(desk.as_json([corrected], person.knows)[0])


@v1.post("/faxes/{fax_id}/work", summary="Take, finish or lay back", response_model=FaxAsJson)
def work(desk: TheDesk, person: Worker, fax: FaxInReach, done: WorkDone) -> Response:
    """Say what the department has done with it."""
    return JSONResponse(desk.as_json([desk.mark(fax.id, person.name, done.work)], person.knows)[0])


@v1.post("/faxes/{fax_id}/same", summary="Same fax or not", response_model=FaxAsJson)
def same(desk: TheDesk, person: Worker, fax: FaxInReach, comparison: Comparison) -> Response:
    """Say of a fax in `same_as` whether it is the same one; the earlier of the two counts, the other is its repeat."""
    other = other_in_reach(desk, person, comparison.other)
    return JSONResponse(desk.as_json([desk.say(fax.id, other.id, person.name, comparison.same)], person.knows)[0])


@v1.post("/faxes/{fax_id}/separate", summary="Take joined mails apart", response_model=FaxAsJson)
def separate(desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """Say that the mails in `same_job` are faxes of their own: each is read and routed again."""
    return JSONResponse(desk.as_json([desk.separate(fax.id, person.name)], person.knows)[0])


@v1.post("/faxes/{fax_id}/requeue", summary="Read again", response_model=FaxAsJson)
def requeue(desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """Open, read and decide again; a person's correction stays."""
    return JSONResponse(desk.as_json([desk.requeue(fax.id, person.name)], person.knows)[0])


@v1.get("/traffic", summary="Faxes by month against base year and target")
def count(
    desk: TheDesk,
    person: Counter,
    first: Annotated[Month | None, Asked(alias="from")] = None,
    to: Month | None = None,
    by: Annotated[str, Asked(max_length=100, description=f"Any of {', '.join(traffic.DIMENSIONS)}, with commas")] = "",
) -> Response:
    """The months ``from`` to ``to``, both included; this month without them. For managers and administrators."""
    moment = now()
    last = to or first or month_of(moment)
    dimensions = tuple(part.strip() for part in by.split(",") if part.strip())
    return JSONResponse(traffic.as_json(report_of(desk, first or last, last, dimensions, moment)))


@router.get("/api/docs", include_in_schema=False)
def docs(request: Request) -> Response:
    """The description of this API, to read; the same for machines is /api/openapi.json."""
    return paper(request, "api.html", schema=request.app.openapi())


def _tokyo(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)).astimezone(UTC)
    except OverflowError as error:  # the years 1 and 9999
        raise UsageError("日時が読めません (not a time)") from error
