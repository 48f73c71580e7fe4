"""Everyday office faxes: orders, estimates, applications, medical inquiries, letters, advertising, cover sheets."""

# ruff: noqa: E501 - the wording of a form stands on one line, as it is printed

from __future__ import annotations

from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import CLINICS, COMPANIES, PREFECTURE, Institution, wareki

_GOODS = (
    ("アルファ化米 五目ごはん 100g", "箱", 12800),
    ("保存水 500ml 24本入", "ケース", 2160),
    ("不織布マスク ふつう 50枚", "箱", 780),
    ("ニトリル手袋 Mサイズ", "箱", 1150),
    ("簡易トイレ 100回分", "組", 9800),
    ("難燃毛布 140×200cm", "枚", 3450),
    ("カセットボンベ 3本組", "組", 498),
    ("単三形アルカリ乾電池 20本", "個", 1280),
    ("PPC用紙 A4 2500枚", "箱", 2980),
    ("トナーカートリッジ TX-500", "本", 14300),
    ("養生テープ 50mm×25m", "巻", 320),
    ("消毒用エタノール 500ml", "本", 890),
)


def _rows(
    sheet: Sheet, y: float, rows: list[tuple[str, str, str]], *, label: float = 46, h: float = 12, printed: bool = False
) -> float:
    for text, value, name in rows:
        y = sheet.row(
            18,
            y,
            h,
            [label, 178 - label],
            [text, value if printed or not value else "~" + value],
            10.5,
            names=("", name if value else ""),
        )
    return y


# ---- purchasing ----------------------------------------------------------------------------------------------------------


def _goods_table(draft: Draft, sheet: Sheet, y: float, *, by_hand: bool) -> tuple[float, int]:
    """Lines of goods; returns the y below and the sum in yen."""
    widths, total = [10.0, 26.0, 66.0, 16.0, 16.0, 20.0, 24.0], 0
    y = sheet.row(
        18,
        y,
        9,
        widths,
        ["No.", "商品コード", "品名・規格", "数量", "単位", "単価", "金額(円)"],
        9,
        "sans",
        align="center",
        fill=222,
    )
    for number, (name, unit, price) in enumerate(draft.rng.sample(_GOODS, draft.rng.randint(4, 8)), 1):
        count = draft.rng.choice((2, 5, 10, 12, 24, 30))
        total += count * price
        cells = [
            str(number),
            draft.people.code(f"{draft.rng.choice('ABCDE')}####-##"),
            name,
            f"~{count}" if by_hand else str(count),
            unit,
            f"{price:,}",
            f"{count * price:,}",
        ]
        y = sheet.row(
            18,
            y,
            10,
            widths,
            cells,
            9,
            align="left",
            names=(
                "",
                f"code_{number}",
                f"item_{number}",
                f"count_{number}",
                "",
                f"price_{number}",
                f"amount_{number}",
            ),
        )
    return y, total


def order(draft: Draft) -> None:
    """注文書."""
    draft.sender = draft.people.institution(COMPANIES)
    sheet = draft.sheet()
    sheet.title(15, "注 文 書" if draft.rng.random() < 0.6 else "発 注 書", 21, spread=0.2)
    sheet.text(18, 32, f"{PREFECTURE}庁 総務局 経理・契約担当 行", 11.5)
    sheet.labelled(140, 32, "注文日", draft.day(0), gap=16, name="ordered_at")
    sheet.text(18, 41, f"注文番号　{draft.people.code('PO-2026-#####')}", 10.5, name="order_number")
    for number, text in enumerate(
        (draft.sender.name, draft.sender.address, f"TEL {draft.sender.phone}　FAX {draft.sender.fax}")
    ):
        sheet.text(110, 42 + 6 * number, text, 10, name=("institution", "institution_address", "phone")[number])
    sheet.seal(190, 50, draft.sender.name[-4:-2], 15)
    sheet.text(18, 62, "下記のとおり注文いたします。", 10.5)
    y, total = _goods_table(draft, sheet, 70, by_hand=True)
    sheet.text(196, y + 3, f"合計(税込)　¥{round(total * 1.1):,}", 12, align="right", name="total")
    y = _rows(
        sheet,
        y + 13,
        [
            ("納入希望日", draft.ahead(5, 30), "wanted_at"),
            ("納入場所", f"{PREFECTURE}防災備蓄倉庫 {draft.rng.choice(('第一', '西', '港南'))}", "place"),
            ("支払条件", "納品後30日以内 銀行振込", ""),
            ("担当者", draft.people.name(), "reporter"),
        ],
    )
    sheet.text(18, y + 4, "※納期に間に合わない場合は至急ご連絡ください。", 9.5)


