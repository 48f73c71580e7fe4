"""Figures beside their aims and beside a peer measured in the same run, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import psutil

QUIET = 15.0
"""Percent of all cores: when more is taken before we begin, the figures are rough."""
MEMORY_FILE_SYSTEMS = ("tmpfs", "ramfs", "devtmpfs")


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should reach, in the figure's own unit or as its ratio to the peer."""

    limit: float
    kind: Literal["at most", "at least"]
    of: Literal["value", "ratio"] = "value"


@dataclass(frozen=True, slots=True)
class Peer:
    """The same measured with something else, in the same run. *ratio* is ours divided by the peer's."""

    name: str
    value: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. *value* is None when it could not be measured here; *remark* then says why."""

    what: str
    value: float | None
    unit: str
    aim: Aim | None = None
    peer: Peer | None = None
    remark: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None where there is no aim or nothing to hold against it."""
        if self.aim is None:
            return None
        ratio = None if self.peer is None else self.peer.ratio
        measured = self.value if self.aim.of == "value" else ratio
        if measured is None:
            return None
        return measured <= self.aim.limit if self.aim.kind == "at most" else measured >= self.aim.limit

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        aim = self.aim and {"limit": self.aim.limit, "kind": self.aim.kind, "of": self.aim.of}
        peer = self.peer and {"name": self.peer.name, "value": self.peer.value, "ratio": self.peer.ratio}
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "aim": aim,
            "met": self.met,
            "peer": peer,
            "remark": self.remark,
        }


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and when it was measured. Memory in bytes; load as uptime(1) tells it; *busy* in percent of all cores."""

    at: str
    faxless: str
    cpu: str
    cores: int
    memory: int
    system: str
    python: str
    folder: str
    file_system: str
    load: tuple[float, float, float]
    busy: float

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the figures less than they seem."""
        found = []
        if self.busy > QUIET:
            found.append(
                f"other work was running before we began ({self.busy:.0f} % of the CPU): the figures are rough"
            )
        if self.file_system in MEMORY_FILE_SYSTEMS:
            found.append(f"{self.folder} is memory ({self.file_system}): syncing costs nothing there (use --folder)")
        return tuple(found)


def machine(folder: Path) -> Machine:
    """This machine, with the file system below *folder*; takes a second to see how busy it is."""
    load = os.getloadavg()
    return Machine(
        at=datetime.now().astimezone().isoformat(timespec="minutes"),
        faxless=version("faxless"),
        cpu=_cpu(),
        cores=psutil.cpu_count() or 1,
        memory=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        folder=str(folder),
        file_system=_file_system(folder.resolve()),
        load=(round(load[0], 2), round(load[1], 2), round(load[2], 2)),
        busy=psutil.cpu_percent(interval=1.0),
    )


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    mounts = [mount for mount in psutil.disk_partitions(all=True) if folder.is_relative_to(mount.mountpoint)]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else "unknown"


def text(measured_on: Machine, figures: Sequence[Figure], seconds: float, *, quick: bool = False) -> str:
    """The machine, the table (Markdown) and what has to be known of the figures."""
    lines = [
        *_head(measured_on),
        *(["NOTE: --quick: too few of everything to be quoted"] if quick else []),
        "",
        "| figure | measured | aim | | beside it in the same run |",
        "|---|--:|---|---|---|",
    ]
    lines += [_row(figure) for figure in figures]
    remarks = [f"- {figure.what}: {figure.remark}" for figure in figures if figure.remark]
    return "\n".join([*lines, "", *remarks, "", f"measured in {seconds:.0f} s"])


def _head(on: Machine) -> Iterable[str]:
    yield f"faxless {on.faxless}, {on.at}"
    yield f"{on.cpu}, {on.cores} cores, {on.memory / 2**30:.0f} GB, {on.system}, Python {on.python}"
    load = " ".join(f"{value:.2f}" for value in on.load)
    yield f"{on.folder} on {on.file_system}; before: load {load}, CPU {on.busy:.0f} % busy"
    for warning in on.warnings:
        yield f"NOTE: {warning}"


def _row(figure: Figure) -> str:
    measured = "not measured" if figure.value is None else amount(figure.value, figure.unit)
    met = {True: "met", False: "**not met**", None: ""}[figure.met]
    beside = ""
    if figure.peer is not None:
        beside = f"{figure.peer.name}: {amount(figure.peer.value, figure.unit)}; ours is {figure.peer.ratio:.2f} of it"
    return f"| {figure.what} | {measured} | {_aim(figure)} | {met} | {beside} |"


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    if figure.aim.of == "ratio":
        return f"{figure.aim.kind} {figure.aim.limit:g} of the peer"
    return f"{figure.aim.kind} {amount(figure.aim.limit, figure.unit)}"


def amount(value: float, unit: str) -> str:
    """A number with its unit, with three digits that mean something: ``3.17 s``, ``412 /s``, ``0.51 %``."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    shown = f"{value:.{digits}f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} {unit}"
