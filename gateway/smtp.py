"""The door: who may send, to which line, how large, and the reply. The only file that knows aiosmtpd.

aiosmtpd carries the dialogue (RFC 5321); ours are the parts that a fax gateway needs otherwise: DATA is read in blocks
straight into the spool (its own loop goes line by line, holds the mail in memory and checks sizes by line), parameters
that machines add are accepted, and anything that goes wrong here is 451, never a 500 with an exception's text.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
import ssl
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pwdlib import PasswordHash
from sqlalchemy.exc import SQLAlchemyError

from gateway.config import Smtp
from gateway.errors import SpoolError
from gateway.intake import Intake
from gateway.spool import Arrival

BLOCK = 1 << 20
"""How much is taken from the connection at most in one go; the stream's own buffer is smaller."""

END = b"\r\n.\r\n"  # RFC 5321 4.1.1.4: nothing else ends a mail, above all not a bare LF (SMTP smuggling)

KEPT_PARAMETERS = re.compile(r"^(SIZE|BODY|SMTPUTF8)(=|$)", re.IGNORECASE)

log = structlog.get_logger("door")


@dataclass(slots=True)
class DataStream:
    """Cuts the DATA of RFC 5321 4.1.1.4 out of blocks of any size and takes the dots of transparency away (4.5.2)."""

    ended: bool = False
    rest: bytes = b""
    """What came after the end: the next commands of a client that pipelines."""
    _held: bytes = b"\r\n"  # a mail begins at the beginning of a line
    _first: bool = field(default=True)

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


class Door(SMTP):  # type: ignore[misc]  # aiosmtpd has no types
    """One connection of a fax machine."""

    def __init__(self, intake: Intake, settings: Smtp, threads: Executor, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            _Recipients(intake),
            data_size_limit=settings.max_message_bytes,
            enable_SMTPUTF8=True,  # machines with a Japanese name say so in 8-bit EHLO
            hostname="faxless",
            ident="faxless ESMTP",
            tls_context=tls,
            timeout=settings.idle_seconds,
            auth_required=bool(settings.users),
            authenticator=_authenticator(settings.users),
            loop=asyncio.get_running_loop(),
        )
        self._intake = intake
        self._allowed = tuple(ipaddress.ip_network(network) for network in settings.allow)
        self._threads = threads

    async def _handle_client(self) -> None:
        if not self._may_connect():
            log.warning("refused", client=self._client())
            await self.push("554 5.7.1 This address may not send here")  # RFC 5321 3.1
            self.transport.close()
            return
        await super()._handle_client()

    def _client(self) -> str:
        peer = self.session.peer
        return str(peer[0]) if isinstance(peer, tuple) else ""

    def _may_connect(self) -> bool:
        try:
            address = ipaddress.ip_address(self._client())
        except ValueError:
            return False
        return any(address in network for network in self._allowed)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # Machines write <fax>, <>, a bare mailbox, a source route (RFC 5321 4.1.2) or blanks where none belong.
        match = re.match(r"\s*(?:<([^<>]*)>|([^\s<>]+))(.*)$", arg, re.DOTALL)
        if match is None:
            return None, None
        address = (match[1] if match[1] is not None else match[2]).strip()
        if address.startswith("@") and ":" in address:
            address = address.partition(":")[2]
        return address or "<>", match[3]

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd finds commands by name
        """MAIL FROM; parameters that we have no use for (RFC 3461 RET, ENVID ...) are taken and left."""
        await super().smtp_MAIL(self._bare(arg, keep=self.session.extended_smtp))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        """RCPT TO; parameters (RFC 3461 NOTIFY, ORCPT) are taken and left."""
        await super().smtp_RCPT(self._bare(arg, keep=False))

    @staticmethod
    def _bare(arg: str | None, *, keep: bool) -> str | None:
        if not arg:
            return arg
        path, sign, parameters = arg.partition(">")
        if not sign:
            return arg
        kept = [word for word in parameters.split() if keep and KEPT_PARAMETERS.match(word)]
        return " ".join([path + sign, *kept])

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """DATA in blocks, straight to the spool."""
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        arrival = self._intake.begin()
        try:
            reply = await self._receive(arrival)
        except BaseException:
            arrival.discard()  # the machine has gone in the middle: it sends again
            raise
        self._set_post_data_state()
        await self.push(reply)

    async def _receive(self, arrival: Arrival) -> str:
        stream, taken, trouble = DataStream(), 0, ""
        while not stream.ended:
            block = await self._reader.read(BLOCK)
            if not block:
                raise ConnectionResetError("the machine has gone")
            self._reset_timeout()
            content = stream.feed(block)
            taken += len(content)
            if not trouble and taken > self.data_size_limit:
                trouble = "552 5.3.4 Message too large"  # RFC 1870 6.1
                arrival.discard()
                log.warning("too large", client=self._client(), limit=self.data_size_limit)
            elif taken > 2 * self.data_size_limit:
                self.transport.close()  # it has been told the limit and does not stop
                return trouble
            elif not trouble and content:
                trouble = self._write(arrival, content)
        if stream.rest and not self._reader.at_eof():
            self._reader.feed_data(stream.rest)  # read() has emptied the buffer, so this is the front
        return trouble or await self._settle(arrival)

    def _write(self, arrival: Arrival, content: bytes) -> str:
        try:
            arrival.write(content)
        except SpoolError as error:
            log.error("spool", client=self._client(), error=str(error))
            return "451 4.3.1 No room at the moment, please send again"
        return ""

    async def _settle(self, arrival: Arrival) -> str:
        # While we store, the idle clock stands: a cut connection would make the machine send what we have.
        self._timeout_handle.cancel()
        lines = tuple(self.envelope.rcpt_tos)
        sender = "" if self.envelope.mail_from == "<>" else self.envelope.mail_from
        try:
            ids = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._intake.accept, arrival, lines, sender, self._client()
            )
        except (SpoolError, SQLAlchemyError) as error:
            log.error("not kept", client=self._client(), error=type(error).__name__)
            return "451 4.3.0 Not kept, please send again"
        finally:
            self._reset_timeout()
        log.info("kept", client=self._client(), fax=ids, bytes=arrival.size)
        return f"250 2.0.0 Kept as {' '.join(ids)}"


