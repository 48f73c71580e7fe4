"""Notifications under the Infectious Diseases Control Act: 発生届 of several shapes, tuberculosis.

Fields follow Article 12(1) of the Act and Article 4(1) of its ordinance; item (ii) diseases carry age and sex, not the name.
"""

# ruff: noqa: E501 - the wording of a form stands on one line, as it is printed

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import PREFECTURE, TOWN, era, wareki


@dataclass(frozen=True, slots=True)
class Disease:
    """What a doctor writes for one disease."""

    name: str
    form: str
    """Number of the printed form (別記様式)."""
    symptoms: tuple[str, ...]
    methods: tuple[str, ...]
    specimen: tuple[str, ...]
    routes: tuple[str, ...]


_AIR = ("飛沫・飛沫核感染", "接触感染", "不明", "その他")
_FOOD = ("経口感染", "接触感染", "動物・蚊・昆虫等からの感染", "その他")
IMMEDIATE = (
    Disease(
        "腸管出血性大腸菌感染症",
        "3-3",
        ("腹痛", "水様性下痢", "血便", "嘔吐", "発熱", "溶血性貧血"),
        ("分離・同定による病原体の検出、かつベロ毒素の確認", "ベロ毒素遺伝子の検出"),
        ("便",),
        _FOOD,
    ),
    Disease(
        "細菌性赤痢",
        "3-2",
        ("発熱", "下痢", "腹痛", "膿粘血便", "しぶり腹"),
        ("分離・同定による病原体の検出",),
        ("便",),
        _FOOD,
    ),
    Disease(
        "レジオネラ症",
        "4-41",
        ("発熱", "咳嗽", "呼吸困難", "下痢", "意識障害", "肺炎"),
        ("酵素抗体法又はイムノクロマト法による尿中抗原の検出", "PCR法による検出"),
        ("尿", "喀痰"),
        ("水系感染", "塵埃感染", "不明", "その他"),
    ),
    Disease(
        "デング熱",
        "4-21",
        ("2日以上続く発熱", "頭痛", "悪心・嘔吐", "筋肉痛", "関節痛", "発疹", "血小板減少"),
        ("ELISA法によるNS1抗原の検出", "PCR法による検出"),
        ("血液",),
        ("蚊からの感染", "輸血", "不明", "その他"),
    ),
    Disease(
        "日本紅斑熱",
        "4-25",
        ("発熱", "刺し口", "発疹", "頭痛", "肝機能異常"),
        ("PCR法による病原体遺伝子の検出",),
        ("痂皮", "血液"),
        ("動物・蚊・昆虫等からの感染", "不明"),
    ),
    Disease(
        "A型肝炎",
        "4-3",
        ("全身倦怠感", "発熱", "食欲不振", "黄疸", "肝機能異常"),
        ("血清IgM抗体の検出",),
        ("血清",),
        _FOOD,
    ),
    Disease(
        "つつが虫病",
        "4-18",
        ("頭痛", "発熱", "刺し口", "リンパ節腫脹", "発疹"),
        ("血清抗体の検出", "PCR法による検出"),
        ("血液",),
        ("動物・蚊・昆虫等からの感染", "不明"),
    ),
    Disease(
        "エムポックス",
        "4-6",
        ("発疹", "発熱", "頭痛", "リンパ節腫脹", "倦怠感"),
        ("PCR法による病原体の遺伝子の検出",),
        ("水疱内容液",),
        ("接触感染", "飛沫感染", "不明"),
    ),
)
CLASS5_NOW = (
    Disease(
        "麻しん",
        "5-23",
        ("発熱", "咳", "鼻汁", "結膜充血", "眼脂", "コプリック斑", "発疹", "肺炎"),
        ("PCR法による病原体遺伝子の検出", "血清IgM抗体の検出"),
        ("咽頭拭い液", "血液", "尿"),
        _AIR,
    ),
    Disease(
        "風しん",
        "5-22",
        ("発疹", "発熱", "リンパ節腫脹", "関節痛・関節炎", "血小板減少性紫斑病"),
        ("PCR法による病原体遺伝子の検出", "血清IgM抗体の検出"),
        ("咽頭拭い液", "血清"),
        _AIR,
    ),
    Disease(
        "侵襲性髄膜炎菌感染症",
        "5-12",
        ("頭痛", "発熱", "意識障害", "項部硬直", "点状出血", "ショック"),
        ("分離・同定による病原体の検出",),
        ("髄液", "血液"),
        _AIR,
    ),
)
SEVEN_DAYS = (
    Disease(
        "梅毒",
        "5-16",
        ("初期硬結", "硬性下疳", "鼠径部リンパ節腫脹", "梅毒性バラ疹", "丘疹性梅毒疹", "扁平コンジローマ"),
        ("カルジオリピンを抗原とする検査(RPRカードテスト等)", "T.pallidumを抗原とする検査(TPHA等)"),
        ("血清",),
        ("性的接触", "母子感染", "不明"),
    ),
    Disease(
        "百日咳",
        "5-21",
        ("持続する咳", "夜間の咳込み", "スタッカート", "ウープ", "嘔吐", "無呼吸発作"),
        ("LAMP法による病原体遺伝子の検出", "抗PT-IgG抗体の検出"),
        ("鼻咽頭拭い液",),
        _AIR,
    ),
    Disease(
        "劇症型溶血性レンサ球菌感染症",
        "5-8",
        ("ショック", "肝不全", "腎不全", "急性呼吸窮迫症候群", "軟部組織炎", "DIC"),
        ("分離・同定による病原体の検出",),
        ("血液", "壊死軟部組織"),
        ("創傷感染", "飛沫・飛沫核感染", "不明"),
    ),
    Disease(
        "侵襲性肺炎球菌感染症",
        "5-13",
        ("頭痛", "発熱", "咳", "全身倦怠感", "肺炎", "菌血症", "髄膜炎"),
        ("分離・同定による病原体の検出",),
        ("血液", "髄液"),
        _AIR,
    ),
    Disease(
        "アメーバ赤痢",
        "5-1",
        ("下痢", "粘血便", "しぶり腹", "鼓腸", "発熱", "右季肋部痛"),
        ("鏡検による病原体の検出",),
        ("便", "大腸粘膜組織"),
        _FOOD,
    ),
    Disease(
        "カルバペネム耐性腸内細菌目細菌感染症",
        "5-3",
        ("尿路感染症", "肺炎", "菌血症・敗血症", "胆嚢炎・胆管炎"),
        ("分離・同定による腸内細菌目細菌の検出",),
        ("尿", "血液", "喀痰"),
        ("以前からの保菌", "院内感染", "医療器具関連感染"),
    ),
    Disease(
        "破傷風",
        "5-18",
        ("筋肉のこわばり", "開口障害", "嚥下障害", "発語障害", "強直性痙攣"),
        ("臨床決定",),
        ("-",),
        ("創傷感染", "針等の鋭利なものの刺入", "不明"),
    ),
    Disease(
        "水痘(入院例に限る)",
        "5-14",
        ("発熱", "発疹", "肺炎", "脱水"),
        ("蛍光抗体法による病原体抗原の検出",),
        ("水疱内容",),
        _AIR,
    ),
)
ALL = (*IMMEDIATE, *CLASS5_NOW, *SEVEN_DAYS)
_LAW = "感染症の予防及び感染症の患者に対する医療に関する法律第12条第1項(同条第10項において準用する場合を含む。)の規定により、以下のとおり届け出る。"
_TYPES = ["患者(確定例)", "無症状病原体保有者", "疑似症患者", "感染症死亡者の死体"]


