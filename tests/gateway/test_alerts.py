"""Calls to urgent faxes: who, when, once, until somebody has opened it. The clock is handed in; nobody sleeps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import migrations
from gateway.alerts import Alerts, recipients, unguarded
from gateway.backlog import take
from gateway.calls import LAST_STEP
from gateway.carrier import Carrier
from gateway.config import AlertTable, Config, load
from gateway.database import connect
from gateway.errors import Superseded
from gateway.house import House, open_house
from gateway.models import Alert, Delivery, Fax, Page, now
from gateway.queue import ALERT, CARRY
from gateway.store import BACKLOG, Mail, Store, Taken
from routing import taxonomy
from routing.clock import JST
from routing.delivery import DeliveryError, Notice, Receipt
from tests.city import write_city
from tests.gateway.test_store import decided, opened

ALERTS = """
[[alert]]
id = "day"
department = "kansen"
kind = "folder"
path = "day"
when = "office_hours"
[[alert]]
id = "night"
department = "kansen"
kind = "folder"
path = "night"
when = "out_of_hours"
[[alert]]
id = "chief"
department = "kansen"
kind = "folder"
path = "chief"
step = 2
[[alert]]
id = "all"
kind = "folder"
path = "all"
"""
OFFICE = datetime(2026, 11, 24, 10, 0, tzinfo=JST)
NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=JST)
HOLIDAY = datetime(2026, 11, 23, 10, 0, tzinfo=JST)
URGENT = replace(decided(urgent=True), document_type="DISEASE_IMMEDIATE")


@pytest.fixture
def town(tmp_path: Path) -> Config:
    return load(write_city(tmp_path, ALERTS))


@pytest.fixture
def house(town: Config) -> Iterator[House]:
    with open_house(town) as built:
        yield built


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The rows on either database, as the steps up make them."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'rows.db'}"
    else:
        url = request.getfixturevalue("postgres").replace("postgresql://", "postgresql+psycopg://")
    engine = connect(url)
    with engine.begin() as connection:
        migrations.upgrade(connection)
    yield Store(engine)
    engine.dispose()


def arrived(store: Store, number: int = 1, client: str = "", line: str = "hoken") -> str:
    """A fax that is being read."""
    fax_id = store.accept([Mail(f"{number:064x}", 10, (line,), client=client)])[0][0]
    store.begin(fax_id, "run")
    store.opened(fax_id, "run", opened(pages=3))
    return fax_id


def alerted(store: Store, fax_id: str) -> Alert:
    return store.calls.alerts([fax_id])[fax_id]


def messages(store: Store, fax_id: str) -> list[tuple[int, str]]:
    return sorted((copy.step, copy.sink) for copy in store.copies.deliveries([fax_id]) if copy.step)


def actions(store: Store, fax_id: str) -> list[str]:
    return [event.action for event in store.events(fax_id)]


# ---- who


@pytest.mark.parametrize(
    ("department", "step", "moment", "called"),
    [
        ("kansen", 1, OFFICE, ("day",)),
        ("kansen", 1, NIGHT, ("night",)),
        ("kansen", 1, HOLIDAY, ("night",)),
        ("kansen", 2, OFFICE, ("chief",)),
        ("kansen", 7, NIGHT, ("chief",)),
        ("bunsho", 1, NIGHT, ("all",)),
        ("bunsho", 3, OFFICE, ("all",)),
    ],
)
def test_who_is_called(town: Config, department: str, step: int, moment: datetime, called: tuple[str, ...]) -> None:
    call = Alerts(town).call(Fax(line="shomu", department=department), step, moment)
    assert call.sinks == called
    assert call.wait == timedelta(minutes=15)


def test_a_fax_that_no_department_has_yet_is_its_line_s(town: Config) -> None:
    assert Alerts(town).call(Fax(line="hoken", department=None), 1, OFFICE).sinks == ("day",)
    assert Alerts(town).call(Fax(line="gone", department=None), 1, OFFICE).sinks == ("all",)


def test_the_minutes_and_hours_are_the_department_s(tmp_path: Path) -> None:
    path = write_city(tmp_path, ALERTS)
    own = 'bureau = "保健医療局"\noffice_hours = "12:00-13:00"\nalert_minutes = 5\n[[department]]\nid = "kekkaku"'
    path.write_text(path.read_text().replace('bureau = "保健医療局"\n[[department]]\nid = "kekkaku"', own))
    call = Alerts(load(path)).call(Fax(line="hoken", department="kansen"), 1, OFFICE)
    assert (call.sinks, call.wait) == (("night",), timedelta(minutes=5))


def test_without_alerts_the_department_s_sinks_are_told(tmp_path: Path) -> None:
    sink = '[[sink]]\nid = "share"\ndepartment = "kansen"\nkind = "folder"\npath = "share"\n'
    config = load(write_city(tmp_path, sink))
    assert recipients(config, "kansen", 1, there=False) == ("share",)
    assert recipients(config, "bunsho", 1, there=True) == ()


tables = st.lists(
    st.builds(
        lambda number, department, when, step: AlertTable(
            id=f"a{number}", department=department, when=when, step=step, kind="folder", path="x"
        ),
        st.integers(0, 10**6),
        st.sampled_from(["", "kansen", "bunsho"]),
        st.sampled_from(["always", "office_hours", "out_of_hours"]),
        st.integers(1, 8),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(tables, st.sampled_from(["kansen", "bunsho", "gone"]), st.integers(1, 10), st.booleans())
def test_somebody_is_called_wherever_anybody_is_named(
    alerts: list[AlertTable], department: str, step: int, there: bool
) -> None:
    config = Config.model_construct(alerts=tuple(alerts), sinks=())
    called = recipients(config, department, step, there=there)
    own = [one for one in alerts if one.department == department] or [one for one in alerts if not one.department]
    assert bool(called) == bool(own)
    assert set(called) <= {one.id for one in own}
    fitting = [one for one in own if one.when in ("always", "office_hours" if there else "out_of_hours")]
    if fitting:
        assert set(called) <= {one.id for one in fitting}


def test_check_names_who_would_not_be_called(tmp_path: Path, town: Config) -> None:
    assert list(unguarded(town, taxonomy.load())) == []
    silent = load(write_city(tmp_path))
    told = list(unguarded(silent, taxonomy.load()))
    assert any(one.startswith("感染症対策課") and "知らせる先がありません" in one for one in told)
    by_day = '[[alert]]\nkind = "folder"\npath = "x"\nwhen = "office_hours"\n'
    assert all("夜間" in one for one in unguarded(load(write_city(tmp_path, by_day)), taxonomy.load()))


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ('[[alert]]\nkind = "mail"\n', "alert 1 (mail): relay"),
        ('[[alert]]\ndepartment = "gone"\nkind = "folder"\npath = "x"\n', "部署「gone」"),
        ('[[alert]]\nid = "x"\nkind = "folder"\npath = "x"\n' * 2, "2つあります"),
        ('[[alert]]\nkind = "folder"\npath = "x"\nwhen = "never"\n', "alert.0.when"),
    ],
)
def test_mistakes_in_alerts(tmp_path: Path, more: str, word: str) -> None:
    with pytest.raises(Exception, match=word.replace("(", r"\(").replace(")", r"\)")):
        load(write_city(tmp_path, more))


# ---- once, and until somebody has opened it


def test_the_first_pages_call_and_the_decision_does_not_call_again(store: Store, town: Config) -> None:
    call = Alerts(town).call
    fax_id = arrived(store)
    store.glanced(fax_id, "run", URGENT, call)
    told = messages(store, fax_id)
    assert [step for step, _ in told] == [1]
    fax = store.fax(fax_id)
    assert fax is not None
    assert (fax.urgent, fax.state, fax.document_type) == (True, "reading", "DISEASE_IMMEDIATE")
    assert store.queue.wanted(fax_id)
    store.decided(fax_id, "run", URGENT, call_of=call)
    assert messages(store, fax_id) == told
    assert actions(store, fax_id).count("alerted") == 1


def test_what_is_decided_for_another_department_is_told_there(store: Store, town: Config) -> None:
    call = Alerts(town).call
    fax_id = arrived(store)
    store.glanced(fax_id, "run", URGENT, call)
    store.decided(fax_id, "run", replace(URGENT, department="bunsho"), call_of=call)
    assert (1, "all") in messages(store, fax_id)
    assert alerted(store, fax_id).department == "bunsho"


def test_no_call_for_what_is_not_urgent_a_repeat_or_old(store: Store, town: Config) -> None:
    call = Alerts(town).call
    calm = arrived(store)
    store.decided(calm, "run", decided(), call_of=call)
    old = arrived(store, 2, client=BACKLOG)
    store.decided(old, "run", URGENT, call_of=call)
    first, again = arrived(store, 3), arrived(store, 3)
    store.decided(first, "run", URGENT, call_of=call)
    store.decided(again, "run", URGENT, call_of=call)
    assert set(store.calls.alerts([calm, old, first, again])) == {first}


def taken_out(store: Store, fax_id: str, **whole: Any) -> tuple[str, ...]:
    """Decide a fax of whose pages the last belongs to another department and is urgent; gives the entries made."""
    store.page_read("run", Page(fax_id=fax_id, number=3, text="発生届", folded="発生届"))
    part = Taken(3, 3, "f" * 64, 10, replace(URGENT, department="bunsho"))
    call, sinks = first_call, lambda department: [f"{department}-share"]
    store.decided(fax_id, "run", replace(decided(), also=(part,), **whole), sinks, call)
    return tuple(entry.id for entry in store.taken_from(fax_id))


def test_an_urgent_document_taken_out_of_a_fax_calls_its_own_department(store: Store) -> None:
    fax_id = arrived(store)
    assert taken_out(store, fax_id) == (entry := f"{fax_id}-p3",)
    assert set(store.calls.alerts([fax_id, entry])) == {entry}
    assert alerted(store, entry).department == "bunsho"
    assert messages(store, entry) == [(1, "day"), (1, "night")]
    store.begin(fax_id, "again")  # read again: nobody is called twice
    part = Taken(3, 3, "f" * 64, 10, replace(URGENT, department="bunsho"))
    store.decided(fax_id, "again", replace(decided(), also=(part,)), call_of=first_call)
    assert messages(store, entry) == [(1, "day"), (1, "night")]


def test_an_old_fax_s_documents_call_nobody(store: Store) -> None:
    fax_id = arrived(store, client=BACKLOG)
    (entry,) = taken_out(store, fax_id)
    assert store.calls.alerts([fax_id, entry]) == {}


def test_of_a_sealed_fax_no_pages_go_to_another_department(store: Store) -> None:
    fax_id = arrived(store)
    assert taken_out(store, fax_id, document_type="MISDIRECTED", held=True) == ()
    sealed = store.fax(fax_id)
    assert sealed is not None
    assert sealed.sealed == fax_id


def test_the_next_ones_are_called_when_nobody_opens_it(store: Store, town: Config) -> None:
    call = Alerts(town).call
    fax_id = arrived(store)
    store.decided(fax_id, "run", URGENT, call_of=call)
    raised = alerted(store, fax_id).raised_at
    assert store.calls.escalate(raised + timedelta(minutes=14, seconds=59), call) == []
    assert store.calls.escalate(raised + timedelta(minutes=15, seconds=1), call) == [fax_id]
    assert (2, "chief") in messages(store, fax_id)
    later = alerted(store, fax_id)
    assert (later.step, later.stepped_at) == (2, raised + timedelta(minutes=15, seconds=1))
    assert store.calls.escalate(later.stepped_at + timedelta(minutes=14), call) == []
    moment = later.stepped_at
    while store.calls.escalate(moment := moment + timedelta(hours=1), call):
        pass
    assert alerted(store, fax_id).step == LAST_STEP  # nobody rings for ever
    assert actions(store, fax_id).count("escalated") == LAST_STEP - 1


@pytest.mark.parametrize("how", ["look", "take", "finish", "correct"])
def test_it_ends_when_a_person_has_seen_it(store: Store, town: Config, how: str) -> None:
    call = Alerts(town).call
    fax_id = arrived(store)
    store.decided(fax_id, "run", URGENT, call_of=call)
    {
        "look": lambda: store.calls.looked(fax_id, "sato"),
        "take": lambda: store.mark(fax_id, "sato", "claimed"),  # type: ignore[arg-type]
        "finish": lambda: store.mark(fax_id, "sato", "done"),  # type: ignore[arg-type]
        "correct": lambda: store.correct(fax_id, "sato", "kansen", "DISEASE_IMMEDIATE", (), (True, None), call),
    }[how]()
    store.calls.looked(fax_id, "suzuki")
    alert = alerted(store, fax_id)
    assert (alert.opened_by, alert.next_at) == ("sato", None)
    assert actions(store, fax_id).count("opened") == 1
    assert store.calls.escalate(now() + timedelta(days=1), call) == []


def test_a_program_that_only_asks_has_opened_nothing(store: Store, town: Config) -> None:
    fax_id = arrived(store)
    store.decided(fax_id, "run", URGENT, call_of=Alerts(town).call)
    store.note("reporter", "viewed", fax_id)  # what the API does
    assert alerted(store, fax_id).opened_at is None


def test_an_urgent_fax_corrected_to_another_department_is_told_there(store: Store, town: Config) -> None:
    call = Alerts(town).call
    fax_id = arrived(store)
    store.decided(fax_id, "run", replace(decided(held=True), department="bunsho"), call_of=call)
    assert store.calls.alerts([fax_id]) == {}
    store.correct(fax_id, "sato", "kansen", "DISEASE_IMMEDIATE", (), (True, OFFICE), call)
    assert [sink for _, sink in messages(store, fax_id)] in (["day"], ["night"])
    assert alerted(store, fax_id).opened_at is None
    fax = store.fax(fax_id)
    assert fax is not None
    assert (fax.urgent, fax.due_at) == (True, OFFICE)


def test_many_hosts_take_each_step_once(store: Store, town: Config) -> None:
    call = Alerts(town).call
    faxes = [arrived(store, number) for number in range(5)]
    for fax_id in faxes:
        store.decided(fax_id, "run", URGENT, call_of=call)
    moment = now() + timedelta(minutes=16)
    together = threading.Barrier(4)

    def host(_number: int) -> list[str]:
        together.wait()
        return store.calls.escalate(moment, call)

    with ThreadPoolExecutor(4) as hosts:
        taken = [fax_id for one in hosts.map(host, range(4)) for fax_id in one]
    assert sorted(taken) == sorted(faxes)
    for fax_id in faxes:
        assert actions(store, fax_id).count("escalated") == 1
        assert messages(store, fax_id).count((2, "chief")) == 1


def test_a_fax_that_is_opened_while_the_step_is_taken_is_one_or_the_other(store: Store, town: Config) -> None:
    call = Alerts(town).call
    for number in range(10):
        fax_id = arrived(store, number)
        store.decided(fax_id, "run", URGENT, call_of=call)
        with ThreadPoolExecutor(2) as both:
            both.submit(store.calls.escalate, now() + timedelta(minutes=16), call)
            both.submit(store.calls.looked, fax_id, "sato")
        alert = alerted(store, fax_id)
        assert (alert.opened_by, alert.next_at) == ("sato", None)
        assert alert.step == 1 + actions(store, fax_id).count("escalated")


def test_alerts_are_handed_over_before_everything(store: Store, town: Config) -> None:
    fax_id = arrived(store)
    for number in range(20, 25):
        store.accept([Mail(f"{number:064x}", 10, ("hoken",))])
    store.decided(fax_id, "run", URGENT, call_of=Alerts(town).call)
    given: list[str] = []
    store.queue.hand_over(lambda _connection, work, _fax: given.append(work), most=1)
    assert given == [ALERT]


def test_an_older_run_may_not_call(store: Store, town: Config) -> None:
    fax_id = arrived(store)
    store.begin(fax_id, "younger")
    with pytest.raises(Superseded):
        store.glanced(fax_id, "run", URGENT, Alerts(town).call)
    assert store.calls.alerts([fax_id]) == {}


def test_the_second_leg_goes_on_only_while_nobody_else_has_begun(store: Store) -> None:
    fax_id = arrived(store)
    store.go_on(fax_id, "run", "run-one")
    fax = store.fax(fax_id)
    assert fax is not None
    assert (fax.run, fax.attempt) == ("run-one", 1)
    store.go_on(fax_id, "run", "run-two")  # taken up after a crash
    fax = store.fax(fax_id)
    assert fax is not None
    assert (fax.run, fax.attempt) == ("run-two", 2)
    store.again(fax_id, "sato")
    with pytest.raises(Superseded):
        store.go_on(fax_id, "run", "run-three")


# ---- what is sent


class Ring:
    """A receiver that notes what it is told, or fails."""

    def __init__(self, id: str, error: DeliveryError | None = None) -> None:
        self.id, self.error = id, error
        self.told: list[Notice] = []

    def carry(self, _parcel: object) -> Receipt:
        raise AssertionError("a call is no copy")

    def tell(self, notice: Notice) -> Receipt:
        self.told.append(notice)
        if self.error is not None:
            raise self.error
        return Receipt("rung")


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Ring]:
    """Receivers by id, in place of those of the configuration."""
    found: dict[str, Ring] = {}

    def sink_of(_config: Config, settings: Any, _seconds: float | None = None) -> Ring:
        return found.setdefault(settings.id, Ring(settings.id))

    monkeypatch.setattr("gateway.carrier.sink_of", sink_of)
    return found


def called(house: House, fax_id: str) -> str | None:
    carrier = Carrier(house.config, house.store, house.spool, None, house.desk.taxonomy)  # type: ignore[arg-type]
    return carrier.call(fax_id)


def first_call(_fax: Fax, step: int, _moment: datetime) -> Any:
    from gateway.calls import Call

    return Call(("day", "night") if step == 1 else ("chief",), timedelta(minutes=15))


def test_a_message_holds_no_personal_data_and_is_sent_while_the_fax_is_read(
    house: House, rings: dict[str, Ring]
) -> None:
    fax_id = arrived(house.store)
    with house.store.engine.begin() as connection:
        connection.execute(sa.update(Fax).values(tsi="ネリマ ハナコ", subject="練馬 花子"))
    house.store.glanced(fax_id, "run", replace(URGENT, fields={"name": {"value": "練馬 花子"}}), first_call)
    assert called(house, fax_id) is None
    (notice,) = rings["day"].told
    assert (notice.type_name, notice.line, notice.sender, notice.step) == (
        "感染症発生届(直ちに)", "hoken", "03-5555-0199", 1,
    )  # fmt: skip
    assert notice.link == f"http://{house.config.web.listen}/faxes/{fax_id}"
    assert "花子" not in repr(notice)
    assert "ハナコ" not in repr(notice)
    assert {copy.state for copy in house.store.copies.deliveries([fax_id])} == {"delivered"}
    assert called(house, fax_id) is None
    assert len(rings["day"].told) == 1


def test_a_worker_killed_before_it_sent_sends_it_under_the_same_id(house: House, rings: dict[str, Ring]) -> None:
    fax_id = arrived(house.store)
    house.store.decided(fax_id, "run", URGENT, call_of=first_call)
    # Killed after the row: the job is in our table. Killed after taking the job: the watch finds the late message.
    house.store.queue.hand_over(lambda *_: None)
    assert house.store.copies.carry_again(now() + timedelta(seconds=20), ALERT) == [fax_id]
    assert house.store.copies.carry_again(now() + timedelta(seconds=20), CARRY) == []
    called(house, fax_id)
    # Killed between sending and noting it: sent again, and the receiver knows the id.
    with house.store.engine.begin() as connection:
        connection.execute(sa.update(Delivery).values(state="pending"))
    called(house, fax_id)
    assert [notice.id for notice in rings["day"].told] == [f"{fax_id}-alert1-day"] * 2


def test_who_cannot_be_told_keeps_nobody_waiting(house: House, rings: dict[str, Ring]) -> None:
    rings["day"] = Ring("day", DeliveryError("中継サーバに接続できません", again=True))
    fax_id = arrived(house.store)
    house.store.decided(fax_id, "run", URGENT, call_of=first_call)
    again = called(house, fax_id)
    assert again is not None
    assert datetime.fromisoformat(again) - now() <= timedelta(seconds=5)
    assert len(rings["night"].told) == 1
    states = {copy.sink: copy.state for copy in house.store.copies.deliveries([fax_id])}
    assert states == {"day": "deferred", "night": "delivered"}
    house.store.calls.looked(fax_id, "sato")  # the message that waits would call for nothing
    assert house.store.copies.waiting(fax_id, ALERT) == []


def test_when_nobody_can_ever_be_told_the_next_are_called_at_once(house: House, rings: dict[str, Ring]) -> None:
    for name in ("day", "night"):
        rings[name] = Ring(name, DeliveryError("宛先がありません", again=False))
    fax_id = arrived(house.store)
    house.store.decided(fax_id, "run", URGENT, call_of=first_call)
    assert house.store.calls.escalate(now(), first_call) == []
    called(house, fax_id)
    assert house.store.calls.escalate(now(), first_call) == [fax_id]
    called(house, fax_id)
    assert [notice.step for notice in rings["chief"].told] == [2]


def test_a_backlog_calls_nobody(house: House, tmp_path: Path) -> None:
    figures = take(house.intake, house.store, [b"To: hoken@fax.example.jp\r\nSubject: x\r\n\r\nold\r\n"], "hoken")
    assert figures["taken"] == 1
    with house.store.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT client FROM fax")).scalars().all() == [BACKLOG]
