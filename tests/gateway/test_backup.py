"""Backup and restore: everything in one file, believed only when every hash agrees, and nothing lost on the way."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import smtplib
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel, select

from gateway import backup, machine, migrations, traffic
from gateway.backup import Contents
from gateway.config import load
from gateway.errors import BadBackup, GatewayError
from gateway.house import House, add_user, open_house
from gateway.models import Baseline, Case, Delivery, Event, Fax, Job, Page, Part, RegisterEntry, User, month_of, now
from tests.city import ROOT, SAMPLES, Gateway, free_port, start, write_city
from tests.object_store import BUCKET, KEYS, ObjectStore

SINK = """
[[sink]]
id = "kansen-out"
department = "kansen"
kind = "folder"
path = "out"
"""
HOUR = timedelta(hours=1)


class NoBar:
    def update(self, n: int) -> None:
        pass


@contextlib.contextmanager
def no_bar(_total: int, _unit: str) -> Iterator[NoBar]:
    yield NoBar()


@pytest.fixture
def databases(postgres: str) -> Iterator[Callable[[str], str]]:
    """Addresses of empty databases."""
    made = []

    def database(kind: str) -> str:
        if kind == "sqlite":
            return "sqlite"
        made.append(f"backup_{free_port()}")
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {made[-1]}")
        return f"{postgres.rpartition('/')[0]}/{made[-1]}"

    yield database
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def house_in(folder: Path, database: str = "sqlite", more: str = SINK, spool: str = "file") -> Iterator[House]:
    folder.mkdir(exist_ok=True)
    with open_house(load(write_city(folder, more, database=database, spool=spool))) as house:
        yield house


def fax(house: House, name: str, **known: Any) -> Fax:
    """A fax as the door and its journey would have left it; its mail is in the spool."""
    mail = f"From: mfp@city.example.jp\r\n\r\n{name}".encode()
    digest, moment = house.spool.put(mail), now()
    row: dict[str, Any] = {
        "id": name, "sha256": digest, "content": digest, "bytes": len(mail), "accepted_at": moment,
        "received_at": moment, "month": month_of(moment), "line": "hoken", "updated_at": moment, **known,
    }  # fmt: skip
    return Fax(**row)


def live_in(house: House) -> None:
    """A house with a history: faxes in every state, copies, people, counts."""
    png = house.spool.put(b"\x89PNG invented")
    words = [["麻しん", 1.0, 2.0, 3.5, 4.25, 0.99]]
    joined = house.spool.put(b"the whole")
    old = now() - 3 * HOUR
    moment = now()
    faxes = [
        fax(house, "sent", state="routed", department="kansen", fields={"disease": {"value": "麻しん", "box": [0.1]}}),
        fax(house, "waiting", state="routed", department="kansen", urgent=True, due_at=moment),
        fax(house, "just-decided", state="routed", department="kansen"),
        fax(house, "decided-long-ago", state="routed", department="kansen", updated_at=old),
        fax(house, "no-sink", state="routed", department="bunsho"),
        fax(house, "received", state="received"),
        fax(house, "reading", state="reading", run="r", attempt=1),
        fax(house, "held", state="held", held_because=["確認"], subject="件名 \u2028 😀", reasons=["表題\n二行目"]),
        fax(house, "tried-again", state="failed", attempt=2),
        fax(house, "given-up", state="failed", attempt=9),
        fax(house, "part", state="held", kind="part", counts=False, content=joined),
    ]
    again = fax(house, "sent", id="again", state="routed", department="kansen", counts=False, duplicate_of="sent")
    with Session(house.engine) as session, session.begin():
        session.add_all(faxes)
        session.flush()
        session.add(again)
        session.flush()
        session.add(Page(fax_id="sent", number=1, png=png, text="麻しん 発生届", folded="麻しん発生届", words=words))
        session.add(Part(fax_id="part", partial_id="<p@mfp>", number=1, total=2))
        for name, state in (("sent", "delivered"), ("waiting", "pending"), ("held", "deferred"), ("again", "failed")):
            session.add(Delivery(id=f"{name}-out", fax_id=name, sink="kansen-out", state=state, updated_at=moment))
        session.add(Baseline(month="2019-11", bureau="保健医療局", department="", direction="received", count=1000))
        session.add(RegisterEntry(key="k", date="2026-11-02", month="2026-11", direction="received", pages=2))
        session.add(Job(fax_id="received", work="journey"))
    house.store.note("journey", "routed", "sent", department="kansen")
    add_user(house.store, "suzuki", "clerk", ["kansen"])
    house.store.people.sign_in("an API token", "suzuki", label="reporter")
    house.store.people.sign_in("a browser", "suzuki")


def saved(house: House, file: Path) -> Contents:
    return backup.write(house, file, no_bar)


def restored(house: House, file: Path) -> Contents:
    with file.open("rb") as source:
        return backup.restore(house, source, no_bar)


def checked(file: Path) -> Contents:
    with file.open("rb") as source:
        return backup.check(source, no_bar)


def rows(house: House, kind: type[SQLModel]) -> list[Any]:
    """All of a table, by its key."""
    with Session(house.engine) as session:
        found = list(session.exec(select(kind)))
    return sorted(found, key=lambda row: sa.inspect(row).identity)


def shown(house: House) -> dict[str, Any]:
    """Everything that `show` tells of every fax, and its original."""
    faxes = rows(house, Fax)
    told = house.desk.as_json(faxes)
    return {
        one.id: (house.desk.original(one), house.spool.get(one.content), tell)
        for one, tell in zip(faxes, told, strict=True)
    }


def counted(house: House) -> dict[str, Any]:
    month = month_of(now())
    return traffic.as_json(
        traffic.report(house.store, house.config.organisation, house.config.traffic, month, month, ["department"])
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a house with a history."""
    folder = tmp_path_factory.mktemp("before")
    with house_in(folder) as house:
        live_in(house)
        saved(house, folder / "backup.tar")
    return folder / "backup.tar"


