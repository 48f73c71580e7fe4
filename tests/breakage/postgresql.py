"""A PostgreSQL of a test's own that can be stopped in the middle and started again."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.city import free_port


@dataclass(frozen=True, slots=True)
class Server:
    """One server in a temporary folder on a free port."""

    folder: Path
    port: int
    programs: Path

    @property
    def address(self) -> str:
        """For ``storage.database``."""
        return f"postgresql://faxless@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, also after a crash."""
        options = f"-c port={self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._control("-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it as a power cut would."""
        self._control("-m", "immediate", "stop")

    def _control(self, *words: str) -> None:
        _as_postgres(str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), *words)


def _as_postgres(*command: str) -> None:
    # PostgreSQL refuses to run as root.
    before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*before, *command], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=120)


def new_database(address: str) -> str:
    """An empty database in a server that others use too; gives its address."""
    name = f"breakage_{secrets.token_hex(4)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{address.rpartition('/')[0]}/{name}"


@contextlib.contextmanager
def postgres_server() -> Iterator[Server]:
    """A running one, gone at the end."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert programs, "PostgreSQL is not installed; tests/install-system-packages does it"
    folder = Path(tempfile.mkdtemp(prefix="faxless-postgres-"))  # short: it holds a socket
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = Server(folder, free_port(), programs[-1])
    _as_postgres(
        str(server.programs / "initdb"), "-D", str(folder / "data"), "-U", "faxless", "-A", "trust", "-E", "UTF8"
    )
    server.start()
    try:
        yield server
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # a test may have stopped it
            server.stop()
        shutil.rmtree(folder)
