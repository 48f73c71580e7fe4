"""The dialogue of RFC 5321 as values: what the machine says goes in, what has to happen comes out.

No socket, no clock, no disk: :mod:`gateway.smtp` has those. Lenient in what machines say, because a fax that is
refused for a blank is lost; strict in one thing, what ends a mail, because everything looser lets a second mail be
smuggled inside the first.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

NAME = "faxless"

END = b"\r\n.\r\n"  # RFC 5321 4.1.1.4: nothing else ends a mail, above all not a bare LF

LONGEST_LINE = 12288 + 2
"""RFC 4954 4: the longest line that a command may need; RFC 5321 4.5.3.1.4 asks for 512 only."""
MOST_SKIPPED = 1 << 20
"""Who sends so much without a line end is no mail client."""
MOST_ERRORS = 20
"""Commands in a connection that are none, before we hang up."""
MOST_RECIPIENTS = 1000
"""RFC 5321 4.5.3.1.8 asks for at least 100."""
MOST_GUESSES = 3
"""Wrong passwords in a connection, before we hang up."""

TLS_HELLO = b"\x16\x03"
"""How a client begins that speaks TLS at once (RFC 8446 5.1: a handshake record)."""
WEB = frozenset({"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT"})
"""A browser made to talk to a mail port; its lines are not our commands."""


@dataclass(frozen=True, slots=True)
class Say:
    """A reply, ready for the wire."""

    reply: bytes


@dataclass(frozen=True, slots=True)
class Begin:
    """DATA: a mail for these lines begins."""

    sender: str
    """The reverse-path; empty for ``<>``."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """More of the mail, its dots of transparency taken away."""

    data: bytes


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The mail has outgrown the limit; what came of it is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Complete:
    """The mail is complete; :meth:`Dialogue.answer` has to follow."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """The next byte of the machine is TLS; :meth:`Dialogue.encrypted` has to follow."""


@dataclass(frozen=True, slots=True)
class Prove:
    """A name and a password to be checked; :meth:`Dialogue.proved` has to follow."""

    login: str
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Close:
    """The connection ends, after what was said. ``why`` is for the log, empty when nothing is wrong."""

    why: str = ""


Event = Say | Begin | Content | TooLarge | Complete | StartTls | Prove | Close


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one connection."""

    max_bytes: int
    line_of: Callable[[str], str | None]
    """The id of the line that an address names."""
    may_send: Callable[[], bool] = lambda: True
    """Whether this client may begin another mail now."""
    tls: bool = False
    """STARTTLS is offered."""
    auth: bool = False
    """Mails are taken only from who has proved a name."""


@dataclass(slots=True)
class DataStream:
    """Cuts the DATA of RFC 5321 4.1.1.4 out of blocks of any size and takes the dots of transparency away (4.5.2)."""

    ended: bool = False
    rest: bytes = b""
    """What came after the end: the next commands of a client that pipelines."""
    _held: bytes = b"\r\n"  # a mail begins at the beginning of a line
    _first: bool = True

    def feed(self, block: bytes) -> bytes:
        """Content of this block; empty while it may still be part of the end."""
        data = self._held + block
        end = data.find(END)
        if end >= 0:
            self.ended, self.rest, self._held = True, data[end + len(END) :], b""
            return self._plain(data[: end + 2])
        cut = _safe_cut(data)
        self._held = data[cut:]
        return self._plain(data[:cut])

    def _plain(self, body: bytes) -> bytes:
        plain = body.replace(b"\r\n.", b"\r\n")
        if self._first and plain:
            self._first = False
            return plain[2:]  # the line end that was only ours
        return plain


def _safe_cut(data: bytes) -> int:
    """Where ``data`` may be cut without parting an end or a dot from its line end."""
    cut = max(0, len(data) - (len(END) - 1))
    if data[:cut].endswith(b"\r\n"):
        return cut - 2
    if data[:cut].endswith(b"\r"):
        return cut - 1
    return cut


