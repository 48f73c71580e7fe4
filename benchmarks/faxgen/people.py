"""Invented people, places, institutions and numbers. Nothing here exists: the prefecture is called 東都.

Numbers are well formed for the Japanese numbering plan, all with 555 in the exchange, so that one sees they are invented.
"""

# ruff: noqa: E501, SIM905 - lists of names read best as lines of words

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta

FAMILY = (
    "佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 "
    "阿部 石川 前田 藤田 小川 岡田 後藤 長谷川 村上 近藤 石井 齋藤 坂本 遠藤 青木 藤井 西村 福田 太田 三浦 藤原 岡本 松田 "
    "中川 髙木 山﨑 渡邊 齊藤 五十嵐 大久保 久保田 鴻巣 郡司 東海林"
).split()
GIVEN = {
    "男": "健太 翔 大輔 一郎 拓也 直樹 誠 隆 和也 亮 浩二 慎一 蓮 大和 陽翔 茂 清 康弘 哲也 雄介".split(),
    "女": "美咲 陽子 結衣 さくら 恵美 千尋 由美子 真由 愛 裕子 葵 凛 幸子 久美子 智恵 菜々子 あかり 和子 節子 麻衣".split(),
}
KANA = (
    "サトウ スズキ タカハシ タナカ ワタナベ イトウ ヤマモト ナカムラ コバヤシ カトウ ヨシダ ヤマダ ササキ ヤマグチ"
).split()
TOWN = (
    "みどり区若葉町 みどり区青葉台 みどり区泉が丘 港南区潮見 港南区浜松台 北辰区星が原 北辰区赤羽根町 西原市本町 西原市栄町 "
    "八千代台市桜木 八千代台市緑が丘 東浜市海岸通 東浜市神明町 山手区桂坂 山手区富士見が丘 三沢町大字中野"
).split()
OFFICE = "みどり保健所"
PREFECTURE = "東都"
_AREA = ("03-5555", "03-3555", "03-6555", "042-555", "044-555", "045-555", "050-5555")
CLINICS = {
    "みどり台総合病院": "ミドリダイ ソウゴウビョウイン",
    "青葉台内科クリニック": "アオバダイ ナイカクリニック",
    "東都中央記念病院": "トウトチュウオウ キネンビョウイン",
    "さくらんぼ小児科医院": "サクランボ ショウニカイイン",
    "西原市立架空病院": "ニシハラシリツ カクウビョウイン",
    "若葉町診療所": "ワカバチョウ シンリョウジョ",
    "東浜海岸病院": "ヒガシハマ カイガンビョウイン",
    "泉が丘皮膚科・泌尿器科": "イズミガオカ ヒフカ ヒニョウキカ",
    "医療法人社団北辰会 星が原病院": "ホクシンカイ ホシガハラビョウイン",
}
COMPANIES = {
    "株式会社北斗環境サービス": "ホクトカンキョウサービス",
    "丸越架空食品株式会社": "マルコシ カクウショクヒン",
    "有限会社山手文具堂": "ヤマテブングドウ",
    "東都オフィス機器販売株式会社": "トウトオフィスキキ",
    "株式会社みどり印刷": "ミドリインサツ",
    "東浜中央給食センター": "ヒガシハマ キュウショクセンター",
    "合同会社いずみ防災商事": "イズミボウサイショウジ",
}
HOMES = {
    "特別養護老人ホームひまわりの里": "ヒマワリノサト",
    "介護老人保健施設ほほえみ苑": "ホホエミエン",
    "障害者支援施設あおぞら荘": "アオゾラソウ",
    "みどり区立若葉保育園": "ワカバホイクエン",
    "グループホーム星の家": "ホシノイエ",
}
SCHOOLS = {
    "みどり区立青葉台小学校": "アオバダイショウガッコウ",
    "北辰区立星が原中学校": "ホシガハラチュウガッコウ",
    "東浜市立海岸小学校": "カイガンショウガッコウ",
    "学校法人架空学園 桂坂幼稚園": "カツラザカヨウチエン",
}
MEDIA = {
    "東都架空新聞社": "トウトカクウシンブン",
    "みどりテレビ放送": "ミドリテレビ",
    "週刊まちかど編集部": "マチカドヘンシュウブ",
}
HALLS = {
    "西原市役所 防災課": "ニシハラシヤクショ",
    "三沢町役場 総務課": "ミサワマチヤクバ",
    "東浜市消防本部": "ヒガシハマシショウボウ",
}


