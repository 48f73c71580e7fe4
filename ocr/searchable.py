"""The way back: a fax as one PDF that looks as it came and can be searched, copied from and kept.

Nothing that shows is coded anew. The code of a TIFF-F strip, a JPEG or a PNG goes into the PDF as it is, an arriving
PDF keeps its pages with their streams as they are, and every page gets one more stream: its text, invisible. A page
that was read on its side is shown upright by /Rotate; its bits stay as they were scanned.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pypdf
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from ocr import pdf, pdfa, textlayer
from ocr.document import LIMITS, Limits, open_document, page_image
from ocr.errors import Damaged, ReadingError
from ocr.page import Document, PageImage, PageText
from ocr.sheet import Sheet, drawn_sheet, own_sheet
from ocr.textlayer import Affine, Alphabet

PRODUCER = "faxless"
_ENOUGH = 0.5
"""Share of what was read that a page says of itself: from there on it needs no second text over its own."""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document of a fax and what was read on its pages."""

    data: bytes
    pages: Mapping[int, PageText]
    """By the page's number in its document, from 1; a page that was not read is missing."""


def searchable(documents: Sequence[ReadDocument], title: str, limits: Limits = LIMITS) -> bytes:
    """All pages of all documents as one searchable PDF; the same pages give the same bytes.

    It says that it is PDF/A-2b (ISO 19005-2) where every page keeps its rules: pictures that are wrapped here do, pages
    of an arriving PDF when they hold pictures and nothing else. A page that cannot be opened is a blank one crossed
    out, so that none is missed. Raises :class:`~ocr.errors.Damaged` (or what the first document says) when no document
    can be opened.
    """
    opened, trouble = _opened(documents, limits)
    if not opened:
        raise trouble or Damaged("開ける文書がありません。")
    words = (word.text for one in documents for page in one.pages.values() for word in page.words)
    book = _Book(Alphabet.of(words), limits)
    for one, document in opened:
        book.add(one, document)
    return book.bound(title, _fingerprint(documents))


def _opened(
    documents: Sequence[ReadDocument], limits: Limits
) -> tuple[list[tuple[ReadDocument, Document]], ReadingError | None]:
    opened, trouble = [], None
    for one in documents:
        try:
            opened.append((one, open_document(one.data, limits)))
        except ReadingError as error:
            trouble = trouble or error
    return opened, trouble


def _fingerprint(documents: Sequence[ReadDocument]) -> bytes:
    """Names the file (ISO 32000-1 14.4) by what it was made of."""
    whole = hashlib.sha256()
    for one in documents:
        whole.update(hashlib.sha256(one.data).digest())
        whole.update(repr(sorted(one.pages.items())).encode("utf-8", "backslashreplace"))
    return whole.digest()[:16]


