"""Fields by their labels, with the place to show, and never what is not there."""

from __future__ import annotations

from datetime import date

import pytest

from routing import disease
from routing.extract import diagnosis_date, extract, masked
from routing.facts import Field, Line, Mark, PageFacts
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
        "category": "三類感染症",
        "case_type": "患者(確定例)",
        "reported": "2026-11-21",
        "institution": "けやき医院",
        "institution_phone": "+81354617780",
        "patient_address": "北区赤羽9-9-9",
        "patient_phone": "+819012345678",
        "first_visit": "2026-11-18",
        "diagnosed": "2026-11-20",
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
        "category": ("四類感染症", 2),
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


# ---- the fields of a form -------------------------------------------------------------------------

RECEIVED = date(2026, 11, 23)


def form(*lines: str, disease: str = "麻しん", **more: object) -> dict[str, Field]:
    """What is found of a notification with these lines, each a run of its own below the last."""
    words = tuple(
        Line(text, (100 + 600 * column, 100 + 60 * row, 100 + 600 * column + 20 * len(text), 140 + 60 * row), 0.99)
        for row, line in enumerate((f"{disease}発生届", *lines))
        for column, text in enumerate(line.split("|"))
        if text
    )
    page = PageFacts(1, "", words, 1728, 2292, **more)  # type: ignore[arg-type]
    return extract([page], DISEASES, "DISEASE_IMMEDIATE", RECEIVED)


def values(fields: dict[str, Field]) -> dict[str, str]:
    return {name: field.value for name, field in fields.items() if name not in {"disease", "category"}}


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("報告年月日|R8.11.22", "reported", "2026-11-22"),
        ("届出日|令和 8 年 11 月 22 日", "reported", "2026-11-22"),
        ("13 初診年月日|11月18日", "first_visit", "2026-11-18"),
        ("13 初診年月日|12/30", "first_visit", "2025-12-30"),
        ("14 診断(検案(※))年月日|平成38年11月20日", "diagnosed", "2026-11-20"),
        ("15 感染したと推定される年月日|8年11月10日", "infected", "2026-11-10"),
        ("16 発病年月日(※)|令和元年5月1日", "onset", "2019-05-01"),
        ("17 死亡年月日(※)|2026年11月19日", "died", "2026-11-19"),
        ("医師の氏名|佐々木 結衣 印", "doctor", "佐々木 結衣"),
        ("主治医：森 亮", "doctor", "森 亮"),
        ("従事する病院・診療所の名称|けやき医院", "institution", "けやき医院"),
        ("上記病院・診療所の所在地(※)|東都みどり区若葉町1-2-3", "institution_address", "東都みどり区若葉町1-2-3"),
        ("2 当該者氏名|髙木 茂", "patient_name", "髙木 茂"),
        ("7 当該者住所|東都西原市本町9-8", "patient_address", "東都西原市本町9-8"),
        ("6 当該者職業|保育士", "occupation", "保育士"),
        ("9 保護者氏名|青木 節子", "guardian_name", "青木 節子"),
        ("5 診断時の年齢(0歳は月齢)|34 歳", "age", "34"),
        ("5 診断時の年齢(0歳は月齢)|8か月", "age", "8か月"),
        ("3 性別|女性", "sex", "女"),
        ("②年齢・性別|52歳 男性", "sex", "男"),
        ("②年齢・性別|52歳 男性", "age", "52"),
        ("2 性:別|女", "sex", "女"),
        ("性別・年齢|男|40歳", "sex", "男"),
        ("当該名作所|東都西原市本町9-8", "patient_address", "東都西原市本町9-8"),
        ("1 当該者氏名||5作所|東都西原市本町9-8", "patient_address", "東都西原市本町9-8"),
        ("医療機関所任地|東都西原市本町9-8", "institution_address", "東都西原市本町9-8"),
        ("性別・年齢|女|6i歳", "age", "61"),
        ("性別|男 14歳", "age", "14"),
        ("届出医師 木村 雄介", "doctor", "木村 雄介"),  # no misread 届出医師名
        ("当該各氏名|田中 葵", "patient_name", "田中 葵"),
        ("主な症状|頭痛、発熟", "symptoms", "頭痛、発熱"),
        ("診断方法|血清1gM抗体の検出", "method", "血清IgM抗体の検出"),
        ("感染地域|日本国内(東都北辰区)", "infection_place", "日本国内(東都北辰区)"),
        ("感染経路：飛沫感染", "route", "飛沫感染"),
        ("主な症状|発熱、発疹", "symptoms", "発熱、発疹"),
        ("患者の類型|疑似症患者", "case_type", "疑似症患者"),
        ("患者の類型|患者（確走例）", "case_type", "患者(確定例)"),
    ],
)
def test_a_value_and_its_label(line: str, name: str, value: str) -> None:
    assert form(line)[name].value == value


