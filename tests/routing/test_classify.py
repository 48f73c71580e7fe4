"""What the classifier says and why; and that no text stops it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import disease, taxonomy
from routing.classify import classify
from routing.facts import Classification, Line, PageFacts, Part, Witness

TAXONOMY = taxonomy.load()
DISEASES = disease.load()
DAY = date(2026, 11, 23)
FORM = "診断(検案)した者(死体)の類型 患者(確定例)\n当該者氏名\n初診年月日\n診断(検案)年月日 令和8年11月20日\n"


def said(*texts: str) -> Classification:
    return classify([PageFacts(n, text) for n, text in enumerate(texts, 1)], TAXONOMY, DISEASES, DAY)


def test_the_witnesses_say_where_they_stand() -> None:
    found = said("FAX送信票\n送信枚数 2枚", "麻 し ん 発 生 届\n" + FORM)
    assert found.document_type == "DISEASE_IMMEDIATE"
    assert found.witnesses[0] == Witness("麻しん発生届", 2, "title", 3.0)
    assert found.disease == "麻しん"
    assert found.parts == (Part(1, 1, "COVER_ONLY"), Part(2, 2, "DISEASE_IMMEDIATE"))
    assert found.confidence > 0.9


def test_nothing_to_read() -> None:
    assert said() == Classification(None, 0.0)
    unreadable = classify([PageFacts(1, "", readable=False)], TAXONOMY, DISEASES, DAY)
    assert unreadable == Classification(None, 0.0)
    assert said("", " \n ").document_type == "COVER_ONLY"
    assert said("").confidence < 0.8


@pytest.mark.parametrize(
    "header",
    [
        "2026年11月20日 14時32分  みどり病院  FAX 03-5443-6332  P.001/001",
        "NOV-20-2026 FRI 02:32 PM\nFAX NO. 03-5443-6332\nP. 01/01",
    ],
)
def test_only_the_machine_s_own_line_is_a_blank_page(header: str) -> None:
    assert said(header).document_type == "COVER_ONLY"


def test_short_latin_words_stand_alone() -> None:
    """ICT (infection control team) is no part of a district."""
    assert said("port of the district").runner_up is None
    assert said("院内 ICT 担当").runner_up == "MED_SAFETY"


def test_a_word_of_another_class_s_title_is_no_evidence() -> None:
    found = said("感染症等集団発生事例報告\n在籍者数 36\n欠席者数 9\n学級閉鎖")
    assert (found.document_type, found.runner_up) == ("OUTBREAK_SCHOOL", None)


@pytest.mark.parametrize("said_so", ["疑いなし", "疑いはない", "の疑いはありません", "疑いは認められない"])
def test_a_disease_ruled_out_is_no_case(said_so: str) -> None:
    assert said(f"狂犬病{said_so}").runner_up != "DISEASE_IMMEDIATE"
    assert "DISEASE_IMMEDIATE" in {(found := said("狂犬病の疑いがある")).document_type, found.runner_up}


def test_the_urgent_document_of_several_decides() -> None:
    order = "注文書\n注文番号 1\n品名・規格 手袋 単価(円) 100\n納入期限 12月1日"
    found = said(order, "食中毒患者等届出票\n食品衛生法第63条\n発病年月日及び時刻")
    assert found.document_type == "FOOD_POISONING"
    assert [part.document_type for part in found.parts] == ["PROCUREMENT", "FOOD_POISONING"]


def test_a_second_page_without_title_belongs_to_the_first() -> None:
    found = said("結核発生届\n" + FORM, "備考\n家族構成 4人\n接触者健診を予定")
    assert found.parts == (Part(1, 2, "TB_REPORT"),)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("麻しん", "DISEASE_IMMEDIATE"),
        ("風しん", "DISEASE_IMMEDIATE"),
        ("侵襲性髄膜炎菌感染症", "DISEASE_IMMEDIATE"),
        ("コレラ", "DISEASE_IMMEDIATE"),
        ("侵襲性肺炎球菌感染症", "DISEASE_7DAY"),
        ("先天性風しん症候群", "DISEASE_7DAY"),
        ("破傷風", "DISEASE_7DAY"),
        ("結核", "TB_REPORT"),
        ("潜在性結核感染症", "TB_REPORT"),
    ],
)
def test_the_disease_tells_the_class(name: str, code: str) -> None:
    assert said(f"{name}発生届\n{FORM}").document_type == code
    assert said(f"感染症発生届\n{FORM}感染症名 {name}").document_type == code
    assert said(f"感染症発生届\n{FORM}感染症名\n{name}").document_type == code


@pytest.mark.parametrize(
    "title", ["発牛届", "感染症発生屈", "感染 症 発 牛 届", "感染症癸生届", "惑染症発生届", "感染定発生届"]
)
def test_damaged_titles(title: str) -> None:
    assert said(f"{title}\n{FORM}感染症名 麻しん").document_type == "DISEASE_IMMEDIATE"


def test_a_title_in_single_characters() -> None:
    assert said("注\n文\n書\n注文番号 12\n単価(円) 100 品名・規格").document_type == "PROCUREMENT"


def test_the_title_zone_is_measured_where_words_have_places() -> None:
    def page(y: int) -> PageFacts:
        words = (
            Line("入札書", (100, y, 400, y + 40), 0.99),
            Line("東京都 殿", (100, 500, 400, 540), 0.99),
            Line("以上", (100, 2000, 400, 2040), 0.99),
        )
        return PageFacts(1, "\n".join(w.text for w in words), words, 1728, 2200)

    above, below = (classify([page(y)], TAXONOMY, DISEASES, DAY) for y in (200, 1800))
    assert (above.document_type, above.witnesses[0].where) == ("PROCUREMENT", "title")
    assert below.confidence < 0.8


def test_a_critical_class_close_behind_is_the_runner_up() -> None:
    found = said("注文書\n注文番号 9\n品名・規格 マスク\n\n助けてください 救急車を呼んでください")
    assert found.document_type in {"PROCUREMENT", "LIFELINE"}
    assert "LIFELINE" in {found.document_type, found.runner_up}


def test_a_title_over_and_over_is_not_believed() -> None:
    found = said("麻しん発生届\n" * 50)
    assert found.confidence <= 0.5


def test_the_lists_of_the_day_are_used() -> None:
    types = taxonomy.Taxonomy(tuple(t for t in TAXONOMY.types if t.code == "OTHER"))
    assert classify([PageFacts(1, "注文書")], types, DISEASES, DAY).document_type == "OTHER"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "麻しん発生届" * 200_000,
        "発 生 届\n" * 250_000,
        "結核" * 500_000,
        "一\n" * 500_000,
        "感染症の予防及び感染症の患者に対する医療に関する法律" * 40_000,
        "\u0300" * 1_000_000,
        "(" * 1_000_000,
        "Приказ о поставке. " * 50_000,
        "안녕하세요 발생 신고서 " * 70_000,
        "エボラ出血熱発生屈 " * 100_000,
    ],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)
def test_a_million_characters_are_answered_and_not_believed(text: str) -> None:
    assert said(text).confidence <= 0.7


def test_hundreds_of_pages_are_answered() -> None:
    assert said(*["麻しん発生届\n" + FORM] * 300).document_type == "DISEASE_IMMEDIATE"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=4))
def test_any_text_is_answered(texts: list[str]) -> None:
    found = said(*texts)
    assert 0 <= found.confidence <= 1
    assert found.document_type is None or TAXONOMY.get(found.document_type) is not None
    assert all(part.first_page <= part.last_page for part in found.parts)