def _pick(draft: Draft, among: tuple[Disease, ...]) -> Disease:
    """The disease asked for, or one by chance."""
    wanted = [disease for disease in ALL if disease.name == draft.disease]
    chosen = wanted[0] if wanted else draft.rng.choice(among)
    draft.disease = chosen.name
    return chosen


def _onset(draft: Draft) -> list[str]:
    """First visit, diagnosis, infection and onset, in the order of the form and in an order that can be."""
    diagnosed = draft.today - timedelta(days=draft.rng.randint(0, 1))
    visit = diagnosed - timedelta(days=draft.rng.randint(0, 4))
    onset = visit - timedelta(days=draft.rng.randint(0, 4))
    infected = onset - timedelta(days=draft.rng.randint(2, 12))
    return [wareki(day, draft.dates) for day in (visit, diagnosed, infected, onset)]


def _heading(draft: Draft, sheet: Sheet, y: float, *, ruled: bool = True) -> float:
    """Addressee, law, and who notifies; returns the y below."""
    sender = draft.sender
    sheet.text(
        18,
        y,
        draft.rng.choice(
            (f"{PREFECTURE}知事(保健所設置市長・特別区長) 殿", f"{PREFECTURE}知事(保健所設置市・特別区長)　様")
        ),
        10.5,
    )
    y = sheet.para(18, y + 7, 176, _LAW, 9.5, lead=1.45) + 1
    sheet.labelled(118, y, "報告年月日", draft.day(0), gap=24, name="reported_at")
    y += 8
    rows = [
        ("医師の氏名", draft.people.name() + ("　印" if draft.rng.random() < 0.3 else ""), "doctor"),
        ("従事する病院・診療所の名称", sender.name, "institution"),
        ("上記病院・診療所の所在地(※)", sender.address, "institution_address"),
        ("電話番号(※)", sender.phone, "phone"),
    ]
    typed = draft.rng.random() < 0.35
    for label, value, name in rows:
        sheet.labelled(
            18,
            y,
            label,
            value,
            gap=56,
            length=118 if ruled else 0,
            name=name,
            size=10,
            printed=typed and name != "doctor",
        )
        y += 8.4
    if draft.rng.random() < 0.4:
        sheet.para(74, y - 1, 110, "(※病院・診療所に従事していない医師にあっては、その住所・電話番号を記載)", 7.5)
        y += 3
    return y + 1


def _masked(draft: Draft, likely: float) -> bool:
    return draft.rng.random() < likely if draft.mask is None else draft.mask


def _value(sheet: Sheet, x: float, y: float, w: float, value: str, name: str, hidden: bool, size: float = 12.5) -> None:
    """A handwritten value, or the marker's black over it."""
    if hidden:
        sheet.blackout(x, y - 0.6, min(w, 6 + len(value) * 4.6), 6.2, name)
    else:
        sheet.write(x, y, value, size, name=name)


