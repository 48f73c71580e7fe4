"""config.toml read once, at the edge, into one frozen :class:`Config`. Every mistake is reported in one go.

The file that ships explains each key; a test holds the two together.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import ConfigError
from routing import number, taxonomy
from routing.contradictions import check_rules
from routing.department import Condition, Department, Line, Organisation, Rule
from routing.hours import HoursMistake, OfficeHours


def _endpoint(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError('write it as "127.0.0.1:2525"')
    return text


def _network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


def _month(text: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise ValueError('write a month as "2021-04"')
    return text


def _base_year(text: str) -> str:
    if not re.fullmatch(r"(FY)?(19|20)\d\d", text):
        raise ValueError('write "FY2019" (April to March) or "2019" (January to December)')
    return text


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text):
        raise ValueError("use letters, digits, - _ and . only")
    return text


def _spool(text: str) -> str:
    # Names of buckets: AWS, "Bucket naming rules"; other stores allow no more.
    if not re.fullmatch(r"file|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?", text):
        raise ValueError('write "file" or "s3://bucket/prefix"')
    return text


def _hours(text: str) -> str:
    try:
        OfficeHours.read(text)
    except HoursMistake as error:
        raise ValueError(str(error)) from error
    return text


Endpoint = Annotated[str, AfterValidator(_endpoint)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Month = Annotated[str, AfterValidator(_month)]


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Smtp(Table):
    """The door."""

    listen: Endpoint = "127.0.0.1:2525"
    allow: tuple[Annotated[str, AfterValidator(_network)], ...] = ("127.0.0.0/8",)
    max_message_bytes: int = Field(default=52_428_800, ge=1024)
    idle_seconds: float = Field(default=300.0, gt=0)
    parts_wait_minutes: float = Field(default=30.0, gt=0)
    processes: int = Field(default=0, ge=0, le=64)
    connections: int = Field(default=2000, ge=1)
    connections_per_client: int = Field(default=1500, ge=1)
    mails_per_minute: int = Field(default=0, ge=0)
    tls_certificate: str = ""
    tls_key: str = ""
    users: dict[str, str] = {}


class Web(Table):
    """The pages and the API."""

    listen: Endpoint = "127.0.0.1:8080"
    https: bool = False
    url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = ""
    session_hours: float = Field(default=10.0, gt=0)


class S3(Table):
    """The object store, when the spool lies in one."""

    endpoint: Annotated[str, Field(pattern=r"^(https?://[^/\s?#@]+)?/?$")] = ""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "us-east-1"
    path_style: bool = True
    credentials: str = ""
    certificate: str = ""


class Storage(Table):
    """The memory."""

    database: Annotated[str, Field(pattern=r"^(sqlite|postgresql(\+psycopg)?://.+)$")] = "sqlite"
    spool: Annotated[str, AfterValidator(_spool)] = "file"
    s3: S3 = S3()


class Ocr(Table):
    """Reading."""

    engine: Literal["paddle", "tesseract"] = "paddle"
    workers: int = Field(default=0, ge=0, le=64)
    page_seconds: float = Field(default=60.0, gt=0)
    memory_megabytes: int = Field(default=2048, ge=512)


class Routing(Table):
    """Deciding."""

    hold_below: float = Field(default=0.80, ge=0, le=1)
    names: tuple[Annotated[str, Field(min_length=2, max_length=40)], ...] = ()


class DepartmentTable(Table):
    """One [[department]]."""

    id: Identifier
    name: str
    kind: str = ""
    bureau: str = ""
    mail: str = ""
    office_hours: Annotated[str, AfterValidator(_hours)] = "08:30-17:15"
    alert_minutes: float = Field(default=15.0, gt=0)


class LineTable(Table):
    """One [[line]]."""

    id: Identifier
    address: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    number: str = ""
    department: str = ""
    machine: str = ""
    old_tls: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    urgent: bool = False


class ConditionTable(Table):
    """The `when` of a [[rule]]."""

    caller: str = ""
    type: str = ""
    text: str = ""
    barcode: str = ""
    line: str = ""
    tsi: str = ""
    institution: str = ""
    sender_kind: str = ""
    proof: bool = False


class RuleTable(Table):
    """One [[rule]]."""

    name: str = ""
    when: ConditionTable
    department: str = ""
    type: str = ""
    urgent: bool | None = None


class ReceiverTable(Table):
    """What can be handed something, and how."""

    id: str = ""
    department: str
    kind: Literal["mail", "folder", "webhook"]
    to: str = ""
    relay: str = ""
    sender: str = ""
    path: str = ""
    url: str = ""
    secret: str = ""


class SinkTable(ReceiverTable):
    """One [[sink]]: where a department's copies go."""

    personal: bool = False
    """Whether its own department's copies tell who the patient is."""


