"""The durable engine: queues, heartbeat, take-over. The only file that knows DBOS.

Whoever wants work done writes a row into the table ``job``, in the transaction that the work is about; a worker moves
these rows into the engine's queue, in one transaction too, so there is never one without the other. A worker that is
killed leaves its journeys pending; the same worker started again, or any other that sees it silent, takes them
up at the step they had reached. What DBOS leaves to us: the heartbeat table, and the call that recovers a dead
executor's journeys (private in 3.4, hence the pinned version and the test that kills), and a place further ahead in a
queue.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, SetEnqueueOptions, SetWorkflowID, WorkflowStatus
from dbos import error as dbos_error
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gateway import audit
from gateway.errors import Closed, GatewayError, SpoolAway, SpoolFull, Superseded
from gateway.models import Fax, now
from gateway.queue import ALERT, CARRY, JOURNEY, Haste
from gateway.store import BACKLOG, Store

if TYPE_CHECKING:  # who only puts jobs in need not load what reads pages
    from gateway.carrier import Carrier
    from gateway.pipeline import Pipeline, Places

T = TypeVar("T")

APPLICATION = "faxless"
VERSION = "1"
"""The version of the journey, pinned by hand: DBOS's own, a hash of the source, strands jobs at every upgrade."""
REST = "rest"
"""The second leg of a journey: the pages after the first, and the decision."""
QUEUES = {JOURNEY: "fax", REST: "rest", CARRY: "copy", ALERT: "alert"}
URGENT_REST = "urgent"
"""The queue of second legs that nothing else may hold up."""
FOREMOST, RETRIED, LAST = 1, 2_000_000_000, 2_100_000_000
"""Priorities in a queue (1 to 2**31 - 1, the smaller first): lines declared urgent and faxes that have waited long;
what is tried again; a backlog. Between the first two, the newest fax goes first."""
YEAR_ONE, A_SECOND, ROUND = datetime(2026, 1, 1, tzinfo=UTC), 10, 1_000_000_000
"""Ten turns a second: who comes right behind a hundred others must not share theirs. After three years they begin anew;
what waits at that moment is read first, once."""
OVERTAKEN = timedelta(seconds=60)
"""The newest first page is read first: people can still be told in seconds of who has just come. That nobody waits for
ever, of so many that are begun one goes first that has waited longer than this."""
ONE_IN = 4
BEAT = 2.0
SILENT = timedelta(seconds=6)
"""An executor silent for so long is taken over; three missed beats, so that its faxes wait 10 s at the most."""
STUCK = timedelta(minutes=5)
"""A fax that has not moved for so long may have lost its job; then it is put into the queue again."""
FORGET_AFTER, FORGET_EVERY = timedelta(days=7), timedelta(minutes=10)
RETRIES = 4
WAIT = timedelta(seconds=10)
"""How long a fax waits for a spool or database that is away or full before it is looked at again."""
POLL = 0.2

log = structlog.get_logger("worker")


def migrate(url: str) -> None:
    """Create or upgrade the engine's own tables."""
    DBOS.migrate(url)


