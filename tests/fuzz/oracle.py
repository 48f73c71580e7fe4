"""What must hold for any bytes whatever. An exception that is not named here is a finding."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache

from gateway import archive
from gateway.message import MAX_BODY, MessageKind, read_message
from ocr.barcode import barcodes
from ocr.document import Limits, open_document, page_image
from ocr.errors import ReadingError
from ocr.image import despeckle, square
from ocr.mask import masked
from ocr.page import PageImage
from tests.corpus.mail import machines as m
from tests.fuzz import documents, mails

SMALL = Limits(
    document_bytes=4_000_000, pages=20, page_pixels=4_000_000, stream_bytes=4_000_000, drawing_bytes=1_000_000
)


def check_message(raw: bytes) -> None:
    """Any bytes give a message that can be stored, no larger than what came and what zips may unpack to."""
    message = read_message(raw, envelope_from="FAX=0359990123@example.jp")
    repr(message).encode()  # no half of a surrogate pair reaches the database
    files = (*message.documents, *message.others)
    assert all(len(item.name) <= 255 for item in files)
    assert len(message.body) <= MAX_BODY
    assert sum(len(item.data) for item in files) <= 2 * len(raw) + archive.MAX_OUTPUT
    assert message.problems or message.kind not in (MessageKind.UNREADABLE, MessageKind.NO_ATTACHMENT)
    assert (message.kind is MessageKind.FAX) == bool(message.documents)


def check_document(data: bytes) -> None:
    """Any bytes give pages, or a sentence for staff."""
    try:
        pages = open_document(data, SMALL).pages
    except ReadingError as error:
        assert str(error)
        return
    assert 1 <= pages <= SMALL.pages
    for number in range(1, min(pages, 3) + 1):
        try:
            check_page(page_image(data, number, SMALL))
        except ReadingError as error:
            assert str(error)
            assert not error.again


def check_page(page: PageImage) -> None:
    """What is done with a page's picture before an engine sees it."""
    assert page.image.mode in ("1", "L")
    assert min(page.dpi) > 0
    ready = square(page, SMALL)
    assert ready.image.width * ready.image.height <= SMALL.page_pixels
    barcodes(ready.image)
    despeckle(ready.image)
    masked(ready)


CHECKS: Mapping[str, Callable[[bytes], None]] = {"message": check_message, "document": check_document}


@cache
def seeds(target: str) -> tuple[bytes, ...]:
    """Good mails or documents to begin with, and the attacks that are small."""
    if target == "message":
        good = [m.ricoh(), m.ricoh_japanese(), m.fujifilm("cp932"), m.fujifilm("euc_jp"), m.konica(), m.hylafax()]
        good += [
            m.cisco(),
            m.efax(),
            m.bounce(),
            m.read_receipt(),
            *(m.forwarded(how) for how in ("rfc822", "base64", "eml")),
        ]
        good += m.split(m.canon_whole(), 40)
        good += [
            m.fields("Fax") + b"\r\n" + mails.uu(m.tiff()),
            mails.with_file(mails.zipped({"a.pdf": m.pdf()}), "application/zip", "a.zip"),
        ]
        tables = [{name: make for name, (make, _) in mails.CONTAINERS.items()}]
    else:
        good = [m.tiff(2), m.pdf(2), m.picture(size=(64, 48)), m.picture("PNG", (64, 48)), documents.plain()]
        good += [documents.encoded_tiff(how, edge=64) for how in ("jpeg", "tiff_lzw", "tiff_adobe_deflate", "packbits")]
        good += [documents.encoded_tiff(how, "1", 64) for how in ("group3", "tiff_ccitt")]
        tables = [documents.PDFS, documents.TIFFS, documents.PICTURES]
    return tuple(good) + tuple(
        raw for table in tables for name, make in table.items() if len(raw := made(name, make)) < 8192
    )


def made(name: str, make: Callable[[], bytes]) -> bytes:
    """An attack's bytes; those that are large to make, and the one that takes for ever, are left out by name."""
    return b"" if any(word in name for word in ("million", "100,000", "deep", "tiny steps")) else make()