@pytest.mark.parametrize(
    "line",
    [
        "17 死亡年月日(※)|令和|年|月|日",
        "5 診断時の年齢(0歳は月齢)",
        "3 性別|男・女",
        "3 性別|男・",  # one of them lost under the pen's circle
        "患者の類型|患者(確定例)・無症状病原体保有者・疑似症患者",
        "患者の類型|疑似症患者・",
        "患者の類型|思（確定例）状病原体保存|疑似症患者",  # the first two spoilt by the pen's circle
        "3 性別||男|女",
        "医師の氏名|",
        "患者氏名|勇·女",
        "患者氏名|男·④",
        "医師が必要と認める事項|入院しました",
        "電話連絡済",
        "氏名・住所の欄は黒塗りして送信してください",
        "②感染地域(|確定・推定|)",
        "年齢|421",
        "当該者住所|同上",
        "従事する病院・診療所の名称|みどり保健所長 殿",
    ],
)
def test_what_is_no_value_is_not_taken(line: str) -> None:
    assert values(form(line)) == {}


def test_a_value_below_its_label_in_a_row_of_boxes() -> None:
    found = form("2 当該者氏名|3 性別|4 生年月日|", "田中 葵|女|平成3年4月5日|")
    assert values(found) == {"patient_name": "田中 葵", "sex": "女", "born": "1991-04-05"}


def test_an_empty_box_does_not_take_its_neighbour_s_value() -> None:
    found = form("初診年月日|", "診断年月日|令和8年11月20日", "発病年月日|", "報告日|令和8年11月21日")
    assert values(found) == {"diagnosed": "2026-11-20", "reported": "2026-11-21"}


def test_a_value_in_two_lines_of_its_cell() -> None:
    words = (
        Line("麻しん発生届", (600, 100, 900, 150), 0.99),
        Line("7 当該者住所", (100, 320, 300, 360), 0.99),
        Line("東都みどり区", (500, 300, 800, 336), 0.99),
        Line("若葉町1-2-3", (500, 342, 760, 378), 0.99),
        Line("8 職業", (100, 420, 300, 460), 0.99),
    )
    found = extract([PageFacts(1, "", words, 1728, 2292)], DISEASES, "DISEASE_IMMEDIATE", RECEIVED)
    assert found["patient_address"].value == "東都みどり区 若葉町1-2-3"
    assert found["patient_address"].box == (500, 300, 800, 378)


@pytest.mark.parametrize("skew", [-1.5, 0.0, 1.5])
def test_rows_of_a_page_that_lies_askew(skew: float) -> None:
    down = round(-900 * skew * 0.01745)
    words = (
        Line("麻しん発生届", (600, 100, 900, 150), 0.99),
        *(Line(text, (100, 300 + 46 * n, 360, 340 + 46 * n), 0.99)
          for n, text in enumerate(("初診年月日", "診断年月日", "発病年月日"))),
        *(Line(f"令和8年11月1{n}日", (1260, 300 + 46 * n + down, 1500, 340 + 46 * n + down), 0.99) for n in range(3)),
    )  # fmt: skip
    found = extract([PageFacts(1, "", words, 1728, 2292, skew=skew)], DISEASES, "DISEASE_IMMEDIATE", RECEIVED)
    assert values(found) == {"first_visit": "2026-11-10", "diagnosed": "2026-11-11", "onset": "2026-11-12"}


def test_the_letterhead_speaks_for_the_institution() -> None:
    found = form(
        "東都知事 殿|令和8年11月22日",
        "|けやき医院",
        "|東都みどり区若葉町1-2-3",
        "|TEL 03-5461-7780 FAX 03-5461-7781",
        "当該者氏名|田中 葵",
    )
    assert {name: field.value for name, field in found.items() if "institution" in name or name == "reported"} == {
        "reported": "2026-11-22",
        "institution": "けやき医院",
        "institution_address": "東都みどり区若葉町1-2-3",
        "institution_phone": "+81354617780",
    }


