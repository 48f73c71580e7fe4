"""How a model is made from examples, and how honestly it did on those it had not seen.

Each example is learned twice: as it is, and damaged as reading damages (look-alike characters, lost characters and
lines, no title). Figures come from cross-validation in which all examples of one layout are held out together, so that
a model is never asked about a form it knows.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from routing.errors import ModelError
from routing.fold import fold
from routing.model import BUCKETS, Model, features, softmax
from routing.phrases import ALIKE, NOTIFICATION, NOTIFICATIONS

FILE = "examples.jsonl.gz"
FOLDS = 4
SEED = 20261123
_STRENGTH = 10.0
_RAREST = 4.0
"""So much a bucket tells that one document in 55 fills counts once; tried with the strength on unseen layouts."""
_UNTAUGHT = frozenset({"MISDIRECTED"})
"""Whom a fax is for is read from its addressee, not from how it sounds."""


@dataclass(frozen=True, slots=True)
class Example:
    """A document with its class."""

    document_type: str
    text: str
    layout: str
    """Documents of one layout are held out together."""
    weight: float = 1.0


def packaged() -> tuple[Example, ...]:
    """The examples that ship: invented documents. Raises ModelError when the file is damaged."""
    try:
        lines = gzip.decompress((resources.files("routing") / "data" / FILE).read_bytes()).decode().splitlines()
        return tuple(Example(**json.loads(line)) for line in lines)
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise ModelError from error


def class_of(document_type: str) -> str:
    """What the model calls a class: the three notifications are one form."""
    return NOTIFICATION if document_type in NOTIFICATIONS else document_type


def train(examples: Sequence[Example], card: dict[str, Any], seed: int = SEED) -> Model:
    """A model of ``examples`` with calibrated shares; its card is ``card`` with what it learned from."""
    taught = _taught(examples)
    temperature, right = _calibrated(taught, seed)
    told = {"seed": seed, "examples": len(taught), "examples_sha256": digest(taught), "right_unseen": round(right, 4)}
    return _model(taught, _classes(taught), seed, temperature, {**card, **told})


def _taught(examples: Sequence[Example]) -> list[Example]:
    return [example for example in examples if example.document_type not in _UNTAUGHT]


def _classes(examples: Sequence[Example]) -> tuple[str, ...]:
    return tuple(sorted({class_of(example.document_type) for example in examples}))


def folds(examples: Sequence[Example], seed: int = SEED) -> list[tuple[list[int], list[int]]]:
    """The examples' places parted so that each is held out once, with all of its layout: (learn from, held out)."""
    groups = [example.layout for example in examples]
    parted = GroupKFold(min(FOLDS, len(set(groups))), shuffle=True, random_state=seed)
    return [(list(here), list(there)) for here, there in parted.split(examples, groups=groups)]


def fitted(examples: Sequence[Example], temperature: float, seed: int = SEED) -> Model:
    """A model of ``examples`` whose calibration is known already: one of a cross-validation."""
    taught = _taught(examples)
    return _model(taught, _classes(taught), seed, temperature, {})


def _model(
    taught: Sequence[Example], classes: tuple[str, ...], seed: int, temperature: float, card: dict[str, Any]
) -> Model:
    weights, bias = _fit(taught, classes, seed)
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    return Model(
        classes,
        np.round(weights / scale).astype(np.int8),
        scale.astype(np.float32),
        bias.astype(np.float32),
        temperature,
        card,
    )


def _calibrated(taught: Sequence[Example], seed: int) -> tuple[float, float]:
    """The temperature, and the share of examples of unseen layouts that the sums name rightly."""
    classes = _classes(taught)
    sums, labels = held_out(taught, classes, seed), _labels(taught, classes)
    return _temperature(sums, labels), float((sums.argmax(axis=1) == labels).mean())


