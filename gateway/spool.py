"""The spool: bytes by their sha256, written once, never rewritten.

Here they lie in a folder; :mod:`gateway.bucket` keeps them in an object store.

A file is durable when :meth:`Arrival.keep` has returned: its bytes are synced, it has its final name, and the folder
that holds the name is synced. Until then it is a nameless arrival that a restart sweeps away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from gateway.errors import Missing, SpoolError, SpoolFull

ORPHAN_SECONDS = 7 * 86400.0
"""Settled bytes that no row names for so long are a mail whose machine gave up (RFC 5321 4.5.4.1: after 4-5 days)."""

STRAY_SECONDS = 3600.0
"""An arrival older than this belongs to nobody: no machine sends one mail for an hour."""

SMALL = 256 << 10
"""So much of a mail is held in memory: making a file of it is the work of the thread that syncs, not the door's."""


ANY_SHELF = "[0-9a-f][0-9a-f]"

ARRIVING = ".arriving-"
"""In the name of a file on a shelf that is not whole yet."""


class Arrival:
    """Bytes on their way in; written block by block so that memory stays bounded."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._hash = hashlib.sha256()
        self.size = 0
        self._blocks: list[bytes] = []
        self._file: FileIO | None = None

    def write(self, block: bytes) -> None:
        """Take a block; raises :class:`SpoolFull` when the disk does not."""
        self._hash.update(block)
        self.size += len(block)
        self._blocks.append(block)
        if self.size > SMALL:
            self._pour()

    def _pour(self, digest: str = "") -> FileIO:
        """What has come since the last time goes into the file; ``digest`` when it is all that comes."""
        try:
            if self._file is None:
                self._file = self._spool.open_arrival(digest)
            for block in self._blocks:
                _write(self._file, block)
        except OSError as error:
            self.discard()
            raise SpoolFull("受信データを保存できません (the spool cannot be written)") from error
        self._blocks.clear()
        return self._file

    @property
    def digest(self) -> str:
        """The sha256 of what was written so far."""
        return self._hash.hexdigest()

    def keep(self) -> str:
        """Make what was written durable under its sha256 and give that name back. Blocks until it is.

        Raises :class:`SpoolFull` or :class:`SpoolAway`: then nothing is left of it here.
        """
        digest = self.digest
        file = self._pour(digest)
        try:
            self._spool.sync(file)
            file.close()
            self._spool.settle(str(file.name), digest)
        except SpoolError:
            self.discard()
            raise
        except OSError as error:
            self.discard()
            raise SpoolFull("受信データを保存できません (the spool cannot be synced)") from error
        self._file = None
        return digest

    def discard(self) -> None:
        """Forget it: the machine has gone or the mail is refused."""
        self._blocks.clear()
        if self._file is not None:
            Path(str(self._file.name)).unlink(missing_ok=True)
            self._file.close()
            self._file = None


class Spool:
    """A folder of bytes: ``ab/ab12…`` for the settled, ``arriving/`` for the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._arriving = folder / "arriving"

    def prepare(self) -> None:
        """Make the folders and see that they can be written."""
        try:
            self._arriving.mkdir(parents=True, exist_ok=True)
            with self.open_arrival() as probe:
                Path(str(probe.name)).unlink()
        except OSError as error:
            raise SpoolFull(f"スプールに書き込めません (cannot write {self.folder})") from error

    def ready(self) -> None:
        """Raise :class:`SpoolFull` or :class:`SpoolAway` when nothing can be kept at the moment."""
        self.prepare()

    def try_out(self) -> None:
        """The same, as thoroughly as an administrator who asks wants it."""
        self.ready()

    def __str__(self) -> str:
        return str(self.folder)

    def begin(self) -> Arrival:
        """Start taking bytes; nothing is opened before the first block."""
        return Arrival(self)

    def put(self, data: bytes) -> str:
        """Keep ``data`` durably and return its sha256."""
        arrival = self.begin()
        arrival.write(data)
        return arrival.keep()

    def get(self, digest: str) -> bytes:
        """The bytes of this sha256, checked; raises :class:`Missing`."""
        try:
            data = (self.folder / name_in_spool(digest)).read_bytes()
        except OSError as error:
            raise Missing("原本が見つかりません (the bytes are not in the spool)") from error
        return checked(data, digest)

    def settled(self, shelf: str = ANY_SHELF) -> Iterator[str]:
        """Every sha256 that is kept; of one ``shelf`` (its first two characters), or all."""
        for file in self.folder.glob(f"{shelf}/*"):
            if ARRIVING not in file.name:
                yield file.name

    def drop(self, digest: str, before: float) -> bool:
        """Forget bytes that no row names, unless they were put here since then (time.time()); gives whether."""
        place, aside = self.folder / name_in_spool(digest), self._arriving / digest
        if not _older(place, before):
            return False
        place.rename(aside)
        if not _older(aside, before):  # they came again at this very moment
            self._put_back(aside)
            return False
        aside.unlink()
        return True

    def destroy(self, digest: str, before: float) -> bool:
        """Remove bytes for good that no row names, unless they were put here since then; gives whether none are left.

        Twice is the same as once, also where the first time was killed half-way.
        """
        place, aside = self.folder / name_in_spool(digest), self._arriving / digest
        if place.exists():
            aside.unlink(missing_ok=True)
        else:
            self._put_back(aside)
        dropped = self.drop(digest, before)
        if dropped:
            _sync_folder(str(place.parent))  # a power cut shall not bring them back
            _sync_folder(str(self._arriving))
        return dropped or not place.exists()

    def sweep(self, now: float, shelves: Sequence[str] = (ANY_SHELF,)) -> int:
        """Drop arrivals that no machine is sending any more; ``now`` as time.time(). Returns how many."""
        arriving = [*self._arriving.glob("*")]
        for shelf in shelves:
            arriving += self.folder.glob(f"{shelf}/*{ARRIVING}*")
        strays = [file for file in arriving if _older(file, now - STRAY_SECONDS)]
        for stray in strays:
            if len(stray.name) == len(hashlib.sha256().hexdigest()):
                self._put_back(stray)  # whoever was about to drop it has died before it was sure
            else:
                stray.unlink(missing_ok=True)
        return len(strays)

    def _put_back(self, aside: Path) -> None:
        with contextlib.suppress(FileNotFoundError):  # another host was quicker
            aside.rename(self.folder / name_in_spool(aside.name))

    # The next three are the door's way: plain names and system calls. With Path and a buffer a mail cost twice the CPU.

    def open_arrival(self, digest: str = "") -> FileIO:
        """An empty file for bytes on their way in, unbuffered; on its shelf already when its sha256 is known.

        One folder for all new files is what many threads wait for: on the shelves it took half the CPU.
        """
        if digest:
            with contextlib.suppress(FileNotFoundError):  # no such shelf yet
                return FileIO(f"{self.folder}/{digest[:2]}/{digest}{ARRIVING}{secrets.token_hex(4)}", "x")
        return FileIO(f"{self.folder}/arriving/{secrets.token_hex(16)}", "x")

    def sync(self, arriving: FileIO) -> None:
        """What was written is on this machine's disk; where it is kept elsewhere, that is :meth:`settle`'s work."""
        os.fsync(arriving.fileno())

    def settle(self, arrived: str, digest: str) -> None:
        """Give a synced file its final name, durably."""
        shelf = f"{self.folder}/{digest[:2]}"
        try:
            os.rename(arrived, f"{shelf}/{digest}")  # noqa: PTH104
        except FileNotFoundError:  # the first on this shelf
            Path(shelf).mkdir(parents=True, exist_ok=True)
            _sync_folder(str(self.folder))
            os.rename(arrived, f"{shelf}/{digest}")  # noqa: PTH104
        _sync_folder(shelf)


def name_in_spool(digest: str) -> str:
    """Where bytes lie below a spool's folder or prefix; the same in both, so that one can be copied to the other."""
    if len(digest) != 64 or not digest.isalnum():
        raise Missing("原本が見つかりません (not a spool name)")
    return f"{digest[:2]}/{digest}"


def checked(data: bytes, digest: str) -> bytes:
    """The bytes, which are those of this sha256; raises :class:`Missing` when they are not."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise Missing("原本が壊れています (the bytes no longer match their hash)")
    return data


def _write(file: FileIO, block: bytes) -> None:
    left = memoryview(block)
    while left:  # the system may take a part (write(2))
        left = left[file.write(left) :]


def _sync_folder(folder: str) -> None:
    # A new name is durable only when the folder that holds it is synced (fsync(2)).
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _older(file: Path, moment: float) -> bool:
    try:
        return file.stat().st_mtime < moment
    except OSError:
        return False
