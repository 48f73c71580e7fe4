"""Repeats and split faxes on PostgreSQL, with the tables as the steps up make them; and what a step up brings along."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config as Steps
from sqlmodel import col

from gateway import migrations
from gateway.config import Config
from gateway.database import connect
from gateway.models import Part
from tests.gateway.test_parts import Walk, mails, pieces, walk_at
from tests.gateway.test_repeat import fax, scanned, sheet, tiff


@pytest.fixture
def far(postgres: str, config: Config, tmp_path: Path) -> Iterator[Walk]:
    """A house over a database of its own on PostgreSQL."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE repeats")
    url = postgres.rpartition("/")[0].replace("postgresql://", "postgresql+psycopg://") + "/repeats"
    built = walk_at(url, config, tmp_path)
    with built.store.engine.begin() as connection:
        migrations.upgrade(connection)
    yield built
    built.store.engine.dispose()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE repeats")


def test_everything_once_on_postgresql(far: Walk) -> None:
    first, second, third = pieces()
    lost = [far.mail(first), far.mail(third)]
    (head,) = far.later()
    far.mail(second)
    assert (far.told(head)["pages"], far.told(lost[0])["joined_into"]) == (4, head)
    ids = [far.mail(raw) for raw in mails()]
    assert far.told(ids[0])["pages"] == 6
    far.desk.separate(ids[0], "sato")
    far.work()
    assert far.counted() == 4
    one = far.mail(fax(tiff(scanned(sheet()))))
    two = far.mail(fax(tiff(scanned(sheet(), 5, -7, line=9)), subject="From 0355550199 again"))
    assert far.told(one)["same_as"] == [two]
    far.desk.say(one, two, "sato", same=True)
    assert far.counted() == 5
    far.desk.say(one, two, "sato", same=False)
    assert far.counted() == 6


def test_two_hosts_that_look_at_the_same_moment_count_one(far: Walk) -> None:
    data = tiff(sheet())
    for attempt in range(5):
        ids = [far.mail(fax(data, f"job {attempt}", boundary=boundary), walk=False) for boundary in ("x", "y")]
        for fax_id in ids:
            far.store.begin(fax_id, "run")
        gate = threading.Barrier(2)
        look = functools.partial(settle, far, gate, f"pictures {attempt}")
        with ThreadPoolExecutor(2) as hosts:
            firsts = list(hosts.map(look, ids))
        assert firsts.count(None) == 1
        assert far.counted() == attempt + 1


def settle(walk: Walk, gate: threading.Barrier, pictures: str, fax_id: str) -> str | None:
    gate.wait()
    return walk.store.settle_repeat(fax_id, "run", pictures, lambda *_: True)


def test_the_step_up_knows_the_parts_of_before(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'old.db'}")
    steps = Steps()
    steps.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        steps.attributes["connection"] = connection
        command.upgrade(steps, "0002")
        old = sa.MetaData()
        old.reflect(connection, only=["fax", "part"])
        for fax_id, content, into in (("a", "a", None), ("b", "whole", None), ("c", "c", "b")):
            moment = datetime(2026, 11, 1)  # noqa: DTZ001 - as the table holds it
            usual = {column.name: blank(column, moment) for column in old.tables["fax"].columns if not column.nullable}
            row = {**usual, "id": fax_id, "sha256": fax_id, "content": content, "joined_into": into, "sender": "mfp"}
            connection.execute(old.tables["fax"].insert().values(row))
            connection.execute(old.tables["part"].insert().values(fax_id=fax_id, partial_id="id", number=1, total=2))
        command.upgrade(steps, "head")
        rows = connection.execute(
            sa.select(col(Part.fax_id), col(Part.standing), col(Part.sender)).order_by(col(Part.fax_id))
        ).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("a", "waiting", "mfp"), ("b", "whole", "mfp"), ("c", "joined", "mfp")]


def blank(column: sa.Column[Any], moment: datetime) -> object:
    kinds = {sa.DateTime: moment, sa.Integer: 0, sa.Boolean: False, sa.JSON: []}
    return next((empty for kind, empty in kinds.items() if isinstance(column.type, kind)), "")
