"""The same for programs, as the contract has it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateway.models import now
from tests.web.conftest import TEXT

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Office

KEYS = {
    "id", "state", "received_at", "sha256", "duplicate_of", "line", "caller", "tsi", "pages", "bytes", "document_type",
    "documents", "confidence", "department", "reasons", "held_because", "urgent", "due_at", "masked", "fields",
    "barcodes", "text", "deliveries", "work", "exempt",
}  # fmt: skip

PAGE_KEYS = {
    "page", "width", "height", "dpi", "kind", "turn", "tti", "blocks", "tables", "marks", "masked", "stamps",
    "barcodes",
}  # fmt: skip


@pytest.fixture
def program(office: Office) -> httpx.Client:
    """A program of the department kansen."""
    client = office.client()
    client.headers.update(office.token("sato"))
    return client


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem that was answered, checked for its shape (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return told


def test_one_fax_in_the_shape_of_the_contract(office: Office, program: httpx.Client) -> None:
    fax = office.fax(("一枚目", "二枚目"), sinks=("share",))
    told = program.get(f"/api/v1/faxes/{fax.id}").json()
    assert set(told) >= KEYS
    assert told["id"] == fax.id
    assert told["text"] == "一枚目\f二枚目"
    assert told["caller"] == "+81355550199"
    assert told["received_at"].endswith("+09:00")
    assert [(copy["sink"], copy["state"]) for copy in told["deliveries"]] == [("share", "pending")]
    assert office.store.events(fax.id)[-1].action == "viewed"


def test_list_and_cursor(office: Office, program: httpx.Client) -> None:
    made = [office.fax().id for _ in range(5)]
    office.fax(department="kekkaku")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = program.get("/api/v1/faxes", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [fax["id"] for fax in answer["faxes"]]
        cursor = answer["next"]
    assert seen == made[::-1]


def test_filters(office: Office, program: httpx.Client) -> None:
    held, routed = office.held(document_type="TB_REPORT"), office.fax("サルモネラ", caller="+81355550142")
    office.desk.mark(routed.id, "sato", "claimed")

    def ids(**filters: str) -> set[str]:
        return {fax["id"] for fax in program.get("/api/v1/faxes", params=filters).json()["faxes"]}

    both = {held.id, routed.id}
    assert ids(state="held") == {held.id}
    assert ids(work="claimed") == {routed.id}
    assert ids(type="TB_REPORT") == {held.id}
    assert ids(q="サルモ ﾈﾗ") == {routed.id}
    assert ids(q="03-5555-0142") == {routed.id}
    assert ids(department="kansen") == both
    assert ids(since=(now() - timedelta(minutes=5)).isoformat()) == both
    assert ids(until=(now() - timedelta(minutes=5)).isoformat()) == set()
    assert ids(since="2020-01-01") == both
    assert ids(until="2020-01-01T09:00:00") == set()


def test_a_foreign_department_is_refused(office: Office, program: httpx.Client) -> None:
    problem(program.get("/api/v1/faxes?department=kekkaku"), 403)
    problem(program.get("/api/v1/faxes?department=unheard"), 403)
    everything = office.client()
    everything.headers.update(office.token("suzuki", role="admin"))
    assert everything.get("/api/v1/faxes?department=unheard").json() == {"faxes": [], "next": None}


@pytest.mark.parametrize(
    "question",
    ["state=lost", "limit=0", "limit=201", "limit=x", "cursor=nonsense", "since=yesterday", "work=burned",
     "type=%00", "department=a%20b", "q=" + "x" * 101],
)  # fmt: skip
def test_bad_questions_are_told(program: httpx.Client, question: str) -> None:
    told = problem(program.get(f"/api/v1/faxes?{question}"), 422)
    assert "Traceback" not in str(told)


def test_pages_and_original(office: Office, program: httpx.Client) -> None:
    raw = b"Subject: x\r\n\r\n\x00\xff\r\n"
    fax = office.fax(raw=raw)
    assert program.get(f"/api/v1/faxes/{fax.id}/pages/1.png").content.startswith(b"\x89PNG")
    problem(program.get(f"/api/v1/faxes/{fax.id}/pages/2.png"), 404)
    problem(program.get(f"/api/v1/faxes/{fax.id}/pages/0.png"), 422)
    original = program.get(f"/api/v1/faxes/{fax.id}/original")
    assert original.content == raw
    assert original.headers["Content-Type"] == "message/rfc822"
    assert original.headers["Content-Disposition"].startswith("attachment")


def test_a_page_as_data(office: Office, program: httpx.Client) -> None:
    fax = office.fax(("一枚目", TEXT))
    told = program.get(f"/api/v1/faxes/{fax.id}/pages/2.json").json()
    assert set(told) >= PAGE_KEYS
    assert (told["page"], told["width"], told["height"], told["kind"]) == (2, 860, 1216, "content")
    lines = [line for block in told["blocks"] for line in block["lines"]]
    assert [line["text"] for line in lines] == TEXT.splitlines()
    assert lines[0]["box"] == lines[0]["words"][0]["box"] == [80, 90, 80 + 32 * 10, 122]
    assert lines[0]["confidence"] == 0.4
    shown = office.desk.with_pages(fax, personal=False)
    assert json.loads(json.dumps(shown))["page_data"][1] == told  # `show` and `replay` say the same
    assert shown["pages"] == 2
    assert office.store.events(fax.id)[-1].action == "viewed"
    assert "page_data" not in program.get(f"/api/v1/faxes/{fax.id}").json()


def test_a_page_as_data_is_for_whom_its_picture_is_for(office: Office, program: httpx.Client) -> None:
    fax, foreign = office.fax(), office.fax(department="kekkaku")
    for what in ("png", "json"):
        problem(program.get(f"/api/v1/faxes/{foreign.id}/pages/1.{what}"), 404)
        problem(program.get(f"/api/v1/faxes/{fax.id}/pages/2.{what}"), 404)
        problem(office.client().get(f"/api/v1/faxes/{fax.id}/pages/1.{what}"), 401)
    unread = office.fax(problem="1ページ目が壊れています。")
    told = program.get(f"/api/v1/faxes/{unread.id}/pages/1.json").json()
    assert (told["problem"], told["blocks"], told["text"]) == ("1ページ目が壊れています。", [], "")


def test_route_work_and_requeue(office: Office, program: httpx.Client) -> None:
    fax = office.held()
    address = f"/api/v1/faxes/{fax.id}"
    routed = program.post(f"{address}/route", json={"department": "kansen", "type": "TB_REPORT"}).json()
    assert (routed["department"], routed["document_type"], routed["state"]) == ("kansen", "TB_REPORT", "routed")
    assert program.post(f"{address}/work", json={"work": "claimed"}).json()["work"] == "claimed"
    assert program.post(f"{address}/requeue").json()["state"] == "received"
    assert office.wanted("journey")[-1] == fax.id
    moved = program.post(f"{address}/route", json={"department": "kekkaku", "type": "TB_REPORT"})
    assert moved.status_code == 200
    problem(program.get(address), 404)  # it is another department's now


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("route", {"department": "kansen"}),
        ("route", {"department": "nowhere", "type": "OTHER"}),
        ("route", {"department": "kansen", "type": "NONSENSE"}),
        ("route", {"department": 1, "type": "OTHER"}),
        ("work", {"work": "burned"}),
        ("work", {"work": "done", "more": 1}),
        ("work", []),
    ],
)
def test_bad_actions_change_nothing(office: Office, program: httpx.Client, action: str, body: Any) -> None:
    fax = office.fax()
    told = problem(program.post(f"/api/v1/faxes/{fax.id}/{action}", json=body), 422)
    assert "secret" not in str(told)
    assert office.desk.fax(fax.id).work == "new"
    assert office.desk.fax(fax.id).corrected_by is None


def test_not_json(office: Office, program: httpx.Client) -> None:
    fax = office.fax()
    answer = program.post(
        f"/api/v1/faxes/{fax.id}/work", content=b"\xff{", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_traffic(office: Office) -> None:
    office.fax()
    client = office.client()
    client.headers.update(office.token("ito", role="manager"))
    told = client.get("/api/v1/traffic?from=2026-01&to=2026-03&by=line,department").json()
    assert [month["month"] for month in told["months"]] == ["2026-01", "2026-02", "2026-03"]
    assert set(told["months"][0]["by"]) == {"line", "department"}
    assert client.get("/api/v1/traffic").json()["months"][0]["arrivals"]["count"] == 1
    for bad in ("from=2026-13", "from=2026-03&to=2026-01", "by=weather", "from=0001-01&to=9999-12"):
        problem(client.get(f"/api/v1/traffic?{bad}"), 422)


def test_a_browser_may_ask_too(office: Office) -> None:
    fax, clerk = office.fax(), office.client("sato")
    assert clerk.get(f"/api/v1/faxes/{fax.id}").status_code == 200


def test_the_description_tells_every_path(office: Office) -> None:
    stranger = office.client()
    schema = stranger.get("/api/openapi.json").json()
    cases = {path for path in schema["paths"] if path.startswith("/api/v1/cases")}  # test_case_api names them
    assert set(schema["paths"]) - cases == {
        "/api/v1/faxes", "/api/v1/faxes/{fax_id}", "/api/v1/faxes/{fax_id}/pages/{number}.png",
        "/api/v1/faxes/{fax_id}/original", "/api/v1/faxes/{fax_id}/route", "/api/v1/faxes/{fax_id}/work",
        "/api/v1/faxes/{fax_id}/requeue", "/api/v1/faxes/{fax_id}/searchable.pdf", "/api/v1/traffic",
        "/api/v1/faxes/{fax_id}/same", "/api/v1/faxes/{fax_id}/separate", "/api/v1/faxes/{fax_id}/pages/{number}.json",
    }  # fmt: skip
    assert set(schema["components"]["schemas"]["PageData"]["properties"]) >= PAGE_KEYS
    assert set(schema["components"]["schemas"]["Block"]["properties"]) == {"kind", "box", "lines"}
    assert set(schema["components"]["schemas"]["FaxAsJson"]["properties"]) >= KEYS
    page = stranger.get("/api/docs").text
    for path in schema["paths"]:
        assert path in page
    assert "RFC 9457" in page
