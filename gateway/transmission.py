"""What a mail tells of the fax call: who called, what the machine calls itself, when, how many pages.

Each maker writes it somewhere else: in the Subject (Ricoh, HylaFAX, eFax), in lines of the body (HylaFAX, FreePBX), in
the sender's address (Cisco, RFC 3192), in the file's name, in fields of its own. Every number found is kept as a
candidate with its source; a number of our own (a forwarding machine likes to name itself) is never chosen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.moment import compact_time, read_time
from routing import number

__all__ = ["Candidate", "Clues", "Transmission", "read_time", "read_transmission"]

TYPED = frozenset({"tsi", "tti"})
"""Sources that the caller's machine was told to say: never a proof of who called."""

MAX_CANDIDATES = 50
_MAX_TEXT = 65_536
_MAX_LINES = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may be the caller's."""

    number: str
    """E.164."""
    source: str
    """``header``, ``subject``, ``body``, ``sender``, ``envelope`` or ``filename``; ``tsi``: a header or a line of the
    body that says that it tells the TSI."""
    text: str
    """As it stood there."""
    own: bool = False
    """One of our own lines: never the caller."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """One fax call, as far as the mail tells."""

    caller: str | None = None
    """E.164; a hint until the directory knows it (TSI is typed by the sender)."""
    caller_source: str = ""
    candidates: tuple[Candidate, ...] = ()
    tsi: str | None = None
    """What the sending machine calls itself (T.30 TSI); many machines print it as CSID, RTI or "remote id"."""
    sent_at: datetime | None = None
    """When the machine says that the fax was received, with its zone."""
    sent_at_source: str = ""
    """``body``, ``date_header`` or ``filename``."""
    machine_message: str | None = None
    """The machine's own number for this fax (``0123`` of "Fax Message No. 0123", HylaFAX's CommID)."""
    pages_claimed: int | None = None
    """Pages the mail speaks of; what was really attached is counted by the readers."""


@dataclass(frozen=True, slots=True)
class Clues:
    """What of the mail is looked at. Several of a kind when a mail was forwarded inside another: outermost first."""

    subjects: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    envelope_from: str = ""
    filenames: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    """Header fields of the machine's own (``x-...``), name in lower case, decoded."""
    dates: tuple[str, ...] = ()
    """Date fields, the innermost mail's first."""
    ids: tuple[str, ...] = ()
    """Message-IDs: Canon's machines put their job's number there."""


# Where a line or a phrase says whose the number is. Body labels: HylaFAX faxrcvd, FreePBX fax2mail, makers' manuals.
_CALLER_LABEL = (
    r"call(?:er|ing)?[ _-]?(?:id|number|no|party|fax)?\.?\d?|ani|cid|"
    r"remote[ _-]?(?:fax|station)?[ _-]?(?:id|number|no|csid|tsi)\.?|csid|tsi|csi|rti|"
    r"(?:fax )?from(?: number| fax| no\.?)?|sender(?:'s)?(?: fax| tel)?(?: number| no\.?| id)?|"
    r"sent (?:by|from)|originat\w{2,5}(?: fax)?(?: number)?|fax(?: number| no\.?)? from|"
    # 送信先 and 着信番号 are whom they called: not here
    r"(?:発信|送信者|送信元|発信者|発信元|相手|相手先|相手局|差出人|着信元|通知)"
    r"(?:の)?(?:電話|ファッ?クス|ファクシミリ|fax|tel)?(?:番号|名|略称|id)?|ファッ?クス番号|fax番号"
)
# A table's cell has lost its colon: then the number stands right behind.
_BODY_LABEL = re.compile(rf"^\W{{0,6}}({_CALLER_LABEL})(?:\s*[:=]|\s(?=[+(\d]))\s*(.{{1,200}})$", re.IGNORECASE)
# The network's own caller number goes before what the sender typed.
_NETWORK = re.compile(r"call(?:er|id|ing)|ani|cid\b|発信者.{0,4}番号|通知番号", re.IGNORECASE)
_TYPED_LABEL = re.compile(r"(?:remote.*(?:id|csid|tsi)|csid|tsi|csi|rti)\.?$", re.IGNORECASE)
_TSI_LABEL = re.compile(
    r"^\W{0,6}(?:sender|remote[ _-]?(?:station)?[ _-]?(?:id|csid|tsi)|csid|tsi|csi|rti|"
    r"相手(?:局|先)(?:id|名|略称)|(?:発信元|送信元)(?:id|名))\s*[:：=]\s*(.{1,80})$",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    r"(?:\bfrom\b|caller ?id|\bcid\b|発信(?:者|元)?(?:番号)?|送信元(?:番号)?|相手先(?:番号)?)\s*[:：=]?\s*(.{1,80})",
    re.IGNORECASE,
)
_CALLED = re.compile(
    # 着信 alone says that a fax came in; with a colon it is the label of the number that was called
    r"(?:\bto\b|\bvia\b|\bon\b|\bdid\b|着信(?:番号|先|(?=\s*[:=]))|受信番号|宛先?|→)"
    r"\s*(?:line|number|no\.?|番号)?\s*[:：=]?\s*[\"<(+]*$",
    re.IGNORECASE,
)
_FROM_IT = re.compile(r"\s*[\"」>)]*\s*(?:様)?(?:から|より|発)")
# RFC 3192: FAX=+81312345678@host, also with /T33S= behind; on-ramp gateways put the caller in the sender's address.
_FAX_ADDRESS = re.compile(r"\bfax=([+\d().-]{7,24})", re.IGNORECASE)
_DIGIT_ADDRESS = re.compile(r"(?:^|<)\s*(\+?[\d.-]{9,18})(?:/[^@\s]*)?@")
_CALLER_FIELD = re.compile(
    r"x-.*(?:call(?:er|ing)(?:-?(?:id|number|no|party))?|callid|cid|ani|csid|tsi|remote|"
    r"fax-?from|from-?fax|fax-?number)"
)
_TSI_FIELD = re.compile(r"x-.*(?:csid|tsi|rti|remote-?(?:id|station))")
_NO_NAME = re.compile(
    r"unknown|unspecified|<unspecified>|anonymous|withheld|private|unavailable|none|n/?a|-+|"
    r"非通知|通知不可|公衆電話|表示圏外|不明|なし",
    re.IGNORECASE,
)
_RICOH = re.compile(r"from\s+(.{0,60}?)\s*\(\s*fax message no", re.IGNORECASE)
_RICOH_ERROR = re.compile(r"error message no\.?\s*\d+\s+from\s+(.{1,60})", re.IGNORECASE)
_JAPANESE_NAME = re.compile(r"(?:送信者|送信元|発信元|相手先)\s*[:：]\s*(.{1,60}?)\s*(?:\(|（|$)")
_EFAX = re.compile(r"efax from\s+[\"']?(.{1,60}?)[\"']?\s+-\s+\d+ page", re.IGNORECASE)
_MACHINE_MESSAGE = re.compile(
    r"(?:(?:fax|error) message no\.?|comm ?id|canontxno\.|受付番号|通信番号|文書番号|job ?(?:no\.?|id))"
    r"\s*[:：#.]?\s*(\d{2,20})",
    re.IGNORECASE,
)
_PAGES = re.compile(
    r"(?:pages?(?: received)?|ページ数?|枚数|受信枚数)\s*[:：=]\s*(\d{1,4})\b|"
    r"\b(\d{1,4})[ -]?(?:page(?:\(s\)|s)?\b)|(?<![\d-])(\d{1,4})[ \u3000]?(?:ページ|枚)(?![数目])",
    re.IGNORECASE,
)


