"""What is replayed is decided as the gateway would decide it: with its directory, of which nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gateway import directory
from gateway import house as houses
from gateway.config import load
from gateway.house import known_now, open_house
from gateway.models import Fax, Page
from gateway.rehearsal import Stage, rehearse
from gateway.store import Decided
from routing import model
from routing.fold import fold
from tests.city import write_city
from tests.gateway.test_store import accept, opened
from tests.gateway.test_trial import ORDER, came, pipeline_of, rows

RULE = '[[rule]]\nname = "さくら"\nwhen = { institution = "さくら医院", proof = true }\ndepartment = "bunsho"\n'
SAKURA = "name,number\nさくら医院,03-5555-0199\n".encode()


def judged(stage: Stage, text: str) -> tuple[Fax, Decided]:
    """A fax on the stage, opened and read as given."""
    store = stage.desk.store
    fax_id = accept(store, 1)
    store.begin(fax_id, "run")
    store.opened(fax_id, "run", opened())
    page = Page(fax_id=fax_id, number=1, text=text, folded=fold(text))
    store.page_read("run", page)
    return stage.desk.fax(fax_id), stage.pipeline.judge(stage.desk.fax(fax_id), store.pages(fax_id))


def test_a_replay_decides_with_the_senders_that_the_site_knows_and_writes_nothing(tmp_path: Path) -> None:
    config = load(write_city(tmp_path, RULE))
    with open_house(config) as house, pipeline_of(house) as pipeline:
        directory.take(house.store, SAKURA, "tests")
        really, before = came(house, pipeline, 1, ORDER), rows(house)
        files = sorted(config.data.rglob("*"))
        with rehearse(config) as stage:
            _, told = judged(stage, ORDER)
        assert (told.rule, told.department) == ("さくら", "bunsho")
        assert (told.department, told.document_type, told.held) == (
            really.department, really.document_type, really.state == "held",
        )  # fmt: skip
        assert "発信元" in " ".join(told.reasons)
        assert (rows(house), sorted(config.data.rglob("*"))) == (before, files)


def test_a_replay_before_there_is_a_database_knows_nobody_and_makes_none(tmp_path: Path) -> None:
    config = load(write_city(tmp_path, RULE))
    with rehearse(config) as stage:
        _, told = judged(stage, ORDER)
    assert told.rule is None
    assert not config.data.exists()


def test_a_database_without_tables_stays_so(tmp_path: Path) -> None:
    config = load(write_city(tmp_path))
    config.data.mkdir(parents=True)
    (config.data / "faxless.db").touch()
    known = known_now(config)
    assert (known.model.card, known.directory.institutions) == (model.packaged().card, ())
    engine = houses.connect(config.database_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_only_reads_cannot_write(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    database = "sqlite" if kind == "sqlite" else request.getfixturevalue("postgres")
    config = load(write_city(tmp_path, database=database))
    with open_house(config) as house:
        directory.take(house.store, SAKURA, "tests")
        assert [one.name for one in known_now(config).directory.institutions] == ["さくら医院"]
        reading = houses.connect(config.database_url)
        houses._only_read(reading)
        with pytest.raises(SQLAlchemyError), reading.begin() as connection:
            connection.execute(sa.text("DELETE FROM institution"))
        reading.dispose()
        assert len(house.store.institutions.directory().institutions) == 1
