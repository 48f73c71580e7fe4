"""The chain over the events: what was changed afterwards shows, and at which place; nobody waits for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import audit, backup
from gateway.chain import LATE
from gateway.config import load
from gateway.errors import UsageError
from gateway.house import House, open_house
from gateway.models import Chained, Event, now
from tests.breakage.postgresql import Server, new_database
from tests.city import ROOT, write_city
from tests.gateway.test_backup import no_bar


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(load(write_city(tmp_path_factory.mktemp("audit")))) as house:
        yield house


@pytest.fixture(scope="module")
def server(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    database = new_database(postgresql.address)
    with open_house(load(write_city(tmp_path_factory.mktemp("audit"), database=database))) as house:
        yield house


@pytest.fixture(params=["sqlite", "server"])
def archive(request: pytest.FixtureRequest) -> House:
    """A house with a history of forty events, all chained long ago, on either database."""
    house: House = request.getfixturevalue(request.param)
    with house.engine.begin() as connection:
        connection.execute(sa.delete(Chained))
        connection.execute(sa.delete(Event))
        connection.execute(sa.insert(Event), [said(number) for number in range(1, 41)])
        if request.param == "server":
            connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('event', 'id'), 40)"))
    chained(house, now() - 2 * LATE)
    return house


def said(number: int) -> dict[str, Any]:
    why = {"why": f"理由{number} \u2028 😀", "part": number / 3}
    return {"id": number, "at": now(), "fax_id": f"fax-{number}", "who": "suzuki", "action": "viewed", "detail": why}


def happen(house: House, count: int) -> None:
    for number in range(count):
        house.store.note("suzuki", "viewed", f"fax-{number}", why="理由 \u2028 😀")


def chained(house: House, moment: object = None) -> None:
    while audit.chain(house.store, moment):  # type: ignore[arg-type]
        pass


def verdict(house: House, known: audit.Head | None = None) -> audit.Verdict:
    return audit.verify(house.store, no_bar, known)


def tamper(house: House, *statements: str) -> None:
    with house.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def test_what_nobody_touched_holds(archive: House) -> None:
    happen(archive, 3)
    told = verdict(archive)
    assert (told.events, told.waiting, told.broken, told.first) == (40, 3, 0, None)
    chained(archive)
    after = verdict(archive, told.head)
    assert (after.events, after.waiting, after.waits_since, after.first) == (43, 0, None, None)
    assert after.head != told.head


CHANGES = {
    "who": "UPDATE event SET who = 'tanaka' WHERE id = 17",
    "what": "UPDATE event SET action = 'downloaded' WHERE id = 17",
    "of which fax": "UPDATE event SET fax_id = NULL WHERE id = 17",
    "why": """UPDATE event SET detail = '{"why": "other"}' WHERE id = 17""",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_event_is_named(archive: House, change: str) -> None:
    tamper(archive, change)
    first = verdict(archive).first
    assert first is not None
    assert (first.what, first.number, first.event_id) == ("changed", 17, 17)


def test_a_time_moved_by_a_microsecond_is_named(archive: House) -> None:
    with archive.engine.begin() as connection:
        (at,) = connection.execute(sa.select(Event.at).where(Event.id == 9)).one()  # type: ignore[arg-type,call-overload]
        connection.execute(sa.update(Event).where(Event.id == 9).values(at=at + timedelta(microseconds=1)))  # type: ignore[arg-type]
    first = verdict(archive).first
    assert first is not None
    assert (first.what, first.event_id) == ("changed", 9)


def test_deleted_events_are_named_and_counted(archive: House) -> None:
    tamper(archive, "DELETE FROM event WHERE id IN (5, 6, 30)")
    told = verdict(archive)
    assert told.first is not None
    assert (told.first.what, told.first.number, told.first.event_id, told.broken) == ("deleted", 5, 5, 3)


def test_an_event_deleted_with_its_place_leaves_a_gap(archive: House) -> None:
    tamper(archive, "DELETE FROM event WHERE id = 12", "DELETE FROM chain WHERE event_id = 12")
    first = verdict(archive).first
    assert first is not None
    assert (first.what, first.number) == ("unchained", 12)


def test_a_gap_closed_by_counting_down_is_a_change(archive: House) -> None:
    """The places after it moved up, so that no number is missing: the next hash no longer fits."""
    tamper(archive, "DELETE FROM event WHERE id = 40", "DELETE FROM chain WHERE number = 40")
    tamper(archive, "DELETE FROM event WHERE id = 12", "DELETE FROM chain WHERE event_id = 12")
    for number in range(13, 40):
        tamper(archive, f"UPDATE chain SET number = {number - 1} WHERE number = {number}")  # noqa: S608
    first = verdict(archive).first
    assert first is not None
    assert (first.what, first.number, first.event_id) == ("changed", 12, 13)


@pytest.mark.parametrize("number", [-3, 12])
def test_an_event_inserted_afterwards_is_named_and_never_chained(archive: House, number: int) -> None:
    tamper(
        archive,
        f"DELETE FROM event WHERE id = {number}",  # noqa: S608
        f"DELETE FROM chain WHERE event_id = {number}",  # noqa: S608
        f"INSERT INTO event (id, at, who, action, detail) VALUES ({number}, '2026-11-01', 'x', 'viewed', '{{}}')",  # noqa: S608
    )
    happen(archive, 1)
    chained(archive)
    told = verdict(archive)
    inserted = verdict(archive).first
    assert inserted is not None
    assert told.events == (41 if number < 0 else 40)
    assert inserted.what == ("inserted" if number < 0 else "unchained")
    assert told.broken == (1 if number < 0 else 2)
    assert told.waiting == 0


def test_two_events_that_changed_places_are_named(archive: House) -> None:
    tamper(
        archive,
        "UPDATE event SET id = 1000 WHERE id = 20",
        "UPDATE event SET id = 20 WHERE id = 21",
        "UPDATE event SET id = 21 WHERE id = 1000",
    )
    first = verdict(archive).first
    assert first is not None
    assert (first.what, first.number) == ("changed", 20)
    assert verdict(archive).broken == 2


def test_places_that_changed_places_are_named(archive: House) -> None:
    tamper(
        archive,
        "UPDATE chain SET number = 1000 WHERE number = 20",
        "UPDATE chain SET number = 20 WHERE number = 21",
        "UPDATE chain SET number = 21 WHERE number = 1000",
    )
    first = verdict(archive).first
    assert first is not None
    assert (first.what, first.number) == ("changed", 20)


def test_a_chain_made_anew_holds_in_itself_and_not_against_a_head_kept_elsewhere(archive: House) -> None:
    known = verdict(archive).head
    tamper(archive, "UPDATE event SET who = 'nobody' WHERE id = 3", "DELETE FROM chain")
    chained(archive)
    assert verdict(archive).first is None
    first = verdict(archive, known).first
    assert first is not None
    assert (first.what, first.number) == ("head", 40)


def test_an_end_that_was_cut_off_shows_against_a_head_kept_elsewhere(archive: House) -> None:
    known = verdict(archive).head
    tamper(archive, "DELETE FROM event WHERE id > 35", "DELETE FROM chain WHERE number > 35")
    assert verdict(archive).first is None
    first = verdict(archive, known).first
    assert first is not None
    assert first.what == "head"


def test_two_workers_chain_each_event_once(archive: House) -> None:
    for _ in range(3):
        happen(archive, 60)
        with ThreadPoolExecutor(4) as workers:
            list(workers.map(lambda _: audit.chain(archive.store), range(12)))
    chained(archive)
    told = verdict(archive)
    assert (told.events, told.waiting, told.first) == (220, 0, None)


CHAINING = """
import sys
from pathlib import Path
from gateway import audit
from gateway.config import load
from gateway.house import open_house
with open_house(load(Path(sys.argv[1]))) as house:
    print("ready", flush=True)
    while True:
        audit.chain(house.store)
