"""Runs the gateway's own command line with faults put in from outside; the product knows nothing of them.

``python tests/breakage/saboteur.py --config PATH serve`` is ``faxless --config PATH serve`` in which some functions are
wrapped. A wrapped function strikes when a file with its step's name lies in the folder ``SABOTAGE``: whoever takes the
file away strikes, so that a fault happens once, in whichever process comes by first, and can be laid down at any time.
Children made by multiprocessing (door processes, reading processes) run this file again as ``__mp_main__`` and are
wrapped too. Wrapping waits for the module to be imported, so that a child loads no more than it does without us.

    SABOTAGE        folder of armed faults: ``<step>`` holding ``<signal> <whom>``; whom is self, main or all
    SABOTAGE_TEXT   reading is replaced by this fixed text (for speed); a word ``{n}`` in it becomes a hash of the mail
    SABOTAGE_WAIT   seconds such a reading takes, half before its step and half after
    SABOTAGE_STUCK  seconds after which a fax that does not move is looked at, instead of minutes
    SABOTAGE_SWEEP  seconds between two sweeps, and bytes of destroyed faxes leave at once
    SABOTAGE_BUSY   seconds that SQLite waits for a lock, instead of half a minute

A file ``clock`` in the folder holds seconds that the clocks of the gateway are wrong by.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import hashlib
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

STEPS = {
    "receiving": "blocks of a mail are in an arrival, the machine is still sending",
    "spooled": "the bytes are synced and have their name, no row is written",
    "writing": "the rows are written, not committed",
    "committed": "the rows are committed, 250 is not said",
    "handing-over": "the job is in the engine's queue, not committed",
    "reading": "a page is being read",
    "decided": "the decision is committed, the copies are not set going",
    "carried": "a sink has taken a copy, we have not noted it",
}
"""Every named step, and what has happened there."""

REMOVED = "removed"
"""Named too, for one test alone: bytes of a destroyed fax have left the spool, and nobody has noted it."""

IN_THE_DOOR = ("receiving", "spooled", "writing", "committed")

_ROOT = "SABOTAGE_ROOT"


def strike(step: str) -> None:
    """Do to ourselves what lies armed for this step, if anything does."""
    folder = Path(os.environ["SABOTAGE"])
    taken = folder / f"struck-{step}-{os.getpid()}-{time.monotonic_ns()}"
    try:
        (folder / step).rename(taken)
    except OSError:
        return
    number, whom = taken.read_text().split()
    if whom == "all":
        os.killpg(os.getpgrp(), int(number))
    else:
        os.kill(int(os.environ[_ROOT]) if whom == "main" else os.getpid(), int(number))


def before(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, struck before it."""

    @functools.wraps(function)
    def wrapped(*words: Any, **named: Any) -> Any:
        strike(step)
        return function(*words, **named)

    return wrapped


