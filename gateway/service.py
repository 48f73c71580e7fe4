"""Starts the parts and stops them: the door, the worker, the pages, in one process or in several."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

import structlog
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from gateway import doors, worker
from gateway.carrier import Carrier
from gateway.config import Config
from gateway.errors import GatewayError
from gateway.house import House, first_user, open_house
from gateway.learning import Learned
from gateway.pipeline import Pipeline
from gateway.reader import Limits, Readers
from gateway.spool import ORPHAN_SECONDS, Spool
from gateway.store import Store
from gateway.web.app import create_app

SWEEP = 600.0
LEAVING = 600.0
"""Seconds for which bytes of a destroyed fax lie in the spool yet: no commit of the door takes so long."""
SHELVES = tuple(f"{number:02x}" for number in range(256))

log = structlog.get_logger("service")


async def serve(config: Config, roles: Sequence[str], *, verbose: bool = False) -> None:
    """Run the parts until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with open_house(config) as house:
        async with contextlib.AsyncExitStack() as ending:
            door: doors.Doors | None = None
            if "smtp" in roles:
                door = await ending.enter_async_context(_receiving(house, verbose))
            if "worker" in roles:
                await ending.enter_async_context(_working(house))
            if "web" in roles:
                await ending.enter_async_context(_showing(house, lambda: _troubles(house, door)))
            # Made at the last moment: a start that fails must not take the only password with it.
            _greet(config, roles, first_user(house.store))
            await stop.wait()
            log.info("stopping")


def _troubles(house: House, door: doors.Doors | None) -> Sequence[str]:
    shut = ("受信口が動いていません (no door is open)",) if door is not None and not door.alive else ()
    return (*shut, *house.ready())


@contextlib.asynccontextmanager
async def _working(house: House) -> AsyncIterator[None]:
    ocr = house.config.ocr
    readers = Readers(house.spool, ocr.engine, ocr.workers, Limits.of(ocr))
    readers.warm()
    taxonomy = house.desk.taxonomy
    pipeline = Pipeline(
        config=house.config,
        store=house.store,
        spool=house.spool,
        readers=readers,
        taxonomy=taxonomy,
        diseases=house.diseases,
        learned=Learned(house.store, house.spool),
    )
    carrier = Carrier(house.config, house.store, house.spool, readers, taxonomy)
    engine = worker.Worker(house.engine, house.store, pipeline, carrier, house.config.data)
    await asyncio.to_thread(engine.start)
    sweeping = asyncio.create_task(_sweep(house))
    try:
        yield
    finally:
        sweeping.cancel()
        await asyncio.to_thread(readers.close)
        await asyncio.to_thread(engine.stop)


async def _sweep(house: House) -> None:
    for shelf in itertools.cycle(SHELVES):  # one each time: all of a large spool in two days
        try:
            swept = await asyncio.to_thread(erase, house.store, house.spool, time.time())
            swept += await asyncio.to_thread(sweep, house.store, house.spool, time.time(), (shelf,))
        except (GatewayError, OSError, SQLAlchemyError) as error:
            log.warning("sweep", error=type(error).__name__)
        else:
            if swept:
                log.info("swept", swept=swept)
        await asyncio.sleep(SWEEP)


def sweep(store: Store, spool: Spool, moment: float, shelves: Sequence[str] = SHELVES) -> int:
    """Drop what is nobody's: arrivals that no machine sends any more, and bytes that no row names; gives how many.

    ``moment`` as time.time(); ``shelves`` of the spool are looked through. Bytes wait long for their row, because a
    machine that was not told 250 sends them again.
    """
    swept = spool.sweep(moment, shelves)
    for shelf in shelves:
        for digest in store.strangers(list(spool.settled(shelf))):
            swept += spool.drop(digest, moment - ORPHAN_SECONDS)
    return swept


def erase(store: Store, spool: Spool, moment: float) -> int:
    """Remove from the spool what destroyed faxes left there, except what another fax needs; gives how much is gone.

    Not at once: a door may have had equal bytes in hand while the fax was destroyed, and its row is there soon after;
    meanwhile the door takes no equal mail. Killed at any place, the next call goes on. ``moment`` as time.time().
    """
    before, gone = moment - LEAVING, 0
    for digest in store.cases.doomed(datetime.fromtimestamp(before, UTC)):
        if not store.strangers([digest]):
            store.cases.settle_doomed(digest, "needed")
        elif spool.destroy(digest, before):
            store.cases.settle_doomed(digest, "gone")
            gone += 1
    if gone:
        store.cases.empty_log()
    return gone


@contextlib.asynccontextmanager
async def _receiving(house: House, verbose: bool) -> AsyncIterator[doors.Doors]:
    config = house.config
    plan = doors.Plan(
        settings=config.smtp,
        organisation=config.organisation,
        old_machines=tuple(network for networks in config.old_tls.values() for network in networks),
        database_url=config.database_url,
        turn=config.data / "commit.lock" if house.engine.dialect.name == "sqlite" else None,
        spool=house.spool,
        verbose=verbose,
    )
    async with doors.opened(plan, _listen("smtp.listen", config.smtp.listen)) as opened:
        yield opened


@contextlib.asynccontextmanager
async def _showing(house: House, ready: Callable[[], Sequence[str]]) -> AsyncIterator[None]:
    ocr = house.config.ocr
    # Makes searchable PDFs; its process is started when the first one is asked for, and loads no engine.
    binder = Readers(house.spool, ocr.engine, 1, Limits.of(ocr))
    app = create_app(house.desk, ready, binder)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,  # what it says is a line of the log like all others
            log_level="warning",
            access_log=False,  # addresses of pages name faxes
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    listening = _listen("web.listen", house.config.web.listen)
    running = asyncio.create_task(server._serve(sockets=[listening]))  # serve() would take the signals
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield
    finally:
        app.state.live.close()  # open pages hold a stream each
        await asyncio.to_thread(binder.close)
        server.should_exit = True
        await running


def _listen(key: str, address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=1024)
    except OSError as error:
        reason = error.strerror or str(error)
        raise GatewayError(f"{key} の {address} で待ち受けできません。別のアドレスにしてください ({reason})") from error


def _greet(config: Config, roles: Sequence[str], password: str | None) -> None:
    lines = ["faxless は動いています / faxless is running"]
    if "smtp" in roles:
        lines.append(f"  SMTP  {config.smtp.listen}   ← 複合機の転送先 (forward faxes here)")
    if "web" in roles:
        lines.append(f"  Web   http://{config.web.listen}/")
    if password:
        lines.append(f"  最初の利用者 / first user: admin   一度だけのパスワード / one-time password: {password}")
    if "smtp" in roles and config.organisation.lines:
        address = config.organisation.lines[0].address
        lines.append("  見本を送る / send a sample fax:")
        lines.append(f"    .venv/bin/faxless send samples/01_mashin.pdf --to {address} --caller 03-5555-0199")
    print("\n".join(lines), flush=True)  # noqa: T201 - the greeting is what `make run` promises
