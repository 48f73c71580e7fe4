"""One sheet scanned twice is known again; another one is not; and it does not matter which came first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr.fingerprint import bits, fingerprint, likeness, nearness


def sheet(seed: int, share: float = 1.0, size: tuple[int, int] = (860, 1216)) -> Image.Image:
    """A form with rules and writing; of two seeds with ``share`` the first so much of the writing is the same."""
    form, own = np.random.default_rng(0), np.random.default_rng(seed)
    page = np.full(size[::-1], 255, np.uint8)
    page[200:1100:90, 60:800] = 0
    for number in range(300):
        rng = own if number >= 300 * share else form
        x, y = rng.integers(60, size[0] - 100), rng.integers(60, size[1] - 100)
        page[y : y + rng.integers(5, 24), x : x + rng.integers(3, 8)] = 0
        page[y : y + rng.integers(3, 7), x : x + rng.integers(8, 30)] = 0
    return Image.fromarray(page).convert("1", dither=Image.Dither.NONE)


def again(page: Image.Image, seed: int, across: int, down: int, angle: float, noise: float) -> Image.Image:
    turned = page.convert("L").rotate(angle, Image.Resampling.BILINEAR, translate=(across, down), fillcolor=255)
    rows = np.asarray(turned) > 128
    return Image.fromarray(rows ^ (np.random.default_rng(seed).random(rows.shape) < noise))


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 9), st.integers(-12, 12), st.integers(-20, 20), st.floats(-1.5, 1.5), st.sampled_from([0.0, 0.004])
)
def test_a_sheet_scanned_again_is_known(seed: int, across: int, down: int, angle: float, noise: float) -> None:
    one = sheet(seed)
    two = again(one, seed, across, down, angle, noise)
    assert likeness(one, two) >= 0.9
    assert likeness(one, two) == likeness(two, one)
    a, b = fingerprint(one, 0.0), fingerprint(two, angle)
    assert nearness(a, b) == nearness(b, a) >= 0.85


@pytest.mark.parametrize("share", [0.0, 0.5, 0.7])
def test_the_same_form_filled_in_otherwise_is_another(share: float) -> None:
    one, two = sheet(1, share), sheet(2, share)
    assert likeness(one, two) < 0.9
    assert likeness(one, two) == likeness(two, one)


def test_what_the_machine_prints_at_the_top_does_not_matter() -> None:
    one, two = sheet(3), sheet(3).copy()
    for x in range(100, 600, 14):  # letters, no rule
        two.paste(0, (x, 8, x + 7, 20))
    assert likeness(one, two) == 1.0
    assert bits(one) != bits(two)
    assert nearness(fingerprint(one, 0.0), fingerprint(two, 0.0)) > 0.999


def test_bits_are_the_dots_and_their_place() -> None:
    assert bits(sheet(1)) == bits(sheet(1).copy())
    assert bits(Image.new("1", (20, 10), 1)) != bits(Image.new("1", (10, 20), 1))


def test_blank_pages_are_like_blank_pages_alone() -> None:
    blank = Image.new("1", (860, 1216), 1)
    assert fingerprint(blank, 0.0) == ""
    assert likeness(blank, blank) == 0.0
    assert nearness("", "") == 1.0
    assert nearness("", fingerprint(sheet(1), 0.0)) == 0.0


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_in_place_of_a_fingerprint_is_compared(one: str, other: str) -> None:
    assert -1.001 <= nearness(one, other) <= 1.001


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (3000, 3), (64, 32)])
def test_pages_of_any_shape(size: tuple[int, int]) -> None:
    black = Image.new("L", size, 0)
    assert 0.0 <= likeness(black, sheet(1)) <= 1.0
    assert isinstance(fingerprint(black, 0.0), str)
