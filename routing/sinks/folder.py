"""A folder that other programs watch: the fax's documents, then a JSON with the same name beside them.

The JSON comes last and whole (written aside, synced, renamed): whoever sees it finds every file that it names. Files of
a try that broke off carry no JSON and are replaced by the next try.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from routing.delivery import (
    DeliveryError,
    Notice,
    Parcel,
    Receipt,
    as_json,
    as_plain,
    attachments,
    notice_as_plain,
    stem,
)

_SENTENCES = {
    errno.ENOSPC: "フォルダの空き容量がありません",
    errno.EDQUOT: "フォルダの容量の割り当てを使い切りました",
    errno.EACCES: "フォルダに書き込む権限がありません",
    errno.EPERM: "フォルダに書き込む権限がありません",
    errno.EROFS: "フォルダが読み取り専用です",
    errno.ENOENT: "フォルダがありません",
    errno.ENOTDIR: "フォルダがありません",
}


class FolderSink:
    """Puts copies into ``folder``; when it is gone, copies wait: a share that went away is not made anew locally."""

    def __init__(self, id: str, folder: Path) -> None:
        self.id = id
        self.folder = folder

    def carry(self, parcel: Parcel) -> Receipt:
        """Write the files, the JSON last; a parcel that lies there complete stays as it is."""
        name = stem(parcel.id)
        card = self.folder / f"{name}.json"
        with _said_to_people():
            if not card.exists():
                self._write(parcel, name, card)
        return Receipt(str(card))

    def tell(self, notice: Notice) -> Receipt:
        """One JSON, for a program that rings a bell."""
        name = stem(notice.id)
        card = self.folder / f"{name}.json"
        with _said_to_people():
            if not card.exists():
                self._clear([card.name])
                _settle(card, as_json(notice_as_plain(notice)))
                _sync_folder(self.folder)
        return Receipt(str(card))

    def _write(self, parcel: Parcel, name: str, card: Path) -> None:
        files = attachments(parcel)
        places = [f"{name}{file.name.removeprefix(parcel.fax_id)}" for file in files]
        self._clear([card.name, *places])
        for place, file in zip(places, files, strict=True):
            _settle(self.folder / place, file.content)
        _sync_folder(self.folder)  # the documents are on the disk before anything says so
        _settle(card, as_json(as_plain(parcel) | {"files": places}))
        _sync_folder(self.folder)

    def _clear(self, places: Sequence[str]) -> None:
        """Take away what a try that was killed left of these files; one look, because a share may hold many."""
        begun = tuple(f".{Path(place).stem}." for place in places)
        with os.scandir(self.folder) as entries:
            left = [entry.path for entry in entries if entry.name.startswith(begun) and entry.name.endswith(".part")]
        for path in left:
            Path(path).unlink(missing_ok=True)


@contextlib.contextmanager
def _said_to_people() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        sentence = _SENTENCES.get(error.errno or 0, "フォルダに書き込めません")
        raise DeliveryError(f"{sentence} (folder: {_code(error)})", again=True) from error


def _settle(place: Path, content: bytes) -> None:
    """Write ``content`` so that ``place`` either is not there or is whole, whatever happens meanwhile."""
    aside = place.with_name(f".{place.stem}.{secrets.token_hex(4)}.part")
    # Owner and group only: a fax holds what a sick person told a doctor.
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(place)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network shares cannot sync a folder
            raise
    finally:
        os.close(opened)


def _code(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "I/O error")
