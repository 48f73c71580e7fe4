"""The mail sink against a real SMTP server on loopback."""

from __future__ import annotations

import datetime as dt
import email
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.delivery import DeliveryError, Document, Parcel
from routing.sinks.mail import MailSink

PDF = b"%PDF-1.4 invented \x00\xff\r\n.\r\n\n.\n"
PARCEL = Parcel(
    id="20261105-abcd1234-hoken-mail-1",
    fax_id="20261105-abcd1234",
    document_type="DISEASE_IMMEDIATE",
    type_name="感染症発生届(直ちに)",
    department="hoken",
    sender="+81312345678",
    received_at=datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    due_at=datetime(2026, 11, 5, 4, 30, tzinfo=UTC),
    urgent=True,
    pages=2,
    fields={
        "disease": {"value": "麻しん", "confidence": 0.9},
        "patient": "架空 太郎",
        "onset": {"value": "", "masked": True},
    },
    reasons=("題名に「麻しん発生届」があります",),
    documents=(Document("架空太郎.pdf", "application/pdf", PDF),),
)


class Relay:
    """Takes mail, or answers what the test wants to any step."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.taken: list[Envelope] = []
        self.secret: list[bool] = []

    async def handle_MAIL(  # noqa: N802 aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(address, self.answers.get("rcpt", "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.answers.get("data", "250 2.0.0 queued as INVENTED")
        if answer.startswith("250"):
            self.taken.append(envelope)
            self.secret.append(session.ssl is not None)
        return answer


class AnyPort(Controller):  # type: ignore[misc]
    """aiosmtpd's own thread, on a port that the system chooses."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def listening(relay: Relay, certificate: ssl.SSLContext | None = None) -> Iterator[str]:
    controller = AnyPort(relay, hostname="127.0.0.1", port=0, tls_context=certificate)
    controller.start()
    try:
        yield f"127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def send(
    relay: Relay, parcel: Parcel = PARCEL, to: str = "hoken@city.example", sender: str = "fax@city.example"
) -> str:
    with listening(relay) as address:
        return MailSink("m", to=to, relay=address, sender=sender, seconds=10).carry(parcel).text


