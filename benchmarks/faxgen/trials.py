"""Sheets that try the reading and are no class of document: what faxes hold that few letters of a corpus do.

They stand beside the layouts (`catalogue.TRIALS`), so that the shares of a corpus over the classes stay what they are.
Each is made of the same invented people and of phrases shuffled anew for every seed.
"""

# ruff: noqa: E501, SIM905 - lists of names read best as lines of words

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.machine import Damage
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import half_width

NAMES = "髙橋 髙木 山﨑 黒﨑 齋藤 齊藤 渡邊 渡邉 長嶋 島﨑 藤澤 瀧本 廣瀬 濱田 國分 惠子 德永 桒原 栁田 眞理 曻 祐眞 辻井 嶌村".split()
"""Old forms and variants that stand in family registers; 﨑 is outside the default engine's alphabet."""
UNKNOWN = "穐鯵欝鴬椛粁砿詑凧涜硲溌侭鑓"
"""The kanji of JIS X 0208 level 1 that PP-OCRv6's recogniser has no class for."""
_WITH_UNKNOWN = (
    "穐山 穐田 鯵沢 鯵ヶ島 欝病 憂欝 鴬谷 鴬台 椛島 椛沢 二十粁 砿山 炭砿 詑間 凧揚げ 大凧 冒涜 硲町 硲田 溌剌 "
    "我侭 侭田 鑓水 鑓田"
).split()
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_PHRASES = (
    "記入漏れのないよう確認のうえ提出すること",
    "診察した医師の氏名及び病院の所在地",
    "感染の原因となった飲食物の種類及び状況",
    "別紙一覧表のとおり報告いたします",
    "発熱、咳、頭痛などの症状の有無",
    "当該者の居住地を管轄する保健所長",
    "開庁時間は平日の午前九時から午後五時まで",
    "申請書の控えは三年間保存してください",
    "施設内の消毒及び手洗いの励行を指導した",
    "入所者十二名、職員四名に症状が認められた",
    "検体は冷蔵のまま検査所へ搬送してください",
    "停電のため電話がつながりにくくなっています",
    "給水車は市民会館前の駐車場に到着します",
    "お手数ですが折り返しご連絡をお願いします",
)
_ENGLISH = (
    "COVID-19 PCR test positive (Ct 24.5)",
    "Legionella pneumophila serogroup 1",
    "IgM antibody 8.52 / IgG 1.04",
    "E. coli O157:H7 VT1(+) VT2(+)",
    "Attn: Ms. Jane Smith, Tokyo Health Bureau",
    "Invoice No. INV-2026-00817 USD 1,250.00",
    "https://www.example.jp/fax/help?id=42",
    "kansen-taisaku@pref.example.jp",
    "BP 120/80 mmHg  SpO2 96%  BT 38.4",
    "Please reply by Friday, 27 November 2026",
)


def _lines(draft: Draft, sheet: Sheet, texts: list[str], size: float, step: float, y: float = 24) -> None:
    for number, text in enumerate(texts, 1):
        name = f"line_{number}"
        if number % 3 == 0:
            sheet.write(20, y - 0.8, text, size + 2, name=name)
        else:
            sheet.text(20, y, text, size, name=name)
        y += step


def names(draft: Draft) -> None:
    """A table of people whose names are written as in the register."""
    sheet, rng = draft.sheet(), draft.rng
    sheet.title(14, "受診者名簿", 16)
    y = sheet.row(18, 28, 8, [12, 44, 62, 56], ["No.", "氏名", "住所", "電話"], 9.5, align="center", fill=225)
    for number in range(1, 17):
        person = draft.people.person(draft.today, 1, 90)
        written = f"{rng.choice(NAMES)}　{rng.choice(NAMES)[-1]}{rng.choice('一子美夫郎江')}"
        hand = "~" if number % 2 else ""
        cells = [str(number), hand + written, person.address[:14], person.phone]
        y = sheet.row(18, y, 11, [12, 44, 62, 56], cells, 10, names=("", f"name_{number}", "", f"phone_{number}"))


def unknown(draft: Draft) -> None:
    """Words with kanji that the engine has no class for, among ordinary ones; ``unknown`` in the truth tells them."""
    sheet, rng = draft.sheet(), draft.rng
    words = rng.sample(_WITH_UNKNOWN, 12)
    texts = [f"{word}　{rng.choice(_PHRASES)[:10]}" for word in words]
    _lines(draft, sheet, texts + rng.sample(_PHRASES, 8), 11, 11.5)


def kana(draft: Draft) -> None:
    """Half-width katakana, as old office machines print them."""
    sheet, rng = draft.sheet(), draft.rng
    texts = []
    for number in range(20):
        who = draft.people.institution()
        tail = rng.choice(("様", "ﾃﾞﾝﾜ", "TEL", "ﾌﾘｶﾞﾅ", "ｶ)", "ｱﾃ"))
        texts.append(f"{half_width(who.reading)} {tail} {who.phone if number % 2 else rng.randint(1, 9999)}")
    sheet.face = rng.choice(("gothic-fixed", "mincho-fixed", "sans"))
    for number, text in enumerate(texts, 1):
        sheet.text(20, 10 + 12 * number, text, rng.choice((9, 10.5, 12)), name=f"line_{number}")


