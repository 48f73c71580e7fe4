"""What residents, the press, other offices and the emergency services send to a town hall or prefecture."""

# ruff: noqa: E501 - the wording of a form stands on one line, as it is printed

from __future__ import annotations

from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import HALLS, MEDIA, PREFECTURE, SCHOOLS, Institution


def _resident(draft: Draft) -> None:
    """The sender is a resident with a fax at home."""
    person = draft.people.person(draft.today, 35, 88)
    number = draft.people.number()
    draft.sender = Institution(person.name, person.reading, number, number, person.address)


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


def _lined(sheet: Sheet, y: float, lines: list[str], step: float = 11, size: float = 14) -> float:
    """Handwriting on ruled paper."""
    for line in lines:
        sheet.write(22, y, line, size)
        sheet.line(20, y + step - 3.5, 194, y + step - 3.5, 0.15)
        y += step
    return y


# ---- deaf and hard-of-hearing residents, emergencies ------------------------------------------------------------------


def interpreter(draft: Draft) -> None:
    """手話通訳者派遣申請書 (or 要約筆記)."""
    _resident(draft)
    sheet = draft.sheet()
    sheet.title(15, draft.rng.choice(("手話通訳者派遣申請書", "手話通訳・要約筆記者 派遣申請書")), 16, spread=0.1)
    sheet.text(18, 30, "みどり区 障害福祉課 御中", 11.5)
    sheet.labelled(128, 30, "申請日", draft.day(0), gap=16, name="reported_at")
    sheet.text(18, 40, "派遣の種類", 10.5)
    sheet.options(52, 40, ["手話通訳", "要約筆記"], draft.rng.randint(0, 1), 11.5, "　・　", name="kind")
    y = _rows(
        sheet,
        50,
        [
            ("申請者氏名", draft.sender.name, "applicant"),
            ("住所", draft.sender.address, "applicant_address"),
            ("返信FAX番号", draft.sender.fax, "fax"),
            ("派遣希望日時", f"{draft.ahead(4, 20)}　{draft.rng.randint(9, 15)}時から2時間", "wanted_at"),
            ("場所", draft.rng.choice(("東都中央記念病院 耳鼻科", "みどり区役所 3階", "青葉台小学校 体育館")), "place"),
            ("待ち合わせ", "正面玄関 15分前", ""),
            ("内容", draft.rng.choice(("病院の診察", "保護者会", "年金の相談", "就職面接")), "purpose"),
            ("聴覚障害の等級", draft.rng.choice(("2級", "3級", "4級")), ""),
        ],
        h=14,
    )
    sheet.para(
        18,
        y + 6,
        176,
        "※耳の不自由な方は、電話ではなくファクスでのお返事を希望される旨をお書きください。派遣の可否は本用紙に記入のうえFAXで返信します。",
        10,
    )
    sheet.text(18, y + 20, "返信FAX希望", 11)
    sheet.tick(52, y + 20, "はい", True, 11, "reply_by_fax")
    sheet.tick(74, y + 20, "いいえ", False, 11, "reply_by_fax")


def fax_consultation(draft: Draft) -> None:
    """A handwritten question from a deaf resident on the consultation desk's FAX相談 sheet."""
    _resident(draft)
    sheet = draft.sheet()
    sheet.title(16, "FAX相談・お問い合わせ用紙", 18, spread=0.0)
    sheet.text(107, 28, "(聴覚・言語に障害のある方 専用)", 11, align="center")
    y = _rows(
        sheet,
        38,
        [
            ("お名前", draft.sender.name, "applicant"),
            ("返信先FAX", draft.sender.fax, "fax"),
            ("年齢", f"{draft.rng.randint(30, 86)}歳", "age"),
        ],
        h=13,
    )
    sheet.text(18, y + 6, "ご相談の内容", 11)
    sheet.box(18, y + 13, 178, 120, 0.35)
    lines = draft.rng.choice(
        (
            [
                "私は耳が聞こえません。電話ができないので",
                "FAXで質問します。",
                "昨日から熱が38度5分あり、咳もでます。",
                "近くで筆談で診てくれる病院を教えて下さい。",
                "ファクスでのお返事をお願いします。",
            ],
            [
                "聴覚障害者です。新型コロナワクチンの",
                "接種券がまだ届きません。",
                "いつごろ届くか、予約はFAXでできるか",
                "教えてください。手話通訳のいる会場は",
                "ありますか。返信FAXをお願いします。",
            ],
            [
                "耳が不自由なため電話ができません。",
                "区役所から届いた書類の書き方が",
                "分かりません。窓口で筆談での対応を",
                "していただけますか。",
                "来週の水曜日に伺いたいです。",
            ],
        )
    )
    _lined(sheet, y + 18, lines, 15)
    sheet.text(18, y + 138, f"送付先　{PREFECTURE}みどり区 障害福祉課　当日中に返信します。", 10)


