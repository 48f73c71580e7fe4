"""One real fax through all of it: a mail over SMTP, read, decided, in its department's inbox, and counted."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from gateway import machine
from gateway.models import TOKYO, month_of, now
from tests.city import SAMPLES, Gateway, gateway_at, write_city

MEASLES, ENCRYPTED = "01_mashin.pdf", "14_angoka.pdf"


def letter(name: str, caller: str = "03-5555-0199", at: datetime | None = None) -> bytes:
    return machine.letter(SAMPLES / name, machine.Call(to="hoken@fax.example.jp", caller=caller, at=at))


def fetch(gateway: Gateway, path: str) -> bytes:
    request = urllib.request.Request(
        f"http://{gateway.config.web.listen}{path}", headers={"Authorization": f"Bearer {gateway.token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


def test_a_measles_notification_reaches_its_department_with_reasons(gateway: Gateway) -> None:
    raw = letter(MEASLES)
    (fax_id,) = gateway.mail(raw)
    fax = gateway.settled(fax_id)
    assert (fax["document_type"], fax["department"], fax["urgent"]) == ("DISEASE_IMMEDIATE", "kansen", True)
    assert fax["fields"]["disease"]["value"] == "麻しん"
    assert (fax["caller"], fax["line"], fax["pages"]) == ("+81355550199", "hoken", 1)
    assert any("麻しん" in reason for reason in fax["reasons"])
    assert fax["sha256"] == hashlib.sha256(raw).hexdigest()
    assert fax["due_at"] is not None
    assert "届け出" in fax["text"]
    assert fetch(gateway, f"/api/v1/faxes/{fax_id}/original") == raw
    assert fetch(gateway, f"/api/v1/faxes/{fax_id}/pages/1.png").startswith(b"\x89PNG")
    shown = gateway.command("show", fax_id)
    assert [page["page"] for page in shown.pop("page_data")] == [1]
    assert shown == fax


def test_the_month_counts_each_fax_once(gateway: Gateway) -> None:
    month = month_of(now())
    before = count(gateway, month)
    raw = letter("08_chumonsho.pdf")
    first = gateway.mail(raw)[0]
    again = gateway.mail(raw)[0]
    assert gateway.settled(again)["duplicate_of"] == first
    gateway.settled(first)
    after = count(gateway, month)
    assert after["arrivals"] == before["arrivals"] + 1
    assert after["duplicates"] == before["duplicates"] + 1


def count(gateway: Gateway, month: str) -> dict[str, int]:
    (told,) = gateway.command("traffic", "--from", month, "--to", month)["months"]
    return {"arrivals": told["arrivals"]["count"], "duplicates": told["excluded"]["duplicates"]}


def test_the_month_is_that_of_the_call_in_tokyo(gateway: Gateway) -> None:
    """The machine's clock is believed where it can be right: a little before the mail came."""
    yesterday = now() - timedelta(days=1)
    told = gateway.settled(gateway.mail(letter(MEASLES, at=yesterday))[0])
    assert told["received_at"] == yesterday.astimezone(TOKYO).isoformat(timespec="seconds")
    wrong = gateway.settled(gateway.mail(letter(MEASLES, at=datetime(2009, 1, 1, tzinfo=TOKYO)))[0])
    assert wrong["received_at"][:10] == now().astimezone(TOKYO).isoformat()[:10]


def test_what_cannot_be_opened_is_held_with_the_reason_and_its_original(gateway: Gateway) -> None:
    raw = letter(ENCRYPTED)
    fax = gateway.settled(gateway.mail(raw)[0])
    assert (fax["state"], fax["department"], fax["pages"]) == ("held", "kansen", 0)
    assert any("パスワード" in reason for reason in fax["held_because"])
    assert fetch(gateway, f"/api/v1/faxes/{fax['id']}/original") == raw


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "no_attachment"),
        (b"\x00\xff" * 500, "no_attachment"),
        (b"Subject: hello\r\n\r\nno fax here\r\n", "no_attachment"),
        (b"Subject: Auto\r\nAuto-Submitted: auto-replied\r\n\r\naway\r\n", "auto_reply"),
    ],
    ids=["empty", "noise", "no attachment", "auto reply"],
)
def test_a_mail_that_is_no_fax_is_held_and_not_counted(gateway: Gateway, raw: bytes, kind: str) -> None:
    fax = gateway.settled(gateway.mail(raw)[0])
    assert (fax["state"], fax["kind"], fax["counted"]) == ("held", kind, False)
    assert fax["held_because"]


def test_a_split_mail_becomes_one_fax_whatever_comes_first(gateway: Gateway) -> None:
    whole = letter("02_baidoku.tif")
    half = len(whole) // 2
    parts = [
        b"From: <mfp@fax.example.jp>\r\nSubject: [%d/2]\r\nMIME-Version: 1.0\r\n" % number
        + b'Content-Type: message/partial; number=%d; total=2; id="split.0105@fax.example.jp"\r\n\r\n' % number
        + piece
        for number, piece in ((1, whole[:half]), (2, whole[half:]))
    ]
    second = gateway.mail(parts[1])[0]
    assert gateway.settled(second)["kind"] == "part"
    first = gateway.mail(parts[0])[0]
    fax = gateway.settled(first)
    assert (fax["kind"], fax["counted"], fax["pages"], fax["document_type"]) == ("fax", True, 1, "DISEASE_7DAY")
    waiting = gateway.ask(f"/api/v1/faxes/{second}")
    assert (waiting["joined_into"], waiting["counted"], waiting["work"]) == (first, False, "done")


