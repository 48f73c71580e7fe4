"""A gateway as it runs: how soon it is ready, how soon a fax is routed, and what it holds of the memory."""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from tqdm import tqdm

from benchmarks.table import Aim, Figure
from gateway import machine
from tests import city

WORKERS = 2
PATIENCE = 180.0
LOOK = 0.02
"""Seconds between two looks whether a fax is routed."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How often: starts, one-page faxes on the idle machine, and faxes to fill the workers' memory with."""

    starts: int
    faxes: int
    load: int


FULL = Effort(starts=3, faxes=7, load=16)
QUICK = Effort(starts=1, faxes=3, load=4)


def measure(base: Path, effort: Effort = FULL) -> Sequence[Figure]:
    """Rows for start-up, from 250 to routed, and memory."""
    with tempfile.TemporaryDirectory(prefix="faxless-running-", dir=base) as folder:
        path = city.write_city(Path(folder), workers=WORKERS)
        figures = [_starting(path, effort.starts)]
        with city.gateway_at(path) as gateway:
            one_page = [letter for pages, letter in _letters() if pages == 1]
            # The workers load their weights after /readyz; the first faxes wait for it, one for each worker.
            for fax_id in [_send(gateway, one_page[number])[0] for number in range(WORKERS)]:
                gateway.settled(fax_id, PATIENCE)
            figures.append(_routing(gateway, [one_page[n % len(one_page)] for n in range(effort.faxes)]))
            figures += _memory(gateway, effort.load)
    return figures


def _starting(path: Path, starts: int) -> Figure:
    first, *later = [_start(path) for _ in tqdm(range(starts + 1), desc="start", unit="start", file=sys.stderr)]
    remark = f"Second and later starts, median of {starts}, slowest {max(later):.2f} s; the first, tables made: {first:.2f} s."
    return Figure("from start to /readyz", statistics.median(later), "s", Aim(5, "at most"), remark=remark)


def _start(path: Path) -> float:
    begun = time.perf_counter()
    gateway = city.start(path)
    took = time.perf_counter() - begun
    gateway.stop()
    return took


def _routing(gateway: city.Gateway, letters: Sequence[machine.Call | bytes]) -> Figure:
    took = []
    for letter in tqdm(letters, desc="250 to routed", unit="fax", file=sys.stderr):
        time.sleep(1)  # idle again
        fax_id, said = _send(gateway, letter)
        state = ""
        while state not in ("routed", "held", "failed"):
            assert time.perf_counter() < said + PATIENCE, f"{fax_id} is still {state}"
            time.sleep(LOOK)
            state = gateway.ask(f"/api/v1/faxes/{fax_id}")["state"]
        assert state == "routed", f"a sample that is to be routed is {state}"
        took.append(time.perf_counter() - said)
    remark = f"One-page sample faxes one after the other, median of {len(took)}, slowest {max(took):.2f} s."
    return Figure("from 250 to routed, one page", statistics.median(took), "s", Aim(4, "at most"), remark=remark)