def estimate(draft: Draft) -> None:
    """御見積書."""
    draft.sender = draft.people.institution(COMPANIES)
    sheet = draft.sheet()
    sheet.title(15, draft.rng.choice(("御 見 積 書", "参考見積書", "見積書")), 21, spread=0.2)
    sheet.text(18, 34, f"{PREFECTURE}庁 経理課 契約担当 御中", 12)
    sheet.line(18, 40, 98, 40)
    sheet.text(196, 32, f"見積番号 {draft.people.code('Q-#####')}", 10, align="right", name="estimate_number")
    sheet.text(196, 38, draft.day(0), 10, align="right", name="reported_at")
    for number, text in enumerate(
        (draft.sender.name, draft.sender.address, f"電話 {draft.sender.phone}", f"担当 {draft.people.name()}")
    ):
        sheet.text(
            118, 48 + 6 * number, text, 10, name=("institution", "institution_address", "phone", "reporter")[number]
        )
    sheet.seal(186, 54, draft.sender.name[-5:-2], 16)
    sheet.text(18, 48, "下記のとおり御見積申し上げます。", 10.5)
    high = sheet.rng.choice((66, 72))
    y, total = _goods_table(draft, sheet, high + 22, by_hand=False)
    sheet.text(18, high, f"御見積金額　¥{round(total * 1.1):,}-(税込)", 16, "sans-bold", name="total")
    sheet.line(18, high + 8, 120, high + 8, 0.5)
    sheet.text(18, high + 12, "納期：受注後2週間　　支払条件：月末締翌月末払　　有効期限：30日間", 9.5)
    for label, value in (("小計", total), ("消費税(10%)", round(total * 0.1)), ("合計", round(total * 1.1))):
        y = sheet.row(136, y, 9, [30.0, 30.0], [label, f"{value:,}"], 10, align="right")
    sheet.box(18, y - 26, 108, 26)
    sheet.text(20, y - 24, "備考：送料込。据付調整費は別途。", 9.5)


def invoice(draft: Draft) -> None:
    """請求書 or 納品書."""
    draft.sender = draft.people.institution(COMPANIES)
    sheet = draft.sheet()
    kind = draft.rng.choice(("請 求 書", "納 品 書"))
    sheet.title(15, kind, 20, spread=0.2)
    sheet.text(18, 32, f"{PREFECTURE}庁 会計・契約担当 御中", 12)
    sheet.text(196, 32, draft.day(0), 10, align="right", name="reported_at")
    sheet.text(196, 40, draft.sender.name, 11, align="right", name="institution")
    sheet.text(196, 46, f"登録番号 {draft.people.code('T#############')}", 9.5, align="right", name="invoice_number")
    y, total = _goods_table(draft, sheet, 62, by_hand=False)
    sheet.text(196, y + 4, f"合計金額(税込) ¥{round(total * 1.1):,}", 13, align="right", name="total")
    sheet.text(18, y + 16, "振込先：架空銀行 みどり支店 普通 0000000", 10)


def bid_question(draft: Draft) -> None:
    """質問書 about a tender."""
    draft.sender = draft.people.institution(COMPANIES)
    sheet = draft.sheet()
    sheet.text(18, 12, "別紙様式3", 9)
    sheet.title(16, "質 問 書(入札・見積)", 17, spread=0.0)
    sheet.text(18, 32, f"{PREFECTURE}庁 契約担当 宛", 11)
    y = _rows(
        sheet,
        40,
        [
            ("件名", draft.rng.choice(("複合機の賃貸借(単価契約)", "庁舎清掃業務委託", "備蓄食料の購入")), "subject"),
            ("会社名", draft.sender.name, "institution"),
            ("担当者・電話", f"{draft.people.name()}　{draft.sender.phone}", "reporter"),
        ],
        printed=True,
    )
    y = sheet.row(
        18, y + 6, 9, [14.0, 44.0, 120.0], ["番号", "仕様書の該当箇所", "質問内容"], 9.5, align="center", fill=225
    )
    for number, text in enumerate(
        (
            "納期を1週間延長することは可能でしょうか。",
            "入札書に押印は必要ですか。電子入札でもよいですか。",
            "同等品の提案は認められますか。単価の内訳は税込ですか。",
        ),
        1,
    ):
        y = sheet.row(18, y, 20, [14.0, 44.0, 120.0], [str(number), f"第{draft.rng.randint(1, 9)}条", "~" + text], 10)
    sheet.text(18, y + 5, f"提出期限　{draft.ahead(2, 5)}　17時まで", 10)


