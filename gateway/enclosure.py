"""What is attached to a mail, and which of it is the fax.

Labels lie: a PDF comes as text/plain, a TIFF as application/octet-stream, inline or without a name. So the bytes
decide. One mail is one fax: several files are its pages, or several renditions of them, and then one rendition
is read. Files in a plain zip count as attached; what cannot be opened is named.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from gateway import archive, mime


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with the mail."""

    name: str
    media_type: str
    """As the mail declares it."""
    kind: str
    """As its bytes show it: ``pdf tiff image tnef zip text other``."""
    data: bytes = field(repr=False)
    problem: str = ""
    """Why it cannot be opened where that is known already: a locked zip of faxes is a fax all the same."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """An attachment and the part of the mail that it is."""

    attachment: Attachment
    leaf: mime.Leaf
    empty: bool = False
    mislabelled: bool = False
    told: str = ""
    """What staff must know of it, Japanese."""


@dataclass(frozen=True, slots=True)
class FaxPages:
    """The documents that are the fax, the rest, and what is wrong with either."""

    documents: tuple[Attachment, ...] = ()
    others: tuple[Attachment, ...] = ()
    problems: tuple[str, ...] = ()
    unopened: tuple[Attachment, ...] = ()
    """Of the others, those that may hold a fax we cannot open."""


def sniff(data: bytes) -> str:
    """What bytes are: ``pdf tiff image tnef zip text other``. Labels and names are not asked."""
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):  # TIFF 6.0 section 2, BigTIFF
        return "tiff"
    if data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n" or data[:6] in (b"GIF87a", b"GIF89a"):
        return "image"
    if data[:4] == b"\x78\x9f\x3e\x22":  # MS-OXTNEF 2.1.3.1
        return "tnef"
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    if re.search(rb"%PDF-\d", data[:1024]):  # ISO 32000-1 H.3.4.1: anywhere in the first 1024 bytes
        return "pdf"
    sample = data[:1024]
    return "other" if not sample or b"\0" in sample or _binary(sample) else "text"


def _binary(sample: bytes) -> bool:
    return sum(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in sample) * 20 > len(sample)


_DECLARED = {
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "image/tiff": "tiff",
    "image/tiff-fx": "tiff",
    "image/x-tiff": "tiff",
    "image/tif": "tiff",
}
_SUFFIXES = {".pdf": "pdf", ".tif": "tiff", ".tiff": "tiff"}
_BORING = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "text/calendar")


def enclosed(leaf: mime.Leaf) -> Enclosed:
    """Look at what a part holds."""
    seen = sniff(leaf.data)
    declared = _DECLARED.get(leaf.media_type) or _SUFFIXES.get(_suffix(leaf.name))
    wrong = declared is not None and seen in ("other", "text")
    if wrong and leaf.data.strip() and declared is not None:
        seen = declared  # a damaged fax is a fax: the reader says so
    attachment = Attachment(leaf.name, leaf.media_type, seen, leaf.data)
    return Enclosed(attachment, leaf, empty=declared is not None and not leaf.data.strip(), mislabelled=wrong)


def unpacked(attached: list[Enclosed]) -> list[Enclosed]:
    """The attachments, and behind each zip the files in it."""
    room = archive.MAX_OUTPUT
    out: list[Enclosed] = []
    for item in attached:
        if item.attachment.kind != "zip":
            out.append(item)
            continue
        held = archive.open_zip(item.leaf.data, room)
        room -= held.spent
        files = [] if _is_office(held) else [enclosed(_member(item.leaf, name, data)) for name, data in held.files]
        out += [_looked_into(item, held, files), *files]
    return out


def _member(leaf: mime.Leaf, name: str, data: bytes) -> mime.Leaf:
    return replace(leaf, name=name, media_type="application/octet-stream", data=data, content_id="", related=False)


def _is_office(held: archive.Archive) -> bool:
    """Word, Excel and their like are zips too (ECMA-376 part 2, ODF part 2): their pictures are no pages."""
    return any(name in ("[Content_Types].xml", "mimetype") for name, _ in held.files)


def _looked_into(item: Enclosed, held: archive.Archive, files: list[Enclosed]) -> Enclosed:
    """The zip itself, with what is to be told of it."""
    name = item.attachment.name or "(名前なし)"
    if held.problem:
        told = f"圧縮ファイル「{name}」は{held.problem}。{_list('開けない中身', held.unread)}"
        if held.unread and not any(_suffix(inner) in _FAX_SUFFIXES for inner in held.unread):
            return replace(item, told=told)
        problem = f"{told}発信元に、圧縮もパスワードもないPDFまたはTIFFでの再送を依頼してください。"
        return replace(item, attachment=replace(item.attachment, problem=problem))
    if _is_office(held):
        return replace(item, told=f"「{name}」(Word・Excelなどの文書)は開けません。{_ASK}")
    if any(file.attachment.kind in ("pdf", "tiff", "image") for file in files):
        return replace(item, told=f"圧縮ファイル「{name}」の中の文書を読みました。")
    told = f"圧縮ファイル「{name}」の中にPDF・TIFF・画像がありません。"
    return replace(item, told=told + _list("中身", [inner for inner, _ in held.files]))


_ASK = "送信者にPDFまたはTIFFでの再送を依頼してください。"
_FAX_SUFFIXES = (".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png")


def _list(what: str, names: Sequence[str]) -> str:
    more = f"、ほか{len(names) - 5}個" if len(names) > 5 else ""
    return f"{what}: {'、'.join(name or '(名前なし)' for name in names[:5])}{more}。" if names else ""


def _suffix(name: str) -> str:
    return re.sub(r"^.*(?=\.)", "", name.lower())


def fax_pages(attached: list[Enclosed], pages_claimed: int | None) -> FaxPages:
    """Which attachments are the pages of the fax: one mail is one fax."""
    pages = [item for item in attached if item.attachment.kind in ("pdf", "tiff") or item.attachment.problem]
    pages = [item for item in attached if item in pages or _is_page_image(item, bool(pages))]
    pages = _ordered(_without_renditions(_without_copies(pages), pages_claimed))
    rest = [item for item in attached if not any(item is page for page in pages)]
    return FaxPages(
        documents=tuple(item.attachment for item in pages),
        others=tuple(item.attachment for item in rest),
        problems=tuple(_complaints(attached)),
        unopened=tuple(item.attachment for item in rest if item.empty or _may_hold_a_fax(item)),
    )


def _complaints(attached: list[Enclosed]) -> Iterable[str]:
    for item in attached:
        shown = item.attachment.name or "(名前なし)"
        if item.empty:
            yield f"添付ファイル「{shown}」の中身が空です。送信元の機器を確認してください。"
        elif item.mislabelled:
            yield f"添付ファイル「{shown}」は壊れているか、表示された種類と中身が異なります。"
        elif item.attachment.kind == "tnef":
            yield f"winmail.dat(Outlook形式)は開けません。{_ASK}"
        elif item.told:
            yield item.told
        elif found := _format(item):
            yield f"「{shown}」({found})は開けません。{_ASK}"


# What people attach in place of a PDF; told apart by the first bytes, or by what is declared.
_FORMATS = (
    (b"Rar!\x1a\x07", "RAR圧縮"),
    (b"7z\xbc\xaf\x27\x1c", "7z圧縮"),
    (b"\x1f\x8b\x08", "gzip圧縮"),
    (b"MSCF\0\0\0\0", "CAB圧縮"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Word・Excel・一太郎などの文書"),
    (b"{\\rtf", "RTF文書"),
    (b"BM", "BMP画像"),
    (b"-----BEGIN PGP MESSAGE", "PGPで暗号化されたもの"),
)
_DECLARED_FORMATS = {
    "application/pkcs7-mime": "S/MIMEで暗号化または署名されたもの",
    "application/x-pkcs7-mime": "S/MIMEで暗号化または署名されたもの",
    "application/pgp-encrypted": "PGPで暗号化されたもの",
}
_SUFFIX_FORMATS = {".xdw": "DocuWorks文書", ".xbd": "DocuWorks文書", ".heic": "HEIC写真"}


def _format(item: Enclosed) -> str:
    """What an attachment is that is no fax, in words; empty where it is nothing known."""
    if item.attachment.kind not in ("other", "text"):
        return ""
    data = item.leaf.data
    if data[2:5] == b"-lh":  # LHA's header, level 0 to 2
        return "LZH圧縮"
    by_bytes = next((name for start, name in _FORMATS if data.startswith(start)), "")
    return (
        _DECLARED_FORMATS.get(item.leaf.media_type, "")
        or by_bytes
        or _SUFFIX_FORMATS.get(_suffix(item.attachment.name), "")
    )


def _may_hold_a_fax(item: Enclosed) -> bool:
    kind, declared = item.attachment.kind, item.attachment.media_type
    if kind in ("tnef", "zip") or declared == "message/partial":
        return True
    unknown = kind == "other" or (kind == "text" and not declared.startswith("text/"))  # RTF and its like
    return unknown and bool(item.leaf.data) and declared not in _BORING


def _is_page_image(item: Enclosed, have_documents: bool) -> bool:
    """JPEG and PNG: pages when nothing better came; beside a PDF or TIFF only when as large as a page, not a logo."""
    if item.attachment.kind != "image":
        return False
    size = _pixels(item.leaf.data)
    if size is None:
        return not have_documents
    large = min(size) >= 600
    decoration = item.leaf.related or (item.leaf.disposition != "attachment" and bool(item.leaf.content_id))
    return (large and not decoration) if have_documents else (min(size) >= 300 or not decoration)


def _pixels(data: bytes) -> tuple[int, int] | None:
    """Width and height out of the header of a PNG, GIF or JPEG."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    if data.startswith(b"GIF8") and len(data) >= 10:
        return struct.unpack("<HH", data[6:10])
    at = 2
    for _ in range(200):  # JPEG segments (ITU-T T.81 B.1.1.4) up to the frame header
        if at + 9 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _without_copies(pages: list[Enclosed]) -> list[Enclosed]:
    """The same file attached twice is there once."""
    kept: dict[bytes, Enclosed] = {}
    for item in pages:
        kept.setdefault(item.leaf.data, item)
    return list(kept.values())


