"""The rows: what a run may write, what repeats do, what an inbox shows, who may sign in."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from gateway import database
from gateway.config import load
from gateway.database import connect
from gateway.errors import Superseded, UsageError
from gateway.house import House, add_user, open_house
from gateway.inbox import Query
from gateway.intake import Entries
from gateway.models import Fax, Page, User, Work, now
from gateway.store import Decided, Mail, Opened, Store
from tests.city import write_city


def accept(store: Store, number: int) -> str:
    return store.accept([Mail(sha256=f"{number:064x}", size=10, lines=("hoken",))])[0][0]


def opened(kind: str = "fax", pages: int = 1) -> Opened:
    return Opened(
        kind=kind, counts=kind == "fax", received_at=now(), sender="", subject="", message_id="",
        caller="+81355550199", caller_source="subject", tsi=None, pages=pages, problems=(), held_because=(),
    )  # fmt: skip


def decided(held: bool = False, department: str = "kansen", urgent: bool = False) -> Decided:
    return Decided(
        held=held, department=department, document_type="TB_REPORT", confidence=0.9, urgent=urgent, due_at=None,
        masked=False, reasons=("表題",), held_because=("確認",) if held else (), fields={}, barcodes=(), documents=(),
    )  # fmt: skip


def walked(store: Store, number: int, **decision: object) -> Fax:
    fax_id = accept(store, number)
    store.begin(fax_id, "run")
    store.opened(fax_id, "run", opened())
    store.page_read("run", Page(fax_id=fax_id, number=1, text=f"本文{number} 結核", folded=f"本文{number}結核"))
    store.decided(fax_id, "run", decided(**decision))  # type: ignore[arg-type]
    found = store.fax(fax_id)
    assert found is not None
    return found


def test_a_run_that_was_taken_over_may_write_nothing(house: House) -> None:
    """A zombie that wakes after a take-over."""
    store = house.store
    fax_id = accept(store, 1)
    store.begin(fax_id, "old")
    store.begin(fax_id, "young")
    for write in (
        lambda: store.opened(fax_id, "old", opened()),
        lambda: store.page_read("old", Page(fax_id=fax_id, number=1)),
        lambda: store.decided(fax_id, "old", decided()),
        lambda: store.failed(fax_id, "old", "no"),
    ):
        with pytest.raises(Superseded):
            write()
    store.opened(fax_id, "young", opened())
    left = store.fax(fax_id)
    assert left is not None
    assert (left.attempt, left.state, store.pages(fax_id), store.copies.deliveries([fax_id])) == (2, "reading", [], [])


def test_steps_that_run_twice_have_one_effect(house: House) -> None:
    store = house.store
    fax = walked(store, 1)
    store.page_read("run", Page(fax_id=fax.id, number=1, text="again"))
    for _ in range(2):
        store.decided(fax.id, "run", decided(), lambda _: ["folder", "mail"])
    assert [page.text for page in store.pages(fax.id)] == ["again"]
    assert [copy.id for copy in store.copies.deliveries([fax.id])] == [f"{fax.id}-folder", f"{fax.id}-mail"]


def test_a_repeat_for_the_same_line_gets_no_second_copies(house: House) -> None:
    store = house.store
    first = walked(store, 1)
    again = walked(store, 1)
    for fax in (first, again):
        store.decided(fax.id, "run", decided(), lambda _: ["folder"])
    assert again.duplicate_of == first.id
    assert [copy.fax_id for copy in store.copies.deliveries([first.id, again.id])] == [first.id]
    assert [fax.id for fax in store.repeats(first.id)] == [again.id]


def test_a_job_is_handed_over_or_stays(house: House) -> None:
    """Between our table and the engine's queue: in one of them, never in both, never in none."""
    fax_id = accept(house.store, 1)
    given: list[tuple[str, str]] = []

    def broken(_connection: sa.Connection, _work: str, _fax_id: str) -> None:
        raise RuntimeError("no engine")

    def put(_connection: sa.Connection, work: str, fax: str) -> None:
        given.append((work, fax))

    with pytest.raises(RuntimeError):
        house.store.queue.hand_over(broken)
    assert house.store.queue.wanted(fax_id)
    assert house.store.queue.hand_over(put) == 1
    assert given == [("journey", fax_id)]
    assert not house.store.queue.wanted(fax_id)
    assert house.store.queue.hand_over(put) == 0


