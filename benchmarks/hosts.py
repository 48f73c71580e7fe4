"""Several hosts on one PostgreSQL and one spool: how many faxes an hour, and that none is lost and none doubled.

A door, so many workers, each a process tree of its own with a data folder of its own, as on hosts of their own. Faxes
come in by SMTP while the workers work. Reading is replaced by a fixed text (:mod:`benchmarks.fixed_text`), so that what
is measured is everything else: the door, the database, the engine's queue, opening, deciding and delivering.
"""

from __future__ import annotations

import json
import os
import re
import signal
import smtplib
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psutil
import sqlalchemy as sa
from sqlmodel import col
from tqdm import tqdm

from benchmarks.table import Figure
from gateway import machine
from gateway.database import connect
from gateway.models import Delivery, Event, Executor, Fax, Job, Page
from tests import city
from tests.breakage.postgresql import Server, postgres_server

LAUNCHER = str(city.ROOT / "benchmarks" / "fixed_text.py")
DOCUMENT = city.SAMPLES / "02_baidoku.tif"
READERS = 2
"""Reading processes of each worker."""
LINES, CALLERS = 20, 500
"""Faxes are spread over so many lines and so many callers."""
WARMING = 20
"""Faxes for each worker before the clock starts: its processes load what they need."""
CONNECTIONS = 8
"""Machines that send at once."""
PATIENCE = 120.0
"""Seconds without any fax's settling after which we give up."""
LOOK = 0.5
REST = 4.0
"""Seconds of peace in which is measured what waiting costs."""
IN_A_LINE = 57
"""Bytes in a line of base64 of 76 characters (RFC 2045 6.8)."""
CALLER, LINE = "0355550100", "line00@fax.example.jp"
"""What stands in the mail from which all others are made."""


@dataclass(frozen=True, slots=True)
class Run:
    """So many workers and so many faxes sent as fast as the door takes them; with a kill, one worker falls half way."""

    workers: int
    faxes: int
    kill: bool = False


@dataclass(frozen=True, slots=True)
class Effort:
    """Which runs; after each, *paced* faxes are sent at half the rate that it reached."""

    runs: tuple[Run, ...]
    paced: int


FULL = Effort((Run(1, 300), Run(2, 300), Run(4, 300), Run(4, 300, kill=True)), paced=60)
QUICK = Effort((Run(2, 100, kill=True),), paced=20)


def many(faxes: int) -> Effort:
    """So many faxes through four workers."""
    return Effort((Run(4, faxes),), paced=100)


def why_not() -> str:
    """Why it cannot be measured on this machine; empty when it can."""
    installed = any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return "" if installed else "PostgreSQL is not installed here (Debian's package postgresql)."


def measure(base: Path, effort: Effort = FULL) -> Sequence[Figure]:
    """Two rows for each run. Raises `AssertionError` when a fax was lost, doubled or left lying."""
    if why_not():
        return [Figure(_name(run), None, "/s", remark=why_not()) for run in effort.runs]
    figures: list[Figure] = []
    with postgres_server() as server:
        for number, run in enumerate(effort.runs):
            with tempfile.TemporaryDirectory(prefix="faxless-hosts-", dir=base) as folder:
                figures += _measured(server, f"run{number}", Path(folder), run, effort.paced)
    return figures


