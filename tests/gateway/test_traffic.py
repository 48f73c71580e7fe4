"""The count, over a real database file with rows made the way the door and the journey make them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel

from gateway import traffic
from gateway.config import Target, Traffic
from gateway.database import connect
from gateway.errors import UsageError
from gateway.models import TOKYO, Baseline, RegisterEntry
from gateway.store import Decided, Mail, Opened, Store
from gateway.traffic import Count
from routing.department import Department, Line, Organisation

ORGANISATION = Organisation(
    departments=(
        Department("hoken", "感染症対策係", bureau="福祉保健局"),
        Department("shoku", "食品監視係", bureau="福祉保健局"),
        Department("soumu", "文書係", bureau="総務局"),
    ),
    lines=(
        Line("l1", "l1@fax.example", department="hoken", machine="M-1", number="+81353881396"),
        Line("l2", "l2@fax.example"),
    ),
)
RULES = Traffic()
NOVEMBER = datetime(2026, 11, 5, 3, 0, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 24, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(connect(f"sqlite:///{tmp_path_factory.mktemp('count') / 'faxless.db'}"))
    SQLModel.metadata.create_all(store.engine)
    yield store
    store.engine.dispose()


@pytest.fixture
def store(database: Store) -> Store:
    empty(database)
    return database


def empty(store: Store) -> None:
    with store.engine.begin() as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            connection.execute(sa.delete(table))


def fax(
    store: Store,
    mark: str,
    line: str = "l1",
    at: datetime = NOVEMBER,
    department: str | None = None,
    caller: str | None = None,
    document_type: str | None = None,
    kind: str = "fax",
    journey: bool = True,
) -> str:
    ((taken,),) = store.accept([Mail(mark.rjust(64, "0"), 100, (line,), received_at=at)])
    if journey:
        store.begin(taken, "run")
        store.opened(
            taken,
            "run",
            Opened(
                kind=kind, counts=kind == "fax", received_at=at, sender="", subject="", message_id="", caller=caller,
                caller_source="header", tsi=None, pages=1, problems=(), held_because=(),
            ),
        )  # fmt: skip
        decided = Decided(
            held=False, department=department, document_type=document_type, confidence=0.9, urgent=False, due_at=None,
            masked=False, reasons=(), held_because=(), fields={}, barcodes=(), documents=(), caller=caller,
        )  # fmt: skip
        store.decided(taken, "run", decided)
    return taken


def register(text: str) -> tuple[RegisterEntry, ...]:
    return traffic.read_register(",".join(traffic.REGISTER_COLUMNS) + "\n" + text)


def baseline(text: str) -> tuple[Baseline, ...]:
    return traffic.read_baseline(",".join(traffic.BASELINE_COLUMNS) + "\n" + text)


def month(store: Store, wanted: str = "2026-11", by: tuple[str, ...] = ()) -> traffic.MonthCount:
    (counted,) = traffic.report(store, ORGANISATION, RULES, wanted, wanted, by, DECEMBER).months
    return counted


# ---- the two counts ----


def test_an_electronic_reception_is_an_arrival_but_no_paper_fax(store: Store) -> None:
    for mark in ("a", "b", "c"):
        fax(store, mark)
    counted = month(store)
    assert (counted.arrivals.count, counted.paper.count) == (3, 0)


def test_the_register_is_paper_both_ways_and_an_arrival_only_when_received(store: Store) -> None:
    store.ledger.save_register(register("2026-11-02,,,,sent,,,,1,\n2026-11-03,,,,received,,,,1,\n"), "test")
    counted = month(store)
    assert (counted.arrivals.count, counted.paper.count) == (1, 2)


def test_a_fax_counts_before_anybody_has_opened_it(store: Store) -> None:
    fax(store, "a", journey=False)
    assert month(store, by=("line", "department")).by["department"].keys() == {"hoken"}


def test_the_same_mail_again_is_excluded_and_named(store: Store) -> None:
    for _ in range(3):
        fax(store, "a")
    counted = month(store)
    assert counted.arrivals.count == 1
    assert counted.excluded == {"duplicates": 2}


def test_notices_are_excluded_and_duplicates_are_always_said(store: Store) -> None:
    fax(store, "a", kind="notice")
    counted = month(store)
    assert counted.arrivals.count == 0
    assert counted.excluded == {"duplicates": 0, "notices": 1}


def test_the_month_is_tokyos(store: Store) -> None:
    fax(store, "a", at=datetime(2026, 10, 31, 14, 59, tzinfo=UTC))  # 23:59 in Tokyo
    fax(store, "b", at=datetime(2026, 10, 31, 15, 0, tzinfo=UTC))  # midnight in Tokyo
    fax(store, "c", at=datetime(2026, 10, 31, 15, 1, tzinfo=UTC))
    assert (month(store, "2026-10").arrivals.count, month(store, "2026-11").arrivals.count) == (1, 2)


def test_the_contracts_month(store: Store) -> None:
    store.ledger.save_baseline(
        baseline("2019-11,福祉保健局,hoken,received,1000\n2019-11,福祉保健局,hoken,sent,1200\n"), "test"
    )
    for n in range(11):
        fax(store, f"{n}")
    fax(store, "0")
    made = traffic.as_json(traffic.report(store, ORGANISATION, RULES, "2026-11", "2026-11", ["bureau"], NOVEMBER))
    arrivals = {"count": 11, "base": 1000, "reduction": 0.989}
    paper = {"count": 0, "base": 2200, "reduction": 1.0}
    assert made == {
        "rule": "1",
        "months": [
            {
                "month": "2026-11",
                "base_month": "2019-11",
                "target": 0.98,
                "arrivals": arrivals,
                "paper": paper,
                "excluded": {"duplicates": 1},
                "provisional": True,
                "recorded": {"arrivals": True, "paper": False},
                "by": {"bureau": {"福祉保健局": {"arrivals": arrivals, "paper": paper}}},
            }
        ],
    }


def test_a_month_before_the_gateway_s_first_fax_has_no_record_of_arrivals(store: Store) -> None:
    fax(store, "a")
    months = traffic.report(store, ORGANISATION, RULES, "2026-10", "2026-12", (), NOVEMBER).months
    assert [month.recorded["arrivals"] for month in months] == [False, True, True]
    rows = list(csv.DictReader(io.StringIO(traffic.as_csv(traffic.Report("1", months)))))
    assert [row["arrivals_recorded"] for row in rows] == ["false", "true", "true"]
    assert {row["paper_recorded"] for row in rows} == {"false"}


def test_without_a_baseline_there_is_no_reduction(store: Store) -> None:
    store.ledger.save_baseline(baseline("2019-12,福祉保健局,hoken,received,1000\n"), "test")
    counted = month(store)
    assert (counted.arrivals.base, counted.arrivals.reduction, counted.paper.base) == (None, None, None)


def test_a_baseline_of_nothing_gives_no_percentage(store: Store) -> None:
    store.ledger.save_baseline(baseline("2019-11,福祉保健局,hoken,received,0\n"), "test")
    fax(store, "a")
    assert month(store).arrivals == Count(1, 0)
    assert month(store).arrivals.reduction is None


def test_a_value_that_fell_to_nothing_is_still_shown(store: Store) -> None:
    store.ledger.save_baseline(baseline("2019-11,総務局,soumu,received,40\n2019-11,福祉保健局,,received,60\n"), "test")
    by = month(store, by=("department", "bureau")).by
    assert by["department"]["soumu"].arrivals == Count(0, 40)
    assert by["bureau"]["福祉保健局"].arrivals == Count(0, 60)
    assert by["department"][""].arrivals == Count(0, 60)


# ---- by what ----


def test_each_dimension_names_where_a_fax_came_and_went(store: Store) -> None:
    fax(store, "a", "l1", department="shoku", caller="+81312345678", document_type="FOOD_POISONING")
    fax(store, "b", "l2")
    by = month(store, by=traffic.DIMENSIONS).by
    assert {name: set(groups) for name, groups in by.items()} == {
        "bureau": {"福祉保健局", ""},
        "department": {"shoku", ""},
        "purpose": {"FOOD_POISONING", ""},
        "sender": {"+81312345678", ""},
        "machine": {"M-1", "l2"},
        "line": {"l1", "l2"},
    }


def test_a_register_may_name_a_department_by_its_name(store: Store) -> None:
    store.ledger.save_register(
        register("2026-11-02,,感染症対策係,複合機3,received,どこか,03-1234-5678,照会,2,\n"), "test"
    )
    by = month(store, by=traffic.DIMENSIONS).by
    assert {name: list(groups) for name, groups in by.items()} == {
        "bureau": ["福祉保健局"],
        "department": ["hoken"],
        "purpose": ["照会"],
        "sender": ["+81312345678"],
        "machine": ["複合機3"],
        "line": [""],
    }


def test_one_sender_is_one_over_the_wire_and_on_paper(store: Store) -> None:
    fax(store, "a", caller="+81312345678")
    store.ledger.save_register(register("2026-11-02,,,,received,どこか,(03) 1234-5678,,1,\n"), "test")
    assert month(store, by=("sender",)).by["sender"]["+81312345678"].arrivals.count == 2


def test_only_bureau_and_department_have_a_base(store: Store) -> None:
    store.ledger.save_baseline(baseline("2019-11,福祉保健局,hoken,received,1000\n"), "test")
    fax(store, "a")
    by = month(store, by=traffic.DIMENSIONS).by
    known = {name for name, groups in by.items() for group in groups.values() if group.arrivals.base is not None}
    assert known == {"bureau", "department"}


def test_an_unknown_dimension_is_answered_with_the_known_ones(store: Store) -> None:
    with pytest.raises(UsageError, match=r"colour.*bureau, department, purpose, sender, machine, line"):
        traffic.report(store, ORGANISATION, RULES, "2026-11", "2026-11", ["bureau", "colour"])


FAXES = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(["l1", "l2", "gone"]),
        st.sampled_from([None, "hoken", "soumu", "closed"]),
        st.sampled_from([None, "+81312345678", "+81612345678"]),
        st.sampled_from([None, "OTHER", "DISEASE_7DAY"]),
        st.sampled_from([NOVEMBER, DECEMBER]),
    ),
    max_size=8,
)
NOTED = st.lists(
    st.tuples(
        st.sampled_from(["2026-11-02", "2026-12-03"]),
        st.sampled_from(["", "福祉保健局", "別の局"]),
        st.sampled_from(["", "hoken", "文書係", "よその係"]),
        st.sampled_from(["", "複合機"]),
        st.sampled_from(["sent", "received"]),
        st.sampled_from(["", "0312345678"]),
    ),
    max_size=6,
)
BASES = st.dictionaries(
    st.tuples(
        st.sampled_from(["2019-11", "2019-12"]),
        st.sampled_from(["", "福祉保健局", "別の局"]),
        st.sampled_from(["", "hoken", "よその係"]),
        st.sampled_from(["sent", "received"]),
    ),
    st.integers(0, 5000),
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(FAXES, NOTED, BASES)
def test_every_breakdown_sums_to_the_whole(
    database: Store,
    faxes: list[tuple[str, str, str | None, str | None, str | None, datetime]],
    noted: list[tuple[str, str, str, str, str, str]],
    bases: dict[tuple[str, str, str, str], int],
) -> None:
    empty(database)
    for mark, line, department, caller, document_type, at in faxes:
        fax(database, mark, line, at, department, caller, document_type)
    rows = "".join(f"{d},{b},{dep},{m},{way},,{n},,1,\n" for d, b, dep, m, way, n in noted)
    database.ledger.save_register(register(rows), "test")
    database.ledger.save_baseline(baseline("".join(f"{','.join(key)},{n}\n" for key, n in bases.items())), "test")

    report = traffic.report(database, ORGANISATION, RULES, "2026-11", "2026-12", traffic.DIMENSIONS, DECEMBER)

    firsts = {mark for mark, *_ in faxes}
    received = sum(way == "received" for *_, way, _number in noted)
    assert sum(one.arrivals.count for one in report.months) == len(firsts) + received
    assert sum(one.paper.count for one in report.months) == len(noted)
    assert sum(one.excluded["duplicates"] for one in report.months) == len(faxes) - len(firsts)
    for one in report.months:
        for dimension, groups in one.by.items():
            for kind in ("arrivals", "paper"):
                whole: Count = getattr(one, kind)
                parts: list[Count] = [getattr(group, kind) for group in groups.values()]
                assert sum(part.count for part in parts) == whole.count
                if whole.base is not None and dimension in ("bureau", "department"):
                    assert sum(part.base or 0 for part in parts) == whole.base
                assert all(part.reduction is None or part.reduction <= 1 for part in [whole, *parts])
    cells = list(csv.DictReader(io.StringIO(traffic.as_csv(report), newline="")))
    totals = [row for row in cells if not row["dimension"]]
    assert [row["arrivals_count"] for row in totals] == [str(one.arrivals.count) for one in report.months]
    assert len(cells) == sum(1 + sum(len(groups) for groups in one.by.values()) for one in report.months)


@given(st.integers(0, 10**9), st.none() | st.integers(0, 10**9))
def test_a_reduction_is_at_most_everything(count: int, base: int | None) -> None:
    reduction = Count(count, base).reduction
    assert (reduction is None) == (not base)
    assert reduction is None or reduction <= 1


# ---- months ----


def test_months_run_across_years() -> None:
    assert traffic.months("2026-11", "2027-02") == ("2026-11", "2026-12", "2027-01", "2027-02")


@given(st.dates(), st.integers(0, 599))
def test_a_span_has_every_month_once(start: datetime, length: int) -> None:
    first = f"{start.year:04}-{start.month:02}"
    ahead = start.year * 12 + start.month - 1 + length
    last = f"{ahead // 12:04}-{ahead % 12 + 1:02}"
    if ahead // 12 > 9999:
        with pytest.raises(UsageError):
            traffic.months(first, last)
        return
    span = traffic.months(first, last)
    assert len(span) == length + 1
    assert (span[0], span[-1]) == (first, last)
    assert list(span) == sorted(set(span))


@pytest.mark.parametrize(
    ("month", "year", "base"),
    [
        ("2026-03", "FY2019", "2020-03"),
        ("2026-04", "FY2019", "2019-04"),
        ("2026-12", "FY2019", "2019-12"),
        ("2027-01", "FY2019", "2020-01"),
        ("2027-01", "2019", "2019-01"),
        ("2026-12", "2019", "2019-12"),
        ("2020-01", "FY2019", "2020-01"),
    ],
)
def test_the_base_month_follows_the_kind_of_year(month: str, year: str, base: str) -> None:
    assert traffic.base_month(month, year) == base


@pytest.mark.parametrize(
    "bad", ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "２０２６-11", "2026-11-01", "x" * 99]
)
def test_what_is_no_month_is_refused(store: Store, bad: str) -> None:
    for first, last in ((bad, "2026-11"), ("2026-11", bad)):
        with pytest.raises(UsageError):
            traffic.report(store, ORGANISATION, RULES, first, last)


def test_months_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(UsageError, match="2026-12 から 2026-11"):
        traffic.months("2026-12", "2026-11")


def test_a_month_is_provisional_until_tokyo_has_left_it(store: Store) -> None:
    def provisional(moment: datetime) -> bool:
        return traffic.report(store, ORGANISATION, RULES, "2026-11", "2026-11", (), moment).months[0].provisional

    assert provisional(datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC))
    assert not provisional(datetime(2026, 11, 30, 15, 0, tzinfo=UTC))


# ---- the target ----


@pytest.mark.parametrize(
    ("month", "target"), [("2020-03", None), ("2020-04", 0.6), ("2021-03", 0.6), ("2026-11", 0.98)]
)
def test_the_newest_target_that_has_begun(month: str, target: float | None) -> None:
    assert traffic.target_of(RULES, month) == target


def test_targets_need_no_order_in_the_file() -> None:
    targets = tuple(Target.model_validate({"from": f, "reduction": r}) for f, r in (("2025-04", 0.9), ("2020-04", 0.6)))
    assert traffic.target_of(Traffic(targets=targets), "2026-01") == 0.9


@pytest.mark.parametrize(
    ("count", "base", "target", "fewer"),
    [
        (1, 10, 0.9, 0),
        (21, 1000, 0.98, 1),
        (20, 1000, 0.98, 0),
        (0, 1000, 0.98, 0),
        (100, 49, 0.98, 100),
        (7, 10, 0.3, 0),
        (8, 10, 0.3, 1),
    ],
)
def test_how_many_are_still_too_many(count: int, base: int, target: float, fewer: int) -> None:
    assert traffic.to_target(Count(count, base), target) == fewer


@pytest.mark.parametrize(("base", "target"), [(None, 0.98), (0, 0.98), (1000, None)])
def test_nobody_knows_how_many_without_base_or_target(base: int | None, target: float | None) -> None:
    assert traffic.to_target(Count(5, base), target) is None


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 100))
def test_with_that_many_fewer_the_target_is_just_reached(count: int, base: int, percent: int) -> None:
    target = percent / 100
    fewer = traffic.to_target(Count(count, base), target)
    assert fewer is not None
    assert 100 * (count - fewer) <= base * (100 - percent) or fewer == count == 0
    assert fewer == 0 or 100 * (count - fewer + 1) > base * (100 - percent)


# ---- silent lines ----


def silent(store: Store, moment: datetime) -> dict[str, datetime | None]:
    return {one.line: one.last for one in traffic.silent_lines(store, ORGANISATION, moment)}


def test_a_line_that_never_brought_anything_is_silent(store: Store) -> None:
    fax(store, "a", "l1")
    assert silent(store, datetime.now(UTC)) == {"l2": None}
    assert traffic.silent_lines(store, ORGANISATION, datetime.now(UTC))[0].name == "l2"


def test_a_weekend_makes_no_line_silent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    thursday = datetime(2026, 11, 19, 17, 0, tzinfo=TOKYO)
    monkeypatch.setattr("gateway.store.now", lambda: thursday)
    fax(store, "a", "l1", journey=False)
    fax(store, "b", "l2", journey=False)
    assert silent(store, thursday - timedelta(hours=1)) == {}
    assert silent(store, thursday + timedelta(days=5)) == {}  # Tuesday at the same hour: 72 h of weekdays
    assert set(silent(store, thursday + timedelta(days=5, seconds=1))) == {"l1", "l2"}


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 hypothesis adds the zone
    st.integers(0, 40 * 24),
)
def test_weekday_time_is_what_an_hourly_clock_counts(since: datetime, hours: int) -> None:
    start = since.replace(minute=0, second=0, microsecond=0, tzinfo=TOKYO)
    counted = sum((start + timedelta(hours=hour)).weekday() < 5 for hour in range(hours))
    assert traffic._over_weekdays(start, start + timedelta(hours=hours)) == timedelta(hours=counted)


# ---- for spreadsheets ----


def test_the_csv_has_one_row_a_month_with_empty_cells_for_the_unknown(store: Store) -> None:
    fax(store, "a")
    text = traffic.as_csv(traffic.report(store, ORGANISATION, RULES, "2026-11", "2026-12", (), DECEMBER))
    assert text.splitlines()[1:] == [
        "2026-11,2019-11,0.98,1,,,0,,,0,0,0,false,1,,,true,false",
        "2026-12,2019-12,0.98,0,,,0,,,0,0,0,true,1,,,true,false",
    ]
    assert text.count("\r\n") == 3


@pytest.mark.parametrize("value", ["=1+1", "@SUM(A1)", "+1+1", "-1"])
def test_no_cell_is_taken_for_a_formula(store: Store, value: str) -> None:
    store.ledger.save_register(register(f"2026-11-02,,,{value},received,,,,1,\n"), "test")
    text = traffic.as_csv(traffic.report(store, ORGANISATION, RULES, "2026-11", "2026-11", ["machine"], DECEMBER))
    assert text.splitlines()[-1].endswith(f",'{value},true,true")
