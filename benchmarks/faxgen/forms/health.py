"""What clinics, homes, schools, laboratories and vets send to a health centre beside notifications."""

# ruff: noqa: E501 - the wording of a form stands on one line, as it is printed

from __future__ import annotations

from datetime import timedelta

from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import COMPANIES, HOMES, PREFECTURE, SCHOOLS, wareki

_CHILDREN = (
    "RSウイルス感染症",
    "咽頭結膜熱",
    "A群溶血性レンサ球菌咽頭炎",
    "感染性胃腸炎",
    "水痘",
    "手足口病",
    "伝染性紅斑",
    "突発性発しん",
    "ヘルパンギーナ",
    "流行性耳下腺炎",
)
_GUT = ("嘔吐", "下痢", "腹痛", "発熱", "吐き気")


def _from(
    draft: Draft, sheet: Sheet, y: float, labels: tuple[str, ...], *, x: float = 110, by_hand: bool = False
) -> float:
    """The sender's block: name, address, phone, who reports; returns the y below."""
    values = {
        "name": ("institution", draft.sender.name),
        "address": ("institution_address", draft.sender.address),
        "phone": ("phone", draft.sender.phone),
        "fax": ("fax", draft.sender.fax),
        "person": ("reporter", draft.people.name()),
    }
    for label, (name, value) in zip(labels, values.values(), strict=False):
        sheet.labelled(x, y, label, value, gap=26, length=62 if by_hand else 0, name=name, size=10, printed=not by_hand)
        y += 7.5
    return y


def _grid(
    draft: Draft,
    sheet: Sheet,
    y: float,
    rows: list[tuple[str, str, str]],
    *,
    label: float = 46,
    h: float = 11,
    printed: bool = False,
) -> float:
    """Label and value rows over the page's width; an empty value stays empty. Returns the y below."""
    for text, value, name in rows:
        shown = value if printed or not value else "~" + value
        y = sheet.row(18, y, h, [label, 178 - label], [text, shown], 10, names=("", name if value else ""))
    return y


# ---- surveillance ----------------------------------------------------------------------------------------------------


def sentinel_week(draft: Draft) -> None:
    """A paediatric sentinel's weekly table, landscape: cases by disease and age."""
    sheet = draft.sheet(landscape=True)
    week = draft.today.isocalendar().week
    first = draft.today - timedelta(days=draft.today.weekday() + 7)
    sheet.title(12, "感染症発生動向調査(小児科定点) 週報", 16, spread=0.0)
    sheet.text(16, 24, f"第 {week} 週　({wareki(first)} ～ {wareki(first + timedelta(days=6))})", 11, name="week")
    sheet.text(16, 31, f"定点医療機関名　{draft.sender.name}", 10.5, name="institution")
    sheet.text(281, 31, f"定点番号 {draft.people.code('13-####')}", 10, align="right", name="sentinel_number")
    ages = ["～5ヶ月", "～11ヶ月", "1歳", "2歳", "3歳", "4歳", "5～9歳", "10～14歳", "15歳以上", "計"]
    widths = [68.0, *[19.5] * 9, 22.0]
    y = sheet.row(16, 40, 9, widths, ["疾病名 ＼ 年齢区分", *ages], 8.5, align="center", fill=225)
    for disease in _CHILDREN:
        counts = [draft.rng.choice((0, 0, 0, 1, 1, 2, 3, 5)) for _ in ages[:-1]]
        cells = [f"~{n}" if n else "" for n in counts] + [f"~{sum(counts)}"]
        y = sheet.row(16, y, 11, widths, [disease, *cells], 9, align="center")
    sheet.text(
        16,
        y + 5,
        "報告患者数は年齢区分ごとに記入し、翌週の月曜日までにFAXで保健所へ報告してください。0の場合も報告してください。",
        9,
    )
    sheet.text(16, y + 12, "インフルエンザ様疾患・COVID-19は急性呼吸器感染症(ARI)定点の様式に記入すること。", 9)
    sheet.labelled(190, y + 12, "報告者", draft.people.name(), name="reporter")


def sentinel_month(draft: Draft) -> None:
    """A clinic's monthly count of sexually transmitted infections."""
    sheet = draft.sheet()
    sheet.title(14, "感染症発生動向調査　性感染症定点　月報", 15, spread=0.0)
    month = (draft.today.replace(day=1) - timedelta(days=1)).month
    sheet.text(18, 30, f"令和{draft.today.year - 2018}年 {month}月分", 12, name="month")
    _from(draft, sheet, 38, ("定点医療機関", "所在地", "電話番号"))
    y = sheet.row(
        18,
        68,
        10,
        [70.0, 18.0, *[15.0] * 6],
        ["疾病名", "性別", "～19歳", "20代", "30代", "40代", "50～", "計"],
        9,
        align="center",
        fill=225,
    )
    for disease in ("性器クラミジア感染症", "性器ヘルペスウイルス感染症", "尖圭コンジローマ", "淋菌感染症"):
        for sex in "男女":
            counts = [draft.rng.choice((0, 0, 1, 1, 2, 4)) for _ in range(5)]
            y = sheet.row(
                18,
                y,
                12,
                [70.0, 18.0, *[15.0] * 6],
                [disease, sex, *[f"~{n}" for n in (*counts, sum(counts))]],
                10,
                align="center",
            )
    sheet.para(
        18,
        y + 6,
        178,
        "翌月初日に最寄りの保健所へ報告してください。報告患者数がない場合は「0」と記入してください。基幹定点の月報は別様式です。",
        9.5,
    )