# ---- applications, surveys, reports --------------------------------------------------------------------------------------


def course_application(draft: Draft) -> None:
    """講習会 受講申込書."""
    sheet = draft.sheet()
    person = draft.people.person(draft.today, 20, 70)
    draft.sender = Institution(person.name, person.reading, person.phone, draft.people.number(), person.address)
    course = draft.rng.choice(
        ("食品衛生責任者 実務講習会", "結核・感染症対策研修会", "普通救命講習", "防火管理者講習", "手話入門講座")
    )
    sheet.title(16, draft.rng.choice(("受 講 申 込 書", "講習会 参加申込書", "研修会参加申込書")), 18, spread=0.0)
    sheet.text(107, 29, f"「{course}」", 12, align="center", name="course")
    sheet.text(18, 40, f"申込先 FAX 03-5555-{draft.people.code('####')}　(締切 {draft.ahead(5, 20)} 必着)", 10)
    y = _rows(
        sheet,
        48,
        [
            ("ふりがな", person.reading, ""),
            ("氏名", person.name, "applicant"),
            ("生年月日", wareki(person.born), "birth"),
            ("住所", person.address, "applicant_address"),
            ("電話番号", person.phone, "phone"),
            ("勤務先・所属", draft.people.institution(CLINICS).name, "employer"),
            ("参加人数", f"{draft.rng.randint(1, 4)}名", "people"),
        ],
        h=14,
    )
    sheet.text(18, y + 6, "希望日(○をつけてください)", 10.5)
    sheet.options(
        22,
        y + 14,
        [draft.ahead(20, 25), draft.ahead(26, 30), draft.ahead(31, 40)],
        draft.rng.randrange(3),
        11,
        "　　",
        name="wanted_at",
    )
    sheet.para(
        18, y + 26, 178, "記入いただいた個人情報は、本講習会の運営以外には使用しません。受講票は後日郵送します。", 9.5
    )


def flyer_slip(draft: Draft) -> None:
    """An event flyer whose lower third is the application slip."""
    person = draft.people.person(draft.today, 25, 80)
    draft.sender = Institution(person.name, person.reading, person.phone, draft.people.number(), person.address)
    sheet = draft.sheet()
    event = draft.rng.choice(("みどり区 健康フェスタ", "親子防災教室", "秋の歩こう会", "認知症サポーター養成講座"))
    sheet.tone(14, 12, 187, 26, 220)
    sheet.text(107, 16, event, 26, "sans-bold", align="center", name="title")
    sheet.text(107, 29, "参加者募集！ 参加費無料", 14, "sans", align="center")
    y = (
        sheet.para(
            22,
            48,
            170,
            f"日時：{draft.ahead(10, 40)} 午前10時から正午　　会場：みどり区民センター 2階ホール　　定員：先着60名　　対象：区内在住・在勤の方",
            12,
        )
        + 6
    )
    y = (
        sheet.para(
            22,
            y,
            170,
            "専門の講師による講演と体験コーナーがあります。動きやすい服装でお越しください。お申込みは下の申込用紙に記入し、FAXでお送りください。",
            11,
        )
        + 8
    )
    for dash in range(30):
        sheet.line(16 + 6.2 * dash, y + 2, 20 + 6.2 * dash, y + 2, 0.3)
    sheet.tone(94, y, 27, 4, 255)
    sheet.text(107, y, "きりとり線", 9, align="center")
    sheet.title(y + 9, "参加申込用紙", 15, spread=0.3)
    _rows(
        sheet,
        y + 20,
        [
            ("氏名", person.name, "applicant"),
            ("電話・FAX", person.phone, "phone"),
            ("住所", person.address, "applicant_address"),
            ("参加人数", f"大人{draft.rng.randint(1, 3)}名 子ども{draft.rng.randint(0, 3)}名", "people"),
        ],
        h=14,
    )


def monthly_report(draft: Draft) -> None:
    """実績報告書 / 月例報告 of a commissioned business."""
    draft.sender = draft.people.institution(COMPANIES)
    sheet = draft.sheet()
    sheet.title(16, draft.rng.choice(("委託事業 月例報告", "事業実績報告書", "業務実績報告書")), 17, spread=0.2)
    sheet.text(18, 32, f"{PREFECTURE}環境局 資源循環推進課 御中", 11)
    sheet.text(196, 40, draft.sender.name, 11, align="right", name="institution")
    sheet.text(196, 46, f"令和8年度 {draft.rng.randint(4, 12)}月分", 10.5, align="right", name="month")
    y = sheet.row(
        18,
        58,
        9,
        [58.0, 30.0, 30.0, 30.0, 30.0],
        ["事業区分", "当月件数", "累計", "前年度", "増減"],
        9.5,
        align="center",
        fill=225,
    )
    for kind in ("可燃ごみ収集", "資源回収", "粗大ごみ", "不法投棄対応", "苦情受付"):
        now, past = draft.rng.randint(10, 900), draft.rng.randint(10, 900)
        y = sheet.row(
            18,
            y,
            11,
            [58.0, 30.0, 30.0, 30.0, 30.0],
            [kind, str(now), str(now * 5), str(past * 5), f"{(now - past) * 5:+d}"],
            10,
            align="center",
        )
    sheet.para(18, y + 6, 178, "上記のとおり実績を報告します。提出期限：翌月10日。", 10.5)


