"""A short torture for every run of the suite: each named step once, on both databases. At length: ``make torture``."""

from __future__ import annotations

from pathlib import Path

from tests.breakage.saboteur import IN_THE_DOOR, STEPS
from tests.breakage.torture import Town

IN_THE_WORKER = tuple(step for step in STEPS if step not in IN_THE_DOOR)


def tortured(folder: Path, database: str, door: str, worker: str) -> Town:
    """A town in which every step was struck once, at rest again."""
    town = Town(folder, database)
    try:
        town.machines.go()
        for step in IN_THE_DOOR:
            town.at(step, door)
        for step in IN_THE_WORKER:
            town.at(step, worker)
        town.settle()
        town.verify()
        town.sweep()
    finally:
        town.close()
    return town


def all_right(town: Town) -> bool:
    """Every step was struck, and nothing that was answered 250 suffered."""
    assert town.report.unstruck == {}
    assert sum(town.report.kills.values()) == len(STEPS)
    assert town.report.answered > 0
    assert town.report.wrong == {}, town.report.plain()
    return True


def test_every_step_killed_with_all_processes_at_once_on_sqlite(tmp_path: Path) -> None:
    assert all_right(tortured(tmp_path, "sqlite", "self", "all"))


def test_every_step_killed_on_postgresql(tmp_path: Path, postgres: str) -> None:
    assert all_right(tortured(tmp_path, postgres, "self", "main"))