# ---- outbreaks ---------------------------------------------------------------------------------------------------------


def facility_report(draft: Draft) -> None:
    """感染症等発生時に係る報告: a home reports a cluster, with the outline of the facility and counts by day."""
    draft.sender = draft.people.institution(HOMES)
    sheet = draft.sheet()
    illness = draft.rng.choice(
        ("感染性胃腸炎(ノロウイルス疑い)", "インフルエンザA型", "新型コロナウイルス感染症", "疥癬")
    )
    draft.disease = illness
    sheet.text(198, 11, "別紙1", 9, align="right")
    sheet.title(14, "社会福祉施設等における感染症等発生時に係る報告", 14, spread=0.0)
    sheet.text(18, 27, f"{PREFECTURE}みどり保健所長　殿　　(写：福祉所管課)", 10.5)
    sheet.labelled(120, 34, "報告年月日", draft.day(0), gap=26, name="reported_at")
    sick, users, staff = draft.rng.randint(10, 34), draft.rng.randint(40, 110), draft.rng.randint(20, 60)
    y = _grid(
        draft,
        sheet,
        44,
        [
            ("施設名", draft.sender.name, "institution"),
            (
                "施設種別",
                draft.rng.choice(("特別養護老人ホーム", "老人保健施設", "保育所", "障害者支援施設")),
                "facility_kind",
            ),
            ("所在地", draft.sender.address, "institution_address"),
            ("電話・FAX", f"{draft.sender.phone} / {draft.sender.fax}", "phone"),
            ("施設長・報告者", draft.people.name(), "reporter"),
            ("施設概要(利用者・職員数)", f"利用者 {users}名　職員 {staff}名", "users"),
            ("疑われる感染症", illness, "disease"),
            ("初発年月日", draft.day(3, 6), "onset"),
        ],
        h=10,
    )
    sheet.box(18, y, 178, 15)
    sheet.text(20, y + 2, "報告の要件", 9.5)
    need = draft.rng.randrange(3)
    for number, text in enumerate(
        (
            "同一の感染症による死亡者・重篤患者が1週間に2名以上",
            "同一の感染症の患者が10名以上又は全利用者の半数以上",
            "施設長が報告を必要と認めた場合",
        )
    ):
        sheet.tick(66, y + 0.8 + 4.6 * number, text, number == need, 8.5, "criterion")
    y += 15
    y = sheet.row(
        18,
        y,
        8,
        [46.0, *[22.0] * 6],
        ["新規発症者の推移", *[(draft.today - timedelta(days=5 - n)).strftime("%-m/%-d") for n in range(6)]],
        9,
        align="center",
        fill=228,
    )
    for who, most in (("利用者", 9), ("職員", 4)):
        y = sheet.row(
            18,
            y,
            10,
            [46.0, *[22.0] * 6],
            [who, *[f"~{draft.rng.randint(0, most)}" for _ in range(6)]],
            10,
            align="center",
        )
    y = _grid(
        draft,
        sheet,
        y,
        [
            ("累計患者数", f"利用者 {sick}名、職員 {draft.rng.randint(1, 9)}名", "sick"),
            ("主な症状", "・".join(draft.rng.sample(_GUT, 3)), "symptoms"),
            ("受診・入院の状況", f"受診 {sick}名　入院 {draft.rng.randint(0, 3)}名　死亡 0名", "admitted"),
            (
                "施設の対応",
                draft.rng.choice(
                    ("居室隔離、次亜塩素酸での消毒、面会中止", "食堂の使用中止、個室対応、嘱託医に相談済み")
                ),
                "measures",
            ),
        ],
        h=12,
    )
    sheet.text(18, y + 4, "※市区町村の社会福祉施設等主管部局にも併せて報告してください。", 8.5)


