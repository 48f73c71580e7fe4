"""Pages a minute through the reading chain, and how well they were read, for each engine on the same pages.

The chain is the one of the running gateway: the mail out of the spool, its document opened, the page read and its
picture written, in the child processes of `gateway.reader` with their limits.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from benchmarks import archive
from benchmarks.faxgen.catalogue import DOCUMENT_TYPES, Commission, corpus, make
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.machine import pdf
from benchmarks.score import Reliability, Tally
from benchmarks.table import Aim, Figure, Peer
from gateway import machine
from gateway.reader import Limits, MailToRead, Readers
from gateway.spool import Spool
from ocr import engine as engines
from ocr.errors import EngineMissing, ReadingError
from ocr.page import PageText

SEED = 2311
"""Of the corpus. Fixed, so that two runs read the same faxes; chosen by nothing."""
WORKERS = 2
AIM = 60.0
"""Pages a minute on clean pages with two workers."""
ARCHIVE_RATE, ARCHIVE_ERRORS = Aim(3.0, "at least", "ratio"), Aim(0.2, "at most", "ratio")
TESSERACT = "tesseract jpn"
HONEST = Aim(5.0, "at most")
"""Percentage points between what is said of words and how many of them are right."""
SAMENESS = {"print": "print", "hand": "handwriting style"}


@dataclass(frozen=True, slots=True)
class Effort:
    """How many faxes of each corpus; no page of one is begun after *seconds*. *engine* is held against tesseract."""

    faxes: int
    seconds: float
    corpora: tuple[str, ...] = ("clean", "damaged")
    engine: engines.EngineName = "paddle"
    archive: tuple[str, ...] = ("clean", "damaged")
    """The corpora on which it is held against OCRmyPDF."""


FULL = Effort(faxes=24, seconds=75)
QUICK = Effort(faxes=4, seconds=20, archive=("clean",))


@dataclass(frozen=True, slots=True)
class Fax:
    """A generated fax in the spool, and what is true of it."""

    mail: MailToRead
    pages: int
    truth: dict[str, Any]
    file: Path
    """Its PDF."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one engine did with a set of faxes."""

    pages: int
    seconds: float
    cpu: float
    """Seconds of CPU of the workers and what they start."""
    unreadable: int
    texts: dict[tuple[int, int], str]
    """By (fax, page) of the pages that were begun in time."""
    read: dict[tuple[int, int], PageText]
    """The same, but for those that could not be read."""
    binding: float = 0.0
    """Seconds that two workers took to write the faxes as searchable PDFs; 0 where that was not asked for."""

    @property
    def rate(self) -> float:
        """Pages a minute."""
        return 60 * self.pages / self.seconds