class AlertTable(ReceiverTable):
    """One [[alert]]: who is called to an urgent fax, when, and at which step."""

    department: str = ""
    when: Literal["always", "office_hours", "out_of_hours"] = "always"
    step: int = Field(default=1, ge=1, le=8)


class Target(Table):
    """From this month on, the reduction to reach (0.98 = 98 % below the same month of the base year)."""

    since: Month = Field(alias="from")
    reduction: float = Field(ge=0, le=1)


class Traffic(Table):
    """Counting."""

    baseline_year: Annotated[str, AfterValidator(_base_year)] = "FY2019"
    targets: tuple[Target, ...] = (
        Target.model_validate({"from": "2020-04", "reduction": 0.60}),
        Target.model_validate({"from": "2021-04", "reduction": 0.98}),
    )


class File(Table):
    """The whole file as written."""

    data: str = "var"
    smtp: Smtp = Smtp()
    web: Web = Web()
    storage: Storage = Storage()
    ocr: Ocr = Ocr()
    routing: Routing = Routing()
    department: tuple[DepartmentTable, ...] = ()
    line: tuple[LineTable, ...] = ()
    rule: tuple[RuleTable, ...] = ()
    sink: tuple[SinkTable, ...] = ()
    alert: tuple[AlertTable, ...] = ()
    traffic: Traffic = Traffic()


class Config(BaseModel):
    """What the rest of the house is given."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    path: Path
    data: Path
    """Everything embedded lives below."""
    overrides: Path | None
    """``data/`` beside the file, where there is one: a site's own taxonomy and diseases."""
    smtp: Smtp
    web: Web
    storage: Storage
    ocr: Ocr
    organisation: Organisation
    sinks: tuple[SinkTable, ...]
    alerts: tuple[AlertTable, ...]
    traffic: Traffic
    old_tls: dict[str, tuple[str, ...]] = {}
    """By line: the networks whose machines may speak TLS 1.0."""

    @property
    def database_url(self) -> str:
        """SQLAlchemy's name for the database."""
        if self.storage.database == "sqlite":
            return f"sqlite:///{self.data / 'faxless.db'}"
        return re.sub(r"^postgresql(\+psycopg)?://", "postgresql+psycopg://", self.storage.database)

    @property
    def spool_folder(self) -> Path:
        """Where a file spool keeps its bytes; with an object store, where mails lie while they come in."""
        return self.data / "spool"

    def receiver(self, id: str) -> ReceiverTable | None:
        """The [[sink]] or [[alert]] of this id, or None when it is gone."""
        return next((one for one in (*self.sinks, *self.alerts) if one.id == id), None)

    def sinks_of(self, department: str | None) -> tuple[str, ...]:
        """The ids of the sinks that carry this department's copies."""
        return tuple(sink.id for sink in self.sinks if sink.department == department)


def load(path: Path) -> Config:
    """Read ``path``; raises :class:`ConfigError` with every mistake of the file."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editors put a mark before it
    except FileNotFoundError:
        raise ConfigError((f"{path}: 設定ファイルがありません (no such file; copy the one that ships)",)) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError((f"{path}: {error}",)) from error
    folder = path.resolve().parent
    lists = folder / "data"
    overrides = lists if lists.is_dir() else None
    mistakes: list[str] = []
    try:
        file = File.model_validate(written)
    except ValidationError as error:
        mistakes += _sentences(error)
        file = _what_can_be_read(written)
    mistakes += _contradictions(file)
    kinds = taxonomy.load(overrides)
    mistakes += check_rules(_organisation(file), kinds)
    if mistakes:
        raise ConfigError(tuple(f"{path}: {mistake}" for mistake in dict.fromkeys(mistakes)))
    return Config(
        path=path.resolve(),
        data=(folder / file.data).resolve(),
        overrides=overrides,
        smtp=file.smtp.model_copy(update=_beside(folder, file.smtp)),
        web=file.web,
        storage=file.storage,
        ocr=file.ocr,
        organisation=_organisation(file),
        sinks=tuple(_named(file.sink, "")),
        alerts=tuple(_named(file.alert, "alert-")),
        traffic=file.traffic,
        old_tls={table.id: table.old_tls for table in file.line if table.old_tls},
    )


def _beside(folder: Path, smtp: Smtp) -> dict[str, str]:
    """Paths of the door's certificate, taken from where the file lies."""
    paths = {"tls_certificate": smtp.tls_certificate, "tls_key": smtp.tls_key}
    return {name: str(folder / path) for name, path in paths.items() if path}