def emergency_card(draft: Draft) -> None:
    """緊急通報カード: the form with which a deaf person calls 119 or 110 by fax."""
    _resident(draft)
    sheet = draft.sheet()
    sheet.reversed_text(18, 14, 178, 16, "１１９番　ＦＡＸ緊急通報", 24)
    sheet.text(107, 34, "救急車・消防車を呼ぶときに使います(耳や言葉の不自由な方用)", 11, align="center")
    fire = draft.rng.random() < 0.4
    sheet.text(18, 46, "どちらですか", 13)
    sheet.options(60, 45.5, ["火事", "救急", "その他"], 0 if fire else 1, 18, "　　", name="kind")
    y = _rows(
        sheet,
        60,
        [
            ("住所", draft.sender.address, "place"),
            ("氏名", draft.sender.name, "caller_name"),
            ("FAX番号", draft.sender.fax, "fax"),
            ("目標になる建物", draft.rng.choice(("若葉公園の前", "コンビニの2階", "青葉台駅の北側")), "landmark"),
            ("だれが", draft.rng.choice(("父", "母", "自分", "隣の人")), "who"),
            (
                "どうした",
                "台所から火が出ています"
                if fire
                else draft.rng.choice(
                    ("胸が苦しい 息ができない", "階段から落ちて動けない", "意識がない 呼んでも返事しない")
                ),
                "what",
            ),
        ],
        h=18,
    )
    sheet.write(
        22, y + 8, draft.rng.choice(("助けてください 急いで", "すぐ救急車おねがいします", "早くきて下さい")), 20
    )
    sheet.para(18, y + 26, 178, "この用紙を119番にFAXしてください。指令室から「出動しました」の返信FAXを送ります。", 11)


def emergency_note(draft: Draft) -> None:
    """The same cry for help on plain paper in large letters."""
    _resident(draft)
    sheet = draft.sheet()
    y = 30.0
    for line in (
        draft.rng.choice(("緊急 110番", "119 救急車")),
        draft.rng.choice(("助けて 夫が倒れました", "知らない人が家に入ってきた", "火事です 隣の家")),
        "電話できません(耳が聞こえない)",
        f"住所 {draft.sender.address[2:]}",
        f"名前 {draft.sender.name}",
        f"FAX {draft.sender.fax}",
    ):
        sheet.write(16, y, line, 24 if len(line) < 16 else 19)
        y += 26


# ---- disaster -------------------------------------------------------------------------------------------------------