def measure(base: Path, effort: Effort = FULL) -> Sequence[Figure]:
    """Rows for the clean and the damaged corpus."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="faxless-reading-", dir=base) as folder:
        spool = Spool(Path(folder))
        spool.prepare()
        for name in effort.corpora:
            faxes = _faxes(spool, effort.faxes, 1.0 if name == "clean" else 0.0, f"drawing {name} faxes")
            figures += _compared(spool, faxes, name, effort)
    return figures


def _compared(spool: Spool, faxes: Sequence[Fax], name: str, effort: Effort) -> Iterator[Figure]:
    tasks = [(index, page) for index, fax in enumerate(faxes) for page in range(1, fax.pages + 1)]
    ours = _read(spool, effort.engine, faxes, tasks, effort.seconds, name, bind=name in effort.archive)
    theirs = None
    why = ""
    try:
        engines.probe("tesseract")
        theirs = _read(spool, "tesseract", faxes, sorted(ours.texts), float("inf"), name)
    except EngineMissing as missing:
        why = f" No peer: {missing}"
    remark = (
        f"{ours.pages} pages (corpus seed {SEED}) in {WORKERS} processes of one thread each, engine loaded before; "
        f"{ours.cpu / ours.pages:.1f} s of CPU a page; {ours.unreadable} could not be read.{_stand_ins(faxes)}{why}"
    )
    beside = None if theirs is None else Peer(TESSERACT, theirs.rate, ours.rate / theirs.rate)
    aim = Aim(AIM, "at least") if name == "clean" else None
    yield Figure(f"pages read, {name}", ours.rate, "/min", aim, beside, remark)
    yield from _errors(faxes, name, ours, theirs)
    if name in effort.archive:
        yield from _beside_archive(faxes, name, ours)
    yield from _honesty(faxes, name, ours)


def _beside_archive(faxes: Sequence[Fax], name: str, ours: Run) -> Iterator[Figure]:
    """The same pages through OCRmyPDF: searchable PDFs on both sides."""
    rate = 60 * ours.pages / (ours.seconds + ours.binding)
    what = f"pages read and written as searchable PDF, {name}"
    if why := archive.why_not():
        yield Figure(what, rate, "/min", ARCHIVE_RATE, None, why)
        return
    tasks = sorted(ours.texts)
    them = archive.archive([(faxes[fax].file, page) for fax, page in tasks], WORKERS)
    their_rate = 60 * len(tasks) / them.seconds
    remark = (
        f"{len(tasks)} pages, two jobs on both sides; OCRmyPDF {' '.join(archive.WORDS)}, all pages in one file, "
        f"{them.cpu / len(tasks):.1f} s of CPU a page."
    )
    yield Figure(what, rate, "/min", ARCHIVE_RATE, Peer(archive.name(), their_rate, rate / their_rate), remark)
    theirs = Run(len(tasks), them.seconds, them.cpu, 0, dict(zip(tasks, them.texts, strict=True)), {})
    for figure in _errors(faxes, f"{name}, beside OCRmyPDF", ours, theirs, archive.name()):
        yield replace(figure, aim=ARCHIVE_ERRORS)


def _errors(
    faxes: Sequence[Fax], name: str, ours: Run, theirs: Run | None, called: str = TESSERACT
) -> Iterator[Figure]:
    mine, other = _score(faxes, ours), theirs and _score(faxes, theirs)
    for kind, said in SAMENESS.items():
        rate = mine.rates()[f"cer_{kind}"]
        peer_rate = other and other.rates()[f"cer_{kind}"]
        if rate is None:
            continue
        beside = Peer(called, 100 * peer_rate, rate / peer_rate) if peer_rate else None
        remark = f"{mine.characters[kind]} characters of {mine.faxes} faxes, by benchmarks/score.py."
        yield Figure(f"wrong characters, {name}, {said}", 100 * rate, "%", None, beside, remark)


def _honesty(faxes: Sequence[Fax], name: str, run: Run) -> Iterator[Figure]:
    """How many of the words were right of which the engine said that it was so sure of them."""
    found = Reliability()
    for (index, page), text in run.read.items():
        found.add(faxes[index].truth, [(word.text, word.confidence) for word in text.words], page)
    for row in found.rows():
        remark = f"{row['words']} words, of which {100 * row['said']:.1f} % was said on the average."
        yield Figure(f"words right, {name}, said {row['from']:.2f} or more", 100 * row["right"], "%", remark=remark)
    if found.gap is not None:
        remark = "Mean distance of the two columns above, by words."
        yield Figure(f"confidence beside the truth, {name}", 100 * found.gap, "%", HONEST, remark=remark)


def _score(faxes: Sequence[Fax], run: Run) -> Tally:
    """Of the faxes whose pages were all begun in time."""
    tally = Tally()
    for index, fax in enumerate(faxes):
        pages = [run.texts.get((index, page)) for page in range(1, fax.pages + 1)]
        whole = [text for text in pages if text is not None]
        if len(whole) == fax.pages:
            tally.add(fax.truth, "\n".join(whole))
    return tally


def _stand_ins(faxes: Sequence[Fax]) -> str:
    missing = sorted({font for fax in faxes for font in fax.truth["font_stand_ins"]})
    return f" Drawn with other fonts in place of {', '.join(missing)}." if missing else ""


def _faxes(spool: Spool, count: int, clean: float, told: str) -> list[Fax]:
    """*count* faxes of *count* classes (more than there are: again from the first), as mails in the spool."""
    types = list(DOCUMENT_TYPES)
    random.Random(SEED).shuffle(types)
    book = FontBook()
    commissions = corpus(count, SEED, tuple(types), clean)
    return [_fax(spool, commission, book) for commission in tqdm(commissions, desc=told, unit="fax", file=sys.stderr)]


def _fax(spool: Spool, commission: Commission, book: FontBook) -> Fax:
    made = make(commission, book)
    file = spool.folder / f"{commission.seed}.pdf"
    file.write_bytes(pdf(made.tiff))
    digest = spool.put(machine.letter(file, machine.Call(to="hoken@fax.example.jp")))
    return Fax(MailToRead(digest), made.pages, made.truth, file)


def _read(
    spool: Spool,
    engine: engines.EngineName,
    faxes: Sequence[Fax],
    tasks: Sequence[tuple[int, int]],
    seconds: float,
    name: str,
    *,
    bind: bool = False,
) -> Run:
    """Read pages in order with two workers at once; none is begun after *seconds*, but for the first ones.

    *bind*: write the faxes as searchable PDFs afterwards.
    """
    readers = Readers(spool, engine, WORKERS, Limits())
    texts: dict[tuple[int, int], str] = {}
    read: dict[tuple[int, int], PageText] = {}
    unreadable: dict[tuple[int, int], str] = {}
    waiting = iter(tasks)
    turn = threading.Lock()
    try:
        with (
            ThreadPoolExecutor(WORKERS) as threads,
            tqdm(total=len(tasks), desc=f"{engine}, {name}", unit="page", file=sys.stderr) as bar,
        ):
            _load(readers, faxes[0].mail, threads)
            begun, before = time.perf_counter(), _cpu()

            def work() -> None:
                while time.perf_counter() < begun + seconds or not texts:
                    with turn:
                        task = next(waiting, None)
                    if task is None:
                        return
                    texts[task] = ""
                    try:
                        read[task] = readers.read(faxes[task[0]].mail, 0, task[1]).page
                        texts[task] = read[task].text
                    except ReadingError as error:
                        unreadable[task] = type(error).__name__
                    bar.update()

            for worker in [threads.submit(work) for _ in range(WORKERS)]:
                worker.result()
            took, spent = time.perf_counter() - begun, _cpu() - before
            binding = _bind(readers, faxes, read, threads) if bind else 0.0
    finally:
        readers.close()
    return Run(len(texts), took, spent, len(unreadable), texts, read, binding)


def _bind(
    readers: Readers, faxes: Sequence[Fax], read: dict[tuple[int, int], PageText], threads: ThreadPoolExecutor
) -> float:
    """Seconds for writing all faxes of which pages were read."""
    begun = time.perf_counter()

    def bind(index: int) -> None:
        pages = {page: text for (fax, page), text in read.items() if fax == index}
        readers.searchable(faxes[index].mail.digest, "", pages, "fax")

    for _ in threads.map(bind, sorted({fax for fax, _ in read})):
        pass
    return time.perf_counter() - begun


def _load(readers: Readers, mail: MailToRead, threads: ThreadPoolExecutor) -> None:
    """Have every worker load its engine and read a page; that is not counted."""
    readers.warm()
    for _ in threads.map(lambda _: readers.read(mail, 0, 1), range(WORKERS)):
        pass


def _cpu() -> float:
    """Seconds of CPU that the children of this process have had, with theirs (tesseract is a program)."""
    times = [child.cpu_times() for child in psutil.Process().children()]
    return float(sum(t.user + t.system + t.children_user + t.children_system for t in times))
