"""Misread options are said as they are printed; what may be another word stays as it was read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.printed import mended, nearest


@pytest.mark.parametrize(
    ("read", "question", "written"),
    [
        ("発熱", "symptoms", "発熱"),
        ("発熟", "symptoms", "発熱"),
        ("凶鼻汁", "symptoms", "鼻汁"),
        ("□ 个身倦怠感", "symptoms", "全身倦怠感"),
        ("関節病·関節炎", "symptoms", "関節痛・関節炎"),
        ("刺し", "symptoms", "刺し口"),
        ("臨床診斯", "method", "臨床診断"),
        ("初9硬結", "symptoms", "初期硬結"),
        (
            "カルジオリヒンを抗原とする横合(RPRカードテスト})",
            "method",
            "カルジオリピンを抗原とする検査(RPRカードテスト等)",
        ),
        ("血清1gM抗体の検出", "method", "血清IgM抗体の検出"),
        ("分離同定による病原休の検出", "method", "分離・同定による病原体の検出"),
        ("3 動物・蚊・昆虫等からの感梁", "route", "動物・蚊・昆虫等からの感染"),
    ],
)
def test_a_misread_option_is_known(read: str, question: str, written: str) -> None:
    found = nearest(read)
    assert found is not None
    assert (found.question, found.written) == (question, written)
    assert 0.5 <= found.likeness <= 1.0


@pytest.mark.parametrize(
    "read",
    [
        "",
        "痛",
        "頭部痛",  # no misread 腹部膨満, 背部痛 or 頭痛
        "有",
        "その他",
        "肺結核",
        "血清IgX抗体の検出",  # M or G
        "PCR法による病原体遺伝子検出",  # another way to write it
        "1" * 5000,
    ],
)
def test_what_is_as_near_to_another_word_stays(read: str) -> None:
    assert nearest(read) is None
    assert mended(read) == (read, 1.0)


def test_a_list_is_mended_word_by_word_and_is_as_sure_as_its_least_sure_word() -> None:
    assert mended("頭痛、右足の腫れ") == ("頭痛、右足の腫れ", 1.0)
    text, sure = mended("頭痛、発熟、右足の腫れ")
    assert text == "頭痛、発熱、右足の腫れ"
    assert sure < 1.0
    method = "分離・同定による病原体の検出、かつべ口毒素の確認"
    assert mended(method)[0] == "分離・同定による病原体の検出、かつベロ毒素の確認"


@given(st.text(max_size=80))
def test_any_words_are_answered_and_mending_twice_changes_nothing(read: str) -> None:
    once, sure = mended(read)
    assert mended(once)[0] == once
    assert 0.0 <= sure <= 1.0
