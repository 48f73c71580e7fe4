"""Fax PDFs: the scanned bits come out untouched, whatever wraps them."""

from __future__ import annotations

import io
import zlib

import pypdf
import pytest

from ocr.document import Limits, open_document, page_image
from ocr.errors import Damaged, DocumentError, Encrypted, TooLarge
from ocr.page import Document


@pytest.mark.parametrize("dpi", [(204, 98), (204, 196), (204, 391), (200, 100), (200, 200), (200, 400), (408, 391)])
def test_ccitt_bits_come_out_identical_with_their_resolution(paper, dpi):
    page = paper.draw(dpi=dpi)
    data = paper.pdf(page, dpi=dpi)
    assert open_document(data) == Document("pdf-ccitt", 1)
    found = page_image(data, 1)
    assert paper.same(found.image, page)
    assert found.dpi == pytest.approx(dpi, rel=0.01)


def test_pages_of_mixed_resolution_keep_their_own(paper):
    fine, standard = paper.draw(), paper.draw(dpi=paper.STANDARD)
    writer = pypdf.PdfWriter()
    for page, dpi in ((fine, paper.FINE), (standard, paper.STANDARD), (fine, paper.FINE)):
        writer.append(io.BytesIO(paper.pdf(page, dpi=dpi)))
    file = io.BytesIO()
    writer.write(file)
    data = file.getvalue()
    assert open_document(data).pages == 3
    found = [page_image(data, number) for number in (1, 2, 3)]
    assert [round(page.dpi[1]) for page in found] == [196, 98, 196]
    assert [page.number for page in found] == [1, 2, 3]
    assert paper.same(found[1].image, standard)


def test_jbig2_bits_come_out_identical(paper):
    page = paper.draw()
    data = paper.raw_pdf([paper.picture(paper.jbig2(page), page.size, "JBIG2Decode")])
    assert open_document(data).kind == "pdf-jbig2"
    assert paper.same(page_image(data, 1).image, page)


@pytest.mark.parametrize("kind", ["BlackIs1", "Decode", "both", "mask", "inverted mask", "palette"])
def test_black_stays_black_however_the_pdf_says_it(paper, kind):
    page = paper.draw()
    parameters = f"<</K -1 /Columns {page.width} /Rows {page.height} /BlackIs1 true>>"
    mask = {"ColorSpace": "null", "ImageMask": "true"}
    more = {
        # Shown white on black by every viewer: BlackIs1 alone inverts a gray picture (ISO 32000-1 table 11).
        "BlackIs1": {"DecodeParms": parameters},
        "Decode": {"Decode": "[1 0]"},
        "both": {"DecodeParms": parameters, "Decode": "[1 0]"},
        "mask": mask,
        "inverted mask": {**mask, "DecodeParms": parameters, "Decode": "[1 0]"},
        "palette": {"ColorSpace": "[/Indexed /DeviceGray 1 <FF00>]", "DecodeParms": parameters},
    }[kind]
    code = paper.bare(page)
    found = page_image(paper.raw_pdf([paper.picture(code, page.size, **more)]), 1).image
    expected = page.point(lambda value: 255 - value) if kind in ("BlackIs1", "Decode") else page
    assert paper.same(found, expected)


def test_group_3_without_end_of_line_codes_is_read(paper):
    # T.4 one-dimensional rows, byte-aligned and without EOL: what TIFF calls compression 2.
    page = paper.draw(height=300)
    code = paper.bare(page, "tiff_ccitt")
    parameters = f"<</K 0 /Columns {page.width} /Rows {page.height} /EncodedByteAlign true>>"
    picture = paper.picture(code, page.size, DecodeParms=parameters)
    assert paper.same(page_image(paper.raw_pdf([picture]), 1).image, page)


def test_flate_and_jpeg_pictures(paper):
    page = paper.draw()
    flate = paper.raw_pdf([paper.picture(zlib.compress(page.tobytes()), page.size, "FlateDecode")])
    assert paper.same(page_image(flate, 1).image, page)
    jpeg = io.BytesIO()
    page.convert("L").save(jpeg, "JPEG", quality=90)
    data = paper.raw_pdf([paper.picture(jpeg.getvalue(), page.size, "DCTDecode", BitsPerComponent="8")])
    assert open_document(data).kind == "pdf-jpeg"
    found = page_image(data, 1).image
    assert (found.mode, found.size) == ("L", page.size)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotate_entry_is_obeyed_without_resampling(paper, turn):
    page = paper.draw(dpi=paper.STANDARD)
    # 8.47 in x 3.57 in
    box = (page.width / 204 * 72, page.height / 98 * 72)
    contents = f"q {box[0]} 0 0 {box[1]} 0 0 cm /I0 Do Q".encode()
    data = paper.raw_pdf([paper.picture(paper.bare(page), page.size)], contents, box, f"/Rotate {turn}")
    found = page_image(data, 1)
    assert paper.same(found.image, page.rotate(-turn, expand=True))
    assert found.dpi == pytest.approx((204, 98) if turn == 180 else (98, 204), rel=0.01)


@pytest.mark.parametrize("matrix", ["0 800 -600 0 600 0", "-600 0 0 -800 600 800", "0 -800 600 0 0 800"])
def test_picture_drawn_turned_is_turned_without_resampling(paper, matrix):
    page = paper.draw(height=2292)
    data = paper.raw_pdf([paper.picture(paper.bare(page), page.size)], f"q {matrix} cm /I0 Do Q".encode())
    turn = {"0 8": 90, "-60": 180, "0 -": 270}[matrix[:3]]
    assert paper.same(page_image(data, 1).image, page.rotate(turn, expand=True))


