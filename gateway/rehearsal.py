"""The journey without the house: a file is opened, read and decided as if it had arrived, and nothing is written."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from gateway import machine
from gateway.config import Config
from gateway.desk import Desk
from gateway.errors import UsageError
from gateway.intake import Entries, Intake
from gateway.pipeline import Pipeline
from gateway.reader import Limits, Readers
from gateway.spool import Spool
from gateway.store import Store, connect
from routing import disease, taxonomy


@dataclass(frozen=True, slots=True)
class Stage:
    """A house of one evening, in a temporary folder."""

    pipeline: Pipeline
    desk: Desk
    intake: Intake
    line: str

    def play(self, file: Path) -> dict[str, Any]:
        """The fax in the shape of the contract."""
        mail = machine.letter(file, machine.Call(to="replay@fax.example.jp", style="plain"))
        arrival = self.intake.begin()
        arrival.write(mail)
        fax_id = self.intake.accept(arrival, (self.line,))[0]
        self.pipeline.journey(fax_id, lambda function, *words: function(*words))
        return self.desk.as_json([self.desk.fax(fax_id)])[0]


@contextlib.contextmanager
def rehearse(config: Config, line: str = "") -> Iterator[Stage]:
    """Set the stage; it is gone afterwards."""
    lines = config.organisation.lines
    if line and config.organisation.line(line) is None:
        raise UsageError(f"回線「{line}」がありません (no such line)")
    overrides = config.overrides if config.overrides.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="faxless-") as folder:
        spool = Spool(Path(folder) / "spool")
        spool.prepare()
        engine = connect(f"sqlite:///{folder}/rehearsal.db")
        SQLModel.metadata.create_all(engine)
        store = Store(engine)
        kinds, diseases = taxonomy.load(overrides), disease.load(overrides)
        limits = Limits(page_seconds=config.ocr.page_seconds, memory_bytes=config.ocr.memory_megabytes << 20)
        readers = Readers(spool, config.ocr.engine, 1, limits)
        try:
            yield Stage(
                pipeline=Pipeline(config, store, spool, readers, kinds, diseases),
                desk=Desk(config, store, spool, kinds),
                intake=Intake(config.organisation, Entries(store), spool),
                line=line or (lines[0].id if lines else ""),
            )
        finally:
            readers.close()
            engine.dispose()
