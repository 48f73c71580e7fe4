"""What people's corrections teach: a new model, tried against the one in use, and the one that decides now.

A correction is an example as soon as it is made: the event names the class, the person and the time, the text stands in
the pages. The model's bytes lie in the spool and its row in the database, so all hosts decide alike; a worker looks for
a newer row before each decision and needs no restart. No text leaves the database: a model holds sums over hashed runs
of characters, its card numbers alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from gateway.config import Config
from gateway.errors import SpoolError
from gateway.models import LearnedModel, now
from gateway.progress import Watch
from gateway.spool import Spool
from gateway.store import Store
from routing import model as models
from routing.decide import decide, department_for
from routing.department import Organisation
from routing.disease import Diseases
from routing.errors import ModelError
from routing.facts import Facts, PageFacts
from routing.measure import Figures, Outcome, measure
from routing.model import Model
from routing.taxonomy import Taxonomy

if TYPE_CHECKING:  # loads scikit-learn, which nobody needs who only decides
    from routing.training import Example

WEIGHT = 4.0
"""A correction counts as much as so many of the examples that ship: it is a fax that really came."""
TRIED = 600
"""Examples that ship on which both models are tried, beside every correction."""

log = structlog.get_logger("learning")


class Learned:
    """The model that decides now; the one that ships where nothing was learned, or what was learned cannot be read."""

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store, self._spool = store, spool
        self._known: tuple[str, Model] | None = None

    def __call__(self) -> Model:
        """One short query; the bytes are read when the model is another than before."""
        row = self._store.lessons.model_in_use()
        name = row.sha256 if row is not None else ""
        if self._known is None or self._known[0] != name:
            self._known = name, self._read(name)
        return self._known[1]

    def _read(self, digest: str) -> Model:
        if digest:
            try:
                return models.from_bytes(self._spool.get(digest))
            except (ModelError, SpoolError) as error:  # faxes go on being decided
                log.error("model", model=digest, error=type(error).__name__)
        return models.packaged()


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of learning."""

    taken: bool
    why: str
    """A sentence for the administrator."""
    corrections: int
    new: int
    """Corrections that the model in use has not learned."""
    candidate: Figures | None = None
    in_use: Figures | None = None
    model: str | None = None
    """SHA-256 of the new model, when it took over."""

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` tells it: the figures without curves."""
        told = asdict(self)
        for name in ("candidate", "in_use"):
            figures = getattr(self, name)
            told[name] = _short(figures) if figures is not None else None
        return told


def _short(figures: Figures) -> dict[str, float | int | None]:
    names = ("faxes", "known", "routed", "routed_right", "misdirected", "urgent_recall", "missed")
    return {name: getattr(figures, name) for name in names}


@dataclass(frozen=True, slots=True)
class School:
    """Learns from corrections."""

    config: Config
    store: Store
    spool: Spool
    taxonomy: Taxonomy
    diseases: Diseases

    def learn(self, who: str, watch: Watch) -> Lesson:
        """Train on what ships and on every correction; take over when not worse than the model in use."""
        from routing import training  # scikit-learn: a second and 100 MB

        corrected = self._corrected()
        row = self.store.lessons.model_in_use()
        until = int(row.card.get("until", 0)) if row is not None else 0
        new = sum(number > until for number, _ in corrected)
        if not new:
            return Lesson(False, "新しい訂正がないため、学習することがありません。", len(corrected), 0)
        base = training.packaged()
        before = [*base, *(example for number, example in corrected if number <= until)]
        after = [*base, *(example for _, example in corrected)]
        candidate, in_use = self._tried(before, after, len(base), watch)
        if worse := _worse(candidate, in_use):
            return Lesson(False, worse, len(corrected), new, candidate, in_use)
        moment = now()
        card = {
            "made": moment.isoformat(),
            "by": "faxless learn",
            "corrections": len(corrected),
            "until": max(number for number, _ in corrected),
            "figures": _short(candidate),
            "before": _short(in_use),
        }
        digest = self._take(training.train(after, card), who, moment)
        return Lesson(True, "学習したモデルに替えました。", len(corrected), new, candidate, in_use, digest)

    def _corrected(self) -> list[tuple[int, Example]]:
        from routing.training import Example

        return [
            (event.id or 0, Example(str(event.detail["after"]["type"]), text, f"fax {event.fax_id}", WEIGHT))
            for event, text in self.store.lessons.corrections()
            if len(text.strip()) and self.taxonomy.get(event.detail["after"]["type"]) is not None
        ]

    def _tried(
        self, before: Sequence[Example], after: Sequence[Example], shipped: int, watch: Watch
    ) -> tuple[Figures, Figures]:
        """Both, each trained without the examples that it is asked about: the candidate's figures, the other's."""
        from routing import training

        temperature = models.packaged().temperature
        places = sorted(random.Random(training.SEED).sample(range(shipped), min(TRIED, shipped)))  # noqa: S311 - no secret
        asked = {*places, *range(shipped, len(after))}
        known = {id(example) for example in before}
        outcomes: tuple[list[Outcome], list[Outcome]] = ([], [])
        parted = training.folds(after)
        with watch(2 * len(parted), "model") as bar:
            for here, there in parted:
                lessons = [after[place] for place in here]
                for heard, told in ((lessons, outcomes[0]), ([e for e in lessons if id(e) in known], outcomes[1])):
                    model = training.fitted(heard, temperature)
                    told += [self._outcome(after[place], model) for place in there if place in asked]
                    bar.update(1)
        return measure(outcomes[0]), measure(outcomes[1])

    def _outcome(self, example: Example, model: Model) -> Outcome:
        return outcome(
            example.layout, example.document_type, example.text, self.config.organisation, self.taxonomy, self.diseases,
            model,
        )  # fmt: skip

    def _take(self, model: Model, who: str, moment: datetime) -> str:
        digest = self.spool.put(models.to_bytes(model))
        self.store.lessons.take_over(LearnedModel(sha256=digest, at=moment, who=who, card=dict(model.card)))
        return digest


def outcome(
    name: str,
    document_type: str,
    text: str,
    organisation: Organisation,
    taxonomy: Taxonomy,
    diseases: Diseases,
    model: Model,
) -> Outcome:
    """What would be decided on a document of this text (a form feed between pages), without any line's default."""
    pages = tuple(PageFacts(number, page) for number, page in enumerate(text.split("\f"), 1))
    told = decide(Facts("", now(), pages), organisation, taxonomy, diseases, model)
    kind = taxonomy.get(document_type)
    served = department_for(organisation, kind) if kind is not None else None
    return Outcome(
        name=name,
        document_type=document_type,
        department=served.id if served is not None else None,
        urgent=kind is not None and kind.critical,
        told_type=told.document_type,
        told_department=told.department,
        told_urgent=told.urgent,
        held=told.held,
        confidence=told.confidence or 0.0,
    )


def _worse(candidate: Figures, in_use: Figures) -> str:
    """Why the candidate must not take over; empty when it may.

    Faults are counted, not shares: one that holds a fax more would else be worse by the thousandth part of a per cent.
    """
    for what, new, old in (
        ("緊急のFAXを見落とす", candidate.missed, in_use.missed),
        ("誤った部署に送る", candidate.misdirected, in_use.misdirected),
    ):
        if new > old:
            return f"新しいモデルは{what}件数が今のモデルより多いため、替えませんでした({old}件 → {new}件)。"
    return ""
