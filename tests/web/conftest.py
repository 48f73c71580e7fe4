"""An office: the web room over a real database and spool, served on loopback, with faxes put in as the journey does.

No worker runs here: jobs stay where they were written.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from PIL import Image, ImageDraw
from sqlmodel import SQLModel, col

from gateway.config import Config, load
from gateway.database import connect
from gateway.desk import Desk
from gateway.models import Fax, Job, Page, User, now
from gateway.reader import Limits, Readers
from gateway.spool import Spool
from gateway.store import Decided, Mail, Opened, Store
from gateway.web import create_app
from routing import taxonomy
from routing.fold import fold

ROUTED = Decided(
    held=False,
    department="kansen",
    document_type="OUTBREAK_FACILITY",
    confidence=0.97,
    urgent=False,
    due_at=None,
    masked=False,
    reasons=("題名「感染症集団発生報告書」", "発信番号 03-5555-0199"),
    held_because=(),
    fields={},
    barcodes=(),
    documents=(),
    caller="+81355550199",
    caller_source="header",
    tsi="SAKURA NURSERY",
)
TEXT = "感染症集団発生報告書\n施設名 さくら保育園\n有症者数 12名\nノロウイルス"


def drawn(text: str, width: int = 860, height: int = 1216) -> tuple[bytes, list[list[Any]]]:
    """A page's picture with a grey bar for every line of the text, and the lines with their boxes."""
    image = Image.new("1", (width, height), 1)
    pen = ImageDraw.Draw(image)
    words: list[list[Any]] = []
    for number, line in enumerate(text.splitlines()):
        box = [80, 90 + number * 70, 80 + 32 * len(line), 122 + number * 70]
        pen.rectangle(box, fill=0)
        words.append([line, *box, 0.99 if number else 0.4])
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue(), words


@dataclass
class Office:
    """The web room in use."""

    desk: Desk
    app: FastAPI
    address: str = ""
    troubles: list[str] = field(default_factory=list)
    mails: int = 0
    clients: list[httpx.Client] = field(default_factory=list)
    password: str = "hanamizuki-0411"

    @property
    def store(self) -> Store:
        return self.desk.store

    def person(self, name: str, role: str = "clerk", departments: tuple[str, ...] = ("kansen",), **more: Any) -> User:
        """Somebody; their password is the tests' when ``password_hash=office.hashed`` says so."""
        given = {"password_hash": "", "must_change": False, "created_at": now(), **more}
        user = User(name=name, role=role, departments=list(departments), **given)
        self.store.people.save(user, "tests")
        return user

    def wanted(self, work: str) -> list[str]:
        """The faxes for which this work is wanted, in order."""
        with self.store.engine.connect() as connection:
            return list(
                connection.scalars(sa.select(col(Job.fax_id)).where(col(Job.work) == work).order_by(col(Job.id)))
            )

    @property
    def hashed(self) -> str:
        """What is kept of the tests' password."""
        return str(self.app.state.doorman.hash(self.password))

    def client(self, name: str = "", **person: Any) -> httpx.Client:
        """A browser without script; signed in when a name is given."""
        client = httpx.Client(base_url=self.address, timeout=30)
        self.clients.append(client)
        if name:
            if self.store.people.user(name) is None:
                self.person(name, **person)
            secret = f"secret of {name} {time.monotonic_ns()}"
            self.store.people.sign_in(secret, name)
            client.cookies.set("faxless", secret, domain="127.0.0.1")
        return client

    def token(self, name: str, **person: Any) -> dict[str, str]:
        """The header of a program that asks in somebody's name."""
        if self.store.people.user(name) is None:
            self.person(name, **person)
        secret = f"token of {name} {time.monotonic_ns()}"
        self.store.people.sign_in(secret, name, label="tests")
        return {"Authorization": f"Bearer {secret}"}

    def mail(self, raw: bytes | None = None, line: str = "hoken") -> Fax:
        """A mail that was just answered 250."""
        self.mails += 1
        raw = raw if raw is not None else b"Subject: fax %d\r\n\r\n\x00\xff bytes \xe9\r\n" % self.mails
        digest = self.desk.spool.put(raw)
        return self.desk.fax(self.store.accept([Mail(digest, len(raw), (line,))])[0][0])

    def fax(
        self,
        text: str | tuple[str, ...] = TEXT,
        *,
        raw: bytes | None = None,
        line: str = "hoken",
        kind: str = "fax",
        problem: str = "",
        received_at: datetime | None = None,
        subject: str = "FAX受信",
        sinks: tuple[str, ...] = (),
        **decided: Any,
    ) -> Fax:
        """A fax whose journey has ended; ``decided`` changes what was decided."""
        fax = self.mail(raw, line)
        run = f"run of {fax.id}"
        self.store.begin(fax.id, run)
        texts = (text,) if isinstance(text, str) else text
        judged = replace(ROUTED, **decided)
        self.store.opened(
            fax.id,
            run,
            Opened(
                kind=kind,
                counts=kind == "fax",
                received_at=received_at or fax.received_at,
                sender="mfp@fax.example.jp",
                subject=subject,
                message_id=f"<{fax.id}@fax.example.jp>",
                caller=judged.caller,
                caller_source=judged.caller_source,
                tsi=judged.tsi,
                pages=len(texts),
                problems=(),
                held_because=(),
            ),
        )
        for number, content in enumerate(texts, 1):
            png, words = drawn(content)
            page = Page(fax_id=fax.id, number=number, problem=problem)
            if not problem:
                page.width, page.height = 860, 1216
                page.png, page.text, page.folded, page.words = self.desk.spool.put(png), content, fold(content), words
            self.store.page_read(run, page)
        self.store.decided(fax.id, run, judged, lambda _: list(sinks))
        return self.desk.fax(fax.id)

    def held(self, *because: str, **decided: Any) -> Fax:
        """A fax that a person must look at."""
        return self.fax(held=True, held_because=because or ("種別の確度が低いため",), confidence=0.4, **decided)

    def urgent(self, **decided: Any) -> Fax:
        """A notification that is due soon."""
        return self.fax(
            "感染症発生届\n麻しん",
            **{
                "document_type": "DISEASE_IMMEDIATE",
                "urgent": True,
                "due_at": now() + timedelta(hours=1),
                "confidence": 0.99,
                **decided,
            },
        )


