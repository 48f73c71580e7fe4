"""Check boxes and circled options, drawn as forms have them and as faxes spoil them."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from ocr.level import level
from ocr.mark import marks
from ocr.page import Mark, PageImage
from ocr.ring import rings
from tests.ocr.form import LETTER, Form, run

FAXED = {
    "clean": {},
    "skewed": {"angle": 2.8},
    "skewed the other way": {"angle": -2.5},
    "standard": {"standard": True},
    "specks": {"noise": 0.002},
}
TICKS = {"発熱": "check", "下痢": "", "嘔吐": "cross", "腹痛": "fill", "発疹": "", "頭痛": "check"}


class Blind:
    """An engine that cannot read what was circled: then what was read with the circle stands."""

    name = "blind/1"

    def line(self, image: Image.Image) -> tuple[str, float]:
        assert image.mode == "1"
        return "見えず", 0.3


def found(form: Form, engine: Any = None, **faxed) -> tuple[Mark, ...]:
    page = form.level(**faxed)
    return marks(page, rings(page), engine or Blind())


def said(seen: tuple[Mark, ...]) -> dict[str, bool]:
    return {mark.text.replace(" ", ""): mark.on for mark in seen}


def symptoms(read: str = "{}") -> Form:
    form = Form()
    form.text(200, 300, "症状(該当するものに✓)")
    for index, (label, tick) in enumerate(TICKS.items()):
        x, y = 220 + 420 * (index % 2), 400 + 70 * (index // 2)
        form.box(x, y + 2, tick)
        form.text(x + 34, y, label, read=read.format(label))
    return form


@pytest.mark.parametrize("faxed", FAXED.values(), ids=FAXED)
def test_boxes_are_found_with_their_state_and_label(faxed) -> None:
    seen = found(symptoms(), **faxed)
    assert said(seen) == {label: bool(tick) for label, tick in TICKS.items()}
    assert {mark.kind for mark in seen} == {"box"}
    assert all(mark.confidence > 0.6 for mark in seen)


def test_places_are_those_of_the_page_as_shown() -> None:
    for angle in (0.0, 2.0):
        first = found(symptoms(), angle=angle)[0]
        x0, y0, x1, y1 = first.box
        assert 20 <= x1 - x0 <= 32
        assert 20 <= y1 - y0 <= 32
    assert (x0 + x1) / 2 != pytest.approx(232, abs=8)  # where it stood before it was skewed


def test_a_line_read_as_one_is_cut_at_its_boxes() -> None:
    form = Form()
    at = 200.0
    for label, tick in (("有", "check"), ("無", ""), ("不明", "")):
        right = form.box(at, 502, tick)
        at = form.text(right + 10, 500, label, read="") + 50
    for read in ("□有 □無 □不明", "口有口無口不明", "有無不明"):
        form.runs = [run(read, (194, 494, at - 40, 534))]
        assert list(said(found(form)).values()) == [True, False, False]
        assert "不明" in said(found(form))


def test_letters_that_look_like_boxes_are_none() -> None:
    form = Form()
    for row, line in enumerate(("全国の人口は日本国内で", "田中 回答 目的 図書 四国 困難 固定 団体 国 図")):
        form.text(200, 300 + 80 * row, line)
        form.text(200, 700 + 80 * row, line, size=44)
    form.box(200, 1200)
    form.text(240, 1200, "同意する")
    assert said(found(form)) == {"同意する": False}


def test_a_letter_is_never_a_ticked_box() -> None:
    form = Form()
    for row, letter in enumerate("口日田目国回図四因固困囲面ロ凸ヨ曲由甲"):
        form.text(200 + 300 * (row % 4), 300 + 80 * (row // 4), letter)  # 口 alone looks like an empty one
    form.box(200, 1200)
    assert [mark for mark in found(form) if mark.on] == []


@pytest.mark.parametrize("faxed", FAXED.values(), ids=FAXED)
@pytest.mark.parametrize("chosen", [0, 1])
def test_the_circled_option_is_on_and_its_neighbours_are_off(chosen: int, faxed) -> None:
    form = Form()
    form.options(300, 500, ["男", "女"], chosen)
    form.options(300, 700, ["患者(確定例)", "無症状病原体保有者", "疑似症患者"], chosen, "　・　")
    form.options(300, 900, ["1 確定", "2 疑い"], chosen, "   ")
    seen = found(form, **faxed)
    assert {mark.kind for mark in seen} == {"circle"}
    told = [mark.on for mark in seen]
    assert sum(told) == 3
    assert said(seen)["男"] is (chosen == 0)
    assert said(seen)["女"] is (chosen == 1)
    assert said(seen)["疑似症患者"] is False
    assert said(seen)[["1確定", "2疑い"][chosen]] is True


@pytest.mark.parametrize("faxed", [{}, {"noise": 0.002}, {"angle": 0.8}], ids=["clean", "noise", "askew"])
def test_a_long_option_is_circled_flatly(faxed) -> None:
    form = Form()
    form.options(300, 500, ["3 動物・蚊・昆虫等からの感染"], 0)
    form.text(300, 570, "4 その他")
    assert [mark.on for mark in found(form, **faxed)] == [True]


def test_a_group_without_a_circle_tells_nothing() -> None:
    form = Form()
    form.options(300, 500, ["男", "女"], None)
    form.options(300, 700, ["有", "無"], None, "／")
    assert found(form) == ()


def test_a_circle_over_a_rule_is_found_and_the_rule_parts_groups() -> None:
    form = Form()
    form.pen.line((150, 545, 1500, 545), fill=0, width=3)
    form.pen.line((150, 460, 1500, 460), fill=0, width=3)
    form.pen.line((420, 460, 420, 545), fill=0, width=3)
    form.text(200, 500, "性別")
    form.options(500, 500, ["男", "女"], 1, "  ")
    assert said(found(form)) == {"男": False, "女": True}


def test_ordinary_writing_has_no_marks() -> None:
    form = Form()
    line = "回覧 ○○様 ◎重要 ①申請書 ②の写し 00-000-0000 ㊞ のののの OOO 団地 8日"
    for row in range(12):
        form.text(150, 200 + 110 * row, line, size=LETTER + 2 * row)
    assert [mark for mark in found(form) if mark.on] == []


def test_a_blank_and_a_tiny_page_are_no_error() -> None:
    assert found(Form()) == ()
    for size in ((1, 1), (30, 2), (2, 400)):
        page = level(PageImage(1, Image.new("1", size, 0), (204, 196)), (), 0.0)
        assert marks(page, rings(page), Blind()) == ()


def test_what_is_circled_is_read_anew_without_the_circle(paddle) -> None:
    form = Form()
    form.options(300, 500, ["男", "女"], 1)
    form.options(300, 700, ["要約筆記", "手話通訳"], 0, "　・　")
    form.runs[0] = run("男女", (*form.runs[0].corners[0], *form.runs[0].corners[2]))
    form.runs[1] = run("約筆記 ・ 手話通訳", (*form.runs[1].corners[0], *form.runs[1].corners[2]))
    assert said(found(form, paddle)) == {"男": False, "女": True, "要約筆記": True, "手話通訳": False}
