"""The same journey on PostgreSQL, with the door, the worker and the pages in processes of their own."""

from __future__ import annotations

from pathlib import Path

from gateway import machine
from gateway.models import month_of, now
from tests.city import SAMPLES, start, write_city


def test_the_journey_on_postgresql_in_three_processes(postgres: str, tmp_path: Path) -> None:
    path = write_city(tmp_path, database=postgres)
    worker = start(path, "--roles", "worker,web")
    try:
        worker.token = worker.command("user", "add", "tests", "--token")["token"]
        door = start(path, "--roles", "smtp")
        try:
            raw = machine.letter(
                SAMPLES / "03_kekkaku.pdf", machine.Call(to="hoken@fax.example.jp", caller="0355550199")
            )
            first, again = door.mail(raw)[0], door.mail(raw)[0]
        finally:
            assert door.stop() == 0
        fax = worker.settled(first)
        assert (fax["document_type"], fax["department"], fax["state"]) == ("TB_REPORT", "kekkaku", "routed")
        assert worker.settled(again)["duplicate_of"] == first
        (month,) = worker.command("traffic", "--from", month_of(now()))["months"]
        assert (month["arrivals"]["count"], month["excluded"]["duplicates"]) == (1, 1)
        found = worker.ask("/api/v1/faxes?q=%E7%B5%90%20%E6%A0%B8")["faxes"]  # 結 核, as OCR may part it
        assert first in [fax["id"] for fax in found]
    finally:
        assert worker.stop() == 0
