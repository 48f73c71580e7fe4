"""By when: at once, in hours, in days without the first; which disease goes before which form; years' ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import disease, taxonomy
from routing.clock import JST, due

KINDS = taxonomy.load()
DISEASES = disease.load()
RECEIVED = datetime(2026, 11, 24, 10, 0, tzinfo=JST)
SEVEN = KINDS.get("DISEASE_7DAY")


def last(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 23, 59, 59, tzinfo=JST)


@pytest.mark.parametrize(
    ("code", "at"),
    [
        ("DISEASE_IMMEDIATE", RECEIVED),
        ("TB_REPORT", RECEIVED),
        ("FOOD_POISONING", RECEIVED),
        ("CHILD_WELFARE", RECEIVED + timedelta(hours=48)),
        ("DISEASE_7DAY", last(2026, 12, 1)),
        ("TB_ADMISSION", last(2026, 12, 1)),
        ("PROCUREMENT", None),
    ],
)
def test_by_class(code: str, at: datetime | None) -> None:
    found = due(KINDS.get(code), RECEIVED)
    assert (found.at if found else None) == at


def test_no_class_has_no_clock() -> None:
    assert due(None, RECEIVED) is None


@pytest.mark.parametrize("name", ["麻しん", "風しん", "侵襲性髄膜炎菌感染症"])
def test_three_of_class_five_are_due_at_once_on_whatever_form(name: str) -> None:
    row = DISEASES.named(name)
    assert row is not None
    assert row.category.startswith("五類")
    found = due(SEVEN, RECEIVED, date(2026, 11, 20), row)
    assert found is not None
    assert found.at == RECEIVED
    assert name in found.why


def test_every_other_disease_of_class_five_has_seven_days_from_its_diagnosis() -> None:
    others = [row for row in DISEASES.rows if row.category.startswith("五類") and row.every_case and row.deadline_hours]
    assert len(others) > 15
    for row in others:
        found = due(SEVEN, RECEIVED, date(2026, 11, 20), row)
        assert found is not None
        assert found.at == last(2026, 11, 27), row.name


def test_an_admission_counts_from_reception_whatever_day_of_diagnosis_it_names() -> None:
    found = due(KINDS.get("TB_ADMISSION"), RECEIVED, date(2026, 11, 20))
    assert found is not None
    assert found.at == last(2026, 12, 1)


@pytest.mark.parametrize(
    ("diagnosed", "at", "closed"),
    [
        ((2026, 11, 16), last(2026, 11, 23), True),  # 勤労感謝の日: not moved to the 24th
        ((2026, 12, 25), last(2027, 1, 1), True),
        ((2026, 11, 17), last(2026, 11, 24), False),
    ],
)
def test_a_last_day_off_is_said_and_not_moved(diagnosed: tuple[int, int, int], at: datetime, closed: bool) -> None:
    found = due(SEVEN, datetime(2026, 12, 28, 9, 0, tzinfo=JST), date(*diagnosed))
    assert found is not None
    assert found.at == at
    assert ("閉庁日" in found.why) is closed


def test_the_day_changes_at_midnight_in_tokyo() -> None:
    before = due(SEVEN, datetime(2026, 12, 31, 14, 59, tzinfo=UTC))
    after = due(SEVEN, datetime(2026, 12, 31, 15, 0, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert (before.at, after.at) == (last(2027, 1, 7), last(2027, 1, 8))


@given(
    st.integers(0, 15 * 365 * 86_400).map(lambda second: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=second)),
    st.none() | st.dates(date(2018, 1, 1), date(2037, 1, 1)),
)
def test_seven_days_end_within_eight_of_reception_and_a_misread_diagnosis_changes_nothing(
    received: datetime, diagnosed: date | None
) -> None:
    found, plain = due(SEVEN, received, diagnosed), due(SEVEN, received)
    assert found is not None
    assert plain is not None
    assert timedelta(days=7) <= plain.at - received < timedelta(days=8)
    assert found.at <= plain.at
    day = received.astimezone(JST).date()
    if diagnosed is None or diagnosed > day or diagnosed < day - timedelta(days=366):
        assert found.at == plain.at
    else:
        assert found.at.astimezone(JST).date() - diagnosed == timedelta(days=7)
