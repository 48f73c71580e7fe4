"""The default engine, PP-OCRv6 small, run with onnxruntime.

The three models are run directly, because rapidocr's own chain is made for photographs: it shrinks fax pages, pads
lines in batches of six and uses all cores (9.5 s CPU a page against 2.3 here, same accuracy or worse). What comes
before and after the networks follows PaddleOCR's published post-processing (DB, arXiv:1911.08947; CTC greedy decoding).

The weights and the sessions made from them: :mod:`ocr.weights`.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from ocr import column, context, sureness, weights
from ocr import image as picture
from ocr.engine import Run, Sight
from ocr.errors import EngineError
from ocr.page import Turn

# Detection: longest side of a sheet in pixels; the network wants multiples of 32. The thresholds are the model's own.
_LONGEST_SIDE = 1280
# A page longer than this many times its width (a roll of paper; A4 has 1.4) is looked at piece by piece, or its letters
# would be too small to be found; a thread of dots is taken for this wide.
_LONG, _PIECE, _NARROWEST = 1.8, 1.5, 600
# What counts as ink once it is blurred (a lone dot does not), and how much paper is left around it.
_INK_BELOW, _PAPER_AROUND = 160, 32
_INK_ABOVE, _BOX_ABOVE, _UNCLIP = 0.3, 0.5, 1.6
_MOST_BOXES = 3000
_LEAST_SIDE = 3
# Recognition: line height and least width of the input.
_LINE_HEIGHT, _LEAST_WIDTH, _MOST_WIDTH = 48, 160, 3200
# Fax bits are jagged; the network knows photographs. A slight blur, more across than down (98-dpi rows are far apart
# already), and a sixth more paper around the line so that the strokes are magnified less; on standard pages the line is
# also narrowed. CER of 20 standard pages (clean, faint, skewed, broken): 6.7 -> 5.1 with the blur, 4.6 with the paper,
# 4.3 with the narrowing; of 15 fine ones 0.36 -> 0.23.
_SMOOTH, _MARGIN, _COARSE_WIDTH = (1.0, 0.6), 1.15, 0.85
# The line classifier sees 48x192 and votes on the longest boxes: 17 of 17 pages right, at least 9 of 12 votes on
# pages that stood on their head, at most 3 of 12 on upright ones.
_VOTE_WIDTH, _VOTERS = 192, 12

# How many columns are tried when text stands in columns, and from which confidence its characters stand upright.
_COLUMNS, _UPRIGHT_CHARACTERS = 5, 0.55

# A column set anew (ocr.column) is taken unless it is so much less sure than the column laid on its side (numbers lie).
_LAID_SURER = 0.15

# What else a character in doubt may be.
_GUESSES, _LEAST_GUESS = 5, 0.01

# A line that was read less surely than this is looked at again as it was scanned, without the blur. Half-width katakana
# are drawn with strokes a dot apart (40 trial lines: 98 -> 59 wrong characters); elsewhere nothing is gained or lost.
# 4 % of what is read on clean pages is looked at twice.
_LOOK_AGAIN = 0.9

# Where a stand-in for a kanji outside the alphabet is less sure than this among letters surer than that on average.
_GETA, _GUESSED, _SURE_AROUND, _NOT_READ = "〓", 0.88, 0.9, 0.01

Pixels = NDArray[Any]
"""Grey rows 0 to 255, or a map of the detector."""
Quad = NDArray[Any]
"""Four corners (x, y): top left, top right, bottom right, bottom left."""


def load() -> Paddle:
    """Check the weights and load the three models on one thread. Raises :class:`~ocr.errors.EngineMissing`."""
    return Paddle(weights.load(), context.load())


@dataclass(frozen=True, slots=True)
class _Spelling:
    """What the recogniser read in a line, how sure it is of each character (0 to 1), and what else it may be."""

    text: str
    sure: tuple[float, ...]
    choices: tuple[context.Choice, ...] = ()

    @property
    def mean(self) -> float:
        """Over the characters; 0 where there are none."""
        return sum(self.sure) / len(self.sure) if self.sure else 0.0


@dataclass(frozen=True, slots=True)
class Paddle:
    """The engine; see :class:`ocr.engine.Engine`."""

    models: weights.Models
    pairs: context.Context
    """What settles characters in doubt."""

    @property
    def name(self) -> str:
        """Version and weights, as transcripts tell it."""
        return self.models.name

    def read(self, image: Image, *, coarse: bool = False) -> Sight:
        """Find the lines, turn the page upright by their vote, read each along its own angle."""
        bits: Pixels = picture.grey(image)
        grey = _smooth(bits) if image.mode == "1" else bits
        with _failures_told():
            return self._read(bits, grey, _COARSE_WIDTH if coarse else 1.0)

    def line(self, image: Image) -> tuple[str, float]:
        """Recognise one line, without looking for lines."""
        bits: Pixels = picture.grey(image)
        with _failures_told():
            read = self._recognise(_smooth(bits) if image.mode == "1" else bits)
        return self._settled(read).text, read.mean

    def _read(self, bits: Pixels, grey: Pixels, width: float) -> Sight:
        quads = self._detect(grey)
        turned = self._turn_needed(grey, quads)
        if turned:
            whole = bits is grey
            grey = np.ascontiguousarray(np.rot90(grey, -turned // 90))
            bits = grey if whole else np.ascontiguousarray(np.rot90(bits, -turned // 90))
            quads = self._detect(grey)
        runs = []
        steps: set[str] = set()
        for quad in quads:
            if _is_column(quad):
                spelling, step = self._column(grey, quad), "columns"
            else:
                spelling, step = self._line_at(bits, grey, quad, width)
            settled = self._settled(spelling)
            steps |= {step, "context" if settled.text != spelling.text else ""}
            if width == 1.0:
                settled = _marked(settled)
            if settled.text.strip():
                corners = tuple((float(x), float(y)) for x, y in quad)
                sure = sureness.of_paddle(settled.text, settled.sure)
                runs.append(Run(settled.text, corners, sure))  # type: ignore[arg-type]
        return Sight(turned, _skew(quads), tuple(runs), tuple(sorted(steps - {""})))

    def _line_at(self, bits: Pixels, grey: Pixels, quad: Quad, width: float) -> tuple[_Spelling, str]:
        """What stands at *quad*, and the step that it took beyond one look."""
        where = _taller(quad)
        first = self._recognise(_crop(grey, where), width)
        if first.mean >= _LOOK_AGAIN or bits is grey:
            return first, ""
        second = self._recognise(_crop(bits, where), width)
        return (second if second.mean > first.mean else first), "second-look"

    def _settled(self, spelling: _Spelling) -> _Spelling:
        """With the characters in doubt settled by their neighbours."""
        if all(len(choice) == 1 for choice in spelling.choices):
            return _Spelling(spelling.text, tuple(choice[0][1] for choice in spelling.choices))
        return _Spelling(*self.pairs.settle(spelling.choices))

    def _column(self, grey: Pixels, quad: Quad) -> _Spelling:
        """A column read twice: laid on its side, and its characters side by side.

        Laid down the recogniser loses every comma, full stop and bar (7.0 % of the characters of two trial pages); set
        anew none. What lies in the column anyway (numbers, Latin words) is surer laid down.
        """
        laid = self._recognise(_crop(grey, _taller(quad)))
        if laid.mean < _LOOK_AGAIN:  # from below, as the sender's line at the edge of a page that lay on its side
            laid = max(laid, self._recognise(np.rot90(_crop(grey, _taller(quad)), 2)), key=lambda one: one.mean)
        line = column.as_line(np.ascontiguousarray(np.rot90(_crop(grey, quad), -1)))
        if line is None:
            return laid
        anew = self._recognise(line)
        return anew if anew.mean > laid.mean - _LAID_SURER else laid

    def _detect(self, grey: Pixels) -> list[Quad]:
        """Quads around the lines of text; only where there is ink is looked, a quarter less on the average."""
        longest = _sheet(grey.shape)
        ratio = min(1.0, _LONGEST_SIDE / longest)
        quads = []
        for left, top, right, bottom in _pieces(grey, longest):
            found = self._detect_piece(grey[top:bottom, left:right], ratio)
            quads += [quad + np.array([left, top], np.float32) for quad in found]
        return quads[:_MOST_BOXES]

    def _detect_piece(self, grey: Pixels, ratio: float) -> list[Quad]:
        height, width = grey.shape
        size = max(32, round(width * ratio / 32) * 32), max(32, round(height * ratio / 32) * 32)
        small = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR)
        found = self.models.detector.run(None, {"x": _tensor(small)})[0][0, 0]
        mask = cv2.dilate((found > _INK_ABOVE).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        scale = np.array([width / size[0], height / size[1]], np.float32)
        quads = (_quad(contour, found) for contour in contours[:_MOST_BOXES])
        return [quad * scale for quad in quads if quad is not None]

    def _turn_needed(self, grey: Pixels, quads: list[Quad]) -> Turn:
        """Degrees clockwise that put the page upright.

        Text in columns is a page that lies on its side, or vertical writing. The columns are read both ways, laid on
        their side; which is sense tells up from down. Then single characters are read as they stand in their column:
        in vertical writing they are upright (sure by 0.74 and 0.80 on two pages), on a page on its side they lie
        (0.26 to 0.39 on ten; laid right 0.89 to 0.97).
        """
        columns = [quad for quad in quads if _is_column(quad)]
        if sum(_sides(quad)[1] for quad in columns) <= sum(_sides(quad)[0] for quad in quads if not _is_column(quad)):
            return 180 if self._stands_on_its_head(grey, quads) else 0
        columns.sort(key=lambda quad: -_sides(quad)[1])
        laid = [_crop(grey, quad) for quad in columns[:_COLUMNS]]
        down = np.mean([self._recognise(line).mean for line in laid])
        up = np.mean([self._recognise(np.rot90(line, 2)).mean for line in laid])
        characters = [np.rot90(part, -1 if down >= up else 1) for line in laid for part in _squares(line)]
        upright = np.mean([self._recognise(character).mean for character in characters])
        if upright > _UPRIGHT_CHARACTERS:
            return 0 if down >= up else 180
        return 270 if down >= up else 90

    def _stands_on_its_head(self, grey: Pixels, quads: list[Quad]) -> bool:
        longest = sorted(quads, key=lambda quad: -_sides(quad)[0])[:_VOTERS]
        if not longest:
            return False
        lines = [_line(_crop(grey, quad), _VOTE_WIDTH, _VOTE_WIDTH) for quad in longest]
        votes = self.models.upright.run(None, {"x": np.concatenate([_tensor(line) for line in lines])})[0]
        return bool((votes[:, 1] > votes[:, 0]).sum() * 2 > len(longest))

    def _recognise(self, crop: Pixels, width: float = 1.0) -> _Spelling:
        """Greedy CTC over the characters of a Japanese office."""
        line = _line(crop, _LEAST_WIDTH, _MOST_WIDTH, width)
        found = self.models.recogniser.run(None, {"x": _tensor(line)})[0][0]
        best = found.argmax(1)
        whole = np.maximum(found.sum(1), 1e-9)
        sure = found[np.arange(len(best)), best] / whole
        starts = np.flatnonzero(np.diff(best, prepend=-1))
        ends = np.append(starts, len(best))[1:]
        peaks = np.maximum.reduceat(sure, starts)
        spans = [span for span in zip(starts, ends, peaks, strict=True) if best[span[0]]]
        text = "".join(self.models.alphabet[best[start]] for start, _, _ in spans)
        choices = tuple(
            self._choice((character, float(peak)), found[start:end] / whole[start:end, None])
            if peak < context.DOUBT
            else context.with_like(((character, float(peak)),))
            for character, (start, end, peak) in zip(text, spans, strict=True)
        )
        return _Spelling(text, tuple(float(sure[start]) for start, _, _ in spans), choices)

    def _choice(self, itself: tuple[str, float], columns: Pixels) -> context.Choice:
        """A character in doubt with what else the recogniser thought of in its *columns*."""
        if not context.modelled(itself[0]):
            return (itself,)
        seen = columns.max(0)
        seen[0] = 0.0
        likeliest = np.argpartition(-seen, _GUESSES)[:_GUESSES]
        guesses = [
            (self.models.alphabet[index], float(seen[index])) for index in likeliest[np.argsort(-seen[likeliest])]
        ]
        kept = [guess for guess in guesses if guess[1] > _LEAST_GUESS and context.modelled(guess[0])]
        return context.with_like(kept or [itself])


@contextlib.contextmanager
def _failures_told() -> Iterator[None]:
    """What the runtime raises becomes an :class:`~ocr.errors.EngineError`."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.startswith("onnxruntime"):
            raise EngineError("文字の読み取りに失敗しました。") from error
        raise


