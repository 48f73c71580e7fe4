"""The parts that every command needs, built from the configuration; and whether they are fit to accept faxes."""

from __future__ import annotations

import contextlib
import fcntl
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pwdlib import PasswordHash
from sqlalchemy.exc import SQLAlchemyError

from gateway import migrations, worker
from gateway.config import Config
from gateway.database import connect
from gateway.desk import Desk
from gateway.errors import ConfigError, GatewayError, SpoolError
from gateway.intake import Entries, Intake
from gateway.learning import Learned
from gateway.models import User, now
from gateway.spool import Spool
from gateway.store import Store
from routing import disease, taxonomy
from routing.directory import Directory
from routing.errors import ModelError
from routing.model import Model, packaged

LEAST_FREE = 200 << 20
"""Bytes of disk below which we say that we are not ready: four mails of the largest size."""
MIGRATION_LOCK = 0x0FA71E55  # any number that is ours (PostgreSQL advisory lock)


@dataclass(frozen=True, slots=True)
class House:
    """The parts that every command needs, built from the configuration."""

    config: Config
    engine: sa.Engine
    store: Store
    spool: Spool
    desk: Desk
    diseases: disease.Diseases

    @property
    def intake(self) -> Intake:
        """The promise of the door."""
        return Intake(self.config.organisation, Entries(self.store), self.spool)

    def ready(self) -> Sequence[str]:
        """What keeps us from accepting faxes; empty when nothing does."""
        return tuple(_troubles(self))


@contextlib.contextmanager
def open_house(config: Config) -> Iterator[House]:
    """Build the parts, bring the tables up to date, and let go of everything at the end."""
    config.data.mkdir(parents=True, exist_ok=True)
    spool = open_spool(config)
    spool.prepare()
    engine = connect(config.database_url)
    with contextlib.ExitStack() as ending:
        ending.callback(engine.dispose)
        _migrate(config, engine)
        store = Store(engine)
        kinds = taxonomy.load(config.overrides)
        desk = Desk(config=config, store=store, spool=spool, taxonomy=kinds)
        diseases = disease.load(config.overrides)
        yield House(config, engine, store, spool, desk, diseases)


def open_spool(config: Config) -> Spool:
    """The spool that the configuration names; an object store is not asked anything yet."""
    if config.storage.spool == "file":
        return Spool(config.spool_folder)
    from gateway.bucket import Bucket, Place, keys_from  # 15 MB that a folder does not need

    settings, beside = config.storage.s3, config.path.parent
    bucket, _, prefix = config.storage.spool.removeprefix("s3://").partition("/")
    try:
        certificate = (beside / settings.certificate).read_bytes() if settings.certificate else b""
    except OSError as error:
        raise ConfigError((f"storage.s3.certificate {error.filename}: 読めません (cannot be read)",)) from error
    place = Place(
        bucket=bucket,
        prefix=prefix.strip("/"),
        endpoint=settings.endpoint.rstrip("/"),
        region=settings.region,
        path_style=settings.path_style,
        certificate=certificate,
    )
    return Bucket(
        config.spool_folder, place, keys_from(beside / settings.credentials if settings.credentials else None)
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What a site has learned, and who it knows to send."""

    model: Model
    directory: Directory


def known_now(config: Config) -> Known:
    """What decides at this site, for whoever only tries something out: nothing is made or written.

    Where there is no database yet, or none that answers, what ships decides, and nobody is known.
    """
    shipped = Known(packaged(), Directory.of(()))
    if config.storage.database == "sqlite" and not (config.data / "faxless.db").exists():
        return shipped
    engine = connect(config.database_url)
    _only_read(engine)
    try:
        store = Store(engine)
        return Known(Learned(store, open_spool(config))(), store.institutions.directory())
    except (SQLAlchemyError, GatewayError):
        return shipped
    finally:
        engine.dispose()


def _only_read(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def _refuse_writes(connection: Any, _record: object) -> None:
        if engine.dialect.name == "sqlite":  # mode=ro would leave a WAL behind that it may not take away
            connection.execute("PRAGMA query_only=ON").close()
        else:
            connection.read_only = True


def _migrate(config: Config, engine: sa.Engine) -> None:
    with _alone(config, engine):
        with engine.begin() as connection:
            migrations.upgrade(connection)
        worker.migrate(config.database_url)


@contextlib.contextmanager
def _alone(config: Config, engine: sa.Engine) -> Iterator[None]:
    """One process at a time changes tables."""
    if engine.dialect.name != "sqlite":
        # Asked for again and again: an index built CONCURRENTLY waits for every open transaction and for every
        # statement, also for one that waits for this lock; two hosts started at once would stand still for ever.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATION_LOCK}):
                time.sleep(0.1)
            try:
                yield
            finally:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        return
    with (config.data / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _database_troubles(house: House) -> Iterator[str]:
    try:
        house.store.check()
        silent = now() - 4 * worker.SILENT
        if not any(executor.beat_at > silent for executor in house.store.queue.executors()):
            yield "読み取りのワーカーが動いていません (no worker is alive)"
    except SQLAlchemyError:
        yield "データベースに接続できません (the database does not answer)"
        return
    try:
        house.store.check_write()
    except SQLAlchemyError:
        yield "データベースに書き込めません (the database cannot be written)"


def _troubles(house: House) -> Iterator[str]:
    yield from _database_troubles(house)
    try:
        house.spool.ready()
    except SpoolError as error:
        yield str(error)
    # The spool may be a disk of its own.
    free = min(shutil.disk_usage(folder).free for folder in (house.config.data, house.spool.folder))
    if free < LEAST_FREE:
        yield f"ディスクの空きが {free >> 20} MB です (disk nearly full)"
    try:
        packaged()  # faxes are taken without it, and not one is decided
    except ModelError as error:
        yield str(error)


def first_user(store: Store) -> str | None:
    """The one-time password of the first user, made when there is nobody yet."""
    if store.people.users():
        return None
    return add_user(store, "admin", "admin", ("*",))


def add_user(store: Store, name: str, role: str, departments: Sequence[str]) -> str:
    """Add somebody; gives the password for the first sign-in, which must then be changed."""
    if not re.fullmatch(r"\S{1,64}", name):
        raise GatewayError("利用者の名前は空白なしの64文字までです (no blanks, 64 characters at most)")
    if store.people.user(name) is not None:
        raise GatewayError(f"利用者「{name}」はすでにいます (exists already)")
    made = User(name=name, password_hash="", role=role, departments=list(departments), created_at=now())
    return _with_password(store, made)


def new_password(store: Store, name: str) -> str:
    """A new one-time password for somebody who has forgotten theirs; every browser of theirs is signed out."""
    user = store.people.user(name)
    if user is None:
        raise GatewayError(f"利用者「{name}」がいません (no such user)")
    store.people.sign_out_others(name, "")
    return _with_password(store, user)


def _with_password(store: Store, user: User) -> str:
    password = secrets.token_urlsafe(9)
    user.password_hash, user.must_change = PasswordHash.recommended().hash(password), True
    store.people.save(user, who="administrator")
    return password
