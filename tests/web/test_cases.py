"""Misdirected faxes: closed to everybody who gives no reason, wherever they ask; nothing goes out; the clock runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.carrier import Carrier
from gateway.case import last_moment, next_step, steps
from gateway.copies import NOT_SENT, Copies
from gateway.database import transaction
from gateway.models import TOKYO, Case, Fax, Part, now
from tests.web.conftest import ROUTED, Office

if TYPE_CHECKING:
    from gateway.reader import Readers

SECRET = "みどり薬局 御中\n処方箋 山田花子 緑内障"


def misdirected(office: Office, **more: Any) -> Fax:
    """A fax that the journey found to be another's."""
    told = {"held": True, "document_type": "MISDIRECTED", "reasons": ("宛先「みどり薬局」(1ページ)",), **more}
    return office.fax(SECRET, subject="みどり薬局", held_because=("他機関宛ての誤着の疑いがあります。",), **told)


def told_of(office: Office, fax: Fax) -> list[tuple[str, str]]:
    return [(e.who, e.action) for e in office.store.events(fax.id) if e.action.startswith("case:")]


def test_a_misdirected_fax_tells_nobody_anything_but_that_it_is_there(office: Office) -> None:
    fax = misdirected(office)
    clerk, token = office.client("suzuki"), office.token("suzuki")
    boss = office.client("chief", role="admin", departments=("*",))
    for client in (clerk, boss):
        for path in ("/?place=held", "/list?place=held", f"/cases/{fax.id}", "/cases"):
            page = client.get(path)
            assert page.status_code == 200
            assert fax.id in page.text
            for word in ("みどり", "山田", "緑内障", "5555-0199", "SAKURA"):
                assert word not in page.text, (path, word)
        assert client.get(f"/faxes/{fax.id}").headers["location"] == f"/cases/{fax.id}"
        for path in ("pages/1.png", "original", "searchable.pdf"):
            assert client.get(f"/faxes/{fax.id}/{path}").status_code == 303
    for path in ("pages/1.png", "pages/1.json", "original", "searchable.pdf"):
        assert clerk.get(f"/api/v1/faxes/{fax.id}/{path}", headers=token).status_code == 403
    for q in ("緑内障", "山田", "03-5555-0199"):
        assert fax.id not in clerk.get("/", params={"q": q}).text
        assert clerk.get("/api/v1/faxes", params={"q": q}, headers=token).json()["faxes"] == []
    assert office.desk.with_pages(fax, personal=True)["page_data"] == []
    (listed,) = clerk.get("/api/v1/faxes", headers=token).json()["faxes"]
    one = clerk.get(f"/api/v1/faxes/{fax.id}", headers=token).json()
    assert listed == one
    assert (one["sealed"], one["state"], one["pages"], one["line"], one["counted"]) == (True, "held", 1, "hoken", True)
    assert [one[key] for key in ("text", "subject", "caller", "tsi", "reasons", "fields")] == [
        "",
        "",
        None,
        None,
        [],
        {},
    ]
    assert "+81355550199" not in boss.get("/traffic.csv", params={"by": "sender"}).text


