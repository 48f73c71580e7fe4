"""QR codes and other barcodes on a page: the only file that knows zxing-cpp."""

from __future__ import annotations

import zxingcpp
from PIL.Image import Image

from ocr.image import grey


def barcodes(image: Image) -> tuple[str, ...]:
    """Texts of all barcodes on a page of square pixels, from top to bottom, each once.

    Upside down and turned codes are found too. Never fails: a page without a readable code gives none.
    """
    found = [code for code in zxingcpp.read_barcodes(grey(image)) if code.valid and code.text]
    found.sort(key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    return tuple(dict.fromkeys(code.text for code in found))
