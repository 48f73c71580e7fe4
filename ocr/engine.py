"""What an engine is: a page's picture in, runs of characters out. And the one place that knows which there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from PIL.Image import Image

from ocr.page import Turn

EngineName = Literal["paddle", "tesseract"]

Point = tuple[float, float]
"""Across and down in pixels, origin at the top left."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that stand in one line without a wide gap."""

    text: str
    corners: tuple[Point, Point, Point, Point]
    """Top left, top right, bottom right, bottom left as one reads it, in pixels of the upright page."""
    confidence: float
    """0 to 1: how often such a run is right, letter for letter (ocr.sureness)."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What an engine saw on a page."""

    turned: Turn
    """Degrees clockwise by which the given picture must be turned to stand upright."""
    skew: float
    """Degrees by which the lines of the upright page climb to the right (negative: fall)."""
    runs: tuple[Run, ...]
    """In any order; corners in pixels of the upright page."""
    steps: tuple[str, ...] = ()
    """What the engine did beyond its plain way, as transcripts tell it."""


class Engine(Protocol):
    """An OCR engine with its weights loaded; belongs to one process and one thread."""

    @property
    def name(self) -> str:
        """Name, version and a prefix of the weights' SHA-256, as transcripts tell it."""

    def read(self, image: Image, *, coarse: bool = False) -> Sight:
        """Read a page of square pixels, mode ``1`` or ``L``, black on white.

        ``coarse``: every row stands there twice, because the page was scanned with half as many lines (204x98).

        Raises :class:`~ocr.errors.EngineError` when the engine itself fails.
        """

    def line(self, image: Image) -> tuple[str, float]:
        """Read a picture that holds a single level line and nothing else: its characters, and how sure (0 to 1).

        Raises :class:`~ocr.errors.EngineError` when the engine itself fails.
        """


def load(name: EngineName) -> Engine:
    """Load an engine with its weights (paddle: under 2 s); nothing is ever downloaded.

    Raises :class:`~ocr.errors.EngineMissing` when it is not installed, has no Japanese data, or its weights are not the
    ones that were measured.
    """
    if name == "paddle":
        from ocr import paddle  # an engine that is not configured costs nothing

        return paddle.load()
    from ocr import tesseract

    return tesseract.load()


def probe(name: EngineName) -> str:
    """The engine's name as :attr:`Engine.name` would say it, after checking all that loading would need.

    Cheap: reads the weights once for their hash, loads no model. Raises :class:`~ocr.errors.EngineMissing`.
    """
    if name == "paddle":
        from ocr import weights

        return weights.probe()
    from ocr import tesseract

    return tesseract.probe()