def survey(draft: Draft) -> None:
    """A residents' survey with tick boxes and free answers."""
    person = draft.people.person(draft.today, 30, 85)
    draft.sender = Institution(
        "若葉町第三自治会", "ワカバチョウジチカイ", draft.people.number(), draft.people.number(), person.address
    )
    sheet = draft.sheet()
    sheet.title(14, "防災に関するアンケート", 18, spread=0.1)
    sheet.labelled(18, 28, "回答者氏名", person.name, gap=26, name="applicant")
    sheet.labelled(116, 28, "連絡先", person.phone, gap=18, name="phone")
    y = 42.0
    for number, (question, options) in enumerate(
        (
            ("避難場所を知っていますか。", ("知っている", "だいたい知っている", "知らない")),
            ("家庭での備蓄は何日分ですか。", ("なし", "1日分", "3日分", "7日分以上")),
            ("地域の防災訓練に参加したことがありますか。", ("毎年参加", "参加したことがある", "ない")),
            ("情報の入手方法を選んでください。", ("テレビ・ラジオ", "防災無線", "インターネット", "近隣住民")),
            ("家具の転倒防止対策をしていますか。", ("すべて", "一部", "していない")),
        ),
        1,
    ):
        sheet.text(18, y, f"問{number}　{question}", 11)
        chosen = draft.rng.randrange(len(options))
        if number % 2:
            for place, option in enumerate(options):
                sheet.tick(24 + 43 * place, y + 8, option, place == chosen, 10, f"answer_{number}")
        else:
            sheet.options(26, y + 8, list(options), chosen, 10.5, "　　", name=f"answer_{number}")
        y += 20
    sheet.text(18, y, "問6　ご意見・ご要望をご自由にお書きください。", 11)
    sheet.box(18, y + 7, 178, 58, 0.3)
    for place, line in enumerate(
        draft.rng.sample(
            (
                "夜間の避難訓練も実施してほしい。",
                "高齢の母がおり車いすで避難できるか不安。",
                "備蓄倉庫の鍵の場所を知りたい。",
                "ペットと一緒に避難できますか。",
                "防災無線が聞こえにくい。",
            ),
            3,
        )
    ):
        sheet.write(24, y + 12 + 16 * place, line, 14, name=f"opinion_{place + 1}")
    sheet.text(18, y + 70, "ご協力ありがとうございました。", 10)


# ---- medical papers --------------------------------------------------------------------------------------------------------


def referral(draft: Draft) -> None:
    """診療情報提供書 (紹介状)."""
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 20, 90)
    sheet.title(15, "診療情報提供書", 18)
    sheet.text(18, 30, f"{PREFECTURE}みどり区 介護保険課 主治医意見書担当 御中", 11)
    for number, text in enumerate(
        (
            draft.sender.name,
            draft.sender.address,
            f"TEL {draft.sender.phone}　FAX {draft.sender.fax}",
            f"主治医 {draft.people.name()}",
        )
    ):
        sheet.text(
            112, 38 + 6 * number, text, 10, name=("institution", "institution_address", "phone", "doctor")[number]
        )
    y = _rows(
        sheet,
        68,
        [
            ("患者氏名", patient.name, "patient_name"),
            ("生年月日", wareki(patient.born), "birth"),
            ("住所", patient.address, "patient_address"),
            (
                "傷病名",
                draft.rng.choice(("高血圧症、2型糖尿病", "変形性膝関節症", "アルツハイマー型認知症")),
                "diagnosis",
            ),
            ("紹介目的", draft.rng.choice(("施設入所のための情報提供", "訪問看護の導入", "精査加療")), "purpose"),
        ],
        printed=True,
    )
    for label, text in (
        ("既往歴及び家族歴", "60歳 虫垂炎手術。父 脳梗塞。アレルギーなし。"),
        (
            "症状経過・検査結果",
            "血圧140/82mmHg、HbA1c 6.8%。歩行は杖歩行、認知機能は長谷川式21点。胸部エックス線に異常なし。",
        ),
        ("現在の処方", "アムロジピン5mg 1錠 朝食後、メトホルミン250mg 2錠 朝夕食後"),
    ):
        sheet.box(18, y, 178, 24)
        sheet.text(20, y + 1.5, label, 9)
        sheet.para(24, y + 7.5, 168, text, 11)
        y += 24


