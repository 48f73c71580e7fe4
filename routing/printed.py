"""The printed options of notification forms: symptoms, methods of diagnosis and routes of infection.

The words are those of 別記様式 and of the criteria of notification (届出基準). They serve twice: an option with a sign or two misread is given its printed words (光熱: 発熱), and an option whose label
was lost is still known to be a symptom. What is as near to two of them, or near to none, stays as it was read.
"""

# ruff: noqa: E501 - lists of wordings read best as lines of words

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from routing.fold import fold
from routing.phrases import skeleton

_WORDINGS = {
    "symptoms": "発熱 頭痛 腹痛 下痢 嘔吐 悪心 悪寒 咳 咳嗽 痰 喀痰 血痰 胸痛 背部痛 咽頭痛 関節痛 筋肉痛 腰痛 眼痛 右季肋部痛 後眼窩痛 "
    "水様性下痢 血便 粘血便 膿粘血便 しぶり腹 鼓腸 裏急後重 脱水 脱水症状 腹部膨満 食欲不振 全身倦怠感 倦怠感 体重減少 盗汗 呼吸困難 "
    "持続する咳 夜間の咳込み スタッカート ウープ 無呼吸発作 無呼吸 チアノーゼ 肺炎 気管支炎 胸膜炎 急性呼吸窮迫症候群 多臓器不全 "
    "発疹 紅斑 水疱 膿疱 丘疹 痂皮 刺し口 点状出血 出血斑 紫斑 出血傾向 皮下出血 鼻出血 血尿 乏尿 無尿 黄疸 灰白色便 褐色尿 "
    "肝機能異常 肝腫大 脾腫 肝不全 腎不全 腎機能障害 肝脾腫 溶血性貧血 溶血性尿毒症症候群 急性腎不全 貧血 血小板減少 白血球減少 "
    "血小板減少性紫斑病 リンパ節腫脹 鼠径部リンパ節腫脹 所属リンパ節腫脹 関節炎 関節痛・関節炎 筋肉のこわばり 開口障害 嚥下障害 発語障害 "
    "強直性痙攣 後弓反張 痙攣 けいれん 意識障害 項部硬直 髄膜炎 脳炎 脳症 髄膜刺激症状 ショック 菌血症 敗血症 菌血症・敗血症 DIC 播種性血管内凝固症候群 "
    "軟部組織炎 壊死性筋膜炎 創傷感染症 尿路感染症 胆嚢炎・胆管炎 胆嚢炎 胆管炎 腹膜炎 心内膜炎 骨髄炎 鼻汁 くしゃみ 結膜充血 結膜炎 眼脂 "
    "羞明 コプリック斑 カタル症状 中耳炎 腸炎 クループ症候群 合併症 初期硬結 硬性下疳 梅毒性バラ疹 丘疹性梅毒疹 扁平コンジローマ 粘膜疹 脱毛 "
    "ゴム腫 悪心・嘔吐 嘔気 吐き気 めまい 昏睡 麻痺 弛緩性麻痺 運動麻痺 呼吸不全 呼吸筋麻痺 複視 眼瞼下垂 構音障害 口渇 便秘 腸重積 "
    "急性肝不全 劇症肝炎 胎児水腫 低出生体重 白内障 先天性心疾患 難聴 網膜症 小頭症 2日以上続く発熱 熱性痙攣 徐脈 比較的徐脈 バラ疹 腸出血 腸穿孔",
    "method": "分離・同定による病原体の検出 分離・同定による細菌の検出 分離・同定による腸内細菌目細菌の検出 分離・同定による病原体の検出、かつベロ毒素の確認 "
    "ベロ毒素遺伝子の検出 PCR法による検出 PCR法による病原体の検出 PCR法による病原体遺伝子の検出 PCR法による病原体の遺伝子の検出 "
    "LAMP法による病原体遺伝子の検出 核酸増幅法による病原体遺伝子の検出 検体から直接のPCR法による病原体遺伝子の検出 検体から直接のPCR法による病原体の遺伝子の検出 "
    "血清抗体の検出 血清IgM抗体の検出 血清IgG抗体の検出 血清での抗体の検出 血清IgM抗体若しくはIgG抗体の検出 IgM抗体の検出 抗PT-IgG抗体の検出 "
    "中和抗体の検出 ペア血清での抗体陽転又は抗体価の有意の上昇 ペア血清での抗体陽転 ELISA法によるNS1抗原の検出 ELISA法による病原体の抗原の検出 "
    "イムノクロマト法による病原体の抗原の検出 酵素抗体法又はイムノクロマト法による尿中抗原の検出 蛍光抗体法による病原体抗原の検出 蛍光抗体法による病原体の抗原の検出 "
    "鏡検による病原体の検出 塗抹検査による病原体の検出 病原体抗原の検出 毒素の検出 ラテックス法による病原体抗原の検出 迅速診断キットによる病原体の抗原の検出 "
    "カルジオリピンを抗原とする検査(RPRカードテスト等) T.pallidumを抗原とする検査(TPHA等) 臨床診断 臨床決定 画像診断 病理検査",
    "route": "飛沫・飛沫核感染 飛沫感染 飛沫核感染 空気感染 接触感染 経口感染 性的接触 母子感染 水系感染 塵埃感染 創傷感染 院内感染 医療器具関連感染 以前からの保菌 "
    "動物・蚊・昆虫等からの感染 動物・蚊・昆虫等からの感染 蚊からの感染 動物からの感染 昆虫等からの感染 針等の鋭利なものの刺入 静注薬物使用 輸血・血液製剤 輸血",
}
_ALIKE = str.maketrans("光登癸熟然髓慰休珍珈喊疼瘋侍淡使斯", "発発発熱熱髄炎体疹咳咳痛痛持痰便断")
"""Signs that small print is taken for."""
_LEAD = re.compile(r"^[\s\d\W_]*(?=\w\w)")
_KANA = re.compile("[ぁ-ん]")
_LATIN = re.compile(r"(?<=[一-鿿])[0-9a-z](?=[一-鿿])")
"""What no word has between kanji: 初9硬結."""
_WORD, _LONG, _MOST = 3, 5, 4
"""Letters from which on one may be lost, and one be another; how many may be others in the longest."""


