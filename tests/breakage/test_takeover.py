"""Two hosts on one PostgreSQL and one spool: one falls silent in the middle, and the other goes on.

A sleeper that wakes up later writes nothing, and no sink is sent anything under another name.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import worker
from tests import city
from tests.breakage.torture import SABOTEUR, Letters, Town, for_hoken

HANG = 3 * (worker.SILENT.total_seconds() + worker.BEAT)
"""By then somebody must have taken over, on however slow a machine; the figure itself is printed."""


class Hosts(Town):
    """Door and pages in one process, and two workers with data folders of their own."""

    def _start(self) -> city.Gateway:
        (self.folder / "var" / "spool").mkdir(parents=True)
        self.workers = [self._worker(name) for name in ("one", "two")]
        return city.start(self.path, "--roles", "smtp,web", program=(str(SABOTEUR),), env=self._env)

    def _worker(self, name: str) -> city.Gateway:
        (self.folder / name / "var").mkdir(parents=True)
        for shared in ("var/spool", "share"):
            (self.folder / name / shared).symlink_to(self.folder / shared)
        path = self.folder / name / "config.toml"
        path.write_text(self.path.read_text())
        return city.start(path, "--roles", "worker", program=(str(SABOTEUR),), env=self._env)

    def close(self) -> None:
        """End everything, sleepers too."""
        for one in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGCONT)
            one.stop()
        super().close()

    def struck(self, step: str, number: signal.Signals, raw: bytes) -> tuple[city.Gateway, str, float]:
        """Send a fax to hoken and strike the host that has it at this step: that host, the fax, and when."""
        (self.faults / step).write_text(f"{int(number)} all")
        self.ledger.sending(*for_hoken(raw))
        ids = self.machines.send(raw, ("hoken",))
        self.ledger.answered(*for_hoken(raw), ids)
        until = time.monotonic() + 60
        while not (marks := list(self.faults.glob(f"struck-{step}-*"))):
            assert time.monotonic() < until, "nobody came to this step"
            time.sleep(0.02)
        hit = os.getpgid(int(marks[0].name.split("-")[-2])) if number == signal.SIGSTOP else self._dead()
        (host,) = (one for one in self.workers if one.process.pid == hit)
        return host, ids[0], time.monotonic()

    def _dead(self) -> int:
        while True:
            for one in self.workers:
                if one.process.poll() is not None:
                    return one.process.pid
            time.sleep(0.02)

    def taken_over(self, fax_id: str, step: str, since: float) -> float:
        """Seconds until the other host has begun with it."""
        ask = {
            "reading": "SELECT count(*) FROM fax WHERE id = '{}' AND attempt > 1",
            "decided": "SELECT count(*) FROM fax WHERE id = '{}' AND attempt > 1",
            "carried": "SELECT count(*) FROM delivery WHERE fax_id = '{}' AND state = 'delivered' AND attempts > 0",
        }[step].format(fax_id)
        wanted = 2 if step == "carried" else 1
        while self.rows(ask)[0][0] < wanted:
            assert time.monotonic() < since + HANG, "nobody took over"
            time.sleep(0.02)
        return time.monotonic() - since

    def everything(self) -> list[Any]:
        """All that a worker may write of faxes, and under which ids the web server has been sent copies."""
        told = (
            "SELECT id, state, run, attempt, department, document_type, updated_at FROM fax ORDER BY id",
            "SELECT fax_id, number, text, png FROM page ORDER BY fax_id, number",
            "SELECT id, at, fax_id, who, action FROM event WHERE fax_id IS NOT NULL ORDER BY id",
            "SELECT id, state, attempts, receipt, updated_at FROM delivery ORDER BY id",
        )
        return [self.rows(question) for question in told] + [set(self.receiver.taken)]


@pytest.fixture
def hosts(tmp_path: Path, postgres: str) -> Iterator[Hosts]:
    town = Hosts(tmp_path, postgres, machines=1, unwell=0)
    try:
        yield town
    finally:
        town.close()


@pytest.mark.parametrize("step", ["reading", "carried"])
def test_a_sleeper_that_wakes_after_a_take_over_writes_nothing(hosts: Hosts, step: str) -> None:
    sleeper, fax_id, since = hosts.struck(step, signal.SIGSTOP, Letters(7).new())
    seconds = hosts.taken_over(fax_id, step, since)
    sys.stdout.write(f"taken over {seconds:.1f} s after SIGSTOP while {step}\n")
    hosts.settle()
    assert hosts.verify().wrong == {}, hosts.astray()
    before = hosts.everything()
    os.killpg(sleeper.process.pid, signal.SIGCONT)
    end = time.monotonic() + HANG
    while hosts.rows("SELECT count(*) FROM executor")[0][0] < 2:  # it was struck off when it was taken over
        assert time.monotonic() < end, "it did not wake up"
        time.sleep(0.1)
    if step == "reading":  # it did try
        while not (hosts.faults / f"refused-{sleeper.process.pid}").exists():
            assert time.monotonic() < end, "it never came to writing"
            time.sleep(0.1)
    time.sleep(2 * worker.POLL)
    assert hosts.everything() == before


def test_a_killed_host_is_taken_over_by_the_other(hosts: Hosts) -> None:
    _, fax_id, since = hosts.struck("reading", signal.SIGKILL, Letters(8).new())
    seconds = hosts.taken_over(fax_id, "reading", since)
    sys.stdout.write(f"taken over {seconds:.1f} s after SIGKILL\n")
    hosts.settle()
    assert hosts.verify().wrong == {}, hosts.astray()
