"""Pages drawn for these tests: text in IPA Gothic on fax paper, in every form in which fax machines send it."""

from __future__ import annotations

import io
import struct
from types import SimpleNamespace

import img2pdf
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from ocr.engine import Engine, load

FONT = "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf"
LINES = (
    "感染症発生届",
    "東京都知事殿 令和8年11月20日",
    "医療機関 みどり台総合病院 電話 03-4567-1234",
    "診断名 腸管出血性大腸菌感染症",
    "症状 腹痛 水様性下痢 血便 発熱",
)
FINE = (204, 196)
STANDARD = (204, 98)


def draw(lines=LINES, dpi=FINE, height=700, width=1728, angle=0.0) -> Image.Image:
    """A 1-bit page, its size given in dots of fine fax, scanned at the resolution; ``angle``: the lines climb."""
    paper = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(paper)
    font = ImageFont.truetype(FONT, 44)
    for index, line in enumerate(lines):
        pen.text((140, 90 + index * 110), line, 0, font=font)
    paper = paper.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=255)
    size = (round(width * dpi[0] / FINE[0]), round(height * dpi[1] / FINE[1]))
    return paper.resize(size, Image.Resampling.BOX).point(lambda value: 255 if value > 150 else 0, mode="1")


def tiff(*pages, compression="group4", dpi=FINE, **more) -> bytes:
    """The pages as one TIFF; ``more`` goes to Pillow (``tiffinfo`` for raw tags)."""
    file = io.BytesIO()
    if dpi:
        more["dpi"] = dpi
    pages[0].save(file, "TIFF", save_all=True, append_images=list(pages[1:]), compression=compression, **more)
    return file.getvalue()


def pdf(*pages, dpi=FINE) -> bytes:
    """The pages as img2pdf wraps them: one G4 picture each."""
    return bytes(img2pdf.convert([tiff(page, dpi=dpi) for page in pages], nodate=True))


def bare(page: Image.Image, compression="group4") -> bytes:
    """The page's bare T.6 (or T.4) code, black runs for black as fax machines send it; Pillow writes them for white."""
    data = tiff(ImageChops.invert(page), compression=compression, tiffinfo={278: page.height})
    with Image.open(io.BytesIO(data)) as image:
        (offset,), (size,) = image.tag_v2[273], image.tag_v2[279]
    return data[offset : offset + size]


def jbig2(page: Image.Image) -> bytes:
    """The page as an embedded JBIG2 stream: page information, then one generic region coded as MMR (T.88 6.2, 7.2)."""

    def segment(number: int, kind: int, data: bytes) -> bytes:
        return struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data

    size = struct.pack(">II", *page.size)
    information = size + bytes(8) + b"\0" + bytes(2)
    region = size + bytes(8) + b"\0" + b"\x01" + bare(page)
    return segment(0, 48, information) + segment(1, 38, region)


def picture(data: bytes, size: tuple[int, int], filter: str = "CCITTFaxDecode", **more: str) -> bytes:
    """A PDF picture object of one bit a pixel."""
    entries = {"ColorSpace": "/DeviceGray", "BitsPerComponent": "1", **more}
    if filter == "CCITTFaxDecode" and "DecodeParms" not in more:
        entries["DecodeParms"] = f"<</K -1 /Columns {size[0]} /Rows {size[1]}>>"
    words = " ".join(f"/{key} {value}" for key, value in entries.items())
    head = f"<</Type /XObject /Subtype /Image /Width {size[0]} /Height {size[1]} /Filter /{filter} {words} /Length "
    return f"{head}{len(data)}>>\nstream\n".encode() + data + b"\nendstream"


def raw_pdf(pictures=(), contents=b"q 600 0 0 800 0 0 cm /I0 Do Q", box=(600, 800), page="") -> bytes:
    """A PDF of one page written by hand: its pictures are /I0, /I1 and so on."""
    names = " ".join(f"/I{index} {5 + index} 0 R" for index in range(len(pictures)))
    bodies = [
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
        f"<</Type /Page /Parent 2 0 R /MediaBox [0 0 {box[0]} {box[1]}] /Contents 4 0 R {page} "
        f"/Resources <</XObject <<{names}>>>>>>".encode(),
        f"<</Length {len(contents)}>>\nstream\n".encode() + contents + b"\nendstream",
        *pictures,
    ]
    file, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(file)
    file += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode()
    file += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    file += f"trailer\n<</Size {len(bodies) + 1} /Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(file)


def same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures have the same mode, size and bits."""
    return (one.mode, one.size, one.tobytes()) == (other.mode, other.size, other.tobytes())


@pytest.fixture(scope="session")
def paper() -> SimpleNamespace:
    """What draws and wraps pages."""
    makers = (draw, tiff, pdf, bare, jbig2, picture, raw_pdf, same)
    return SimpleNamespace(
        FONT=FONT, LINES=LINES, FINE=FINE, STANDARD=STANDARD, **{maker.__name__: maker for maker in makers}
    )


@pytest.fixture(scope="session")
def paddle() -> Engine:
    """The default engine, loaded once."""
    return load("paddle")


@pytest.fixture(scope="session")
def tesseract() -> Engine:
    """The other engine."""
    return load("tesseract")
