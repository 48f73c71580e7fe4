"""Mails that attack, in real reading processes: held with a reason, in bounded memory, and the next fax is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from gateway import machine, reader
from gateway.message import MessageKind
from gateway.reader import Limits, MailToRead, Readers
from gateway.spool import Spool
from ocr.errors import DocumentError
from tests.city import SAMPLES
from tests.corpus.mail import machines as m
from tests.fuzz import documents, mails
from tests.fuzz.attacks import ENDLESS, Attack, Outcome, attacks, suffer

MEMORY = 1 << 30
"""Half of what a child may have; the worst measured is 0.6 of this without an engine."""
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龠]")


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Spool:
    made = Spool(tmp_path_factory.mktemp("hostile") / "spool")
    made.prepare()
    return made


@pytest.fixture(scope="module")
def readers(spool: Spool) -> Iterator[Readers]:
    pool = Readers(spool, "paddle", 1, Limits())
    yield pool
    pool.close()


@pytest.mark.parametrize("attack", [pytest.param(one, id=one.name) for one in attacks() if one.name not in ENDLESS])
def test_an_attack_is_held_with_its_reason_and_hurts_nobody(attack: Attack, readers: Readers, spool: Spool) -> None:
    after = suffer(readers, spool, attack)
    assert after.peak < MEMORY
    assert re.search(attack.reason, after.told), after.told
    if attack.beside:
        assert after.opened.message.counts
        assert after.pages[0] == "64x32", "the good page beside it"
    for sentence in sentences(after):
        assert JAPANESE.search(sentence), sentence
    if not after.opened.documents:
        assert after.opened.message.problems
    if attack.name in mails.BEYOND:  # it counts until a person knows better
        assert (after.opened.message.kind, after.opened.message.counts) == (MessageKind.UNREADABLE, True)
        assert "専用の端末" in after.opened.message.problems[0], "what to do"


def sentences(after: Outcome) -> list[str]:
    pages = [page for page in after.pages if not re.fullmatch(r"\d+x\d+", page)]
    return [*(document.problem for document in after.opened.documents if document.problem), *pages]


def test_time_ends_what_nothing_else_ends_and_the_other_pages_are_read(spool: Spool) -> None:
    pool = Readers(spool, "paddle", 1, Limits(page_seconds=8))
    try:
        bad = documents.PDFS["tiling pattern of tiny steps"]()
        raw = m.multipart(mails.HEAD, [m.attached(m.tiff(1, at), "image/tiff", f"{at}.tif") for at in (1, 2)])
        raw = raw.replace(
            b"--BND_2027<0214>_x\r\n",
            b"--BND_2027<0214>_x\r\n"
            + bytes(m.attached(bad, "application/pdf", "bad.pdf"))
            + b"\r\n--BND_2027<0214>_x\r\n",
            1,
        )
        mail = MailToRead(spool.put(raw))
        assert [document.pages for document in pool.open(mail).documents] == [1, 1, 1]
        with pytest.raises(DocumentError, match="制限時間"):
            pool.read(mail, 0, 1)
        for document in (1, 2):
            assert pool.read(mail, document, 1).page.width == 64
    finally:
        pool.close()


def test_a_document_that_takes_its_reader_down_hides_no_other(spool: Spool) -> None:
    """15 MB of rectangles need more memory than this child has: it dies of it, twice, and then opens one by one."""
    pool = Readers(spool, "paddle", 1, Limits(memory_bytes=400 << 20))
    heavy = documents.drawn(
        documents.zlib.compress(b"0 0 500 700 re f\n" * 900_000), documents.SMALL, entries=documents.FLATE
    )
    try:
        opened = pool.open(MailToRead(spool.put(mails.beside_a_fax(heavy, "application/pdf", "a.pdf"))))
        good, bad = opened.documents
        assert (good.pages, good.problem) == (1, "")
        assert bad.pages == 0
        assert JAPANESE.search(bad.problem)
    finally:
        pool.close()


def test_a_mail_whose_opening_never_ends_is_known_by_its_header(
    spool: Spool, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ask(seconds: float, task: object, *words: object) -> object:
        asked.append(task)
        if task is reader._head:
            return original(seconds, task, *words)
        raise DocumentError("処理が制限時間(60秒)を超えました。")

    original = readers._ask
    monkeypatch.setattr(readers, "_ask", ask)
    opened = readers.open(MailToRead(spool.put(m.ricoh())))
    assert asked == [reader._open, reader._parse, reader._head]
    assert (opened.message.kind, opened.message.counts) == (MessageKind.UNREADABLE, True)
    assert opened.message.transmission.caller == "+81359990123"
    assert "制限時間" in opened.message.problems[0]


def test_a_mail_that_takes_too_long_altogether_is_left(spool: Spool) -> None:
    pool = Readers(spool, "paddle", 1, Limits(page_seconds=0.01))
    try:
        mail = MailToRead(
            spool.put(machine.letter(SAMPLES / "02_baidoku.tif", machine.Call(to="hoken@fax.example.jp")))
        )
        said = []
        for _ in range(20):
            with pytest.raises(DocumentError) as caught:
                pool.read(mail, 0, 1)
            said.append(str(caught.value))
        assert "制限時間" in said[0]
        assert said[-1] == reader.TOO_LONG
        assert pool.open(mail).pages == 1, "whoever has it read again begins anew"
    finally:
        pool.close()


def test_what_a_library_raises_is_the_documents_fault_and_the_log_has_its_kind(spool: Spool, readers: Readers) -> None:
    mail = MailToRead(spool.put(m.ricoh()))
    with capture_logs() as logged, pytest.raises(DocumentError, match="想定していない") as caught:
        readers._ask(60.0, stumble, mail)
    assert "秘密" not in str(caught.value)
    assert logged == [{"event": "unforeseen", "error": "ZeroDivisionError", "log_level": "error"}]
    assert readers.open(mail).pages == 2


def stumble(desk: object, mail: MailToRead) -> None:
    with reader._its_own_fault():
        raise ZeroDivisionError("秘密の内容")
