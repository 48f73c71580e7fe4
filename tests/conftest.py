"""What the tests share: the invented city's house in a temporary folder, a running gateway, and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import house as houses
from gateway.config import Config, load
from tests.city import Gateway, free_port, gateway_at, write_city
from tests.object_store import ObjectStore, object_store


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is installed, a skipped test is a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The city's configuration."""
    return load(write_city(tmp_path))


@pytest.fixture
def house(config: Config) -> Iterator[houses.House]:
    """The city's house, nothing running."""
    with houses.open_house(config) as built:
        yield built


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests that do not hurt it."""
    with gateway_at(write_city(tmp_path_factory.mktemp("city"))) as running:
        yield running


@pytest.fixture(scope="session")
def store_of_objects() -> Iterator[ObjectStore]:
    """An S3-compatible store that nobody stops."""
    with object_store() as running:
        yield running


def _as_postgres(command: list[str]) -> list[str]:
    # PostgreSQL refuses to run as root.
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL of our own, in a temporary folder on a free port."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert binaries, "PostgreSQL is not installed; tests/install-system-packages does it"
    folder = Path(tempfile.mkdtemp(prefix="faxless-postgres-"))  # short: it holds a socket
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    port = free_port()
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run(_as_postgres(list(command)), check=True, capture_output=True, cwd="/", timeout=60)

    run(str(binaries[-1] / "initdb"), "-D", str(data), "-U", "faxless", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control = str(binaries[-1] / "pg_ctl")
    run(control, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://faxless@127.0.0.1:{port}/postgres"
    finally:
        run(control, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)
