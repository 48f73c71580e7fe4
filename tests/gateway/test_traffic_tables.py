"""Tables handed in: the base year's counts and the register, as spreadsheets save them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel

from gateway import table, traffic
from gateway.database import connect
from gateway.errors import BadTable
from gateway.store import Store

BASELINE = "month,bureau,department,direction,count\n"
REGISTER = "date,bureau,department,machine,direction,counterpart,number,purpose,pages,reason\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(connect(f"sqlite:///{tmp_path / 'faxless.db'}"))
    SQLModel.metadata.create_all(store.engine)
    yield store
    store.engine.dispose()


def mistakes(read: str, text: str) -> list[str]:
    with pytest.raises(BadTable) as caught:
        getattr(traffic, read)(text)
    return [mistake.partition(":")[0] for mistake in caught.value.mistakes]


# ---- the base year ----


def test_the_contracts_row() -> None:
    (row,) = traffic.read_baseline(BASELINE + "2019-11,福祉保健局,hoken,received,1000\n")
    assert (row.month, row.bureau, row.department, row.direction, row.count, row.extra) == (
        "2019-11", "福祉保健局", "hoken", "received", 1000, {},
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffmonth,bureau,department,direction,count\r\n2019-11,局,,received,1000\r\n",
        "month,bureau,department,direction,count\r2019-11,局,,received,1000\r",
        "\r\n\r\nMonth, Bureau ,department,direction,count\r\n\r\n,,,,\r\n２０１９－１１, 局　,,受信,１０００\r\n\r\n",
        'count,direction,department,bureau,month\n"1,000","received","","局","2019/11"\n',
        "month\tbureau\tdepartment\tdirection\tcount\r\n2019年11月\t局\t\tReceived\t1000\r\n",
        "month,bureau,department,direction,count\n令和元年11月,局,,受信,1000,,,\n",
        "month,bureau,department,direction,count\n2019/11/1,局,,受信,1000",
        "month,bureau,department,direction,count\n平成31年11月,局,,受信,1000\n",
    ],
)
def test_what_spreadsheets_and_people_write(text: str) -> None:
    (row,) = traffic.read_baseline(text)
    assert (row.month, row.bureau, row.department, row.direction, row.count) == ("2019-11", "局", "", "received", 1000)


def test_other_columns_are_kept() -> None:
    text = "month,bureau,department,direction,count,source,note\n2019-11,局,係,sent,1,MFPログ,\n"
    assert traffic.read_baseline(text)[0].extra == {"source": "MFPログ"}


def test_every_bad_line_is_named_by_its_number() -> None:
    text = BASELINE + (
        "2019-13,局,,received,1\n"
        "2019-11,局,,received,-1\n"
        "\n"
        "2019-11,局,,inside,1\n"
        "2019-11,局,,received,1.5\n"
        '2019-12,"局\n二行",,received,5\n'
        "2019-12,局,,received,\n"
        "2019-12,局,,sent,1,surplus\n"
        "2019-12,局,,sent,7\n"
        "Nov-19,局,,都,x\n"
    )
    assert mistakes("read_baseline", text) == [
        "2行目", "3行目", "5行目", "6行目", "9行目", "10行目", "12行目", "12行目", "12行目",
    ]  # fmt: skip


def test_the_same_key_twice_is_a_mistake_that_names_both() -> None:
    with pytest.raises(BadTable, match=r"^3行目: 2行目と同じ"):
        traffic.read_baseline(BASELINE + "2019-11,局,係,sent,1\n2019/11,局 ,係,送信,2\n")


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "month,bureau,count\n2019-11,a,1\n", "a" * 200_000])
def test_a_table_without_its_header_is_refused(text: str) -> None:
    with pytest.raises(BadTable, match="direction"):
        traffic.read_baseline(text)


def test_a_column_twice_is_refused() -> None:
    with pytest.raises(BadTable, match="month が二つ"):
        traffic.read_baseline("month,bureau,department,direction,count,Month\n")


def test_an_open_quotation_is_named_where_it_begins() -> None:
    assert mistakes("read_baseline", BASELINE + '2019-11,局,,sent,1\n2019-12,"局,,sent,1\n2020-01,局,,sent,1\n') == [
        "3行目"
    ]


def test_a_header_alone_is_an_empty_table() -> None:
    assert traffic.read_baseline(BASELINE) == ()
    assert traffic.read_register(REGISTER) == ()


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(2000, 2030), st.integers(1, 12), NAMES, NAMES, st.sampled_from(["sent", "received"])),
        st.integers(0, 10**8),
        max_size=6,
    )
)
def test_what_was_written_is_read(rows: dict[tuple[int, int, str, str, str], int]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(BASELINE.strip().split(","))
    for (year, month, bureau, department, direction), count in rows.items():
        writer.writerow([f"{year}-{month:02}", bureau, department, direction, count])
    read = traffic.read_baseline(table.decode(out.getvalue().encode("utf-8-sig")))
    assert {(r.month, r.bureau, r.department, r.direction): r.count for r in read} == {
        (f"{y}-{m:02}", b, d, way): count for (y, m, b, d, way), count in rows.items()
    }
    assert len(read) == len(rows)


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from([BASELINE, REGISTER, ""]))
def test_any_text_is_read_or_refused(text: str, header: str) -> None:
    for read in (traffic.read_baseline, traffic.read_register):
        try:
            rows = read(header + text)
        except BadTable as error:
            assert error.mistakes
        else:
            assert all(row.month for row in rows)


# ---- files ----


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_files_as_excel_saves_them(encoding: str) -> None:
    text = BASELINE + "2019-11,福祉保健局,①係,received,1000\n"
    assert traffic.read_baseline(table.decode(text.encode(encoding)))[0].department == "①係"


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n\x00"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(BadTable, match="UTF-8"):
        table.decode(data)


# ---- the register ----


def test_a_row_of_the_register() -> None:
    (row,) = traffic.read_register(
        REGISTER + "令和8年11月2日,福祉保健局,hoken,複合機1,送信,ある診療所,03-1234-5678,照会,２,急ぎのため\n"
    )
    assert row.model_dump(exclude={"key"}) == {
        "date": "2026-11-02",
        "month": "2026-11",
        "bureau": "福祉保健局",
        "department": "hoken",
        "machine": "複合機1",
        "direction": "sent",
        "counterpart": "ある診療所",
        "number": "+81312345678",
        "purpose": "照会",
        "pages": 2,
        "reason": "急ぎのため",
    }


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-02", "2026/11/2", "2026.11.02", "20261102", "R8.11.2", "令和８年１１月２日", "令和八年十一月二日",
        "2026-11-02 10:30", "2026/11/2 9:05:10", "2026年11月2日(月)", "2026-11-02T10:30",
    ],
)  # fmt: skip
def test_dates_in_every_form(written: str) -> None:
    assert traffic.read_register(REGISTER + f"{written},,,,sent,,,,,\n")[0].date == "2026-11-02"


@pytest.mark.parametrize(
    "written", ["", "11/2", "2026-02-30", "26/11/02", "昨日", "2026-11-02 から", "2026-11-02 2026-11-03"]
)
def test_what_is_no_date_is_refused(written: str) -> None:
    assert mistakes("read_register", REGISTER + f"{written},,,,sent,,,,1,\n") == ["2行目"]


def test_a_number_that_cannot_be_called_stays_as_written() -> None:
    assert traffic.read_register(REGISTER + "2026-11-02,,,,sent,,内線 123,,1,\n")[0].number == "内線 123"


def test_every_bad_line_of_a_register_is_named() -> None:
    text = REGISTER + "2026-11-02,,,,sent,,,,1,\n2026-11-99,,,,sent,,,,1,\n2026-11-02,,,,fax,,,,-1,\n"
    assert mistakes("read_register", text) == ["3行目", "4行目", "4行目"]


def test_the_same_file_twice_is_the_same_as_once(store: Store) -> None:
    text = REGISTER + "2026-11-02,局,係,機,sent,先,03-1234-5678,用,1,\n" * 3 + "2026-11-03,局,係,機,sent,先,,用,1,\n"
    assert store.ledger.save_register(traffic.read_register(text), "test") == 4
    assert store.ledger.save_register(traffic.read_register(text), "test") == 0
    assert len(store.ledger.register("2026-11", "2026-11")) == 4


def test_a_longer_copy_of_the_file_adds_only_what_is_new(store: Store) -> None:
    row = "2026-11-02,局,係,機,received,先,03-1234-5678,用,1,\n"
    store.ledger.save_register(traffic.read_register(REGISTER + row), "test")
    assert store.ledger.save_register(traffic.read_register(REGISTER + row * 2), "test") == 1


def test_saved_again_in_another_way_a_row_is_the_same() -> None:
    rows = (
        "2026-11-02,局,係,機,received,先,03-1234-5678,用,1,理由",
        '"2026/11/2","局","係","機","受信","先","０３(1234)5678","用","１"," 理由 "',
        "R8.11.2,局,係,機,受信,先,03 1234 5678,用,1,理由",
    )
    keys = {traffic.read_register(REGISTER + row + "\n")[0].key for row in rows}
    assert len(keys) == 1


ROWS = st.lists(
    st.sampled_from(["2026-11-02,,,,sent,甲,,,1,", "2026-11-02,,,,sent,乙,,,1,", "2026-11-03,,,,sent,甲,,,1,"])
)


@given(ROWS, st.randoms())
def test_keys_are_one_each_and_know_no_order(rows: list[str], random: object) -> None:
    keys = [row.key for row in traffic.read_register(REGISTER + "\n".join(rows))]
    assert len(set(keys)) == len(rows)
    shuffled = sorted(rows, key=lambda _row: random.random())  # type: ignore[attr-defined]
    assert {row.key for row in traffic.read_register(REGISTER + "\n".join(shuffled))} == set(keys)


def test_baseline_again_replaces_the_count(store: Store) -> None:
    for count in (10, 12):
        store.ledger.save_baseline(traffic.read_baseline(BASELINE + f"2019-11,局,,sent,{count}\n"), "test")
    assert [row.count for row in store.ledger.baseline(["2019-11"])] == [12]