class _Book:
    """The PDF while it grows."""

    def __init__(self, alphabet: Alphabet, limits: Limits) -> None:
        self._writer = pypdf.PdfWriter()
        self._alphabet, self._limits = alphabet, limits
        self._claim = True
        self._font = self._writer._add_object(_font(self._writer, alphabet))

    def add(self, one: ReadDocument, document: Document) -> None:
        """All pages of a document."""
        theirs = _own_pages(one.data, document, self._limits) if document.kind.startswith("pdf") else {}
        for number in range(1, document.pages + 1):
            text = one.pages.get(number)
            with pdf.pdf_limits(self._limits):
                if number in theirs and self._keep(theirs[number], one.data, number, text):
                    continue
            self._wrap(one.data, number, text)

    def bound(self, title: str, name: bytes) -> bytes:
        """The file."""
        writer = self._writer
        writer.metadata = None
        writer.pdf_header = "%PDF-1.7"
        writer._ID = ArrayObject([ByteStringObject(name), ByteStringObject(name)])
        root = writer.root_object
        root[NameObject("/Lang")] = TextStringObject("ja")
        root[NameObject("/ViewerPreferences")] = _pdf({"DisplayDocTitle": True})
        about = pdfa.metadata(title, PRODUCER, claim=self._claim)
        root[NameObject("/Metadata")] = writer._add_object(_stream(about, {"Type": "/Metadata", "Subtype": "/XML"}))
        profile = writer._add_object(_packed(pdfa.profile(), {"N": 3}))
        intent = {"Type": "/OutputIntent", "S": "/GTS_PDFA1", "OutputConditionIdentifier": b"sRGB", "Info": b"sRGB"}
        root[NameObject("/OutputIntents")] = _pdf([{**intent, "DestOutputProfile": profile}])
        file = io.BytesIO()
        writer.write(file)
        return file.getvalue()

    # ---- pages of a PDF

    def _keep(self, page: Any, data: bytes, number: int, text: PageText | None) -> bool:
        """An arriving PDF's own page with its text added; False when its objects cannot be taken over."""
        try:
            fits = pdfa.may_claim(page)
            ground = pdf.pdf_ground(data, number, self._limits) if text and text.words else None
            kept = self._writer.add_page(page, excluded_keys=("/Annots", "/AA", "/B", "/Thumb", "/Metadata"))
        except ReadingError:
            return False
        except Exception:  # noqa: BLE001  pypdf raises nearly every class on broken objects
            return False
        self._keep_notes(page, kept)
        self._claim = self._claim and fits
        if text and ground and not _says_itself(ground.text, text):
            turn = (ground.turn + text.turned) % 360
            kept[NameObject("/Rotate")] = NumberObject(turn)
            box = (ground.left, ground.bottom, ground.right, ground.top)
            self._write(kept, textlayer.layer(text, _place(text, box, turn), self._alphabet))
        return True

    def _keep_notes(self, page: Any, kept: Any) -> None:
        """Stamps and notes that a viewer shows, without what they would do when they are clicked."""
        notes = []
        for entry in page.get("/Annots", ()) or ():
            note = entry.get_object()
            if note.get("/Subtype") not in ("/Link", "/Widget", "/Popup") and "/AP" in note:
                ignored = ("/P", "/A", "/AA", "/Dest", "/Popup", "/Parent", "/IRT")
                notes.append(note.clone(self._writer, ignore_fields=ignored).indirect_reference)
        if notes:
            kept[NameObject("/Annots")] = ArrayObject(notes)

    # ---- pages of pictures

    def _wrap(self, data: bytes, number: int, text: PageText | None) -> None:
        """A page in its file's own bits, or in the pixels that were read where they show something else."""
        try:
            page = page_image(data, number, self._limits)
        except ReadingError:
            self._cross_out()
            return
        sheet = own_sheet(data, page, self._limits)
        if sheet is None or not _shows(sheet, page, self._limits):
            sheet = drawn_sheet(page, self._limits)
        made = _laid(self._writer, sheet)
        self._claim = self._claim and all(strip.entries["ColorSpace"] != "/DeviceCMYK" for strip in sheet.strips)
        if text:
            made[NameObject("/Rotate")] = NumberObject(text.turned)
            box = (0.0, 0.0, sheet.width, sheet.height)
            self._write(made, textlayer.layer(text, _place(text, box, text.turned), self._alphabet))

    def _cross_out(self) -> None:
        """A4 with a cross over it: here was a page that cannot be opened."""
        page = self._writer.add_blank_page(595, 842)
        lines = b"q 1 w 40 40 515 762 re 40 40 m 555 802 l 40 802 m 555 40 l S Q\n"
        page[NameObject("/Contents")] = self._writer._add_object(_packed(lines))

    def _write(self, page: Any, layer: bytes) -> None:
        """Put the text before all else on the page, where no instruction of the page has changed anything yet."""
        if not layer:
            return
        resources = page.get("/Resources", DictionaryObject()).get_object()
        fonts = resources.get("/Font", DictionaryObject()).get_object()
        # New dictionaries: the arriving ones may be shared with pages that have no text.
        fonts = DictionaryObject({**fonts, NameObject(textlayer.FONT): self._font})
        page[NameObject("/Resources")] = DictionaryObject({**resources, NameObject("/Font"): fonts})
        own = [page.raw_get("/Contents")] if "/Contents" in page else []
        if own and isinstance(own[0].get_object(), ArrayObject):
            own = list(own[0].get_object())
        page[NameObject("/Contents")] = ArrayObject([self._writer._add_object(_packed(layer)), *own])


def _own_pages(data: bytes, document: Document, limits: Limits) -> dict[int, Any]:
    """The pages of a PDF by number; none where pypdf sees other pages than pdfium does."""
    with pdf.pdf_limits(limits):
        try:
            pages = pdf.pdf_reader(pdf.pdf_whole(data)).pages
            return dict(enumerate(pages, 1)) if len(pages) == document.pages else {}
        except Exception:  # noqa: BLE001  its pages are then wrapped like pictures
            return {}


def _says_itself(own: str, text: PageText) -> bool:
    """Whether a page already has the text that was read on it, drawn or in a layer of its own."""
    read, theirs = (Counter(letter for letter in words if not letter.isspace()) for words in (text.text, own))
    return sum((read & theirs).values()) >= _ENOUGH * max(1, sum(read.values()))


def _shows(sheet: Sheet, page: PageImage, limits: Limits) -> bool:
    """Whether fax code, as PDF's filter decodes it, is the picture that was read: damaged code is decoded variously."""
    if sheet.strips[0].entries["Filter"] != "/CCITTFaxDecode":
        return True
    writer = pypdf.PdfWriter()
    _laid(writer, sheet)
    file = io.BytesIO()
    writer.write(file)
    try:
        seen = pdf.pdf_page(file.getvalue(), 1, limits).image
    except ReadingError:
        return False
    return (seen.mode, seen.size, seen.tobytes()) == (page.image.mode, page.image.size, page.image.tobytes())


