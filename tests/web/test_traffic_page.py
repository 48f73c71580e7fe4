"""The managers' page: two counts side by side, the target, and nothing that looks like a success and is none."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import TYPE_CHECKING

from gateway.models import Baseline, RegisterEntry, month_of, now
from gateway.web.traffic import months_until
from gateway.web.words import Words, era

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Office


def plain(client: httpx.Client, address: str = "/traffic") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def import_base(office: Office, received: int, sent: int = 0) -> None:
    rows = [
        Baseline(month=f"{year}-{month:02}", bureau="保健医療局", department="kansen", direction=direction, count=count)
        for year in (2019, 2020)
        for month in range(1, 13)
        for direction, count in (("received", received), ("sent", sent))
    ]
    office.store.ledger.save_baseline(rows, "tests")


def note_paper(office: Office, count: int) -> None:
    month = month_of(now())
    rows = [
        RegisterEntry(key=str(number), date=f"{month}-01", month=month, department="kansen", direction="sent")
        for number in range(count)
    ]
    office.store.ledger.save_register(rows, "tests")


def test_without_a_base_year_it_says_how_to_import_one(office: Office) -> None:
    office.fax()
    text = plain(office.client("ito", role="manager"))
    assert "基準年の件数が未登録です" in text
    assert "faxless baseline import FILE.csv" in text
    assert "達成" not in text


def test_reached_and_missed_with_what_is_left(office: Office) -> None:
    import_base(office, received=100, sent=50)
    office.fax()
    note_paper(office, 5)
    manager = office.client("ito", role="manager")
    text = plain(manager)
    assert "100件に対して 削減率 99.0%" in text
    assert "達成 目標 98.0%削減 (このまま今月あと1件まで)" in text
    assert "150件に対して 削減率 96.7%" in text
    assert "未達 目標 98.0%削減まで、あと 2件 減らす必要があります" in text
    assert "速報" in text
    for _ in range(2):
        office.fax()
    assert "あと 1件 減らす必要があります" in plain(manager)


def test_nothing_recorded_is_no_success(office: Office) -> None:
    import_base(office, received=100)
    office.fax()
    text = plain(office.client("ito", role="manager"))
    assert "判定できません" in text  # no register: paper may only look like nothing
    months_before = text.count("記録なし")
    assert months_before == 12 * 2 + 1
    assert "一度も受信していません" in text  # the line "shomu"
    assert "03-5555-0102" in text
    assert "受信のない回線があります" in text


def test_what_is_not_counted_is_said(office: Office) -> None:
    office.fax(raw=b"the same")
    office.fax(raw=b"the same")
    office.fax(kind="notice", held=True, held_because=("通知です。",))
    text = plain(office.client("ito", role="manager"))
    assert "再送(重複) 1件" in text
    assert "機器の通知など 1件" in text


def test_broken_down_by_line_department_and_caller(office: Office) -> None:
    import_base(office, received=100)
    office.fax()
    office.fax(department="kekkaku", caller="+81355550142")
    manager = office.client("ito", role="manager")
    assert "hoken (03-5555-0101) 2 0" in plain(manager, "/traffic?by=line")
    assert "感染症対策課 1 0 100 99.0%" in plain(manager, "/traffic?by=department")
    assert "03-5555-0142 1 0" in plain(manager, "/traffic?by=sender")
    assert "内訳:回線" in plain(manager, "/traffic?by=nonsense")


def test_chart_and_table_say_the_same(office: Office) -> None:
    import_base(office, received=100)
    office.fax()
    page = office.client("ito", role="manager").get("/traffic").text
    months = re.findall(
        r'<tr data-month="([^"]+)" data-paper="([^"]*)" data-arrivals="([^"]*)" data-most="([^"]*)"', page
    )
    current = month_of(now())
    assert months[0][0] == months_until(current, 13)
    assert months[-1] == (current, "", "1", "2")
    assert months[0][2] == ""  # no bar where nothing was recorded


def test_another_month_and_no_month(office: Office) -> None:
    office.fax()
    manager = office.client("ito", role="manager")
    assert "2025年3月(令和7年3月)" in plain(manager, "/traffic?month=2025-03")
    assert manager.get("/traffic?month=2025-13").status_code == 422
    assert manager.get("/traffic?month=nonsense").status_code == 422


def test_csv_and_json(office: Office) -> None:
    import_base(office, received=100)
    office.fax()
    manager = office.client("ito", role="manager")
    table = manager.get("/traffic.csv?by=line")
    assert table.content.startswith(b"\xef\xbb\xbf")  # Excel knows UTF-8 by it
    assert "attachment" in table.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    this = [row for row in rows if row["month"] == month_of(now())]
    assert [(row["dimension"], row["value"], row["arrivals_count"]) for row in this] == [
        ("", "", "1"),
        ("line", "hoken", "1"),
    ]
    figures = manager.get("/traffic.json").json()["months"]
    assert len(figures) == 13
    assert figures[-1]["arrivals"] == {"count": 1, "base": 100, "reduction": 0.99}


def test_eras(office: Office) -> None:
    assert era(2019, 4) == ("平成", "Heisei", 31)
    assert era(2019, 5) == ("令和", "Reiwa", 1)
    assert era(1989, 1)[0] == "昭和"
    assert era(1900, 1) == ("", "", 0)
    words = Words("ja", office.desk.config.organisation, office.desk.taxonomy)
    assert words.month("2019-11") == "2019年11月(令和元年11月)"
    assert words.month("2026-01") == "2026年1月(令和8年1月)"
    english = Words("en", office.desk.config.organisation, office.desk.taxonomy)
    assert english.month("2026-11") == "Nov 2026 (Reiwa 8)"
