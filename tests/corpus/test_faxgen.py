"""The fax generator: the same seed is the same fax, and what it calls true is on the page."""

import io
import json
import re
from pathlib import Path

import numpy as np
import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from benchmarks import score
from benchmarks.faxgen import __main__ as command
from benchmarks.faxgen.catalogue import DOCUMENT_TYPES, LAYOUTS, Commission, Fax, corpus, make, opened
from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.machine import DAMAGES, FINE, HEADER_STYLES, RESOLUTIONS, STANDARD, TURNS, Damage, pdf, scan
from benchmarks.faxgen.paper import Sheet
from benchmarks.faxgen.people import era, half_width, wareki

CORE = """
DISEASE_IMMEDIATE DISEASE_7DAY TB_REPORT TB_ADMISSION SENTINEL OUTBREAK_FACILITY OUTBREAK_SCHOOL ADMISSION_COORD
SPECIMEN FOOD_POISONING MED_SAFETY CHILD_WELFARE ACCESSIBLE_CONTACT DISASTER LIFELINE PRESS COMPLAINT PROCUREMENT
APPLICATION_EVENT CONSENT_MEDICAL MISDIRECTED SPAM COVER_ONLY OTHER
"""
"""The 24 core classes of the taxonomy."""
UPRIGHT = sorted(DAMAGES - {"turn90", "turn270"})


@pytest.fixture(scope="module")
def book() -> FontBook:
    return FontBook()


@pytest.fixture(scope="module")
def sheet(book: FontBook) -> Image.Image:
    draft = Draft.begin(5, book)
    LAYOUTS["school_closure"].draw(draft)
    return draft.sheets[0].image


def ink(page: Image.Image, box: list[float], fax: Fax) -> float:
    """Share of black inside a box of the truth (millimetres)."""
    across, down = page.info["dpi"]
    scale = fax.truth["scale"]
    x0, y0, x1, y1 = (value * scale / 25.4 * dpi for value, dpi in zip(box, (across, down, across, down), strict=True))
    part = np.asarray(page)[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
    return float(1 - part.mean()) if part.size else 0.0


# ---- the same seed ----------------------------------------------------------------------------------------------


def test_same_commission_gives_same_bytes(book: FontBook) -> None:
    damages = (Damage("skew"), Damage("broken"), Damage("noise"), Damage("streaks"))
    commission = Commission("tb_admission", 11, "standard", damages, cover="cover_with_code", header="arrow")
    first, second = make(commission, book), make(commission, book)
    assert first.tiff == second.tiff
    assert pdf(first.tiff) == pdf(second.tiff)
    assert first.truth == second.truth


def test_other_seed_gives_another_fax(book: FontBook) -> None:
    one, other = (make(Commission("order", seed), book).truth for seed in (1, 2))
    assert one["fields"]["order_number"] != other["fields"]["order_number"]


def test_corpus_is_the_same_for_a_seed_and_covers_every_class() -> None:
    assert corpus(300, 9) == corpus(300, 9)
    assert corpus(300, 9) != corpus(300, 8)
    made = corpus(180, 9)
    assert {LAYOUTS[c.layout].document_type for c in made} == set(DOCUMENT_TYPES)
    assert {c.layout for c in made} == set(LAYOUTS)
    assert {damage.kind for c in corpus(900, 9) for damage in c.damages} == DAMAGES
    assert {c.resolution for c in corpus(900, 9)} == set(RESOLUTIONS)


def test_every_core_class_is_drawn_in_two_ways() -> None:
    ways = [layout.document_type for layout in LAYOUTS.values()]
    assert {code: ways.count(code) for code in CORE.split() if ways.count(code) < 2} == {}


# ---- the truth is on the page -----------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    layout=st.sampled_from(sorted(LAYOUTS)), seed=st.integers(0, 2**31 - 1), style=st.sampled_from(HEADER_STYLES),
    resolution=st.sampled_from(["standard", "fine"]), cover=st.sampled_from(["", "", "cover"]),
)  # fmt: skip
def test_what_is_called_true_is_drawn(
    layout: str, seed: int, style: str, resolution: str, cover: str, book: FontBook
) -> None:
    fax = make(Commission(layout, seed, resolution, header=style, cover=cover), book)
    truth, pages = fax.truth, opened(fax)
    assert len(pages) == fax.pages == truth["pages"] == len(truth["scans"])
    for page, told in zip(pages, truth["scans"], strict=True):
        assert page.mode == "1"
        assert page.size == (told["width"], told["height"]) == (1728, 1146 if resolution == "standard" else 2292)
        assert tuple(map(float, page.info["dpi"])) == (204, 98 if resolution == "standard" else 196)
    assert [p for d in truth["documents"] for p in range(d["first_page"], d["last_page"] + 1)] == [
        *range(1, fax.pages + 1)
    ]
    assert truth["documents"][-1]["document_type"] == truth["document_type"] == LAYOUTS[layout].document_type
    _segments_are_there(fax, pages)
    _fields_are_among_the_segments(truth)


