"""The other engine, Tesseract with Japanese data: the only file that knows pytesseract.

For sites that have it already, and for machines on which onnxruntime does not run: faster than the default engine, and
about ten times as many wrong characters.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image

from ocr import image as picture
from ocr import sureness
from ocr.engine import Point, Run, Sight
from ocr.errors import EngineError, EngineMissing
from ocr.page import Turn

_LANGUAGE = "jpn"
# Seconds for one call; the worker's own limit on the page is the one that counts.
_PATIENCE = 120
# Fully automatic layout, no orientation: measured best of psm 3, 6 and 11 for forms and letters.
_CONFIG = "--oem 1 --psm 3"
# Below this the orientation is a guess (Tesseract's own unit); upright is the better guess.
_SURE_OF_TURN = 1.0
_STRAIGHT = 0.3
# A gap wider than this many line heights parts two runs.
_GAP = 1.2
_Line = list[dict[str, Any]]


def load() -> Tesseract:
    """Check that the program and its Japanese data are there. Raises :class:`EngineMissing`."""
    name = probe()
    # One thread: two burn twice the CPU for no time gained, and the workers are one a core already.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    return Tesseract(name)


def probe() -> str:
    """Name, version and hash of the Japanese data, after a try of it. Raises :class:`EngineMissing`."""
    try:
        version = str(pytesseract.get_tesseract_version())
        languages = pytesseract.get_languages()
    except (pytesseract.TesseractNotFoundError, SystemExit) as error:
        raise EngineMissing(
            "読取エンジン tesseract のプログラムがありません(Debianではパッケージ tesseract-ocr)。 "
            "The program 'tesseract' is not installed (Debian package tesseract-ocr)."
        ) from error
    if _LANGUAGE not in languages:
        raise EngineMissing(
            "読取エンジン tesseract に日本語データ jpn がありません(Debianではパッケージ tesseract-ocr-jpn)。 "
            "Tesseract has no Japanese data 'jpn' (Debian package tesseract-ocr-jpn)."
        )
    try:  # a file of that name is there; whether it can be read shows when it is
        pytesseract.image_to_string(Image.new("1", (64, 64), 1), _LANGUAGE, _CONFIG, timeout=_PATIENCE)
    except (pytesseract.TesseractError, RuntimeError, OSError) as error:
        raise EngineMissing(
            "読取エンジン tesseract の日本語データ jpn が壊れています(パッケージ tesseract-ocr-jpn の再導入を)。 "
            "Tesseract cannot read its Japanese data 'jpn' (install the Debian package tesseract-ocr-jpn again)."
        ) from error
    return f"tesseract/{version} {_LANGUAGE}{_data_hash()}"


def _data_hash() -> str:
    """Prefix of the SHA-256 of the Japanese data with a space before, or nothing where its folder is not known."""
    command = [pytesseract.pytesseract.tesseract_cmd, "--list-langs"]
    told = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE).stdout  # noqa: S603  no foreign words
    folder = re.search(rb'"(.+)"', told)  # List of available languages in "/usr/share/tesseract-ocr/5/tessdata/" (3):
    file = Path(os.fsdecode(folder[1])) / f"{_LANGUAGE}.traineddata" if folder else None
    return f" {hashlib.sha256(file.read_bytes()).hexdigest()[:8]}" if file and file.is_file() else ""


@dataclass(frozen=True, slots=True)
class Tesseract:
    """The engine; see :class:`ocr.engine.Engine`."""

    name: str

    def read(self, image: Image.Image, *, coarse: bool = False) -> Sight:  # the same to it
        """Turn the page upright by Tesseract's orientation detection, straighten it, read it, and map back."""
        turned = _turn_needed(image)
        upright = picture.turn(image, turned)
        skew = picture.skew(upright)
        straight, back = _straightened(upright, skew)
        try:
            table = pytesseract.image_to_data(
                straight, _LANGUAGE, _CONFIG, timeout=_PATIENCE, output_type=pytesseract.Output.DICT
            )
        except (pytesseract.TesseractError, RuntimeError, OSError) as error:
            raise EngineError("文字の読み取りに失敗しました。") from error
        return Sight(turned, skew, tuple(_run(part, back) for line in _table_lines(table) for part in _parted(line)))

    def line(self, image: Image.Image) -> tuple[str, float]:
        """Read one line (page segmentation mode 7)."""
        try:
            table = pytesseract.image_to_data(
                image, _LANGUAGE, "--psm 7", timeout=_PATIENCE, output_type=pytesseract.Output.DICT
            )
        except (pytesseract.TesseractError, RuntimeError, OSError) as error:
            raise EngineError("文字の読み取りに失敗しました。") from error
        words = [(word, float(sure)) for word, sure in zip(table["text"], table["conf"], strict=True) if word.strip()]
        return "".join(word for word, _ in words), sum(sure for _, sure in words) / (100 * len(words)) if words else 0.0


