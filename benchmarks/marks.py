"""How well are check boxes and circled options found? Generated forms, and as many pages without any.

    python -m benchmarks.marks [--faxes N] [--seed S]

Every layout is drawn and read in turn, half of them damaged. A mark counts as found within 2 mm of where it was
drawn; what is seen on and was not drawn counts as false.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from benchmarks.faxgen.catalogue import Commission, corpus, make
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.machine import RESOLUTIONS
from benchmarks.faxgen.paper import DPI, SIZES
from ocr.engine import load
from ocr.page import Mark, PageText
from ocr.read import read_page

NEAR = 2.0
"""Millimetres."""
_TURNED = frozenset({"turn90", "turn270"})


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.marks", description="Check boxes and circles found.")
    parser.add_argument("--faxes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=2311)
    options = parser.parse_args(arguments)
    engine, book, counts = load("paddle"), FontBook(), Counter[str]()
    wanted = [one for one in corpus(options.faxes, options.seed, clean=0.5) if _is_level(one)]
    for commission in tqdm(wanted, unit="fax", file=sys.stderr):
        fax = make(commission, book)
        for number in range(1, fax.pages + 1):
            counts.update(_compared(fax.truth, number, read_page(fax.tiff, number, engine).page))
    for kind in ("box", "circle"):
        for state in ("on", "off"):
            key = f"{kind} {state}"
            print(f"{key}: drawn {counts[key]}, found {counts[key, 'found']}, state right {counts[key, 'right']}")
    print(f"pages {counts['pages']}, false marks that are on: {counts['false']}")
    return 0


def _is_level(commission: Commission) -> bool:
    """Pages that lie on their side are another matter, and so are those skewed by more than 3 degrees."""
    skewed = any(damage.kind == "skew" and damage.strength > 0.6 for damage in commission.damages)
    return not skewed and not any(damage.kind in _TURNED for damage in commission.damages)


def _compared(truth: dict[str, Any], number: int, page: PageText) -> Iterator[Any]:
    """Keys to count."""
    yield "pages"
    seen = list(page.marks)
    per_mm = page.width / (SIZES[truth["size"]][0] / DPI * 25.4)
    for choice, x, y in _drawn(truth, number):
        kind = "box" if choice["style"] == "tick" else "circle"
        key = f"{kind} {'on' if choice['on'] else 'off'}"
        yield key
        near = [mark for mark in seen if mark.kind == kind and _off(mark, x * per_mm, y * per_mm) < NEAR * per_mm]
        if near:
            mark = min(near, key=lambda mark: _off(mark, x * per_mm, y * per_mm))
            seen.remove(mark)
            yield key, "found"
            if mark.on == choice["on"]:
                yield key, "right"
    yield from ("false" for mark in seen if mark.on)


def _drawn(truth: dict[str, Any], number: int) -> Iterator[tuple[dict[str, Any], float, float]]:
    """Each choice with its middle on the page as scanned, in millimetres."""
    scan, scale = truth["scans"][number - 1], truth["scale"]
    down = RESOLUTIONS[truth["res"]].down
    width, height = (edge / DPI * 25.4 for edge in SIZES["A4"])
    turn = math.radians(scan["angle"])
    for choice in truth["choices"]:
        if choice["page"] == number:
            x0, y0, x1, y1 = choice["box"]
            x, y = (x0 + x1) / 2 - width / 2, (y0 + y1) / 2 - height / 2
            across = width / 2 + x * math.cos(turn) + y * math.sin(turn)
            along = height / 2 - x * math.sin(turn) + y * math.cos(turn)
            # 98, 196 and 391 lines an inch are 4 % less than half, all and twice 204
            yield choice, across * scale, along * scale * down / {98: 102, 196: 204, 391: 408}[down]


def _off(mark: Mark, x: float, y: float) -> float:
    return math.dist(((mark.box[0] + mark.box[2]) / 2, (mark.box[1] + mark.box[3]) / 2), (x, y))


if __name__ == "__main__":
    sys.exit(main())
