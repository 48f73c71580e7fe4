"""Who the patient is: shown to people of the fax's own department, and to nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlmodel import col

from gateway import house
from gateway.carrier import Carrier
from gateway.config import Config, load
from gateway.models import Page
from ocr.errors import ReadingError
from tests.gateway.test_cli import faxless
from tests.web.conftest import Office, city

if TYPE_CHECKING:
    from gateway.reader import Readers

FIELDS: dict[str, Any] = {
    "disease": {"value": "麻しん", "raw": "麻しん", "page": 1, "box": [0, 0, 0, 0], "confidence": 0.9},
    "patient_name": {"value": "架空 花子", "raw": "架空 花子", "page": 1, "box": [1, 2, 3, 4], "confidence": 0.9},
    "patient_address": {"value": "", "raw": "", "page": 1, "box": [1, 2, 3, 4], "confidence": 1.0, "masked": True},
    "onset": {
        "value": "2026-11-20", "raw": "11月20日", "page": 1, "box": [1, 2, 3, 4], "confidence": 0.7,
        "note": "年の記載がない",
    },
}  # fmt: skip
MEMBERS = [("clerk", ("kansen",)), ("admin", ("kansen",)), ("manager", ("*", "kansen"))]
OTHERS = [("admin", ()), ("clerk", ("*",)), ("manager", ("*",)), ("admin", ("bunsho",)), ("admin", ("*",))]


@pytest.mark.parametrize(("role", "departments"), MEMBERS)
def test_people_of_the_department_see_it(office: Office, role: str, departments: tuple[str, ...]) -> None:
    fax = office.urgent(fields=FIELDS)
    page = office.client("sato", role=role, departments=departments).get(f"/faxes/{fax.id}").text
    told = office.client().get(f"/api/v1/faxes/{fax.id}", headers=office.token("sato")).json()
    assert "架空 花子" in page
    assert "黒塗り(電話で確認)" in page
    assert "年の記載がない" in page
    assert told["fields"] == FIELDS
    assert told["withheld"] == []


@pytest.mark.parametrize(("role", "departments"), OTHERS)
def test_nobody_else_does(office: Office, role: str, departments: tuple[str, ...]) -> None:
    """They see that there is something, and the rest."""
    fax = office.urgent(fields=FIELDS)
    page = office.client("sato", role=role, departments=departments).get(f"/faxes/{fax.id}").text
    header = office.token("sato")
    one = office.client().get(f"/api/v1/faxes/{fax.id}", headers=header)
    many = office.client().get("/api/v1/faxes", headers=header)
    assert "患者を特定できる項目(1)" in page
    assert "架空" not in page + one.text + many.text
    for told in (one.json(), many.json()["faxes"][0]):
        assert told["fields"].keys() == {"disease", "patient_address", "onset"}
        assert told["withheld"] == ["patient_name"]


def test_a_fax_corrected_away_takes_it_along(office: Office) -> None:
    fax = office.urgent(fields=FIELDS)
    clerk = office.client("sato", role="admin", departments=("kansen",))
    office.desk.correct(fax.id, "sato", "kekkaku", "TB_REPORT")
    assert "架空" not in clerk.get(f"/faxes/{fax.id}").text


def test_what_is_ticked_does_not_stand_above_the_text_either(office: Office) -> None:
    fax = office.urgent(fields={"ticked": {**FIELDS["patient_name"], "value": "妊娠 有"}})
    with office.store.engine.begin() as connection:
        mark = {"text": "妊娠 有", "box": [1, 2, 3, 4], "on": True, "confidence": 0.9}
        connection.execute(sa.update(Page).where(col(Page.fax_id) == fax.id).values(marks=[mark]))
    assert "妊娠" in office.client("sato").get(f"/faxes/{fax.id}").text
    assert "妊娠" not in office.client("root", role="admin", departments=()).get(f"/faxes/{fax.id}").text


def test_a_sealed_fax_tells_it_to_nobody_until_it_is_opened_and_then_to_its_department(office: Office) -> None:
    fax = office.urgent(fields=FIELDS)
    office.store.seal(fax.id, "sato")
    header = office.token("sato", departments=("kansen",))
    told = office.client().get(f"/api/v1/faxes/{fax.id}", headers=header).json()
    assert (told["fields"], told["withheld"]) == ({}, [])
    office.store.cases.open_for(fax.id, "sato", "宛先の確認")
    assert office.client().get(f"/api/v1/faxes/{fax.id}", headers=header).json()["fields"] == FIELDS
    other = office.token("root", role="admin", departments=())
    office.store.cases.open_for(fax.id, "root", "宛先の確認")
    told = office.client().get(f"/api/v1/faxes/{fax.id}", headers=other).json()
    assert told["withheld"] == ["patient_name"]


def test_actions_do_not_tell_it_either(office: Office) -> None:
    fax = office.urgent(fields=FIELDS)
    header = office.token("root", role="admin", departments=())
    for path, body in (
        ("work", {"work": "claimed"}),
        ("route", {"department": "kekkaku", "type": "TB_REPORT"}),
        ("requeue", {}),
    ):
        answer = office.client().post(f"/api/v1/faxes/{fax.id}/{path}", headers=header, json=body)
        assert answer.status_code == 200
        assert "架空" not in answer.text


def test_the_history_does_not_hold_it(office: Office) -> None:
    fax = office.urgent(fields=FIELDS)
    office.client("sato").get(f"/faxes/{fax.id}")
    assert "架空" not in repr([event.detail for event in office.store.events(fax.id)])


# ---- copies ---------------------------------------------------------------------------------------


class _Unread:
    """Readers that cannot open anything: the mail itself goes along."""

    def documents(self, mail: object) -> object:
        raise ReadingError("x")

    def searchable(self, *words: object) -> object:
        raise ReadingError("x")


def with_sinks(config: Config, folder: Path) -> Config:
    """Three folders of 感染症対策課 and one of another department that asks for everything."""
    path = folder / "sinks.toml"
    sinks = "".join(
        f'[[sink]]\nid = "{name}"\ndepartment = "{department}"\nkind = "folder"\npath = "{name}"\n{more}\n'
        for name, department, more in (
            ("quiet", "kansen", ""),
            ("asking", "kansen", "personal = true"),
            ("foreign", "bunsho", "personal = true"),
        )
    )
    path.write_text(config.path.read_text("utf-8") + sinks, "utf-8")
    return load(path)


@pytest.mark.parametrize(("sink", "shown"), [("quiet", False), ("asking", True), ("foreign", False)])
def test_a_copy_has_it_only_where_the_department_s_own_sink_asks(
    office: Office, tmp_path: Path, sink: str, shown: bool
) -> None:
    fax = office.urgent(fields=FIELDS, sinks=(sink,))
    config = with_sinks(office.desk.config, tmp_path)
    carrier = Carrier(config, office.store, office.desk.spool, cast("Readers", _Unread()), office.desk.taxonomy)
    carrier.carry(fax.id)
    card = next((tmp_path / sink).glob("*.json")).read_text("utf-8")
    assert ("架空 花子" in card) is shown
    assert json.loads(card)["fields"]["disease"]["value"] == "麻しん"


# ---- the command line -----------------------------------------------------------------------------


def test_show_hides_it_until_asked(tmp_path: Path) -> None:
    config = city(tmp_path)
    with house.open_house(config) as home:
        fax = Office(desk=home.desk, app=FastAPI()).urgent(fields=FIELDS)
    for more, shown in (([], False), (["--personal"], True)):
        for form in ([], ["--json"]):
            done = faxless(config.path, *form, "show", fax.id, *more)
            assert done.returncode == 0
            assert ("架空" in done.stdout) is shown
            assert "patient_name" in done.stdout
            if form:
                (page,) = json.loads(done.stdout)["page_data"]
                assert page["blocks"][0]["lines"][0]["text"] == "感染症発生届"
    listed = faxless(config.path, "--json", "list")
    assert fax.id in listed.stdout
    assert "架空" not in listed.stdout
