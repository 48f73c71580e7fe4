"""Sealed cases: misdirected faxes, who opened them and why, and what is still to do, by when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from gateway.case import CLASS, Step, next_step, steps
from gateway.desk import Desk
from gateway.models import TOKYO, Case, Delivery, Event, Fax, now
from gateway.web.guard import FaxInReach, FaxSealedOrNot, Person, TheDesk, Worker
from gateway.web.paper import paper, words
from gateway.web.trouble import Refused, Sealed
from gateway.web.words import SAID

router = APIRouter(include_in_schema=False)

LONGEST = 400
Typed = Annotated[str, Form(max_length=LONGEST * 4)]


def case_in_reach(fax: FaxSealedOrNot, desk: TheDesk) -> Case:
    """The case of this address; that of a part or a repeat is its fax's."""
    if fax.sealed and fax.sealed != fax.id:
        raise Sealed(fax.sealed)
    case = desk.store.cases.case(fax.id)
    if case is None:
        raise Refused(404, "このFAXに誤着の案件はありません。", "This fax has no case.")
    return case


CaseInReach = Annotated[Case, Depends(case_in_reach)]


@router.get("/cases")
def cases(request: Request, desk: TheDesk, person: Worker, closed: bool = False) -> Response:
    """The list, what is due first on top."""
    found = by_due(desk, person, closed)
    return paper(request, "cases.html", person=person, cases=found, closed=closed, moment=now())


@router.get("/cases/{fax_id}")
def one(
    request: Request, desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, said: str = ""
) -> Response:
    """The page of a case. It tells nothing of what stands in the fax."""
    return paper(
        request,
        "case.html",
        person=person,
        fax=fax,
        case=case,
        steps=steps(case),
        events=told_of(desk, fax),
        sent=sent_of(desk, fax),
        entries=[one for one in desk.store.cases.in_case(fax.id) if one.taken_from],
        opened=is_opened(desk, person, fax),
        fates=desk.store.cases.fates(fax.id),
        departments=desk.config.organisation.departments,
        types=list({kind.code: kind for kind in desk.taxonomy.types if kind.code != CLASS}.values()),
        said=words(request)(*SAID[said]) if said in SAID else "",
        moment=now(),
    )


@router.post("/cases/{fax_id}/seal")
def seal(desk: TheDesk, person: Worker, fax: FaxInReach) -> Response:
    """Say that a fax is not for us."""
    sealed = desk.store.seal(fax.id, person.name)
    return _to(sealed, "case:sealed")


@router.post("/cases/{fax_id}/open")
def open_it(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, why: Typed = "") -> Response:
    """Open the fax to this person for a while; the reason is kept."""
    opening(desk, person, fax, why)
    return RedirectResponse(f"/faxes/{fax.id}", 303)


@router.post("/cases/{fax_id}/called")
def called(
    desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, number: Typed = "", note: Typed = ""
) -> Response:
    """The sender was called back at this number."""
    calling(desk, person, fax, number, note)
    return _to(fax, "case:done")


@router.get("/cases/{fax_id}/destroy")
def destroy(request: Request, desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach) -> Response:
    """What would be destroyed and what would stay, and the question once more."""
    if fax.destroyed_at is not None:
        raise Refused(410)
    if not fax.sealed or case.closed_at is not None:
        raise Refused(422, "この案件はもう終わっています。", "The case is closed.")
    return paper(
        request,
        "destroy.html",
        person=person,
        fax=fax,
        case=case,
        lying=desk.store.cases.in_case(fax.id),
        sharing=desk.store.cases.sharing(fax.id),
        sent=sent_of(desk, fax),
    )


@router.post("/cases/{fax_id}/settled")
def settled(
    desk: TheDesk,
    person: Worker,
    fax: FaxSealedOrNot,
    case: CaseInReach,
    outcome: Typed = "",
    note: Typed = "",
    confirm: Typed = "",
) -> Response:
    """It was returned, stays sealed as agreed with its sender, or is destroyed here."""
    settling(desk, person, fax, outcome, note, confirm)
    return _to(fax, "case:destroyed" if outcome == "destroyed" else "case:done")


@router.post("/cases/{fax_id}/leaked")
def leaked(
    desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, known: Typed = "", note: Typed = ""
) -> Response:
    """Our own side had passed it on; the clock of the report begins when that was known."""
    leaking(desk, person, fax, known, note)
    return _to(fax, "case:done")


@router.post("/cases/{fax_id}/reported")
def reported(
    desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach, which: Typed = "", note: Typed = ""
) -> Response:
    """The first or the final report was made."""
    reporting(desk, person, fax, case, which, note)
    return _to(fax, "case:done")


