"""A fax machine played by us is understood by us: what every style tells comes out again."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from pathlib import Path

import pytest

from gateway import machine
from gateway.errors import UsageError
from gateway.message import MessageKind, read_message
from gateway.models import TOKYO
from tests.city import SAMPLES

AT = datetime(2026, 11, 5, 9, 8, 7, tzinfo=TOKYO)


@pytest.mark.parametrize("style", machine.STYLES)
@pytest.mark.parametrize("name", ["01_mashin.pdf", "02_baidoku.tif"])
def test_every_style_tells_caller_time_and_fax(style: str, name: str) -> None:
    raw = machine.letter(
        SAMPLES / name, machine.Call(to="hoken@fax.example.jp", caller="03-5555-0199", style=style, at=AT)
    )
    message = read_message(raw)
    assert message.kind is MessageKind.FAX
    assert message.transmission.caller == "+81355550199"
    assert message.transmission.sent_at == AT
    assert [item.data for item in message.documents] == [(SAMPLES / name).read_bytes()]


@pytest.mark.parametrize("style", machine.STYLES)
def test_a_withheld_number_is_nobody(style: str) -> None:
    raw = machine.letter(SAMPLES / "01_mashin.pdf", machine.Call(to="hoken@fax.example.jp", style=style, at=AT))
    assert read_message(raw).transmission.caller is None


def test_lines_end_as_smtp_wants_them() -> None:
    raw = machine.letter(SAMPLES / "01_mashin.pdf", machine.Call(to="hoken@fax.example.jp"))
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert message_from_bytes(raw)["To"] == "hoken@fax.example.jp"


def test_an_eml_is_sent_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"Subject: x\n\nbody\n")
    assert machine.letter(tmp_path / "a.eml", machine.Call(to="a@b.example")) == b"Subject: x\n\nbody\n"


@pytest.mark.parametrize(
    ("content", "caller", "style"),
    [(b"hello", "", "ricoh"), (b"%PDF-1.4", "call me", "ricoh"), (b"%PDF-1.4", "", "toaster")],
)
def test_what_no_machine_does_is_refused(tmp_path: Path, content: bytes, caller: str, style: str) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(UsageError):
        machine.letter(tmp_path / "a.pdf", machine.Call(to="a@b.example", caller=caller, style=style))
