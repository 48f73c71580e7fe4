"""How well was a corpus read? Character error rates and exact fields against the generator's truth.

    python -m benchmarks.score TRUTH READ [--by res,degrade] [--json]
    python -m benchmarks.score TRUTH --engine paddle [--by bucket]

TRUTH is a folder of the generator's ``NAME.json``; READ one of ``NAME.txt`` with the text an engine read, or of
``NAME.json`` with a member ``text`` (as ``faxless --json replay`` prints it). A file that is missing in READ counts as
read empty: silence is an error, not an excuse. With ``--engine`` the ``NAME.tif`` beside the truth are read now, and a
reliability table of the words' confidences is printed below.

For each drawn segment the score is the least edit distance to any stretch of the page's text, so that reading order
does not matter; texts are compared after NFKC, without blanks, hyphens and middle dots folded together.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from ocr import engine as engines
from ocr.read import read_document

_FOLDED = {ord(c): "-" for c in "‐‑‒–—―−ｰ─━"} | {ord(c): "·" for c in "・･•⋅∙"} | {ord("〜"): "~"}
_CLASSES = ("print", "hand", "tti", "vertical")
"""Classes of segments that are scored; a stamp is not text to be read."""


def folded(text: str) -> str:
    """*text* as it is compared."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).translate(_FOLDED)


def least_distance(pattern: str, text: str) -> int:
    """The least number of edits that turn *pattern* into some stretch of *text*.

    Myers' bit-vector search ("A fast bit-vector algorithm for approximate string matching", JACM 1999) over Python's
    integers, which have as many bits as the pattern has characters.
    """
    if not pattern or pattern in text:
        return 0
    size = len(pattern)
    places: dict[str, int] = {}
    for position, character in enumerate(pattern):
        places[character] = places.get(character, 0) | 1 << position
    full, last = (1 << size) - 1, 1 << (size - 1)
    up, down, distance = full, 0, size
    best = size
    for character in text:
        same = places.get(character, 0)
        diagonal = (((same & up) + up) ^ up) | same | down
        more, less = (down | ~(diagonal | up)) & full, up & diagonal
        distance += bool(more & last) - bool(less & last)
        more, less = more << 1 & full, less << 1 & full  # row 0 stays 0: the stretch may begin anywhere
        up, down = (less | ~(diagonal | more)) & full, more & diagonal
        best = min(best, distance)
    return best