def damage_report(draft: Draft) -> None:
    """被害状況報告 (第n報) of a municipality, a table."""
    draft.sender = draft.people.institution(HALLS)
    sheet = draft.sheet()
    number = draft.rng.randint(1, 14)
    event = draft.rng.choice(("台風第15号", "大雨", "地震(最大震度5強)", "大雪"))
    sheet.text(18, 11, "第4号様式(その1)", 9)
    sheet.title(14, f"被害状況報告(第{number}報)", 18, spread=0.1)
    sheet.square_stamp(180, 20, "緊急", 24, 10)
    sheet.text(18, 29, f"{PREFECTURE} 総務局 総合防災部 防災対策課 宛", 11.5)
    y = _rows(
        sheet,
        38,
        [
            ("災害名", event, "event"),
            ("報告機関", draft.sender.name, "institution"),
            ("報告日時", f"{draft.day(0)} {draft.when.hour}時{draft.when.minute:02d}分現在", "reported_at"),
            ("報告者", f"{draft.people.name()}　電話 {draft.sender.phone}", "reporter"),
        ],
        h=10,
        printed=draft.rng.random() < 0.5,
    )
    y = sheet.row(
        18, y + 3, 8, [50.0, 39.0, 50.0, 39.0], ["区分", "被害", "区分", "被害"], 9.5, align="center", fill=226
    )
    kinds = (
        "死者",
        "行方不明者",
        "重傷者",
        "軽傷者",
        "住家全壊",
        "住家半壊",
        "床上浸水",
        "床下浸水",
        "道路損壊",
        "がけ崩れ",
        "停電(戸)",
        "断水(戸)",
    )
    for left, right in zip(kinds[::2], kinds[1::2], strict=True):
        y = sheet.row(
            18,
            y,
            10,
            [50.0, 39.0, 50.0, 39.0],
            [
                left,
                f"~{draft.rng.choice((0, 0, 1, 2, 5, 12, 38))}",
                right,
                f"~{draft.rng.choice((0, 0, 1, 3, 8, 25, 410))}",
            ],
            10,
        )
    y = sheet.row(
        18,
        y + 4,
        8,
        [60.0, 40.0, 40.0, 38.0],
        ["避難所名", "開設時刻", "世帯数", "人数"],
        9.5,
        align="center",
        fill=226,
    )
    for place in draft.rng.sample(("市民体育館", "中央公民館", "第一小学校", "海岸中学校", "福祉センター"), 3):
        people = draft.rng.randint(3, 160)
        y = sheet.row(
            18,
            y,
            10,
            [60.0, 40.0, 40.0, 38.0],
            [
                place,
                f"~{draft.rng.randint(0, 23)}:{draft.rng.choice(('00', '15', '30'))}",
                f"~{people // 3 + 1}",
                f"~{people}",
            ],
            10,
            align="center",
        )
    _rows(
        sheet,
        y + 4,
        [
            (
                "避難指示の発令",
                draft.rng.choice(("警戒レベル4 避難指示 3地区", "警戒レベル3 高齢者等避難", "なし")),
                "order",
            ),
            ("災害対策本部", f"設置 {draft.rng.randint(1, 23)}時", ""),
            ("応援要請", draft.rng.choice(("自衛隊派遣要請を検討中", "なし", "給水車2台")), "request"),
        ],
    )


def weather_notice(draft: Draft) -> None:
    """A bulletin of weather and evacuation orders, all printed."""
    draft.sender = draft.people.institution(HALLS)
    sheet = draft.sheet()
    sheet.reversed_text(18, 14, 178, 14, draft.rng.choice(("災 害 情 報", "緊急 気象・避難情報", "危機管理情報")), 20)
    sheet.text(
        196,
        32,
        f"第{draft.rng.randint(1, 20)}報　{draft.day(0)} {draft.when.hour}時{draft.when.minute:02d}分発表",
        11,
        align="right",
        name="reported_at",
    )
    sheet.text(18, 40, "関係各機関 防災担当 御中", 11.5)
    sheet.text(196, 48, draft.sender.name, 11, align="right", name="institution")
    river = draft.rng.choice(("まぼろし川", "架空川", "いずみ川"))
    y = 60.0
    for text in (
        f"1　{draft.rng.choice(('大雨特別警報', '土砂災害警戒情報', '洪水警報', '暴風警報'))}が発表されました。",
        f"2　{river}の水位が氾濫危険水位に達しました。{river}流域の浸水想定区域に避難指示(警戒レベル4)を発令しました。",
        f"3　市内の停電は約{draft.rng.randint(100, 9000):,}戸、断水は約{draft.rng.randint(50, 900)}戸です。復旧の見込みは立っていません。",
        f"4　避難所{draft.rng.randint(3, 20)}か所を開設し、避難者は{draft.rng.randint(20, 1500):,}人です。",
        "5　今後の気象情報に注意し、被害報告は判明次第、防災情報システム又はファクシミリで送信してください。",
    ):
        y = sheet.para(20, y, 174, text, 12.5) + 5
    sheet.text(18, y + 6, f"担当　{draft.people.name()}　　電話 {draft.sender.phone}(24時間)", 11)


# ---- press, citizens' voices ----------------------------------------------------------------------------------------------


