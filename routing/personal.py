"""Fields that tell who a patient is: on which forms the law has them, and how they are kept from those without need.

A person's name stands on a form because a law says so, or it is not extracted at all. What is extracted is for the
fax's own department; it never goes into logs, events and subjects, and into copies only where a sink asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.disease import Disease
from routing.phrases import NOTIFICATIONS

NAMELESS = {
    "disease": "疾患名",
    "category": "感染症の類型",
    "case_type": "患者の類型",
    "reported": "報告年月日",
    "reporter": "報告者",
    "doctor": "医師の氏名",
    "institution": "医療機関・施設の名称",
    "institution_address": "医療機関・施設の所在地",
    "institution_phone": "医療機関の電話番号",
    "sex": "性別",
    "age": "診断時の年齢",
    "onset": "発病年月日",
    "first_visit": "初診年月日",
    "diagnosed": "診断年月日",
    "infected": "感染推定年月日",
    "died": "死亡年月日",
    "admitted": "入院年月日",
    "discharged": "退院年月日",
    "symptoms": "症状",
    "method": "診断方法",
    "route": "感染経路",
    "infection_place": "感染地域",
    "cause": "食中毒の原因",
    "food": "原因食品",
    "sick": "患者数",
}
"""The fields of a form that do not tell who a patient is, and what staff call them. A field that is not named here
counts as personal, also other options ticked: answers on pregnancy, HIV, work in the sex industry stand among them."""

# 感染症法53条の11 (admission and discharge), 食品衛生法63条 with its ordinance (the patient's name and place).
_NAMED_BY_LAW = frozenset({"TB_ADMISSION", "FOOD_POISONING"})


def named_by_law(document_type: str | None, disease: Disease | None) -> bool:
    """Whether the form of this class has the patient's name and address by law.

    感染症法12条1項1号: classes 1 to 4, pandemic influenza and its kin, and of class 5 those that the ordinance names
    (麻しん, 風しん, 侵襲性髄膜炎菌感染症); 2号 (every other class-5 disease): age and sex alone. The list of diseases
    says which (``patient_name_on_form``). A notification whose disease is not known is taken for one without a name.
    """
    if document_type in NOTIFICATIONS:
        return disease is not None and disease.patient_name_on_form
    return document_type in _NAMED_BY_LAW


def without_personal(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, as they are kept in JSON, that say nothing of who the patient is: a blacked-out one says nothing."""
    return {name: field for name, field in fields.items() if name in NAMELESS or _says_nothing(field)}


def _says_nothing(field: Any) -> bool:
    return isinstance(field, Mapping) and bool(field.get("masked")) and not field.get("value")
