"""A fax being written: its sheets, who sends it, and the truth about it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from benchmarks.faxgen.fonts import FACES, HANDS, FontBook
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import CLINICS, Institution, People, wareki, working_hour


@dataclass
class Draft:
    """What every form is drawn into. One random stream decides everything, so one seed is one fax."""

    rng: random.Random
    book: FontBook
    when: datetime
    people: People
    face: str
    hand: str
    sender: Institution
    to: str = "東都 みどり保健所 感染症対策課"
    disease: str | None = None
    mask: bool | None = None
    """Black out the patient: None leaves it to chance where the form allows it."""
    dates: str = "kanji"
    sheets: list[Sheet] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        seed: int,
        book: FontBook,
        *,
        when: datetime | None = None,
        disease: str | None = None,
        mask: bool | None = None,
    ) -> Draft:
        """A blank draft for *seed*."""
        rng = random.Random(seed)
        book.start()
        people = People(rng)
        moment = working_hour(rng)
        face, hand = rng.choice(FACES), rng.choice(HANDS)
        dates = rng.choice(("kanji", "kanji", "kanji", "wide", "western", "short"))
        return cls(
            rng,
            book,
            when or moment,
            people,
            face,
            hand,
            people.institution(CLINICS),
            disease=disease,
            mask=mask,
            dates=dates,
        )

    @property
    def today(self) -> date:
        """The day it is faxed."""
        return self.when.date()

    def sheet(self, size: str = "A4", *, landscape: bool = False) -> Sheet:
        """The next blank sheet."""
        sheet = Sheet(self.book, self.rng, self.face, self.hand, size, landscape)
        self.sheets.append(sheet)
        return sheet

    def day(self, back: int = 0, furthest: int | None = None) -> str:
        """A day *back* days ago (or between *back* and *furthest*), as this writer writes dates."""
        ago = back if furthest is None else self.rng.randint(back, furthest)
        return wareki(self.today - timedelta(days=ago), self.dates)

    def ahead(self, nearest: int, furthest: int) -> str:
        """A day to come."""
        return wareki(self.today + timedelta(days=self.rng.randint(nearest, furthest)), self.dates)

    def part(self, layout: str, document_type: str, draw: Callable[[Draft], None]) -> None:
        """Draw one document of the fax and note which pages it takes."""
        first = len(self.sheets) + 1
        draw(self)
        self.parts.append(
            {"doc": layout, "document_type": document_type, "first_page": first, "last_page": len(self.sheets)}
        )

    def truth(self) -> dict[str, Any]:
        """Everything known of the fax, without what the machine does to it."""
        fields: dict[str, dict[str, Any]] = {}
        lists: dict[str, list[Any]] = {"segments": [], "choices": [], "masked": [], "barcodes": []}
        for number, sheet in enumerate(self.sheets, 1):
            for name, value in sheet.fields.items():
                fields.setdefault(name, {**value, "page": number})
            for kind in ("segments", "choices", "masked"):
                lists[kind] += [{**entry, "page": number} for entry in getattr(sheet, kind)]
            lists["barcodes"] += sheet.barcodes
        return {
            "sender": {"name": self.sender.name, "fax": self.sender.fax, "phone": self.sender.phone},
            "disease": self.disease,
            "documents": [{k: v for k, v in part.items() if k != "doc"} for part in self.parts],
            "fields": fields,
            **lists,
            "fonts": sorted(self.book.used),
            "font_stand_ins": sorted(self.book.stand_ins),
        }
