"""Composes mails the way fax machines and their gateways send them. Everything in them is invented.

Bytes are put together by hand, because what is to be shown is what no mail library writes: raw Shift_JIS headers,
encoded words inside quoted names, missing boundaries. The shapes come from makers' manuals and RFCs; see the provenance
table in tests/corpus/README.md.
"""

from __future__ import annotations

import base64
import functools
import io
import quopri
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import img2pdf
from PIL import Image
from pypdf import PdfReader, PdfWriter

CALLER = "0359990123"
"""The clinic that calls, as machines print it; +81359990123."""
OWN = "0355501000"
"""Our own line; +81355501000."""
DATE = "Sun, 14 Feb 2027 09:07:31 +0900"
TO = "kansen@fax.city.example.jp"
CRLF = b"\r\n"


@functools.cache
def tiff(pages: int = 1, mark: int = 0) -> bytes:
    """A G4 TIFF of tiny pages; ``mark`` makes one differ from another."""
    images = [Image.new("1", (64, 32), 1) for _ in range(pages)]
    for number, image in enumerate(images):
        image.paste(0, (2 + number, 2, 20 + mark % 40, 10))
    out = io.BytesIO()
    images[0].save(out, "TIFF", compression="group4", save_all=True, append_images=images[1:], dpi=(204, 196))
    return out.getvalue()


@functools.cache
def pdf(pages: int = 1, mark: int = 0) -> bytes:
    """A PDF around the same pages, the fax image untouched."""
    return bytes(img2pdf.convert(tiff(pages, mark), nodate=True))


@functools.cache
def locked_pdf() -> bytes:
    """A PDF that only a password opens."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf())))
    writer.encrypt("himitsu", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@functools.cache
def picture(kind: str = "JPEG", size: tuple[int, int] = (1240, 1754), mark: int = 0) -> bytes:
    """A page, or a logo, as JPEG, PNG or GIF."""
    image = Image.new("L", size, 255)
    image.paste(0, (10, 10, 40 + mark, 30))
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def archive(name: str, data: bytes) -> bytes:
    """A zip with one file in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr(name, data)
    return out.getvalue()


TNEF = struct.pack("<IH", 0x223E9F78, 1) + b"\x01\x06\x90\x08\0" + b"\0" * 24


@dataclass(frozen=True, slots=True)
class File:
    """A part of a mail: its header lines as they stand, and its body as it goes over the wire."""

    head: bytes
    body: bytes

    def __bytes__(self) -> bytes:
        return self.head + CRLF + self.body


def b64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", CRLF)


def attached(
    data: bytes, media_type: str, name: bytes | str = b"", *, disposition: bytes = b"attachment", more: bytes = b""
) -> File:
    """A file as most machines attach it: base64, its name given twice."""
    raw = name.encode() if isinstance(name, str) else name
    named = CRLF + b' name="' + raw + b'"' if raw else b""
    filed = b";" + CRLF + b' filename="' + raw + b'"' if raw else b""
    head = b"Content-Type: " + media_type.encode() + (b";" + named if raw else b"") + CRLF
    head += b"Content-Transfer-Encoding: base64" + CRLF
    head += b"Content-Disposition: " + disposition + filed + CRLF + more
    return File(head, b64(data))


def text(words: str | bytes = "", charset: str = "us-ascii", subtype: str = "plain") -> File:
    body = words if isinstance(words, bytes) else words.encode(charset)
    head = f"Content-Type: text/{subtype}; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n"
    return File(head.encode(), body.replace(b"\n", CRLF) + CRLF)


def fields(subject: bytes | str | None, sender: str = "<mfp-2f@mfp.example.jp>", **more: str | None) -> bytes:
    """The top of a header. ``more`` adds fields (underscores are hyphens); None leaves one of the usual ones out."""
    usual: dict[str, str | None] = {"From": sender, "To": TO, "Date": DATE, "MIME_Version": "1.0"}
    lines = [
        f"{name.replace('_', '-')}: {value}".encode() for name, value in (usual | more).items() if value is not None
    ]
    if subject is not None:
        lines.insert(2, b"Subject: " + (subject.encode() if isinstance(subject, str) else subject))
    return CRLF.join(lines) + CRLF


