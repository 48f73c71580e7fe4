"""Folding: text made comparable. For comparison only, never for display: names lose their own characters here.

``fold`` takes out what a fax machine, a typist or an engine may change without changing the word: width, spaces and
letter-spacing, line breaks, dash variants, old and variant characters, case, small kana, and look-alikes of katakana
between katakana. ``trace`` does the same and keeps the way back, so that a found phrase can be shown in its own words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# A character with its marks (half-width kana carry theirs apart). The repetition is bounded: ordering marks is
# quadratic in the normaliser, and a hostile text may be nothing but marks.
_CLUSTER = re.compile("(?s).[\u0300-\u036f\u3099\u309a\uff9e\uff9f\ufe00-\ufe0f\U000e0100-\U000e01ef]{0,4}")

_DASHES = "-‐‑‒–—―−﹘﹣⁃─━ー一~〜∼˗⸺⸻ｰ"
_OPENING = "「『【〔〈《[{〖｢<≪"
_CLOSING = "」』】〕〉》]}〗｣>≫"
_DOTS = "·•‧∙⋅●"  # a middle dot by any name
_VARIANTS = str.maketrans(
    # 旧字体 and 異体字 of the words and names of the field -> the usual form
    "發屆證體檢醫國學會廣縣區澤濱髙﨑邊邉齋齊斎眞靜應當號數實對點觀營變圖總經濟關轉傳爲與豫藥療樂團圓圍壓兩勞勵勸卽嶋嶌槇瀧瀨戶櫻鐵鹽竝舊黑德惠榮步每繪缺臺萬龍瑤淺淨險劍權歸澁澀獨殘單癈廢冨神海齡龄黃淸敎絕稅說樣勳斷",
    "発届証体検医国学会広県区沢浜高崎辺辺斉斉斉真静応当号数実対点観営変図総経済関転伝為与予薬療楽団円囲圧両労励勧即島島槙滝瀬戸桜鉄塩並旧黒徳恵栄歩毎絵欠台万竜瑶浅浄険剣権帰渋渋独残単廃廃富神海齢齢黄清教絶税説様勲断",
)
_SMALL = str.maketrans(
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶへべぺ", "あいうえおつやゆよわアイウエオツヤユヨワカケヘベペ"
)
# Kanji that an engine takes for katakana and the other way round: told apart by their neighbours alone.
_LOOKALIKE = {"口": "ロ", "二": "ニ", "力": "カ", "夕": "タ", "八": "ハ", "工": "エ", "卜": "ト", "-": "ー", "三": "ミ"}
_KATAKANA = re.compile("[ァ-ヺー]")
_LETTER_IN_NUMBER = {"o": "0", "l": "1", "i": "1", "|": "1"}


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and where each of its characters stood."""

    text: str
    places: tuple[int, ...]
    """For each folded character the index in the original; one more at the end: the original's length."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that became ``text[start:end]`` (end exclusive)."""
        if start >= end:
            return self.places[start], self.places[start]
        last = self.places[end - 1]
        following = next((place for place in self.places[end:] if place > last), self.places[-1])
        return self.places[start], following


def fold(text: str) -> str:
    """The comparable form of ``text``. Folding twice changes nothing; texts are alike when their folds are equal."""
    return "".join(_neighbours([_fold_cluster(cluster) for cluster in _CLUSTER.findall(text)]))


def trace(text: str) -> Folded:
    """Like :func:`fold`, with the way back to the original."""
    starts: list[int] = []
    pieces: list[str] = []
    for match in _CLUSTER.finditer(text):
        pieces.append(_fold_cluster(match.group()))
        starts.append(match.start())
    folded: list[str] = []
    places: list[int] = []
    for piece, start in zip(_neighbours(pieces), starts, strict=True):
        folded.append(piece)
        places.extend([start] * len(piece))
    places.append(len(text))
    return Folded("".join(folded), tuple(places))


@lru_cache(maxsize=8192)
def _fold_cluster(cluster: str) -> str:
    """One character with its marks, alone: what its neighbours change comes later."""
    plain = unicodedata.normalize("NFKC", "".join(c for c in cluster if not _is_selector(c)))
    plain = unicodedata.normalize("NFKC", plain.lower())
    return "".join(_fold_character(c) for c in plain.translate(_VARIANTS).translate(_SMALL))


def _is_selector(character: str) -> bool:
    """Variation selectors choose a glyph of the same character (Unicode 23.4)."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _fold_character(character: str) -> str:
    if character.isspace() or unicodedata.category(character) in {"Mn", "Me", "Cc", "Cf", "Zs"}:
        return ""
    if character in _DASHES and character != "一":
        return "-"
    if character in _OPENING:
        return "("
    if character in _CLOSING:
        return ")"
    return "・" if character in _DOTS else character


def _neighbours(pieces: list[str]) -> list[str]:
    """What only the neighbours can tell: a long vowel from a dash, katakana from kanji, a zero from an O."""
    kept = [i for i, piece in enumerate(pieces) if piece]
    result = list(pieces)
    for n, i in enumerate(kept):
        piece = pieces[i]
        if piece not in _AMBIGUOUS:
            continue
        before = result[kept[n - 1]][-1] if n else ""
        after = pieces[kept[n + 1]][0] if n + 1 < len(kept) else ""
        result[i] = _settle(piece, before, after)
    return result


def _settle(piece: str, before: str, after: str) -> str:
    if piece in _LETTER_IN_NUMBER:
        return _LETTER_IN_NUMBER[piece] if before.isdecimal() and after.isdecimal() else piece
    if not _KATAKANA.match(before):
        return piece
    if piece in "-一":
        # A word may end in a long vowel (センター); a number never follows katakana with one.
        return piece if after.isdecimal() else "ー" if piece == "-" or _KATAKANA.match(after) else piece
    return _LOOKALIKE[piece] if _KATAKANA.match(after) else piece


_AMBIGUOUS = frozenset({*_LOOKALIKE, *_LETTER_IN_NUMBER, "一"})
