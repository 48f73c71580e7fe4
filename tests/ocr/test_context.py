"""Doubtful characters judged by their neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr import context
from ocr import paddle as paddle_engine
from ocr.read import read_page

TABLE = context.load()


def choices(written: str) -> list[context.Choice]:
    """``疾[思.86患.07]``: characters, those in doubt in brackets with their probabilities."""
    found: list[context.Choice] = []
    rest = written
    while rest:
        if rest[0] == "[":
            inside, _, rest = rest[1:].partition("]")
            found.append([(inside[at], float(inside[at + 1 : at + 4])) for at in range(0, len(inside), 4)])
        else:
            found.append([(rest[0], 0.99)])
            rest = rest[1:]
    return found


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("疑われる疾[忠.57患.38]", "疑われる疾患"),
        ("うち[罹.32摧.29][思.87患.07]者", "うち罹患者"),
        ("電話[沿.26番.17播.16]号", "電話番号"),
        ("[合.60令.30]和8年5月29日", "令和8年5月29日"),
        ("[人.67入.32]院年月日", "入院年月日"),
        ("[ト.60F.30]AX 03-5555-0101", "FAX 03-5555-0101"),
        ("セ[ソ.55ン.40]ター", "センター"),
        ("改札[口.50ロ.48]にて", "改札口にて"),
        ("改札[ロ.50口.48]にて", "改札口にて"),
        ("担当[者.60行.30]", "担当者"),
    ],
)
def test_the_word_decides_where_the_shape_is_in_doubt(seen: str, meant: str) -> None:
    text, sure = TABLE.settle(choices(seen))
    assert text == meant
    assert len(sure) == len(text)


@pytest.mark.parametrize("seen", ["粗[患.90人.05]", "[斎.80齋.15]藤"])
def test_the_shape_decides_where_no_word_speaks(seen: str) -> None:
    wanted = "".join(choice[0][0] for choice in choices(seen))
    assert TABLE.settle(choices(seen))[0] == wanted


def test_a_confirmed_character_is_surer_than_its_shape_alone() -> None:
    text, sure = TABLE.settle(choices("医療機[関.60閃.35]"))
    assert text == "医療機関"
    assert 0.85 < sure[3] <= 0.95
    assert sure[:3] == (0.99, 0.99, 0.99)


_GUESSES = st.lists(st.sampled_from("患思番号令合ソンA1ー"), min_size=1, max_size=4, unique=True)


@given(st.lists(_GUESSES, max_size=8))
def test_only_what_was_offered_is_taken(offered: list[list[str]]) -> None:
    given = [[(character, 0.5 ** (rank + 1)) for rank, character in enumerate(guesses)] for guesses in offered]
    text, sure = TABLE.settle(given)
    assert len(text) == len(sure) == len(offered)
    assert all(character in guesses for character, guesses in zip(text, offered, strict=True))
    assert all(0 <= share < 1 for share in sure)
    for place, guesses in enumerate(offered):
        if len(guesses) == 1:
            assert sure[place] == given[place][0][1]


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("冒流と", "冒涜と"),
        ("我低な", "我侭な"),
        ("鍵水の", "鑓水の"),
        ("の鍵を", "の鍵を"),
        ("低い", "低い"),
        ("裕子", "裕子"),
    ],
)
def test_kanji_that_the_recogniser_lacks_come_back_where_only_they_make_a_word(seen: str, meant: str) -> None:
    offered = [context.with_like([(character, 0.95)]) for character in seen]
    text, sure = TABLE.settle(offered)
    assert text == meant
    assert all(0 < share < 1 for share in sure)


def test_a_look_alike_that_is_sure_stands() -> None:
    assert context.with_like([("鍵", 0.999)]) == [("鍵", 0.999)]
    assert sum(share for _, share in context.with_like([("鍵", 0.6), ("鎌", 0.3)])) == pytest.approx(0.9)


def test_figures_and_signs_are_not_its_business() -> None:
    assert not any(map(context.modelled, "0８.-:(）・①〒　"))
    assert all(map(context.modelled, "患かカーFaヶ々"))


def test_kanji_outside_the_alphabet_are_read_or_said_to_be_unknown(paper, paddle):
    lines = ("鑓水の炭砿跡にて", "感染症発生届", "我侭な鶯谷の粁程")
    page = read_page(paper.tiff(paper.draw(lines, height=900)), 1, paddle).page
    assert page.text.split("\n") == ["鑓水の炭砿跡にて", "感染症発生届", "我侭な鶯谷の〓程"]
    sure = [word.confidence for word in page.words]
    assert sure[1] > 0.9 > sure[0] > 0.3 > sure[2]


@pytest.mark.parametrize(
    ("text", "sure", "marked"),
    [
        ("裕町の報告", (0.7, 0.99, 0.99, 0.99, 0.99), "〓町の報告"),
        ("裕町の報告", (0.9, 0.99, 0.99, 0.99, 0.99), "裕町の報告"),  # sure enough
        ("検町の報告", (0.3, 0.99, 0.99, 0.99, 0.99), "検町の報告"),  # no stand-in: a guess is worth more
        ("裕町の報告", (0.7, 0.8, 0.8, 0.8, 0.8), "裕町の報告"),  # everything is in doubt
        ("裕", (0.7,), "裕"),
    ],
)
def test_only_a_stand_in_in_doubt_among_sure_letters_is_marked(text, sure, marked):
    seen = paddle_engine._marked(paddle_engine._Spelling(text, sure))
    assert seen.text == marked
    assert (seen.sure == sure) == (marked == text)


def test_nothing_is_marked_unknown_where_the_letters_are_ordinary(paper, paddle):
    for dpi in (paper.FINE, paper.STANDARD):
        page = read_page(paper.tiff(paper.draw(dpi=dpi), dpi=dpi), 1, paddle).page
        assert "〓" not in page.text
