"""Opening PDF: the only file that knows pypdfium2, and with the ones that write PDF (ocr.searchable) pypdf.

A fax PDF is a wrapper around the fax bits: one CCITT or JBIG2 picture a page, or several strips. Those bits are taken
out as they are, because every rendering at another size blurs them (none of 10 fax pages came out bit-identical by
rendering, all by extraction). Only pages that are drawn are rendered.

pdfium says what a page shows and where; pypdf gives the untouched CCITT stream and holds every stream to a limit before
pdfium unpacks it.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops
from pypdf.errors import LimitReachedError

from ocr.errors import Damaged, Encrypted, ReadingError, TooLarge
from ocr.limits import LIMITS, Limits
from ocr.page import Document, Kind, PageImage, Turn
from ocr.tiff import bounded_pillow, held_to_limits, plain

# Drawn pages have no resolution of their own: that of fine fax across, and square.
_DRAWN_DPI = 204.0
_LEAST_DPI = 60.0
# Pictures' own resolutions between these are believed when a page of pictures must be rendered.
_OWN_DPI = (90.0, 620.0)
_POINT = 72.0
_INVISIBLE = 3  # text render mode of a hidden OCR layer (ISO 32000-1 table 106)
_PATIENCE = 1.01  # scales of strips may differ by this from rounding in the file
_LOOKED_AT = 20  # pictures of a page that came out empty
_CHECK_CELLS = 96  # edge of the thumbnails that are compared
_ALIKE = 8.0  # mean difference of their greys; other polarity or another picture: 40 and more


_BROKEN = "PDFが壊れているか、途中で切れています。"
_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,7})[ \r\n\t]+0[ \r\n\t]+obj\b")
_PAGE, _PAGE_WITHIN = re.compile(rb"/Type\s*/Page(?![A-Za-z])"), 4000
# What draws a form or picture (ISO 32000-1 8.8): its name among the resources, then Do.
_DO = re.compile(rb"/([^\s/<>\[\](){}%]{1,127})\s+Do(?![A-Za-z])")
# A form's dictionary stands in the open: streams are never packed into others (7.5.7). Letters may be escaped.
_FORM = re.compile(rb"/(?:F|#46)(?:o|#6[fF])(?:r|#72)(?:m|#6[dD])(?![A-Za-z0-9])")
_STREAM = re.compile(rb"stream\r?\n(?=\x78)")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class _Picture:
    """One picture drawn on a page: where (points from the top left of the unturned page) and in which pixels."""

    item: Any
    left: float
    top: float
    width: float
    height: float
    turn: Turn
    pixels: tuple[int, int]
    filter: str

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels a point across and down, as drawn."""
        across, down = self.pixels if self.turn in (0, 180) else self.pixels[::-1]
        return across / self.width, down / self.height


# ISO 32000-1 7.5.5: the last line of a file; machines pad what follows.
_END, _END_WITHIN = b"%%EOF", 4096


def open_pdf(data: bytes, limits: Limits) -> Document:
    """Count the pages and tell how the first one is stored.

    A PDF with an owner password alone opens with the empty user password (ISO 32000-1 7.6.3); with a user password
    it is :class:`Encrypted`.
    """
    with _opened(data) as (document, whole):
        pages = len(document)
        if pages < 1:
            raise Damaged("PDFの中にページがありません。")
        if pages > limits.pages:
            raise TooLarge(f"ページ数が上限({limits.pages}ページ)を超えています({pages}ページ)。")
        cut_off = whole is not data or _END not in data[-_END_WITHIN:]
        return Document(_first_kind(document, whole, limits), pages, cut_off)


def pdf_page(data: bytes, number: int, limits: Limits) -> PageImage:
    """One page: the bits of its picture or strips untouched, or the page rendered when it is drawn."""
    with _opened(data) as (document, data):
        if number > len(document):
            raise Damaged(f"{number}ページ目がありません。")
        with _page(document, data, number, limits) as page:
            turn = page.get_rotation()
            found = _untouched(page, data, number, limits) or _rendered(page, limits)
            return _turned(PageImage(number, *found[:2]), turn if found[2] else 0)


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[tuple[pdfium.PdfDocument, bytes]]:
    """The document, and its bytes: those given, or mended where the file is cut off."""
    document = _loaded(data)
    if document is None:
        data = _mended(data, LIMITS)
        document = _loaded(data)
    if document is None:
        raise Damaged(_BROKEN)
    try:
        yield document, data
    finally:
        document.close()


