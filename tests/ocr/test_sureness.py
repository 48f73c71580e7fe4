"""What confidences mean."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ocr.read import read_page
from ocr.sureness import of_paddle, of_tesseract

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(st.floats(1, 1.00001), st.integers(1, 1000))
def test_a_share_a_little_above_one_is_no_less_than_no_doubt(share: float, letters: int) -> None:
    """Sums in single precision: one line of a sample, read as surely as can be, was not read at all."""
    assert of_paddle("あ" * letters, [share] * letters) == of_paddle("あ" * letters, [1.0] * letters) > 0.99


@given(SHARES)
def test_it_is_a_share(sure: list[float]) -> None:
    assert 0 <= of_paddle("あ" * len(sure), sure) <= 1


@given(SHARES, st.floats(0, 0.99))
def test_a_character_more_in_doubt_makes_the_word_less_sure(sure: list[float], doubtful: float) -> None:
    whole = of_paddle("あ" * len(sure), sure)
    assert of_paddle("あ" * (len(sure) + 1), [*sure, doubtful]) < whole or whole < 1e-4


def test_one_guess_in_a_long_word_is_not_hidden_by_the_sure_ones() -> None:
    assert of_paddle("診断名腸管出血性大腸菌", [0.999] * 11) > 0.95
    assert of_paddle("診断名腸管出血性大腸菌", [0.999] * 10 + [0.5]) < 0.6


def test_blanks_do_not_count_and_nothing_is_not_sure() -> None:
    assert of_paddle("氏名 東都", [0.99, 0.99, 0.1, 0.99, 0.99]) == of_paddle("氏名東都", [0.99] * 4)
    assert of_paddle("", []) == of_paddle(" ", [0.9]) == 0


def test_read_words_that_are_wrong_are_said_to_be_doubtful(paper, paddle):
    dots = paper.draw(("鑓水の炭砿跡にて", "感染症発生届"), height=400)
    words = {word.text: word.confidence for word in read_page(paper.tiff(dots), 1, paddle).page.words}
    assert words.pop("感染症発生届") > 0.95
    (unknown,) = words.values()
    assert unknown < 0.8, "鑓 and 砿 are outside the engine's alphabet"


@given(st.text("あ漢a ", max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_of_tesseract_too_a_surer_word_is_surer(text: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= of_tesseract(text, low) <= of_tesseract(text, high) <= 1
    assert (of_tesseract(text, high) > 0) == bool(text.strip())
    assert of_tesseract(text * 2, high) <= of_tesseract(text, high)