def inquiry_reply(draft: Draft) -> None:
    """照会に対する回答書 with a consent at its foot (同意書)."""
    sheet = draft.sheet()
    patient = draft.people.person(draft.today, 20, 90)
    consent = draft.rng.random() < 0.5
    sheet.title(15, "同 意 書" if consent else "照会書に対する回答書", 18, spread=0.0)
    sheet.text(18, 32, "みどり区 福祉課 生活支援係 御中", 11)
    sheet.text(196, 32, draft.day(0), 10.5, align="right", name="reported_at")
    body = (
        "　私は、主治医が貴課に対し、私の病状及び既往歴に関する情報を提供することに同意します。"
        if consent
        else f"　令和8年{draft.rng.randint(4, 12)}月{draft.rng.randint(1, 28)}日付けで照会のありました件について、下記のとおり回答いたします。照会期限までの回答が遅れましたことをお詫びいたします。"
    )
    y = sheet.para(18, 46, 178, body, 11) + 5
    y = _rows(
        sheet,
        y,
        [
            ("患者(本人)氏名", patient.name, "patient_name"),
            ("生年月日", wareki(patient.born), "birth"),
            ("住所", patient.address, "patient_address"),
            ("医療機関", draft.sender.name, "institution"),
            ("主治医", draft.people.name(), "doctor"),
            (
                "回答・意見",
                "" if consent else draft.rng.choice(("就労は軽作業に限り可", "継続して通院加療を要する")),
                "opinion",
            ),
        ],
        h=14,
    )
    sheet.labelled(96, y + 12, "署名", patient.name, gap=18, length=70, size=11)
    sheet.seal(184, y + 14, patient.name.split()[0], 10)


# ---- letters, misdirected, advertising, covers -------------------------------------------------------------------------------


def letter(draft: Draft) -> None:
    """A business letter with headings, body and a list (記)."""
    draft.sender = draft.people.institution(COMPANIES)
    sheet = draft.sheet()
    sheet.text(196, 18, draft.people.code("北環第###号"), 10.5, align="right", name="document_number")
    sheet.text(196, 24, draft.day(0), 10.5, align="right", name="reported_at")
    sheet.text(
        18, 34, f"{PREFECTURE}庁 {draft.rng.choice(('総務局 総務課', '都市整備局 調整課', '環境局 総務課'))} 御中", 11.5
    )
    sheet.text(196, 46, draft.sender.name, 11, align="right", name="institution")
    sheet.text(196, 52, f"電話 {draft.sender.phone} FAX {draft.sender.fax}", 10, align="right", name="phone")
    sheet.title(
        66,
        draft.rng.choice(
            ("担当者変更のお知らせ", "夏季休業のお知らせ", "事務所移転のお知らせ", "定例打合せの日程について")
        ),
        14,
        spread=0.0,
    )
    y = 82.0
    for text in (
        "拝啓　貴庁ますますご清栄のこととお慶び申し上げます。平素は格別のご高配を賜り、厚く御礼申し上げます。",
        "　さて、標記の件につきまして、下記のとおりお知らせいたします。ご不便をおかけいたしますが、何卒よろしくお願い申し上げます。",
        "　なお、ご不明な点がございましたら、担当までお申し付けください。今後とも変わらぬお引き立てのほどお願い申し上げます。",
    ):
        y = sheet.para(18, y, 178, text, 10.5) + 2
    sheet.text(196, y, "敬具", 10.5, align="right")
    sheet.text(107, y + 9, "記", 11, align="center")
    for number, (label, value) in enumerate(
        (("実施日", draft.ahead(5, 40)), ("場所", draft.people.address()), ("担当", draft.people.name())), 1
    ):
        sheet.text(28, y + 11 + 8 * number, f"{number}　{label}", 10.5)
        sheet.text(66, y + 11 + 8 * number, value, 10.5, name=("date", "place", "reporter")[number - 1])
    sheet.text(196, y + 48, "以上", 10.5, align="right")