def _loaded(data: bytes) -> pdfium.PdfDocument | None:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        # pdfium's last error may be of an earlier file. /Encrypt stands in the clear (ISO 32000-1 7.5.5, 7.5.8).
        if getattr(error, "err_code", None) == pdfium_c.FPDF_ERR_PASSWORD and b"/Encrypt" in data:
            raise Encrypted("パスワードで保護されたPDFのため開けません。") from error
        return None


def _mended(data: bytes, limits: Limits) -> bytes:
    """A file whose end is lost, with a new page tree over the page objects that are still there, in their order.

    Raises :class:`Damaged` when there are none. A PDF keeps its table of contents at the end (ISO 32000-1 7.5.5), so a
    transmission that breaks off takes it first, while most pages are whole.
    """
    objects = itertools.islice(_OBJECT.finditer(data), limits.pdf_objects + 1)
    places = {int(one[1]): one.start() for one in objects}
    if len(places) > limits.pdf_objects:
        raise TooLarge("PDFの中の部品が多すぎます。")
    pages = [number for number, place in places.items() if _is_page(data, place)]
    if not pages or b"/Encrypt" in data:
        raise Damaged(_BROKEN)
    pages.sort(key=lambda number: places[number])
    root = max(places) + 1
    kids = " ".join(f"{number} 0 R" for number in pages)
    tail = bytearray(b"\nendstream\nendobj\n")
    for number, body in (
        (root, f"<</Type /Catalog /Pages {root + 1} 0 R>>"),
        (root + 1, f"<</Type /Pages /Kids [{kids}] /Count {len(pages)}>>"),
    ):
        places[number] = len(data) + len(tail)
        tail += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(data) + len(tail)
    tail += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in sorted(places.items()):
        tail += f"{number} 1\n{place:010} 00000 n \n".encode()
    tail += f"trailer\n<</Size {root + 2} /Root {root} 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return data + bytes(tail)


def _is_page(data: bytes, place: int) -> bool:
    within = place + _PAGE_WITHIN
    end = data.find(b"endobj", place, within)
    return _PAGE.search(data, place, end if end >= 0 else within) is not None


@contextlib.contextmanager
def _page(document: pdfium.PdfDocument, data: bytes, number: int, limits: Limits) -> Iterator[pdfium.PdfPage]:
    """The page by pdfium, after pypdf has held its drawing instructions to the limit."""
    _hold_to_limit(data, number, limits)
    try:
        page = document[number - 1]
    except pdfium.PdfiumError as error:
        raise Damaged(f"{number}ページ目が壊れています。") from error
    try:
        yield page
    except ReadingError:
        raise
    except pdfium.PdfiumError as error:
        raise Damaged(f"{number}ページ目が壊れています。") from error
    except MemoryError as error:
        raise TooLarge(f"{number}ページ目が大きすぎます。") from error
    finally:
        page.close()


def _first_kind(document: pdfium.PdfDocument, data: bytes, limits: Limits) -> Kind:
    """Kind of the first page that can be opened."""
    try:
        with _page(document, data, 1, limits) as page:
            pictures = _pictures(page, limits)
    except ReadingError:
        return "pdf-drawn"
    if not pictures:
        return "pdf-drawn"
    kinds: dict[str, Kind] = {
        "CCITTFaxDecode": "pdf-ccitt",
        "JBIG2Decode": "pdf-jbig2",
        "DCTDecode": "pdf-jpeg",
        "JPXDecode": "pdf-jpeg",
    }
    return kinds.get(pictures[0].filter, "pdf-drawn")


# ---- the bits as they are --------------------------------------------------------------------------------------------


