"""The printed labels of notification forms: the value that each stands for, and where they stand in a line.

Wordings of 施行規則4条1項 and its 別記様式, of prefectures' own forms, of chart systems and of letters. Forms number them
differently (1 当該者氏名 here, 2 性別 there), so a number before a label says nothing.
"""

# ruff: noqa: E501, SIM905 - lists of wordings read best as lines of words

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from routing.fold import Folded, fold, trace
from routing.phrases import skeleton

# Keys that are no field (other) only end what stands before them. Of an ambiguous key (name, address, phone) the part
# of the form tells whose it is.
_WORDINGS = {
    "disease": "感染症名 感染症の名称 疾患名 疾病名 病名 診断名 届出疾患 疾病の名称 感染症の種類 疑われる感染症 原因となった疾患",
    "case_type": "診断(検案)した者(死体)の類型 診断した者(死体)の類型 診断した者の類型 患者の類型 届出の類型 類型",
    "reported": "報告年月日 届出年月日 報告日時 報告日 届出日 届出日時 記載年月日 記載日 作成年月日 作成日 提出年月日 記入年月日 申請年月日 年月日(報告)",
    "doctor": "診断した医師の氏名 届出医師の氏名 医師の氏名 医師氏名 届出医師名 届出医師 担当医師名 担当医師 担当医 主治医氏名 主治医 "
    "医師名 診断医師名 診断医 医師 届出医師氏名 診断した医師名 診断した医師 届出者氏名 届出者 嘱託医",
    "reporter": "報告者氏名 報告者 記入者氏名 記入者 管理者氏名 管理者 施設長・報告者 校長・園長 施設長 園長 校長 担当者氏名 担当者名 担当者",
    "institution": "従事する病院・診療所の名称 病院又は診療所の名称 病院・診療所の名称 病院・診療所名 医療機関の名称 医療機関名称 医療機関名 "
    "届出医療機関 医療機関 病院名称 病院名 診療所名 学校名 勤務先 届出医療機関名 届出機関名 報告医療機関名 報告機関名 医療機関等の名称 事業所名",
    "facility": "施設の名称 施設名称 施設名",
    "institution_address": "上記病院・診療所の所在地 病院・診療所の所在地 医療機関の所在地 医療機関所在地 病院所在地 施設所在地",
    "institution_phone": "上記病院・診療所の電話番号 病院・診療所の電話番号 医療機関電話番号 医療機関の電話番号 病院電話番号",
    "patient_name": "患者(当該者)氏名 感染者氏名 対象者氏名 患者本人氏名 当該者氏名 当該者の氏名 患者氏名 患者の氏名 患者名",
    "patient_address": "当該者住所 当該者の住所 患者住所 患者の住所",
    "patient_phone": "当該者電話番号 患者電話番号 患者の電話番号 患者連絡先",
    "patient_place": "当該者所在地 当該者の所在地 患者所在地 現在の所在地",
    "guardian_name": "保護者氏名 保護者の氏名",
    "guardian_address": "保護者住所 保護者の住所",
    "occupation": "職業等 職種 職業(勤務先) 当該者職業 当該者の職業 患者の職業 職業・学校 職業・勤務先 職業",
    "born": "患者生年月日 当該者生年月日 生年月日",
    "sex": "当該者性別 患者性別 性別",
    "age": "診断時の年齢(0歳は月齢) 診断時の年齢 診断時年齢 患者年齢 年齢(0歳は月齢) 年齢 満年齢 年令",
    "sex_age": "性別・年齢 年齢・性別 性別及び年齢 年齢及び性別 性別/年齢 年齢/性別",
    "first_visit": "初診年月日 初診した年月日 初診日",
    "diagnosed": "診断(検案(※))年月日 診断(検案)年月日 診断(検案)した年月日 診断年月日及び時刻 診断年月日時 診断年月日 診断した年月日 "
    "診断日時 診断日 検案年月日",
    "infected": "感染したと推定される年月日 感染したと推定される日 感染推定年月日 推定感染年月日 感染年月日 推定感染日 感染推定日",
    "onset": "発病年月日及び時刻 発病年月日時 発病年月日 発症年月日 発病した年月日 発症日時 発病日 発症日 初発年月日 初発日 症状出現日 発症時期 発症年月日時",
    "died": "死亡年月日 死亡日 死亡した年月日",
    "admitted": "入院年月日 入院日",
    "discharged": "退院年月日 退院日",
    "symptoms": "主な症状 主症状 症状",
    "method": "診断方法 診断の方法 検査方法",
    "route": "感染原因・感染経路 感染原因及び感染経路 推定感染経路 感染経路 感染原因 推定される感染経路 感染推定経路 感染源・感染経路 推定感染原因",
    "infection_place": "感染したと推定される地域 推定感染地域 感染推定地域 感染地域 推定感染場所 感染場所 感染推定場所 推定される感染地域 推定される感染場所 感染した場所 原因施設 原因施設名 喫食場所 喫食した施設",
    "cause": "食中毒の原因物質 食中毒の原因 病因物質",
    "food": "原因食品(推定) 推定原因食品 原因食品",
    "sick": "累計患者数 患者数 発症者数 喫食者数・発症者数 罹患者数",
    "name": "氏名",
    "address": "所在地 住所",
    "phone": "電話番号 電話・fax 連絡先電話番号 連絡先電話 連絡先 電話 tel",
    "other": "fax番号 fax ファクシミリ その他感染症のまん延の防止 感染原因・感染経路・感染地域 検体・結果 検体 結果 病型 備考 特記事項 "
    "ワクチン接種歴 接種歴 予防接種歴 フリガナ 検査項目 妊娠の有無 性風俗産業の従事歴 hiv感染症合併 退院時の病状 "
    "入院時の排菌の有無 施設種別 施設概要 報告の要件 学校医の意見 休業の区分 検便の実施 喫食の日時・場所 報告番号 文書番号 "
    "届出の種類 医療の種類 胸部エックス線 受診・入院の状況 施設の対応",
}
PATIENT = frozenset(
    "patient_name patient_address patient_phone patient_place guardian_name guardian_address born sex age sex_age".split()
)
INSTITUTION = frozenset("doctor reporter institution facility institution_address institution_phone".split())
QUESTIONS = frozenset("case_type sex sex_age born symptoms method route infection_place other".split())
"""What is answered by ticks and circles, on some forms at least."""
_SHORT = 4
_SPECKED, _UPRIGHT = 12, 6
"""Letters of a line in which a speck may part a label's letters, and of a label set upright."""
_LONGEST_LINE = 44
"""A longer line is a sentence; only labels that begin it are looked for."""
_SENTENCE = re.compile(r"すること|してくだ|下さい|ください|の規定によ|届け出|報告します|であって|記載|にあつては|欄は")
# What follows a short label when it is a word of a sentence: 医師が必要と認める, 住所等の欄, 電話連絡済.
_GOES_ON = re.compile(r"[がのをはにでもと等欄へや]|連絡済|による|から|記入|あり|なし")
# Signs of labels that engines read for each other in small print: 年川日, 忠者氏名.
_MISREAD = str.maketrans("川用忠思核索珍斯齡", "月月患患検案診断齢")
# More of them, asked only where a label is not recognised otherwise: 当該名作所.
_ALIKE = str.maketrans(
    "名各著考作往任佳民比命冷新継屈冨疲楽径軽踏執吉雷詰香審姓怪列識織果葉厚困囚寮磯閑開閉存在池他称弥徒車登椎堆足走城惑頬顆",
    "者者者者住住住住氏氏齢齢断断届届症染経経路報告電話番番性性別職職業業原因因療機関関関住住地地弥弥従事発推推定定域感類類",
)
_SPECK = re.compile(r"(?<=[一-鿿])[:;.,'’`\"|!・](?=[一-鿿])")
_VALUE_S = 2
"""Signs of a value that may look like the end of a label."""
_STEMS = {"初診": "first_visit", "診断": "diagnosed", "発病": "onset", "発症": "onset", "生年": "born"}
_LEFT_OF_DAY = re.compile(r"年?[月日]{0,2}[\W\da-zⅡⅠロ口]{0,3}")
_LEAD = re.compile(r"[\d\W_]{0,6}")


