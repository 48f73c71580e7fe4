"""Documents that attack their reader, each made in a few lines: bombs, loops, lies about sizes, nonsense."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable, Mapping

from PIL import Image
from pypdf import PdfReader, PdfWriter

Make = Callable[[], bytes]
MB = 1 << 20
IMAGE = b"/Type /XObject /Subtype /Image "
CATALOG, PAGES = b"<</Type /Catalog /Pages 2 0 R>>", b"<</Type /Pages /Kids [3 0 R] /Count 1>>"
SHOW = b"q 595 0 0 842 0 0 cm /I0 Do Q"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(data), data)


def page(entries: bytes = b"/Resources <</XObject <</I0 5 0 R>>>>", box: bytes = b"0 0 595 842") -> bytes:
    return b"<</Type /Page /Parent 2 0 R /MediaBox [%b] /Contents 4 0 R %b>>" % (box, entries)


def pdf(*bodies: bytes, trailer: bytes = b"", tail: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    file, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<</Size %d /Root 1 0 R %b>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, trailer, start)
    return bytes(file) + tail


def drawn(contents: bytes, *more: bytes, entries: bytes = b"", page_entries: bytes | None = None) -> bytes:
    """A page that shows these instructions; ``more`` are the objects from number 5 on."""
    shown = page() if page_entries is None else page(page_entries)
    return pdf(CATALOG, PAGES, shown, stream(contents, entries), *more)


def image(entries: bytes, data: bytes) -> bytes:
    """A page whose one picture is this."""
    return drawn(SHOW, stream(data, IMAGE + entries))


@functools.cache
def flate(size: int, times: int = 1) -> bytes:
    """Noughts deflated, made of one block over and over so that making them costs nothing; deflated again and again."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(4 * MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    check = size % 65521 << 16 | 1  # Adler-32 of noughts
    data = b"\x78\xda" + block * (size // (4 * MB)) + b"\x03\0" + struct.pack(">I", check)
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data


def lzw(cycles: int) -> bytes:
    """Noughts in LZW as PDF writes it (ISO 32000-1 7.4.4): every code one longer than the one before, 7 MB a cycle."""
    bits = 0
    length = 0
    for code in (256, 0, *range(258, 4093)):
        width = 9 if code < 510 else 10 if code < 1022 else 11 if code < 2046 else 12
        bits, length = bits << width | code, length + width
    one = (
        bits.to_bytes((length + 7) // 8, "big")
        if length % 8 == 0
        else (bits << (8 - length % 8)).to_bytes((length + 7) // 8, "big")
    )
    return one * cycles


def jbig2(edge: int) -> bytes:
    """A page of that many pixels on edge, of which nothing is coded."""

    def segment(number: int, kind: int, data: bytes) -> bytes:
        return struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data

    size = struct.pack(">II", edge, edge)
    return segment(0, 48, size + bytes(11)) + segment(1, 38, size + bytes(8) + b"\0\x01" + bytes(64))


def jpx(edge: int) -> bytes:
    """A JPEG 2000 codestream that says it is that large (ISO 15444-1 A.5.1)."""
    size = struct.pack(">HIIIIIIIIH", 0, edge, edge, 0, 0, edge, edge, 0, 0, 1) + b"\x07\x01\x01"
    cod = b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, 1, 0, 5, 4, 4, 0, 1)
    qcd = b"\xff\x5c" + struct.pack(">HB", 19, 0x40) + bytes(16)
    sot = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 14, 0, 1) + b"\xff\x93"
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + cod + qcd + sot + b"\xff\xd9"


def jpeg(width: int, height: int, scans: int = 0) -> bytes:
    """A JPEG whose frame header lies about its size; or one with so many scans over one small frame."""
    out = io.BytesIO()
    Image.effect_noise((640, 640), 60).save(out, "JPEG", progressive=bool(scans))
    data = out.getvalue()
    at = data.index(b"\xff\xc2" if scans else b"\xff\xc0")
    data = data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]
    if not scans:
        return data
    scan = data.index(b"\xff\xda")
    # An empty refinement-less scan of one coefficient, again and again: each is a pass over the whole frame.
    again = b"\xff\xda\0\x08\x01\x01\0\x3f\x3f\x00" + bytes(4)
    return data[:scan] + data[scan:-2] + again * scans + b"\xff\xd9"