def read_transmission(clues: Clues, own_numbers: frozenset[str] = frozenset()) -> Transmission:
    """Everything the clues say of the call. ``own_numbers``: E.164 numbers of the organisation's own lines."""
    candidates = _candidates(clues, own_numbers)
    chosen = next((candidate for candidate in candidates if not candidate.own), None)
    sent_at, source = _sent_at(clues)
    lines = [line for body in clues.bodies for line in _lines(body)]
    said = "\n".join((*clues.subjects, *lines))
    message = _MACHINE_MESSAGE.search("\n".join((said, *clues.ids)))
    return Transmission(
        caller=chosen.number if chosen else None,
        caller_source=chosen.source if chosen else "",
        candidates=candidates,
        tsi=_tsi(clues, lines),
        sent_at=sent_at,
        sent_at_source=source,
        machine_message=message[1] if message else None,
        pages_claimed=_pages(said),
    )


# ---------------------------------------------------------------------------------------------------- the caller


def _candidates(clues: Clues, own: frozenset[str]) -> tuple[Candidate, ...]:
    """Every number, the most telling source first; each (number, source) once."""
    found: dict[tuple[str, str], Candidate] = {}
    for source, text in _sightings(clues):
        for seen in _numbers(text):
            key = (seen.e164, source)
            if key not in found:
                found[key] = Candidate(seen.e164, source, seen.printed[:80], seen.e164 in own)
        if len(found) >= MAX_CANDIDATES:
            break
    return tuple(found.values())


def _sightings(clues: Clues) -> Iterator[tuple[str, str]]:
    """(source, text that holds the number), in the order in which they are believed."""
    for name, value in clues.fields:
        if _CALLER_FIELD.fullmatch(name) and not _TSI_FIELD.fullmatch(name):
            yield "header", value
    for subject in clues.subjects:
        yield from (("subject", text) for text in _told(subject))
        yield "subject", _without_called(subject)
    for body in clues.bodies:
        yield from _body_numbers(body)
    for sender in clues.senders:
        yield from (("sender", found[1]) for found in _FAX_ADDRESS.finditer(sender[:1000]))
    yield from (("envelope", found[1]) for found in _FAX_ADDRESS.finditer(clues.envelope_from[:1000]))
    for name, value in clues.fields:
        if _TSI_FIELD.fullmatch(name):
            yield "tsi", value
    for name in clues.filenames:
        yield from (("filename", text) for text in _name_pieces(name))
    for sender in clues.senders:
        yield from (("sender", found[1]) for found in _DIGIT_ADDRESS.finditer(sender[:1000]))
        yield "sender", re.sub(r"<[^<>]*>|\S*@\S*", " ", sender[:1000])
    yield from (("envelope", found[1]) for found in _DIGIT_ADDRESS.finditer(clues.envelope_from[:1000]))