def test_it_opens_with_a_reason_to_that_person_alone_and_for_a_while(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax = misdirected(office)
    clerk, other = office.client("suzuki"), office.client("tanaka")
    assert clerk.post(f"/cases/{fax.id}/open", data={"why": "  "}).status_code == 422
    assert told_of(office, fax) == [("journey", "case:sealed")]
    assert clerk.post(f"/cases/{fax.id}/open", data={"why": "発信元の番号を確かめる"}).status_code == 303
    assert "緑内障" in clerk.get(f"/faxes/{fax.id}").text
    assert clerk.get(f"/faxes/{fax.id}/original").status_code == 200
    assert clerk.get(f"/api/v1/faxes/{fax.id}", headers=office.token("suzuki")).json()["text"] == SECRET
    assert other.get(f"/faxes/{fax.id}").status_code == 303
    opening = office.store.events(fax.id)[-4:]
    assert [e.detail for e in opening if e.action == "case:opened"] == [{"why": "発信元の番号を確かめる"}]
    monkeypatch.setattr("gateway.case.OPEN_FOR", timedelta(0))
    assert clerk.get(f"/faxes/{fax.id}").status_code == 303


def test_another_departments_case_does_not_exist(office: Office) -> None:
    fax = misdirected(office)
    stranger = office.client("sato", departments=("kekkaku",))
    assert fax.id not in stranger.get("/cases").text
    assert stranger.get(f"/cases/{fax.id}").status_code == 404
    assert stranger.post(f"/cases/{fax.id}/open", data={"why": "x"}).status_code == 404


def test_a_person_seals_a_fax_its_copies_stop_and_go_on_when_it_is_ours(office: Office) -> None:
    fax = office.fax(SECRET, department="kekkaku", sinks=("kekkaku-share",))
    clerk = office.client("suzuki", departments=("kekkaku",))
    assert "こちら宛てではない" in clerk.get(f"/faxes/{fax.id}").text
    assert clerk.post(f"/cases/{fax.id}/seal").headers["location"].startswith(f"/cases/{fax.id}")
    sealed = office.desk.fax(fax.id)
    assert (sealed.state, sealed.document_type, sealed.department) == ("held", "MISDIRECTED", "kekkaku")
    assert sealed.due_at == last_moment(now(), 1)
    (copy,) = office.store.copies.deliveries([fax.id])
    assert (copy.state, copy.error, office.store.copies.waiting(fax.id)) == ("failed", NOT_SENT, [])
    for path in ("work", "correct", "requeue"):
        assert clerk.post(f"/faxes/{fax.id}/{path}", data={"work": "done"}).status_code == 403
    answer = {"to": "kekkaku", "type": "TB_REPORT"}
    assert clerk.post(f"/cases/{fax.id}/ours", data=answer).status_code == 403, "nobody unseals what they have not seen"
    clerk.post(f"/cases/{fax.id}/open", data={"why": "宛先の確認"})
    for path in ("work", "correct", "requeue"):
        asked = {"work": "done", **answer}
        assert clerk.post(f"/faxes/{fax.id}/{path}", data=asked).status_code == 422, path
    assert clerk.post(f"/cases/{fax.id}/ours", data={**answer, "type": "MISDIRECTED"}).status_code == 422
    assert clerk.post(f"/cases/{fax.id}/ours", data=answer).status_code == 303
    ours = office.desk.fax(fax.id)
    assert (ours.sealed, ours.state, ours.document_type) == (None, "routed", "TB_REPORT")
    assert (ours.urgent, ours.due_at) == (True, ours.received_at), "due as what it is, no more as a case"
    assert [copy.state for copy in office.store.copies.waiting(fax.id)] == ["pending"]
    assert fax.id in office.wanted("carry")
    case = office.store.cases.case(fax.id)
    assert case is not None
    assert (case.outcome, case.closed_at is not None) == ("ours", True)


def test_a_sink_set_going_again_gets_nothing_that_is_sealed(office: Office) -> None:
    fax = office.fax(SECRET, department="kekkaku", sinks=("kekkaku-share",))
    office.store.seal(fax.id, "suzuki")
    (sink,) = office.store.copies.sinks()
    assert (sink.failed, sink.waiting, sink.dead(now())) == (0, 0, False), "kept back by us is no fault of the sink"
    assert office.store.copies.sinks(undone=True) == []
    assert office.store.copies.resend("kekkaku-share", "suzuki") == 0
    assert [copy.state for copy in office.store.copies.deliveries([fax.id])] == ["failed"]


def test_a_copy_in_hand_when_its_fax_is_sealed_is_not_sent(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    fax = office.fax(SECRET, department="kekkaku", sinks=("kekkaku-share",))
    in_hand = office.store.copies.waiting(fax.id)
    office.store.seal(fax.id, "suzuki")
    desk = office.desk
    carrier = Carrier(desk.config, desk.store, desk.spool, cast("Readers", None), desk.taxonomy)
    monkeypatch.setattr(Copies, "waiting", lambda _copies, _fax_id: in_hand)  # read before the fax was sealed
    assert carrier.carry(fax.id) is None
    (copy,) = office.store.copies.deliveries([fax.id])
    assert (copy.state, copy.error) == ("failed", NOT_SENT)


def test_a_correction_to_misdirected_seals_too_and_sends_nothing(office: Office) -> None:
    fax = office.fax()
    corrected = office.desk.correct(fax.id, "suzuki", "kekkaku", "MISDIRECTED")
    assert (corrected.sealed, corrected.state, office.store.copies.deliveries([fax.id])) == (fax.id, "held", [])


def test_reading_it_again_leaves_it_sealed(office: Office) -> None:
    fax = misdirected(office)
    office.store.begin(fax.id, "again")
    office.store.decided(fax.id, "again", ROUTED, lambda _: ["kekkaku-share"])
    again = office.desk.fax(fax.id)
    assert (again.sealed, again.state, again.document_type) == (fax.id, "held", "MISDIRECTED")
    assert office.store.copies.deliveries([fax.id]) == []


def test_its_repeats_and_its_parts_are_closed_with_it(office: Office) -> None:
    first = office.fax(SECRET, raw=b"Subject: once\r\n\r\nx")
    part = office.fax("残り", raw=b"Subject: part\r\n\r\ny")
    with transaction(office.store.engine) as session:
        session.add(Part(fax_id=part.id, partial_id="p", number=2))
        row = session.get(Fax, part.id)
        assert row is not None
        row.joined_into = first.id
        session.add(row)
    before = office.fax(SECRET, raw=b"Subject: once\r\n\r\nx")
    elsewhere = office.fax(SECRET, raw=b"Subject: once\r\n\r\nx", line="shomu", department="kansen")
    office.store.seal(first.id, "suzuki")
    after = office.fax(SECRET, raw=b"Subject: once\r\n\r\nx")
    for one in (first, part, before, after):
        assert office.desk.fax(one.id).sealed == first.id
    assert office.desk.fax(elsewhere.id).sealed is None, "another line's department decides for itself"
    clerk = office.client("suzuki")
    for one in (part, before, after):
        assert clerk.get(f"/faxes/{one.id}/original").headers["location"] == f"/cases/{first.id}"
        assert clerk.get(f"/cases/{one.id}").headers["location"] == f"/cases/{first.id}"


def test_a_case_ends_when_everything_is_done(office: Office) -> None:
    fax = misdirected(office)
    clerk = office.client("suzuki")
    page = f"/cases/{fax.id}"
    assert clerk.post(f"{page}/closed").status_code == 422
    assert clerk.post(f"{page}/called", data={"number": ""}).status_code == 422
    assert clerk.post(f"{page}/called", data={"number": "03-5555-0177", "note": "受付"}).status_code == 303
    assert clerk.post(f"{page}/settled", data={"outcome": "eaten", "note": "x"}).status_code == 422
    assert clerk.post(f"{page}/settled", data={"outcome": "returned", "note": "書留で返送"}).status_code == 303
    assert office.desk.fax(fax.id).due_at is None
    assert clerk.post(f"{page}/reported", data={"which": "reported", "note": "x"}).status_code == 422, "no leak"
    tomorrow = f"{now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    assert clerk.post(f"{page}/leaked", data={"known": tomorrow, "note": "x"}).status_code == 422
    assert clerk.post(f"{page}/leaked", data={"known": "", "note": "別の部署に渡した"}).status_code == 303
    assert clerk.post(f"{page}/closed").status_code == 422
    assert "速報" in clerk.get(page).text
    for which in ("reported", "confirmed"):
        assert clerk.post(f"{page}/reported", data={"which": which, "note": "受付1"}).status_code == 303
    assert clerk.post(f"{page}/closed").status_code == 303
    assert [action for _, action in told_of(office, fax)][1:] == [
        "case:called", "case:returned", "case:leaked", "case:reported", "case:confirmed", "case:closed",
    ]  # fmt: skip
    done = office.desk.fax(fax.id)
    assert (done.sealed, done.work, done.work_by) == (fax.id, "done", "suzuki")
    assert clerk.post(f"{page}/called", data={"number": "1"}).status_code == 422
    assert fax.id not in clerk.get("/cases").text
    assert fax.id in clerk.get("/cases?closed=1").text


def test_the_clock_counts_tokyos_days_from_the_first() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=TOKYO)
    case = Case(fax_id="x", since=late, by="journey", leaked_at=late)
    told = {step.name: step.due.isoformat() for step in steps(case)}
    assert told == {
        "called": "2026-11-23T23:59:59+09:00",
        "settled": "2026-11-29T23:59:59+09:00",
        "reported": "2026-11-25T23:59:59+09:00",
        "confirmed": "2026-12-22T23:59:59+09:00",
    }
    first = next_step(case)
    assert first is not None
    assert first.name == "called"
    assert first.late(late + timedelta(hours=1))


def test_destroying_asks_twice_tells_what_stays_and_then_nothing_opens(office: Office) -> None:
    fax = office.fax(SECRET, department="kekkaku", sinks=("kekkaku-share",), raw=b"Subject: once\r\n\r\nx")
    elsewhere = office.fax(SECRET, raw=b"Subject: once\r\n\r\nx", line="shomu", department="bunsho")
    (copy,) = office.store.copies.deliveries([fax.id])
    office.store.copies.carried(copy.id, "delivered", None, "/share/0001.json", None)
    clerk = office.client("suzuki", departments=("kekkaku",))
    page = f"/cases/{fax.id}"
    assert clerk.get(f"{page}/destroy").status_code == 404, "no case"
    clerk.post(f"{page}/seal")
    asked = clerk.get(f"{page}/destroy").text
    for word in (
        "元には戻せません",
        "発信元への連絡がまだ記録されていません",
        "kekkaku-share",
        "shomu",
        "バックアップ",
    ):
        assert word in asked, word
    assert elsewhere.id not in asked, "another department's fax"
    assert not any(word in asked for word in ("みどり", "山田", "緑内障", "5555-0199"))
    slip = {"outcome": "destroyed", "note": "発信元の依頼", "confirm": "はい"}
    assert clerk.post(f"{page}/settled", data=slip).status_code == 422
    assert clerk.post(f"{page}/settled", data={**slip, "confirm": fax.id, "note": " "}).status_code == 422
    assert office.desk.fax(fax.id).destroyed_at is None
    done = clerk.post(f"{page}/settled", data={**slip, "confirm": fax.id})
    assert done.headers["location"] == f"{page}?said=case:destroyed"
    shown = clerk.get(page).text
    for word in (
        "破棄しました",
        "破棄すべき写しが残っています",
        "/share/0001.json",
        "バックアップには、まだ残っています",
    ):
        assert word in shown, word
    for path in ("", "/original", "/pages/1.png", "/searchable.pdf"):
        answer = clerk.get(f"/faxes/{fax.id}{path}")
        assert (answer.status_code, "破棄しました" in answer.text) == (410, True), path
    assert clerk.get(f"{page}/destroy").status_code == 410
    assert clerk.post(f"{page}/open", data={"why": "x"}).status_code == 410
    assert clerk.post(f"{page}/ours", data={"to": "kekkaku", "type": "TB_REPORT"}).status_code == 410
    assert fax.id in clerk.get("/?place=held").text
    assert "破棄済み" in clerk.get("/?place=held").text
    assert "緑内障" not in clerk.get("/?place=held").text
    assert clerk.post(f"{page}/called", data={"number": "03-5555-0177"}).status_code == 303
    assert clerk.post(f"{page}/closed").status_code == 303
    assert office.client("abe", departments=("bunsho",)).get(f"/faxes/{elsewhere.id}/original").status_code == 200


def test_what_another_department_had_of_it_is_shut_for_them_too(office: Office) -> None:
    whole = office.fax(("感染症発生届", "注文書"))
    entry = office.fax("注文書", department="bunsho", document_type="PROCUREMENT", sinks=("bunsho-share",))
    with transaction(office.store.engine) as session:
        session.add(entry)
        entry.taken_from = whole.id
    clerk, boss = (
        office.client("abe", departments=("bunsho",)),
        office.client("chief", role="admin", departments=("*",)),
    )
    assert clerk.get(f"/faxes/{entry.id}").status_code == 200
    office.store.seal(whole.id, "suzuki")
    assert office.store.copies.waiting(entry.id) == []
    row = clerk.get("/").text
    assert "元のFAXが誤着とされたため" in row
    assert f'href="/faxes/{entry.id}"' in row
    for path in ("", "/original", "/pages/1.png"):
        answer = clerk.get(f"/faxes/{entry.id}{path}")
        assert (answer.status_code, "案件を扱う部署" in answer.text) == (403, True), path
    (told,) = clerk.get("/api/v1/faxes", headers=office.token("abe")).json()["faxes"]
    assert (told["id"], told["text"], told["sealed"]) == (entry.id, "", True)
    assert boss.get(f"/faxes/{entry.id}").headers["location"] == f"/cases/{whole.id}"
    assert entry.id in boss.get(f"/cases/{whole.id}").text
    boss.post(f"/cases/{whole.id}/open", data={"why": "確かめる"})
    assert boss.get(f"/faxes/{entry.id}/original").status_code == 200
    assert clerk.get(f"/faxes/{entry.id}").status_code == 403, "opened to the one who said why"
