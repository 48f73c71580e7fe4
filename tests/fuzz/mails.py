"""Mails that attack their reader, each made in a few lines."""

from __future__ import annotations

import binascii
import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

from tests.corpus.mail import machines as m
from tests.fuzz import documents

Make = Callable[[], bytes]
MB = 1 << 20
BIG = 16 * MB
"""Bytes of what has no natural size; at length (:mod:`tests.fuzz.attacks`) it is 40 MB, near what the door takes."""
HEAD = m.fields("From 0359990123")


def fill(unit: bytes) -> bytes:
    return unit * (BIG // len(unit))


def uu(data: bytes, name: str = "fax.tif") -> bytes:
    """A file as uuencode writes it (POSIX.1-2017 uuencode)."""
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 " + name.encode() + b"\n" + b"".join(lines) + b"`\nend\n"


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def locked_zip(name: str = "fax.pdf") -> bytes:
    """A zip whose entries say that they are encrypted (APPNOTE 4.4.4, bit 0)."""
    data = bytearray(zipped({name: m.pdf()}, zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def zip_bomb(megabytes: int, name: str = "fax.pdf") -> bytes:
    """A zip of one file of a PDF's first bytes and noughts; what deflates to 1/1000 is written by hand."""
    packer = zlib.compressobj(9, wbits=-15)
    first = packer.compress(b"%PDF-1.7\n") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(4 * MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return raw_zip({name: (first + block * (megabytes // 4) + b"\x03\0", 9 + (megabytes // 4) * 4 * MB)})


def raw_zip(files: Mapping[str, tuple[bytes, int]], copies: int = 1) -> bytes:
    """A zip of deflated bytes as they stand, with the length they are said to have; names repeated in the directory."""
    out, directory, count = b"", b"", 0
    for name, (packed, length) in files.items():
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(packed), length, len(name), 0)
        directory += (
            b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name.encode()
        ) * copies
        out += b"PK\3\4" + common + name.encode() + packed
        count += copies
    end = struct.pack("<HHHHIIH", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), len(out), 0)
    return out + directory + b"PK\5\6" + end


def with_file(data: bytes, media_type: str, name: str) -> bytes:
    return bytes(m.multipart(HEAD, [m.attached(data, media_type, name)]))


def beside_a_fax(data: bytes, media_type: str, name: str) -> bytes:
    """A good page, and this."""
    return bytes(
        m.multipart(HEAD, [m.attached(m.tiff(), "image/tiff", "good.tif"), m.attached(data, media_type, name)])
    )


def many_parts(count: int) -> bytes:
    part = m.File(b"Content-Type: image/tiff\r\n", m.b64(m.tiff()))
    return bytes(m.multipart(HEAD, [part] * count, boundary="p"))


def nested(depth: int) -> bytes:
    heads = [f"Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n" for at in range(depth)]
    return HEAD + "".join(heads).encode() + b"\r\nhello"


def one_part(head: bytes, body: bytes) -> bytes:
    return bytes(m.multipart(HEAD, [m.attached(m.tiff(), "image/tiff", "good.tif"), m.File(head, body)]))


@functools.cache
def junk(size: int) -> bytes:
    return bytes(range(256)) * (size // 256)


OCTETS = b"Content-Type: application/octet-stream\r\n"
BASE64 = b"Content-Transfer-Encoding: base64\r\n"

BEYOND: Mapping[str, tuple[Make, str]] = {
    "100,000 parts": (lambda: many_parts(100_000), "部品"),
    "a million empty parts": (
        lambda: HEAD + b"Content-Type: multipart/mixed; boundary=p\r\n\r\n" + b"--p\r\n\r\n" * 1_000_000,
        "部品",
    ),
    "10,000 multiparts in multiparts": (lambda: nested(10_000), "入れ子"),
    "1,000 mails in mails": (lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1000 + b"\r\nx", "入れ子"),
    "20,000 headers": (lambda: HEAD + b"X-A: b\r\n" * 20_000 + b"\r\nx", "ヘッダーの数"),
    "flood of headers": (lambda: HEAD + fill(b"X: b\r\n") + b"\r\nx", "ヘッダー|行"),
    "flood of headers without a known one": (lambda: fill(b"X: b\r\n") + b"\r\nx", "ヘッダー|行"),
    "flood of headers in a part": (lambda: one_part(fill(b"X: b\r\n"), b"x"), "ヘッダー|行"),
    "one long header": (lambda: HEAD + b"X-A: " + fill(b"x") + b"\r\n\r\nx", "ヘッダー"),
    "one long header in a part": (lambda: one_part(b"X-A: " + fill(b"x") + b"\r\n", b"x"), "ヘッダー"),
    "one long header, folded": (lambda: HEAD + b"X-A: b\r\n" + fill(b" x\r\n") + b"\r\nx", "ヘッダー|行"),
    "short lines": (lambda: HEAD + b"\r\n" + fill(b"a\r\n"), "行"),
    "line ends": (lambda: HEAD + b"\r\n" + fill(b"\n"), "行"),
    "short lines of base64": (lambda: one_part(OCTETS + BASE64, fill(b"A\r\n")), "行"),
}
"""More than a limit allows: held, counted, with a reason that has this in it."""

ODD: Mapping[str, Make] = {
    "one line": lambda: HEAD + b"\r\n" + fill(b"x"),
    "one line of a part": lambda: one_part(OCTETS, fill(b"x")),
    "one line of base64": lambda: one_part(OCTETS + BASE64, fill(b"QUJD")),
    "base64 with junk": lambda: one_part(OCTETS + BASE64, fill(b"QU*JD" * 16 + b"\r\n")),
    "base64 that is padding": lambda: one_part(OCTETS + BASE64, fill(b"=")),
    "base64 of blocks of one": lambda: one_part(OCTETS + BASE64, fill(b"A=")),
    "base64 of blocks of two": lambda: one_part(OCTETS + BASE64, b"AA=" * 500_000),
    "quoted-printable that is none": lambda: one_part(
        OCTETS + b"Content-Transfer-Encoding: quoted-printable\r\n", fill(b"=")
    ),
    "soft line breaks": lambda: one_part(
        OCTETS + b"Content-Transfer-Encoding: quoted-printable\r\n", b"=\r\n" * 1_000_000
    ),
    "no encoding that exists": lambda: one_part(OCTETS + b"Content-Transfer-Encoding: yenc\r\n", junk(MB)),
    "uuencode that never ends": lambda: (
        HEAD + b"\r\nbegin 644 fax.tif\n" + b"M" + b"!" * 60 + b"\n" * 20 + b"M\n" * 900_000
    ),
    "uuencode begun again and again": lambda: HEAD + b"\r\n" + fill(b"begin 644 fax.tif\r\n"),
    "uuencode of nonsense": lambda: HEAD + b"\r\nbegin 644 fax.tif\r\n" + junk(MB) + b"\r\nend\r\n",
    "nothing but noughts": lambda: bytes(BIG),
    "nothing at all": lambda: b"",
    "random noise": lambda: junk(BIG),
    "a million encoded words": lambda: m.fields(b"=?utf-8?B?44GC?= " * 1_000_000) + b"\r\nx",
    "open tags": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + fill(b"<style>"),
    "900 documents, each broken": lambda: bytes(
        m.multipart(HEAD, [m.attached(b"%%PDF-1.7 %d" % at, "application/pdf", f"{at}.pdf") for at in range(900)])
    ),
    "40 documents of 499 pages": lambda: bytes(
        m.multipart(
            HEAD,
            [m.attached(documents.directories(499) + bytes(at), "image/tiff", f"{at}.tif") for at in range(40)],
        )
    ),
}
"""Must end, whatever comes of it."""

CONTAINERS: Mapping[str, tuple[Make, str]] = {
    "winmail.dat": (lambda: with_file(m.TNEF, "application/ms-tnef", "winmail.dat"), "winmail.dat"),
    "locked zip": (lambda: with_file(locked_zip(), "application/zip", "fax.zip"), "パスワード"),
    "zip bomb of a GB": (lambda: with_file(zip_bomb(1024), "application/zip", "fax.zip"), "大きすぎ"),
    "zip of 100,000 entries": (
        lambda: with_file(raw_zip({"a.pdf": (b"\3\0", 0)}, 100_000), "application/zip", "fax.zip"),
        "多すぎ",
    ),
    "zip of zips of zips": (
        lambda: with_file(
            functools.reduce(lambda inner, _: zipped({"fax.zip": inner}), range(20), zipped({"fax.pdf": m.pdf()})),
            "application/zip",
            "fax.zip",
        ),
        "fax.zip",
    ),
    "zip that is cut": (lambda: with_file(zipped({"fax.pdf": m.pdf()})[:300], "application/zip", "fax.zip"), "fax.zip"),
    "zip whose entries overlap": (
        lambda: with_file(
            raw_zip({"a.pdf": (zlib.compress(m.pdf())[2:-4], len(m.pdf()))}, 900), "application/zip", "fax.zip"
        ),
        "fax.zip",
    ),
    "zip of programs": (lambda: with_file(zipped({"a.exe": b"MZ" + bytes(99)}), "application/zip", "fax.zip"), "a.exe"),
    "S/MIME": (
        lambda: (
            HEAD
            + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
            + BASE64
            + b"\r\n"
            + m.b64(b"\x30\x82" + junk(2000))
        ),
        "S/MIME",
    ),
    "PGP": (
        lambda: bytes(
            m.multipart(
                HEAD,
                [
                    m.File(b"Content-Type: application/pgp-encrypted\r\n", b"Version: 1"),
                    m.File(OCTETS, b"-----BEGIN PGP MESSAGE-----"),
                ],
                kind="encrypted",
            )
        ),
        "PGP",
    ),
    "RAR": (lambda: with_file(b"Rar!\x1a\x07\x01\0" + bytes(99), "application/octet-stream", "fax.rar"), "fax.rar"),
    "7z": (lambda: with_file(b"7z\xbc\xaf\x27\x1c" + bytes(99), "application/octet-stream", "fax.7z"), "fax.7z"),
    "LZH": (lambda: with_file(b"\x20\x10-lh5-" + bytes(99), "application/octet-stream", "fax.lzh"), "fax.lzh"),
    "gzip": (lambda: with_file(b"\x1f\x8b\x08" + bytes(99), "application/gzip", "fax.tif.gz"), "fax.tif.gz"),
    "Word": (
        lambda: with_file(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(999), "application/msword", "fax.doc"),
        "fax.doc",
    ),
}
"""What we do not open: held, with a reason that has this in it."""

MAILS: Mapping[str, Make] = {
    **{name: make for name, (make, _) in BEYOND.items()},
    **ODD,
    **{name: make for name, (make, _) in CONTAINERS.items()},
}
