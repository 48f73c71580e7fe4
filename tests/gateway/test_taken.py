"""Documents for several departments in one fax: each department has its own pages, and not a byte of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlmodel import SQLModel

from gateway import migrations
from gateway.carrier import Carrier
from gateway.config import Config, load
from gateway.database import connect
from gateway.desk import Desk
from gateway.inbox import Query
from gateway.learning import Learned
from gateway.models import Fax
from gateway.pipeline import Pipeline
from gateway.reader import MailToRead
from gateway.spool import Spool
from gateway.store import Store
from ocr.page import Reading, Word
from routing import disease, taxonomy
from tests.corpus.mail import machines as m
from tests.gateway.test_parts import Quick, Walk

MEASLES = (
    "麻しん発生届\n診断(検案)した者(死体)の類型 患者(確定例)\n当該者氏名 架空 花子\n初診年月日 令和8年11月18日\n"
    "診断(検案)年月日 令和8年11月20日\n当該者住所 東都架空区9-9"
)
ORDER = "注文書\nみどり区役所 御中\n注文番号 2026-1\n品名・規格 手袋 数量 10 単価(円) 500\n納入期限 12月1日"
NOTHING = "よろしくお願いします"
CITY = """
[[department]]
id = "kansen"
name = "感染症対策課"
kind = "保健所 感染症対策係"
[[department]]
id = "keiri"
name = "経理係"
kind = "経理・契約担当"
[[line]]
id = "hoken"
address = "hoken@fax.example.jp"
department = "kansen"
[[sink]]
id = "kansen-share"
department = "kansen"
kind = "folder"
path = "kansen"
[[sink]]
id = "keiri-share"
department = "keiri"
kind = "folder"
path = "keiri"
personal = true
"""


class Told(Quick):
    """Reads as always, but for the letters: those of a page are told by the dots of its picture."""

    def __init__(self, spool: Spool, texts: list[str]) -> None:
        super().__init__(spool)
        self.texts = texts
        self.seen: dict[bytes, str] = {}

    def read(self, mail: MailToRead, document: int, page: int) -> Reading:
        reading = super().read(mail, document, page)
        text = self.seen.setdefault(reading.png, self.texts[len(self.seen)] if len(self.seen) < len(self.texts) else "")
        words = tuple(Word(line, (2, 2 + n, 60, 3 + n), 0.99) for n, line in enumerate(text.splitlines()))
        return replace(reading, page=replace(reading.page, text=text, words=words, kind="content"))

    def searchable(self, digest: str, envelope_from: str, pages: Any, title: str, _turn: object = None) -> bytes:
        from gateway import reader

        return reader._searchable(self._desk, MailToRead(digest, envelope_from), pages, title)

    def documents(self, mail: MailToRead) -> Any:
        from gateway import reader

        return reader._documents(self._desk, mail)


def house_at(url: str, folder: Path, texts: list[str]) -> Walk:
    (folder / "config.toml").write_text(CITY, "utf-8")
    config: Config = load(folder / "config.toml")
    spool = Spool(folder / "spool")
    spool.prepare()
    store, kinds = Store(connect(url)), taxonomy.load()
    return Walk(
        Pipeline(config, store, spool, Told(spool, texts), kinds, disease.load(), Learned(store, spool)),
        Desk(config=config, store=store, spool=spool, taxonomy=kinds),
    )


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    built = house_at(f"sqlite:///{tmp_path / 'faxless.db'}", tmp_path, [MEASLES, ORDER])
    SQLModel.metadata.create_all(built.store.engine)
    yield built
    built.store.engine.dispose()


def fax(pages: int = 2, mark: int = 0) -> bytes:
    head = m.fields("Attached Image", Message_ID=f"<{mark}@fax.example.jp>")
    return m.multipart(head, [m.text(), m.attached(m.tiff(pages, mark), "image/tiff", "0207_001.tif")])


def entry_of(walk: Walk, fax_id: str) -> Fax:
    (entry,) = walk.store.taken_from(fax_id)
    return entry


def test_the_other_department_has_its_pages_and_nothing_else(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    whole, entry = walk.told(fax_id), entry_of(walk, fax_id)
    told = walk.told(entry.id)
    assert (whole["department"], whole["document_type"], whole["pages"]) == ("kansen", "DISEASE_IMMEDIATE", 2)
    assert (told["department"], told["document_type"], told["state"], told["pages"]) == (
        "keiri", "PROCUREMENT", "routed", 1,
    )  # fmt: skip
    assert told["taken_from"] == fax_id
    assert told["text"] == ORDER
    assert told["documents"] == [{"first_page": 1, "last_page": 1, "document_type": "PROCUREMENT"}]
    assert not told["urgent"]
    assert (told["caller"], told["received_at"], told["line"]) == (whole["caller"], whole["received_at"], "hoken")
    assert "架空" not in json.dumps(walk.desk.as_json([entry], lambda _: True), ensure_ascii=False)
    assert "麻しん" not in json.dumps(told, ensure_ascii=False)
    (page,) = walk.store.pages(entry.id)
    assert (page.number, page.text, page.png) == (1, ORDER, walk.store.pages(fax_id)[1].png)


def test_its_original_is_a_mail_of_its_own_pages(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    mail = message_from_bytes(walk.desk.original(entry), policy=default)
    pictures = [part.get_content() for part in mail.iter_attachments()]
    assert pictures == [walk.pipeline.spool.get(walk.store.pages(fax_id)[1].png)]
    whole = walk.desk.original(walk.desk.fax(fax_id))
    assert whole not in walk.desk.original(entry)
    binder: Any = walk.pipeline.readers
    pdf = pypdf.PdfReader(__import__("io").BytesIO(walk.desk.searchable(entry, binder)))
    assert len(pdf.pages) == 1
    assert "手袋" in pdf.pages[0].extract_text()
    assert "架空" not in pdf.pages[0].extract_text()


def test_each_department_s_sinks_get_their_own(walk: Walk, tmp_path: Path) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    readers: Any = walk.pipeline.readers
    carrier = Carrier(walk.pipeline.config, walk.store, walk.pipeline.spool, readers, walk.pipeline.taxonomy)
    for one in (fax_id, entry.id):
        carrier.carry(one)
    cards = {
        name: json.loads(next((tmp_path / name).glob("*.json")).read_text("utf-8")) for name in ("kansen", "keiri")
    }
    assert (cards["kansen"]["fax_id"], cards["keiri"]["fax_id"]) == (fax_id, entry.id)
    assert cards["keiri"]["text"] == ORDER
    assert "架空" not in json.dumps(cards["keiri"], ensure_ascii=False)
    kept = [path.read_bytes() for path in (tmp_path / "keiri").iterdir()]
    secret = walk.pipeline.spool.get(walk.store.pages(fax_id)[0].png)
    assert not any(secret in content or m.tiff(2, 0) in content for content in kept)


def test_it_is_no_arrival(walk: Walk) -> None:
    walk.mail(fax())
    assert walk.counted() == 1
    month = walk.store.ledger.first_month() or ""
    assert walk.store.ledger.excluded(month, month) == []
    assert sum(row.count for row in walk.store.ledger.arrivals(month, month)) == 1


def test_deciding_twice_makes_one(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    first = entry_of(walk, fax_id)
    walk.store.mark(first.id, "sato", "claimed")
    walk.desk.requeue(fax_id, "sato")
    walk.work()
    assert (entry_of(walk, fax_id).id, entry_of(walk, fax_id).work) == (first.id, "claimed")
    assert len(walk.store.copies.deliveries([first.id])) == 1


def test_reading_the_entry_again_keeps_it_what_it_is(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    before = walk.told(entry_of(walk, fax_id).id)
    walk.desk.requeue(before["id"], "sato")
    walk.work()
    after = walk.told(before["id"])
    same = ("department", "document_type", "state", "pages", "text", "caller", "received_at", "counted", "taken_from")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert walk.store.taken_from(before["id"]) == []


def test_the_same_fax_again_gives_nothing_twice(walk: Walk) -> None:
    first, second = walk.mail(fax()), walk.mail(fax())
    assert walk.told(second)["duplicate_of"] == first
    assert walk.store.taken_from(second) == []
    assert entry_of(walk, first).duplicate_of is None


def test_a_fax_like_it_is_compared_with_the_whole_alone(walk: Walk) -> None:
    """The pages stand in the database twice: an entry is no candidate, and has none."""
    first = walk.mail(fax())
    entry = entry_of(walk, first)
    second = walk.mail(fax().replace(b"0207_001", b"0208_001").replace(b"<0@", b"<1@"))
    assert entry.id not in walk.told(second)["same_as"]
    assert walk.told(entry.id)["same_as"] == []
    assert walk.desk.fax(second).duplicate_of in (None, first)


@pytest.mark.parametrize("texts", [[MEASLES, NOTHING], [MEASLES, ORDER, NOTHING], [ORDER, ORDER]])
def test_no_entry_without_need(tmp_path: Path, texts: list[str]) -> None:
    walk = house_at(f"sqlite:///{tmp_path / 'faxless.db'}", tmp_path, texts)
    SQLModel.metadata.create_all(walk.store.engine)
    assert walk.store.taken_from(walk.mail(fax(len(texts)))) == []
    walk.store.engine.dispose()


def test_the_history_says_so_without_a_word_of_the_content(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    assert "shared" in [event.action for event in walk.store.events(fax_id)]
    assert "taken" in [event.action for event in walk.store.events(entry.id)]
    told = repr([event.detail for one in (fax_id, entry.id) for event in walk.store.events(one)])
    assert "架空" not in told


def test_the_inbox_of_each_department_lists_its_own(walk: Walk) -> None:
    fax_id = walk.mail(fax())
    entry = entry_of(walk, fax_id)
    for department, ids in (("kansen", [fax_id]), ("keiri", [entry.id])):
        found, _ = walk.store.inbox.find(Query(departments=(department,)))
        assert [one.id for one in found] == ids
    by_words, _ = walk.store.inbox.find(Query(departments=("keiri",), text="架空"))
    assert by_words == []


def test_the_same_on_postgresql(postgres: str, tmp_path: Path) -> None:
    walk = house_at(postgres.replace("postgresql://", "postgresql+psycopg://"), tmp_path, [MEASLES, ORDER])
    with walk.store.engine.begin() as connection:
        migrations.upgrade(connection)
    fax_id = walk.mail(fax())
    assert walk.told(entry_of(walk, fax_id).id)["text"] == ORDER
    walk.store.engine.dispose()
