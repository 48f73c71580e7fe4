"""What machines tell of themselves stands at the machine; what tells of a lost fax reaches a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.models import TOKYO
from tests.web.test_inbox import plain, rows

if TYPE_CHECKING:
    from gateway.models import Fax
    from tests.web.conftest import Office

BAR = "届かなかったFAXがあるおそれがあります"


def notice(office: Office, kind: str, **more: Any) -> Fax:
    told = {"document_type": None, "held": True, "held_because": ("機器からの通知です。",), **more}
    return office.fax("", kind=kind, subject="エラー通知", **told)


def test_a_notice_stands_at_its_machine_with_time_and_kind_and_nowhere_else(office: Office) -> None:
    clerk, told = office.client("sato"), notice(office, "notice")
    page = plain(clerk, "/machines")
    assert "MFP-3F" in page
    assert "機器からの通知" in page
    assert f"{told.received_at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}" in page
    assert told.id in clerk.get("/machines").text
    assert rows(clerk) == rows(clerk, "/?place=held") == []
    assert not told.counts
    assert BAR not in plain(clerk)


def test_what_tells_of_a_lost_fax_is_said_in_every_tab_until_somebody_has_looked(office: Office) -> None:
    clerk = office.client("sato")
    lost, bounce = notice(office, "device_error"), notice(office, "bounce")
    for place in ("new", "held", "done", "notices"):
        page = plain(clerk, f"/?place={place}")
        assert BAR in page
        assert "機器のエラー通知" in page
        assert "配送エラー通知" in page
    assert "未確認" in plain(clerk, "/machines")
    for fax in (lost, bounce):
        assert BAR in plain(clerk)
        clerk.post(f"/faxes/{fax.id}/work", data={"work": "done"})
    assert BAR not in plain(clerk)
    assert "未確認" not in plain(clerk, "/machines")


def test_the_original_can_be_opened_by_an_administrator(office: Office) -> None:
    told = notice(office, "auto_reply", department=None)
    boss = office.client("chief", role="admin", departments=("*",))
    assert boss.get(f"/faxes/{told.id}/original").status_code == 200
    assert told.id in boss.get("/machines").text
    assert office.client("sato").get(f"/faxes/{told.id}/original").status_code == 404


def test_a_line_of_another_department_is_not_shown(office: Office) -> None:
    notice(office, "device_error")
    other = office.client("abe", departments=("bunsho",))
    assert "MFP-3F" not in plain(other, "/machines")
    assert BAR not in plain(other)


def test_a_mail_that_may_have_been_a_fax_stays_in_the_inbox(office: Office) -> None:
    clerk, nothing = office.client("sato"), notice(office, "no_attachment")
    assert rows(clerk, "/?place=held") == [nothing.id]
    assert nothing.id not in clerk.get("/machines").text
