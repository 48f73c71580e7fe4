"""The door's processes. They share one listening socket: whoever is free takes the next connection.

One that dies is replaced; machines that wait in the socket meanwhile notice nothing. They end with the process that
started them, however that ends, because its end of the pipe closes with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import structlog
import uvloop

from gateway import log, smtp
from gateway.config import Smtp
from gateway.database import connect
from gateway.intake import Entries, Intake
from gateway.spool import Spool
from gateway.store import Store
from routing.department import Organisation

THREADS = 16
"""Mails that a process syncs at once; what they commit is committed together."""
WATCH = 0.5
"""How often is looked whether a process has died."""
MOST_FILES = 65536
READY = b"r"

logger = structlog.get_logger("doors")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process of the door is started with."""

    settings: Smtp
    organisation: Organisation
    old_machines: tuple[str, ...]
    """Networks whose machines may speak TLS 1.0."""
    database_url: str
    turn: Path | None
    """The file by which the processes take turns at committing, on SQLite."""
    spool: Spool
    verbose: bool = False

    @property
    def processes(self) -> int:
        """How many."""
        return self.settings.processes or min(2, os.cpu_count() or 1)


@dataclass(slots=True)
class _Process:
    process: BaseProcess
    pipe: Connection


@dataclass(slots=True)
class Doors:
    """The processes that take mails."""

    plan: Plan
    at: socket.socket
    _open: list[_Process] = field(default_factory=list)

    @property
    def alive(self) -> int:
        """How many processes take mails."""
        return sum(door.process.is_alive() for door in self._open)

    def start(self) -> None:
        """Begin; gives back when every process takes connections."""
        self._open = [self._start() for _ in range(self.plan.processes)]
        for door in self._open:
            _await_ready(door.pipe)

    def replace_the_dead(self) -> None:
        """Start a process for each that has died."""
        for place, door in enumerate(self._open):
            if not door.process.is_alive():
                logger.error("a process of the door has died", code=door.process.exitcode)
                door.pipe.close()
                self._open[place] = self._start()

    def stop(self) -> None:
        """Take nothing more; mails in hand are finished."""
        for door in self._open:
            door.pipe.close()
        for door in self._open:
            door.process.join(smtp.STOPPING_SECONDS + 5)
            if door.process.is_alive():
                door.process.kill()
                door.process.join()
        self.at.close()

    def _start(self) -> _Process:
        processes = multiprocessing.get_context("spawn")  # a fork would take our threads' locks with it
        ours, theirs = processes.Pipe()
        process = processes.Process(target=_stand, args=(self.plan, self.at, theirs), name="door", daemon=True)
        process.start()
        theirs.close()
        return _Process(process, ours)


@contextlib.asynccontextmanager
async def opened(plan: Plan, at: socket.socket) -> AsyncIterator[Doors]:
    """The door, open while the block lasts."""
    doors = Doors(plan, at)
    watching: asyncio.Task[None] | None = None
    try:
        await asyncio.to_thread(doors.start)
        watching = asyncio.create_task(_watch(doors))
        yield doors
    finally:
        if watching is not None:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        await asyncio.to_thread(doors.stop)


async def _watch(doors: Doors) -> None:
    while True:
        await asyncio.sleep(WATCH)
        doors.replace_the_dead()


def _await_ready(pipe: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):  # it died: the watch replaces it and the log says so
        pipe.recv_bytes()


# ---- in the process -------------------------------------------------------------------------------


def _stand(plan: Plan, at: socket.socket, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for who started us
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    log.to_stderr(plan.verbose)
    _allow_many_connections()
    gc.freeze()  # what is loaded stays: looking through it again and again was a twelfth of the door's time
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_take(plan, at, pipe))


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _take(plan: Plan, at: socket.socket, pipe: Connection) -> None:
    engine = connect(plan.database_url)
    intake = Intake(plan.organisation, Entries(Store(engine), plan.turn), plan.spool)
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), over.set)  # it only ever ends
    try:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="intake") as threads:
            async with smtp.listening(intake, plan.settings, plan.old_machines, threads, at):
                pipe.send_bytes(READY)
                await over.wait()
    finally:
        engine.dispose()