def press_request(draft: Draft) -> None:
    """取材依頼書."""
    draft.sender = draft.people.institution(MEDIA)
    sheet = draft.sheet()
    sheet.title(16, draft.rng.choice(("取 材 依 頼 書", "取材依頼について", "取材・撮影のお願い")), 18, spread=0.0)
    sheet.text(18, 32, f"{PREFECTURE}庁 広報課 報道担当 御中", 11.5)
    sheet.text(196, 32, draft.day(0), 10.5, align="right", name="reported_at")
    y = (
        sheet.para(
            18,
            44,
            178,
            "　平素より大変お世話になっております。下記のとおり取材をお願いしたく、ご検討のほどよろしくお願い申し上げます。",
            10.5,
        )
        + 4
    )
    topic = draft.rng.choice(
        (
            "麻しん患者の発生状況について",
            "行政手続のデジタル化とFAX廃止の取組",
            "給食の食中毒への対応について",
            "台風被害と避難所の運営",
        )
    )
    y = _rows(
        sheet,
        y,
        [
            ("媒体名", draft.sender.name, "media"),
            ("番組・掲載面", draft.rng.choice(("夕方ニュース「まちかど便」", "朝刊 地域面", "特集 行政の今")), ""),
            ("記者名", draft.people.name(), "reporter"),
            ("連絡先", f"{draft.sender.phone} / {draft.people.mobile()}", "phone"),
            ("取材内容", topic, "topic"),
            ("希望日時", f"{draft.ahead(1, 7)} {draft.rng.randint(10, 16)}時", "wanted_at"),
            ("放送日・掲載日", draft.ahead(3, 14), "published_at"),
            ("撮影の有無", draft.rng.choice(("有(カメラ1台)", "無", "写真のみ")), ""),
            ("回答締切", draft.ahead(1, 3), "deadline"),
        ],
        h=13,
        printed=draft.rng.random() < 0.6,
    )
    sheet.para(
        18,
        y + 6,
        178,
        "お忙しいところ恐れ入りますが、締切までにご回答をお願いいたします。記者会見の予定がございましたら併せてお知らせください。",
        10,
    )


def press_release(draft: Draft) -> None:
    """プレスリリース sent to the press club by a body."""
    draft.sender = draft.people.institution(
        {
            "公益財団法人いずみ文化振興財団": "イズミブンカシンコウザイダン",
            "株式会社北斗環境サービス": "ホクトカンキョウサービス",
        }
    )
    sheet = draft.sheet()
    sheet.text(18, 14, draft.rng.choice(("報道関係者各位", "記者クラブ 各社 御中")), 11)
    sheet.reversed_text(120, 12, 76, 10, draft.rng.choice(("プレスリリース", "報道発表資料", "PRESS RELEASE")), 15)
    sheet.text(196, 26, draft.day(0), 10.5, align="right", name="reported_at")
    sheet.text(196, 32, draft.sender.name, 11, align="right", name="institution")
    sheet.title(
        44,
        draft.rng.choice(
            ("みどり区と災害時協力協定を締結", "「まぼろし美術展」開催のお知らせ", "電気ごみ収集車の実証運行を開始")
        ),
        17,
        spread=0.0,
    )
    y = 60.0
    for text in (
        f"　{draft.sender.name}(所在地：{draft.sender.address})は、{draft.ahead(3, 20)}より標記の取組を開始します。報道解禁は{draft.ahead(1, 2)}午後2時とします。",
        "　今回の取組は、地域の皆様の安全と暮らしの向上を目的とするもので、約1年間の準備を経て実施に至りました。関係者のコメント及び写真データは、広報担当までお問い合わせください。",
        "　当日は記者向け説明会を開催します。取材をご希望の記者の方は、前日正午までに下記へご連絡ください。",
    ):
        y = sheet.para(18, y, 178, text, 11) + 3
    _rows(
        sheet,
        y + 5,
        [
            ("報道関係のお問い合わせ", f"広報担当 {draft.people.name()}", "reporter"),
            ("電話・FAX", f"{draft.sender.phone} / {draft.sender.fax}", "phone"),
            ("発表日時", f"{draft.ahead(1, 3)} 14時", "published_at"),
        ],
        printed=True,
    )


def complaint(draft: Draft) -> None:
    """A handwritten complaint of a resident."""
    _resident(draft)
    sheet = draft.sheet()
    sheet.write(18, 16, draft.rng.choice(("東都庁 都民の声課 御中", "みどり区長 様", "都民の声 担当者 様")), 15)
    sheet.write(150, 28, draft.day(0), 12, name="reported_at")
    sheet.write(
        60,
        40,
        draft.rng.choice(("苦 情", "騒音の苦情について", "道路の苦情とお願い", "対応への抗議と改善の要望")),
        20,
        name="title",
    )
    lines = draft.rng.choice(
        (
            [
                "家の前の道路工事の音がうるさくて、",
                "夜も眠れず困っています。夜9時を過ぎても",
                "作業をしており、何度電話しても",
                "改善されません。早急に工事業者を",
                "指導してください。苦情として",
                "受け付け、文書で回答をお願いします。",
            ],
            [
                "近くの公園の街灯が三か月も消えたままで、",
                "夜に歩くのがこわいです。以前にも",
                "電話でお願いしましたが、何も",
                "改善されません。高齢者も多い地域です。",
                "至急修理してください。",
                "ご意見箱にも入れました。返事を待っています。",
            ],
            [
                "窓口の職員の対応について苦情があります。",
                "書類の書き方を聞いたところ、",
                "大変失礼な言い方をされました。",
                "高齢者にはパソコンでの申請はできません。",
                "紙でも受け付けるよう改善をお願いします。",
                "責任者からの謝罪を求めます。",
            ],
        )
    )
    y = _lined(sheet, 58, lines, 15, 15)
    sheet.write(90, y + 10, f"住所 {draft.sender.address[2:]}", 13, name="applicant_address")
    sheet.write(90, y + 22, f"氏名 {draft.sender.name}", 14)
    sheet.write(90, y + 34, f"電話 {draft.sender.phone}", 13)


