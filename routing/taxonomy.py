"""The document types of the field, read from a CSV list that ships with the package and that a site may replace.

Every row says how a type is recognised (``title_phrases``, ``anchors``, ``keywords``, ``against``; several parted by
``|``, ``#`` stands for a number), how urgent it is, when it is due, whose it is, and on which days the row holds.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import TypeVar

from routing.errors import ListError

FILE = "document_taxonomy.csv"
URGENCIES = ("low", "normal", "high", "critical")
_COLUMNS = ("tier", "code", "name_ja", "title_phrases", "keywords", "urgency", "deadline", "destination_kind")
_LARGEST = 4_000_000

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One row: a class of documents that arrive by fax."""

    code: str
    name: str
    """Japanese, for staff."""
    name_en: str
    tier: str
    """``core`` or ``optional``."""
    title_phrases: tuple[str, ...]
    """What its title says."""
    anchors: tuple[str, ...]
    """Labels and sentences that hardly any other document has."""
    keywords: tuple[str, ...]
    """Words that support, never decide."""
    against: tuple[str, ...]
    """Words in the title zone that speak against it (a seminar about the disease is no notification)."""
    urgency: str
    """One of :data:`URGENCIES`."""
    deadline: str
    """The legal deadline in words, Japanese."""
    due: str
    """The department's clock: ``at_once``, ``hours:N``, ``days:N`` (first day not counted), or empty."""
    destination_kind: str
    """The kind of department whose it is; alternatives parted by ``/``, the first first."""
    special_care_pii: str
    must_keep_fax: str
    migrate_to: str
    basis: str
    valid_from: date | None
    valid_to: date | None
    """Last day on which the row holds; None: no end."""

    @property
    def critical(self) -> bool:
        """Missing it is far worse than a false alarm."""
        return self.urgency == "critical"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The document types, in the order of the list."""

    types: tuple[DocumentType, ...]

    def on(self, day: date) -> Taxonomy:
        """Only the rows in force on ``day``."""
        return Taxonomy(tuple(t for t in self.types if in_force(t.valid_from, t.valid_to, day)))

    def get(self, code: str | None) -> DocumentType | None:
        """The type with this code, or None."""
        return next((t for t in self.types if t.code == code), None)

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, each once."""
        return tuple(dict.fromkeys(t.code for t in self.types))


def load(directory: Path | None = None, day: date | None = None) -> Taxonomy:
    """The list from ``directory`` if it has a file of that name, else the packaged one: all rows or those on ``day``.

    Raises ListError naming every bad row.
    """
    taxonomy = Taxonomy(read_list(FILE, directory, _COLUMNS, _row, lambda t: t.code))
    return taxonomy if day is None else taxonomy.on(day)


def _row(row: Mapping[str, str]) -> DocumentType:
    """One row as a type; ValueError with a Japanese sentence when it cannot be."""
    if not row["code"]:
        raise ValueError("code が空です")
    if row["urgency"] not in URGENCIES:
        raise ValueError(f"urgency「{row['urgency']}」は {'・'.join(URGENCIES)} のどれでもありません")
    return DocumentType(
        code=row["code"],
        name=row["name_ja"],
        name_en=row.get("name_en", ""),
        tier=row["tier"],
        title_phrases=phrases(row["title_phrases"]),
        anchors=phrases(row.get("anchors", "")),
        keywords=phrases(row["keywords"]),
        against=phrases(row.get("against", "")),
        urgency=row["urgency"],
        deadline=row["deadline"],
        due=_due(row.get("due", "")),
        destination_kind=row["destination_kind"],
        special_care_pii=row.get("special_care_pii", ""),
        must_keep_fax=row.get("must_keep_fax", ""),
        migrate_to=row.get("migrate_to", ""),
        basis=row.get("basis", ""),
        valid_from=day_of(row, "valid_from"),
        valid_to=day_of(row, "valid_to"),
    )


def _due(text: str) -> str:
    kind, _, amount = text.partition(":")
    if text in {"", "at_once"} or (kind in {"hours", "days"} and amount.isdecimal() and 0 < int(amount) < 10_000):
        return text
    raise ValueError(f"due「{text}」は at_once・hours:N・days:N のどれでもありません")


