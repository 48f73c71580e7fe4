"""Rules that stand in each other's way, and rules that no fax can meet."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import taxonomy
from routing.contradictions import check_rules, idle_rules
from routing.decide import JST
from routing.department import Condition, Department, Line, Organisation, Rule
from routing.facts import Facts, Institution, PageFacts, Sender
from routing.rules import first_rule

TAXONOMY = taxonomy.load()
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=JST)
LINES = (Line("main", "fax@x.example"), Line("second", "two@x.example"))


def idle(*rules: Rule) -> dict[str, str]:
    return {rule.name: why for rule, why in idle_rules(Organisation((Department("a", "甲"),), LINES, rules))}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Condition(caller="03*"), Condition(caller="03-5388-1396")),
        (Condition(caller="+813*"), Condition(caller="03-5388*", type="PROCUREMENT")),
        (Condition(barcode="FORM*"), Condition(barcode="FORM-17*", line="main")),
        (Condition(text="注文"), Condition(text="注文書|給食注文")),
        (Condition(text="注文|請求"), Condition(text="請 求 書")),
        (Condition(line="main"), Condition(line="main", tsi="")),
        (Condition(institution="さくら医院", proof=True), Condition(institution="さくら医院", proof=True, line="main")),
        (Condition(sender_kind="clinic"), Condition(sender_kind="clinic", line="main")),
        (Condition(proof=True), Condition(sender_kind="clinic", proof=True)),
    ],
)
def test_a_rule_that_an_earlier_one_overtakes(first: Condition, second: Condition) -> None:
    found = idle(Rule("広い", first, "a"), Rule("狭い", second, "a"))
    assert list(found) == ["狭い"]
    assert "「広い」がすべて取ります" in found["狭い"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Condition(caller="03-5388-1396"), Condition(caller="03*")),
        (Condition(text="注文書"), Condition(text="注文")),
        (Condition(text="注文"), Condition(text="注文書|請求書")),
        (Condition(line="main"), Condition(line="main", type="PROCUREMENT")),  # the class is asked before the line
        (Condition(line="second"), Condition(line="main")),
        (Condition(institution="甲", proof=True), Condition(institution="甲")),
        (Condition(barcode="FORM-17"), Condition(barcode="FORM-17*")),
    ],
)
def test_a_rule_that_keeps_some_faxes_for_itself(first: Condition, second: Condition) -> None:
    assert idle(Rule("一", first, "a"), Rule("二", second, "a")) == {}


def test_several_earlier_rules_may_take_all_of_a_rules_faxes() -> None:
    found = idle(
        Rule("注文", Condition(text="注文"), "a"),
        Rule("請求", Condition(text="請求"), "a"),
        Rule("両方", Condition(text="注文書|請求書"), "a"),
    )
    assert list(found) == ["両方"]
    assert "「注文」" in found["両方"]
    assert "「請求」" in found["両方"]


def test_what_is_overtaken_goes_by_the_order_of_kinds_not_of_the_file() -> None:
    assert (
        idle(Rule("本文", Condition(text="注文"), "a"), Rule("番号", Condition(caller="03*", text="注文"), "a")) == {}
    )


@pytest.mark.parametrize(
    ("when", "word"),
    [
        (Condition(), "条件がありません"),
        (Condition(caller="5388*"), "で始まる電話番号はありません"),
        (Condition(line="nowhere"), "回線「nowhere」"),
        (Condition(text="|　"), "語句が空"),
        (Condition(tsi="+81353881396", proof=True), "証明"),
    ],
)
def test_conditions_that_no_fax_can_meet(when: Condition, word: str) -> None:
    assert word in idle(Rule("r", when, "a"))["r"]


def test_the_same_conditions_with_other_answers_are_a_contradiction() -> None:
    organisation = Organisation(
        (Department("a", "甲"), Department("b", "乙")),
        LINES,
        (
            Rule("一", Condition(caller="03-5388-1396", text="注文|請求"), department="a"),
            Rule("二", Condition(caller="+81353881396", text="請求|注文"), department="b", urgent=True),
            Rule("三", Condition(caller="0353881396", text="請求|注文"), department="a"),
        ),
    )
    second, third = check_rules(organisation, TAXONOMY)
    assert "規則「二」は、同じ条件の規則「一」が先にあるため働きません。" in second
    assert "部署 a と b" in second
    assert "緊急 なし と はい" in second
    assert third == "規則「三」は、同じ条件の規則「一」が先にあるため働きません。"


@pytest.mark.parametrize(
    ("when", "word"),
    [
        (Condition(sender_kind="doctor"), "発信元の種類「doctor」がありません"),
        (Condition(tsi="X", proof=True), "TSIは送り手が書くもので証明になりません"),
    ],
)
def test_mistakes_of_the_senders_conditions(when: Condition, word: str) -> None:
    (mistake,) = check_rules(Organisation((Department("a", "甲"),), LINES, (Rule("r", when, "a"),)), TAXONOMY)
    assert word in mistake


# ---- what is said of a rule is true

CALLERS = ["+81353881396", "+81353881397", "+81355550199", "+12125550100"]
WORDS = ["注文書", "注文", "請求書", "書", "給食 注文", ""]
INSTITUTIONS = [
    Institution("i-1", "さくら医院", "clinic"),
    Institution("i-2", "みどり薬局", "pharmacy", names=("ミドリ薬局",)),
]
conditions = st.builds(
    Condition,
    caller=st.sampled_from(["", "", "03*", "+8135388*", "03-5388-1396", "5388*", "*", "+1*"]),
    type=st.sampled_from(["", "", "PROCUREMENT", "COMPLAINT", " PROCUREMENT "]),
    text=st.lists(st.sampled_from(WORDS), max_size=3).map("|".join),
    barcode=st.sampled_from(["", "", "", "FORM*", "FORM-17", "FORM-17*", "*"]),
    line=st.sampled_from(["", "", "main", "second", "nowhere"]),
    tsi=st.sampled_from(["", "", "", "03-5388-1396", "SAKURA", "SAK*"]),
    institution=st.sampled_from(["", "", "i-1", "さくら医院", "ミドリ薬局"]),
    sender_kind=st.sampled_from(["", "", "clinic", "pharmacy"]),
    proof=st.booleans(),
)
senders = st.one_of(
    st.none(),
    st.builds(
        Sender,
        st.lists(st.sampled_from(INSTITUTIONS), min_size=1, max_size=2, unique=True).map(tuple),
        st.sampled_from(["caller", "tsi", "letterhead", "name"]),
        st.just("seen"),
        st.just(0.9),
    ),
)
faxes = st.builds(
    Facts,
    line=st.sampled_from(["main", "second"]),
    received_at=st.just(NOW),
    pages=st.lists(st.sampled_from(WORDS), max_size=2).map(
        lambda texts: tuple(PageFacts(number, text) for number, text in enumerate(texts, 1))
    ),
    caller=st.sampled_from([None, *CALLERS]),
    tsi=st.sampled_from([None, "81 3 5388 1396", "SAKURA ", "03-5555-0199"]),
    barcodes=st.lists(st.sampled_from(["FORM-17", "FORM-17-2", "OTHER"]), max_size=2).map(tuple),
    caller_proven=st.booleans(),
    sender=senders,
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(conditions, min_size=1, max_size=6),
    st.lists(st.tuples(faxes, st.sampled_from([None, "PROCUREMENT", "COMPLAINT"])), min_size=20, max_size=40),
)
def test_a_rule_said_to_be_idle_is_met_by_no_fax(whens: list[Condition], came: list[tuple[Facts, str | None]]) -> None:
    organisation = Organisation((), LINES, tuple(Rule(f"r{n}", when) for n, when in enumerate(whens)))
    said = {rule.name for rule, _ in idle_rules(organisation)}
    for facts, document_type in came:
        rule, _ = first_rule(organisation, facts, document_type)
        assert rule is None or rule.name not in said