def english_letter(draft: Draft) -> None:
    """An English business letter to the port office."""
    draft.sender = Institution(
        "IMAGINARY SHIPPING LTD",
        "IMAGINARY SHIPPING",
        "+44 20 7946 0812",
        "+44 20 7946 0813",
        "12 Nowhere Street, London",
    )
    sheet = draft.sheet()
    sheet.face = draft.rng.choice(("latin-serif", "latin-sans", "latin-mono"))
    reference = draft.people.code("TMG/####/26")
    sheet.text(18, 18, "Imaginary Shipping Ltd.", 16, name="institution")
    sheet.text(18, 26, "12 Nowhere Street, London", 10)
    sheet.text(196, 18, f"{draft.when:%B} {draft.when.day}, {draft.when.year}", 11, align="right", name="reported_at")
    sheet.text(18, 38, f"Our ref: {reference}", 11)
    sheet.fields["reference"] = {"value": reference, "hand": False}
    sheet.text(18, 48, "Port and Harbour Office, Toto Prefecture, Japan", 11)
    sheet.text(18, 60, "Re: Notice of vessel arrival and berth request", 12.5, name="title")
    y = 74.0
    vessel = draft.rng.choice(("MV Northern Mirage", "MV Blue Fiction", "MV Paper Crane"))
    for text in (
        "Dear Sir or Madam,",
        f"We hereby notify you of the scheduled arrival of the container vessel {vessel} and kindly request the allocation of a suitable berth for the period stated below. The vessel carries general cargo and {draft.rng.randint(4, 40)} refrigerated containers of foodstuffs.",
        "Please confirm receipt of this facsimile at your earliest convenience and advise us of the applicable port charges. Should the requested berth be unavailable, we would be grateful for an alternative proposal by return fax.",
        f"Length overall {draft.rng.randint(120, 240)}.{draft.rng.randint(0, 9)} m, draught {draft.rng.randint(8, 12)}.{draft.rng.randint(0, 9)} m, ETA {draft.rng.randint(1, 28)} December 2026 06:00, ETD 18:30 the following day.",
        "Yours faithfully,",
        "Margaret Nobody, Operations Manager",
    ):
        y = sheet.para(18, y, 178, text, 11.5) + 4


def english_note(draft: Draft) -> None:
    """A short English request for documents, typed."""
    draft.sender = Institution(
        "FICTIONAL UNIVERSITY HOSPITAL",
        "FICTIONAL UNIV HOSP",
        "+1 212 555 0147",
        "+1 212 555 0148",
        "1 Example Avenue, New York",
    )
    sheet = draft.sheet()
    sheet.face = draft.rng.choice(("latin-mono", "latin-sans"))
    sheet.text(107, 20, "FACSIMILE TRANSMISSION", 18, align="center", name="title")
    y = 40.0
    for label, value, name in (
        ("TO", "International Affairs, Toto Prefecture", "to"),
        ("FROM", "Fictional University Hospital", "institution"),
        ("DATE", f"{draft.when:%d %B %Y}", "reported_at"),
        ("FAX", draft.sender.fax, "fax"),
        ("PAGES", "1 (including this page)", ""),
    ):
        y = sheet.row(18, y, 10, [34.0, 144.0], [label, value], 11, names=("", name))
    for text in (
        "We are preparing a visit of six physicians to your prefecture and would like to receive the programme of the public health seminar, the list of participating institutions and the address of the venue.",
        "Kindly reply by facsimile or mail no later than the end of this month. We thank you for your kind assistance.",
        "Sincerely, Dr. John Placeholder, Department of Public Health",
    ):
        y = sheet.para(18, y + 7, 178, text, 11.5)


def misdirected_order(draft: Draft) -> None:
    """A company's order meant for another company: a wrong number."""
    order(draft)
    sheet = draft.sheets[-1]
    sheet.tone(16, 30, 92, 7, 255)
    sheet.segments = [s for s in sheet.segments if "経理・契約担当" not in s["text"]]
    sheet.text(
        18,
        32,
        f"{draft.rng.choice(('株式会社まぼろし商事 仕入課', '架空水産株式会社 受注センター', 'いずみ花店'))} 様",
        11.5,
        name="addressee",
    )


def misdirected_clinic(draft: Draft) -> None:
    """A pharmacy's note to a clinic that came to the wrong number."""
    draft.sender = Institution(
        "まぼろし薬局 青葉台店",
        "マボロシヤッキョク",
        draft.people.number(),
        draft.people.number(),
        draft.people.address(),
    )
    patient = draft.people.person(draft.today, 20, 90)
    sheet = draft.sheet()
    sheet.title(
        16, draft.rng.choice(("疑義照会票", "処方箋送付票", "服薬情報提供書(トレーシングレポート)")), 17, spread=0.1
    )
    sheet.text(18, 32, f"{draft.people.institution(CLINICS).name}　御担当医 様", 12, name="addressee")
    sheet.text(196, 44, draft.sender.name, 11, align="right", name="institution")
    sheet.text(196, 50, f"TEL {draft.sender.phone}", 10, align="right", name="phone")
    _rows(
        sheet,
        62,
        [
            ("患者氏名", patient.name, "patient_name"),
            ("生年月日", wareki(patient.born), "birth"),
            ("処方日", draft.day(0), ""),
            ("照会内容", "投与日数のご確認(14日分でよろしいですか)", "question"),
            ("回答欄", "", ""),
        ],
        h=18,
    )


