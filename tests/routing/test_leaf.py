"""Page numbers on forms: believed where they run, never a date or a dose; documents told apart by them."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import disease, taxonomy
from routing.classify import classify
from routing.clock import JST
from routing.decide import decide
from routing.department import Department, Organisation
from routing.facts import Classification, Decision, Facts, Line, PageFacts
from routing.leaf import leaves
from routing.paging import Printed

TAXONOMY, DISEASES = taxonomy.load(), disease.load()
KINDS = dict.fromkeys(kind.destination_kind for kind in TAXONOMY.types)
CITY = Organisation(departments=tuple(Department(kind, kind, kind) for kind in KINDS))
NOTICE = (
    "感染症発生届\n1 診断(検案)した者(死体)の類型 患者(確定例)\n2 当該者氏名 見本花子\n病名 麻しん\n"
    "診断年月日 令和8年11月20日"
)
MORE = "感染原因・感染経路・感染地域\nその他の事項 特になし"
ORDER = "御見積書\n品名・規格 ゴム手袋\n数量 20\n単価(円) 300\n合計金額 6,000"
SAYS_NOTHING = "これは判読できない写しです\n濃い網かけの表"


def fax(*texts: str, printed: tuple[Printed | None, ...] = ()) -> list[PageFacts]:
    told = printed or (None,) * len(texts)
    return [PageFacts(n, text, printed=one) for n, (text, one) in enumerate(zip(texts, told, strict=True), 1)]


def foot(text: str, number: str) -> str:
    return f"{text}\n\nここは本文の行\nここも本文の行\n{number}"


def known(*texts: str, printed: tuple[Printed | None, ...] = ()) -> Classification:
    return classify(fax(*texts, printed=printed), TAXONOMY, DISEASES, date(2026, 11, 23))


def decided(*texts: str, printed: tuple[Printed | None, ...] = ()) -> Decision:
    facts = Facts("", datetime(2026, 11, 23, 10, tzinfo=JST), tuple(fax(*texts, printed=printed)))
    return decide(facts, CITY, TAXONOMY, DISEASES)


def ranges(found: Classification) -> list[tuple[int, int]]:
    return [(part.first_page, part.last_page) for part in found.parts]


@pytest.mark.parametrize(
    "style",
    ["{n}/{m}", "({n}/{m})", "- {n} -", "{n}ページ", "P.{n}", "{n}枚目", "全{m}枚中 {n}枚目", "{m}枚中{n}枚目",
     "Page {n} of {m}", "報告書({n}/{m})", "{n}/{m}ページ", "― {n} ―", "様式1({n}枚目)", "No.{n}", "{n}頁"],
)  # fmt: skip
@pytest.mark.parametrize("wide", [False, True])
def test_a_number_is_believed_that_runs_over_the_pages(style: str, *, wide: bool) -> None:
    full = str.maketrans("0123456789/", "0123456789/") if wide else {}
    texts = [foot(SAYS_NOTHING, style.format(n=n, m=m).translate(full)) for n, m in ((1, 3), (2, 3), (3, 3))]
    own = leaves(fax(*texts)).own
    assert [own[place][0] for place in range(3)] == [1, 2, 3]
    assert {own[place][1] for place in range(3)} <= {3, None}


@pytest.mark.parametrize(
    "lines",
    [
        ["11/2", "11/3", "11/4"],  # dates
        ["1/2", "1/3", "1/4"],
        ["11月2日", "11月3日", "11月4日"],
        ["1/2錠", "1/2錠", "1/2錠"],
        ["枚数 3枚", "4枚", "5枚"],
        ["1/1", "1/1", "1/1"],
        ["第1報", "第2報", "第3報"],
        ["2026/1/2", "2026/2/2", "2026/3/2"],
        ["03-5555-0001", "03-5555-0002", "03-5555-0003"],
        ["2/3", "本文", "本文"],
        ["1", "2", "3"],  # items of a list
    ],
)
def test_dates_doses_and_lists_are_no_page_numbers(lines: list[str]) -> None:
    found = leaves(fax(*(foot(SAYS_NOTHING, line) for line in lines)))
    assert (found.own, found.begins) == ({}, frozenset())


def test_only_head_and_foot_of_the_page_are_looked_at() -> None:
    middle = [PageFacts(n, "", (Line(f"({n}/2)", (400, 900, 460, 940), 1.0),), width=1700, height=2200) for n in (1, 2)]
    below = [
        PageFacts(n, "", (Line(f"({n}/2)", (400, 2100, 460, 2140), 1.0),), width=1700, height=2200) for n in (1, 2)
    ]
    assert (dict(leaves(middle).own), dict(leaves(below).own)) == ({}, {0: (1, 2), 1: (2, 2)})


def test_a_page_without_title_belongs_to_the_form_before() -> None:
    assert ranges(known(foot(NOTICE, "1/2"), foot(MORE, "2/2"))) == [(1, 2)]
    assert ranges(known(NOTICE, MORE)) == [(1, 2)]


def test_a_form_may_print_its_title_on_every_page() -> None:
    assert ranges(known(foot(ORDER, "(1/2)"), foot("御見積書\n備考 裏口へ", "(2/2)"))) == [(1, 2)]


def test_two_patients_are_two_documents_even_where_somebody_numbered_the_pile() -> None:
    other = NOTICE.replace("花子", "太郎")
    assert ranges(known(NOTICE, other)) == [(1, 1), (2, 2)]
    assert ranges(known(foot(NOTICE, "1/2"), foot(other, "2/2"))) == [(1, 1), (2, 2)]
    assert ranges(known(foot(NOTICE, "1/2"), foot(ORDER, "2/2"))) == [(1, 1), (2, 2)]


def test_what_begins_to_count_again_is_another_document_and_not_the_neighbours() -> None:
    alone = decided(foot(ORDER, "1/2"), foot("備考 裏口へ", "2/2"))
    assert (alone.held, [(p.first_page, p.last_page) for p in alone.documents]) == (False, [(1, 2)])
    both = decided(*(foot(ORDER, "1/2"), foot("備考", "2/2"), foot(SAYS_NOTHING, "1/2"), foot(SAYS_NOTHING, "2/2")))
    assert [(p.first_page, p.last_page) for p in both.documents] == [(1, 2), (3, 4)]
    assert both.held_because == ("3ページ目から別の文書が始まっていますが、種別を判断できません。",)
    # Without the count nobody could have known.
    assert not decided(ORDER, "備考", SAYS_NOTHING, SAYS_NOTHING).held


def test_the_machine_that_counts_again_has_begun_another_fax() -> None:
    told = decided(ORDER, "備考", SAYS_NOTHING, SAYS_NOTHING, printed=((1, 2), (2, 2), (1, 2), (2, 2)))
    assert [(p.first_page, p.last_page) for p in told.documents] == [(1, 2), (3, 4)]
    assert told.held
    every = decided(ORDER, "備考", "備考", printed=((1, 1),) * 3)  # some machines print so on every page
    assert (len(every.documents), every.held) == (1, False)


def test_an_urgent_form_whose_last_page_did_not_come_is_said_to_lack_it() -> None:
    texts = foot(NOTICE, "1/3"), foot(MORE, "2/3")
    gone = decided(*texts)
    assert any("3ページ目がありません" in why for why in gone.held_because)
    assert gone.document_type == "DISEASE_IMMEDIATE"
    whole = decided(*texts, foot(MORE, "3/3"))
    assert not any("ありません" in why for why in whole.held_because)
    unread = decided(*texts, MORE)  # a number that was not read
    assert not any("ありません" in why for why in unread.held_because)
    told_once = decided(*texts, printed=((1, 3), (2, 3)))
    assert sum("3ページ目がありません" in why for why in told_once.held_because) == 1


def test_an_order_without_its_last_page_is_not_kept_waiting() -> None:
    told = decided(foot(ORDER, "1/3"), foot("備考", "2/3"))
    assert not told.held
    assert any("3ページ目がありません" in reason for reason in told.reasons)


def test_blank_pages_belong_to_what_stands_before_them() -> None:
    assert ranges(known("", NOTICE, "", ORDER, "")) == [(1, 3), (4, 5)]


pages_of_text = st.lists(
    st.sampled_from([NOTICE, MORE, ORDER, SAYS_NOTHING, "", "FAX送信票\n枚数 3枚"]), min_size=1, max_size=7
)
numbers = st.lists(st.none() | st.tuples(st.integers(1, 4), st.none() | st.integers(1, 4)), min_size=7, max_size=7)
styles = st.sampled_from(["{n}/{m}", "- {n} -", "{n}枚目", "全{m}枚中{n}枚目", ""])


@settings(deadline=None)
@given(pages_of_text, numbers, styles, numbers)
def test_documents_part_the_pages_whatever_is_numbered(
    texts: list[str], counts: list[Printed | None], style: str, machine: list[Printed | None]
) -> None:
    written = [
        foot(text, style.format(n=told[0], m=told[1] or "")) if told else text
        for text, told in zip(texts, counts, strict=False)
    ]
    found = known(*written, printed=tuple(machine[: len(written)]))
    covered = [n for part in found.parts for n in range(part.first_page, part.last_page + 1)]
    assert covered in (list(range(1, len(written) + 1)), [] if not any(texts) else None)
    assert set(found.untitled) <= set(found.parts)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.booleans())
def test_forms_that_all_came_lack_nothing_and_each_begins_anew(totals: list[int], strong: bool) -> None:
    style = "全{m}枚中{n}枚目" if strong else "{n}/{m}"
    texts = [foot(SAYS_NOTHING, style.format(n=n, m=m)) for m in totals for n in range(1, m + 1)]
    found = leaves(fax(*texts))
    assert found.lacking(0, len(texts) - 1) == ()
    starts = {sum(totals[:at]) for at in range(1, len(totals))}
    assert found.begins <= starts
    if strong or any(m > 1 for m in totals):
        assert found.begins == starts
