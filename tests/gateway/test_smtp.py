"""The door, over real sockets: what it takes, what it refuses, and what it says when something is wrong with us."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import smtplib
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
import uvloop

from gateway import smtp
from gateway.house import House
from gateway.inbox import Query
from gateway.models import Fax

MAIL = b"From: <mfp@fax.example.jp>\r\nSubject: From 0355550199 (Fax Message No. 0001)\r\n\r\nbody\r\n"
HELLO, FROM, TO = b"EHLO mfp\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<hoken@fax.example.jp>\r\n"


@dataclass(frozen=True)
class Door:
    house: House
    port: int

    @contextlib.contextmanager
    def socket(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as wire:
            assert wire.recv(1000).startswith(b"220")
            yield wire

    def say(self, *lines: bytes) -> list[bytes]:
        with self.socket() as wire:
            return [ask(wire, line) for line in lines]

    def kept(self) -> list[Fax]:
        return self.house.store.inbox.find(Query(limit=1000))[0]


def ask(wire: socket.socket, line: bytes) -> bytes:
    """Say a line and wait for the whole reply: its last line has a blank behind the code (RFC 5321 4.2.1)."""
    wire.sendall(line)
    said = b""
    while not said.endswith(b"\r\n") or said.splitlines()[-1][3:4] != b" ":
        block = wire.recv(4000)
        assert block, "the door has closed"
        said += block
    return said


def send(door: Door, raw: bytes, *rcpt: str, sender: str = "mfp@fax.example.jp") -> tuple[int, bytes]:
    with smtplib.SMTP("127.0.0.1", door.port, timeout=60) as client:
        client.ehlo("mfp")
        client.mail(sender)
        for address in rcpt or ("hoken@fax.example.jp",):
            code, said = client.rcpt(address)
            if code != 250:
                return code, said
        return client.data(raw)


@contextlib.contextmanager
def open_door(house: House, old_machines: tuple[str, ...] = (), **changes: object) -> Iterator[Door]:
    """The real door in a loop of its own."""
    settings = house.config.smtp.model_copy(update=changes)
    ready: list[int] = []
    opened, closing = threading.Event(), threading.Event()

    async def run(at: socket.socket) -> None:
        with ThreadPoolExecutor(4) as threads:
            async with smtp.listening(house.intake, settings, old_machines, threads, at):
                ready.append(at.getsockname()[1])
                opened.set()
                await asyncio.to_thread(closing.wait)

    def in_a_loop() -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as at,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(run(at))

    thread = threading.Thread(target=in_a_loop)
    thread.start()
    assert opened.wait(60)
    try:
        yield Door(house, ready[0])
    finally:
        closing.set()
        thread.join(60)


@pytest.fixture
def door(house: House) -> Iterator[Door]:
    with open_door(house) as opened:
        yield opened


def test_a_mail_is_kept_byte_for_byte_and_named_in_the_reply(door: Door) -> None:
    raw = MAIL + bytes(range(1, 10)) + b"\r\n.dot\r\n..two\r\n\xff\x80 8-bit\r\n"
    code, said = send(door, raw)
    (fax,) = door.kept()
    assert (code, said) == (250, f"2.0.0 Kept as {fax.id}".encode())
    assert door.house.desk.original(fax) == raw
    assert (fax.line, fax.client, fax.envelope_from, fax.state) == (
        "hoken",
        "127.0.0.1",
        "mfp@fax.example.jp",
        "received",
    )


@pytest.mark.parametrize(
    "rcpt",
    [
        "hoken@fax.example.jp",
        "HOKEN@Fax.Example.JP",
        "hoken@[127.0.0.1]",
        "FAX=+81355550101@fax.example.jp",
        "FAX=+81355550101@[127.0.0.1]",
    ],
)
def test_a_line_is_found_by_every_way_machines_write_it(door: Door, rcpt: str) -> None:
    assert send(door, MAIL, rcpt)[0] == 250
    assert [fax.line for fax in door.kept()] == ["hoken"]


def test_an_unknown_line_is_refused_at_once_with_550(door: Door) -> None:
    code, said = send(door, MAIL, "nobody@fax.example.jp")
    assert (code, said[:5]) == (550, b"5.1.1")
    assert door.kept() == []


def test_one_mail_for_two_lines_reaches_both_and_counts_once(door: Door) -> None:
    assert send(door, MAIL, "hoken@fax.example.jp", "shomu@fax.example.jp", "HOKEN@fax.example.jp")[0] == 250
    faxes = door.kept()
    assert sorted(fax.line for fax in faxes) == ["hoken", "shomu"]
    assert sum(fax.counts for fax in faxes) == 1
    assert all(fax.work == "new" for fax in faxes)


def test_the_same_mail_again_is_answered_250_noted_and_not_counted(door: Door) -> None:
    first, again = send(door, MAIL), send(door, MAIL)
    assert (first[0], again[0]) == (250, 250)
    newest, oldest = door.kept()
    assert (newest.duplicate_of, newest.counts, newest.work) == (oldest.id, False, "done")
    assert (oldest.duplicate_of, oldest.counts) == (None, True)


def test_equal_mails_at_the_same_moment_have_one_first(door: Door) -> None:
    with ThreadPoolExecutor(8) as many:
        codes = list(many.map(lambda _: send(door, MAIL)[0], range(24)))
    assert codes == [250] * 24
    faxes = door.kept()
    assert len(faxes) == 24
    assert sum(fax.counts for fax in faxes) == 1
    assert {fax.duplicate_of for fax in faxes if not fax.counts} == {fax.id for fax in faxes if fax.counts}


def test_size_is_announced_and_a_larger_one_refused_before_data(door: Door) -> None:
    said = door.say(b"EHLO mfp\r\n", b"MAIL FROM:<a@b.example> SIZE=3000000\r\n")
    assert b"SIZE 2000000" in said[0]
    assert said[1].startswith(b"552")


def test_a_mail_that_grows_too_large_is_552_and_leaves_nothing(house: House) -> None:
    with open_door(house, max_message_bytes=100_000) as door:
        code, _ = send(door, b"x" * 150_000 + b"\r\n")
        assert code == 552
        assert send(door, MAIL)[0] == 250
        assert len(door.kept()) == 1
    assert list((house.config.spool_folder / "arriving").iterdir()) == []


def test_a_flood_without_line_ends_is_cut_off(house: House) -> None:
    with open_door(house, max_message_bytes=100_000) as door, door.socket() as wire:
        begin_mail(wire)
        with pytest.raises(OSError):
            for _ in range(2000):
                wire.sendall(b"x" * 65536)
    assert list((house.config.spool_folder / "arriving").iterdir()) == []


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r"])
def test_only_crlf_dot_crlf_ends_a_mail(door: Door, end: bytes) -> None:
    """RFC 5321 4.1.1.4; anything looser lets a second mail be smuggled inside the first."""
    smuggled = b"Subject: one\r\n\r\none" + end + b"MAIL FROM:<evil@b.example>\r\n"
    with door.socket() as wire:
        begin_mail(wire)
        assert ask(wire, smuggled + b"\r\n.\r\n").startswith(b"250")
    (fax,) = door.kept()
    assert door.house.desk.original(fax) == smuggled.replace(b"\r\n.", b"\r\n") + b"\r\n"  # 4.5.2: its dot was ours


def test_commands_sent_together_are_answered_in_order(door: Door) -> None:
    talk = (
        b"EHLO mfp\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<hoken@fax.example.jp>\r\nDATA\r\n"
        + MAIL
        + b".\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@fax.example.jp>\r\nQUIT\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.port), timeout=60) as wire:
        wire.sendall(talk)
        said = b""
        while block := wire.recv(4000):
            said += block
    codes = [line[:3] for line in said.split(b"\r\n") if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"250", b"250", b"354", b"250", b"250", b"550", b"221"]


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param((b"HELO mfp\r\n", b"MAIL FROM:<>\r\n", TO), id="null sender"),
        pytest.param((HELLO, b"MAIL FROM:<fax>\r\n", TO), id="no domain"),
        pytest.param((HELLO, FROM, b"RCPT TO: hoken@fax.example.jp\r\n"), id="no brackets"),
        pytest.param((HELLO, b"MAIL FROM: <a@b.example> RET=FULL ENVID=1+2B\r\n", TO), id="RFC 3461 MAIL"),
        pytest.param((HELLO, FROM, TO.replace(b">", b"> NOTIFY=NEVER ORCPT=rfc822;a")), id="RFC 3461 RCPT"),
        pytest.param((HELLO, b"MAIL FROM:<a@b.example> BODY=8BITMIME SIZE=9\r\n", TO), id="BODY and SIZE"),
        pytest.param((HELLO, FROM, TO.replace(b"<", b"<@relay.example:")), id="source route"),
        pytest.param((b"HELO mfp\r\n", b"MAIL FROM:<a@b.example> SIZE=100\r\n", TO), id="HELO with SIZE"),
        pytest.param(("EHLO 複合機\r\n".encode("cp932"), FROM, TO), id="8-bit EHLO"),
    ],
)
def test_machines_that_talk_badly_are_understood(door: Door, talk: tuple[bytes, ...]) -> None:
    said = door.say(*talk, b"DATA\r\n", MAIL + b".\r\n")
    assert [line[:3] for line in said] == [b"250", b"250", b"250", b"354", b"250"]


def test_a_client_that_may_not_connect_is_told_554(house: House) -> None:
    with open_door(house, allow=("10.1.0.0/16",)) as door, socket.create_connection(("127.0.0.1", door.port)) as wire:
        assert wire.recv(1000).startswith(b"554")
        assert wire.recv(1000) == b""


def test_a_machine_that_hangs_up_in_the_middle_leaves_nothing(door: Door) -> None:
    with door.socket() as wire:
        begin_mail(wire)
        wire.sendall(MAIL)
    assert send(door, b"Subject: next\r\n\r\n")[0] == 250
    assert len(door.kept()) == 1
    assert list((door.house.config.spool_folder / "arriving").iterdir()) == []


def test_a_spool_that_cannot_be_written_is_451_and_then_works_again(door: Door) -> None:
    folder = door.house.config.spool_folder
    shutil.move(folder, folder.with_name("away"))
    code, said = send(door, MAIL)
    assert (code, b"Error" in said, b"Traceback" in said) == (451, False, False)
    shutil.move(folder.with_name("away"), folder)
    assert send(door, MAIL)[0] == 250
    assert len(door.kept()) == 1


def test_a_database_that_does_not_answer_is_451_without_its_words(door: Door) -> None:
    with door.house.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE fax RENAME TO elsewhere"))
    code, said = send(door, MAIL)
    assert code == 451
    assert b"fax" not in said.lower() or b"sqlite" not in said.lower()
    with door.house.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO fax"))
    assert send(door, MAIL)[0] == 250


def test_starttls_and_auth_when_configured(house: House, certificate: tuple[Path, Path]) -> None:
    settings = {
        "tls_certificate": str(certificate[0]),
        "tls_key": str(certificate[1]),
        "users": {"mfp": "invented secret"},
    }
    with open_door(house, **settings) as door, smtplib.SMTP("127.0.0.1", door.port) as client:
        client.ehlo("mfp")
        assert client.mail("a@b.example")[0] == 530
        client.starttls()
        client.ehlo("mfp")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("mfp", "wrong")
        client.login("mfp", "invented secret")
        client.mail("a@b.example")
        client.rcpt("hoken@fax.example.jp")
        assert client.data(MAIL)[0] == 250


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of one hour for nobody."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fax.example.jp")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(minutes=5))
        .not_valid_after(datetime.now(UTC) + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    certificate, secret = tmp_path / "door.pem", tmp_path / "door.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


def hello_in(door: Door, version: ssl.TLSVersion, ciphers: str = "DEFAULT:@SECLEVEL=0") -> str:
    """Speak TLS of this version; gives the version that was agreed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    with smtplib.SMTP("127.0.0.1", door.port, timeout=60) as client:
        client.ehlo("mfp")
        client.starttls(context=context)
        client.ehlo("mfp")
        client.mail("a@b.example")
        client.rcpt("hoken@fax.example.jp")
        assert client.data(MAIL)[0] == 250
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.version() or ""