_MAIL_WORDS = rb"""
--BND_2027<0214>_x | --BND_2027<0214>_x-- | =?utf-8?B? | ?= | filename*0*= | charset=utf-16 | charset=hz | "
; | <style>
Content-Type: multipart/mixed; boundary=b | --b | Content-Type: message/rfc822 | Content-Transfer-Encoding: base64
Content-Type: message/partial; id=x; number=1; total= | Content-Transfer-Encoding: x-uuencode | begin 644 a | end | `
Date: Mon, 99 Feb 99999999 99:99:99 +99999999 | -----BEGIN PGP MESSAGE | From: FAX=0359990123/@x
"""
_DOCUMENT_WORDS = rb"""
/Kids [2 0 R] | /Count 2147483647 | /Prev 0 | /Length 99999999 | /Filter [/FlateDecode /FlateDecode]
/Filter /LZWDecode | /Filter /JBIG2Decode | /Filter /JPXDecode | /Width 99999 | /Height 0 | /Rotate 90
/Rotate 45 | /UserUnit 99999
/MediaBox [0 0 1e9 0] | /DecodeParms null | /Resources 3 0 R | /Contents [4 0 R] | endobj | endstream | xref | trailer
startxref | %%EOF | << | >> | [ | 1 0 obj | /I0 Do | nan | IDAT | IHDR | zTXt
"""
_BYTES = (b"\0", b"\xff", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x1b$B", b"\x1b(B", b"PK\3\4", b"PK\1\2", b"PK\5\6")
_BYTES += (b"\x78\x9f\x3e\x22", b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"II*\0", b"\xff\xda", b"\xff\xd9", b"\\")


def _words(lines: bytes) -> tuple[bytes, ...]:
    found = [word for line in lines.strip().splitlines() for word in line.split(b" | ")]
    return (*found, *(word + b"\r\n" for word in found), *_BYTES)


TOKENS: Mapping[str, tuple[bytes, ...]] = {"message": _words(_MAIL_WORDS), "document": _words(_DOCUMENT_WORDS)}


def mutated(target: str, raw: bytes, dice: random.Random) -> bytes:
    """The bytes hurt a few times: bits, cuts, pieces of other seeds, hostile words, numbers made large."""
    data = bytearray(raw)
    for _ in range(dice.randint(1, 8)):
        hurts = (_flip, _cut, _twice, _splice, _insert, _insert, _number)
        dice.choice(hurts)(target, data, dice)
    return bytes(data)


def _place(data: bytearray, dice: random.Random) -> int:
    # Mostly near one of the ends, where headers and tables lie.
    size = len(data)
    near = dice.random()
    reach = min(size, 400)
    return (
        dice.randint(0, reach) if near < 0.4 else size - dice.randint(0, reach) if near < 0.7 else dice.randint(0, size)
    )


def _flip(_: str, data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 4) if data else 0):
        data[_place(data, dice) % len(data)] ^= 1 << dice.randrange(8)


def _cut(_: str, data: bytearray, dice: random.Random) -> None:
    at = _place(data, dice)
    del data[at : len(data) if dice.random() < 0.2 else at + dice.randint(1, 40)]


def _twice(_: str, data: bytearray, dice: random.Random) -> None:
    at = _place(data, dice)
    data[at:at] = data[at : at + dice.randint(1, 200)] * dice.choice((1, 2, 9))


def _splice(target: str, data: bytearray, dice: random.Random) -> None:
    other = dice.choice(seeds(target))
    start = dice.randint(0, len(other))
    at = _place(data, dice)
    data[at : at + dice.randint(0, 60)] = other[start : start + dice.randint(1, 300)]


def _insert(target: str, data: bytearray, dice: random.Random) -> None:
    at = _place(data, dice)
    token = dice.choice(TOKENS[target])
    data[at : at + dice.choice((0, len(token)))] = token


def _number(_: str, data: bytearray, dice: random.Random) -> None:
    digits = [at for at in range(len(data)) if 48 <= data[at] <= 57][:2000]
    if digits:
        at = dice.choice(digits)
        data[at : at + 1] = dice.choice(
            (b"0", b"-1", b"65535", b"65536", b"2147483647", b"4294967296", b"1e9", b"0.00001")
        )