def advertisement(draft: Draft) -> None:
    """A flyer selling something, with a line to stop it."""
    draft.sender = draft.people.institution(COMPANIES)
    sheet = draft.sheet()
    what = draft.rng.choice(("複合機・コピー機", "LED照明", "ウォーターサーバー", "トナーカートリッジ"))
    sheet.reversed_text(14, 14, 187, 22, f"{what} 今だけ特別価格！", 30)
    sheet.text(
        107,
        42,
        draft.rng.choice(("期間限定キャンペーン実施中", "先着30社様限定 無料お試し", "決算大感謝セール")),
        20,
        "sans-bold",
        align="center",
        name="title",
    )
    sheet.tone(20, 56, 175, 40, 218)
    sheet.text(107, 61, f"通常価格 {draft.rng.randint(30, 90) * 1000:,}円 →", 15, "sans", align="center")
    sheet.text(107, 73, f"特別価格 {draft.rng.randint(9, 29) * 1000:,}円(税別)", 28, "sans-bold", align="center")
    y = 104.0
    for text in (
        "① 初期費用・工事費 完全無料",
        "② コストを最大60%削減！ 全国5,000社の導入実績",
        "③ お見積り・ご相談は無料。最短翌日に設置",
        "④ 融資・リースのご相談も承ります",
    ):
        sheet.text(26, y, text, 15, "sans")
        y += 13
    sheet.box(18, y + 4, 178, 40, 0.6)
    sheet.text(22, y + 8, "お申込み・資料請求 このままFAXしてください", 12, "sans")
    sheet.text(22, y + 17, "会社名：　　　　　　　　　　　　ご担当者：", 12)
    sheet.text(
        22,
        y + 28,
        f"FAX {draft.sender.fax}　　フリーダイヤル 0120-555-{draft.people.code('###')}",
        13,
        "sans-bold",
        name="phone",
    )
    y = sheet.para(18, y + 52, 178, f"{draft.sender.name}　{draft.sender.address}", 10)
    sheet.tick(18, y + 6, "FAX配信停止をご希望の方は、左に✓を入れ、FAX番号をご記入のうえご返信ください。", False, 8.5)


def seminar_spam(draft: Draft) -> None:
    """An invitation to a paid seminar, with words of public health in it."""
    draft.sender = draft.people.institution(
        {
            "株式会社みらい架空コンサルティング": "ミライカクウコンサル",
            "一般社団法人まぼろし経営研究会": "マボロシケイエイ",
        }
    )
    sheet = draft.sheet()
    sheet.text(18, 14, "施設長様・事務長様・ご担当者様へ", 11)
    sheet.box(16, 22, 183, 30, 1.0)
    sheet.text(
        107,
        27,
        draft.rng.choice(
            (
                "助成金活用 無料セミナーのご案内",
                "経営者向け オンラインセミナー",
                "感染症対策セミナー(結核・インフルエンザ)",
            )
        ),
        20,
        "sans-bold",
        align="center",
        name="title",
    )
    sheet.text(107, 40, "参加無料・先着50名様", 14, "sans", align="center")
    y = (
        sheet.para(
            20,
            62,
            174,
            "このたび弊社では、最新の補助金・融資制度と人材採用のポイントを解説する無料セミナーを開催いたします。参加者全員に特別価格でのコンサルティングをご案内いたします。",
            12,
        )
        + 5
    )
    y = _rows(
        sheet,
        y,
        [
            ("日時", f"{draft.ahead(7, 30)} 14:00～16:00", "date"),
            ("会場", "オンライン(Zoomほか)", ""),
            ("参加費", "無料(通常 33,000円)", ""),
            ("お申込み", f"FAX {draft.sender.fax}", "fax"),
        ],
        printed=True,
    )
    sheet.para(
        18,
        y + 10,
        178,
        "今後このようなご案内が不要な場合は、お手数ですが「配信停止希望」とご記入のうえ、本紙をご返送ください。キャンペーン情報の配信停止をご希望の方も同様です。",
        9,
    )


