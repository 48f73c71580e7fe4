"""From what an engine says of single characters to how often such a word is right: what confidences mean.

The engines say 0.99 of nearly everything. Their figures are turned into shares here, by curves fitted on the words of
the project's own trial faxes (`benchmarks.faxgen trials`, read by `benchmarks.score --engine`): of the words
said to be 0.9 sure about 90 % are right, letter for letter. Fitted on one seed, checked on another; the table stands in
docs/ocr.md. Of real pens the same figures promise less, because the trial faxes have none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# Logistic curves on the logarithm of a word's expected number of errors, of 45 trial faxes (seed 11), 2026-11-23.
# paddle: 1,481 words, 84 % of them right; what was said (the mean over the characters) and what was right were 14.5 %
# apart before, 1.3 % after. tesseract: 1,319 words, 39 % of them right; 26.8 % apart before, 1.8 % after.
_PADDLE, _TESSERACT = (-0.674, 0.961), (0.92, 1.556)
_NEVER_SURER = 0.9999


def of_paddle(text: str, sure: Sequence[float]) -> float:
    """How often a word is right whose characters the recogniser gave these probabilities (0 to 1); 0 for none.

    Blanks do not count: whether there is one is a matter of taste in Japanese.
    """
    # A share of single-precision sums may come out a little above 1; a line of such letters was less than no doubt.
    shares = [min(max(share, 1e-6), 1.0) for letter, share in zip(text, sure, strict=True) if not letter.isspace()]
    doubts = [-math.log(share) for share in shares]
    return _share(sum(doubts) + 1e-4, _PADDLE) if doubts else 0.0


def of_tesseract(text: str, mean: float) -> float:
    """How often such a word is right of which Tesseract says *mean* (0 to 1), which it says of words as a whole."""
    letters = len("".join(text.split()))
    return _share(-letters * math.log(min(max(mean, 1e-6), _NEVER_SURER)), _TESSERACT) if letters else 0.0


def _share(doubt: float, curve: tuple[float, float]) -> float:
    at, slope = curve
    return 1 / (1 + math.exp(slope * math.log(doubt) - at))