def _numbers(text: str) -> tuple[number.FaxNumber, ...]:
    whole = number.parse(text)
    if whole:
        return (whole,)
    text = text[:2000]
    side_by_side = (seen for word in text.split()[:50] for seen in number.find(word))
    return tuple(dict.fromkeys((*number.find(text), *side_by_side)))


def _told(text: str) -> Iterator[str]:
    """Pieces of a sentence where a number is said to be the caller's: "from ...", "...から"."""
    text = text[:1000]
    for found in _PHRASE.finditer(text):
        numbers = _numbers(_before_called(found[1]))
        if numbers:
            yield numbers[0].printed
    plain = unicodedata.normalize("NFKC", text)
    for seen in number.find(text):
        at = plain.find(seen.printed)
        if at >= 0 and _FROM_IT.match(plain, at + len(seen.printed)):
            yield seen.printed


def _before_called(text: str) -> str:
    return re.split(r"\bto\b|\bvia\b|宛|→", text, maxsplit=1, flags=re.IGNORECASE)[0]


def _without_called(text: str) -> str:
    """The text without numbers that it says were dialled ("to 03-...")."""
    plain = unicodedata.normalize("NFKC", text[:1000])
    for seen in number.find(plain):
        at = plain.find(seen.printed)
        if at >= 0 and _CALLED.search(plain[:at]):
            plain = plain[:at] + " " + plain[at + len(seen.printed) :]
    return plain


def _lines(body: str) -> list[str]:
    return [line.strip() for line in body[:_MAX_TEXT].splitlines()[:_MAX_LINES] if line.strip()]


def _body_numbers(body: str) -> list[tuple[str, str]]:
    """Numbers that the body calls the caller's. Others in it (our line, a help desk) are no candidates."""
    network: list[tuple[str, str]] = []
    typed: list[tuple[str, str]] = []
    for line in _lines(body):
        labelled = _BODY_LABEL.match(unicodedata.normalize("NFKC", line[:1000]))
        if labelled:
            source = "tsi" if _TYPED_LABEL.match(labelled[1]) else "body"
            (network if _NETWORK.match(labelled[1]) else typed).append((source, _before_called(labelled[2])))
        else:
            typed += (("body", text) for text in _told(line))
    return network + typed


def _name_pieces(name: str) -> Iterator[str]:
    """The pieces of a file's name that may be a number: times and running numbers are cut out first."""
    plain = unicodedata.normalize("NFKC", name[:255])
    plain = re.sub(r"(?<!\d)(?:19|20)\d{6}[-_T]?\d{4,6}(?!\d)|(?<!\d)(?:19|20)\d{6}(?!\d)", " ", plain)
    for piece in re.split(r"[_ .,]+", plain.rsplit(".", 1)[0] if "." in plain else plain):
        yield piece
        if number.parse(piece) is None:
            yield from (part for part in piece.split("-") if re.fullmatch(r"\+?\d{10,12}", part))


def _tsi(clues: Clues, lines: list[str]) -> str | None:
    for name, value in clues.fields:
        if _TSI_FIELD.fullmatch(name) and (found := _named(value)):
            return found
    for line in lines:
        labelled = _TSI_LABEL.match(line)
        if labelled and (found := _named(labelled[1])):
            return found
    for subject in clues.subjects:
        for shape in (_RICOH, _RICOH_ERROR, _EFAX, _JAPANESE_NAME):
            told = shape.search(subject[:1000])
            if told and (found := _named(told[1])):
                return found
    return None


def _named(text: str) -> str | None:
    text = text.strip().strip("\"'<>").strip()
    return None if not text or _NO_NAME.fullmatch(text) else text[:80]


def _pages(text: str) -> int | None:
    found = _PAGES.search(unicodedata.normalize("NFKC", text[:_MAX_TEXT]))
    return int(next(digits for digits in found.groups() if digits)) if found else None


# ---------------------------------------------------------------------------------------------------------- time

_TIME_LABEL = re.compile(
    r"^\W{0,6}(?:received(?: (?:at|on|& processed|time|date))?|reception (?:time|date)|"
    r"date(?:/time)?|time received|date received|受信(?:日時|時刻|日|時間)|着信日時|日時)"
    r"(?:\s*[:：=]|\s*(?=\d))\s*(.{6,80})$|"
    r"received\b.{0,40}?\b(?:at|on)\s+(\d{4}[-/].{6,60})",
    re.IGNORECASE,
)


def _sent_at(clues: Clues) -> tuple[datetime | None, str]:
    for body in clues.bodies:
        for line in _lines(body):
            labelled = _TIME_LABEL.search(line)
            when = read_time(labelled[1] or labelled[2]) if labelled else None
            if when:
                return when, "body"
    for date in clues.dates:
        when = read_time(date)
        if when:
            return when, "date_header"
    for name in clues.filenames:
        when = compact_time(name)
        if when:
            return when, "filename"
    return None, ""