def _untouched(
    page: pdfium.PdfPage, data: bytes, number: int, limits: Limits
) -> tuple[Image.Image, tuple[float, float], bool] | None:
    """The page's one picture, or its strips joined; nothing when the page is more than that."""
    pictures = _pictures(page, limits)
    if not pictures or not _same_grid(pictures):
        return None
    if sum(math.prod(picture.pixels) for picture in pictures) > limits.page_pixels:
        raise TooLarge(f"{number}ページ目の画像が大きすぎます。")
    with contextlib.suppress(pdfium.PdfiumError):
        image = _bits(pictures[0], data, number, limits) if len(pictures) == 1 else _joined(pictures, limits)
        if image is not None and (shown := _as_shown(image, pictures, page)):
            across, down = pictures[0].scale
            return shown, (across * _POINT, down * _POINT), True
    return None


def _pictures(page: pdfium.PdfPage, limits: Limits = LIMITS) -> tuple[_Picture, ...]:
    """The pictures of a page that shows nothing else, upright or turned by right angles; else none."""
    found: list[_Picture] = []
    box = page.get_cropbox(fallback_ok=True)
    for item in page.get_objects(max_depth=3):
        if item.type == pdfium_c.FPDF_PAGEOBJ_FORM or _hidden(item):
            continue
        if item.type != pdfium_c.FPDF_PAGEOBJ_IMAGE or item.level > 0 or len(found) == limits.pictures:
            return ()
        picture = _placed(item, box)
        if picture is None:
            return ()
        found.append(picture)
    return tuple(found)


def _hidden(item: Any) -> bool:
    """A text layer under a scan, which shows nothing."""
    if item.type != pdfium_c.FPDF_PAGEOBJ_TEXT:
        return False
    return bool(pdfium_c.FPDFTextObj_GetTextRenderMode(item) == _INVISIBLE)


def _placed(item: Any, box: tuple[float, float, float, float]) -> _Picture | None:
    a, b, c, d, _, _ = item.get_matrix().get()
    slack = 1e-3 * max(abs(a), abs(b), abs(c), abs(d))
    if abs(b) <= slack and abs(c) <= slack and a * d > 0:
        turn: Turn = 0 if a > 0 else 180
    elif abs(a) <= slack and abs(d) <= slack and b * c < 0:
        turn = 270 if b > 0 else 90
    else:
        return None
    left, bottom, right, top = item.get_bounds()
    pixels = item.get_px_size()
    if right - left < 1 or top - bottom < 1 or not all(pixels):
        return None
    try:
        filters = item.get_filters(skip_simple=True)
    except UnicodeDecodeError:  # a name that is none
        filters = []
    return _Picture(
        item, left - box[0], box[3] - top, right - left, top - bottom, turn, pixels, filters[-1] if filters else ""
    )


def _same_grid(pictures: tuple[_Picture, ...]) -> bool:
    """Whether all pictures share one scale, so that they can be joined without resampling."""
    first = pictures[0]
    if len(pictures) > 1 and any(picture.turn for picture in pictures):
        return False
    return all(
        1 / _PATIENCE < picture.scale[axis] / first.scale[axis] < _PATIENCE for picture in pictures for axis in (0, 1)
    )


def _bits(picture: _Picture, data: bytes, number: int, limits: Limits) -> Image.Image | None:
    image = None
    if picture.filter == "CCITTFaxDecode":
        image = _ccitt(picture, data, number, limits)
    image = image or _bitmap(picture)
    return _clockwise(image, picture.turn)


def _bitmap(picture: _Picture) -> Image.Image:
    """The picture as pdfium decodes it (JBIG2, JPEG, Flate, G3): not scaled, one bit where it has no greys."""
    image = plain(picture.item.get_bitmap(render=False).to_pil())
    return bilevel(image)


def bilevel(image: Image.Image) -> Image.Image:
    """The same picture in mode ``1`` when it has no grey."""
    if image.mode == "1":
        return image
    used = image.histogram()
    if any(used[1:255]):
        return image
    return image.point(lambda value: 255 if value else 0, mode="1")