@dataclass(frozen=True, slots=True)
class Label:
    """A label met in a line: ``start`` to ``end`` of the folded line."""

    key: str
    start: int
    end: int
    likeness: float
    """1.0: exactly."""


def labels_in(raw: str) -> tuple[Label, ...]:
    """The labels in a line in their order; one damaged by reading only where it begins a line."""
    read = trace(raw)
    if not read.text or _SENTENCE.search(read.text):
        return ()
    line = Folded(_bones(read.text), read.places)
    found = _exact(line, raw) if len(line.text) <= 4 * _LONGEST_LINE else []
    if len(line.text) <= _LONGEST_LINE and all(label.end - label.start <= _SHORT for label in found):
        damaged = _damaged(line.text)
        if (
            damaged is not None
            and all(damaged.start <= label.start for label in found)
            and damaged.end - damaged.start > _SHORT * bool(found)
            and not any(_is_whole(label, damaged) for label in found)
        ):
            found = [damaged, *(label for label in found if label.start >= damaged.end)]
    if not found and len(line.text) <= _SPECKED:
        found = _behind_specks(line, raw)
    return tuple(sorted(found, key=lambda label: label.start))


def _is_whole(label: Label, damaged: Label) -> bool:
    """Whether the value's first signs alone make a longer label of a whole one: 届出医師 木村 is no 届出医師名."""
    return (label.key, label.start) == (damaged.key, damaged.start) and damaged.end - label.end <= _VALUE_S


