"""The notifiable diseases (感染症法 and its ordinances), read from a CSV list that a site may replace: the law changes.

A name is only ever taken from the list: written exactly, or so near that no other name is as near.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from routing.fold import fold
from routing.taxonomy import day_of, in_force, phrases, read_list

FILE = "notifiable_diseases.csv"
_COLUMNS = ("id", "category", "surveillance", "name_ja", "aliases", "deadline_ja", "deadline_hours")
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Disease:
    """One row."""

    id: str
    category: str
    """Class of the law, e.g. ``五類感染症(全数)``."""
    surveillance: str
    """``zensu`` (every case), ``teiten:...`` (sentinel sites), ``gijisho`` (syndromic)."""
    name: str
    aliases: tuple[str, ...]
    name_en: str
    deadline: str
    """In words, Japanese."""
    deadline_hours: int | None
    """0: at once; 168: within 7 days; None: by week or month."""
    patient_name_on_form: bool
    tokyo_own_form: bool
    notes: str
    valid_from: date | None
    valid_to: date | None

    @property
    def every_case(self) -> bool:
        """Whether each case is notified on a form of its own (全数把握)."""
        return self.surveillance == "zensu"

    @property
    def document_type(self) -> str | None:
        """The taxonomy's code of its notification form; None for diseases counted at sentinel sites."""
        if not self.every_case:
            return None
        if self.id == "009" or self.name == "結核":
            return "TB_REPORT"
        return "DISEASE_7DAY" if self.deadline_hours else "DISEASE_IMMEDIATE"


@dataclass(frozen=True, slots=True)
class Likeness:
    """A disease of the list and how near the written name is to it."""

    disease: Disease
    written: str
    """The name of the list that was met (an alias perhaps)."""
    score: float
    """1.0: exactly, after folding."""


@dataclass(frozen=True, slots=True)
class Diseases:
    """The list."""

    rows: tuple[Disease, ...]

    def on(self, day: date) -> Diseases:
        """Only the rows in force on ``day``."""
        return Diseases(tuple(d for d in self.rows if in_force(d.valid_from, d.valid_to, day)))

    def named(self, name: str) -> Disease | None:
        """The disease with this very name, or None."""
        return next((d for d in self.rows if d.name == name), None)

    def nearest(self, written: str) -> Likeness | None:
        """The disease that a form's value names: exactly, within a longer value, or damaged by reading.

        None when nothing is near enough, or when two diseases are equally near (麻しん and 風しん are one sign apart).
        """
        value = fold(written[: _LONGEST_VALUE * 2])[:_LONGEST_VALUE]
        if not value:
            return None
        names = _names(self)
        exact = names.get(value)
        if exact is not None:
            return Likeness(exact[0], exact[1], 1.0)
        near = _damaged(names, value)
        inside = self.mentioned(written[: _LONGEST_VALUE * 2])
        if len({m.disease.id for m in inside}) > 1:
            return None
        if inside:
            # A damaged long name goes before a short one that it happens to hold: アメーハ赤痢 is not 赤痢.
            longer = [m for m in near if m.disease.id != inside[0].disease.id and _is_the_longer(m, inside[0], value)]
            if not longer:
                return inside[0]
            near = longer
        return _clearly(near)

    def mentioned(self, text: str) -> tuple[Likeness, ...]:
        """Diseases named in ``text``, each once in their order; a name inside a longer name does not count."""
        folded = fold(text)
        spans = (
            sorted(
                (start, -len(name), disease, written)
                for name, (disease, written) in _names(self).items()
                if len(name) > 1 and not name.isascii()
                for start in _starts(folded, name)
                if not _part_of_other_word(folded, start, name)
            )
            if folded
            else []
        )
        found: dict[str, Likeness] = {}
        covered = -1
        for start, negative, disease, written in spans:
            if start >= covered:
                covered = start - negative
                found.setdefault(disease.id, Likeness(disease, written, 1.0))
        for disease, written in _abbreviated(self, text):
            found.setdefault(disease.id, Likeness(disease, written, 0.9))
        return tuple(found.values())


def load(directory: Path | None = None, day: date | None = None) -> Diseases:
    """The list from ``directory`` if it has a file of that name, else the packaged one: all rows or those on ``day``.

    Raises ListError naming every bad row.
    """
    diseases = Diseases(read_list(FILE, directory, _COLUMNS, _row, lambda d: d.id))
    return diseases if day is None else diseases.on(day)