def _joined(pictures: tuple[_Picture, ...], limits: Limits) -> Image.Image | None:
    """Strips set side by side on the grid that they share, as many scanners write a page.

    A strip ends on a whole pixel; its place in points may be rounded, so it is set to the nearest row.
    """
    across, down = pictures[0].scale
    left, top = min(p.left for p in pictures), min(p.top for p in pictures)
    places = [(round((p.left - left) * across), round((p.top - top) * down)) for p in pictures]
    width = max(x + p.pixels[0] for p, (x, _) in zip(pictures, places, strict=True))
    height = max(y + p.pixels[1] for p, (_, y) in zip(pictures, places, strict=True))
    if width * height > limits.page_pixels:
        raise TooLarge("ページの画像が大きすぎます。")
    covered = sum(math.prod(p.pixels) for p in pictures)
    if not 0.9 < covered / (width * height) < 1.02:
        return None  # not strips of one page but pictures lying about or over one another
    parts = [_bitmap(picture) for picture in pictures]
    mode = "1" if all(part.mode == "1" for part in parts) else "L"
    canvas = Image.new(mode, (width, height), 255)
    for part, place in zip(parts, places, strict=True):
        canvas.paste(part.convert(mode), place)
    return canvas


def _as_shown(image: Image.Image, pictures: tuple[_Picture, ...], page: pdfium.PdfPage) -> Image.Image | None:
    """The extracted bits, black and white exchanged where a viewer does so; None where the page shows something else.

    Compares small thumbnails. This one comparison answers for /Decode, /BlackIs1, stencil masks with any fill, soft
    masks, palettes, clips and pictures that cover but a part of the page: where they change more than black for white,
    the page is rendered instead.
    """
    seen = _seen(pictures, page)
    if seen is None:
        return None
    cells = (_CHECK_CELLS, _CHECK_CELLS)
    one = np.asarray(seen.resize(cells, Image.Resampling.BOX), np.float32)
    other = np.asarray(image.convert("L").resize(cells, Image.Resampling.BOX), np.float32)
    if np.abs(one - other).mean() < _ALIKE:
        return image
    return ImageChops.invert(image) if np.abs(one - (255 - other)).mean() < _ALIKE else None


def _seen(pictures: tuple[_Picture, ...], page: pdfium.PdfPage) -> Image.Image | None:
    """A thumbnail of what a viewer shows where the pictures lie, unturned; None when they do not fill the page."""
    width, height = page.get_size()
    turn = page.get_rotation()
    if turn in (90, 270):
        width, height = height, width
    left, top = min(p.left for p in pictures), min(p.top for p in pictures)
    right, bottom = max(p.left + p.width for p in pictures), max(p.top + p.height for p in pictures)
    share = (right - left) * (bottom - top) / (width * height)
    outside = max(-left / width, -top / height, right / width - 1, bottom / height - 1)
    if share < 0.8 or outside > 0.02:
        return None
    seen = _clockwise(_thumbnail(page), -turn % 360)
    across, down = seen.width / width, seen.height / height
    return seen.crop((round(left * across), round(top * down), round(right * across), round(bottom * down)))


def _thumbnail(page: pdfium.PdfPage) -> Image.Image:
    width, height = page.get_size()
    scale = 4 * _CHECK_CELLS / max(width, height)
    image: Image.Image = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil()
    return image.convert("L")


# ---- drawn pages -----------------------------------------------------------------------------------------------------


def _rendered(page: pdfium.PdfPage, limits: Limits) -> tuple[Image.Image, tuple[float, float], bool]:
    """The page as a viewer shows it, in grey, at its pictures' resolution or that of fine fax."""
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise Damaged("ページの大きさが正しくありません。")
    across, down = _own_resolution(page)
    wide, high = width * across / _POINT, height * down / _POINT
    shrink = min(math.sqrt(limits.page_pixels / (wide * high)), limits.page_edge / max(wide, high)) * 0.99
    if shrink < 0.99:
        across, down = across * shrink, down * shrink
    if min(across, down) < _LEAST_DPI:
        raise TooLarge(f"用紙が大きすぎます({width / _POINT:.0f}×{height / _POINT:.0f}インチ)。")
    size = max(1, round(width * across / _POINT)), max(1, round(height * down / _POINT))
    bitmap = pdfium.PdfBitmap.new_native(*size, pdfium_c.FPDFBitmap_Gray)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
    # The raw call, because pages of 204x98 need one scale across and another down.
    flags = pdfium_c.FPDF_ANNOT | pdfium_c.FPDF_GRAYSCALE
    pdfium_c.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, flags)
    image = bilevel(bitmap.to_pil().convert("L").copy())
    if image.getextrema() == (255, 255) and _has_lost_pictures(page):
        raise Damaged("ページの画像を展開できません。")
    return image, (across, down), False


