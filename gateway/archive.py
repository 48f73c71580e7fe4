"""What lies in a zip that came with a mail, unpacked within limits.

Offices zip a fax before they forward it, and lock it, and send the password by telephone. A plain zip is read; of any
other the names are told, so that staff see what they would open.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from gateway import charset

MAX_ENTRIES = 1000
"""Files in one zip: as many as a mail may have parts."""
MAX_OUTPUT = 128 * 1024 * 1024
"""Bytes that all zips of one mail may unpack to: as much as one document may have (:mod:`ocr.limits`)."""

_DIRECTORY_ENTRY = b"PK\x01\x02"  # APPNOTE 4.3.12
_LOCKED = 0x1  # APPNOTE 4.4.4
# No others: bzip2 and LZMA let a few bytes ask for gigabytes of memory, and no office's program writes them.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LITTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")

BROKEN = "壊れているか、途中で切れています"
LOCKED = "パスワードで保護されています"
TOO_MANY = f"中のファイルが多すぎます(上限{MAX_ENTRIES}個)"
TOO_LARGE = f"中身が大きすぎます(上限{MAX_OUTPUT >> 20} MB)"
STRANGE = "この方式で圧縮されたものは開けません"


@dataclass(frozen=True, slots=True)
class Archive:
    """What a zip holds."""

    files: tuple[tuple[str, bytes], ...] = ()
    """Name (without folders) and bytes of what could be unpacked."""
    unread: tuple[str, ...] = ()
    """Names of what could not."""
    problem: str = ""
    """Why not: the end of a Japanese sentence without its full stop."""
    spent: int = 0
    """Bytes that were unpacked, or the whole allowance when it was not enough."""


def open_zip(data: bytes, room: int = MAX_OUTPUT) -> Archive:
    """Unpack a zip as far as it goes; at most ``room`` bytes come out. Raises nothing for content."""
    # Each entry has this mark in the directory, which zipfile reads whole at 700 bytes of memory an entry.
    if data.count(_DIRECTORY_ENTRY) > MAX_ENTRIES:
        return Archive(problem=TOO_MANY)
    opened = _opened(data)
    if opened is None:
        return Archive(problem=BROKEN)
    with opened:
        return _unpacked(opened, room)


def _opened(data: bytes) -> zipfile.ZipFile | None:
    for codec in ("utf-8", "cp932", "cp437"):  # names of which the zip does not say that they are UTF-8
        try:
            return zipfile.ZipFile(io.BytesIO(data), metadata_encoding=codec)
        except UnicodeError:
            continue
        except Exception:  # noqa: BLE001  zipfile raises nearly every class on broken bytes
            return None
    return None


def _unpacked(opened: zipfile.ZipFile, room: int) -> Archive:
    files: list[tuple[str, bytes]] = []
    unread: list[str] = []
    problem, left = "", room
    for entry in opened.infolist():
        if entry.is_dir() or entry.filename.lower().startswith(_LITTER) or entry.filename.lower().endswith(_LITTER):
            continue
        name = charset.file_name(("", {"name": entry.filename}))
        found = _member(opened, entry, left)
        if isinstance(found, bytes):
            files.append((name, found))
            left -= len(found)
        else:
            unread.append(name)
            problem = problem or found
            left = 0 if found is TOO_LARGE else left
    return Archive(tuple(files), tuple(unread), problem, room - left)


def _member(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes | str:
    """The bytes, or why not."""
    if entry.flag_bits & _LOCKED:
        return LOCKED
    if entry.compress_type not in _METHODS:
        return STRANGE
    try:
        with opened.open(entry) as file:
            data = file.read(room + 1)  # not the length that the entry claims
    except MemoryError:
        return TOO_LARGE
    except Exception:  # noqa: BLE001  as above
        return BROKEN
    return data if len(data) <= room else TOO_LARGE