def _measured(server: Server, database: str, folder: Path, run: Run, paced: int) -> list[Figure]:
    with hosts(server, database, folder, run.workers) as stage:
        warmed = _send(stage, WARMING * run.workers, 0.0)
        _wait(stage, len(warmed), "warming")
        idle = _idle(stage)
        before = stage.cpu()
        sent, killed_at = _flood(stage, run, len(warmed))
        spent = {part: seconds - before[part] for part, seconds in stage.cpu().items()}
        settled = stage.settled()
        rate = run.faxes / (stage.last_copy() - min(sent.values()))
        remarks = [
            "CPU a fax: " + ", ".join(f"{part} {1000 * spent[part] / run.faxes:.0f} ms" for part in spent),
            f"from 250 to routed {_spread(sent, settled)}",
            f"{stage.connections} connections to PostgreSQL at most",
            idle,
        ]
        if killed_at:
            remarks.append(_taken_over(stage, settled, killed_at))
        slow = _send(stage, paced, rate / 2)
        every = {*warmed, *sent, *slow}
        _wait(stage, len(every), "paced")
        settled = stage.settled()
        all_once(stage, every, killed=bool(killed_at))
        if not killed_at and stage.twice():
            remarks.append(_moved(stage))
        remarks += [stage.sizes(len(every)), f"all {len(every)} routed, counted and delivered once"]
        took = _latencies(slow, settled)
    return [
        Figure(_name(run), rate, "/s", remark="; ".join(remarks) + "."),
        Figure(
            f"from 250 to routed at half that rate, {_hosts(run)}",
            statistics.median(took),
            "s",
            remark=f"Median of {paced}; {_spread(slow, settled)}.",
        ),
    ]


def _name(run: Run) -> str:
    return f"faxes taken, routed and delivered, {_hosts(run)}"


def _idle(stage: Stage) -> str:
    """What it costs to wait for faxes."""
    time.sleep(1)
    before = stage.cpu()
    time.sleep(REST)
    spent = {part: 100 * (seconds - before[part]) / REST for part, seconds in stage.cpu().items()}
    return "at rest " + ", ".join(f"{part} {percent:.0f} %" for part, percent in spent.items()) + " of a core"


def _hosts(run: Run) -> str:
    return f"{run.workers} worker{'s' * (run.workers > 1)}{', one killed' * run.kill}"


# ---- the hosts --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stage:
    """The hosts of one run."""

    door: city.Gateway
    workers: list[city.Gateway]
    server: Server
    engine: sa.Engine
    spool: Path
    sink: Path
    connections: int = 0
    _gone: float = 0.0
    marks: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU that each part has had."""
        postmaster = int((self.server.folder / "data" / "postmaster.pid").read_text().split()[0])
        return {
            "door": _cpu(self.door.process.pid),
            "workers": self._gone + sum(_cpu(worker.process.pid) for worker in self.workers),
            "PostgreSQL": _cpu(postmaster),
        }

    def kill_one(self) -> float:
        """SIGKILL to a worker and its children; gives the moment."""
        fallen = self.workers.pop()
        self._gone += _cpu(fallen.process.pid)
        moment = time.time()
        os.killpg(fallen.process.pid, signal.SIGKILL)
        fallen.stop()
        return moment

    def left(self) -> tuple[int, int]:
        """How many faxes are settled, and how many copies have arrived."""
        ended = sa.select(sa.func.count()).where(col(Fax.state).in_(["routed", "held"]))
        carried = sa.select(sa.func.count()).where(col(Delivery.state) == "delivered")
        open_now = sa.text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        with self.engine.connect() as connection:
            self.connections = max(self.connections, connection.scalar(open_now) or 0)
            return connection.scalar(ended) or 0, connection.scalar(carried) or 0

    def settled(self) -> dict[str, float]:
        """When each fax came to its department's inbox."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.select(col(Event.fax_id), col(Event.at))
                .where(col(Event.action).in_(["routed", "held"]))
                .order_by(col(Event.id).desc())  # the first counts
            )
            return {str(fax_id): at.timestamp() for fax_id, at in rows}

    def last_copy(self) -> float:
        """When the last copy was noted as delivered."""
        with self.engine.connect() as connection:
            latest: datetime | None = connection.scalar(sa.select(sa.func.max(col(Delivery.updated_at))))
        assert latest is not None
        return latest.timestamp()

    def twice(self) -> list[str]:
        """Faxes whose journey was begun more than once."""
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(col(Fax.id)).where(col(Fax.attempt) > 1)))

    def moved(self) -> tuple[int, int]:
        """How often a worker found another one silent, and how many faxes were put into the queue once more.

        Without a kill both tell of workers that were too busy: a heartbeat late, a fax that has not moved for long.
        """
        put = sa.select(sa.func.count()).select_from(Event).where(col(Event.action) == "requeued")
        with self.engine.connect() as connection:
            requeued = connection.scalar(put) or 0
        return sum(worker.log.read_text("utf-8", "replace").count("take-over") for worker in self.workers), requeued

    def sizes(self, faxes: int) -> str:
        """What a fax of one page takes in the database and in the spool."""
        per = {}
        with self.engine.connect() as connection:
            for what, where in (
                ("ours", "relnamespace = 'public'::regnamespace"),
                ("pages", "oid = 'page'::regclass"),
                ("engine", "relnamespace = 'dbos'::regnamespace"),
            ):
                size = f"SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND {where}"  # noqa: S608
                per[what] = float(connection.scalar(sa.text(size))) / faxes / 1000
        spool = sum(file.stat().st_size for file in self.spool.glob("[0-9a-f][0-9a-f]/*")) / faxes / 1000
        return (
            f"a fax takes {per['ours']:.1f} KB in our tables, {per['pages']:.1f} of them for its page, "
            f"{per['engine']:.1f} KB in the engine's, {spool:.0f} KB in the spool"
        )


