"""Takes in mails that machines sent before there was a gateway. Taking the same ones twice is the same as once."""

from __future__ import annotations

import mailbox
from collections.abc import Iterable, Iterator
from datetime import datetime
from email import message_from_bytes
from email.utils import getaddresses
from pathlib import Path
from typing import Any

from gateway.errors import UsageError
from gateway.intake import Intake
from gateway.message import read_message
from gateway.models import now
from gateway.store import BACKLOG, Store


def find(paths: Iterable[Path]) -> Iterator[bytes]:
    """Every mail in .eml files, folders of them, mboxes and Maildirs."""
    for path in paths:
        if path.is_dir() and (path / "cur").is_dir() and (path / "new").is_dir():
            for part in ("new", "cur"):
                for file in sorted((path / part).iterdir()):
                    yield file.read_bytes()
        elif path.is_dir():
            yield from find(sorted(path.rglob("*.eml")) + sorted(path.rglob("*.mbox")))
        elif path.suffix.lower() == ".mbox":
            box = mailbox.mbox(path, create=False)
            try:
                for key in box.keys():  # noqa: SIM118 - a mailbox is no dict
                    yield box.get_bytes(key)
            finally:
                box.close()
        elif path.is_file():
            yield path.read_bytes()
        else:
            raise UsageError(f"{path}: ありません (no such file)")


def take(intake: Intake, store: Store, mails: Iterable[bytes], line: str = "") -> dict[str, Any]:
    """Accept each mail as the door would; the line is found from its addresses, or is ``line``."""
    if line and intake.organisation.line(line) is None:
        raise UsageError(f"回線「{line}」がありません (no such line)")
    figures = {"taken": 0, "known": 0, "no_line": 0}
    for raw in mails:
        target = _line(intake, raw) or line
        if not target:
            figures["no_line"] += 1
            continue
        arrival = intake.begin()
        arrival.write(raw)
        if store.known(arrival.digest, target):
            arrival.discard()
            figures["known"] += 1
            continue
        intake.accept(arrival, (target,), client=BACKLOG, received_at=_received_at(raw))
        figures["taken"] += 1
    return figures


def _line(intake: Intake, raw: bytes) -> str:
    head = message_from_bytes(raw.partition(b"\r\n\r\n")[0].partition(b"\n\n")[0] + b"\n\n")
    named = [str(value) for name in ("Delivered-To", "X-Original-To", "To", "Cc") for value in head.get_all(name, [])]
    for _, address in getaddresses(named):
        line = intake.line(address)
        if line is not None:
            return line.id
    return ""


def _received_at(raw: bytes) -> datetime | None:
    """When the mail says it came; a time to come is a wrong clock."""
    told = read_message(raw).transmission.sent_at
    return told if told is not None and told <= now() else None
