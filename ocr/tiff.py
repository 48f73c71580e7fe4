"""TIFF, the fax machine's own format (RFC 3949, TIFF-F): the only file that knows TIFF."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from PIL import Image, TiffImagePlugin

from ocr.errors import Damaged, ReadingError, TooLarge
from ocr.limits import LIMITS, Limits
from ocr.page import Document, Kind, PageImage

# TIFF 6.0 section 8 and TIFF Technical Note "BigTIFF": byte order, then 42 or 43.
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_COMPRESSION, _FILL_ORDER, _OFFSETS, _COUNTS, _TILE_OFFSETS = 259, 266, 273, 279, 324
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
_CM = 3

# ITU-T T.4: 8 dots/mm make 1728 (A4), 2048 (B4), 2432 (A3) dots a line; T.4 Annex / T.30 double them (16 dots/mm);
# the inch-based 200 and 400 dpi use the same widths. Paper length in mm beside the width.
_FAX_WIDTHS = {
    1728: (204.0, 297.0),
    2048: (204.0, 364.0),
    2432: (204.0, 420.0),
    3456: (408.0, 297.0),
    4096: (408.0, 364.0),
    4864: (408.0, 420.0),
}
# T.30: 3.85, 7.7 and 15.4 lines/mm.
_FAX_LINES = (98.0, 196.0, 391.0)


def open_tiff(data: bytes, limits: Limits) -> Document:
    """Count the pages of a TIFF and tell how the first is stored.

    Raises :class:`Damaged` (no page can be found) or :class:`TooLarge`. Loops in the chain of pages end it.
    """
    with _reading(data, limits) as tiff:
        compression = str(tiff.info.get("compression", ""))
        pages, cut_off = _count(tiff, len(data), limits)
        return Document(_kind(compression), pages, cut_off)


def tiff_page(data: bytes, number: int, limits: Limits) -> PageImage:
    """One page, bits untouched, black on white whatever the photometric interpretation.

    A strip that is cut off gives the rows that are there, the rest white.
    """
    with _reading(data, limits) as tiff:
        _seek(tiff, number)
        held_to_limits(tiff.size, limits, f"{number}ページ目の画像")
        missing = _missing_bytes(tiff, len(data))
        dpi = _resolution(tiff)
        if not missing:
            return PageImage(number, plain(tiff), dpi)
    if missing > limits.page_pixels:
        raise Damaged(f"{number}ページ目のデータがありません。")
    # libtiff refuses a strip that ends behind the end of the file; zeros are no code of T.4 or T.6 and end it there.
    with _reading(data + bytes(missing), limits) as tiff:
        _seek(tiff, number)
        return PageImage(number, plain(tiff), dpi)


def plain(image: Image.Image) -> Image.Image:
    """The decoded picture as mode ``1`` when it is bilevel, else ``L`` on white; free of its file."""
    image.load()
    if image.mode == "1":
        return image.copy()
    if image.mode.startswith(("I", "F")):
        return _stretched(image)
    if "A" in image.getbands() or "transparency" in image.info:
        colour = image.convert("RGBA")
        paper = Image.new("RGBA", colour.size, "white")
        return Image.alpha_composite(paper, colour).convert("L")
    return image.convert("L")


def _stretched(image: Image.Image) -> Image.Image:
    low, high = cast("tuple[float, float]", image.convert("F").getextrema())
    scale = 255 / (high - low) if high > low else 1.0
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def held_to_limits(size: tuple[int, int], limits: Limits, what: str) -> None:
    """Raise :class:`TooLarge` for a picture with too many pixels or too long an edge."""
    if math.prod(size) > limits.page_pixels or max(size) > limits.page_edge:
        raise TooLarge(f"{what}が大きすぎます({size[0]}×{size[1]}画素)。")


@contextmanager
def bounded_pillow(what: str, limits: Limits = LIMITS) -> Iterator[None]:
    """Turn what Pillow raises on a bad file into our errors; its bomb warning counts as an error here.

    Pillow's own limit is set to ours for this block alone and stays as it is for the rest of the process.
    """
    before = Image.MAX_IMAGE_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.MAX_IMAGE_PIXELS = limits.page_pixels
            yield
    except ReadingError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise TooLarge(f"{what}の画像が大きすぎます。") from error
    except Exception as error:  # Pillow's plug-ins raise nearly every class on broken bytes
        raise Damaged(f"{what}が壊れているか、途中で切れています。") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _reading(data: bytes, limits: Limits = LIMITS) -> Iterator[TiffImagePlugin.TiffImageFile]:
    with bounded_pillow("TIFFファイル", limits), Image.open(io.BytesIO(data), formats=("TIFF",)) as tiff:
        yield cast("TiffImagePlugin.TiffImageFile", tiff)


def _kind(compression: str) -> Kind:
    if compression in ("group3", "tiff_ccitt"):
        return "tiff-g3"
    return "tiff-g4" if compression == "group4" else "tiff-other"


def _count(tiff: TiffImagePlugin.TiffImageFile, length: int, limits: Limits) -> tuple[int, bool]:
    """Walk the chain of pages: how many can be found, and whether the chain or a page breaks off."""
    cut_off = _is_cut(tiff, length)
    for number in range(2, limits.pages + 2):
        try:
            tiff.seek(number - 1)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            continue  # the page is there; reading it will say TooLarge
        except EOFError:
            return number - 1, cut_off  # the last page says that it is the last
        except Exception:  # noqa: BLE001  as in bounded_pillow: the chain is broken here
            return number - 1, True
        cut_off = cut_off or _is_cut(tiff, length)
    raise TooLarge(f"ページ数が上限({limits.pages}ページ)を超えています。")


def _seek(tiff: TiffImagePlugin.TiffImageFile, number: int) -> None:
    try:
        tiff.seek(number - 1)
    except EOFError as error:
        raise Damaged(f"{number}ページ目がありません。") from error


def _is_cut(tiff: TiffImagePlugin.TiffImageFile, length: int) -> bool:
    """Whether any strip of this page reaches behind the end of the file, or the list of its strips lies there."""
    offsets, counts = tiff.tag_v2.get(_OFFSETS), tiff.tag_v2.get(_COUNTS)
    if not offsets or not counts:
        return _TILE_OFFSETS not in tiff.tag_v2
    return any(start + size > length for start, size in zip(offsets, counts, strict=False))


def _missing_bytes(tiff: TiffImagePlugin.TiffImageFile, length: int) -> int:
    """Bytes by which the strips of this page reach behind the end of the file."""
    offsets, counts = tiff.tag_v2.get(_OFFSETS), tiff.tag_v2.get(_COUNTS)
    if not offsets or not counts:
        return 0
    ends = [start + size for start, size in zip(offsets, counts, strict=False) if start < length]
    if not ends:
        raise Damaged("ページのデータがファイルの中にありません。")
    return max(0, int(max(ends)) - length)


def _resolution(tiff: TiffImagePlugin.TiffImageFile) -> tuple[float, float]:
    """Dots per inch across and down, from the tags or, where they cannot be true, from the size of the page."""
    tags = tiff.tag_v2
    across, down = _number(tags.get(_X_RESOLUTION)), _number(tags.get(_Y_RESOLUTION))
    if tags.get(_UNIT, 2) == _CM:
        across, down = across * 2.54, down * 2.54
    width, height = tiff.size
    fax = width in _FAX_WIDTHS
    # A whole fax line at less than 150 dpi would be wider than any fax paper: a default such as 72x72 or 1x1.
    if 150 <= across <= 1300 and 50 <= down <= 1300:
        return across, down
    if not fax and 50 <= across <= 1300 and 50 <= down <= 1300:
        return across, down
    return guessed_resolution(width, height)


def guessed_resolution(width: int, height: int) -> tuple[float, float]:
    """Dots per inch of a picture that does not tell: T.30's resolution whose page length is nearest to the paper's."""
    if width in _FAX_WIDTHS:
        across, length = _FAX_WIDTHS[width]
        rows = height / (length / 25.4)
        return across, min(_FAX_LINES, key=lambda lines: abs(math.log(rows / lines)))
    square = max(width, height) / (297 / 25.4)
    return square, square


def _number(value: object) -> float:
    """A TIFF rational as a float; 0 for a missing, infinite or undefined one (``0/0`` is common)."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return number if math.isfinite(number) else 0.0


