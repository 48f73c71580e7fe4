"""Who the patient is: kept from those without need."""

from __future__ import annotations

from datetime import date

import pytest

from routing import disease
from routing.personal import NAMELESS, named_by_law, without_personal

DISEASES = disease.load().on(date(2026, 11, 23))


def test_without_what_tells_who_the_patient_is() -> None:
    fields = {
        "disease": {"value": "麻しん"},
        "patient_name": {"value": "田中 葵"},
        "patient_address": {"value": "", "masked": True},
        "age": {"value": "35"},
    }
    assert without_personal(fields) == {name: fields[name] for name in ("disease", "patient_address", "age")}
    for name in ("patient_name", "born", "ticked", "what somebody adds one day"):
        assert without_personal({name: "x"}) == {}
        assert without_personal({name: {"value": "x", "masked": True}}) == {}
    assert without_personal(dict.fromkeys(NAMELESS, "x")) == dict.fromkeys(NAMELESS, "x")


@pytest.mark.parametrize(
    ("document_type", "name", "named"),
    [
        ("DISEASE_IMMEDIATE", "麻しん", True),
        ("TB_REPORT", "結核", True),
        ("DISEASE_7DAY", "梅毒", False),
        ("DISEASE_IMMEDIATE", None, False),
        ("TB_ADMISSION", None, True),
        ("FOOD_POISONING", None, True),
        ("OUTBREAK_FACILITY", None, False),
        (None, "麻しん", False),
    ],
)
def test_forms_that_have_the_name_by_law(document_type: str | None, name: str | None, named: bool) -> None:
    assert named_by_law(document_type, DISEASES.named(name) if name else None) is named


def test_every_disease_of_classes_one_to_four_is_notified_by_name() -> None:
    """感染症法12条1項1号; of class 5 the ordinance names three."""
    zensu = [d for d in DISEASES.rows if d.every_case]
    assert all(d.patient_name_on_form for d in zensu if d.category[:2] in {"一類", "二類", "三類", "四類"})
    assert {d.name for d in zensu if d.category.startswith("五類") and d.patient_name_on_form} == {
        "麻しん",
        "風しん",
        "侵襲性髄膜炎菌感染症",
    }