def test_strips_are_joined_to_the_page_that_was_scanned(paper):
    page = paper.draw(height=800, dpi=paper.STANDARD)
    tall = page.height // 4
    strips = [page.crop((0, top, page.width, top + tall)) for top in range(0, page.height, tall)]
    contents = b"".join(
        f"q 600 0 0 200 0 {600 - 200 * index} cm /I{index} Do Q\n".encode() for index in range(len(strips))
    )
    data = paper.raw_pdf([paper.picture(paper.bare(strip), strip.size) for strip in strips], contents)
    found = page_image(data, 1)
    assert paper.same(found.image, page)
    assert found.dpi == pytest.approx((page.width / 600 * 72, page.height / 800 * 72))


def test_hidden_text_layer_does_not_matter_but_visible_text_does(paper):
    page = paper.draw(height=2292)
    picture = paper.picture(paper.bare(page), page.size)
    font = "/Resources <</XObject <</I0 5 0 R>> /Font <</F <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>>"
    contents = b"q 600 0 0 800 0 0 cm /I0 Do Q BT %d Tr /F 40 Tf 50 700 Td (RECEIVED RECEIVED) Tj ET"
    hidden = page_image(paper.raw_pdf([picture], contents % 3, page=font), 1).image
    assert paper.same(hidden, page)
    stamped = page_image(paper.raw_pdf([picture], contents % 0, page=font), 1).image
    assert not paper.same(stamped.convert("1"), page)
    # rendered at the picture's own resolution
    assert stamped.size == page.size


def test_drawn_page_is_rendered_square(paper):
    data = paper.raw_pdf(contents=b"100 100 200 300 re f", box=(595, 842))
    assert open_document(data).kind == "pdf-drawn"
    found = page_image(data, 1)
    assert found.dpi == (204, 204)
    assert found.image.size == (round(595 / 72 * 204), round(842 / 72 * 204))
    assert found.image.convert("L").getpixel((round(200 / 72 * 204), round(600 / 72 * 204))) == 0


def test_leading_junk_is_tolerated(paper):
    page = paper.draw()
    data = b"\r\nX-Junk: from a broken mail gateway\r\n\r\n" + paper.pdf(page)
    assert open_document(data) == Document("pdf-ccitt", 1)
    assert paper.same(page_image(data, 1).image, page)


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"])
def test_owner_password_alone_locks_nothing_and_user_password_does(paper, algorithm):
    page = paper.draw()
    locked = {}
    for user in ("", "himitsu"):
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(paper.pdf(page)))
        writer.encrypt(user, "owner", algorithm=algorithm)
        file = io.BytesIO()
        writer.write(file)
        locked[user] = file.getvalue()
    assert open_document(locked[""]) == Document("pdf-ccitt", 1)
    assert paper.same(page_image(locked[""], 1).image, page)
    for call in (open_document, lambda data: page_image(data, 1)):
        with pytest.raises(Encrypted) as caught:
            call(locked["himitsu"])
        assert not caught.value.again
        assert "パスワード" in str(caught.value)


def test_pages_before_the_cut_can_be_read(paper):
    page = paper.draw()
    whole = paper.pdf(*[page] * 3)
    data = whole[: int(len(whole) * 0.7)]
    assert paper.same(page_image(data, 1).image, page)
    with pytest.raises(Damaged):
        page_image(data, 4)


def test_cut_within_the_only_picture_gives_what_is_there(paper):
    page = paper.draw(height=2292)
    whole = paper.raw_pdf([paper.picture(paper.bare(page), page.size)])
    cut = whole[: whole.index(b"endstream", whole.index(b"CCITT")) // 2 * 2 - 2000]
    try:
        found = page_image(cut, 1).image
    except Damaged:
        return
    assert found.height > 100


def test_drawing_instructions_that_unpack_to_200_mb_are_too_large(paper):
    bomb = zlib.compress(b"0 0 m 1 1 l S\n" * (200_000_000 // 14), 9)
    data = paper.raw_pdf(contents=b"q Q").replace(
        b"<</Length 3>>\nstream\nq Q\nendstream",
        f"<</Length {len(bomb)} /Filter /FlateDecode>>\nstream\n".encode() + bomb + b"\nendstream",
    )
    with pytest.raises(TooLarge):
        page_image(data, 1)


def test_picture_of_60000_square_pixels_is_too_large(paper):
    code = paper.bare(paper.draw(height=40))
    data = paper.raw_pdf([paper.picture(code, (60_000, 60_000))])
    assert open_document(data).pages == 1
    with pytest.raises(TooLarge):
        page_image(data, 1)


def test_paper_of_200_inches_is_too_large_and_a_plan_is_rendered_smaller(paper):
    with pytest.raises(TooLarge):
        page_image(paper.raw_pdf(contents=b"0 0 9 9 re f", box=(200_000, 200_000)), 1)
    plan = page_image(paper.raw_pdf(contents=b"0 0 900 900 re f", box=(3000, 3000)), 1, Limits(page_pixels=20_000_000))
    assert plan.image.width * plan.image.height <= 20_000_000
    assert plan.dpi[0] < 204


def test_more_pages_than_the_limit_are_too_large(paper):
    data = paper.pdf(*[paper.draw(height=60)] * 4)
    with pytest.raises(TooLarge):
        open_document(data, Limits(pages=3))


def test_a_page_that_is_not_there_is_damaged(paper):
    for number in (0, -1, 2):
        with pytest.raises(DocumentError):
            page_image(paper.pdf(paper.draw(height=60)), number)
