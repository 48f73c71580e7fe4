"""Breaks a running gateway on purpose, again and again, and counts what came of it: ``make torture MINUTES=10``.

Machines send small faxes, each with bytes of its own, some twice, some to two lines, through real SMTP, and write every
250 into a ledger that is synced before the next fax. Meanwhile the gateway is killed with SIGKILL: at every named step
(:mod:`tests.breakage.saboteur`) and at random moments; itself, one of its children, or all at once; and is started
again. After each round the machines pause, everything has to settle, and the ledger is held against the database, the
spool, a folder and a web server that take copies.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import smtplib
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from gateway import machine
from gateway.config import load
from gateway.models import month_of, now
from gateway.spool import Spool
from gateway.store import Store
from routing.delivery import stem
from tests import city
from tests.breakage.postgresql import postgres_server
from tests.breakage.saboteur import IN_THE_DOOR, STEPS

SABOTEUR = Path(__file__).with_name("saboteur.py")
LINES = {"hoken": "kansen", "shomu": "bunsho"}
TEXT = "感染症発生届\n梅毒\n{n}"
SECRET = "whsec_dG9ydHVyZSB0b3J0dXJlIHRvcnR1cmU="
MORE = """
[[rule]]
when = {{line = "hoken"}}
department = "kansen"
type = "DISEASE_7DAY"
[[rule]]
when = {{line = "shomu"}}
department = "bunsho"
type = "PROCUREMENT"
[[sink]]
id = "share"
department = "kansen"
kind = "folder"
path = "share"
[[sink]]
id = "web"
department = "kansen"
kind = "webhook"
url = "http://127.0.0.1:{port}/"
secret = "{secret}"
[[sink]]
id = "share2"
department = "bunsho"
kind = "folder"
path = "share"
"""
SINKS = {"kansen": ("share", "web"), "bunsho": ("share2",)}
CALLER = "0355550199"
MOST_WAITING = 40
"""Faxes not yet read at which the machines rest."""


# ---- the ledger ------------------------------------------------------------------------------------


class Ledger:
    """Every attempt and every 250, written down and synced before anything else happens."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self.kept: dict[str, tuple[str, str]] = {}
        """Fax id to sha256 and line, as answered."""
        self.tries: Counter[tuple[str, str]] = Counter()
        """How often bytes were sent to a line, whatever was answered."""
        self.doubled_answers = 0

    def sending(self, digest: str, lines: tuple[str, ...]) -> None:
        """A machine is about to send."""
        with self._lock:
            self.tries.update((digest, line) for line in lines)
            self._write({"sending": digest, "lines": lines})

    def answered(self, digest: str, lines: tuple[str, ...], ids: list[str]) -> None:
        """It was told 250."""
        with self._lock:
            for fax_id, line in zip(ids, lines, strict=True):
                self.doubled_answers += fax_id in self.kept
                self.kept[fax_id] = (digest, line)
            self._write({"kept": ids, "sha256": digest, "lines": lines})
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()


# ---- who sends, and who takes copies ---------------------------------------------------------------


class Letters:
    """Mails with one small fax each; no two have the same bytes unless the same one is asked for again."""

    def __init__(self, seed: int) -> None:
        call = machine.Call(to="hoken@fax.example.jp", caller=CALLER)
        self._like = machine.letter(city.SAMPLES / "09_kujo.tif", call)
        self._seed, self._lock, self._number = seed, threading.Lock(), 0

    def new(self, long: bool = False) -> bytes:
        """A mail that nobody has sent before, of a call that nobody has made before."""
        with self._lock:
            self._number += 1
            number = self._number
        mark = f"X-Serial: {self._seed}-{number}\r\n".encode()
        filling = b"X-Filling: " + b"x" * 900 + b"\r\n"
        mail = self._like.replace(CALLER.encode(), f"035555{number % 10_000:04d}".encode())
        return mark + filling * (200 if long else 0) + mail