def _without_renditions(pages: list[Enclosed], pages_claimed: int | None) -> list[Enclosed]:
    """One of several forms of the same fax: HylaFAX sends fax42.tif and fax42.pdf.

    Forms of one thing are alternatives of a multipart/alternative, files of one name but for the suffix, a file
    beside its own pages (``fax.pdf``, ``fax_001.tif``, ``fax_002.tif``), or a TIFF that alone has as many pages as the
    mail speaks of. Otherwise every file is a part of the fax: reading twice is better than losing a page.
    """
    forms: dict[object, list[Enclosed]] = {}
    for item in pages:
        forms.setdefault(_same_thing(item), []).append(item)
    best = {key: min(map(_rank, items)) for key, items in forms.items()}
    left = [item for item in pages if _rank(item) == best[_same_thing(item)]]
    left = _without_whole_of_pages(left)
    tiffs = [item for item in left if item.attachment.kind == "tiff"]
    if pages_claimed and len(tiffs) == 1 < len(left) and _tiff_pages(tiffs[0].leaf.data) == pages_claimed:
        return tiffs
    return left


def _same_thing(item: Enclosed) -> object:
    if item.attachment.problem:
        return id(item)
    if item.leaf.alternative:
        return item.leaf.alternative
    stem = _stem(item.attachment.name)
    # Nameless files are different things; so are files of one kind and one name (scan.tif twice), which rank alike.
    return (stem, item.leaf.depth) if stem else id(item)


