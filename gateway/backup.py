"""A copy of a running gateway in one file, and a gateway out of such a file: the same for SQLite and PostgreSQL.

The file is a tar without compression, to be looked at with tar and sha256sum alone::

    faxless.json                what made it, when
    tables/fax/00001.jsonl.gz   the rows of each table, a JSON object a line, as of one moment
    spool/ab/ab12...            every byte that a row names, under its sha256
    manifest.json               how many rows and bytes, and the sha256 of every member
    manifest.sha256             its own

Rows first, bytes second: the spool is written once, so whatever a row names is there when its turn comes. The manifest
comes last: without it and its hash the file was cut off. The engine's tables are left out: what it was doing is told by
the states of faxes and copies, and is set going again from there.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import gzip
import hashlib
import io
import itertools
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from gateway import audit, migrations, worker
from gateway.errors import BadBackup, GatewayError, Missing
from gateway.house import House
from gateway.models import Baseline, Delivery, Executor, Fax, Job, RegisterEntry, SignIn, State, Utc, Work, now
from gateway.progress import Bar, Watch
from gateway.queue import ALERT, CARRY, JOURNEY
from gateway.spool import name_in_spool

FORMAT = 1
LEFT_OUT = frozenset({"executor", "failed_sign_in", "job"})
"""Tables of a moment: who runs journeys, wrong passwords of the last day, jobs (they are made again)."""
BYTES_OF = {"fax": ("sha256", "content"), "page": ("png",), "model": ("sha256",)}
"""Columns that name bytes in the spool."""
ROWS, PART_BYTES = 500, 4 << 20
"""Rows and bytes of a member, about: what is held in memory at a time."""
MOST = 512 << 20
"""No member of ours is larger."""
AT_ONCE = 8
"""Spool bytes fetched or kept side by side: a store across the network answers each in its own time."""
JUST_NOW = timedelta(hours=1)
"""A fax decided so shortly before the copy may not have got its deliveries yet."""
HEAD, MANIFEST, SEAL = "faxless.json", "manifest.json", "manifest.sha256"
TABLE_PART = re.compile(r"tables/(\w+)/\d{5,}\.jsonl\.gz")
SPOOL_PART = re.compile(r"spool/[0-9a-f]{2}/([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a backup."""

    created_at: str
    faxless: str
    revision: str
    """The step of gateway.migrations that its tables have."""
    tables: dict[str, int]
    """Rows by table."""
    files: int = 0
    bytes: int = 0
    """Of the spool."""
    missing: tuple[str, ...] = ()
    """What rows name and the spool did not have, or not undamaged."""

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "created_at": self.created_at,
            "faxless": self.faxless,
            "faxes": self.tables.get("fax", 0),
            "tables": self.tables,
            "spool": {"files": self.files, "bytes": self.bytes, "missing": list(self.missing)},
        }


# ---- out ------------------------------------------------------------------------------------------


def write(house: House, file: Path, watch: Watch) -> Contents:
    """Copy a gateway, running or not, into ``file``, which comes into being whole or not at all."""
    with _new_file(file) as target, tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        return _Writer(tar).copy(house, watch)


