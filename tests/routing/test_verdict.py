"""Two witnesses, one verdict: agreement makes sure, disagreement makes a question, urgency is never outvoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.model import Opinion
from routing.verdict import Verdict, together

CODES = ("PRESS", "COMPLAINT", "SPAM", "LIFELINE", "DISASTER", "OTHER")
CRITICAL = {"LIFELINE", "DISASTER"}


def seen(**shares: float) -> Opinion:
    left = (1 - sum(shares.values())) / (len(CODES) - len(shares))
    told = {code: shares.get(code, left) for code in CODES}
    return Opinion(tuple(sorted(told.items(), key=lambda pair: -pair[1])))


def verdict(told: str, opinion: Opinion, **scores: float) -> Verdict:
    return together(scores, told, opinion, CRITICAL)


def test_witnesses_that_agree_are_sure() -> None:
    found = verdict("PRESS", seen(PRESS=0.9), PRESS=3.0)
    assert found.code == "PRESS"
    assert found.confidence > 0.95
    assert found.classes == (("PRESS", found.confidence),)
    assert found.maybe is None


def test_a_model_that_firmly_disagrees_makes_a_question() -> None:
    found = verdict("PRESS", seen(COMPLAINT=0.6), PRESS=3.0)
    assert (found.code, found.confidence) == ("PRESS", 0.5)


def test_the_model_never_outvotes_phrases() -> None:
    found = verdict("PRESS", seen(COMPLAINT=0.999), PRESS=0.9)
    assert found.code == "PRESS"
    assert found.confidence <= 0.5


def test_the_model_speaks_where_phrases_are_silent_and_decides_with_a_word_of_theirs() -> None:
    alone = verdict("OTHER", seen(COMPLAINT=0.99))
    assert (alone.code, alone.confidence) == ("COMPLAINT", 0.5)
    together = verdict("OTHER", seen(COMPLAINT=0.99), COMPLAINT=0.25)
    assert together.code == "COMPLAINT"
    assert together.confidence > 0.8


@pytest.mark.parametrize(("code", "decides"), [("COMPLAINT", True), ("LIFELINE", False), ("SPAM", False)])
def test_the_model_alone_decides_only_what_somebody_must_have_and_is_not_urgent(code: str, decides: bool) -> None:
    found = verdict("OTHER", seen(**{code: 0.9999}))
    assert found.code == code
    assert (found.confidence > 0.97) is decides
    assert decides or found.confidence == 0.5


def test_the_model_alone_never_decides_what_may_tell_of_somebody_s_health() -> None:
    found = together({}, "OTHER", seen(PRESS=0.9999), CRITICAL, guarded={"PRESS"})
    assert (found.code, found.confidence) == ("PRESS", 0.5)
    heard = together({"PRESS": 0.25}, "OTHER", seen(PRESS=0.9999), CRITICAL, guarded={"PRESS"})
    assert heard.confidence > 0.97


@pytest.mark.parametrize(
    ("told", "evidence", "word", "to"),
    [
        ("PRESS", 1.6, 0.25, "COMPLAINT"),
        ("PRESS", 3.0, 0.25, "PRESS"),  # a title stands
        ("PRESS", 1.6, 0.0, "PRESS"),  # not a word for the other
        ("LIFELINE", 1.6, 0.25, "LIFELINE"),  # never away from what is urgent
        ("SPAM", 1.6, 0.25, "SPAM"),
    ],
)
def test_phrases_that_are_no_title_give_way_to_both_witnesses(told: str, evidence: float, word: float, to: str) -> None:
    shares = dict.fromkeys(CODES, 1e-07) | {"COMPLAINT": 1 - 5e-7}
    opinion = Opinion(tuple(sorted(shares.items(), key=lambda pair: -pair[1])))
    found = together({told: evidence, "COMPLAINT": word}, told, opinion, CRITICAL)
    assert found.code == to
    assert (found.confidence > 0.9) is (to == "COMPLAINT")


def test_where_nobody_knows_it_is_nothing_known() -> None:
    found = verdict("OTHER", seen())
    assert found.code == "OTHER"
    assert found.confidence < 0.5
    assert found.maybe is None, "even shares are no hint"


@pytest.mark.parametrize("told", ["PRESS", "OTHER"])
def test_something_urgent_that_the_model_sees_is_shown(told: str) -> None:
    found = verdict(told, seen(LIFELINE=0.45, PRESS=0.5), PRESS=3.0 if told == "PRESS" else 0.0)
    assert found.maybe is not None
    assert found.maybe[0] == "LIFELINE"


def test_something_urgent_that_phrases_see_is_shown_though_the_model_does_not() -> None:
    found = verdict("LIFELINE", seen(PRESS=0.98), LIFELINE=1.0)
    assert found.code == "LIFELINE"
    assert found.confidence <= 0.5


def test_a_class_of_the_site_is_known_by_its_phrases() -> None:
    found = verdict("PARKING", seen(PRESS=0.3), PARKING=3.8)
    assert found.code == "PARKING"
    assert found.confidence > 0.8


@given(
    st.dictionaries(st.sampled_from((*CODES, "PARKING")), st.floats(0, 7), max_size=4),
    st.lists(st.floats(0.001, 1), min_size=len(CODES), max_size=len(CODES)),
)
def test_a_verdict_is_always_one(scores: dict[str, float], weights: list[float]) -> None:
    shares = sorted(zip(CODES, (w / sum(weights) for w in weights), strict=True), key=lambda pair: -pair[1])
    told = max(scores, key=lambda code: scores[code], default="OTHER")
    found = together(scores, told, Opinion(tuple(shares)), CRITICAL)
    assert 0 <= found.confidence <= 1
    assert sum(share for _, share in found.classes) <= 1 + 1e-9
    assert found.code in {told, "PARKING", *CODES}
    if told in CRITICAL:
        assert found.code == told
    if found.maybe is not None:
        assert found.code not in CRITICAL
        assert found.maybe[0] in CRITICAL