class Machines:
    """Fax machines under load: each sends, and sends again what was not answered 250, as real ones do."""

    def __init__(self, door: tuple[str, int], ledger: Ledger, seed: int, count: int, pause: float = 0.15) -> None:
        self.door, self._ledger, self._pause = door, ledger, pause
        self._letters = Letters(seed)
        self._go, self._end = threading.Event(), threading.Event()
        self._busy = threading.Semaphore(0)
        self.given_up = 0
        self.refused: Counter[str] = Counter()
        """What was answered instead of 250."""
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(f"{seed}{n}"),), daemon=True) for n in range(count)
        ]
        self._resting = [threading.Event() for _ in self._threads]
        for thread in self._threads:
            thread.start()

    def go(self) -> None:
        """Send."""
        self._go.set()

    def rest(self) -> None:
        """Send nothing more; what is in hand is brought to its 250 first."""
        self._go.clear()

    def end(self) -> None:
        """Go home."""
        self._end.set()
        self._go.set()
        for thread in self._threads:
            thread.join(timeout=60)

    @property
    def resting(self) -> bool:
        """Whether nobody has anything in hand."""
        return not self._go.is_set() and all(event.is_set() for event in self._resting)

    def _work(self, dice: random.Random) -> None:
        rests = self._resting[self._threads.index(threading.current_thread())]
        last = (self._letters.new(), ("hoken",))
        while True:
            if not self._go.is_set():
                rests.set()
            self._go.wait()
            rests.clear()
            if self._end.is_set():
                rests.set()
                return
            if dice.random() > 0.1:
                last = (self._letters.new(long=dice.random() < 0.1), _lines(dice))
            self._bring(dice, *last)
            time.sleep(dice.random() * 2 * self._pause)

    def _bring(self, dice: random.Random, raw: bytes, lines: tuple[str, ...]) -> None:
        digest = hashlib.sha256(raw).hexdigest()
        patience = 1 if dice.random() < 0.03 else 600  # now and then somebody walks away with the paper
        for _ in range(patience):
            self._ledger.sending(digest, lines)
            ids = self.send(raw, lines)
            if ids:
                self._ledger.answered(digest, lines, ids)
                return
            if self._end.is_set():
                return
            time.sleep(0.1 + dice.random() * 0.2)
        self.given_up += 1

    def send(self, raw: bytes, lines: tuple[str, ...]) -> list[str]:
        """Send a mail once; gives the ids of its faxes, or nothing."""
        try:
            with smtplib.SMTP(*self.door, timeout=15) as client:
                client.ehlo("mfp")
                client.mail("mfp@fax.example.jp")
                for line in lines:
                    code, said = client.rcpt(f"{line}@fax.example.jp")
                if code == 250:
                    code, said = client.data(raw)
                if code != 250:
                    self.refused[f"{code} {said.decode('utf-8', 'replace')}"] += 1
                    return []
                ids = said.decode().partition("Kept as ")[2].split()
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    client.quit()
                return ids
        except (smtplib.SMTPException, OSError) as error:
            self.refused[type(error).__name__] += 1
            return []


