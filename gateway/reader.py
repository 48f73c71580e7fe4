"""Where hostile bytes are opened: child processes with limits on time and memory, killed when they overstep.

A child dies with its parent (PR_SET_PDEATHSIG), so that no reading outlives the process that asked for it. The only
file that knows pebble.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from gateway.message import Message, read_message
from gateway.spool import Spool
from ocr import engine as engines
from ocr.document import open_document
from ocr.errors import DocumentError, EngineError, ReadingError
from ocr.page import Document, Reading
from ocr.read import read_page

T = TypeVar("T")

PR_SET_PDEATHSIG = 1  # prctl(2)
OPEN_SECONDS = 60.0
"""Opening a mail of 50 MB with 500 pages takes a few seconds; more is an attack."""
TASKS_PER_CHILD = 500
"""A child is replaced after so many tasks, which bounds whatever a library leaks."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use."""

    page_seconds: float = 60.0
    memory_bytes: int = 2048 << 20


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """One attached document of a mail, opened: its pages, or why there are none."""

    name: str
    kind: str
    pages: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """A mail read and its documents opened. ``message`` has no documents' bytes left in it."""

    message: Message
    documents: tuple[OpenedDocument, ...]

    @property
    def pages(self) -> int:
        """How many pages can be read."""
        return sum(document.pages for document in self.documents)


@dataclass(frozen=True, slots=True)
class MailToRead:
    """Which mail: its bytes in the spool and what is known beside them."""

    digest: str
    envelope_from: str = ""
    own_numbers: frozenset[str] = frozenset()


class _Child:
    """What one child keeps: the engine, loaded at the first page, and the mail it read last."""

    def __init__(self, folder: Path, engine: engines.EngineName) -> None:
        self.spool = Spool(folder)
        self.engine_name = engine
        self.engine: engines.Engine | None = None
        self.last: tuple[MailToRead, Message] | None = None

    def message(self, mail: MailToRead) -> Message:
        if self.last is None or self.last[0] != mail:
            raw = self.spool.get(mail.digest)
            self.last = (mail, read_message(raw, envelope_from=mail.envelope_from, own_numbers=mail.own_numbers))
        return self.last[1]


_child: _Child | None = None  # set by _settle_in, in a child only


def _settle_in(folder: Path, engine: engines.EngineName, memory_bytes: int, parent: int) -> None:
    global _child
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask to die with it
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["OMP_NUM_THREADS"] = os.environ["OMP_THREAD_LIMIT"] = "1"
    _child = _Child(folder, engine)


def _here() -> _Child:
    if _child is None:
        raise EngineError("読み取り処理の準備ができていません (not a reading process)")
    return _child


def _open(mail: MailToRead) -> OpenedMail:
    message = _here().message(mail)
    bare = replace(message, documents=(), others=())  # bytes stay in the child
    return OpenedMail(message=bare, documents=tuple(_opened(item.name, item.data) for item in message.documents))


def _opened(name: str, data: bytes) -> OpenedDocument:
    try:
        document: Document = open_document(data)
    except ReadingError as error:
        return OpenedDocument(name=name, kind="unreadable", pages=0, problem=f"{error}{error.advice}")
    return OpenedDocument(name=name, kind=document.kind, pages=document.pages)


def _documents(mail: MailToRead) -> list[tuple[str, str, bytes]]:
    return [(item.name, item.media_type, item.data) for item in _here().message(mail).documents]


def _read(mail: MailToRead, document: int, page: int) -> Reading:
    child = _here()
    if child.engine is None:
        child.engine = engines.load(child.engine_name)
    return read_page(child.message(mail).documents[document].data, page, child.engine)


def _warm() -> None:
    child = _here()
    if child.engine is None:
        child.engine = engines.load(child.engine_name)


class Readers:
    """The pool of children. One owner: the worker."""

    def __init__(self, spool: Spool, engine: engines.EngineName, workers: int, limits: Limits) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._limits = limits
        self._pool = ProcessPool(
            max_workers=self.workers,
            max_tasks=TASKS_PER_CHILD,
            initializer=_settle_in,
            initargs=(spool.folder, engine, limits.memory_bytes, os.getpid()),
            context=multiprocessing.get_context("spawn"),  # threads and fork do not go together
        )

    def warm(self) -> None:
        """Load the engines now, so that the first fax does not wait for them."""
        for _ in range(self.workers):
            self._pool.schedule(_warm)

    def open(self, mail: MailToRead) -> OpenedMail:
        """Read a mail and open its documents."""
        return self._ask(_open, mail, seconds=OPEN_SECONDS)

    def documents(self, mail: MailToRead) -> list[tuple[str, str, bytes]]:
        """Name, media type and bytes of a mail's fax documents."""
        return self._ask(_documents, mail, seconds=OPEN_SECONDS)

    def read(self, mail: MailToRead, document: int, page: int) -> Reading:
        """Read page ``page`` (from 1) of document ``document`` (from 0)."""
        return self._ask(_read, mail, document, page, seconds=self._limits.page_seconds)

    def close(self) -> None:
        """End the children, now."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _ask(self, task: Callable[..., T], *words: Any, seconds: float) -> T:
        """What the task says; a child that oversteps its limits is a document that cannot be read."""
        try:
            answer: T = self._pool.schedule(task, args=words, timeout=seconds).result()
        except TooLong:
            raise DocumentError(f"処理が制限時間({seconds:.0f}秒)を超えました。") from None
        except MemoryError:
            raise DocumentError("処理に必要なメモリが制限を超えました。") from None
        except ProcessExpired as ended:
            raise DocumentError("処理が途中で異常終了しました。") from ended
        return answer
