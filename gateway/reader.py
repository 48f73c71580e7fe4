"""Where hostile bytes are opened: child processes with limits on time and memory, killed when they overstep.

A child has one pipe and one question at a time, and shares no lock with anybody: whoever kills it, even idle, harms
nothing but the answer in hand. It dies with its parent, so that no reading outlives the process that asked for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import io
import itertools
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from multiprocessing.connection import Connection, wait
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from PIL import Image

from gateway.config import Ocr
from gateway.errors import Closed
from gateway.message import OPEN_BY_HAND, Attachment, Message, MessageKind, read_head, read_message
from gateway.spool import Spool
from ocr import engine as engines
from ocr.document import open_document
from ocr.errors import DocumentError, EngineError, ReadingError
from ocr.fingerprint import likeness
from ocr.page import PageText, Reading
from ocr.read import read_page
from ocr.searchable import ReadDocument, searchable

T = TypeVar("T")
P = ParamSpec("P")

OPEN_SECONDS = 60.0
"""Opening a mail of 50 MB with 500 pages takes a few seconds; more is an attack."""
FAX_PAGES = 1000
"""Pages of all documents of one mail: twice what one document may have."""
FILE_BYTES = 1 << 30
"""What a child may write into one file; only Tesseract writes any, a few megabytes at a time."""
USUAL, PATIENCE = 1 / 6, 10.0
"""A page usually takes less than a sixth of its limit. A mail that has taken ten limits more than that for its pages
together is left: 500 pages that all but overstep would hold a reader for a working day."""
REMEMBERED = 1000
"""Mails of which it is known how long they took."""
TASKS_PER_CHILD = 500
"""A child is replaced after so many tasks, which bounds whatever a library leaks."""
BINDING_SECONDS = 1.0
"""More for each page of a searchable PDF; it takes a tenth of that."""
CUT_OFF = "ファイルが途中で切れています。読めたところまで表示しています。発信元に再送を依頼してください。"


STRANGE = "想定していない内容のため処理できません。壊れているか、細工されたファイルの可能性があります。"
CRASHED = "読み取りの処理が途中で異常終了しました。壊れているか、細工されたファイルの可能性があります。"
NO_MEMORY = "処理に必要なメモリが制限を超えました。"
TOO_LONG = "このFAXの処理に時間がかかりすぎるため、残りは読んでいません。"

log = structlog.get_logger("reader")


class _Died(Exception):
    """The child ended before it answered."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use."""

    page_seconds: float = 60.0
    memory_bytes: int = 2048 << 20

    @classmethod
    def of(cls, ocr: Ocr) -> Limits:
        """As the configuration sets them."""
        return cls(page_seconds=ocr.page_seconds, memory_bytes=ocr.memory_megabytes << 20)


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """One attached document of a mail, opened: its pages, or why there are none."""

    name: str
    kind: str
    pages: int
    problem: str = ""
    sha256: str = ""
    """Of its bytes as they were attached."""


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """A mail read and its documents opened. ``message`` has no documents' bytes left in it."""

    message: Message
    documents: tuple[OpenedDocument, ...]

    @property
    def pages(self) -> int:
        """How many pages can be read."""
        return sum(document.pages for document in self.documents)

    @property
    def enclosed(self) -> str:
        """SHA-256 over its documents as they were attached; empty where one is not known, or none is there."""
        known = [document.sha256 for document in self.documents]
        return hashlib.sha256("\n".join(known).encode()).hexdigest() if known and all(known) else ""


class Turn(IntEnum):
    """Whose turn it is when several wait for a child: the smaller first, then who came first."""

    URGENT = 0
    FIRST = 1
    """First pages, and whatever else is short."""
    LATER = 2
    """The rest of long faxes, and copies."""


@dataclass(frozen=True, slots=True)
class MailToRead:
    """Which mail: its bytes in the spool and what is known beside them."""

    digest: str
    envelope_from: str = ""
    own_numbers: frozenset[str] = frozenset()
    turn: Turn = field(default=Turn.FIRST, compare=False)


@dataclass(frozen=True, slots=True)
class _Start:
    """What a child is started with."""

    spool: Spool
    engine: engines.EngineName
    memory_bytes: int


# ---- in the child ---------------------------------------------------------------------------------


class _Desk:
    """What one child keeps: the engine, loaded at the first page, and the mail it read last."""

    def __init__(self, start: _Start) -> None:
        self.spool = start.spool
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
            self._last = None  # two mails at once would be twice the memory
            with _its_own_fault():
                message = read_message(raw, envelope_from=mail.envelope_from, own_numbers=mail.own_numbers)
            self._last = (mail, message)
        return self._last[1]


class _Unforeseen(DocumentError):
    """A library raised what nobody expected of it; ``kind`` is for the log."""

    kind = ""