def digest(examples: Sequence[Example]) -> str:
    """A name for exactly these examples."""
    told = "\n".join(f"{example.document_type}\t{example.layout}\t{example.text}" for example in examples)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def held_out(examples: Sequence[Example], classes: tuple[str, ...], seed: int) -> NDArray[np.float64]:
    """The sums (examples, classes) that a model gives to each damaged example whose layout it has not seen."""
    told = np.full((len(examples), len(classes)), -np.inf)
    for number, (here, there) in enumerate(folds(examples, seed)):
        weights, bias = _fit([examples[i] for i in here], classes, seed + number)
        damage = Damage(random.Random(seed - number))  # noqa: S311 - noise, not secrets
        told[there] = _matrix([damage.done(examples[i].text) for i in there]) @ weights + bias
    return told


def _fit(
    examples: Sequence[Example], classes: tuple[str, ...], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (buckets, classes) and bias; a class without example gets a bias of -20."""
    damage = Damage(random.Random(seed))  # noqa: S311 - noise, not secrets
    texts = [example.text for example in examples] + [damage.done(example.text) for example in examples]
    labels = np.tile(_labels(examples, classes), 2)
    strengths = np.tile([example.weight for example in examples], 2)
    # Classes with many examples are not likelier: what arrives at a site is not what was written here.
    each = np.bincount(labels, weights=strengths, minlength=len(classes))
    strengths = strengths / each[labels] * each.sum() / len(classes)
    seen = _matrix(texts)
    telling = _telling(seen)
    found = LogisticRegression(C=_STRENGTH, max_iter=60, tol=1e-3).fit(seen @ diags(telling), labels, strengths)
    weights, bias = np.zeros((BUCKETS, len(classes))), np.full(len(classes), -20.0)
    weights[:, found.classes_], bias[found.classes_] = (found.coef_ * telling).T, found.intercept_
    return weights, bias


def _telling(seen: csr_matrix) -> NDArray[np.float32]:
    """How much a bucket can tell: the fewer documents fill it, the more (Sparck Jones, 1972).

    What stands in every document is learned slowly; the weight lies on what few have. Asking costs nothing more.
    """
    documents = np.bincount(seen.indices, minlength=BUCKETS) + 1
    telling: NDArray[np.float32] = np.maximum(np.log(seen.shape[0] / documents) / _RAREST, 0.05).astype(np.float32)
    return telling


def _labels(examples: Sequence[Example], classes: tuple[str, ...]) -> NDArray[np.int64]:
    places = {code: place for place, code in enumerate(classes)}
    return np.array([places[class_of(example.document_type)] for example in examples])


def _matrix(texts: Sequence[str]) -> csr_matrix:
    rows = [features(fold(text)) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    columns = np.concatenate([buckets for buckets, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, columns, ends), shape=(len(texts), BUCKETS))


def _temperature(sums: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """What the sums must be divided by for their shares to be true (least negative log-likelihood)."""

    def loss(log_temperature: float) -> float:
        shares = softmax(sums / np.exp(log_temperature))
        return float(-np.log(np.maximum(shares[np.arange(len(labels)), labels], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


@dataclass(frozen=True, slots=True)
class Damage:
    """What reading does to text."""

    chance: random.Random

    def done(self, text: str) -> str:
        """``text`` with a share of its characters misread or lost, some lines gone or out of order, maybe no title."""
        share = self.chance.choice((0.0, 0.02, 0.05, 0.1, 0.15))
        lines = [line for line in text.splitlines() if self.chance.random() > share]
        if len(lines) > 3 and self.chance.random() < 0.3:
            del lines[: self.chance.randint(1, 2)]
        if self.chance.random() < 0.3:
            at = self.chance.randrange(len(lines) + 1)
            lines = lines[at:] + lines[:at]
        return "\n".join("".join(self._read(c, share) for c in line) for line in lines) or text

    def _read(self, character: str, share: float) -> str:
        if self.chance.random() >= share:
            return character
        alike = next((group for group in ALIKE if character in group), "")
        if alike and self.chance.random() < 0.6:
            return self.chance.choice(alike)
        return self.chance.choice(("", "", "口", "ロ", "-", "・", "ー", "二", "l", "日"))