def facility_line_list(draft: Draft) -> None:
    """患者発生状況報告票 with the line list of the sick on a second, landscape sheet."""
    draft.sender = draft.people.institution({name: reading for name, reading in HOMES.items() if "老" in name})
    sheet = draft.sheet()
    sheet.title(16, "患者発生状況報告票(集団発生報告)", 16, spread=0.0)
    sheet.text(18, 30, "みどり保健所 感染症対策課 御中", 11.5)
    y = _from(draft, sheet, 38, ("施設名", "所在地", "電話", "FAX", "担当者"), by_hand=True)
    y = (
        sheet.para(
            18,
            y + 4,
            178,
            "　当施設において同一の感染症が疑われる患者が10名以上発生しましたので、社会福祉施設等における感染症発生時の報告基準に基づき報告いたします。経過記録表を添付します。",
            10.5,
        )
        + 5
    )
    y = _grid(
        draft,
        sheet,
        y,
        [
            ("探知した日時", f"{draft.day(1, 2)}　{draft.rng.randint(7, 20)}時", "found_at"),
            ("主な症状", "・".join(draft.rng.sample(_GUT, 3)), "symptoms"),
            ("患者数 / 在籍者数", f"{draft.rng.randint(10, 24)}名 / {draft.rng.randint(45, 90)}名", "sick"),
            ("検査の状況", "迅速検査 3名陽性", "test"),
            ("給食の提供", "自施設調理　直営", ""),
            ("嘱託医", draft.people.name(), "doctor"),
        ],
        h=13,
    )
    sheet.text(18, y + 6, "裏面・次ページ：経過記録表(1枚)", 10)
    table = draft.sheet(landscape=True)
    table.title(12, "経過記録表", 15)
    widths = [12.0, 34.0, 20.0, 24.0, 30.0, 24.0, 60.0, 60.0]
    y = table.row(
        16,
        24,
        9,
        widths,
        ["No", "氏名(略号)", "年齢", "居室", "発症日時", "体温", "症状", "経過"],
        9,
        align="center",
        fill=225,
    )
    for number in range(1, draft.rng.randint(9, 13)):
        code, age = f"{draft.rng.choice('ABCDEFGHKMST')}.{draft.rng.choice('ABCDEKMNSTY')}", draft.rng.randint(62, 98)
        cells = [
            f"~{code}",
            f"~{age}",
            f"~{draft.rng.randint(101, 320)}",
            f"~{(draft.today - timedelta(days=draft.rng.randint(0, 4))).strftime('%-m/%-d')}",
            f"~{draft.rng.uniform(36.6, 39.6):.1f}℃",
            "~" + "・".join(draft.rng.sample(_GUT, 2)),
            "~" + draft.rng.choice(("居室隔離中", "受診済み", "軽快", "点滴", "入院")),
        ]
        y = table.row(16, y, 12, widths, [str(number), *cells], 9)


def school_closure(draft: Draft) -> None:
    """臨時休業(学級閉鎖)報告書: classes, enrolled, absent, dates."""
    draft.sender = draft.people.institution(SCHOOLS)
    sheet = draft.sheet()
    illness = draft.rng.choice(("インフルエンザ", "感染性胃腸炎", "新型コロナウイルス感染症"))
    sheet.title(
        15,
        draft.rng.choice(
            ("学校感染症による臨時休業報告書", "臨時休業(学級閉鎖)報告書", "インフルエンザ様疾患 臨時休業報告")
        ),
        16,
        spread=0.0,
    )
    sheet.text(18, 30, "みどり保健所 感染症対策課 御中", 11)
    sheet.text(18, 36, f"{PREFECTURE}教育庁 学校健康推進課 御中", 11)
    sheet.labelled(130, 30, "報告日", draft.day(0), gap=18, name="reported_at")
    y = _from(draft, sheet, 44, ("学校名", "所在地", "電話番号", "FAX", "校長・園長"))
    y = (
        sheet.para(
            18, y + 3, 178, "　学校保健安全法第20条の規定により、下記のとおり臨時休業を行いますので報告します。", 10.5
        )
        + 3
    )
    sheet.text(18, y, "休業の区分", 10.5)
    sheet.options(
        52, y, ["学級閉鎖", "学年閉鎖", "学校閉鎖(休校)"], draft.rng.choice((0, 0, 1, 2)), 11, "　・　", name="closure"
    )
    sheet.text(18, y + 9, "原因となった疾患", 10.5)
    sheet.write(56, y + 8, illness, 13, name="disease")
    y += 20
    widths = [34.0, 24.0, 24.0, 24.0, 72.0]
    y = sheet.row(
        18, y, 10, widths, ["学年・組", "在籍者数", "欠席者数", "うち罹患者", "休業期間"], 9.5, align="center", fill=226
    )
    for _ in range(draft.rng.randint(1, 4)):
        total = draft.rng.randint(22, 38)
        absent = draft.rng.randint(6, 14)
        cells = [
            f"~{draft.rng.randint(1, 6)}年{draft.rng.randint(1, 4)}組",
            f"~{total}",
            f"~{absent}",
            f"~{absent - draft.rng.randint(0, 3)}",
            f"~{draft.today.month}/{draft.today.day} ～ {draft.rng.randint(2, 4)}日間",
        ]
        y = sheet.row(
            18, y, 12, widths, cells, 10, align="center", names=("grade", "enrolled", "absent", "sick", "closed")
        )
    y = _grid(
        draft,
        sheet,
        y + 6,
        [
            ("主な症状", draft.rng.choice(("発熱、せき、頭痛", "嘔吐、下痢", "発熱、咽頭痛、倦怠感")), "symptoms"),
            ("学校医の意見", "学級閉鎖が望ましい", ""),
            ("備考", "給食停止・保護者へ通知済み", ""),
        ],
        h=13,
    )
    sheet.text(18, y + 5, "※休業を決定した日に速やかに報告してください。", 9)