def test_a_correction_moves_the_fax_and_stays(gateway: Gateway) -> None:
    fax = gateway.settled(gateway.mail(letter("09_kujo.tif"))[0])
    moved = gateway.command("route", fax["id"], "--to", "keiyaku", "--type", "PROCUREMENT")
    assert (moved["department"], moved["document_type"], moved["state"]) == ("keiyaku", "PROCUREMENT", "routed")
    gateway.command("requeue", fax["id"])
    again = gateway.settled(fax["id"])
    assert (again["department"], again["document_type"]) == ("keiyaku", "PROCUREMENT")


def test_replay_says_the_same_and_writes_nothing(gateway: Gateway, tmp_path: Path) -> None:
    before = len(gateway.command("list", "--limit", "1000"))
    (told,) = gateway.command("replay", str(SAMPLES / "03_kekkaku.pdf"))
    assert told["document_type"] == "TB_REPORT"
    assert told["department"] == "kekkaku"
    (page,) = told["page_data"]
    assert "結核" in "".join(line["text"] for block in page["blocks"] for line in block["lines"])
    assert len(gateway.command("list", "--limit", "1000")) == before


def test_replay_explains_each_page_with_a_picture(gateway: Gateway, tmp_path: Path) -> None:
    out = tmp_path / "why"
    (told,) = gateway.command("replay", str(SAMPLES / "07_soshinhyo_hasseitodoke.pdf"), "--explain", "--out", str(out))
    assert told["pictures"] == [str(out / f"07_soshinhyo_hasseitodoke.pdf-{number}.png") for number in (1, 2)]
    for picture in told["pictures"]:
        assert Path(picture).read_bytes().startswith(b"\x89PNG")


def test_a_backlog_comes_in_once_in_its_own_month(gateway: Gateway, tmp_path: Path) -> None:
    old = datetime(2025, 2, 3, 9, 0, tzinfo=TOKYO)
    raw = letter("10_shuzai.pdf", at=old)
    (tmp_path / "old.eml").write_bytes(raw)
    assert gateway.command("import", str(tmp_path)) == {"taken": 1, "known": 0, "no_line": 0}
    assert gateway.command("import", str(tmp_path)) == {"taken": 0, "known": 1, "no_line": 0}
    (fax,) = [fax for fax in gateway.command("list", "--limit", "1000") if fax["received_at"].startswith("2025-02-03")]
    assert gateway.settled(fax["id"])["document_type"] == "PRESS"
    assert format_datetime(old) in raw.decode("ascii", "replace")
    (month,) = gateway.command("traffic", "--from", "2025-02", "--to", "2025-02")["months"]
    assert month["arrivals"]["count"] == 1


def test_copies_reach_a_sink_and_a_dead_sink_hides_nothing(tmp_path: Path) -> None:
    sinks = """
[[sink]]
id = "folder"
department = "kansen"
kind = "folder"
path = "copies"
[[sink]]
id = "dead"
department = "kansen"
kind = "webhook"
url = "http://127.0.0.1:9/fax"
secret = "whsec_aW52ZW50ZWQgc2VjcmV0IG9mIHRlc3Rz"
"""
    with gateway_at(write_city(tmp_path, sinks)) as gateway:
        fax = gateway.settled(gateway.mail(letter("02_baidoku.tif"))[0])
        assert (fax["state"], fax["department"]) == ("routed", "kansen")
        copies = {copy["sink"]: copy for copy in delivered(gateway, fax["id"])}
        assert copies["folder"]["state"] == "delivered"
        assert (copies["dead"]["state"], copies["dead"]["attempts"]) == ("deferred", 1)
        assert copies["dead"]["error"]
        assert copies["dead"]["next_attempt"]
        (told,) = (tmp_path / "copies").glob("*.json")
        card = json.loads(told.read_text())
        assert card["fax_id"] == fax["id"]
        original, searchable = card["files"]
        assert (tmp_path / "copies" / original).read_bytes() == (SAMPLES / "02_baidoku.tif").read_bytes()
        with pdfium.PdfDocument(tmp_path / "copies" / searchable) as document:
            assert "梅毒発生届" in document[0].get_textpage().get_text_range()


def delivered(gateway: Gateway, fax_id: str) -> list[dict[str, object]]:
    import time

    for _ in range(300):
        copies: list[dict[str, object]] = gateway.ask(f"/api/v1/faxes/{fax_id}")["deliveries"]
        if copies and all(copy["state"] != "pending" for copy in copies):
            return copies
        time.sleep(0.1)
    raise AssertionError(copies)