def petition(draft: Draft) -> None:
    """要望書 of a neighbourhood association, printed and sealed."""
    draft.sender = draft.people.institution(
        {
            "若葉町第三自治会": "ワカバチョウジチカイ",
            "青葉台商店会連合会": "アオバダイショウテンカイ",
            "みどり区子育てネットワーク": "コソダテネットワーク",
        }
    )
    sheet = draft.sheet()
    sheet.text(196, 16, draft.day(0), 10.5, align="right", name="reported_at")
    sheet.text(18, 26, f"{PREFECTURE}知事 様", 12)
    sheet.text(196, 38, draft.sender.name, 11, align="right", name="institution")
    leader = draft.people.name()
    sheet.text(184, 45, f"会長　{leader}", 11, align="right")
    sheet.seal(190, 47, leader.split()[0], 11)
    sheet.title(62, draft.rng.choice(("要 望 書", "陳 情 書", "通学路の安全対策に関する要望書")), 19, spread=0.0)
    y = 80.0
    for text in (
        "　平素より当地域の行政にご尽力いただき、厚く御礼申し上げます。",
        "　さて、当地区の通学路では、朝夕の交通量が増え、児童が危険にさらされております。昨年度も改善をお願いいたしましたが、いまだ対応がなされておらず、住民は大変困っております。",
        "　つきましては、下記の事項について、早急に対応くださいますよう、住民"
        + str(draft.rng.randint(60, 900))
        + "名の署名を添えて要望いたします。",
    ):
        y = sheet.para(18, y, 178, text, 11) + 3
    sheet.text(107, y + 4, "記", 11, align="center")
    for number, text in enumerate(
        (
            "信号機の設置及び横断歩道の塗り直し",
            "ガードレールの延長(若葉町3丁目から5丁目)",
            "地域住民との意見交換の場の設置",
        ),
        1,
    ):
        sheet.text(28, y + 6 + 9 * number, f"{number}　{text}", 11)
    sheet.text(196, y + 46, "以上", 10.5, align="right")
    sheet.text(18, y + 56, f"連絡先　{draft.sender.phone}　{draft.sender.address}", 10, name="phone")


def vertical_petition(draft: Draft) -> None:
    """A petition in vertical writing, columns from right to left."""
    _resident(draft)
    sheet = draft.sheet()
    columns = [
        "　　　陳　情　書",
        "",
        "東都知事　殿",
        "",
        "拝啓　時下ますますご清栄のこととお慶び申し上げ",
        "ます。さて、標記のことにつきまして、左記の通り",
        "陳情いたしますので、よろしくお取り計らいの程",
        "お願い申し上げます。",
        "　　　　　　　記",
        "一、老人福祉センターの開館時間を延ばすこと。",
        "一、公衆便所の清掃回数を増やし改善すること。",
        "一、バス停に屋根と椅子を設けること。",
        "　　　　　　　　　　　　　　　　　　敬具",
        "　令和八年十一月",
        "　　　　　東都みどり区若葉町二丁目",
        f"　　　　　　　　　　{draft.sender.name}",
    ]
    x = 190.0
    for column in columns:
        if column:
            sheet.vertical(x, 26, column, 13 if "陳　情" not in column else 18)
        x -= 10.5
    sheet.fields["title"] = {"value": "陳情書", "hand": False}


# ---- children and elderly ------------------------------------------------------------------------------------------------