def forms(depth: int, times: int) -> bytes:
    """Form XObjects in form XObjects, each drawn so many times by the one before."""
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 600 850] "
    bodies = [
        stream(b"/F Do " * times, entries + b"/Resources <</XObject <</F %d 0 R>>>>" % (6 + at)) for at in range(depth)
    ]
    bodies.append(stream(b"0 0 9 9 re f " * times, entries))
    return drawn(b"/I0 Do", *bodies)


def page_tree(depth: int) -> bytes:
    nodes = [b"<</Type /Pages /Kids [%d 0 R] /Count 1>>" % (at + 3) for at in range(depth)]
    return pdf(CATALOG, *nodes, page())


def wide_page_tree(levels: int, times: int) -> bytes:
    """Every node names the next one so many times: times to the power of levels pages, one page object."""
    nodes = [
        b"<</Type /Pages /Kids [%b] /Count %d>>" % (b"%d 0 R " % (at + 3) * times, times ** (levels - at))
        for at in range(levels)
    ]
    return pdf(CATALOG, *nodes, page())


def locked(user: str, owner: str) -> bytes:
    writer = PdfWriter(
        clone_from=PdfReader(
            io.BytesIO(image(b"/Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 1", b"\x55" * 8))
        )
    )
    writer.encrypt(user, owner, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def xref_stream_loop() -> bytes:
    head = b"%PDF-1.7\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n"
    body = b"4 0 obj\n<</Type /XRef /Size 5 /Root 1 0 R /W [1 2 1] /Prev %d /Length 0>>stream\n\nendstream\nendobj\n"
    return head + body % len(head) + b"startxref\n%d\n%%%%EOF" % len(head)


def object_stream_loop() -> bytes:
    """Objects that are said to lie in a stream that is said to lie in itself."""
    one = b"%PDF-1.7\n"
    held = b"5 0 obj\n<</Type /ObjStm /N 2 /First 8 /Extends 5 0 R /Length 60>>"
    held += b"stream\n1 0 2 20 <</Type /Catalog /Pages 2 0 R>>\nendstream\nendobj\n"
    at = len(one) + len(held)
    rows = b"".join(
        struct.pack(">BHB", *row) for row in ((0, 0, 0), (2, 5, 0), (2, 5, 1), (2, 5, 2), (2, 5, 3), (2, 5, 4))
    )
    table = b"6 0 obj\n<</Type /XRef /Size 6 /Root 1 0 R /W [1 2 1] /Length %d>>stream\n" % len(rows)
    return one + held + table + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % at


GREY = b"/ColorSpace /DeviceGray /BitsPerComponent 8 "
BIT = b"/ColorSpace /DeviceGray /BitsPerComponent 1 "
FLATE = b"/Filter /FlateDecode "
SMALL = stream(b"\x55" * 8, IMAGE + BIT + b"/Width 8 /Height 8 ")


def plain() -> bytes:
    return drawn(SHOW, SMALL)


def size(width: int, height: int) -> bytes:
    return b"/Width %d /Height %d " % (width, height)


PDFS: Mapping[str, Make] = {
    "flate bomb in the instructions": lambda: drawn(
        flate(1024 * MB, 2), SMALL, entries=b"/Filter [/FlateDecode /FlateDecode] "
    ),
    "16 filters deep": lambda: drawn(flate(100 * MB, 3), SMALL, entries=b"/Filter [" + b"/FlateDecode " * 16 + b"] "),
    "LZW bomb in the instructions": lambda: drawn(lzw(100), SMALL, entries=b"/Filter /LZWDecode "),
    "run-length bomb": lambda: drawn(b"\x81\0" * 300_000, SMALL, entries=b"/Filter /RunLengthDecode "),
    "flate bomb as a picture": lambda: image(GREY + FLATE + size(60000, 60000), flate(100 * MB)),
    "flate bomb as a small picture": lambda: image(
        GREY + b"/Filter [/FlateDecode /FlateDecode] " + size(8, 8), flate(1024 * MB, 2)
    ),
    "picture of 65535x65535 in colour": lambda: image(
        b"/ColorSpace /DeviceRGB /BitsPerComponent 16 " + FLATE + size(65535, 65535), flate(4 * MB)
    ),
    "CCITT picture of 65535x65535": lambda: image(
        BIT + b"/Filter /CCITTFaxDecode /DecodeParms <</K -1 /Columns 65535 /Rows 65535>> " + size(65535, 65535),
        b"\0\x10\x01",
    ),
    "CCITT columns of two thousand million": lambda: image(
        BIT + b"/Filter /CCITTFaxDecode /DecodeParms <</K -1 /Columns 2147483647 /Rows 2147483647>> " + size(8, 8),
        b"\xff" * 999,
    ),
    "JBIG2 bomb": lambda: image(BIT + b"/Filter /JBIG2Decode " + size(65535, 65535), jbig2(65535)),
    "JBIG2 larger inside": lambda: image(BIT + b"/Filter /JBIG2Decode " + size(800, 800), jbig2(65535)),
    "JPEG 2000 bomb": lambda: image(GREY + b"/Filter /JPXDecode " + size(60000, 60000), jpx(60000)),
    "JPEG 2000 larger inside": lambda: image(GREY + b"/Filter /JPXDecode " + size(800, 800), jpx(60000)),
    "JPEG in a PDF, larger inside": lambda: image(GREY + b"/Filter /DCTDecode " + size(800, 800), jpeg(65500, 65500)),
    "predictor with a thousand million columns": lambda: image(
        GREY
        + FLATE
        + b"/DecodeParms <</Predictor 12 /Columns 1000000000 /Colors 32 /BitsPerComponent 16>> "
        + size(800, 800),
        flate(4 * MB),
    ),
    "large picture inside a form": lambda: drawn(
        b"/I0 Do",
        stream(
            b"600 0 0 800 0 0 cm /J Do",
            b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources <</XObject <</J 6 0 R>>>> ",
        ),
        stream(flate(100 * MB), IMAGE + b"/ColorSpace /DeviceRGB /BitsPerComponent 8 " + FLATE + size(60000, 60000)),
    ),
    "picture as its own soft mask": lambda: image(GREY + b"/SMask 5 0 R " + size(8, 8), bytes(64)),
    "page tree 10,000 deep": lambda: page_tree(10_000),
    "page tree that is a ring": lambda: pdf(CATALOG, b"<</Type /Pages /Kids [2 0 R] /Count 1>>"),
    "page tree, 10 levels of 10": lambda: wide_page_tree(10, 10),
    "a million pages declared": lambda: pdf(
        CATALOG, b"<</Type /Pages /Kids [3 0 R] /Count 1000000>>", page(), stream(SHOW), SMALL
    ),
    "a million kids, one page": lambda: pdf(
        CATALOG, b"<</Type /Pages /Kids [" + b"3 0 R " * 1_000_000 + b"] /Count 1000000>>", page(), stream(SHOW), SMALL
    ),
    "pages fewer than none": lambda: pdf(
        CATALOG, b"<</Type /Pages /Kids [3 0 R] /Count -5>>", page(), stream(SHOW), SMALL
    ),
    "xref that is its own predecessor": lambda: plain().replace(b"/Root", b"/Prev 1 /Root"),
    "xref stream that is its own predecessor": xref_stream_loop,
    "object stream in itself": object_stream_loop,
    "sheet of a thousand million points": lambda: pdf(
        CATALOG, PAGES, page(box=b"0 0 1000000000 1000000000"), stream(SHOW), SMALL
    ),
    "sheet one point high": lambda: pdf(CATALOG, PAGES, page(box=b"0 0 1000000 1"), stream(SHOW), SMALL),
    "sheet of no size": lambda: pdf(CATALOG, PAGES, page(box=b"0 0 0 0"), stream(SHOW), SMALL),
    "sheet of strange numbers": lambda: pdf(
        CATALOG, PAGES, page(box=b"nan inf 1e999 -99999999999999999999"), stream(SHOW), SMALL
    ),
    "UserUnit": lambda: drawn(SHOW, SMALL, page_entries=b"/UserUnit 100000000 /Resources <</XObject <</I0 5 0 R>>>>"),
    "form that draws itself": lambda: drawn(
        b"/I0 Do",
        stream(
            b"/I0 Do /I0 Do",
            b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources <</XObject <</I0 5 0 R>>>> ",
        ),
    ),
    "forms, 10 to the power of 9": lambda: forms(9, 10),
    "scripts, launches and embedded files": lambda: pdf(
        b"<</Type /Catalog /Pages 2 0 R /OpenAction <</S /JavaScript /JS (while(1){})>> "
        b"/AA <</WC <</S /Launch /F (/bin/sh)>>>> /Names <</EmbeddedFiles <</Names [(a.exe) 6 0 R]>> "
        b"/JavaScript <</Names [(x) <</S /JavaScript /JS (while(1){})>>]>>>>>>",
        PAGES,
        page(),
        stream(SHOW),
        SMALL,
        b"<</Type /Filespec /F (a.exe) /EF <</F 7 0 R>>>>",
        stream(flate(100 * MB), b"/Type /EmbeddedFile " + FLATE),
    ),
    "locked by its owner alone": lambda: locked("", "owner"),
    "locked": lambda: locked("user", "owner"),
    "strange encryption": lambda: plain().replace(
        b"/Root", b"/Encrypt <</Filter /Standard /V 4 /R 9 /Length 99999999>> /Root"
    ),
    "only a header": lambda: b"%PDF-1.7\n",
    "cut in half": lambda: plain()[: len(plain()) // 2],
    "tiling pattern of tiny steps": lambda: drawn(
        b"/Pattern cs /P scn 0 0 595 842 re f",
        stream(
            b"0 0 1 1 re f",
            b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] "
            b"/XStep 0.0001 /YStep 0.0001 /Resources <<>> ",
        ),
        page_entries=b"/Resources <</Pattern <</P 5 0 R>>>>",
    ),
    "shading of a function of functions": lambda: drawn(
        b"/S sh",
        b"<</ShadingType 1 /ColorSpace /DeviceGray /Matrix [1000 0 0 1000 0 0] /Function 6 0 R>>",
        b"<</FunctionType 3 /Domain [0 1] /Bounds [] /Encode [0 1] /Functions [6 0 R]>>",
        page_entries=b"/Resources <</Shading <</S 5 0 R>>>>",
    ),
    "a million rectangles": lambda: drawn(zlib.compress(b"0 0 500 700 re f\n" * 1_000_000, 1), SMALL, entries=FLATE),
    "half a million pictures": lambda: drawn(zlib.compress(b"/I0 Do\n" * 500_000), SMALL, entries=FLATE),
    "saved state a million deep": lambda: drawn(zlib.compress(b"q " * 1_000_000), SMALL, entries=FLATE),
    "arrays a million deep": lambda: pdf(CATALOG, PAGES, page(b"/X " + b"[" * 1_000_000), stream(SHOW), SMALL),
    "arrays a million deep in the instructions": lambda: drawn(b"[" * 1_000_000, SMALL),
    "a million dashes": lambda: drawn(b"[" + b"0.0001 " * 10_000 + b"] 0 d 0 0 m 500 800 l S " * 200, SMALL),
    "Type 3 font that writes itself": lambda: drawn(
        b"BT /F 12 Tf (aaaa) Tj ET",
        b"<</Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /CharProcs <</a 6 0 R>> "
        b"/Encoding <</Differences [97 /a]>> "
        b"/FirstChar 97 /LastChar 97 /Widths [1] /Resources <</Font <</F 5 0 R>>>>>>",
        stream(b"BT /F 12 Tf (aaaa) Tj ET"),
        page_entries=b"/Resources <</Font <</F 5 0 R>>>>",
    ),
    "object headers without end": lambda: b"%PDF-1.7\n" + b"".join(b"%d 0 obj<<\n" % at for at in range(300_000)),
    "contents that are its own array": lambda: pdf(CATALOG, PAGES, page(), b"[4 0 R 4 0 R]", SMALL),
    "length that is itself": lambda: pdf(CATALOG, PAGES, page(), b"<</Length 4 0 R>>stream\nq\nendstream", SMALL),
    "resources that are a page": lambda: pdf(
        CATALOG, PAGES, page(b"/Resources 3 0 R /XObject 3 0 R"), stream(SHOW), SMALL
    ),
}


# ---- TIFF


WHITE = b"\xff\0\x10\x01\0\x10\x01\0"


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    packed = struct.pack("<HH", value, 0) if kind == 3 and count == 1 else struct.pack("<I", value & 0xFFFFFFFF)
    return struct.pack("<HHI", tag, kind, count) + packed


def directory(*entries: bytes, follows: int = 0) -> bytes:
    return struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", follows)


def tiff(
    width: int = 64,
    height: int = 64,
    compression: int = 4,
    data: bytes = b"",
    bits: int = 1,
    follows: int = 0,
    more: tuple[bytes, ...] = (),
    strip: tuple[int, int] | None = None,
) -> bytes:
    """A TIFF of one strip, white if nothing else is said (T.6: a bit a row); ``strip`` says where it is said to be."""
    data = data or b"\xff" * (min(height, 1 << 26) // 8) + WHITE
    place, length = strip or (8, len(data))
    entries = [
        entry(256, 4, 1, width),
        entry(257, 4, 1, height),
        entry(258, 3, 1, bits),
        entry(259, 3, 1, compression),
        entry(262, 3, 1, 0 if bits == 1 else 1),
        entry(273, 4, 1, place),
        entry(277, 3, 1, 1),
        entry(278, 4, 1, height),
        entry(279, 4, 1, length),
    ]
    taken = {one[:2] for one in more}
    entries = sorted([one for one in entries if one[:2] not in taken] + list(more))
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory(*entries, follows=follows)


def directories(count: int) -> bytes:
    """So many pages, one strip."""
    step = 2 + 12 * 9 + 4
    first = tiff()
    at = len(first) - step
    body = first[at : at + step - 4]
    pages = b"".join(body + struct.pack("<I", at + step * (number + 1)) for number in range(count - 1))
    return first[:at] + pages + body + bytes(4)


def strips(count: int) -> bytes:
    """A page in strips of one row, all of them the same six bytes."""
    data = WHITE
    lists = 8 + len(data)
    offsets, lengths = struct.pack("<I", 8) * count, struct.pack("<I", 8) * count
    entries = [
        entry(256, 4, 1, 64),
        entry(257, 4, 1, count),
        entry(258, 3, 1, 1),
        entry(259, 3, 1, 4),
        entry(262, 3, 1, 0),
        entry(273, 4, count, lists),
        entry(277, 3, 1, 1),
        entry(278, 4, 1, 1),
        entry(279, 4, count, lists + 4 * count),
    ]
    return b"II*\0" + struct.pack("<I", lists + 8 * count) + data + offsets + lengths + directory(*entries)


def tags_of_the_whole_file(megabytes: int) -> bytes:
    """Sixty thousand tags, each of which says that the whole file is its value."""
    length = megabytes * MB
    entries = [entry(256, 4, 1, 64), entry(257, 4, 1, 64), entry(259, 3, 1, 4)]
    entries += [entry(tag, 7, length, 8) for tag in range(1000, 61000)]
    return b"II*\0" + struct.pack("<I", 8 + length) + bytes(length) + directory(*sorted(entries))


def big_tiff(value: int) -> bytes:
    def big(tag: int, kind: int, count: int, what: int) -> bytes:
        return struct.pack("<HHQQ", tag, kind, count, what)

    entries = [
        big(256, 4, 1, 64),
        big(257, 4, 1, 64),
        big(259, 3, 1, 4),
        big(273, 16, 1, value),
        big(279, 16, value, value),
    ]
    return (
        b"II+\0"
        + struct.pack("<HHQ", 8, 0, 16)
        + struct.pack("<Q", len(entries))
        + b"".join(entries)
        + struct.pack("<Q", 0)
    )


def encoded_tiff(compression: str, mode: str = "L", edge: int = 6000) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (edge, edge)).save(out, "TIFF", compression=compression)
    return out.getvalue()


def lying_tiff(compression: str, width: int, height: int) -> bytes:
    """A small picture whose header says it is large."""
    data = bytearray(encoded_tiff(compression, edge=64))
    at = struct.unpack("<I", data[4:8])[0]
    for index in range(struct.unpack("<H", data[at : at + 2])[0]):
        place = at + 2 + 12 * index
        tag = struct.unpack("<H", data[place : place + 2])[0]
        if tag in (256, 257, 278):
            data[place : place + 12] = entry(tag, 4, 1, width if tag == 256 else height)
    return bytes(data)


TIFFS: Mapping[str, Make] = {
    "page that follows itself": lambda: tiff(follows=8 + 16),
    "page that follows one in the strip": lambda: tiff(follows=8),
    "100,000 pages": lambda: directories(100_000),
    "499 pages": lambda: directories(499),
    "strip of 65535x65535": lambda: tiff(65535, 65535),
    "strip of 2 to the power of 31": lambda: tiff(0x7FFFFFFF, 0x7FFFFFFF),
    "page one dot wide": lambda: tiff(1, 50_000_000),
    "page one dot high": lambda: tiff(50_000_000, 1),
    "page two dots wide": lambda: tiff(2, 25_000_000),
    "page of no size": lambda: tiff(0, 0),
    "page of one dot": lambda: tiff(1, 1),
    "resolution that makes it four times as high": lambda: tiff(
        7000, 8000, more=(entry(282, 5, 1, 0), entry(283, 5, 1, 0), entry(296, 3, 1, 2))
    ),
    "strip behind the end": lambda: tiff(strip=(0x7FFFFFF0, 100)),
    "strip that ends 4 GB behind the end": lambda: tiff(strip=(8, 0xFFFFFFFF)),
    "strip that ends 50 MB behind the end": lambda: tiff(strip=(8, 50 * MB)),
    "strip before the start": lambda: tiff(strip=(0, 0)),
    "a tag with four thousand million values": lambda: tiff(more=(entry(273, 4, 0xFFFFFFFF, 8),)),
    "page in 30,000 strips": lambda: strips(30_000),
    "page 64 dots wide, 900,000 high": lambda: tiff(64, 900_000),
    "200,000 strips": lambda: strips(200_000),
    "tags that all hold the whole file": lambda: tags_of_the_whole_file(2),
    "65535 entries": lambda: b"II*\0" + struct.pack("<IH", 8, 65535) + entry(256, 4, 1, 64) * 65535,
    "G3 nonsense": lambda: tiff(1728, 2000, 3, bytes(range(256)) * 200),
    "G4 nonsense": lambda: tiff(1728, 2000, 4, bytes(range(255, -1, -1)) * 200),
    "tiles of 65535x65535": lambda: tiff(
        65535,
        65535,
        4,
        more=(entry(322, 4, 1, 65535), entry(323, 4, 1, 65535), entry(324, 4, 1, 8), entry(325, 4, 1, 6)),
    ),
    "small page of large tiles": lambda: tiff(
        64, 64, 1, more=(entry(322, 4, 1, 65520), entry(323, 4, 1, 65520), entry(324, 4, 1, 8), entry(325, 4, 1, 6))
    ),
    "16 bits, 50 million dots": lambda: lying_tiff("tiff_adobe_deflate", 7000, 7000).replace(
        entry(258, 3, 1, 8), entry(258, 3, 1, 16)
    ),
    "JPEG larger inside": lambda: lying_tiff("jpeg", 65000, 65000),
    "JPEG within the limit, larger than it is": lambda: lying_tiff("jpeg", 7000, 7000),
    "deflate, header larger than it is": lambda: lying_tiff("tiff_adobe_deflate", 7000, 7000),
    "deflate bomb": lambda: tiff(64, 64, 8, flate(500 * MB), bits=8),
    "LZW, header larger than it is": lambda: lying_tiff("tiff_lzw", 7000, 7000),
    "16 million dots of noughts in colour": lambda: encoded_tiff("tiff_adobe_deflate", "RGB", 4000),
    "BigTIFF with offsets of 2 to the power of 63": lambda: big_tiff(1 << 63),
    "only a header": lambda: b"II*\0\x08\0\0\0",
    "unknown compression": lambda: tiff(64, 64, 34712),
}


# ---- JPEG and PNG


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, data: bytes = b"", bits: int = 1, colour: int = 0) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", data or flate(4 * MB)) + chunk(b"IEND", b"")