def _smooth(bits: Pixels) -> Pixels:
    """Black and white made grey, as the models know print."""
    return np.asarray(cv2.GaussianBlur(bits, (0, 0), sigmaX=_SMOOTH[0], sigmaY=_SMOOTH[1]))


def _marked(spelling: _Spelling) -> _Spelling:
    """With 〓 where a kanji that is read for one outside the alphabet stands without the recogniser's being sure of it.

    Printers put this mark, the geta, where a type is missing. Fine pages alone: on standard ones all is in doubt.
    """
    sure = np.array(spelling.sure)
    letters = np.array([not character.isspace() for character in spelling.text], bool)
    text = list(spelling.text)
    for place, character in enumerate(spelling.text):
        others = letters.copy()
        others[place] = False
        if character in context.LIKE and sure[place] < _GUESSED and others.any() and sure[others].mean() > _SURE_AROUND:
            text[place], sure[place] = _GETA, _NOT_READ
    return _Spelling("".join(text), tuple(sure.tolist()))


def _sheet(shape: tuple[int, ...]) -> float:
    """The longer side of what is looked at in one go: the page's own, or a piece's where the page is a roll."""
    short, long = max(_NARROWEST, min(shape)), max(shape)
    return long if long <= _LONG * short else _PIECE * short


def _pieces(grey: Pixels, longest: float) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of the part with ink; of a long one, its pieces, parted where there is least ink."""
    dark = (grey < _INK_BELOW).astype(np.uint8)
    left, top, wide, tall = cv2.boundingRect(dark)
    if not wide:
        return []
    height, width = grey.shape
    left, right = max(0, left - _PAPER_AROUND), min(width, left + wide + _PAPER_AROUND)
    top, bottom = max(0, top - _PAPER_AROUND), min(height, top + tall + _PAPER_AROUND)
    inside = dark[top:bottom, left:right]
    if bottom - top >= right - left:
        cuts = _cuts(inside.sum(1, dtype=np.int64), longest)
        return [(left, top + start, right, top + end) for start, end in itertools.pairwise(cuts)]
    cuts = _cuts(inside.sum(0, dtype=np.int64), longest)
    return [(left + start, top, left + end, bottom) for start, end in itertools.pairwise(cuts)]


def _cuts(ink: NDArray[np.int64], longest: float) -> list[int]:
    """Where to part rows (or columns) of so much ink so that no piece is longer: in the emptiest of its last third."""
    cuts = [0]
    while len(ink) - cuts[-1] > longest:
        start, end = cuts[-1] + int(longest * 2 / 3), cuts[-1] + int(longest)
        cuts.append(start + int(ink[start:end].argmin()))
    return [*cuts, len(ink)]


def _tensor(grey: Pixels) -> Pixels:
    """Grey to the three equal channels from -1 to 1 that all three models take."""
    plane = grey.astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(np.broadcast_to(plane, (1, 3, *plane.shape)))


def _line(crop: Pixels, least: int, most: int, stretch: float = 1.0) -> Pixels:
    """A crop scaled to the line height, padded on the right with the middle grey (0 in the models' terms)."""
    height, width = crop.shape
    wide = min(most, max(1, math.ceil(width * stretch * _LINE_HEIGHT / height)))
    scaled = cv2.resize(crop, (wide, _LINE_HEIGHT), interpolation=cv2.INTER_LINEAR)
    if wide >= least:
        return scaled
    return cv2.copyMakeBorder(scaled, 0, 0, 0, least - wide, cv2.BORDER_CONSTANT, value=127)


def _quad(contour: Pixels, found: Pixels) -> Quad | None:
    """The line around a blot of the detector's map, widened as DB demands; None when it is too weak or small."""
    centre, (wide, tall), angle = cv2.minAreaRect(contour)
    if min(wide, tall) < _LEAST_SIDE:
        return None
    inner = cv2.boxPoints((centre, (wide, tall), angle))
    if _strength(found, inner) < _BOX_ABOVE:
        return None
    grow = wide * tall * _UNCLIP / (2 * (wide + tall))
    return _ordered(cv2.boxPoints((centre, (wide + 2 * grow, tall + 2 * grow), angle)))


def _strength(found: Pixels, corners: Pixels) -> float:
    """Mean of the detector's map inside a box."""
    height, width = found.shape
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(found[top : bottom + 1, left : right + 1], mask)[0])


