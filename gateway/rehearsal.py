"""The journey without the house: a file is opened, read and decided as if it had arrived, and nothing is written.

Nothing but pictures of how its pages were read, where somebody asks for them.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import SQLModel

from gateway import machine
from gateway.config import Config
from gateway.database import connect
from gateway.desk import Desk, pages_read
from gateway.errors import UsageError
from gateway.house import known_now
from gateway.intake import Entries, Intake
from gateway.pipeline import Pipeline
from gateway.reader import Limits, Readers
from gateway.spool import Spool
from gateway.store import Store
from ocr.explain import Told, explained, japanese_font
from routing import disease, taxonomy

T = TypeVar("T")


class _Clock:
    """Walks the steps and remembers how long each page took."""

    def __init__(self) -> None:
        self.pages: dict[int, float] = {}

    def __call__(self, function: Callable[..., T], *words: Any) -> T:
        began = time.monotonic()
        said = function(*words)
        if function.__name__ == "read":  # Pipeline.read: the fax, the run, the page's number in the fax
            self.pages[words[2]] = time.monotonic() - began
        return said


@dataclass(frozen=True, slots=True)
class Stage:
    """A house of one evening, in a temporary folder."""

    pipeline: Pipeline
    desk: Desk
    intake: Intake
    line: str

    def play(
        self, file: Path, pictures: Path | None = None, *, line: str = "", personal: bool = False
    ) -> dict[str, Any]:
        """The fax in the shape of the contract, as if it had come on ``line`` (the stage's, when none is given).

        With ``personal`` the fields that tell who the patient is, too.

        With ``pictures``, a folder, a picture of each page's reading is put there, and ``pictures`` tells their places.
        """
        mail = machine.letter(file, machine.Call(to="replay@fax.example.jp", style="plain"))
        arrival = self.intake.begin()
        arrival.write(mail)
        fax_id = self.intake.accept(arrival, (line or self.line,))[0]
        clock = _Clock()
        self.pipeline.journey(fax_id, clock)
        fax = self.desk.with_pages(self.desk.fax(fax_id), personal=personal)
        if pictures is not None:
            fax["pictures"] = [str(place) for place in self._explain(file, fax, clock, pictures)]
        return fax

    def _explain(self, file: Path, fax: dict[str, Any], clock: _Clock, folder: Path) -> Iterator[Path]:
        read, font = pages_read(self.desk.store, fax["id"]), japanese_font()
        folder.mkdir(parents=True, exist_ok=True)
        decided = (
            f"{fax['state']}   {fax['document_type'] or '-'} → {fax['department'] or '-'}   {fax['confidence'] or '-'}"
        )
        pages = self.desk.store.pages(fax["id"])
        for page in pages:
            told = Told(
                title=f"{file.name}   {page.number} / {len(pages)}",
                seconds=clock.pages.get(page.number, 0.0),
                fields={
                    name: tuple(found["box"])
                    for name, found in fax["fields"].items()
                    if found.get("page") == page.number and found.get("box")
                },
                sender=tuple(page.tti["box"]) if page.tti else None,
                remarks=(page.problem or decided, *(fax["held_because"] or fax["reasons"])[:3]),
            )
            png = self.desk.spool.get(page.png) if page.png else b""
            place = folder / f"{file.name}-{page.number}.png"
            place.write_bytes(explained(read.get(page.number), png, told, font))
            yield place


@contextlib.contextmanager
def rehearse(config: Config, line: str = "", readers: int = 1) -> Iterator[Stage]:
    """Set the stage, with so many reading processes; it is gone afterwards.

    Decided as the site decides now: with its model, and with the senders that it knows.
    """
    lines = config.organisation.lines
    if line and config.organisation.line(line) is None:
        raise UsageError(f"回線「{line}」がありません (no such line)")
    with tempfile.TemporaryDirectory(prefix="faxless-") as folder:
        spool = Spool(Path(folder) / "spool")
        spool.prepare()
        engine = connect(f"sqlite:///{folder}/rehearsal.db")
        SQLModel.metadata.create_all(engine)
        store = Store(engine)
        kinds, diseases = taxonomy.load(config.overrides), disease.load(config.overrides)
        reading = Readers(spool, config.ocr.engine, readers, Limits.of(config.ocr))
        known = known_now(config)
        try:
            yield Stage(
                pipeline=Pipeline(
                    config, store, spool, reading, kinds, diseases, lambda: known.model, lambda: known.directory
                ),
                desk=Desk(config, store, spool, kinds),
                intake=Intake(config.organisation, Entries(store), spool),
                line=line or (lines[0].id if lines else ""),
            )
        finally:
            reading.close()
            engine.dispose()