def _has_lost_pictures(page: pdfium.PdfPage) -> bool:
    """Whether a picture of the page cannot be decoded: pdfium leaves it out, and what is left looks empty."""
    pictures = page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3)
    for item in itertools.islice(pictures, _LOOKED_AT):
        try:
            item.get_bitmap(render=False)
        except pdfium.PdfiumError:
            return True
    return False


def _own_resolution(page: pdfium.PdfPage) -> tuple[float, float]:
    """Resolution of the largest picture on the page, if there is one that fills a good part of it."""
    width, height = page.get_size()
    box = page.get_cropbox(fallback_ok=True)
    best, area = (_DRAWN_DPI, _DRAWN_DPI), 0.25 * width * height
    for item in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=1):
        picture = _placed(item, box)
        if picture is None or picture.width * picture.height <= area:
            continue
        across, down = (scale * _POINT for scale in picture.scale)
        if page.get_rotation() in (90, 270):
            across, down = down, across
        if _OWN_DPI[0] <= min(across, down) and max(across, down) <= _OWN_DPI[1]:
            best, area = (across, down), picture.width * picture.height
    return best


# ---- turning ---------------------------------------------------------------------------------------------------------

_TRANSPOSE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def _clockwise(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(_TRANSPOSE[turn]) if turn else image


def _turned(page: PageImage, turn: int) -> PageImage:
    """The page after its /Rotate (clockwise, ISO 32000-1 table 30)."""
    if not turn:
        return page
    dpi = page.dpi if turn == 180 else page.dpi[::-1]
    return PageImage(page.number, _clockwise(page.image, turn), dpi)


# ---- pypdf -----------------------------------------------------------------------------------------------------------


def _reader(data: bytes) -> pypdf.PdfReader:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it comments on every broken file; we report once ourselves
    return pypdf.PdfReader(io.BytesIO(data), strict=False)


def _limited(limits: Limits) -> Any:
    """Every limit that pypdf knows, set on purpose: its own defaults may change or be switched off by others."""
    most = limits.stream_bytes
    return pypdf.apply_configuration(
        maximum_declared_stream_length=most,
        zlib_maximum_output_length=most,
        zlib_maximum_recovery_input_length=most // 15,  # byte by byte
        lzw_maximum_output_length=most,
        run_length_maximum_output_length=most,
        brotli_maximum_output_length=most,
        jbig2_maximum_output_length=most,
        array_based_stream_maximum_output_length=most,
        image_maximum_buffer_size=most,
        flate_maximum_columns=limits.page_edge,
        flate_maximum_row_length=8 * limits.page_edge,  # four colours of 16 bits
        stream_filters_maximum_length=8,  # a scanner uses one, ASCII85 before Flate two
        stream_decoding_work_maximum_length=2 * most,
        stream_parsing_work_maximum_count=limits.drawing_bytes // 8,
        array_maximum_element_count=limits.pdf_objects,
        dictionary_maximum_element_count=limits.pdf_objects,
        page_tree_maximum_entries=limits.pdf_objects,
        page_tree_maximum_depth=100,
        page_tree_maximum_page_entries=20 * limits.pdf_objects,
        outline_maximum_entries=limits.pdf_objects,
        outline_maximum_depth=100,
        form_fields_maximum_entries=limits.pdf_objects,
        form_fields_maximum_depth=100,
        named_destinations_maximum_entries=limits.pdf_objects,
        named_destinations_maximum_depth=100,
        xform_maximum_invocations_per_extraction=limits.forms,
        xfa_decoding_work_maximum_length=most,
        xmp_maximum_input_length=most // 15,
        xmp_maximum_element_count=limits.pdf_objects,
        jbig2dec_binary=None,  # no other program is started; pdfium decodes JBIG2
    )


def _hold_to_limit(data: bytes, number: int, limits: Limits) -> None:
    """Raise :class:`TooLarge` when what the page draws is more than the limits, before pdfium unpacks and draws it.

    Whatever else pypdf dislikes is left to pdfium, which repairs more, but not where nobody has counted the forms or
    the bytes: forms drawn by one another, or noughts deflated twice, take all memory (found by fuzzing).
    """
    unsafe = Damaged(f"{number}ページ目の構造が壊れているため、安全に開けません。")
    with _limited(limits):
        try:
            page = _reader(data).pages[number - 1]
            contents = page.get_contents()
            instructions = b"" if contents is None else contents.get_data()
            _Drawing(number, limits).look_at(instructions, page.get("/Resources"), 0)
        except (LimitReachedError, MemoryError) as error:
            raise TooLarge(f"{number}ページ目の内容が大きすぎます。") from error
        except ReadingError:
            raise
        except Exception as error:  # a second opinion only; pypdf raises nearly every class on broken files
            if _FORM.search(data) or _holds_a_bomb(data, limits):
                raise unsafe from error
            return
    if not instructions.strip() and _holds_a_bomb(data, limits):  # pdfium may see more than nothing
        raise unsafe


def _holds_a_bomb(data: bytes, limits: Limits) -> bool:
    """Whether any deflated stream grows beyond the limit, also when it is deflated again; lengths are not asked."""
    left = 4 * limits.stream_bytes
    view = memoryview(data)
    for start in _STREAM.finditer(data):
        inner: bytes | memoryview = view[start.end() :]
        while bytes(inner[:1]) == b"\x78":  # RFC 1950: deflate with a window of 32 KB
            unpacker = zlib.decompressobj()
            try:
                inner = unpacker.decompress(inner, limits.stream_bytes)
            except zlib.error:
                break
            left -= len(inner)
            if unpacker.unconsumed_tail or left < 0:
                return True
    return False


class _Drawing:
    """What a page draws, followed through its forms: each is unpacked once and counted as often as it is drawn."""

    def __init__(self, number: int, limits: Limits) -> None:
        self._number, self._limits = number, limits
        self._left = limits.drawing_bytes
        self._known: dict[int, int] = {}

    def look_at(self, instructions: bytes, resources: Any, depth: int) -> int:
        """How many forms these instructions draw, the forms in forms with them."""
        self._left -= len(instructions)
        if self._left < 0:
            raise TooLarge(f"{self._number}ページ目の内容が大きすぎます。")
        if depth > self._limits.form_depth:
            raise TooLarge(f"{self._number}ページ目の図形の入れ子が深すぎます。")
        objects: Any = resources.get_object().get("/XObject", {}).get_object() if resources is not None else {}
        drawn = 0
        for name, times in Counter(found[1] for found in _DO.finditer(instructions)).items():
            drawn += times * self._of(objects, _pdf_name(name), resources, depth)
            if drawn > self._limits.forms:
                raise TooLarge(f"{self._number}ページ目の図形の入れ子が多すぎます。")
        return drawn

    def _of(self, objects: Any, name: str, resources: Any, depth: int) -> int:
        if name not in objects:
            return 0
        item: Any = objects[name].get_object()
        if not hasattr(item, "get"):
            return 0  # nothing there
        if item.get("/Subtype") == "/Image":
            size = int(item.get("/Width", 0)), int(item.get("/Height", 0))
            held_to_limits(size, self._limits, f"{self._number}ページ目の画像")
            return 0
        if item.get("/Subtype") != "/Form":
            return 0
        if id(item) not in self._known:  # pypdf keeps what it has read, so this stays its name
            inner = item.get("/Resources", resources)
            self._known[id(item)] = 1 + self.look_at(item.get_data(), inner, depth + 1)
        return self._known[id(item)]


def _pdf_name(name: bytes) -> str:
    """A name with its escapes (ISO 32000-1 7.3.5)."""
    return "/" + _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), name).decode("utf-8", "replace")