def _cover(draft: Draft, pages: int) -> Sheet:
    """A cover sheet for *pages* pages in all."""
    sheet = draft.sheet()
    table = draft.rng.random() < 0.6
    sheet.title(
        18,
        draft.rng.choice(("FAX送信票", "ファクシミリ送信票", "FAX送付状", "送付のご案内", "FAX 送 信 の ご 案 内")),
        22,
        spread=draft.rng.choice((0.0, 0.2)),
    )
    rows = [
        ("送信先", f"{draft.to} 御中", "to"),
        ("送信先FAX", "03-5555-0101", ""),
        ("発信元", draft.sender.name, "institution"),
        ("担当者", draft.people.name(), "reporter"),
        ("電話番号", draft.sender.phone, "phone"),
        ("FAX番号", draft.sender.fax, "fax"),
        ("送信日時", f"{draft.day(0)} {draft.when:%H:%M}", "reported_at"),
        ("送信枚数", f"{pages}枚(本票を含む)", "pages"),
        ("件名", draft.rng.choice(("書類の送付について", "ご依頼の件", "お問い合わせの件")), "subject"),
    ]
    if table:
        y = _rows(sheet, 40, rows, label=38, h=12, printed=draft.rng.random() < 0.7)
    else:
        y = 42.0
        for label, value, name in rows:
            sheet.labelled(24, y, label, value, gap=34, length=130, name=name, printed=draft.rng.random() < 0.5)
            y += 11
    y += 8
    x, wanted = 20.0, draft.rng.randrange(4)
    for number, label in enumerate(("至急", "ご確認ください", "ご返信ください", "ご査収ください")):
        x = sheet.tick(x, y, label, number == wanted, 11, "purpose")
    y = sheet.para(
        20,
        y + 14,
        172,
        "いつもお世話になっております。標記の書類を送付いたしますので、ご査収のほどよろしくお願いいたします。受信枚数に不足がある場合や、印字が不鮮明な場合は、お手数ですが上記までご連絡ください。",
        11,
    )
    sheet.para(
        20,
        y + 6,
        172,
        "【ご注意】この文書には個人情報が含まれていることがあります。誤って受信された場合は、直ちに発信元までご連絡のうえ、破棄してくださいますようお願いいたします。",
        9.5,
    )
    return sheet


def cover(draft: Draft, pages: int = 1) -> None:
    """FAX送信票 in a table or with lines."""
    _cover(draft, pages)


def cover_with_code(draft: Draft, pages: int = 1) -> None:
    """A cover sheet that carries a QR code with its number."""
    sheet = _cover(draft, pages)
    number = draft.people.code("########")
    sheet.qr(156, 240, 34, f"FAXCOVER:1:{number}")
    sheet.text(156, 275, f"整理番号 {number}", 9, "gothic", name="cover_number")


def cover_alone(draft: Draft) -> None:
    """A cover sheet that promises pages which never came."""
    _cover(draft, draft.rng.randint(2, 6))


def blank(draft: Draft) -> None:
    """A sheet laid in with the wrong side up: nothing but a few specks."""
    sheet = draft.sheet()
    for _ in range(draft.rng.randint(0, 6)):
        x, y = draft.rng.uniform(10, 200), draft.rng.uniform(12, 280)
        sheet.line(x, y, x + draft.rng.uniform(0.2, 1.5), y + 0.2, 0.3)


LAYOUTS = (
    ("order", "PROCUREMENT", order),
    ("estimate", "PROCUREMENT", estimate),
    ("invoice", "PROCUREMENT", invoice),
    ("bid_question", "PROCUREMENT", bid_question),
    ("course_application", "APPLICATION_EVENT", course_application),
    ("flyer_slip", "APPLICATION_EVENT", flyer_slip),
    ("monthly_report", "PROGRESS_REPORT", monthly_report),
    ("survey", "PROGRESS_REPORT", survey),
    ("referral", "CONSENT_MEDICAL", referral),
    ("inquiry_reply", "CONSENT_MEDICAL", inquiry_reply),
    ("letter", "OTHER", letter),
    ("english_letter", "OTHER", english_letter),
    ("english_note", "OTHER", english_note),
    ("misdirected_order", "MISDIRECTED", misdirected_order),
    ("misdirected_clinic", "MISDIRECTED", misdirected_clinic),
    ("advertisement", "SPAM", advertisement),
    ("seminar_spam", "SPAM", seminar_spam),
    ("cover_alone", "COVER_ONLY", cover_alone),
    ("blank", "COVER_ONLY", blank),
)
"""Name, class and drawing of each layout; the covers that go before other documents are drawn by the catalogue."""
