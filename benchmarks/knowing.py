"""How well faxes are known: generated faxes of all classes, read and decided; and documents that nothing was tuned to.

The first corpus is drawn by the generator of which the model has learned (other seeds), so it shows what scanning and
reading cost. The second (``benchmarks/unseen``) was written before the model; its documents are set plainly on a sheet,
scanned and read like the others, or, without pictures, damaged as text (``text`` in the figures' names): quicker, and a
stand-in. It and a second part (``benchmarks/unseen/second``) have since served to choose between changes, and nothing
of them is learned. A third
(``benchmarks/unseen/third``) was written by somebody who knew the table of the classes with its titles and words, but
neither the rest of the knowing nor its examples, and of the other parts two documents, for their form.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks.faxgen.catalogue import Commission, corpus, make
from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.machine import RESOLUTIONS, Resolution, scan, tiff
from benchmarks.table import Aim, Figure
from gateway import evaluation
from gateway.config import Config, load
from gateway.learning import outcome
from routing import disease, model, taxonomy, training
from routing.department import Department, Organisation
from routing.measure import Figures, Outcome
from routing.measure import measure as measured

UNSEEN = Path(__file__).parent / "unseen"
PARTS = (("unseen", UNSEEN), ("second unseen", UNSEEN / "second"), ("third unseen", UNSEEN / "third"))
"""What the parts are called in the figures' names, and where their documents are."""
CONFIG = Path(__file__).parents[1] / "config.toml"
SEED = 20261124
"""Another one than the examples were made with."""
OURS = ("みどり区", "みどり保健所", "東都")
"""The body to which the documents of benchmarks/unseen are addressed."""
NEVER_ROUTED = frozenset({"MISDIRECTED", "SPAM", "COVER_ONLY", "OTHER"})
"""Classes that a person always sees: that they wait is no fault."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much of it: generated faxes, unseen documents as pictures, rounds of unseen documents as text."""

    drawn: int
    pictures: int
    rounds: int


FULL, QUICK = Effort(600, 186, 10), Effort(0, 0, 5)


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its class."""

    name: str
    document_type: str
    lines: tuple[str, ...]
    """The first with ``# `` is the title."""

    @property
    def text(self) -> str:
        """As a reader would have it who reads everything."""
        return "\n".join(line.removeprefix("# ") for line in self.lines)


