"""QR codes and other barcodes on a page: the only file that knows zxing-cpp."""

from __future__ import annotations

import zxingcpp
from PIL.Image import Image

from ocr.image import grey
from ocr.page import Barcode, Box


def barcodes(image: Image) -> tuple[Barcode, ...]:
    """All barcodes on a page of square pixels, from top to bottom.

    Upside down and turned codes are found too. Never fails: a page without a readable code gives none.
    """
    codes = (code for code in zxingcpp.read_barcodes(grey(image)) if code.valid and code.text)
    found = [Barcode(code.text, str(code.format), _box(code.position, image.size)) for code in codes]
    return tuple(sorted(found, key=lambda code: (code.box[1], code.box[0]) if code.box else (0, 0)))


def _box(place: zxingcpp.Position, size: tuple[int, int]) -> Box:
    """Round its four corners, which are in its own order: a code upside down begins at the lower right."""
    corners = place.top_left, place.top_right, place.bottom_right, place.bottom_left
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    return max(0, min(across)), max(0, min(down)), min(size[0], max(across) + 1), min(size[1], max(down) + 1)
