"""The directory in the database: imported, learned, merged, and what faxes and figures say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from gateway import directory, traffic
from gateway.config import load
from gateway.database import connect
from gateway.desk import Desk
from gateway.errors import BadTable, UsageError
from gateway.house import House, open_house
from gateway.models import Fax, RegisterEntry, month_of, now
from gateway.spool import Spool
from gateway.store import Store
from routing import taxonomy
from routing.directory import Directory, Sighting
from routing.facts import Institution
from tests.city import write_city
from tests.gateway.test_cli import faxless
from tests.gateway.test_store import accept, decided, opened
from tests.gateway.test_trial import came as arrived
from tests.gateway.test_trial import pipeline_of

HEADER = "name,number,kind,bureau,department,tsi,names,id\n"
TABLE = (
    HEADER
    + "さくら医院,03-5555-0191|03-5555-0192,診療所,,,SAKURA CLINIC,櫻医院,\n"
    + "みどり薬局,０３－５５５５－０１９３,pharmacy,,,,,\n"
    + "さくら医院,03-5555-0194,,,,,,\n"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(connect(f"sqlite:///{tmp_path / 'faxless.db'}"))
    SQLModel.metadata.create_all(store.engine)
    yield store
    store.engine.dispose()


def everything(store: Store) -> list[list[tuple[object, ...]]]:
    """All rows but the events."""
    with store.engine.connect() as connection:
        tables = [table for table in SQLModel.metadata.sorted_tables if table.name != "event"]
        return [
            [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))]
            for table in tables
        ]


def mistakes(text: str, known: Directory | None = None) -> list[str]:
    with pytest.raises(BadTable) as caught:
        directory.read(text, known or Directory())
    return list(caught.value.mistakes)


def walked(store: Store, number: int, **more: object) -> Fax:
    """A fax whose journey has ended; ``more`` changes what was decided."""
    fax_id = accept(store, number)
    store.begin(fax_id, "run")
    store.opened(fax_id, "run", opened())
    store.decided(fax_id, "run", replace(decided(), **more))  # type: ignore[arg-type]
    found = store.fax(fax_id)
    assert found is not None
    return found


# ---- handed in


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_table_twice_is_the_same_as_once(store: Store, encoding: str) -> None:
    data = TABLE.encode(encoding)
    assert directory.take(store, data, "tests") == {"institutions": 2, "new": 2, "changed": 0, "ambiguous": {}}
    once = everything(store)
    assert directory.take(store, data, "tests") == {"institutions": 2, "new": 0, "changed": 0, "ambiguous": {}}
    assert everything(store) == once
    known = store.institutions.directory()
    sakura, midori = directory.find(known, "医院")[0], directory.find(known, "03-5555-0193")[0]
    assert (sakura.kind, sakura.tsis, sakura.names) == ("clinic", ("SAKURA CLINIC",), ("櫻医院",))
    assert sakura.numbers == ("+81355550191", "+81355550192", "+81355550194")
    assert (midori.name, midori.kind) == ("みどり薬局", "pharmacy")


def test_every_bad_line_is_told_and_nothing_is_taken(store: Store) -> None:
    bad = (
        HEADER
        + "さくら医院,03-5555-0191,,,,,,\n"
        + ",03-5555-0192,,,,,,\n"
        + "みどり薬局,5555-0193|03-5555-0194,魔法使い,,,,,\n"
        + "さくら医院,03-5555-0195,薬局,,,,,い ろ\n"
        + "ひかり歯科,03-5555-0196,clinic,,,,,\n"
        + "ひかり歯科,03-5555-0197,pharmacy,,,,,\n"
    )
    with pytest.raises(BadTable) as caught:
        directory.take(store, bad.encode(), "tests")
    told = "\n".join(caught.value.mistakes)
    assert [mistake.partition(":")[0] for mistake in caught.value.mistakes] == [
        "3行目", "4行目", "4行目", "5行目", "7行目",
    ]  # fmt: skip
    for word in ("名称がない", "魔法使い", "番号「5555-0193」", "id「い ろ」", "6行目と同じ機関ですが"):
        assert word in told
    assert store.institutions.directory().institutions == ()
    assert mistakes("name,kind\nさくら医院,\n") == ["1行目: 見出しに number がありません (missing columns)"]


def test_two_of_one_name_are_told_apart_by_bureau_or_id(store: Store) -> None:
    directory.take(
        store, (HEADER + "中央病院,03-5555-0191,,東区,,,,\n中央病院,03-5555-0192,,西区,,,,\n").encode(), "tests"
    )
    assert len(store.institutions.directory().institutions) == 2
    directory.take(store, (HEADER + "中央病院,03-5555-0193,,西区,,,,\n").encode(), "tests")
    west = directory.find(store.institutions.directory(), "03-5555-0193")[0]
    assert (west.bureau, west.numbers) == ("西区", ("+81355550192", "+81355550193"))
    directory.take(store, (HEADER + "中央病院,,,西区,,,,WEST-2\n").encode(), "tests")
    (mistake,) = mistakes(HEADER + "中央病院,03-5555-0194,,西区,,,,\n", store.institutions.directory())
    assert "複数あります。id を書いてください" in mistake


def test_a_row_with_an_id_may_rename(store: Store) -> None:
    directory.take(store, (HEADER + "東医院,03-5555-0191,,,,,,E1\n").encode(), "tests")
    directory.take(store, (HEADER + "東クリニック,,,,,,,E1\n").encode(), "tests")
    (one,) = store.institutions.directory().institutions
    assert (one.id, one.name, one.names, one.numbers) == ("E1", "東クリニック", ("東医院",), ("+81355550191",))


def test_a_number_of_two_is_told_at_import(store: Store) -> None:
    done = directory.take(
        store, (HEADER + "さくら医院,03-5555-0191,,,,,,\nさくら薬局,03-5555-0191,,,,,,\n").encode(), "tests"
    )
    assert done["ambiguous"] == {"+81355550191": ["さくら医院", "さくら薬局"]}


# ---- what faxes say


def imported(store: Store) -> dict[str, Institution]:
    directory.take(store, TABLE.encode(), "tests")
    return {one.name: one for one in store.institutions.directory().institutions}


def came(house: House, number: int, **decided: object) -> str:
    return walked(house.store, number, **decided).id


def test_an_institution_with_several_numbers_is_one_sender_in_the_count(house: House) -> None:
    sakura = imported(house.store)["さくら医院"]
    for number, caller in enumerate(("+81355550191", "+81355550192", "+81355550199"), 1):
        came(house, number, caller=caller)
    came(
        house, 4, caller=None, institution=sakura.id, sender_known={"of": [sakura.id], "by": "name", "confidence": 0.6}
    )
    month = month_of(now())
    entry = RegisterEntry(
        key="k", date=f"{month}-01", month=month, direction="received", number="+81355550194", counterpart="さくら"
    )
    house.store.ledger.save_register([entry], "tests")
    report = traffic.report(
        house.store, house.config.organisation, house.config.traffic, month, month, ["sender", "line"]
    )
    counted = {name: group.arrivals.count for name, group in report.months[0].by["sender"].items()}
    assert counted == {"さくら医院": 4, "+81355550199": 1}
    assert sum(counted.values()) == report.months[0].arrivals.count == 5
    (told,) = [entry for entry in directory.entries(house.store, [sakura]) if entry.institution == sakura]
    assert told.faxes == 3


def test_two_senders_of_one_name_are_not_counted_as_one(house: House) -> None:
    table = HEADER + "中央病院,03-5555-0191,,東区,,,,EAST\n中央病院,03-5555-0192,,西区,,,,WEST\n"
    directory.take(house.store, table.encode(), "tests")
    came(house, 1, caller="+81355550191")
    came(house, 2, caller="+81355550192")
    month = month_of(now())
    report = traffic.report(house.store, house.config.organisation, house.config.traffic, month, month, ["sender"])
    assert set(report.months[0].by["sender"]) == {"中央病院 (EAST)", "中央病院 (WEST)"}


def test_an_ambiguous_number_stays_a_number_in_the_count(house: House) -> None:
    table = HEADER + "さくら医院,03-5555-0191,,,,,,\nさくら薬局,03-5555-0191,,,,,,\n"
    directory.take(house.store, table.encode(), "tests")
    fax_id = came(house, 1, caller="+81355550191")
    month = month_of(now())
    report = traffic.report(house.store, house.config.organisation, house.config.traffic, month, month, ["sender"])
    assert set(report.months[0].by["sender"]) == {"+81355550191"}
    (told,) = house.desk.as_json([house.desk.fax(fax_id)])
    sender = told["sender_institution"]
    assert (sender["id"], sender["proven"]) == (None, False)
    assert [one["name"] for one in sender["ambiguous"]] == ["さくら医院", "さくら薬局"]


def test_the_json_of_a_fax_knows_its_sender_by_the_directory_of_today(house: House) -> None:
    before = came(house, 1, caller="+81355550191", caller_source="header")
    printed = came(house, 2, caller="+81355550191", caller_source="tti")
    assert house.desk.as_json([house.desk.fax(before)])[0]["sender_institution"] is None
    sakura = imported(house.store)["さくら医院"]
    by_call, by_print = house.desk.as_json([house.desk.fax(before), house.desk.fax(printed)])
    assert by_call["sender_institution"] == {
        "id": sakura.id,
        "name": "さくら医院",
        "kind": "clinic",
        "known_by": "caller",
        "proven": True,
        "confidence": 0.98,
        "ambiguous": [],
    }
    assert by_print["sender_institution"] is None  # nothing but the printed line says so


def test_merging_takes_numbers_names_and_faxes_along(house: House) -> None:
    known = imported(house.store)
    sakura, midori = known["さくら医院"], known["みどり薬局"]
    told = {"of": [midori.id], "by": "name", "confidence": 0.6}
    fax_id = came(house, 1, caller=None, institution=midori.id, sender_known=told)
    house.store.institutions.merge(midori.id, sakura.id, "tanaka")
    (one,) = house.store.institutions.directory().institutions
    assert (one.id, one.kind) == (sakura.id, "clinic")
    assert "+81355550193" in one.numbers
    assert "みどり薬局" in one.names
    assert house.desk.as_json([house.desk.fax(fax_id)])[0]["sender_institution"]["id"] == sakura.id
    for drop, into in ((midori.id, sakura.id), (sakura.id, sakura.id)):
        with pytest.raises(UsageError):
            house.store.institutions.merge(drop, into, "tanaka")


def test_a_number_taken_away_no_longer_speaks(house: House) -> None:
    sakura = imported(house.store)["さくら医院"]
    known = {"of": [sakura.id], "by": "caller", "confidence": 0.98}
    fax_id = came(house, 1, caller="+81355550191", caller_source="header", institution=sakura.id, sender_known=known)
    house.store.institutions.forget_number(sakura.id, "+81355550191", "tanaka")
    assert house.desk.as_json([house.desk.fax(fax_id)])[0]["sender_institution"] is None
    with pytest.raises(UsageError):
        house.store.institutions.forget_number(sakura.id, "+81355550191", "tanaka")


def test_another_process_sees_every_change(house: House) -> None:
    """The directory is kept in memory; whoever changes it, the next look is at the new one."""
    other = Store(connect(house.config.database_url))
    try:
        sakura = imported(house.store)["さくら医院"]
        assert len(other.institutions.directory().institutions) == 2
        assert other.institutions.directory() is other.institutions.directory()
        house.store.institutions.forget_number(sakura.id, "+81355550191", "tanaka")
        assert "+81355550191" not in other.institutions.directory().numbers
        midori = next(one for one in house.store.institutions.directory().institutions if one.name == "みどり薬局")
        house.store.institutions.merge(sakura.id, midori.id, "tanaka")
        assert len(other.institutions.directory().institutions) == 1
    finally:
        other.engine.dispose()


def test_the_journey_says_who_sent_it_and_remembers_what_it_saw(house: House) -> None:
    page = "注文書\n発信元 みどり薬局\nTEL 03-5555-0193\n品名 数量 単価"
    imported(house.store)
    with pipeline_of(house) as pipeline:
        known = arrived(house, pipeline, 1, page, caller="+81355550191")
        typed = arrived(house, pipeline, 2, page, caller="+81355550191", caller_source="tsi", tsi="SAKURA CLINIC")
        stranger = arrived(house, pipeline, 3, page, caller="+81355550144")
    assert "発信元: さくら医院(発信番号で一致)" in known.reasons
    assert known.sender_known["by"] == "caller"
    assert "発信元: さくら医院(発信機の名乗り(TSI)で一致、証明にはなりません)" in typed.reasons
    assert "発信元: みどり薬局(紙面の電話・FAX番号で一致、証明にはなりません)" in stranger.reasons
    seen = {(one.number, one.name): one.count for one in house.store.institutions.sightings()}
    assert seen == {("+81355550191", "みどり薬局"): 1, ("+81355550144", "みどり薬局"): 1}


# ---- learned


def seen(number: str = "+81355550144", name: str = "青葉クリニック", tsi: str = "AOBA") -> Sighting:
    return Sighting(number, name, tsi)


def test_what_arrives_is_proposed_and_confirmed_never_learned_silently(house: House) -> None:
    for number in range(1, 4):
        came(house, number, sighting=seen())
    came(house, 4, sighting=seen(name="青葉クリニツク", tsi=""))
    assert house.store.institutions.directory().institutions == ()
    (one,) = directory.proposals(house.store)
    assert (one.number, one.name, one.count, one.kind) == ("+81355550144", "青葉クリニック", 4, "clinic")
    made = directory.confirm(house.store, one, "tanaka")
    assert (made.name, made.kind, made.numbers, made.tsis) == ("青葉クリニック", "clinic", ("+81355550144",), ("AOBA",))
    assert directory.proposals(house.store) == ()


def test_a_fax_decided_twice_is_seen_once(house: House) -> None:
    fax = walked(house.store, 1, sighting=seen())
    house.store.begin(fax.id, "again")
    house.store.decided(fax.id, "again", replace(decided(), sighting=seen()))
    assert house.store.institutions.sightings() == [seen()]
    house.store.begin(fax.id, "third")
    house.store.decided(fax.id, "third", decided())
    assert house.store.institutions.sightings() == []


def test_another_number_of_a_known_institution_is_added_to_it(house: House) -> None:
    sakura = imported(house.store)["さくら医院"]
    for number in (1, 2):
        came(house, number, sighting=seen(name="さくら医院"))
    (one,) = directory.proposals(house.store)
    made = directory.confirm(house.store, one, "tanaka")
    assert made.id == sakura.id
    assert "+81355550144" in made.numbers


def test_what_is_refused_is_not_proposed_again(house: House) -> None:
    for number in (1, 2):
        came(house, number, sighting=seen())
    (one,) = directory.proposals(house.store)
    directory.refuse(house.store, one, "tanaka")
    for number in (3, 4):
        came(house, number, sighting=seen())
    assert directory.proposals(house.store) == ()
    for number in (5, 6):
        came(house, number, sighting=seen(name="東都第三病院"))
    assert [one.name for one in directory.proposals(house.store)] == ["東都第三病院"]
    with pytest.raises(UsageError):
        directory.proposed(house.store, one.number, one.name)


def test_a_changed_name_and_kind_are_what_the_person_wrote(house: House) -> None:
    for number in (1, 2):
        came(house, number, sighting=seen())
    (one,) = directory.proposals(house.store)
    with pytest.raises(UsageError):
        directory.confirm(house.store, one, "tanaka", name="x" * 101)
    with pytest.raises(UsageError):
        directory.confirm(house.store, one, "tanaka", kind="wizard")
    made = directory.confirm(house.store, one, "tanaka", name="青葉こどもクリニック", kind="hospital")
    assert (made.name, made.kind) == ("青葉こどもクリニック", "hospital")


# ---- the commands


def test_the_commands(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    table = tmp_path / "directory.csv"
    table.write_bytes(TABLE.encode("cp932"))
    done = faxless(path, "--json", "directory", "import", str(table))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"institutions": 2, "new": 2, "changed": 0, "ambiguous": {}}
    (midori,) = json.loads(faxless(path, "--json", "directory", "list", "03-5555-0193").stdout)
    assert midori == {
        "id": midori["id"],
        "name": "みどり薬局",
        "kind": "pharmacy",
        "bureau": "",
        "department": "",
        "names": [],
        "tsi": [],
        "numbers": ["+81355550193"],
        "faxes": 0,
        "last": None,
    }
    sakura = json.loads(faxless(path, "--json", "directory", "list", "さくら").stdout)[0]["id"]
    assert "+81355550191" in faxless(path, "directory", "show", sakura).stdout
    assert "さくら医院" in faxless(path, "directory", "merge", midori["id"], sakura).stdout
    assert [one["id"] for one in json.loads(faxless(path, "--json", "directory", "list").stdout)] == [sakura]
    assert json.loads(faxless(path, "--json", "directory", "proposals").stdout) == []
    table.write_text(HEADER + "さくら医院,123,,,,,,\n", encoding="utf-8")
    bad = faxless(path, "directory", "import", str(table))
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "2行目: 番号「123」" in bad.stderr
    for words, code in ((("show",), 2), (("merge", "a"), 2), (("show", "nobody"), 1), (("proposals", "x"), 2)):
        assert faxless(path, "directory", *words).returncode == code


def test_check_names_rules_that_no_fax_can_meet(tmp_path: Path) -> None:
    rules = """
