"""The faxes in samples/ are what samples.json says they are."""

import hashlib
import io
import json
from pathlib import Path

import phonenumbers
import pytest
from PIL import Image
from pypdf import PdfReader

from benchmarks.faxgen import samples
from benchmarks.faxgen.catalogue import LAYOUTS
from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.fonts import FontBook

FOLDER = Path(__file__).resolve().parents[2] / "samples"
MANIFEST = json.loads((FOLDER / "samples.json").read_text("utf-8"))
ENTRIES = {entry["file"]: entry for entry in MANIFEST["samples"]}
DEPARTMENTS = {"kansen", "kekkaku", "seikatsu", "fukushi", "keiyaku", "koho", "bosai", "bunsho"}


def truth(entry: dict) -> dict:
    return json.loads((FOLDER / "truth" / f"{Path(entry['file']).stem}.json").read_text("utf-8"))


def rasters(entry: dict) -> list[tuple[int, int, float]]:
    """Width, height and vertical dpi of each page."""
    content = (FOLDER / entry["file"]).read_bytes()
    if entry["file"].endswith(".tif"):
        with Image.open(io.BytesIO(content)) as picture:
            pages = []
            for number in range(picture.n_frames):
                picture.seek(number)
                pages.append((picture.width, picture.height, float(picture.info["dpi"][1])))
            return pages
    reader = PdfReader(io.BytesIO(content), password=entry.get("password", {}).get("user"))
    pages = []
    for page in reader.pages:
        image = page["/Resources"]["/XObject"]["/Im0"]
        pages.append(
            (int(image["/Width"]), int(image["/Height"]), int(image["/Height"]) / float(page.mediabox.height) * 72)
        )
    return pages


def test_manifest_and_folder_name_the_same_files() -> None:
    there = {path.name for path in FOLDER.iterdir() if path.suffix in (".pdf", ".tif")}
    assert there == set(ENTRIES)
    assert len(ENTRIES) >= 12
    assert {f"{Path(name).stem}.json" for name in ENTRIES} == {path.name for path in (FOLDER / "truth").iterdir()}
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1_500_000


@pytest.mark.parametrize("file", ENTRIES)
def test_file_is_the_one_described(file: str) -> None:
    entry, content = ENTRIES[file], (FOLDER / file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert len(content) == entry["bytes"]
    pages = rasters(entry)
    assert len(pages) == entry["pages"]
    for width, height, dpi in pages:
        assert width == 1728
        assert (height, round(dpi)) == ((1146, 98) if entry["resolution"] == "standard" else (2292, 196))


@pytest.mark.parametrize("file", ENTRIES)
def test_expectation_is_complete_and_agrees_with_the_truth(file: str) -> None:
    entry, drawn = ENTRIES[file], truth(ENTRIES[file])
    closed = "password" in entry and entry["password"]["user"]
    assert entry["document_type"] == (None if closed else drawn["document_type"])
    assert drawn["document_type"] == LAYOUTS[entry["layout"]].document_type
    assert entry["department"] in DEPARTMENTS or (closed and entry["held"])
    assert entry["pages"] == drawn["pages"]
    assert entry["caller"] == drawn["caller"]
    assert phonenumbers.is_valid_number(phonenumbers.parse(entry["caller"], None))
    line = MANIFEST["lines"][entry["line"]]
    assert (entry["line_address"], entry["line_number"]) == (line["address"], line["number"])
    assert entry["masked"] == bool(drawn["masked"])
    assert entry["note"]
    assert all(segment["text"].strip() for segment in drawn["segments"])


def test_samples_show_what_a_demonstration_needs() -> None:
    types = {entry["document_type"] for entry in ENTRIES.values()}
    assert types >= {
        "DISEASE_IMMEDIATE", "DISEASE_7DAY", "TB_REPORT", "FOOD_POISONING", "OUTBREAK_FACILITY", "OUTBREAK_SCHOOL",
        "PROCUREMENT", "COMPLAINT", "PRESS", "SPAM", "DISASTER", "ACCESSIBLE_CONTACT", "OTHER",
    }  # fmt: skip
    assert {entry["resolution"] for entry in ENTRIES.values()} == {"standard", "fine"}
    assert {entry["compression"] for entry in ENTRIES.values()} == {"group3", "group4"}
    assert any("upside_down" in entry["damage"] for entry in ENTRIES.values())
    assert any(
        entry["documents"][:1] == [{"document_type": "COVER_ONLY", "first_page": 1, "last_page": 1}]
        for entry in ENTRIES.values()
    )
    assert {entry["department"] for entry in ENTRIES.values()} - {None} == DEPARTMENTS
    assert {entry["line"] for entry in ENTRIES.values()} == set(MANIFEST["lines"])


def test_user_password_closes_and_owner_password_only_forbids() -> None:
    closed, open_ = ENTRIES["14_angoka.pdf"], ENTRIES["15_kengen.pdf"]
    reader = PdfReader(FOLDER / closed["file"])
    assert reader.is_encrypted
    assert reader.decrypt("") == 0
    assert reader.decrypt(closed["password"]["user"]) != 0
    reader = PdfReader(FOLDER / open_["file"])
    assert reader.is_encrypted
    assert reader.decrypt("") != 0
    assert len(reader.pages) == open_["pages"]
    assert (closed["held"], closed["document_type"]) == (True, None)


def test_generator_still_draws_these_samples() -> None:
    book = FontBook()
    for sample in samples.catalogue():
        commission, entry = sample.commission, ENTRIES[sample.file]
        draft = Draft.begin(
            commission.seed, book, when=commission.when, disease=commission.disease, mask=commission.mask
        )
        LAYOUTS[commission.layout].draw(draft)
        drawn, first = truth(entry), 1 if commission.cover else 0
        now = {name: value["value"] for name, value in draft.truth()["fields"].items()}
        then = {name: value["value"] for name, value in drawn["fields"].items() if value["page"] > first}
        assert then.items() <= now.items(), f"{sample.file}: make the samples again"