def _born(
    draft: Draft, sheet: Sheet, x: float, y: float, youngest: int, oldest: int, hidden: bool
) -> tuple[str, int, str]:
    """The birth-date box with its circled era; returns name, age and sex of the patient."""
    patient = draft.people.person(draft.today, youngest, oldest)
    name, _, year = era(patient.born)
    eras = ["明治", "大正", "昭和", "平成", "令和"]
    if hidden:
        sheet.text(x, y, "・".join(eras[1:]) + "　　年　月　日", 9)
        sheet.blackout(x + 1, y + 4.6, 46, 6, "birth")
    else:
        sheet.options(x, y, [e[0] for e in eras], eras.index(name), 9, name="birth_era")
        sheet.write(x + 6, y + 5, f"{year}年 {patient.born.month}月 {patient.born.day}日", 12.5, name="birth")
    return patient.name, patient.age(draft.today), patient.sex


def classic(draft: Draft) -> None:
    """別記様式 as the ministry prints it: a grid from 1 to 19, options circled or ticked (classes 2 to 4)."""
    disease = _pick(draft, IMMEDIATE)
    sheet = draft.sheet()
    hidden = _masked(draft, 0.4)
    sheet.text(16, 10, f"別記様式{disease.form}", 9)
    sheet.title(13, f"{disease.name}発生届", 16 if len(disease.name) < 9 else 14)
    y = _heading(draft, sheet, 24)
    y = _who(draft, sheet, y, hidden)
    y = _findings(draft, sheet, disease, y)
    sheet.para(
        16,
        y + 2,
        182,
        "(1、3、11、12、18欄は該当する番号等を○で囲み、4、5、13から17欄は年齢、年月日を記入すること。(※)欄は、死亡者を検案した場合のみ記入すること。"
        "11、12欄は、該当するもの全てを記載すること。)　この届出は診断後直ちに行ってください。",
        7.5,
        lead=1.4,
    )
    if draft.rng.random() < 0.35:
        sheet.received(176, 22, [f"{PREFECTURE}みどり", wareki(draft.today, "short"), "保健所収受"], 27)


def _occupation(draft: Draft, age: int) -> str:
    for below, jobs in (
        (6, ("保育園児", "幼稚園児", "乳幼児")),
        (16, ("小学生", "中学生")),
        (19, ("高校生", "専門学校生")),
    ):
        if age < below:
            return str(draft.rng.choice(jobs))
    return str(
        draft.rng.choice(("会社員", "調理師", "保育士", "介護職員", "無職", "飲食店勤務", "大学生", "看護師", "農業"))
    )


def _who(draft: Draft, sheet: Sheet, y: float, hidden: bool) -> float:
    """Boxes 1 to 10: type of case and the person."""
    x, w = 16, 182
    sheet.box(x, y, w, 10)
    sheet.text(x + 2, y + 1, "1 診断(検案)した者(死体)の類型", 8.5)
    kind = draft.rng.choice((0, 0, 0, 1))
    sheet.options(x + 8, y + 5.2, _TYPES, kind, 9.5, "　・　", name="case_type")
    y += 10
    widths, top = [52, 20, 64, 46], y
    for number, (label, wide) in enumerate(
        zip(("2 当該者氏名", "3 性別", "4 生年月日", "5 診断時の年齢(0歳は月齢)"), widths, strict=True)
    ):
        left = x + sum(widths[:number])
        sheet.box(left, y, wide, 17)
        sheet.text(left + 1.5, y + 1, label, 8)
    name, age, sex = _born(draft, sheet, x + 75, top + 4.5, 3, 88, hidden)
    _value(sheet, x + 5, y + 7.5, 40, name, "patient_name", hidden)
    sheet.options(x + 56, y + 8.5, ["男", "女"], "男女".index(sex), 11, name="sex")
    sheet.write(x + 145, y + 7.5, f"{age} 歳", 13, name="age")
    y += 17
    job = _occupation(draft, age)
    place = draft.people.address()
    for label, value, key in (
        ("6 当該者職業", job, "occupation"),
        ("7 当該者住所", place, "patient_address"),
        ("8 当該者所在地", "同上", ""),
        ("9 保護者氏名　10 保護者住所　(9、10は患者が未成年の場合のみ記入)", "", ""),
    ):
        sheet.box(x, y, w, 10)
        sheet.text(x + 1.5, y + 1, label, 8)
        if value:
            _value(sheet, x + 30, y + 3, 110, value, key, hidden and key == "patient_address")
        if key == "patient_address":
            sheet.text(x + 128, y + 4.6, "電話(", 8.5)
            _value(sheet, x + 137, y + 4, 36, draft.people.mobile(), "patient_phone", hidden, 11)
            sheet.text(x + 176, y + 4.6, ")", 8.5)
        y += 10
    return y