def _segments_are_there(fax: Fax, pages: list[Image.Image]) -> None:
    for segment in fax.truth["segments"]:
        assert segment["text"].strip()
        turned = fax.truth["scans"][segment["page"] - 1]["turn"]
        if segment["cls"] in ("print", "hand") and not turned:
            assert ink(pages[segment["page"] - 1], segment["box"], fax) > 0.01, segment
    for area in fax.truth["masked"]:
        assert ink(pages[area["page"] - 1], area["box"], fax) > 0.8, area


def _fields_are_among_the_segments(truth: dict) -> None:
    drawn = {
        number: "".join(s["text"] for s in truth["segments"] if s.get("page") == number)
        for number in range(1, truth["pages"] + 1)
    }
    for name, field in truth["fields"].items():
        assert field["value"].strip(), name
        assert re.sub(r"\s", "", field["value"]) in re.sub(r"\s", "", drawn[field["page"]]), name
    assert not {area["name"] for area in truth["masked"]} & set(truth["fields"])


@pytest.mark.parametrize("layout", ["notification_classic", "notification_own_form", "food_poisoning"])
def test_masked_patient_is_nowhere_in_the_truth(book: FontBook, layout: str) -> None:
    hidden = make(Commission(layout, 21, mask=True), book).truth
    shown = make(Commission(layout, 21, mask=False), book).truth
    assert {"patient_name", "patient_address"} <= {area["name"] for area in hidden["masked"]}
    assert "patient_name" in shown["fields"]
    assert shown["masked"] == []


def test_callers_are_well_formed_numbers(book: FontBook) -> None:
    for layout in ("order", "complaint", "sentinel_month", "english_note"):
        draft = Draft.begin(3, book)
        LAYOUTS[layout].draw(draft)
        region = None if draft.sender.fax.startswith("+") else "JP"
        assert phonenumbers.is_valid_number(phonenumbers.parse(draft.sender.fax, region)), draft.sender


def test_diseases_without_name_by_law_have_none(book: FontBook) -> None:
    for layout in ("notification_seven_days", "notification_chart_seven_days"):
        assert "patient_name" not in make(Commission(layout, 4), book).truth["fields"]


# ---- the machine ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", UPRIGHT)
def test_damage_keeps_the_raster_and_changes_it(sheet: Image.Image, kind: str) -> None:
    clean, _ = scan(sheet, STANDARD, (), np.random.default_rng(1))
    damaged, done = scan(sheet, STANDARD, (Damage(kind, 1.0),), np.random.default_rng(1))
    assert damaged.shape == clean.shape == (1146, 1728)
    assert damaged.dtype == np.bool_
    assert (damaged != clean).any()
    assert damaged.mean() > 0.3, "nothing but black"
    assert done["turn"] == (180 if kind == "upside_down" else 0)


def test_worse_damage_changes_more(sheet: Image.Image) -> None:
    clean, _ = scan(sheet, STANDARD, (), np.random.default_rng(1))
    for kind in ("noise", "faint", "grey"):
        changed = [
            (scan(sheet, STANDARD, (Damage(kind, s),), np.random.default_rng(1))[0] != clean).sum() for s in (0.1, 0.9)
        ]
        assert changed[0] < changed[1], kind


def test_skew_stays_below_five_degrees_and_takes_many_values(sheet: Image.Image) -> None:
    angles = [
        scan(sheet, RESOLUTIONS["standard"], (Damage("skew", 1.0),), np.random.default_rng(n))[1]["angle"]
        for n in range(6)
    ]
    assert all(2.9 < abs(angle) <= 5.0 for angle in angles)
    assert len(set(angles)) == 6


@pytest.mark.parametrize("turn", ["turn90", "turn270"])
def test_portrait_sheet_turned_needs_the_wide_feed(sheet: Image.Image, turn: str) -> None:
    bits, done = scan(sheet, FINE, (Damage(turn),), np.random.default_rng(1))
    assert bits.shape == (1660, 2432)
    assert done["turn"] == int(turn[4:])
    upright, _ = scan(sheet, FINE, (), np.random.default_rng(1))
    assert abs((~bits).mean() * bits.size / ((~upright).mean() * upright.size) - 1) < 0.1, "the same ink"


def test_landscape_sheet_goes_in_sideways(book: FontBook) -> None:
    fax = make(Commission("sentinel_week", 6), book)
    assert fax.truth["scans"][0] | {"angle": 0} == {"page": 1, "angle": 0, "turn": 90, "width": 1728, "height": 2292}


def test_unknown_damage_is_refused(sheet: Image.Image) -> None:
    with pytest.raises(ValueError, match="no such damage: coffee"):
        scan(sheet, FINE, (Damage("coffee"),), np.random.default_rng(1))


def test_header_line_is_upright_on_an_upside_down_page(book: FontBook) -> None:
    plain, turned = (opened(make(Commission("order", 8, damages=d), book))[0] for d in ((), (Damage("upside_down"),)))
    top = (0, 0, 1728, 30)
    assert plain.crop(top).tobytes() == turned.crop(top).tobytes()
    assert not np.asarray(plain.crop(top)).all()
    assert plain.tobytes() != turned.tobytes()


