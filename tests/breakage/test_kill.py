"""kill -9 at any moment: whatever was answered 250 is there once, read, and counted once."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from gateway import machine
from gateway.models import month_of, now
from tests.city import SAMPLES, Gateway, start, write_city

LETTERS = ("02_baidoku.tif", "03_kekkaku.pdf", "08_chumonsho.pdf")


def send_three(gateway: Gateway) -> list[str]:
    call = machine.Call(to="hoken@fax.example.jp", caller="0355550199")
    return [gateway.mail(machine.letter(SAMPLES / name, call))[0] for name in LETTERS]


@pytest.mark.parametrize("seconds", [0.0, 0.7, 2.5], ids=["at once", "while opening", "while reading"])
def test_a_killed_gateway_loses_and_doubles_nothing(tmp_path: Path, seconds: float) -> None:
    path = write_city(tmp_path)
    first = start(path)
    first.token = first.command("user", "add", "tests", "--token")["token"]
    ids = send_three(first)
    time.sleep(seconds)
    children = psutil.Process(first.process.pid).children(recursive=True)
    first.stop(signal.SIGKILL)
    second = start(path)
    try:
        second.token = first.token
        faxes = [second.settled(fax_id) for fax_id in ids]
        assert [fax["document_type"] for fax in faxes] == ["DISEASE_7DAY", "TB_REPORT", "PROCUREMENT"]
        (month,) = second.command("traffic", "--from", month_of(now()))["months"]
        assert month["arrivals"]["count"] == len(ids)
        assert len(second.command("list")) == len(ids)
        _, alive = psutil.wait_procs(children, timeout=60)
        assert alive == [], "a reading outlived the process that asked for it"
    finally:
        assert second.stop() == 0


def test_another_worker_takes_over_from_a_killed_one(tmp_path: Path, postgres: str) -> None:
    """Two hosts on one database and one spool; the one that was reading is killed and does not come back."""
    path = write_city(tmp_path, database=postgres)
    other_path = tmp_path / "other" / "config.toml"
    other_path.parent.mkdir()
    other_path.write_text(path.read_text())
    (tmp_path / "other" / "var").mkdir()
    first = start(path)
    first.token = first.command("user", "add", "tests", "--token")["token"]
    (tmp_path / "other" / "var" / "spool").symlink_to(tmp_path / "var" / "spool")
    ids = send_three(first)
    time.sleep(1.5)
    first.stop(signal.SIGKILL)
    second = start(other_path)
    try:
        second.token = first.token
        assert [second.settled(fax_id)["document_type"] for fax_id in ids] == [
            "DISEASE_7DAY",
            "TB_REPORT",
            "PROCUREMENT",
        ]
    finally:
        assert second.stop() == 0


def test_a_gateway_told_to_stop_leaves_its_pages_for_the_next_start(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    first = start(path)
    first.token = first.command("user", "add", "tests", "--token")["token"]
    ids = send_three(first)
    time.sleep(2.5)
    assert first.stop(signal.SIGTERM) == 0
    second = start(path)
    try:
        second.token = first.token
        faxes = [second.settled(fax_id) for fax_id in ids]
        assert [fax["document_type"] for fax in faxes] == ["DISEASE_7DAY", "TB_REPORT", "PROCUREMENT"]
        assert [fax["held_because"] for fax in faxes] == [[], [], []]
    finally:
        assert second.stop() == 0
