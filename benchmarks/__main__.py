"""`make bench`: what this gateway does on this machine, measured now against real processes on loopback.

    python -m benchmarks [--only running,door,hosts,reading,knowing] [--quick] [--json] [--folder DIR] [--faxes N]

The table goes to standard output, progress to standard error. How each figure is measured: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import door, hosts, knowing, reading, running, table

PARTS = ("running", "door", "hosts", "reading", "knowing")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 when everything that was asked for could be measured, 2 for wrong words."""
    words = _parser().parse_args(arguments)
    wanted = [name for name in words.only.split(",") if name]
    strange = sorted(set(wanted) - set(PARTS))
    if strange:
        print(f"no such part: {', '.join(strange)} (there are {', '.join(PARTS)})", file=sys.stderr)
        return 2
    begun = time.monotonic()
    machine = table.machine(words.folder)
    for warning in machine.warnings:
        print(f"NOTE: {warning}", file=sys.stderr)
    figures: list[table.Figure] = []
    try:
        for name in PARTS:
            if not wanted or name in wanted:
                figures += _measured(name, words)
    finally:  # what was measured is shown, whatever became of the rest
        _print(words, machine, figures, time.monotonic() - begun)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What this gateway does on this machine.")
    parser.add_argument("--only", default="", metavar="PARTS", help=f"comma-separated: {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="few of everything: a look, not a figure to quote")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure (default: %(default)s)"
    )
    parser.add_argument(
        "--faxes", type=int, default=0, metavar="N", help="hosts: only so many faxes through four workers"
    )
    return parser


def _measured(name: str, words: argparse.Namespace) -> Sequence[table.Figure]:
    folder, quick = words.folder, words.quick
    if name == "hosts":
        effort = hosts.many(words.faxes) if words.faxes else hosts.QUICK if quick else hosts.FULL
        return hosts.measure(folder, effort)
    if name == "running":
        return running.measure(folder, running.QUICK if quick else running.FULL)
    if name == "door":
        return door.measure(folder, door.QUICK if quick else door.FULL)
    if name == "knowing":
        return knowing.measure(folder, knowing.QUICK if quick else knowing.FULL)
    return reading.measure(folder, reading.QUICK if quick else reading.FULL)


def _print(words: argparse.Namespace, machine: table.Machine, figures: Sequence[table.Figure], seconds: float) -> None:
    if words.json:
        told = {
            "machine": {**asdict(machine), "warnings": machine.warnings},
            "quick": words.quick,
            "figures": [figure.told() for figure in figures],
            "seconds": round(seconds, 1),
        }
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print(table.text(machine, figures, seconds, quick=words.quick))


if __name__ == "__main__":
    sys.exit(main())
