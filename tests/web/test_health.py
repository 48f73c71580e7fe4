"""For those who watch the gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from gateway.models import Fax, now

if TYPE_CHECKING:
    from tests.web.conftest import Office


def metrics(office: Office) -> dict[tuple[str, str], float]:
    answer = office.client().get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_lives_and_is_ready(office: Office) -> None:
    watcher = office.client()
    assert watcher.get("/healthz").json() == {"status": "ok"}
    assert watcher.get("/readyz").json() == {"status": "ok", "problems": []}
    office.troubles.append("ディスクの空きがありません (no space left)")
    answer = watcher.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["ディスクの空きがありません (no space left)"]
    assert watcher.get("/healthz").status_code == 200


def test_figures(office: Office) -> None:
    assert metrics(office)[("faxless_oldest_unread_seconds", "")] == 0
    office.fax(sinks=("share",))
    office.held()
    done = office.fax()
    office.desk.mark(done.id, "sato", "done")
    office.fax(kind="notice", held=True, held_because=("通知です。",))
    with office.store.engine.begin() as connection:
        connection.execute(sa.update(Fax).values(accepted_at=now() - timedelta(hours=1)))
    told = metrics(office)
    assert told[("faxless_faxes", "routed")] == 2
    assert told[("faxless_faxes", "held")] == 2
    assert told[("faxless_faxes", "failed")] == 0
    assert told[("faxless_deliveries", "pending")] == 1
    assert 3600 <= told[("faxless_oldest_unread_seconds", "")] < 3700
    assert 3600 <= told[("faxless_line_silent_seconds", "hoken")] < 3700


def test_a_database_that_is_away_is_said_and_no_internals(office: Office) -> None:
    clerk = office.client("sato")
    with office.store.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE sign_in RENAME TO gone"))
    page, api = clerk.get("/"), clerk.get("/api/v1/faxes")
    assert (page.status_code, api.status_code) == (503, 503)
    assert "FAXは失われていません" in page.text
    for text in (page.text, api.text):
        assert "sign_in" not in text
        assert "Operational" not in text
