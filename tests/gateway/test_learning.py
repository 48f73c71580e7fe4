"""A correction is an example at once; a new model takes over when it is not worse, on all hosts, and goes back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from gateway import house as houses
from gateway import learning
from gateway.config import Config, load
from gateway.house import House, known_now, open_house
from gateway.learning import Learned, School
from gateway.models import LearnedModel, Page, now
from gateway.service import sweep
from gateway.spool import ORPHAN_SECONDS
from gateway.store import Mail
from routing import model as models
from routing import training
from routing.fold import fold
from routing.measure import Figures, measure
from routing.training import Example
from tests.city import write_city
from tests.gateway.test_cli import faxless

PARKING = "月極駐輪場の更新のお願い\n区画番号 {} 自転車の登録 シールの交付\n駐輪場の利用を続けます"
SHIPPED = training.packaged()


class Silent:
    def update(self, n: int) -> None:
        """Nothing shows."""


@contextlib.contextmanager
def silent(_total: int, _unit: str) -> Iterator[Silent]:
    yield Silent()


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One example of each layout of six classes: a model in no time."""
    some = {"TB_REPORT", "PROCUREMENT", "COMPLAINT", "PROGRESS_REPORT", "OUTBREAK_FACILITY", "OTHER"}
    kept = {example.layout: example for example in SHIPPED if example.document_type in some}
    monkeypatch.setattr(training, "packaged", lambda: tuple(kept.values()))
    monkeypatch.setattr(training, "FOLDS", 2)
    monkeypatch.setattr(learning, "TRIED", 10)


def corrected(house: House, number: int, document_type: str, text: str, who: str = "tanaka") -> str:
    ((fax_id,),) = house.store.accept([Mail(sha256=f"{number:064x}", size=10, lines=("hoken",))])
    house.store.begin(fax_id, "run")
    house.store.page_read("run", Page(fax_id=fax_id, number=1, text=text))
    house.desk.correct(fax_id, who, "kansen", document_type)
    return fax_id


def school(house: House) -> School:
    return School(house.config, house.store, house.spool, house.desk.taxonomy, house.diseases)


def taught(house: House, first: int = 1, count: int = 3) -> learning.Lesson:
    for number in range(first, first + count):
        corrected(house, number, "PROGRESS_REPORT", PARKING.format(number))
    return school(house).learn("administrator", silent)


def test_a_correction_is_an_example_at_once_with_who_and_when(house: House) -> None:
    before = now()
    fax_id = corrected(house, 1, "PRESS", "取材のお願い")
    house.desk.correct(fax_id, "suzuki", "kansen", "COMPLAINT")
    ((event, text),) = house.store.lessons.corrections()
    assert (event.fax_id, event.who, event.detail["after"]["type"]) == (fax_id, "suzuki", "COMPLAINT")
    assert text == "取材のお願い"
    assert before <= event.at <= now()


def test_what_is_learned_decides_from_the_next_fax_on(house: House) -> None:
    deciding = Learned(house.store, house.spool)
    text = fold(PARKING.format(99))
    assert deciding().card == models.packaged().card
    before = deciding().opinion(text)
    lesson = taught(house)
    assert lesson.taken, lesson.why
    row = house.store.lessons.model_in_use()
    assert row is not None
    assert (row.sha256, row.who, row.before, row.card["corrections"]) == (lesson.model, "administrator", None, 3)
    opinion = deciding().opinion(text)  # without a restart
    assert opinion.first == "PROGRESS_REPORT"
    assert opinion != before
    assert known_now(house.config).model.card == row.card


def test_the_card_holds_numbers_and_no_text(house: House) -> None:
    taught(house)
    row = house.store.lessons.model_in_use()
    assert row is not None
    assert "駐輪" not in json.dumps(row.card, ensure_ascii=False)
    assert {"made", "by", "corrections", "until", "figures", "before", "seed", "examples", "examples_sha256"} <= set(
        row.card
    )


def test_nothing_new_teaches_nothing(house: House) -> None:
    assert not school(house).learn("administrator", silent).taken
    assert taught(house).taken
    again = school(house).learn("administrator", silent)
    assert (again.taken, again.corrections, again.new) == (False, 3, 0)


