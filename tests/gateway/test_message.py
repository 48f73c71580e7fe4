"""What each machine's mail gives: its kind, the fax in it, who called, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from gateway.message import Message, MessageKind, read_message
from gateway.moment import TOKYO
from tests.corpus.mail import machines as m

CALLER = "+81359990123"
OWN = frozenset({"+81355501000"})
DATED = datetime(2027, 2, 14, 9, 7, 31, tzinfo=TOKYO)
T1, T2, P1, P2, P3 = m.tiff(), m.tiff(2), m.pdf(), m.pdf(2), m.pdf(3)


@dataclass(frozen=True)
class Case:
    """A mail and what it must give. ``docs`` are the bytes of the fax's files in order."""

    raw: bytes
    docs: tuple[bytes, ...] = ()
    kind: MessageKind = MessageKind.FAX
    caller: str | None = None
    source: str = ""
    sent_at: datetime | None = DATED
    sent_by: str = "date_header"
    tsi: str | None = None
    machine_message: str | None = None
    pages: int | None = None
    envelope: str = ""
    names: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()
    """A piece of each expected sentence, in order."""
    others: int = 0


def one(*files: object, subject: bytes | str | None = "Fax received", **more: str | None) -> bytes:
    return bytes(m.multipart(m.fields(subject, **more), [m.text("\n"), *files]))


def alone(head: bytes, body: bytes, subject: str = "Fax received") -> bytes:
    """A mail that is not multipart."""
    return bytes(m.fields(subject) + head + b"\r\n" + body)


def said(words: str, subject: str = "FAX") -> bytes:
    return bytes(
        m.multipart(m.fields(subject.encode()), [m.text(words, "utf-8"), m.attached(T1, "image/tiff", "a.tif")])
    )


def subject(words: str | bytes, name: str = "a.tif", sender: str = "<mfp@mfp.example.jp>", **more: str | None) -> bytes:
    raw = words.encode() if isinstance(words, str) else words
    return bytes(m.multipart(m.fields(raw, sender, **more), [m.attached(T1, "image/tiff", name)]))


TIFF = m.attached(T2, "image/tiff", "00000456.tif")
WHOLE = m.ricoh()

