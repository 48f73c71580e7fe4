"""One fax: everything known of it, and what a person can do."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING

from PIL import Image

from gateway.models import Page
from gateway.web.fax import pieces

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Office


def plain(client: httpx.Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_what_it_is_and_why_it_came_here(office: Office) -> None:
    fax = office.fax(
        ("感染症集団発生報告書\nさくら保育園", "二枚目"),
        reasons=("題名「感染症集団発生報告書」", "規則「保育園」"),
        fields={
            "disease": {"value": "麻しん", "raw": "麻 し ん", "page": 1, "box": [80, 90, 200, 122], "confidence": 0.9}
        },
        barcodes=("DOC-001",),
        sinks=("share",),
    )
    text = plain(office.client("sato"), f"/faxes/{fax.id}")
    for word in (
        "社会福祉施設等 感染症集団発生報告", "確度 高", "感染症対策課", "03-5555-0199", "機器がメールのヘッダーに記載",
        "SAKURA NURSERY", "本人確認にはなりません", "規則「保育園」", "疾患名", "麻 し ん", "DOC-001", "さくら保育園",
        "二枚目", "share: 配送待ち", "hoken (03-5555-0101)", fax.id, "受信しました", "振り分けました",
    ):  # fmt: skip
        assert word in text, word


def test_looking_is_written_down(office: Office) -> None:
    fax, clerk = office.fax(), office.client("sato")
    clerk.get(f"/faxes/{fax.id}")
    clerk.get(f"/faxes/{fax.id}/original")
    looks = [(event.who, event.action) for event in office.store.events(fax.id)][-2:]
    assert looks == [("sato", "viewed"), ("sato", "downloaded")]
    text = plain(clerk, f"/faxes/{fax.id}")
    assert text.count("sato 閲覧しました") == 1  # again within the hour is not told again, but kept
    assert sum(event.action == "viewed" for event in office.store.events(fax.id)) == 2


def test_the_original_byte_for_byte(office: Office) -> None:
    raw = b"Subject: =?broken\r\n\r\n" + bytes(range(256)) + b"\r\n.\r\nno end"
    fax = office.fax(raw=raw)
    answer = office.client("sato").get(f"/faxes/{fax.id}/original")
    assert answer.content == raw
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{fax.id}.eml"'


def test_pages_as_pictures(office: Office) -> None:
    fax, clerk = office.fax(("一枚目", "二枚目")), office.client("sato")
    answer = clerk.get(f"/faxes/{fax.id}/pages/2.png")
    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (860, 1216)
    assert clerk.get(f"/faxes/{fax.id}/pages/3.png").status_code == 404
    assert clerk.get(f"/faxes/{fax.id}/pages/x.png").status_code == 422
    assert 'loading="lazy"' in clerk.get(f"/faxes/{fax.id}").text


def test_a_page_that_could_not_be_read_says_why_and_offers_the_original(office: Office) -> None:
    fax = office.held("1ページ目が読めません。", problem="画像が壊れています。送り直しを依頼してください。")
    clerk = office.client("sato")
    page = clerk.get(f"/faxes/{fax.id}?place=held").text
    assert "画像が壊れています" in page
    assert f'href="/faxes/{fax.id}/original"' in page
    assert "人の確認が必要です" in page
    picture = clerk.get(f"/faxes/{fax.id}/pages/1.png")
    assert picture.status_code == 404
    assert "画像が壊れています" in picture.text


def test_a_fax_that_is_still_being_read(office: Office) -> None:
    fax = office.mail()
    admin = office.client("suzuki", role="admin")
    assert "読み取り中です" in plain(admin, f"/faxes/{fax.id}")
    assert admin.get(f"/faxes/{fax.id}/original").status_code == 200


def test_lost_bytes_are_told_without_internals(office: Office) -> None:
    fax, clerk = office.fax(), office.client("sato")
    (office.desk.spool.folder / fax.sha256[:2] / fax.sha256).unlink()
    answer = clerk.get(f"/faxes/{fax.id}/original")
    assert answer.status_code == 500
    assert "原本が見つかりません" in answer.text
    assert str(office.desk.spool.folder) not in answer.text


def test_work_from_the_page(office: Office) -> None:
    clerk = office.client("sato")
    older, fax = office.fax(), office.fax()
    address = f"/faxes/{fax.id}/work"
    taken = clerk.post(f"{address}?then=stay", data={"work": "claimed", "seen": "new "})
    assert taken.headers["Location"] == f"/faxes/{fax.id}?said=claimed"
    assert "対応を開始しました" in plain(clerk, taken.headers["Location"])
    back = clerk.post(f"{address}?then=stay", data={"work": "new", "seen": "claimed sato"})
    assert back.headers["Location"] == f"/faxes/{fax.id}?said=new"
    done = clerk.post(f"{address}?then=next", data={"work": "done", "seen": "new sato"})
    assert done.headers["Location"] == f"/faxes/{older.id}?said=done"
    last = clerk.post(f"/faxes/{older.id}/work?then=next", data={"work": "done", "seen": "new "})
    assert last.headers["Location"] == "/?said=done"


def test_correction_moves_the_fax_and_is_remembered(office: Office) -> None:
    clerk = office.client("sato", departments=("kansen", "kekkaku"))
    fax = office.held("種別の確度が低いため")
    moved = clerk.post(f"/faxes/{fax.id}/correct", data={"to": "kekkaku", "type": "TB_REPORT"})
    assert moved.headers["Location"] == f"/faxes/{fax.id}?said=corrected"
    now_there = office.desk.fax(fax.id)
    assert (now_there.department, now_there.document_type, now_there.state) == ("kekkaku", "TB_REPORT", "routed")
    assert now_there.corrected_by == "sato"
    assert office.wanted("carry") == [fax.id]
    text = plain(clerk, f"/faxes/{fax.id}")
    assert "感染症対策課 → 結核担当" in text
    assert "結核発生届" in text
    assert "kekkaku-share: 配送待ち" in text
    assert "人の確認が必要です" not in text


def test_a_fax_corrected_away_leaves_the_person(office: Office) -> None:
    clerk, fax = office.client("sato"), office.fax()
    moved = clerk.post(f"/faxes/{fax.id}/correct", data={"to": "bunsho", "type": "OTHER", "place": "held"})
    assert moved.headers["Location"] == "/?place=held&said=corrected"
    assert clerk.get(f"/faxes/{fax.id}").status_code == 404


def test_a_correction_needs_both_and_real_ones(office: Office) -> None:
    clerk, fax = office.client("sato"), office.fax()
    for form, told in (
        ({"to": "bunsho"}, "両方を選んでください"),
        ({"type": "OTHER"}, "両方を選んでください"),
        ({"to": "nowhere", "type": "OTHER"}, "がありません"),
        ({"to": "bunsho", "type": "NONSENSE"}, "がありません"),
    ):
        answer = clerk.post(f"/faxes/{fax.id}/correct", data=form)
        assert answer.status_code == 422, form
        assert told in answer.text
    assert office.desk.fax(fax.id).department == "kansen"


def test_reading_again(office: Office) -> None:
    clerk, fax = office.client("sato"), office.fax()
    before = office.wanted("journey")
    again = clerk.post(f"/faxes/{fax.id}/requeue")
    assert again.status_code == 303
    assert office.wanted("journey") == [*before, fax.id]
    assert office.desk.fax(fax.id).state == "received"


def test_repeats_are_linked_both_ways(office: Office) -> None:
    clerk = office.client("sato")
    first, again = office.fax(raw=b"the same"), office.fax(raw=b"the same")
    hidden = office.fax(raw=b"the same", line="shomu", department="bunsho")
    told = clerk.get(f"/faxes/{first.id}").text
    assert f'href="/faxes/{again.id}"' in told
    assert hidden.id not in told
    assert f'href="/faxes/{first.id}"' in clerk.get(f"/faxes/{again.id}").text


def test_next_and_previous(office: Office) -> None:
    clerk = office.client("sato")
    oldest, middle, newest = office.fax(), office.fax(), office.fax()
    page = clerk.get(f"/faxes/{middle.id}").text
    assert re.search(rf'rel="prev" href="/faxes/{newest.id}"', page)
    assert re.search(rf'rel="next" href="/faxes/{oldest.id}"', page)
    assert 'rel="next"' not in clerk.get(f"/faxes/{oldest.id}").text


def test_pieces_keep_the_text_and_know_its_places() -> None:
    page = Page(fax_id="x", number=1, text="届出 2026年\n届出 終\n")
    page.words = [["届出", 10, 20, 50, 40, 0.99], ["2026年", 60, 20, 120, 40, 0.3], ["届出", 10, 60, 50, 80, 0.9],
                  ["missing", 0, 0, 1, 1, 0.9], ["終", 60, 60, 60, 60, 0.9]]  # fmt: skip
    found = pieces(page)
    assert "".join(piece.text for piece in found) == page.text
    placed = [(piece.text, piece.box, piece.faint) for piece in found if piece.box]
    assert placed == [
        ("届出", (10, 20, 40, 20), False),
        ("2026年", (60, 20, 60, 20), True),
        ("届出", (10, 60, 40, 20), False),
        ("終", (60, 60, 1, 1), False),
    ]


def test_a_page_number_that_no_database_takes_is_no_page(office: Office) -> None:
    fax = office.fax()
    for number in ("0", "-1", "99", "9" * 30):
        assert office.client("sato").get(f"/faxes/{fax.id}/pages/{number}.png").status_code == 404, number