def test_name_and_address_belong_to_whom_the_form_speaks_of() -> None:
    found = form(
        "氏名|田中 葵", "住所|東都西原市1-2", "医療機関名|けやき医院", "所在地|東都北辰区3-4", "電話|03-5461-7780"
    )
    assert values(found) == {
        "patient_name": "田中 葵",
        "patient_address": "東都西原市1-2",
        "institution": "けやき医院",
        "institution_address": "東都北辰区3-4",
        "institution_phone": "+81354617780",
    }


# ---- marks, eras, masks ---------------------------------------------------------------------------


def option(text: str, x: int, y: int, *, on: bool = False) -> Mark:
    return Mark(text, (x, y, x + 30, y + 30), on, 0.9)


def test_the_circle_chooses() -> None:
    marks = (option("男", 700, 165), option("女", 760, 165, on=True))
    found = form("性別|男・女", "当該者氏名|田中 葵", marks=marks)
    assert found["sex"].value == "女"
    assert found["sex"].box == marks[1].box
    both = tuple(Mark(mark.text, mark.box, on=True, confidence=0.9) for mark in marks)
    assert "sex" not in form("性別|男・女", "当該者氏名|田中 葵", marks=both)


@pytest.mark.parametrize(("circled", "born"), [("昭", "1955-11-26"), ("平", "2018-11-26"), ("令", None)])
def test_the_circled_era(circled: str, born: str | None) -> None:
    marks = tuple(option(era, 700 + 50 * n, 165, on=era == circled) for n, era in enumerate("明大昭平令"))
    found = form("生年月日|明・大・昭・平・令 30年11月26日", marks=marks)
    assert (found["born"].value if "born" in found else None) == born


def test_without_a_circle_the_age_tells_the_era() -> None:
    found = form("生年月日|年齢", "明・大・昭・平・令|70歳", "30年11月26日|")
    assert found["born"].value == "1955-11-26"
    assert found["born"].note is not None
    assert "born" not in form("生年月日|30年11月26日")


def test_ticked_options_go_to_their_question() -> None:
    marks = (
        option("□発熱", 700, 165, on=True),
        option("発疹", 1000, 165),
        option("咳", 700, 225, on=True),
        option("PCR法", 700, 345, on=True),
        option("有", 700, 465, on=True),
    )
    found = form("7 症状|□発熱", "|咳", "", "8 診断方法|PCR法", "", "HIV感染症合併|有・無", marks=marks)
    assert values(found) == {"symptoms": "発熱、咳", "method": "PCR法", "ticked": "有"}


def test_options_whose_label_is_lost_go_to_their_question_by_their_words() -> None:
    """The labels of 別記様式 stand upright in a narrow column, where engines lose them."""
    marks = (
        option("発熱", 300, 165, on=True),
        option("光熱", 600, 165),
        option("しぶり腹", 300, 225, on=True),
        option("分離・同定による病原体の検出", 300, 345, on=True),
    )
    found = form("|", "|", "", "8 診断方法|", marks=marks)
    assert values(found) == {"symptoms": "発熱、しぶり腹", "method": "分離・同定による病原体の検出"}


def test_a_tick_far_right_of_its_question_is_not_the_sex_s_above() -> None:
    marks = (option("男", 700, 165, on=True), option("女", 800, 165), option("発疹", 700, 285, on=True))
    far = (option("右足の腫れ", 1300, 285, on=True), option("リンパ節腫脹", 1500, 285, on=True))
    found = form("性別・年齢|男・女", "", "7 症状|発疹", marks=(*marks, *far))
    assert values(found) == {"sex": "男", "symptoms": "発疹、右足の腫れ、リンパ節腫脹"}


def test_a_row_between_two_questions_is_not_the_sex_s() -> None:
    """The label of a group of rows stands in their middle, lower than the first of them."""
    marks = (option("男", 700, 165, on=True), option("女", 800, 165), option("右足の腫れ", 1300, 265, on=True))
    assert values(form("3 性別|男・女", "", "", "", "7 症状|", marks=marks)) == {"sex": "男", "symptoms": "右足の腫れ"}


@pytest.mark.parametrize(
    ("born", "age", "told"), [("昭和60年3月7日", "44歳", "1985-03-07"), ("60年3月7日", "44歳", None)]
)
def test_a_date_of_birth_written_out_stands_against_the_age_and_says_so(born: str, age: str, told: str | None) -> None:
    found = form(f"生年月日|{born}", f"年齢|{age}").get("born")
    assert (found.value if found is not None else None) == told
    assert found is None or (found.note == "年齢と合いません。" and found.confidence <= 0.5)


