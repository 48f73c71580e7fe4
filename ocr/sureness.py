"""From what an engine says of single characters to how often such a word is right: what confidences mean.

The engines say 0.99 of nearly everything. Their figures are turned into shares here, by curves fitted on the words of
the project's own trial faxes (`benchmarks.faxgen trials`, read by `benchmarks.score --engine`): of the words
said to be 0.9 sure about 90 % are right, letter for letter. Fitted on one seed, checked on another; the table stands in
docs/ocr.md. Of real pens the same figures promise less, because the trial faxes have none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# A logistic curve on the logarithm of a word's expected number of errors, 2026-11-23: 1,476 words of 45 trial faxes
# (seed 11), 83 % of them right. Said and right were 14.5 % apart before (the mean over the characters), 2.0 % after.
_PADDLE = (-0.6, 0.879)


def of_paddle(text: str, sure: Sequence[float]) -> float:
    """How often a word is right whose characters the recogniser gave these probabilities (0 to 1); 0 for none.

    Blanks do not count: whether there is one is a matter of taste in Japanese.
    """
    doubts = [-math.log(max(share, 1e-6)) for letter, share in zip(text, sure, strict=True) if not letter.isspace()]
    if not doubts:
        return 0.0
    at, slope = _PADDLE
    return 1 / (1 + math.exp(slope * math.log(sum(doubts) + 1e-4) - at))