@dataclass(frozen=True, slots=True)
class Institution:
    """Who sends: its name, half-width reading (for machines that only know katakana), numbers and place."""

    name: str
    reading: str
    phone: str
    fax: str
    address: str


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person."""

    name: str
    reading: str
    sex: str
    born: date
    address: str
    phone: str

    def age(self, on: date) -> int:
        """Full years on that day."""
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))


class People:
    """Invents values from one random stream."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def number(self) -> str:
        """A telephone number as written in Japan."""
        area, tail = self.rng.choice(_AREA), f"{self.rng.randint(0, 9999):04d}"
        return f"{area}-{tail}"

    def mobile(self) -> str:
        """A mobile number."""
        return f"{self.rng.choice(('090', '080', '070'))}-5555-{self.rng.randint(0, 9999):04d}"

    def address(self) -> str:
        """A place in the invented prefecture."""
        return f"{PREFECTURE}{self.rng.choice(TOWN)}{self.rng.randint(1, 6)}-{self.rng.randint(1, 28)}-{self.rng.randint(1, 19)}"

    def name(self, sex: str = "") -> str:
        """Family and given name."""
        return f"{self.rng.choice(FAMILY)} {self.rng.choice(GIVEN[sex or self.rng.choice('男女')])}"

    def person(self, on: date, youngest: int = 1, oldest: int = 88) -> Person:
        """A person whose age on that day lies between the two."""
        sex = self.rng.choice("男女")
        born = on - timedelta(days=self.rng.randint(youngest * 366, oldest * 365))
        return Person(self.name(sex), self.rng.choice(KANA), sex, born, self.address(), self.mobile())

    def institution(self, names: dict[str, str] = CLINICS) -> Institution:
        """One of *names* with numbers and a place."""
        name = self.rng.choice(sorted(names))
        return Institution(name, names[name], self.number(), self.number(), self.address())

    def code(self, pattern: str) -> str:
        """*pattern* with each ``#`` a digit."""
        return "".join(str(self.rng.randint(0, 9)) if c == "#" else c for c in pattern)


_ERAS = ((date(2019, 5, 1), "令和", "R"), (date(1989, 1, 8), "平成", "H"), (date(1926, 12, 25), "昭和", "S"))
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def era(day: date) -> tuple[str, str, int]:
    """Japanese era of *day*: name, letter and year (元号法; the first days of the three eras after Taishō)."""
    for first, name, letter in _ERAS:
        if day >= first:
            return name, letter, day.year - first.year + 1
    return "大正", "T", day.year - 1911


def wareki(day: date, style: str = "kanji") -> str:
    """*day* in the Japanese calendar: ``kanji`` 令和8年11月20日, ``wide``, ``short`` R8.11.20, ``western`` 2026年11月20日."""
    name, letter, year = era(day)
    if style == "western":
        return f"{day.year}年{day.month}月{day.day}日"
    if style == "short":
        return f"{letter}{year}.{day.month}.{day.day}"
    written = f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return written.translate(_WIDE) if style == "wide" else written


def half_width(reading: str) -> str:
    """Katakana as old machines store it (JIS X 0201)."""
    return "".join(_HALF.get(character, character) for character in reading)


_HALF = (
    dict(
        zip(
            "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォャュョッー",
            [*"ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｬｭｮｯｰ"],
            strict=True,
        )
    )
    | {a: b + "ﾞ" for a, b in zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ", strict=True)}
    | {a: b + "ﾟ" for a, b in zip("パピプペポ", "ﾊﾋﾌﾍﾎ", strict=True)}
)


def working_hour(rng: random.Random, first: date = date(2026, 4, 1), days: int = 240) -> datetime:
    """A moment in the invented year at which somebody faxes."""
    day = first + timedelta(days=rng.randrange(days))
    return datetime(day.year, day.month, day.day, rng.randint(8, 18), rng.randint(0, 59))  # noqa: DTZ001 - a machine's clock