# ---- the code as it is -----------------------------------------------------------------------------------------------

_FAX_CODES = (2, 3, 4)  # TIFF 6.0 section 10 and 11: modified Huffman, T.4, T.6
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class FaxCode:
    """A bilevel page as its file holds it: T.4 or T.6 code, strip by strip, each with its rows from the top down."""

    size: tuple[int, int]
    strips: tuple[tuple[bytes, int], ...]
    k: int
    """-1 T.6; 0 T.4 in one dimension; 1 T.4 in two."""
    aligned: bool
    """Each row begins a byte."""
    inverted: bool
    """The code's black runs are shown white."""
    orientation: int
    """As TIFF and EXIF count it: 1 upright."""


def fax_code(data: bytes, number: int, limits: Limits) -> FaxCode | None:
    """The page's code untouched but for the order of bits in a byte, which PDF wants from the left.

    None where the page is not bilevel fax code, is not whole, or is in a thousand pieces.
    """
    with _reading(data, limits) as tiff:
        _seek(tiff, number)
        tags = tiff.tag_v2
        compression = tags.get(_COMPRESSION)
        offsets, counts = tags.get(_OFFSETS) or (), tags.get(_COUNTS) or ()
        bilevel = tags.get(277, 1) == 1 and tags.get(258, (1,)) in ((1,), 1)  # samples and bits of a pixel
        if compression not in _FAX_CODES or not bilevel or not offsets or _is_cut(tiff, len(data)):
            return None
        width, height = int(tags[256]), int(tags[257])
        options = int(tags.get(292 if compression == 3 else 293, 0)) if compression > 2 else 0
        if options & 2 or len(offsets) != len(counts) or len(offsets) > limits.pictures:
            return None  # uncompressed mode (T.4, T.6): no reader of PDF knows it
        strips = []
        rows = min(height, int(tags.get(278, height)))
        for index, (start, size) in enumerate(zip(offsets, counts, strict=True)):
            code = data[start : start + size]
            strips.append((code.translate(_REVERSED) if tags.get(_FILL_ORDER) == 2 else code, height - index * rows))
        return FaxCode(
            size=(width, height),
            strips=tuple((code, min(rows, left)) for code, left in strips if left > 0),
            k={2: 0, 3: options & 1, 4: -1}[compression],
            aligned=compression == 2,
            inverted=tags.get(262) == 1,
            orientation=int(tags.get(274, 1)),
        )