[[rule]]
name = "広い"
when = { caller = "03*" }
department = "kansen"
[[rule]]
name = "狭い"
when = { caller = "03-5555-0191" }
department = "bunsho"
[[rule]]
name = "台帳"
when = { institution = "さくら医院", proof = true }
department = "bunsho"
"""
    path = write_city(tmp_path, rules)
    done = faxless(path, "--json", "check")
    (wrong,) = [check["detail"] for check in json.loads(done.stdout)["checks"] if not check["ok"]]
    assert done.returncode == 1
    assert "規則「狭い」は働きません" in wrong
    assert "「広い」がすべて取ります" in wrong
    assert "発信元「さくら医院」が台帳にありません" in wrong


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_tables_come_with_a_migration_on_both_databases(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = "sqlite" if kind == "sqlite" else request.getfixturevalue("postgres")
    config = load(write_city(tmp_path, database=database))
    with open_house(config) as house:
        done = directory.take(house.store, TABLE.encode(), "tests")
        assert done["new"] == 2
        walked(house.store, 1, sighting=seen())
        assert house.store.institutions.sightings() == [seen()]
        desk = Desk(config, house.store, Spool(config.spool_folder), taxonomy.load())
        fax = walked(house.store, 2, caller="+81355550191", caller_source="header")
        assert desk.as_json([fax])[0]["sender_institution"]["name"] == "さくら医院"