def multipart(head: bytes, parts: Sequence[File], kind: str = "mixed", boundary: str = "BND_2027<0214>_x") -> bytes:
    """A multipart mail, or part when ``head`` is empty."""
    line = f'Content-Type: multipart/{kind}; boundary="{boundary}"'.encode() + CRLF
    return head + line + CRLF + b"This is a multi-part message in MIME format.\r\n\r\n" + pieces(parts, boundary)


def pieces(parts: Sequence[File], boundary: str) -> bytes:
    mark = b"--" + boundary.encode()
    return b"".join(mark + CRLF + bytes(part) + CRLF for part in parts) + mark + b"--" + CRLF


def nested(parts: Sequence[File], kind: str, boundary: str) -> File:
    """A multipart as a part of another."""
    return File(f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n'.encode(), pieces(parts, boundary))


# ------------------------------------------------------------------------------------------------------ machines


def ricoh(who: str = CALLER, number: str = "0456", files: Sequence[File] | None = None, **more: str | None) -> bytes:
    """Subject ``From CSI-or-RTI (Fax Message No. n)``, TIFF-F in multipart/mixed."""
    note = text('This E-mail was sent from "MFP-2F" (IM C4510).\nQueries to: 03-5550-2222\n')
    files = [attached(tiff(2), "image/tiff", f"0000{number}.tif")] if files is None else files
    return multipart(fields(f"From {who} (Fax Message No. {number})", **more), [note, *files])


def ricoh_japanese() -> bytes:
    """The sender's RTI as a name, in ISO-2022-JP; the same inside a quoted file name."""
    subject = encoded_word("送信者:高田馬場クリニック") + b" (Fax Message No. 0457)"
    name = encoded_word("受信ファクス_高田馬場クリニック①.pdf", "iso-2022-jp-ms")
    note = text("このメールは「MFP-2F」から送信されたものです。\n", "iso-2022-jp")
    return multipart(fields(subject), [note, attached(pdf(), "application/pdf", name)])


def ricoh_error() -> bytes:
    return fields(f"Error Message No. 0031 From {CALLER}") + CRLF + b"Receive error.\r\n"


def canon_whole() -> bytes:
    """The mail a Canon machine splits when it is long."""
    head = fields("Attached Image", Message_ID="<20270214090731.0000.CanonTxNo.0207@ir.example.jp>")
    return multipart(head, [text(), attached(tiff(4) + b"\0" * 3000, "image/tiff", "0207_001.tif")], boundary="bnd0207")


def split(whole: bytes, lines: int, number: str = "20270214090731.0000.CanonTxNo.0207@ir.example.jp") -> list[bytes]:
    """``whole`` in message/partial pieces of so many lines (RFC 2046 5.2.2)."""
    rows = whole.splitlines(keepends=True)
    chunks = [b"".join(rows[at : at + lines]) for at in range(0, len(rows), lines)]
    total = len(chunks)
    return [
        fields(f"[{at}/{total}] Attached Image", Message_ID=f"<part{at}@ir.example.jp>")
        + f'Content-Type: message/partial; number={at}; total={total};\r\n id="{number}"\r\n\r\n'.encode()
        + chunk
        for at, chunk in enumerate(chunks, 1)
    ]


def toshiba() -> bytes:
    """Internet fax with a request for a read receipt, which is never answered."""
    head = fields("IMAGE from Internet FAX", Disposition_Notification_To="<ifax@mfp.example.jp>")
    return multipart(
        head, [text(), attached(tiff(), "image/tiff; application=faxbw", "image.tif")], boundary="+-+-T-+-+"
    )


def fujifilm(charset: str, subject: str = f"ファクス受信表 {CALLER}") -> bytes:
    """Raw 8-bit header and file name in ``charset``; 表 and ソ end in a backslash in Shift_JIS."""
    name = f"受信文書ソ表_{CALLER}_20270214090655.pdf".encode(charset)
    return multipart(fields(subject.encode(charset)), [attached(pdf(), "application/octet-stream", name)])


def konica() -> bytes:
    """RFC 2231 continuations that are cut inside an escape sequence's run."""
    raw = "受信ファクス 予約表.tif".encode("iso-2022-jp")
    quoted = "".join(f"%{byte:02X}" for byte in raw)
    cut = 3 * 13
    head = (
        b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n"
        + f" filename*1*={quoted[cut:]};\r\n filename*0*=ISO-2022-JP''{quoted[:cut]}\r\n".encode()
    )
    return multipart(fields("Message from KMBT_C454"), [text(), File(head, b64(tiff()))])


HYLAFAX_BODY = """recvq/fax{number}.tif (ftp://pbx:4559/recvq/fax{number}.tif):
          Sender: {sender}
           Pages: {pages}
         Quality: Fine
            Size: 1728 by 2287
        Received: 2027:02:14 09:07:12
 Time To Receive: 0:00:54
     Signal Rate: 14400 bit/s
     Data Format: 2-D MMR
   Error Correct: Yes
         CallID1: {call}
     Received On: ttyS1
          CommID: {number} (ftp://pbx:4559/log/c{number})
"""


def hylafax(
    sender: str = "+81 3 5999 0123", call: str = CALLER, files: Sequence[File] | None = None, pages: int = 2
) -> bytes:
    """Faxrcvd's mail: no Date, no Message-ID, capital Multipart/Mixed; one fax as TIFF and as PDF."""
    body = text(HYLAFAX_BODY.format(number="000000731", sender=sender, call=call, pages=pages))
    forms = [
        attached(tiff(2), "image/tiff", "fax000000731.tif"),
        attached(pdf(2), "application/pdf", "fax000000731.pdf"),
    ]
    head = fields(f'Fax received from "{sender}"', "HylaFAX Agent <faxmaster@pbx.example.jp>", Date=None)
    return multipart(head, [body, *(forms if files is None else files)]).replace(b"multipart/mixed", b"Multipart/Mixed")


def hylafax_notice() -> bytes:
    body = text(HYLAFAX_BODY.format(number="000000731", sender="+81 3 5999 0123", call=CALLER, pages=2))
    return fields('Fax received from "+81 3 5999 0123"', "HylaFAX Agent <faxmaster@pbx.example.jp>", Date=None) + bytes(
        body
    )


def freepbx(who: str = f'"TAKADA CLINIC" <{CALLER}>', subject: str | None = None) -> bytes:
    """fax2mail.php: caller in Subject and body; ``Via`` is our own line."""
    body = text(
        f"Enclosed, please find a new fax from: {who}\nReceived & processed: Sun, 14 Feb 2027 09:07:45 +0900\n"
        f"On: pbx\nVia: {OWN}\nFor: Kansen\n",
        "utf-8",
    )
    head = fields(subject or f"New fax from: {who}", '"Fax Service" <fax@pbx.example.jp>')
    return multipart(head, [body, attached(pdf(2), "application/pdf", f"1802563665.42-{CALLER}.pdf")])


def cisco(sender: str = f"FAX={CALLER}@onramp.example.jp", **more: str | None) -> bytes:
    """T.37 on-ramp: the caller is the sender's address (RFC 3192), profile S TIFF."""
    files = [attached(tiff(), "image/tiff; application=faxbw", "Cisco_fax.tif")]
    return multipart(fields("Fax from router", sender, **more), files, "fax-message", "yradnuoB=_0050101552.fax")


def efax(caller: str = "813-5999-0123") -> bytes:
    """A fax service: caller and pages in the Subject, times in GMT, a tracking picture in the HTML."""
    words = text("You have received a 3 page fax at 2027-02-14 00:07:31 GMT.\n")
    page = text(
        '<html><style>p{}</style><body>You have a fax<img src="http://t.example.com/1.gif"></body></html>',
        "utf-8",
        "html",
    )
    files = [
        nested([words, page], "alternative", "alt1"),
        attached(pdf(3), "application/pdf", "FAX_20270214_1802563651_35.pdf"),
    ]
    subject = f"eFax from TAKADA CLINIC - 3 page(s), caller ID: {caller}"
    return multipart(fields(subject, "eFax <message@fax.example.com>", Date="Sun, 14 Feb 2027 00:07:31 +0000"), files)


def sharp(order: Sequence[int] = (1, 10, 2)) -> bytes:
    """A page a file, numbered in the names, in the order a careless program sorts them."""
    files = [attached(tiff(1, number), "image/tiff", f"FAX_20270214_0907_{number}.tif") for number in order]
    return multipart(fields("Fax received", Message_ID="<0001@mfp>"), [text("Device Name: MX-3661\n"), *files])


def xerox_report() -> bytes:
    return multipart(fields("転送完了レポート".encode()), [text("転送が完了しました。\n", "utf-8")])


def read_receipt() -> bytes:
    """RFC 8098."""
    told = File(
        b"Content-Type: message/disposition-notification\r\n",
        b"Disposition: automatic-action/MDN-sent-automatically; dispatched\r\n",
    )
    report = "report; report-type=disposition-notification"
    return multipart(fields("Read Receipt:IMAGE from Internet FAX"), [text("This message was opened.\n"), told], report)


def bounce() -> bytes:
    """RFC 3464, with the returned fax inside: it is not a fax that came in."""
    told = File(
        b"Content-Type: message/delivery-status\r\n",
        b"Reporting-MTA: dns; mx.example.jp\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n",
    )
    back = File(b"Content-Type: message/rfc822\r\n", ricoh())
    head = fields("Undelivered Mail Returned to Sender", "MAILER-DAEMON@mx.example.jp")
    return multipart(head, [text("I'm sorry.\n"), told, back], "report; report-type=delivery-status")


def forwarded(how: str) -> bytes:
    """A clerk forwards a fax mail: as message/rfc822, as one in base64, as an .eml file."""
    inside = {
        "rfc822": File(b"Content-Type: message/rfc822\r\n", ricoh()),
        "base64": File(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n", b64(ricoh())),
        "eml": attached(ricoh(), "application/octet-stream", "fax.eml"),
    }[how]
    head = fields("FW: ファクスの件".encode(), "clerk@city.example.jp", Date="Mon, 15 Feb 2027 08:30:00 +0900")
    return multipart(head, [text("よろしく。\n", "utf-8"), inside], boundary="outer")


def encoded_word(words: str, charset: str = "iso-2022-jp", encoding: str = "B") -> bytes:
    """An RFC 2047 word; ``iso-2022-jp-ms`` writes NEC row 13 characters as machines do."""
    raw = jis(words) if charset == "iso-2022-jp-ms" else words.encode(charset)
    name = "ISO-2022-JP" if charset.startswith("iso-2022-jp") else charset
    if encoding == "B":
        return b"=?" + name.encode() + b"?B?" + base64.b64encode(raw) + b"?="
    return (
        b"=?"
        + name.encode()
        + b"?Q?"
        + quopri.encodestring(raw, header=True).replace(b"=\n", b"").replace(b"?", b"=3F")
        + b"?="
    )


def jis(words: str) -> bytes:
    """ISO-2022-JP with the vendor characters (①㈱) that Python's codec refuses: out of cp932, row by row."""
    out, double = bytearray(), False
    for char in words:
        raw = char.encode("cp932")
        if double != (len(raw) == 2):
            double = len(raw) == 2
            out += b"\x1b$B" if double else b"\x1b(B"
        if double:
            lead, trail = raw
            row = (lead - (0x70 if lead < 0xA0 else 0xB0)) * 2 - (1 if trail < 0x9F else 0)
            cell = trail - (0x7E if trail >= 0x9F else 0x20 if trail >= 0x80 else 0x1F)
            raw = bytes((row, cell))
        out += raw
    return bytes(out) + (b"\x1b(B" if double else b"")
