"""The way back: bits as they came, text where it stands, found by pdfium and poppler; PDF/A-2b by its rules."""

from __future__ import annotations

import io
import math
import re
import subprocess
from collections.abc import Sequence
from html import unescape
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pikepdf
import pypdf
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFont

from ocr.document import page_image
from ocr.errors import Damaged, Encrypted
from ocr.image import square, turn
from ocr.page import Box, PageText, Turn, Word
from ocr.searchable import ReadDocument, searchable
from ocr.textlayer import Alphabet, font_file

LINES = (
    "感染症発生届",
    "東京都知事殿 令和8年11月20日",
    "医療機関 みどり台総合病院 電話 03-4567-1234",
    "診断名 腸管出血性大腸菌感染症",
    "Imaginary Shipping Ltd. November 18",
    "髙橋﨑 𠮷野家 ﾌﾘｶﾞﾅ ｶｸｳ ①②㈱ 〒",
)


def written(lines: Sequence[str] = LINES, width: int = 1728, height: int = 1400, **more: Any) -> PageText:
    """A page as reading tells it: each part of a line is a run in its box, 44 dots high."""
    words = []
    for number, line in enumerate(lines):
        x, y = 140, 90 + 150 * number
        for part in line.split(" "):
            wide = sum(44 if ord(letter) > 0x2000 else 22 for letter in part)
            words.append(Word(part, (x, y, x + wide, y + 50), 0.98))
            x += wide + 60
    return page_text(tuple(words), "\n".join(lines), width, height, **more)


def page_text(words: tuple[Word, ...], text: str, width: int = 1728, height: int = 1400, **more: Any) -> PageText:
    given: dict[str, Any] = {
        "number": 1,
        "confidence": 0.98,
        "turned": 0,
        "skew": 0.0,
        "barcodes": (),
        "masked": (),
        "engine": "drawn",
    }
    return PageText(width=width, height=height, words=words, text=text, **(given | more))


def bound(data: bytes, *pages: PageText) -> bytes:
    return searchable([ReadDocument(data, dict(enumerate(pages, 1)))], "FAX 20261120-abcd1234")


def objects(data: bytes) -> list[Any]:
    reader = pypdf.PdfReader(io.BytesIO(data))
    return [item for number in range(1, len(reader.xref[0]) + 1) if (item := reader.get_object(number)) is not None]


def codes(data: bytes) -> list[bytes]:
    """The pictures' streams as they lie in the file."""
    return [bytes(item._data) for item in objects(data) if getattr(item, "get", {}.get)("/Subtype") == "/Image"]


def by_pdfium(data: bytes) -> list[str]:
    with pdfium.PdfDocument(data) as document:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n").rstrip("\n") for page in document]


def by_poppler(data: bytes, *options: str) -> str:
    command = ["pdftotext", *options, "-", "-"]
    said = subprocess.run(command, input=data, capture_output=True, check=True, timeout=30)
    assert not said.stderr, said.stderr
    return said.stdout.decode()


def places(data: bytes) -> list[tuple[str, Box]]:
    """Poppler's words with their boxes in points of the page as shown."""
    rows = re.findall(
        r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>',
        by_poppler(data, "-bbox"),
    )
    return [(unescape(text), tuple(map(float, box))) for *box, text in rows]  # type: ignore[misc]


@pytest.fixture(scope="module")
def sheet(paper: SimpleNamespace) -> Image.Image:
    """A page of the size that the texts are written for."""
    return paper.draw(LINES[:5], height=1400)


# ---- text


def test_the_text_is_found_as_it_was_read(paper: SimpleNamespace, sheet: Image.Image) -> None:
    page = written()
    made = bound(paper.tiff(sheet), page)
    assert by_pdfium(made) == [page.text]
    assert by_poppler(made, "-raw").split("\f")[0].rstrip("\n") == page.text