def after(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, struck after it."""

    @functools.wraps(function)
    def wrapped(*words: Any, **named: Any) -> Any:
        said = function(*words, **named)
        strike(step)
        return said

    return wrapped


def refused(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; that it was refused because another run has taken over leaves a file ``refused-<process>``."""

    @functools.wraps(function)
    def wrapped(*words: Any, **named: Any) -> Any:
        from gateway.errors import Superseded

        try:
            return function(*words, **named)
        except Superseded:
            (Path(os.environ["SABOTAGE"]) / f"refused-{os.getpid()}").touch()
            raise

    return wrapped


# ---- where the steps are --------------------------------------------------------------------------


def _spool(module: ModuleType) -> None:
    write = module.Arrival.write

    def written(arrival: Any, block: bytes) -> None:
        write(arrival, block)
        if arrival.size > len(block):  # never at pictures, which are put in one go
            strike("receiving")

    module.Arrival.write = written
    module.Spool.destroy = after(REMOVED, module.Spool.destroy)


_accepting = threading.local()  # the thread that commits is the one that accepts


def _store(module: ModuleType) -> None:
    accept = module.Store.accept

    def accepted(store: Any, *words: Any) -> Any:
        strike("spooled")
        _accepting.now = True
        try:
            said = accept(store, *words)
        finally:
            _accepting.now = False
        strike("committed")
        return said

    module.Store.accept = accepted
    module.Store.decided = after("decided", module.Store.decided)
    module.Store.page_read = refused(module.Store.page_read)


def _queue(module: ModuleType) -> None:
    hand_over = module.Queue.hand_over

    def handed(queue: Any, put: Callable[..., None], *words: Any) -> Any:
        return hand_over(queue, after("handing-over", put), *words)

    module.Queue.hand_over = handed


def _database(module: ModuleType) -> None:
    connect = module.connect

    def connected(url: str) -> Any:
        engine = connect(url)

        @module.sa.event.listens_for(engine, "commit")
        def _(_connection: Any) -> None:
            if getattr(_accepting, "now", False):
                strike("writing")

        if "SABOTAGE_BUSY" in os.environ:
            wait = f"PRAGMA busy_timeout={1000 * int(os.environ['SABOTAGE_BUSY'])}"
            module.sa.event.listen(engine, "connect", lambda connection, _: connection.execute(wait).close())
        return engine

    module.connect = connected


def _reader(module: ModuleType) -> None:
    if "SABOTAGE_TEXT" not in os.environ:
        module._read = before("reading", module._read)
        return
    from ocr.page import PageText, Reading, Word

    wait = float(os.environ.get("SABOTAGE_WAIT", "0.1"))

    def _read(_desk: Any, mail: Any, _document: int, page: int) -> Reading:
        time.sleep(wait / 2)
        strike("reading")
        time.sleep(wait / 2)
        mark = hashlib.sha256(mail.digest.encode()).hexdigest()[:12]
        text = os.environ["SABOTAGE_TEXT"].format(n=mark)
        words = tuple(Word(line, (100, 60 * n, 900, 60 * n + 40), 0.99) for n, line in enumerate(text.splitlines(), 1))
        told = PageText(page, 1728, 2200, words, text, 0.99, 0, 0.0, (), (), "fixed")
        return Reading(told, f"picture of {mark} {page}".encode())

    _read.__module__, _read.__qualname__ = module.__name__, "_read"  # it goes through a pipe by its name
    module._read = _read
    module._warm = before("never", module._warm)
    module._Desk.engine = lambda _desk: None


def _sinks(name: str) -> Callable[[ModuleType], None]:
    def wrap(module: ModuleType) -> None:
        sink = getattr(module, name)
        sink.carry = after("carried", sink.carry)

    return wrap


def _webhook(module: ModuleType) -> None:
    _sinks("WebhookSink")(module)
    named = module.WebhookSink.__init__.__kwdefaults__
    named["seconds"] = 2.0  # a receiver that hangs shall not hold up a test for half a minute


def _delivery(module: ModuleType) -> None:
    next_try = module.next_try
    module.next_try = lambda *words: next_try(*words) and timedelta(seconds=1)


def _models(module: ModuleType) -> None:
    right = module.now
    module.now = lambda: right() + timedelta(seconds=_wrong_by())


def _worker(module: ModuleType) -> None:
    if "SABOTAGE_STUCK" in os.environ:
        module.STUCK = timedelta(seconds=float(os.environ["SABOTAGE_STUCK"]))


def _service(module: ModuleType) -> None:
    if "SABOTAGE_SWEEP" in os.environ:
        module.SWEEP, module.LEAVING = float(os.environ["SABOTAGE_SWEEP"]), 0.0


WRAPS: dict[str, Callable[[ModuleType], None]] = {
    "gateway.spool": _spool,
    "gateway.database": _database,
    "gateway.store": _store,
    "gateway.queue": _queue,
    "gateway.reader": _reader,
    "gateway.models": _models,
    "gateway.worker": _worker,
    "gateway.service": _service,
    "routing.delivery": _delivery,
    "routing.sinks.folder": _sinks("FolderSink"),
    "routing.sinks.webhook": _webhook,
}


# ---- how they get there ---------------------------------------------------------------------------

_clock: list[float] = [0.0, -1.0]


def _wrong_by() -> float:
    moment = time.monotonic()
    if moment - _clock[1] > 0.05:
        with contextlib.suppress(OSError, ValueError):
            _clock[0] = float((Path(os.environ["SABOTAGE"]) / "clock").read_text())
        _clock[1] = moment
    return _clock[0]


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps a module of ours right after it was loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in WRAPS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def loaded(module: ModuleType) -> None:
            load(module)
            WRAPS[name](module)

        spec.loader.exec_module = loaded  # type: ignore[method-assign]
        return spec


def _prepare() -> None:
    os.environ.setdefault(_ROOT, str(os.getpid()))
    sys.meta_path.insert(0, _Finder())
    faulthandler.register(signal.SIGUSR1)  # where every thread is, for whoever looks for one that hangs
    right = time.time
    time.time = lambda: right() + _wrong_by()


if __name__ in ("__main__", "__mp_main__") and "SABOTAGE" in os.environ:
    _prepare()

if __name__ == "__main__":
    from gateway.cli import main

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.exit(main())
