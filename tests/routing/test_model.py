"""The learned model: a file that cannot be more than numbers, an opinion for every text, and where it came from."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import model as models
from routing import training
from routing.errors import ModelError
from routing.fold import fold
from routing.model import BUCKETS, LONGEST, Model, Opinion, features, from_bytes, to_bytes

SHIPPED = models.packaged()


def small(**changes: object) -> Model:
    weights = np.zeros((BUCKETS, 2), np.int8)
    even = np.ones(2, np.float32)
    return replace(Model(("A", "B"), weights, even, even, 1.0, {"made": "today"}), **changes)  # type: ignore[arg-type]


@given(st.text(max_size=300))
def test_every_text_has_an_opinion(text: str) -> None:
    opinion = SHIPPED.opinion(fold(text))
    shares = [share for _, share in opinion.shares]
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert shares == sorted(shares, reverse=True)
    assert {code for code, _ in opinion.shares} == set(SHIPPED.classes)


def test_a_text_without_end_is_looked_at_for_so_long() -> None:
    text = "".join(chr(0x4E00 + number % 20_000) for number in range(1_000_000))
    buckets, values = features(text)
    assert len(buckets) <= 3 * LONGEST
    assert float(np.linalg.norm(values)) == pytest.approx(1)
    assert (features(text[:LONGEST])[0] == buckets).all()


def test_letter_spacing_and_width_change_nothing() -> None:
    plain = "食中毒患者等届出票 原因食品 弁当 嘔吐 下痢 ABC 12"
    wide = "食 中 毒 患 者 等 届 出 票\n原 因 食 品　弁　当　嘔吐 下痢 ＡＢＣ　１２"
    assert SHIPPED.opinion(fold(plain)) == SHIPPED.opinion(fold(wide))


def test_an_opinion_among_some_classes_is_whole_again() -> None:
    opinion = Opinion((("A", 0.6), ("B", 0.3), ("C", 0.1)))
    some = opinion.among({"B", "C", "D"})
    assert some is not None
    assert (some.first, some.of("B"), some.of("A")) == ("B", pytest.approx(0.75), 0.0)
    assert opinion.among({"D"}) is None


def test_a_model_comes_back_as_it_went() -> None:
    data = to_bytes(SHIPPED)
    assert to_bytes(from_bytes(data)) == data
    text = fold("学級閉鎖のお知らせ 欠席者 12名")
    assert from_bytes(data).opinion(text) == SHIPPED.opinion(text)


def file(**members: object) -> bytes:
    made = io.BytesIO()
    np.savez(made, **members)  # type: ignore[arg-type]
    return made.getvalue()


class Program:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return pytest.fail, ("a model was run as a program",)


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("weights.npy", b"0" * (64 << 20))
    return made.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        to_bytes(SHIPPED)[:-100],
        pickle.dumps(Program()),
        file(head=np.array([Program()], dtype=object)),
        file(head=np.frombuffer(b"[1]", np.uint8)),
        file(head=np.frombuffer(b"{}", np.uint8), weights=np.zeros(3)),
        to_bytes(small(weights=np.zeros((7, 2), np.int8))),
        to_bytes(small(weights=np.zeros((BUCKETS, 2), np.float32))),
        to_bytes(small(bias=np.array([np.nan, 0], np.float32))),
        to_bytes(small(temperature=0.0)),
        to_bytes(small(classes=("A",))),
        bomb(),
        b"\0" * (models._LARGEST + 1),
    ],
    ids=range(14),
)
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        from_bytes(data)
    assert not caught.value.again
    assert "faxless learn --back" in caught.value.advice


def test_a_sound_model_of_two_classes_is_taken() -> None:
    """The refusals above are refusals of one fault each."""
    assert from_bytes(to_bytes(small())).classes == ("A", "B")


def test_the_model_that_ships_is_believed_by_its_hash_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    folder = resources.files("routing") / "data"
    place = type(folder)(str(tmp_path))
    (place / "data").mkdir()  # type: ignore[attr-defined]
    for name in (models.FILE, models.SEAL):
        (place / "data" / name).write_bytes((folder / name).read_bytes())  # type: ignore[attr-defined]
    monkeypatch.setattr(models.resources, "files", lambda _: place)
    assert models.packaged().classes == SHIPPED.classes
    (place / "data" / models.FILE).write_bytes(to_bytes(small()))  # type: ignore[attr-defined]
    with pytest.raises(ModelError):
        models.packaged()


def test_the_model_that_ships_learned_from_the_examples_that_ship() -> None:
    examples = training.packaged()
    taught = [example for example in examples if example.document_type != "MISDIRECTED"]
    assert SHIPPED.card["examples_sha256"] == training.digest(taught)
    assert SHIPPED.card["examples"] == len(taught)
    assert {training.class_of(example.document_type) for example in taught} == set(SHIPPED.classes)
