"""One fax: its pages beside its text, what it is, why it came here, and what the department does with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from gateway.desk import Desk
from gateway.models import Fax, Likeness, Page, State, now
from gateway.web.guard import FaxInReach, Person, TheDesk, Worker
from gateway.web.inbox import TheView, View, contents, query_of, settle
from gateway.web.paper import paper, words
from gateway.web.trouble import Refused
from gateway.web.words import SAID
from ocr.errors import ReadingError
from routing.personal import without_personal

router = APIRouter(include_in_schema=False)

Typed = Annotated[str, Form()]


def _view_of_form(person: Worker, place: Typed = "new", department: Typed = "", q: Typed = "") -> View:
    """The inbox that the form's page was reached from."""
    return settle(person, View(department, place, q))


FormView = Annotated[View, Depends(_view_of_form)]

MOST_PAGES = 100_000
"""A page's number in an address is no larger."""
FAINT = 0.6
"""Words read with less confidence are marked, so that nobody takes them for certain."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a page's text; ``box`` (left, top, width, height in pixels) when its place is known."""

    text: str
    box: tuple[int, int, int, int] | None = None
    faint: bool = False


def pieces(page: Page) -> list[Piece]:
    """The page's text in order, its words with their places."""
    found: list[Piece] = []
    at = 0
    for text, x0, y0, x1, y1, confidence in page.words:
        start = page.text.find(text, at) if text else -1
        if start < 0:
            continue
        if start > at:
            found.append(Piece(page.text[at:start]))
        box = (int(x0), int(y0), max(1, int(x1 - x0)), max(1, int(y1 - y0)))
        found.append(Piece(text, box, confidence < FAINT))
        at = start + len(text)
    if at < len(page.text):
        found.append(Piece(page.text[at:]))
    return found


@router.get("/faxes/{fax_id}")
def one(request: Request, desk: TheDesk, person: Worker, fax: FaxInReach, view: TheView, said: str = "") -> Response:
    """The page. Who looked is written down."""
    desk.store.calls.looked(fax.id, person.name)
    before, after = desk.store.inbox.neighbours(fax, query_of(person, view))
    deliveries = desk.store.copies.deliveries([fax.id])
    return paper(
        request,
        "fax.html",
        person=person,
        view=view,
        fax=fax,
        sender=desk.senders([fax]).get(fax.id),
        first=_first(desk, person, fax),
        whole=desk.store.fax(fax.taken_from) if fax.taken_from else None,
        shared=desk.store.taken_from(fax.id),
        repeats=[entry for entry in desk.store.repeats(fax.id) if person.sees(entry)],
        alike=_alike(desk, person, fax),
        mails=[(part, mail) for part, mail in desk.store.mails_of(fax) if person.sees(mail)],
        pages=[(page, pieces(page)) for page in desk.store.pages(fax.id)],
        fields=fax.fields if person.knows(fax) else without_personal(fax.fields),
        copies=[copy for copy in deliveries if not copy.step],
        calls=sorted((copy for copy in deliveries if copy.step), key=lambda call: (call.step, call.sink)),
        alert=desk.store.calls.alerts([fax.id]).get(fax.id),
        events=_told(desk.store.events(fax.id)),
        before=before,
        after=after,
        said=words(request)(*SAID[said]) if said in SAID else "",
        departments=desk.config.organisation.departments,
        types=_types(desk),
        moment=now(),
    )


@router.get("/faxes/{fax_id}/pages/{number}.png")
def picture(desk: TheDesk, fax: FaxInReach, number: int) -> Response:
    """The picture of a page, as it was read."""
    return page_picture(desk, fax, number)


