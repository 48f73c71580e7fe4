"""The way from a document's bytes to its text, on one screen."""

from __future__ import annotations

import io
import math

from PIL import Image

from ocr.barcode import barcodes
from ocr.document import LIMITS, Limits, open_document, page_image
from ocr.engine import Engine, Run
from ocr.fingerprint import bits, fingerprint
from ocr.image import despeckle, square, turn
from ocr.level import level as laid_level
from ocr.mark import marks
from ocr.mask import masked
from ocr.page import PageImage, PageText, Reading, Transcript, Word
from ocr.ring import rings
from ocr.signature import page_kind
from ocr.stamp import stamps
from ocr.table import tables


def read_page(data: bytes, number: int, engine: Engine, limits: Limits = LIMITS) -> Reading:
    """Read one page (1 is the first) and give its text beside the picture to show.

    The picture is the original bits, squared and turned upright; cleaning serves the engine alone. A page on which
    nothing is written has no words and confidence 0. Raises what :func:`~ocr.document.page_image` raises, and
    :class:`~ocr.errors.EngineError`.
    """
    original = page_image(data, number, limits)
    page = square(original, limits)
    clean = despeckle(page.image)
    sight = engine.read(clean or page.image, coarse=page.image.height > original.image.height)
    shown = turn(page.image, sight.turned)
    codes = barcodes(shown)
    frame = laid_level(PageImage(number, turn(clean or page.image, sight.turned), page.dpi), sight.runs, sight.skew)
    circles = rings(frame)
    stamped = stamps(frame, circles)
    own = frozenset[int]().union(*(stamp.runs for stamp in stamped))
    lines = _lines(tuple(run for index, run in enumerate(sight.runs) if index not in own), sight.skew)
    words = tuple(_word(run, shown.size) for line in lines for run in line)
    steps = [
        "square" if page is not original else "",
        "despeckle" if clean else "",
        f"turn{sight.turned}" if sight.turned else "",
        *sight.steps,
    ]
    text = PageText(
        number=number,
        width=shown.width,
        height=shown.height,
        words=words,
        text="\n".join(" ".join(run.text for run in line) for line in lines),
        confidence=_confidence(words),
        turned=sight.turned,
        skew=round(sight.skew, 2),
        barcodes=codes,
        masked=masked(PageImage(number, shown, page.dpi)),
        engine=" ".join([engine.name, *filter(None, steps)]),
        bits=bits(original.image),
        fingerprint=fingerprint(shown, sight.skew),
        marks=marks(frame, circles, engine),
        tables=tables(frame),
        stamps=tuple(stamp.stamp for stamp in stamped),
        kind=page_kind(frame, sight.runs, [code.value for code in codes]),
    )
    return Reading(text, _png(shown, page.dpi if sight.turned in (0, 180) else page.dpi[::-1]))


def read_document(data: bytes, engine: Engine, limits: Limits = LIMITS) -> Transcript:
    """Read all pages in order. Raises for the first page that cannot be read: callers that must go on read by page."""
    document = open_document(data, limits)
    pages = tuple(read_page(data, number, engine, limits).page for number in range(1, document.pages + 1))
    return Transcript(document.kind, pages)


_COLUMN = 1.5
"""A run this much taller than wide is a column of vertical writing."""


def _lines(runs: tuple[Run, ...], skew: float) -> list[list[Run]]:
    """Runs in reading order, those of one line together; vertical writing from the right to the left.

    On a vertical page the lines above the columns (the sender's line at the top edge) come first, other rows last.
    """
    columns = [run for run in runs if _tall(run) > _COLUMN * _wide(run)]
    if 2 * sum(len(run.text) for run in columns) <= sum(len(run.text) for run in runs):
        return _rows(runs, skew)
    rows = _rows(tuple(run for run in runs if run not in columns), skew)
    top = min(run.corners[0][1] for run in columns)
    above = [row for row in rows if _centre(row[0])[1] < top]
    return above + _columns(columns) + rows[len(above) :]


def _columns(runs: list[Run]) -> list[list[Run]]:
    columns: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: -_centre(run)[0]):
        if columns and _centre(columns[-1][0])[0] - _centre(run)[0] < 0.5 * _wide(run):
            columns[-1].append(run)
        else:
            columns.append([run])
    return [sorted(column, key=lambda run: _centre(run)[1]) for column in columns]


def _rows(runs: tuple[Run, ...], skew: float) -> list[list[Run]]:
    """Runs by height along the skew, then from left to right.

    The page is not turned straight for this; the height of a run is taken where its line would cross the left margin.
    """
    slope = math.tan(math.radians(skew))
    placed = [(_centre(run)[1] + slope * _centre(run)[0], run) for run in runs]
    placed.sort(key=lambda place: place[0])
    lines: list[tuple[float, float, list[Run]]] = []
    for height, run in placed:
        tall = _tall(run)
        for index, (level, size, line) in reversed(list(enumerate(lines[-3:], max(0, len(lines) - 3)))):
            if abs(height - level) < 0.5 * min(tall, size) and not _overlaps(run, line):
                line.append(run)
                count = len(line)
                lines[index] = (level + (height - level) / count, size + (tall - size) / count, line)
                break
        else:
            lines.append((height, tall, [run]))
    lines.sort(key=lambda line: line[0])
    return [sorted(line, key=lambda run: _centre(run)[0]) for _, _, line in lines]


def _centre(run: Run) -> tuple[float, float]:
    return sum(x for x, _ in run.corners) / 4, sum(y for _, y in run.corners) / 4


def _tall(run: Run) -> float:
    return math.dist(run.corners[0], run.corners[3])


def _wide(run: Run) -> float:
    return math.dist(run.corners[0], run.corners[1])


def _overlaps(run: Run, line: list[Run]) -> bool:
    """Whether a run lies over or under a run of the line rather than beside it (two small lines beside a large one)."""
    left, right = run.corners[0][0], run.corners[1][0]
    for other in line:
        shared = min(right, other.corners[1][0]) - max(left, other.corners[0][0])
        if shared > 0.3 * min(right - left, other.corners[1][0] - other.corners[0][0]):
            return True
    return False


def _word(run: Run, size: tuple[int, int]) -> Word:
    across, down = [x for x, _ in run.corners], [y for _, y in run.corners]
    box = (
        max(0, math.floor(min(across))),
        max(0, math.floor(min(down))),
        min(size[0], math.ceil(max(across))),
        min(size[1], math.ceil(max(down))),
    )
    return Word(run.text, box, round(run.confidence, 4))


def _confidence(words: tuple[Word, ...]) -> float:
    letters = sum(len(word.text) for word in words)
    return round(sum(word.confidence * len(word.text) for word in words) / letters, 4) if letters else 0.0


def _png(image: Image.Image, dpi: tuple[float, float]) -> bytes:
    file = io.BytesIO()
    known = {"dpi": dpi} if min(dpi) > 0 else {}
    image.save(file, "PNG", compress_level=6, **known)
    return file.getvalue()