@dataclass(frozen=True, slots=True)
class Name:
    """The name under which this process runs journeys; nobody alive has the same (a lock sees to it)."""

    executor: str
    lock: IO[str]

    @classmethod
    def take(cls, data: Path) -> Name:
        """The first free name of this host and data folder: after a restart the same one, with its pending journeys."""
        place = hashlib.sha256(str(data).encode()).hexdigest()[:8]
        for number in range(1, 1000):
            lock = (data / f"worker-{number}.lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            return cls(executor=f"{socket.gethostname()}-{place}-{number}", lock=lock)
        raise GatewayError("ワーカーの名前がありません (a thousand workers on one data folder)")


class Worker:
    """Runs journeys and carries copies until it is stopped. One a process."""

    def __init__(self, engine: sa.Engine, store: Store, pipeline: Pipeline, carrier: Carrier, data: Path) -> None:
        self._engine, self._store, self._pipeline, self._carrier = engine, store, pipeline, carrier
        self._data = data
        self._stopping = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._hands = threading.Thread(target=self._take_jobs, name="jobs", daemon=True)
        self._eyes = threading.Thread(target=self._watch, name="lost", daemon=True)
        self._name: Name | None = None
        self._workflows: dict[str, Callable[..., None]] = {}
        self._in_hand: set[str] = set()
        self._doubtful: dict[str, float] = {}
        self._begun = self._begun_before = 0

    def start(self) -> None:
        """Take up what was left, and begin."""
        self._name = Name.take(self._data)
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_engine": self._engine,
                "executor_id": self._name.executor,
                "application_version": VERSION,
                "log_level": "ERROR",
                "run_migrations": False,
            }
        )
        self._workflows = {
            JOURNEY: _workflow(JOURNEY, self._journey, self._in_hand),
            REST: _workflow(REST, self._rest, self._in_hand),
            CARRY: _workflow(CARRY, self._carry, self._in_hand),
            ALERT: _workflow(ALERT, self._call, self._in_hand),
        }
        DBOS.launch()
        readers = self._pipeline.readers.workers
        at_once = {JOURNEY: readers + 1, REST: readers, CARRY: 8, ALERT: 8}
        for queue, many in (*((QUEUES[work], many) for work, many in at_once.items()), (URGENT_REST, readers)):
            DBOS.register_queue(queue, worker_concurrency=many, polling_interval_sec=POLL)
        self._look_after_others()
        self._pulse.start()
        self._hands.start()
        self._eyes.start()

    def stop(self) -> None:
        """Stop beginning anything; what is half done is taken up at the next start."""
        self._stopping.set()
        for thread in (self._pulse, self._hands, self._eyes):
            thread.join(timeout=10)
        DBOS.destroy(destroy_registry=True)
        if self._name is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._store.queue.buried(self._name.executor)
            self._name.lock.close()

    def _take_jobs(self) -> None:
        client = DBOSClient(system_database_engine=self._engine, application_name=APPLICATION, lazy=True)

        def put(connection: sa.Connection, work: str, fax_id: str) -> None:
            client.enqueue_in_transaction(
                connection,
                {
                    "queue_name": QUEUES[work],
                    "workflow_name": work,
                    "workflow_id": _job_name(work, fax_id),
                    "app_version": VERSION,
                    "priority": self._priority(work, self._store.queue.haste(connection, fax_id)),
                },
                fax_id,
            )

        wait = 0.0
        while not self._stopping.wait(wait):
            wait = POLL
            try:
                if self._store.queue.hand_over(put):
                    wait = 0.0
            except SQLAlchemyError as error:
                log.error("jobs", error=type(error).__name__)
        client.destroy()

    def _priority(self, work: str, haste: Haste) -> int:
        line = self._pipeline.config.organisation.line(haste.line)
        if haste.urgent or (line is not None and line.urgent):
            return FOREMOST
        if work != JOURNEY:
            return RETRIED
        if haste.client == BACKLOG:
            return LAST
        return _turn(now())

    def _journey(self, fax_id: str) -> None:
        self._begun += 1
        self._walk(fax_id, lambda: self._pipeline.journey(fax_id, _step, self._put_off))

    def _rest(self, fax_id: str, since: str, pages: Places, before: int, urgent: bool) -> None:
        self._walk(fax_id, lambda: self._pipeline.rest(fax_id, since, pages, before, urgent, _step))

    def _put_off(self, fax_id: str, since: str, pages: Places, before: int, urgent: bool) -> None:
        with SetWorkflowID(_job_name(JOURNEY, fax_id)), SetEnqueueOptions(priority=FOREMOST if urgent else RETRIED):
            queue = URGENT_REST if urgent else QUEUES[REST]
            DBOS.enqueue_workflow(queue, self._workflows[REST], fax_id, since, pages, before, urgent)

    def _walk(self, fax_id: str, walk: Callable[[], None]) -> None:
        try:
            walk()
        except Superseded:
            log.warning("superseded", fax=fax_id)
        except Closed:
            self._store.again(fax_id, "gateway")  # for the next start
        except (SpoolFull, SpoolAway, OperationalError) as error:
            if isinstance(error, OperationalError) and self._database_is_well():
                log.error("refused by the database", fax=fax_id, error=type(error).__name__)
                self._try_later(fax_id)  # only this fax's row is refused: in the end a person sees it
                return
            # Nothing is wrong with the fax: it waits, however long.
            log.warning("waits for the spool or the database", fax=fax_id, error=type(error).__name__)
            self._later(JOURNEY, fax_id, WAIT)
            self._store.excused(fax_id)
        except dbos_error.DBOSException:
            raise  # the engine's own: this run has lost its journey, or is being stopped
        except Exception as error:  # whatever broke, the fax must stay in sight
            log.error("journey", fax=fax_id, error=type(error).__name__, exc_info=error)
            self._try_later(fax_id)

    def _database_is_well(self) -> bool:
        try:
            self._store.check_write()
        except SQLAlchemyError:
            return False
        return True

    def _try_later(self, fax_id: str) -> None:
        fax = self._store.fax(fax_id)
        if fax is None:
            return
        again = fax.attempt <= RETRIES
        sentence = "処理に失敗しました。" + ("自動でやり直します。" if again else "原本を開いて確認してください。")
        with contextlib.suppress(Superseded):
            self._store.failed(fax_id, fax.run, sentence)
        if again:
            self._later(JOURNEY, fax_id, timedelta(seconds=5 * 4**fax.attempt))

    def _carry(self, fax_id: str) -> None:
        again = self._carrier.carry(fax_id)  # no step: what was carried is in our own rows
        if again is not None:
            self._later(CARRY, fax_id, max(timedelta(seconds=1), datetime.fromisoformat(again) - now()))

    def _call(self, fax_id: str) -> None:
        again = self._carrier.call(fax_id)
        if again is not None:
            self._later(ALERT, fax_id, max(timedelta(seconds=1), datetime.fromisoformat(again) - now()))

    def _later(self, work: str, fax_id: str, delay: timedelta, priority: int = RETRIED) -> None:
        # Hours are waited for in the queue, not in a slot.
        how = SetEnqueueOptions(delay_seconds=delay.total_seconds() or None, priority=priority)
        with SetWorkflowID(_job_name(work, fax_id)), how:
            DBOS.enqueue_workflow(QUEUES[work], self._workflows[work], fax_id)

    def _beat(self) -> None:
        forget_at = now()
        while not self._stopping.wait(BEAT):
            try:
                self._look_after_others()
                if now() >= forget_at:
                    forget_at = now() + FORGET_EVERY
                    _forget_ended()
            except (SQLAlchemyError, GatewayError) as error:
                log.error("heartbeat", error=type(error).__name__)

    def _look_after_others(self) -> None:
        if self._name is None:
            return
        for silent in self._store.queue.beat(self._name.executor, SILENT):
            log.warning("take-over", executor=silent)
            DBOS._recover_pending_workflows([silent])  # see the docstring of this module
            self._store.queue.buried(silent)

    def _watch(self) -> None:
        # Not in the heartbeat: whoever is late with that is taken over, and after an outage many wait for long.
        while not self._stopping.wait(BEAT):
            try:
                self._pipeline.alerts.watch(self._store, now())
                self._let_the_longest_go_first()
                self._look_for_lost()
                while audit.chain(self._store) and not self._stopping.is_set():
                    pass
            except (SQLAlchemyError, GatewayError) as error:
                log.error("watch", error=type(error).__name__)

    def _look_for_lost(self) -> None:
        for lost in self._store.unfinished(now() - STUCK, RETRIES):
            if not self._has_job(JOURNEY, lost.id):
                self._set_going(lost)
        for work, patience in ((CARRY, STUCK), (ALERT, 2 * SILENT)):
            for fax_id in self._store.copies.carry_again(now() - patience, work):
                if not self._has_job(work, fax_id):
                    self._store.queue.want_carried(fax_id, work)
        self._pipeline.stop_waiting(now())

    def _let_the_longest_go_first(self) -> None:
        if self._begun < self._begun_before + ONE_IN:
            return
        if _let_go_first(self._engine, _turn(now() - OVERTAKEN)):
            self._begun_before = self._begun

    def _has_job(self, work: str, fax_id: str) -> bool:
        """Whether somebody has it in hand or will have; a job of ours that broke off unnoticed is put away."""
        if self._store.queue.wanted(fax_id):
            return True
        states = ["ENQUEUED", "DELAYED", "PENDING"]
        jobs = DBOS.list_workflows(workflow_id_prefix=f"{work}-{fax_id}-", status=states, load_input=False)
        # The engine could not write down how it ended: the database was full or away at that moment too.
        lost = [job for job in jobs if job.status == "PENDING" and self._is_lost(job)]
        for job in lost:
            DBOS.cancel_workflow(job.workflow_id)
        return len(jobs) > len(lost)

    def _is_lost(self, job: WorkflowStatus) -> bool:
        ours = self._name is not None and job.executor_id == self._name.executor
        if not ours or job.workflow_id in self._in_hand:
            self._doubtful.pop(job.workflow_id, None)
            return False
        # The engine may just have claimed it: its thread has not begun yet.
        since = self._doubtful.setdefault(job.workflow_id, time.monotonic())
        return time.monotonic() - since > SILENT.total_seconds()

    def _set_going(self, lost: Fax) -> None:
        if lost.attempt > 2 * RETRIES:  # it takes its worker down every time: a person has to look
            with contextlib.suppress(Superseded):
                self._store.failed(lost.id, lost.run, "処理が繰り返し中断しました。原本を開いて確認してください。")
            return
        self._store.again(lost.id, "gateway")