def school_letter(draft: Draft) -> None:
    """A kindergarten's letter reporting absences as a group outbreak."""
    draft.sender = draft.people.institution(SCHOOLS)
    sheet = draft.sheet()
    sheet.text(196, 18, draft.day(0), 10.5, align="right", name="reported_at")
    sheet.text(18, 28, "東都みどり保健所長 様", 11.5)
    sheet.text(196, 40, draft.sender.name, 11, align="right", name="institution")
    sheet.text(196, 47, f"電話 {draft.sender.phone}", 10.5, align="right", name="phone")
    sheet.title(62, "感染症等集団発生事例報告(出席停止・学級閉鎖について)", 13, spread=0.0)
    grade, total, absent = (
        draft.rng.choice(("年長 ひまわり組", "年中 すみれ組", "3年2組", "1年1組")),
        draft.rng.randint(24, 36),
        draft.rng.randint(8, 15),
    )
    body = (
        f"　当校(園)の{grade}において、{draft.day(2, 4)}頃より発熱・嘔吐等の症状を訴える児童が増加し、本日の欠席者数は在籍者数{total}名中{absent}名となりました。",
        "　学校医の指導のもと、学校保健安全法第20条に基づき明日より3日間の学級閉鎖を実施いたします。罹患した児童については出席停止の措置をとっております。",
        "　校内の消毒及び手洗い指導を行い、保護者あてに文書を配布いたしました。今後の対応につきご指導くださいますようお願いいたします。",
    )
    y = 76.0
    for paragraph in body:
        y = sheet.para(18, y, 178, paragraph, 11) + 3
    _grid(
        draft,
        sheet,
        y + 6,
        [
            ("学年・組", grade, "grade"),
            ("在籍者数", str(total), "enrolled"),
            ("欠席者数", str(absent), "absent"),
            ("学級閉鎖期間", f"{draft.ahead(1, 1)}から3日間", "closed"),
        ],
        printed=True,
    )


# ---- admission, specimens ------------------------------------------------------------------------------------------------


def admission_sheet(draft: Draft) -> None:
    """入院調整連絡票."""
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 20, 95)
    sheet.title(14, "入院調整連絡票", 18)
    sheet.square_stamp(180, 18, "至急", 22, 10)
    sheet.text(18, 29, "みどり保健所 入院調整担当 宛", 11)
    y = _from(draft, sheet, 36, ("医療機関名", "所在地", "電話番号", "FAX", "担当医師"), by_hand=True)
    y = _grid(
        draft,
        sheet,
        y + 3,
        [
            ("患者氏名", patient.name, "patient_name"),
            ("性別・年齢", f"{patient.sex}　{patient.age(draft.today)}歳", "sex_age"),
            ("現在の療養場所", draft.rng.choice(("自宅", "高齢者施設", "当院救急外来")), ""),
            (
                "診断名",
                draft.rng.choice(("新型コロナウイルス感染症", "中東呼吸器症候群疑い", "重症熱性血小板減少症候群")),
                "disease",
            ),
            ("発症日・診断日", f"{draft.day(2, 5)} / {draft.day(0, 1)}", "onset"),
            (
                "体温・SpO2",
                f"{draft.rng.uniform(37.5, 39.8):.1f}℃　SpO2 {draft.rng.randint(86, 95)}%(室内気)",
                "vitals",
            ),
            ("重症度", draft.rng.choice(("中等症Ⅰ", "中等症Ⅱ", "重症")), "severity"),
            ("基礎疾患", draft.rng.choice(("糖尿病・高血圧", "慢性腎不全(透析)", "なし")), ""),
            ("希望する入院医療機関", draft.rng.choice(("第二種感染症指定医療機関", "特になし")), ""),
            ("移送手段", draft.rng.choice(("救急車", "保健所移送車", "自家用車")), ""),
        ],
    )
    sheet.text(18, y + 5, "検疫所からの引継ぎ：", 10)
    sheet.options(62, y + 5, ["有", "無"], 1, 11, "　・　", name="quarantine")
    sheet.para(
        18,
        y + 13,
        178,
        "入院医療機関が決まり次第、折り返しお電話ください。本票は送信後に必ず電話で到着を確認してください。",
        10,
    )


def suspect_sheet(draft: Draft) -> None:
    """疑い例連絡票・健康観察票 with a table of temperatures."""
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 18, 75)
    sheet.title(14, "疑い例連絡票(健康観察票)", 16, spread=0.1)
    sheet.text(196, 27, f"{PREFECTURE}空港検疫所 → みどり保健所", 10.5, align="right")
    y = _grid(
        draft,
        sheet,
        36,
        [
            ("対象者氏名", patient.name, "patient_name"),
            (
                "滞在国・便名",
                f"{draft.rng.choice(('架空国A', '架空国B'))}　XX{draft.rng.randint(100, 999)}便",
                "flight",
            ),
            ("入国日", draft.day(2, 6), "arrived_at"),
            ("居所", patient.address, "patient_address"),
            ("連絡先", patient.phone, "patient_phone"),
            ("疑われる疾患", draft.rng.choice(("エボラ出血熱", "中東呼吸器症候群", "デング熱")), "disease"),
        ],
    )
    y = sheet.row(
        18, y + 5, 9, [26.0, 38.0, 38.0, 76.0], ["日付", "朝(℃)", "夕(℃)", "症状"], 9.5, align="center", fill=226
    )
    for back in range(5, -1, -1):
        y = sheet.row(
            18,
            y,
            11,
            [26.0, 38.0, 38.0, 76.0],
            [
                (draft.today - timedelta(days=back)).strftime("%-m/%-d"),
                f"~{draft.rng.uniform(36, 38.6):.1f}",
                f"~{draft.rng.uniform(36, 38.9):.1f}",
                "~" + draft.rng.choice(("なし", "頭痛", "咳", "関節痛")),
            ],
            10,
            align="center",
        )
    sheet.para(
        18,
        y + 6,
        178,
        "健康観察期間中に38℃以上の発熱があった場合は、医療機関を受診せず、直ちに保健所へ電話連絡し入院調整の指示を受けること。",
        10,
    )


