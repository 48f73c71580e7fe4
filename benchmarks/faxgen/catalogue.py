"""All layouts by name, and how a commission (what to draw, how to scan it) becomes a fax with its truth."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.forms import city, disease, health, notification, office
from benchmarks.faxgen.machine import HEADER_STYLES, RESOLUTIONS, Bits, Damage, Resolution, header, imprint, scan, tiff
from benchmarks.faxgen.paper import SIZES
from benchmarks.faxgen.trials import BUCKETS, TRIALS, Bucket


@dataclass(frozen=True, slots=True)
class Layout:
    """One way one class of document looks. *document_type* is the taxonomy's code."""

    name: str
    document_type: str
    draw: Callable[[Draft], None]


LAYOUTS: dict[str, Layout] = {
    name: Layout(name, document_type, draw)
    for room in (disease, notification, health, city, office)
    for name, document_type, draw in room.LAYOUTS
}
_TRIALS = {name: Layout(name, "OTHER", draw) for name, draw in TRIALS.items()}
COVERS = {"cover": office.cover, "cover_with_code": office.cover_with_code}
"""Cover sheets that go before another document."""
DOCUMENT_TYPES = tuple(dict.fromkeys(layout.document_type for layout in LAYOUTS.values()))


@dataclass(frozen=True, slots=True)
class Commission:
    """What fax to make. The same commission, with the same fonts installed, gives the same bytes."""

    layout: str
    seed: int
    resolution: str = "fine"
    damages: tuple[Damage, ...] = ()
    cover: str = ""
    """``cover`` or ``cover_with_code`` puts such a sheet first."""
    header: str = "kanji"
    """Style of the header line: one of ``HEADER_STYLES``."""
    size: str = "A4"
    """``B4`` and ``A3`` enlarge the sheet as a copier does."""
    compression: str = "group4"
    disease: str | None = None
    mask: bool | None = None
    when: datetime | None = None
    withheld: bool = False
    """No caller id."""
    bucket: str = ""
    """Which condition of `trials.BUCKETS` it belongs to."""


@dataclass(frozen=True, slots=True)
class Fax:
    """A finished fax: the TIFF's bytes and what is true of it."""

    tiff: bytes
    pages: int
    truth: dict[str, Any]


def make(commission: Commission, book: FontBook) -> Fax:
    """Draw, scan and describe one fax. Raises `KeyError` for an unknown layout, resolution, cover or header style."""
    layout = LAYOUTS.get(commission.layout) or _TRIALS[commission.layout]
    resolution = RESOLUTIONS[commission.resolution]
    draft = Draft.begin(commission.seed, book, when=commission.when, disease=commission.disease, mask=commission.mask)
    _write(draft, layout, commission.cover)
    truth = draft.truth()
    pages: list[tuple[Bits, Resolution]] = []
    headers, scans = [], []
    for number, sheet in enumerate(draft.sheets, 1):
        noise = np.random.default_rng([commission.seed, number])
        bits, done = scan(_enlarged(sheet.image, commission.size), resolution, commission.damages, noise)
        line = header(commission.header, draft.sender, draft.when, number, len(draft.sheets), "みどり保健所")
        pages.append((imprint(bits, line, resolution, book), resolution))
        headers.append(line)
        scans.append({"page": number, **done, "width": bits.shape[1], "height": bits.shape[0]})
    truth["segments"] += [{"text": line.text, "cls": "tti", "page": line.page} for line in headers if line.text]
    truth["fonts"], truth["font_stand_ins"] = sorted(book.used), sorted(book.stand_ins)
    return Fax(
        tiff(pages, commission.compression),
        len(pages),
        {**_told(commission, layout, draft, len(pages)), "scans": scans, **truth},
    )


def _write(draft: Draft, layout: Layout, cover: str) -> None:
    """The sheets; a cover has to know how many will follow, so it is drawn last and laid on top."""
    draft.part(layout.name, layout.document_type, layout.draw)
    if cover:
        following, parts = draft.sheets, draft.parts
        draft.sheets, draft.parts = [], []
        COVERS[cover](draft, len(following) + 1)
        first = {"doc": cover, "document_type": "COVER_ONLY", "first_page": 1, "last_page": 1}
        draft.sheets += following
        draft.parts = [
            first,
            *({**part, "first_page": part["first_page"] + 1, "last_page": part["last_page"] + 1} for part in parts),
        ]