def refused(door: Door) -> None:
    with pytest.raises((ssl.SSLError, smtplib.SMTPServerDisconnected, ConnectionError)):
        hello_in(door, ssl.TLSVersion.TLSv1)


def test_tls_is_of_this_century_unless_a_line_asks_for_the_old(house: House, certificate: tuple[Path, Path]) -> None:
    """RFC 8996: no TLS 1.0; controllers of before 2015 know nothing else."""
    settings = {"tls_certificate": str(certificate[0]), "tls_key": str(certificate[1])}
    with open_door(house, **settings) as door:
        assert hello_in(door, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        refused(door)
    with open_door(house, old_machines=("127.0.0.0/8",), **settings) as door:
        assert hello_in(door, ssl.TLSVersion.TLSv1) == "TLSv1"
        assert hello_in(door, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with open_door(house, old_machines=("10.0.0.0/8",), **settings) as door:
        refused(door)


def test_a_machine_that_speaks_tls_at_once_does_not_hang(door: Door) -> None:
    with door.socket() as wire:
        wire.sendall(b"\x16\x03\x01\x00\x05hello")
        assert wire.recv(100) == b""


def begin_mail(wire: socket.socket) -> None:
    for line in (HELLO, FROM, TO, b"DATA\r\n"):
        ask(wire, line)


def test_a_slow_sender_that_keeps_on_is_waited_for_and_a_silent_one_is_told(house: House) -> None:
    """RFC 5321 4.5.3.2: the clock runs from the last word, not from the first."""
    with open_door(house, idle_seconds=0.6) as door:
        with door.socket() as wire:
            begin_mail(wire)
            for byte in MAIL[:12]:
                wire.sendall(bytes([byte]))
                time.sleep(0.15)
            assert ask(wire, MAIL[12:] + b".\r\n").startswith(b"250")
            assert wire.recv(100).startswith(b"421 4.4.2")
            assert wire.recv(100) == b""
        with door.socket() as wire:
            begin_mail(wire)
            wire.sendall(b"half a line")
            assert wire.recv(100).startswith(b"421 4.4.2")
    assert len(door.kept()) == 1
    assert list((house.config.spool_folder / "arriving").iterdir()) == []


def test_storing_that_takes_longer_than_the_idle_time_is_still_answered(house: House) -> None:
    """A connection cut while we store makes the machine send again what we have."""
    with open_door(house, idle_seconds=0.5) as door, house.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        threading.Timer(1.5, other.rollback).start()
        assert send(door, MAIL)[0] == 250
    assert len(door.kept()) == 1


def test_a_client_that_hears_but_says_no_more_is_answered(door: Door) -> None:
    """A half-closed connection: the machine has shut its side behind the final dot."""
    with door.house.engine.connect() as other, door.socket() as wire:
        begin_mail(wire)
        other.exec_driver_sql("BEGIN IMMEDIATE")
        wire.sendall(MAIL + b".\r\n")
        wire.shutdown(socket.SHUT_WR)
        time.sleep(0.3)
        other.rollback()
        assert wire.recv(100).startswith(b"250")
        assert wire.recv(100) == b""
    assert len(door.kept()) == 1


def test_too_many_connections_are_told_to_come_again(house: House) -> None:
    with open_door(house, connections_per_client=3) as door, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(door.socket())
        with socket.create_connection(("127.0.0.1", door.port), timeout=60) as fourth:
            assert fourth.recv(100).startswith(b"421 4.7.0")
            assert fourth.recv(100) == b""
    with open_door(house, connections=2) as door:
        with door.socket(), door.socket(), socket.create_connection(("127.0.0.1", door.port), timeout=60) as third:
            assert third.recv(100).startswith(b"421 4.3.2")
        until = time.monotonic() + 60
        while send_or_421(door) == 421:  # those that have gone are no longer counted
            assert time.monotonic() < until


def send_or_421(door: Door) -> int:
    try:
        return send(door, MAIL)[0]
    except smtplib.SMTPConnectError as refused:
        return refused.smtp_code


def test_a_client_over_its_rate_is_told_451_and_nothing_is_lost(house: House) -> None:
    with open_door(house, mails_per_minute=2) as door:
        said = [door.say(HELLO, FROM)[1][:9] for _ in range(3)]
        assert said == [b"250 2.1.0", b"250 2.1.0", b"451 4.7.1"]


def test_a_client_that_does_not_listen_costs_no_memory(door: Door) -> None:
    """Replies that nobody takes stop the reading of commands."""
    with door.socket() as wire:
        wire.settimeout(2)
        with pytest.raises(TimeoutError):
            for _ in range(4000):
                wire.sendall(b"HELP\r\n" * 5000)
