"""PDF/A-2b (ISO 19005-2): what a file must say of itself to be kept for decades, and which pages may be in it."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from PIL import ImageCms
from pypdf.generic import ContentStream

_DATE = slice(24, 36)  # ICC.1 7.2.8: when the profile was made, which is now whenever it is made
_CREATED = bytes((7, 234, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2026-01-01, so that the same pages give the same bytes

_PAGE_KEYS = {
    *("/Type", "/Parent", "/MediaBox", "/CropBox", "/TrimBox", "/BleedBox", "/ArtBox"),
    *("/Contents", "/Resources", "/Rotate", "/Tabs"),
}
_PICTURE_KEYS = {
    *("/Type", "/Subtype", "/Width", "/Height", "/BitsPerComponent", "/ColorSpace", "/Filter", "/DecodeParms"),
    *("/Decode", "/ImageMask", "/Length", "/Name", "/Interpolate"),
}
# LZW is not allowed (ISO 19005-2 6.1.7.2); JPEG 2000 is, with conditions (6.2.8.3) that nobody checked here.
_FILTERS = {"/CCITTFaxDecode", "/JBIG2Decode", "/DCTDecode", "/FlateDecode", "/RunLengthDecode", "/ASCII85Decode"}
_SPACES = {"/DeviceGray", "/DeviceRGB"}
_OPERATORS = {b"q", b"Q", b"cm", b"Do", b"re", b"W", b"W*", b"n", b"f", b"f*", b"g", b"G", b"rg", b"RG", b"w"}
_LEAST, _MOST = 3.0, 14400.0  # points of a page's edge (6.1.13)


def profile() -> bytes:
    """sRGB, made by Little CMS and free of anybody's rights: what grey and RGB mean on these pages (6.2.3)."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[_DATE] = _CREATED
    return bytes(made)


def metadata(title: str, producer: str, *, claim: bool) -> bytes:
    """XMP (6.6.2). ``claim``: the file says that it is PDF/A-2b."""
    archival = (
        "<rdf:Description rdf:about='' xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/'>"
        "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>"
    )
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title><rdf:Alt>"
        f"<rdf:li xml:lang='x-default'>{escape(title)}</rdf:li></rdf:Alt></dc:title></rdf:Description>"
        "<rdf:Description rdf:about='' xmlns:pdf='http://ns.adobe.com/pdf/1.3/'>"
        f"<pdf:Producer>{escape(producer)}</pdf:Producer></rdf:Description>"
        f"{archival if claim else ''}</rdf:RDF></x:xmpmeta>\n<?xpacket end='r'?>"
    ).encode()


def may_claim(page: Any) -> bool:
    """Whether a page of somebody else's PDF keeps the rules: pictures in plain colours and nothing else.

    Strict rather than right: text in fonts that may not be there, transparency, notes and forms are all refused,
    though some would be allowed. Whatever cannot be read is refused too.
    """
    try:
        return (
            set(page.keys()) <= _PAGE_KEYS
            and all(_LEAST <= float(edge) <= _MOST for edge in (page.mediabox.width, page.mediabox.height))
            and all(_plain(item) for item in _pictures(page))
            and _operators(page) <= _OPERATORS
        )
    except Exception:  # noqa: BLE001  pypdf raises nearly every class on broken objects
        return False


def _pictures(page: Any) -> list[Any]:
    resources = page["/Resources"].get_object()
    if not set(resources.keys()) <= {"/XObject", "/ProcSet", "/ColorSpace"} or resources.get("/ColorSpace"):
        return [{}]  # more than pictures
    return [item.get_object() for item in resources.get("/XObject", {}).get_object().values()]


def _plain(item: Any) -> bool:
    if item.get("/Subtype") != "/Image" or not set(item.keys()) <= _PICTURE_KEYS or item.get("/Interpolate"):
        return False
    filters = item.get("/Filter", [])
    named = filters if isinstance(filters, list) else [filters]
    mask = bool(item.get("/ImageMask"))
    return set(map(str, named)) <= _FILTERS and (mask or str(item.get("/ColorSpace")) in _SPACES)


def _operators(page: Any) -> set[bytes]:
    contents = page.get_contents()
    return {operator for _, operator in ContentStream(contents, page.pdf).operations} if contents is not None else set()
