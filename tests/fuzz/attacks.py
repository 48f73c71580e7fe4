"""The attacks as mails, and what becomes of one in a real reading process.

``.venv/bin/python -m tests.fuzz.attacks`` walks all of them, reads what can be read, and prints the table: outcome,
seconds, and the child's greatest memory.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from gateway.reader import Limits, MailToRead, OpenedMail, Readers
from gateway.spool import Spool
from ocr.document import page_image
from ocr.errors import ReadingError
from tests.corpus.mail import machines as m
from tests.fuzz import documents, mails

ENDLESS = ("tiling pattern of tiny steps", "a million dashes", "half a million pictures", "JPEG with 20,000 scans")
"""Only the time limit ends the reading of these."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A mail, and what must be told of it."""

    name: str
    mail: Callable[[], bytes]
    reason: str = ""
    """A pattern that the reason must have; empty: it may as well be read."""
    beside: bool = False
    """The first document is a good page, which must be read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attack."""

    opened: OpenedMail
    pages: tuple[str, ...]
    """Of the first pages of each document: ``64x32``, or why not."""
    seconds: float
    peak: int
    """Bytes of memory of the children, as they were seen."""

    @property
    def told(self) -> str:
        """All that staff are told."""
        problems = (document.problem for document in self.opened.documents)
        return " ".join(filter(None, (*problems, *self.pages, *self.opened.message.problems)))


def attacks() -> Iterator[Attack]:
    kinds = (
        (documents.PDFS, "application/pdf", "a.pdf", mails.beside_a_fax),
        (documents.TIFFS, "image/tiff", "a.tif", mails.beside_a_fax),
        (documents.PICTURES, "image/png", "a.png", mails.with_file),
    )
    for table, media_type, file, wrap in kinds:
        for name, make in table.items():
            reason, beside = documents.HELD.get(name, ""), wrap is mails.beside_a_fax
            yield Attack(name, lambda w=wrap, k=make, t=media_type, f=file: w(k(), t, f), reason, beside)
    for held in (mails.BEYOND, mails.CONTAINERS):
        for name, (make, reason) in held.items():
            yield Attack(name, make, reason)
    for name, make in mails.ODD.items():
        yield Attack(name, make)


def look(desk: Any, mail: MailToRead, document: int, page: int) -> tuple[int, int]:
    """In the child: a page's picture without reading it."""
    size: tuple[int, int] = page_image(desk.message(mail).documents[document].data, page).image.size
    return size


def suffer(readers: Readers, spool: Spool, attack: Attack, *, read: bool = False, pages: int = 2) -> Outcome:
    """Open the mail and look at (or read) the first pages of its first documents."""
    mail = MailToRead(spool.put(attack.mail()))
    with Watch(readers) as watch:
        begun = time.monotonic()
        opened = readers.open(mail)
        found = [
            _page(readers, mail, document, page, read)
            for document, told in enumerate(opened.documents[:3])
            for page in range(1, min(told.pages, pages) + 1)
        ]
        seconds = time.monotonic() - begun
    return Outcome(opened, tuple(found), seconds, watch.peak)


def _page(readers: Readers, mail: MailToRead, document: int, page: int, read: bool) -> str:
    try:
        if read:
            text = readers.read(mail, document, page).page
            return f"{text.width}x{text.height}"
        return "{}x{}".format(*readers._ask(60.0, look, mail, document, page))
    except ReadingError as error:
        return f"{error}{error.advice}"


class Watch:
    """The memory of the readers' children: their own high-water marks, and what was seen of those that died."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self.peak = 0
        self._over = threading.Event()
        self._eye = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        for child in self._children():
            Path(f"/proc/{child.pid}/clear_refs").write_text("5")  # proc(5): the high-water mark begins anew
        self._eye.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._eye.join()
        for child in self._children():
            status = Path(f"/proc/{child.pid}/status").read_text()
            self.peak = max(self.peak, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) << 10)

    def _children(self) -> list[psutil.Process]:
        return [psutil.Process(child._process.pid) for child in list(self._readers._children) if child.alive]

    def _look(self) -> None:
        while not self._over.wait(0.02):
            with contextlib.suppress(psutil.Error):
                self.peak = max([self.peak, *(child.memory_info().rss for child in self._children())])


def main(wanted: str = "") -> None:
    mails.BIG = 40 * mails.MB
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool")
        spool.prepare()
        readers = Readers(spool, "paddle", 1, Limits())
        try:
            suffer(readers, spool, Attack("", lambda: mails.with_file(m.tiff(), "image/tiff", "a.tif")), read=True)
            print("| attack | KB | outcome | s | MB |\n|---|---|---|---|---|")
            for attack in attacks():
                if wanted in attack.name:
                    after = suffer(readers, spool, attack, read=True, pages=1)
                    told = after.told[:110].replace("|", "/") or str(after.opened.message.kind)
                    size = len(attack.mail()) >> 10
                    print(f"| {attack.name} | {size} | {told} | {after.seconds:.1f} | {after.peak >> 20} |", flush=True)
        finally:
            readers.close()


if __name__ == "__main__":
    main(*sys.argv[1:2])