@router.post("/cases/{fax_id}/ours")
def ours(
    desk: TheDesk, person: Worker, fax: FaxInReach, case: CaseInReach, to: Typed = "", type: Typed = ""
) -> Response:
    """It is ours after all; whoever says so has looked at it."""
    if not to or not type:
        raise Refused(422, "部署と文書種別の両方を選んでください。", "Choose both a department and a document type.")
    released = desk.release(fax.id, person.name, to, type)
    return RedirectResponse(f"/faxes/{fax.id}" if person.sees(released) else "/", 303)


@router.post("/cases/{fax_id}/closed")
def closed(desk: TheDesk, person: Worker, fax: FaxSealedOrNot, case: CaseInReach) -> Response:
    """Everything is done; the fax stays sealed."""
    closing(desk, person, fax, case)
    return _to(fax, "case:done")


# ---- what is done, the same for pages and programs --------------------------------------------------


def by_due(desk: Desk, person: Person, closed: bool) -> list[tuple[Case, Fax, Step | None]]:
    """The person's cases with what is to do next, what is due first on top."""
    found = [(case, fax, next_step(case)) for case, fax in desk.store.cases.listed(person.departments, closed)]
    return sorted(found, key=lambda row: (row[2] is None, row[2].due if row[2] else row[0].since))


def is_opened(desk: Desk, person: Person, fax: Fax) -> bool:
    """Whether a sealed fax is open to this person at the moment; a destroyed one to nobody."""
    return bool(fax.sealed) and fax.destroyed_at is None and desk.store.cases.is_open_to(fax, person.name)


def opening(desk: Desk, person: Person, fax: Fax, why: str) -> None:
    """Open the fax to this person for a while."""
    if fax.destroyed_at is not None:
        raise Refused(410)
    desk.store.cases.open_for(fax.id, person.name, _said(why))


def calling(desk: Desk, person: Person, fax: Fax, number: str, note: str) -> None:
    """Note a call to the sender."""
    desk.store.cases.step(fax.id, person.name, "called", {"called_at": now()}, number=_said(number), note=note.strip())


def settling(desk: Desk, person: Person, fax: Fax, outcome: str, note: str, confirm: str) -> None:
    """Note what became of it; destroy it when that is what ``outcome`` says and ``confirm`` is the fax's id."""
    if outcome == "destroyed":
        desk.destroy(fax.id, person.name, confirm, _said(note))
        return
    if outcome not in ("returned", "kept"):
        raise Refused(
            422,
            "「返した」「封印のまま保管」「破棄」のどれかを選んでください。",
            "Say whether it was returned, is kept or destroyed.",
        )
    change: dict[str, Any] = {"settled_at": now()} if fax.destroyed_at else {"settled_at": now(), "outcome": outcome}
    desk.store.cases.step(fax.id, person.name, outcome, change, note=_said(note))


def leaking(desk: Desk, person: Person, fax: Fax, known: str, note: str) -> None:
    """Note that our own side had passed it on."""
    desk.store.cases.step(fax.id, person.name, "leaked", {"leaked_at": _moment(known)}, note=_said(note))


def reporting(desk: Desk, person: Person, fax: Fax, case: Case, which: str, note: str) -> None:
    """Note a report to the Commission."""
    if which not in ("reported", "confirmed") or case.leaked_at is None:
        raise Refused(422, "速報か確報かを選んでください。", "Say which report was made.")
    desk.store.cases.step(fax.id, person.name, which, {f"{which}_at": now()}, note=_said(note))


def closing(desk: Desk, person: Person, fax: Fax, case: Case) -> None:
    """End the case when everything is done."""
    if next_step(case) is not None:
        raise Refused(422, "まだ済んでいないことがあります。", "Something is still to be done.")
    desk.store.cases.step(fax.id, person.name, "closed", {"closed_at": now()})


def sent_of(desk: Desk, fax: Fax) -> list[Delivery]:
    """Copies of what lies in the case that receivers have: these are theirs to destroy."""
    ids = [one.id for one in desk.store.cases.in_case(fax.id)]
    return [copy for copy in desk.store.copies.deliveries(ids) if copy.state == "delivered" and not copy.step]


def told_of(desk: Desk, fax: Fax) -> list[Event]:
    """What was done in the case, in order."""
    return [event for event in desk.store.events(fax.id) if event.action.startswith("case:")]


def _to(fax: Fax, said: str) -> Response:
    return RedirectResponse(f"/cases/{fax.sealed or fax.id}?said={said}", 303)


def _said(text: str) -> str:
    told = text.replace("\0", "").strip()[:LONGEST]
    if not told:
        raise Refused(
            422, "空欄にはできません。戻って書いてください。", "This must not be empty: go back and write it."
        )
    return told


def _moment(known: str) -> datetime:
    try:
        moment = datetime.fromisoformat(known) if known else now()
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(422, "日時が読めません。", "That is not a time.") from error
    if moment > now():
        raise Refused(422, "まだ来ていない日時です。", "That time is still to come.")
    return moment