class Dialogue:
    """One connection. Bytes go in by :meth:`take`; :meth:`next` gives what has to happen, one thing at a time."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._buffer = b""
        self._out: deque[Event] = deque()
        self._awaiting = False
        """An answer is due; until it comes nothing is read."""
        self._stream: DataStream | None = None
        self._taken = 0
        self._sender: str | None = None
        self._lines: list[str] = []
        self._secure = False
        self._known = not terms.auth
        self._proof: Callable[[bytes], None] | None = None
        self._login = b""
        self._errors = self._guesses = self._skipped = 0
        self._first = True
        self._over = False

    def greet(self) -> None:
        """The machine has connected."""
        self._say("220", f"{NAME} ESMTP")

    def take(self, data: bytes) -> None:
        """Bytes of the machine, however they are cut."""
        if self._over:
            return
        self._buffer = self._buffer + data if self._buffer else data

    def next(self) -> Event | None:
        """What has to happen now; None until more bytes come, or the answer that is due."""
        while not self._out:
            if self._awaiting or self._over or not self._buffer:
                return None
            moved = self._read_data(self._stream) if self._stream is not None else self._read_line()
            if not moved:
                return None
        return self._out.popleft()

    @property
    def receiving(self) -> bool:
        """Whether a mail is coming in at the moment."""
        return self._stream is not None

    def answer(self, reply: str) -> None:
        """What is said to the mail that is complete."""
        self._awaiting = False
        self._forget_mail()
        self._say(*reply.split(" ", 1))

    def encrypted(self) -> None:
        """TLS stands; what was said before counts for nothing (RFC 3207 4.2)."""
        self._awaiting, self._secure = False, True  # what has come since may be TLS's first word already
        self._forget_mail()

    def proved(self, *, right: bool) -> None:
        """Whether name and password were right."""
        self._awaiting = False
        if right:
            self._known = True
            self._say("235", "2.7.0 Authentication successful")
            return
        self._guesses += 1
        self._say("535", "5.7.8 Name or password is wrong")
        if self._guesses >= MOST_GUESSES:
            self._hang_up("421", "4.7.0 Too many wrong passwords", "wrong passwords")

    # ---- a mail ---------------------------------------------------------------------------------

    def _read_data(self, stream: DataStream) -> bool:
        block, self._buffer = self._buffer, b""
        content = stream.feed(block)
        if stream.ended:
            self._stream, self._buffer = None, stream.rest
        before, self._taken = self._taken, self._taken + len(content)
        if self._taken > self._terms.max_bytes:
            self._outgrown(stream, first=before <= self._terms.max_bytes)
            return True
        if content:
            self._out.append(Content(content))
        if stream.ended:
            self._awaiting = True
            self._out.append(Complete())
        return True

    def _outgrown(self, stream: DataStream, *, first: bool) -> None:
        if first:
            self._out.append(TooLarge())
        if stream.ended:
            self._forget_mail()
            self._say("552", "5.3.4 Message too large")  # RFC 1870 6.1
        elif self._taken > 2 * self._terms.max_bytes:
            self._hang_up("552", "5.3.4 Message too large", "endless mail")

    def _forget_mail(self) -> None:
        self._stream, self._taken, self._sender, self._lines = None, 0, None, []

    # ---- commands -------------------------------------------------------------------------------

    def _read_line(self) -> bool:
        if self._first and self._buffer[:2] == TLS_HELLO:
            self._over = True
            self._out.append(Close("TLS without STARTTLS: set the machine to STARTTLS"))
            return True
        end = self._buffer.find(b"\n")
        if end < 0:
            return self._skip() if len(self._buffer) > LONGEST_LINE else False
        line, self._buffer = self._buffer[:end].rstrip(b"\r"), self._buffer[end + 1 :]
        self._first = False
        if self._skipped or len(line) > LONGEST_LINE:
            self._skipped = 0
            self._mistake("500", "5.5.6 Line too long")
        elif self._proof is not None:
            self._respond(self._proof, line)
        else:
            self._obey(line)
        return True

    def _skip(self) -> bool:
        self._skipped += len(self._buffer)
        self._buffer = b""
        if self._skipped > MOST_SKIPPED:
            self._hang_up("500", "5.5.6 Line too long", "endless line")
        return True

    def _obey(self, line: bytes) -> None:
        word, _, argument = line.decode("utf-8", "surrogateescape").strip().partition(" ")
        command = COMMANDS.get(word.upper())
        if command is not None:
            command(self, argument.strip())
        elif word.upper() in WEB:
            self._hang_up("554", "5.7.1 This is no web server", "web client")
        else:
            self._mistake("500", "5.5.1 Command not recognized")

    def _helo(self, _name: str) -> None:
        self._forget_mail()
        self._say("250", NAME)

    def _ehlo(self, _name: str) -> None:
        self._forget_mail()
        offers = [f"SIZE {self._terms.max_bytes}", "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if self._terms.tls and not self._secure:
            offers.append("STARTTLS")
        if self._terms.auth and self._secure:
            offers.append("AUTH PLAIN LOGIN")
        self._say("250", NAME, *offers, "HELP")

    def _mail(self, argument: str) -> None:
        found = _path("FROM", argument)
        if not self._known:
            first = "Authentication required" if self._secure else "Must issue a STARTTLS command first"
            self._say("530", f"5.7.0 {first}")
        elif found is None:
            self._mistake("501", "5.5.4 Syntax: MAIL FROM:<address>")
        elif self._sender is not None:
            self._mistake("503", "5.5.1 A mail has begun already")
        elif _announced(found[1]) > self._terms.max_bytes:
            self._say("552", "5.3.4 Message too large")
        elif not self._terms.may_send():
            self._say("451", "4.7.1 Too many mails a minute, please send again")
        else:
            self._sender = found[0]
            self._say("250", "2.1.0 OK")

    def _rcpt(self, argument: str) -> None:
        found = _path("TO", argument)
        if self._sender is None:
            self._mistake("503", "5.5.1 Need MAIL first")
        elif found is None or not found[0]:
            self._mistake("501", "5.5.4 Syntax: RCPT TO:<address>")
        elif len(self._lines) >= MOST_RECIPIENTS:
            self._say("452", "4.5.3 Too many recipients")  # RFC 5321 4.5.3.1.10
        elif (line := self._terms.line_of(found[0])) is None:
            self._say("550", "5.1.1 No such line")
        else:
            self._lines.append(line)
            self._say("250", "2.1.5 OK")

    def _data(self, argument: str) -> None:
        if self._sender is None or not self._lines:
            self._mistake("503", "5.5.1 Need RCPT first")
        elif argument:
            self._mistake("501", "5.5.4 Syntax: DATA")
        else:
            self._stream = DataStream()
            self._say("354", "End data with <CR><LF>.<CR><LF>")
            self._out.append(Begin(self._sender, tuple(self._lines)))

    def _rset(self, _argument: str) -> None:
        self._forget_mail()
        self._say("250", "2.0.0 OK")

    def _noop(self, _argument: str) -> None:
        self._say("250", "2.0.0 OK")

    def _vrfy(self, _argument: str) -> None:
        self._say("252", "2.5.0 Send the mail and see")  # RFC 5321 7.3

    def _help(self, _argument: str) -> None:
        self._say("214", "2.0.0 HELO EHLO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY HELP QUIT")

    def _expn(self, _argument: str) -> None:
        self._mistake("502", "5.5.1 There are no lists here")

    def _quit(self, _argument: str) -> None:
        self._say("221", "2.0.0 Bye")
        self._over = True
        self._out.append(Close())

    # ---- who it is ------------------------------------------------------------------------------

    def _starttls(self, argument: str) -> None:
        if not self._terms.tls:
            self._mistake("502", "5.5.1 TLS is not set up here")
        elif self._secure:
            self._mistake("503", "5.5.1 TLS stands already")
        elif argument:
            self._mistake("501", "5.5.4 Syntax: STARTTLS")
        else:
            self._say("220", "2.0.0 Ready")
            self._buffer, self._awaiting = (
                b"",
                True,
            )  # RFC 3207 4.2: what was sent before TLS is not taken as sent in it
            self._out.append(StartTls())

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if not self._terms.auth:
            self._mistake("502", "5.5.1 AUTH is not set up here")
        elif not self._secure:
            self._say("538", "5.7.11 Must issue a STARTTLS command first")
        elif self._sender is not None or (self._known and self._terms.auth):
            self._mistake("503", "5.5.1 Not now")
        elif mechanism.upper() == "PLAIN":
            self._challenge("", self._plain, initial)
        elif mechanism.upper() == "LOGIN":
            self._challenge("VXNlcm5hbWU6", self._name, initial)  # "Username:"
        else:
            self._mistake("504", "5.5.4 Use PLAIN or LOGIN")

    def _challenge(self, words: str, proof: Callable[[bytes], None], initial: str = "") -> None:
        if initial:
            proof(b"" if initial == "=" else initial.encode("utf-8", "surrogateescape"))  # RFC 4954 4
            return
        self._proof = proof
        self._out.append(Say(f"334 {words}\r\n".encode()))

    def _respond(self, proof: Callable[[bytes], None], line: bytes) -> None:
        self._proof = None
        if line == b"*":  # RFC 4954 4: the client gives up
            self._mistake("501", "5.0.0 As you wish")
        else:
            proof(line)

    def _plain(self, line: bytes) -> None:
        parts = _decoded(line).split(b"\0")  # RFC 4616 2: [authzid] NUL authcid NUL passwd
        if len(parts) != 3:
            self._mistake("501", "5.5.2 Not understood")
            return
        self._check(parts[1], parts[2])

    def _name(self, line: bytes) -> None:
        self._login = _decoded(line)
        self._challenge("UGFzc3dvcmQ6", self._password)  # "Password:"

    def _password(self, line: bytes) -> None:
        self._check(self._login, _decoded(line))

    def _check(self, login: bytes, password: bytes) -> None:
        self._awaiting = True
        self._out.append(Prove(login.decode("utf-8", "replace"), password))

    # ---- replies --------------------------------------------------------------------------------

    def _say(self, code: str, *lines: str) -> None:
        marks = ["-"] * (len(lines) - 1) + [" "]  # RFC 5321 4.2.1
        wire = "".join(f"{code}{mark}{line}\r\n" for mark, line in zip(marks, lines, strict=True))
        self._out.append(Say(wire.encode()))

    def _mistake(self, code: str, line: str) -> None:
        self._errors += 1
        self._say(code, line)
        if self._errors >= MOST_ERRORS:
            self._hang_up("421", "4.7.0 Too many errors", "no mail client")

    def _hang_up(self, code: str, line: str, why: str) -> None:
        self._say(code, line)
        self._over, self._stream, self._buffer = True, None, b""
        self._out.append(Close(why))


COMMANDS: dict[str, Callable[[Dialogue, str], None]] = {
    "HELO": Dialogue._helo,
    "EHLO": Dialogue._ehlo,
    "MAIL": Dialogue._mail,
    "RCPT": Dialogue._rcpt,
    "DATA": Dialogue._data,
    "RSET": Dialogue._rset,
    "NOOP": Dialogue._noop,
    "VRFY": Dialogue._vrfy,
    "HELP": Dialogue._help,
    "EXPN": Dialogue._expn,
    "QUIT": Dialogue._quit,
    "STARTTLS": Dialogue._starttls,
    "AUTH": Dialogue._auth,
}
"""RFC 5321 4.1.1, RFC 3207, RFC 4954."""

PATH = re.compile(r"\s*:\s*(?:<([^<>]*)>|([^\s<>]+))(.*)$", re.DOTALL)


def _path(word: str, argument: str) -> tuple[str, str] | None:
    """Address and parameters of ``FROM:<a@b> SIZE=1``; None when there is none.

    Machines write ``<fax>``, ``<>``, a bare mailbox, a source route (RFC 5321 4.1.2), or blanks where none belong.
    Parameters that nothing here needs (RFC 3461 RET, ENVID, NOTIFY, ORCPT) are taken and left.
    """
    if argument[: len(word)].upper() != word:
        return None
    match = PATH.match(argument[len(word) :])
    if match is None:
        return None
    address = (match[1] if match[1] is not None else match[2]).strip()
    if address.startswith("@") and ":" in address:
        address = address.partition(":")[2]
    return address, match[3]


def _announced(parameters: str) -> int:
    """RFC 1870 5: how large the mail will be, as far as the machine says it."""
    found = re.search(r"(?:^|\s)SIZE=(\d{1,20})(?:\s|$)", parameters, re.IGNORECASE)
    return int(found[1]) if found else 0


def _decoded(line: bytes) -> bytes:
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        return b""