def _rank(item: Enclosed) -> int:
    damaged = 10 if item.mislabelled else 0
    return damaged + ("tiff", "pdf", "image", "zip").index(item.attachment.kind)


def _stem(name: str) -> str:
    return re.sub(r"\.[A-Za-z]{3,4}$", "", name).strip().lower()


def _numbered(name: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"(.*?)[ _.(\-]*(?:p|page)?[ _.\-]*(\d{1,4})\)?", _stem(name))
    return (found[1], int(found[2])) if found else None


def _without_whole_of_pages(pages: list[Enclosed]) -> list[Enclosed]:
    """``fax.pdf`` beside ``fax_1.tif``, ``fax_2.tif``: the pages stay, the whole goes."""
    series: dict[str, int] = {}
    for item in pages:
        if numbered := _numbered(item.attachment.name):
            series[numbered[0]] = series.get(numbered[0], 0) + 1
    return [
        item for item in pages if not (_stem(item.attachment.name) and series.get(_stem(item.attachment.name), 0) > 1)
    ]


def _ordered(pages: list[Enclosed]) -> list[Enclosed]:
    """A page a file: pages that are numbered in their names stand in that order (p1, p10, p2 is how some send)."""
    numbers = [_numbered(item.attachment.name) for item in pages]
    if len(pages) < 2 or any(found is None for found in numbers) or len({found[0] for found in numbers if found}) != 1:
        return pages
    if len(set(numbers)) < len(pages):  # counted anew in each of several mails that were joined
        return pages
    return [item for _, item in sorted(zip(numbers, pages, strict=True), key=lambda pair: pair[0] or ("", 0))]


def _tiff_pages(data: bytes) -> int:
    """Pages of a classic TIFF by its chain of directories (TIFF 6.0 section 2); 0 when the chain is broken or loops."""
    order = "<" if data[:2] == b"II" else ">"
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + "I", data, 4)
        while at and at not in seen and len(seen) < 10_000:
            seen.add(at)
            (entries,) = struct.unpack_from(order + "H", data, at)
            (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * entries)
    except struct.error:
        return 0
    return 0 if at else len(seen)