def _workflow(name: str, body: Callable[..., None], in_hand: set[str]) -> Callable[..., None]:
    @DBOS.workflow(name=name, max_recovery_attempts=20)
    def run(*words: Any) -> None:  # DBOS marks the function, which a bound method does not allow
        job = DBOS.workflow_id or ""
        in_hand.add(job)
        try:
            body(*words)
        finally:
            in_hand.discard(job)

    return run


def _step(function: Callable[..., T], *words: Any) -> T:
    """Run a function as a durable step of the journey in hand."""
    return DBOS.run_step({"name": function.__name__}, function, *words)


def _turn(moment: datetime) -> int:
    """The priority of an ordinary fax that came then."""
    return RETRIED - 1 - int((moment - YEAR_ONE).total_seconds() * A_SECOND) % ROUND


def _let_go_first(engine: sa.Engine, turn: int) -> bool:
    """Of the faxes with this turn or a later one, let that go first which has waited longest; whether there is one.

    One statement, for which the engine has no call: a job cancelled and queued anew would be walked twice when another
    worker begins or moves it at that moment.
    """
    jobs = _jobs(engine)
    waits = sa.and_(jobs.c.status == "ENQUEUED", jobs.c.queue_name == QUEUES[JOURNEY])
    longest = (
        sa.select(jobs.c.workflow_uuid)
        .where(waits, jobs.c.priority >= turn, jobs.c.priority < RETRIED)
        .order_by(jobs.c.priority.desc(), jobs.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    first = sa.update(jobs).where(waits, jobs.c.workflow_uuid == longest.scalar_subquery()).values(priority=FOREMOST)
    with engine.begin() as connection:
        return bool(connection.execute(first).rowcount)


def _jobs(engine: sa.Engine) -> sa.TableClause:
    """The engine's own table of jobs, as much of it as a place in a queue needs."""
    columns = ("workflow_uuid", "status", "queue_name", "priority", "created_at")
    return sa.table(
        "workflow_status",
        *(sa.column(name) for name in columns),
        schema=None if engine.dialect.name == "sqlite" else "dbos",
    )


def _job_name(workflow: str, fax_id: str) -> str:
    return f"{workflow}-{fax_id}-{uuid.uuid4().hex[:8]}"


def _forget_ended() -> None:
    """Drop the engine's notes on jobs that ended well long ago; what happened to a fax is in our own events."""
    before = (now() - FORGET_AFTER).isoformat()
    ended = DBOS.list_workflows(status="SUCCESS", end_time=before, limit=1000, load_input=False, load_output=False)
    if ended:
        DBOS.delete_workflows([job.workflow_id for job in ended])