def specimen_slip(draft: Draft) -> None:
    """検体送付票 (病原体検査依頼票)."""
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 1, 80)
    sheet.title(14, draft.rng.choice(("検体送付票", "病原体検査依頼票", "検体送付票(病原体検査依頼)")), 17)
    sheet.text(18, 28, f"{PREFECTURE}健康安全研究所 微生物部 あて", 11)
    sheet.text(196, 28, f"依頼番号 {draft.people.code('MB-####-##')}", 10, align="right", name="request_number")
    y = _from(draft, sheet, 36, ("依頼機関", "所在地", "電話番号", "FAX", "担当者"))
    y = _grid(
        draft,
        sheet,
        y + 2,
        [
            ("患者氏名(イニシャル)", patient.name[0] + ".K", "patient_name"),
            ("年齢・性別", f"{patient.age(draft.today)}歳 {patient.sex}", "sex_age"),
            (
                "疑われる疾患",
                draft.rng.choice(("麻しん", "風しん", "腸管出血性大腸菌感染症", "デング熱", "日本紅斑熱")),
                "disease",
            ),
            ("発症日", draft.day(3, 7), "onset"),
            ("検体採取日", draft.day(0, 1), "sampled_at"),
        ],
        h=11,
    )
    sheet.box(18, y, 178, 20)
    sheet.text(20, y + 3, "検体の種類", 10)
    x = 64.0
    wanted = draft.rng.randrange(5)
    for number, kind in enumerate(("咽頭拭い液", "血液", "尿", "便", "髄液")):
        x = sheet.tick(x, y + 3, kind, number == wanted, 10, "specimen")
    sheet.text(20, y + 12, "検査項目", 10)
    x = 64.0
    for number, kind in enumerate(("PCR", "培養", "抗体検査", "遺伝子型別")):
        x = sheet.tick(x, y + 12, kind, number == 0, 10, "test")
    sheet.para(
        18,
        y + 25,
        178,
        "検体は4℃(凍結は-80℃)で保存し、三重包装のうえ搬送すること。結果は判明次第、当日中に電話及びFAXでお知らせします。",
        10,
    )
    sheet.qr(160, y + 38, 30, f"SPECIMEN:{sheet.fields['request_number']['value'].split()[-1]}")


def lab_result(draft: Draft) -> None:
    """検査結果報告書 (検査成績書) of a laboratory, all printed."""
    sheet = draft.sheet()
    number = draft.people.code("R8-#####")
    sheet.title(15, draft.rng.choice(("検査結果報告書", "検査成績書", "病原体検査結果報告書")), 18)
    sheet.text(196, 29, f"報告番号 {number}", 10, align="right", name="report_number")
    sheet.text(196, 35, f"報告日 {draft.day(0)}", 10, align="right", name="reported_at")
    sheet.text(18, 35, "みどり保健所 感染症対策課 御中", 11.5)
    _from(draft, sheet, 45, ("検査機関", "所在地", "電話番号"))
    y = sheet.para(18, 72, 178, "　ご依頼のありました検体について、検査結果を下記のとおり報告いたします。", 10.5) + 4
    widths = [16.0, 30.0, 28.0, 46.0, 30.0, 28.0]
    y = sheet.row(
        18, y, 9, widths, ["No", "受付番号", "検体", "検査項目", "方法", "結果"], 9.5, "sans", align="center", fill=222
    )
    for line in range(1, draft.rng.randint(4, 9)):
        test, method = draft.rng.choice(
            (
                ("麻しんウイルス遺伝子", "RT-PCR"),
                ("ノロウイルス GⅡ", "RT-PCR"),
                ("O157 VT遺伝子", "PCR"),
                ("サルモネラ属菌", "培養"),
                ("結核菌群", "培養"),
                ("風しんウイルス遺伝子", "RT-PCR"),
            )
        )
        cells = [
            str(line),
            draft.people.code("26-####"),
            draft.rng.choice(("便", "咽頭拭い液", "血液", "尿", "喀痰")),
            test,
            method,
            draft.rng.choice(("陽性", "陰性", "陰性")),
        ]
        y = sheet.row(
            18,
            y,
            10,
            widths,
            cells,
            10,
            align="center",
            names=("", f"sample_{line}", "", f"test_{line}", "", f"result_{line}"),
        )
    sheet.text(18, y + 4, f"検体採取日　{draft.day(2, 4)}　　検体受付日　{draft.day(1, 2)}", 10)
    sheet.labelled(118, y + 16, "検査責任者", draft.people.name(), gap=26, name="responsible", printed=True)
    sheet.seal(184, y + 18, "検査", 12)
    sheet.para(
        18,
        y + 32,
        178,
        "備考　本成績書は供試検体についてのものです。無断での転載・複製を禁じます。PCRで陽性となった検体は分離・培養を継続します。",
        9,
    )