def _cpu(pid: int) -> float:
    """Of a process and everything that it started, also of what has ended since."""
    root = psutil.Process(pid)
    spent = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system + times.children_user + times.children_system
    return spent


@contextmanager
def hosts(server: Server, database: str, folder: Path, workers: int) -> Iterator[Stage]:
    """A door and so many workers, running, on a database of their own."""
    with ExitStack() as ending:
        administrator = connect(server.address.replace("postgresql://", "postgresql+psycopg://"))
        with administrator.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(f"CREATE DATABASE {database}"))
        administrator.dispose()
        address = server.address.removesuffix("/postgres") + f"/{database}"
        spool, sink = folder / "spool", folder / "sink"
        spool.mkdir()
        sink.mkdir()

        def start(name: str, role: str) -> city.Gateway:
            path = _host(folder / name, address, spool, sink)
            host = city.start(path, "--roles", role, program=(LAUNCHER,))
            ending.callback(host.stop)
            return host

        door = start("door", "smtp")
        running = [start(f"worker{number}", "worker") for number in range(1, workers + 1)]
        engine = connect(door.config.database_url)
        ending.callback(engine.dispose)
        _until_alive(engine, workers)
        yield Stage(door, running, server, engine, spool, sink)


def _host(folder: Path, database: str, spool: Path, sink: Path) -> Path:
    """The configuration of one host: its own data, the others' spool."""
    (folder / "var").mkdir(parents=True)
    (folder / "var" / "spool").symlink_to(spool)
    lines = "".join(
        f'[[line]]\nid = "line{number:02}"\naddress = "line{number:02}@fax.example.jp"\n'
        f'number = "+8135555{number:04}"\ndepartment = "kansen"\n'
        for number in range(LINES)
    )
    sinks = f'[[sink]]\nid = "share"\ndepartment = "kansen"\nkind = "folder"\npath = "{sink}"\n'
    return city.write_city(folder, lines + sinks, database=database, workers=READERS)


def _until_alive(engine: sa.Engine, workers: int) -> None:
    until = time.monotonic() + 60
    while True:
        with engine.connect() as connection:
            alive = connection.scalar(sa.select(sa.func.count()).select_from(Executor))
        if alive == workers:
            return
        assert time.monotonic() < until, f"{alive} of {workers} workers came up"
        time.sleep(0.1)


# ---- sending ----------------------------------------------------------------------------------------------------