def upright(raw: str) -> Label | None:
    """The question of which a narrow column's letters are what was read: 症状, 診断方法, up to half of them lost."""
    letters = "".join(sign for sign in _bones(fold(raw)) if sign.isalpha() and not sign.isascii())
    near = [(Levenshtein.distance(wording, letters) / len(wording), key) for wording, key in _book()
            if key in QUESTIONS and len(wording) <= _UPRIGHT]  # fmt: skip
    least = min(share for share, _ in near)
    keys = {key for share, key in near if share == least}
    if not letters or least > 0.5 or len(keys) > 1:
        return None
    return Label(keys.pop(), 0, len(fold(raw)), 1 - least / 2)


def _behind_specks(line: Folded, raw: str) -> list[Label]:
    """A label with a speck read between its letters (性:別), where a line begins with it."""
    specks = {match.start() for match in _SPECK.finditer(line.text)}
    kept = [place for place in range(len(line.text)) if place not in specks]
    if len(kept) == len(line.text):
        return []
    bare = Folded("".join(line.text[place] for place in kept), (*(line.places[place] for place in kept), len(raw)))
    first = min(_exact(bare, raw), key=lambda label: label.start, default=None)
    if first is None or _LEAD.fullmatch(bare.text[: first.start]) is None:
        return []
    return [Label(first.key, kept[first.start], kept[first.end - 1] + 1, 0.9)]


@lru_cache(maxsize=1)
def _book() -> tuple[tuple[str, str], ...]:
    """(wording, key), the longest first; look-alikes of its signs are one."""
    pairs = {_bones(fold(word)): key for key, words in _WORDINGS.items() for word in words.split()}
    return tuple(sorted(pairs.items(), key=lambda pair: -len(pair[0])))


def _bones(folded: str) -> str:
    return skeleton(folded).translate(_MISREAD)


def _exact(line: Folded, raw: str) -> list[Label]:
    taken: list[Label] = []
    for wording, key in _book():
        at = line.text.find(wording)
        while at >= 0 and len(taken) < 20:
            end = at + len(wording)
            apart = all(end <= label.start or label.end <= at for label in taken)
            if apart and _stands_free(line, raw, at, end):
                taken.append(Label(key, at, end, 1.0))
            at = line.text.find(wording, end)
    return taken


def _stands_free(line: Folded, raw: str, start: int, end: int) -> bool:
    """Whether the words are a label and no part of another word or of a sentence."""
    before = line.text[start - 1 : start]
    if end - start > _SHORT:
        return not (before and before in "のるた") or not line.text[:start].strip("のるた")
    place = line.places[start]
    parted = not before or not before.isalpha() or raw[place - 1].isspace()
    return parted and not _GOES_ON.match(line.text, end)


def _damaged(text: str) -> Label | None:
    """The one label that a line begins with, a sign or two of it misread (珍断(検案)年日)."""
    lead = _LEAD.match(text)
    start = lead.end() if lead is not None else 0
    rest = text[start : start + _LONGEST_LINE]
    ranked: list[tuple[float, int, Label]] = []
    for wording, key in _book():
        near = _nearly(wording, rest) or _alike(wording, rest)
        if near is not None:
            ranked.append((near[1], len(wording), Label(key, start, start + near[0], near[1])))
    ranked.sort(key=lambda rank: rank[:2], reverse=True)
    if not ranked:
        return _stem(text, start)
    if any(rank[0] == ranked[0][0] and rank[2].key != ranked[0][2].key for rank in ranked):
        return None  # 初断年月日 is as near to 初診 as to 診断
    return ranked[0][2]


def _stem(text: str, start: int) -> Label | None:
    """A label of a day of which little more than its first word is left (④初診Ⅱ): nothing else stands in its line."""
    key = _STEMS.get(text[start : start + 2])
    rest = text[start + 2 :]
    return Label(key, start, len(text), 0.7) if key is not None and _LEFT_OF_DAY.fullmatch(rest) else None


def _alike(wording: str, rest: str) -> tuple[int, float] | None:
    """The same where up to half of the signs are look-alikes of the right ones."""
    plain, seen = wording.translate(_ALIKE), rest.translate(_ALIKE)
    near = _nearly(plain, seen) if len(wording) > _SHORT else (len(rest), 1.0) if plain == seen else None
    if near is None:
        return None
    likeness = 1 - Levenshtein.distance(wording, rest[: near[0]]) / len(wording)
    return (near[0], likeness) if likeness >= 0.5 else None


def _nearly(wording: str, rest: str) -> tuple[int, float] | None:
    """Where a damaged label at the beginning of ``rest`` ends, and how near it is.

    One sign of five to seven may be wrong, two of eight to eleven, three of more; one of four where nothing follows.
    """
    length = len(wording)
    allowed = min(3, length // 4) if length > _SHORT else int(length == _SHORT and len(rest) <= _SHORT)
    if not allowed or len(rest) < length - allowed:
        return None
    tried = [(Levenshtein.distance(wording, rest[:end], score_cutoff=allowed), end) for end in
             range(length - allowed, min(length + allowed, len(rest)) + 1)]  # fmt: skip
    distance, end = min(tried, key=lambda pair: (pair[0], abs(pair[1] - length)))
    return (end, 1 - distance / length) if distance <= allowed else None
