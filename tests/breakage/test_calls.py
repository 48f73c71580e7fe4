"""A gateway that is killed while people are to be called: they are called after the start, under the same id."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests import city
from tests.breakage.torture import SABOTEUR, Letters

RING = """
[[rule]]
when = { line = "hoken" }
department = "kansen"
type = "DISEASE_IMMEDIATE"
urgent = true
[[alert]]
id = "ring"
kind = "folder"
path = "ring"
"""


def until(happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_killed_before_the_call_was_sent(tmp_path: Path) -> None:
    path = city.write_city(tmp_path, RING)
    (tmp_path / "faults").mkdir()
    (tmp_path / "ring").touch()  # a file where the folder should be: nothing can be put there yet
    env = {**os.environ, "SABOTAGE": str(tmp_path / "faults"), "SABOTAGE_TEXT": "感染症発生届\n{n}"}
    gateway = city.start(path, program=(str(SABOTEUR),), env=env)
    try:
        gateway.token = token = gateway.command("user", "add", "tests", "--token")["token"]
        (fax_id,) = gateway.mail(Letters(5).new())
        until(lambda: any(call["attempts"] for call in messages(gateway, fax_id)), "nobody tried to call")
        os.killpg(gateway.process.pid, signal.SIGKILL)
        gateway.stop()  # it is dead: this lets go of its pipes
        (tmp_path / "ring").unlink()
        gateway = city.start(path, program=(str(SABOTEUR),), env=env)
        gateway.token = token
        card = tmp_path / "ring" / f"{fax_id}-alert1-ring.json"
        until(card.exists, "the call was lost")
        told = json.loads(card.read_text(encoding="utf-8"))
        assert (told["fax_id"], told["step"], told["line"]) == (fax_id, 1, "hoken")
        until(lambda: messages(gateway, fax_id)[0]["state"] == "delivered", "it was not noted")
        assert [call["id"] for call in messages(gateway, fax_id)] == [f"{fax_id}-alert1-ring"]
    finally:
        gateway.stop(signal.SIGKILL)


def messages(gateway: city.Gateway, fax_id: str) -> list[dict[str, object]]:
    """The messages of the fax's alert."""
    alert = gateway.ask(f"/api/v1/faxes/{fax_id}")["alert"]
    return list(alert["messages"]) if alert else []