def test_the_head_of_a_letter_without_a_patient_s_labels() -> None:
    words = (
        Line("令和8年10月14日 16時31分", (1200, 120, 1580, 160), 0.99),
        Line("探知した日時", (140, 200, 300, 240), 0.99),
        Line("令和8年10月13日 15時", (520, 200, 900, 240), 0.99),
        Line("けやき医院", (1200, 300, 1400, 340), 0.99),
        Line("電話 03-5555-0151", (1200, 350, 1500, 390), 0.99),
        Line("患者数", (140, 900, 250, 940), 0.99),
        Line("7名", (520, 900, 600, 940), 0.99),
        Line("患者氏名", (140, 1000, 260, 1040), 0.99),
        Line("勇·女", (520, 1000, 620, 1040), 0.99),
    )
    for lines in (words[:7], words[:1] + words[3:]):
        found = extract([PageFacts(1, "", lines, 1728, 2292)], DISEASES, "FOOD_POISONING", RECEIVED)
        assert values(found) == {
            "reported": "2026-10-14",
            "institution": "けやき医院",
            "institution_phone": "+81355550151",
            "sick": "7名",
        }


@pytest.mark.parametrize(
    ("letters", "name"), [("症状", "symptoms"), ("|状", "symptoms"), ("状", "symptoms"), ("診断方法", "method")]
)
@pytest.mark.parametrize("apart", [False, True], ids=["one run", "letter by letter"])
def test_a_label_set_upright(letters: str, name: str, *, apart: bool) -> None:
    run = [Line(letters, (130, 400, 175, 400 + 50 * max(2, len(letters))), 0.9)]
    each = [Line(letter, (130, 400 + 50 * n, 175, 445 + 50 * n), 0.9) for n, letter in enumerate(letters)]
    words = (Line("麻しん発生届", (600, 100, 900, 150), 0.99), *(each if apart and len(letters) > 1 else run))
    marks = (option("右足の腫れ", 300, 410, on=True), option("その他", 300, 460))
    found = extract([PageFacts(1, "", words, 1728, 2292, marks=marks)], DISEASES, "DISEASE_IMMEDIATE", RECEIVED)
    assert values(found) == {name: "右足の腫れ"}


def test_a_telephone_number_is_no_address() -> None:
    assert values(form("当該者住所|090-5555-0152")) == {"patient_phone": "+819055550152"}


def test_a_known_route_below_the_heading_of_its_part_of_the_form() -> None:
    marks = (option("2 輸血", 300, 285, on=True), option("確定", 800, 225, on=True))
    found = form("18 感染原因・感染経路・感染地域|", "|", "①感染原因・感染経路(|確定・推定", "", marks=marks)
    assert values(found)["route"] == "2 輸血"


def test_a_circle_in_a_row_of_case_types_needs_no_label() -> None:
    marks = (option("患者(確定例)", 200, 165), option("派症状病原体保有名", 600, 165, on=True))
    assert values(form("|", marks=marks)) == {"case_type": "無症状病原体保有者"}
    assert form("|", marks=marks[1:]) == form("|")  # alone it may be another question's option


def test_a_number_that_lost_its_label_is_the_patient_s_among_the_patient_s_lines() -> None:
    found = form(
        "医療機関名|けやき医院", "患者氏名|田中 葵", "患者住所|東都みどり区本町1-2", "|(090-5555-0148", "性別|女"
    )
    assert found["patient_phone"].value == "+819055550148"
    assert "institution_phone" not in found
    two = form("患者氏名|田中 葵", "|(090-5555-0148", "|(03-5555-0149", "性別|女")
    assert "patient_phone" not in two
    head = form("医療機関名|けやき医院", "品|03-5555-0150", "患者氏名|田中 葵")
    assert head["institution_phone"].value == "+81355550150"
    fax = form("医療機関名|けやき医院", "FAX|03-5555-0150", "患者氏名|田中 葵")
    assert "institution_phone" not in fax


def test_a_place_means_what_its_class_of_forms_means() -> None:
    text = "食中毒届\n届出医師 木村 雄介\n施設名 焼肉まぼろし屋\n患者数 7名"
    assert values(extract([PageFacts(1, text)], DISEASES, "FOOD_POISONING", RECEIVED)) == {
        "doctor": "木村 雄介",
        "infection_place": "焼肉まぼろし屋",
        "sick": "7名",
    }
    text = "集団発生報告\n施設名 ひまわりの里\n担当者 高橋 一郎\n患者数/在籍者数 14名/66名"
    assert values(extract([PageFacts(1, text)], DISEASES, "OUTBREAK_FACILITY", RECEIVED)) == {
        "institution": "ひまわりの里",
        "reporter": "高橋 一郎",
        "sick": "14名/66名",
    }