def _row(row: Mapping[str, str]) -> Disease:
    for column in ("id", "name_ja", "surveillance"):
        if not row[column]:
            raise ValueError(f"{column} が空です")
    hours = row["deadline_hours"]
    if hours and not (hours.isascii() and hours.isdigit() and len(hours) < 5):
        raise ValueError(f"deadline_hours「{hours}」は時間数ではありません")
    return Disease(
        id=row["id"],
        category=row["category"],
        surveillance=row["surveillance"],
        name=row["name_ja"],
        aliases=phrases(row["aliases"]),
        name_en=row.get("name_en", ""),
        deadline=row["deadline_ja"],
        deadline_hours=int(hours) if hours else None,
        patient_name_on_form=row.get("patient_name_on_form", "") == "1",
        tokyo_own_form=row.get("tokyo_own_form", "") == "yes",
        notes=row.get("notes", ""),
        valid_from=day_of(row, "valid_from"),
        valid_to=day_of(row, "valid_to"),
    )


@lru_cache(maxsize=16)
def _names(diseases: Diseases) -> dict[str, tuple[Disease, str]]:
    """Folded name -> disease and the name as listed. Where two share a name, the one notified case by case has it."""
    names: dict[str, tuple[Disease, str]] = {}
    for disease in sorted(diseases.rows, key=lambda d: not d.every_case):
        if disease.name.startswith("(") or disease.surveillance == "gijisho":
            continue  # a place-holder of the law, or a word (疑似症) that every form prints
        stem = re.split(r"[(（]", disease.name)[0] if disease.every_case else disease.name
        for written in (disease.name, *disease.aliases, stem):
            names.setdefault(fold(written), (disease, written))
    return names


def _starts(folded: str, name: str) -> list[int]:
    starts: list[int] = []
    at = folded.find(name)
    while at >= 0 and len(starts) < 200:
        starts.append(at)
        at = folded.find(name, at + 1)
    return starts


_OTHER_WORDS = {"結核": ("非", "抗", "予防会", "性抗酸菌", "研究所", "予防", "審査", "指定医療機関"), "梅毒": ("血清",)}


def _part_of_other_word(folded: str, start: int, name: str) -> bool:
    """非結核性抗酸菌症 is no tuberculosis, 結核予防会 a foundation."""
    others = _OTHER_WORDS.get(name, ())
    before, after = folded[max(0, start - 1) : start], folded[start + len(name) : start + len(name) + 6]
    return any(before == other or after.startswith(other) for other in others)


def _abbreviated(diseases: Diseases, text: str) -> list[tuple[Disease, str]]:
    """Names in Latin letters stand alone and in capitals as listed (MERS, O157), or they are parts of other words."""
    plain = unicodedata.normalize("NFKC", text)
    return [
        (disease, written)
        for disease, written in _names(diseases).values()
        if written.isascii() and re.search(rf"(?<![A-Za-z0-9]){re.escape(written)}(?![A-Za-z0-9])", plain)
    ]


def _is_the_longer(longer: Likeness, inside: Likeness, value: str) -> bool:
    """Whether half of what a longer name has more is there: アメーハ赤痢; インフルエンザA型 is no 鳥インフルエンザ."""
    name, short = fold(longer.written), fold(inside.written)
    if len(name) <= len(short):
        return False
    more, rest = name.replace(short, "", 1), value.replace(short, "", 1)
    if any(fold(alias) in rest for alias in inside.disease.aliases):
        return False  # 感染性胃腸炎(ノロウイルス) names one disease twice
    return sum(sign in rest for sign in more) * 2 >= len(more)


def _damaged(names: Mapping[str, tuple[Disease, str]], value: str) -> list[Likeness]:
    """The diseases whose names are near a value with misread signs, the nearest first."""
    best: dict[str, Likeness] = {}
    for name, (disease, written) in names.items():
        score = 0.0 if name in value else _likeness(name, value)  # インフルエンザ stands in 斯型インフルエンザ too
        if score and (disease.id not in best or best[disease.id].score < score):
            best[disease.id] = Likeness(disease, written, score)
    return sorted(best.values(), key=lambda m: -m.score)


def _clearly(ranked: list[Likeness]) -> Likeness | None:
    """The nearest when no other is about as near."""
    if not ranked or (len(ranked) > 1 and ranked[0].score - ranked[1].score < 0.08):
        return None
    return ranked[0]


def _likeness(name: str, value: str) -> float:
    """0 when too far. A third of a short name, a quarter of a long one may be misread; two signs must be right."""
    length = len(name)
    if length < 3 or name.isascii() or not length * 0.6 <= len(value) <= length * 1.6 + 2:
        return 0.0
    window = value
    if len(value) > length:
        alignment = fuzz.partial_ratio_alignment(name, value)
        if alignment is not None:
            window = value[alignment.dest_start : alignment.dest_end]
    allowed = 1 if length < 6 else (length + 2) // 4
    distance = Levenshtein.distance(name, window, score_cutoff=allowed)
    return 0.0 if distance > allowed else 1.0 - distance / length