def _place(page: PageText, box: tuple[float, float, float, float], turn: int) -> Affine:
    """From the pixels of the page as shown to the points of the page before it is turned ``turn`` clockwise."""
    left, bottom, right, top = box
    wide, high = right - left, top - bottom
    across, down = 1 / max(1, page.width), 1 / max(1, page.height)
    return {
        0: (wide * across, 0.0, 0.0, -high * down, left, top),
        90: (0.0, high * across, wide * down, 0.0, left, bottom),
        180: (-wide * across, 0.0, 0.0, high * down, right, bottom),
        270: (0.0, -high * across, -wide * down, 0.0, right, top),
    }[turn % 360]


def _laid(writer: pypdf.PdfWriter, sheet: Sheet) -> Any:
    page = writer.add_blank_page(sheet.width, sheet.height)
    names = DictionaryObject()
    parameters: dict[str, Any] = {}  # of fax code: one object for all strips of as many rows
    words = [f"q {' '.join(f'{value:.4f}' for value in sheet.matrix)} cm"]
    for index, strip in enumerate(sheet.strips):
        entries: dict[str, Any] = {"Subtype": "/Image", **strip.entries}
        if "DecodeParms" in entries:
            known = repr(entries["DecodeParms"])
            if known not in parameters:
                parameters[known] = writer._add_object(_pdf(entries["DecodeParms"]))
            entries["DecodeParms"] = parameters[known]
        names[NameObject(f"/I{index}")] = writer._add_object(_stream(strip.data, entries))
        words.append(f"q 1 0 0 {strip.height:.6f} 0 {strip.foot:.6f} cm /I{index} Do Q")
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): names})
    page[NameObject("/Contents")] = writer._add_object(_packed(" ".join([*words, "Q\n"]).encode("ascii")))
    return page


def _font(writer: pypdf.PdfWriter, alphabet: Alphabet) -> DictionaryObject:
    """The font without outlines, embedded (ISO 32000-1 9.7.4; ISO 19005-2 6.2.11)."""
    name = textlayer.FONT  # no subset: it has all its glyphs
    file = textlayer.font_file()
    descriptor = {
        "Type": "/FontDescriptor",
        "FontName": name,
        "Flags": 4,  # table 123: symbolic, its codes are its own
        "FontBBox": [0, textlayer.DESCENT, 1000, textlayer.ASCENT],
        "ItalicAngle": 0,
        "Ascent": textlayer.ASCENT,
        "Descent": textlayer.DESCENT,
        "CapHeight": textlayer.ASCENT,
        "StemV": 80,
        "FontFile2": writer._add_object(_packed(file, {"Length1": len(file)})),
    }
    below = {
        "Type": "/Font",
        "Subtype": "/CIDFontType2",
        "BaseFont": name,
        "CIDSystemInfo": {"Registry": b"Adobe", "Ordering": b"Identity", "Supplement": 0},
        "FontDescriptor": writer._add_object(_pdf(descriptor)),
        "DW": 1000,
        "W": alphabet.widths(),
        "CIDToGIDMap": writer._add_object(_packed(alphabet.glyphs())),
    }
    font = {
        "Type": "/Font",
        "Subtype": "/Type0",
        "BaseFont": name,
        "Encoding": "/Identity-H",
        "DescendantFonts": [writer._add_object(_pdf(below))],
        "ToUnicode": writer._add_object(_packed(alphabet.meanings())),
    }
    return _dictionary(font)


# ---- plain values as PDF's objects -----------------------------------------------------------------------------------


def _pdf(value: Any) -> PdfObject:
    """A plain value: a str is a name, bytes are a string."""
    if isinstance(value, PdfObject):
        return value
    if isinstance(value, Mapping):
        return _dictionary(value)
    if isinstance(value, list | tuple):
        return ArrayObject(_pdf(item) for item in value)
    simple: Iterator[tuple[type, Any]] = iter(
        ((bool, BooleanObject), (int, NumberObject), (float, FloatObject), (str, NameObject), (bytes, ByteStringObject))
    )
    make = next(make for kind, make in simple if isinstance(value, kind))
    made: PdfObject = make(value)
    return made


def _dictionary(values: Mapping[str, Any]) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{key}"): _pdf(value) for key, value in values.items()})


def _stream(data: bytes, entries: Mapping[str, Any]) -> StreamObject:
    """A stream that holds ``data`` as it is, coded as its entries say."""
    stream = StreamObject()
    stream.update(_dictionary(entries))
    stream._data = data
    return stream


def _packed(data: bytes, entries: Mapping[str, Any] | None = None) -> PdfObject:
    return _stream(data, entries or {}).flate_encode()