def phrases(cell: str) -> tuple[str, ...]:
    """The phrases of a cell, parted by ``|``."""
    return tuple(dict.fromkeys(part.strip() for part in cell.split("|") if part.strip()))


def day_of(row: Mapping[str, str], column: str) -> date | None:
    """A validity date (ISO 8601), None when the cell is empty or the column is not there."""
    text = row.get(column, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{column}「{text}」は日付(例 2026-04-01)ではありません") from None


def in_force(valid_from: date | None, valid_to: date | None, day: date) -> bool:
    """Whether a row holds on ``day``; both ends belong to it."""
    return (valid_from is None or valid_from <= day) and (valid_to is None or day <= valid_to)


def read_list(
    file: str,
    directory: Path | None,
    columns: Iterable[str],
    row_of: Callable[[Mapping[str, str]], Row],
    key: Callable[[Row], str],
) -> tuple[Row, ...]:
    """The rows of a CSV list: the site's file when ``directory`` has one of that name, else the packaged one.

    The one place of this package that reads files. Raises ListError with every bad row at once; two rows with the same
    key are a mistake when both hold on one day.
    """
    reader = csv.DictReader(StringIO(_text(file, directory)), strict=True)
    try:
        raw = [(reader.line_num, row) for row in reader]
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
    except csv.Error:
        raise ListError(file, [f"{reader.line_num}行目付近: CSVとして読めません(引用符を確認してください)"]) from None
    if missing:
        raise ListError(file, [f"1行目: 列「{column}」がありません" for column in missing])
    rows, mistakes = _rows(raw, row_of)
    mistakes += _overlaps([(line, key(row), row) for line, row in rows])
    if not rows and not mistakes:
        mistakes = ["行が1つもありません"]
    if mistakes:
        raise ListError(file, mistakes)
    return tuple(row for _, row in rows)


def _text(file: str, directory: Path | None) -> str:
    """The list's text. UTF-8 with or without the mark that spreadsheet programs want."""
    own = directory / file if directory is not None else None
    try:
        if own is not None and own.is_file():
            data = own.read_bytes()
        else:
            data = (resources.files("routing") / "data" / file).read_bytes()
    except OSError:
        raise ListError(file, ["ファイルを開けません(権限を確認してください)"]) from None
    if len(data) > _LARGEST:
        raise ListError(file, ["ファイルが大きすぎます(4 MBまで)"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ListError(file, ["文字コードがUTF-8ではありません(「CSV UTF-8」で保存してください)"]) from None


def _rows(
    raw: list[tuple[int, dict[str, str]]], row_of: Callable[[Mapping[str, str]], Row]
) -> tuple[list[tuple[int, Row]], list[str]]:
    rows: list[tuple[int, Row]] = []
    mistakes: list[str] = []
    for line, cells in raw:
        if None in cells or None in cells.values():  # DictReader's way to say too many or too few cells
            mistakes.append(f"{line}行目: 列の数が見出しと合いません")
            continue
        try:
            rows.append((line, row_of({column: cell.strip() for column, cell in cells.items()})))
        except ValueError as problem:
            mistakes.append(f"{line}行目: {problem}")
    return rows, mistakes


def _overlaps(rows: list[tuple[int, str, object]]) -> list[str]:
    """Rows of one key whose validity overlaps: on that day nobody could say which holds."""
    mistakes: list[str] = []
    seen: dict[str, list[tuple[date, date, int]]] = {}
    for line, key, row in rows:
        begins = getattr(row, "valid_from", None) or date.min
        ends = getattr(row, "valid_to", None) or date.max
        if ends < begins:
            mistakes.append(f"{line}行目: valid_to が valid_from より前です")
        for other_begins, other_ends, other in seen.get(key, []):
            if begins <= other_ends and other_begins <= ends:
                mistakes.append(f"{line}行目: 「{key}」は{other}行目と有効期間が重なっています")
        seen.setdefault(key, []).append((begins, ends, line))
    return mistakes
