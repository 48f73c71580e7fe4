"""Numbers in every writing that the field knows (T.30 machines, people, letterheads)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.number import FaxNumber, find, parse

DASHES = "-－‐‑–—―−ー一～"


@pytest.mark.parametrize(
    "written",
    [
        "03-5388-1396",
        "０３－５３８８－１３９６",
        "(03)5388-1396",
        "（０３）５３８８−１３９６",
        "03(5388)1396",
        "03ー5388ー1396",
        "03 5388 1396",
        "0353881396",
        "+81 3 5388 1396",
        "+81(0)3-5388-1396",
        "81353881396",
        "81 3 5388 1396",
        "813-5388-1396",
        "010 81 3-5388-1396",
        "0081-3-5388-1396",
        "TEL:03-5388-1396",
        "ＦＡＸ：03-5388-1396",
        "Fax No. 03-5388-1396",
        "FAX番号 ０３（５３８８）１３９６",
        "TEL/FAX 03-5388-1396",
        "代表 03-5388-1396",
        "03-5388-1396 内線12",
        "03-5388-1396（内線 12）",
        "03-5388-1396(代)",
        "03-5388-1396㈹",
        "03-5388-1396 ext. 5",
        "03-5388-1396/1397",
        "FAX=+81353881396",
        "FAX=+81353881396/T33S=12",
        "'+81353881396'",
    ],
)
def test_every_writing_is_one_number(written: str) -> None:
    assert parse(written) == FaxNumber("+81353881396")


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("050-3161-8634", "+815031618634"),
        ("060-1234-5678", "+816012345678"),
        ("0120-123-456", "+81120123456"),
        ("0800-123-4567", "+818001234567"),
        ("0570-012-345", "+81570012345"),
        ("04992-2-1234", "+81499221234"),
        ("+44-20-7946-0812", "+442079460812"),
    ],
)
def test_other_kinds_of_numbers(written: str, e164: str) -> None:
    number = parse(written)
    assert number is not None
    assert number.e164 == e164
    assert number.printed == written


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "非通知",
        "UNKNOWN",
        "anonymous",
        "公衆電話",
        "表示圏外",
        "P",
        "5388-1396",
        "353881396",
        "みどり病院",
        "+",
        "+81",
        "0",
        "03",
        "9" * 81,
    ],
)
def test_no_number_is_none(written: str) -> None:
    assert parse(written) is None


def test_numbers_inside_text_without_dates_codes_and_amounts() -> None:
    text = (
        "電話 03-4320-1732 FAX 03-3535-5574 2026-11-20 受付番号 58878154 PO-2026-71136 〒163-8001 R8.11.23 "
        "（０３）５３２０－１１１１、+81-3-5320-1112。090-1531-9216 2026年 1234-0312345678 03-4320-1732"
    )
    assert [n.e164 for n in find(text)] == [
        "+81343201732",
        "+81335355574",
        "+81353201111",
        "+81353201112",
        "+819015319216",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "03 5555 0101 03 5555 0199",
        "03-5555-0101 03-5555-0199",
        "+81 3 5555 0101 +81 3 5555 0199",
        "(03) 5555-0101 (03) 5555-0199",
        "TEL 03 5555 0101 FAX 03 5555 0199",
    ],
)
def test_numbers_parted_by_one_space_are_two(text: str) -> None:
    assert [n.e164 for n in find(text)] == ["+81355550101", "+81355550199"]


@pytest.mark.parametrize("text", ["0 " * 300_000, "0" * 1_000_000, "03-" * 300_000, "0 ( -" * 200_000, "+8" * 400_000])
def test_hostile_text_ends(text: str) -> None:
    assert len(find(text)) <= 200


@given(st.text(max_size=90))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = parse(text)
    assert number is None or (number.e164.startswith("+") and number.e164[1:].isdigit() and 7 < len(number.e164) <= 16)


@given(
    st.integers(2, 9),
    st.integers(0, 999),
    st.integers(0, 9999),
    st.sampled_from(DASHES),
    st.booleans(),
    st.sampled_from(["", "TEL:", "FAX ", "電話:"]),
    st.sampled_from(["", " 内線3", "(代)"]),
)
def test_a_tokyo_number_survives_its_writing(
    first: int, exchange: int, subscriber: int, dash: str, wide: bool, before: str, behind: str
) -> None:
    plain = f"03{dash}{first}{exchange:03}{dash}{subscriber:04}"
    written = plain.translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)}) if wide else plain
    expected = parse(f"+813{first}{exchange:03}{subscriber:04}")
    assert parse(before + written + behind) == expected
    if expected is not None:
        assert parse(expected.e164) == expected