# ---- food -----------------------------------------------------------------------------------------------------------


def food_poisoning(draft: Draft) -> None:
    """食中毒患者等届出票 under Article 63 of the Food Sanitation Act."""
    sheet = draft.sheet()
    hidden = bool(draft.mask)
    patient = draft.people.person(draft.today, 5, 75)
    sheet.text(18, 11, draft.rng.choice(("様式第1号", "別記第十四号様式")), 9)
    sheet.title(15, "食中毒患者等届出票", 18)
    sheet.text(18, 30, f"{PREFECTURE}みどり保健所長 殿　(食品監視・生活衛生課)", 11)
    sheet.para(18, 38, 178, "食品衛生法第63条第1項の規定により、下記のとおり届け出ます。", 10.5)
    y = _from(draft, sheet, 47, ("医療機関名", "所在地", "電話番号", "FAX", "医師の氏名"), by_hand=True) + 2
    rows = [
        ("患者の氏名", patient.name, "patient_name"),
        ("性別・年齢", f"{patient.sex}　{patient.age(draft.today)}歳", "sex_age"),
        ("患者の住所", patient.address, "patient_address"),
        ("職業", draft.rng.choice(("会社員", "学生", "自営業")), "occupation"),
        (
            "食中毒の原因",
            draft.rng.choice(
                ("カンピロバクター", "サルモネラ属菌", "ノロウイルス", "アニサキス", "腸管出血性大腸菌", "不明(検査中)")
            ),
            "cause",
        ),
        (
            "発病年月日及び時刻",
            f"{draft.day(1, 2)}　{draft.rng.choice(('午前', '午後'))}{draft.rng.randint(1, 11)}時頃",
            "onset",
        ),
        ("診断年月日及び時刻", f"{draft.day(0)}　{draft.rng.randint(9, 17)}時", "diagnosed_at"),
        ("症状", "・".join(draft.rng.sample(("下痢", "腹痛", "嘔吐", "発熱", "悪寒", "血便"), 3)), "symptoms"),
        (
            "原因食品(推定)",
            draft.rng.choice(("鶏の刺身", "仕出し弁当", "生かき", "しめさば", "ユッケ", "不明")),
            "food",
        ),
        (
            "喫食の日時・場所",
            f"{draft.day(2, 3)}　夕食　{draft.rng.choice(('居酒屋 架空亭', '自宅', '旅館 まぼろし荘'))}",
            "eaten_at",
        ),
        ("喫食者数・発症者数", f"{draft.rng.randint(3, 40)}名中 {draft.rng.randint(2, 20)}名", "sick"),
        ("検便の実施", draft.rng.choice(("実施(結果待ち)", "未実施", "実施 陽性")), ""),
    ]
    for label, value, name in rows:
        secret = hidden and name in ("patient_name", "patient_address")
        sheet.row(
            18, y, 11, [50.0, 128.0], [label, "" if secret else "~" + value], 10, names=("", "" if secret else name)
        )
        if secret:
            sheet.blackout(70, y + 2, 60, 7, name)
        y += 11
    sheet.text(18, y + 4, "※届出は直ちに(24時間以内に文書、電話又は口頭で)行ってください。", 9)


def food_poisoning_letter(draft: Draft) -> None:
    """A hospital's quick report of suspected food poisoning in a group."""
    sheet = draft.sheet()
    sheet.text(
        196,
        16,
        f"{draft.day(0)}　{draft.when.hour}時{draft.when.minute:02d}分",
        10.5,
        align="right",
        name="reported_at",
    )
    sheet.text(18, 24, "みどり保健所 生活衛生課 食品監視担当 御中", 11.5)
    sheet.title(38, "食中毒届(疑い)の件　【至急】", 17, spread=0.0)
    sheet.text(196, 52, draft.sender.name, 11, align="right", name="institution")
    sheet.text(196, 59, f"電話 {draft.sender.phone}", 10.5, align="right", name="phone")
    number, shop = draft.rng.randint(3, 12), draft.rng.choice(("焼肉 まぼろし屋", "寿司 架空", "学生食堂いずみ"))
    body = (
        f"　食品衛生法第63条に基づき、食中毒が疑われる患者{number}名を診察しましたので届け出ます。",
        f"　患者はいずれも{draft.day(2, 3)}に「{shop}」において会食しており、{draft.day(1)}夜から下痢・腹痛・発熱を呈して当院を受診しました。",
        "　原因食品は加熱不十分な鶏肉料理と推定されます。検便を採取し、培養検査を実施中です。入院2名、その他は通院治療中です。",
        "　患者の氏名等は電話でお伝えいたします。",
    )
    y = 72.0
    for paragraph in body:
        y = sheet.para(18, y, 178, paragraph, 11.5) + 3
    y = _grid(
        draft,
        sheet,
        y + 5,
        [
            ("患者数", f"{number}名", "sick"),
            ("喫食日", draft.day(2, 3), "eaten_at"),
            ("発病年月日及び時刻", f"{draft.day(1)} 22時頃", "onset"),
            ("施設名", shop, "place"),
            ("届出医師", draft.people.name(), "doctor"),
        ],
    )
    sheet.seal(184, y - 5, "医師", 12)


