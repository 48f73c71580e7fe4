"""Two hosts that share nothing but a PostgreSQL and an object store: what one takes, the other reads."""

from __future__ import annotations

import smtplib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway import machine
from gateway.config import load
from gateway.house import open_house
from tests.city import SAMPLES, Gateway, start, write_city
from tests.object_store import BUCKET, KEYS, ObjectStore, object_store


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """One of our own, because we stop it."""
    with object_store() as running:
        yield running


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """Empty, in the server that all tests share."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE many_hosts")
        yield postgres.rpartition("/")[0] + "/many_hosts"
        connection.execute("DROP DATABASE many_hosts WITH (FORCE)")


def host(folder: Path, store: ObjectStore, database: str) -> Path:
    """A host's configuration and keys."""
    folder.mkdir()
    keys = folder / "keys"
    keys.write_text(f"[default]\naws_access_key_id = {KEYS.access}\naws_secret_access_key = {KEYS.secret}\n")
    keys.chmod(0o600)
    more = f'[storage.s3]\nendpoint = "{store.endpoint}"\ncredentials = "keys"\n'
    return write_city(folder, more, database=database, spool=f"s3://{BUCKET}/city")


def letter(name: str) -> bytes:
    return machine.letter(SAMPLES / name, machine.Call(to="hoken@fax.example.jp", caller="0355550199"))


def fetch(gateway: Gateway, path: str) -> bytes:
    headers = {"Authorization": f"Bearer {gateway.token}"}
    request = urllib.request.Request(f"http://{gateway.config.web.listen}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


def until(happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def problems(gateway: Gateway) -> str:
    try:
        return fetch(gateway, "/readyz").decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_what_one_host_takes_another_reads_and_an_outage_of_the_store_passes(
    store: ObjectStore, database: str, tmp_path: Path
) -> None:
    first, second = host(tmp_path / "a", store, database), host(tmp_path / "b", store, database)
    worker = start(second, "--roles", "worker")
    door = start(first, "--roles", "smtp,web")
    try:
        door.token = door.command("user", "add", "tests", "--token")["token"]
        raw = letter("03_kekkaku.pdf")
        fax = door.settled(door.mail(raw)[0])
        assert (fax["document_type"], fax["department"], fax["state"]) == ("TB_REPORT", "kekkaku", "routed")
        assert fetch(door, f"/api/v1/faxes/{fax['id']}/original") == raw
        assert fetch(door, f"/api/v1/faxes/{fax['id']}/pages/1.png").startswith(b"\x89PNG")
        for config in (door.config, worker.config):
            assert [file for file in config.spool_folder.rglob("*") if file.is_file()] == []

        assert worker.stop() == 0
        (waiting,) = door.mail(letter("01_mashin.pdf"))
        store.stop()
        worker = start(second, "--roles", "worker")
        with pytest.raises(smtplib.SMTPResponseException, match="Not kept"):
            door.mail(letter("08_chumonsho.pdf"))
        assert "オブジェクトストアが答えません" in problems(door)
        until(lambda: "waits for the spool" in worker.log.read_text(), "the worker did not look")
        assert door.ask(f"/api/v1/faxes/{waiting}")["state"] in ("received", "reading")

        store.start()
        until(lambda: '"ok"' in problems(door), problems(door))
        assert door.settled(waiting)["document_type"] == "DISEASE_IMMEDIATE"
        (late,) = door.mail(letter("08_chumonsho.pdf"))
        assert door.settled(late)["state"] == "routed"
        assert len(door.ask("/api/v1/faxes")["faxes"]) == 3
    finally:
        worker.stop()
        door.stop()
    assert KEYS.secret not in worker.log.read_text() + door.log.read_text()


def test_hosts_that_start_at_once_on_an_empty_database_do_not_wait_for_each_other(
    database: str, tmp_path: Path
) -> None:
    """An index built concurrently waits for every statement, also for one that waits for the lock of the builder."""
    opened: list[str] = []

    def begin(name: str) -> None:
        (tmp_path / name).mkdir()
        with open_house(load(write_city(tmp_path / name, database=database))) as house:
            opened.append(house.config.path.parent.name)

    hosts = [threading.Thread(target=begin, args=(name,), daemon=True) for name in ("a", "b", "c")]
    for thread in hosts:
        thread.start()
    for thread in hosts:
        thread.join(timeout=60)
    assert sorted(opened) == ["a", "b", "c"]


def test_check_tells_what_is_wrong_with_the_store(store_of_objects: ObjectStore, tmp_path: Path) -> None:
    path = host(tmp_path / "a", store_of_objects, "sqlite")
    beside = Gateway(path=path, process=None, log=path)  # type: ignore[arg-type]  # nothing runs

    def spool() -> tuple[bool, str]:
        told = beside.command("check", ok=False)
        (found,) = [check for check in told["checks"] if "spool" in check["what"]]
        return found["ok"], found["detail"]

    keys = path.parent / "keys"
    keys.write_text(keys.read_text().replace(KEYS.secret, "another secret"))
    fine, detail = spool()
    assert not fine
    assert detail.startswith(f"s3://{BUCKET}/city ({store_of_objects.endpoint})")
    assert "拒否" in detail
    assert "another" not in detail
    keys.chmod(0o644)
    assert "chmod 600" in spool()[1]
