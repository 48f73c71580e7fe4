"""`evaluate`: faxes held against their truth, as text, as JSON and as a page; nothing is written."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway import evaluation
from gateway.errors import GatewayError
from gateway.evaluation import Evaluation, Truth, find, page, text
from routing.measure import Outcome, measure
from tests.city import SAMPLES, write_city
from tests.gateway.test_cli import faxless

RIGHT = Outcome("a.tif", "PRESS", "koho", False, "PRESS", "koho", False, held=False, confidence=0.97)
ASTRAY = Outcome("<b>.tif", "LIFELINE", "bosai", True, "COMPLAINT", "bunsho", False, held=False, confidence=0.82)
HELD = Outcome("c.tif", "SPAM", "bunsho", False, "OTHER", None, False, held=True, confidence=0.3)


def of(*outcomes: Outcome) -> Evaluation:
    return Evaluation(measure(outcomes), outcomes, 1, 0.8)


def put(folder: Path, name: str, truth: object | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if truth is None:
        (folder / name).write_bytes(b"%PDF-1.4")
    else:
        (folder / name).write_text(json.dumps(truth), "utf-8")


def test_truths_stand_beside_or_in_a_folder_or_in_a_list(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.tif", "c.EML", "d.tiff", "e.pdf", "notes.txt"):
        put(tmp_path, name)
    put(tmp_path, "a.json", {"document_type": "PRESS"})
    put(tmp_path / "truth", "b.json", {"document_type": "SPAM", "department": "bunsho", "line": "hoken"})
    put(tmp_path / "truth", "c.json", {"document_type": "PRESS"})
    put(tmp_path, "samples.json", {"samples": [{"file": "c.EML", "document_type": None}]})
    put(tmp_path, "d.json", {"document_type": 5})
    truths, without = find(tmp_path)
    assert truths == [
        Truth(tmp_path / "a.pdf", "PRESS", None, ""),
        Truth(tmp_path / "b.tif", "SPAM", "bunsho", "hoken"),
    ]
    assert without == 3


def test_a_truth_that_is_no_json_is_named(tmp_path: Path) -> None:
    put(tmp_path, "a.pdf")
    (tmp_path / "a.json").write_text("{", "utf-8")
    with pytest.raises(GatewayError, match=r"a\.json"):
        find(tmp_path)


def test_the_text_tells_what_went_wrong_and_where() -> None:
    told = text(of(RIGHT, ASTRAY, HELD).as_json())
    assert "LIFELINE → COMPLAINT  1" in told
    assert told.index("誤った部署へ") < told.index("<b>.tif") < told.index("緊急の見落とし")
    assert "緊急の見落とし" not in text(of(RIGHT).as_json())


class Page(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_draws_the_curve_with_its_table_and_needs_nothing_else() -> None:
    content = page(of(RIGHT, ASTRAY, HELD), "faxes/<2026>")
    seen = Page(content)
    assert seen.all("html") == [{"lang": "ja"}]
    assert not seen.all("script")
    assert not re.search(r"(?:src|href)=|url\(|@import", content)
    assert "faxes/&lt;2026&gt;" in content
    (curve,) = seen.all("polyline")
    places = [tuple(map(float, place.split(","))) for place in str(curve["points"]).split()]
    assert len(places) == 4
    assert places[0] == (0.0, evaluation._HEIGHT)
    assert places[-1][0] == evaluation._WIDTH
    assert all(0 <= x <= evaluation._WIDTH and 0 <= y <= evaluation._HEIGHT for x, y in places)
    drawings = seen.all("svg")
    titles = {title.get("id") for title in seen.all("title")}
    assert [drawing["role"] for drawing in drawings] == ["img", "img"]
    assert {drawing["aria-labelledby"] for drawing in drawings} <= titles
    assert content.count("<td>0.820</td>") == 1


def test_a_folder_is_read_and_held_against_its_truth(tmp_path: Path) -> None:
    folder = tmp_path / "faxes"
    folder.mkdir()
    for name in ("08_chumonsho", "10_shuzai"):
        shutil.copy(SAMPLES / f"{name}.pdf", folder)
        shutil.copy(SAMPLES / "truth" / f"{name}.json", folder)
    shutil.copy(SAMPLES / "16_shuwa.tif", folder)
    city = write_city(tmp_path)
    city.write_text(city.read_text().replace("[ocr]", '[ocr]\nengine = "tesseract"'))
    done = faxless(city, "--json", "evaluate", str(folder), "--page", str(tmp_path / "page.html"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["faxes"], told["without_truth"], told["urgent_missed"]) == (2, 1, [])
    assert {row["document_type"] for row in told["classes"]} == {"PROCUREMENT", "PRESS"}
    assert told["classes"][1]["recall"] == 1
    assert {"routed", "routed_right", "urgent_recall", "confusion", "curve", "calibration"} <= set(told)
    assert "2/2" in done.stderr, "a bar on standard error"
    assert "<svg" in (tmp_path / "page.html").read_text("utf-8")
    assert not (tmp_path / "var").exists(), "nothing was written"


@pytest.mark.parametrize(("made", "code"), [((), 2), (("empty",), 1)])
def test_what_cannot_be_evaluated(tmp_path: Path, made: tuple[str, ...], code: int) -> None:
    for name in made:
        (tmp_path / name).mkdir()
    done = faxless(write_city(tmp_path), "evaluate", str(tmp_path / "empty"))
    assert (done.returncode, done.stdout) == (code, "")
    assert "empty" in done.stderr


def test_a_class_that_nobody_knows_is_named(tmp_path: Path) -> None:
    put(tmp_path / "f", "a.pdf")
    put(tmp_path / "f", "a.json", {"document_type": "NOTHING"})
    done = faxless(write_city(tmp_path), "evaluate", str(tmp_path / "f"))
    assert done.returncode == 1
    assert "NOTHING" in done.stderr
