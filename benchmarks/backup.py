"""How fast a backup is written, checked and restored: `python -m benchmarks.backup [FAXES] [--database URL]`.

A house of small faxes in a temporary folder, each with its mail (40 KB) and one page as reading leaves it (40 KB,
100 words), then the three on it, and `gzip -1` over the whole file beside them. ``--database``: an empty PostgreSQL.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import Session

from gateway import backup
from gateway.config import load
from gateway.house import House, open_house
from gateway.models import Fax, Page, month_of, now

MAIL = PICTURE = 40_000  # bytes; three quarters of a mail in base64 are the fax
CITY = 'data = "var"\n[storage]\ndatabase = "{}"\n[[line]]\nid = "hoken"\naddress = "hoken@fax.example.jp"\n'


class _Bar:
    def update(self, n: int) -> None:
        """Nobody looks."""


@contextlib.contextmanager
def _quiet(_total: int, _unit: str) -> Iterator[_Bar]:
    yield _Bar()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faxes", nargs="?", type=int, default=2000)
    parser.add_argument("--database", default="sqlite")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faxless-bench-") as folder:
        file = Path(folder) / "backup.tar"
        with _house(Path(folder) / "from", words.database) as house:
            _fill(house, words.faxes)
            began = time.monotonic()
            backup.write(house, file, _quiet)
            _told("backup", began, words.faxes, file)
        with file.open("rb") as source:
            began = time.monotonic()
            backup.check(source, _quiet)
            _told("check", began, words.faxes, file)
            with _house(Path(folder) / "to", "sqlite") as house:
                began = time.monotonic()
                backup.restore(house, source, _quiet)
                _told("restore", began, words.faxes, file)
        began = time.monotonic()
        packed = subprocess.run(["gzip", "-1", "-c", str(file)], capture_output=True, check=True).stdout
        _told(f"gzip -1 (to {len(packed) / file.stat().st_size:.0%})", began, words.faxes, file)


@contextlib.contextmanager
def _house(folder: Path, database: str) -> Iterator[House]:
    folder.mkdir()
    (folder / "config.toml").write_text(CITY.format(database), encoding="utf-8")
    with open_house(load(folder / "config.toml")) as house:
        yield house


def _fill(house: House, faxes: int) -> None:
    words = [[secrets.token_hex(3), float(n), 10.5, n + 40.25, 60.75, 0.9876] for n in range(100)]
    text = " ".join(str(word[0]) for word in words)
    with Session(house.engine) as session, session.begin():
        for number in range(faxes):
            digest, moment = house.spool.put(base64.encodebytes(os.urandom(MAIL * 3 // 4))), now()
            name = f"{number:08}"
            session.add(
                Fax(
                    id=name, sha256=digest, content=digest, bytes=MAIL, accepted_at=moment, received_at=moment,
                    month=month_of(moment), line="hoken", state="routed", pages=1, updated_at=moment,
                )
            )  # fmt: skip
            picture = house.spool.put(os.urandom(PICTURE))
            session.flush()
            session.add(Page(fax_id=name, number=1, png=picture, text=text, folded=text, words=words))


def _told(what: str, began: float, faxes: int, file: Path) -> None:
    took = time.monotonic() - began
    size = file.stat().st_size / 1e6
    print(f"{what:<20}{took:8.2f} s{faxes / took:10.0f} faxes/s{size / took:8.0f} MB/s   ({size:.0f} MB)")


if __name__ == "__main__":
    main()