def recall(draft: Draft) -> None:
    """A food maker's notice of a voluntary recall."""
    draft.sender = draft.people.institution({k: v for k, v in COMPANIES.items() if "食" in k})
    sheet = draft.sheet()
    sheet.text(196, 16, draft.day(0), 10.5, align="right")
    sheet.text(18, 26, "みどり保健所 生活衛生課 御中", 11.5)
    sheet.text(196, 36, draft.sender.name, 11, align="right", name="institution")
    sheet.title(52, draft.rng.choice(("食品の自主回収(リコール)届出について", "自主回収着手のご報告")), 15, spread=0.0)
    y = (
        sheet.para(
            18,
            66,
            178,
            "　平素よりお世話になっております。弊社製造の下記商品につきまして、アレルゲン表示の欠落が判明したため、自主回収を行います。食品衛生申請等システムへの入力に先立ちご報告いたします。",
            11,
        )
        + 5
    )
    _grid(
        draft,
        sheet,
        y,
        [
            ("商品名", draft.rng.choice(("まぼろしコロッケ 10個入", "架空プリン 3連", "冷凍いずみ餃子")), "product"),
            ("営業許可番号", draft.people.code("第######号"), "licence"),
            ("賞味期限", draft.ahead(20, 90), "best_before"),
            ("回収数量", f"{draft.rng.randint(120, 8000):,}個", "amount"),
            ("回収理由", "特定原材料(卵)の表示漏れ", "reason"),
            ("健康被害", "現在のところ報告なし", ""),
        ],
        printed=True,
    )


# ---- institutions, animals, medicines ----------------------------------------------------------------------------------


def hospital_infection(draft: Draft) -> None:
    """院内感染発生状況報告票."""
    sheet = draft.sheet()
    sheet.title(14, "院内感染発生状況報告票", 17, spread=0.1)
    sheet.text(18, 28, f"{PREFECTURE}保健医療局 医療政策部 医療安全課 御中", 11)
    y = _from(draft, sheet, 36, ("医療機関名", "所在地", "電話番号", "FAX", "管理者"))
    sheet.text(18, y + 2, "報告区分", 10.5)
    sheet.options(50, y + 2, ["第1報", "続報", "終息報告"], draft.rng.randrange(3), 11, "　・　", name="stage")
    _grid(
        draft,
        sheet,
        y + 12,
        [
            ("病床数", f"{draft.rng.randint(60, 480)}床", "beds"),
            ("発生病棟", f"{draft.rng.randint(2, 7)}階{draft.rng.choice(('東', '西'))}病棟", "ward"),
            ("病原体", draft.rng.choice(("多剤耐性緑膿菌", "VRE", "MRSA", "CRE", "ノロウイルス")), "organism"),
            ("探知年月日", draft.day(2, 9), "found_at"),
            ("患者数(うち死亡)", f"{draft.rng.randint(3, 15)}名(0名)", "sick"),
            ("職員の感染", f"{draft.rng.randint(0, 6)}名", ""),
            ("対策", "個室管理・環境培養・ICT介入", "measures"),
            ("院内感染対策委員会", f"{draft.day(1, 2)} 開催", ""),
            ("外部専門家への相談", draft.rng.choice(("済", "未")), ""),
        ],
        h=13,
    )


def clinic_closing(draft: Draft) -> None:
    """診療所休止届・廃止届 under the Medical Care Act."""
    sheet = draft.sheet()
    kind = draft.rng.choice(("休止", "廃止", "開設"))
    sheet.title(18, f"診療所{kind}届", 18)
    sheet.text(196, 34, draft.day(0), 10.5, align="right")
    sheet.text(18, 42, f"{PREFECTURE}みどり保健所長 殿　(医薬担当)", 11)
    _from(draft, sheet, 52, ("名称", "所在地", "電話番号", "FAX", "開設者氏名"))
    sheet.seal(192, 84, "開設者", 14)
    y = (
        sheet.para(
            18, 98, 178, f"　医療法第8条及び第9条の規定により、下記のとおり診療所を{kind}したので届け出ます。", 10.5
        )
        + 5
    )
    _grid(
        draft,
        sheet,
        y,
        [
            ("診療所の名称", draft.sender.name, "institution"),
            ("管理者", draft.people.name(), "doctor"),
            ("病床", "無床", ""),
            (f"{kind}年月日", draft.day(1, 9), "date"),
            ("理由", draft.rng.choice(("管理者の疾病療養のため", "建物改修のため", "移転のため")), "reason"),
        ],
        h=14,
    )