def _findings(draft: Draft, sheet: Sheet, disease: Disease, y: float) -> float:
    """Boxes 11 to 19, in two columns: what was found, and when and how it was caught."""
    x, left, high = 16, 92, 118
    sheet.box(x, y, left, high)
    sheet.box(x + left, y, 90, high)
    seen = set(draft.rng.sample(disease.symptoms, min(len(disease.symptoms), draft.rng.randint(2, 4))))
    sheet.text(x + 1.5, y + 1.5, "11", 8.5)
    sheet.text(x + 1.5, y + 5, "症", 9)
    sheet.text(x + 1.5, y + 10, "状", 9)
    sheet.line(x + 8, y, x + 8, y + high)
    at = y + 2
    for number, symptom in enumerate(disease.symptoms):
        sheet.tick(x + 10 + 40 * (number % 2), at + 7 * (number // 2), symptom, symptom in seen, 9, "symptoms")
    at += 7 * ((len(disease.symptoms) + 1) // 2)
    sheet.text(x + 10, at, "・その他(　　　　　　　　　　　　)", 9)
    if draft.rng.random() < 0.4:
        sheet.write(x + 28, at - 0.8, draft.rng.choice(("倦怠感", "食欲低下", "入院加療中")), 12)
    split = at + 8
    sheet.line(x, split, x + left, split)
    sheet.text(x + 1.5, split + 1.5, "12", 8.5)
    for number, character in enumerate("診断方法"):
        sheet.text(x + 1.5, split + 6 + 5 * number, character, 9)
    at = split + 2
    for number, method in enumerate(disease.methods):
        sheet.tick(x + 10, at, "", number == 0, 9, "method")
        sheet.choices[-1]["label"] = method  # set beside it in lines of its own
        at = sheet.para(x + 15, at, left - 18, method, 9, lead=1.35) + 1.5
    sheet.text(x + 12, at, "検体:", 9)
    sheet.options(x + 24, at, [*disease.specimen, "その他"], 0, 9.5, name="specimen")
    sheet.text(x + 12, at + 7, "結果", 9)
    sheet.write(
        x + 24,
        at + 6,
        draft.rng.choice(("陽性", "O157 VT1VT2陽性" if "大腸菌" in disease.name else "陽性(+)")),
        12,
        name="result",
    )
    _course(draft, sheet, disease, x + left, y)
    return y + high


def _course(draft: Draft, sheet: Sheet, disease: Disease, x: float, y: float) -> None:
    """Boxes 13 to 19."""
    labels = ("13 初診年月日", "14 診断(検案(※))年月日", "15 感染したと推定される年月日", "16 発病年月日(※)")
    names = ("first_visit", "diagnosed_at", "infected_at", "onset")
    for label, value, name in zip(labels, _onset(draft), names, strict=True):
        sheet.text(x + 2, y + 2.4, label, 8.5)
        sheet.write(x + 46, y + 1.6, value, 11.5, name=name)
        y += 8
    sheet.text(x + 2, y + 1.5, "17 死亡年月日(※)　　　令和　　年　　月　　日", 8.5)
    y += 7.5
    sheet.line(x, y, x + 90, y)
    sheet.text(x + 2, y + 1.5, "18 感染原因・感染経路・感染地域", 8.5)
    sheet.text(x + 2, y + 7, "①感染原因・感染経路(", 8.5)
    sheet.options(x + 40, y + 7, ["確定", "推定"], draft.rng.randint(0, 1), 9, name="route_certainty")
    sheet.text(x + 56, y + 7, ")", 8.5)
    y += 13.5
    chosen = draft.rng.randrange(len(disease.routes))
    for number, route in enumerate(disease.routes):
        sheet.options(x + 5, y, [f"{number + 1} {route}"], 0 if number == chosen else None, 9, name="route")
        y += 6.5
    sheet.text(x + 2, y + 1, "②感染地域(", 8.5)
    sheet.options(x + 22, y + 1, ["確定", "推定"], draft.rng.randint(0, 1), 9, name="place_certainty")
    sheet.text(x + 38, y + 1, ")", 8.5)
    sheet.options(x + 5, y + 8, ["1 日本国内"], 0, 9, name="region")
    sheet.write(x + 28, y + 7, f"({PREFECTURE}　{draft.rng.choice(('みどり', '北辰', '港南'))}区)", 11.5, name="place")
    sheet.text(x + 5, y + 15, "2 国外(　　　　　国　詳細地域　　　　　)", 9)
    sheet.text(x + 2, y + 22, "19 その他感染症のまん延の防止及び当該者の", 8)
    sheet.text(x + 6, y + 26, "医療のために医師が必要と認める事項", 8)
    sheet.write(
        x + 6,
        y + 31,
        draft.rng.choice(("家族にも同様の症状あり", "調理従事者です", "入院しました", "電話連絡済み")),
        12.5,
        name="remarks",
    )


def own_form(draft: Draft) -> None:
    """A prefecture's own form for one disease, renumbered, with the vaccination history (麻しん, 風しん and others)."""
    disease = _pick(draft, CLASS5_NOW)
    sheet = draft.sheet()
    hidden = _masked(draft, 0.4)
    sheet.text(194, 9, f"({PREFECTURE}様式)", 8.5, align="right")
    sheet.title(12, f"{disease.name}発生届", 19, spread=draft.rng.choice((0.0, 0.5, 1.0)))
    if draft.rng.random() < 0.5:
        sheet.square_stamp(178, 20, draft.rng.choice(("至急", "電話連絡済", "親展")), 26, 9)
    y = _heading(draft, sheet, 25, ruled=False)
    patient = draft.people.person(draft.today, 2, 45)
    widths = [30.0, 62.0, 30.0, 60.0]
    rows = [
        ["1 当該者氏名", patient.name, "2 性別・年齢", f"{patient.sex}　{patient.age(draft.today)}歳"],
        ["3 生年月日", wareki(patient.born), "4 職業・学校", _occupation(draft, patient.age(draft.today))],
        ["5 住所", patient.address, "6 電話番号", patient.phone],
    ]
    names = (
        ("", "patient_name", "", "sex_age"),
        ("", "birth", "", "occupation"),
        ("", "patient_address", "", "patient_phone"),
    )
    for row, keys in zip(rows, names, strict=True):
        shown = [
            text if number % 2 == 0 or (hidden and keys[number] in _PRIVATE) else "~" + text
            for number, text in enumerate(row)
        ]
        shown = [
            "" if number % 2 and hidden and keys[number] in _PRIVATE else text for number, text in enumerate(shown)
        ]
        sheet.row(16, y, 12, widths, shown, 9.5, names=tuple("" if hidden and key in _PRIVATE else key for key in keys))
        for number in (1, 3):
            if hidden and keys[number] in _PRIVATE:
                sheet.blackout(16 + sum(widths[:number]) + 2, y + 2.5, widths[number] - 8, 7, keys[number])
        y += 12
    y = _ticks(draft, sheet, "7 症状", list(disease.symptoms), y, "symptoms")
    y = _ticks(draft, sheet, "8 診断方法", [*disease.methods, "臨床診断"], y, "method", columns=1)
    for label, value, name in zip(
        ("9 初診年月日", "10 診断年月日", "11 感染推定年月日", "12 発病年月日"),
        _onset(draft),
        ("first_visit", "diagnosed_at", "infected_at", "onset"),
        strict=True,
    ):
        sheet.row(16, y, 9, [46.0, 136.0], [label, "~" + value], names=("", name))
        y += 9
    y = _ticks(draft, sheet, "13 感染経路", list(disease.routes), y, "route", only=True)
    sheet.row(
        16,
        y,
        11,
        [46.0, 136.0],
        ["14 感染地域", f"~日本国内({PREFECTURE}{draft.rng.choice(TOWN)})"],
        names=("", "place"),
    )
    y += 11
    sheet.box(16, y, 182, 13)
    sheet.text(17.5, y + 4.5, "15 ワクチン接種歴", 9.5)
    sheet.options(66, y + 4.5, ["1回", "2回", "なし", "不明"], draft.rng.randrange(4), 10, "　　", name="vaccination")
    sheet.para(
        16,
        y + 17,
        182,
        "※この届出は、診断後直ちに最寄りの保健所へ電話連絡のうえ、行ってください。患者の氏名・住所等の欄は黒塗りして送信し、原本は後日郵送してください。",
        9,
    )


_PRIVATE = ("patient_name", "patient_address", "patient_phone", "birth")


def _ticks(
    draft: Draft,
    sheet: Sheet,
    label: str,
    options: list[str],
    y: float,
    name: str,
    columns: int = 3,
    *,
    only: bool = False,
) -> float:
    """A framed row of tick boxes; returns the y below."""
    lines = (len(options) + columns - 1) // columns
    high = 4 + 6.5 * lines
    sheet.box(16, y, 46, high)
    sheet.text(17.5, y + high / 2 - 1.7, label, 9.5)
    sheet.box(62, y, 136, high)
    on = set(draft.rng.sample(range(len(options)), 1 if only else max(1, len(options) // 2)))
    for number, option in enumerate(options):
        sheet.tick(
            65 + 132 / columns * (number % columns), y + 2.6 + 6.5 * (number // columns), option, number in on, 9, name
        )
    return y + high


def seven_days(draft: Draft) -> None:
    """A class-5 form of the older numbering: sex and age only, no name (Article 12(1)(ii))."""
    disease = _pick(draft, SEVEN_DAYS)
    sheet = draft.sheet()
    sheet.text(16, 10, f"別記様式{disease.form}", 9)
    sheet.title(13, f"{disease.name}発生届", 16 if len(disease.name) < 10 else 13)
    y = _heading(draft, sheet, 24)
    x, w = 16, 182
    sheet.box(x, y, w, 10)
    sheet.text(x + 1.5, y + 3.3, "1 診断(検案)した者(死体)の類型", 9)
    sheet.options(
        x + 66,
        y + 3.3,
        ["患者(確定例)", "無症状病原体保有者", "感染症死亡者の死体"],
        draft.rng.choice((0, 0, 1)),
        9.5,
        "・",
        name="case_type",
    )
    y += 10
    sheet.box(x, y, 60, 11)
    sheet.text(x + 1.5, y + 3.7, "2 性別", 9)
    sheet.options(x + 24, y + 3.7, ["男", "女"], draft.rng.randint(0, 1), 11, "　・　", name="sex")
    sheet.box(x + 60, y, w - 60, 11)
    sheet.text(x + 62, y + 3.7, "3 診断時の年齢(0歳は月齢)", 9)
    sheet.write(x + 112, y + 2.8, f"{draft.rng.randint(18, 79)} 歳", 13, name="age")
    y += 11
    if disease.name == "梅毒":
        y = _syphilis(draft, sheet, y)
    y = _ticks(draft, sheet, "4 症状", list(disease.symptoms), y, "symptoms", 2)
    y = _ticks(draft, sheet, "5 診断方法", list(disease.methods), y, "method", 1)
    sheet.row(
        x,
        y,
        10,
        [46.0, 136.0],
        [
            "　検体・結果",
            f"~{disease.specimen[0]}　{draft.rng.choice(('陽性', 'RPR 64倍' if disease.name == '梅毒' else '検出'))}",
        ],
        names=("", "result"),
    )
    y += 10
    for label, value, name in zip(
        ("6 初診年月日", "7 診断(検案)年月日", "8 感染したと推定される年月日", "9 発病年月日"),
        _onset(draft),
        ("first_visit", "diagnosed_at", "infected_at", "onset"),
        strict=True,
    ):
        sheet.row(x, y, 9, [60.0, 122.0], [label, "~" + value], 9, names=("", name))
        y += 9
    y = _ticks(draft, sheet, "10 感染経路", list(disease.routes), y, "route", 2, only=True)
    sheet.row(x, y, 12, [46.0, 136.0], ["11 感染地域", f"~日本国内({PREFECTURE})　　"], names=("", "place"))
    sheet.para(
        x,
        y + 15,
        w,
        "(1、2、4、5、10、11欄は該当する番号等を○で囲み、又はチェックし、3、6から9欄は年齢・年月日を記入すること。)　この届出は診断から7日以内に行ってください。",
        8,
        lead=1.4,
    )


def _syphilis(draft: Draft, sheet: Sheet, y: float) -> float:
    """What only the syphilis form asks: stage, pregnancy, work in the sex industry, HIV."""
    sheet.box(16, y, 182, 19)
    sheet.text(17.5, y + 2.4, "病型", 9)
    sheet.options(
        40,
        y + 2.4,
        ["早期顕症梅毒(Ⅰ期)", "早期顕症梅毒(Ⅱ期)", "晩期顕症梅毒", "無症候"],
        draft.rng.randrange(4),
        9,
        name="stage",
    )
    for number, (label, options) in enumerate(
        (
            ("妊娠の有無", ["有", "無", "不明"]),
            ("性風俗産業の従事歴", ["有", "無", "不明"]),
            ("HIV感染症合併", ["有", "無", "不明"]),
        )
    ):
        sheet.text(17.5 + 58 * number, y + 8, label, 8.5)
        sheet.options(
            19 + 58 * number, y + 13, options, draft.rng.randrange(3), 9.5, "・", name=f"history_{number + 1}"
        )
    return y + 19


def chart_print(draft: Draft) -> None:
    """The same notification printed by an electronic chart system: nothing handwritten but a seal."""
    disease = _pick(draft, (*IMMEDIATE, *CLASS5_NOW))
    _chart(draft, disease, named=True)


def chart_print_seven_days(draft: Draft) -> None:
    """A chart system's print of a seven-day notification, without a name."""
    _chart(draft, _pick(draft, SEVEN_DAYS), named=False)


def _chart(draft: Draft, disease: Disease, *, named: bool) -> None:
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 5, 85)
    hidden = named and _masked(draft, 0.5)
    sheet.text(16, 10, f"発行: {draft.sender.name} 電子カルテシステム", 8)
    sheet.text(198, 10, f"文書番号 {draft.people.code('KD-######')}", 8, align="right", name="document_number")
    sheet.tone(16, 15, 182, 11, 222)
    sheet.title(17, f"感染症発生届({disease.name})", 15 if len(disease.name) < 12 else 12, spread=0.0)
    y = _chart_sender(draft, sheet, 30)
    dates = _onset(draft)
    seen = "、".join(draft.rng.sample(disease.symptoms, min(3, len(disease.symptoms))))
    rows = [("感染症名", disease.name, "disease"), ("診断した者の類型", _TYPES[0], "case_type")]
    if named:
        rows += [
            ("当該者氏名", patient.name, "patient_name"),
            ("生年月日", wareki(patient.born), "birth"),
            ("当該者住所", patient.address, "patient_address"),
        ]
    rows += [
        ("性別", patient.sex, "sex"),
        ("診断時の年齢", f"{patient.age(draft.today)}歳", "age"),
        ("症状", seen, "symptoms"),
        ("診断方法", disease.methods[0], "method"),
        ("検体", disease.specimen[0], "specimen"),
        ("初診年月日", dates[0], "first_visit"),
        ("診断(検案)年月日", dates[1], "diagnosed_at"),
        ("感染推定年月日", dates[2], "infected_at"),
        ("発病年月日", dates[3], "onset"),
        ("感染原因・感染経路", disease.routes[0], "route"),
        ("感染地域", f"日本国内 {PREFECTURE}", "place"),
        ("備考", draft.rng.choice(("なし", "同居家族2名", "入院中")), ""),
    ]
    for label, value, name in rows:
        secret = hidden and name in _PRIVATE
        sheet.row(
            16, y, 10.5, [54.0, 128.0], [label, "" if secret else value], 10.5, names=("", "" if secret else name)
        )
        if secret:
            sheet.blackout(72, y + 1.8, 60, 7, name)
        y += 10.5
    sheet.para(16, y + 4, 182, _LAW, 8.5)


def _chart_sender(draft: Draft, sheet: Sheet, y: float) -> float:
    doctor = draft.people.name()
    reported = draft.day(0)
    sheet.text(16, y, f"{PREFECTURE}知事 殿", 11)
    sheet.text(198, y, f"報告年月日　{reported}", 10.5, align="right")
    for number, (text, name) in enumerate(
        (
            (draft.sender.name, "institution"),
            (draft.sender.address, "institution_address"),
            (f"TEL {draft.sender.phone}　FAX {draft.sender.fax}", ""),
            (f"医師の氏名　{doctor}", "doctor"),
        )
    ):
        sheet.text(110, y + 7 + 6 * number, text, 10, name=name)
    sheet.fields |= {
        name: {"value": value, "hand": False}
        for name, value in (("doctor", doctor), ("phone", draft.sender.phone), ("reported_at", reported))
    }
    sheet.seal(182, y + 27, doctor.split()[0], 12)
    return y + 36


# ---- tuberculosis ------------------------------------------------------------------------------------------------------


def tb_report(draft: Draft) -> None:
    """結核発生届: type of disease, smear, culture and IGRA (別記様式2-2)."""
    draft.disease = "結核"
    sheet = draft.sheet()
    hidden = _masked(draft, 0.3)
    sheet.text(16, 10, "別記様式2-2", 9)
    sheet.title(13, "結核発生届", 18)
    y = _heading(draft, sheet, 25)
    y = _who(draft, sheet, y, hidden)
    y = _ticks(
        draft,
        sheet,
        "11 病型",
        ["肺結核", "その他の結核", "潜在性結核感染症", "疑似症患者"],
        y,
        "tb_type",
        2,
        only=True,
    )
    y = _ticks(draft, sheet, "12 症状", ["咳", "痰", "発熱", "胸痛", "呼吸困難", "体重減少"], y, "symptoms")
    for label, sample in (
        ("塗抹検査", "喀痰"),
        ("核酸増幅法(PCR)", "喀痰"),
        ("分離・同定(培養)", "喀痰"),
        ("IGRA検査", "血液"),
    ):
        sheet.box(16, y, 182, 8.6)
        sheet.text(20, y + 2.6, f"13 {label}　検体({sample})", 9)
        sheet.options(
            104,
            y + 2.6,
            ["陽性", "陰性", "検査中", "未実施"],
            draft.rng.randrange(4),
            9.5,
            "　・　",
            name=f"test_{label[:2]}",
        )
        y += 8.6
    for label, value, name in zip(
        ("14 初診年月日", "15 診断年月日", "16 感染推定年月日", "17 発病年月日"),
        _onset(draft),
        ("first_visit", "diagnosed_at", "infected_at", "onset"),
        strict=True,
    ):
        sheet.row(16, y, 8.6, [46.0, 136.0], [label, "~" + value], 9, names=("", name))
        y += 8.6
    sheet.row(
        16,
        y,
        11,
        [46.0, 136.0],
        ["18 その他", f"~{draft.rng.choice(('胸部X線 右上肺野に空洞', '入院勧告をお願いします', '接触者健診要相談'))}"],
        9,
        names=("", "remarks"),
    )
    sheet.text(16, y + 14, "※診断後直ちに届け出ること。", 8.5)


def tb_letter(draft: Draft) -> None:
    """A hospital's own short tuberculosis notification with a table of tests."""
    draft.disease = "結核"
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 20, 90)
    sheet.text(198, 12, draft.day(0), 10.5, align="right", name="reported_at")
    sheet.text(16, 18, f"{PREFECTURE}みどり保健所長 殿　(結核担当 御中)", 11.5)
    sheet.title(32, "結 核 発 生 届 (結核患者発生の報告)", 16, spread=0.0)
    y = _chart_sender(draft, sheet, 44)
    sheet.text(16, y, "下記のとおり結核患者を診断しましたので届け出ます。", 10.5)
    y += 9
    tests = [
        ("喀痰塗抹", draft.rng.choice(("陽性(2+)", "陽性(1+)", "陰性"))),
        ("喀痰PCR", "結核菌群 陽性"),
        ("培養", "検査中"),
        ("IGRA(QFT)", draft.rng.choice(("陽性", "判定保留"))),
    ]
    for label, value, name in (
        ("患者氏名", patient.name, "patient_name"),
        ("年齢・性別", f"{patient.age(draft.today)}歳 {patient.sex}", "sex_age"),
        ("住所", patient.address, "patient_address"),
        ("病型", draft.rng.choice(("肺結核", "結核性胸膜炎", "潜在性結核感染症")), "tb_type"),
        ("発病年月日", _onset(draft)[3], "onset"),
        ("診断年月日", draft.day(0, 1), "diagnosed_at"),
    ):
        sheet.row(16, y, 11, [44.0, 138.0], [label, "~" + value], 10, names=("", name), fill=None)
        y += 11
    y += 5
    sheet.row(16, y, 8, [44.0, 138.0], ["検査項目", "結果"], 9.5, align="center", fill=225)
    y += 8
    for label, value in tests:
        y = sheet.row(16, y, 9, [44.0, 138.0], [label, value], 10)
    sheet.para(
        16,
        y + 6,
        182,
        "感染症の予防及び感染症の患者に対する医療に関する法律第12条第1項の規定に基づく届出です。詳細は電話にてご連絡いたします。",
        10,
    )


def tb_admission(draft: Draft) -> None:
    """結核患者入院届 or 退院届 under Article 53-11."""
    leaving = draft.rng.random() < 0.5
    draft.disease = "結核"
    sheet = draft.sheet()
    kind = "退院" if leaving else "入院"
    sheet.text(16, 11, draft.rng.choice(("第五号様式(第三条関係)", "様式第10号")), 9)
    sheet.title(17, f"結核患者{kind}届", 19)
    sheet.text(198, 30, draft.day(0), 10.5, align="right", name="reported_at")
    sheet.text(18, 38, f"{PREFECTURE}みどり保健所長　殿", 11.5)
    for number, (label, value, name) in enumerate(
        (
            ("病院所在地", draft.sender.address, "institution_address"),
            ("病院名称", draft.sender.name, "institution"),
            ("管理者氏名", draft.people.name(), "doctor"),
            ("電話", draft.sender.phone, "phone"),
        )
    ):
        sheet.labelled(96, 48 + 8 * number, label, value, gap=24, name=name, size=10, printed=True)
    sheet.seal(188, 66, "病院長", 14)
    y = (
        sheet.para(
            18,
            86,
            178,
            f"　感染症の予防及び感染症の患者に対する医療に関する法律第53条の11第1項の規定により、結核患者が{kind}したので、下記のとおり届け出ます。",
            10.5,
        )
        + 5
    )
    patient = draft.people.person(draft.today, 20, 93)
    rows = [
        ("患者氏名", patient.name, "patient_name"),
        ("性別・年齢", f"{patient.sex}　{patient.age(draft.today)}歳", "sex_age"),
        ("生年月日", wareki(patient.born), "birth"),
        ("住所", patient.address, "patient_address"),
        ("病名", draft.rng.choice(("肺結核", "肺結核・結核性胸膜炎", "粟粒結核")), "tb_type"),
        ("入院年月日", draft.day(1, 6) if not leaving else draft.day(40, 90), "admitted_at"),
    ]
    rows += (
        [
            ("退院年月日", draft.day(0, 4), "discharged_at"),
            ("退院時の病状", draft.rng.choice(("軽快", "治癒", "転院")), "outcome"),
        ]
        if leaving
        else [("入院時の排菌の有無", "有(塗抹陽性)", "outcome")]
    )
    for label, value, name in rows:
        y = sheet.row(22, y, 12, [48.0, 124.0], [label, "~" + value], 10.5, names=("", name))
    sheet.text(22, y + 4, "注　入院又は退院の日から7日以内に届け出ること。", 9)


def tb_admission_slip(draft: Draft) -> None:
    """入退院届 on one short slip: admission or discharge circled."""
    draft.disease = "結核"
    sheet = draft.sheet()
    sheet.title(14, "結核患者 入退院届", 17, spread=0.2)
    sheet.text(18, 30, "みどり保健所 結核担当 行", 11)
    patient = draft.people.person(draft.today, 20, 93)
    sheet.text(18, 42, "届出の種類", 10.5)
    sheet.options(60, 42, ["入院", "退院", "転院"], draft.rng.randrange(3), 12, "　・　", name="kind")
    y = 52.0
    for label, value, name in (
        ("フリガナ", patient.reading, ""),
        ("氏名", patient.name, "patient_name"),
        ("生年月日", wareki(patient.born), "birth"),
        ("入院年月日", draft.day(20, 60), "admitted_at"),
        ("退院年月日", draft.day(0, 5), "discharged_at"),
        ("医療機関名", draft.sender.name, "institution"),
        ("主治医", draft.people.name(), "doctor"),
        ("電話番号", draft.sender.phone, "phone"),
    ):
        y = sheet.row(18, y, 13, [40.0, 138.0], [label, "~" + value], 11, names=("", name))
    sheet.para(
        18,
        y + 8,
        178,
        "感染症法第53条の11に基づき、病院管理者は結核患者の入退院について7日以内に最寄りの保健所長へ届け出てください。",
        10,
    )
    sheet.received(170, y + 36, [f"{PREFECTURE}みどり", wareki(draft.today, "short"), "保健所"], 28)


def tb_expense(draft: Draft) -> None:
    """結核医療費公費負担申請書."""
    sheet = draft.sheet()
    draft.disease = "結核"
    sheet.title(14, "感染症法第37条の2 結核医療費公費負担申請書", 14, spread=0.0)
    patient = draft.people.person(draft.today, 20, 90)
    y = 30.0
    for label, value, name in (
        ("申請年月日", draft.day(0), "reported_at"),
        ("患者氏名", patient.name, "patient_name"),
        ("住所", patient.address, "patient_address"),
        ("生年月日", wareki(patient.born), "birth"),
        ("病名", "肺結核", "tb_type"),
        ("医療機関名", draft.sender.name, "institution"),
        ("医療の種類", "化学療法 HRE 6か月", "therapy"),
        ("胸部エックス線", f"{draft.day(2, 9)} 撮影", ""),
        ("診査会の意見", "", ""),
    ):
        y = sheet.row(
            18, y, 14, [44.0, 134.0], [label, "~" + value if value else ""], 10.5, names=("", name if value else "")
        )
    sheet.para(
        18,
        y + 6,
        178,
        "上記のとおり公費負担を申請します。(個人番号は記入しないでください。)感染症診査協議会(結核診査会)に諮問し、承認期間を決定します。",
        10,
    )


LAYOUTS = (
    ("notification_classic", "DISEASE_IMMEDIATE", classic),
    ("notification_own_form", "DISEASE_IMMEDIATE", own_form),
    ("notification_chart_print", "DISEASE_IMMEDIATE", chart_print),
    ("notification_seven_days", "DISEASE_7DAY", seven_days),
    ("notification_chart_seven_days", "DISEASE_7DAY", chart_print_seven_days),
    ("tb_report", "TB_REPORT", tb_report),
    ("tb_letter", "TB_REPORT", tb_letter),
    ("tb_admission", "TB_ADMISSION", tb_admission),
    ("tb_admission_slip", "TB_ADMISSION", tb_admission_slip),
    ("tb_expense", "TB_PUBLIC_EXPENSE", tb_expense),
)
"""Name, class and drawing of each layout."""