def _ordered(corners: Pixels) -> Quad:
    """Top left, top right, bottom right, bottom left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _sides(quad: Quad) -> tuple[float, float]:
    """Length along the line, and height."""
    return float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))


def _taller(quad: Quad) -> Quad:
    """The line with more paper above and below it."""
    more = (quad[3] + quad[2] - quad[0] - quad[1]) / 4 * (_MARGIN - 1)
    return np.array([quad[0] - more, quad[1] - more, quad[2] + more, quad[3] + more], np.float32)


def _crop(grey: Pixels, quad: Quad) -> Pixels:
    """The line cut out along its own angle; a tall one (vertical writing) laid on its side."""
    wide, tall = (max(1, round(side)) for side in _sides(quad))
    target = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    shape = cv2.getPerspectiveTransform(quad, target)
    crop = cv2.warpPerspective(grey, shape, (wide, tall), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.rot90(crop)) if _is_column(quad) else crop


def _is_column(quad: Quad) -> bool:
    wide, tall = _sides(quad)
    return tall > 1.5 * wide


def _squares(line: Pixels) -> list[Pixels]:
    """A line cut into squares, about one character each; the first dozen."""
    height, width = line.shape
    count = max(1, round(width / height))
    return [line[:, index * width // count : (index + 1) * width // count] for index in range(min(count, 12))]


def _skew(quads: list[Quad]) -> float:
    """Degrees by which the lines climb: the median of the long boxes, by their length."""
    angles = []
    for quad in quads:
        wide, tall = _sides(quad)
        if wide > 4 * tall:
            along = quad[1] - quad[0]
            angles.append((-float(np.degrees(np.arctan2(along[1], along[0]))), wide))
    if not angles:
        return 0.0
    angles.sort()
    weight = np.cumsum([wide for _, wide in angles])
    return angles[int(np.searchsorted(weight, weight[-1] / 2))][0]