def test_a_wide_gap_is_one_space_and_words_that_touch_have_none(paper: SimpleNamespace, sheet: Image.Image) -> None:
    words = (
        Word("発生届", (100, 100, 232, 150), 0.9),
        Word("受付", (1300, 102, 1388, 149), 0.9),
        Word("番号", (1386, 100, 1474, 150), 0.9),
        Word("12", (1470, 100, 1510, 150), 0.9),
    )
    page = page_text(words, "発生届 受付番号 12")
    made = bound(paper.tiff(sheet), page)
    assert by_pdfium(made) == [page.text]
    assert by_poppler(made, "-raw").split("\n")[0] == page.text


def test_equal_values_below_one_another_are_all_there(paper: SimpleNamespace, sheet: Image.Image) -> None:
    """A text without bounds that stands an eighth of its width from an equal one is dropped by pdfium."""
    value = "嘔吐・下痢・腹痛・発熱"
    cells = tuple(Word(value, (200, 100 + 52 * row, 750, 148 + 52 * row), 0.9) for row in range(9))
    page = page_text(cells, "\n".join([value] * 9))
    made = bound(paper.tiff(sheet), page)
    assert by_pdfium(made) == [page.text]
    assert by_poppler(made, "-raw").count(value) == 9


@pytest.mark.parametrize("skew", [-5.0, -1.2, 0.8, 3.0])
def test_slanted_lines_stay_whole(paper: SimpleNamespace, sheet: Image.Image, skew: float) -> None:
    rise = math.tan(math.radians(skew))
    lines = ["感染症の予防及び感染症の患者に対する医療に関する法律第十二条第一項", "医療機関の名称 みどり台総合病院"]
    words = []
    for number, line in enumerate(lines):
        x = 120.0
        for part in line.split(" "):
            wide = 44.0 * len(part)
            feet = [400 + 110 * number - rise * place for place in (x, x + wide)]
            words.append(Word(part, (round(x), round(min(feet)) - 46, round(x + wide), round(max(feet))), 0.9))
            x += wide + 80
    page = page_text(tuple(words), "\n".join(lines), skew=skew)
    made = bound(paper.tiff(sheet), page)
    # pdfium parts lines by their boxes, which overlap where a line falls by as much as its distance from the next.
    assert [text.replace("\n", " ") for text in by_pdfium(made)] == [page.text.replace("\n", " ")]
    assert by_poppler(made, "-raw").split("\f")[0].rstrip("\n") == page.text


def test_vertical_writing_from_the_right_to_the_left(paper: SimpleNamespace, sheet: Image.Image) -> None:
    columns = ["拝啓時下ますますご清栄のこととお慶び申し上げます", "さて先般ご相談の件につきまして"]
    words = tuple(
        Word(text, (1400 - 90 * index, 100, 1450 - 90 * index, 100 + 48 * len(text)), 0.9)
        for index, text in enumerate(columns)
    )
    page = page_text(words, "\n".join(columns))
    made = bound(paper.tiff(sheet), page)
    assert by_pdfium(made) == [page.text]
    assert by_poppler(made, "-raw").split("\f")[0].rstrip("\n") == page.text
    points = 72 / 204, 72 / 196
    for word, (text, box) in zip(words, places(made), strict=True):
        assert word.text == text
        assert all(abs(box[edge] - word.box[edge] * points[edge % 2]) < 4 for edge in range(4))


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("wrapped", ["tiff", "pdf", "pdf turned"])
def test_words_lie_where_they_were_read_on_the_page_as_shown(
    paper: SimpleNamespace, sheet: Image.Image, turned: Turn, wrapped: str
) -> None:
    lying = turn(sheet, -turned % 360)  # type: ignore[arg-type]
    own = 0
    if wrapped == "tiff":
        data = paper.tiff(lying, dpi=(200, 200))
    else:
        own = 90 if "turned" in wrapped else 0
        code = paper.bare(turn(lying, -own % 360))  # type: ignore[arg-type]
        size = lying.size[::-1] if own else lying.size
        points = tuple(dots * 72 / 200 for dots in size)
        data = paper.raw_pdf(
            [paper.picture(code, size)],
            f"q {points[0]} 0 0 {points[1]} 10 20 cm /I0 Do Q".encode(),
            (points[0] + 10, points[1] + 20),
            f"/Rotate {own}",
        )
    page = written(width=sheet.width, height=sheet.height, turned=turned)
    read = turn(square(page_image(data, 1)).image, turned)
    assert paper.same(read, sheet), "the page is not the one that the words belong to"
    made = bound(data, page)
    assert by_pdfium(made) == [page.text]
    (shown,) = pypdf.PdfReader(io.BytesIO(made)).pages
    assert shown.rotation == (own + turned) % 360
    # A margin of 10 points on the left and 20 at the foot, as the page lies before it is turned.
    margin = (
        {0: (10, 0), 90: (20, 10), 180: (0, 20), 270: (0, 0)}[shown.rotation] if own or wrapped != "tiff" else (0, 0)
    )
    found = places(made)
    assert sorted(text for text, _ in found) == sorted(word.text for word in page.words)
    for word in page.words:
        wanted = [word.box[edge] * 72 / 200 + margin[edge % 2] for edge in range(4)]
        assert any(
            text == word.text and all(abs(one - other) < 4 for one, other in zip(box, wanted, strict=True))
            for text, box in found
        ), (word, wanted, found)