def _ccitt(picture: _Picture, data: bytes, number: int, limits: Limits) -> Image.Image | None:
    """The CCITT G4 stream itself, decoded by libtiff; nothing where only pdfium knows the variant.

    Group 3 streams in PDF may have no EOL and byte-aligned rows (ISO 32000-1 table 11), which a TIFF cannot say.
    """
    with _limited(limits):
        try:
            streams = [
                item
                for item in _image_streams(_reader(data).pages[number - 1])
                if (item.get("/Width"), item.get("/Height")) == picture.pixels and _is_plain_g4(item)
            ]
            if len(streams) != 1:
                return None
            with (
                bounded_pillow("PDFの画像", limits),
                Image.open(io.BytesIO(streams[0].get_data()), formats=("TIFF",)) as tiff,
            ):
                return plain(tiff) if tiff.size == picture.pixels else None
        except Exception:  # noqa: BLE001  pdfium decodes what pypdf and libtiff cannot
            return None


def _image_streams(page: pypdf.PageObject) -> Iterator[Any]:
    resources: Any = page.get("/Resources", {})
    objects = resources.get_object().get("/XObject", {}).get_object()
    for name in objects:
        item = objects[name].get_object()
        if item.get("/Subtype") == "/Image":
            yield item


def _is_plain_g4(item: Any) -> bool:
    """One CCITT filter with K < 0, rows not byte-aligned, and nothing that turns its black to white."""
    parameters = item.get("/DecodeParms", {})
    if isinstance(parameters, list):
        parameters = parameters[-1] if parameters else {}
    parameters = parameters.get_object()
    aligned = bool(parameters.get("/EncodedByteAlign", False))
    plain_decode = list(item.get("/Decode", [0, 1])) == [0, 1]
    return parameters.get("/K", 0) < 0 and not aligned and plain_decode