@dataclass(frozen=True, slots=True)
class _Recipients:
    """The decisions aiosmtpd asks for."""

    intake: Intake

    async def handle_RCPT(  # noqa: N802
        self, _server: Door, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        line = self.intake.line(address)
        if line is None:
            log.warning("unknown line", rcpt=address[:100])
            return "550 5.1.1 No such line"
        envelope.rcpt_tos.append(line.id)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        log.error("dialogue", error=type(error).__name__, exc_info=error)
        return "451 4.3.0 Temporary trouble, please send again"


def _authenticator(users: dict[str, str]) -> Callable[..., AuthResult] | None:
    if not users:
        return None

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, auth: Any) -> AuthResult:
        if not isinstance(auth, LoginPassword):
            return AuthResult(success=False, handled=False)
        known = users.get(auth.login.decode("utf-8", "replace"), "")
        return AuthResult(success=bool(known) and _password_fits(known, auth.password), handled=False)

    return authenticate


def _password_fits(known: str, given: bytes) -> bool:
    if known.startswith("$argon2"):
        return PasswordHash.recommended().verify(given, known)
    return hmac.compare_digest(known.encode(), given)


def tls_context(settings: Smtp) -> ssl.SSLContext | None:
    """STARTTLS when a certificate is configured; TLS 1.2 and newer."""
    if not settings.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


async def listen(intake: Intake, settings: Smtp, threads: Executor) -> asyncio.Server:
    """Open the door."""
    host, _, port = settings.listen.rpartition(":")
    tls = tls_context(settings)
    return await asyncio.get_running_loop().create_server(
        lambda: Door(intake, settings, threads, tls), host.strip("[]"), int(port), backlog=1024
    )
