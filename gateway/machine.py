"""Plays a fax machine: wraps a document into a mail the way a maker's machines do, and sends it by SMTP."""

from __future__ import annotations

import smtplib
import uuid
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from gateway.errors import UsageError
from gateway.models import TOKYO
from routing import number

STYLES = ("plain", "ricoh", "canon", "hylafax", "efax")
MEDIA = {b"%PDF": ("application", "pdf", "pdf"), b"II*\0": ("image", "tiff", "tif"), b"MM\0*": ("image", "tiff", "tif")}


@dataclass(frozen=True, slots=True)
class Call:
    """What the machine knows of the fax call it forwards."""

    to: str
    caller: str = ""
    style: str = "ricoh"
    at: datetime | None = None
    machine: str = "mfp@fax.example.jp"


def letter(file: Path, call: Call) -> bytes:
    """The mail that carries ``file``; an .eml is sent as it is."""
    data = _bytes(file)
    if file.suffix.lower() == ".eml":
        return data
    head = data.lstrip()[:4]
    if head not in MEDIA:
        raise UsageError(f"{file}: PDF でも TIFF でもありません (send PDF, TIFF or .eml)")
    moment = call.at or datetime.now(TOKYO)
    caller = _plain(call.caller)
    kind, subtype, suffix = MEDIA[head]
    mail = EmailMessage()
    mail["From"], mail["To"] = f"<{call.machine}>", call.to
    mail["Date"] = format_datetime(moment)
    mail["Message-ID"] = f"<{uuid.uuid4().hex}@{call.machine.partition('@')[2]}>"
    subject, body = _wording(call.style, caller, moment)
    mail["Subject"] = subject
    mail.set_content(body)
    mail.add_attachment(data, maintype=kind, subtype=subtype, filename=f"{moment:%Y%m%d%H%M%S}.{suffix}")
    return mail.as_bytes(policy=SMTP)


def _wording(style: str, caller: str, moment: datetime) -> tuple[str, str]:
    job = f"{moment:%H%M}"
    wordings = {
        "plain": (f"FAX {caller}".strip(), "FAX"),
        "ricoh": (f"From {caller or 'UNKNOWN'} (Fax Message No. {job})", 'This E-mail was sent from "MFP" (IM C3000).'),
        "canon": ("Attached Image", f"Fax received from {caller}" if caller else "Fax received"),
        "hylafax": (
            f"Facsimile received from {caller or '<UNSPECIFIED>'}",
            f"    Sender: {caller}\n  Received: {moment:%Y:%m:%d %H:%M:%S}\n",
        ),
        "efax": (f"eFax from {caller or 'unknown'} - caller ID: {caller or 'none'}", "You have received a fax."),
    }
    if style not in wordings:
        raise UsageError(f"機種「{style}」はありません (use {', '.join(STYLES)})")
    return wordings[style]


def post(mail: bytes, to: str, host: str, port: int, sender: str = "mfp@fax.example.jp") -> str:
    """Send a mail; gives what the server said to it."""
    with smtplib.SMTP(host, port, timeout=60) as client:
        client.ehlo_or_helo_if_needed()
        for code, answer in (client.mail(sender), client.rcpt(to)):
            if code >= 300:
                raise UsageError(f"{to}: {code} {answer.decode('utf-8', 'replace')}")
        code, answer = client.data(mail)
        if code >= 300:
            raise UsageError(f"{to}: {code} {answer.decode('utf-8', 'replace')}")
        return answer.decode("utf-8", "replace")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: 開けません (cannot be opened)") from error


def _plain(caller: str) -> str:
    """The number as machines print it: national digits, or international with a plus."""
    if not caller:
        return ""
    parsed = number.parse(caller)
    if parsed is None:
        raise UsageError(f"番号「{caller}」が読めません (not a telephone number)")
    return "0" + parsed.e164[3:] if parsed.e164.startswith("+81") else parsed.e164
