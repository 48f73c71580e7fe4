"""Where a fax goes, why, by when, and when a person must look first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import disease, taxonomy
from routing.clock import JST
from routing.decide import decide
from routing.department import Condition, Department, Line, Organisation, Rule
from routing.facts import Decision, Facts, PageFacts

TAXONOMY = taxonomy.load()
DISEASES = disease.load()
RECEIVED = datetime(2026, 11, 23, 10, 0, tzinfo=JST)
KANSEN = Department("kansen", "感染症対策係", "保健所 感染症対策係|保健所 結核担当")
KEIRI = Department("keiri", "経理係", "経理・契約担当")
BUNSHO = Department("bunsho", "文書係", "文書担当")
SOMU = Department("somu", "総務係")
LINES = (Line("main", "fax@x.example", department="somu"), Line("bare", "bare@x.example"))
ORGANISATION = Organisation((KANSEN, KEIRI, BUNSHO, SOMU), LINES)
FORM = (
    "診断(検案)した者(死体)の類型 患者(確定例)\n当該者氏名 練馬 花子\n初診年月日 令和8年11月18日\n"
    "診断(検案)年月日 令和8年11月20日\n"
)
MEASLES = "麻 し ん 発 生 届\n" + FORM
SYPHILIS = "梅 毒 発 生 届\n" + FORM
ORDER = "注 文 書\nみどり区役所 御中\n注文番号 2026-1\n品名・規格 手袋 数量 10 単価(円) 500\n納入期限 12月1日"


def decided(*texts: str, rules: tuple[Rule, ...] = (), line: str = "main", **more: object) -> Decision:
    pages = tuple(PageFacts(n, text) for n, text in enumerate(texts, 1))
    facts = Facts(line, RECEIVED, pages, **more)  # type: ignore[arg-type]
    return decide(facts, Organisation(ORGANISATION.departments, LINES, rules), TAXONOMY, DISEASES)


def test_an_immediate_notification() -> None:
    decision = decided(MEASLES)
    assert (decision.held, decision.department, decision.document_type) == (False, "kansen", "DISEASE_IMMEDIATE")
    assert decision.urgent
    assert decision.due_at == RECEIVED
    assert "表題「麻しん発生届」(1ページ)" in decision.reasons
    assert "病名「麻しん」= 直ちに届出" in decision.reasons
    assert decision.fields["disease"].value == "麻しん"


def test_seven_days_do_not_count_the_first() -> None:
    decision = decided(SYPHILIS)
    assert (decision.document_type, decision.urgent) == ("DISEASE_7DAY", False)
    assert decision.due_at == datetime(2026, 11, 27, 23, 59, 59, tzinfo=JST)  # diagnosed on the 20th


@pytest.mark.parametrize("diagnosed", ["", "令和8年11月29日", "令和7年1月5日"])
def test_without_a_plausible_diagnosis_the_reception_counts(diagnosed: str) -> None:
    decision = decided("梅毒発生届\n診断(検案)した者(死体)の類型\n無症状病原体保有者\n診断(検案)年月日 " + diagnosed)
    assert decision.due_at == datetime(2026, 11, 30, 23, 59, 59, tzinfo=JST)


def test_the_day_is_tokyo_s() -> None:
    late = Facts(
        "main", datetime(2026, 11, 23, 15, 30, tzinfo=UTC), (PageFacts(1, "結核患者入院届\n第53条の11\n入院年月日"),)
    )
    decision = decide(late, ORGANISATION, TAXONOMY, DISEASES)  # 00:30 on the 24th in Tokyo
    assert decision.document_type == "TB_ADMISSION"
    assert decision.due_at == datetime(2026, 12, 1, 23, 59, 59, tzinfo=JST)


def test_no_reason_names_the_patient() -> None:
    decision = decided(MEASLES)
    assert "花子" not in "".join((*decision.reasons, *decision.held_because))


def test_no_reason_names_a_person_addressed() -> None:
    decision = decided("宛先 さくら坂クリニック 練馬 花子 様\n診療情報提供書\n傷病名 高血圧")
    assert decision.document_type == "MISDIRECTED"
    assert decision.held
    assert "宛先「さくら坂クリニック」(1ページ)" in decision.reasons
    assert "花子" not in "".join((*decision.reasons, *decision.held_because))


def test_the_class_goes_before_the_line() -> None:
    assert decided(ORDER).department == "keiri"


def test_the_line_s_department_when_nobody_serves_the_class() -> None:
    decision = decided("取材依頼書\n報道部\n取材日時 12月1日\n番組名 朝の窓")
    assert (decision.document_type, decision.department, decision.held) == ("PRESS", "somu", False)
    assert "回線「main」の既定の振り分け先" in decision.reasons


@pytest.mark.parametrize("line", ["bare", "unknown"])
def test_held_when_no_department_is_left(line: str) -> None:
    decision = decided("取材依頼書\n報道部\n取材日時 12月1日\n番組名 朝の窓", line=line)
    assert (decision.held, decision.department) == (True, None)
    assert any("部署が決まりません" in why for why in decision.held_because)


def test_an_alternative_kind_serves() -> None:
    sentinel = "感染症発生動向調査 小児科定点 週報\n定点医療機関 ひよこ小児科\n年齢区分"
    assert decided(sentinel).department == "kansen"  # 保健所 感染症対策係/地方感染症情報センター


@pytest.mark.parametrize(
    ("texts", "word"),
    [
        ((), "添付されていません"),
        (("",), "送信票だけ、または白紙"),
        (("FAX送信票\n送信枚数 3枚(本票を含む)\nご査収ください",), "送信票だけ"),
        (("事業資金融資\n審査なし 保証人不要\nFAX配信停止をご希望の方は",), "広告・営業"),
        (("前略 先日はありがとうございました。草々",), "種別を判断できません"),
        (("2026年11月20日 10時00分 けやき FAX 03-5461-7780 P.001/003\n" + ORDER,), "全3ページのうち1ページ"),
        (("麻しん発生届\n" + FORM.replace("練馬 花子", "■■■■"),), "黒塗り"),
        (("感染症発生届\n" + FORM,), "確信がありません"),
        ((ORDER + "\n助けてください 救急車を呼んでください",), "可能性があります"),
        (("x" * 1_000_000,), "文字数が異常"),
    ],
)
def test_held_with_its_reason(texts: tuple[str, ...], word: str) -> None:
    decision = decided(*texts)
    assert decision.held
    assert any(word in why for why in decision.held_because)
    assert decision.department is not None


def test_unreadable_pages() -> None:
    unreadable = PageFacts(2, "", readable=False)
    every = decide(Facts("main", RECEIVED, (unreadable,)), ORGANISATION, TAXONOMY, DISEASES)
    assert (every.held, every.document_type, every.confidence) == (True, None, None)
    some = decide(Facts("main", RECEIVED, (PageFacts(1, MEASLES), unreadable)), ORGANISATION, TAXONOMY, DISEASES)
    assert some.held
    assert any("読み取れないページがあります(2ページ)" in why for why in some.held_because)
    calm = decide(Facts("main", RECEIVED, (PageFacts(1, ORDER), unreadable)), ORGANISATION, TAXONOMY, DISEASES)
    assert not calm.held


def test_an_unreadable_disease_is_urgent_and_held() -> None:
    decision = decided("感染症発生届\n" + FORM)
    assert (decision.document_type, decision.urgent, decision.held) == ("DISEASE_IMMEDIATE", True, True)
    assert "病名を読み取れないため、直ちに届け出る感染症として扱います" in decision.reasons


def test_an_urgent_fax_for_somebody_else_is_both() -> None:
    decision = decided("株式会社みどり商事 御中\n" + MEASLES)
    assert (decision.document_type, decision.urgent, decision.held) == ("DISEASE_IMMEDIATE", True, True)
    assert any("誤着" in why for why in decision.held_because)


def test_the_line_of_confidence_is_the_organisation_s() -> None:
    facts = Facts("main", RECEIVED, (PageFacts(1, ORDER),))
    strict = Organisation(ORGANISATION.departments, LINES, hold_below=1.0)
    assert not decide(facts, ORGANISATION, TAXONOMY, DISEASES).held
    assert decide(facts, strict, TAXONOMY, DISEASES).held


# --- rules


def test_a_rule_decides_and_its_name_shows() -> None:
    rule = Rule("給食センターの注文", Condition(caller="03-5388-1396"), department="somu", type="PROCUREMENT")
    decision = decided("手書きのメモ 読めない", rules=(rule,), caller="+81353881396")
    assert (decision.held, decision.department, decision.document_type) == (False, "somu", "PROCUREMENT")
    assert decision.confidence == 1.0
    assert decision.rule == rule.name
    assert decision.reasons[0] == "発信番号 +81353881396の規則「給食センターの注文」"


def test_a_rule_s_type_alone_goes_to_the_type_s_department() -> None:
    rule = Rule("書式17", Condition(barcode="FORM-17*"), type="PROCUREMENT")
    decision = decided("メモ", rules=(rule,), barcodes=("FORM-17-2",))
    assert (decision.department, decision.document_type, decision.held) == ("keiri", "PROCUREMENT", False)


def test_a_rule_s_department_alone_does_not_make_the_class_sure() -> None:
    decision = decided("手書きのメモ", rules=(Rule("本線", Condition(line="main"), department="keiri"),))
    assert (decision.department, decision.held) == ("keiri", True)


def test_a_rule_does_not_hide_an_outbreak() -> None:
    rule = Rule("注文", Condition(caller="03*"), department="keiri", type="PROCUREMENT")
    decision = decided(MEASLES, rules=(rule,), caller="+81353881396")
    assert (decision.department, decision.urgent, decision.held) == ("keiri", True, True)
    assert any("感染症発生届" in why for why in decision.held_because)


def test_a_rule_for_what_nobody_can_read_is_urgent_when_its_type_is() -> None:
    rule = Rule("直通", Condition(caller="03*"), type="DISEASE_IMMEDIATE", department="kansen")
    decision = decided("", rules=(rule,), caller="+81353881396")
    assert (decision.urgent, decision.document_type, decision.department) == (True, "DISEASE_IMMEDIATE", "kansen")


def test_what_a_machine_calls_itself_proves_nothing() -> None:
    rule = Rule("自称", Condition(tsi="03-5388-1396"), type="PROCUREMENT", department="keiri")
    assert decided("手書きのメモ", rules=(rule,), tsi="0353881396").held
    assert not decided(ORDER, rules=(rule,), tsi="0353881396").held


@pytest.mark.parametrize(
    ("head", "held"),
    [
        ("2026/01/05 10:00 けやき商会 P.001/001", False),
        ("2026/01/05 10:00 けやき商会", False),
        ("01/05 10:00 Keyaki Corp 12/25", False),
        ("2026/01/05 10:00 けやき商会 P.002/004", True),
        ("JAN-05-2026 10:00 KEYAKI 001/003", True),
        ("けやき商会 1/2ページ", True),
    ],
)
def test_missing_pages_by_the_machine_s_own_line(head: str, held: bool) -> None:
    assert decided(f"{head}\n{ORDER}").held is held


def test_a_rule_may_say_urgent() -> None:
    rule = Rule("議会", Condition(text="注文書"), department="somu", urgent=True)
    assert decided(ORDER, rules=(rule,)).urgent


def test_a_rule_to_a_department_that_is_gone_is_held_with_a_proposal() -> None:
    decision = decided(ORDER, rules=(Rule("旧", Condition(line="main"), department="gone"),))
    assert (decision.held, decision.department) == (True, "keiri")
    assert any("「gone」" in why for why in decision.held_because)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(max_size=200), max_size=3), st.sampled_from(["main", "bare", ""]), st.none() | st.text(max_size=20)
)
def test_any_fax_is_answered(texts: list[str], line: str, caller: str | None) -> None:
    decision = decided(*texts, line=line, caller=caller)
    assert decision.held == bool(decision.held_because)
    assert decision.held or decision.department is not None


# ---- documents for other departments --------------------------------------------------------------


def test_an_order_in_the_same_fax_goes_to_its_own_department_too() -> None:
    decision = decided(MEASLES, ORDER)
    assert (decision.held, decision.department, decision.document_type) == (False, "kansen", "DISEASE_IMMEDIATE")
    (share,) = decision.also
    assert (share.first_page, share.last_page) == (2, 2)
    assert (share.decision.department, share.decision.document_type) == ("keiri", "PROCUREMENT")
    assert not share.decision.held
    assert share.decision.fields == {}
    assert not any("麻しん" in reason for reason in share.decision.reasons)


@pytest.mark.parametrize("texts", [(ORDER, MEASLES), ("FAX送付状\n送付枚数 3枚", ORDER, MEASLES)])
def test_whatever_their_order(texts: tuple[str, ...]) -> None:
    decision = decided(*texts)
    assert decision.department == "kansen"
    assert [(s.first_page, s.decision.department) for s in decision.also] == [(len(texts) - 1, "keiri")]


def test_the_machine_s_page_number_holds_no_document_taken_out() -> None:
    stamped = [f"2026年11月23日 10:00 P.{n}/2\n{text}" for n, text in enumerate((MEASLES, ORDER), 1)]
    assert len(decided(*stamped).also) == 1


@pytest.mark.parametrize(
    "texts",
    [
        (MEASLES,),
        (ORDER, ORDER),
        (MEASLES, SYPHILIS),  # one department has both
        (MEASLES, ORDER, "備考\n当該者の家族構成 4人"),  # whose page is the last one?
        (MEASLES, "FAX送付状\n送付枚数 2枚"),
        (MEASLES, "お知らせ\nよろしくお願いします"),
    ],
)
def test_nothing_is_shared_that_is_not_beyond_doubt(texts: tuple[str, ...]) -> None:
    assert decided(*texts).also == ()


def test_what_is_not_shared_is_said() -> None:
    decision = decided(MEASLES, ORDER, "備考\n当該者の家族構成 4人")
    assert any(reason.startswith("2ページ目からは「") and "経理係" in reason for reason in decision.reasons)


def test_a_rule_for_the_whole_fax_shares_nothing() -> None:
    rule = Rule("all", Condition(line="main"), department="somu")
    assert decided(MEASLES, ORDER, rules=(rule,)).also == ()


def test_a_blacked_out_day_of_diagnosis_sets_no_clock() -> None:
    decision = decided(SYPHILIS.replace(" 令和8年11月20日", "\n■■■■"))
    assert decision.fields["diagnosed"].masked
    assert decision.due_at == datetime(2026, 11, 30, 23, 59, 59, tzinfo=JST)


def test_two_notifications_are_two_patients() -> None:
    decision = decided(MEASLES, MEASLES.replace("練馬 花子", "港 太郎").replace("11月20日", "11月21日"))
    assert decision.fields["diagnosed"].value == "2026-11-20"
    assert decision.fields["patient_name"].value == "練馬 花子"


@given(
    st.lists(
        st.sampled_from([MEASLES, ORDER, SYPHILIS, "備考\n当該者の経過", "FAX送付状\n送付枚数 3枚", ""]), max_size=7
    )
)
@settings(max_examples=60, deadline=None)
def test_no_patient_s_page_is_ever_shared(texts: list[str]) -> None:
    for share in decided(*texts).also:
        assert share.decision.department == "keiri"
        assert all(texts[n - 1] == ORDER for n in range(share.first_page, share.last_page + 1))


ADVERTISING = (
    "事業資金融資のご案内\n審査なし 保証人不要 即日融資\nFAX配信停止をご希望の方は下記まで\n無料お見積り 今すぐお電話"
)


def test_advertising_beyond_doubt_is_kept_apart() -> None:
    decision = decided(ADVERTISING)
    assert (decision.document_type, decision.held, decision.apart) == ("SPAM", True, True)


@pytest.mark.parametrize(
    "texts",
    [
        (ADVERTISING + "\n" + MEASLES,),
        (ADVERTISING, MEASLES),
        (MEASLES, ADVERTISING),
        (ADVERTISING, ORDER),
        (ADVERTISING, ""),
        (ORDER,),
    ],
)
def test_what_may_be_more_than_advertising_stays_in_sight(texts: tuple[str, ...]) -> None:
    decision = decided(*texts)
    assert not decision.apart
    assert decision.document_type != "SPAM" or decision.held


def test_a_rule_that_says_urgent_keeps_advertising_in_sight() -> None:
    rule = Rule("広告", Condition(text="融資"), urgent=True)
    assert not decided(ADVERTISING, rules=(rule,)).apart
