"""A model out of examples: nobody is asked about a form he has seen, one seed is one model, damage is bounded."""

from __future__ import annotations

import random

import numpy as np
import pytest

from routing import model as models
from routing import training
from routing.fold import fold
from routing.training import Damage, Example

WORDS = {
    "PROCUREMENT": ("見積書 金額 数量 単価", "請求書 振込先 合計 税込", "納品書 品名 規格 単位"),
    "COMPLAINT": ("騒音で眠れません", "職員の態度が悪い 改善を", "道路を直してください"),
    "TB_REPORT": ("結核 喀痰塗抹 診断", "肺結核と診断 届け出ます", "潜在性結核 QFT 陽性 届出"),
    "DISEASE_7DAY": ("梅毒 診断 届け出ます", "アメーバ赤痢 届出", "五類 届出票 診断"),
}


def examples(each: int = 4) -> list[Example]:
    return [
        Example(code, f"{words} {number}", f"{code} {layout}")
        for code, layouts in WORDS.items()
        for layout, words in enumerate(layouts)
        for number in range(each)
    ]


def test_a_model_learns_what_it_is_shown() -> None:
    made = training.train(examples(), {"by": "a test"})
    assert made.classes == ("COMPLAINT", "NOTIFICATION", "PROCUREMENT")
    assert made.opinion(fold("請 求 書  合計 振込先")).first == "PROCUREMENT"
    assert made.opinion(fold("肺結核 と診断し届け出ます")).first == "NOTIFICATION"
    assert (made.card["by"], made.card["examples"], made.card["seed"]) == ("a test", 48, training.SEED)
    assert 0 <= made.card["right_unseen"] <= 1


def test_the_same_examples_and_seed_are_the_same_model() -> None:
    assert models.to_bytes(training.train(examples(), {})) == models.to_bytes(training.train(examples(), {}))


def test_a_layout_is_held_out_whole() -> None:
    shown = examples()
    places: list[int] = []
    for here, there in training.folds(shown):
        assert {shown[n].layout for n in here}.isdisjoint(shown[n].layout for n in there)
        places += there
    assert sorted(places) == list(range(len(shown)))


def test_a_class_with_one_layout_is_learned_all_the_same() -> None:
    """It is missing from one part of the cross-validation."""
    made = training.train([*examples(), Example("OTHER", "拝啓 晩秋の候 敬具", "letter")], {})
    assert made.opinion(fold("拝啓 晩秋の候 敬具")).first == "OTHER"


def test_an_addressee_is_not_learned() -> None:
    made = training.train([*examples(), Example("MISDIRECTED", "注文書 株式会社御中", "x")], {})
    assert "MISDIRECTED" not in made.classes


def test_a_correction_that_weighs_more_is_heard() -> None:
    text = "月末の集計をお送りします"
    quiet = training.train([*examples(), Example("COMPLAINT", text, "a")], {})
    loud = training.train([*examples(), Example("COMPLAINT", text, "a", 40.0)], {})
    assert loud.opinion(fold(text)).of("COMPLAINT") >= quiet.opinion(fold(text)).of("COMPLAINT") > 0.5


@pytest.mark.parametrize("text", ["", "\n\n", "あ", "一行だけの文です", "\f".join(["頁"] * 5), "x" * 5000])
def test_damage_leaves_something_and_adds_little(text: str) -> None:
    damage = Damage(random.Random(1))
    for _ in range(50):
        done = damage.done(text)
        assert len(done) <= len(text)
        assert bool(done.strip()) == bool(text.strip()) or len(text) < 20


def test_the_examples_that_ship_are_invented_and_of_every_class() -> None:
    shown = training.packaged()
    assert len({example.layout for example in shown}) > 150
    assert min(np.unique([example.document_type for example in shown], return_counts=True)[1]) >= 16
