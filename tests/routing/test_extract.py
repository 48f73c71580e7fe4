"""Fields by their labels, with the place to show, and never what is not there."""

from __future__ import annotations

from datetime import date

import pytest

from routing import disease
from routing.extract import diagnosis_date, extract, masked
from routing.facts import Line, PageFacts
from routing.layout import PageLine

DISEASES = disease.load().on(date(2026, 11, 23))
FORM = """感染症発生届
東京都知事(保健所設置市長・特別区長) 殿
報告年月日 令和8年11月21日
従事する病院・診療所の名称 けやき医院
電話番号(※) 03(5461)7780
1 診断(検案)した者(死体)の類型 患者(確定例)
2 当該者氏名
7 当該者住所 北区赤羽9-9-9 電話 090-1234-5678
感染症名 腸管出血牲大腸菌感染症
13 初診年月日 令和8年11月18日
14 診断(検案)年月日 令和8年11月20日
"""


def test_values_beside_their_labels() -> None:
    fields = extract([PageFacts(1, FORM)], DISEASES)
    assert {name: field.value for name, field in fields.items()} == {
        "disease": "腸管出血性大腸菌感染症",
        "diagnosed": "2026-11-20",
        "institution_phone": "+81354617780",
    }
    assert fields["disease"].raw == "腸管出血牲大腸菌感染症"
    assert 0.8 < fields["disease"].confidence < 1
    assert fields["diagnosed"].raw == "令和8年11月20日"
    assert diagnosis_date(fields) == date(2026, 11, 20)


def test_values_below_their_labels() -> None:
    text = "感染症発生届\n電話番号\n03-5461-7780\n当該者氏名\n感染症名\nデング熱\n診断年月日\nR8.11.20"
    fields = extract([PageFacts(2, text)], DISEASES)
    assert {name: (field.value, field.page) for name, field in fields.items()} == {
        "disease": ("デング熱", 2),
        "diagnosed": ("2026-11-20", 2),
        "institution_phone": ("+81354617780", 2),
    }


def test_values_by_their_boxes() -> None:
    """Reading order alone would pair the labels of the left column with each other."""
    words = (
        Line("感染症発生届", (600, 100, 1100, 150), 0.99),
        Line("感染症名", (100, 400, 300, 440), 0.99),
        Line("診断年月日", (100, 500, 320, 540), 0.99),
        Line("報告年月日", (100, 600, 320, 640), 0.99),
        Line("コレラ", (700, 402, 900, 442), 0.9),
        Line("令和8年11月19日", (700, 502, 1100, 542), 0.8),
        Line("令和8年11月21日", (700, 602, 1100, 642), 0.8),
    )
    fields = extract([PageFacts(1, "", words, 1728, 2200)], DISEASES)
    assert (fields["disease"].value, fields["disease"].box, fields["disease"].confidence) == (
        "コレラ",
        (700, 402, 900, 442),
        0.9,
    )
    assert (fields["diagnosed"].value, fields["diagnosed"].box) == ("2026-11-19", (700, 502, 1100, 542))


def test_the_title_s_disease_goes_before_what_the_form_mentions() -> None:
    text = "麻しん発生届\n1 診断(検案)した者(死体)の類型\n麻しん含有ワクチン接種歴 有 (風しん混合)\n合併症 急性脳炎"
    assert extract([PageFacts(1, text)], DISEASES)["disease"].value == "麻しん"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "感染症発生届\n感染症名 \n",
        "感染症発生届\n感染症名 ???\n診断年月日 令和 年 月 日",
        "感染症発生届\n麻しん・風しん・百日咳のいずれか",
    ],
)
def test_what_is_not_there_is_not_found(text: str) -> None:
    assert extract([PageFacts(1, text)], DISEASES) == {}


def test_the_patient_s_telephone_is_not_the_institution_s() -> None:
    text = "感染症発生届\n当該者氏名\n当該者住所 電話 090-1234-5678"
    assert "institution_phone" not in extract([PageFacts(1, text)], DISEASES)


@pytest.mark.parametrize(
    "label", ["14 珍断(検案)年月日", "14 珍断(検案)年日", "診断(検条)年月日", "診 断 年 月 日", "診断日:"]
)
def test_damaged_labels(label: str) -> None:
    text = f"感染症発生届\n13 初診年月日\n令和8年11月18日\n{label}\n全和8年11月20日\n16 発病年月日\n令和8年11月15日"
    assert extract([PageFacts(1, text)], DISEASES)["diagnosed"].value == "2026-11-20"


def test_an_odd_date_is_less_sure() -> None:
    sure, odd = (
        extract([PageFacts(1, f"感染症発生届\n診断年月日 {d}")], DISEASES)["diagnosed"]
        for d in ("令和8年11月20日", "平成38年11月20日")
    )
    assert sure.value == odd.value
    assert odd.confidence < sure.confidence


@pytest.mark.parametrize("text", ["氏名 ■■■■", "当該者氏名 (黒塗り)", "氏名・住所はマスキング済み"])
def test_masks_that_the_text_tells(text: str) -> None:
    assert masked([PageFacts(1, text)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "氏名は黒塗りのうえ送信してください",
        "■被害状況",
        "個人情報は必ずマスキングすること",
        "住所等の欄は黒塗りして送信し、原本は後日郵送",
    ],
)
def test_an_instruction_to_mask_is_no_mask(text: str) -> None:
    assert not masked([PageFacts(1, text)])


def test_bars_on_the_page_are_masks_whatever_the_text_says() -> None:
    assert masked((PageFacts(1, "氏名", masked=((100, 100, 300, 150),)),))
    assert not masked((PageFacts(1, "氏名"),))


def test_of_a_long_line_in_doubt_a_short_value_is_surer_than_the_line() -> None:
    line = PageLine(
        "診断名麻しん診断年月日令和8年11月20日", "診断名 麻しん 診断年月日 令和8年11月20日", 1, False, (0, 0, 9, 9), 0.5
    )
    assert line.sure_of("麻しん") == pytest.approx(0.5 ** (3 / len(line.folded)))
    assert line.sure_of(line.raw) == pytest.approx(0.5)
    assert line.sure_of("") == 1
    text = "感染症名 腸管出血性大腸菌感染症 (診断した者の類型 患者確定例 無症状病原体保有者 感染症死亡者の死体)"
    words = (Line("感染症発生届", (0, 0, 90, 9), 0.99), Line(text, (0, 20, 900, 29), 0.5))
    found = extract([PageFacts(1, "", words=words)], DISEASES)["disease"]
    assert 0.7 < found.confidence < 0.95
