"""Nobody sees what is not theirs: every route, every department, every site that a request may come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from tests.web.conftest import Office

PUBLIC = {
    "/login",
    "/logout",  # forgets the browser's own secret
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/docs",
    "/api/openapi.json",
}


def routes_of(routes: list[Any]) -> Iterator[tuple[str, str]]:
    """Method and address of every route, those of included rooms too."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from routes_of(route.original_router.routes)
        elif isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods)
        elif getattr(route, "methods", None):
            yield from ((method, route.path) for method in route.methods if method != "HEAD")


def filled(path: str, fax_id: str) -> str:
    return path.replace("{fax_id}", fax_id).replace("{number}", "1")


def test_the_walk_sees_every_room(office: Office) -> None:
    found = {path for _, path in routes_of(office.app.routes)}
    assert {"/", "/list", "/events", "/traffic", "/faxes/{fax_id}", "/api/v1/faxes/{fax_id}/route"} <= found
    assert found >= PUBLIC


def test_every_route_asks_who_is_there(office: Office) -> None:
    fax = office.fax()
    stranger = office.client()
    for method, path in routes_of(office.app.routes):
        if path in PUBLIC:
            continue
        answer = stranger.request(method, filled(path, fax.id))
        if path.startswith("/api/"):
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        elif answer.status_code == 303:
            assert answer.headers["Location"].startswith("/login"), (method, path)
        else:
            assert answer.status_code == 401, (method, path)
        assert fax.id not in answer.text.replace(filled(path, fax.id), "")


def test_every_route_of_a_fax_hides_the_other_departments(office: Office) -> None:
    fax, nowhere = office.fax(department="kekkaku"), office.fax(department=None, held=True)
    clerk = office.client("sato", departments=("kansen", "bunsho"))
    seen = 0
    for method, path in routes_of(office.app.routes):
        if "{fax_id}" in path:
            for hidden in (fax, nowhere):
                answer = clerk.request(method, filled(path, hidden.id))
                assert answer.status_code == 404, (method, path)
            seen += 1
    assert seen >= 12
    assert {event.action for event in office.store.events(fax.id)} == {"received", "routed"}


def test_a_fax_of_no_department_is_seen_by_those_who_see_all(office: Office) -> None:
    fax = office.fax(department=None, held=True, held_because=("宛先の部署が決まりません。",))
    assert office.client("suzuki", role="admin", departments=()).get(f"/faxes/{fax.id}").status_code == 200
    assert office.client("tanaka", departments=("*",)).get(f"/faxes/{fax.id}").status_code == 200
    assert office.client("ito", role="manager").get(f"/faxes/{fax.id}").status_code == 404


@pytest.mark.parametrize("fax_id", ["nobody", "20261123-00000000", "a%00b", "..%2f..%2fetc", "x" * 300])
def test_a_fax_that_is_not_there(office: Office, fax_id: str) -> None:
    answer = office.client("sato", departments=("*",)).get(f"/faxes/{fax_id}")
    assert answer.status_code == 404
    assert "見つかりません" in answer.text


def test_another_site_cannot_act_with_a_persons_cookie(office: Office) -> None:
    fax, clerk = office.fax(), office.client("sato")
    address = f"/faxes/{fax.id}/work"
    refused = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": office.address},
    ]
    for headers in refused:
        assert clerk.post(address, data={"work": "done"}, headers=headers).status_code == 403, headers
        api = clerk.post(f"/api/v1/faxes/{fax.id}/work", json={"work": "done"}, headers=headers)
        assert api.status_code == 403, headers
        assert api.headers["Content-Type"] == "application/problem+json"
    assert office.desk.fax(fax.id).work == "new"
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": office.address}, {}):
        assert clerk.post(address, data={"work": "claimed"}, headers=headers).status_code == 303, headers
    assert office.desk.fax(fax.id).work == "claimed"


def test_a_programs_token_is_heard_at_the_api_alone(office: Office) -> None:
    fax, bearer = office.fax(), office.token("sato")
    program = office.client()
    assert program.get(f"/api/v1/faxes/{fax.id}", headers=bearer).status_code == 200
    assert program.get(f"/faxes/{fax.id}", headers=bearer).headers["Location"].startswith("/login")
    assert program.get("/api/v1/faxes", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert program.get("/api/v1/faxes", headers={"Authorization": "Basic c2F0bzpzYXRv"}).status_code == 401


def test_a_disabled_person_is_out_at_once(office: Office) -> None:
    clerk, bearer = office.client("sato"), office.token("sato")
    assert clerk.get("/").status_code == 200
    office.person("sato", disabled=True)
    assert clerk.get("/").status_code == 303
    assert office.client().get("/api/v1/faxes", headers=bearer).status_code == 401


def test_the_one_time_password_must_be_changed_before_anything_else(office: Office) -> None:
    clerk = office.client("neu", must_change=True)
    for path in ("/", "/list", "/traffic", "/events"):
        assert clerk.get(path).headers["Location"] == "/password", path
    assert clerk.get("/api/v1/faxes").status_code == 403
    assert clerk.get("/password").status_code == 200


def test_numbers_are_for_managers(office: Office) -> None:
    for name, role, status in (("sato", "clerk", 403), ("ito", "manager", 200), ("suzuki", "admin", 200)):
        person = office.client(name, role=role)
        for path in ("/traffic", "/traffic.csv", "/traffic.json", "/api/v1/traffic"):
            assert person.get(path).status_code == status, (role, path)
    refused = office.client("sato").get("/traffic")
    assert "管理職" in refused.text
    assert 'href="/traffic"' not in office.client("sato").get("/").text


def test_every_answer_is_locked_up(office: Office) -> None:
    clerk = office.client("sato")
    for path in ("/login", "/", "/nothing-here", "/api/v1/faxes", "/static/style.css", "/healthz"):
        headers = clerk.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store"), path


def test_pages_hold_no_inline_script_or_style(office: Office) -> None:
    fax, person = office.fax(), office.client("suzuki", role="admin", departments=("*",))
    for path in ("/login", "/", f"/faxes/{fax.id}", "/traffic", "/password", "/api/docs", "/nothing-here"):
        text = person.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text), path
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), path


def test_too_large_a_request_is_refused(office: Office) -> None:
    answer = office.client("sato").post("/login", content=b"name=" + b"x" * 300_000)
    assert answer.status_code == 413
