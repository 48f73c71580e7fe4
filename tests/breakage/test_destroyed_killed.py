"""kill -9 while a misdirected fax is being destroyed: the next start finishes it, and nothing comes back."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gateway.models import month_of, now
from tests import city
from tests.breakage.saboteur import REMOVED
from tests.breakage.test_calls import until
from tests.breakage.torture import SABOTEUR, Letters


def post(gateway: city.Gateway, path: str, **said: str) -> dict[str, Any]:
    """One act by the API."""
    headers = {"Authorization": f"Bearer {gateway.token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(
        f"http://{gateway.config.web.listen}/api/v1/cases/{path}", json.dumps(said).encode(), headers
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
        told: dict[str, Any] = json.loads(answer.read())
        return told


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_while_the_bytes_leave(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> None:
    address = "sqlite" if database == "sqlite" else request.getfixturevalue("postgres")
    path = city.write_city(tmp_path, database=address)
    faults = tmp_path / "faults"
    faults.mkdir()
    env = {**os.environ, "SABOTAGE": str(faults), "SABOTAGE_TEXT": "注文書\n{n}", "SABOTAGE_SWEEP": "0.2"}
    gateway = city.start(path, program=(str(SABOTEUR),), env=env)
    try:
        gateway.token = token = gateway.command("user", "add", "tests", "--token")["token"]
        (fax_id,) = gateway.mail(Letters(6).new())
        digest = gateway.settled(fax_id)["sha256"]
        post(gateway, f"{fax_id}/seal")
        (faults / REMOVED).write_text(f"{int(signal.SIGKILL)} all")
        settled = {"outcome": "destroyed", "note": "発信元の依頼", "confirm": fax_id}
        assert post(gateway, f"{fax_id}/settled", **settled)["outcome"] == "destroyed"
        until(lambda: gateway.process.poll() is not None, "the fault did not strike")
        gateway.stop()  # it is dead: this lets go of its pipes
        gateway = city.start(path, program=(str(SABOTEUR),), env=env)
        gateway.token = token
        until(lambda: gateway.ask(f"/api/v1/cases/{fax_id}")["bytes"]["leaving"] == 0, "nobody finished it")
        told = gateway.ask(f"/api/v1/cases/{fax_id}")
        assert (told["bytes"]["gone"] > 0, told["bytes"]["needed"]) == (True, 0)
        assert [event["action"] for event in told["events"]] == ["sealed", "destroyed", "erased"]
        assert not list((tmp_path / "var" / "spool").rglob(f"{digest}*"))
        with pytest.raises(urllib.error.HTTPError) as gone:
            gateway.ask(f"/api/v1/faxes/{fax_id}/original")
        assert gone.value.code == 410
        gone.value.close()
        (month,) = gateway.command("traffic", "--from", month_of(now()))["months"]
        assert month["arrivals"]["count"] == 1
        assert gateway.command("audit", "verify")["ok"]
    finally:
        gateway.stop(signal.SIGKILL)
