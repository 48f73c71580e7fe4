"""Who is read first: the first pages of all before anybody's second, what is urgent before everything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOSClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy.exc import OperationalError

from gateway import reader
from gateway.config import Config, load
from gateway.errors import Superseded
from gateway.house import House, open_house
from gateway.models import now
from gateway.queue import ALERT, CARRY, JOURNEY, Haste
from gateway.reader import MailToRead, Turn
from gateway.store import BACKLOG
from gateway.worker import FOREMOST, LAST, QUEUES, REST, RETRIED, RETRIES, Worker, _jobs, _let_go_first, _turn
from ocr.page import PageText, Reading
from tests.city import write_city
from tests.gateway.test_parts import Quick, Walk, walk_at
from tests.gateway.test_repeat import fax
from tests.gateway.test_store import accept

MEASLES = "麻しん発生届\n診断(検案)した者(死体)の類型 患者(確定例)\n診断(検案)年月日 令和8年11月20日"
ORDER = "注 文 書\nみどり区役所 御中\n注文番号 2026-1\n品名・規格 手袋 数量 10 単価(円) 500\n納入期限 12月1日"
COVER = "FAX送信票\n送信枚数 3枚(本票を含む)\nご査収ください"


# ---- places


@given(st.lists(st.sampled_from(list(Turn)), min_size=1, max_size=12))
def test_a_free_place_goes_to_the_most_urgent_then_to_who_came_first(turns: list[Turn]) -> None:
    places = reader._Places()
    order: list[tuple[Turn, int]] = []

    def wait(number: int, turn: Turn) -> None:
        child = places.get(turn)
        order.append((turn, number))
        places.put(child)

    with ThreadPoolExecutor(len(turns)) as hands:
        for number, turn in enumerate(turns):
            hands.submit(wait, number, turn)
            while len(places._waiting) <= number:
                pass  # until it waits: there is no place yet
        places.put(None)
    assert order == sorted(order)
    assert len(order) == len(turns)


def test_every_free_place_is_given_out() -> None:
    places = reader._Places()
    together = threading.Barrier(3, timeout=30)

    def wait(turn: Turn) -> None:
        child = places.get(turn)
        together.wait()  # all three have one at the same time
        places.put(child)

    with ThreadPoolExecutor(3) as hands:
        waiting = [hands.submit(wait, turn) for turn in Turn]
        for _ in range(3):
            places.put(None)
        assert [one.result(timeout=60) for one in waiting] == [None] * 3


def test_whose_turn_it_is_is_no_part_of_which_mail_it_is() -> None:
    assert MailToRead("a") == MailToRead("a", turn=Turn.LATER)


# ---- legs


class Fixed(Quick):
    """Reads what the test has written on each page."""

    texts: tuple[str, ...] = ()
    turns: list[tuple[int, Turn]]

    def read(self, mail: MailToRead, document: int, page: int) -> Reading:
        self.turns.append((page, mail.turn))
        text = self.texts[page - 1]
        told = PageText(
            number=page, width=1728, height=2200, words=(), text=text, confidence=0.99, turned=0, skew=0.0,
            barcodes=(), masked=(), engine="fixed",
        )  # fmt: skip
        return Reading(told, f"picture {page} {text}".encode())


@pytest.fixture
def walk(tmp_path: Path, config: Config, house: House) -> Iterator[Walk]:
    folder = tmp_path / "walk"
    folder.mkdir()
    built = walk_at(f"sqlite:///{folder / 'walk.db'}", config, folder)
    from sqlmodel import SQLModel

    SQLModel.metadata.create_all(built.store.engine)
    readers = Fixed(built.pipeline.spool)
    readers.turns = []
    built.pipeline = replace(built.pipeline, readers=readers)
    yield built
    built.store.engine.dispose()


def pages_of(count: int) -> bytes:
    """A TIFF of so many pages."""
    import io

    out = io.BytesIO()
    sheets = [Image.new("1", (864, 1100), 1) for _ in range(count)]
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression="group4", dpi=(204, 196))
    return out.getvalue()


def first_leg(walk: Walk, *texts: str) -> tuple[str, list[tuple[Any, ...]], Fixed]:
    """A fax of these pages after its first leg: its id, what was put off, and who has read."""
    readers = walk.pipeline.readers
    assert isinstance(readers, Fixed)
    readers.texts = texts
    fax_id = walk.mail(fax(pages_of(len(texts))), walk=False)
    put_off: list[tuple[Any, ...]] = []
    walk.pipeline.journey(fax_id, _at_once, lambda *words: put_off.append(words))
    return fax_id, put_off, readers


def _at_once(function: Callable[..., Any], *words: Any) -> Any:
    return function(*words)


def test_people_are_called_when_the_first_page_is_read(walk: Walk) -> None:
    fax_id, put_off, readers = first_leg(walk, MEASLES, "2枚目", "3枚目")
    assert readers.turns == [(1, Turn.FIRST)]
    told = walk.told(fax_id)
    assert (told["state"], told["urgent"], told["document_type"]) == ("reading", True, "DISEASE_IMMEDIATE")
    assert told["alert"]["step"] == 1
    ((_, since, pages, before, urgent),) = put_off
    assert (len(pages), before, urgent) == (3, 1, True)
    walk.pipeline.rest(fax_id, since, pages, before, urgent, _at_once)
    assert readers.turns[1:] == [(2, Turn.URGENT), (3, Turn.URGENT)]
    assert walk.told(fax_id)["state"] in ("routed", "held")
    assert walk.told(fax_id)["alert"]["raised_at"] == told["alert"]["raised_at"]


def test_the_rest_of_an_ordinary_fax_waits(walk: Walk) -> None:
    fax_id, put_off, readers = first_leg(walk, ORDER, "2枚目")
    ((_, since, pages, before, urgent),) = put_off
    assert (before, urgent, walk.told(fax_id)["alert"]) == (1, False, None)
    walk.pipeline.rest(fax_id, since, pages, before, urgent, _at_once)
    assert readers.turns == [(1, Turn.FIRST), (2, Turn.LATER)]
    assert walk.told(fax_id)["text"].count("\f") == 1


def test_a_cover_sheet_tells_nothing_and_the_next_page_is_read_at_once(walk: Walk) -> None:
    fax_id, put_off, readers = first_leg(walk, COVER, MEASLES, "3枚目")
    assert [page for page, _ in readers.turns] == [1, 2]
    assert put_off[0][3:] == (2, True)
    assert walk.told(fax_id)["alert"]["step"] == 1


def test_a_long_fax_that_tells_nothing_lets_others_go_first(walk: Walk) -> None:
    _, put_off, readers = first_leg(walk, *[""] * 9)
    assert [page for page, _ in readers.turns] == [1, 2, 3]
    assert put_off[0][3:] == (3, False)


def test_one_page_is_walked_to_its_end(walk: Walk) -> None:
    fax_id, put_off, _ = first_leg(walk, ORDER)
    assert put_off == []
    assert walk.told(fax_id)["state"] in ("routed", "held")


def test_a_fax_read_again_meanwhile_leaves_the_old_leg(walk: Walk) -> None:
    fax_id, put_off, readers = first_leg(walk, ORDER, "2枚目")
    walk.desk.requeue(fax_id, "sato")
    ((_, since, pages, before, urgent),) = put_off
    with pytest.raises(Superseded):
        walk.pipeline.rest(fax_id, since, pages, before, urgent, _at_once)
    assert len(readers.turns) == 1


# ---- priorities


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    path = write_city(tmp_path)
    path.write_text(path.read_text().replace('id = "shomu"\n', 'id = "shomu"\nurgent = true\n'))
    with open_house(load(path)) as home:
        pipeline = walk_at(home.config.database_url, home.config, tmp_path).pipeline
        yield Worker(home.engine, home.store, pipeline, None, tmp_path)  # type: ignore[arg-type]


def test_the_order_of_the_queue(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = now()
    monkeypatch.setattr("gateway.worker.now", lambda: moment)
    earlier = worker._priority(JOURNEY, Haste("hoken", "10.0.0.1", urgent=False))
    monkeypatch.setattr("gateway.worker.now", lambda: moment + timedelta(seconds=1))
    later = worker._priority(JOURNEY, Haste("hoken", "10.0.0.1", urgent=False))
    hotline = worker._priority(JOURNEY, Haste("shomu", "10.0.0.1", urgent=False))
    backlog = worker._priority(JOURNEY, Haste("hoken", BACKLOG, urgent=False))
    assert FOREMOST == hotline < later < earlier < RETRIED < backlog == LAST < 2**31
    assert _turn(moment + timedelta(milliseconds=200)) < _turn(moment), "no place behind all who came in that second"
    copies = [worker._priority(CARRY, Haste("hoken", "", urgent=urgent)) for urgent in (True, False)]
    assert copies == sorted(copies)
    assert worker._priority(ALERT, Haste("hoken", "", urgent=True)) == FOREMOST


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_turn_is_always_between_the_foremost_and_what_is_tried_again(moment: datetime) -> None:
    assert FOREMOST < _turn(moment) < RETRIED


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_who_has_waited_longest_goes_first_and_no_two_workers_move_the_same(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = "sqlite" if database == "sqlite" else request.getfixturevalue("postgres")
    moment = now()
    waiting = {f"after {minutes}": _turn(moment - timedelta(minutes=minutes)) for minutes in (0, 2, 3, 4, 5, 6)}
    others = {"hotline": FOREMOST, "retried": RETRIED, "backlog": LAST}
    with open_house(load(write_city(tmp_path, database=url))) as home:
        client = DBOSClient(system_database_engine=home.engine, application_name="faxless", lazy=True)
        for name, priority in (waiting | others).items():
            _enqueue(client, QUEUES[JOURNEY], name, priority)
        _enqueue(client, QUEUES[REST], "second leg", _turn(moment - timedelta(hours=1)))
        jobs = _jobs(home.engine)
        with home.engine.begin() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.workflow_uuid == "after 6").values(status="PENDING"))
        bound = _turn(moment - timedelta(minutes=1))
        with ThreadPoolExecutor(3) as workers:
            moved = list(workers.map(lambda _: _let_go_first(home.engine, bound), range(3)))
        with home.engine.connect() as connection:
            rows = connection.execute(sa.select(jobs.c.workflow_uuid, jobs.c.priority)).all()
        turns = {name: priority for name, priority in rows if name in waiting | others}
        moved += [_let_go_first(home.engine, bound) for _ in range(2)]
        client.destroy()
    assert moved == [True, True, True, True, False]
    assert turns == waiting | others | dict.fromkeys(("after 5", "after 4", "after 3"), FOREMOST)


def _enqueue(client: DBOSClient, queue: str, name: str, priority: int) -> None:
    client.enqueue({"queue_name": queue, "workflow_name": JOURNEY, "workflow_id": name, "priority": priority}, name)


def test_a_row_that_the_database_refuses_for_ever_ends_where_people_see_it(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax_id = accept(worker._store, 1)
    later: list[str] = []
    monkeypatch.setattr(worker, "_later", lambda work, of, delay: later.append(of))

    def refused() -> None:
        worker._store.begin(fax_id, f"run {len(later)}")
        raise OperationalError("INSERT", {}, Exception("string or blob too big"))

    for _ in range(RETRIES + 1):
        worker._walk(fax_id, refused)
    fax = worker._store.fax(fax_id)
    assert fax is not None
    assert (fax.state, len(later)) == ("failed", RETRIES)
    assert "原本を開いて" in fax.held_because[0]


def look_for_lost(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every fax had not moved for long; a job is one that waits in our own table."""
    monkeypatch.setattr("gateway.worker.STUCK", timedelta(0))
    monkeypatch.setattr(worker, "_has_job", lambda _work, of: worker._store.queue.wanted(of))
    worker._look_for_lost()


