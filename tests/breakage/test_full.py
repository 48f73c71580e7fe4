"""Full, read-only, locked, gone, wrong about the time: 451 or waiting, /readyz says so, then on without a person.

Every test ends with all that was answered 250 present once, read, counted once and delivered (:class:`Town`).
"""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.breakage.postgresql import Server, postgres_server
from tests.breakage.torture import Letters, Town, for_hoken

SIZE = 256
"""MB of a small disk: more than /readyz wants to see free."""


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own at this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=700", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """No room is left on this disk."""
    filler = disk / "filler"
    block = b"\0" * (1 << 20)
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(block) == len(block):
            pass
    for _ in range(2):  # what came free meanwhile
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
            while file.write(block[:4096]):
                pass
    try:
        yield
    finally:
        filler.unlink()


def readyz(town: Town) -> tuple[int, str]:
    """What those who watch the gateway are told."""
    try:
        with urllib.request.urlopen(f"http://{town.config.web.listen}/readyz", timeout=60) as answer:
            return answer.status, "".join(json.loads(answer.read())["problems"])
    except urllib.error.HTTPError as answer:
        return answer.code, "".join(json.loads(answer.read())["problems"])


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that has to come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


def more(town: Town, count: int = 5) -> Callable[[], bool]:
    """Whether so many more have been answered 250 since now."""
    before = len(town.ledger.kept)
    return lambda: len(town.ledger.kept) >= before + count


def refusals(town: Town) -> list[str]:
    """What machines were told, or what happened to them, instead of 250."""
    return sorted(town.machines.refused)


def told_of(town: Town, words: str) -> None:
    """Machines are refused, /readyz says why, and it stays so for a while."""
    until(lambda: bool(refusals(town)))
    status, problems = readyz(town)
    assert (status, words in problems) == (503, True), problems
    time.sleep(1)


def assert_only_451(town: Town) -> None:
    """Whatever was not answered 250 was answered 451, and the connection lived."""
    assert all(said.startswith("451 ") for said in refusals(town)), refusals(town)


def all_well(town: Town) -> None:
    """The gateway has found its way on by itself."""
    town.machines.go()
    until(more(town))
    town.settle()
    assert town.verify().wrong == {}, town.astray()
    assert readyz(town) == (200, "")
    assert town.gateway.process.poll() is None


@contextlib.contextmanager
def town_at(folder: Path, database: str = "sqlite", **env: str) -> Iterator[Town]:
    """A gateway under load; what would wait for minutes waits for seconds."""
    town = Town(folder, database, machines=2, unwell=0, env={"SABOTAGE_STUCK": "4", **env})
    try:
        yield town
    finally:
        town.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Data on a small disk, and the spool on another one below."""
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("mounting small disks needs root")
    place = tmp_path_factory.mktemp("small")
    with small_disk(place / "var"), small_disk(place / "var" / "spool"):
        yield place


@pytest.fixture(scope="module")
def one_town(folder: Path) -> Iterator[Town]:
    """A gateway on small disks, for all tests: it has to get over each of them."""
    with town_at(folder, SABOTAGE_BUSY="1") as town:
        yield town


@pytest.fixture
def town(one_town: Town) -> Town:
    """The same under load, with nothing refused yet."""
    one_town.machines.go()
    until(more(one_town))
    one_town.machines.refused.clear()
    return one_town


def test_a_full_disk_is_451_until_there_is_room_again(town: Town, folder: Path) -> None:
    with full(folder / "var"), full(folder / "var" / "spool"):
        told_of(town, "disk nearly full")
    all_well(town)
    assert_only_451(town)


def test_a_full_spool_is_451_while_the_database_has_room(town: Town, folder: Path) -> None:
    with full(folder / "var" / "spool"):
        told_of(town, "disk nearly full")
    all_well(town)
    assert_only_451(town)


def test_a_full_database_is_451_while_the_spool_has_room(town: Town, folder: Path) -> None:
    with full(folder / "var"):
        told_of(town, "disk nearly full")
    all_well(town)
    assert_only_451(town)


def test_a_read_only_spool_is_451_until_it_can_be_written(town: Town, folder: Path) -> None:
    until(lambda: _remounted(folder / "var" / "spool", "ro"))
    try:
        told_of(town, "スプールに書き込めません")
    finally:
        assert _remounted(folder / "var" / "spool", "rw")
    all_well(town)
    assert_only_451(town)


def _remounted(disk: Path, how: str) -> bool:
    # Refused while a file is open for writing: then once more.
    done = subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=False, capture_output=True)
    return done.returncode == 0


def test_a_locked_database_is_451_and_the_dialogue_goes_on(town: Town, folder: Path) -> None:
    town.settle()
    raw = Letters(time.monotonic_ns()).new()
    with (
        contextlib.closing(sqlite3.connect(folder / "var" / "faxless.db", isolation_level=None)) as other,
        smtplib.SMTP(*town.gateway.smtp, timeout=60) as client,
    ):
        other.execute("BEGIN IMMEDIATE")
        town.machines.go()
        assert _sent(client, raw) == 451
        assert client.noop()[0] == 250
        status, problems = readyz(town)
        assert (status, "データベースに書き込めません" in problems) == (503, True)
        other.execute("ROLLBACK")
        town.ledger.sending(*for_hoken(raw))
        assert _sent(client, raw) == 250
    all_well(town)
    assert_only_451(town)


def _sent(client: smtplib.SMTP, raw: bytes) -> int:
    client.ehlo_or_helo_if_needed()
    client.mail("mfp@fax.example.jp")
    client.rcpt("hoken@fax.example.jp")
    return client.data(raw)[0]


@pytest.mark.parametrize("jump", [-3600, 7200], ids=["an hour back", "two hours ahead"])
def test_a_clock_that_jumps_stops_nobody(town: Town, jump: int) -> None:
    try:
        _set_clock(town, jump)
        until(more(town, 10))
        until(lambda: readyz(town) == (200, ""), 10)  # a clock ahead makes the last heartbeat old, until the next
        assert town.gateway.ask("/api/v1/faxes?limit=1")  # who is signed in stays so
        all_well(town)
        assert refusals(town) == []
        assert "take-over" not in town.gateway.log.read_text()
    finally:
        _set_clock(town, 0)


def _set_clock(town: Town, seconds: int) -> None:
    (town.faults / ".clock").write_text(str(seconds))
    (town.faults / ".clock").rename(town.faults / "clock")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of our own, because we stop it."""
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module")
def town_on_postgresql(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A gateway on it, for all tests."""
    with town_at(tmp_path_factory.mktemp("postgresql"), server.address) as town:
        yield town


def test_postgresql_stopped_under_load_is_451_until_it_is_back(town_on_postgresql: Town, server: Server) -> None:
    town = town_on_postgresql
    town.machines.go()
    until(more(town))
    town.machines.refused.clear()
    server.stop()  # as at a power cut
    until(lambda: readyz(town)[0] == 503)
    told_of(town, "データベースに接続できません")
    time.sleep(2)
    server.start()
    all_well(town)
    assert_only_451(town)


def test_dropped_connections_to_postgresql_lose_nothing(town_on_postgresql: Town) -> None:
    town = town_on_postgresql
    town.machines.go()
    until(more(town))
    for _ in range(5):
        town.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        time.sleep(0.3)
    all_well(town)
