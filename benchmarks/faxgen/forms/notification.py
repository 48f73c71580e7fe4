"""More shapes of 発生届, as prefectures, associations of doctors and word processors lay them out.

Labels above their boxes, blanks of a date printed with digits written between, old stock with 平成, a letter with colons,
labels that wrap: what a reader of one layout stumbles over.
"""

# ruff: noqa: E501 - the wording of a form stands on one line, as it is printed

from __future__ import annotations

from datetime import date, timedelta

from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.forms.disease import CLASS5_NOW, IMMEDIATE, SEVEN_DAYS, Disease
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import PREFECTURE, era, wareki


def _disease(draft: Draft, among: tuple[Disease, ...]) -> Disease:
    wanted = [disease for disease in (*IMMEDIATE, *CLASS5_NOW, *SEVEN_DAYS) if disease.name == draft.disease]
    chosen = wanted[0] if wanted else draft.rng.choice(among)
    draft.disease = chosen.name
    return chosen


def _course(draft: Draft) -> dict[str, date]:
    """Days in an order that can be."""
    diagnosed = draft.today - timedelta(days=draft.rng.randint(0, 1))
    visit = diagnosed - timedelta(days=draft.rng.randint(0, 3))
    onset = visit - timedelta(days=draft.rng.randint(0, 4))
    infected = onset - timedelta(days=draft.rng.randint(2, 12))
    return {"onset": onset, "first_visit": visit, "diagnosed_at": diagnosed, "infected_at": infected}


def _blanks(sheet: Sheet, x: float, y: float, day: date | None, name: str, printed_era: str = "令和") -> None:
    """令和　　年　　月　　日 with the digits written between; *day* None leaves it empty.

    Old stock prints 平成: its writer counts on (平成38年).
    """
    first = {"令和": 2018, "平成": 1988}[printed_era]
    step = 12.0
    sheet.text(x, y, printed_era, 9.5)
    for number, unit in enumerate("年月日"):
        sheet.text(x + 8 + step * (number + 1) - 4, y, unit, 9.5)
    if day is None:
        return
    for number, value in enumerate((day.year - first, day.month, day.day)):
        sheet.write(x + 9.5 + step * number + (1.5 if value < 10 else 0), y - 0.8, str(value), 12)
    sheet.fields[name] = {"value": f"{printed_era}{day.year - first}年{day.month}月{day.day}日", "hand": True}


