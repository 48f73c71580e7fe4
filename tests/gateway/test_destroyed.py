"""A misdirected fax is destroyed: nothing that it said is left anywhere, and nothing else is touched or lost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from gateway import audit, backup, migrations, service
from gateway.carrier import Carrier
from gateway.copies import NOT_SENT
from gateway.database import transaction
from gateway.errors import BeingDestroyed, Missing, UsageError
from gateway.house import House
from gateway.inbox import Query
from gateway.models import Alert, State, Work, now
from gateway.sealing import DESTROYED
from gateway.service import LEAVING, erase, sweep
from gateway.spool import ORPHAN_SECONDS, Spool
from gateway.store import Mail
from tests.gateway.test_backup import no_bar
from tests.gateway.test_parts import Walk
from tests.gateway.test_taken import MEASLES, ORDER, entry_of, fax, house_at
from tests.object_store import ObjectStore

SECRET = "架空"
"""Stands on the first page."""
LATER = LEAVING + 60


@pytest.fixture(params=["sqlite", "postgresql"])
def walk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Walk]:
    """A house with two departments, whose faxes have a page for each."""
    if request.param == "sqlite":
        built = house_at(f"sqlite:///{tmp_path / 'faxless.db'}", tmp_path, [MEASLES, ORDER])
    else:
        address = request.getfixturevalue("postgres").replace("postgresql://", "postgresql+psycopg://")
        built = house_at(address, tmp_path, [MEASLES, ORDER])
    with built.store.engine.begin() as connection:
        migrations.upgrade(connection)
    yield built
    built.store.engine.dispose()


def carry(walk: Walk, *ids: str) -> None:
    readers: Any = walk.pipeline.readers
    carrier = Carrier(walk.pipeline.config, walk.store, walk.pipeline.spool, readers, walk.pipeline.taxonomy)
    for one in ids:
        carrier.carry(one)


def destroyed(walk: Walk, fax_id: str) -> None:
    walk.store.seal(fax_id, "sato")
    walk.desk.destroy(fax_id, "sato", fax_id, "発信元の依頼")


def erased(walk: Walk) -> int:
    return erase(walk.store, walk.pipeline.spool, time.time() + LATER)


def rows(walk: Walk) -> str:
    """Everything that the database holds, as text."""
    with walk.store.engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        return repr([[dict(row) for row in connection.execute(sa.select(table)).mappings()] for table in tables])


def house(walk: Walk) -> House:
    return House(
        walk.pipeline.config, walk.store.engine, walk.store, walk.pipeline.spool, walk.desk, walk.pipeline.diseases
    )


def figures(walk: Walk) -> list[Any]:
    month = walk.store.ledger.first_month() or ""
    arrivals = [(row.line, row.department, row.count) for row in walk.store.ledger.arrivals(month, month)]
    return [arrivals, walk.store.ledger.excluded(month, month), walk.counted()]


# ---- what was taken out follows into the case


def test_what_was_taken_out_is_sealed_with_the_fax_and_opens_with_it(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    walk.store.mark(entry.id, "abe", Work.DONE)
    walk.store.seal(fax_id, "sato")
    shut = entry_of(walk, fax_id)
    assert (shut.sealed, shut.work) == (fax_id, "new"), "who had finished it must hear of it"
    assert [copy.error for copy in walk.store.copies.deliveries([entry.id])] == [NOT_SENT]
    assert walk.store.copies.waiting(entry.id) == []
    assert [event.action for event in walk.store.events(entry.id)][-1] == "case:sealed"
    told = walk.told(entry.id)
    assert (told["text"], told["fields"], told["sealed"]) == ("", {}, True)
    assert walk.store.inbox.find(Query(text="手袋"))[0] == []
    walk.desk.release(fax_id, "sato", "kansen", "DISEASE_IMMEDIATE")
    walk.work()
    again = walk.told(entry.id)
    assert (again["sealed"], again["text"], again["document_type"]) == (False, ORDER, "PROCUREMENT")
    assert [copy.state for copy in walk.store.copies.waiting(entry.id)] == ["pending"]
    assert [event.action for event in walk.store.events(entry.id)][-1] == "case:ours"


def test_an_entry_said_to_be_misdirected_is_a_case_of_its_own(walk: Walk) -> None:
    """Its department may have got it by our own mistake: the fax's department is asked nothing by that."""
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    walk.store.seal(entry.id, "abe")
    assert (entry_of(walk, fax_id).sealed, walk.desk.fax(fax_id).sealed) == (entry.id, None)


