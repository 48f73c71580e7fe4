"""The door's own processes under load: many connections, large mails at once, and a process that dies."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from gateway.database import connect
from gateway.inbox import Inbox, Query
from gateway.spool import Spool
from tests import city

LARGE, MACHINES = 20 << 20, 50
ROOM = 400 << 20
"""What all processes of the door may use while 50 machines send 20 MB each."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[city.Gateway]:
    """A door alone, for mails of up to 50 MB."""
    path = city.write_city(tmp_path_factory.mktemp("door"))
    path.write_text(path.read_text().replace("max_message_bytes = 2000000", "max_message_bytes = 52428800"))
    running = city.start(path, "--roles", "smtp")
    try:
        yield running
    finally:
        assert running.stop() == 0


def processes(gateway: city.Gateway) -> list[psutil.Process]:
    """The door's processes; another child is multiprocessing's own."""
    children = psutil.Process(gateway.process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def standing(gateway: city.Gateway, wanted: int) -> list[psutil.Process]:
    """So many processes of the door, as soon as there are."""
    until = time.monotonic() + 30
    while len(found := processes(gateway)) < wanted:
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def rows(gateway: city.Gateway) -> dict[str, int]:
    """Every fax's bytes by its sha256."""
    engine = connect(gateway.config.database_url)
    try:
        return {fax.sha256: fax.bytes for fax in Inbox(engine).find(Query(limit=10_000))[0]}
    finally:
        engine.dispose()


def letter(text: str) -> bytes:
    return f"From: <mfp@fax.example.jp>\r\nSubject: {text}\r\n\r\nbody\r\n".encode()


def test_a_mail_is_taken_while_a_thousand_machines_only_hold_the_line(gateway: city.Gateway) -> None:
    with contextlib.ExitStack() as lines:
        held = [lines.enter_context(socket.create_connection(gateway.smtp, timeout=30)) for _ in range(1000)]
        assert all(line.recv(100).startswith(b"220") for line in held)
        for number in range(20):
            assert gateway.mail(letter(f"meanwhile {number}"))
        assert all(line.send(b"NOOP\r\n") == 6 for line in held)
        assert all(line.recv(100).startswith(b"250") for line in held)


def test_fifty_machines_send_twenty_megabytes_at_once_in_bounded_memory(gateway: city.Gateway) -> None:
    start = threading.Barrier(MACHINES)
    block = os.urandom(3 << 16).hex().encode()
    line = b"\r\n".join(block[at : at + 76] for at in range(0, len(block), 76)) + b"\r\n"

    def machine(number: int) -> str:
        head = letter(f"large {number}")
        body = head + line * ((LARGE - len(head)) // len(line))
        with smtplib.SMTP(*gateway.smtp, timeout=120) as client:
            client.ehlo("mfp")
            client.mail("mfp@fax.example.jp")
            client.rcpt("hoken@fax.example.jp")
            client.docmd("DATA")
            start.wait(60)
            for at in range(0, len(body), 1 << 18):
                client.sock.sendall(body[at : at + (1 << 18)])
            assert client.docmd(".")[0] == 250
        return hashlib.sha256(body).hexdigest()

    before, most, over = set(rows(gateway)), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.05):
            most = max(most, sum(process.memory_info().rss for process in processes(gateway)))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with ThreadPoolExecutor(MACHINES) as machines:
            sent = set(machines.map(machine, range(MACHINES)))
    finally:
        over.set()
        watching.join()
    assert set(rows(gateway)) - before == sent
    spool = Spool(gateway.config.spool_folder)
    some = next(iter(sent))
    assert hashlib.sha256(spool.get(some)).hexdigest() == some
    for digest in sent:
        (gateway.config.spool_folder / digest[:2] / digest).unlink()  # a gigabyte
    assert most, "nothing was measured"
    assert most < ROOM, f"{most >> 20} MB"


def test_a_process_of_the_door_that_dies_is_replaced(gateway: city.Gateway) -> None:
    wanted = min(2, os.cpu_count() or 1)
    old = standing(gateway, wanted)
    for process in old:
        process.send_signal(signal.SIGKILL)
    assert gateway.mail(letter("after the death"))  # waits in the socket until somebody is there
    new = standing(gateway, wanted)
    assert not {process.pid for process in old} & {process.pid for process in new}


def test_the_door_ends_with_the_process_that_opened_it(tmp_path: Path) -> None:
    gateway = city.start(city.write_city(tmp_path), "--roles", "smtp")
    children = processes(gateway)
    gateway.stop(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(gateway.smtp, timeout=60)


def test_a_mail_in_hand_is_finished_when_the_gateway_is_told_to_stop(tmp_path: Path) -> None:
    """Whether the 250 comes or 421, it is the truth."""
    gateway = city.start(city.write_city(tmp_path), "--roles", "smtp")
    told: list[int] = []

    def send(number: int) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            for turn in range(200):
                gateway.mail(letter(f"{number} {turn}"))
                told.append(1)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(told) < 20:
        time.sleep(0.01)
    assert gateway.stop() == 0
    for thread in threads:
        thread.join()
    assert len(rows(gateway)) >= len(told)