def unseen(folder: Path = UNSEEN) -> Iterator[Document]:
    """The documents that nothing was tuned to."""
    for file in sorted(folder.glob("*.txt")):
        for block in re.split(r"^@ ", file.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            head, *lines = block.strip().splitlines()
            code, name = head.split()[:2]
            yield Document(name, code, tuple(lines))


def measure(folder: Path, effort: Effort) -> Sequence[Figure]:
    """All figures; pictures are made and read below ``folder``."""
    how = f"{effort.rounds} rounds of damage, no pictures"
    figures: list[Figure] = []
    for part, documents in PARTS:
        figures += _figures(f"{part}, text", read_as_text(effort.rounds, documents), how)
    for name, faxes in (("unseen", effort.pictures), ("drawn", effort.drawn)):
        if faxes:
            with tempfile.TemporaryDirectory(dir=folder, prefix="knowing-") as place:
                (write_unseen if name == "unseen" else write_drawn)(Path(place), faxes)
                found = evaluation.evaluate(_config(), Path(place), _bar).outcomes
            figures += _figures(name, found, "read from pictures")
    return figures


def read_as_text(rounds: int, folder: Path) -> list[Outcome]:
    """The unseen documents of a part as they are, and so many times damaged as text."""
    known, diseases, witness = taxonomy.load(), disease.load(), model.packaged()
    house = _house(known)
    damage = training.Damage(random.Random(SEED))
    found = []
    for number in tqdm(range(rounds + 1), unit="round", file=sys.stderr):
        for one in unseen(folder):
            text = damage.done(one.text) if number else one.text
            found.append(outcome(one.name, one.document_type, text, house, known, diseases, witness))
    return found


def write_drawn(folder: Path, count: int) -> None:
    """Generated faxes of all classes in fine and standard, with all damages, and their truth."""
    book = FontBook()
    for number, commission in enumerate(tqdm(corpus(count, SEED), unit="fax", file=sys.stderr)):
        fax = make(commission, book)
        _put(folder, f"{number:04d}", fax.tiff, str(fax.truth["document_type"]), commission)


def write_unseen(folder: Path, count: int) -> None:
    """The unseen documents on sheets of paper, scanned as the generator scans; again until there are so many."""
    chance, book, documents = random.Random(SEED), FontBook(), list(unseen())
    for number in tqdm(range(count), unit="fax", file=sys.stderr):
        document = documents[number % len(documents)]
        commission = chance.choice(corpus(60, chance.randrange(2**31)))
        bits = _scanned(document, commission, book)
        _put(folder, f"{number:04d}", tiff([bits], "group4"), document.document_type, commission)


def _scanned(document: Document, commission: Commission, book: FontBook) -> tuple[object, Resolution]:
    import numpy as np

    draft = Draft.begin(commission.seed, book)
    sheet, resolution, y = draft.sheet(), RESOLUTIONS[commission.resolution], 16.0
    for line in document.lines:
        if line.startswith("# "):
            sheet.title(y, line[2:])
            y += 12
        else:
            y = sheet.para(18, y, 170, line) + 2
    noise = np.random.default_rng([commission.seed, 1])
    bits, _ = scan(sheet.image, resolution, commission.damages, noise)
    return bits, resolution


def _put(folder: Path, name: str, fax: bytes, document_type: str, commission: Commission) -> None:
    (folder / f"{name}.tif").write_bytes(fax)
    truth = {"document_type": document_type, "seed": commission.seed, "resolution": commission.resolution}
    (folder / f"{name}.json").write_text(json.dumps(truth), "utf-8")


def _house(known: taxonomy.Taxonomy) -> Organisation:
    """A city with a department for every kind, so that no class is at home by chance."""
    kinds = dict.fromkeys(kind.destination_kind for kind in known.types)
    return Organisation(departments=tuple(Department(kind, kind, kind) for kind in kinds), names=OURS)


def _config() -> Config:
    return load(CONFIG)


def _bar(total: int, unit: str) -> tqdm:
    return tqdm(total=total, unit=unit, file=sys.stderr)


def _figures(name: str, outcomes: Sequence[Outcome], how: str) -> list[Figure]:
    every = measured(outcomes)
    able = measured([one for one in outcomes if one.document_type not in NEVER_ROUTED])
    how = f"{every.faxes} faxes, {how}"
    return [
        Figure(
            f"urgent found, {name}",
            _percent(every.urgent_recall),
            "%",
            Aim(99, "at least"),
            remark=_missed(every, outcomes),
        ),
        Figure(
            f"in the right department, {name}",
            _percent(every.routed_right),
            "%",
            Aim(99.5, "at least"),
            remark=f"{every.misdirected} of {len([o for o in outcomes if not o.held])} went astray; {how}",
        ),
        Figure(
            f"routed without a person, {name}",
            _percent(able.routed),
            "%",
            Aim(90, "at least"),
            remark=f"of the {able.faxes} whose class does not always wait for one; of all {every.routed or 0:.0%}",
        ),
        Figure(f"class right, {name}", _percent(every.known), "%", remark=f"calibration {every.calibration_error:.3f}"),
    ]


def _missed(figures: Figures, outcomes: Sequence[Outcome]) -> str:
    gone = sum(one.urgent and not one.told_urgent and not one.held for one in outcomes)
    urgent = sum(row.faxes for row in figures.classes if row.urgent_recall is not None)
    return f"{figures.missed} of {urgent} missed ({gone} of them went by themselves)"


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