def test_jobs_are_handed_over_oldest_first(house: House) -> None:
    made = [accept(house.store, number) for number in range(5)]
    given: list[str] = []
    while house.store.queue.hand_over(lambda _connection, _work, fax_id: given.append(fax_id), most=2):
        pass
    assert given == made


def test_a_commit_that_fails_leaves_nothing_of_any_mail(house: House) -> None:
    good = Mail(sha256="a" * 64, size=1, lines=("hoken",))
    with pytest.raises(IntegrityError):
        house.store.accept([good, replace(good, sha256="b" * 64, lines=(None,))])  # type: ignore[arg-type]
    assert house.store.inbox.find(Query()) == ([], None)
    assert house.store.inbox.last_event() == 0
    assert house.store.queue.hand_over(lambda *_: None) == 0


def test_equal_mails_of_one_commit_are_one_fax_and_its_repeats(house: House) -> None:
    equal = Mail(sha256="a" * 64, size=1, lines=("hoken",))
    (first,), (second,), (third,) = house.store.accept([equal, equal, replace(equal, lines=("shomu",))])
    faxes = {fax.id: fax for fax in house.store.inbox.find(Query())[0]}
    assert [faxes[one].duplicate_of for one in (first, second, third)] == [None, first, first]
    assert [faxes[one].counts for one in (first, second, third)] == [True, False, False]
    assert [faxes[one].work for one in (first, second, third)] == ["new", "done", "new"]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_doors_that_take_equal_mails_at_once_make_one_fax(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Eight threads, each committing in groups as two doors would, all with the same twenty mails."""
    url = "sqlite" if database == "sqlite" else request.getfixturevalue("postgres")
    with open_house(load(write_city(tmp_path, database=url))) as house:
        doors = [Entries(house.store), Entries(house.store)]
        stamp = secrets.token_hex(24)
        mails = [Mail(sha256=f"{stamp}{number:016x}", size=1, lines=("hoken",)) for number in range(20)] * 4
        with ThreadPoolExecutor(8) as threads:
            ids = [
                fax_id
                for given in threads.map(lambda job: doors[job[0] % 2].enter(job[1]), enumerate(mails))
                for fax_id in given
            ]
        assert len(set(ids)) == len(mails)
        faxes = [fax for fax in map(house.store.fax, ids) if fax is not None]
        assert sum(fax.counts for fax in faxes) == 20
        firsts = {fax.id for fax in faxes if fax.duplicate_of is None}
        assert len(firsts) == 20
        assert {fax.duplicate_of for fax in faxes} == firsts | {None}


def test_an_attempt_that_only_waited_leaves_the_fax_its_tries(house: House) -> None:
    fax_id = accept(house.store, 1)
    for run in ("one", "two", "three"):
        house.store.begin(fax_id, run)
        house.store.excused(fax_id)
    assert house.store.begin(fax_id, "four").attempt == 1


def test_paging_shows_every_fax_once_newest_first(house: House) -> None:
    store = house.store
    made = [accept(store, number) for number in range(23)]
    seen: list[str] = []
    cursor = None
    while True:
        faxes, cursor = store.inbox.find(Query(limit=5, cursor=cursor))
        seen += [fax.id for fax in faxes]
        if cursor is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["", "x", "!!", "aGVsbG8", "MjAyNi0xMS0yM3xh"])
def test_a_cursor_that_is_none_is_refused(house: House, cursor: str) -> None:
    if cursor:
        with pytest.raises(UsageError):
            house.store.inbox.find(Query(cursor=cursor))


def test_an_inbox_is_filtered_and_tallied(house: House) -> None:
    store = house.store
    held = walked(store, 1, held=True)
    urgent = walked(store, 2, urgent=True)
    other = walked(store, 3, department="bunsho")
    store.mark(other.id, "tanaka", Work.DONE)
    assert [fax.id for fax in store.inbox.find(Query(departments=("kansen",)))[0]] == [urgent.id, held.id]
    assert [fax.id for fax in store.inbox.find(Query(state="held"))[0]] == [held.id]
    assert [fax.id for fax in store.inbox.find(Query(text="本文3結"))[0]] == [other.id]
    assert [fax.id for fax in store.inbox.find(Query(text="%"))[0]] == []
    assert store.inbox.find(Query(departments=()))[0] == []
    tally = store.inbox.tally(None)
    assert (tally.new, tally.held, tally.done, tally.urgent) == (1, 1, 1, 1)
    assert store.inbox.tally(("bunsho",)).done == 1


def test_an_unknown_fax_is_said_so(house: House) -> None:
    for call in (
        lambda: house.store.mark("x", "tanaka", Work.DONE),
        lambda: house.store.again("x", "tanaka"),
        lambda: house.desk.fax("x"),
        lambda: house.desk.correct("x", "tanaka", "kansen", "TB_REPORT"),
        lambda: house.desk.mark("x", "tanaka", "eaten"),
        lambda: house.desk.correct("x", "tanaka", "nowhere", "TB_REPORT"),
        lambda: house.desk.correct("x", "tanaka", "kansen", "NOTHING"),
    ):
        with pytest.raises(UsageError):
            call()


def test_a_correction_is_an_event_that_learning_can_read(house: House) -> None:
    fax = walked(house.store, 1, held=True)
    house.desk.correct(fax.id, "tanaka", "bunsho", "OTHER")
    event = house.store.events(fax.id)[-1]
    assert (event.who, event.action) == ("tanaka", "corrected")
    assert event.detail == {
        "before": {"department": "kansen", "type": "TB_REPORT", "held": True, "urgent": False},
        "after": {"department": "bunsho", "type": "OTHER"},
    }


def test_sign_in_ends_by_idling_signing_out_and_disabling(house: House) -> None:
    store = house.store
    add_user(store, "tanaka", "clerk", ("kansen",))
    store.people.sign_in("secret", "tanaka")
    store.people.sign_in("token", "tanaka", label="api")
    assert store.people.signed_in("secret", timedelta(hours=1)) is not None
    assert store.people.signed_in("secret", timedelta(0)) is None
    assert store.people.signed_in("token", timedelta(0)) is not None
    assert store.people.signed_in("other", timedelta(hours=1)) is None
    store.people.sign_out("secret")
    assert store.people.signed_in("secret", timedelta(hours=1)) is None
    user = store.people.user("tanaka")
    assert isinstance(user, User)
    user.disabled = True
    store.people.save(user, "admin")
    assert store.people.signed_in("token", timedelta(hours=1)) is None


def test_silent_executors_are_named_once_and_buried(house: House) -> None:
    store = house.store
    assert store.queue.beat("one", timedelta(seconds=60)) == []
    assert store.queue.beat("two", timedelta(0)) == ["one"]
    store.queue.buried("one")
    assert [executor.id for executor in store.queue.executors()] == ["two"]


def test_no_secret_and_no_content_is_in_the_events(house: House) -> None:
    fax = walked(house.store, 7)
    house.store.people.sign_in("very secret", "tanaka")
    with house.engine.connect() as connection:
        written = str(connection.execute(sa.text("SELECT * FROM event")).all())
    assert fax.id in written
    assert "very secret" not in written
    assert "本文7" not in written
    assert "+81355550199" not in written


def test_connections_that_died_while_they_rested_are_not_given_out(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "RESTED", 0.0)
    engine = connect(postgres.replace("postgresql://", "postgresql+psycopg://"))
    held = [engine.connect() for _ in range(3)]
    mine = [connection.scalar(sa.text("SELECT pg_backend_pid()")) for connection in held]
    for connection in held:
        connection.close()
    alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
    with psycopg.connect(postgres, autocommit=True) as other:
        for pid in mine:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        while other.execute(alive, [mine]).fetchone() != (0,):
            pass
    for _ in mine:
        Store(engine).check()
    engine.dispose()
