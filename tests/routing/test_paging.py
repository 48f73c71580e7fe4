"""Page 2 of 3 and no page 3: held; an unread number, several faxes in one mail, 1/1 on every page: not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.facts import PageFacts
from routing.paging import Lacking, Printed, lacking


def fax(*told: Printed | None) -> list[PageFacts]:
    return [PageFacts(number=n, text="", printed=one) for n, one in enumerate(told, 1)]


@pytest.mark.parametrize(
    "told",
    [
        [(1, 3), (2, 3), (3, 3)],
        [(1, 1), (1, 1), (1, 1)],  # some machines print so on every page
        [(1, 2), (2, 2), (1, 3), (2, 3), (3, 3)],  # two faxes in one mail
        [(1, 2), (2, 2), (1, 2), (2, 2)],
        [(1, 3), None, (3, 3)],  # a line that was not read
        [None, (2, 3), (3, 3)],
        [(1, 3), (2, 3), None],
        [None, (2, 2), None, (2, 2)],
        [(1, 2), None, None, (2, 2)],
        [(1, None), (2, None), (3, None)],
        [(2, None)],  # a number alone may be misread
        [(1, 3), (2, 3), (8, 8)],  # misread
        [(1, 3), (2, 8), (3, 3)],  # misread
        [None, None],
        [],
    ],
)
def test_nothing_is_missing(told: list[Printed | None]) -> None:
    assert lacking(fax(*told)) == ()


@pytest.mark.parametrize(
    ("told", "gone"),
    [
        ([(1, 3), (2, 3)], Lacking(3, (3,), 1)),
        ([(2, 3), (3, 3)], Lacking(3, (1,), 1)),
        ([(1, 3), (3, 3)], Lacking(3, (2,), 1)),
        ([(2, 3)], Lacking(3, (1, 3), 2)),
        ([(1, 5), None, (5, 5)], Lacking(5, (), 2)),
        ([(1, 5), None], Lacking(5, (), 3)),
        ([(1, 2), (1, 3), (2, 3), (3, 3)], Lacking(2, (2,), 1)),
        ([(1, 2), (2, 2), (2, 3), (3, 3)], Lacking(3, (1,), 1)),
        ([(1, None), (3, None)], Lacking(None, (2,), 1)),
        ([(2, None), (3, None)], Lacking(None, (1,), 1)),
        ([(1, 12), (2, 12)], Lacking(12, tuple(range(3, 13)), 10)),
    ],
)
def test_what_is_missing_is_named(told: list[Printed | None], gone: Lacking) -> None:
    assert lacking(fax(*told)) == (gone,)


def test_two_faxes_in_one_mail_may_both_lack_something() -> None:
    assert lacking(fax((1, 3), (1, 4))) == (Lacking(3, (2, 3), 2), Lacking(4, (2, 3, 4), 3))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_whole_faxes_lack_nothing_however_many_lines_were_not_read(totals: list[int], data: st.DataObject) -> None:
    whole: list[Printed | None] = [(n, m) for m in totals for n in range(1, m + 1)]
    unread = data.draw(st.sets(st.integers(0, len(whole) - 1)))
    assert lacking(fax(*(None if at in unread else one for at, one in enumerate(whole)))) == ()


@given(st.integers(2, 9), st.data())
def test_a_lost_page_is_named(total: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(1, total))
    rest = [(n, total) for n in range(1, total + 1) if n != lost]
    assert lacking(fax(*rest)) == (Lacking(total, (lost,), 1),)


@given(st.lists(st.none() | st.tuples(st.integers(1, 9), st.none() | st.integers(1, 9)), max_size=12))
def test_any_numbers_give_an_answer(told: list[Printed | None]) -> None:
    assert all(gone.count >= max(1, len(gone.numbers)) for gone in lacking(fax(*told)))


@pytest.mark.parametrize("line", ["P.01/03", "P. 1/ 3", "1/3頁", "ページ 1／3", "001/003", "page 1/3"])
def test_the_text_alone_tells_it_too(line: str) -> None:
    assert lacking([PageFacts(number=1, text=f"{line}\n感染症発生届")]) == (Lacking(3, (2, 3), 2),)
