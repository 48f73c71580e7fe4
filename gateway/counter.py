"""Faxes that a machine sent as several ordinary mails, told apart by ``[1/3]`` in the subject (FUJIFILM's machines).

Each mail holds some pages as a file of its own. Here: the counter in a subject, and the one mail made of several.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import mime
from gateway.models import TOKYO

MOST = 30
"""Mails that are joined to one; more do not go through the limits on a mail's parts (gateway.mime)."""
_BRACKETED = re.compile(r"[\[【〔]\s*(\d{1,3})\s*(?:/|of)\s*(\d{1,3})\s*[\]】〕]", re.IGNORECASE)
_OTHERS = (
    re.compile(r"\(\s*(\d{1,3})\s*(?:/|of)\s*(\d{1,3})\s*\)", re.IGNORECASE),
    re.compile(r"^\s*(\d{1,3})\s?/\s?(\d{1,3})(?=\s|$)"),
    re.compile(r"(?<=\s)(\d{1,3})\s?/\s?(\d{1,3})\s*$"),
)
_DATE_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Counter:
    """Which of how many mails."""

    number: int
    """From 1."""
    total: int
    """From 2."""
    rest: str
    """The subject without it, folded: what the mails of one fax have in common."""


def counter_of(subject: str, day: datetime) -> Counter | None:
    """The counter in a subject, or None.

    (11/23) may be a date: outside square brackets a counter that names a day within a week of ``day`` is none.
    """
    text = unicodedata.normalize("NFKC", subject[:1000])
    found = _BRACKETED.search(text)
    if found is None:
        found = next((seen for shape in _OTHERS if (seen := shape.search(text))), None)
        if found is not None and _is_date(int(found[1]), int(found[2]), day):
            return None
    if found is None or not 1 <= int(found[1]) <= int(found[2]) or not 2 <= int(found[2]) <= MOST:
        return None
    rest = " ".join((text[: found.start()] + " " + text[found.end() :]).split()).casefold()
    return Counter(int(found[1]), int(found[2]), rest)


def _is_date(month: int, day: int, about: datetime) -> bool:
    local = about.astimezone(TOKYO)
    for year in (local.year - 1, local.year, local.year + 1):
        try:
            written = local.replace(year=year, month=month, day=day)
        except ValueError:
            continue
        if abs(written - local) <= _DATE_WITHIN:
            return True
    return False


def bind(mails: Sequence[bytes]) -> bytes:
    """One mail that holds what all of them hold, in this order; its header is the first one's.

    Each becomes a part with its own Content fields, byte for byte. Raises ValueError for no mails.
    """
    if not mails:
        raise ValueError("no mails")
    boundary = "faxless-" + hashlib.sha256(b"".join(mails)).hexdigest()[:40]
    fields = mime.split_fields(mime.split_head(mails[0])[0])
    head = [text for name, text in fields if not name.startswith("content-") and name != "mime-version"]
    kind = f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
    parts = [_part(mail, boundary) for mail in mails]
    return b"".join(map(_ended, head)) + kind + b"".join(parts) + f"--{boundary}--\r\n".encode()


def _part(mail: bytes, boundary: str) -> bytes:
    head, body = mime.split_head(mail)
    fields = [text for name, text in mime.split_fields(head) if name.startswith("content-")]
    return f"--{boundary}\r\n".encode() + b"".join(map(_ended, fields)) + b"\r\n" + _ended(body)


def _ended(text: bytes) -> bytes:
    return text if text.endswith(b"\n") else text + b"\r\n"
