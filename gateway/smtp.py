"""The door: sockets, limits and TLS round :mod:`gateway.dialogue`, and the reply that :mod:`gateway.intake` allows.

A mail goes to the spool while it comes in; its end is stored by a thread, and until the reply is said the connection
reads nothing and no clock runs against the machine. Anything that goes wrong here is 451 or 421, never a 5xx.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import socket
import ssl
import warnings
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import structlog
from pwdlib import PasswordHash
from sqlalchemy.exc import SQLAlchemyError

from gateway import dialogue
from gateway.config import Smtp
from gateway.errors import GatewayError
from gateway.intake import Intake
from gateway.spool import Arrival

HANDSHAKE_SECONDS = 30.0
MINUTE = 60.0
WAITING = 1024
"""Connections that the system holds for us until we take them."""
AT_ONCE = 8
"""Connections that a process takes in one go; the rest is left to the other processes of the same socket."""
STOPPING_SECONDS = 10.0
"""How long the mails in hand are waited for when we stop."""
OLD_CIPHERS = "DEFAULT:@SECLEVEL=0"
"""What controllers of before 2015 can do: TLS 1.0, key exchange by RSA. Only for addresses that a line names."""

log = structlog.get_logger("door")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class Visitors:
    """Who is here, and how much each has sent in the last minute; one process's view."""

    settings: Smtp
    allowed: tuple[Network, ...]
    here: Counter[str] = field(default_factory=Counter)
    _mails: dict[str, deque[float]] = field(default_factory=dict)

    def refusal(self, client: str) -> str:
        """Why this client may not connect now; empty when it may."""
        if not _within(client, self.allowed):
            return "554 5.7.1 This address may not send here"  # RFC 5321 3.1
        if self.here.total() >= self.settings.connections:
            return "421 4.3.2 Too many connections, please try again"
        if self.here[client] >= self.settings.connections_per_client:
            return "421 4.7.0 Too many connections from this address, please try again"
        return ""

    def left(self, client: str) -> None:
        """One connection less."""
        self.here[client] -= 1
        if not self.here[client]:
            del self.here[client]
            if not self._mails.get(client):
                self._mails.pop(client, None)

    def may_send(self, client: str, moment: float) -> bool:
        """Whether one more mail of this client is within what a minute allows; if so it is counted."""
        most = self.settings.mails_per_minute
        if not most:
            return True
        lately = self._mails.setdefault(client, deque())
        while lately and lately[0] <= moment - MINUTE:
            lately.popleft()
        if len(lately) >= most:
            return False
        lately.append(moment)
        return True


@dataclass(frozen=True, slots=True)
class Porch:
    """What all connections of a process share."""

    intake: Intake
    settings: Smtp
    threads: Executor
    visitors: Visitors
    tls: ssl.SSLContext | None
    old_tls: ssl.SSLContext | None
    old_machines: tuple[Network, ...]
    """Where the machines are whose line asks for the old TLS."""
    connections: set[Connection] = field(default_factory=set)

    def tls_for(self, client: str) -> ssl.SSLContext | None:
        """The TLS that this client may speak."""
        return self.old_tls if _within(client, self.old_machines) else self.tls

    def line_of(self, address: str) -> str | None:
        """The id of the line that RCPT TO names."""
        line = self.intake.line(address)
        if line is None:
            log.warning("unknown line", rcpt=address[:100].encode("utf-8", "replace").decode())
        return line.id if line else None


