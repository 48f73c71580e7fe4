"""Parts of split faxes and a restart between them: one fax at the end, counted once."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from gateway import machine
from gateway.models import month_of, now
from tests.city import SAMPLES, Gateway, start, write_city

HOKEN = "hoken@fax.example.jp"


def letter(name: str) -> bytes:
    return machine.letter(SAMPLES / name, machine.Call(to=HOKEN, caller="0355550199", style="canon"))


def pieces(whole: bytes, total: int = 2) -> list[bytes]:
    step = whole.index(b"\r\n", len(whole) // total) + 2
    return [
        b"From: <mfp@fax.example.jp>\r\nSubject: [%d/%d]\r\nMIME-Version: 1.0\r\n" % (number, total)
        + b'Content-Type: message/partial; number=%d; total=%d; id="job.0105@fax.example.jp"\r\n\r\n' % (number, total)
        + piece
        for number, piece in enumerate((whole[:step], whole[step:]), 1)
    ]


def counted(gateway: Gateway) -> int:
    (month,) = gateway.command("traffic", "--from", month_of(now()))["months"]
    return int(month["arrivals"]["count"])


def restarted(first: Gateway, number: int = signal.SIGKILL) -> Gateway:
    first.stop(number)
    second = start(first.path)
    second.token = first.token
    return second


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gateway that waits two seconds for parts."""
    path = write_city(tmp_path)
    text = path.read_text()
    assert "[smtp]\n" in text
    path.write_text(text.replace("[smtp]\n", "[smtp]\nparts_wait_minutes = 0.05\n"))
    return path


def test_killed_between_the_parts(tmp_path: Path) -> None:
    first = start(write_city(tmp_path))
    first.token = first.command("user", "add", "tests", "--token")["token"]
    one, two = pieces(letter("02_baidoku.tif"))
    waiting = first.mail(two)[0]
    assert first.settled(waiting)["kind"] == "part"
    second = restarted(first)
    try:
        fax = second.settled(second.mail(one)[0])
        assert (fax["kind"], fax["pages"], fax["document_type"]) == ("fax", 1, "DISEASE_7DAY")
        assert second.ask(f"/api/v1/faxes/{waiting}")["joined_into"] == fax["id"]
        assert counted(second) == 1
    finally:
        assert second.stop() == 0


def test_the_wait_goes_on_after_a_restart_and_the_late_part_completes(path: Path) -> None:
    first = start(path)
    first.token = first.command("user", "add", "tests", "--token")["token"]
    one, two = pieces(letter("02_baidoku.tif"))
    head = first.mail(two)[0]
    second = restarted(first)
    try:
        fax = until(second, head, kind="fax", state="held")
        assert "1番目" in fax["held_because"][0]
        assert counted(second) == 1
        late = second.mail(one)[0]
        fax = until(second, head, pages=1, state="routed")
        assert fax["document_type"] == "DISEASE_7DAY"
        assert second.ask(f"/api/v1/faxes/{late}")["joined_into"] == head
        assert counted(second) == 1
    finally:
        assert second.stop() == 0


def until(gateway: Gateway, fax_id: str, **wanted: object) -> dict[str, object]:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        fax: dict[str, object] = gateway.ask(f"/api/v1/faxes/{fax_id}")
        if all(fax[key] == value for key, value in wanted.items()):
            return fax
        time.sleep(0.2)
    raise AssertionError(fax)


def test_mails_with_a_counter_and_a_job_sent_again(tmp_path: Path) -> None:
    """FUJIFILM's way over SMTP, a restart between; then the whole job of another fax once more."""
    first = start(write_city(tmp_path))
    first.token = first.command("user", "add", "tests", "--token")["token"]
    mails = [
        letter(name).replace(b"Subject: Attached Image", b"Subject: [%d/2] Attached Image" % number)
        for number, name in enumerate(("02_baidoku.tif", "09_kujo.tif"), 1)
    ]
    assert all(b"/2]" in mail for mail in mails)
    head = first.mail(mails[0])[0]
    assert first.settled(head)["state"] == "held"
    second = restarted(first)
    try:
        other = second.mail(mails[1])[0]
        fax = until(second, head, pages=2)
        fax = second.settled(head)
        assert (fax["same_job"], fax["counted"]) == ([head, other], True)
        assert not any("届いていません" in reason for reason in fax["held_because"])
        assert second.settled(other)["joined_into"] == head
        again = [second.mail(letter("08_chumonsho.pdf"))[0] for _ in range(2)]
        told = [second.settled(fax_id) for fax_id in again]
        assert [entry["duplicate_of"] for entry in told].count(None) == 1
        assert counted(second) == 2
    finally:
        assert second.stop() == 0
