"""What a page read becomes when it is kept, and what routing is told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from gateway.models import Fax, Page
from gateway.pipeline import facts_of, page_row
from ocr.page import Cell, Mark, PageText, Reading, Stamp, Table, Word
from routing import facts

TTI = "2027/02/14 09:07 高田馬場クリニック 03-5999-0123 P.1/2"
FORM = "2027/02/14 09:07 03-5999-0123 診察 P.1/2"  # a line of the form that looks like it, 20 mm down
NOW = datetime(2027, 2, 14, 1, 0, tzinfo=UTC)


def kept(*lines: tuple[str, int], **more) -> Page:
    words = tuple(Word(text, (40, top, 40 + 20 * len(text), top + 26), 0.9) for text, top in lines)
    page = PageText(
        number=1, width=1728, height=2290, words=words, text="\n".join(text for text, _ in lines), confidence=0.9,
        turned=0, skew=0.0, engine="drawn/1", **{"barcodes": (), "masked": (), **more},
    )  # fmt: skip
    row = page_row("fax", 1, Reading(page, b""), "")
    return Page(**json.loads(json.dumps(row.model_dump())))  # as the database gives it back


def told(*pages: Page) -> facts.Facts:
    fax = Fax(id="fax", line="hoken", received_at=NOW, accepted_at=NOW, sha256="a", content="a")
    return facts_of(fax, list(pages))


def test_the_senders_line_is_read_once_and_is_no_content() -> None:
    page = kept((TTI, 18), ("発生届", 150), (FORM, 170))
    assert page.text.startswith(TTI)  # still to be searched and copied
    seen = told(page)
    assert (seen.caller, seen.tsi) == ("+81359990123", "高田馬場クリニック")
    assert seen.pages[0].printed == (1, 2)
    assert seen.pages[0].text == f"発生届\n{FORM}"
    assert [line.text for line in seen.pages[0].words] == ["発生届", FORM]


def test_a_page_without_it_loses_nothing() -> None:
    seen = told(kept(("発生届", 150), (FORM, 170)))
    assert seen.caller is None
    assert seen.pages[0].printed is None
    assert seen.pages[0].text == f"発生届\n{FORM}"


def test_marks_and_the_kind_of_a_page_are_handed_on() -> None:
    page = kept(
        ("男・女", 400),
        marks=(
            Mark("circle", "男", (40, 390, 70, 440), True, 0.9),
            Mark("circle", "女", (100, 390, 130, 440), False, 0.9),
        ),
        tables=(Table((0, 0, 9, 9), (Cell(0, 0, 1, 1, (0, 0, 9, 9), "氏名"),)),),
        stamps=(Stamp((5, 5, 9, 9), "収受"),),
        kind="cover",
    )
    seen = told(page).pages[0]
    assert seen.marks == (
        facts.Mark("男", (40, 390, 70, 440), True, 0.9),
        facts.Mark("女", (100, 390, 130, 440), False, 0.9),
    )
    assert seen.kind == "cover"
    assert page.tables[0]["cells"][0]["text"] == "氏名"
    assert page.stamps[0]["text"] == "収受"