def city(folder: Path) -> Config:
    """The configuration of an invented city, in a temporary folder."""
    path = folder / "config.toml"
    path.write_text(
        """
[[department]]
id = "kansen"
name = "感染症対策課"
kind = "保健所 感染症対策係"
bureau = "保健医療局"
[[department]]
id = "kekkaku"
name = "結核担当"
kind = "保健所 結核担当"
bureau = "保健医療局"
[[department]]
id = "bunsho"
name = "文書担当"
kind = "文書担当"
bureau = "総務局"
[[line]]
id = "hoken"
address = "hoken@fax.example.jp"
number = "+81355550101"
department = "kansen"
machine = "MFP-3F"
[[line]]
id = "shomu"
address = "shomu@fax.example.jp"
number = "+81355550102"
department = "bunsho"
[[sink]]
id = "kekkaku-share"
department = "kekkaku"
kind = "folder"
path = "out"
""",
        encoding="utf-8",
    )
    return load(path)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with nobody in it, served on a free port of loopback."""
    config = city(tmp_path)
    config.data.mkdir()
    engine = connect(config.database_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # all tables with one sync of the disk
        SQLModel.metadata.create_all(connection)
        connection.commit()
    spool = Spool(config.spool_folder)
    spool.prepare()
    desk = Desk(config=config, store=Store(engine), spool=spool, taxonomy=taxonomy.load())
    troubles: list[str] = []
    binder = Readers(spool, "paddle", 1, Limits())
    built = Office(desk=desk, app=create_app(desk, lambda: troubles, binder), troubles=troubles)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        built.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(built.app, log_config=None, log_level="critical", timeout_graceful_shutdown=3)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        try:
            yield built
        finally:
            for client in built.clients:
                client.close()
            built.app.state.live.close()
            binder.close()
            server.should_exit = True
            thread.join()
            engine.dispose()