def read(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    return parsed(envelope.content)


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_department_gets_the_document_and_the_relays_answer_is_the_receipt() -> None:
    relay = Relay()
    assert send(relay) == "250 2.0.0 queued as INVENTED"
    (envelope,) = relay.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("fax@city.example", ["hoken@city.example"])
    message = read(envelope)
    (attached,) = message.iter_attachments()
    assert attached.get_content() == PDF
    assert (attached.get_filename(), attached.get_content_type()) == ("20261105-abcd1234.pdf", "application/pdf")


def test_the_subject_says_class_number_and_due_time_and_no_name() -> None:
    relay = Relay()
    send(relay, replace(PARCEL, sender="+81312345678"))
    subject = read(relay.taken[0])["Subject"]
    assert subject == "【至急】FAX 感染症発生届(直ちに) 発信 +81312345678 期限 2026-11-05 13:30 [20261105-abcd1234]"
    raw = relay.taken[0].content
    assert isinstance(raw, bytes)
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998  # RFC 5322 2.1.1


def test_what_a_machine_calls_itself_is_not_in_the_subject() -> None:
    named = replace(PARCEL, sender="カクウ タロウ")
    message = parsed(MailSink("m", to="a@b.example", relay="127.0.0.1:25").message(named))
    assert "タロウ" not in str(message["Subject"])
    assert "番号不明" in str(message["Subject"])
    assert all("太郎" not in str(value) for value in message.values())


def test_the_headers_let_receivers_drop_a_repeat_and_machines_stay_silent() -> None:
    relay = Relay()
    with listening(relay) as address:
        sink = MailSink("m", to="hoken@city.example", relay=address, sender="FAX窓口 <fax@city.example>")
        sink.carry(PARCEL)
        sink.carry(PARCEL)
    one, two = (read(envelope) for envelope in relay.taken)
    assert one["Message-ID"] == two["Message-ID"] == "<20261105-abcd1234-hoken-mail-1@city.example>"
    assert one["X-Faxless-Id"] == PARCEL.id
    assert one["Auto-Submitted"] == "auto-generated"
    assert one["From"] == "FAX窓口 <fax@city.example>"
    assert one["Date"] == "Thu, 05 Nov 2026 12:00:00 +0900"


def test_the_body_has_what_was_read_and_why_it_came() -> None:
    relay = Relay()
    send(relay)
    body = read(relay.taken[0]).get_body(("plain",))
    assert body is not None
    text = body.get_content()
    for expected in ("疾患名: 麻しん", "題名に「麻しん発生届」があります", "枚数: 2", "発病年月日: 黒塗り"):
        assert expected in text
    assert "架空" not in text  # a field that nobody has called nameless


def test_every_address_gets_it() -> None:
    relay = Relay()
    send(relay, to="one@city.example, 係 <two@city.example>")
    assert relay.taken[0].rcpt_tos == ["one@city.example", "two@city.example"]


def test_one_refused_address_stops_the_mail_so_that_somebody_sees_it() -> None:
    relay = Relay(**{"two@city.example": "550 no such user"})
    with pytest.raises(DeliveryError, match="550") as caught:
        send(relay, to="one@city.example,two@city.example")
    assert not caught.value.again
    assert relay.taken == []


def test_without_a_sender_nobody_waits_for_a_bounce() -> None:
    relay = Relay()
    send(relay, sender="")
    assert relay.taken[0].mail_from in ("", "<>")
    assert read(relay.taken[0])["From"]


@pytest.mark.parametrize(
    ("step", "answer", "again"),
    [
        ("mail", "451 later", True),
        ("mail", "530 not you", False),
        ("rcpt", "450 greylisted", True),
        ("rcpt", "550 no such user", False),
        ("data", "452 no room", True),
        ("data", "552 too large", False),
    ],
)
def test_the_relays_code_says_whether_to_try_again(step: str, answer: str, again: bool) -> None:
    with pytest.raises(DeliveryError, match=answer[:3]) as caught:
        send(Relay(**{step: answer}))
    assert caught.value.again is again
    assert answer[4:] not in str(caught.value)


def test_nobody_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(DeliveryError) as caught:
            MailSink("m", to="a@b.example", relay=f"127.0.0.1:{port}").carry(PARCEL)
    assert caught.value.again


@contextmanager
def speaking(*lines: bytes) -> Iterator[str]:
    """A server that answers each command with the next line, then hangs up."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as commands:
            for line in lines:
                connection.sendall(line)
                commands.readline()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        thread.join(60)
        server.close()


@pytest.mark.parametrize(
    ("lines", "again"),
    [
        ((b"220 hello\r\n",), True),
        ((b"421 busy\r\n",), True),
        ((b"554 no\r\n",), False),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), True),
        ((b"220 hello\r\n", b"250 hi\r\n", b"250 ok\r\n"), True),
        ((b"220 hello\r\n", b"550 no EHLO\r\n", b"550 no HELO\r\n"), False),
    ],
)
def test_a_relay_that_hangs_up_or_talks_nonsense(lines: tuple[bytes, ...], again: bool) -> None:
    with speaking(*lines) as address, pytest.raises(DeliveryError) as caught:
        MailSink("m", to="a@b.example", relay=address, seconds=5).carry(PARCEL)
    assert caught.value.again is again


def test_a_relay_that_says_nothing_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(DeliveryError) as caught:
            MailSink("m", to="a@b.example", relay=address, seconds=0.2).carry(PARCEL)
    assert caught.value.again


def test_after_its_250_nothing_the_relay_does_makes_a_second_copy() -> None:
    answers = (b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as commands:
            for answer in answers:
                connection.sendall(answer)
                if answer[:3] != b"354":
                    commands.readline()
            while commands.readline() != b".\r\n":
                pass
            connection.sendall(b"250 got it\r\n")  # and hangs up before QUIT

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        sink = MailSink("m", to="a@b.example", relay=f"127.0.0.1:{server.getsockname()[1]}", seconds=5)
        assert sink.carry(PARCEL).text == "250 got it"
    finally:
        thread.join(60)
        server.close()


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A relay's own certificate, signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.city.example")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    both = tmp_path / "relay.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


def test_a_relay_that_offers_encryption_gets_it(certificate: ssl.SSLContext) -> None:
    relay = Relay()
    with listening(relay, certificate) as address:
        MailSink("m", to="a@b.example", relay=address).carry(PARCEL)
    assert relay.secret == [True]


def test_a_relay_whose_encryption_is_broken_gets_the_mail_all_the_same() -> None:
    relay = Relay()
    with listening(relay, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as address:  # no certificate: no handshake
        MailSink("m", to="a@b.example", relay=address).carry(PARCEL)
    assert relay.secret == [False]


def test_a_relay_that_offers_encryption_and_refuses_it_gets_the_mail_all_the_same() -> None:
    lines = (b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"454 not today\r\n")
    came: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        for answers in (lines, (b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"250 ok\r\n", b"550 enough\r\n")):
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as commands:
                for answer in answers:
                    connection.sendall(answer)
                    came.append(commands.readline()[:8].upper())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with pytest.raises(DeliveryError, match="550"):
            MailSink("m", to="a@b.example", relay=f"127.0.0.1:{server.getsockname()[1]}", seconds=5).carry(PARCEL)
    finally:
        thread.join(60)
        server.close()
    assert b"STARTTLS" in came
    assert b"MAIL FRO" in came


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=60)


@settings(deadline=None, max_examples=50)
@given(WORDS, st.text(max_size=40), st.text(max_size=200))
def test_any_words_survive_the_way(type_name: str, sender: str, reason: str) -> None:
    sink = MailSink("m", to="係 <a@b.example>", relay="127.0.0.1:25", sender="fax@city.example")
    raw = sink.message(replace(PARCEL, type_name=type_name, sender=sender, reasons=(reason,)))
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78  # RFC 5322 2.1.1
    back = parsed(raw)
    assert str(back["Subject"]).startswith(f"【至急】FAX {type_name} 発信 ")
    assert str(back["Subject"]).endswith(" 期限 2026-11-05 13:30 [20261105-abcd1234]")
    assert back["Message-ID"] == "<20261105-abcd1234-hoken-mail-1@city.example>"
    assert back.defects == []


def test_a_searchable_pdf_goes_along_with_the_original() -> None:
    relay = Relay()
    send(relay, replace(PARCEL, pdf=b"%PDF searchable"))
    message = read(relay.taken[0])
    assert [part.get_filename() for part in message.iter_attachments()] == [
        "20261105-abcd1234.pdf",
        "20261105-abcd1234-searchable.pdf",
    ]
    body = message.get_body()
    assert body is not None
    assert "-searchable.pdf" in body.get_content()


class Narrow(Relay):
    """Takes no mail above a size, and says so only when it has it all, as relays behind relays do."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 as above
        if len(envelope.content or b"") > 20_000:
            return "552 5.3.4 message size exceeds fixed limit"
        return await super().handle_DATA(server, session, envelope)


def test_a_relay_that_takes_no_mail_so_large_gets_the_original_alone() -> None:
    relay = Narrow()
    send(relay, replace(PARCEL, pdf=bytes(30_000)))
    (envelope,) = relay.taken
    assert [part.get_filename() for part in read(envelope).iter_attachments()] == ["20261105-abcd1234.pdf"]
    with pytest.raises(DeliveryError, match="552"):
        send(Narrow(), replace(PARCEL, documents=(Document("x.pdf", "application/pdf", bytes(30_000)),), pdf=b"%PDF"))
