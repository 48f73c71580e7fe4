"""How well are the values of forms found? Drawn notifications, read by the engine, against what was written on them.

    python -m benchmarks.fields [--count 48] [--seed 4242] [--layouts A,B] [--marks truth|read] [--misses] [--json]

A value is *right* when it is equal after folding, *near* when a fifth of its signs at most is misread (names and places
only: a date, a number, a choice is right or wrong). Recall: right (or near) of all that was written; precision: of all
that was given. ``--marks truth`` takes ticks and circles from the drawing instead of the reading, so that finding
values and seeing marks are measured apart.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from benchmarks.faxgen.catalogue import LAYOUTS, Commission, make
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.machine import HEADER_STYLES, Damage
from ocr import engine as engines
from ocr.page import PageText
from ocr.read import read_page
from routing import dates, disease
from routing.extract import extract
from routing.facts import Field, Line, Mark, PageFacts
from routing.fold import fold
from routing.phrases import NOTIFICATIONS

KIN = ("DISEASE_IMMEDIATE", "DISEASE_7DAY", "TB_REPORT", "TB_ADMISSION", "FOOD_POISONING", "OUTBREAK_FACILITY")
DAMAGES = ("noise", "skew", "faint", "dropped", "copied", "grey", "broken")
"""What happens to forms on the way and leaves them legible."""
_NAMES = {
    "reported_at": "reported", "phone": "institution_phone", "diagnosed_at": "diagnosed", "admitted_at": "admitted",
    "discharged_at": "discharged", "place": "infection_place", "birth": "born", "infected_at": "infected",
}  # fmt: skip
_DAYS = {"reported", "first_visit", "diagnosed", "infected", "onset", "died", "admitted", "discharged"}
_NUMBERS = {"institution_phone", "patient_phone"}
_LISTS = {"symptoms", "method", "route"}
_WORDS = {"doctor", "reporter", "institution", "institution_address", "infection_place", "cause", "food", "sick",
          "patient_name", "patient_address", "occupation"}  # fmt: skip
SCORED = tuple(sorted(_DAYS | _NUMBERS | _LISTS | _WORDS | {"disease", "case_type", "sex", "age", "born"}))


@dataclass
class Tally:
    """Counts of ``right``, ``near``, ``wrong``, ``missed`` and ``extra`` by field, and by print or hand."""

    by: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, names: Sequence[str], told: str) -> None:
        """Count one value under each name."""
        for name in names:
            self.by.setdefault(name, Counter())[told] += 1

    def rates(self, name: str) -> dict[str, float]:
        """Recall and precision, exact and with what is near."""
        found = self.by[name]
        written = sum(found[told] for told in ("right", "near", "wrong", "missed")) or 1
        given = sum(found[told] for told in ("right", "near", "wrong", "extra")) or 1
        near = found["right"] + found["near"]
        shares = {"recall": (found["right"], written), "precision": (found["right"], given)}
        shares |= {"recall_near": (near, written), "precision_near": (near, given)}
        return {"written": written, **{rate: round(part / whole, 4) for rate, (part, whole) in shares.items()}}


def commissions(count: int, seed: int, layouts: Sequence[str]) -> Iterator[Commission]:
    """Two of three fine, four of ten damaged a little to moderately."""
    rng = random.Random(seed)
    for number in range(count):
        damaged = rng.random() < 0.4
        yield Commission(
            layouts[number % len(layouts)],
            rng.randrange(2**31),
            resolution=rng.choice(("fine", "fine", "standard")),
            damages=(Damage(rng.choice(DAMAGES), round(rng.uniform(0.2, 0.6), 2)),) if damaged else (),
            header=rng.choice(HEADER_STYLES),
        )


def facts(truth: dict[str, Any], pages: Sequence[PageText], *, drawn_marks: bool) -> list[PageFacts]:
    """What routing is told of the pages."""
    return [
        PageFacts(
            page.number,
            page.text,
            tuple(Line(word.text, word.box, word.confidence) for word in page.words),
            page.width,
            page.height,
            masked=page.masked,
            marks=_drawn(truth, page)
            if drawn_marks
            else tuple(Mark(mark.text, mark.box, mark.on, mark.confidence) for mark in page.marks),
            skew=page.skew,
        )
        for page in pages
    ]


def _drawn(truth: dict[str, Any], page: PageText) -> tuple[Mark, ...]:
    """The drawing's marks in pixels of an A4 page that lies straight."""
    scale = (page.width / 215.1, page.height / 297.1) * 2
    return tuple(
        Mark(choice["label"], _pixels(choice["box"], scale), choice["on"], 0.95)
        for choice in truth["choices"]
        if choice["page"] == page.number
    )


def _pixels(box: Sequence[float], scale: Sequence[float]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(length * pixels) for length, pixels in zip(box, scale, strict=True))
    return x0, y0, x1, y1