def _sentences(error: ValidationError) -> Iterator[str]:
    for mistake in error.errors():
        place = ".".join(str(part) for part in mistake["loc"])
        unknown = mistake["type"] == "extra_forbidden"
        yield f"{place}: {'知らないキーです (unknown key)' if unknown else mistake['msg']}"


def _what_can_be_read(written: dict[str, Any]) -> File:
    """The tables without mistakes, so that what contradicts itself in them is reported in the same run."""
    readable: dict[str, Any] = {}
    for key, table in written.items():
        if isinstance(table, list):
            items = map(_named_at_least, table) if key == "department" else table
            readable[key] = [item for item in items if _fits(key, [item])]
        elif _fits(key, table):
            readable[key] = table
    return File.model_validate({key: table for key, table in readable.items() if _fits(key, table)})


def _named_at_least(table: Any) -> Any:
    """A department with a mistake elsewhere is still the one that lines and rules mean."""
    if isinstance(table, dict) and "id" in table and not _fits("department", [table]):
        stub = {"id": table["id"], "name": str(table.get("name", table["id"]))}
        return stub if _fits("department", [stub]) else table
    return table


def _fits(key: str, value: Any) -> bool:
    try:
        File.model_validate({key: value})
    except ValidationError:
        return False
    return True


def _contradictions(file: File) -> Iterator[str]:
    departments = {department.id for department in file.department}
    named: list[tuple[str, int, ReceiverTable]] = [("sink", n, table) for n, table in enumerate(file.sink, 1)]
    named += [("alert", n, table) for n, table in enumerate(file.alert, 1)]
    for what, index, table in named:
        if table.department not in departments and (what == "sink" or table.department):
            yield f"{what} {index}: 部署「{table.department}」がありません (no such department)"
        yield from _sink_mistakes(f"{what} {index}", table)
    ids = [one.id for one in (*_named(file.sink, ""), *_named(file.alert, "alert-"))]
    yield from (
        f"id「{name}」の配信先が2つあります。書かない id は「部署-kind-番号」です (used twice)"
        for name in sorted({n for n in ids if ids.count(n) > 1})
    )
    if bool(file.smtp.tls_certificate) != bool(file.smtp.tls_key):
        yield "smtp: tls_certificate と tls_key は両方書いてください (set both or neither)"
    if file.smtp.users and not file.smtp.tls_certificate:
        yield "smtp.users: 暗号化なしのAUTHは受けません。tls_certificate も書いてください (AUTH needs STARTTLS)"


def _sink_mistakes(place: str, sink: ReceiverTable) -> Iterator[str]:
    needed = {"mail": ("relay",), "folder": ("path",), "webhook": ("url", "secret")}[sink.kind]
    for key in needed:
        if not getattr(sink, key):
            yield f"{place} ({sink.kind}): {key} がありません (missing)"


Receiver = TypeVar("Receiver", bound=ReceiverTable)


def _named(tables: tuple[Receiver, ...], what: str) -> Iterator[Receiver]:
    for index, table in enumerate(tables, 1):
        yield table.model_copy(update={"id": table.id or f"{table.department or 'all'}-{what}{table.kind}-{index}"})


def _organisation(file: File) -> Organisation:
    return Organisation(
        departments=tuple(_department(table) for table in file.department),
        lines=tuple(
            Line(**{**table.model_dump(exclude={"old_tls"}), "number": _e164(table.number)}) for table in file.line
        ),
        rules=tuple(
            Rule(
                name=table.name or f"規則{index}",
                when=Condition(**table.when.model_dump()),
                department=table.department,
                type=table.type,
                urgent=table.urgent,
            )
            for index, table in enumerate(file.rule, 1)
        ),
        hold_below=file.routing.hold_below,
        names=file.routing.names,
    )


def _department(table: DepartmentTable) -> Department:
    return Department(
        **table.model_dump(exclude={"office_hours", "alert_minutes"}),
        hours=OfficeHours.read(table.office_hours),
        alert_after=timedelta(minutes=table.alert_minutes),
    )


def _e164(text: str) -> str:
    """The number as the house compares it; one that is none stays, for check_rules to name."""
    parsed = number.parse(text) if text else None
    return parsed.e164 if parsed else text
