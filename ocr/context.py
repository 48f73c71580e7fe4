"""Doubtful characters judged by their neighbours: 疾思 is no word, 疾患 is one.

The recogniser knows shapes, not words. Where it doubts a character, the right one is nearly always among its next
guesses (疾[思 0.86 患 0.03], 電話[沿 0.26 番 0.17]号). Which of them follow one another in Japanese words is told by
``context.npz``: shares of pairs of characters inside the words of the dictionary IPADIC, weighted by its costs, and of
the words of offices in ``words.txt`` (made by ``python -m benchmarks.pairs``; licence in ``context.NOTICE``). Only what
the recogniser itself offers can be chosen, and what it is sure of is never touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("context.npz")

TENTHS = 10
"""The file holds shares as tenths of negative logarithms in a byte, and the pairs as steps from one to the next."""

DOUBT = 0.9
"""Characters surer than this stand."""

# The exponent of the neighbours' word against the shape's, the share of words that end between two characters (a tenth
# of it where katakana begin or end: 札ロに for 札口に), and the logarithms given to what the table does not speak of.
# 45 trial pages of seed 11: print errors 379 -> 307, handwriting style 55 -> 51; exponent 0.4: 311, 0.6: 309.
_WEIGHT, _BREAK, _INTO_KATAKANA = 0.5, 0.03, 0.1
_OTHER, _LATIN_AFTER, _LATIN, _LEAST = -5.0, -12.0, 0.01, 1e-7

LIKE = {
    "鍵": "鑓", "鎗": "鑓", "磁": "砿", "硫": "砿", "花": "椛", "枇": "椛", "亀": "穐", "流": "涜", "澆": "溌",
    "澄": "溌", "低": "侭", "尽": "侭", "凪": "凧", "佩": "凧", "料": "粁", "軒": "粁", "裕": "硲", "詫": "詑",
}  # fmt: skip
"""What PP-OCRv6 reads for kanji of JIS level 1 that it has no class for; 欝, 鯵, 鴬 come as their variants 鬱, 鰺, 鶯.
Where only the kanji it lacks makes a word (冒涜, 我侭, 鑓水), that is the reading; where neither does and the
stand-in is in doubt, it is marked as unknown."""
_LIKE_BELOW, _LIKE_SHARE = 0.99, 0.1

Choice = Sequence[tuple[str, float]]
"""What a character may be, with probabilities, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Context:
    """The table: which character follows which."""

    pairs: NDArray[np.uint32]
    """Two characters as 16 bits each, sorted."""
    following: NDArray[np.float32]
    """Share of the second among what follows the first inside a word."""
    characters: NDArray[np.uint16]
    shares: NDArray[np.float32]
    """Of each character among all."""

    def settle(self, choices: Sequence[Choice]) -> tuple[str, tuple[float, ...]]:
        """The likeliest text of these characters (Viterbi), and how sure each now is (0 to 1)."""
        if not choices:
            return "", ()
        scores = [math.log(share) for _, share in choices[0]]
        backs: list[list[int]] = []
        for before, now in pairwise(choices):
            ways = [
                [score + _WEIGHT * self._after(last, this) for score, (last, _) in zip(scores, before, strict=True)]
                for this, _ in now
            ]
            backs.append([way.index(max(way)) for way in ways])
            scores = [max(way) + math.log(share) for way, (_, share) in zip(ways, now, strict=True)]
        taken = [scores.index(max(scores))]
        for back in reversed(backs):
            taken.append(back[taken[-1]])
        taken.reverse()
        text = "".join(choice[index][0] for choice, index in zip(choices, taken, strict=True))
        return text, tuple(self._sure(text, place, choice) for place, choice in enumerate(choices))

    def _sure(self, text: str, place: int, choice: Choice) -> float:
        """The share of the character taken among the choices, its neighbours given."""
        if len(choice) == 1:
            return choice[0][1]
        weights = {}
        for character, share in choice:
            word = self._after(text[place - 1], character) if place else 0.0
            word += self._after(character, text[place + 1]) if place + 1 < len(text) else 0.0
            weights[character] = share * math.exp(_WEIGHT * word)
        return sum(share for _, share in choice) * weights[text[place]] / sum(weights.values())

    def _after(self, last: str, this: str) -> float:
        """Logarithm of how likely *this* follows *last*."""
        kind, before = _kind(this), _kind(last)
        if kind == "other":
            return _OTHER
        apart = _BREAK * self._share(this) * (1 if _katakana(last) == _katakana(this) else _INTO_KATAKANA)
        if kind != before:
            return _LATIN_AFTER if kind == "latin" else math.log(max(apart, 1e-6))
        inside = (1 - _BREAK) * _looked_up(self.pairs, self.following, ord(last) << 16 | ord(this))
        return math.log(inside + (_LATIN if kind == "latin" else apart + _LEAST))

    def _share(self, character: str) -> float:
        return _looked_up(self.characters, self.shares, ord(character))


def load() -> Context:
    """The table that ships with this package."""
    with np.load(FILE, allow_pickle=False) as table:
        pairs = np.cumsum(table["steps"], dtype=np.uint32)
        following, shares = (np.exp(-table[name].astype(np.float32) / TENTHS) for name in ("following", "shares"))
        return Context(pairs, following, table["characters"], shares)


def with_like(choice: Choice) -> Choice:
    """The choice, with the kanji outside the alphabet that its first is read for."""
    character, share = choice[0]
    if share >= _LIKE_BELOW or character not in LIKE:
        return choice
    return [(character, share * (1 - _LIKE_SHARE)), (LIKE[character], share * _LIKE_SHARE), *choice[1:]]


def modelled(character: str) -> bool:
    """Whether the table speaks of it: kanji, kana and Latin letters, no figures or signs."""
    return _kind(character) != "other"


def _katakana(character: str) -> bool:
    return "\u30a1" <= character <= "\u30ff"


def _kind(character: str) -> str:
    kana = "\u3041" <= character <= "\u30ff" and character != "・"
    if kana or "\u3400" <= character <= "\u9fff" or character in "々〆":
        return "japanese"
    return "latin" if character.isascii() and character.isalpha() else "other"


def _looked_up(keys: NDArray[np.uint32] | NDArray[np.uint16], values: NDArray[np.float32], key: int) -> float:
    place = int(np.searchsorted(keys, keys.dtype.type(key))) if key <= np.iinfo(keys.dtype).max else len(keys)
    return float(values[place]) if place < len(keys) and keys[place] == key else 0.0
