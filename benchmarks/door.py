"""How many mails a second the door takes, each one's bytes synced and row and job committed before its 250."""

from __future__ import annotations

import contextlib
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import make_msgid
from pathlib import Path

import psutil
import sqlalchemy as sa
from sqlmodel import col
from tqdm import tqdm

from benchmarks import postfix
from benchmarks.table import Aim, Figure, Peer
from gateway.database import connect
from gateway.models import Fax, Job
from tests import city

BYTES = 100 * 1024
SENDER, LINE = "mfp@fax.example.jp", "hoken@fax.example.jp"
PATIENCE = 180.0
AIMS = {1: 0.85, 8: 1.0, 32: 1.0}
"""Of Postfix's rate, by sessions at once."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to send: *messages* by sessions at once, in so many *rounds*, none begun after *seconds*."""

    messages: dict[int, int]
    rounds: int
    seconds: float
    warming: int = 50


FULL = Effort(messages={1: 300, 8: 600, 32: 600}, rounds=5, seconds=80)
QUICK = Effort(messages={1: 60, 8: 120, 32: 120}, rounds=1, seconds=20)


def measure(base: Path, effort: Effort = FULL) -> Sequence[Figure]:
    """A row for each number of sessions. Raises `AssertionError` when what was sent is not what was kept."""
    with contextlib.ExitStack() as ending:
        gateway = ending.enter_context(open_door(base))
        peer = None if postfix.why_not() else ending.enter_context(postfix.running(base))
        before = _cpu(gateway)
        ours, theirs = _rates(gateway.smtp[1], peer.port if peer else None, effort)
        spent = _cpu(gateway) - before
        sent = effort.warming + sum(effort.messages[sessions] * len(rates) for sessions, rates in ours.items())
        all_kept(gateway, sent)
        if peer is not None:
            assert peer.held() == sent, f"Postfix holds {peer.held()} of {sent} mails"
    remark = (
        f"{_client()}, {BYTES >> 10} KB each, one a connection, no two alike; all {sent} kept, "
        f"{1000 * spent / sent:.1f} ms of the door's CPU each."
    )
    return [_figure(sessions, ours[sessions], theirs.get(sessions), remark) for sessions in effort.messages]


def _figure(sessions: int, ours: list[float], theirs: list[float] | None, remark: str) -> Figure:
    peer = None
    if theirs:
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        peer = Peer("Postfix into hold", statistics.median(theirs), statistics.median(ratios))
    spread = f"{remark} Median of {len(ours)}, from {min(ours):.0f} to {max(ours):.0f}. {postfix.why_not()}".strip()
    return Figure(
        f"mails taken, {sessions} session{'s' * (sessions > 1)}",
        statistics.median(ours),
        "/s",
        Aim(AIMS.get(sessions, 1.0), "at least", "ratio"),
        peer,
        spread,
    )


@contextlib.contextmanager
def open_door(base: Path) -> Iterator[city.Gateway]:
    """A gateway that only takes mails: nothing reads them meanwhile."""
    with tempfile.TemporaryDirectory(prefix="faxless-door-", dir=base) as folder:
        gateway = city.start(city.write_city(Path(folder)), "--roles", "smtp")
        try:
            yield gateway
        finally:
            gateway.stop()


def _rates(ours: int, theirs: int | None, effort: Effort) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """Mails a second of each round, ours and the peer's in turn, so that what else runs here meets both."""
    ports = [ours] if theirs is None else [ours, theirs]
    doors: list[tuple[int, dict[int, list[float]]]] = [
        (port, {count: [] for count in effort.messages}) for port in ports
    ]
    for port, _ in doors:
        send(port, effort.warming, 4)
    until = time.monotonic() + effort.seconds
    runs = [(sessions, door) for _ in range(effort.rounds) for sessions in effort.messages for door in doors]
    a_round = len(effort.messages) * len(doors)
    for number, (sessions, (port, rates)) in enumerate(tqdm(runs, desc="door", unit="run", file=sys.stderr)):
        if number and number % a_round == 0 and time.monotonic() > until:
            break
        rates[sessions].append(effort.messages[sessions] / send(port, effort.messages[sessions], sessions))
    return doors[0][1], {} if theirs is None else doors[1][1]


def send(port: int, messages: int, sessions: int) -> float:
    """Send so many mails over so many connections at once; gives the seconds until all have their 250.

    Raises `subprocess.CalledProcessError` or `smtplib.SMTPException` when one has not.
    """
    program = postfix.program("smtp-source")
    begun = time.perf_counter()
    if program is None:
        send_ourselves(port, messages, sessions)
        return time.perf_counter() - begun
    command = [program, "-s", str(sessions), "-m", str(messages), "-l", str(BYTES), "-f", SENDER, "-t", LINE]
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True, capture_output=True, timeout=PATIENCE)
    return time.perf_counter() - begun


def _client() -> str:
    return "smtp-source" if postfix.program("smtp-source") else "a client of our own (no smtp-source here)"


def send_ourselves(port: int, messages: int, sessions: int) -> None:
    """As smtp-source does, on machines without it; Python's smtplib is the slower client."""
    body = b"X" * 78 + b"\r\n"

    def one(_: int) -> None:
        mail = f"From: <{SENDER}>\r\nTo: <{LINE}>\r\nMessage-Id: {make_msgid()}\r\n\r\n".encode()
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
            client.sendmail(SENDER, LINE, mail + body * (BYTES // len(body)))

    with ThreadPoolExecutor(sessions) as threads:
        for _ in threads.map(one, range(messages)):
            pass


def _cpu(gateway: city.Gateway) -> float:
    """Seconds of CPU that the door's processes have had."""
    main = psutil.Process(gateway.process.pid)
    spent = [process.cpu_times() for process in (main, *main.children(recursive=True))]
    return float(sum(times.user + times.system for times in spent))


def all_kept(gateway: city.Gateway, sent: int) -> None:
    """A rate counts only when every 250 has its row, its job and its bytes, and no mail passed for another."""
    engine = connect(gateway.config.database_url)
    with engine.connect() as connection:
        count = sa.select(sa.func.count()).select_from(Fax)
        rows = connection.scalar(count)
        doubles = connection.scalar(count.where(col(Fax.duplicate_of).is_not(None)))
        jobs = connection.scalar(sa.select(sa.func.count()).select_from(Job))
    engine.dispose()
    files = sum(file.is_file() for file in gateway.config.spool_folder.glob("[0-9a-f][0-9a-f]/*"))
    kept = (rows, doubles, jobs, files)
    assert kept == (sent, 0, sent, sent), f"sent {sent}; rows, repeats, jobs and files kept: {kept}"
