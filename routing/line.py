"""Which fax line a mail is for: from the address after RCPT TO to the line of the organisation."""

from __future__ import annotations

import re

from routing import number
from routing.department import Line, Organisation

# RFC 3192 section 2 (and RFC 3191 for its kin): FAX=<number>, qualifiers parted by "/", the whole may begin with "/".
_FAX_ADDRESS = re.compile(r"/?fax=(?P<number>[^/@]+)(?:/.*)?", re.I | re.S)
_LONGEST = 320  # RFC 5321 4.5.3.1: 64 for the local part, 255 for the domain, and the @


def line_of(organisation: Organisation, rcpt: str) -> Line | None:
    """The line whose address, number or local part ``rcpt`` names, or None (the door then answers 550).

    ``rcpt`` is an RFC 5321 mailbox without its angle brackets. In this order: the whole mailbox, case aside; the
    number of a fax address ``FAX=+81355551000@host`` (RFC 3192, with qualifiers such as ``/T33S=12``); the local part
    of an address literal ``user@[10.0.0.5]``. A number or local part that speaks for two lines speaks for none.
    """
    mailbox = rcpt.strip()
    if not mailbox or len(mailbox) > _LONGEST:
        return None
    whole = next((line for line in organisation.lines if _same(line.address, mailbox)), None)
    if whole is not None:
        return whole
    local, at, domain = mailbox.rpartition("@")
    if not at:
        return None
    local = _unquoted(local)
    fax = _FAX_ADDRESS.fullmatch(local)
    if fax is not None:
        return _by_number(organisation, fax.group("number"))
    return _by_local_part(organisation, local) if domain.startswith("[") and domain.endswith("]") else None


def _same(address: str, mailbox: str) -> bool:
    """Fax machines upper-case what they like; two lines never differ by case alone."""
    return bool(address) and address.strip().casefold() == mailbox.casefold()


def _unquoted(local: str) -> str:
    """A quoted local part without its quotes (RFC 5321 4.1.2: ``"FAX=+81..."@host`` names the same mailbox)."""
    if len(local) > 1 and local[0] == local[-1] == '"':
        return re.sub(r"\\(.)", r"\1", local[1:-1])
    return local


def _by_number(organisation: Organisation, text: str) -> Line | None:
    called = number.parse(text)
    if called is None:
        return None
    return _only([line for line in organisation.lines if line.number and number.parse(line.number) == called])


def _by_local_part(organisation: Organisation, local: str) -> Line | None:
    wanted = local.casefold()
    return _only([line for line in organisation.lines if line.address.rpartition("@")[0].casefold() == wanted != ""])


def _only(lines: list[Line]) -> Line | None:
    return lines[0] if len(lines) == 1 else None