@pytest.mark.parametrize("kind", ["drawn", "picture"])
def test_the_crop_box_of_a_page_is_where_its_words_are(paper: SimpleNamespace, sheet: Image.Image, kind: str) -> None:
    picture = paper.picture(paper.bare(sheet), sheet.size)
    drawing = b"50 40 m 550 760 l S" if kind == "drawn" else b"q 500 0 0 720 50 40 cm /I0 Do Q"
    data = paper.raw_pdf([picture], drawing, page="/CropBox [50 40 550 760]")
    read = page_image(data, 1).image
    assert (read.size == sheet.size) is (kind == "picture")
    word = Word("届出", (read.width // 2, read.height // 4, read.width // 2 + 90, read.height // 4 + 45), 0.9)
    with pdfium.PdfDocument(bound(data, page_text((word,), "届出", *read.size))) as document:
        left, bottom, _, top = document[0].get_textpage().get_charbox(0)
    assert abs(left - (50 + 250)) < 2
    assert bottom - 5 < 760 - 720 / 4 - 45 / 2 * 720 / read.height < top + 5


def test_letters_inside_a_run_stand_near_their_places(paper: SimpleNamespace, sheet: Image.Image) -> None:
    page = page_text((Word("電話03-1234", (100, 100, 100 + 2 * 44 + 7 * 22, 150), 0.9),), "電話03-1234")
    with pdfium.PdfDocument(bound(paper.tiff(sheet, dpi=(200, 200)), page)) as document:
        left, *_ = document[0].get_textpage().get_charbox(2)
    assert abs(left - (100 + 2 * 44) * 72 / 200) < 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3), max_size=4),
    st.floats(-6, 6),
    st.sampled_from([0, 90, 180, 270]),
)
def test_whatever_was_read_can_be_written_and_opened(lines: list[list[str]], skew: float, turned: Turn) -> None:
    words = tuple(
        Word(text, (10 * column, 10 * row, 10 * column + len(text), 10 * row + 9), 0.5)
        for row, line in enumerate(lines)
        for column, text in enumerate(line)
    )
    page = page_text(words, "\n".join(" ".join(line) for line in lines), 60, 60, skew=skew, turned=turned)
    file = io.BytesIO()
    Image.new("1", (60, 60), 1).save(file, "PNG")
    made = bound(file.getvalue(), page)
    assert not problems(made)
    assert len(by_pdfium(made)) == 1


def test_more_characters_than_one_byte_counts(paper: SimpleNamespace, sheet: Image.Image) -> None:
    letters = [chr(0x4E00 + number) for number in range(600)]
    lines = ["".join(letters[at : at + 30]) for at in range(0, 600, 30)]
    page = page_text(
        tuple(Word(line, (100, 60 * row, 1420, 60 * row + 50), 0.9) for row, line in enumerate(lines)), "\n".join(lines)
    )
    assert by_pdfium(bound(paper.tiff(sheet), page)) == [page.text]


def test_a_page_that_says_itself_what_it_says_is_not_said_twice(paper: SimpleNamespace, sheet: Image.Image) -> None:
    page = written()
    once = bound(paper.tiff(sheet), page)
    assert by_pdfium(bound(once, page)) == [page.text]


# ---- pictures