@functools.cache
def text_bomb() -> bytes:
    return chunk(b"zTXt", b"a\0\0" + flate(300 * MB))


PICTURES: Mapping[str, Make] = {
    "PNG of 60000x60000": lambda: png(60000, 60000),
    "PNG of 2 to the power of 31": lambda: png(0x7FFFFFFF, 0x7FFFFFFF),
    "PNG one dot wide": lambda: png(1, 50_000_000, data=flate(100 * MB)),
    "PNG of 7000x7000 in colour with 16 bits": lambda: png(7000, 7000, data=flate(300 * MB), bits=16, colour=6),
    "PNG with a text bomb": lambda: png(64, 64, text_bomb()),
    "PNG with a colour profile bomb": lambda: png(64, 64, chunk(b"iCCP", b"a\0\0" + flate(300 * MB))),
    "PNG with 100,000 chunks": lambda: png(64, 64, *[chunk(b"tEXt", b"a\0b")] * 100_000),
    "PNG larger inside": lambda: png(640, 640, data=flate(500 * MB)),
    "JPEG of 65500x65500": lambda: jpeg(65500, 65500),
    "JPEG of 7000x7000 that ends early": lambda: jpeg(7000, 7000),
    "JPEG with 20,000 scans": lambda: jpeg(7000, 7000, 20_000),
    "JPEG with an EXIF ring": lambda: (
        jpeg(640, 640)[:2]
        + b"\xff\xe1\0\x40Exif\0\0II*\0\x08\0\0\0"
        + directory(entry(0x8769, 4, 1, 8), entry(0x0112, 3, 1, 6), follows=8)
        + bytes(18)
        + jpeg(640, 640)[2:]
    ),
}