@router.get("/faxes/{fax_id}/original")
def original(desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """The mail byte for byte."""
    return mail(desk, person, fax)


@router.get("/faxes/{fax_id}/searchable.pdf")
def searchable(request: Request, desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """The fax as a PDF that can be searched."""
    return searchable_pdf(request, desk, person, fax)


@router.post("/faxes/{fax_id}/work")
def work(
    request: Request,
    desk: TheDesk,
    person: Worker,
    fax: FaxInReach,
    view: FormView,
    work: Typed = "",
    seen: Typed = "",
    then: str = "",
    cursor: Typed = "",
) -> Response:
    """Take, finish or lay back. ``seen`` is the state that the person saw: nobody undoes unawares what another did."""
    view = replace(view, cursor=cursor)
    said = "taken"
    if not seen or seen == state_seen(fax):
        said = desk.mark(fax.id, person.name, work).work
    if request.headers.get("HX-Request"):
        w = words(request)
        return paper(request, "list.html", said=w(*SAID[said]), **contents(desk, person, view))
    if then == "stay" or said == "taken":
        return _to(f"/faxes/{fax.id}", view, said)
    following = desk.store.inbox.neighbours(fax, query_of(person, view))[1] if then == "next" else None
    return _to(f"/faxes/{following}", view, said) if following else _to("/", view, said)


@router.post("/faxes/{fax_id}/correct")
def correct(
    desk: TheDesk,
    person: Worker,
    fax: FaxInReach,
    view: FormView,
    to: Typed = "",
    type: Typed = "",
) -> Response:
    """Say where the fax belongs and what it is."""
    if not to or not type:
        raise Refused(422, "部署と文書種別の両方を選んでください。", "Choose both a department and a document type.")
    corrected = desk.correct(fax.id, person.name, to, type)
    return _to(f"/faxes/{fax.id}" if person.sees(corrected) else "/", view, "corrected")


@router.post("/faxes/{fax_id}/not-spam")
def not_spam(desk: TheDesk, person: Worker, fax: FaxInReach, view: FormView) -> Response:
    """Say that it is no advertising; what it is, is said on its page."""
    desk.not_advertising(fax.id, person.name)
    return _to(f"/faxes/{fax.id}", view, "not-spam")


@router.post("/faxes/{fax_id}/same")
def same(
    desk: TheDesk,
    person: Worker,
    fax: FaxInReach,
    view: FormView,
    other: Typed = "",
    verdict: Typed = "",
) -> Response:
    """Say of another fax whether it is this one again."""
    if verdict not in ("same", "different"):
        raise Refused(422, "「同じFAX」か「別のFAX」を選んでください。", "Say whether it is the same fax or another.")
    desk.say(fax.id, other_in_reach(desk, person, other).id, person.name, verdict == "same")
    return _to(f"/faxes/{fax.id}", view, f"said:{verdict}")


@router.post("/faxes/{fax_id}/separate")
def separate(desk: TheDesk, person: Worker, fax: FaxInReach, view: FormView) -> Response:
    """Say that the mails of this fax are faxes of their own."""
    desk.separate(fax.id, person.name)
    return _to(f"/faxes/{fax.id}", view, "separated")


@router.post("/faxes/{fax_id}/requeue")
def requeue(desk: TheDesk, person: Worker, fax: FaxInReach, view: FormView) -> Response:
    """Open, read and decide again."""
    again = desk.requeue(fax.id, person.name)
    return _to(f"/faxes/{fax.id}" if person.sees(again) else "/", view, "requeued")


def state_seen(fax: Fax) -> str:
    """What a form remembers of the fax that it was made for."""
    return f"{fax.work} {fax.work_by or ''}"


def page_picture(desk: Desk, fax: Fax, number: int) -> Response:
    """The PNG of a page; 404 with the reason when there is none."""
    page = page_of(desk, fax, number)
    if not page.png:
        raise Refused(
            404,
            page.problem or "このページの画像はありません。原本を開いてください。",
            "There is no picture of this page. Open the original.",
        )
    return Response(desk.spool.get(page.png), media_type="image/png")


def page_of(desk: Desk, fax: Fax, number: int) -> Page:
    """A page that was read, or says why it could not be; 404 where there is none (yet)."""
    page = desk.store.page(fax.id, number) if 0 < number <= MOST_PAGES else None  # no database takes any number
    if page is None:
        raise Refused(
            404,
            "このページはありません(まだ読み取っていないこともあります)。",
            "There is no such page, or it is not read yet.",
        )
    return page


def mail(desk: TheDesk, person: Person, fax: Fax) -> Response:
    """The original as a download; who took it is written down."""
    data = desk.original(fax)
    desk.store.note(person.name, "downloaded", fax.id)
    return Response(
        data, media_type="message/rfc822", headers={"Content-Disposition": f'attachment; filename="{fax.id}.eml"'}
    )


def searchable_pdf(request: Request, desk: TheDesk, person: Person, fax: Fax) -> Response:
    """The searchable PDF as a download; 404 where there is nothing to make it of, 409 where it cannot be made (yet)."""
    if fax.state in (State.RECEIVED, State.READING):
        raise Refused(
            409, "読み取り中です。数秒後に開き直してください。", "Still being read: try again in some seconds."
        )
    if fax.kind != "fax":
        raise Refused(
            404,
            "このメールにはFAXの文書がありません。原本を開いてください。",
            "This mail holds no fax. Open the original.",
        )
    try:
        data = desk.searchable(fax, request.app.state.binder)
    except ReadingError as error:
        raise Refused(
            503 if error.again else 409,
            f"{error}{error.advice}",
            "No searchable PDF can be made of this fax. Open the original.",
        ) from error
    desk.store.note(person.name, "downloaded", fax.id)
    return Response(
        data, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{fax.id}.pdf"'}
    )


def other_in_reach(desk: TheDesk, person: Person, fax_id: str) -> Fax:
    """The other of two faxes; 404 where there is none that the person may see."""
    other = desk.store.fax(fax_id)
    if other is None or not person.sees(other):
        raise Refused(404, "比べるFAXがありません。", "There is no such fax to compare with.")
    return other


def _alike(desk: TheDesk, person: Person, fax: Fax) -> list[tuple[Fax, Likeness]]:
    """Faxes that may be this one again, with what was said of it, when the person may see them."""
    links = desk.store.likenesses([fax.id]).get(fax.id, [])
    found = [(desk.store.fax(other), link) for other, link in links]
    return [(other, link) for other, link in found if other is not None and person.sees(other)]


def _first(desk: TheDesk, person: Person, fax: Fax) -> Fax | None:
    """The fax that this one repeats, when the person may see it."""
    first = desk.store.fax(fax.duplicate_of) if fax.duplicate_of else None
    return first if first and person.sees(first) else None


def _types(desk: TheDesk) -> list[Any]:
    """The document types of today, each code once."""
    return list({kind.code: kind for kind in desk.taxonomy.types}.values())


def _told(events: Sequence[Any]) -> list[Any]:
    """The history without a person's looking again within the hour."""
    told: list[Any] = []
    looked: dict[str, Any] = {}
    for event in events:
        last = looked.get(event.who)
        if event.action == "viewed":
            if last is not None and event.at - last < timedelta(hours=1):
                continue
            looked[event.who] = event.at
        told.append(event)
    return told


def _to(path: str, view: View, said: str) -> Response:
    return RedirectResponse(view.link(path, said=said) if said else view.link(path), 303)
