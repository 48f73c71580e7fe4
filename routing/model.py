"""The second witness: what a document's characters look like to a linear model that has learned from examples.

Runs of one to three folded characters are counted in hashed buckets, weighed for each class, and the sums become shares
by a softmax whose temperature was fitted on examples of layouts the model had not seen (Guo et al., "On Calibration of
Modern Neural Networks", ICML 2017). No words, no dictionary: a letter-spaced or damaged title keeps most of its runs.

A model is one file of plain arrays (npz, never pickled) with its card inside. Training: :mod:`routing.training`.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import ModelError

FORMAT = 1
FILE, SEAL = "model.npz", "model.sha256"
BUCKETS = 1 << 15
LONGEST = 6_000
"""Folded characters of a document that are looked at; a full page of small print has 4,000."""
_LENGTHS = (1, 2, 3)
_FACTORS = np.array((0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F), np.uint32)
_LARGEST = 32 << 20
_DIGITS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model thinks a document is: classes with their shares, which sum to 1, the likeliest first."""

    shares: tuple[tuple[str, float], ...]

    @property
    def first(self) -> str:
        """The likeliest class."""
        return self.shares[0][0]

    def of(self, code: str) -> float:
        """The share of a class; 0 for one that the model does not know."""
        return next((share for known, share in self.shares if known == code), 0.0)

    def among(self, codes: Collection[str]) -> Opinion | None:
        """The same for these classes alone, those that are in force at a site; None when it knows none of them."""
        kept = [(code, share) for code, share in self.shares if code in codes]
        whole = sum(share for _, share in kept)
        return Opinion(tuple((code, share / whole) for code, share in kept)) if whole > 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Weights and how they came about."""

    classes: tuple[str, ...]
    weights: NDArray[np.int8]
    """(buckets, classes), to be multiplied by ``scale``."""
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float
    card: Mapping[str, Any]
    """What it learned from, when, with which figures: plain JSON."""

    def opinion(self, folded: str) -> Opinion:
        """The shares for a document's folded text. Under 2 ms, whatever the text; a text without runs says nothing."""
        buckets, values = features(folded)
        sums = (values @ self.weights[buckets].astype(np.float32)) * self.scale + self.bias
        shares = softmax(sums / self.temperature)
        order = np.argsort(-shares, kind="stable")
        return Opinion(tuple((self.classes[i], float(shares[i])) for i in order))


def features(folded: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The buckets that a folded text fills and how much: 1 + ln(count), to length 1."""
    text = folded[:LONGEST].translate(_DIGITS)
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
    runs = [_hashes(codes, length) for length in _LENGTHS if len(codes) >= length]
    if not runs:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    buckets, counts = np.unique(np.concatenate(runs), return_counts=True)
    values = 1 + np.log(counts)
    return buckets.astype(np.int64), (values / np.linalg.norm(values)).astype(np.float32)


def _hashes(codes: NDArray[np.uint32], length: int) -> NDArray[np.uint32]:
    """The bucket of each run of so many characters (multiplicative hashing, Knuth 6.4; wraps at 2**32 on purpose)."""
    size = len(codes) - length + 1
    mixed = np.full(size, length, np.uint32)
    for place in range(length):
        mixed = (mixed ^ codes[place : place + size]) * _FACTORS[place]
        mixed ^= mixed >> np.uint32(15)
    return mixed % np.uint32(BUCKETS)


def softmax(sums: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Sums as shares of 1, along the last axis."""
    raised = np.exp(sums - sums.max(axis=-1, keepdims=True))
    shares: NDArray[np.floating[Any]] = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def to_bytes(model: Model) -> bytes:
    """The model as a file; the same model gives the same bytes."""
    head = {"format": FORMAT, "classes": model.classes, "temperature": model.temperature, "card": dict(model.card)}
    told = np.frombuffer(json.dumps(head, ensure_ascii=False, sort_keys=True).encode(), np.uint8)
    file = io.BytesIO()
    np.savez_compressed(file, head=told, weights=model.weights, scale=model.scale, bias=model.bias)
    return file.getvalue()


def from_bytes(data: bytes) -> Model:
    """The model in a file's bytes. Raises ModelError for anything that is none of ours."""
    if len(data) > _LARGEST:
        raise ModelError
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as members:  # numpy unpacks whatever size is claimed
            if sum(member.file_size for member in members.infolist()) > _LARGEST:
                raise ModelError
        arrays = np.load(io.BytesIO(data), allow_pickle=False)
        head = json.loads(arrays["head"].tobytes())
        model = Model(
            tuple(head["classes"]),
            arrays["weights"],
            arrays["scale"],
            arrays["bias"],
            float(head["temperature"]),
            head["card"],
        )
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError from error
    if head.get("format") != FORMAT or not _fits(model):
        raise ModelError
    return model


def _fits(model: Model) -> bool:
    size = len(model.classes)
    return (
        size > 1
        and all(isinstance(code, str) for code in model.classes)
        and model.weights.dtype == np.int8
        and model.weights.shape == (BUCKETS, size)
        and model.scale.dtype == model.bias.dtype == np.float32
        and model.scale.shape == model.bias.shape == (size,)
        and bool(np.isfinite(model.scale).all() and np.isfinite(model.bias).all())
        and 0 < model.temperature < 1000
    )


def packaged() -> Model:
    """The model that ships, checked against the hash that ships beside it. Raises ModelError."""
    folder = resources.files("routing") / "data"
    try:
        data, seal = (folder / FILE).read_bytes(), (folder / SEAL).read_text("ascii").split()[0]
    except (OSError, IndexError) as error:
        raise ModelError from error
    if hashlib.sha256(data).hexdigest() != seal:
        raise ModelError
    return from_bytes(data)