def _told(commission: Commission, layout: Layout, draft: Draft, pages: int) -> dict[str, Any]:
    """The part of the truth that describes the fax as a whole."""
    digits = "".join(c for c in draft.sender.fax if c.isdigit() or c == "+")
    caller = digits if digits.startswith("+") else f"+81{digits[1:]}"
    return {
        "doc": layout.name,
        "kind": layout.name,
        "document_type": layout.document_type,
        "res": commission.resolution,
        "degrade": "+".join(damage.kind for damage in commission.damages) or "clean",
        "damages": [{"kind": damage.kind, "strength": damage.strength} for damage in commission.damages],
        "size": commission.size,
        "scale": SIZES[commission.size][0] / SIZES["A4"][0],
        "compression": commission.compression,
        "cover": commission.cover,
        "header": commission.header,
        "seed": commission.seed,
        "bucket": commission.bucket,
        "pages": pages,
        "caller": None if commission.withheld else caller,
        "tsi": digits.lstrip("+")[:20],
        "sent_at": f"{draft.when:%Y-%m-%dT%H:%M}:00+09:00",
    }


def _enlarged(sheet: Image.Image, size: str) -> Image.Image:
    if size == "A4":
        return sheet
    wide, high = SIZES[size]
    return sheet.resize((high, wide) if sheet.width > sheet.height else (wide, high), Image.Resampling.BILINEAR)


def opened(fax: Fax) -> list[Image.Image]:
    """The fax's pages as 1-bit pictures."""
    picture = Image.open(io.BytesIO(fax.tiff))
    pages = []
    for number in range(fax.pages):
        picture.seek(number)
        pages.append(picture.copy())
    return pages


# ---- corpora ---------------------------------------------------------------------------------------------------

_ALONE = (
    "noise",
    "skew",
    "dropped",
    "streaks",
    "upside_down",
    "faint",
    "dark",
    "broken",
    "grey",
    "copied",
    "edges",
    "bursts",
    "halftone",
    "turn90",
    "turn270",
)
_TOGETHER = (
    ("skew", "noise"),
    ("skew", "dropped"),
    ("faint", "noise"),
    ("upside_down", "skew"),
    ("copied", "skew"),
    ("grey", "noise"),
    ("broken", "skew"),
    ("dark", "streaks"),
    ("upside_down", "faint"),
    ("grey", "skew", "dropped"),
)


def corpus(count: int, seed: int, document_types: tuple[str, ...] = (), clean: float = 0.4) -> list[Commission]:
    """*count* commissions spread evenly over the classes and, within a class, over its layouts.

    *clean* is the share without damage; one in five of the rest has several damages at once. Resolutions, headers,
    covers, sizes and encodings vary as they do on a real line (most machines send fine or standard A4).
    """
    rng = random.Random(seed)
    types = document_types or DOCUMENT_TYPES
    return [_one(rng, types[number % len(types)], number // len(types), clean) for number in range(count)]


def trials(each: int, seed: int, buckets: tuple[str, ...] = ()) -> list[Commission]:
    """*each* commissions for every condition of `trials.BUCKETS` (or those named): what accuracy is measured on."""
    rng = random.Random(seed)
    plain = [name for name in LAYOUTS if name not in ("blank", "vertical_petition")]
    rng.shuffle(plain)
    made = []
    for name in buckets or BUCKETS:
        bucket = BUCKETS[name]
        for _ in range(each):
            plain.append(plain.pop(0))
            made.append(_trial(rng, name, bucket, rng.choice(bucket.layouts) if bucket.layouts else plain[-1]))
    return made


def _trial(rng: random.Random, name: str, bucket: Bucket, layout: str) -> Commission:
    header = rng.choice([style for style in HEADER_STYLES if style != "none"])
    seed = rng.randrange(2**31)
    return Commission(layout, seed, bucket.resolution, bucket.damages, header=header, size=bucket.size, bucket=name)


def _one(rng: random.Random, document_type: str, turn: int, clean: float) -> Commission:
    layouts = [layout.name for layout in LAYOUTS.values() if layout.document_type == document_type]
    layout = layouts[turn % len(layouts)]
    with_cover = layout not in ("cover_alone", "blank", "emergency_note") and rng.random() < 0.15
    return Commission(
        layout,
        rng.randrange(2**31),
        resolution=rng.choices(tuple(RESOLUTIONS), (38, 54, 5, 3))[0],
        damages=_damages(rng, clean),
        cover=rng.choice(tuple(COVERS)) if with_cover else "",
        header=rng.choice(HEADER_STYLES),
        size=rng.choices(tuple(SIZES), (92, 5, 3))[0],
        compression=rng.choices(("group4", "group3"), (80, 20))[0],
        withheld=rng.random() < 0.08,
    )


def _damages(rng: random.Random, clean: float) -> tuple[Damage, ...]:
    if rng.random() < clean:
        return ()
    kinds = rng.choice(_TOGETHER) if rng.random() < 0.2 else (rng.choice(_ALONE),)
    return tuple(Damage(kind, round(rng.uniform(0.2, 0.8), 2)) for kind in kinds)
