"""Starts the parts and stops them: the door, the worker, the pages, in one process or in several."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
import uvicorn

from gateway import smtp, worker
from gateway.carrier import Carrier
from gateway.config import Config
from gateway.errors import GatewayError
from gateway.house import House, first_user, open_house
from gateway.pipeline import Pipeline
from gateway.reader import Limits, Readers
from gateway.web.app import create_app

SWEEP = 600.0

log = structlog.get_logger("service")


async def serve(config: Config, roles: Sequence[str]) -> None:
    """Run the parts until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with open_house(config) as house:
        async with contextlib.AsyncExitStack() as ending:
            if "worker" in roles:
                await ending.enter_async_context(_working(house))
            if "smtp" in roles:
                await ending.enter_async_context(_receiving(house))
            if "web" in roles:
                await ending.enter_async_context(_showing(house))
            # Made at the last moment: a start that fails must not take the only password with it.
            _greet(config, roles, first_user(house.store))
            await stop.wait()
            log.info("stopping")


@contextlib.asynccontextmanager
async def _working(house: House) -> AsyncIterator[None]:
    ocr = house.config.ocr
    limits = Limits(page_seconds=ocr.page_seconds, memory_bytes=ocr.memory_megabytes << 20)
    readers = Readers(house.spool, ocr.engine, ocr.workers, limits)
    readers.warm()
    taxonomy = house.desk.taxonomy
    pipeline = Pipeline(
        config=house.config,
        store=house.store,
        spool=house.spool,
        readers=readers,
        taxonomy=taxonomy,
        diseases=house.diseases,
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
    while True:
        swept = await asyncio.to_thread(house.spool.sweep, time.time())
        if swept:
            log.info("swept", arrivals=swept)
        await asyncio.sleep(SWEEP)


@contextlib.asynccontextmanager
async def _receiving(house: House) -> AsyncIterator[None]:
    with ThreadPoolExecutor(max_workers=16, thread_name_prefix="intake") as threads:
        with _taken("smtp.listen", house.config.smtp.listen):
            server = await smtp.listen(house.intake, house.config.smtp, threads)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()


@contextlib.asynccontextmanager
async def _showing(house: House) -> AsyncIterator[None]:
    host, _, port = house.config.web.listen.rpartition(":")
    app = create_app(house.desk, house.ready)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # addresses of pages name faxes
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    with _taken("web.listen", house.config.web.listen):
        listening = socket.create_server((host.strip("[]"), int(port)), family=_family(host), backlog=1024)
    running = asyncio.create_task(server._serve(sockets=[listening]))  # serve() would take the signals
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield
    finally:
        app.state.live.close()  # open pages hold a stream each
        server.should_exit = True
        await running


@contextlib.contextmanager
def _taken(key: str, address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise GatewayError(f"{key} の {address} で待ち受けできません。別のアドレスにしてください ({reason})") from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


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