HELD: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "flate bomb in the instructions",
            "16 filters deep",
            "run-length bomb",
            "flate bomb as a picture",
            "picture of 65535x65535 in colour",
            "CCITT picture of 65535x65535",
            "JBIG2 bomb",
            "JPEG 2000 bomb",
            "large picture inside a form",
            "sheet of a thousand million points",
            "sheet one point high",
            "a million rectangles",
            "strip of 65535x65535",
            "strip of 2 to the power of 31",
            "page one dot wide",
            "page one dot high",
            "page two dots wide",
            "page 64 dots wide, 900,000 high",
            "tiles of 65535x65535",
            "JPEG larger inside",
            "PNG of 60000x60000",
            "PNG of 2 to the power of 31",
            "PNG one dot wide",
            "JPEG of 65500x65500",
        ),
        "大きすぎ",
    ),
    **dict.fromkeys(("a million pages declared", "a million kids, one page", "100,000 pages"), "ページ数が上限"),
    **dict.fromkeys(("form that draws itself", "forms, 10 to the power of 9"), "入れ子"),
    **dict.fromkeys(("locked", "strange encryption"), "パスワード"),
    **dict.fromkeys(
        (
            "CCITT columns of two thousand million",
            "JBIG2 larger inside",
            "JPEG 2000 larger inside",
            "JPEG in a PDF, larger inside",
            "predictor with a thousand million columns",
        ),
        "展開できません",
    ),
    **dict.fromkeys(
        (
            "page tree that is a ring",
            "xref stream that is its own predecessor",
            "object stream in itself",
            "only a header",
            "cut in half",
            "page of no size",
            "strip behind the end",
            "strip that ends 4 GB behind the end",
            "strip before the start",
            "small page of large tiles",
            "65535 entries",
            "unknown compression",
            "PNG of 7000x7000 in colour with 16 bits",
        ),
        "壊れて|切れて|ありません",
    ),
    "object headers without end": "多すぎ",
}
"""What staff are told, at least in part, of the attacks that cannot be read; others may give a page."""