def test_the_head_of_a_list_of_persons_asks_nothing_of_an_outbreak() -> None:
    words = tuple(
        Line(text, (200 + 300 * column, 200 + 90 * row, 320 + 300 * column, 240 + 90 * row), 0.99)
        for row, line in enumerate((("氏名", "年齢", "発症日時", "症状"), ("S.M", "87", "5/1", "嘔吐")))
        for column, text in enumerate(line)
    )
    assert extract([PageFacts(1, "", words, 1728, 2292)], DISEASES, "OUTBREAK_FACILITY", RECEIVED) == {}


def test_odd_dates_say_why() -> None:
    notes = {
        name: field.note
        for name, field in form(
            "診断年月日|平成38年11月20日", "初診年月日|11月19日", "発病年月日|令和8年12月1日"
        ).items()
    }
    assert "平成が終わった後" in (notes["diagnosed"] or "")
    assert "年の記載がない" in (notes["first_visit"] or "")
    assert "受信日より後" in (notes["onset"] or "")


def test_a_blacked_out_field_is_masked_not_missing() -> None:
    found = form("当該者氏名|", "当該者住所|", "診断年月日|令和8年11月20日", masked=((650, 165, 1100, 200),))
    assert (found["patient_name"].masked, found["patient_name"].value) == (True, "")
    assert found["patient_name"].box == (650, 165, 1100, 200)
    assert "patient_address" not in found
    assert not found["diagnosed"].masked
    assert form("当該者氏名|■■■■")["patient_name"].masked


def test_what_stands_behind_a_bar_is_another_s_value() -> None:
    found = form("当該者氏名||佐藤 清", masked=((400, 165, 900, 200),))
    assert found["patient_name"].masked


# ---- whose name a form may have -------------------------------------------------------------------

NAMED = (
    "当該者氏名|田中 葵",
    "当該者住所|東都西原市1-2",
    "生年月日|平成3年4月5日",
    "職業|会社員",
    "年齢|35歳",
    "診断年月日|令和8年11月20日",
)


@pytest.mark.parametrize(
    ("disease", "named"),
    [
        ("エボラ出血熱", True), ("結核", True), ("コレラ", True), ("デング熱", True),
        ("麻しん", True), ("風しん", True), ("侵襲性髄膜炎菌感染症", True),
        ("梅毒", False), ("百日咳", False), ("アメーバ赤痢", False), ("感染症", False),
    ],
)  # fmt: skip
def test_names_only_where_the_law_has_them(disease: str, named: bool) -> None:
    """感染症法12条1項: 1号 the name, 2号 age and sex alone; nobody knows which of them an unread disease is."""
    found = values(form(*NAMED, disease=disease))
    personal = {"patient_name", "patient_address", "born", "occupation"}
    assert personal & found.keys() == (personal if named else set())
    assert {found["age"], found["diagnosed"]} == {"35", "2026-11-20"}


def test_other_classes_have_fields_of_their_own_or_none() -> None:
    pages = [
        PageFacts(
            1, "結核患者退院届\n病院名称 けやき医院\n患者氏名 田中 葵\n入院年月日 令和8年9月1日\n退院年月日 R8.11.20"
        )
    ]
    admission = values(extract(pages, DISEASES, "TB_ADMISSION", RECEIVED))
    assert admission == {
        "institution": "けやき医院",
        "patient_name": "田中 葵",
        "admitted": "2026-09-01",
        "discharged": "2026-11-20",
    }
    assert extract(pages, DISEASES, "PROCUREMENT", RECEIVED) == {}
    assert extract(pages, DISEASES, None, RECEIVED) == {}
    assert "patient_name" not in extract(pages, DISEASES, "OUTBREAK_FACILITY", RECEIVED)


@pytest.mark.parametrize(
    "text", ["診断年月日 令和8年1月1日\n" * 40_000, "珍断年日\n" * 50_000, "氏名" * 200_000, "(" * 300_000]
)
def test_hostile_text_ends(text: str) -> None:
    assert len(extract([PageFacts(n, text) for n in (1, 2)], DISEASES, "DISEASE_IMMEDIATE", RECEIVED)) <= 5