def circled(draft: Draft) -> None:
    """Circled numbers, Roman numerals, unit and reference marks before and inside lines."""
    sheet, rng = draft.sheet(), draft.rng
    marks = [*_CIRCLED, "※", "〒", "㈱", "→", "★", "Ⅱ", "Ⅲ", "Ⅳ"]
    texts = [f"{rng.choice(marks)}{phrase} {rng.choice(marks)}" for phrase in rng.sample(_PHRASES, 14)]
    texts += [" ".join(rng.sample(_CIRCLED, 8)) for _ in range(3)]
    _lines(draft, sheet, texts, 11, 13)


def small(draft: Draft) -> None:
    """Small print that touches the rules of narrow cells."""
    sheet, rng = draft.sheet(), draft.rng
    sheet.title(12, "注意事項", 14)
    y = 24.0
    for number in range(1, 25):
        size = rng.choice((6.5, 7, 7.5, 8))
        height = size * 0.353 * rng.uniform(1.25, 1.6)
        y = sheet.row(
            16,
            y,
            height,
            [10, 84, 84],
            [str(number), rng.choice(_PHRASES), rng.choice(_PHRASES)],
            size,
            names=("", f"left_{number}", f"right_{number}"),
        )


def mixed(draft: Draft) -> None:
    """Japanese and English in one line."""
    sheet, rng = draft.sheet(), draft.rng
    texts = []
    for english in rng.sample(_ENGLISH, len(_ENGLISH)):
        texts += [english, f"{rng.choice(_PHRASES)[:12]} {english.split('  ')[0]}"]
    sheet.face = rng.choice(("mincho", "gothic", "sans", "serif"))
    _lines(draft, sheet, texts, 10, 11)


def vertical(draft: Draft) -> None:
    """A letter in vertical writing: columns of phrases, an address of numbers, the sender's name at the foot."""
    sheet, rng = draft.sheet(), draft.rng
    size = rng.choice((10.5, 12, 14))
    face = rng.choice(("mincho-fixed", "serif", "gothic-fixed", "sans"))
    x, step = 192.0, size * 0.353 * rng.uniform(1.7, 2.4)
    body = rng.sample(_PHRASES, 10)
    columns = ["拝啓　" + body[0], *body[1:], "令和八年十一月二十日", f"　　　　　{draft.sender.name}", "　　敬具"]
    for column in columns:
        if x < 15:
            break
        sheet.vertical(x, 30, column, size, face)
        x -= step


TRIALS: dict[str, Callable[[Draft], None]] = {
    f"trial_{draw.__name__}": draw for draw in (names, unknown, kana, circled, small, mixed, vertical)
}
"""By name."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One condition to be measured: how the sheet was scanned, and which sheets (none: any layout of the corpus)."""

    resolution: str = "fine"
    damages: tuple[Damage, ...] = ()
    layouts: tuple[str, ...] = ()
    size: str = "A4"


def _damaged(resolution: str, **strengths: float) -> Bucket:
    return Bucket(resolution, tuple(Damage(kind, strength) for kind, strength in strengths.items()))


BUCKETS: dict[str, Bucket] = {
    "fine clean": Bucket(),
    "fine faint": _damaged("fine", faint=0.6),
    "fine broken": _damaged("fine", broken=0.6),
    "fine skew": _damaged("fine", skew=1.0),
    "fine dark": _damaged("fine", dark=0.6),
    "fine noise": _damaged("fine", noise=0.5),
    "fine halftone": _damaged("fine", halftone=0.5),
    "fine turn90": _damaged("fine", turn90=1.0),
    "fine turn270": _damaged("fine", turn270=1.0),
    "standard clean": Bucket("standard"),
    "standard faint": _damaged("standard", faint=0.5),
    "standard broken": _damaged("standard", broken=0.5),
    "standard skew": _damaged("standard", skew=0.6),
    "standard faint skew": _damaged("standard", faint=0.4, skew=0.4),
    "standard broken skew": _damaged("standard", broken=0.4, skew=0.4),
    "standard copied": _damaged("standard", copied=0.5),
    "standard dropped": _damaged("standard", dropped=0.5),
    "standard noise": _damaged("standard", noise=0.5),
    "superfine": Bucket("superfine"),
    "ultrafine": Bucket("ultrafine"),
    "B4": Bucket(size="B4"),
    "A3": Bucket(size="A3"),
    "vertical": Bucket(layouts=("trial_vertical", "vertical_petition")),
    "vertical standard": Bucket("standard", layouts=("trial_vertical", "vertical_petition")),
    **{name.removeprefix("trial_"): Bucket(layouts=(name,)) for name in TRIALS if name != "trial_vertical"},
    **{
        f"{name.removeprefix('trial_')} standard": Bucket("standard", layouts=(name,))
        for name in TRIALS
        if name != "trial_vertical"
    },
}
"""What the reading's accuracy is measured on (``faxgen make --trials``); the strengths are middling to bad."""
