"""The department's inbox: what stands where, in which order, and how one finds it again."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gateway.inbox import Query
from gateway.models import Fax, now
from gateway.web.inbox import PER_PAGE

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Office


def rows(client: httpx.Client, address: str = "/") -> list[str]:
    """Ids of the faxes in the list, in their order."""
    answer = client.get(address)
    assert answer.status_code == 200
    return re.findall(r'<li id="row-([0-9a-z-]+)"', answer.text)


def plain(client: httpx.Client, address: str = "/") -> str:
    """What a person reads on a page."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", client.get(address).text))
    return re.sub(r"\s+", " ", text)


def test_every_mail_stands_in_one_place(office: Office) -> None:
    clerk = office.client("sato")
    new, claimed, done = office.fax(), office.fax(), office.fax()
    held, failed = office.held(), office.held()
    notice = office.fax(kind="notice", held=True, held_because=("機器からの通知です。",), document_type=None)
    nothing = office.fax(kind="no_attachment", held=True, held_because=("添付がありません。",), document_type=None)
    office.desk.mark(claimed.id, "sato", "claimed")
    office.desk.mark(done.id, "sato", "done")
    office.store.failed(failed.id, f"run of {failed.id}", "読み取りの処理が止まりました。")
    expected = {
        "new": {new.id},
        "claimed": {claimed.id},
        "held": {held.id, failed.id, nothing.id},
        "done": {done.id},
        "notices": {notice.id},
    }
    for place, ids in expected.items():
        assert set(rows(clerk, f"/?place={place}")) == ids, place
    tally = office.store.inbox.tally(("kansen",))
    assert {place: getattr(tally, place) for place in expected} == {p: len(ids) for p, ids in expected.items()}
    everything = {fax.id for fax in office.store.inbox.find(Query(limit=100))[0]}
    assert everything == set().union(*expected.values())


def test_urgent_first_then_newest(office: Office) -> None:
    clerk = office.client("sato")
    first, urgent_old, last, urgent_new = office.fax(), office.urgent(), office.fax(), office.urgent()
    assert rows(clerk) == [urgent_new.id, urgent_old.id, last.id, first.id]
    assert "緊急" in plain(clerk)


def test_all_pages_together_show_every_fax_once(office: Office) -> None:
    clerk = office.client("sato")
    made = [(office.urgent() if number % 10 == 0 else office.fax()).id for number in range(PER_PAGE + 7)]
    address, seen = "/", []
    while address:
        answer = clerk.get(address).text
        seen += re.findall(r'<li id="row-([0-9a-z-]+)"', answer)
        following = re.search(r'rel="next" href="([^"]+)"', answer)
        address = html.unescape(following[1]) if following else ""
    urgent = made[::10]
    assert seen == [*reversed(urgent), *(fax_id for fax_id in reversed(made) if fax_id not in urgent)]


def test_a_row_tells_what_a_person_must_know(office: Office) -> None:
    clerk = office.client("sato")
    office.urgent(due_at=now() - timedelta(hours=2), masked=True)  # 直ちに: due when it came
    text = plain(clerk)
    for word in (
        "感染症発生届(直ちに)",
        "緊急",
        "黒塗りあり",
        "03-5555-0199",
        "SAKURA NURSERY",
        "1枚",
        "確度 高",
        "直ちに(受信から0分)",
    ):
        assert word in text, word
    assert "題名「感染症集団発生報告書」" in text


def test_held_says_why_and_urgent_held_is_not_overlooked(office: Office) -> None:
    clerk = office.client("sato")
    office.held("氏名が黒塗りです。", "発信番号がありません。")
    assert "緊急のおそれ" not in plain(clerk)
    office.urgent(held=True, held_because=("疾患名を読めません。",))
    assert "緊急のおそれのあるFAXが「要確認」にあります" in plain(clerk)
    held = plain(clerk, "/?place=held")
    assert "氏名が黒塗りです。 ほか1件" in held
    assert "疾患名を読めません。" in held


def test_a_mail_that_came_again_is_marked_and_not_new(office: Office) -> None:
    clerk = office.client("sato")
    first, again = office.fax(raw=b"the same"), office.fax(raw=b"the same")
    other_line = office.fax(raw=b"the same", line="shomu")
    assert (again.duplicate_of, other_line.duplicate_of) == (first.id, first.id)
    assert first.id in rows(clerk)
    assert again.id not in rows(clerk)
    assert other_line.id in rows(clerk)
    assert "再送(重複)" in plain(clerk)


def test_departments_are_parted(office: Office) -> None:
    clerk = office.client("sato", departments=("kansen", "bunsho"))
    mine, hers, other = office.fax(), office.fax(department="bunsho"), office.fax(department="kekkaku")
    assert set(rows(clerk)) == {mine.id, hers.id}
    assert rows(clerk, "/?department=bunsho") == [hers.id]
    assert set(rows(clerk, "/?department=kekkaku")) == {mine.id, hers.id}  # not hers: as if nothing had been asked
    assert set(rows(clerk, "/?department=-")) == {mine.id, hers.id}
    assert "結核担当" not in plain(clerk)
    admin = office.client("suzuki", role="admin", departments=())
    nowhere = office.fax(department=None, held=True, held_because=("部署が決まりません。",))
    assert rows(admin, "/?department=-&place=held") == [nowhere.id]
    assert set(rows(admin)) == {mine.id, hers.id, other.id}