def test_back_goes_to_the_former_model_and_at_last_to_the_one_that_ships(house: House) -> None:
    first, second = taught(house), taught(house, 10)
    assert first.model != second.model
    put_aside = house.store.lessons.back_to_former("administrator")
    assert put_aside is not None
    assert [row.sha256 if row else None for row in put_aside] == [second.model, first.model]
    assert taught(house, 20).taken
    for left in (first.model, None):
        assert house.store.lessons.back_to_former("administrator") is not None
        row = house.store.lessons.model_in_use()
        assert (row.sha256 if row else None) == left
    assert house.store.lessons.back_to_former("administrator") is None
    assert Learned(house.store, house.spool)().card == models.packaged().card


@pytest.mark.parametrize("fault", ["missed", "misdirected"])
def test_a_worse_model_does_not_take_over(house: House, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    figures = iter((1, 0))

    def measured(outcomes: object) -> Figures:
        made = measure([])
        object.__setattr__(made, fault, next(figures))
        return made

    monkeypatch.setattr(learning, "measure", measured)
    lesson = taught(house)
    assert not lesson.taken
    assert "0件 → 1件" in lesson.why
    assert house.store.lessons.model_in_use() is None


def test_both_models_are_asked_what_neither_has_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons: list[set[str]] = []
    fitted = training.fitted

    def heard(examples: list[Example], temperature: float) -> models.Model:
        lessons.append({example.layout for example in examples})
        return fitted(examples, temperature)

    monkeypatch.setattr(training, "fitted", heard)
    lesson = taught(house)
    new = {layout for heard in lessons for layout in heard if layout.startswith("fax ")}
    assert len(new) == 3
    candidates, in_use = lessons[::2], lessons[1::2]
    assert all(heard.isdisjoint(new) for heard in in_use)
    assert all(sum(layout in heard for heard in candidates) == len(candidates) - 1 for layout in new)
    assert lesson.candidate is not None
    assert lesson.in_use is not None
    assert lesson.candidate.faxes == lesson.in_use.faxes == 13


def test_a_model_that_cannot_be_read_is_not_used(house: House) -> None:
    for digest in (house.spool.put(b"no model"), "0" * 64):
        house.store.lessons.take_over(LearnedModel(sha256=digest, at=now(), who="test", card={}))
        assert Learned(house.store, house.spool)().card == models.packaged().card


def test_the_sweep_leaves_models_alone(house: House) -> None:
    taught(house)
    row = house.store.lessons.model_in_use()
    assert row is not None
    sweep(house.store, house.spool, now().timestamp() + 3 * ORPHAN_SECONDS)
    assert models.from_bytes(house.spool.get(row.sha256)).card == row.card


def test_two_hosts_decide_alike_on_postgresql(postgres: str, tmp_path: Path) -> None:
    """One database; the spool is shared as between hosts."""
    config = load(write_city(tmp_path, database=postgres))
    with open_house(config) as here, open_house(config) as there:
        other = Learned(there.store, there.spool)
        assert other().card == models.packaged().card
        lesson = taught(here)
        assert lesson.taken
        assert other().card["corrections"] == 3
        there.store.lessons.back_to_former("administrator")
        assert Learned(here.store, here.spool)().card == models.packaged().card


def test_a_site_without_tables_or_database_decides_with_the_model_that_ships(config: Config) -> None:
    assert known_now(config).model.card == models.packaged().card
    config.data.mkdir(parents=True, exist_ok=True)
    engine = houses.connect(config.database_url)
    SQLModel.metadata.tables["fax"].create(engine)
    engine.dispose()
    assert known_now(config).model.card == models.packaged().card


def test_the_commands(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    nothing = faxless(path, "learn", "--json")
    told = json.loads(nothing.stdout)
    assert (nothing.returncode, told["taken"], told["corrections"], told["model"]) == (0, False, 0, None)
    back = faxless(path, "learn", "--back")
    assert (back.returncode, back.stdout) == (1, "")
    assert "学習したモデルはありません" in back.stderr
    with open_house(load(path)) as house:
        house.store.lessons.take_over(LearnedModel(sha256="0" * 64, at=now(), who="test", card={}))
    assert json.loads(faxless(path, "learn", "--back", "--json").stdout) == {"put_aside": "0" * 64, "in_use": None}