def for_hoken(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """How the ledger knows a mail to one line."""
    return hashlib.sha256(raw).hexdigest(), ("hoken",)


def _lines(dice: random.Random) -> tuple[str, ...]:
    chosen = dice.random()
    if chosen < 0.15:
        return ("hoken", "shomu")
    return ("shomu",) if chosen < 0.3 else ("hoken",)


class Receiver:
    """Another system's web server: takes copies, counts them by their id, and sometimes fails or hangs."""

    def __init__(self, seed: int, unwell: float = 0.05) -> None:
        self.taken: Counter[str] = Counter()
        self.first: dict[str, dict[str, str]] = {}
        self.differing: dict[str, dict[str, tuple[str | None, str | None]]] = {}
        """What stood otherwise in a copy that came again, by its id: key, first and later value."""
        dice, lock, seen = random.Random(seed), threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                name = self.headers["webhook-id"]
                with lock:
                    mood = dice.random()
                if mood < unwell:
                    if mood < unwell / 3:
                        time.sleep(2.5)
                    self._say(500)
                    return
                with lock:
                    seen.taken[name] += 1
                    seen.compare(name, _flat(body))
                self._say(200)

            def _say(self, code: int) -> None:
                with contextlib.suppress(OSError):  # who asked may be dead
                    self.send_response(code)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A gateway that was killed in the middle is what this is about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def compare(self, name: str, body: dict[str, str]) -> None:
        """Remember what stands otherwise than the first time."""
        first = self.first.setdefault(name, body)
        others = {key: (first.get(key), body.get(key)) for key in first | body if first.get(key) != body.get(key)}
        if others:
            self.differing[name] = others

    def close(self) -> None:
        """Shut."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)


def _flat(body: bytes) -> dict[str, str]:
    """What a copy says, by key; files by their hash."""
    said = json.loads(body)
    plain = {key: json.dumps(value, ensure_ascii=False)[:2000] for key, value in said["data"].items() if key != "files"}
    for file in said["data"]["files"]:
        plain[file["name"]] = hashlib.sha256((file["content"] or "").encode()).hexdigest()
    return plain | {"timestamp": said["timestamp"]}


# ---- the town --------------------------------------------------------------------------------------


@dataclass
class Report:
    """What was done and what came of it; everything below ``lost`` has to stay 0."""

    kills: Counter[str] = field(default_factory=Counter)
    unstruck: Counter[str] = field(default_factory=Counter)
    """Steps at which nobody came by in time."""
    answered: int = 0
    """250s, one for each line of a mail."""
    repeats: int = 0
    """Rows of bytes that had come before."""
    unanswered: int = 0
    """Rows of which the machine never heard: it sent again."""
    given_up: int = 0
    carried_again: int = 0
    """Copies that the web server got more than once, under the same id."""
    swept: int = 0
    """Orphans before the sweep."""
    held: int = 0
    lost: int = 0
    doubled: int = 0
    never_sent: int = 0
    miscounted: int = 0
    damaged: int = 0
    stuck: int = 0
    undelivered: int = 0
    unstable: int = 0
    orphans: int = 0
    """What the sweep left behind, or took although it was needed."""
    outlived: int = 0
    """Children that were still there ten seconds after the gateway was killed."""

    WRONG = (
        "lost", "doubled", "never_sent", "miscounted", "damaged", "stuck", "undelivered", "unstable", "orphans",
        "outlived",
    )  # fmt: skip

    @property
    def wrong(self) -> dict[str, int]:
        """What should not be."""
        return {name: figure for name in self.WRONG if (figure := getattr(self, name))}

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}

    def add(self, other: Report) -> None:
        """Sum up."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Town:
    """One gateway, its machines and receivers, in a folder; killed and started as often as one likes."""

    def __init__(
        self,
        folder: Path,
        database: str = "sqlite",
        seed: int = 1,
        fixed_text: bool = True,
        machines: int = 3,
        unwell: float = 0.05,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self._seed, self._dice = folder, seed, random.Random(seed)
        self.receiver = Receiver(seed, unwell)
        (folder / "share").mkdir()
        self.faults = folder / "faults"
        self.faults.mkdir()
        self.path = city.write_city(folder, MORE.format(port=self.receiver.port, secret=SECRET), database=database)
        self.config = load(self.path)
        self._env = {"SABOTAGE": str(self.faults), **(env or {})}
        if fixed_text:
            self._env |= {"SABOTAGE_TEXT": TEXT, "SABOTAGE_WAIT": "0.06"}
        self.ledger = Ledger(folder / "ledger.jsonl")
        self._engine = sa.create_engine(self.config.database_url, poolclass=sa.NullPool)
        self._most_waiting = MOST_WAITING if fixed_text else MOST_WAITING // 8  # a real page takes seconds
        self.report = Report()
        self.gateway = self._start()
        self.machines = Machines(self.gateway.smtp, self.ledger, seed, machines)
        try:
            self.gateway.token = self.gateway.command("user", "add", "torture", "--role", "admin", "--token")["token"]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End everything."""
        self.machines.end()
        if self.gateway.process.poll() is None:
            self.gateway.stop()
        self._engine.dispose()
        self.receiver.close()
        self.ledger.close()

    # ---- breaking ----

    def at(self, step: str, whom: str, seconds: float = 45) -> bool:
        """Kill at a named step; gives whether anybody came by in time."""
        armed = self.faults / step
        aside = self.faults / f".{step}"
        aside.write_text(f"{int(signal.SIGKILL)} {whom}")
        aside.rename(armed)
        until = time.monotonic() + seconds
        while armed.exists() and time.monotonic() < until:
            self._pace()
            time.sleep(0.02)
        try:
            armed.unlink()
        except FileNotFoundError:
            self.report.kills[f"{step} {whom}"] += 1
        else:
            self.report.unstruck[f"{step} {whom}"] += 1
            return False
        self._again(whom)
        return True

    def at_random(self, whom: str) -> None:
        """Kill at any moment: ``main``, ``all``, or ``child`` for one of its children."""
        until = time.monotonic() + self._dice.random() * 1.5
        while time.monotonic() < until:
            self._pace()
            time.sleep(0.05)
        if whom == "child":
            children = psutil.Process(self.gateway.process.pid).children(recursive=True)
            with contextlib.suppress(psutil.NoSuchProcess):
                self._dice.choice(children).kill()
        elif whom == "main":
            self.gateway.process.kill()
        else:
            os.killpg(self.gateway.process.pid, signal.SIGKILL)
        self.report.kills[f"random {whom}"] += 1
        self._again(whom)

    def _again(self, whom: str) -> None:
        with contextlib.suppress(Exception):
            self.gateway.process.wait(timeout=0.2 if whom in ("self", "child") else 10)
        if self.gateway.process.poll() is None:
            return
        if self.gateway.process.stdout:
            self.gateway.process.stdout.close()
        self.report.outlived += _left(self.gateway.process.pid)
        token = self.gateway.token
        self.gateway = self._start()
        self.gateway.token = token

    def _start(self) -> city.Gateway:
        return city.start(self.path, program=(str(SABOTEUR),), env=self._env)

    def _pace(self) -> None:
        """Let the machines rest while much is waiting to be read."""
        if self.waiting() > self._most_waiting:
            self.machines.rest()
        else:
            self.machines.go()

    # ---- looking ----

    def astray(self) -> list[str]:
        """Every fax and copy that has not come to a good end, for whoever looks for the reason."""
        faxes = "SELECT id, state, attempt, held_because, updated_at FROM fax WHERE state NOT IN ('routed', 'held')"
        copies = "SELECT id, state, attempts, error, updated_at FROM delivery WHERE state <> 'delivered'"
        return [str(tuple(row)) for row in (*self.rows(faxes), *self.rows(copies), *self.rows("SELECT * FROM job"))]

    def rows(self, statement: str) -> list[Any]:
        """What the database says."""
        with self._engine.connect() as connection:
            return list(connection.execute(sa.text(statement)).all())

    def waiting(self) -> int:
        """Faxes that are not read yet."""
        return int(self.rows("SELECT count(*) FROM fax WHERE state IN ('received', 'reading')")[0][0])

    def unsettled(self) -> int:
        """Everything that is still on its way."""
        copies = self.rows("SELECT count(*) FROM delivery WHERE state IN ('pending', 'deferred')")[0][0]
        failed = self.rows("SELECT count(*) FROM fax WHERE state = 'failed'")[0][0]  # tried again by itself
        return self.waiting() + int(failed) + int(copies) + int(self.rows("SELECT count(*) FROM job")[0][0])

    def settle(self, seconds: float = 120) -> None:
        """The machines bring home what they have in hand, and everything comes to its end.

        ``seconds`` without any progress are too long; a slow machine that goes on is waited for.
        """
        self.machines.rest()
        least, until = self.unsettled(), time.monotonic() + seconds
        while time.monotonic() < until and ((left := self.unsettled()) or not self.machines.resting):
            if left < least:
                least, until = left, time.monotonic() + seconds
            time.sleep(0.1)
        self.machines.rest()
        self.report.stuck = self.unsettled() + (not self.machines.resting)

    def verify(self) -> Report:
        """Hold the ledger against everything; gives the report of all rounds so far."""
        report, kept = self.report, self.ledger.kept
        faxes = {row.id: row for row in self.rows(
            "SELECT id, sha256, line, state, counts, duplicate_of, department, received_at FROM fax"
        )}  # fmt: skip
        report.answered, report.given_up = len(kept), self.machines.given_up
        report.lost = sum(
            fax_id not in faxes or (faxes[fax_id].sha256, faxes[fax_id].line) != entry for fax_id, entry in kept.items()
        )
        report.unanswered = len(faxes.keys() - kept.keys())
        rows = Counter((row.sha256, row.line) for row in faxes.values())
        tries = self.ledger.tries
        report.never_sent = sum(pair not in tries for pair in rows)
        report.doubled = self.ledger.doubled_answers + sum(max(0, n - tries[pair]) for pair, n in rows.items())
        report.repeats = sum(row.duplicate_of is not None for row in faxes.values())
        report.held = sum(row.state == "held" for row in faxes.values())
        report.miscounted = self._miscounted(list(faxes.values()))
        report.damaged = self._damaged({row.sha256 for row in faxes.values()})
        self._copies(list(faxes.values()))
        return report

    def _miscounted(self, faxes: list[Any]) -> int:
        counted = Counter(row.sha256 for row in faxes if row.counts)
        wrong = sum(counted[digest] != 1 for digest in {row.sha256 for row in faxes})
        months = self.gateway.ask(f"/api/v1/traffic?from=2026-01&to={month_of(now())}")["months"]
        return wrong + abs(sum(month["arrivals"]["count"] for month in months) - len(counted))

    def _damaged(self, digests: set[str]) -> int:
        spool = Spool(self.config.spool_folder)
        wrong = 0
        for digest in digests:
            try:
                spool.get(digest)  # looks whether the bytes are what their name says
            except Exception:  # noqa: BLE001 - whatever it is, it is not there
                wrong += 1
        return wrong

    def _copies(self, faxes: list[Any]) -> None:
        """Every routed fax is with each of its sinks under one id; a repeat for the same line sends none."""
        delivered = {row.id for row in self.rows("SELECT id FROM delivery WHERE state = 'delivered'")}
        same: dict[tuple[str, str], list[Any]] = {}
        for row in faxes:
            same.setdefault((row.sha256, row.line), []).append(row)
        missing, several, wanted = 0, 0, set()
        for twins in same.values():
            wanted |= {stem(f"{row.id}-{sink}") for row in twins for sink in SINKS.get(row.department, ())}
            first = next((row for row in twins if row.duplicate_of is None), twins[0])
            if first.state != "routed":  # one that is held has its copies when a person routes it
                continue
            for sink in SINKS[first.department]:
                ids = [f"{twin.id}-{sink}" for twin in twins]
                there = sum(name in delivered and self._has(sink, stem(name)) for name in ids)
                missing += there == 0
                several += there > 1
        taken = self.receiver.taken
        self.report.undelivered = missing
        self.report.carried_again = sum(count - 1 for count in taken.values())
        strange = taken.keys() - wanted
        self.report.unstable = several + len(strange) + len(self.receiver.differing)
        if self.report.unstable:
            sys.stderr.write(f"unstable: {several} twins, not wanted {sorted(strange)}, {self.receiver.differing}\n")

    def _has(self, sink: str, name: str) -> bool:
        if sink == "web":
            return self.receiver.taken[name] > 0
        return (self.folder / "share" / f"{name}.json").is_file()

    def sweep(self) -> None:
        """The gateway's own sweep, as if a week had gone by: it leaves exactly what the rows name."""
        from gateway.service import sweep

        store, spool = Store(self._engine), Spool(self.config.spool_folder)
        needed = {digest for row in self.rows("SELECT sha256, content FROM fax") for digest in row}
        needed |= {row.png for row in self.rows("SELECT DISTINCT png FROM page WHERE png <> ''")}
        before = set(spool.settled())
        self.report.swept = len(before - needed) + len(list((spool.folder / "arriving").iterdir()))
        sweep(store, spool, time.time() + 7 * 24 * 3600)
        left = set(spool.settled())
        self.report.orphans = len(left ^ needed) + len(list((spool.folder / "arriving").iterdir()))


def _left(group: int) -> int:
    """How many processes of a killed gateway are still there after ten seconds."""
    alive = [process for process in psutil.process_iter() if _group(process.pid) == group]
    _, left = psutil.wait_procs(alive, timeout=10)
    for process in left:
        process.kill()
    return len(left)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


# ---- how long, and what is said --------------------------------------------------------------------

EVERY_STEP: tuple[tuple[str, str], ...] = (
    *((step, "self") for step in IN_THE_DOOR),
    *((step, "all") for step in STEPS),
    ("reading", "self"),
    ("reading", "main"),
    ("committed", "main"),
    ("carried", "main"),
)
"""Where, and who dies: the process that is there, the gateway's first process, or all at once."""


SELF = tuple((step, whom) for step, whom in EVERY_STEP if whom == "self")
"""Cost no restart of the whole, so that there can be more of them."""


def rounds(town: Town, until: Callable[[], bool], dice: random.Random, told: Callable[[str], None]) -> None:
    """Kill until it is time; every round has each named step in random order and as many random moments."""
    while not until():
        moments = [("random", whom) for whom in ("main", "all", *["child"] * 8)]
        kinds: list[tuple[str, str]] = [*EVERY_STEP, *(SELF * 2), *moments]
        dice.shuffle(kinds)
        for step, whom in kinds:
            if until():
                break
            if step == "random":
                town.at_random(whom)
            else:
                town.at(step, whom)
            told(f"{sum(town.report.kills.values())} kills, {len(town.ledger.kept)} answered 250, {step} {whom}")
        town.settle()
        town.verify()
        told(f"settled: {town.report.wrong or 'nothing wrong'}")
        if town.report.wrong:
            return


def table(reports: dict[str, Report]) -> str:
    """The figures side by side."""
    total = Report()
    for report in reports.values():
        total.add(report)
    columns = {**reports, "all": total} if len(reports) > 1 else reports
    kinds = sorted({kind for report in columns.values() for kind in report.kills})
    lines = [_row("kills at", list(columns))]
    lines += [_row(f"  {kind}", [report.kills[kind] for report in columns.values()]) for kind in kinds]
    lines.append(_row("kills", [sum(report.kills.values()) for report in columns.values()]))
    figures = [name for name in vars(total) if name not in ("kills", "unstruck")]
    lines += [_row(name, [getattr(report, name) for report in columns.values()]) for name in figures]
    return "\n".join(lines)


def _row(name: str, values: list[Any]) -> str:
    return f"{name:<24}" + "".join(f"{value:>12}" for value in values)


def main() -> int:
    """Torture for some minutes: most of them on SQLite, then PostgreSQL, then with real reading."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=("sqlite", "postgresql", "reading"))
    words = parser.parse_args()
    _tell("seed", str(words.seed))
    reports: dict[str, Report] = {}
    for name, share in {"sqlite": 0.45, "postgresql": 0.45, "reading": 0.1}.items():
        if words.only in (None, name):
            seconds = words.minutes * 60 * (1 if words.only else share)
            reports[name] = _torture(name, seconds, words.seed)
    plain = {name: report.plain() for name, report in reports.items()}
    sys.stdout.write((json.dumps(plain) if words.json else table(reports)) + "\n")
    return 1 if any(report.wrong for report in reports.values()) else 0


def _torture(name: str, seconds: float, seed: int) -> Report:
    end = time.monotonic() + seconds
    folder = Path(tempfile.mkdtemp(prefix="faxless-torture-"))
    with contextlib.ExitStack() as ending:
        database = ending.enter_context(postgres_server()).address if name == "postgresql" else "sqlite"
        town = Town(folder, database, seed, fixed_text=name != "reading", machines=3 if name != "reading" else 1)
        ending.callback(town.close)
        rounds(town, lambda: time.monotonic() > end, random.Random(seed), lambda said: _tell(name, said))
        town.sweep()
        report = town.report
    if report.wrong:
        _tell(name, f"{report.wrong}; kept for a look: {folder}")
    else:
        shutil.rmtree(folder)
    return report


def _tell(name: str, said: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {name}: {said}\n")


if __name__ == "__main__":
    sys.exit(main())