def test_search_by_text_however_it_is_written_and_by_caller(office: Office) -> None:
    clerk = office.client("sato")
    found = office.fax("検 査 結 果\nﾉﾛｳｲﾙｽ 陽性", caller="+81355550142")
    done = office.fax("ノロウイルス 陰性")
    office.desk.mark(done.id, "sato", "done")
    other = office.fax("見積書")
    assert set(rows(clerk, "/?q=ノロウイルス")) == {found.id, done.id}
    assert rows(clerk, "/?q=検査結果") == [found.id]
    assert rows(clerk, "/?q=03-5555-0142") == [found.id]
    assert rows(clerk, "/?q=+81355550142".replace("+", "%2B")) == [found.id]
    assert rows(clerk, "/?q=%25") == []  # a percent sign is no wildcard
    assert rows(clerk, "/?q=__") == []
    assert other.id not in rows(clerk, "/?q=ノロ")
    assert "見つかりませんでした" in plain(clerk, "/?q=そんな言葉はない")


def test_search_stays_in_the_departments(office: Office) -> None:
    office.fax("秘密の文書", department="kekkaku")
    assert rows(office.client("sato"), "/?q=秘密") == []


def test_strange_questions_are_answered_calmly(office: Office) -> None:
    clerk = office.client("sato")
    office.fax()
    assert rows(clerk, "/?place=nonsense")
    assert rows(clerk, "/?q=%00%01") != []
    assert clerk.get("/?cursor=nonsense").status_code == 422
    assert clerk.get("/?cursor=AAAA").status_code == 422
    assert clerk.get("/?q=" + "x" * 5000).status_code == 422
    script = plain(clerk, "/?q=<script>alert(1)</script>")
    assert "<script>alert" not in clerk.get("/?q=<script>alert(1)</script>").text
    assert "<script>alert(1)</script>" in script  # shown as it was typed


def test_content_of_a_fax_is_never_markup(office: Office) -> None:
    evil = '<img src=x onerror="alert(1)">'
    fax = office.fax(evil, reasons=(evil,), tsi=evil, subject=evil)
    clerk = office.client("sato")
    for address in ("/", f"/faxes/{fax.id}"):
        assert "<img src=x" not in clerk.get(address).text


def test_empty_places_say_what_to_do(office: Office) -> None:
    clerk = office.client("sato")
    assert "FAXが届くと、この画面に自動で表示されます" in plain(clerk)
    office.held()
    assert "要確認が1件あります" in plain(clerk)
    assert "「対応する」を押すと" in plain(clerk, "/?place=claimed")


def test_take_and_finish_from_the_list_with_and_without_script(office: Office) -> None:
    clerk, fax = office.client("sato"), office.fax()
    fragment = clerk.post(
        f"/faxes/{fax.id}/work", data={"work": "claimed", "seen": "new "}, headers={"HX-Request": "true"}
    )
    assert fragment.status_code == 200
    assert fragment.text.lstrip().startswith('<div id="list"')
    assert "対応を開始しました" in fragment.text
    assert rows(clerk, "/?place=claimed") == [fax.id]
    back = clerk.post(f"/faxes/{fax.id}/work", data={"work": "done", "place": "claimed"})
    assert back.headers["Location"] == "/?place=claimed&said=done"
    assert "完了にしました" in plain(clerk, back.headers["Location"])
    assert rows(clerk, "/?place=done") == [fax.id]


def test_two_people_do_not_undo_each_other_unawares(office: Office) -> None:
    sato, ito, fax = office.client("sato"), office.client("ito"), office.fax()
    sato.post(f"/faxes/{fax.id}/work", data={"work": "claimed", "seen": "new "})
    late = ito.post(f"/faxes/{fax.id}/work", data={"work": "claimed", "seen": "new "}, headers={"HX-Request": "true"})
    assert "ほかの人が先に操作していました" in late.text
    assert office.desk.fax(fax.id).work_by == "sato"
    assert "対応中: sato" in plain(ito, "/?place=claimed")


def test_no_such_work(office: Office) -> None:
    clerk, fax = office.client("sato"), office.fax()
    assert clerk.post(f"/faxes/{fax.id}/work", data={"work": "burned"}).status_code == 422
    assert office.desk.fax(fax.id).work == "new"


def test_the_page_is_told_of_changes_and_not_of_looks(office: Office) -> None:
    clerk, fax = office.client("sato"), office.fax()
    before = office.store.inbox.last_event()
    clerk.get(f"/faxes/{fax.id}")
    clerk.get(f"/faxes/{fax.id}/original")
    assert office.store.inbox.last_event() == before
    with clerk.stream("GET", f"/events?since={before}") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        office.fax()
        told = next(line for line in stream.iter_lines() if line.startswith("event"))
    assert told == "event: changed"
    with clerk.stream("GET", "/events", headers={"Last-Event-ID": str(before)}) as stream:
        number = next(line for line in stream.iter_lines() if line.startswith("id"))
    assert int(number.removeprefix("id: ")) > before


def test_neighbours_follow_the_lists_order(office: Office) -> None:
    made = [office.fax(), office.urgent(), office.fax(), office.urgent(), office.fax()]
    query = Query(departments=("kansen",), place="new", urgent_first=True)
    order = [fax.id for fax in office.store.inbox.find(query)[0]]
    assert len(order) == len(made)
    for number, fax_id in enumerate(order):
        fax = office.desk.fax(fax_id)
        before = order[number - 1] if number else None
        after = order[number + 1] if number + 1 < len(order) else None
        assert office.store.inbox.neighbours(fax, query) == (before, after)


def test_many_faxes_of_one_moment_are_all_shown(office: Office) -> None:
    made = {office.fax().id for _ in range(5)}
    with office.store.engine.begin() as connection:
        connection.execute(sa.update(Fax).values(accepted_at=now()))
    seen, cursor = [], None
    while True:
        found, cursor = office.store.inbox.find(Query(limit=2, cursor=cursor, urgent_first=True))
        seen += [fax.id for fax in found]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
