"""Bytes in the spool: kept under their hash, found again, checked, and swept when nobody wants them."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import Missing, SpoolFull
from gateway.spool import ARRIVING, SMALL, STRAY_SECONDS, Spool


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool")
    made.prepare()
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(blocks=st.lists(st.binary(max_size=2000), max_size=6))
def test_what_was_kept_is_found_under_its_hash(spool: Spool, blocks: list[bytes]) -> None:
    arrival = spool.begin()
    for block in blocks:
        arrival.write(block)
    whole = b"".join(blocks)
    assert arrival.digest == hashlib.sha256(whole).hexdigest()
    assert arrival.keep() == hashlib.sha256(whole).hexdigest()
    assert arrival.size == len(whole)
    assert spool.get(arrival.digest) == whole


def test_keeping_the_same_bytes_twice_is_the_same_as_once(spool: Spool) -> None:
    assert spool.put(b"fax") == spool.put(b"fax")
    assert list(spool.settled()) == [hashlib.sha256(b"fax").hexdigest()]


def test_bytes_that_changed_on_disk_are_not_given_out(spool: Spool) -> None:
    digest = spool.put(b"the fax")
    (spool.folder / digest[:2] / digest).write_bytes(b"the fix")
    with pytest.raises(Missing, match="壊れ"):
        spool.get(digest)


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", "a" * 63 + "/"])
def test_a_name_that_is_not_there_is_missing(spool: Spool, name: str) -> None:
    with pytest.raises(Missing):
        spool.get(name)


def test_a_discarded_arrival_leaves_nothing(spool: Spool) -> None:
    arrival = spool.begin()
    arrival.write(b"half a mail")
    arrival.discard()
    arrival.discard()
    assert [path for path in spool.folder.rglob("*") if path.is_file()] == []


def test_only_strays_are_swept(spool: Spool) -> None:
    young, old = spool.begin(), spool.begin()
    old.write(bytes(2 * SMALL))
    kept = spool.put(b"kept")
    moment = time.time()
    (oldest,) = (spool.folder / "arriving").iterdir()
    young.write(bytes(2 * SMALL))
    os.utime(oldest, (moment - STRAY_SECONDS - 1, moment - STRAY_SECONDS - 1))
    assert spool.sweep(moment) == 1
    assert not oldest.exists()
    assert spool.get(kept) == b"kept"
    young.discard()
    old.discard()


def test_what_is_not_whole_on_its_shelf_is_no_mail_and_is_swept(spool: Spool) -> None:
    """Killed between the first byte and the last: the file has its shelf already, but not its name."""
    kept = spool.put(b"kept")
    half = spool.folder / kept[:2] / f"{kept}{ARRIVING}0a1b2c3d"
    half.write_bytes(b"ke")
    assert list(spool.settled()) == list(spool.settled(kept[:2])) == [kept]
    moment = time.time()
    assert spool.sweep(moment, [kept[:2]]) == 0
    os.utime(half, (moment - STRAY_SECONDS - 1, moment - STRAY_SECONDS - 1))
    assert spool.sweep(moment, [kept[:2]]) == 1
    assert not half.exists()
    assert spool.get(kept) == b"kept"


def test_a_spool_that_cannot_be_made_says_so_and_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SpoolFull) as caught:
        Spool(tmp_path / "file" / "spool").prepare()
    assert caught.value.again


def test_a_spool_whose_folder_vanished_refuses_and_keeps_nothing(spool: Spool) -> None:
    (spool.folder / "arriving").rmdir()
    arrival = spool.begin()
    with pytest.raises(SpoolFull):
        arrival.write(bytes(2 * SMALL))
    with pytest.raises(SpoolFull):
        spool.put(b"fax")