@dataclass
class Tally:
    """Sums over faxes: errors and characters by class of segment; exact, near and all fields by hand or print."""

    faxes: int = 0
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    characters: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    exact: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    near: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    fields: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, truth: dict[str, Any], text: str) -> None:
        """Count one fax: its *truth* and the *text* that was read."""
        page = folded(text)
        self.faxes += 1
        for segment in truth["segments"]:
            wanted = folded(segment["text"])
            if segment["cls"] in _CLASSES and len(wanted) > 1:
                self.errors[segment["cls"]] += least_distance(wanted, page)
                self.characters[segment["cls"]] += len(wanted)
        for value in truth["fields"].values():
            if value.get("circled"):
                continue  # the words are printed whether chosen or not
            self._field(folded(value["value"]), "hand" if value["hand"] else "print", page)

    def _field(self, wanted: str, kind: str, page: str) -> None:
        distance = least_distance(wanted, page)
        self.exact[kind] += distance == 0
        self.near[kind] += distance <= (max(1, len(wanted) // 5) if len(wanted) > 3 else 0)
        self.fields[kind] += 1

    def rates(self) -> dict[str, Any]:
        """Everything as shares (0 to 1); None where nothing was there to be counted."""
        cer = {f"cer_{cls}": _share(self.errors[cls], self.characters[cls]) for cls in _CLASSES}
        exact = {f"exact_{kind}": _share(self.exact[kind], self.fields[kind]) for kind in ("print", "hand")}
        near = {f"near_{kind}": _share(self.near[kind], self.fields[kind]) for kind in ("print", "hand")}
        return {"faxes": self.faxes, **cer, **exact, **near}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


_STEPS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Lower ends of the bins of a reliability table."""
_PEN = "□☐☑■✓✔○◯●"
"""Boxes and circles around a word are marks, not letters of it."""


@dataclass
class Reliability:
    """Does confidence mean something? Words by what the engine said of them, and how many of those were right.

    A word is right when each of its parts between blanks stands in the page's truth, letter for letter, after folding.
    Words of a single letter are not counted: such a letter stands somewhere on nearly every page, so chance is right.
    """

    words: list[int] = field(default_factory=lambda: [0] * len(_STEPS))
    right: list[int] = field(default_factory=lambda: [0] * len(_STEPS))
    said: list[float] = field(default_factory=lambda: [0.0] * len(_STEPS))
    """Sums of confidences."""

    def add(self, truth: dict[str, Any], words: Iterable[tuple[str, float]], page: int | None = None) -> None:
        """Count the *words* (text, confidence) of a fax, or of one *page* of it."""
        segments = [one for one in truth["segments"] if page is None or one.get("page", page) == page]
        drawn = "".join(folded(segment["text"]) for segment in segments)
        for text, confidence in words:
            parts = [part for part in (folded(piece).strip(_PEN) for piece in text.split()) if part]
            if sum(map(len, parts)) > 1:
                step = sum(confidence >= lower for lower in _STEPS[1:])
                self.words[step] += 1
                self.right[step] += all(part in drawn for part in parts)
                self.said[step] += confidence

    def rows(self) -> list[dict[str, Any]]:
        """One row for every bin that has words: from, words, said (mean confidence), right (share)."""
        return [
            {"from": lower, "words": count, "said": said / count, "right": right / count}
            for lower, count, said, right in zip(_STEPS, self.words, self.said, self.right, strict=True)
            if count
        ]

    def table(self) -> str:
        """The rows as a Markdown table, and the gap."""
        lines = ["", "| said at least | words | said | right |", "|--:|--:|--:|--:|"]
        lines += [f"| {r['from']:.2f} | {r['words']} | {r['said']:.1%} | {r['right']:.1%} |" for r in self.rows()]
        return "\n".join([*lines, f"\nmean distance {self.gap or 0:.1%}\n"])

    @property
    def gap(self) -> float | None:
        """Mean distance between what was said and what was right, by words (expected calibration error)."""
        total = sum(self.words)
        apart = sum(abs(said - right) for said, right in zip(self.said, self.right, strict=True))
        return apart / total if total else None


def score(pairs: Iterable[tuple[dict[str, Any], str]], by: tuple[str, ...] = ()) -> dict[str, Tally]:
    """Tallies of all faxes (key ``all``) and of each value of the truth's members named in *by*."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for truth, text in pairs:
        tallies["all"].add(truth, text)
        if by:
            tallies[" ".join(str(truth[name]) for name in by)].add(truth, text)
    return tallies


def pairs(truths: Path, read: Path) -> Iterable[tuple[dict[str, Any], str]]:
    """Each truth of the folder with the text read for it."""
    for path, truth in _truths(truths):
        yield truth, _text(read, path.stem)


def _truths(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(folder.glob("*.json")):
        truth = json.loads(path.read_text("utf-8"))
        if "segments" in truth:
            yield path, truth


def read_now(truths: Path, name: engines.EngineName, found: Reliability) -> Iterator[tuple[dict[str, Any], str]]:
    """Each truth of the folder with what *name* reads now in the TIFF beside it; its words are added to *found*."""
    engine = engines.load(name)
    faxes = list(_truths(truths))
    for path, truth in tqdm(faxes, unit="fax", file=sys.stderr):
        seen = read_document(path.with_suffix(".tif").read_bytes(), engine)
        for page in seen.pages:
            found.add(truth, ((word.text, word.confidence) for word in page.words), page.number)
        yield truth, seen.text


def _text(read: Path, name: str) -> str:
    plain, told = read / f"{name}.txt", read / f"{name}.json"
    if plain.exists():
        return plain.read_text("utf-8")
    return str(json.loads(told.read_text("utf-8")).get("text") or "") if told.exists() else ""


def table(tallies: dict[str, Tally]) -> str:
    """The tallies as a Markdown table, rates in percent."""
    rows = {name: tally.rates() for name, tally in sorted(tallies.items())}
    heads = list(rows["all"])
    lines = [f"| | {' | '.join(heads)} |", f"|---|{'--:|' * len(heads)}"]
    for name, rates in rows.items():
        cells = [
            "-" if value is None else f"{value:.1%}" if isinstance(value, float) else str(value)
            for value in rates.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.score", description="Error rates against the truth.")
    parser.add_argument("truth", type=Path)
    parser.add_argument("read", type=Path, nargs="?")
    parser.add_argument("--engine", choices=get_args(engines.EngineName), help="read the faxes now")
    parser.add_argument(
        "--by", default="", help="members of the truth to split by: res, degrade, document_type, doc, size, bucket"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if (options.read is None) == (options.engine is None):
        parser.error("give either READ or --engine")
    found = Reliability()
    read = read_now(options.truth, options.engine, found) if options.engine else pairs(options.truth, options.read)
    tallies = score(read, tuple(name for name in options.by.split(",") if name))
    if not tallies:
        print(f"no truth files in {options.truth}", file=sys.stderr)
        return 1
    if options.json:
        rates = {name: tally.rates() for name, tally in tallies.items()}
        told = {**rates, "reliability": found.rows()} if options.engine else rates
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print(table(tallies))
        print(found.table() if options.engine else "", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
