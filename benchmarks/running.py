"""A gateway as it runs: how soon it is ready, a fax is routed, people are called, and what it holds of the memory."""

from __future__ import annotations

import json
import re
import smtplib
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pypdfium2
from tqdm import tqdm

from benchmarks.table import Aim, Figure
from gateway import machine
from tests import city

WORKERS = 2
PATIENCE = 180.0
LOOK = 0.02
"""Seconds between two looks whether a fax is routed."""
FOR_A_PERSON = ("SPAM", "MISDIRECTED")
"""Classes that are held however sure the gateway is."""
REST = 2.0
"""Seconds of peace before memory is read, and between two urgent faxes."""
RING = """
[[alert]]
id = "ring"
kind = "folder"
path = "ring"
"""
ORDINARY, URGENT = "08_chumonsho.pdf", ("01_mashin.pdf", "03_kekkaku.pdf", "05_shisetsu_shudan.pdf")
PAGES = 3
"""Pages of the ordinary faxes that wait before an urgent one."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How often: starts, one-page faxes on the idle machine, and faxes to fill the workers' memory with."""

    starts: int
    faxes: int
    load: int
    waiting: int
    """Ordinary faxes that are to be read when the urgent ones come."""
    urgent: int


FULL = Effort(starts=3, faxes=7, load=16, waiting=100, urgent=5)
QUICK = Effort(starts=1, faxes=3, load=4, waiting=10, urgent=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample fax and the call that brings it; each sending makes a new mail of it."""

    file: Path
    call: machine.Call
    pages: int
    goes: bool
    """It can be routed in the invented city, without a person."""


def measure(base: Path, effort: Effort = FULL) -> Sequence[Figure]:
    """Rows for start-up, from 250 to routed, memory, and from 250 to people called.

    Raises `AssertionError` when a fax does not settle, or nobody is called.
    """
    with tempfile.TemporaryDirectory(prefix="faxless-running-", dir=base) as folder:
        path = city.write_city(Path(folder), RING, workers=WORKERS)
        figures = [_starting(path, effort.starts)]
        with city.gateway_at(path) as gateway:
            samples = faxes_to_send(gateway)
            plain = [sample for sample in samples if sample.pages == 1 and sample.goes]
            # The workers load their weights after /readyz; the first faxes wait for it, one for each worker.
            _settle(gateway, plain[:WORKERS])
            figures.append(routing(gateway, [plain[turn % len(plain)] for turn in range(effort.faxes)]))
            figures += memory(gateway, [samples[turn % len(samples)] for turn in range(effort.load)])
            figures.append(calling(gateway, Path(folder), effort.waiting, effort.urgent))
    return figures


def _starting(path: Path, starts: int) -> Figure:
    first, *later = [_start(path) for _ in tqdm(range(starts + 1), desc="start", unit="start", file=sys.stderr)]
    remark = (
        f"Second start and later, median of {starts}, slowest {max(later):.2f} s; the first, which makes the tables: "
    )
    return Figure(
        "from start to /readyz", statistics.median(later), "s", Aim(5, "at most"), remark=f"{remark}{first:.2f} s."
    )


def _start(path: Path) -> float:
    begun = time.perf_counter()
    gateway = city.start(path)
    took = time.perf_counter() - begun
    gateway.stop()
    return took


def routing(gateway: city.Gateway, samples: Sequence[Sample]) -> Figure:
    """From 250 to routed: each sample sent on its own to an idle gateway."""
    ends = [_route(gateway, sample) for sample in tqdm(samples, desc="250 to routed", unit="fax", file=sys.stderr)]
    took = [seconds for seconds, _ in ends]
    held = sum(state == "held" for _, state in ends)
    remark = f"One-page sample faxes, one after the other, median of {len(took)}, slowest {max(took):.2f} s"
    return Figure(
        "from 250 to routed, one page",
        statistics.median(took),
        "s",
        Aim(4, "at most"),
        remark=remark + (f"; {held} of them were held for a person." if held else "."),
    )


def _route(gateway: city.Gateway, sample: Sample) -> tuple[float, str]:
    """Seconds from 250 until the pages show where the fax went, and its state."""
    time.sleep(1)  # idle again
    fax_id, said = _send(gateway, sample)
    while True:
        state = str(gateway.ask(f"/api/v1/faxes/{fax_id}")["state"])
        if state in ("routed", "held"):
            return time.perf_counter() - said, state
        assert state != "failed" and time.perf_counter() < said + PATIENCE, f"{sample.file.name} is {state}"
        time.sleep(LOOK)


def memory(gateway: city.Gateway, samples: Sequence[Sample]) -> list[Figure]:
    """What the main process and the workers hold once all samples were read."""
    pages = _settle(gateway, samples)
    time.sleep(REST)
    main = psutil.Process(gateway.process.pid)
    children = [child for child in main.children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]
    workers = [child for child in children if not child.net_connections("tcp")]  # the others are the door's
    assert len(workers) == gateway.config.ocr.workers, f"{len(workers)} workers"
    held, shared = main.memory_info().rss, main.memory_full_info().pss
    largest = max(workers, key=lambda worker: worker.memory_info().rss)
    megabyte = 1e6
    return [
        Figure(
            "memory of the main process at rest",
            held / megabyte,
            "MB",
            Aim(300, "at most"),
            remark=f"RSS after {pages} pages, the OCR workers not counted; PSS {shared / megabyte:.0f} MB.",
        ),
        Figure(
            "memory of an OCR worker",
            largest.memory_info().rss / megabyte,
            "MB",
            Aim(700, "at most"),
            remark=f"RSS of the largest of {len(workers)} after {pages} pages; PSS "
            f"{largest.memory_full_info().pss / megabyte:.0f} MB, at its peak {max(map(_peak, workers)):.0f} MB.",
        ),
    ]


def calling(gateway: city.Gateway, folder: Path, waiting: int, urgent: int) -> Figure:
    """From 250 to the message that calls people, with ordinary faxes waiting to be read; the gateway is left busy."""
    long = _long(folder / "long.pdf")
    for number in tqdm(range(waiting), desc="ordinary faxes", unit="fax", file=sys.stderr):
        _send(gateway, _to_hoken(long, f"0355550{number:03d}"))
    took = []
    for number in tqdm(range(urgent), desc="250 to people called", unit="fax", file=sys.stderr):
        sample = _to_hoken(city.SAMPLES / URGENT[number % len(URGENT)], f"0355551{number:03d}")
        took.append(_called(folder / "ring", *_send(gateway, sample)))
        time.sleep(REST)
    return Figure(
        "from 250 to people called, the slowest",
        max(took),
        "s",
        Aim(15, "at most"),
        remark=f"{urgent} urgent sample faxes to an ordinary line, the first right behind {waiting} ordinary faxes of "
        f"{PAGES} pages, {REST:.0f} s between two; each: {', '.join(f'{seconds:.1f}' for seconds in took)} s.",
    )


def _to_hoken(file: Path, caller: str) -> Sample:
    return Sample(file, machine.Call(to="hoken@fax.example.jp", caller=caller), PAGES, goes=True)


def _long(path: Path) -> Path:
    """An ordinary fax of several pages: a sample's page again and again."""
    one, several = pypdfium2.PdfDocument(str(city.SAMPLES / ORDINARY)), pypdfium2.PdfDocument.new()
    for _ in range(PAGES):
        several.import_pages(one)
    several.save(str(path))
    return path


def _called(ring: Path, fax_id: str, said: float) -> float:
    """Seconds from 250 until the first message of this fax lies in the folder of those who are called."""
    while not any(ring.glob(f"{fax_id}-alert1-*.json")):
        assert time.perf_counter() < said + PATIENCE, f"nobody was called to {fax_id}"
        time.sleep(LOOK)
    return time.perf_counter() - said


def _peak(process: psutil.Process) -> float:
    """The most it ever held, in MB (VmHWM of proc(5), which is in kB of 1024 bytes)."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{process.pid}/status").read_text("utf-8"), re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _settle(gateway: city.Gateway, samples: Sequence[Sample]) -> int:
    """Send them all, wait for all, and give the number of pages."""
    sent = [_send(gateway, sample)[0] for sample in samples]
    waiting = tqdm(sent, desc="reading samples", unit="fax", file=sys.stderr)
    return sum(int(gateway.settled(fax_id, PATIENCE)["pages"]) for fax_id in waiting)


def _send(gateway: city.Gateway, sample: Sample) -> tuple[str, float]:
    """The fax's id and the moment of its 250."""
    mail = machine.letter(sample.file, sample.call)
    with smtplib.SMTP(*gateway.smtp, timeout=PATIENCE) as client:
        client.ehlo("mfp")
        client.mail(sample.call.machine)
        client.rcpt(sample.call.to)
        code, said = client.data(mail)
        moment = time.perf_counter()
    assert code == 250, said
    return said.decode().partition("Kept as ")[2], moment


def faxes_to_send(gateway: city.Gateway) -> list[Sample]:
    """The faxes of samples/ that go to a line which the invented city has."""
    organisation = gateway.config.organisation
    lines = {line.address for line in organisation.lines}
    entries = json.loads((city.SAMPLES / "samples.json").read_text("utf-8"))["samples"]
    return [
        Sample(
            file=city.SAMPLES / entry["file"],
            call=machine.Call(to=entry["line_address"], caller=entry["caller"] or ""),
            pages=entry["pages"],
            goes=not entry["held"]
            and entry["document_type"] not in FOR_A_PERSON
            and organisation.department(entry["department"]) is not None,
        )
        for entry in entries
        if entry["line_address"] in lines
    ]
