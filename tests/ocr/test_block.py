"""The words of a page grouped: paragraphs, columns, fields of a form, vertical writing, the machine's own line."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr.block import Block, blocks
from ocr.page import Cell, PageText, Table, Word

HIGH, PITCH = 39, 45
"""Pixels of an engine's box round 10 points, and of a line set solid and a half."""


def page(rows: list[list[Word]], **more: Any) -> PageText:
    """A page whose text has these rows."""
    words = tuple(word for row in rows for word in row)
    text = "\n".join(" ".join(word.text for word in row) for row in rows)
    given = {"turned": 0, "skew": 0.0, "barcodes": (), "masked": (), "engine": "drawn/1", **more}
    return PageText(number=1, width=1728, height=2290, words=words, text=text, confidence=0.9, **given)


def word(text: str, x: int, y: int, high: int = HIGH, sure: float = 0.9) -> Word:
    return Word(text, (x, y, x + round(len(text) * high / 1.4), y + high), sure)


def told(found: tuple[Block, ...]) -> list[list[str]]:
    return [[line.text for line in block.lines] for block in found]


def test_paragraphs_are_parted_by_an_empty_line_and_a_title_by_its_size() -> None:
    rows = [
        [word("お知らせ", 700, 100, high=80)],
        [word("平素よりお世話になっております。", 200, 200)],
        [word("次のとおり報告します。", 200, 200 + PITCH)],
        [word("担当へお渡しください。", 200, 320 + PITCH)],
    ]
    assert told(blocks(page(rows))) == [
        ["お知らせ"],
        ["平素よりお世話になっております。", "次のとおり報告します。"],
        ["担当へお渡しください。"],
    ]


def columns(skew: float = 0.0) -> PageText:
    """A title over two columns of two paragraphs that do not end side by side, and a last line below both."""
    left = [0, 1, 2, 3, 6, 7]
    right = [0, 1, 2, 5, 6, 7]
    rows = [[word("二つの段にわたる見出しがここにあります二つの段にわたる見出し", 200, 100)]]
    for row in range(8):
        y = 220 + row * PITCH
        cells = [word(f"左の段の{row}行目です", 200, y)] if row in left else []
        cells += [word(f"右の段の{row}行目です", 900, y)] if row in right else []
        rows += [cells] if cells else []
    rows.append([word("おわり", 200, 700)])
    return page([[slanted(one, skew) for one in row] for row in rows], skew=skew)


def slanted(one: Word, skew: float) -> Word:
    """The box round it on a page whose lines climb so much."""
    cos, sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))
    x0, y0, x1, y1 = one.box
    corners = [(x * cos + y * sin, y * cos - x * sin) for x in (x0, x1) for y in (y0, y1)]
    across, down = zip(*corners, strict=True)
    box = math.floor(min(across)), math.floor(min(down)), math.ceil(max(across)), math.ceil(max(down))
    return Word(one.text, box, one.confidence)


@pytest.mark.parametrize("skew", [0.0, 3.0, -4.0])
def test_columns_are_read_one_after_the_other(skew: float) -> None:
    title, *body, end = told(blocks(columns(skew)))
    assert len(title) == len(end) == 1
    assert [line for block in body for line in block] == [
        *(f"左の段の{row}行目です" for row in (0, 1, 2, 3, 6, 7)),
        *(f"右の段の{row}行目です" for row in (0, 1, 2, 5, 6, 7)),
    ]
    assert [len(block) for block in body] == [4, 2, 3, 3]


def test_each_field_of_a_table_is_a_block() -> None:
    cells = (
        Cell(0, 0, 1, 1, (200, 400, 500, 520), "氏名"),
        Cell(0, 1, 1, 1, (500, 400, 1500, 520), "見本 花子\n(みほん)"),
        Cell(1, 0, 1, 2, (200, 520, 1500, 700), "備考"),
    )
    rows = [
        [word("氏名", 210, 440), word("見本", 520, 410), word("花子", 900, 410)],
        [word("(みほん)", 520, 470)],
        [word("備考", 210, 530)],
        [word("欄外", 210, 712)],
    ]
    found = blocks(page(rows, tables=(Table((200, 400, 1500, 700), cells),)))
    assert [(block.kind, *(line.text for line in block.lines)) for block in found] == [
        ("cell", "氏名"),
        ("cell", "見本 花子", "(みほん)"),
        ("cell", "備考"),
        ("text", "欄外"),
    ]


def test_vertical_writing_is_read_from_the_right_and_the_machines_line_stands_apart() -> None:
    def column(text: str, x: int) -> Word:
        return Word(text, (x, 200, x + HIGH, 200 + 28 * len(text)), 0.8)

    rows = [
        [word("2026年11月20日 みどり台病院", 100, 10)],
        [column("春はあけぼのようよう", 1500)],
        [column("しろくなりゆくやまぎわ", 1440)],
        [column("夏は夜", 900)],
    ]
    found = blocks(page(rows), sender={0})
    assert [(block.kind, *(line.text for line in block.lines)) for block in found] == [
        ("sender", "2026年11月20日 みどり台病院"),
        ("vertical", "春はあけぼのようよう", "しろくなりゆくやまぎわ"),
        ("vertical", "夏は夜"),
    ]


def test_a_line_is_as_sure_as_its_letters() -> None:
    ((block),) = blocks(page([[word("一二三", 200, 200, sure=0.9), word("四", 290, 200, sure=0.5)]]))
    (line,) = block.lines
    assert (line.text, line.confidence) == ("一二三 四", 0.8)


coordinate = st.integers(-5, 2500)
odd_words = st.lists(
    st.builds(
        Word, st.text("一二a 3", max_size=4), st.tuples(coordinate, coordinate, coordinate, coordinate), st.floats(0, 1)
    ),
    max_size=14,
)


@given(
    words=odd_words,
    breaks=st.lists(st.booleans(), min_size=14, max_size=14),
    skew=st.floats(-8, 8),
    cells=st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), max_size=4),
    sender=st.sets(st.integers(0, 14), max_size=3),
)
def test_every_word_stands_in_one_line_in_the_pages_order(
    words: list[Word],
    breaks: list[bool],
    skew: float,
    cells: list[tuple[int, int, int, int]],
    sender: set[int],
) -> None:
    rows: list[list[Word]] = []
    for one, new in zip(words, breaks, strict=False):
        if new or not rows:
            rows.append([])
        rows[-1].append(one)
    fields = tuple(Cell(0, column, 1, 1, box, "") for column, box in enumerate(cells))
    given_page = page(rows, skew=skew, tables=(Table((0, 0, 1, 1), fields),) if fields else ())
    found = blocks(given_page, sender)
    place = {id(one): index for index, one in enumerate(given_page.words)}
    seen = [[place[id(one)] for line in block.lines for one in line.words] for block in found]
    assert sorted(index for block in seen for index in block) == list(range(len(words)))
    assert all(block == sorted(block) and block for block in seen)
    for block in found:
        assert block.box == union([line.box for line in block.lines])
        for line in block.lines:
            assert line.box == union([one.box for one in line.words])
            assert 0 <= line.confidence <= 1


def union(boxes: list[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
