"""The sweep takes what is nobody's, and never what somebody may still need."""

from __future__ import annotations

import os
import time
from pathlib import Path

from gateway.house import House
from gateway.models import Page, Standing
from gateway.service import sweep
from gateway.spool import ORPHAN_SECONDS, STRAY_SECONDS, Spool
from gateway.store import Mail


def aged(spool: Spool, digest: str, seconds: float) -> Path:
    """The file, as old as that."""
    file = spool.folder / digest[:2] / digest
    os.utime(file, times=(time.time() - seconds,) * 2)
    return file


def test_old_bytes_that_no_row_names_are_swept_and_others_stay(house: House) -> None:
    mail, whole, picture, orphan, young = (
        house.spool.put(name) for name in (b"mail", b"whole", b"png", b"old", b"new")
    )
    ((fax_id,),) = house.store.accept([Mail(sha256=mail, size=4, lines=("hoken",))])
    house.store.begin(fax_id, "run")
    house.store.page_read("run", Page(fax_id=fax_id, number=1, png=picture))
    house.store.joined([fax_id], fax_id, "run", whole, Standing.WHOLE)
    for digest in (mail, whole, picture, orphan):
        aged(house.spool, digest, ORPHAN_SECONDS + 60)
    assert sweep(house.store, house.spool, time.time()) == 1
    assert set(house.spool.settled()) == {mail, whole, picture, young}


def test_bytes_that_came_again_are_young_again(house: House) -> None:
    digest = house.spool.put(b"its 250 was never said")
    aged(house.spool, digest, ORPHAN_SECONDS + 60)
    assert house.spool.put(b"its 250 was never said") == digest
    assert sweep(house.store, house.spool, time.time()) == 0
    assert house.spool.get(digest) == b"its 250 was never said"


def test_an_arrival_is_swept_when_no_machine_can_be_sending_it(house: House) -> None:
    left = house.spool.folder / "arriving" / "left"
    left.write_bytes(b"half a ma")
    assert sweep(house.store, house.spool, time.time()) == 0
    assert sweep(house.store, house.spool, time.time() + STRAY_SECONDS + 60) == 1
    assert not left.exists()


def test_a_clock_that_is_wrong_by_days_sweeps_nothing_that_a_row_names(house: House) -> None:
    digest = house.spool.put(b"mail")
    house.store.accept([Mail(sha256=digest, size=4, lines=("hoken",))])
    sweep(house.store, house.spool, time.time() + 1000 * ORPHAN_SECONDS)
    assert list(house.spool.settled()) == [digest]


def test_bytes_laid_aside_by_a_sweep_that_died_come_back(house: House) -> None:
    """Killed between laying aside and looking once more: they may have come again, with 250, at that very moment."""
    digest = house.spool.put(b"mail")
    file = aged(house.spool, digest, ORPHAN_SECONDS + 60)
    file.rename(house.spool.folder / "arriving" / digest)
    house.store.accept([Mail(sha256=digest, size=4, lines=("hoken",))])
    sweep(house.store, house.spool, time.time())
    assert house.spool.get(digest) == b"mail"