@pytest.mark.parametrize(("across", "down"), [(204, 98), (204, 196), (204, 391), (408, 391)])
@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax_code_is_taken_over_as_it_is_on_paper_of_its_size(
    paper: SimpleNamespace, sheet: Image.Image, across: int, down: int, compression: str
) -> None:
    page = paper.draw(LINES[:5], dpi=(across, down), height=1400)
    data = paper.tiff(page, dpi=(across, down), compression=compression)
    made = bound(data)
    with Image.open(io.BytesIO(data)) as tiff:
        strips = zip(tiff.tag_v2[273], tiff.tag_v2[279], strict=True)
        assert codes(made) == [data[start : start + size] for start, size in strips]
    assert paper.same(page_image(made, 1).image, page)
    box = pypdf.PdfReader(io.BytesIO(made)).pages[0].mediabox
    assert abs(float(box.width) - 1728 / 204 * 72) < 0.5
    assert abs(float(box.height) - 1400 / 196 * 72) < 0.5


@pytest.mark.parametrize("options", [0, 1, 4, 5])
def test_group_3_in_one_and_two_dimensions(paper: SimpleNamespace, sheet: Image.Image, options: int) -> None:
    data = paper.tiff(sheet, compression="group3", tiffinfo={292: options, 278: 500})
    made = bound(data)
    assert len(codes(made)) == 3
    assert all(code in data for code in codes(made))
    assert paper.same(page_image(made, 1).image, sheet)


def test_white_runs_shown_white_and_bits_from_the_right(paper: SimpleNamespace, sheet: Image.Image) -> None:
    """As fax machines write it: MinIsWhite, FillOrder 2."""
    plain = paper.tiff(sheet, tiffinfo={262: 0, 278: 1400})
    code = bytes(int(f"{byte:08b}"[::-1], 2) for byte in paper.bare(sheet))
    fax = paper.tiff(sheet, tiffinfo={262: 0, 266: 2, 278: 1400})
    for data in (plain, fax):
        with Image.open(io.BytesIO(data)) as tiff:
            filled = tiff.tag_v2.get(266, 1)
            stored = data[tiff.tag_v2[273][0] :][: tiff.tag_v2[279][0]]
        made = bound(data)
        assert paper.same(page_image(made, 1).image, page_image(data, 1).image)
        reversed_ = bytes(int(f"{byte:08b}"[::-1], 2) for byte in stored)
        assert codes(made) == [reversed_ if filled == 2 else stored]
    assert code != paper.bare(sheet)


def test_damaged_code_is_shown_as_it_was_read(paper: SimpleNamespace, sheet: Image.Image) -> None:
    data = bytearray(paper.tiff(sheet, compression="group3", tiffinfo={278: 1400}))
    with Image.open(io.BytesIO(bytes(data))) as tiff:
        start, size = tiff.tag_v2[273][0], tiff.tag_v2[279][0]
    for place in range(start + size // 3, start + size // 3 + 40, 7):
        data[place] ^= 0x5A
    made = bound(bytes(data))
    assert paper.same(page_image(made, 1).image, page_image(bytes(data), 1).image)


@pytest.mark.parametrize("form", ["g4", "jbig2", "jpeg"])
def test_an_arriving_pdf_keeps_its_streams(paper: SimpleNamespace, sheet: Image.Image, form: str) -> None:
    grey = io.BytesIO()
    sheet.convert("L").save(grey, "JPEG", quality=70)
    pictures = {
        "g4": paper.picture(paper.bare(sheet), sheet.size),
        "jbig2": paper.picture(paper.jbig2(sheet), sheet.size, "JBIG2Decode"),
        "jpeg": paper.picture(grey.getvalue(), sheet.size, "DCTDecode", BitsPerComponent="8"),
    }
    drawing = f"q {1728 * 72 / 204} 0 0 {1400 * 72 / 196} 0 0 cm /I0 Do Q".encode()
    box = (1728 * 72 / 204, 1400 * 72 / 196)
    data = paper.raw_pdf([pictures[form]], drawing, box)
    page = written()
    made = bound(data, page)
    assert codes(made) == codes(data)
    assert by_pdfium(made) == [page.text]
    assert paper.same(page_image(made, 1).image, page_image(data, 1).image)
    assert drawing in [item.get_data() for item in objects(made) if isinstance(item, pypdf.generic.StreamObject)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_taken_over_and_shown_upright(paper: SimpleNamespace, orientation: int) -> None:
    picture = Image.linear_gradient("L").resize((640, 400)).convert("RGB")
    picture.paste((200, 30, 30), (40, 30, 240, 120))
    exif = Image.Exif()
    exif[274] = orientation
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90, exif=exif, dpi=(200, 200))
    made = bound(file.getvalue())
    assert codes(made) == [file.getvalue()]
    seen = page_image(made, 1).image.convert("L").resize((40, 40))
    read = page_image(file.getvalue(), 1).image.convert("L").resize((40, 40))
    different = sum(abs(one - other) for one, other in zip(seen.tobytes(), read.tobytes(), strict=True)) / 1600
    assert different < 6


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "LA"])
def test_a_png_is_taken_over_where_pdf_knows_its_form(paper: SimpleNamespace, sheet: Image.Image, mode: str) -> None:
    file = io.BytesIO()
    sheet.convert("L").convert(mode).save(file, "PNG", dpi=(200, 200))
    made = bound(file.getvalue())
    (code,) = codes(made)
    assert (code in file.getvalue()) is (mode != "LA")
    assert (
        page_image(made, 1).image.convert("L").tobytes() == page_image(file.getvalue(), 1).image.convert("L").tobytes()
    )


