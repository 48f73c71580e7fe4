"""Mails that attack: any bytes give a message, the limits hold, and what a limit cuts off is held with its reason."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import archive, mime
from gateway.message import MAX_BODY, MessageKind, read_message
from tests.corpus.mail import machines as m
from tests.fuzz import mails

MAILS = [
    m.ricoh(),
    m.ricoh_japanese(),
    m.fujifilm("cp932"),
    m.fujifilm("euc_jp"),
    m.konica(),
    m.hylafax(),
    m.cisco(),
    m.efax(),
    m.bounce(),
    m.forwarded("rfc822"),
    m.forwarded("base64"),
    m.forwarded("eml"),
    *m.split(m.canon_whole(), 40),
]
TOKENS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"--BND_2027<0214>_x\r\n",
    b"--BND_2027<0214>_x--",
    b"\x1b$B",
    b"\x1b(B",
    b"\x1b(I",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"\0",
    b"\xff",
    b"Content-Type: message/partial; id=x; number=1; total=",
    b"Content-Transfer-Encoding: base64\r\n",
    b"=?utf-8?B?",
    b"?=",
    b"=?iso-2022-jp?Q?",
    b"filename*0*=",
    b"filename*1*=utf-7''%1B",
    b'"',
    b";",
    b"\\",
    b"charset=utf-16",
    b"charset=punycode",
    b"charset=hz",
    b"Date: Mon, 99 Feb 99999999 99:99:99 +99999999\r\n",
    b"From: FAX=0359990123/@x\r\n",
    b"\x83\x5c",
    b"<style>",
    b"Content-Type: text/html\r\n",
    b"Content-Type: message/delivery-status\r\n",
    b"Content-Type: image/tiff; charset=\0\r\n",
]


def whole(message: object) -> None:
    """Everything in it can be written as UTF-8: no half of a surrogate pair reaches the database."""
    repr(message).encode("utf-8")


@given(st.binary(max_size=2000), st.text(max_size=60))
@example(b"Content-Type: image/tiff; charset=\0\r\n\r\n\xff", "")
@example(b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n\r\n----", "FAX=")
@example(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n====", "")
def test_any_bytes_give_a_message(raw: bytes, envelope: str) -> None:
    whole(read_message(raw, envelope_from=envelope.encode("utf-8", "ignore").decode()))


@given(
    st.sampled_from(MAILS),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(TOKENS), st.integers(0, 30)), max_size=12),
)
def test_damaged_mails_give_a_message(raw: bytes, damages: list[tuple[float, bytes, int]]) -> None:
    for place, token, lost in damages:
        at = int(place * min(len(raw), 1500))
        raw = raw[:at] + token + raw[at + lost :]
    message = read_message(raw)
    whole(message)
    for item in (*message.documents, *message.others):
        item.name.encode("utf-8")
        assert len(item.name) <= 255


@given(st.sampled_from(MAILS), st.integers(0, 3000))
def test_cut_mails_give_a_message(raw: bytes, length: int) -> None:
    whole(read_message(raw[:length]))


def many_parts(count: int) -> bytes:
    part = m.File(b"Content-Type: image/tiff\r\n", m.b64(m.tiff()))
    return bytes(m.multipart(m.fields("From 0359990123 (Fax Message No. 0456)"), [part] * count, boundary="p"))


def nested(depth: int) -> bytes:
    heads = [f"Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n" for at in range(depth)]
    return bytes(m.fields("From 0359990123")) + "".join(heads).encode() + b"\r\nhello"


def lost_boundaries(depth: int) -> bytes:
    """A multipart whose boundary is wrong, and in it another one, and so on: each is put right and read again."""
    heads = [f"--a{at}\r\nContent-Type: multipart/mixed; boundary=z{at}\r\n\r\n" for at in range(depth)]
    head = bytes(m.fields("x")) + b"Content-Type: multipart/mixed; boundary=z\r\n\r\n"
    return head + "".join(heads).encode() + b"x" * 200_000


ATTACKS = {
    "100,000 parts": (many_parts(100_000), "部品"),
    "multiparts in multiparts": (nested(20_000), "入れ子"),
    "mails in mails": (m.fields("From 0359990123") + b"Content-Type: message/rfc822\r\n\r\n" * 20_000, "入れ子"),
    "a digest of mails": (
        m.fields("From 0359990123")
        + b"Content-Type: multipart/digest; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nSubject: 1\r\n\r\nx\r\n" * 9000,
        "入れ子",
    ),
    "header flood": (m.fields("From 0359990123") + b"X-A: b\r\n" * 100_000 + b"\r\nx", "ヘッダーの数"),
    "header flood in a part": (
        m.multipart(m.fields("From 0359990123"), [m.File(b"X-A: b\r\n" * 100_000, b"x")]),
        "ヘッダーの数",
    ),
    "one long header": (m.fields("From 0359990123") + b"X-A: " + b"x" * 900_000 + b"\r\n\r\nx", "ヘッダーが長"),
    "header without an end": (m.fields("From 0359990123") + b"X-A: b\r\n" * 300_000, "ヘッダーが長"),
    "one header folded": (m.fields("From 0359990123") + b"X-A: b\r\n" + b" x\r\n" * 200_000 + b"\r\nx", "ヘッダーが長"),
    "mails in mails, each read again": (
        m.multipart(
            m.fields("From 0359990123"),
            [m.File(b"Content-Type: application/octet-stream; name=a.eml\r\n", lost_boundaries(14))],
        ),
        "メールの中のメール",
    ),
    "Content-Types without number": (
        m.multipart(
            m.fields("From 0359990123"), [m.File(b"Content-Type: multipart/mixed; boundary=zz\r\n" * 1500, b"x")] * 40
        ),
        "入れ子",
    ),
}


@pytest.mark.parametrize(("raw", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_beyond_the_limits_it_is_held_with_the_reason(raw: bytes, reason: str) -> None:
    message = read_message(raw)
    assert message.kind is MessageKind.UNREADABLE
    assert reason in message.problems[0]
    assert message.subject.startswith("From 0359990123")  # what the header told is not lost
    assert message.transmission.caller == "+81359990123"


def test_size_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mime, "MAX_BYTES", 1000)
    message = read_message(m.ricoh())
    assert message.kind is MessageKind.UNREADABLE
    assert "大きすぎます" in message.problems[0]


def test_within_the_limits_all_is_read() -> None:
    raw = m.multipart(
        m.fields("Fax"), [m.attached(m.tiff() + f"{at}".encode(), "image/tiff", f"p{at}.tif") for at in range(900)]
    )
    assert len(read_message(raw).documents) == 900


HUGE = {
    "parameters": m.fields("x") + b"Content-Type: multipart/mixed" + b';a="' * 60_000 + b"\r\n\r\n--b\r\n\r\nx",
    "equal signs": m.fields("x") + b"Content-Type: multipart/mixed;" + b"=" * 200_000 + b"\r\n\r\nx",
    "half-width kana with voice marks too many": m.fields(b"a" * 8000 + b"\xb1\xde") + b"\r\nx",
    "escape sequences": m.fields(b"\x1b$B" * 60_000) + b"\r\nx",
    "open encoded words": m.fields(b"=?utf-8?B?" * 20_000) + b"\r\nx",
    "digits": m.fields(b"03-1234-567" * 18_000) + b"\r\nx",
    "froms": m.fields(b"from " * 40_000) + b"\r\nx",
    "body of digits": m.fields("x") + b"\r\n" + b"0 1 2 3 4 5 6 7 8 9 " * 100_000,
    "body of labels": m.fields("x") + b"\r\n" + (b"From: " + b"(" * 300 + b"\r\n") * 8000,
    "open tags": m.fields("x") + b"Content-Type: text/html\r\n\r\n" + b"<style" * 300_000,
    "smaller-than signs": m.fields("x") + b"Content-Type: text/html\r\n\r\n" + b"<" * 2_000_000,
    "lost boundaries": m.fields("x")
    + b"Content-Type: multipart/mixed\r\n\r\n"
    + b"--aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 60_000,
    "carriage returns": m.fields("x") + b"\r\n" + b"\r" * 1_000_000,
    "noughts": bytes(3_000_000),
    "one line": m.fields("x") + b"\r\n" + b"x" * 3_000_000,
}


@pytest.mark.parametrize("raw", HUGE.values(), ids=HUGE)
def test_large_nonsense_ends_and_the_text_kept_is_bounded(raw: bytes) -> None:
    message = read_message(raw)
    assert message.kind in (MessageKind.NO_ATTACHMENT, MessageKind.UNREADABLE)
    assert len(message.body) <= MAX_BODY
    assert len(message.subject) <= 40_000


@given(st.binary(max_size=500), st.integers(1, 100))
def test_base64_comes_back_whatever_its_lines(data: bytes, width: int) -> None:
    raw = m.base64.b64encode(data)
    lines = b"\r\n".join(raw[at : at + width] for at in range(0, len(raw), width))
    assert mime.from_base64(lines) == data


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6))
def test_base64_padded_block_by_block_comes_back(blocks: list[bytes]) -> None:
    raw = b"\r\n".join(m.base64.b64encode(block) + b"*" for block in blocks)
    assert mime.from_base64(raw) == b"".join(blocks)


# ---- uuencode: a fax written into the text, as mail was before MIME

UUENCODED = {
    "in the body": m.fields("Fax") + b"\r\nFax from 0359990123\r\n" + mails.uu(m.tiff()) + b"\r\nregards\r\n",
    "with CRLF": m.fields("Fax") + b"\r\n" + mails.uu(m.tiff()).replace(b"\n", b"\r\n"),
    "in a text part": bytes(m.multipart(m.fields("Fax"), [m.text("see below"), m.text(mails.uu(m.tiff()))])),
    "as a transfer encoding": m.fields("Fax")
    + b"Content-Type: image/tiff; name=fax.tif\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n"
    + mails.uu(m.tiff()),
    "with spaces for grave accents": m.fields("Fax") + b"\r\n" + mails.uu(m.tiff()).replace(b"`", b" "),
}


@pytest.mark.parametrize("raw", UUENCODED.values(), ids=UUENCODED)
def test_a_uuencoded_fax_is_read(raw: bytes) -> None:
    message = read_message(raw)
    assert message.kind is MessageKind.FAX
    assert [(item.name, item.kind, item.data) for item in message.documents] == [("fax.tif", "tiff", m.tiff())]
    assert "begin 644" not in message.body


def test_a_uuencoded_fax_that_is_cut_is_held_with_its_reason() -> None:
    message = read_message(m.fields("Fax") + b"\r\n" + mails.uu(m.tiff())[:150])
    assert message.kind is MessageKind.FAX
    assert any("uuencode" in sentence for sentence in message.problems)
    assert m.tiff().startswith(message.documents[0].data[:40])


def test_several_uuencoded_files_are_all_there() -> None:
    body = b"".join(mails.uu(m.tiff(1, at), f"{at}.tif") for at in range(3))
    message = read_message(m.fields("Fax") + b"\r\n" + body)
    assert [item.data for item in message.documents] == [m.tiff(1, at) for at in range(3)]


def test_talk_about_beginning_is_no_file() -> None:
    words = "begin 644 is how it starts\r\nand this is not a line of it, as anybody can see.\r\n"
    message = read_message(m.fields("x") + b"\r\n" + words.encode())
    assert message.kind is MessageKind.NO_ATTACHMENT
    assert "how it starts" in message.body


@given(st.binary(max_size=3000), st.booleans())
def test_uuencode_comes_back(data: bytes, stripped: bool) -> None:
    lines = mails.uu(data).split(b"\n", 1)[1].partition(b"`\nend")[0]
    if stripped:  # spaces at the end of a line are lost on the way
        lines = b"\n".join(line.replace(b"`", b" ").rstrip() for line in lines.split(b"\n"))
    assert mime.from_uuencode(lines) == (data, True)


# ---- zip


def zipped(**files: bytes) -> bytes:
    named = {name.replace("__", "/").replace("_", "."): data for name, data in files.items()}
    return mails.with_file(mails.zipped(named), "application/zip", "fax.zip")


def test_a_plain_zip_of_faxes_is_read() -> None:
    message = read_message(zipped(a_pdf=m.pdf(), b_tif=m.tiff(), readme_txt=b"hello"))
    assert message.kind is MessageKind.FAX
    assert [(item.name, item.kind) for item in message.documents] == [("a.pdf", "pdf"), ("b.tif", "tiff")]
    assert [item.name for item in message.others] == ["fax.zip", "readme.txt"]
    assert message.problems == ("圧縮ファイル「fax.zip」の中の文書を読みました。",)


def test_folders_in_a_zip_lead_nowhere() -> None:
    raw = mails.with_file(mails.zipped({"../../etc/passwd.pdf": m.pdf()}), "application/zip", "fax.zip")
    assert [item.name for item in read_message(raw).documents] == ["passwd.pdf"]


@pytest.mark.parametrize("codec", ["utf-8", "cp932"])
def test_japanese_names_in_a_zip(codec: str) -> None:
    data = mails.raw_zip({"12345678.pdf": (b"\x03\0", 0)}).replace(b"12345678", "届出".encode(codec).ljust(8, b"x"))
    message = read_message(mails.with_file(data, "application/zip", "fax.zip"))
    assert any(item.name.startswith("届出") for item in message.others)


def test_a_locked_zip_of_faxes_is_a_fax_that_cannot_be_read() -> None:
    message = read_message(mails.with_file(mails.locked_zip(), "application/zip", "fax.zip"))
    assert message.counts
    (document,) = message.documents
    assert "パスワード" in document.problem
    assert "fax.pdf" in document.problem


def test_a_locked_zip_of_something_else_is_no_fax() -> None:
    message = read_message(mails.with_file(mails.locked_zip("photos.xls"), "application/zip", "fax.zip"))
    assert (message.kind, message.counts) == (MessageKind.UNREADABLE, False)
    assert any("photos.xls" in sentence for sentence in message.problems)


def test_the_good_files_of_a_zip_are_read_and_the_bad_one_is_told() -> None:
    good = zlib.compress(m.pdf())[2:-4]
    data = mails.raw_zip({"a.pdf": (good, len(m.pdf())), "b.pdf": (b"\xff\xff", 9)})
    data = data.replace(b"\0" * 4 + len(good).to_bytes(4, "little"), crc(m.pdf()) + len(good).to_bytes(4, "little"))
    message = read_message(mails.with_file(data, "application/zip", "fax.zip"))
    assert [(item.name, bool(item.problem)) for item in message.documents] == [("fax.zip", True), ("a.pdf", False)]
    assert "b.pdf" in message.documents[0].problem


def crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def test_what_all_zips_unpack_to_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_OUTPUT", 3_000_000)
    zips = [
        m.attached(mails.zipped({f"{at}.pdf": m.pdf() + bytes(1_000_000 + at)}), "application/zip", f"{at}.zip")
        for at in range(9)
    ]
    message = read_message(m.multipart(m.fields("Fax"), zips))
    assert sum(item.kind == "pdf" for item in message.documents) == 2
    assert sum("大きすぎ" in item.problem for item in message.documents) == 7


def test_pictures_in_a_word_file_are_no_pages() -> None:
    word = {"[Content_Types].xml": b"<x/>", "word/media/a.png": m.picture("PNG")}
    message = read_message(mails.with_file(mails.zipped(word), "application/zip", "fax.docx"))
    assert message.kind is MessageKind.UNREADABLE
    assert any("Word" in sentence for sentence in message.problems)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_are_some_zip(junk: bytes, at: int) -> None:
    data = mails.zipped({"a.pdf": m.pdf()})
    found = archive.open_zip(data[:at] + junk + data[at + len(junk) :])
    assert found.spent <= archive.MAX_OUTPUT
    assert found.files or found.problem or not found.unread


# ---- what is attached in place of a fax is named


@pytest.mark.parametrize(("make", "reason"), mails.CONTAINERS.values(), ids=mails.CONTAINERS)
def test_what_cannot_be_opened_is_named(make: Callable[[], bytes], reason: str) -> None:
    message = read_message(make())
    told = " ".join([*message.problems, *(item.problem for item in message.documents)])
    assert reason in told
    assert message.kind in (MessageKind.UNREADABLE, MessageKind.FAX)


# ---- counting


def test_a_mail_beyond_a_limit_counts_and_says_what_to_do() -> None:
    message = read_message(m.fields("From 0359990123") + b"X-A: b\r\n" * 20_000 + b"\r\nx")
    assert message.counts
    assert "ヘッダーの数" in message.problems[0]
    assert "専用の端末" in message.problems[0]


def test_headers_are_given_up_before_they_are_gathered() -> None:
    """A part's header of 40 MB took 775 MB before anybody counted its fields."""
    fed = []

    class Budget(mime._Budget):
        def fed(self, size: int) -> None:
            fed.append(size)
            super().fed(size)

    raw = mails.one_part(b"X: b\r\n" * 1_000_000, b"x")
    with pytest.raises(mime.TooMuch, match="ヘッダー"):
        mime._Walk(Budget(raw)).parse(raw)
    assert sum(fed) < 3 * mime.MAX_HEAD
