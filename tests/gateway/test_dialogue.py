"""The dialogue as values: every way a machine may cut, pipeline and garble what it says."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue import (
    LONGEST_LINE,
    MOST_ERRORS,
    MOST_GUESSES,
    MOST_RECIPIENTS,
    MOST_SKIPPED,
    Begin,
    Close,
    Complete,
    Content,
    DataStream,
    Dialogue,
    Event,
    Prove,
    Say,
    StartTls,
    Terms,
    TooLarge,
)

LINES = {"hoken@fax.example.jp": "hoken", "shomu@fax.example.jp": "shomu"}
ENVELOPE = b"EHLO mfp\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<hoken@fax.example.jp>\r\n"


def terms(max_bytes: int = 100_000, **more: object) -> Terms:
    return Terms(max_bytes=max_bytes, line_of=LINES.get, **more)  # type: ignore[arg-type]


def listen(talk: Dialogue, *said: bytes) -> list[Event]:
    """What happens; a mail that is complete is answered, a name and password believed, TLS made."""
    happened: list[Event] = []
    for data in said or (b"",):
        talk.take(data)
        while (event := talk.next()) is not None:
            happened.append(event)
            if isinstance(event, Complete):
                talk.answer("250 2.0.0 Kept as x")
            elif isinstance(event, StartTls):
                talk.encrypted()
            elif isinstance(event, Prove):
                talk.proved(right=event.password == b"right")
    return happened


def codes(happened: Sequence[Event]) -> list[int]:
    return [int(event.reply.rsplit(b"\r\n", 2)[-2][:3]) for event in happened if isinstance(event, Say)]


def content(happened: Sequence[Event]) -> bytes:
    return b"".join(event.data for event in happened if isinstance(event, Content))


def hello(**more: object) -> Dialogue:
    talk = Dialogue(terms(**more))  # type: ignore[arg-type]
    talk.greet()
    assert codes(listen(talk)) == [220]
    return talk


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        pieces.append(data[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


lines = st.lists(st.sampled_from([b"a", b".", b"..", b"", b"\r", b"\n", b"\n.", b".\r", b"x" * 80]), max_size=12)
commands = st.lists(
    st.sampled_from(
        [
            b"EHLO mfp", b"HELO mfp", b"MAIL FROM:<a@b.example>", b"MAIL FROM:<> SIZE=9", b"RSET", b"NOOP", b"HELP",
            b"RCPT TO:<hoken@fax.example.jp>", b"RCPT TO:<no@fax.example.jp>", b"", b"FAX", b"MAIL", b"\xff\xfe",
        ]
    ),
    max_size=12,
)  # fmt: skip


@given(lines, commands, st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_however_it_is_cut_the_same_is_understood(body: list[bytes], before: list[bytes], sizes: list[int]) -> None:
    """RFC 2920 3.1: a client may send many commands in one packet, or one command in many."""
    mail = b"\r\n".join(body) + b"\r\n"
    stuffed = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:]
    wire = (
        b"".join(line + b"\r\n" for line in before) + b"RSET\r\n" + ENVELOPE + b"DATA\r\n" + stuffed + b".\r\nQUIT\r\n"
    )
    whole, pieces = listen(hello(), wire), listen(hello(), *cut(wire, sizes))
    assert codes(whole) == codes(pieces)
    assert content(whole) == content(pieces) == mail
    assert [type(event) for event in whole if not isinstance(event, Content | Say)] == [
        type(event) for event in pieces if not isinstance(event, Content | Say)
    ]


@given(st.binary(max_size=400), st.lists(st.integers(1, 40), min_size=1, max_size=10))
def test_no_bytes_break_it(noise: bytes, sizes: list[int]) -> None:
    for event in listen(hello(), *cut(noise, sizes)):
        assert isinstance(event, Say | Close | Begin | Content | Complete)


@given(st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"..", b"\r\n.\n", b"x" * 9]), max_size=40),
       st.lists(st.integers(1, 12), min_size=1, max_size=60))  # fmt: skip
def test_data_comes_out_as_it_went_in(parts: list[bytes], sizes: list[int]) -> None:
    """RFC 5321 4.5.2: what the client doubled is halved, and nothing else."""
    mail = b"".join(parts) + b"\r\n"
    wire = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\nQUIT\r\n"
    stream, came = DataStream(), b""
    for piece in cut(wire, sizes):
        if stream.ended:
            break
        came += stream.feed(piece)
    assert stream.ended
    assert came == mail
    assert b"QUIT\r\n".startswith(stream.rest)


def test_an_empty_mail_is_a_mail() -> None:
    stream = DataStream()
    assert stream.feed(b".\r\nQUIT\r\n") == b""
    assert (stream.ended, stream.rest) == (True, b"QUIT\r\n")


def test_nothing_is_read_until_the_mail_is_answered() -> None:
    talk = hello()
    listen(talk, ENVELOPE, b"DATA\r\n")
    talk.take(b"body\r\n.\r\nMAIL FROM:<b@b.example>\r\n")
    events = []
    while (event := talk.next()) is not None:
        events.append(event)
    assert isinstance(events[-1], Complete)
    assert talk.next() is None
    talk.answer("451 4.3.0 Not kept, please send again")
    assert codes(listen(talk)) == [451, 250]


def test_a_mail_over_the_limit_is_told_at_its_end_and_the_next_is_taken() -> None:
    talk = hello(max_bytes=1000)
    happened = listen(
        talk, ENVELOPE, b"DATA\r\n", *[b"x" * 100 + b"\r\n"] * 15, b".\r\n", ENVELOPE, b"DATA\r\n", b"y\r\n.\r\n"
    )
    assert codes(happened)[-6:] == [354, 552, 250, 250, 250, 354] or codes(happened)[-1] == 250
    assert [type(event) for event in happened].count(TooLarge) == 1
    assert len([event for event in happened if isinstance(event, Complete)]) == 1
    assert content(happened[-3:]) == b"y\r\n"


@pytest.mark.parametrize("size", [1, 100, 5000])
def test_an_endless_mail_is_hung_up_on(size: int) -> None:
    talk = hello(max_bytes=1000)
    happened = listen(talk, ENVELOPE, b"DATA\r\n", *[b"x" * size] * (10_000 // size))
    assert (codes(happened)[-1], happened[-1]) == (552, Close("endless mail"))
    assert listen(talk, b"\r\n.\r\nNOOP\r\n") == []


def test_the_mail_that_just_fits_is_taken() -> None:
    talk = hello(max_bytes=1000)
    assert codes(listen(talk, ENVELOPE, b"DATA\r\n", b"x" * 998 + b"\r\n.\r\n"))[-1] == 250
    assert codes(listen(talk, ENVELOPE, b"DATA\r\n", b"x" * 999 + b"\r\n.\r\n"))[-1] == 552


def test_an_endless_command_is_hung_up_on_and_costs_no_memory() -> None:
    talk = hello()
    happened = listen(talk, *[b"x" * 65536] * (MOST_SKIPPED // 65536 + 2))
    assert (codes(happened), happened[-1]) == ([500], Close("endless line"))
    assert len(talk._buffer) == 0


def test_a_long_line_is_a_mistake_and_the_next_is_read() -> None:
    assert codes(listen(hello(), b"x" * (LONGEST_LINE + 1) + b"\r\nNOOP\r\n")) == [500, 250]
    assert codes(listen(hello(), b"NOOP " + b"x" * (LONGEST_LINE - 10) + b"\r\n")) == [250]


def test_who_talks_no_smtp_is_hung_up_on() -> None:
    happened = listen(hello(), b"nonsense\r\n" * 50)
    assert codes(happened) == [500] * MOST_ERRORS + [421]
    assert listen(hello(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[-1] == Close("web client")
    assert listen(hello(), b"\x16\x03\x01\x02\x00\x01")[-1] == Close(
        "TLS without STARTTLS: set the machine to STARTTLS"
    )


def test_order_is_kept() -> None:
    """RFC 5321 4.1.4."""
    assert codes(listen(hello(), b"RCPT TO:<hoken@fax.example.jp>\r\nDATA\r\n")) == [503, 503]
    assert codes(listen(hello(), ENVELOPE, b"MAIL FROM:<x@b.example>\r\n"))[-1] == 503
    assert codes(listen(hello(), ENVELOPE, b"RSET\r\nDATA\r\n"))[-1] == 503
    assert codes(listen(hello(), ENVELOPE, b"EHLO again\r\nDATA\r\n"))[-1] == 503
    assert codes(listen(hello(), b"MAIL FROM:<a@b.example>\r\nRCPT TO:<no@x.example>\r\nDATA\r\n"))[-2:] == [550, 503]
    assert codes(listen(hello(), ENVELOPE, b"DATA now\r\n"))[-1] == 501


def test_recipients_have_an_end() -> None:
    """RFC 5321 4.5.3.1.10: 452, so that a client sends the rest in another mail."""
    many = b"RCPT TO:<hoken@fax.example.jp>\r\n" * (MOST_RECIPIENTS + 1)
    happened = listen(hello(), b"MAIL FROM:<a@b.example>\r\n", many)
    assert codes(happened)[-2:] == [250, 452]


def test_a_client_over_its_rate_is_told_to_wait() -> None:
    allowed = iter([True, False, True])
    talk = hello(may_send=lambda: next(allowed))
    mail = b"MAIL FROM:<a@b.example>\r\n"
    assert codes(listen(talk, mail, b"RSET\r\n", mail, mail)) == [250, 250, 451, 250]


def test_what_is_not_set_up_is_not_offered() -> None:
    (hello_reply,) = [event.reply for event in listen(hello(), b"EHLO mfp\r\n") if isinstance(event, Say)]
    assert b"STARTTLS" not in hello_reply
    assert b"AUTH" not in hello_reply
    assert codes(listen(hello(), b"STARTTLS\r\nAUTH PLAIN AGEAYg==\r\nEXPN all\r\nHELP\r\n")) == [502, 502, 502, 214]


def proof(name: str, password: str) -> bytes:
    return base64.b64encode(f"\0{name}\0{password}".encode())


def test_a_name_is_proved_only_in_tls_and_before_any_mail() -> None:
    talk = hello(tls=True, auth=True)
    right, wrong = proof("mfp", "right") + b"\r\n", proof("mfp", "wrong") + b"\r\n"
    clear = listen(talk, b"EHLO mfp\r\n", b"AUTH PLAIN " + right, b"MAIL FROM:<>\r\n")
    assert codes(clear) == [250, 538, 530]
    assert codes(listen(talk, b"STARTTLS\r\n")) == [220]
    assert codes(listen(talk, b"EHLO mfp\r\n", b"MAIL FROM:<>\r\n")) == [250, 530]
    happened = listen(talk, b"AUTH PLAIN " + wrong, b"AUTH PLAIN\r\n", right)
    assert codes(happened) == [535, 334, 235]
    assert codes(listen(talk, b"AUTH PLAIN x\r\n", ENVELOPE, b"DATA\r\n", b".\r\n")) == [503, 250, 250, 250, 354, 250]


def test_login_asks_for_name_and_password() -> None:
    talk = hello(tls=True, auth=True)
    listen(talk, b"STARTTLS\r\n")
    name, right = base64.b64encode(b"mfp"), base64.b64encode(b"right")
    happened = listen(
        talk, b"AUTH LOGIN\r\n", name + b"\r\n", b"*\r\n", b"AUTH LOGIN " + name + b"\r\n", right + b"\r\n"
    )
    assert codes(happened) == [334, 334, 501, 334, 235]
    assert [event for event in happened if isinstance(event, Prove)] == [Prove("mfp", b"right")]
    assert "right" not in repr(Prove("mfp", b"right"))


@pytest.mark.parametrize("garbled", [b"AUTH PLAIN !!!", b"AUTH PLAIN AA==", b"AUTH PLAIN", b"AUTH CRAM-MD5", b"AUTH"])
def test_a_garbled_proof_is_a_mistake(garbled: bytes) -> None:
    talk = hello(tls=True, auth=True)
    listen(talk, b"STARTTLS\r\n")
    assert codes(listen(talk, garbled + b"\r\n", b"*\r\n"))[-1] in (500, 501)
    assert codes(listen(talk, b"MAIL FROM:<>\r\n")) == [530]


def test_guessing_has_an_end() -> None:
    talk = hello(tls=True, auth=True)
    listen(talk, b"STARTTLS\r\n")
    happened = listen(talk, *[b"AUTH PLAIN " + proof("mfp", "wrong") + b"\r\n"] * (MOST_GUESSES + 2))
    assert (codes(happened), happened[-1]) == ([535] * MOST_GUESSES + [421], Close("wrong passwords"))


def test_commands_sent_before_tls_are_not_taken_as_sent_in_it() -> None:
    """RFC 3207 4.2; the STARTTLS injection of CVE-2024-34083 and its many kin."""
    talk = hello(tls=True)
    assert codes(listen(talk, b"EHLO mfp\r\nSTARTTLS\r\nMAIL FROM:<evil@b.example>\r\n")) == [250, 220]
    assert codes(listen(talk, b"RCPT TO:<hoken@fax.example.jp>\r\n")) == [503]
