"""Decisions with both witnesses: what phrases alone missed, what a model alone would get wrong, and hostile text."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import disease, model, taxonomy
from routing.decide import decide
from routing.department import Condition, Department, Line, Organisation, Rule
from routing.facts import Decision, Facts, PageFacts

MODEL = model.packaged()
TAXONOMY, DISEASES = taxonomy.load(), disease.load()
ARRIVED = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
HOUSE = Organisation(
    departments=(
        Department("kansen", "感染症対策課", "保健所 感染症対策係|保健所"),
        Department("kekkaku", "結核担当", "保健所 結核担当"),
        Department("shokuhin", "生活衛生課", "保健所 食品監視・生活衛生課|保健所 生活衛生課"),
        Department("fukushi", "福祉課", "障害福祉課|児童相談所|福祉"),
        Department("keiyaku", "契約課", "経理・契約担当"),
        Department("bosai", "防災課", "総務局 総合防災部|消防庁"),
        Department("bunsho", "文書担当", "文書担当|都民の声課|所管課|主催課"),
    ),
    lines=(Line("daihyo", "daihyo@fax.example.jp", department="bunsho"),),
)


PRESS_OR_COMPLAINT = (
    "取材依頼書\n区長様 騒音がひどくて眠れません。何度お願いしても改善されません。住民一同 署名を添えます"
)
APART = replace(HOUSE, departments=(*HOUSE.departments, Department("koho", "広報課", "広報課/報道課")))
ONE_DESK = Organisation(
    departments=(Department("a", "一課", "なし"),), lines=(Line("daihyo", "a@x.jp", department="a"),)
)


def letter(text: str) -> Facts:
    return Facts("daihyo", ARRIVED, (PageFacts(1, text),))


def seen(*pages: str) -> Decision:
    facts = Facts("daihyo", ARRIVED, tuple(PageFacts(number, page) for number, page in enumerate(pages, 1)))
    return decide(facts, HOUSE, TAXONOMY, DISEASES, MODEL)


def test_what_no_phrase_told_of_is_found_as_urgent() -> None:
    told = (
        "保健所の方へ\n昨晩の町内の会食のあと、参加者の多くがお腹をこわして吐いています。\n"
        "刺身と鶏のたたきを食べました。調べてください。"
    )
    assert seen(told).urgent
    assert not decide(letter(told), HOUSE, TAXONOMY, DISEASES).urgent, "phrases alone know nothing of it"


def test_both_opinions_stand_in_the_reason() -> None:
    told = decide(letter(PRESS_OR_COMPLAINT), APART, TAXONOMY, DISEASES, MODEL)
    assert told.held
    assert any("語句: " in reason and "学習モデル: " in reason for reason in told.held_because), told.held_because


def test_a_fax_goes_by_itself_where_its_department_is_sure_and_its_class_is_not() -> None:
    told = seen(PRESS_OR_COMPLAINT)  # here both are the same desk's
    assert (told.held, told.department, told.urgent) == (False, "bunsho", False)
    assert told.confidence is not None
    assert told.confidence < HOUSE.hold_below
    assert any("担当は同じです" in reason and "学習モデル: 「都民の声" in reason for reason in told.reasons)
    named = replace(HOUSE, rules=(Rule("取材", Condition(tsi="記者"), type="PRESS"),))
    hinted = decide(replace(letter(PRESS_OR_COMPLAINT), tsi="記者"), named, TAXONOMY, DISEASES, MODEL)
    assert not hinted.held


@given(st.sampled_from(["発生届", "結核発生届", "虐待の疑い", "火事です", "停電のお知らせ", "入院調整依頼"]), st.data())
@settings(deadline=None, max_examples=30)
def test_nothing_urgent_goes_by_itself_on_its_department_alone(title: str, data: st.DataObject) -> None:
    lines = data.draw(
        st.lists(st.sampled_from(("御見積書", "取材依頼", "改善を求めます", "参加申込書", "入所者8名")), max_size=3)
    )
    told = decide(letter("\n".join([title, *lines])), ONE_DESK, TAXONOMY, DISEASES, MODEL)
    if told.urgent:
        assert not any("担当は同じです" in reason for reason in told.reasons)


def test_witnesses_that_agree_say_so() -> None:
    found = seen("御 見 積 書\n品名 数量 単価 金額\n消毒液 20本 480 9,600\n合計 10,560円(税込)\n納期 12月1日")
    assert (found.department, found.held) == ("keiyaku", False)
    assert any(reason.startswith("学習モデルの見立て: 「入札・見積・契約・納品」") for reason in found.reasons)


def test_a_seminar_that_speaks_of_tuberculosis_is_no_notification() -> None:
    found = seen(
        "結核研修会の参加申込書\n日時 12月4日 14時 会場 区民ホール\n演題 肺結核の診断と発生届\n"
        "参加者氏名  所属  連絡先\n申込締切 11月30日 定員60名"
    )
    assert found.document_type == "APPLICATION_EVENT"


def test_the_order_of_a_hospital_is_an_order() -> None:
    found = seen(
        "みどり区 契約課 御中\n注 文 書\n東都みなと病院 用度課\n品名 結核菌検査キット 数量 20箱 単価 3,200\n"
        "検体容器 100個\n納入場所 検査室 合計 96,000円 支払条件 月末締め"
    )
    assert (found.document_type, found.urgent) == ("PROCUREMENT", False)


def test_a_notification_behind_a_cover_sheet_is_one() -> None:
    found = seen(
        "FAX送信票\n宛先 保健所\n発信元 わかば内科\n件名 書類の送付\n枚数 2枚(本票を含む)",
        "感染症法に基づき届け出ます\n診断名 腸管出血性大腸菌感染症\n年齢 34歳 女性\n症状 水様下痢 血便\n"
        "診断年月日 11月20日\n感染経路 経口感染\n医師 香川",
    )
    assert found.urgent
    assert found.document_type == "DISEASE_IMMEDIATE"


def test_a_title_that_reading_ruined_is_still_one() -> None:
    found = seen(
        "食中ロ患ー等届口票\n保健所長 殿\n口師 和久井\n発ロ日時 11月19日 23時\n原因食ー しめさば\n症状 腹ロ 嘔吐\n"
        "喫食日時 11月19日 潜伏時口 5時間"
    )
    assert found.urgent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "あ" * 1_000_000,
        "感染症発生届 " * 140_000,
        "注文書\n" * 500,
        "食中毒発生届\n注文書\n" * 300,
        "\u3099" * 200_000,
        "\ud800" * 50,
        "😀" * 3_000,
        "".join(chr(random.Random(1).randrange(0x4E00, 0x9FA0)) for _ in range(3_000)),
        "Уважаемые господа! Мы хотели бы посетить ваш город в следующем месяце. С уважением",
        "안녕하세요. 다음 달에 귀 시를 방문하고 싶습니다. 일정을 알려 주시기 바랍니다.",
        "尊敬的先生：我们希望在下个月访问贵市，并了解公共卫生服务。请告知方便的时间。此致敬礼",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor " * 10,
    ],
    ids=lambda text: f"{text[:6]!a}x{len(text)}",
)
def test_hostile_and_foreign_text_waits_for_a_person(text: str) -> None:
    assert seen(text).held


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("発生届結核注文書御中救急火事虐待\n 0あa"), max_size=400))
def test_no_text_breaks_a_decision(text: str) -> None:
    found = seen(text)
    assert found.held or found.department is not None
    assert found.confidence is None or 0 <= found.confidence <= 1
