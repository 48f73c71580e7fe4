"""Sealed cases for programs: the same acts and the same rights as at the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.web.test_cases import misdirected

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Office


@pytest.fixture
def program(office: Office) -> httpx.Client:
    client = office.client()
    client.headers.update(office.token("sato"))
    return client


def told(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_case_is_listed_and_tells_nothing_of_the_fax(office: Office, program: httpx.Client) -> None:
    fax = misdirected(office)
    (listed,) = told(program.get("/api/v1/cases"))["cases"]
    assert listed == told(program.get(f"/api/v1/cases/{fax.id}"))
    assert (listed["fax"], listed["next"]["name"], listed["opened"], listed["by"]) == (
        fax.id,
        "called",
        False,
        "journey",
    )
    assert listed["since"].endswith("+09:00")
    assert not any(word in str(listed) for word in ("みどり", "山田", "緑内障", "5555-0199"))
    assert told(program.get("/api/v1/cases?closed=true")) == {"cases": []}


def test_from_sealing_to_closing(office: Office, program: httpx.Client) -> None:
    fax = office.fax()
    path = f"/api/v1/cases/{fax.id}"
    told(program.get(path), 404)
    assert told(program.post(f"{path}/seal"))["by"] == "sato"
    assert program.get(f"/api/v1/faxes/{fax.id}/original").status_code == 403
    told(program.post(f"{path}/open", json={"why": " "}), 422)
    assert told(program.post(f"{path}/open", json={"why": "宛先を確かめる"}))["opened"]
    assert program.get(f"/api/v1/faxes/{fax.id}/original").status_code == 200
    told(program.post(f"{path}/called", json={"number": "03-5555-0177"}))
    told(program.post(f"{path}/settled", json={"outcome": "eaten", "note": "x"}), 422)
    told(program.post(f"{path}/settled", json={"outcome": "returned", "note": "書留"}))
    told(program.post(f"{path}/reported", json={"which": "reported", "note": "x"}), 422)
    told(program.post(f"{path}/leaked", json={"known": "2999-01-01T00:00:00+09:00", "note": "x"}), 422)
    assert told(program.post(f"{path}/leaked", json={"note": "別の部署"}))["next"]["name"] == "reported"
    told(program.post(f"{path}/closed"), 422)
    for which in ("reported", "confirmed"):
        told(program.post(f"{path}/reported", json={"which": which, "note": "受付1"}))
    ended = told(program.post(f"{path}/closed"))
    assert (ended["closed_at"] is not None, ended["next"], ended["outcome"]) == (True, None, "returned")
    assert [event["action"] for event in ended["events"]] == [
        "sealed", "opened", "called", "returned", "leaked", "reported", "confirmed", "closed",
    ]  # fmt: skip


def test_destroying_asks_for_the_id_once_more(office: Office, program: httpx.Client) -> None:
    fax = misdirected(office)
    path = f"/api/v1/cases/{fax.id}/settled"
    told(program.post(path, json={"outcome": "destroyed", "note": "発信元の依頼"}), 422)
    told(program.post(path, json={"outcome": "destroyed", "note": "", "confirm": fax.id}), 422)
    done = told(program.post(path, json={"outcome": "destroyed", "note": "発信元の依頼", "confirm": fax.id}))
    assert (done["outcome"], done["bytes"]) == ("destroyed", {"leaving": 2, "gone": 0, "needed": 0})
    for part in ("original", "pages/1.png", "searchable.pdf"):
        assert "破棄" in told(program.get(f"/api/v1/faxes/{fax.id}/{part}"), 410)["detail"]
    told(program.post(f"/api/v1/cases/{fax.id}/open", json={"why": "x"}), 410)
    one = told(program.get(f"/api/v1/faxes/{fax.id}"))
    assert (one["destroyed_at"] is not None, one["counted"], one["text"]) == (True, True, "")


def test_ours_after_all(office: Office, program: httpx.Client) -> None:
    fax = misdirected(office)
    path, answer = f"/api/v1/cases/{fax.id}", {"department": "kansen", "type": "OUTBREAK_FACILITY"}
    told(program.post(f"{path}/ours", json=answer), 403)
    told(program.post(f"{path}/open", json={"why": "確かめる"}))
    assert told(program.post(f"{path}/ours", json=answer))["outcome"] == "ours"
    assert office.desk.fax(fax.id).sealed is None


def test_another_departments_case_is_not_there(office: Office) -> None:
    fax = misdirected(office)
    stranger = office.client()
    stranger.headers.update(office.token("abe", departments=("bunsho",)))
    assert told(stranger.get("/api/v1/cases")) == {"cases": []}
    told(stranger.get(f"/api/v1/cases/{fax.id}"), 404)
    for act, said in (("open", {"why": "x"}), ("called", {"number": "1"}), ("closed", None), ("seal", None)):
        told(stranger.post(f"/api/v1/cases/{fax.id}/{act}", json=said), 404)
    assert office.client().get("/api/v1/cases").status_code == 401


def test_they_stand_in_the_description(office: Office) -> None:
    paths = office.client().get("/api/openapi.json").json()["paths"]
    acts = ("seal", "open", "called", "settled", "leaked", "reported", "ours", "closed")
    assert {f"/api/v1/cases/{{fax_id}}/{act}" for act in acts} | {"/api/v1/cases", "/api/v1/cases/{fax_id}"} <= set(
        paths
    )
