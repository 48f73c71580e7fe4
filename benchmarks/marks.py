"""How well are check boxes, circled options and stamps found? Generated forms, and as many pages without any.

    python -m benchmarks.marks [--faxes N] [--seed S]

Every layout is drawn and read in turn, half of them damaged. A mark counts as found within 2 mm of where it was
drawn; what is seen on and was not drawn counts as false. A stamp counts as kept apart where none of its words stands
in the page's text.
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
from ocr.page import Box, PageText
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
            page = read_page(fax.tiff, number, engine).page
            counts.update(_compared(fax.truth, number, page))
            counts.update(_stamped(fax.truth, number, page))
    for kind in ("box", "circle"):
        for state in ("on", "off"):
            key = f"{kind} {state}"
            print(f"{key}: drawn {counts[key]}, found {counts[key, 'found']}, state right {counts[key, 'right']}")
    for shape in ("round", "framed"):
        print(f"{shape} stamps: drawn {counts[shape]}, found {counts[shape, 'found']}, apart {counts[shape, 'apart']}")
    print(f"false stamps: {counts['false stamp']}")
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
    per_mm = _dots(truth, page)
    for choice, x, y in _drawn(truth, number):
        kind = "box" if choice["style"] == "tick" else "circle"
        key = f"{kind} {'on' if choice['on'] else 'off'}"
        yield key
        near = [mark for mark in seen if mark.kind == kind and _off(mark.box, x * per_mm, y * per_mm) < NEAR * per_mm]
        if near:
            mark = min(near, key=lambda mark: _off(mark.box, x * per_mm, y * per_mm))
            seen.remove(mark)
            yield key, "found"
            if mark.on == choice["on"]:
                yield key, "right"
    yield from ("false" for mark in seen if mark.on)


def _stamped(truth: dict[str, Any], number: int, page: PageText) -> Iterator[Any]:
    """Keys to count: stamps drawn (their lines share a box), seen within their own size, kept out of the text."""
    seen, per_mm = list(page.stamps), _dots(truth, page)
    drawn: dict[tuple[float, ...], list[dict[str, Any]]] = {}
    for line in truth["segments"]:
        if line["cls"] == "stamp" and line["page"] == number:
            drawn.setdefault(tuple(line["box"]), []).append(line)
    for box, lines in drawn.items():
        shape = "round" if abs((box[2] - box[0]) - (box[3] - box[1])) < 1 else "framed"
        yield shape
        ((_, x, y),) = _placed(truth, number, lines[:1])
        near = [stamp for stamp in seen if _off(stamp.box, x * per_mm, y * per_mm) < 2 * NEAR * per_mm]
        for stamp in near[:1]:
            seen.remove(stamp)
            yield shape, "found"
        if not any(line["text"] in page.text.replace(" ", "") for line in lines):
            yield shape, "apart"
    yield from ("false stamp" for _ in seen)


def _dots(truth: dict[str, Any], page: PageText) -> float:
    return float(page.width / (SIZES[truth["size"]][0] / DPI * 25.4))


def _drawn(truth: dict[str, Any], number: int) -> Iterator[tuple[dict[str, Any], float, float]]:
    """Each choice of a page with its middle."""
    return _placed(truth, number, [choice for choice in truth["choices"] if choice["page"] == number])


def _placed(
    truth: dict[str, Any], number: int, things: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], float, float]]:
    """Each with its middle on the page as scanned, in millimetres."""
    scan, scale = truth["scans"][number - 1], truth["scale"]
    down = RESOLUTIONS[truth["res"]].down
    width, height = (edge / DPI * 25.4 for edge in SIZES["A4"])
    turn = math.radians(scan["angle"])
    for thing in things:
        x0, y0, x1, y1 = thing["box"]
        x, y = (x0 + x1) / 2 - width / 2, (y0 + y1) / 2 - height / 2
        across = width / 2 + x * math.cos(turn) + y * math.sin(turn)
        along = height / 2 - x * math.sin(turn) + y * math.cos(turn)
        # 98, 196 and 391 lines an inch are 4 % less than half, all and twice 204
        yield thing, across * scale, along * scale * down / {98: 102, 196: 204, 391: 408}[down]


def _off(box: Box, x: float, y: float) -> float:
    return math.dist(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), (x, y))


if __name__ == "__main__":
    sys.exit(main())
