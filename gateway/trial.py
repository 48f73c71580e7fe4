"""Today's rules over the faxes that came last: what would be decided differently. Nothing is written.

Each fax is judged again from its pages as they were read; what a person said of it is held against both answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway.inbox import Query
from gateway.models import Fax, Page, State
from gateway.store import Decided, Store

Judge = Callable[[Fax, list[Page]], Decided]
"""Says what a fax with these pages is and where it goes (gateway.pipeline)."""
Progress = Callable[[list[Fax]], Iterable[Fax]]
Verdict = Literal["right", "held", "wrong"]
"""Of a fax that a person corrected: as the person said, left to a person, or something else."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided of a fax."""

    department: str | None
    type: str | None
    urgent: bool
    held: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """One fax before and after."""

    fax_id: str
    before: Outcome
    after: Outcome
    rule: str | None
    """The rule that would decide."""
    corrected: Verdict | None
    """For a fax that a person corrected: how today's answer stands to the person's."""

    @property
    def changes(self) -> tuple[str, ...]:
        """What would be different, by the names of :class:`Outcome`."""
        return tuple(
            name
            for name in ("department", "type", "urgent", "held")
            if getattr(self.before, name) != getattr(self.after, name)
        )


def over(store: Store, judge: Judge, last: int, progress: Progress = lambda faxes: faxes) -> list[Tried]:
    """The last so many faxes that came, judged again; ``progress`` is given them one by one."""
    faxes = settled(store.inbox.find(Query(notices=False, limit=last))[0])
    said = store.lessons.answered_before([fax.id for fax in faxes if fax.corrected_by])
    return [judged_again(fax, store.pages(fax.id), judge, outcome_of(fax, said.get(fax.id))) for fax in progress(faxes)]


def settled(faxes: Iterable[Fax]) -> list[Fax]:
    """Those that can be judged again: whole faxes whose journey has ended, by themselves."""
    return [
        fax
        for fax in faxes
        if fax.kind == "fax"
        and fax.joined_into is None
        and fax.destroyed_at is None
        and fax.state in (State.ROUTED, State.HELD)
    ]


def judged_again(fax: Fax, pages: list[Page], judge: Judge, before: Outcome) -> Tried:
    """One fax under today's rules; ``before`` is what was decided without a person."""
    # Its row holds the reasons of the decision by now; judging begins with what opening it told.
    opened = Fax(**{**fax.model_dump(), "held_because": list(fax.unopened)})
    decided = judge(opened, pages)
    after = Outcome(decided.department, decided.document_type, decided.urgent, decided.held)
    return Tried(fax.id, before, after, decided.rule, _verdict(fax, after) if fax.corrected_by else None)


def outcome_of(fax: Fax, said: dict[str, Any] | None = None) -> Outcome:
    """What was decided of a fax; ``said``: what stood there before a person corrected it for the first time."""
    if said is None:
        return Outcome(fax.department, fax.document_type, fax.urgent, fax.state == State.HELD)
    return Outcome(said.get("department"), said.get("type"), bool(said.get("urgent")), bool(said.get("held")))


def _verdict(fax: Fax, after: Outcome) -> Verdict:
    if after.held:
        return "held"
    return "right" if (after.department, after.type) == (fax.department, fax.document_type) else "wrong"


def as_json(tried: Sequence[Tried]) -> dict[str, Any]:
    """All of it for programs; keys are only ever added."""
    changed = [one for one in tried if one.changes]
    return {
        "faxes": len(tried),
        "unchanged": len(tried) - len(changed),
        "summary": {name: sum(name in one.changes for one in changed) for name in Outcome.__slots__},
        "rules": dict(Counter(one.rule for one in tried if one.rule).most_common()),
        "corrected": {
            "faxes": sum(one.corrected is not None for one in tried),
            **{verdict: sum(one.corrected == verdict for one in tried) for verdict in ("right", "held", "wrong")},
        },
        "changed": [
            {
                "id": one.fax_id,
                "changes": list(one.changes),
                "before": _outcome_json(one.before),
                "after": _outcome_json(one.after),
                "rule": one.rule,
                "corrected": one.corrected,
            }
            for one in changed
        ],
    }


def _outcome_json(one: Outcome) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Outcome.__slots__}