def _flood(stage: Stage, run: Run, before: int) -> tuple[dict[str, float], float]:
    """Send as fast as the door takes them while the workers work; gives each 250's moment, and the kill's or 0."""
    killed_at: list[float] = []

    def look(settled: int) -> None:
        if sending.done():
            sending.result()  # tells at once what went wrong
        if run.kill and not killed_at and settled >= before + run.faxes // 2:
            killed_at.append(stage.kill_one())

    with ThreadPoolExecutor(1) as beside:
        sending = beside.submit(_send, stage, run.faxes, 0.0)
        _wait(stage, before + run.faxes, _hosts(run), look)
        sent = sending.result()
    return sent, killed_at[0] if killed_at else 0.0


def _send(stage: Stage, faxes: int, rate: float) -> dict[str, float]:
    """Each fax's id and the moment of its 250; *rate* a second, or 0: as fast as the door takes them."""
    sent: dict[str, float] = {}
    letters, lock, begun = _letters(stage), threading.Lock(), time.monotonic()
    waiting = iter(range(faxes))

    def send() -> None:
        with smtplib.SMTP(*stage.door.smtp, timeout=PATIENCE) as client:
            client.ehlo("mfp")
            while True:
                with lock:
                    turn = next(waiting, None)
                    if turn is None:
                        return
                    line, letter = next(letters)
                if rate:
                    time.sleep(max(0.0, begun + turn / rate - time.monotonic()))
                fax_id = _post(client, line, letter)
                with lock:
                    sent[fax_id] = time.time()

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for machine_ in [threads.submit(send) for _ in range(CONNECTIONS)]:
            machine_.result()
    assert len(sent) == faxes, f"{len(sent)} ids for {faxes} mails"
    return sent


def _post(client: smtplib.SMTP, line: str, letter: bytes) -> str:
    client.mail("mfp@fax.example.jp")
    client.rcpt(line)
    client.docmd("DATA")
    client.send(letter)
    code, said = client.getreply()
    assert code == 250, said
    return said.decode().partition("Kept as ")[2]