def child_referral(draft: Draft) -> None:
    """要保護児童に関する情報提供書 from a school to the child guidance centre."""
    draft.sender = draft.people.institution(SCHOOLS)
    sheet = draft.sheet()
    hidden = bool(draft.mask)
    child = draft.people.person(draft.today, 3, 14)
    sheet.square_stamp(178, 14, draft.rng.choice(("親展", "取扱注意", "秘")), 26, 9)
    sheet.title(
        18,
        draft.rng.choice(("要保護児童に関する情報提供書", "児童虐待通告書(情報提供書)", "虐待通告・情報提供書")),
        15,
        spread=0.0,
    )
    sheet.text(18, 34, f"{PREFECTURE}みどり児童相談所長 殿", 11.5)
    sheet.text(18, 42, "児童虐待の防止等に関する法律第6条の規定により、下記のとおり通告(情報提供)します。", 10)
    y = _rows(
        sheet,
        50,
        [
            ("通告者(所属)", draft.sender.name, "institution"),
            ("担当者・電話", f"{draft.people.name()}　{draft.sender.phone}", "reporter"),
            ("児童氏名", "" if hidden else child.name, "patient_name"),
            ("生年月日・学年", f"{child.age(draft.today)}歳", "age"),
            ("住所", child.address, "patient_address"),
            ("保護者", draft.people.name(), "guardian"),
            ("虐待の種別", draft.rng.choice(("身体的虐待", "ネグレクト", "心理的虐待")), "kind"),
            ("発見日時", f"{draft.day(0, 1)} 午前8時30分頃", "found_at"),
            (
                "状況",
                draft.rng.choice(
                    ("左頬にあざ。本人は転んだと言う", "同じ服が続き、食事をとっていない様子", "家に帰りたくないと泣く")
                ),
                "state",
            ),
            ("きょうだい", draft.rng.choice(("妹1名", "なし", "兄2名")), ""),
            ("安全確認の状況", draft.rng.choice(("本日登校し保健室で保護中", "本日欠席 未確認")), "safety"),
        ],
        h=13,
    )
    if hidden:
        sheet.blackout(68, 78, 50, 8, "patient_name")
    sheet.para(
        18,
        y + 5,
        178,
        "至急、安全確認(48時間以内)をお願いいたします。本書は要保護児童対策地域協議会における情報共有の対象です。",
        10,
    )


def elder_abuse(draft: Draft) -> None:
    """A care manager's report of suspected abuse of an elderly person."""
    draft.sender = draft.people.institution(
        {"青葉台地域包括支援センター": "アオバダイホウカツ", "ケアプランいずみ": "ケアプランイズミ"}
    )
    sheet = draft.sheet()
    person = draft.people.person(draft.today, 70, 95)
    sheet.title(16, "高齢者虐待 通報・相談受付票", 16, spread=0.0)
    sheet.text(18, 32, "みどり区 福祉課 高齢者虐待通告担当 あて", 11)
    _rows(
        sheet,
        42,
        [
            ("通報者", f"{draft.sender.name} {draft.people.name()}", "reporter"),
            ("電話番号", draft.sender.phone, "phone"),
            ("受付日時", f"{draft.day(0)} {draft.when.hour}時", "reported_at"),
            ("本人氏名", person.name, "patient_name"),
            ("年齢・要介護度", f"{person.age(draft.today)}歳　要介護{draft.rng.randint(1, 5)}", "age"),
            ("住所", person.address, "patient_address"),
            ("養護者", "同居の長男", "guardian"),
            ("虐待の種別", draft.rng.choice(("身体的", "介護・世話の放棄", "経済的")), "kind"),
            (
                "内容",
                draft.rng.choice(
                    ("腕に複数の内出血、理由を話さない", "おむつ交換がされておらず脱水気味", "年金を引き出されている")
                ),
                "state",
            ),
            ("緊急性", draft.rng.choice(("高い：早急な安全確認が必要", "中程度")), "urgency"),
        ],
        h=14,
    )


LAYOUTS = (
    ("interpreter", "ACCESSIBLE_CONTACT", interpreter),
    ("fax_consultation", "ACCESSIBLE_CONTACT", fax_consultation),
    ("emergency_card", "LIFELINE", emergency_card),
    ("emergency_note", "LIFELINE", emergency_note),
    ("damage_report", "DISASTER", damage_report),
    ("weather_notice", "DISASTER", weather_notice),
    ("press_request", "PRESS", press_request),
    ("press_release", "PRESS", press_release),
    ("complaint", "COMPLAINT", complaint),
    ("petition", "COMPLAINT", petition),
    ("vertical_petition", "COMPLAINT", vertical_petition),
    ("child_referral", "CHILD_WELFARE", child_referral),
    ("elder_abuse", "CHILD_WELFARE", elder_abuse),
)
"""Name, class and drawing of each layout."""
