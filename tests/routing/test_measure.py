"""Figures are counted by hand here: class, department, held, urgent, curve, calibration."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.measure import Outcome, Point, measure

GOOD = Outcome("a", "PRESS", "koho", False, "PRESS", "koho", False, held=False, confidence=0.95)


def test_nothing_measured_has_no_figures() -> None:
    figures = measure([])
    assert (figures.faxes, figures.known, figures.routed_right, figures.urgent_recall) == (0, None, None, None)
    assert (figures.classes, figures.curve, figures.calibration, figures.calibration_error) == ((), (), (), None)


def test_what_went_where() -> None:
    held = replace(GOOD, told_type="OTHER", told_department="bunsho", held=True, confidence=0.4)
    astray = replace(GOOD, told_type="COMPLAINT", told_department="bunsho", confidence=0.9)
    neighbour = replace(GOOD, told_type="COMPLAINT", confidence=0.85)
    figures = measure([GOOD, held, astray, neighbour])
    assert (figures.known, figures.routed, figures.routed_right) == (0.25, 0.75, pytest.approx(2 / 3))
    assert figures.misdirected == 1
    assert figures.confusion == (("PRESS", "COMPLAINT", 2), ("PRESS", "OTHER", 1))


def test_an_urgent_fax_is_found_when_it_is_held_as_urgent() -> None:
    urgent = replace(GOOD, document_type="LIFELINE", urgent=True, told_urgent=True)
    asked = replace(urgent, told_type="COMPLAINT", held=True)
    missed = replace(urgent, told_type="COMPLAINT", told_urgent=False)
    figures = measure([urgent, asked, asked, missed, GOOD])
    assert (figures.urgent_recall, figures.missed) == (0.75, 1)
    (of_class,) = [row for row in figures.classes if row.document_type == "LIFELINE"]
    assert (of_class.faxes, of_class.recall, of_class.held, of_class.urgent_recall) == (4, 0.0, 0.5, 0.75)
    (other,) = [row for row in figures.classes if row.document_type == "PRESS"]
    assert (other.urgent_recall, other.precision) == (None, 0.5)


def test_the_curve_goes_from_the_surest_fax_to_the_least_sure() -> None:
    wrong = replace(GOOD, told_department="bunsho")
    confidences = ((GOOD, 0.9), (wrong, 0.5), (GOOD, 0.9), (GOOD, 0.2))
    figures = measure([replace(outcome, confidence=sure) for outcome, sure in confidences])
    assert figures.curve == (Point(0.9, 0.5, 0.0), Point(0.5, 0.75, pytest.approx(1 / 3)), Point(0.2, 1.0, 0.25))


def test_calibration_holds_what_was_said_against_what_was() -> None:
    wrong = replace(GOOD, told_type="SPAM")
    figures = measure([replace(GOOD, confidence=1.0), replace(wrong, confidence=0.9), replace(wrong, confidence=0.1)])
    assert [(b.faxes, b.confidence, b.right) for b in figures.calibration] == [(1, 0.1, 0.0), (2, 0.95, 0.5)]
    assert figures.calibration_error == pytest.approx((0.1 + 2 * 0.45) / 3)


outcomes = st.builds(
    Outcome, st.just("x"), st.sampled_from("ABC"), st.sampled_from(("d", "e", None)), st.booleans(),
    st.sampled_from(("A", "B", "C", None)), st.sampled_from(("d", "e", None)), st.booleans(), st.booleans(),
    st.floats(0, 1),
)  # fmt: skip


@given(st.lists(outcomes, min_size=1, max_size=80))
def test_figures_are_shares_and_every_fax_is_counted(found: list[Outcome]) -> None:
    figures = measure(found)
    assert sum(row.faxes for row in figures.classes) == sum(b.faxes for b in figures.calibration) == len(found)
    assert figures.curve[-1].coverage == 1
    assert [p.coverage for p in figures.curve] == sorted(p.coverage for p in figures.curve)
    wrong = sum(count for _, _, count in figures.confusion)
    assert figures.known == pytest.approx(1 - wrong / len(found))
    for share in (figures.known, figures.routed, figures.routed_right, figures.urgent_recall):
        assert share is None or 0 <= share <= 1
