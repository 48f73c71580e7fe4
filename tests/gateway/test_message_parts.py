"""Split mails (message/partial): told apart, joined in any order, refused while a piece is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import MessageKind, Partial, PartsMissing, join_parts, read_message
from tests.corpus.mail import machines as m

WHOLE = m.canon_whole()
ID = "20270214090731.0000.CanonTxNo.0207@ir.example.jp"


def piece(number: str, total: str = "", extra: str = f'id="{ID}"', body: bytes = b"x\r\n") -> bytes:
    told = "; ".join(
        part for part in (f"number={number}" if number else "", f"total={total}" if total else "", extra) if part
    )
    return bytes(m.fields("x")) + f"Content-Type: message/partial; {told}\r\n\r\n".encode() + body


def test_piece_says_which_it_is() -> None:
    first, *_ = m.split(WHOLE, 20)
    message = read_message(first)
    assert message.kind is MessageKind.PART
    assert not message.counts
    assert message.documents == ()
    assert message.partial == Partial(ID, 1, len(m.split(WHOLE, 20)))


def test_joined_mail_is_the_fax_whole() -> None:
    joined = read_message(join_parts(m.split(WHOLE, 20)))
    assert joined.counts
    assert joined.subject == "Attached Image"
    assert joined.message_id == f"<{ID}>"
    assert [document.data for document in joined.documents] == [m.tiff(4) + b"\0" * 3000]


@given(lines=st.integers(9, 80), data=st.data())
def test_joining_undoes_splitting(lines: int, data: st.DataObject) -> None:
    pieces = m.split(WHOLE, lines)
    again = data.draw(st.lists(st.sampled_from(pieces), max_size=3))
    joined = join_parts(data.draw(st.permutations([*pieces, *again])))
    head, _, body = WHOLE.partition(b"\r\n\r\n")
    joined_head, _, joined_body = joined.partition(b"\r\n\r\n")
    assert joined_body == body
    # Every field of the mail is there; Content-*, Subject and Message-ID are the enclosed mail's.
    assert sorted(joined_head.splitlines()) == sorted(head.splitlines())


@given(st.binary(max_size=400), st.integers(1, 6))
def test_any_content_survives_splitting(content: bytes, lines: int) -> None:
    body = m.b64(content)
    whole = (
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: image/tiff\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + body
    )
    assert join_parts(m.split(whole, lines)).endswith(b"\r\n\r\n" + body)


def test_header_follows_rfc_2046() -> None:
    inside = b"X-Inside: dropped\r\nFrom: other@example.jp\r\nSubject: inside\r\n"
    inside += b"Content-Type: text/plain\r\n\r\nbody one\r\n"
    first = b"X-Outside: kept\r\n" + piece("1", "2", body=inside)
    second = b"X-Second: dropped\r\n" + piece("2", "2", body=b"body two\r\n")
    joined = join_parts([second, first])
    assert joined.startswith(b"X-Outside: kept\r\nFrom: <mfp-2f@mfp.example.jp>\r\n")
    assert joined.endswith(b"Subject: inside\r\nContent-Type: text/plain\r\n\r\nbody one\r\nbody two\r\n")
    for dropped in (b"X-Inside", b"X-Second", b"other@example.jp", b"message/partial", b"Subject: x"):
        assert dropped not in joined


def test_enclosed_mail_without_a_subject_keeps_the_outer_one() -> None:
    joined = join_parts([piece("1", "1", body=b"Content-Type: text/plain\r\n\r\nx\r\n")])
    assert read_message(joined).subject == "x"


def test_line_end_lost_between_pieces_is_put_back() -> None:
    first = piece("1", "2", body=b"Content-Type: text/plain\r\n\r\none")
    assert join_parts([first, piece("2", "2", body=b"two\r\n")]).endswith(b"\r\n\r\none\r\ntwo\r\n")


def test_only_the_last_piece_must_tell_the_total() -> None:
    first, second = piece("1", body=b"\r\none\r\n"), piece("2", "2", body=b"two\r\n")
    assert join_parts([first, second]).endswith(b"one\r\ntwo\r\n")
    assert read_message(first).partial == Partial(ID, 1, None)


def test_missing_pieces_are_named() -> None:
    pieces = m.split(WHOLE, 10)
    with pytest.raises(PartsMissing) as missing:
        join_parts([pieces[0], pieces[3]])
    assert missing.value.missing == tuple(number for number in range(2, len(pieces) + 1) if number != 4)
    assert missing.value.again
    assert "2、3、5" in str(missing.value)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [piece("1"), piece("2")],  # the last is not there: nobody knows the total
        [piece("1", "2"), piece("2", "2", 'id="other"')],
        [piece("1", "1"), WHOLE],
        [b""],
    ],
)
def test_what_is_no_whole_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(PartsMissing):
        join_parts(parts)


@pytest.mark.parametrize(
    "raw",
    [
        piece("", "2"),
        piece("0", "2"),
        piece("3", "2"),
        piece("1", "2", ""),
        piece("x", "2"),
        piece("1", "9999"),
        piece("-1"),
    ],
)
def test_nonsense_numbers_are_held(raw: bytes) -> None:
    message = read_message(raw)
    assert message.kind is MessageKind.UNREADABLE
    assert message.partial is None
    assert "分割メール" in message.problems[0]


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_any_pieces_join_or_are_refused(bodies: list[bytes]) -> None:
    parts = [piece(str(at), str(len(bodies)), body=body) for at, body in enumerate(bodies, 1)]
    if bodies:
        read_message(join_parts(parts))
    with pytest.raises(PartsMissing):
        join_parts([*parts[1:], b"\0"])