def boxes(draft: Draft) -> None:
    """Every label small in the corner of its box, the value below it; dates as printed blanks."""
    disease = _disease(draft, (*IMMEDIATE, *CLASS5_NOW))
    sheet, patient, course = draft.sheet(), draft.people.person(draft.today, 1, 85), _course(draft)
    era_printed = draft.rng.choice(("令和", "令和", "平成"))
    sheet.title(12, f"{disease.name} 発生届", 17, spread=0.0)
    sheet.text(18, 24, f"{PREFECTURE}みどり保健所長　様", 11)
    sheet.text(112, 24, "届出日", 9.5)
    _blanks(sheet, 130, 24, draft.today, "reported_at", era_printed)
    y = 34.0
    y = _boxed(
        sheet,
        y,
        17,
        [
            (92, "医療機関名", draft.sender.name, "institution"),
            (46, "医師名", draft.people.name(), "doctor"),
            (44, "電話", draft.sender.phone, "phone"),
        ],
    )
    y = _boxed(sheet, y, 15, [(182, "医療機関所在地", draft.sender.address, "institution_address")])
    y += 4
    hidden = bool(draft.mask)
    y = _boxed(
        sheet,
        y,
        18,
        [
            (66, "患者氏名", patient.name, "patient_name"),
            (30, "年齢", f"{patient.age(draft.today)}歳", "age"),
            (30, "性別", "", ""),
            (56, "職業", draft.rng.choice(("会社員", "無職", "学生", "保育士")), "occupation"),
        ],
        hidden,
    )
    sheet.options(123, y - 10, ["男", "女"], "男女".index(patient.sex), 11, "　・　", name="sex")
    y = _boxed(sheet, y, 16, [(182, "患者住所", patient.address, "patient_address")], hidden)
    top = y
    for number, (label, name) in enumerate(
        (
            ("発病年月日", "onset"),
            ("初診年月日", "first_visit"),
            ("診断年月日", "diagnosed_at"),
            ("推定感染日", "infected_at"),
            ("死亡年月日", "died"),
        )
    ):
        left = 16 + 91 * (number % 2)
        line = top + 15 * (number // 2)
        sheet.box(left, line, 91, 15)
        sheet.text(left + 1.5, line + 1, label, 8)
        _blanks(sheet, left + 18, line + 7, course.get(name), name, era_printed)
    y = top + 45
    sheet.box(16, y, 182, 8 + 7 * ((len(disease.symptoms) + 2) // 3))
    sheet.text(17.5, y + 1, "症状(該当するものにチェック)", 8)
    on = set(draft.rng.sample(range(len(disease.symptoms)), max(1, len(disease.symptoms) // 2)))
    for number, symptom in enumerate(disease.symptoms):
        sheet.tick(22 + 58 * (number % 3), y + 6.5 + 7 * (number // 3), symptom, number in on, 9, "symptoms")
    y += 8 + 7 * ((len(disease.symptoms) + 2) // 3)
    y = _boxed(
        sheet,
        y,
        15,
        [(91, "診断方法", disease.methods[0][:24], "method"), (91, "推定感染場所", f"{PREFECTURE}内", "place")],
    )
    sheet.text(18, y + 4, "※診断後直ちに電話連絡のうえ送信してください。", 8.5)


def _boxed(
    sheet: Sheet, y: float, high: float, cells: list[tuple[float, str, str, str]], hidden: bool = False
) -> float:
    """A row of boxes, each with its label in the corner and the value below it; returns the y below."""
    x = 16.0
    for width, label, value, name in cells:
        sheet.box(x, y, width, high)
        sheet.text(x + 1.5, y + 1, label, 8)
        if hidden and name in ("patient_name", "patient_address"):
            sheet.blackout(x + 4, y + 6, min(width - 10, 70), 7, name)
        elif value:
            sheet.write(x + 5, y + 7, value, 12.5 if len(value) < 20 else 11, name=name)
        x += width
    return y + high


def letter(draft: Draft) -> None:
    """A notification typed as a letter: label, colon and value in one line."""
    disease = _disease(draft, (*CLASS5_NOW, *IMMEDIATE))
    sheet, patient, course = draft.sheet(), draft.people.person(draft.today, 1, 85), _course(draft)
    sheet.text(196, 16, wareki(draft.today, draft.dates), 11, align="right", name="reported_at")
    sheet.text(18, 24, f"{PREFECTURE}みどり保健所　感染症担当　御中", 11.5)
    sheet.title(
        36, draft.rng.choice((f"{disease.name}発生届について", f"感染症発生届({disease.name})")), 15, spread=0.0
    )
    y = 52.0
    colon = draft.rng.choice(("：", ":", "　"))
    for label, value, name in (
        ("医療機関名", draft.sender.name, "institution"),
        ("所在地", draft.sender.address, "institution_address"),
        ("電話番号", draft.sender.phone, "phone"),
        ("診断した医師", draft.people.name(), "doctor"),
        ("", "", ""),
        ("感染症名", disease.name, ""),
        ("患者の類型", "患者(確定例)", "case_type"),
        ("患者氏名", patient.name, "patient_name"),
        ("性別", patient.sex, "sex"),
        ("生年月日", wareki(patient.born, "kanji"), "birth"),
        ("年齢", f"{patient.age(draft.today)}歳", "age"),
        ("患者住所", patient.address, "patient_address"),
        ("症状", "、".join(disease.symptoms[:3]), "symptoms"),
        ("診断方法", disease.methods[0], "method"),
        ("発病年月日", wareki(course["onset"], draft.dates), "onset"),
        ("初診年月日", wareki(course["first_visit"], draft.dates), "first_visit"),
        ("診断年月日", wareki(course["diagnosed_at"], draft.dates), "diagnosed_at"),
        ("感染経路", disease.routes[0], "route"),
        ("感染地域", f"国内({PREFECTURE})", "place"),
    ):
        if label:
            sheet.text(26, y, f"{label}{colon}{value}", 11)
            if name:
                sheet.fields[name] = {"value": value, "hand": False}
        y += 9.2
    sheet.para(18, y + 6, 178, "感染症法第12条の規定に基づき、上記のとおり届け出ます。", 11)


def wrapped(draft: Draft) -> None:
    """A class-5 form in a narrow label column: labels wrap, numbers begin elsewhere, age and sex share a box."""
    disease = _disease(draft, SEVEN_DAYS)
    sheet, course = draft.sheet(), _course(draft)
    sheet.text(18, 10, "様式第5号", 9)
    sheet.title(14, f"{disease.name}発生届", 15 if len(disease.name) < 12 else 12, spread=0.0)
    sheet.text(18, 27, f"{PREFECTURE}知事　殿", 11)
    y, sex, years = 36.0, draft.rng.choice("男女"), draft.rng.randint(18, 88)
    rows: list[tuple[str, str, str]] = [
        ("報告年月日", draft.day(0), "reported_at"),
        ("従事する病院・診療所の名称", draft.sender.name, "institution"),
        ("病院・診療所の所在地", draft.sender.address, "institution_address"),
        ("電話番号", draft.sender.phone, "phone"),
        ("医師の氏名", draft.people.name(), "doctor"),
        ("①年齢・性別", f"{years}歳　{sex}性", "sex_age"),
        ("②主症状", "、".join(disease.symptoms[:2]), "symptoms"),
        ("③検査方法", disease.methods[0][:26], "method"),
        ("④初診日", wareki(course["first_visit"], draft.dates), "first_visit"),
        ("⑤診断日", wareki(course["diagnosed_at"], draft.dates), "diagnosed_at"),
        ("⑥発症日", wareki(course["onset"], draft.dates), "onset"),
        ("⑦推定感染年月日", wareki(course["infected_at"], draft.dates), "infected_at"),
        ("⑧推定感染経路", disease.routes[0], "route"),
        ("⑨推定感染地域", f"{PREFECTURE}内", "place"),
    ]
    for label, value, name in rows:
        y = sheet.row(18, y, 14, [34.0, 144.0], [label, "~" + value], 9.5, names=("", name))
    sheet.text(18, y + 5, "この届出は診断から7日以内に行ってください。", 9)


def old_stock(draft: Draft) -> None:
    """A form printed under 平成: the era struck out or counted on, months and days alone, age beside the sex."""
    disease = _disease(draft, (*CLASS5_NOW, *IMMEDIATE))
    sheet, patient, course = draft.sheet(), draft.people.person(draft.today, 2, 80), _course(draft)
    sheet.title(13, "感染症発生届", 18)
    sheet.text(18, 28, f"{PREFECTURE}知事　殿", 11)
    sheet.text(120, 28, "報告日", 10)
    _blanks(sheet, 138, 28, draft.today, "reported_at", "平成")
    y = 40.0
    for label, value, name in (
        ("届出医師氏名", draft.people.name(), "doctor"),
        ("医療機関の名称", draft.sender.name, "institution"),
        ("医療機関の所在地", draft.sender.address, "institution_address"),
        ("電話", draft.sender.phone, "phone"),
    ):
        sheet.labelled(18, y, label, value, gap=44, length=120, name=name, size=10)
        y += 9
    y += 3
    y = sheet.row(18, y, 12, [44.0, 134.0], ["感染症の名称", "~" + disease.name], 10)
    y = sheet.row(18, y, 12, [44.0, 134.0], ["患者の氏名", "~" + patient.name], 10, names=("", "patient_name"))
    name, _, year = era(patient.born)
    sheet.box(18, y, 178, 13)
    sheet.text(19.5, y + 4.5, "生年月日", 10)
    eras = ["明治", "大正", "昭和", "平成", "令和"]
    sheet.options(63, y + 4.5, eras, eras.index(name), 9, "・", name="birth_era")
    sheet.write(106, y + 3.6, f"{year}年{patient.born.month}月{patient.born.day}日", 12, name="birth")
    sheet.text(152, y + 4.5, "年齢", 10)
    sheet.write(166, y + 3.6, f"{patient.age(draft.today)}歳", 12, name="age")
    y += 13
    sheet.box(18, y, 178, 11)
    sheet.text(19.5, y + 3.5, "性別", 10)
    sheet.options(63, y + 3.5, ["男性", "女性"], "男女".index(patient.sex), 10.5, " ・ ", name="sex")
    sheet.fields["sex"]["value"] = patient.sex
    y += 11
    y = sheet.row(18, y, 12, [44.0, 134.0], ["患者の住所", "~" + patient.address], 10, names=("", "patient_address"))
    for label, key in (("発病年月日", "onset"), ("初診年月日", "first_visit"), ("診断(検案)年月日", "diagnosed_at")):
        sheet.box(18, y, 178, 11)
        sheet.text(19.5, y + 3.5, label, 10)
        if key == "diagnosed_at" or draft.rng.random() < 0.5:
            _blanks(sheet, 63, y + 3.5, course[key], key, "平成")
        else:
            sheet.write(63, y + 2.6, f"{course[key].month}月{course[key].day}日", 12)
            sheet.fields[key] = {"value": wareki(course[key]), "hand": True}
        y += 11
    y = sheet.row(
        18, y, 14, [44.0, 134.0], ["主な症状", "~" + "、".join(disease.symptoms[:3])], 10, names=("", "symptoms")
    )
    y = sheet.row(18, y, 12, [44.0, 134.0], ["感染経路", "~" + disease.routes[0]], 10, names=("", "route"))
    sheet.para(
        18, y + 5, 178, "感染症の予防及び感染症の患者に対する医療に関する法律第12条第1項の規定により届け出ます。", 9.5
    )


LAYOUTS = (
    ("notification_boxes", "DISEASE_IMMEDIATE", boxes),
    ("notification_letter", "DISEASE_IMMEDIATE", letter),
    ("notification_old_stock", "DISEASE_IMMEDIATE", old_stock),
    ("notification_wrapped", "DISEASE_7DAY", wrapped),
)
"""Name, class and drawing of each layout."""