@contextlib.contextmanager
def _its_own_fault() -> Iterator[None]:
    """Whatever bytes make a library raise is the fault of the bytes: they are held, and no other fax waits for them."""
    try:
        yield
    except (ReadingError, MemoryError):
        raise
    except Exception as error:
        unforeseen = _Unforeseen(STRANGE)
        unforeseen.kind = type(error).__name__  # no more of it: the text of an exception may hold content
        raise unforeseen from error


def _open(desk: _Desk, mail: MailToRead) -> OpenedMail:
    message = desk.message(mail)
    return OpenedMail(message=_bare(message), documents=tuple(_all_opened(message)))


def _parse(desk: _Desk, mail: MailToRead) -> tuple[Message, tuple[str, ...]]:
    message = desk.message(mail)
    return _bare(message), tuple(document.name for document in message.documents)


def _open_one(desk: _Desk, mail: MailToRead, number: int, pages_left: int) -> OpenedDocument:
    item = desk.message(mail).documents[number]
    return _known(_opened(item, pages_left), item)


def _head(desk: _Desk, mail: MailToRead, why: str) -> Message:
    with _its_own_fault():
        raw = desk.spool.get(mail.digest)
        return read_head(raw, why, envelope_from=mail.envelope_from, own_numbers=mail.own_numbers)


def _bare(message: Message) -> Message:
    return replace(message, documents=(), others=())  # bytes stay in the child


def _all_opened(message: Message) -> Iterator[OpenedDocument]:
    left = FAX_PAGES
    for item in message.documents:
        opened = _opened(item, left)
        left -= opened.pages
        yield _known(opened, item)


def _known(opened: OpenedDocument, item: Attachment) -> OpenedDocument:
    return replace(opened, sha256=hashlib.sha256(item.data).hexdigest())


def _opened(item: Attachment, pages_left: int) -> OpenedDocument:
    try:
        if item.problem:
            return _unopened(item.name, item.problem)
        with _its_own_fault():
            document = open_document(item.data)
    except ReadingError as error:
        return _unopened(item.name, f"{error}{error.advice}")
    except MemoryError:
        return _unopened(item.name, f"{NO_MEMORY}{DocumentError.advice}")
    if document.pages > pages_left:
        return _unopened(
            item.name, f"このFAXのページが多すぎるため「{item.name}」は読んでいません(上限{FAX_PAGES}ページ)。"
        )
    return OpenedDocument(item.name, document.kind, document.pages, problem=CUT_OFF if document.cut_off else "")


def _unopened(name: str, problem: str) -> OpenedDocument:
    return OpenedDocument(name=name, kind="unreadable", pages=0, problem=problem)


def _documents(desk: _Desk, mail: MailToRead) -> list[tuple[str, str, bytes]]:
    return [(item.name, item.media_type, item.data) for item in desk.message(mail).documents]


def _searchable(desk: _Desk, mail: MailToRead, pages: Mapping[int, PageText], title: str) -> bytes:
    documents, before = [], 0
    message = desk.message(mail)
    for item, opened in zip(message.documents, _all_opened(message), strict=True):
        count = opened.pages
        read = {number: pages[before + number] for number in range(1, count + 1) if before + number in pages}
        documents.append(ReadDocument(item.data, read))
        before += count
    return searchable(documents, title)


def _read(desk: _Desk, mail: MailToRead, document: int, page: int) -> Reading:
    data, engine = desk.message(mail).documents[document].data, desk.engine()
    with _its_own_fault():
        return read_page(data, page, engine)


def _likeness(desk: _Desk, one: str, other: str) -> float:
    pictures = [Image.open(io.BytesIO(desk.spool.get(digest))) for digest in (one, other)]
    with _its_own_fault():
        return likeness(*pictures)


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
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
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


class _Patience:
    """How long each mail has kept readers beyond what is usual."""

    def __init__(self, usual: float, most: float) -> None:
        self._usual, self._most = usual, most
        self._spent: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, digest: str, seconds: float) -> None:
        with self._lock:
            self._spent[digest] = max(0.0, self._spent.pop(digest, 0.0) + seconds - self._usual)
            while len(self._spent) > REMEMBERED:
                self._spent.popitem(last=False)

    def forget(self, digest: str) -> None:
        with self._lock:
            self._spent.pop(digest, None)

    def is_at_its_end(self, digest: str) -> bool:
        return self._spent.get(digest, 0.0) > self._most


