"""What a page is to the fax, by its look: its matter, a cover sheet, a sheet between two documents, nothing at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np

from ocr.engine import Run
from ocr.level import DOTS, Level, Line
from ocr.page import PageKind

_EDGE, _MARGIN = 8.5, 6.0
"""Millimetres: what the sending machine prints at the top; where lids and copiers leave black."""
_STROKE = 3
"""Pixels: specks and the streaks of a dirty glass are thinner."""
_INK = 0.0002
"""Share of a blank page that is black without specks: a page with a single short word has more."""
_SURE = 0.5
"""Confidence from which on a word is one, and not a guess at specks."""
_LITTLE = 40
"""Letters of a separator sheet."""
_COVER = re.compile(
    r"^\W*(?:書類|資料|文書|fax|ファックス|ファクス|ファクシミリ)?"
    r"(?:送付状|送信状|送信票|送付票|送り状|送付書|送付案内|送信案内|送信のご?案内|送付のご?案内|送信連絡票?)|"
    r"^\W*(?:fax|facsimile)(?:cover|transmi)|^\W*coversheet",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"区切り|仕切り|仕切紙|セパレータ|separator|patchcode|パッチコード", re.IGNORECASE)
_TITLE = 24
"""Letters of a title line."""


def page_kind(page: Level, runs: Sequence[Run], barcodes: Sequence[str]) -> PageKind:
    """The kind of a page; ``content`` where nothing tells otherwise.

    A page is blank only when no word was read surely and no stroke stands on it: a faint page is content.
    """
    written = [line for line in page.lines if line.middle > _EDGE * DOTS and runs[line.index].confidence >= _SURE]
    texts = [_plain(line.text) for line in written]
    letters = sum(character.isalnum() for text in texts for character in text)
    if letters < 2 and not barcodes and _ink(page) < _INK:
        return "blank"
    if letters <= _LITTLE and (barcodes or any(map(_SEPARATOR.search, texts))):
        return "separator"
    third = page.ink.shape[0] / 3
    titles = (text for text, line in zip(texts, written, strict=True) if _is_title(line, text, third))
    return "cover" if any(map(_COVER.search, titles)) else "content"


def _plain(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def _is_title(line: Line, text: str, third: float) -> bool:
    return line.middle < third and len(text) <= _TITLE


def _ink(page: Level) -> float:
    """Share of black on the page but for its edges, specks and thin streaks."""
    top, side = round(_EDGE * DOTS), round(_MARGIN * DOTS)
    part = np.ascontiguousarray(page.ink[top:-side, side:-side])
    if not part.size:
        return 0.0
    return float(cv2.morphologyEx(part, cv2.MORPH_OPEN, np.ones((_STROKE, _STROKE), np.uint8)).mean())