# ---- what a text layer needs to know ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the picture that was read lies on a page, in points of the unturned page; origin at the bottom left."""

    left: float
    bottom: float
    right: float
    top: float
    turn: int
    """Degrees clockwise by which the page is turned to be shown (/Rotate)."""
    text: str
    """What the page says of itself, be it shown or hidden."""


def pdf_ground(data: bytes, number: int, limits: Limits) -> Ground:
    """The ground of a page that :func:`pdf_page` gave a picture of; raises like it."""
    with _opened(data) as (document, data):
        if number > len(document):
            raise Damaged(f"{number}ページ目がありません。")
        with _page(document, data, number, limits) as page:
            left, bottom, right, top = page.get_cropbox(fallback_ok=True)
            if _untouched(page, data, number, limits):
                pictures = _pictures(page, limits)
                right, bottom = (
                    left + max(p.left + p.width for p in pictures),
                    top - max(p.top + p.height for p in pictures),
                )
                left, top = left + min(p.left for p in pictures), top - min(p.top for p in pictures)
            else:  # ISO 32000-1 14.11.2.1: what is cut away lies within the medium
                medium = page.get_mediabox(fallback_ok=True)
                left, bottom = max(left, medium[0]), max(bottom, medium[1])
                right, top = min(right, medium[2]), min(top, medium[3])
            writing = page.get_textpage()
            try:
                return Ground(left, bottom, right, top, page.get_rotation(), writing.get_text_range())
            finally:
                writing.close()


def pdf_whole(data: bytes) -> bytes:
    """The bytes given, or mended where the file is cut off; raises :class:`Damaged` or :class:`Encrypted`."""
    with _opened(data) as (_, whole):
        return whole


def pdf_reader(data: bytes) -> pypdf.PdfReader:
    """The objects of a PDF. Read them within :func:`pdf_limits`."""
    return _reader(data)


def pdf_limits(limits: Limits) -> Any:
    """A context in which no stream unpacks to more than the limit."""
    return _limited(limits)