@pytest.mark.parametrize(("size", "width"), [("A4", 1728), ("B4", 2048), ("A3", 2432)])
def test_sizes_have_the_widths_of_t4(book: FontBook, size: str, width: int) -> None:
    assert opened(make(Commission("blank", 8, "standard", size=size), book))[0].width == width


@pytest.mark.parametrize("resolution", list(RESOLUTIONS))
def test_pdf_holds_the_same_bits_at_the_same_size(book: FontBook, resolution: str) -> None:
    fax = make(Commission("letter", 8, resolution), book)
    page = PdfReader(io.BytesIO(pdf(fax.tiff))).pages[0]
    assert page["/Resources"]["/XObject"]["/Im0"]["/Filter"] == ["/CCITTFaxDecode"]
    assert float(page.mediabox.width) / 72 * 25.4 == pytest.approx(215.2, abs=0.2)
    assert float(page.mediabox.height) / 72 * 25.4 == pytest.approx(297, abs=0.5)


def test_group3_is_group3(book: FontBook) -> None:
    with Image.open(io.BytesIO(make(Commission("blank", 8, compression="group3"), book).tiff)) as picture:
        assert picture.info["compression"] == "group3"


# ---- fonts and words --------------------------------------------------------------------------------------------


def test_without_handwriting_fonts_it_draws_and_says_so(tmp_path: Path) -> None:
    fax = make(Commission("complaint", 2), FontBook(tmp_path))
    assert [note for note in fax.truth["font_stand_ins"] if note.endswith(": ipamp")]
    assert any(segment["cls"] == "hand" for segment in fax.truth["segments"])


def test_long_text_stays_inside_its_cell(book: FontBook) -> None:
    import random

    page = Sheet(book, random.Random(1))
    page.cell(20, 20, 40, 10, "とても長い名前の施設にある長い長い住所の欄に書かれた文字", 12)
    for segment in page.segments:
        x0, y0, x1, y1 = segment["box"]
        assert 19 < x0 < x1 < 61
        assert 19 < y0 < y1 < 31.5


def test_japanese_calendar_and_half_width() -> None:
    from datetime import date

    assert wareki(date(2019, 5, 1)) == "令和元年5月1日"
    assert era(date(2019, 4, 30)) == ("平成", "H", 31)
    assert wareki(date(1989, 1, 7), "short") == "S64.1.7"
    assert wareki(date(2026, 11, 3), "wide") == "令和８年１１月３日"
    assert half_width("ガッコウ ポスト") == "ｶﾞｯｺｳ ﾎﾟｽﾄ"


# ---- the command and the scorer ---------------------------------------------------------------------------------


def test_command_writes_a_corpus_and_the_scorer_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, read = tmp_path / "corpus", tmp_path / "read"
    read.mkdir()
    status = command.main(
        ["make", str(out), "--count", "2", "--classes", "PRESS", "--format", "both", "--damage", "noise:0.3"]
    )
    assert status == 0
    assert sorted(path.suffix for path in out.iterdir()) == [".json", ".json", ".pdf", ".pdf", ".tif", ".tif"]
    truths = {path.stem: json.loads(path.read_text("utf-8")) for path in out.glob("*.json")}
    assert {truth["degrade"] for truth in truths.values()} == {"noise"}
    first, second = sorted(truths)
    (read / f"{first}.txt").write_text("\n".join(s["text"] for s in truths[first]["segments"]), "utf-8")
    capsys.readouterr()
    assert score.main([str(out), str(read), "--by", "doc", "--json"]) == 0
    rates = json.loads(capsys.readouterr().out)
    assert rates[truths[first]["doc"]]["cer_print"] == 0
    assert rates[truths[second]["doc"]]["cer_print"] == 1, "a fax that was not read counts as wrong"
    assert 0 < rates["all"]["cer_print"] < 1
    assert score.main([str(out), str(read)]) == 0
    assert "cer_print" in capsys.readouterr().out


def test_command_refuses_what_it_does_not_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["make", str(tmp_path), "--classes", "NONSENSE"]) == 2
    assert "NONSENSE" in capsys.readouterr().err
    assert score.main([str(tmp_path), str(tmp_path)]) == 1


def slow_distance(pattern: str, text: str) -> int:
    row = [0] * (len(text) + 1)
    for number, wanted in enumerate(pattern, 1):
        before, row = row, [number]
        for place, found in enumerate(text):
            row.append(min(before[place] + (wanted != found), before[place + 1] + 1, row[place] + 1))
    return min(row)


@settings(max_examples=150, deadline=None)
@given(pattern=st.text("ab日本", max_size=9), text=st.text("ab日本", max_size=25))
def test_least_distance_is_the_plain_one(pattern: str, text: str) -> None:
    assert score.least_distance(pattern, text) == slow_distance(pattern, text)


def test_folding_unites_what_ocr_cannot_know() -> None:
    assert score.folded("０３―５５５５‐０１０１ ・ Ａ〜Ｂ") == "03-5555-0101·A~B"


def test_turns_are_damages() -> None:
    assert set(TURNS) <= DAMAGES
