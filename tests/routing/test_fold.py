"""What folding takes for the same, what it keeps apart, and the way back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.fold import fold, trace

JAPANESE = st.text(
    st.one_of(
        st.sampled_from(
            "感染症発生届麻しん結核ー−-一口ロ力カ二ニセンターアンケトへヘｱｲｶﾞﾟﾞ０１２oOlI 　\n「」【】()・髙﨑齋發屆㋿①㈱"
        ),
        st.characters(),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("エ ボ ラ 出 血 熱\n発 生 届", "エボラ出血熱発生届"),
        ("ＦＡＸ送信票", "fax 送信票"),
        ("ｱﾝｹｰﾄ ｶﾞｲﾄﾞ", "アンケート ガイド"),
        ("アンケ一ト", "アンケート"),
        ("センタ-", "センター"),
        ("03ー5388−1396", "03-5388-1396"),
        ("タ力ハシ", "タカハシ"),
        ("高橋", "髙橋"),
        ("齋藤 邊 發生屆", "斉藤 辺 発生届"),
        ("㋿８年", "令和8年"),
        ("【発生届】", "(発生届)"),
        ("ツツガムシ", "ッッガムシ"),
        ("1O0-1l3", "100-113"),
        ("ヘルパンギーナ", "へルパンギーナ"),
        ("辻\U000e0100", "辻"),
    ],
)
def test_the_same_word(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("麻しん", "風しん"),
        ("二類", "ニ類"),
        ("入力", "入カ"),
        ("人口", "人ロ"),
        ("H5N1", "H7N9"),
        ("一類", "二類"),
        ("八月", "ハ月"),
    ],
)
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(JAPANESE)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(JAPANESE)
def test_width_changes_nothing(text: str) -> None:
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) == len(text):  # where normalising joins nothing across characters
        assert fold(plain) == fold(text) or any(unicodedata.combining(c) for c in unicodedata.normalize("NFD", text))


@given(JAPANESE)
def test_the_way_back_points_into_the_original(text: str) -> None:
    traced = trace(text)
    assert traced.text == fold(text)
    assert len(traced.places) == len(traced.text) + 1
    assert list(traced.places) == sorted(traced.places)
    assert traced.places[-1] == len(text)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_found_phrase_is_shown_in_its_own_words(before: str, after: str) -> None:
    written = "麻 し ん 発 生 屆"
    traced = trace(f"{before}|{written}|{after}")
    at = traced.text.find(fold("麻しん発生届"))
    start, end = traced.original(at, at + 6)
    assert f"{before}|{written}|{after}"[start:end].strip() == written or "麻" in before


@pytest.mark.parametrize(
    "text", ["感染症発生届 テスト-" * 80_000, "\u0300\u0323" * 500_000, "ー" * 1_000_000, "\u0130" * 300_000]
)
def test_hostile_text_ends(text: str) -> None:
    assert len(fold(text)) <= 3 * len(text)


def test_an_old_form_seen_at_standard_resolution_is_found() -> None:
    assert fold("診斷名") == fold("診断名")
