"""From RCPT TO to the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.department import Line, Organisation
from routing.line import line_of

KANSEN = Line("kansen", "Kansen@fax.example.lg.jp", "+81355551000")
SHOKUHIN = Line("shokuhin", "shokuhin@fax.example.lg.jp", "03-5555-1001")
BOSAI = Line("bosai", "bosai@[10.0.0.5]", "")
ORGANISATION = Organisation(lines=(KANSEN, SHOKUHIN, BOSAI))


@pytest.mark.parametrize(
    ("rcpt", "line"),
    [
        ("kansen@fax.example.lg.jp", KANSEN),
        ("KANSEN@FAX.EXAMPLE.LG.JP", KANSEN),
        (" kansen@fax.example.lg.jp ", KANSEN),
        ("FAX=+81355551000@fax.example.lg.jp", KANSEN),
        ("fax=+81355551000@gateway", KANSEN),
        ("FAX=+81-3-5555-1000@gateway", KANSEN),
        ("/FAX=+81355551000/T33S=12@gateway", KANSEN),
        ("FAX=+81355551000/T33S=1387@gateway", KANSEN),
        ('"FAX=+81355551000"@gateway', KANSEN),
        ("FAX=0355551001@gateway", SHOKUHIN),
        ("FAX=+81355551001@[192.0.2.1]", SHOKUHIN),
        ("kansen@[10.0.0.5]", KANSEN),
        ("Shokuhin@[IPv6:2001:db8::1]", SHOKUHIN),
        ("bosai@[10.0.0.5]", BOSAI),
        ("bosai@[10.0.0.6]", BOSAI),
    ],
)
def test_line_found(rcpt: str, line: Line) -> None:
    assert line_of(ORGANISATION, rcpt) == line


@pytest.mark.parametrize(
    "rcpt",
    [
        "",
        "@",
        "kansen",
        "kansen@other.example",
        "nobody@[10.0.0.5]",
        "@[10.0.0.5]",
        "FAX=@gateway",
        "FAX=+81355559999@gateway",
        "FAX=非通知@gateway",
        "bosai@10.0.0.5",
        "FAX=" + "8" * 400 + "@gateway",
    ],
)
def test_no_line(rcpt: str) -> None:
    assert line_of(ORGANISATION, rcpt) is None


def test_what_speaks_for_two_lines_speaks_for_none() -> None:
    twins = Organisation(lines=(Line("a", "fax@a.example", "+81355551000"), Line("b", "fax@b.example", "+81355551000")))
    assert line_of(twins, "fax@[10.0.0.5]") is None
    assert line_of(twins, "FAX=+81355551000@gateway") is None
    assert line_of(twins, "fax@b.example") == twins.lines[1]


@given(st.text(max_size=400))
def test_any_recipient_is_answered(rcpt: str) -> None:
    assert line_of(ORGANISATION, rcpt) in (None, *ORGANISATION.lines)


@given(
    st.sampled_from([KANSEN, SHOKUHIN]), st.booleans(), st.sampled_from(["", "/T33S=1", "/T33S=12/x=y"]), st.booleans()
)
def test_a_line_is_found_by_its_number_however_written(line: Line, lower: bool, qualifier: str, quoted: bool) -> None:
    digits = {"kansen": "+81355551000", "shokuhin": "+81355551001"}[line.id]
    local = f"{'fax' if lower else 'FAX'}={digits}{qualifier}"
    assert line_of(ORGANISATION, f'"{local}"@gw' if quoted else f"{local}@gw") == line