"""


def test_a_worker_killed_while_it_chains_leaves_a_chain_that_holds(archive: House) -> None:
    for _ in range(3):
        command = [sys.executable, "-c", CHAINING, str(archive.config.path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
            happen(archive, 30)
            os.kill(worker.pid, signal.SIGKILL)
        assert verdict(archive).first is None
    chained(archive)
    told = verdict(archive)
    assert (told.events, told.waiting, told.first) == (130, 0, None)


def test_an_event_committed_late_on_postgresql_is_chained_when_it_shows(postgres: str, tmp_path: Path) -> None:
    """Its number is lower than those that others committed meanwhile."""
    with open_house(load(write_city(tmp_path, database=postgres))) as house:
        with house.engine.begin() as slow:
            slow.execute(sa.insert(Event).values(at=now(), who="door", action="received", detail={}))
            happen(house, 5)
            chained(house)
            assert (verdict(house).events, verdict(house).first) == (5, None)
        assert (verdict(house).waiting, verdict(house).first) == (1, None)
        chained(house)
        told = verdict(house)
        assert (told.events, told.waiting, told.first) == (6, 0, None)


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_restored_house_has_the_same_chain(archive: House, postgresql: Server, tmp_path: Path, into: str) -> None:
    happen(archive, 2)
    head = verdict(archive).head
    file = tmp_path / "saved.tar"
    backup.write(archive, file, no_bar)
    database = "sqlite" if into == "sqlite" else new_database(postgresql.address)
    with open_house(load(write_city(tmp_path, database=database))) as house, file.open("rb") as source:
        backup.restore(house, source, no_bar)
        told = verdict(house, head)
        assert (told.events, told.waiting, told.first) == (42, 1, None)


def test_the_command_says_where_and_fails(house: House) -> None:
    happen(house, 6)
    chained(house)

    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway.cli", "--config", str(house.config.path), "audit", "verify", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    done = asked("--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], told["events"], told["first_broken"]) == (0, True, 6, None)
    tamper(house, "UPDATE event SET who = 'x' WHERE id = 4")
    done = asked("--json", "--head", told["head"])
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], told["broken"], told["first_broken"]["event"]) == (1, False, 1, 4)
    done = asked("--head", "nonsense")
    assert done.returncode == 1
    assert "number:hash" in done.stderr
    assert "event 4" in asked().stdout


@pytest.mark.parametrize("text", ["", "7", "x:" + "0" * 64, "7:" + "0" * 63, "-1:" + "0" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        audit.head_of(text)


TOLD = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=9), max_size=3)


@settings(deadline=None)
@given(TOLD, TOLD, st.text(max_size=9), st.text(max_size=9))
def test_only_equal_events_have_equal_hashes(one: dict[str, object], two: dict[str, object], a: str, b: str) -> None:
    moment = now()
    made: Callable[[str, dict[str, object]], str] = lambda who, detail: audit.link(  # noqa: E731
        "", Event(id=1, at=moment, who=who, action="viewed", detail=detail)
    )
    assert (made(a, one) == made(b, two)) == ((a, one) == (b, two))