@dataclass(frozen=True, slots=True)
class Option:
    """A printed option, and how near what was read is to it."""

    question: str
    written: str
    likeness: float


def nearest(read: str) -> Option | None:
    """The printed option that these words are, were a sign or two of them misread; None when that is not sure."""
    plain = _LEAD.sub("", fold(read))
    if not plain or len(plain) > 60:
        return None
    for bones in dict.fromkeys((_bones(plain), _bones(plain[1:]))):  # the box before it may have been read as a sign
        exact = _book().get(bones)
        if exact is not None:
            question, written = exact
            return Option(question, written, 1 - Levenshtein.distance(fold(written), plain) / (2 * len(plain)))
    bones = _bones(plain)
    return _likely(bones) or (_likely(spared) if (spared := _LATIN.sub("", bones)) != bones else None)


def mended(read: str) -> tuple[str, float]:
    """A list (頭痛、光熱) with its misread options as they are printed, and how near the least sure of them is."""
    whole = nearest(read)
    if whole is not None:
        return whole.written, whole.likeness
    parts = re.split(r"(\s*[、,，]\s*)", read)
    known = [nearest(part) for part in parts]
    text = "".join(part if one is None else one.written for part, one in zip(parts, known, strict=True))
    return text, min((one.likeness for one in known if one is not None), default=1.0)


def _likely(plain: str) -> Option | None:
    allowed = max(1, min(_MOST, (len(plain) + 2) // 6))
    if len(plain) < _WORD - 1:
        return None
    near = [(Levenshtein.distance(bones, plain, score_cutoff=allowed), bones) for bones in _book()]
    least = min(distance for distance, _ in near)
    fitting = [bones for distance, bones in near if distance == least]
    if least > allowed or len(fitting) > 1:
        return None
    bones = fitting[0]
    lost = len(bones) == len(plain) + least and len(bones) >= _WORD
    if not lost and min(len(bones), len(plain)) < _LONG:
        return None  # 頭部痛 is no misread 腹部痛
    if _KANA.sub("", bones) == _KANA.sub("", plain):
        return None  # 病原体遺伝子検出 is another way to write it
    question, written = _book()[bones]
    return Option(question, written, 1 - least / len(bones))


@lru_cache(maxsize=1)
def _book() -> dict[str, tuple[str, str]]:
    return {_bones(fold(word)): (question, word) for question, words in _WORDINGS.items() for word in words.split()}


def _bones(folded: str) -> str:
    return skeleton(folded).translate(_ALIKE)