def test_people_who_were_called_to_what_was_taken_out_are_called_again_when_it_is_ours(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    moment = now()
    with transaction(walk.store.engine) as session:
        session.add(Alert(fax_id=entry.id, department="keiri", raised_at=moment, stepped_at=moment, next_at=moment))
    walk.store.seal(fax_id, "sato")
    assert walk.store.calls.alerts([entry.id])[entry.id].next_at is None
    walk.desk.release(fax_id, "sato", "kansen", "DISEASE_IMMEDIATE")
    alert = walk.store.calls.alerts([entry.id])[entry.id]
    assert (alert.next_at is not None, alert.opened_at) == (True, None)


# ---- what goes


def test_a_case_of_an_entrys_own_ends_with_the_fax(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    walk.store.seal(entry.id, "abe")
    walk.store.seal(fax_id, "sato")
    assert entry_of(walk, fax_id).sealed == entry.id
    walk.desk.destroy(fax_id, "sato", fax_id, "発信元の依頼")
    own = walk.store.cases.case(entry.id)
    assert own is not None
    assert (own.outcome, own.closed_at is not None) == ("destroyed", True)
    assert walk.store.pages(entry.id) == []
    erased(walk)
    assert list(walk.pipeline.spool.settled()) == []


def test_nothing_that_it_said_is_left_and_its_count_stays(walk: Walk, tmp_path: Path) -> None:
    fax_id, again = walk.mail(fax()), walk.mail(fax())
    entry = entry_of(walk, fax_id)
    walk.store.seal(fax_id, "sato")
    before, whole = figures(walk), walk.desk.fax(fax_id)
    pictures = [page.png for one in (fax_id, again, entry.id) for page in walk.store.pages(one)]
    assert SECRET in rows(walk)
    walk.desk.destroy(fax_id, "sato", fax_id, "発信元の依頼")
    assert figures(walk) == before
    left = rows(walk)
    for word in (SECRET, "麻しん", "手袋", "mfp@fax.example.jp", "Attached Image", "fax.example.jp>"):
        assert word not in left, word
    for one in (fax_id, again, entry.id):
        row = walk.desk.fax(one)
        assert (row.state, row.held_because, row.destroyed_at is not None) == (State.HELD, [DESTROYED], True)
        assert walk.store.pages(one) == []
        assert walk.told(one)["held_because"] == [DESTROYED]
    row = walk.desk.fax(fax_id)
    kept = ("id", "sha256", "bytes", "line", "pages", "counts", "accepted_at", "received_at", "month", "department")
    assert {name: getattr(row, name) for name in kept} == {name: getattr(whole, name) for name in kept}
    assert walk.store.inbox.find(Query(text="麻しん"))[0] == []
    assert set(walk.pipeline.spool.settled()) >= set(pictures), "what may still be in a door's hand waits"
    assert erased(walk) > 0
    assert list(walk.pipeline.spool.settled()) == []
    assert set(walk.store.cases.fates(fax_id)) == {"gone"}
    assert not any(tmp_path.glob("spool/arriving/*"))
    case = walk.store.cases.case(fax_id)
    assert case is not None
    assert (case.outcome, case.settled_at is not None) == ("destroyed", True)


def test_no_trace_is_left_in_the_file_of_the_database(tmp_path: Path) -> None:
    walk = house_at(f"sqlite:///{tmp_path / 'faxless.db'}", tmp_path, [MEASLES, ORDER])
    with walk.store.engine.begin() as connection:
        migrations.upgrade(connection)

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.glob("faxless.db*"))

    fax_id = walk.mail(fax())
    assert SECRET.encode() in on_disk()
    destroyed(walk, fax_id)
    erased(walk)
    assert SECRET.encode() not in on_disk()
    assert "手袋".encode() not in on_disk()
    walk.store.engine.dispose()


def test_the_chain_holds_and_no_event_tells_of_the_content(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    while audit.chain(walk.store):
        pass
    destroyed(walk, fax_id)
    erased(walk)
    while audit.chain(walk.store):
        pass
    verdict = audit.verify(walk.store, no_bar)
    assert verdict.first is None
    events = [event for one in (fax_id, entry.id) for event in walk.store.events(one)]
    assert ("sato", "case:destroyed") in [(event.who, event.action) for event in walk.store.events(entry.id)]
    told = json.dumps([event.detail for event in events], ensure_ascii=False)
    assert not any(word in told for word in (SECRET, "麻しん", "手袋", "fax.example.jp"))
    last = walk.store.events(fax_id)[-1]
    assert (last.action, last.detail["needed"], last.detail["gone"] > 0) == ("case:erased", 0, True)


def test_copies_that_arrived_are_known_and_others_are_withdrawn(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    carry(walk, fax_id)
    walk.store.copies.carried(f"{entry.id}-keiri-share", "deferred", "応答がありません", None, None)
    destroyed(walk, fax_id)
    carry(walk, fax_id, entry.id)
    states = [
        (copy.sink, copy.state, copy.receipt is not None) for copy in walk.store.copies.deliveries([fax_id, entry.id])
    ]
    assert states == [("kansen-share", "delivered", True)]
    (told,) = [event.detail for event in walk.store.events(fax_id) if event.action == "case:destroyed"]
    assert "keiri-share" in told["unsure"], "it may have taken it before it went silent"


def test_nobody_destroys_by_a_slip_or_twice_or_what_is_not_sealed(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    with pytest.raises(UsageError):
        walk.desk.destroy(fax_id, "sato", fax_id, "開いているFAX")
    walk.store.seal(fax_id, "sato")
    with pytest.raises(UsageError, match="受付番号"):
        walk.desk.destroy(fax_id, "sato", f"{fax_id}-p1", "違う番号")
    assert walk.desk.fax(fax_id).destroyed_at is None
    assert len(walk.store.pages(fax_id)) == 2
    walk.desk.destroy(fax_id, "sato", f" {fax_id} ", "発信元の依頼")
    for act in (
        lambda: walk.desk.destroy(fax_id, "sato", fax_id, "もう一度"),
        lambda: walk.desk.release(fax_id, "sato", "kansen", "DISEASE_IMMEDIATE"),
        lambda: walk.desk.requeue(fax_id, "sato"),
    ):
        with pytest.raises(UsageError):
            act()


# ---- what stays


def test_bytes_that_another_fax_has_stay_for_it(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    digest, raw = walk.desk.fax(fax_id).sha256, fax()
    elsewhere = walk.mail(raw, line="shomu")
    assert [one.id for one in walk.store.cases.sharing(fax_id)] == []
    walk.store.seal(fax_id, "sato")
    assert [one.id for one in walk.store.cases.sharing(fax_id)] == [elsewhere]
    walk.desk.destroy(fax_id, "sato", fax_id, "発信元の依頼")
    erased(walk)
    assert walk.pipeline.spool.get(digest) == raw
    assert walk.told(elsewhere)["text"]
    assert all(walk.pipeline.spool.get(page.png) for page in walk.store.pages(elsewhere))
    assert walk.store.cases.fates(fax_id)["needed"] >= 1
    assert walk.store.cases.doomed(walk.desk.fax(fax_id).updated_at) == []


def test_the_same_mail_again_is_a_case_of_its_own_and_brings_nothing_back(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    destroyed(walk, fax_id)
    erased(walk)
    before = figures(walk)
    again = walk.mail(fax())
    row = walk.desk.fax(again)
    assert (row.duplicate_of, row.counts, row.sealed, row.work) == (fax_id, False, again, Work.NEW)
    assert walk.desk.original(row) == fax()
    assert walk.store.taken_from(again) == []
    assert walk.store.copies.deliveries([again]) == []
    assert (figures(walk)[0], figures(walk)[2]) == (before[0], before[2]), "the same mail counts once, destroyed or not"
    case = walk.store.cases.case(again)
    assert case is not None
    assert case.closed_at is None
    first = walk.desk.fax(fax_id)
    assert (first.sealed, first.destroyed_at is not None, walk.store.pages(fax_id)) == (fax_id, True, [])
    third = walk.mail(fax())
    assert walk.desk.fax(third).sealed == again, "one case for all that come while it is open"
    walk.desk.destroy(again, "sato", again, "また届いた")
    erased(walk)
    with pytest.raises(Missing):
        walk.desk.original(walk.desk.fax(third))


def test_an_equal_mail_is_not_taken_while_the_bytes_leave(walk: Walk) -> None:
    """Who were told 250 at that moment would find them gone; told 451, the machine sends again."""
    fax_id = walk.mail(fax())
    destroyed(walk, fax_id)
    other = Mail(walk.pipeline.spool.put(b"another"), 7, ("hoken",))
    equal = Mail(walk.pipeline.spool.put(fax()), len(fax()), ("hoken",))
    with pytest.raises(BeingDestroyed):
        walk.store.accept([equal])
    assert walk.store.accept([other])[0][0]
    erased(walk)
    with pytest.raises(Missing):
        walk.pipeline.spool.get(equal.sha256)
    walk.pipeline.spool.put(fax())
    assert walk.store.accept([equal])[0][0]


def test_a_journey_in_hand_writes_nothing_into_a_destroyed_fax(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    destroyed(walk, fax_id)
    walk.store.again(fax_id, "gateway")
    walk.work()
    row = walk.desk.fax(fax_id)
    assert (row.state, row.subject, walk.store.pages(fax_id)) == (State.HELD, "", [])


# ---- what breaks


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["before the file", "after the file"])
def test_killed_between_database_and_spool_the_next_start_finishes(
    walk: Walk, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax_id = walk.mail(fax())
    destroyed(walk, fax_id)
    destroy = Spool.destroy

    def struck(spool: Spool, digest: str, before: float) -> bool:
        if step == "after the file":
            destroy(spool, digest, before)
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(Spool, "destroy", struck)
        with suppress(Killed):
            erased(walk)
    assert walk.store.cases.fates(fax_id)[""] > 0
    assert erased(walk) > 0
    assert list(walk.pipeline.spool.settled()) == []
    assert set(walk.store.cases.fates(fax_id)) == {"gone"}


def test_killed_while_a_file_lies_aside_it_goes_all_the_same(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.prepare()
    digest = spool.put(b"somebody's")
    (tmp_path / digest[:2] / digest).rename(tmp_path / "arriving" / digest)
    assert spool.destroy(digest, time.time() + LATER)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert spool.destroy(digest, time.time() + LATER), "twice is the same as once"


def test_bytes_that_were_just_put_are_not_removed(tmp_path: Path) -> None:
    """A page of another fax that is being read looks the same: its row is not written yet."""
    spool = Spool(tmp_path)
    spool.prepare()
    digest = spool.put(b"a blank page")
    assert not spool.destroy(digest, time.time() - LEAVING)
    assert spool.get(digest) == b"a blank page"


def test_the_ordinary_sweep_leaves_nothing_of_it_either(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    destroyed(walk, fax_id)
    assert sweep(walk.store, walk.pipeline.spool, time.time() + ORPHAN_SECONDS + 60) > 0
    assert list(walk.pipeline.spool.settled()) == []
    erased(walk)
    assert set(walk.store.cases.fates(fax_id)) == {"gone"}


def test_the_same_in_an_object_store(store_of_objects: ObjectStore, tmp_path: Path) -> None:
    spool = store_of_objects.spool(tmp_path / "arriving")
    spool.prepare()
    digest = spool.put(b"somebody's record")
    assert not spool.destroy(digest, time.time() - LEAVING)
    assert spool.get(digest) == b"somebody's record"
    assert spool.destroy(digest, time.time() + LATER)
    with pytest.raises(Missing):
        spool.get(digest)
    assert spool.destroy(digest, time.time() + LATER), "twice is the same as once"


def test_a_backup_holds_nothing_of_it_and_misses_nothing(walk: Walk, tmp_path: Path) -> None:
    fax_id = walk.mail(fax())
    other = walk.pipeline.spool.put(b"another mail")
    walk.store.accept([Mail(other, 12, ("hoken",))])
    destroyed(walk, fax_id)
    contents = backup.write(house(walk), tmp_path / "copy.tar", no_bar)
    assert (contents.missing, contents.files) == ((), 1)
    assert "手袋".encode() not in (tmp_path / "copy.tar").read_bytes()


def test_the_worker_does_it_by_itself(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    fax_id = walk.mail(fax())
    destroyed(walk, fax_id)
    monkeypatch.setattr(service, "LEAVING", -60.0)

    async def until_gone() -> None:
        sweeping = asyncio.create_task(service._sweep(house(walk)))
        async with asyncio.timeout(60):
            while walk.store.cases.fates(fax_id).get(""):  # noqa: ASYNC110 - a thread does it
                await asyncio.sleep(0.01)
        sweeping.cancel()

    asyncio.run(until_gone())
    assert list(walk.pipeline.spool.settled()) == []