class _Places:
    """The places of the children; a free one goes to the most urgent of those who wait."""

    def __init__(self) -> None:
        self._free: list[_Child | None] = []
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    def put(self, child: _Child | None) -> None:
        """A place is free, with its child or (None) without one."""
        with self._changed:
            self._free.append(child)
            self._changed.notify_all()

    def get(self, turn: Turn) -> _Child | None:
        """A place, when it is one's turn."""
        ticket = (int(turn), next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, ticket)
            self._changed.wait_for(lambda: self._free and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._changed.notify_all()  # another place may be free for the next
            return self._free.pop()


class Readers:
    """The children. One owner: the worker."""

    def __init__(self, spool: Spool, engine: engines.EngineName, workers: int, limits: Limits) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._limits = limits
        self._start = _Start(spool, engine, limits.memory_bytes)
        self._free = _Places()
        self._children: set[_Child] = set()
        self._lock = threading.Lock()
        self._patience = _Patience(USUAL * limits.page_seconds, PATIENCE * limits.page_seconds)
        self._closed = False
        for _ in range(self.workers):
            self._free.put(None)  # a place; its child is started when it is needed

    def warm(self) -> None:
        """Load the engines now, in the background, so that the first fax does not wait for them."""
        for _ in range(self.workers):
            threading.Thread(target=self._warm_one, name="warm", daemon=True).start()

    def open(self, mail: MailToRead) -> OpenedMail:
        """Read a mail and open its documents; what cannot be opened within the limits is told, never raised."""
        self._patience.forget(mail.digest)
        try:
            return self._ask(OPEN_SECONDS, _open, mail)
        except ReadingError as error:
            return self._open_apart(mail, str(error))

    def _open_apart(self, mail: MailToRead, why: str) -> OpenedMail:
        """Document by document: the one that takes its reader down must hide no other."""
        try:
            message, names = self._ask(OPEN_SECONDS, _parse, mail)
        except ReadingError:
            return OpenedMail(self._head(mail, f"メールを開けません。{why}{OPEN_BY_HAND}"), ())
        documents: list[OpenedDocument] = []
        left = FAX_PAGES
        for number, name in enumerate(names):
            try:
                opened = self._ask(OPEN_SECONDS, _open_one, mail, number, left)
            except ReadingError as error:
                opened = _unopened(name, f"{error}{error.advice}")
            left -= opened.pages
            documents.append(opened)
        return OpenedMail(message, tuple(documents))

    def _head(self, mail: MailToRead, why: str) -> Message:
        try:
            return self._ask(OPEN_SECONDS, _head, mail, why)
        except ReadingError:
            return Message(MessageKind.UNREADABLE, problems=(why,), beyond=True)

    def documents(self, mail: MailToRead) -> list[tuple[str, str, bytes]]:
        """Name, media type and bytes of a mail's fax documents."""
        return self._ask(OPEN_SECONDS, _documents, mail)

    def searchable(
        self,
        digest: str,
        envelope_from: str,
        pages: Mapping[int, PageText],
        title: str,
        turn: Turn = Turn.FIRST,
    ) -> bytes:
        """All documents of a mail as one searchable PDF; ``pages``: what was read, counted from 1 through the fax.

        Raises :class:`DocumentError` where there is no document that can be opened.
        """
        seconds = OPEN_SECONDS + BINDING_SECONDS * len(pages)
        return self._ask(seconds, _searchable, MailToRead(digest, envelope_from, turn=turn), pages, title)

    def read(self, mail: MailToRead, document: int, page: int) -> Reading:
        """Read page ``page`` (from 1) of document ``document`` (from 0)."""
        return self._ask(self._limits.page_seconds, _read, mail, document, page)

    def likeness(self, one: str, other: str) -> float:
        """How much of what is written on either of two pages stands on both, 0 to 1; their pictures in the spool."""
        return self._ask(self._limits.page_seconds, _likeness, one, other)

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
        mail = next((word for word in words if isinstance(word, MailToRead)), MailToRead(""))
        about = mail.digest
        for _attempt in range(2):  # once more when the child died: it need not have been the document's fault
            if self._patience.is_at_its_end(about):
                raise DocumentError(TOO_LONG)
            child = self._take(mail.turn)
            begun = time.monotonic()
            try:
                fine, answer = child.ask(task, words, seconds)
            except TimeoutError:
                self._drop(child)
                raise DocumentError(f"処理が制限時間({seconds:.0f}秒)を超えました。") from None
            except _Died:
                self._drop(child)
                continue
            except BaseException:  # an answer that cannot be understood; the place must not be lost
                self._drop(child)
                raise
            finally:
                self._patience.spend(about, time.monotonic() - begun)
            if isinstance(answer, MemoryError):
                self._drop(child)
                raise DocumentError(NO_MEMORY)
            self._free.put(child)
            return _unfolded(fine, answer)  # type: ignore[no-any-return]  # a pipe knows no types
        raise EngineError(CRASHED)

    def _take(self, turn: Turn) -> _Child:
        child = self._free.get(turn)
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
    if isinstance(answer, _Unforeseen):
        log.error("unforeseen", error=answer.kind)
    raise answer
