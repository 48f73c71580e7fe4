"""Who sent a fax: what told, how sure, when it is ambiguous, what a letterhead says, and what may be learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import taxonomy
from routing.decide import JST, decide
from routing.department import Condition, Department, Line, Organisation, Rule
from routing.directory import Directory, Sighting, kind_of, letterhead, proposals, sender_reason, sighting_of
from routing.disease import load as load_diseases
from routing.facts import Facts, Institution, PageFacts, Sender
from routing.rules import first_rule

SAKURA = Institution(
    "i-1", "さくら医院", "clinic", tsis=("SAKURA CLINIC",), numbers=("+81355550191", "+81355550192"), names=("櫻医院",)
)
MIDORI = Institution("i-2", "みどり薬局", "pharmacy", numbers=("+81355550193",))
TWIN = Institution("i-3", "さくら薬局", "pharmacy", numbers=("+81355550191",))
DIRECTORY = Directory.of([SAKURA, MIDORI])
OWN = frozenset({"+81355550101"})
COVER = """ファクシミリ送信票
送信先
架空市保健所 感染症対策課 御中
宛先FAX
03-5555-0101
発信元
みどり薬局
電話番号
03-5555-0193
"""


def fax(text: str = "", **more: object) -> Facts:
    pages = (PageFacts(1, text),) if text else ()
    return replace(Facts("main", datetime(2026, 11, 23, 10, 0, tzinfo=JST), pages), **more)  # type: ignore[arg-type]


def told(facts: Facts, directory: Directory = DIRECTORY) -> tuple[str, str] | None:
    sender = directory.sender_of(facts, OWN)
    return (sender.known_by, "・".join(one.name for one in sender.institutions)) if sender else None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (fax(caller="+81355550192"), ("caller", "さくら医院")),
        (fax(tsi="SAKURA  CLINIC"), ("tsi", "さくら医院")),
        (fax(tsi="81 3 5555 0192"), ("tsi", "さくら医院")),
        (fax(tsi="さくら医院"), ("tsi", "さくら医院")),
        (fax("第五小学校\nTEL 03-5555-0193"), ("letterhead", "みどり薬局")),
        (fax("医療機関名 さくら医院\n医師の氏名 山田"), ("name", "さくら医院")),
        (fax("医療機関名 櫻 医 院"), ("name", "さくら医院")),
        (fax(COVER), ("letterhead", "みどり薬局")),
        (fax(caller="+81355550199", tsi="UNKNOWN"), None),
        (fax(), None),
    ],
)
def test_who_and_by_what(facts: Facts, expected: tuple[str, str] | None) -> None:
    assert told(facts) == expected


def test_the_order_is_caller_tsi_printed_number_name() -> None:
    page = "発信元 みどり薬局\nTEL 03-5555-0193"
    everything = fax(page, caller="+81355550192", tsi="SAKURA CLINIC")
    assert told(everything) == ("caller", "さくら医院")
    assert told(replace(everything, caller=None)) == ("tsi", "さくら医院")
    assert told(replace(everything, caller=None, tsi=None)) == ("letterhead", "みどり薬局")
    assert told(fax("発信元 みどり薬局")) == ("name", "みどり薬局")


def test_witnesses_that_agree_make_surer_and_others_make_doubt() -> None:
    def sure(facts: Facts) -> float:
        sender = DIRECTORY.sender_of(facts, OWN)
        assert sender is not None
        return sender.confidence

    alone = fax(tsi="SAKURA CLINIC")
    assert sure(fax("発信元 さくら医院", tsi="SAKURA CLINIC")) > sure(alone)
    assert sure(fax("発信元 みどり薬局", tsi="SAKURA CLINIC")) < sure(alone)
    assert sure(fax("発信元 みどり薬局", caller="+81355550192")) >= 0.98  # the call's own number is not argued with


def test_a_number_of_two_institutions_is_said_to_be_ambiguous() -> None:
    directory = Directory.of([SAKURA, MIDORI, TWIN])
    assert list(directory.ambiguous) == ["+81355550191"]
    sender = directory.sender_of(fax(caller="+81355550191", tsi="SAKURA CLINIC"), OWN)
    assert sender is not None
    assert sender.one is None
    assert {one.name for one in sender.institutions} == {"さくら医院", "さくら薬局"}
    assert sender.confidence < 0.6
    reason = sender_reason(sender)
    assert "「さくら医院」か「さくら薬局」" in reason
    assert "「03-5555-0191」は複数の機関のものとして登録されています" in reason


def test_the_addressee_is_not_the_sender() -> None:
    assert told(fax("さくら医院 御中\n請求書\n株式会社まぼろし")) is None
    assert told(fax("送信先 みどり薬局\n03-5555-0193\n")) is None


def test_our_own_numbers_speak_for_nobody() -> None:
    wrong = Directory.of([replace(MIDORI, numbers=("+81355550101",))])
    assert wrong.sender_of(fax("株式会社まぼろし\nTEL 03-5555-0101"), OWN) is None


def test_a_misread_name_is_the_nearest_one_unless_two_are_near() -> None:
    one = Institution("a", "東都中央記念総合病院", "hospital")
    page = fax("医療機関名 東都中央記念総台病院")
    assert told(page, Directory.of([one])) == ("name", "東都中央記念総合病院")
    near = Institution("b", "東都中央記念総谷病院", "hospital")
    assert told(page, Directory.of([one, near])) is None


def test_a_number_that_is_only_typed_is_heard_as_a_tsi() -> None:
    assert told(fax(caller="+81355550192", caller_proven=False)) == ("tsi", "さくら医院")


# ---- proof


def test_a_tsi_lets_no_fax_past_a_rule_that_asks_for_proof() -> None:
    proof = Rule("証明", Condition(institution="さくら医院", proof=True), "a", "OTHER")
    by_number = Rule("番号", Condition(caller="03-5555-0192"), "a", "OTHER")
    kind = Rule("種類", Condition(sender_kind="clinic", proof=True), "a", "OTHER")
    known = fax(caller="+81355550192")
    typed = [
        fax(tsi="SAKURA CLINIC"),
        fax(tsi="03-5555-0192"),
        fax(caller="+81355550192", caller_proven=False),
        fax(caller="+81355550192", caller_proven=False, tsi="+81355550192"),
        fax("発信元 さくら医院\nTEL 03-5555-0192"),
        fax("発信元 さくら医院", caller="+81355550199"),  # proven to be somebody else
    ]
    for rule in (proof, by_number, kind):
        organisation = Organisation((Department("a", "甲"),), (Line("main", "x@x.example"),), (rule,))
        for facts in typed:
            facts = replace(facts, sender=DIRECTORY.sender_of(facts, OWN))
            assert facts.sender is not None
            assert first_rule(organisation, facts, None) == (None, ""), (rule.name, facts)
        facts = replace(known, sender=DIRECTORY.sender_of(known, OWN))
        assert first_rule(organisation, facts, None)[0] == rule


def test_without_proof_a_hint_is_enough_but_makes_nothing_sure() -> None:
    rule = Rule("さくら", Condition(institution="i-1"), "a", "PROCUREMENT")
    organisation = Organisation((Department("a", "甲"),), (Line("main", "x@x.example"),), (rule,))
    facts = fax("よろしくお願いします。", tsi="SAKURA CLINIC")
    facts = replace(facts, sender=DIRECTORY.sender_of(facts, OWN))
    decision = decide(facts, organisation, taxonomy.load(), load_diseases())
    assert (decision.rule, decision.department, decision.held) == ("さくら", "a", True)
    assert any("発信元「さくら医院」の規則「さくら」" in reason for reason in decision.reasons)
    assert "発信元: さくら医院(発信機の名乗り(TSI)で一致、証明にはなりません)" in decision.reasons


def test_an_ambiguous_sender_meets_no_rule_for_one_of_them() -> None:
    both = Sender((SAKURA, TWIN), "caller", "+81355550191", 0.49)
    facts = fax(caller="+81355550191", sender=both)
    rules = (
        Rule("院", Condition(institution="さくら医院")),
        Rule("診", Condition(sender_kind="clinic")),
        Rule("全", Condition(line="main")),
    )
    found, _ = first_rule(Organisation((), (Line("main", "x@x.example"),), rules), facts, None)
    assert found is not None
    assert found.name == "全"


def test_the_reason_says_who_and_by_what() -> None:
    facts = fax("発信元 さくら医院\n請求書", caller="+81355550192")
    facts = replace(facts, sender=DIRECTORY.sender_of(facts, OWN))
    decision = decide(facts, Organisation(), taxonomy.load(), load_diseases())
    assert "発信元: さくら医院(発信番号で一致)" in decision.reasons


# ---- letterheads


@pytest.mark.parametrize(
    ("text", "name", "kind", "numbers"),
    [
        (COVER, "みどり薬局", "pharmacy", ["+81355550193"]),
        ("架空市 御中\n株式会社まぼろし商会\n電話 03-5555-0141 FAX 03-5555-0142", "株式会社まぼろし商会", "company",
         ["+81355550141", "+81355550142"]),
        ("発生届\n従事する病院・診療所の名称\n青葉クリニック\n電話番号\n03-5555-0193", "青葉クリニック", "clinic",
         ["+81355550193"]),
        ("医 療 機 関 名  さ く ら 医 院", "さくら医院", "clinic", []),
        ("臨時休業報告書\n学校名 第五小学校\n学校長 小泉", "第五小学校", "school", []),
        ("保健所長 殿\n区立第二中学校長\n〒100-0000", "区立第二中学校", "school", []),
        ("施設名:特別養護老人ホームさくらの里", "特別養護老人ホームさくらの里", "care_home", []),
        ("山田 太郎\n090-5555-0142\n苦情があります。", "", "", ["+819055550142"]),
        ("貴院におかれましては。当病院の件", "", "", []),
        ("", "", "", []),
    ],
)  # fmt: skip
def test_a_letterhead_is_found(text: str, name: str, kind: str, numbers: list[str]) -> None:
    found = letterhead((PageFacts(1, text),), OWN)
    assert (found.name, found.kind) == (name, kind)
    assert list(found.numbers) == [number for number in numbers if number.startswith("+813") or not name]


def test_what_the_sending_machine_prints_is_no_letterhead() -> None:
    printed = "2026年11月20日 14時32分  みどり薬局\nFAX 03-5555-0193\nP.001/003\n苦情"
    assert letterhead((PageFacts(1, printed),)).name == ""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["医院", "さ く ら ", "03-5555-01", "株式会社", "御中", "\n", "\t", "発信元", "様", "🙂", "\0"])
    )
)
def test_any_text_is_looked_at(pieces: list[str]) -> None:
    facts = fax("".join(pieces), caller="+81355550142", tsi="".join(pieces)[:90])
    sender = DIRECTORY.sender_of(facts, OWN)
    assert sender is None or 0 < sender.confidence <= 1
    sighting_of(facts, OWN)


def test_a_million_signs_are_looked_at_in_the_first_lines_only() -> None:
    facts = fax("さくら医院 御中" * 150_000)
    assert DIRECTORY.sender_of(facts, OWN) is None
    assert letterhead(facts.pages).name == ""


# ---- learning


def test_only_the_calls_own_number_with_a_labelled_name_teaches() -> None:
    assert sighting_of(fax(COVER, caller="+81355550144"), OWN) == Sighting("+81355550144", "みどり薬局")
    for facts in (
        fax(COVER),
        fax(COVER, caller="+81355550144", caller_proven=False),
        fax(COVER, caller="+81355550101"),
        fax("先日、青葉病院に行きました。", caller="+81355550144"),
    ):
        assert sighting_of(facts, OWN) is None


def test_spellings_are_one_proposal_and_what_is_known_is_none() -> None:
    seen = [
        Sighting("+81355550144", "青葉内科クリニック", "AOBA", 3),
        Sighting("+81355550144", "青葉内科クリニツク", "", 1),
        Sighting("+81355550144", "東都第三病院", "", 2),
        Sighting("+81355550192", "さくら医院", "", 9),  # the directory has it
        Sighting("+81355550145", "さくら医院", "03-5555-0145", 2),  # another number of one that is known
        Sighting("+81355550193", "ひかり歯科", "", 2),  # Midori's number
        Sighting("+81355550146", "一度だけ病院", "", 1),
    ]
    found = {(one.number, one.name): one for one in proposals(seen, DIRECTORY)}
    assert list(found) == [
        ("+81355550144", "青葉内科クリニック"),
        ("+81355550144", "東都第三病院"),
        ("+81355550145", "さくら医院"),
        ("+81355550193", "ひかり歯科"),
    ]
    first = found["+81355550144", "青葉内科クリニック"]
    assert (first.count, first.kind, first.tsis) == (4, "clinic", ("AOBA",))
    assert found["+81355550145", "さくら医院"].known == (SAKURA,)
    assert found["+81355550145", "さくら医院"].tsis == ()  # a number is no spelling
    assert found["+81355550193", "ひかり歯科"].holders == (MIDORI,)


def test_sorts_of_sender_in_both_languages() -> None:
    assert [kind_of(word) for word in ("診療所", "Clinic", " 保育園・幼稚園 ", "医者")] == [
        "clinic",
        "clinic",
        "nursery",
        None,
    ]