def _turn_needed(image: Image.Image) -> Turn:
    """Clockwise degrees that put the page upright; 0 where Tesseract cannot tell (too few letters, no `osd` data)."""
    try:
        found = pytesseract.image_to_osd(image, timeout=_PATIENCE, output_type=pytesseract.Output.DICT)
    except (pytesseract.TesseractError, RuntimeError, OSError):
        return 0
    if found.get("orientation_conf", 0) < _SURE_OF_TURN or found.get("rotate") not in (90, 180, 270):
        return 0
    return cast("Turn", found["rotate"])


def _straightened(image: Image.Image, skew: float) -> tuple[Image.Image, NDArray[np.float64]]:
    """The page with level lines, and the 2x3 matrix that leads from its pixels back to the page's."""
    if abs(skew) < _STRAIGHT:
        return image, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    width, height = image.size
    there = cv2.getRotationMatrix2D((width / 2, height / 2), -skew, 1.0)
    rows = cv2.warpAffine(
        picture.grey(image),
        there,
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=255,
    )
    return Image.fromarray(rows), np.asarray(cv2.invertAffineTransform(there), np.float64)


def _table_lines(table: dict[str, list[Any]]) -> list[_Line]:
    lines: dict[tuple[int, ...], _Line] = defaultdict(list)
    for row in zip(*table.values(), strict=True):
        word = dict(zip(table, row, strict=True))
        if float(word["conf"]) >= 0 and str(word["text"]).strip():
            lines[word["block_num"], word["par_num"], word["line_num"]].append(word)
    return list(lines.values())


def _parted(line: _Line) -> list[_Line]:
    """A line's words in runs: a wide gap is a new cell or column."""
    tall = sorted(word["height"] for word in line)[len(line) // 2]
    parts = [[line[0]]]
    for before, word in itertools.pairwise(line):
        if word["left"] - before["left"] - before["width"] > _GAP * tall:
            parts.append([])
        parts[-1].append(word)
    return parts


def _run(part: _Line, back: NDArray[np.float64]) -> Run:
    text = part[0]["text"]
    for before, word in itertools.pairwise(part):
        # Tesseract parts Japanese words where no space is written.
        text += " " * (before["text"].isascii() and word["text"].isascii()) + word["text"]
    letters = sum(len(word["text"]) for word in part)
    confidence = sum(float(word["conf"]) * len(word["text"]) for word in part) / letters / 100
    left, top = min(word["left"] for word in part), min(word["top"] for word in part)
    right = max(word["left"] + word["width"] for word in part)
    bottom = max(word["top"] + word["height"] for word in part)
    corners = [_point(back, x, y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
    sure = sureness.of_tesseract(text, confidence)
    return Run(text, cast("tuple[Point, Point, Point, Point]", tuple(corners)), sure)


def _point(back: NDArray[np.float64], x: float, y: float) -> Point:
    across, down = back @ (x, y, 1.0)
    return (float(across), float(down)) if math.isfinite(across + down) else (x, y)
