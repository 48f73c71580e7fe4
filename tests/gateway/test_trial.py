"""Today's rules over the faxes that came: what would change, what a person said, and that nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from gateway import directory, trial
from gateway.config import load
from gateway.house import House, open_house
from gateway.learning import Learned
from gateway.models import Fax, Page
from gateway.pipeline import Pipeline
from gateway.reader import Limits, Readers
from routing.fold import fold
from tests.city import write_city
from tests.gateway.test_cli import faxless
from tests.gateway.test_store import accept, opened

TB = "結核発生届\n感染症法第12条第1項の規定により届け出る\n肺結核 医師の氏名"
ORDER = "注文書\n株式会社まぼろし商会\n品名 数量 単価 納品"


@contextmanager
def pipeline_of(house: House) -> Iterator[Pipeline]:
    readers = Readers(house.spool, "paddle", 1, Limits())
    learned = Learned(house.store, house.spool)
    try:
        yield Pipeline(house.config, house.store, house.spool, readers, house.desk.taxonomy, house.diseases, learned)
    finally:
        readers.close()


def came(house: House, pipeline: Pipeline, number: int, text: str, *because: str, **call: str | None) -> Fax:
    """A fax opened and read as given, decided by the rules of the moment."""
    fax_id = accept(house.store, number)
    house.store.begin(fax_id, "run")
    told = replace(opened(), held_because=because, **call)  # type: ignore[arg-type]
    house.store.opened(fax_id, "run", told)
    house.store.page_read("run", Page(fax_id=fax_id, number=1, text=text, folded=fold(text)))
    pipeline.decide(fax_id, "run")
    return house.desk.fax(fax_id)


def rows(house: House) -> list[list[tuple[object, ...]]]:
    from sqlmodel import SQLModel

    with house.engine.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))]
            for table in SQLModel.metadata.sorted_tables
        ]


def tried(path: Path, last: int = 50) -> tuple[dict[str, trial.Tried], bool]:
    """What today's configuration would do, by fax, and whether nothing was written."""
    with open_house(load(path)) as house, pipeline_of(house) as pipeline:
        before = rows(house)
        found = trial.over(house.store, pipeline.judge, last)
        return {one.fax_id: one for one in found}, rows(house) == before


def test_what_would_change_and_nothing_is_written(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    with open_house(load(path)) as house, pipeline_of(house) as pipeline:
        tb, order = came(house, pipeline, 1, TB), came(house, pipeline, 2, ORDER)
        locked = came(house, pipeline, 3, TB, "添付がひとつ開けませんでした。")
        unsure = came(house, pipeline, 4, "よろしくお願いします。")
    unchanged, untouched = tried(path)
    assert untouched
    assert list(unchanged) == [unsure.id, locked.id, order.id, tb.id]  # newest first
    assert [one.changes for one in unchanged.values()] == [(), (), (), ()]
    assert unchanged[locked.id].after.held

    path.write_text(
        path.read_text("utf-8")
        + '[[rule]]\nname = "発信番号"\nwhen = { caller = "03-5555-0199" }\ndepartment = "bunsho"\ntype = "OTHER"\n'
    )
    changed, untouched = tried(path)
    assert untouched
    one = changed[tb.id]
    assert (one.before.department, one.after.department, one.after.type) == ("kekkaku", "bunsho", "OTHER")
    assert one.rule == "発信番号"
    assert set(one.changes) >= {"department", "type"}
    assert changed[locked.id].after.held  # what could not be opened still holds it
    assert (changed[unsure.id].before.held, changed[unsure.id].after.held) == (True, False)  # its reasons are gone
    assert list(tried(path, last=1)[0]) == [unsure.id]


def test_a_persons_answer_is_held_against_todays(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    with open_house(load(path)) as house, pipeline_of(house) as pipeline:
        right, wrong = came(house, pipeline, 1, TB), came(house, pipeline, 2, TB)
        unsure = came(house, pipeline, 3, "よろしくお願いします。")
        assert unsure.state == "held"
        house.desk.correct(right.id, "tanaka", "kekkaku", "TB_REPORT")
        house.desk.correct(wrong.id, "tanaka", "bunsho", "COMPLAINT")
        house.desk.correct(unsure.id, "tanaka", "bunsho", "COMPLAINT")
        house.desk.correct(unsure.id, "tanaka", "keiyaku", "COMPLAINT")  # the first correction tells what was decided
    found, _ = tried(path)
    assert (found[right.id].corrected, found[wrong.id].corrected, found[unsure.id].corrected) == (
        "right", "wrong", "held",
    )  # fmt: skip
    assert (found[wrong.id].before.department, found[wrong.id].before.type) == ("kekkaku", "TB_REPORT")
    assert found[wrong.id].changes == ()  # against what was decided, not against what the person said
    assert found[unsure.id].before.held
    told = trial.as_json(list(found.values()))
    assert told["corrected"] == {"faxes": 3, "right": 1, "held": 1, "wrong": 1}
    assert told["unchanged"] == 3


def test_rules_of_the_directory_are_tried_with_the_directory_of_today(tmp_path: Path) -> None:
    rule = '[[rule]]\nname = "さくら"\nwhen = { institution = "さくら医院", proof = true }\ndepartment = "bunsho"\n'
    path = write_city(tmp_path, rule)
    with open_house(load(path)) as house, pipeline_of(house) as pipeline:
        known = came(house, pipeline, 1, ORDER)
        typed = came(house, pipeline, 2, ORDER, caller_source="tsi")
        directory.take(house.store, "name,number\nさくら医院,03-5555-0199\n".encode(), "tests")
    found, _ = tried(path)
    assert (found[known.id].rule, found[known.id].after.department) == ("さくら", "bunsho")
    assert (found[typed.id].rule, found[typed.id].changes) == (None, ())


def test_notices_parts_and_what_is_being_read_are_left_out(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    with open_house(load(path)) as house, pipeline_of(house) as pipeline:
        whole = came(house, pipeline, 1, TB)
        came(house, pipeline, 2, "通知", kind="notice")
        house.store.begin(accept(house.store, 3), "run")
    assert list(tried(path)[0]) == [whole.id]


def test_the_command(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    with open_house(load(path)) as house, pipeline_of(house) as pipeline:
        tb = came(house, pipeline, 1, TB)
    path.write_text(
        path.read_text("utf-8") + '[[rule]]\nname = "甲"\nwhen = { line = "hoken" }\ndepartment = "bunsho"\n'
    )
    done = faxless(path, "--json", "rules", "test", "--last", "10")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["faxes"], told["summary"]["department"], told["rules"]) == (1, 1, {"甲": 1})
    assert told["changed"] == [
        {
            "id": tb.id,
            "changes": ["department"],
            "before": {"department": "kekkaku", "type": "TB_REPORT", "urgent": True, "held": False},
            "after": {"department": "bunsho", "type": "TB_REPORT", "urgent": True, "held": False},
            "rule": "甲",
            "corrected": None,
        }
    ]
    assert "1/1" in done.stderr  # progress
    plain = faxless(path, "rules", "test").stdout
    assert f"{tb.id}  部署 kekkaku → bunsho  規則「甲」" in plain
    assert "1件のうち変わらないもの 0件" in plain
