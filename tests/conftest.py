"""What the tests share: the invented city's house in a temporary folder, a running gateway, and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import house as houses
from gateway.config import Config, load
from tests.breakage.postgresql import Server, new_database, postgres_server
from tests.city import Gateway, gateway_at, write_city
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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL of our own that nobody stops."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres(postgresql: Server) -> str:
    """The address of an empty database on it."""
    return new_database(postgresql.address)