def test_size(paper: SimpleNamespace) -> None:
    """At most 1.15 of the original, 4 KB that every file needs once, and the text: 12 bytes a letter with its map."""
    sheets = [paper.draw([line[number:] + line[:number] for line in LINES[:5]] * 3, height=2200) for number in range(3)]
    for data in (paper.tiff(*sheets, tiffinfo={278: 2200}), paper.pdf(*sheets)):
        pages = [written(height=2200) for _ in sheets]
        bare, made = bound(data), bound(data, *pages)
        letters = sum(len(page.text) for page in pages)
        assert len(bare) < 1.15 * len(data) + 4096
        assert len(made) < len(bare) + 12 * letters


# ---- documents


def test_documents_follow_one_another_and_an_unread_page_is_there_without_text(
    paper: SimpleNamespace, sheet: Image.Image
) -> None:
    one = ReadDocument(paper.tiff(sheet, sheet), {2: written(["二枚目"], number=2)})
    two = ReadDocument(paper.pdf(sheet), {1: written(["三枚目"])})
    assert by_pdfium(searchable([one, two], "FAX")) == ["", "二枚目", "三枚目"]


def test_the_same_pages_give_the_same_bytes(paper: SimpleNamespace, sheet: Image.Image) -> None:
    for data in (paper.pdf(sheet), paper.tiff(sheet)):
        assert bound(data, written()) == bound(data, written())


def test_a_page_that_cannot_be_opened_is_crossed_out(paper: SimpleNamespace, sheet: Image.Image) -> None:
    data = bytearray(paper.tiff(sheet, sheet))
    with Image.open(io.BytesIO(bytes(data))) as tiff:
        tiff.seek(1)
        start = tiff._frame_pos[1]
    place = data.index(bytes((0, 1)), start)  # ImageWidth of the second page (TIFF 6.0: tag 256)
    data[place + 8 : place + 12] = bytes(4)
    with pytest.raises(Damaged):
        page_image(bytes(data), 2)
    made = searchable([ReadDocument(bytes(data), {1: written()})], "FAX")
    assert by_pdfium(made) == [written().text, ""]
    assert len(codes(made)) == len(codes(bound(paper.tiff(sheet))))
    with pdfium.PdfDocument(made) as document:
        crossed = document[1].render().to_pil().convert("L").getextrema()
    assert crossed[0] < 128