MACHINES = {
    "ricoh": Case(
        m.ricoh(),
        (T2,),
        caller=CALLER,
        source="subject",
        tsi="0359990123",
        machine_message="0456",
        names=("00000456.tif",),
    ),
    "ricoh international": Case(
        m.ricoh("+442079460812"),
        (T2,),
        caller="+442079460812",
        source="subject",
        tsi="+442079460812",
        machine_message="0456",
    ),
    "ricoh spaced number": Case(
        m.ricoh("03 5999 0123"), (T2,), caller=CALLER, source="subject", tsi="03 5999 0123", machine_message="0456"
    ),
    "ricoh without id": Case(m.ricoh("UNKNOWN"), (T2,), machine_message="0456"),
    "ricoh names itself": Case(m.ricoh(m.OWN), (T2,), tsi=m.OWN, machine_message="0456"),
    "ricoh names itself, caller in the file's name": Case(
        m.ricoh(m.OWN, files=[m.attached(T1, "image/tiff", "20270214_0359990123.tif")]),
        (T1,),
        caller=CALLER,
        source="filename",
        tsi=m.OWN,
        machine_message="0456",
    ),
    "ricoh in Japanese": Case(
        m.ricoh_japanese(),
        (P1,),
        tsi="高田馬場クリニック",
        machine_message="0457",
        names=("受信ファクス_高田馬場クリニック①.pdf",),
    ),
    "ricoh error": Case(
        m.ricoh_error(),
        kind=MessageKind.DEVICE_ERROR,
        caller=CALLER,
        source="subject",
        tsi="0359990123",
        machine_message="0031",
        problems=("エラー",),
    ),
    "ricoh without its fax": Case(
        m.ricoh(files=[]),
        kind=MessageKind.NO_ATTACHMENT,
        caller=CALLER,
        source="subject",
        tsi="0359990123",
        machine_message="0456",
        problems=("文書が付いていません",),
    ),
    "canon unsplit": Case(m.canon_whole(), (m.tiff(4) + b"\0" * 3000,), machine_message="0207"),
    "toshiba": Case(m.toshiba(), (T1,)),
    "fujifilm shift_jis": Case(
        m.fujifilm("cp932"),
        (P1,),
        caller=CALLER,
        source="subject",
        names=("受信文書ソ表_0359990123_20270214090655.pdf",),
    ),
    "fujifilm euc-jp": Case(
        m.fujifilm("euc_jp"),
        (P1,),
        caller=CALLER,
        source="subject",
        names=("受信文書ソ表_0359990123_20270214090655.pdf",),
    ),
    "fujifilm utf-8": Case(
        m.fujifilm("utf-8"),
        (P1,),
        caller=CALLER,
        source="subject",
        names=("受信文書ソ表_0359990123_20270214090655.pdf",),
    ),
    "fujifilm raw iso-2022-jp": Case(
        m.fujifilm("iso-2022-jp"),
        (P1,),
        caller=CALLER,
        source="subject",
        names=("受信文書ソ表_0359990123_20270214090655.pdf",),
    ),
    "fujifilm caller in the name only": Case(
        m.fujifilm("cp932", "ファクス受信"), (P1,), caller=CALLER, source="filename"
    ),
    "konica": Case(m.konica(), (T1,), names=("受信ファクス 予約表.tif",)),
    "hylafax": Case(
        m.hylafax(),
        (T2,),
        caller=CALLER,
        source="subject",
        tsi="+81 3 5999 0123",
        machine_message="000000731",
        pages=2,
        sent_at=datetime(2027, 2, 14, 9, 7, 12, tzinfo=TOKYO),
        sent_by="body",
        others=1,
    ),
    "hylafax, sender typed nothing": Case(
        m.hylafax(sender="<UNSPECIFIED>"),
        (T2,),
        caller=CALLER,
        source="body",
        machine_message="000000731",
        pages=2,
        sent_at=datetime(2027, 2, 14, 9, 7, 12, tzinfo=TOKYO),
        sent_by="body",
        others=1,
    ),
    "hylafax, withheld": Case(
        m.hylafax(sender="TAKADA CLINIC", call="P"),
        (T2,),
        tsi="TAKADA CLINIC",
        machine_message="000000731",
        pages=2,
        sent_at=datetime(2027, 2, 14, 9, 7, 12, tzinfo=TOKYO),
        sent_by="body",
        others=1,
    ),
    "hylafax notice": Case(
        m.hylafax_notice(),
        kind=MessageKind.NOTICE,
        caller=CALLER,
        source="subject",
        tsi="+81 3 5999 0123",
        pages=2,
        machine_message="000000731",
        sent_at=datetime(2027, 2, 14, 9, 7, 12, tzinfo=TOKYO),
        sent_by="body",
    ),
    "freepbx": Case(
        m.freepbx(),
        (P2,),
        caller=CALLER,
        source="subject",
        sent_at=datetime(2027, 2, 14, 9, 7, 45, tzinfo=TOKYO),
        sent_by="body",
    ),
    "freepbx, caller in the body": Case(
        m.freepbx(subject="New fax received"),
        (P2,),
        caller=CALLER,
        source="body",
        sent_at=datetime(2027, 2, 14, 9, 7, 45, tzinfo=TOKYO),
        sent_by="body",
    ),
    "freepbx without a number": Case(
        m.freepbx("anonymous").replace(b"-0359990123.pdf", b".pdf"),
        (P2,),
        sent_at=datetime(2027, 2, 14, 9, 7, 45, tzinfo=TOKYO),
        sent_by="body",
    ),
    "cisco": Case(m.cisco(), (T1,), caller=CALLER, source="sender"),
    "cisco with a subaddress": Case(
        m.cisco("<FAX=+81359990123/T33S=12@onramp.example.jp>"), (T1,), caller=CALLER, source="sender"
    ),
    "cisco, only the envelope tells": Case(
        m.cisco("<>"), (T1,), caller=CALLER, source="envelope", envelope="FAX=0359990123@onramp.example.jp"
    ),
    "cisco, two Content-Types": Case(
        m.cisco().replace(b"Content-Type: multipart", b"Content-Type: text/plain\r\nContent-Type: multipart", 1),
        (T1,),
        caller=CALLER,
        source="sender",
    ),
    "cisco, two Content-Types, the wrong one last": Case(
        m.cisco().replace(b"\r\n\r\nThis is", b"\r\nContent-Type: multipart/mixed; boundary=other\r\n\r\nThis is", 1),
        (T1,),
        caller=CALLER,
        source="sender",
    ),
    "efax": Case(
        m.efax(),
        (P3,),
        caller=CALLER,
        source="subject",
        tsi="TAKADA CLINIC",
        pages=3,
        sent_at=datetime(2027, 2, 14, 0, 7, 31, tzinfo=UTC),
        sent_by="body",
    ),
    "sharp, a page a file": Case(m.sharp(), (m.tiff(1, 1), m.tiff(1, 2), m.tiff(1, 10))),
    "xerox report": Case(m.xerox_report(), kind=MessageKind.NOTICE),
    "read receipt": Case(m.read_receipt(), kind=MessageKind.MDN),
    "bounce with the fax inside": Case(m.bounce(), kind=MessageKind.BOUNCE, caller=CALLER),
    "nothing": Case(
        b"", kind=MessageKind.NO_ATTACHMENT, sent_at=None, sent_by="", problems=("添付ファイルがありません",)
    ),
}

