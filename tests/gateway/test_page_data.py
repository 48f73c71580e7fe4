"""One page as JSON: everything that was read of it, in the shape that programs hold on to."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any

from PIL import Image

from gateway.models import Page
from gateway.page_data import page_data, page_text
from ocr.page import Barcode, Cell, Mark, Stamp, Table
from tests.gateway.test_page_facts import TTI, kept, told

CODE = Barcode("FORM-17", "QR Code", (1500, 100, 1600, 200))


def picture(**more: Any) -> bytes:
    file = io.BytesIO()
    Image.new("1", (1728, 2290), 1).save(file, "PNG", **more)
    return file.getvalue()


def as_json(page: Page, png: bytes = b"") -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(json.dumps(asdict(page_data(page, png))))
    return shown


def test_everything_that_was_read_of_a_page() -> None:
    page = kept(
        (TTI, 18),
        ("男・女", 400),
        ("氏名", 600),
        marks=(Mark("circle", "男", (40, 390, 70, 440), True, 0.9),),
        tables=(Table((0, 590, 900, 700), (Cell(0, 0, 1, 1, (0, 590, 900, 700), "氏名"),)),),
        stamps=(Stamp((5, 1005, 9, 1009), "収受"),),
        barcodes=(CODE,),
        masked=((300, 1200, 500, 1240),),
        kind="content",
    )
    shown = as_json(page, picture(dpi=(204, 196)))
    assert (shown["page"], shown["width"], shown["height"], shown["dpi"]) == (1, 1728, 2290, [204, 196])
    assert (shown["kind"], shown["turn"], shown["skew"], shown["problem"]) == ("content", 0, 0.0, None)
    assert shown["tti"] == {
        "date": "2027-02-14T09:07:00+09:00",
        "name": "高田馬場クリニック",
        "number": "+81359990123",
        "page": 1,
        "of": 2,
        "box": [40, 18, 40 + 20 * len(TTI), 44],
    }
    assert [(block["kind"], [line["text"] for line in block["lines"]]) for block in shown["blocks"]] == [
        ("sender", [TTI]),
        ("text", ["男・女"]),
        ("cell", ["氏名"]),
    ]
    assert shown["blocks"][1]["lines"][0]["words"] == [
        {"text": "男・女", "box": [40, 400, 100, 426], "confidence": 0.9}
    ]
    assert shown["marks"] == [
        {"kind": "circle", "text": "男", "box": [40, 390, 70, 440], "on": True, "confidence": 0.9}
    ]
    assert shown["tables"][0]["cells"][0] == {
        "row": 0, "column": 0, "rows": 1, "columns": 1, "box": [0, 590, 900, 700], "text": "氏名",
    }  # fmt: skip
    assert shown["stamps"] == [{"box": [5, 1005, 9, 1009], "text": "収受"}]
    assert shown["barcodes"] == [{"value": "FORM-17", "kind": "QR Code", "box": [1500, 100, 1600, 200]}]
    assert shown["masked"] == [[300, 1200, 500, 1240]]
    assert told(page).barcodes == ("FORM-17",)


def test_a_page_that_was_read_before_barcodes_had_places() -> None:
    page = Page(fax_id="fax", number=1, barcodes=["FORM-17", "FORM-17"])
    assert as_json(page)["barcodes"] == 2 * [{"value": "FORM-17", "kind": "", "box": None}]
    assert told(page).barcodes == ("FORM-17",)
    assert page_text(page).barcodes == 2 * (Barcode("FORM-17", "", None),)


def test_a_page_that_could_not_be_read_and_pictures_that_tell_nothing() -> None:
    shown = as_json(Page(fax_id="fax", number=3, problem="壊れています。"))
    assert (shown["page"], shown["problem"], shown["blocks"], shown["tti"]) == (3, "壊れています。", [], None)
    for png in (b"", b"no picture", picture(), picture()[:40]):
        assert as_json(kept(("発生届", 150)), png)["dpi"] is None