class Connection(asyncio.Protocol):
    """A fax machine at the door."""

    def __init__(self, porch: Porch) -> None:
        self._porch = porch
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._client = ""
        self._talk: dialogue.Dialogue | None = None
        self._arrival: Arrival | None = None
        self._sender, self._lines = "", tuple[str, ...]()
        self._trouble = ""
        """What has gone wrong with the mail that comes in; said at its end."""
        self._busy = False
        """A thread or a handshake is at work; its end goes on with the dialogue."""
        self._gone = False
        self._seen = 0.0
        self._clock: asyncio.TimerHandle | None = None

    # ---- the wire -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The machine has connected."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._client = str(peer[0]) if isinstance(peer, tuple) else ""
        refusal = self._porch.visitors.refusal(self._client)
        if refusal:
            log.warning("refused", client=self._client, reply=refusal[:3])
            self._end(refusal)
            return
        self._porch.visitors.here[self._client] += 1
        self._porch.connections.add(self)
        self._talk = dialogue.Dialogue(
            dialogue.Terms(
                max_bytes=self._porch.settings.max_message_bytes,
                line_of=self._porch.line_of,
                may_send=lambda: self._porch.visitors.may_send(self._client, self._loop.time()),
                tls=self._porch.tls is not None,
                auth=bool(self._porch.settings.users),
            )
        )
        self._talk.greet()
        self._seen = self._loop.time()
        self._watch()
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        if self._talk is not None:
            self._seen = self._loop.time()
            self._talk.take(data)
            self._go_on()

    def eof_received(self) -> bool:
        """The machine says no more; what is being stored for it is still answered."""
        self._gone = True
        # TLS has no half-closed connections (RFC 8446 6.1 does, asyncio does not).
        plain = self._transport is None or self._transport.get_extra_info("sslcontext") is None
        return self._busy and plain

    def connection_lost(self, error: Exception | None) -> None:
        """The machine has gone: what is half there it sends again."""
        self._drop()
        if self._clock is not None:
            self._clock.cancel()
        if self._talk is not None:
            if self._talk.receiving:
                log.warning("gone in the middle", client=self._client)
            self._talk, self._transport = None, None
            self._porch.visitors.left(self._client)
            self._porch.connections.discard(self)

    def pause_writing(self) -> None:
        """Whoever does not listen is not heard."""
        self._read(on=False)

    def resume_writing(self) -> None:
        """It listens again."""
        self._read(on=not self._busy)

    def hang_up(self) -> None:
        """We are about to stop: a machine that waits is told so, one whose mail is being stored gets its answer."""
        self._gone = True
        if not self._busy:
            self._end("421 4.3.2 Stopping, please try again")

    def _read(self, *, on: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(RuntimeError):  # paused already, or not
                self._transport.resume_reading() if on else self._transport.pause_reading()

    def _end(self, reply: str = "") -> None:
        if self._transport is not None:
            if reply:
                self._transport.write(f"{reply}\r\n".encode())
            self._transport.close()

    def _watch(self) -> None:
        """Look after the machine when it may have been silent for too long; one clock, however much it says."""
        idle = self._porch.settings.idle_seconds
        left = idle if self._busy else self._seen + idle - self._loop.time()
        if left <= 0:
            log.warning("idle", client=self._client)
            self._end("421 4.4.2 Nothing came, please try again")  # RFC 5321 4.5.3.2.7
            return
        self._clock = self._loop.call_later(left, self._watch)

    # ---- the dialogue ---------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Do what the dialogue asks for until it waits."""
        try:
            while self._talk is not None and not self._busy and (event := self._talk.next()) is not None:
                if isinstance(event, dialogue.Say):
                    self._say(event.reply)
                else:
                    self._do(event)
        except Exception as error:  # whatever it is, the machine must not be told for good
            log.error("dialogue", client=self._client, error=type(error).__name__, exc_info=error)
            self._drop()
            self._end("421 4.3.0 Temporary trouble, please send again")

    def _say(self, reply: bytes) -> None:
        if self._transport is not None:
            self._transport.write(reply)

    def _do(self, event: dialogue.Event) -> None:
        match event:
            case dialogue.Content(data):
                self._write(data)
            case dialogue.Begin(sender, lines):
                self._arrival, self._trouble = self._porch.intake.begin(), ""
                self._sender, self._lines = sender, lines
            case dialogue.Complete():
                self._store()
            case dialogue.TooLarge():
                log.warning("too large", client=self._client, limit=self._porch.settings.max_message_bytes)
                self._drop()
            case dialogue.Prove(login, password):
                self._prove(login, password)
            case dialogue.StartTls():
                self._start_tls()
            case dialogue.Close(why):
                self._hung_up(why)

    def _hung_up(self, why: str) -> None:
        if why:
            log.warning("hung up", client=self._client, why=why)
        self._drop()
        self._end()

    def _write(self, data: bytes) -> None:
        if self._arrival is None:
            return
        try:
            self._arrival.write(data)
        except GatewayError as error:
            log.error("spool", client=self._client, error=str(error))
            self._arrival, self._trouble = None, "451 4.3.1 No room at the moment, please send again"

    def _drop(self) -> None:
        if self._arrival is not None and not self._busy:
            self._arrival.discard()
            self._arrival = None

    def _in_thread(self, done: Callable[[asyncio.Future[object]], None], call: Callable[[], object]) -> None:
        """While we work the machine waits: nothing of it is read, and no clock runs against it."""
        self._busy = True
        self._read(on=False)
        self._loop.run_in_executor(self._porch.threads, call).add_done_callback(done)

    def _resume(self) -> None:
        self._busy = False
        self._seen = self._loop.time()
        if self._transport is not None:
            self._go_on()
            if self._gone:
                self._end()
            elif not self._busy:
                self._read(on=True)

    def _store(self) -> None:
        arrival = self._arrival
        if arrival is None:
            self._answer(self._trouble)
            return
        self._in_thread(
            self._stored,
            partial(self._porch.intake.accept, arrival, self._lines, self._sender, self._client),
        )

    def _stored(self, work: asyncio.Future[object]) -> None:
        arrival, self._arrival = self._arrival, None
        size = arrival.size if arrival else 0
        error = work.exception()
        if error is None:
            ids = cast("tuple[str, ...]", work.result())
            log.info("kept", client=self._client, fax=ids, bytes=size, answered=self._talk is not None)
            self._answer(f"250 2.0.0 Kept as {' '.join(ids)}")
        else:
            known = isinstance(error, GatewayError | SQLAlchemyError)
            log.error("not kept", client=self._client, error=type(error).__name__, exc_info=None if known else error)
            self._answer("451 4.3.0 Not kept, please send again")
        self._resume()

    def _answer(self, reply: str) -> None:
        if self._talk is not None:
            self._talk.answer(reply)

    def _prove(self, login: str, password: bytes) -> None:
        known = self._porch.settings.users.get(login, "")
        self._in_thread(self._proved, partial(_password_fits, known, password))

    def _proved(self, work: asyncio.Future[object]) -> None:
        right = work.exception() is None and bool(work.result())
        if not right:
            log.warning("wrong password", client=self._client)
        if self._talk is not None:
            self._talk.proved(right=right)
        self._resume()

    def _start_tls(self) -> None:
        context = self._porch.tls_for(self._client)
        if self._transport is None or context is None:
            return
        self._busy = True
        self._read(on=False)  # what lies in the wire belongs to TLS; the loop reads on when TLS is there
        shake = self._loop.start_tls(
            self._transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
        )
        asyncio.ensure_future(shake).add_done_callback(self._shaken)

    def _shaken(self, work: asyncio.Future[asyncio.Transport | None]) -> None:
        if work.cancelled() or (error := work.exception()) is not None:
            reason = "" if work.cancelled() else getattr(error, "reason", None) or type(error).__name__
            log.warning("no TLS", client=self._client, reason=reason)
            self._end()
            return
        self._transport = work.result()
        if self._talk is not None:
            self._talk.encrypted()
        self._resume()


def _within(client: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # a socket for both shows 10.1.2.3 as ::ffff:10.1.2.3
    return any(address in network for network in networks)


def _password_fits(known: str, given: bytes) -> bool:
    if known.startswith("$argon2"):
        return PasswordHash.recommended().verify(given, known)
    return bool(known) & hmac.compare_digest(known.encode(), given)


def tls_context(settings: Smtp, *, old: bool = False) -> ssl.SSLContext | None:
    """STARTTLS when a certificate is configured: TLS 1.2 and newer (RFC 8996), or what ``old`` machines can do."""
    if not settings.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        with warnings.catch_warnings():  # deprecated it is; that is why a line has to ask for it
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers(OLD_CIPHERS)
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


@contextlib.asynccontextmanager
async def listening(
    intake: Intake, settings: Smtp, old_machines: tuple[str, ...], threads: Executor, at: socket.socket
) -> AsyncIterator[None]:
    """Take connections of this listening socket, which other processes may share, until the block ends."""
    porch = Porch(
        intake=intake,
        settings=settings,
        threads=threads,
        visitors=Visitors(settings, allowed=_networks(settings.allow)),
        tls=tls_context(settings),
        old_tls=tls_context(settings, old=True) if old_machines else None,
        old_machines=_networks(old_machines),
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(porch), sock=at, backlog=AT_ONCE)
    at.listen(WAITING)  # only now: asyncio takes the one figure for both
    try:
        yield
    finally:
        server.close()
        for connection in tuple(porch.connections):
            connection.hang_up()
        until = loop.time() + STOPPING_SECONDS
        while porch.connections and loop.time() < until:  # noqa: ASYNC110 - rare, and an event for it is no shorter
            await asyncio.sleep(0.02)


def _networks(written: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in written)
