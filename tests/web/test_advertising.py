"""Advertising is kept apart and never lost: seen by a person, or said to be none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from gateway.inbox import Query
from gateway.models import Fax, now
from gateway.web.inbox import FORGOTTEN
from tests.web.conftest import ROUTED
from tests.web.test_inbox import plain, rows

if TYPE_CHECKING:
    from tests.web.conftest import Office

TEXT = "特別価格のご案内\nFAX配信停止をご希望の方は"
HELD = "広告・営業と思われます。確認のうえ処理してください。"


def advertising(office: Office, **more: Any) -> Fax:
    return office.fax(TEXT, **{"document_type": "SPAM", "held": True, "held_because": (HELD,), "apart": True, **more})


def aged(office: Office, fax: Fax, age: timedelta) -> None:
    with office.store.engine.begin() as connection:
        connection.execute(sa.update(Fax).where(col(Fax.id) == fax.id).values(accepted_at=now() - age))


def test_it_stands_in_a_list_of_its_own_and_in_no_count(office: Office) -> None:
    clerk, ordinary, spam = office.client("sato"), office.fax(), advertising(office)
    places = {place: rows(clerk, f"/?place={place}") for place in ("new", "claimed", "held", "done", "notices", "spam")}
    assert places == {"new": [ordinary.id], "claimed": [], "held": [], "done": [], "notices": [], "spam": [spam.id]}
    tally = office.store.inbox.tally(("kansen",))
    assert (tally.new, tally.held, tally.spam, tally.by_department) == (1, 0, 1, {"kansen": 1})
    assert spam.counts, "it came: it counts"
    assert spam.id in rows(clerk, "/?q=特別価格"), "a search finds it"
    (told,) = clerk.get("/api/v1/faxes?type=SPAM", headers=office.token("sato")).json()["faxes"]
    assert (told["apart"], told["state"]) == (True, "held")


def test_a_person_marks_it_seen_and_it_is_kept(office: Office) -> None:
    clerk, spam = office.client("sato"), advertising(office)
    assert "見た" in plain(clerk, "/?place=spam")
    clerk.post(f"/faxes/{spam.id}/work", data={"work": "done", "place": "spam"})
    assert (rows(clerk, "/?place=spam"), rows(clerk, "/?place=done")) == ([], [spam.id])
    assert clerk.get(f"/faxes/{spam.id}/original").status_code == 200
    clerk.post(f"/faxes/{spam.id}/work", data={"work": "new"})
    assert rows(clerk, "/?place=spam") == [spam.id]


def test_not_advertising_is_a_correction_and_it_comes_back(office: Office) -> None:
    clerk, spam = office.client("sato"), advertising(office)
    answer = clerk.post(f"/faxes/{spam.id}/not-spam", data={"place": "spam"})
    assert answer.headers["location"].startswith(f"/faxes/{spam.id}")
    assert (rows(clerk), rows(clerk, "/?place=spam")) == ([spam.id], [])
    ((event, text),) = office.store.lessons.corrections()
    assert (event.detail["before"]["type"], event.detail["after"]["type"], event.who) == ("SPAM", "OTHER", "sato")
    assert text == TEXT
    assert clerk.post(f"/faxes/{spam.id}/not-spam").status_code == 422, "once is enough"
    office.store.begin(spam.id, "again")
    office.store.decided(spam.id, "again", ROUTED)
    assert rows(clerk) == [spam.id], "a person's word stays"


def test_a_person_may_say_that_a_fax_is_advertising(office: Office) -> None:
    clerk, fax = office.client("sato"), office.urgent()
    clerk.post(f"/faxes/{fax.id}/correct", data={"to": "kansen", "type": "SPAM"})
    assert rows(clerk, "/?place=spam") == [fax.id]
    assert not office.desk.fax(fax.id).urgent


def test_what_is_not_sure_or_urgent_stays_in_sight(office: Office) -> None:
    clerk = office.client("sato")
    unsure, urgent = advertising(office, apart=False), advertising(office, apart=False, urgent=True)
    assert set(rows(clerk, "/?place=held")) == {unsure.id, urgent.id}


@pytest.mark.parametrize(("age", "told"), [(FORGOTTEN - timedelta(hours=1), False), (FORGOTTEN, True)])
def test_nobody_forgets_it(office: Office, age: timedelta, told: bool) -> None:
    clerk, spam = office.client("sato"), advertising(office)
    aged(office, spam, age)
    sentence = "3日以上誰も見ていない広告が1件あります。"
    for place in ("new", "held", "done"):
        assert (sentence in plain(clerk, f"/?place={place}")) is told
    assert sentence not in plain(office.client("abe", departments=("bunsho",)))
    office.desk.mark(spam.id, "sato", "done")
    assert sentence not in plain(clerk)


def test_it_keeps_no_alarm_ringing(office: Office) -> None:
    advertising(office)
    figures = office.store.inbox.figures()
    assert (figures.oldest_unread, figures.apart) == (None, 1)
    assert "faxless_advertising_unseen 1.0" in office.client().get("/metrics").text
    assert len(office.store.inbox.find(Query())[0]) == 1