SHAPES = {
    "labelled text/plain": Case(one(m.attached(P1, "text/plain", "fax.txt")), (P1,)),
    "labelled octet-stream without a name": Case(one(m.attached(T1, "application/octet-stream")), (T1,)),
    "inline": Case(one(m.attached(P1, "application/pdf", "a.pdf", disposition=b"inline")), (P1,)),
    "junk before the PDF": Case(
        one(m.attached(b"\r\njunk\r\n" + P1, "application/pdf", "a.pdf")), (b"\r\njunk\r\n" + P1,)
    ),
    "the mail is the PDF": Case(
        alone(b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n", m.b64(P1)), (P1,)
    ),
    "the mail is the TIFF, unlabelled": Case(alone(b"Content-Transfer-Encoding: base64\r\n", m.b64(T1)), (T1,)),
    "base64 without saying so": Case(alone(b"Content-Type: image/tiff\r\n", m.b64(T1)), (T1,)),
    "said base64, sent raw": Case(
        alone(b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n", P1), (P1,)
    ),
    "8-bit body with a charset": Case(
        alone(b"Content-Type: image/tiff; charset=us-ascii\r\nContent-Transfer-Encoding: binary\r\n", T2), (T2,)
    ),
    "quoted-printable": Case(
        alone(
            b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: Quoted-Printable\r\n", m.quopri.encodestring(T1)
        ),
        (T1,),
    ),
    "base64 with junk": Case(
        alone(
            b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: base64 \r\n",
            b"* " + m.b64(T1).replace(b"\r\n", b"*\r\n!\r\n"),
        ),
        (T1,),
    ),
    "base64 with a disclaimer below": Case(
        alone(
            b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: base64\r\n",
            m.b64(T1) + b"\r\nThis mail was scanned by a gateway.\r\n",
        ),
        (T1,),
    ),
    "base64 padded block by block": Case(
        alone(
            b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: base64\r\n",
            b"".join(m.b64(T1[at : at + 40]) for at in range(0, len(T1), 40)),
        ),
        (T1,),
    ),
    "no final boundary": Case(
        WHOLE[: WHOLE.rindex(b"--BND")],
        (T2,),
        caller=CALLER,
        source="subject",
        tsi="0359990123",
        machine_message="0456",
        problems=("途中で切れて",),
    ),
    "boundary lost": Case(
        WHOLE.replace(b'; boundary="BND_2027<0214>_x"', b""),
        (T2,),
        caller=CALLER,
        source="subject",
        tsi="0359990123",
        machine_message="0456",
        problems=("boundary",),
    ),
    "another boundary than said": Case(
        WHOLE.replace(b'boundary="BND', b'boundary="XYZ'),
        (T2,),
        caller=CALLER,
        source="subject",
        tsi="0359990123",
        machine_message="0456",
        problems=("boundary",),
    ),
    "no Content-Type": Case(
        WHOLE.replace(b'Content-Type: multipart/mixed; boundary="BND_2027<0214>_x"\r\n', b""),
        (T2,),
        caller=CALLER,
        source="subject",
        tsi="0359990123",
        machine_message="0456",
        problems=("Content-Type",),
    ),
    "boundary unquoted, with a space behind": Case(
        m.multipart(m.fields("Fax"), [TIFF], boundary="b20").replace(b'boundary="b20"', b"boundary=b20 "), (T2,)
    ),
    "bare line feeds": Case(
        WHOLE.replace(b"\r\n", b"\n"), (T2,), caller=CALLER, source="subject", tsi="0359990123", machine_message="0456"
    ),
    "blank lines and a byte order mark first": Case(b"\xef\xbb\xbf\r\n\r\n" + one(TIFF), (T2,)),
    "out of an mbox": Case(b"From mfp@example.jp Sun Feb 14 09:07:31 2027\r\n" + one(TIFF), (T2,)),
    "a header line that is none": Case(
        one(TIFF).replace(b"Subject: Fax received", b"Subject: Fax\r\nreceived"), (T2,), problems=("ヘッダー",)
    ),
    "spaces before the colon": Case(
        one(TIFF).replace(b"Content-Type: multi", b"Content-Type : multi"), (T2,), problems=("ヘッダー",)
    ),
    "no blank line before the body": Case(
        m.fields("Fax") + b"Content-Type: multipart/mixed; boundary=q1\r\n" + m.pieces([TIFF], "q1"),
        (T2,),
        problems=("ヘッダー",),
    ),
    "no Subject": Case(one(TIFF, subject=None), (T2,)),
    "no header but Content-Type": Case(
        b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: base64\r\n\r\n" + m.b64(T1),
        (T1,),
        sent_at=None,
        sent_by="",
    ),
    "TIFF and PDF as alternatives": Case(
        one(
            m.nested(
                [m.attached(P2, "application/pdf", "x.pdf"), m.attached(T2, "image/tiff", "y.tif")],
                "alternative",
                "alt",
            )
        ),
        (T2,),
        others=1,
    ),
    "PDF first, then the TIFF of the same name": Case(
        one(m.attached(P2, "application/pdf", "S1.PDF"), m.attached(T2, "image/tiff", "s1.tiff")), (T2,), others=1
    ),
    "a damaged TIFF beside its PDF": Case(
        one(m.attached(b"xx" + T2[2:], "image/tiff", "s1.tif"), m.attached(P2, "application/pdf", "s1.pdf")),
        (P2,),
        others=1,
        problems=("s1.tif",),
    ),
    "the same file twice": Case(one(TIFF, m.attached(T2, "image/tiff", "copy.tif")), (T2,), others=1),
    "pages and the whole": Case(
        one(
            *(m.attached(m.tiff(1, at), "image/tiff", f"fax_{at}.tif") for at in (1, 2)),
            m.attached(P2, "application/pdf", "fax.pdf"),
        ),
        (m.tiff(1, 1), m.tiff(1, 2)),
        others=1,
    ),
    "TIFF pages and a PDF cover": Case(
        one(
            *(m.attached(m.tiff(1, at), "image/tiff", f"F{at:03}.tif") for at in (1, 2)),
            m.attached(P1, "application/pdf", "hyoshi.pdf"),
        ),
        (m.tiff(1, 1), m.tiff(1, 2), P1),
    ),
    "nameless pages": Case(
        one(m.attached(T1, "image/tiff"), m.attached(m.tiff(1, 9), "image/tiff")), (T1, m.tiff(1, 9))
    ),
    "one name for different pages": Case(
        one(m.attached(T1, "image/tiff", "scan.tif"), m.attached(m.tiff(1, 9), "image/tiff", "scan.tif")),
        (T1, m.tiff(1, 9)),
    ),
    "other names, but the TIFF has the pages spoken of": Case(
        m.hylafax(files=[m.attached(T2, "image/tiff", "a.tif"), m.attached(P2, "application/pdf", "b.pdf")]),
        (T2,),
        caller=CALLER,
        source="subject",
        tsi="+81 3 5999 0123",
        machine_message="000000731",
        pages=2,
        sent_at=datetime(2027, 2, 14, 9, 7, 12, tzinfo=TOKYO),
        sent_by="body",
        others=1,
    ),
    "JPEG pages": Case(
        one(*(m.attached(m.picture(mark=at), "image/jpeg", f"p{at}.jpg") for at in (1, 2))),
        (m.picture(mark=1), m.picture(mark=2)),
    ),
    "a PDF and its preview": Case(
        one(
            m.attached(P1, "application/pdf", "f.pdf"),
            m.attached(m.picture("PNG", (200, 280)), "image/png", "preview.png"),
        ),
        (P1,),
        others=1,
    ),
    "a logo in the HTML": Case(
        one(
            m.nested(
                [
                    m.text("<p>FAX<img src='cid:l1'>", "utf-8", "html"),
                    m.attached(m.picture("GIF", (90, 40)), "image/gif", "l.gif", disposition=b"inline"),
                ],
                "related",
                "rel",
            ),
            TIFF,
        ),
        (T2,),
        others=1,
    ),
    "a large letterhead picture in the HTML": Case(
        one(
            m.nested(
                [m.text("<p>", "utf-8", "html"), m.attached(m.picture(), "image/jpeg", "l.jpg")], "related", "rel"
            ),
            TIFF,
        ),
        (T2,),
        others=1,
    ),
    "a photographed page beside the PDF": Case(
        one(m.attached(P1, "application/pdf", "f.pdf"), m.attached(m.picture(), "image/jpeg", "page2.jpg")),
        (P1, m.picture()),
    ),
    "forwarded": Case(
        m.forwarded("rfc822"), (T2,), caller=CALLER, source="subject", tsi="0359990123", machine_message="0456"
    ),
    "forwarded in base64": Case(
        m.forwarded("base64"), (T2,), caller=CALLER, source="subject", tsi="0359990123", machine_message="0456"
    ),
    "forwarded as a file": Case(
        m.forwarded("eml"), (T2,), caller=CALLER, source="subject", tsi="0359990123", machine_message="0456"
    ),
    "locked PDF": Case(one(m.attached(m.locked_pdf(), "application/pdf", "a.pdf")), (m.locked_pdf(),)),
    "garbage named PDF": Case(
        one(m.attached(b"\0\1\2garbage", "application/pdf", "a.pdf")), (b"\0\1\2garbage",), problems=("壊れている",)
    ),
    "generated by itself, as a machine should say": Case(one(TIFF, Auto_Submitted="auto-generated"), (T2,)),
    "signed": Case(one(TIFF, m.attached(b"\x30\x80\x06", "application/pkcs7-signature", "smime.p7s")), (T2,), others=1),
    "said to be an answer, but with a fax": Case(
        one(TIFF, Auto_Submitted="auto-replied"), (T2,), problems=("自動応答",)
    ),
    "an error with the pages that came": Case(
        one(TIFF, subject=f"Error Message No. 0032 From {m.CALLER}"),
        (T2,),
        caller=CALLER,
        source="subject",
        tsi=m.CALLER,
        machine_message="0032",
        problems=("エラー通知",),
    ),
}

NO_FAX = {
    "winmail.dat": Case(
        one(m.attached(m.TNEF, "application/ms-tnef", "winmail.dat")),
        kind=MessageKind.UNREADABLE,
        others=1,
        problems=("開ける添付", "winmail.dat"),
    ),
    "winmail.dat under another label": Case(
        one(m.attached(m.TNEF, "application/octet-stream", "a.bin")),
        kind=MessageKind.UNREADABLE,
        others=1,
        problems=("開ける添付", "winmail.dat"),
    ),
    "zip without a fax": Case(
        one(m.attached(m.archive("a.exe", b"MZ" + bytes(9)), "application/zip", "fax.zip")),
        kind=MessageKind.UNREADABLE,
        others=2,
        problems=("開ける添付", "中身: a.exe"),
    ),
    "empty TIFF": Case(
        one(m.attached(b"", "image/tiff", "a.tif")),
        kind=MessageKind.UNREADABLE,
        others=1,
        problems=("開ける添付", "空です"),
    ),
    "an unknown file": Case(
        one(m.attached(b"\x00\x01\x02\x03" * 9, "application/x-foo", "a.foo")),
        kind=MessageKind.UNREADABLE,
        others=1,
        problems=("開ける添付",),
    ),
    "RTF": Case(
        one(m.attached(b"{\\rtf1 fax}", "application/rtf", "fax.rtf")),
        kind=MessageKind.UNREADABLE,
        others=1,
        problems=("開ける添付", "RTF"),
    ),
    "a text file": Case(
        one(m.attached(b"hello\r\n", "text/plain", "a.txt"), subject="hello"),
        kind=MessageKind.NO_ATTACHMENT,
        others=1,
        problems=("添付ファイル",),
    ),
    "plain mail": Case(
        m.fields("hello") + bytes(m.text("こんにちは\n", "iso-2022-jp")),
        kind=MessageKind.NO_ATTACHMENT,
        problems=("添付ファイル",),
    ),
    "auto reply": Case(
        m.fields("Re: FAX received", Auto_Submitted="auto-replied (vacation)") + b"\r\naway\r\n",
        kind=MessageKind.AUTO_REPLY,
    ),
    "auto reply with a logo": Case(
        one(m.attached(m.picture(), "image/jpeg", "sig.jpg"), Auto_Submitted="auto-replied"),
        kind=MessageKind.AUTO_REPLY,
        others=1,
    ),
    "auto reply by its subject": Case(
        m.fields("自動応答: 不在にしております".encode("cp932")) + b"\r\nx\r\n", kind=MessageKind.AUTO_REPLY
    ),
    "bounce by its sender": Case(
        m.fields("failure notice", "MAILER-DAEMON@mx.example.jp") + b"\r\nx\r\n", kind=MessageKind.BOUNCE
    ),
    "bounce as plain text": Case(
        m.fields("Undeliverable: Fax", "postmaster@mx.example.jp") + b"\r\nx\r\n", kind=MessageKind.BOUNCE
    ),
    "machine error in Japanese": Case(
        m.fields(m.encoded_word("受信エラー通知")) + b"\r\nx\r\n", kind=MessageKind.DEVICE_ERROR, problems=("エラー",)
    ),
    "machine out of paper": Case(
        m.fields("用紙切れのお知らせ".encode()) + b"\r\nx\r\n", kind=MessageKind.DEVICE_ERROR, problems=("エラー",)
    ),
    "machine that could not receive": Case(
        m.fields(m.encoded_word("[警告] メモリー残量不足のためファクスを受信できませんでした")) + b"\r\nx\r\n",
        kind=MessageKind.DEVICE_ERROR,
        problems=("エラー",),
    ),
    "machine without memory": Case(
        m.fields(m.encoded_word("メモリがいっぱいです")) + b"\r\nx\r\n",
        kind=MessageKind.DEVICE_ERROR,
        problems=("エラー",),
    ),
    "machine error told in the text": Case(
        m.fields("FAX Notification", Auto_Submitted="auto-generated")
        + bytes(m.text("受信したファクスを印刷できませんでした。\nメモリーがいっぱいです。\n", "iso-2022-jp")),
        kind=MessageKind.DEVICE_ERROR,
        problems=("エラー",),
    ),
    "machine error in an automatic reply": Case(
        m.fields("Fax Reception Error", Auto_Submitted="auto-replied") + b"\r\nmemory full\r\n",
        kind=MessageKind.DEVICE_ERROR,
        problems=("エラー",),
    ),
    "notice that nobody reads replies": Case(
        m.fields(m.encoded_word("ファクス受信のお知らせ"))
        + bytes(m.text("送信専用です。返信いただいても受信できません。\n", "iso-2022-jp")),
        kind=MessageKind.NOTICE,
    ),
    "somebody asks what a paper jam is": Case(
        m.fields("hello") + bytes(m.text("紙づまりで印刷できません\n", "iso-2022-jp")),
        kind=MessageKind.NO_ATTACHMENT,
        problems=("添付ファイル",),
    ),
    "notice in Japanese": Case(
        m.fields(m.encoded_word("ファクス受信のお知らせ")) + b"\r\nx\r\n", kind=MessageKind.NOTICE
    ),
    "says attached, is not": Case(
        m.fields("New fax received") + b"\r\nPlease find attached your fax.\r\n",
        kind=MessageKind.NO_ATTACHMENT,
        problems=("文書が付いていません",),
    ),
    "a part behind the end": Case(
        m.fields("hello")
        + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
        + b"Content-Type: multipart/alternative; boundary=x\r\n\r\n"
        + b"--x\r\nContent-Type: text/plain\r\n\r\nfax\r\n--x--\r\n"
        + b"\r\n--x\r\nContent-Type: application/x-foo; name=a.foo\r\n\r\n\x00\x01\x02\x03\r\n--x--\r\n",
        kind=MessageKind.UNREADABLE,
        others=1,
        problems=("a.foo", "区切りの後ろ"),
    ),
    "the fax lies behind a link": Case(
        m.fields(m.encoded_word("ファクスを受信しました"))
        + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
        + '<p><a href="https://fax.example.jp/x">こちらからダウンロード</a></p>\r\n'.encode(),
        kind=MessageKind.NO_ATTACHMENT,
        problems=("別の場所",),
    ),
    "the fax lies behind a link, in English": Case(
        m.fields("New fax received from 03-5555-0101") + b"\r\nClick here to view your fax.\r\n",
        kind=MessageKind.NO_ATTACHMENT,
        caller="+81355550101",
        source="subject",
        problems=("別の場所",),
    ),
    "generated, nothing in it": Case(
        m.fields("Toner", Auto_Submitted="auto-generated") + b"\r\nx\r\n", kind=MessageKind.NOTICE
    ),
    "an attached piece of a split mail": Case(
        one(m.File(b"Content-Type: message/partial; number=1; total=2; id=x\r\n", m.canon_whole()[:900])),
        kind=MessageKind.UNREADABLE,
        others=1,
        problems=("開ける添付", "分割メール"),
    ),
}

CALLS = {
    "nothing": Case(subject("Fax"), (T1,)),
    "mis-grouped as American": Case(subject("Fax from 813-5999-0123"), (T1,), caller=CALLER, source="subject"),
    "full width": Case(subject("FAX受信 ０３－５９９９－０１２３"), (T1,), caller=CALLER, source="subject"),
    "in brackets": Case(subject("FAX (03)5999-0123"), (T1,), caller=CALLER, source="subject"),
    "in an encoded word": Case(
        subject(m.encoded_word("受信通知 発信元:03-5999-0123", "utf-8")),
        (T1,),
        caller=CALLER,
        source="subject",
        tsi="03-5999-0123",
    ),
    "in folded encoded words": Case(
        subject(m.encoded_word("ファクス受信通知", "cp932") + b"\r\n " + m.encoded_word(" 03-5999-0123", "cp932", "Q")),
        (T1,),
        caller=CALLER,
        source="subject",
    ),
    "who called, not whom": Case(subject(f"Fax to {m.OWN} from 03-5999-0123"), (T1,), caller=CALLER, source="subject"),
    "whom alone": Case(subject("Fax to 0355509999"), (T1,)),
    "から": Case(subject("0355509999宛 03-5999-0123からファクス"), (T1,), caller=CALLER, source="subject"),
    "came in, from": Case(subject("ファクス着信 03-5999-0123 様"), (T1,), caller=CALLER, source="subject"),
    "called, with a colon": Case(subject("着信: 0355509999"), (T1,)),
    "withheld": Case(subject("FAX受信 非通知"), (T1,)),
    "withheld in English": Case(subject("Fax from anonymous"), (T1,)),
    "own number first": Case(subject(f"Fax {m.OWN} 03-5999-0123"), (T1,), caller=CALLER, source="subject"),
    "only the file's name": Case(
        subject("Fax", "FAX20270214090731_0359990123.tif"), (T1,), caller=CALLER, source="filename"
    ),
    "a file's name with a plus": Case(
        subject("Fax", "+81-3-5999-0123_0001.tif"), (T1,), caller=CALLER, source="filename"
    ),
    "a file's name with times only": Case(subject("Fax", "20270214090731_1802563651.tif"), (T1,)),
    "a file's name with an own number": Case(
        subject("Fax", f"{m.OWN}_0359990123.tif"), (T1,), caller=CALLER, source="filename"
    ),
    "sender's name": Case(
        subject("Fax", sender='"03-5999-0123" <fax@gw.example.jp>'), (T1,), caller=CALLER, source="sender"
    ),
    "sender's address": Case(subject("Fax", sender="0359990123@gw.example.jp"), (T1,), caller=CALLER, source="sender"),
    "envelope's address": Case(
        subject("Fax"), (T1,), caller=CALLER, source="envelope", envelope="+81359990123@gw.example.jp"
    ),
    "a field of its own": Case(
        subject("Fax from 0312309999", X_Fax_Caller="0359990123"), (T1,), caller=CALLER, source="header"
    ),
    "a field with the TSI": Case(
        subject("Fax", X_Remote_CSID="TAKADA 0359990123"),
        (T1,),
        caller=CALLER,
        source="tsi",
        tsi="TAKADA 0359990123",
    ),
    "body with the TSI": Case(
        said("Remote CSID: 03-5999-0123\n"), (T1,), caller=CALLER, source="tsi", tsi="03-5999-0123"
    ),
    "body with the TSI before the call's own number": Case(
        said("CSID: 03-5555-0142\nCaller ID: 03-5999-0123\n"),
        (T1,),
        caller=CALLER,
        source="body",
        tsi="03-5555-0142",
    ),
    "a field with the call's own number goes before one with the TSI": Case(
        subject("Fax", X_Remote_CSID="03-5555-0142", X_Caller_ID="03-5999-0123"),
        (T1,),
        caller=CALLER,
        source="header",
        tsi="03-5555-0142",
    ),
    "body, Japanese label": Case(
        said("受信日時:2027年2月14日 9時5分\n発信元番号:03-5999-0123\n"),
        (T1,),
        caller=CALLER,
        source="body",
        sent_by="body",
        sent_at=datetime(2027, 2, 14, 9, 5, tzinfo=TOKYO),
    ),
    "body, the network's number before the typed one": Case(
        said("CSID: 0312309999\nCaller ID: 0359990123\n"), (T1,), caller=CALLER, source="body", tsi="0312309999"
    ),
    "body, a telephone number that is nobody's call": Case(
        said("お問い合わせ 03-5550-2222\nTEL: 03-5550-2222\n"), (T1,)
    ),
    "body, sentence": Case(
        said("03-5999-0123 からファクスを受信しました。2枚\n"), (T1,), caller=CALLER, source="body", pages=2
    ),
    "body, a number's end before the pages": Case(
        said("発信元FAX番号: 03-5999-0123\n受信FAX番号: 03-5555-0100\n枚数: 1枚\n"),
        (T1,),
        caller=CALLER,
        source="body",
        pages=1,
    ),
    "body, which page": Case(said("3枚目の裏\n"), (T1,)),
    "body, remote id": Case(said("Remote ID: TAKADA CLINIC\nPages: 4\n"), (T1,), tsi="TAKADA CLINIC", pages=4),
    "body in undeclared shift_jis": Case(
        m.multipart(
            m.fields("FAX"),
            [m.File(b"Content-Type: text/plain\r\n", "発信者番号:03-5999-0123\r\n".encode("cp932")), TIFF],
        ),
        (T2,),
        caller=CALLER,
        source="body",
    ),
    "body, canon's lines": Case(
        said(
            "受信番号:0123\n受信日時 2027/02/14 09:05\n相手先電話番号：０３－５９９９－０１２３\n"
            "相手先略称:タカダ\n枚数:2枚\n送信先:03-5550-9999\n"
        ),
        (T1,),
        caller=CALLER,
        source="body",
        tsi="タカダ",
        pages=2,
        sent_by="body",
        sent_at=datetime(2027, 2, 14, 9, 5, tzinfo=TOKYO),
    ),
    "body, whom they called": Case(said("着信番号:03-5550-9999\n送信先:03-5550-9998\nTo: 0355509997\n"), (T1,)),
    "body, a table without colons": Case(
        said("Remote Number 03-5999-0123\nLocal Number 03-5550-9999\n"), (T1,), caller=CALLER, source="body"
    ),
    "a machine's log line": Case(
        subject("Received Fax: 0359990123 Pages: 2"), (T1,), caller=CALLER, source="subject", pages=2
    ),
    "body in HTML alone": Case(
        m.multipart(
            m.fields("FAX"), [m.text("<table><tr><td>Caller ID: 03-5999-0123</td></tr></table>", "utf-8", "html"), TIFF]
        ),
        (T2,),
        caller=CALLER,
        source="body",
    ),
}

TIMES = {
    "japanese": Case(subject("Fax", Date="2027/02/14 09:07"), (T1,), sent_at=datetime(2027, 2, 14, 9, 7, tzinfo=TOKYO)),
    "no Date, a time in the file's name": Case(
        subject("Fax", "20270214090655.tif", Date=None),
        (T1,),
        sent_at=datetime(2027, 2, 14, 9, 6, 55, tzinfo=TOKYO),
        sent_by="filename",
    ),
    "nonsense Date, a time in the file's name": Case(
        subject("Fax", "20270214_0906.tif", Date="soon"),
        (T1,),
        sent_at=datetime(2027, 2, 14, 9, 6, tzinfo=TOKYO),
        sent_by="filename",
    ),
    "two Dates, the first nonsense": Case(subject("Fax", Date="99/99/99", date=m.DATE), (T1,)),
    "Date goes before the file's name": Case(subject("Fax", "20270214090655.tif"), (T1,)),
    "body goes before Date": Case(
        said("Received: 2027-02-13 23:59:58\n"),
        (T1,),
        sent_at=datetime(2027, 2, 13, 23, 59, 58, tzinfo=TOKYO),
        sent_by="body",
    ),
    "impossible": Case(subject("Fax", Date="Sun, 31 Feb 2027 09:07:31 +0900"), (T1,), sent_at=None, sent_by=""),
}

ALL = {
    f"{group}: {name}": case
    for group, cases in {"machine": MACHINES, "shape": SHAPES, "no fax": NO_FAX, "call": CALLS, "time": TIMES}.items()
    for name, case in cases.items()
}


def read(case: Case) -> Message:
    return read_message(case.raw, envelope_from=case.envelope, own_numbers=OWN)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in ALL.items()])
def test_mail_gives_its_fax_and_its_call(case: Case) -> None:
    message = read(case)
    told = message.transmission
    assert message.kind is case.kind
    assert message.counts is (case.kind is MessageKind.FAX)
    assert [document.data.rstrip(b"\r\n") for document in message.documents] == [
        data.rstrip(b"\r\n") for data in case.docs
    ]
    if case.kind is not MessageKind.BOUNCE:
        assert (told.caller, told.caller_source) == (case.caller, case.source)
        assert (told.tsi, told.machine_message, told.pages_claimed) == (case.tsi, case.machine_message, case.pages)
        assert (told.sent_at, told.sent_at_source) == (case.sent_at, case.sent_by)
        assert len(message.others) == case.others
    assert len(message.problems) == len(case.problems)
    assert all(piece in sentence for piece, sentence in zip(case.problems, message.problems, strict=True))
    if case.names is not None:
        assert tuple(document.name for document in message.documents) == case.names
