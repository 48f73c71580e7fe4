"""The directory's pages: who may, what is found, what a person confirms, and the sender in the inbox."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from gateway import directory
from gateway.web.words import SORTS
from routing.directory import KINDS, Sighting
from tests.web.test_browser import Seat, chromium, seat

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Office

__all__ = ["chromium", "seat"]

TABLE = """name,number,kind,tsi
さくら保育園,03-5555-0199|03-5555-0198,nursery,
みどり薬局,03-5555-0193,pharmacy,
ひかり薬局,03-5555-0193,pharmacy,HIKARI
"""
SEEN = Sighting("+81355550144", "青葉クリニック", "AOBA")


def fill(office: Office) -> dict[str, str]:
    directory.take(office.store, TABLE.encode(), "tests")
    return {one.name: one.id for one in office.store.institutions.directory().institutions}


def plain(client: httpx.Client, address: str = "/directory") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


@pytest.mark.parametrize("address", ["/directory", "/directory/i-1"])
def test_only_managers_and_administrators(office: Office, address: str) -> None:
    assert office.client().get(address, follow_redirects=False).headers["Location"].startswith("/login")
    assert office.client("sato").get(address).status_code == 403
    assert office.client("sato").post("/directory/confirm", data={"verdict": "yes"}).status_code == 403
    assert "発信元" not in plain(office.client("sato"), "/").partition("受信箱")[2][:20]


def test_an_empty_directory_says_what_to_do(office: Office) -> None:
    assert "faxless directory import FILE.csv" in plain(office.client("ito", role="manager"))


def test_list_search_and_ambiguous_numbers(office: Office) -> None:
    fill(office)
    office.fax()
    manager = office.client("ito", role="manager")
    text = plain(manager)
    assert "登録済みの機関 3件" in text
    assert "03-5555-0193 : みどり薬局 、 ひかり薬局" in text or "03-5555-0193 : ひかり薬局 、 みどり薬局" in text
    assert "さくら保育園 保育園・幼稚園 03-5555-0198、03-5555-0199 1 " in text
    for wanted, found in (("みどり", 1), ("03 5555 0199", 1), ("HIKARI", 1), ("薬局", 2), ("ない名前", 0)):
        assert f"「{wanted}」の検索結果 {found}件" in plain(manager, f"/directory?q={wanted}")
    assert "institutions" in plain(manager, "/directory?lang=en")
    assert manager.get("/directory?page=0").status_code == 422


def test_pages_of_fifty(office: Office) -> None:
    rows = "".join(f"医院{number:03}号,\n" for number in range(60))
    directory.take(office.store, f"name,number\n{rows}".encode(), "tests")
    manager = office.client("ito", role="manager")
    first, second = plain(manager), plain(manager, "/directory?page=2")
    assert ("医院049号" in first, "医院050号" in first, "1 / 2" in first) == (True, False, True)
    assert ("医院049号" in second, "医院050号" in second) == (False, True)


def test_one_institution_and_taking_a_number_away(office: Office) -> None:
    ids = fill(office)
    manager = office.client("ito", role="manager")
    text = plain(manager, f"/directory/{ids['みどり薬局']}")
    assert "03-5555-0193 重複 ほかにも: ひかり薬局" in text
    answer = manager.post(f"/directory/{ids['みどり薬局']}/forget", data={"number": "+81355550193"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/directory/{ids['みどり薬局']}?said=forgotten")
    assert office.store.institutions.directory().ambiguous == {}
    assert "番号を外しました" in plain(manager, answer.headers["Location"])
    assert manager.post(f"/directory/{ids['みどり薬局']}/forget", data={"number": "+81355550193"}).status_code == 422
    assert manager.get("/directory/i-nobody").status_code == 404


def test_two_made_one(office: Office) -> None:
    ids = fill(office)
    manager = office.client("ito", role="manager")
    drop, into = ids["ひかり薬局"], ids["みどり薬局"]
    answer = manager.post(f"/directory/{drop}/merge", data={"into": f" {into} "})
    assert answer.headers["Location"] == f"/directory/{into}?said=merged"
    assert "ひかり薬局" in plain(manager, answer.headers["Location"])
    assert len(office.store.institutions.directory().institutions) == 2
    assert manager.post(f"/directory/{into}/merge", data={"into": "nobody"}).status_code == 422


def test_a_proposal_waits_for_a_person(office: Office) -> None:
    for _ in range(2):
        office.fax(caller=SEEN.number, sighting=SEEN)
    manager = office.client("ito", role="manager")
    text = plain(manager)
    assert "届いたFAXからの提案(1件)" in text
    assert "03-5555-0144 = 青葉クリニック 2件" in text
    assert "確認するまで、振り分けには使いません" in text
    form = {"number": SEEN.number, "seen": SEEN.name, "name": "青葉内科クリニック", "kind": "clinic"}
    assert manager.post("/directory/confirm", data=form).status_code == 422
    answer = manager.post("/directory/confirm", data={**form, "verdict": "yes"})
    assert answer.status_code == 303
    text = plain(manager, answer.headers["Location"])
    assert "登録しました" in text
    assert "青葉内科クリニック" in text
    assert "AOBA" in text
    assert "提案" not in plain(manager)
    gone = manager.post("/directory/confirm", data={**form, "verdict": "yes"})
    assert gone.status_code == 422
    assert "この提案はもうありません" in gone.text


def test_a_refused_proposal_goes(office: Office) -> None:
    for _ in range(2):
        office.fax(caller=SEEN.number, sighting=SEEN)
    manager = office.client("ito", role="manager")
    form = {"number": SEEN.number, "seen": SEEN.name, "verdict": "no"}
    assert manager.post("/directory/confirm", data=form).headers["Location"] == "/directory?said=refused"
    assert "提案(" not in plain(manager)
    assert office.store.institutions.directory().institutions == ()


def test_the_sender_stands_in_the_inbox_and_on_the_fax(office: Office) -> None:
    ids = fill(office)
    known, printed = office.fax(), office.fax(caller_source="tti")
    shared = office.fax(caller="+81355550193")
    clerk = office.client("sato")
    rows = {
        found[1]: found[0] for found in re.findall(r'(<li id="row-([^"]+)".*?</li>)', clerk.get("/").text, re.DOTALL)
    }
    assert "さくら保育園</span>" in rows[known.id]
    assert "さくら保育園" not in rows[printed.id].partition('class="from"')[2].partition("</div>")[0]
    assert "か" in rows[shared.id].partition('class="institution">')[2].partition("</span>")[0]
    assert "発信元 さくら保育園 発信番号で一致" in plain(clerk, f"/faxes/{known.id}")
    assert "/directory/" not in clerk.get(f"/faxes/{known.id}").text
    assert (
        f'href="/directory/{ids["さくら保育園"]}"'
        in office.client("ito", role="manager").get(f"/faxes/{known.id}").text
    )
    assert "複数の機関が登録されています" in plain(clerk, f"/faxes/{shared.id}")
    told = clerk.get(f"/api/v1/faxes/{known.id}", headers=office.token("sato")).json()
    assert told["sender_institution"]["name"] == "さくら保育園"


def test_both_languages_know_every_sort_of_sender() -> None:
    assert {code: names[0] for code, names in SORTS.items() if code} == KINDS


def test_names_from_a_table_are_only_words(office: Office) -> None:
    directory.take(office.store, 'name,number\n"<b>x</b>医院",03-5555-0144\n'.encode(), "tests")
    office.fax(caller="+81355550144")
    for client, address in ((office.client("ito", role="manager"), "/directory"), (office.client("sato"), "/")):
        assert "<b>x</b>" not in client.get(address).text


def test_by_keyboard_and_for_everybody(seat: Seat) -> None:
    office = seat.office
    ids = fill(office)
    for _ in range(2):
        office.fax(caller=SEEN.number, sighting=SEEN)
    page = seat.sign_in("ito", role="manager")
    page.get_by_role("link", name="発信元").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("発信元の台帳")
    assert seat.violations() == []
    page.get_by_role("textbox", name="名称", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="登録する")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("登録しました")
    assert seat.violations() == []
    seat.open(f"/directory/{ids['みどり薬局']}")
    assert seat.violations() == []
    page.get_by_role("button", name="外す").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("番号を外しました")