@contextlib.contextmanager
def _new_file(file: Path) -> Iterator[IO[bytes]]:
    if file.exists():
        raise GatewayError(f"{file}: すでにあります。別の名前にしてください (exists already)")
    unfinished = file.with_name(f".{file.name}.part")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb", buffering=1 << 20) as target:
        try:
            fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise GatewayError(f"{file}: 別のバックアップが書いています (another backup writes it)") from error
        try:
            target.truncate(0)  # what a backup left that was killed
            yield target
            target.flush()
            os.fsync(target.fileno())
            unfinished.rename(file)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _Writer:
    """Puts members into a tar and remembers them for the manifest."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._moment = now()
        self._members: dict[str, str] = {}
        self._rows: dict[str, int] = {}
        self._names: dict[str, None] = {}  # a set in order

    def copy(self, house: House, watch: Watch) -> Contents:
        with _snapshot(house.engine) as connection:
            head = Contents(self._moment.isoformat(), version("faxless"), migrations.revision(connection), {})
            self._add(HEAD, _json({"format": FORMAT, "revision": head.revision, **head.as_json()}))
            for table in SQLModel.metadata.sorted_tables:
                if table.name not in LEFT_OUT:
                    self._table(connection, table)
        files, size, missing = self._spool(house, watch)
        contents = replace(head, tables=self._rows, files=files, bytes=size, missing=missing)
        told = {"format": FORMAT, "revision": head.revision, **contents.as_json(), "members": self._members}
        self._add(MANIFEST, _json(told))
        self._add(SEAL, f"{self._members[MANIFEST]}  {MANIFEST}\n".encode())  # as sha256sum(1) wants it
        return contents

    def _table(self, connection: sa.Connection, table: sa.Table) -> None:
        chosen = sa.select(table).order_by(*table.primary_key.columns)
        if table.name == SignIn.__tablename__:  # a browser signed out since must not come in again; API tokens stay
            chosen = chosen.where(col(SignIn.label) != "")
        self._rows[table.name] = 0
        part: list[bytes] = []
        size = 0
        with connection.execution_options(yield_per=ROWS).execute(chosen) as rows:
            for row in rows.mappings():
                part.append(_line(table, row))
                size += len(part[-1])
                named = () if row.get("destroyed_at") else BYTES_OF.get(table.name, ())
                self._names |= {row[name]: None for name in named if row[name]}
                if len(part) >= ROWS or size > PART_BYTES:
                    self._part(table.name, part)
                    size = 0
        self._part(table.name, part)

    def _part(self, table: str, part: list[bytes]) -> None:
        if part:
            number = sum(name.startswith(f"tables/{table}/") for name in self._members) + 1
            # Level 1: words of pages shrink to a sixth, and the highest level wins little for much time.
            self._add(f"tables/{table}/{number:05}.jsonl.gz", gzip.compress(b"".join(part), compresslevel=1, mtime=0))
            self._rows[table] += len(part)
            part.clear()

    def _spool(self, house: House, watch: Watch) -> tuple[int, int, tuple[str, ...]]:
        size, missing = 0, []
        names = list(self._names)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="backup") as threads, watch(len(names), "file") as bar:
            for digest, data in _ahead(threads, lambda name: _found(house, name), names):
                bar.update(1)
                if data is None:
                    missing.append(digest)
                else:
                    size += len(data)
                    self._add(f"spool/{name_in_spool(digest)}", data, digest)
        return len(names) - len(missing), size, tuple(missing)

    def _add(self, name: str, data: bytes, digest: str = "") -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = len(data), 0o600, int(self._moment.timestamp())
        self._tar.addfile(member, io.BytesIO(data))
        self._tar.members.clear()  # type: ignore[attr-defined]  # it would keep a kilobyte for each
        self._members[name] = digest or hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees the database as it is at the first look, and hinders nobody."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # WAL: readers and writers do not meet (sqlite.org/isolation.html)
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection
        connection.rollback()


def _found(house: House, digest: str) -> bytes | None:
    try:
        return house.spool.get(digest)
    except Missing:
        return None


def _ahead(
    threads: ThreadPoolExecutor, work: Callable[[str], bytes | None], names: Sequence[str]
) -> Iterator[tuple[str, bytes | None]]:
    # Not map(): it would begin everything, and hold all that nobody has taken yet.
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        yield from zip(some, threads.map(work, some), strict=True)


# ---- what is in it --------------------------------------------------------------------------------


def check(source: IO[bytes], watch: Watch) -> Contents:
    """Read all of a backup and believe nothing; raises :class:`BadBackup` with what is wrong. Writes nothing."""
    manifest = seal = b""
    seen: dict[str, str] = {}
    with watch(os.fstat(source.fileno()).st_size, "B") as bar:
        for name, data in _members(source):
            bar.update(len(data))
            if name == SEAL:
                seal = data
                break
            if name == MANIFEST:
                manifest = data
            else:
                seen[name] = _hash(name, data)
    if not seal:
        raise BadBackup("途中で切れています (cut off: its end is not there)")
    if seal.split()[:1] != [hashlib.sha256(manifest).hexdigest().encode()]:
        raise BadBackup("目録が壊れています (its manifest is damaged)")
    return _as_told(json.loads(manifest), seen)


def _hash(name: str, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    spooled = SPOOL_PART.fullmatch(name)
    if spooled and spooled[1] != digest:
        raise BadBackup(f"壊れています: {name} (damaged)")
    if name == HEAD:
        try:
            head = json.loads(data)
            readable = head["format"] == FORMAT and migrations.knows(head["revision"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadBackup(f"壊れています: {name} (damaged)") from error
        if not readable:
            raise BadBackup("新しい版の faxless で作られています。先に更新してください (made by a newer faxless)")
    return digest


def _as_told(manifest: dict[str, Any], seen: dict[str, str]) -> Contents:
    listed = manifest["members"]
    for name in {**listed, **seen}:
        if listed.get(name) != seen.get(name):
            raise BadBackup(f"目録と中身が合いません: {name} (not what its manifest says)")
    spool = manifest["spool"]
    return Contents(
        created_at=manifest["created_at"],
        faxless=manifest["faxless"],
        revision=manifest["revision"],
        tables=manifest["tables"],
        files=spool["files"],
        bytes=spool["bytes"],
        missing=tuple(spool["missing"]),
    )


def _members(source: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each member; only names and kinds that we write."""
    source.seek(0)
    try:
        with tarfile.open(fileobj=source, mode="r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # it would keep a kilobyte for each
                known = member.name in (HEAD, MANIFEST, SEAL) or TABLE_PART.fullmatch(member.name)
                if not member.isreg() or member.size > MOST or not (known or SPOOL_PART.fullmatch(member.name)):
                    raise BadBackup("faxless のバックアップではありません (not a backup of faxless)")
                content = tar.extractfile(member)
                data = content.read() if content else b""
                if len(data) != member.size:
                    raise BadBackup(f"途中で切れています: {member.name} (cut off)")
                yield member.name, data
    except tarfile.TarError as error:
        raise BadBackup("faxless のバックアップではないか、壊れています (no backup of faxless, or damaged)") from error


# ---- in -------------------------------------------------------------------------------------------


def restore(house: House, source: IO[bytes], watch: Watch) -> Contents:
    """Make an empty house the one in ``source``, all or nothing, and set going again what was under way.

    Raises :class:`BadBackup` before anything is written, :class:`GatewayError` when the house is not empty.
    """
    with house.engine.connect() as connection:
        _must_be_empty(connection)  # said at once, and once more when nobody else can write
    contents = check(source, watch)
    with house.engine.begin() as connection:
        _hold_the_door(connection)
        _must_be_empty(connection)
        _clear(connection)
        if contents.revision == migrations.revision(connection):
            _fill(connection, SQLModel.metadata, source)
        else:
            _fill_older(connection, source, contents.revision, house.config.data)
        with watch(contents.files, "file") as bar:
            _keep_bytes(house, source, bar)
        _count_on(connection)
        _set_going(house, connection, datetime.fromisoformat(contents.created_at))
    # Events that the copy caught between two looks of the worker's: now, as of then, not as strangers later.
    while audit.chain(house.store, datetime.fromisoformat(contents.created_at)):
        pass
    house.store.note("administrator", "restored", faxes=contents.tables.get("fax", 0), created_at=contents.created_at)
    return contents


def _hold_the_door(connection: sa.Connection) -> None:
    # A door that somebody left open waits until we are done, or says 451.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.text("LOCK TABLE fax IN SHARE ROW EXCLUSIVE MODE"))


def _must_be_empty(connection: sa.Connection) -> None:
    for kind in (Fax, Baseline, RegisterEntry):
        if connection.execute(sa.select(sa.literal(1)).select_from(kind).limit(1)).first():
            raise GatewayError(
                "ここにはもうデータがあります。空の data フォルダ(または空のデータベース)を設定してから、"
                "もう一度実行してください (this house is not empty: set an empty data folder or database)"
            )
    alive = sa.select(col(Executor.id)).where(col(Executor.beat_at) > now() - 4 * worker.SILENT)
    if connection.execute(alive.limit(1)).first():
        raise GatewayError("先に faxless を止めてください (stop the gateway first)")


def _clear(connection: sa.Connection) -> None:
    # An empty house may have its first user, and what was noted of that; they give way to those of the backup.
    for table in reversed(SQLModel.metadata.sorted_tables):
        connection.execute(sa.delete(table))


def _fill(connection: sa.Connection, tables: sa.MetaData, source: IO[bytes]) -> None:
    for name, data in _members(source):
        if part := TABLE_PART.fullmatch(name):
            table = tables.tables[part[1]]
            lines = gzip.decompress(data).splitlines()
            connection.execute(sa.insert(table), [_row(table, line, connection.dialect.name) for line in lines])
        elif SPOOL_PART.fullmatch(name):
            return  # rows come first


def _fill_older(connection: sa.Connection, source: IO[bytes], revision: str, folder: Path) -> None:
    """Rows of an older faxless walk through the same steps as its database would have: in a passing one."""
    with tempfile.TemporaryDirectory(dir=folder) as passing:
        engine = sa.create_engine(f"sqlite:///{passing}/older.db", hide_parameters=True)
        with engine.begin() as older:
            migrations.upgrade(older, revision)
            tables = sa.MetaData()
            tables.reflect(older)
            _fill(older, tables, source)
            migrations.upgrade(older)
            for table in SQLModel.metadata.sorted_tables:
                with older.execution_options(yield_per=ROWS).execute(sa.select(table)) as rows:
                    for some in rows.mappings().partitions():
                        connection.execute(sa.insert(table), [dict(row) for row in some])
        engine.dispose()


def _keep_bytes(house: House, source: IO[bytes], bar: Bar) -> None:
    def keep(part: tuple[str, bytes]) -> None:
        if house.spool.put(part[1]) != part[0]:
            raise BadBackup(f"読んでいるあいだに変わりました: {part[0]} (it changed while it was read)")

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="restore") as threads:
        parts = ((found[1], data) for name, data in _members(source) if (found := SPOOL_PART.fullmatch(name)))
        while some := list(itertools.islice(parts, AT_ONCE)):
            for _ in threads.map(keep, some):
                bar.update(1)