def _letters(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Mails, each with another document and from another caller, ready for the wire."""
    content = DOCUMENT.read_bytes()
    content += bytes(-len(content) % IN_A_LINE)
    with tempfile.NamedTemporaryFile(suffix=".tif") as file:
        file.write(content + b"X" * IN_A_LINE)  # what follows the last page of a TIFF is nothing
        file.flush()
        letter = machine.letter(Path(file.name), machine.Call(to=LINE, caller=CALLER))
    letter = re.sub(rb"(?m)^Message-ID: <.*>", b"Message-ID: <@mark@@fax.example.jp>", letter)
    letter = letter.replace(b"WFhY" * 19, b"@mark@") + b".\r\n"
    assert letter.count(b"@mark@") == 2
    assert b"\r\n." not in letter[:-3], "it would need transparency (RFC 5321 4.5.2)"
    for mark in stage.marks:
        line = LINE.replace("00", f"{mark % LINES:02}")
        caller = f"035555{1000 + mark // LINES % CALLERS:04}"
        made = letter.replace(LINE.encode(), line.encode()).replace(CALLER.encode(), caller.encode())
        yield line, made.replace(b"@mark@", f"{mark:076}".encode())


def _wait(stage: Stage, faxes: int, what: str, look: Callable[[int], None] = lambda _settled: None) -> None:
    """Until so many are settled and delivered. Raises `AssertionError` when nothing moves any more."""
    moved, last = time.monotonic(), (0, 0)
    with tqdm(total=faxes, desc=what, unit="fax", file=sys.stderr, mininterval=1) as bar:
        while True:
            now = stage.left()
            if now != last:
                moved, last = time.monotonic(), now
            bar.update(min(now) - bar.n)
            look(now[0])
            if now == (faxes, faxes):
                return
            assert time.monotonic() < moved + PATIENCE, f"{what}: (settled, delivered) stay {now} of {faxes}"
            time.sleep(LOOK)


# ---- what came of it --------------------------------------------------------------------------------------------


def all_once(stage: Stage, sent: set[str], *, killed: bool) -> None:
    """Every 250 is there once, settled, counted and delivered once, and nothing is left waiting anywhere.

    No journey is begun twice, but for a kill, or workers so busy that their faxes were moved: that is told, and costs
    work, not faxes.
    """
    count = sa.func.count()
    with stage.engine.connect() as connection:
        faxes = connection.execute(sa.select(col(Fax.id), col(Fax.state), col(Fax.counts), col(Fax.attempt))).all()
        copies = connection.execute(sa.select(col(Delivery.fax_id), col(Delivery.state), col(Delivery.attempts))).all()
        pages = list(connection.scalars(sa.select(col(Page.fax_id))))
        taken = list(connection.scalars(sa.select(col(Event.fax_id)).where(col(Event.action) == "received")))
        jobs = connection.scalar(sa.select(count).select_from(Job))
        queued = connection.execute(sa.text("SELECT status, count(*) FROM dbos.workflow_status GROUP BY status")).all()
    assert {fax_id for fax_id, *_ in faxes} == sent, "faxes and 250s are not the same"
    assert len(faxes) == len(sent)
    strange = [row for row in faxes if row.state not in ("routed", "held") or not row.counts]
    assert not strange, f"not settled or not counted: {strange[:5]}"
    again, moved = sum(row.attempt != 1 for row in faxes), killed or any(stage.moved())
    assert moved or not again, f"{again} journeys were begun twice"
    for what, ids in (("pages", pages), ("arrivals", taken), ("copies", [copy.fax_id for copy in copies])):
        assert Counter(ids) == Counter(sent), f"{what} are not one a fax"
    late = [copy for copy in copies if copy.state != "delivered" or (copy.attempts != 1 and not moved)]
    assert not late, f"copies: {late[:5]}"
    assert not jobs, f"{jobs} jobs wait"
    assert [status for status, _ in queued] == ["SUCCESS"], f"the engine's queue: {queued}"
    _folders(stage, sent)


def _folders(stage: Stage, sent: set[str]) -> None:
    """One card a fax in the sink, its files and no others; mail and picture of each in the spool and no more."""
    cards = [json.loads(card.read_text("utf-8")) for card in stage.sink.glob("*.json")]
    assert Counter(card["fax_id"] for card in cards) == Counter(sent), "cards in the folder are not one a fax"
    told = {name for card in cards for name in card["files"]} | {card.name for card in stage.sink.glob("*.json")}
    others = sorted(told ^ {file.name for file in stage.sink.iterdir()})
    assert not others, f"the folder holds other files than the cards tell: {others[:5]}"
    files = sum(1 for _ in stage.spool.glob("[0-9a-f][0-9a-f]/*"))
    assert files == 2 * len(sent), f"{files} files in the spool of {len(sent)} mails and as many pictures"


def _taken_over(stage: Stage, settled: dict[str, float], killed_at: float) -> str:
    again = stage.twice()
    if not again:
        return "the killed worker had nothing in hand"
    last = max(settled[fax_id] for fax_id in again) - killed_at
    return f"{len(again)} faxes of the killed worker were begun again and routed within {last:.1f} s"


def _moved(stage: Stage) -> str:
    silent, requeued = stage.moved()
    return (
        f"{len(stage.twice())} journeys were begun again, after {silent} late heartbeats and {requeued} faxes that had "
        "not moved for long"
    )


def _latencies(sent: dict[str, float], settled: dict[str, float]) -> list[float]:
    return sorted(max(0.0, settled[fax_id] - moment) for fax_id, moment in sent.items())


def _spread(sent: dict[str, float], settled: dict[str, float]) -> str:
    took = _latencies(sent, settled)
    return f"median {statistics.median(took):.2f} s, 95 of 100 within {took[int(0.95 * len(took))]:.2f} s"