def expected(truth: dict[str, Any], diseases: disease.Diseases) -> dict[str, tuple[str, bool]]:
    """What was written, as extraction is to say it: (value, by hand)."""
    wanted: dict[str, tuple[str, bool]] = {}
    for written, told in truth["fields"].items():
        name, value, hand = _NAMES.get(written, written), str(told["value"]), bool(told["hand"])
        wanted |= {name: (value, hand) for name, value in _said(name, value, truth) if name in SCORED and value}
    if truth.get("disease") and truth["document_type"] in NOTIFICATIONS:
        listed = diseases.nearest(truth["disease"])
        wanted.pop("disease", None)
        if listed is not None:
            wanted["disease"] = (listed.disease.name, False)
    for question in _LISTS:
        asked = [choice for choice in truth["choices"] if choice["name"] == question]
        if asked:
            on = [choice["label"] for choice in asked if choice["on"]]
            wanted.pop(question, None)
            wanted |= {question: ("、".join(on), False)} if on else {}
    return _by_role(wanted, truth)


def _said(name: str, value: str, truth: dict[str, Any]) -> list[tuple[str, str]]:
    if name == "sex_age":
        return [("sex", "男" if "男" in value else "女"), *_said("age", value, truth)]
    if name == "age":
        return [("age", found[0] if (found := re.search(r"\d+", value)) else "")]
    if name in _DAYS or name == "born":
        era = truth["fields"].get("birth_era", {}).get("value") if name == "born" else None
        day = dates.nearest(value, date(2026, 12, 31), era)
        return [(name, day.date.isoformat() if day else "")]
    if name in _NUMBERS:
        return [(name, "+81" + re.sub(r"\D", "", value.split("/")[0])[1:])]
    return [(name, re.sub(r"[\s　]*印$", "", value))]


def _by_role(wanted: dict[str, tuple[str, bool]], truth: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Where the drawing calls the doctor of 食中毒届 a reporter, and the head of 入退院届 a doctor."""
    swap = {"FOOD_POISONING": ("reporter", "doctor")}.get(truth["document_type"])
    swap = ("doctor", "reporter") if truth["doc"] == "tb_admission" else swap
    if swap and swap[0] in wanted:
        wanted[swap[1]] = wanted.pop(swap[0])
    return wanted


def verdict(name: str, wanted: str, found: Field | None) -> str:
    """``right``, ``near``, ``wrong`` or ``missed``."""
    if found is None or found.masked:
        return "missed"
    given = found.value
    if name in _LISTS:
        same = _listed(wanted) == _listed(given)
    else:
        same = re.sub(r"[()]", "", fold(wanted)) == re.sub(r"[()]", "", fold(given))
    if same:
        return "right"
    close = Levenshtein.distance(fold(wanted), fold(given)) <= max(1, len(fold(wanted)) // 5)
    return "near" if close and name in _WORDS | _LISTS else "wrong"


def _listed(text: str) -> list[str]:
    return sorted(re.sub(r"^\d", "", fold(part)) for part in text.split("、"))


def score(truth: dict[str, Any], pages: Sequence[PageFacts], diseases: disease.Diseases, tally: Tally) -> list[str]:
    """Count the fields of one fax; gives a line for each that is not right."""
    wanted = expected(truth, diseases)
    found = extract(pages, diseases, truth["document_type"], datetime.fromisoformat(truth["sent_at"]).date())
    hidden = {_NAMES.get(place["name"], place["name"]) for place in truth["masked"]}
    lines = []
    for name in SCORED:
        value, given = wanted.get(name), found.get(name)
        if name in hidden:
            told, kind = "right" if given is not None and given.masked else "wrong", "masked"
        elif value is not None:
            told, kind = verdict(name, value[0], given), "hand" if value[1] else "print"
        elif given is not None and not given.masked:
            told, kind = "extra", "print"
        else:
            continue
        tally.add((kind, name), told)
        if told != "right":
            lines.append(f"{truth['doc']} {truth['res']} {truth['degrade']}: {name} {told} {value} {given}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fields", description="The values of drawn forms.")
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--seed", type=int, default=4242)
    parser.add_argument("--layouts", default="", help="comma-separated; default: all of notifications and their kin")
    parser.add_argument("--marks", choices=("truth", "read"), default="read")
    parser.add_argument("--misses", action="store_true", help="every value that is not right")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    layouts = [name for name in options.layouts.split(",") if name] or [
        layout.name for layout in LAYOUTS.values() if layout.document_type in KIN
    ]
    engine, book, diseases, tally = engines.load("paddle"), FontBook(), disease.load(), Tally()
    for commission in tqdm(list(commissions(options.count, options.seed, layouts)), unit="fax"):
        fax = make(commission, book)
        read = [read_page(fax.tiff, number + 1, engine).page for number in range(fax.pages)]
        lines = score(fax.truth, facts(fax.truth, read, drawn_marks=options.marks == "truth"), diseases, tally)
        if options.misses:
            print(*lines, sep="\n", file=sys.stderr)
    rates = {name: tally.rates(name) for name in sorted(tally.by)}
    if options.json:
        print(json.dumps(rates, ensure_ascii=False, indent=1))
        return 0
    print("| | written | recall | precision | recall, near | precision, near |\n|---|--:|--:|--:|--:|--:|")
    for name, rate in rates.items():
        shares = (rate[key] for key in ("recall", "precision", "recall_near", "precision_near"))
        print(f"| {name} | {rate['written']} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
