"""The children that open hostile bytes: they overstep a limit, they die, and the next fax is read all the same."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gateway import machine
from gateway.reader import Limits, MailToRead, Readers
from gateway.spool import Spool
from ocr.errors import DocumentError, ReadingError, TooLarge
from tests.city import SAMPLES


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool")
    made.prepare()
    return made


@pytest.fixture
def readers(spool: Spool) -> Iterator[Readers]:
    pool = Readers(spool, "paddle", 1, Limits())
    yield pool
    pool.close()


def keep(spool: Spool, name: str = "02_baidoku.tif") -> MailToRead:
    return MailToRead(spool.put(machine.letter(SAMPLES / name, machine.Call(to="hoken@fax.example.jp"))))


def test_a_mail_is_opened_and_read_in_a_child(spool: Spool, readers: Readers) -> None:
    mail = keep(spool)
    opened = readers.open(mail)
    assert (opened.pages, [document.kind for document in opened.documents]) == (1, ["tiff-g4"])
    assert opened.message.documents == ()
    assert "梅毒" in readers.read(mail, 0, 1).page.text
    assert [data for _, _, data in readers.documents(mail)] == [(SAMPLES / "02_baidoku.tif").read_bytes()]


def test_a_page_that_takes_too_long_is_given_up_and_the_next_mail_is_opened(spool: Spool) -> None:
    pool = Readers(spool, "paddle", 1, Limits(page_seconds=0.2))
    try:
        mail = keep(spool)
        with pytest.raises(DocumentError, match="制限時間"):
            pool.read(mail, 0, 1)
        assert pool.open(mail).pages == 1
    finally:
        pool.close()


def test_a_child_without_memory_is_a_page_that_cannot_be_read(spool: Spool) -> None:
    pool = Readers(spool, "paddle", 1, Limits(memory_bytes=160 << 20))
    try:
        with pytest.raises(ReadingError):
            pool.read(keep(spool), 0, 1)
    finally:
        pool.close()


def test_the_largest_fax_page_is_read_in_half_the_memory_and_hides_no_other(spool: Spool, tmp_path: Path) -> None:
    """A3 at 408x391 dpi in noise, between a page that claims to be larger than any and a usual one."""
    with Image.open(SAMPLES / "02_baidoku.tif") as sample:
        sample.load()
    ink = np.asarray(sample.resize((4864, 6465)).convert("1")) ^ (np.random.default_rng(4).random((6465, 4864)) < 0.02)
    large = Image.fromarray(ink.astype(np.uint8) * 255).convert("1")
    mails = []
    for number, (page, dpi) in enumerate(((large, (408, 391)), (Image.new("1", (49_000, 9)), (204, 196)))):
        file = tmp_path / f"{number}.tif"
        page.save(file, compression="group4", dpi=dpi)
        mails.append(MailToRead(spool.put(machine.letter(file, machine.Call(to="hoken@fax.example.jp")))))
    content = bytearray((tmp_path / "1.tif").read_bytes())
    assert content.count((49_000).to_bytes(4, "little")) == 1
    (tmp_path / "2.tif").write_bytes(content.replace((49_000).to_bytes(4, "little"), (51_000).to_bytes(4, "little")))
    beyond = MailToRead(spool.put(machine.letter(tmp_path / "2.tif", machine.Call(to="hoken@fax.example.jp"))))
    pool = Readers(spool, "paddle", 1, Limits(memory_bytes=1024 << 20, page_seconds=300))
    try:
        with pytest.raises(TooLarge):
            pool.read(beyond, 0, 1)
        (child,) = multiprocessing.active_children()
        page = pool.read(mails[0], 0, 1).page
        assert (page.width, page.height) == (4864, 6465)
        assert "despeckle" in page.engine
        assert pool.read(mails[1], 0, 1).page.text == ""
        assert "梅毒" in pool.read(keep(spool), 0, 1).page.text
        assert multiprocessing.active_children() == [child], "no page took the child down"
    finally:
        pool.close()


def test_a_child_that_is_killed_is_replaced(spool: Spool, readers: Readers) -> None:
    mail = keep(spool)
    readers.open(mail)
    (child,) = multiprocessing.active_children()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join(timeout=60)
    for _ in range(3):
        try:
            assert readers.open(mail).pages == 1
            break
        except DocumentError:  # the one that it had in hand
            continue
    else:
        raise AssertionError("no child came in its place")


def test_a_mail_that_is_not_in_the_spool_is_an_error_for_its_own_journey(readers: Readers) -> None:
    from gateway.errors import Missing

    with pytest.raises(Missing):
        readers.open(MailToRead("0" * 64))


def test_a_child_outlives_the_thread_that_asked_first(spool: Spool, readers: Readers) -> None:
    """A child that dies with the thread that made it (PR_SET_PDEATHSIG) is gone when a warming thread ends."""
    mail = keep(spool)
    first = threading.Thread(target=readers.open, args=(mail,))
    first.start()
    first.join()
    (child,) = multiprocessing.active_children()
    time.sleep(0.3)
    assert readers.open(mail).pages == 1
    assert multiprocessing.active_children() == [child]
