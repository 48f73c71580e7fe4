"""Makes ``ocr/context.npz``: which character follows which in Japanese words.

    pip download --no-deps janome==0.5.1 && python -m benchmarks.pairs janome-0.5.1-py3-none-any.whl

The words are those of IPADIC (mecab-ipadic 2.7.0, as the package janome carries it; ``ocr/context.NOTICE``), each with
the weight exp(-cost / 800), MeCab's costs being 700 to 800 times negative logarithms, and the words of offices in
``ocr/words.txt`` as often as common nouns.
"""

from __future__ import annotations

import ast
import math
import re
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocr import context

WORDS = Path(context.__file__).with_name("words.txt")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff々〆]+")
_COST_OF_OURS, _COSTS_A_NAT = 2500, 800
_ENTRIES = 10
_RAREST = 2e-5
"""Pairs with a smaller share are left out: they weigh less than a break between words."""


def dictionary(wheel: Path) -> Iterator[tuple[str, int]]:
    """Words and costs of the dictionary in janome's wheel (Python literals; they are parsed, not run)."""
    with zipfile.ZipFile(wheel) as archive:
        for number in range(_ENTRIES):
            source = archive.read(f"janome/sysdic/entries_compact{number}.py").decode()
            for surface, _left, _right, cost in ast.literal_eval(source.partition("=")[2]).values():
                if _JAPANESE.fullmatch(surface):
                    yield surface, cost


def _tenths(shares: list[float]) -> NDArray[np.uint8]:
    return np.minimum(np.round(-np.log(np.array(shares)) * context.TENTHS), 255).astype(np.uint8)


def main(arguments: list[str]) -> int:
    """Write the table; returns the exit status."""
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    characters: dict[str, float] = defaultdict(float)
    lines = [line for line in WORDS.read_text("utf-8").splitlines() if not line.startswith("#")]
    ours = [(word, _COST_OF_OURS) for line in lines for word in line.split()]
    for word, cost in [*dictionary(Path(arguments[0])), *ours]:
        weight = math.exp(-cost / _COSTS_A_NAT)
        for character in word:
            characters[character] += weight
        for pair in pairwise(word):
            pairs[pair] += weight
    following = {
        ord(one) << 16 | ord(two): weight / characters[one]
        for (one, two), weight in pairs.items()
        if weight > _RAREST * characters[one]
    }
    whole = sum(characters.values())
    np.savez_compressed(
        context.FILE,
        steps=np.diff(np.array(sorted(following), np.uint32), prepend=np.uint32(0)),
        following=_tenths([following[key] for key in sorted(following)]),
        characters=np.array([ord(one) for one in sorted(characters)], np.uint16),
        shares=_tenths([characters[one] / whole for one in sorted(characters)]),
    )
    print(f"{len(following)} pairs, {len(characters)} characters, {context.FILE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
