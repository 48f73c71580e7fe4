"""What a person sees and says of a fax that may be another one again, and of one that came in several mails."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from playwright.sync_api import expect
from sqlmodel import Session, col

from gateway.models import Fax, Likeness, Part, Standing, now
from tests.web.test_browser import Seat, chromium, seat

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Office

__all__ = ["chromium", "seat"]


def alike(office: Office, one: Fax, two: Fax, **more: str) -> None:
    """The gateway has found them alike."""
    first, second = sorted((one.id, two.id))
    with Session(office.store.engine) as session, session.begin():
        session.add(Likeness(fax_id=first, other_id=second, score=0.97, at=now(), **more))
        earlier = sa.update(Fax).where(col(Fax.id) == one.id)
        session.execute(earlier.values(accepted_at=now() - timedelta(minutes=9)))


def joined(office: Office, style: str = "counter") -> tuple[Fax, Fax]:
    """A fax that came in two mails."""
    head, other = office.fax(("一枚目", "二枚目")), office.fax("二枚目", kind="part")
    with Session(office.store.engine) as session, session.begin():
        for number, fax, standing in ((1, head, Standing.WHOLE), (2, other, Standing.JOINED)):
            session.add(
                Part(fax_id=fax.id, partial_id="key", number=number, total=2, style=style, standing=str(standing))
            )
        session.execute(
            sa.update(Fax)
            .where(col(Fax.id) == other.id)
            .values(joined_into=head.id, counts=False, work="done", work_by="gateway")
        )
    return office.desk.fax(head.id), office.desk.fax(other.id)


def plain(client: httpx.Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_both_pages_show_the_other_and_ask(office: Office) -> None:
    one, two = office.fax(), office.fax()
    alike(office, one, two)
    clerk = office.client("sato")
    for fax, other in ((one, two), (two, one)):
        text = plain(clerk, f"/faxes/{fax.id}")
        assert "同じFAXの可能性があります" in text
        assert other.id in text
    assert "Perhaps the same fax" in plain(clerk, f"/faxes/{one.id}?lang=en")


def test_a_person_says_the_same_without_script(office: Office) -> None:
    one, two = office.fax(), office.fax()
    alike(office, one, two)
    clerk = office.client("sato")
    answer = clerk.post(f"/faxes/{two.id}/same", data={"other": one.id, "verdict": "same"}, follow_redirects=True)
    assert "件数には1件と数えます" in answer.text
    assert f'href="/faxes/{one.id}"' in answer.text
    told = office.desk.fax(two.id)
    assert (told.duplicate_of, told.counts) == (one.id, False)
    text = plain(clerk, f"/faxes/{one.id}")
    assert "satoの判断" in text
    assert "同じFAXと判断しました" in text


def test_a_person_says_different_and_it_is_gone(office: Office) -> None:
    one, two = office.fax(), office.fax()
    alike(office, one, two)
    clerk = office.client("sato")
    answer = clerk.post(f"/faxes/{two.id}/same", data={"other": one.id, "verdict": "different"}, follow_redirects=True)
    assert "それぞれ1件と数えます" in answer.text
    assert "同じFAXの可能性" not in plain(clerk, f"/faxes/{two.id}")
    assert office.desk.fax(two.id).duplicate_of is None


def test_what_cannot_be_said_is_refused(office: Office) -> None:
    one, two, hidden = office.fax(), office.fax(), office.fax(department="kekkaku")
    alike(office, one, hidden)
    clerk = office.client("sato")
    for other, verdict, status in (
        (two.id, "same", 422),
        (hidden.id, "same", 404),
        (two.id, "", 422),
        ("x", "same", 404),
    ):
        answer = clerk.post(f"/faxes/{one.id}/same", data={"other": other, "verdict": verdict})
        assert answer.status_code == status, (other, verdict)
    assert hidden.id not in clerk.get(f"/faxes/{one.id}").text
    assert office.desk.fax(one.id).counts


def test_the_same_for_programs(office: Office) -> None:
    one, two = office.fax(), office.fax()
    alike(office, one, two)
    program, client = office.token("reporter"), office.client()
    told = client.get(f"/api/v1/faxes/{one.id}", headers=program).json()
    assert (told["same_as"], told["same_job"]) == ([two.id], [])
    said = client.post(f"/api/v1/faxes/{two.id}/same", headers=program, json={"other": one.id, "same": True}).json()
    assert (said["duplicate_of"], said["same_as"], said["counted"]) == (one.id, [one.id], False)
    undone = client.post(f"/api/v1/faxes/{two.id}/same", headers=program, json={"other": one.id, "same": False}).json()
    assert (undone["duplicate_of"], undone["same_as"], undone["counted"]) == (None, [], True)
    assert client.post(f"/api/v1/faxes/{two.id}/same", headers=program, json={"other": one.id}).status_code == 422


def test_a_fax_of_several_mails_shows_them_in_order(office: Office) -> None:
    head, other = joined(office)
    clerk = office.client("sato")
    page = clerk.get(f"/faxes/{head.id}").text
    assert "このFAXのメール" in page
    assert f'href="/faxes/{other.id}/original"' in page
    assert "別々のFAXに分ける" in page
    assert "別々のFAXに分ける" not in clerk.get(f"/faxes/{other.id}").text
    answer = clerk.post(f"/faxes/{head.id}/separate", follow_redirects=True)
    assert "別々のFAXにしました" in answer.text
    assert {head.id, other.id} <= set(office.wanted("journey")[-2:])
    assert office.desk.fax(other.id).joined_into is None


def test_pieces_of_one_mail_are_shown_and_stay_together(office: Office) -> None:
    head, other = joined(office, "partial")
    clerk, program = office.client("sato"), office.token("reporter")
    page = clerk.get(f"/faxes/{head.id}").text
    assert other.id in page
    assert "別々のFAXに分ける" not in page
    assert clerk.post(f"/faxes/{head.id}/separate").status_code == 422
    told = office.client().get(f"/api/v1/faxes/{other.id}", headers=program).json()
    assert told["same_job"] == [head.id, other.id]


def test_by_the_keyboard_and_for_everybody(seat: Seat) -> None:
    one, two = seat.office.fax(), seat.office.fax()
    alike(seat.office, one, two)
    head, _ = joined(seat.office)
    page = seat.sign_in("sato")
    seat.open(f"/faxes/{head.id}")
    assert seat.violations() == []
    seat.open(f"/faxes/{two.id}")
    expect(page.get_by_role("heading", name="同じFAXの可能性があります")).to_be_visible()
    assert seat.violations() == []
    page.get_by_role("button", name=f"同じFAX {one.id}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1件と数えます")
    expect(page.get_by_role("heading", name="同じFAXです")).to_be_visible()
    assert seat.office.desk.fax(two.id).duplicate_of == one.id
    page.get_by_role("button", name=f"別のFAX {one.id}").press("Space")
    expect(page.get_by_role("status")).to_contain_text("それぞれ1件")
    assert seat.office.desk.fax(two.id).duplicate_of is None
    assert seat.violations() == []
