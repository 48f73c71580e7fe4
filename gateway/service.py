"""Builds everything, starts it and stops it. The only room that builds."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import secrets
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
import uvicorn
from pwdlib import PasswordHash
from sqlalchemy.exc import SQLAlchemyError

from gateway import migrations, smtp, worker
from gateway.carrier import Carrier
from gateway.config import Config
from gateway.desk import Desk
from gateway.errors import GatewayError, SpoolError
from gateway.intake import Intake
from gateway.models import User, now
from gateway.pipeline import Pipeline
from gateway.reader import Limits, Readers
from gateway.spool import Spool
from gateway.store import Store, connect
from gateway.web.app import create_app
from routing import disease, taxonomy

ROLES = ("smtp", "worker", "web")
LEAST_FREE = 200 << 20
"""Bytes of disk below which we say that we are not ready: four mails of the largest size."""
MIGRATION_LOCK = 0x0FA71E55  # any number that is ours (PostgreSQL advisory lock)
SWEEP = 600.0

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class House:
    """The parts that every command needs, built from the configuration."""

    config: Config
    engine: sa.Engine
    store: Store
    spool: Spool
    queue: worker.Queue
    desk: Desk
    diseases: disease.Diseases

    @property
    def intake(self) -> Intake:
        """The promise of the door."""
        return Intake(self.config.organisation, self.store, self.spool, self.queue)

    def readers(self) -> Readers:
        """Children that open and read; the caller closes them."""
        ocr = self.config.ocr
        limits = Limits(page_seconds=ocr.page_seconds, memory_bytes=ocr.memory_megabytes << 20)
        return Readers(self.spool, ocr.engine, ocr.workers, limits)

    def pipeline(self, readers: Readers) -> Pipeline:
        """The journey."""
        return Pipeline(
            config=self.config,
            store=self.store,
            spool=self.spool,
            readers=readers,
            jobs=self.queue,
            taxonomy=self.desk.taxonomy,
            diseases=self.diseases,
        )

    def carrier(self, readers: Readers) -> Carrier:
        """What carries copies."""
        return Carrier(self.config, self.store, self.spool, readers, self.desk.taxonomy)

    def ready(self) -> Sequence[str]:
        """What keeps us from accepting faxes; empty when nothing does."""
        return tuple(_troubles(self))


@contextlib.contextmanager
def open_house(config: Config) -> Iterator[House]:
    """Build the parts, bring the tables up to date, and let go of everything at the end."""
    config.data.mkdir(parents=True, exist_ok=True)
    spool = Spool(config.spool_folder)
    spool.prepare()
    engine = connect(config.database_url)
    with contextlib.ExitStack() as ending:
        ending.callback(engine.dispose)
        _migrate(config, engine)
        queue = worker.Queue(engine)
        ending.callback(queue.close)
        store = Store(engine)
        kinds = taxonomy.load(config.overrides if config.overrides.is_dir() else None)
        desk = Desk(config=config, store=store, spool=spool, taxonomy=kinds, jobs=queue)
        diseases = disease.load(config.overrides if config.overrides.is_dir() else None)
        yield House(config, engine, store, spool, queue, desk, diseases)


def _migrate(config: Config, engine: sa.Engine) -> None:
    with _alone(config, engine):
        with engine.begin() as connection:
            migrations.upgrade(connection)
        worker.migrate(config.database_url)


@contextlib.contextmanager
def _alone(config: Config, engine: sa.Engine) -> Iterator[None]:
    """One process at a time changes tables."""
    if engine.dialect.name != "sqlite":
        # No open transaction meanwhile: an index built CONCURRENTLY would wait for it for ever.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            try:
                yield
            finally:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        return
    with (config.data / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _troubles(house: House) -> Iterator[str]:
    try:
        house.store.check()
        silent = now() - 4 * worker.SILENT
        if not any(executor.beat_at > silent for executor in house.store.executors()):
            yield "読み取りのワーカーが動いていません (no worker is alive)"
    except SQLAlchemyError:
        yield "データベースに接続できません (the database does not answer)"
    try:
        house.spool.prepare()
    except SpoolError as error:
        yield str(error)
    free = shutil.disk_usage(house.config.data).free
    if free < LEAST_FREE:
        yield f"ディスクの空きが {free >> 20} MB です (disk nearly full)"


def first_user(store: Store) -> str | None:
    """The one-time password of the first user, made when there is nobody yet."""
    if store.users():
        return None
    return add_user(store, "admin", "admin", ("*",))


def add_user(store: Store, name: str, role: str, departments: Sequence[str]) -> str:
    """Add somebody; gives the password for the first sign-in, which must then be changed."""
    if store.user(name) is not None:
        raise GatewayError(f"利用者「{name}」はすでにいます (exists already)")
    password = secrets.token_urlsafe(9)
    store.save_user(
        User(
            name=name,
            password_hash=PasswordHash.recommended().hash(password),
            role=role,
            departments=list(departments),
            created_at=now(),
        ),
        who="administrator",
    )
    return password


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
    readers = house.readers()
    readers.warm()
    engine = worker.Worker(
        house.engine, house.store, house.pipeline(readers), house.carrier(readers), house.config.data
    )
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
            host=host.strip("[]"),
            port=int(port),
            log_level="warning",
            access_log=False,  # addresses of pages name faxes
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    running = asyncio.create_task(server._serve())  # serve() would take the signals
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        if running.done():
            running.result()
            raise GatewayError(f"{house.config.web.listen} で画面を開けません (the web address is taken)")
        yield
    finally:
        app.state.live.close()  # open pages hold a stream each
        server.should_exit = True
        await running


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
