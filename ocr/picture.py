"""JPEG and PNG, as some gateways forward a page: opened as a document of one page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageOps

from ocr.errors import Damaged
from ocr.limits import Limits
from ocr.page import Document, PageImage
from ocr.tiff import bounded_pillow, guessed_resolution, held_to_limits, plain

MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def open_picture(data: bytes, limits: Limits) -> Document:
    """Tell that the bytes are one picture; raises :class:`Damaged` or :class:`TooLarge`."""
    with _reading(data, limits):
        return Document("image", 1)


def picture_page(data: bytes, number: int, limits: Limits) -> PageImage:
    """The picture upright as its EXIF says, in one bit or grey."""
    with _reading(data, limits) as image:
        if number != 1:
            raise Damaged(f"{number}ページ目がありません。")
        held_to_limits(image.size, limits, "画像")
        dpi = image.info.get("dpi", (0, 0))
        upright = plain(ImageOps.exif_transpose(image))
    across, down = float(dpi[0]), float(dpi[1])
    # Screens and cameras write 72 or 96 whatever the paper was.
    if not (100 <= across <= 1300 and 50 <= down <= 1300):
        across, down = guessed_resolution(*upright.size)
    return PageImage(1, upright, (across, down))


@contextmanager
def _reading(data: bytes, limits: Limits) -> Iterator[Image.Image]:
    with bounded_pillow("画像ファイル", limits), Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        yield image