def test_what_cannot_be_opened_hides_nothing_else(paper: SimpleNamespace, sheet: Image.Image) -> None:
    locked = pypdf.PdfWriter()
    locked.add_blank_page(600, 800)
    locked.encrypt("geheim", algorithm="AES-256")
    file = io.BytesIO()
    locked.write(file)
    closed, open_ = ReadDocument(file.getvalue(), {}), ReadDocument(paper.tiff(sheet), {1: written()})
    assert by_pdfium(searchable([closed, open_], "FAX")) == [written().text]
    with pytest.raises(Encrypted):
        searchable([closed], "FAX")
    for nothing in ([], [ReadDocument(b"nothing", {})]):
        with pytest.raises(Damaged):
            searchable(nothing, "FAX")


def test_a_pdf_whose_owner_alone_has_a_password_opens_for_everybody(paper: SimpleNamespace, sheet: Image.Image) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(paper.pdf(sheet)))
    writer.encrypt("", "owner", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    made = bound(file.getvalue(), written())
    assert b"/Encrypt" not in made
    assert codes(made) == codes(paper.pdf(sheet))


def test_what_a_pdf_would_do_is_left_behind(paper: SimpleNamespace, sheet: Image.Image) -> None:
    action = "<</S /JavaScript /JS (app.alert(1))>>"
    data = paper.raw_pdf(
        [paper.picture(paper.bare(sheet), sheet.size)],
        page=f"/AA <</O {action}>> /Annots [<</Type /Annot /Subtype /Link /Rect [0 0 9 9] /A {action}>>]",
    )
    assert b"JavaScript" in data
    assert b"JavaScript" not in bound(data, written())


def test_a_pdf_cut_off_gives_the_pages_that_are_left(paper: SimpleNamespace, sheet: Image.Image) -> None:
    whole = paper.pdf(sheet, sheet)
    cut = whole[: whole.rindex(b"xref")]
    assert by_pdfium(bound(cut, written(), written(number=2))) == [written().text] * 2


# ---- PDF/A-2b (ISO 19005-2); no validator of that part can be installed from a registry, so its rules stand here


def problems(data: bytes) -> list[str]:
    """What qpdf finds wrong with the file's form."""
    with pikepdf.open(io.BytesIO(data)) as document:
        return list(document.check_pdf_syntax())


def claims(data: bytes) -> bool:
    root = pypdf.PdfReader(io.BytesIO(data)).root_object
    metadata = root["/Metadata"].get_object()
    assert "/Filter" not in metadata
    about = metadata.get_data().decode()
    assert about.startswith("<?xpacket begin='\ufeff'")
    ET.fromstring(about)  # noqa: S314 our own
    return "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in about


def test_the_file_keeps_the_rules_of_its_claim(paper: SimpleNamespace, sheet: Image.Image) -> None:
    made = bound(paper.tiff(sheet), written())
    assert claims(made)
    assert not problems(made)
    lines = made.split(b"\n", 2)
    assert re.fullmatch(rb"%PDF-1\.[0-7]", lines[0])  # 6.1.2
    assert re.match(rb"%[\x80-\xff]{4}", lines[1])
    reader = pypdf.PdfReader(io.BytesIO(made))
    assert len(reader.trailer["/ID"]) == 2  # 6.1.3
    assert "/Encrypt" not in reader.trailer
    assert "/Info" not in reader.trailer
    (intent,) = reader.root_object["/OutputIntents"]  # 6.2.3
    assert intent["/S"] == "/GTS_PDFA1"
    profile = intent["/DestOutputProfile"].get_object()
    colour = ImageCms.ImageCmsProfile(io.BytesIO(profile.get_data())).profile
    assert (colour.device_class.strip(), colour.xcolor_space.strip(), profile["/N"]) == ("mntr", "RGB", 3)
    assert colour.version < 5
    for page in reader.pages:
        assert set(page) <= {"/Type", "/Parent", "/MediaBox", "/Contents", "/Resources", "/Rotate"}
        for picture in page["/Resources"]["/XObject"].values():
            assert "/Interpolate" not in picture.get_object()  # 6.2.8
    for item in objects(made):
        if isinstance(item, pypdf.generic.StreamObject):
            assert not {"/F", "/FFilter", "/FDecodeParms"} & set(item)  # 6.1.7.1
            assert item.get("/Filter") in (None, "/FlateDecode", "/CCITTFaxDecode")  # 6.1.7.2


def test_the_font_is_embedded_and_says_what_its_codes_mean(paper: SimpleNamespace, sheet: Image.Image) -> None:
    """6.2.11: widths as in the font's file, a map from codes to glyphs, and a meaning for every code (6.2.11.7.2)."""
    (page,) = pypdf.PdfReader(io.BytesIO(bound(paper.tiff(sheet), written()))).pages
    font = page["/Resources"]["/Font"]["/FaxlessText"]
    below = font["/DescendantFonts"][0]
    file = below["/FontDescriptor"]["/FontFile2"].get_data()
    assert file == font_file()
    assert ImageFont.truetype(io.BytesIO(file), 100).getname()
    alphabet = Alphabet.of(word.text for word in written().words)
    glyphs = below["/CIDToGIDMap"].get_data()
    first, last, narrow = below["/W"]
    for letter, code in alphabet.codes.items():
        glyph = int.from_bytes(glyphs[2 * code : 2 * code + 2])
        told = narrow if first <= code <= last else below["/DW"]
        assert told == {1: 500, 2: 1000}[glyph], letter
    meanings = font["/ToUnicode"].get_data()
    assert all(letter.encode("utf-16-be").hex().encode() in meanings for letter in alphabet.codes)
    assert len(re.findall(rb"<[0-9a-f]{4,8}>(?=[<\]])", meanings)) == len(alphabet.codes)


def test_nothing_of_the_text_shows(paper: SimpleNamespace, sheet: Image.Image) -> None:
    with (
        pdfium.PdfDocument(bound(paper.tiff(sheet), written())) as made,
        pdfium.PdfDocument(bound(paper.tiff(sheet))) as bare,
    ):
        one, other = (document[0].render(scale=1.5) for document in (made, bare))
        assert one.to_pil().tobytes() == other.to_pil().tobytes()


CASES = {
    "pictures alone": ({}, {}, True),
    "a font of its own": ({"contents": b"BT /F 9 Tf (x) Tj ET q 600 0 0 800 0 0 cm /I0 Do Q"}, {}, False),
    "a graphics state": ({"contents": b"/G gs q 600 0 0 800 0 0 cm /I0 Do Q"}, {}, False),
    "a soft mask": ({}, {"SMask": "9 0 R"}, False),
    "interpolation": ({}, {"Interpolate": "true"}, False),
    "inks": ({}, {"ColorSpace": "/DeviceCMYK"}, False),
    "a form": ({"page": "/Annots [<</Type /Annot /Subtype /Widget /Rect [0 0 9 9]>>]"}, {}, False),
    "units of its own": ({"page": "/UserUnit 2"}, {}, False),
    "too large": ({"box": (20000, 20000)}, {}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_only_a_pdf_of_pictures_alone_becomes_pdf_a(paper: SimpleNamespace, sheet: Image.Image, case: str) -> None:
    whole, picture, fits = CASES[case]
    data = paper.raw_pdf([paper.picture(paper.bare(sheet), sheet.size, **picture)], **whole)
    made = searchable([ReadDocument(paper.tiff(sheet), {}), ReadDocument(data, {})], "FAX")
    assert claims(made) is fits
    assert len(pypdf.PdfReader(io.BytesIO(made)).pages) == 2


def test_the_title_and_odd_letters_stand_in_the_metadata(paper: SimpleNamespace, sheet: Image.Image) -> None:
    made = searchable([ReadDocument(paper.tiff(sheet), {})], "FAX <&> 20261120")
    assert "FAX &lt;&amp;&gt; 20261120" in made.decode("utf-8", "replace")
    assert pypdf.PdfReader(io.BytesIO(made)).root_object["/Lang"] == "ja"


# ---- the whole way


def test_a_page_read_by_the_engine_is_found_again(paper: SimpleNamespace, paddle: Any) -> None:
    from ocr.read import read_page

    data = paper.tiff(turn(paper.draw(), 180))
    page = read_page(data, 1, paddle).page
    assert page.turned == 180
    assert "腸管出血性大腸菌感染症" in page.text
    made = bound(data, page)
    assert by_pdfium(made) == [page.text]
    assert by_poppler(made, "-raw").split("\f")[0].rstrip("\n") == page.text