def _count_on(connection: sa.Connection) -> None:
    # PostgreSQL numbers rows by a sequence that knows nothing of rows that brought their number.
    if connection.dialect.name == "sqlite":
        return
    for table in SQLModel.metadata.sorted_tables:
        if table.autoincrement_column is not None:
            name = table.autoincrement_column.name
            highest = sa.select(sa.func.max(table.c[name])).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, name)
            connection.execute(sa.select(sa.func.setval(sequence, highest)).where(highest.is_not(None)))


def _set_going(house: House, connection: sa.Connection, copied_at: datetime) -> None:
    """Jobs for what the engine was doing or had before it when the copy was made."""
    unread = sa.select(col(Fax.id)).where(col(Fax.state).in_([State.RECEIVED, State.READING]))
    broken = sa.select(col(Fax.id)).where(
        col(Fax.state) == State.FAILED, col(Fax.work) == Work.NEW, col(Fax.attempt) <= worker.RETRIES
    )
    unsent = sa.select(col(Fax.id)).where(
        col(Fax.state) == State.ROUTED,
        col(Fax.updated_at) > copied_at - JUST_NOW,
        col(Fax.duplicate_of).is_(None),
        col(Fax.department).in_([sink.department for sink in house.config.sinks]),
        col(Fax.id).not_in(sa.select(col(Delivery.fax_id))),
    )
    waiting = sa.select(col(Delivery.fax_id)).where(col(Delivery.state).in_(["pending", "deferred"])).distinct()
    copies, messages = waiting.where(col(Delivery.step) == 0), waiting.where(col(Delivery.step) > 0)
    journeys = sa.union(unread, broken, unsent)
    for work, wanted in ((JOURNEY, journeys), (CARRY, copies), (ALERT, messages)):
        chosen = wanted.subquery()
        connection.execute(sa.insert(Job).from_select(["fax_id", "work"], sa.select(chosen.c[0], sa.literal(work))))


# ---- rows as lines --------------------------------------------------------------------------------


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def _line(table: sa.Table, row: Any) -> bytes:
    told = {column.name: _as_json(row[column.name]) for column in table.columns}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _row(table: sa.Table, line: bytes, dialect: str) -> dict[str, Any]:
    told = json.loads(line.decode("utf-8", "surrogatepass"))
    return {name: _value(table.columns[name].type, value, dialect) for name, value in told.items()}


def _value(type: sa.types.TypeEngine[Any], value: Any, dialect: str) -> Any:
    if value is None:
        return None
    if isinstance(type, Utc):
        return datetime.fromisoformat(value)
    if isinstance(type, sa.DateTime):  # of an older faxless, where nothing but the column's type is known
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    if isinstance(type, sa.LargeBinary):
        return base64.b64decode(value)
    if isinstance(value, str) and dialect == "postgresql":
        return value.replace("\0", "")  # which SQLite takes and PostgreSQL does not
    return value
