"""The administrator's rules."""

from __future__ import annotations

from datetime import datetime

import pytest

from routing import taxonomy
from routing.clock import JST
from routing.contradictions import check_rules
from routing.department import Condition, Department, Line, Organisation, Rule
from routing.facts import Facts, PageFacts
from routing.rules import first_rule

TAXONOMY = taxonomy.load()
FACTS = Facts(
    line="main",
    received_at=datetime(2026, 11, 23, 10, 0, tzinfo=JST),
    pages=(PageFacts(1, "給 食 注文書\nアンケ一ト"),),
    caller="+81353881396",
    tsi="81 3 5388 1396",
    barcodes=("FORM-17-2026",),
)


def met(*rules: Rule) -> str | None:
    rule, _ = first_rule(Organisation(rules=rules), FACTS, "PROCUREMENT")
    return rule.name if rule else None


@pytest.mark.parametrize(
    "when",
    [
        Condition(barcode="FORM-17-2026"),
        Condition(barcode="FORM-17*"),
        Condition(caller="+81353881396"),
        Condition(caller="03-5388-1396"),
        Condition(caller="+813*"),
        Condition(caller="03-5388*"),
        Condition(type="PROCUREMENT"),
        Condition(text="給食注文書"),
        Condition(text="見当たらない|アンケート"),
        Condition(tsi="03-5388-1396"),
        Condition(line="main"),
        Condition(caller="03*", type="PROCUREMENT", text="注文書", line="main", barcode="FORM*", tsi="+813*"),
    ],
)
def test_a_condition_that_holds(when: Condition) -> None:
    assert met(Rule("r", when, department="d")) == "r"


@pytest.mark.parametrize(
    "when",
    [
        Condition(),
        Condition(barcode="FORM-17"),
        Condition(caller="+81353881397"),
        Condition(caller="04*"),
        Condition(type="COMPLAINT"),
        Condition(text="請求書"),
        Condition(text="|"),
        Condition(tsi="03-5388-1397"),
        Condition(line="other"),
        Condition(line="main", type="COMPLAINT"),
    ],
)
def test_a_condition_that_does_not_hold(when: Condition) -> None:
    assert met(Rule("r", when, department="d")) is None


def test_the_order_of_kinds_goes_before_the_order_of_the_file() -> None:
    by_line = Rule("line", Condition(line="main"))
    by_text = Rule("text", Condition(text="注文書"))
    by_type = Rule("type", Condition(type="PROCUREMENT"))
    by_caller = Rule("caller", Condition(caller="03*"))
    by_barcode = Rule("barcode", Condition(barcode="FORM*"))
    order = [by_line, by_text, by_type, by_caller, by_barcode]
    expected = ["barcode", "caller", "type", "text", "line"]
    for name in expected:
        assert met(*order) == name
        order = [rule for rule in order if rule.name != name]


def test_rules_of_one_kind_go_by_the_file() -> None:
    assert met(Rule("first", Condition(text="注文書")), Rule("second", Condition(text="給食"))) == "first"


def test_a_withheld_number_meets_no_caller_rule() -> None:
    withheld = Facts("main", FACTS.received_at)
    assert first_rule(Organisation(rules=(Rule("r", Condition(caller="*")),)), withheld, None) == (None, "")


def test_a_sound_organisation_has_no_mistakes() -> None:
    organisation = Organisation(
        departments=(Department("a", "甲"), Department("b", "乙")),
        lines=(Line("main", "fax@x.example", "+81355551000", "a"),),
        rules=(
            Rule("一", Condition(caller="03-5388-1396"), department="a"),
            Rule("二", Condition(type="PROCUREMENT"), department="b", urgent=False),
        ),
    )
    assert check_rules(organisation, TAXONOMY) == ()


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (Rule("r", Condition(), department="a"), "条件がない"),
        (Rule("r", Condition(line="main")), "何も決めません"),
        (Rule("r", Condition(line="main"), department="nobody"), "部署「nobody」"),
        (Rule("r", Condition(line="main"), type="NOTHING"), "種別「NOTHING」"),
        (Rule("r", Condition(type="NOTHING"), department="a"), "条件の種別「NOTHING」"),
        (Rule("r", Condition(line="nowhere"), department="a"), "回線「nowhere」"),
        (Rule("r", Condition(caller="5388-1396"), department="a"), "電話番号ではありません"),
        (Rule("r", Condition(barcode="*"), department="a"), "すべてに当てはまります"),
        (Rule("r", Condition(text=" | "), department="a"), "語句が空"),
    ],
)
def test_each_mistake_in_a_rule_is_named(rule: Rule, word: str) -> None:
    organisation = Organisation((Department("a", "甲"),), (Line("main", "fax@x.example"),), (rule,))
    mistakes = check_rules(organisation, TAXONOMY)
    assert len(mistakes) == 1
    assert word in mistakes[0]


def test_all_mistakes_at_once() -> None:
    organisation = Organisation(
        departments=(Department("a", "甲"), Department("a", "乙")),
        lines=(Line("main", "fax@x.example", "12", "nobody"), Line("second", "FAX@x.example")),
        rules=(
            Rule("一", Condition(caller="03-5388-1396"), department="a"),
            Rule("二", Condition(caller="+81 3 5388 1396"), department="a"),
        ),
    )
    mistakes = "\n".join(check_rules(organisation, TAXONOMY))
    for word in (
        "部署「nobody」",
        "番号「12」",
        "部署「a」が2つ",
        "回線のアドレス",
        "規則「二」は、同じ条件の規則「一」",
    ):
        assert word in mistakes
