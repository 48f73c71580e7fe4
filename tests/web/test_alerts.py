"""Calls and receivers on the pages: who was called, who opened it, what takes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlmodel import col

from gateway.models import Delivery, Fax, now
from gateway.queue import CARRY
from tests.web.test_health import metrics

if TYPE_CHECKING:
    from tests.web.conftest import Office

UNOPENED = "まだ誰も開いていません"


def test_the_inbox_says_that_nobody_has_opened_it_until_somebody_does(office: Office) -> None:
    fax = office.urgent()
    clerk = office.client("sato")
    assert UNOPENED in clerk.get("/").text
    assert metrics(office)[("faxless_alerts_unopened", "")] == 1
    office.client().get(f"/api/v1/faxes/{fax.id}", headers=office.token("reporter"))
    assert UNOPENED in clerk.get("/").text  # a program that asks has opened nothing
    page = clerk.get(f"/faxes/{fax.id}").text
    assert "satoが今日" in page
    assert UNOPENED not in page
    assert UNOPENED not in clerk.get("/").text
    assert metrics(office)[("faxless_alerts_unopened", "")] == 0
    told = clerk.get(f"/api/v1/faxes/{fax.id}").json()["alert"]
    assert told["opened_by"] == "sato"


def test_an_ordinary_fax_has_no_call(office: Office) -> None:
    fax = office.fax()
    clerk = office.client("sato")
    assert "緊急の連絡" not in clerk.get(f"/faxes/{fax.id}").text
    assert clerk.get(f"/api/v1/faxes/{fax.id}").json()["alert"] is None


def test_the_page_says_when_nobody_is_configured_to_be_called(office: Office) -> None:
    fax = office.urgent()
    assert "知らせる先が設定されていません" in office.client("sato").get(f"/faxes/{fax.id}").text


def test_a_copy_is_no_call_and_a_call_no_copy(office: Office) -> None:
    fax = office.urgent(sinks=("kekkaku-share",))
    call = Delivery(id=f"{fax.id}-alert1-bell", fax_id=fax.id, sink="bell", step=1, updated_at=now())
    with office.store.engine.begin() as connection:
        connection.execute(sa.insert(Delivery).values(**call.model_dump()))
    told = office.client("sato").get(f"/api/v1/faxes/{fax.id}").json()
    assert [copy["sink"] for copy in told["deliveries"]] == ["kekkaku-share"]
    assert [(call["sink"], call["step"]) for call in told["alert"]["messages"]] == [("bell", 1)]


def failing(office: Office, state: str, hours: float = 1) -> Fax:
    """A fax whose copy its receiver does not take."""
    fax = office.fax(sinks=("kekkaku-share",))
    office.store.copies.carried(f"{fax.id}-kekkaku-share", state, "フォルダに書き込む権限がありません", None, now())
    with office.store.engine.begin() as connection:
        long_ago = now() - timedelta(hours=hours)
        connection.execute(sa.update(Fax).where(col(Fax.id) == fax.id).values(accepted_at=long_ago))
    return fax


def test_a_receiver_that_takes_nothing_is_shown_with_its_reason(office: Office) -> None:
    clerk = office.client("sato")
    assert "まだ何も送っていません" in clerk.get("/sinks").text
    failing(office, "deferred", hours=0)
    assert "届いていない配信先" not in clerk.get("/").text  # not yet: it may be back in a moment
    failing(office, "deferred")
    page = clerk.get("/sinks").text
    for said in ("届いていません", "まだ一度も届いていません", "待っているもの 2件", "書き込む権限がありません"):
        assert said in page
    assert "届いていない配信先があります" in clerk.get("/").text
    told = metrics(office)
    assert told[("faxless_sink_waiting", "kekkaku-share")] == 2
    assert 3600 <= told[("faxless_sink_stuck_seconds", "kekkaku-share")] < 3700


def test_a_receiver_that_takes_again_is_well(office: Office) -> None:
    failing(office, "deferred")
    taken = office.fax(sinks=("kekkaku-share",))
    office.store.copies.carried(f"{taken.id}-kekkaku-share", "delivered", None, "ok", None)
    assert "届いています" in office.client("sato").get("/sinks").text
    assert "届いていない配信先" not in office.client("sato").get("/").text


def test_what_was_given_up_is_sent_again_by_a_button(office: Office) -> None:
    fax = failing(office, "failed")
    assert metrics(office)[("faxless_sink_failed", "kekkaku-share")] == 1
    assert office.client("sato").post("/sinks", data={"sink": "kekkaku-share"}).status_code == 403
    answer = office.client("tanaka", role="manager").post("/sinks", data={"sink": "kekkaku-share"})
    assert answer.headers["Location"] == "/sinks?said=resent"
    (copy,) = office.store.copies.waiting(fax.id)
    assert (copy.state, copy.attempts) == ("pending", 0)
    assert fax.id in office.wanted(CARRY)


def test_a_fax_that_is_only_moved_stays_as_urgent_as_it_was(office: Office) -> None:
    due = now() + timedelta(hours=3)
    fax = office.fax(department="bunsho", document_type="PRESS", urgent=True, due_at=due)
    moved = office.desk.correct(fax.id, "sato", "kansen", "PRESS")
    assert (moved.urgent, moved.due_at) == (True, due)
    named = office.desk.correct(fax.id, "sato", "kansen", "PROCUREMENT")
    assert (named.urgent, named.due_at) == (False, None)
    found = office.desk.correct(fax.id, "sato", "kansen", "DISEASE_IMMEDIATE")
    assert (found.urgent, found.due_at) == (True, fax.received_at)