def test_a_fax_whose_next_try_could_not_be_queued_is_found_again(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax_id = accept(worker._store, 1)
    worker._store.queue.hand_over(lambda *_: None)

    def full(*_words: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(worker, "_later", full)

    def walked() -> None:
        worker._store.begin(fax_id, "a run")
        full()

    with pytest.raises(OperationalError):
        worker._walk(fax_id, walked)
    assert (worker._store.fax(fax_id).state, worker._store.queue.wanted(fax_id)) == ("failed", False)  # type: ignore[union-attr]
    look_for_lost(worker, monkeypatch)
    assert (worker._store.fax(fax_id).state, worker._store.queue.wanted(fax_id)) == ("received", True)  # type: ignore[union-attr]


def test_a_fax_that_has_failed_for_good_is_left_to_people(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    fax_id = accept(worker._store, 1)
    worker._store.queue.hand_over(lambda *_: None)
    for number in range(RETRIES + 1):
        worker._store.begin(fax_id, f"run {number}")
    worker._store.failed(fax_id, f"run {RETRIES}", "原本を開いて確認してください。")
    look_for_lost(worker, monkeypatch)
    assert (worker._store.fax(fax_id).state, worker._store.queue.wanted(fax_id)) == ("failed", False)  # type: ignore[union-attr]


def test_a_database_that_is_away_is_waited_for_however_long(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    fax_id = accept(worker._store, 1)
    later: list[str] = []
    monkeypatch.setattr(worker, "_later", lambda work, of, delay: later.append(of))

    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    monkeypatch.setattr(worker._store, "check_write", away)

    def walked() -> None:
        worker._store.begin(fax_id, f"run {len(later)}")
        away()

    for _ in range(3 * RETRIES):
        worker._walk(fax_id, walked)
    fax = worker._store.fax(fax_id)
    assert fax is not None
    assert (fax.state, fax.attempt) == ("reading", 0)