def dog_bite(draft: Draft) -> None:
    """犬による咬傷届 / a vet's report."""
    sheet = draft.sheet()
    sheet.title(16, "犬による咬傷届(狂犬病予防)", 16, spread=0.1)
    sheet.text(18, 32, "みどり保健所 生活衛生課 動物担当 御中", 11)
    owner, victim = draft.people.person(draft.today, 25, 80), draft.people.person(draft.today, 5, 80)
    _grid(
        draft,
        sheet,
        44,
        [
            ("届出者(獣医師)", f"{draft.people.name()}　架空動物病院", "reporter"),
            ("所有者氏名", owner.name, "owner"),
            ("所有者住所", owner.address, "owner_address"),
            ("動物の種類", f"犬({draft.rng.choice(('柴犬', '雑種', 'トイプードル', '秋田犬'))})", "animal"),
            ("登録番号・注射済票", draft.people.code("第#####号"), "licence"),
            ("咬傷の日時", f"{draft.day(0, 2)}　午後{draft.rng.randint(1, 6)}時頃", "bitten_at"),
            ("場所", draft.people.address(), "place"),
            ("被害者氏名", victim.name, "victim"),
            ("傷の部位・程度", draft.rng.choice(("右手首 全治1週間", "左下腿 縫合3針")), "wound"),
            ("検診の結果", "狂犬病の疑いなし", ""),
        ],
        h=13,
    )


def adverse_event(draft: Draft) -> None:
    """予防接種後副反応疑い報告書."""
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 1, 80)
    sheet.text(18, 11, "別紙様式1", 9)
    sheet.title(15, "予防接種後副反応疑い報告書", 16, spread=0.05)
    sheet.text(18, 30, "独立行政法人 架空医薬品機構 あて", 11)
    _grid(
        draft,
        sheet,
        40,
        [
            ("報告医療機関", draft.sender.name, "institution"),
            ("報告者氏名", draft.people.name(), "doctor"),
            ("患者(被接種者)", f"{patient.name}　{patient.sex}　{patient.age(draft.today)}歳", "patient_name"),
            (
                "ワクチンの種類",
                draft.rng.choice(("インフルエンザHA", "MR(麻しん風しん混合)", "HPV 9価", "新型コロナ(mRNA)")),
                "vaccine",
            ),
            ("ロット番号", draft.people.code("K##A"), "lot"),
            ("接種日", f"{draft.day(1, 6)} 14時", "vaccinated_at"),
            ("発生日時", draft.day(0, 1), "onset"),
            (
                "症状の概要",
                draft.rng.choice(
                    ("アナフィラキシー 全身蕁麻疹", "血管迷走神経反射 意識消失", "39℃の発熱、接種部位の腫脹")
                ),
                "symptoms",
            ),
            ("転帰", draft.rng.choice(("回復", "軽快", "未回復")), "outcome"),
            ("因果関係", draft.rng.choice(("関連あり", "評価不能")), ""),
        ],
        h=13,
    )


def mental_admission(draft: Draft) -> None:
    """医療保護入院者の入院届."""
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 18, 85)
    sheet.text(18, 11, "様式13", 9)
    sheet.title(15, "医療保護入院者の入院届", 17, spread=0.1)
    sheet.text(18, 30, f"{PREFECTURE}知事 殿　(精神保健福祉センター)", 11)
    sheet.para(18, 38, 178, "精神保健及び精神障害者福祉に関する法律第33条第9項の規定により届け出ます。", 10)
    _grid(
        draft,
        sheet,
        48,
        [
            ("病院名", draft.sender.name, "institution"),
            ("管理者名", draft.people.name(), "doctor"),
            ("入院者氏名", patient.name, "patient_name"),
            ("生年月日", wareki(patient.born), "birth"),
            ("住所", patient.address, "patient_address"),
            ("入院年月日", draft.day(0, 8), "admitted_at"),
            ("病名", draft.rng.choice(("統合失調症", "双極性障害", "認知症")), "diagnosis"),
            ("家族等の同意", f"{draft.people.name()}(配偶者)", "consent"),
            ("指定医氏名", draft.people.name(), ""),
        ],
        h=14,
    )


LAYOUTS = (
    ("sentinel_week", "SENTINEL", sentinel_week),
    ("sentinel_month", "SENTINEL", sentinel_month),
    ("facility_report", "OUTBREAK_FACILITY", facility_report),
    ("facility_line_list", "OUTBREAK_FACILITY", facility_line_list),
    ("school_closure", "OUTBREAK_SCHOOL", school_closure),
    ("school_letter", "OUTBREAK_SCHOOL", school_letter),
    ("admission_sheet", "ADMISSION_COORD", admission_sheet),
    ("suspect_sheet", "ADMISSION_COORD", suspect_sheet),
    ("specimen_slip", "SPECIMEN", specimen_slip),
    ("lab_result", "SPECIMEN", lab_result),
    ("food_poisoning", "FOOD_POISONING", food_poisoning),
    ("food_poisoning_letter", "FOOD_POISONING", food_poisoning_letter),
    ("recall", "FOOD_BUSINESS", recall),
    ("hospital_infection", "MED_SAFETY", hospital_infection),
    ("clinic_closing", "MED_SAFETY", clinic_closing),
    ("dog_bite", "VET_REPORT", dog_bite),
    ("adverse_event", "ADVERSE_EVENT", adverse_event),
    ("mental_admission", "MENTAL_HEALTH", mental_admission),
)
"""Name, class and drawing of each layout."""