@pytest.fixture
def file(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may hurt."""
    return Path(shutil.copy(made, tmp_path / "backup.tar"))


@pytest.mark.parametrize(
    ("before", "after"),
    [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql"), ("postgresql", "sqlite")],
)
def test_a_restored_house_tells_the_same(
    databases: Callable[[str], str], tmp_path: Path, before: str, after: str
) -> None:
    file = tmp_path / "backup.tar"
    with house_in(tmp_path / "a", databases(before)) as first, house_in(tmp_path / "b", databases(after)) as second:
        live_in(first)
        add_user(second.store, "admin", "admin", ["*"])  # as the first start leaves it
        contents = saved(first, file)
        assert contents.tables["fax"] == 12
        assert contents.missing == ()
        assert oct(file.stat().st_mode)[-3:] == "600"
        assert restored(second, file) == contents == checked(file)
        assert shown(second) == shown(first)
        assert counted(second) == counted(first)
        assert [page.model_dump() for page in rows(second, Page)] == [page.model_dump() for page in rows(first, Page)]
        assert second.spool.get(rows(second, Page)[0].png) == b"\x89PNG invented"
        for kind in (Delivery, Part, Baseline, RegisterEntry, User):
            assert [row.model_dump() for row in rows(second, kind)] == [row.model_dump() for row in rows(first, kind)]
        for secret, known in (("an API token", "suzuki"), ("a browser", None)):
            user = second.store.people.signed_in(secret, HOUR)
            assert (user.name if user else None) == known
        history = [event.model_dump() for event in rows(first, Event)]
        kept = [event.model_dump() for event in rows(second, Event)]
        assert kept[:-1] == history
        assert kept[-1]["action"] == "restored"


def test_a_sealed_fax_stays_sealed_in_a_restored_house(tmp_path: Path) -> None:
    with house_in(tmp_path / "before") as house:
        with Session(house.engine) as session, session.begin():
            session.add(fax(house, "stray", state="routed", department="kansen"))
        house.store.seal("stray", "suzuki")
        saved(house, tmp_path / "saved.tar")
        case = rows(house, Case)
    with house_in(tmp_path / "after") as house:
        restored(house, tmp_path / "saved.tar")
        assert rows(house, Case) == case
        assert house.desk.as_json([house.desk.fax("stray")])[0]["sealed"] is True


def test_what_was_under_way_is_set_going_and_nothing_else(file: Path, tmp_path: Path) -> None:
    with house_in(tmp_path / "after") as house:
        restored(house, file)
        jobs = sorted((job.work, job.fax_id) for job in rows(house, Job))
    assert jobs == [
        ("carry", "held"),
        ("carry", "waiting"),
        ("journey", "just-decided"),
        ("journey", "reading"),
        ("journey", "received"),
        ("journey", "tried-again"),
    ]


def test_a_backup_from_a_bucket_is_restored_into_a_bucket(store_of_objects: ObjectStore, tmp_path: Path) -> None:
    def s3(name: str) -> dict[str, str]:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "keys").write_text(
            f"[default]\naws_access_key_id = {KEYS.access}\naws_secret_access_key = {KEYS.secret}\n"
        )
        (folder / "keys").chmod(0o600)
        more = f'[storage.s3]\nendpoint = "{store_of_objects.endpoint}"\ncredentials = "keys"\n'
        return {"more": SINK + more, "spool": f"s3://{BUCKET}/{name}"}

    with house_in(tmp_path / "a", **s3("a")) as first, house_in(tmp_path / "b", **s3("b")) as second:
        live_in(first)
        saved(first, tmp_path / "backup.tar")
        restored(second, tmp_path / "backup.tar")
        assert shown(second) == shown(first)
        assert set(second.spool.settled()) == set(first.spool.settled())


# ---- refused


@pytest.mark.parametrize("row", ["fax", "baseline", "register"])
def test_a_house_with_data_is_left_alone(file: Path, tmp_path: Path, row: str) -> None:
    with house_in(tmp_path / "after") as house:
        here: dict[str, SQLModel] = {
            "fax": fax(house, "mine"),
            "baseline": Baseline(month="2019-11", bureau="", department="", direction="received", count=1),
            "register": RegisterEntry(key="k", date="2026-11-02", month="2026-11", direction="received"),
        }
        with Session(house.engine) as session, session.begin():
            session.add(here[row])
        before = len(rows(house, Fax)), set(house.spool.settled())
        with pytest.raises(GatewayError, match="空の data"):
            restored(house, file)
        assert (len(rows(house, Fax)), set(house.spool.settled())) == before


def test_a_running_gateway_is_not_restored_into(file: Path, tmp_path: Path) -> None:
    with house_in(tmp_path / "after") as house:
        house.store.queue.beat("a worker", HOUR)
        with pytest.raises(GatewayError, match="止めて"):
            restored(house, file)
        assert rows(house, Fax) == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_mail_that_comes_while_a_file_is_checked_is_not_swept_away(
    file: Path, tmp_path: Path, databases: Callable[[str], str], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that somebody left open."""
    with house_in(tmp_path / "after", databases(database)) as house:
        real = backup.check

        def slow(source: IO[bytes], watch: Any) -> Contents:
            with Session(house.engine) as session, session.begin():
                session.add(fax(house, "mine"))
            return real(source, watch)

        monkeypatch.setattr(backup, "check", slow)
        with pytest.raises(GatewayError, match="空の data"), file.open("rb") as source:
            backup.restore(house, source, no_bar)
        assert [one.id for one in rows(house, Fax)] == ["mine"]


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The file cut off at many places, and with one byte wrong at many others."""
    dice = random.Random(20261123)
    for _ in range(60):
        yield "cut", data[: dice.randrange(len(data))]
    for _ in range(300):
        place = dice.randrange(len(data))
        yield f"byte {place}", data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def test_a_damaged_file_is_refused_wherever_the_damage_is(file: Path, tmp_path: Path) -> None:
    whole, contents = file.read_bytes(), checked(file)
    spoiled, refused = tmp_path / "spoiled.tar", 0
    for how, data in damaged(whole):
        spoiled.write_bytes(data)
        try:
            believed = checked(spoiled)
        except BadBackup as error:
            assert "(" in str(error)
            refused += 1
        else:  # the filling between members, which nobody reads, or the tar's empty end
            assert believed == contents, how
            assert members(spoiled) == members(file), how
    assert refused > 150


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {member.name: content.read() for member in tar if (content := tar.extractfile(member))}


@pytest.mark.parametrize("part", [0.3, 0.7, 0.99])
def test_nothing_is_written_from_a_file_that_was_cut_off(file: Path, tmp_path: Path, part: float) -> None:
    file.write_bytes(file.read_bytes()[: int(len(file.read_bytes().rstrip(b"\0")) * part)])
    with house_in(tmp_path / "after") as house:
        add_user(house.store, "admin", "admin", ["*"])
        with pytest.raises(BadBackup):
            restored(house, file)
        assert rows(house, Fax) == []
        assert [user.name for user in rows(house, User)] == ["admin"]
        assert list(house.spool.settled()) == []


def test_a_file_that_changes_while_it_is_read_leaves_no_rows(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    believed = checked(file)

    def too_trusting(source: IO[bytes], watch: object) -> Contents:
        return believed

    data = file.read_bytes()
    file.write_bytes(data.replace(b"mfp@city.example.jp\r\n\r\nheld", b"mfp@city.example.jp\r\n\r\nhell"))
    assert file.read_bytes() != data
    monkeypatch.setattr(backup, "check", too_trusting)
    with house_in(tmp_path / "after") as house:
        with pytest.raises(BadBackup, match="変わりました"):
            restored(house, file)
        assert rows(house, Fax) == []
        assert rows(house, Job) == []


def strange() -> Iterator[Any]:
    def tar(**files: bytes) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as made:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                made.addfile(info, io.BytesIO(data))
        return out.getvalue()

    yield pytest.param(b"", id="empty")
    yield pytest.param(b"%PDF-1.7 a fax", id="no tar")
    yield pytest.param(gzip.compress(tar(x=b"1")), id="packed")
    yield pytest.param(tar(), id="empty tar")
    yield pytest.param(tar(**{"../../etc/passwd": b"root"}), id="another tar")
    yield pytest.param(tar(**{"faxless.json": b"[]"}), id="no head")
    yield pytest.param(tar(**{"manifest.json": b"{}", "manifest.sha256": b"0"}), id="no seal")


@pytest.mark.parametrize("data", list(strange()))
def test_what_is_no_backup_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "strange"
    file.write_bytes(data)
    with pytest.raises(BadBackup):
        checked(file)


# ---- other versions


def rewritten(file: Path, change: Callable[[str, Any], Any]) -> None:
    """The same backup as another version of faxless would have made it, hashes and all."""
    parts = members(file)
    manifest = json.loads(parts.pop("manifest.json"))
    del parts["manifest.sha256"]
    for name, data in parts.items():
        if name.endswith(".jsonl.gz"):
            table = name.split("/")[1]
            lines = [change(table, json.loads(line)) for line in gzip.decompress(data).splitlines()]
            parts[name] = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines if line))
    parts["faxless.json"] = json.dumps(change("head", json.loads(parts["faxless.json"]))).encode()
    manifest = change("head", manifest)
    manifest["members"] = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    parts["manifest.json"] = json.dumps(manifest).encode()
    parts["manifest.sha256"] = hashlib.sha256(parts["manifest.json"]).hexdigest().encode()
    with tarfile.open(file, "w") as tar:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize(("key", "value"), [("format", 2), ("revision", "9999")])
def test_a_backup_of_a_newer_faxless_asks_for_an_update(file: Path, key: str, value: Any) -> None:
    rewritten(file, lambda table, told: {**told, key: value} if table == "head" else told)
    with pytest.raises(BadBackup, match="更新"):
        checked(file)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_backup_of_an_older_faxless_walks_the_same_steps(
    file: Path, tmp_path: Path, databases: Callable[[str], str], database: str
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/older.db")
    with engine.begin() as connection:
        migrations.upgrade(connection, "0001")
        tables = sa.MetaData()
        tables.reflect(connection)
    engine.dispose()

    def older(table: str, told: dict[str, Any]) -> dict[str, Any] | None:
        if table == "head":
            return {**told, "revision": "0001"}
        known = tables.tables.get(table)
        return None if known is None else {name: value for name, value in told.items() if name in known.columns}

    with house_in(tmp_path / "now") as now_, house_in(tmp_path / "then", databases(database)) as then:
        restored(now_, file)
        rewritten(file, older)
        restored(then, file)
        assert shown(then) == shown(now_)
        assert len(rows(then, Job)) == len(rows(now_, Job))
        assert sorted(path.name for path in then.config.data.iterdir() if path.name.startswith("tmp")) == []


# ---- making one


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "backup.tar").write_text("of yesterday")
    with house_in(tmp_path / "a") as house, pytest.raises(GatewayError, match="すでにあります"):
        saved(house, tmp_path / "backup.tar")
    assert (tmp_path / "backup.tar").read_text() == "of yesterday"


def test_two_at_a_time_do_not_write_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "backup.tar"
    with house_in(tmp_path / "a") as house:
        live_in(house)

        @contextlib.contextmanager
        def meanwhile(_total: int, _unit: str) -> Iterator[NoBar]:
            with pytest.raises(GatewayError, match="別のバックアップ"):
                saved(house, file)
            yield NoBar()

        backup.write(house, file, meanwhile)
    assert checked(file).tables["fax"] == 12


def test_what_a_killed_backup_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".backup.tar.part").write_bytes(os.urandom(1 << 20))
    with house_in(tmp_path / "a") as house:
        saved(house, tmp_path / "backup.tar")
    checked(tmp_path / "backup.tar")
    assert not (tmp_path / ".backup.tar.part").exists()


def test_damaged_originals_are_named_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    path = write_city(tmp_path, SINK)
    with open_house(load(path)) as house:
        live_in(house)
        lost, spoiled = house.store.fax("held"), house.store.fax("sent")
        assert lost
        assert spoiled
        (house.spool.folder / lost.sha256[:2] / lost.sha256).unlink()
        (house.spool.folder / spoiled.sha256[:2] / spoiled.sha256).write_bytes(b"spoiled")
    done = faxless(path, "--json", "backup", str(tmp_path / "backup.tar"))
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert "2件" in done.stderr
    assert set(told["spool"]["missing"]) == {lost.sha256, spoiled.sha256}
    assert len(checked(tmp_path / "backup.tar").missing) == 2
    looked = faxless(path, "restore", "--check", str(tmp_path / "backup.tar"))
    assert all(digest in looked.stdout for digest in (lost.sha256, spoiled.sha256))
    with house_in(tmp_path / "after") as house:
        restored(house, tmp_path / "backup.tar")
        assert len(rows(house, Fax)) == 12


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    """The limit on a file's size stands for the disk: the write fails in the middle."""
    path = write_city(tmp_path, SINK)
    with open_house(load(path)) as house:
        live_in(house)
        big = house.spool.put(os.urandom(4 << 20))
        with Session(house.engine) as session, session.begin():
            session.add(fax(house, "big", content=big, state="held"))
    (tmp_path / "out").mkdir()
    done = faxless(path, "backup", str(tmp_path / "out" / "backup.tar"), before=("prlimit", f"--fsize={3 << 20}"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def faxless(path: Path, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "gateway.cli", "--config", str(path), *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_every_fax_of_a_backup_has_its_bytes_while_mails_come_in(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    gateway = start(path, "--roles", "smtp")
    stop = threading.Event()
    sent: list[int] = []

    def send(number: int) -> None:
        with smtplib.SMTP(*gateway.smtp, timeout=30) as client:
            while not stop.is_set():
                mail = f"Subject: {number} {len(sent)}\r\n\r\n{'x' * 3000}\r\n"
                client.sendmail("mfp@city.example.jp", ["hoken@fax.example.jp"], mail)
                sent.append(number)

    machines = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in machines:
        thread.start()
    try:
        for number in range(2):
            before = len(sent)
            while len(sent) < before + 3:
                assert any(thread.is_alive() for thread in machines)
                time.sleep(0.01)
            before = len(sent)
            done = faxless(path, "--json", "backup", str(tmp_path / f"{number}.tar"))
            assert done.returncode == 0, done.stderr
            told = json.loads(done.stdout)
            assert len(sent) > before, "no mail came in meanwhile"
            assert told["spool"]["missing"] == []
            assert before <= told["faxes"] <= len(sent) + len(machines)
    finally:
        stop.set()
        for thread in machines:
            thread.join()
        gateway.stop()
    with house_in(tmp_path / "after") as house:
        restored(house, tmp_path / "1.tar")
        found = rows(house, Fax)
        assert len(found) == told["faxes"]
        assert all(hashlib.sha256(house.desk.original(one)).hexdigest() == one.sha256 for one in found)
        assert {job.fax_id for job in rows(house, Job)} == {one.id for one in found}


def test_commands_say_what_they_did(file: Path, tmp_path: Path) -> None:
    (tmp_path / "after").mkdir()
    path = write_city(tmp_path / "after", SINK)
    done = faxless(path, "--json", "restore", "--check", str(file))
    assert (done.returncode, json.loads(done.stdout)["faxes"]) == (0, 12)
    assert not (tmp_path / "after" / "var").exists(), "a check writes nothing"
    done = faxless(path, "restore", str(file))
    assert done.returncode == 0
    assert "FAX 12件" in done.stdout
    assert "file" in done.stderr  # the bar
    done = faxless(path, "restore", str(file))
    assert done.returncode == 1
    assert "空の data" in done.stderr


def test_a_restored_gateway_goes_on_where_the_other_stopped(tmp_path: Path) -> None:
    """What waited is read, its copy is sent; what had been sent is not sent again; tokens hold."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    sinks = SINK + SINK.replace("kansen", "kekkaku")
    first = start(write_city(tmp_path / "a", sinks))
    try:
        first.token = first.command("user", "add", "tests", "--token")["token"]
        (sent,) = first.mail(letter("01_mashin.pdf"))
        delivered = carried(first, sent)
    finally:
        first.stop()
    door = start(first.path, "--roles", "smtp")
    try:
        (waiting,) = door.mail(letter("03_kekkaku.pdf"))
        done = faxless(first.path, "backup", str(tmp_path / "backup.tar"))
        assert done.returncode == 0, done.stderr
    finally:
        door.stop()
    with house_in(tmp_path / "b", more=sinks) as house:
        restored(house, tmp_path / "backup.tar")
    second = start(tmp_path / "b" / "config.toml")
    try:
        second.token = first.token
        assert carried(second, waiting)["department"] == "kekkaku"
        assert second.ask(f"/api/v1/faxes/{sent}") == delivered
    finally:
        second.stop()
    assert any(waiting in str(path) for path in (tmp_path / "b" / "out").rglob("*"))
    assert not any(sent in str(path) for path in (tmp_path / "b" / "out").rglob("*"))


def letter(name: str) -> bytes:
    return machine.letter(SAMPLES / name, machine.Call(to="hoken@fax.example.jp", caller="0355550199"))


def carried(gateway: Gateway, fax_id: str) -> dict[str, Any]:
    """The fax once its copy has arrived."""
    fax = gateway.settled(fax_id)
    end = time.monotonic() + 60
    while [copy["state"] for copy in fax["deliveries"]] != ["delivered"]:
        assert time.monotonic() < end, fax["deliveries"]
        time.sleep(0.1)
        fax = gateway.ask(f"/api/v1/faxes/{fax_id}")
    return dict(fax)
