"""Tables that people hand in: CSV as spreadsheets save it, read row by row, with every mistake told by its line."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.errors import BadTable

_NO_TEXT = re.compile("[\0\uf8f0-\uf8f3]")  # what CP932 makes of bytes that are no character of it


def decode(data: bytes) -> str:
    """The text of a CSV file as Excel and others save it: UTF-8 with or without BOM, UTF-16 with BOM, or CP932.

    Raises :class:`BadTable` when it is none of these.
    """
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text):
            return text
    raise BadTable(("文字コードが読めません。UTF-8のCSVで保存してください (save the file as UTF-8 CSV)",))


@dataclass(slots=True)
class Mistakes:
    """The mistakes of one table as they are found."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, line: int, sentence: str) -> None:
        """Note what is wrong with a line."""
        self.found.append((line, sentence))

    def done(self) -> None:
        """Raise :class:`BadTable` when there was anything."""
        if self.found:
            raise BadTable(tuple(f"{line}行目: {sentence}" for line, sentence in self.found))


def rows_of(text: str, columns: Sequence[str], mistakes: Mistakes) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by column of each row that is not blank; what is wrong goes to ``mistakes``."""
    text = text.removeprefix("\ufeff")
    delimiter = "\t" if "\t" in text.lstrip("\r\n").partition("\n")[0] else ","  # Excel's "Unicode text" has tabs
    header: list[str] | None = None
    for line, row in _rows(text, delimiter, mistakes):
        if not any(row):
            continue
        if header is None:
            header = [unicodedata.normalize("NFKC", name).strip().lower() for name in row]
            if not _header_stands(line, header, columns, mistakes):
                return
        elif any(row[len(header) :]):
            mistakes.wrong(line, f"列が多すぎます ({len(row)} cells under {len(header)} columns)")
        else:
            padded = [*row, *[""] * (len(header) - len(row))]
            yield line, dict(zip(header, padded, strict=False))
    if header is None:
        mistakes.wrong(1, f"見出しの行がありません。{','.join(columns)} が要ります (no header)")


def _rows(text: str, delimiter: str, mistakes: Mistakes) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            mistakes.wrong(line, "引用符かセルの長さが正しくなく、ここから先を読めません (not CSV from here on)")
            return
        yield line, [cell.replace("\0", "").strip() for cell in row]


def _header_stands(line: int, header: Sequence[str], columns: Sequence[str], mistakes: Mistakes) -> bool:
    missing = [name for name in columns if name not in header]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if missing:
        mistakes.wrong(line, f"見出しに {', '.join(missing)} がありません (missing columns)")
    if twice:
        mistakes.wrong(line, f"見出しに {', '.join(twice)} が二つあります (written twice)")
    return not missing and not twice
