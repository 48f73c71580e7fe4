"""Where hostile bytes are opened: child processes with limits on time and memory, killed when they overstep.

A child has one pipe and one question at a time, and shares no lock with anybody: whoever kills it, even idle, harms
nothing but the answer in hand. It dies with its parent, so that no reading outlives the process that asked for it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import resource
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from gateway.errors import Closed
from gateway.message import Message, read_message
from gateway.spool import Spool
from ocr import engine as engines
from ocr.document import open_document
from ocr.errors import DocumentError, EngineError, ReadingError
from ocr.page import Reading
from ocr.read import read_page

T = TypeVar("T")
P = ParamSpec("P")

OPEN_SECONDS = 60.0
"""Opening a mail of 50 MB with 500 pages takes a few seconds; more is an attack."""
TASKS_PER_CHILD = 500
"""A child is replaced after so many tasks, which bounds whatever a library leaks."""
CUT_OFF = "ファイルが途中で切れています。読めたところまで表示しています。発信元に再送を依頼してください。"


class _Died(Exception):
    """The child ended before it answered."""


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


@dataclass(frozen=True, slots=True)
class _Start:
    """What a child is started with."""

    folder: Path
    engine: engines.EngineName
    memory_bytes: int


# ---- in the child ---------------------------------------------------------------------------------


class _Desk:
    """What one child keeps: the engine, loaded at the first page, and the mail it read last."""

    def __init__(self, start: _Start) -> None:
        self.spool = Spool(start.folder)
        self._engine_name = start.engine
        self._engine: engines.Engine | None = None
        self._last: tuple[MailToRead, Message] | None = None

    def engine(self) -> engines.Engine:
        if self._engine is None:
            self._engine = engines.load(self._engine_name)
        return self._engine

    def message(self, mail: MailToRead) -> Message:
        if self._last is None or self._last[0] != mail:
            raw = self.spool.get(mail.digest)
            self._last = (mail, read_message(raw, envelope_from=mail.envelope_from, own_numbers=mail.own_numbers))
        return self._last[1]


def _open(desk: _Desk, mail: MailToRead) -> OpenedMail:
    message = desk.message(mail)
    bare = replace(message, documents=(), others=())  # bytes stay in the child
    return OpenedMail(message=bare, documents=tuple(_opened(item.name, item.data) for item in message.documents))


def _opened(name: str, data: bytes) -> OpenedDocument:
    try:
        document = open_document(data)
    except ReadingError as error:
        return OpenedDocument(name=name, kind="unreadable", pages=0, problem=f"{error}{error.advice}")
    return OpenedDocument(name, document.kind, document.pages, problem=CUT_OFF if document.cut_off else "")


def _documents(desk: _Desk, mail: MailToRead) -> list[tuple[str, str, bytes]]:
    return [(item.name, item.media_type, item.data) for item in desk.message(mail).documents]


def _read(desk: _Desk, mail: MailToRead, document: int, page: int) -> Reading:
    return read_page(desk.message(mail).documents[document].data, page, desk.engine())


def _warm(desk: _Desk) -> None:
    desk.engine()


def _die_with_parent() -> None:
    # Not prctl(PR_SET_PDEATHSIG): that asks to die with the thread that made us, and threads come and go.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(1)


def _live(pipe: Connection, start: _Start) -> None:
    """The life of a child: answer questions until the parent is gone."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    for ending in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the parent decides
        signal.signal(ending, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (start.memory_bytes, start.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["OMP_NUM_THREADS"] = os.environ["OMP_THREAD_LIMIT"] = "1"
    desk = _Desk(start)
    for _ in range(TASKS_PER_CHILD):
        try:
            task, words = pipe.recv()
        except EOFError:
            return
        try:
            answer = (True, task(desk, *words))
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told
            answer = (False, error)
        pipe.send(answer)


# ---- in the parent --------------------------------------------------------------------------------


class _Child:
    """One child and the pipe to it."""

    def __init__(self, start: _Start) -> None:
        spawn = multiprocessing.get_context("spawn")  # threads and fork do not go together
        self._pipe, far = spawn.Pipe()
        self._process = spawn.Process(target=_live, args=(far, start), daemon=True)
        self._process.start()
        far.close()  # so that the child's end shows as the end of the pipe

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def ask(self, task: Callable[..., Any], words: tuple[Any, ...], seconds: float) -> tuple[bool, Any]:
        """True and what the task said, or False and what it raised. No answer: TimeoutError or :class:`_Died`."""
        try:
            self._pipe.send((task, words))
            in_time = self._pipe.poll(seconds)
            answer: tuple[bool, Any] = self._pipe.recv() if in_time else (False, None)
        except (EOFError, OSError) as error:  # also when the readers are closed meanwhile
            raise _Died from error
        if not in_time:
            raise TimeoutError
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


class Readers:
    """The children. One owner: the worker."""

    def __init__(self, spool: Spool, engine: engines.EngineName, workers: int, limits: Limits) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._limits = limits
        self._start = _Start(spool.folder, engine, limits.memory_bytes)
        self._free: queue.SimpleQueue[_Child | None] = queue.SimpleQueue()
        self._children: set[_Child] = set()
        self._lock = threading.Lock()
        self._closed = False
        for _ in range(self.workers):
            self._free.put(None)  # a place; its child is started when it is needed

    def warm(self) -> None:
        """Load the engines now, in the background, so that the first fax does not wait for them."""
        for _ in range(self.workers):
            threading.Thread(target=self._warm_one, name="warm", daemon=True).start()

    def open(self, mail: MailToRead) -> OpenedMail:
        """Read a mail and open its documents."""
        return self._ask(OPEN_SECONDS, _open, mail)

    def documents(self, mail: MailToRead) -> list[tuple[str, str, bytes]]:
        """Name, media type and bytes of a mail's fax documents."""
        return self._ask(OPEN_SECONDS, _documents, mail)

    def read(self, mail: MailToRead, document: int, page: int) -> Reading:
        """Read page ``page`` (from 1) of document ``document`` (from 0)."""
        return self._ask(self._limits.page_seconds, _read, mail, document, page)

    def close(self) -> None:
        """End the children, now; whoever waits for one is told :class:`Closed`."""
        with self._lock:
            self._closed = True
            children = list(self._children)
        for child in children:
            child.end()

    def _warm_one(self) -> None:
        with contextlib.suppress(ReadingError, Closed):  # the first page will say it again
            self._ask(self._limits.page_seconds, _warm)

    def _ask(self, seconds: float, task: Callable[Concatenate[_Desk, P], T], *words: P.args, **_: P.kwargs) -> T:
        """What the task says; a child that oversteps its limits is a document that cannot be read."""
        for _attempt in range(2):  # once more when the child died: it need not have been the document's fault
            child = self._take()
            try:
                fine, answer = child.ask(task, words, seconds)
            except TimeoutError:
                self._drop(child)
                raise DocumentError(f"処理が制限時間({seconds:.0f}秒)を超えました。") from None
            except _Died:
                self._drop(child)
                continue
            if isinstance(answer, MemoryError):
                self._drop(child)
                raise DocumentError("処理に必要なメモリが制限を超えました。")
            self._free.put(child)
            return _unfolded(fine, answer)  # type: ignore[no-any-return]  # a pipe knows no types
        raise EngineError("処理が途中で異常終了しました。")

    def _take(self) -> _Child:
        child = self._free.get()
        with self._lock:
            if self._closed:
                self._free.put(None)
                raise Closed("ゲートウェイを停止しています (stopping)")
            if child is None or not child.alive:
                if child is not None:
                    self._children.discard(child)
                    child.end()
                child = _Child(self._start)
                self._children.add(child)
        return child

    def _drop(self, child: _Child) -> None:
        with self._lock:
            self._children.discard(child)
            if not self._closed:
                child.end()
        self._free.put(None)


def _unfolded(fine: bool, answer: Any) -> Any:
    if fine:
        return answer
    raise answer
