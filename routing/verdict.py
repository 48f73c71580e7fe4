"""Two witnesses, one verdict: phrases, which can be pointed at, and the learned model, which also knows damaged words.

The shares of the classes are ``exp(2 * score) * p ** 0.75``, brought to sum 1: ``score`` the evidence of the phrases,
``p`` the model's share. Both numbers were fitted (greatest likelihood) on damaged documents whose layout the model had
not seen; the model counts for less than one because both witnesses read the same words. The model never outvotes a
title, and of what is urgent or may tell of somebody's health it never decides alone: then the confidence is that of a
question to a person.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from routing.model import Opinion

_OF_PHRASES, _OF_MODEL = 2.0, 0.75
_LEAST_SHARE = 1e-6
_A_QUESTION = 0.5
"""The confidence at the most where the witnesses disagree, or only one of them has anything to say."""
_A_WORD, _WORDS = 0.25, 0.5
"""One keyword, and two; one is enough where the share is very high. Without them the model is alone."""
_SURE = 0.97
"""From this share on the model may decide alone, and against phrases that are no title, where a word is with it."""
_A_TITLE = 2.0
"""The evidence of a title that stands for itself: whatever the model says, it is not outvoted."""
_NOTHING_FOR_US = frozenset({"OTHER", "COVER_ONLY", "SPAM"})
"""Classes of which something is missing or that nobody must have: the model alone neither leads to them nor away."""
_ALONE = 0.25
"""Below this share a class that no phrase tells of is no class at all."""
_FIRM = 0.5
"""From this share on the model's own word is a word against the phrases'."""
_SET = 0.95
_MAYBE, _MAYBE_ALONE = 0.10, 0.40
"""From these shares on (of both witnesses, of the model alone) a critical class is shown to a person."""
_MAYBE_UNTOLD = 0.04
"""The first of them where no phrase names a class: a cry for help has no title."""
_KNOWS = 0.30
"""A model whose likeliest class has less than this knows nothing of such a text: its shares are no hint."""
TELLING = 20
"""Folded characters below which the model is not asked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both witnesses together say."""

    code: str
    confidence: float
    classes: tuple[tuple[str, float], ...]
    """The likeliest classes with their shares, as many as make 95 %."""
    maybe: tuple[str, float] | None
    """A critical class that cannot be ruled out beside one that is not, with its share."""


def together(
    scores: Mapping[str, float],
    told: str,
    opinion: Opinion,
    critical: Collection[str],
    guarded: Collection[str] = frozenset(),
) -> Verdict:
    """The verdict on a document.

    ``scores``: the phrases' evidence for each class; ``told``: the class that they name, ``OTHER`` when they name none;
    ``critical``: the classes whose loss is far worse than a question; ``guarded``: more classes that need a word of the
    phrases', however sure the model is, because such faxes tell of somebody's health.
    """
    shares = _shares(scores, opinion)
    first = max(shares, key=lambda code: shares[code])
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])
    if told not in critical and _outvoted(scores, told, first, shares[first]):
        told = "OTHER"
    code = told if told != "OTHER" else first if shares[first] >= _ALONE else "OTHER"
    disagree = code != first or (opinion.first != code and opinion.of(opinion.first) >= _FIRM)
    heard = code in {*critical, *guarded, *_NOTHING_FOR_US}
    alone = told == "OTHER" and scores.get(code, 0.0) < _words_needed(shares.get(code, 0.0), heard)
    least = _MAYBE_UNTOLD if told == "OTHER" else _MAYBE
    return Verdict(
        code=code,
        confidence=min(shares.get(code, 0.0), _A_QUESTION) if disagree or alone else shares[code],
        classes=_set(ranked),
        maybe=None if code in critical else _maybe(shares, opinion, critical, least),
    )


def _outvoted(scores: Mapping[str, float], told: str, first: str, share: float) -> bool:
    """Whether phrases that are no title name ``told``, and both witnesses together almost surely ``first``."""
    return (
        not {told, first} & _NOTHING_FOR_US
        and scores.get(told, 0.0) < _A_TITLE
        and scores.get(first, 0.0) >= _A_WORD
        and share >= _SURE
        and first != told
    )


def _words_needed(share: float, heard: bool) -> float:
    """The evidence of phrases without which the model is alone, where they name no class."""
    if share < _SET:
        return _WORDS
    return _A_WORD if heard or share < _SURE else 0.0


def _shares(scores: Mapping[str, float], opinion: Opinion) -> dict[str, float]:
    even = 1 / len(opinion.shares)  # what a class gets of which the model has never heard
    known = dict(opinion.shares)
    sums = {
        code: _OF_PHRASES * scores.get(code, 0.0) + _OF_MODEL * math.log(max(known.get(code, even), _LEAST_SHARE))
        for code in {**known, **scores}
    }
    most = max(sums.values())
    raised = {code: math.exp(value - most) for code, value in sums.items()}
    whole = sum(raised.values())
    return {code: value / whole for code, value in raised.items()}


def _set(ranked: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    kept, sure = [], 0.0
    for code, share in ranked:
        kept.append((code, share))
        sure += share
        if sure >= _SET:
            break
    return tuple(kept)


def _maybe(
    shares: Mapping[str, float], opinion: Opinion, critical: Collection[str], least: float
) -> tuple[str, float] | None:
    urgent = {code: max(shares[code], opinion.of(code)) for code in shares if code in critical}
    code = max(urgent, key=lambda code: urgent[code], default=None)
    if code is None:
        return None
    likely = sum(shares[code] for code in urgent) >= least and opinion.of(opinion.first) >= _KNOWS
    alone = sum(opinion.of(code) for code in urgent) >= _MAYBE_ALONE  # which of them it is, it need not know
    return (code, urgent[code]) if likely or alone else None
