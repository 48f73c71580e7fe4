"""Split faxes: put together in any order, never mixed, never waited for without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlmodel import SQLModel, col

from gateway import reader
from gateway.config import Config
from gateway.database import connect
from gateway.desk import Desk
from gateway.learning import Learned
from gateway.models import Fax, Job, now
from gateway.pipeline import Pipeline
from gateway.reader import MailToRead, OpenedMail, Readers
from gateway.spool import Spool
from gateway.store import Mail, Store
from ocr.engine import Sight
from ocr.page import Reading
from ocr.read import read_page
from routing import disease, taxonomy
from tests.corpus.mail import machines as m

CITY = "kansen@fax.example.jp"


class NoText:
    """An engine that sees no letters: here it is not they that matter."""

    name = "none"

    def read(self, image: Image.Image, *, coarse: bool = False) -> Sight:
        return Sight(0, 0.0, ())


class Quick(Readers):
    """Reads in this process, and every page without its letters: mails and pictures are opened as always."""

    def __init__(self, spool: Spool) -> None:
        self.workers = 1
        self._desk = reader._Desk(reader._Start(spool, "paddle", 0))

    def open(self, mail: MailToRead) -> OpenedMail:
        return reader._open(self._desk, mail)

    def read(self, mail: MailToRead, document: int, page: int) -> Reading:
        return read_page(self._desk.message(mail).documents[document].data, page, NoText())

    def likeness(self, one: str, other: str) -> float:
        return reader._likeness(self._desk, one, other)


@dataclass
class Walk:
    """The journey without an engine."""

    pipeline: Pipeline
    desk: Desk

    @property
    def store(self) -> Store:
        return self.pipeline.store

    def mail(self, raw: bytes, line: str = "hoken", sender: str = "mfp@fax.example.jp", walk: bool = True) -> str:
        """A mail comes, and everything is done that there is to do."""
        digest = self.pipeline.spool.put(raw)
        (fax_id,) = self.store.accept([Mail(digest, len(raw), (line,), sender, "127.0.0.1")])[0]
        if walk:
            self.work()
        return fax_id

    def work(self) -> None:
        """Every job that waits, until none does."""
        for _ in range(50):
            with self.store.engine.begin() as connection:
                jobs = connection.execute(sa.select(col(Job.fax_id), col(Job.work)).order_by(col(Job.id))).all()
                connection.execute(sa.delete(Job))
            if not jobs:
                return
            for fax_id, work in jobs:
                if work == "journey":
                    self.pipeline.journey(fax_id, lambda function, *words: function(*words))
        raise AssertionError("work without end")

    def later(self, minutes: float = 31) -> list[str]:
        """The parts have waited so long."""
        made = self.pipeline.stop_waiting(now() + timedelta(minutes=minutes))
        self.work()
        return made

    def told(self, fax_id: str) -> dict[str, Any]:
        return self.desk.as_json([self.desk.fax(fax_id)])[0]

    def counted(self) -> int:
        with self.store.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(Fax).where(col(Fax.counts).is_(True))
            ).scalar_one()


def walk_at(url: str, config: Config, folder: Path) -> Walk:
    """A house in which mails are walked by hand, over this database with its tables."""
    spool = Spool(folder / "spool")
    spool.prepare()
    store, kinds = Store(connect(url)), taxonomy.load()
    return Walk(
        Pipeline(config, store, spool, Quick(spool), kinds, disease.load(), Learned(store, spool)),
        Desk(config=config, store=store, spool=spool, taxonomy=kinds),
    )


@pytest.fixture
def walk(config: Config, tmp_path: Path) -> Iterator[Walk]:
    """A house in which mails are walked by hand."""
    built = walk_at(f"sqlite:///{tmp_path / 'faxless.db'}", config, tmp_path)
    SQLModel.metadata.create_all(built.store.engine)
    yield built
    built.store.engine.dispose()


def pieces(pages: int = 4, id: str = "20270214.CanonTxNo.0207@ir.example.jp", mark: int = 0, n: int = 3) -> list[bytes]:
    """A fax of small pages in ``n`` pieces of message/partial."""
    head = m.fields("Attached Image", Message_ID=f"<{id}>", Date=None)
    whole = m.multipart(head, [m.text(), m.attached(m.tiff(pages, mark) + b"\0" * 2000, "image/tiff", "0207_001.tif")])
    lines = -(-len(whole.splitlines()) // n)
    made = m.split(whole, lines, id)
    assert len(made) == n
    return made


# ---- pieces of one mail


def test_pieces_in_any_order_become_one_fax(walk: Walk) -> None:
    first, second, third = pieces()
    ids = [walk.mail(piece) for piece in (third, first, second)]
    fax = walk.told(ids[-1])
    assert (fax["kind"], fax["pages"], fax["counted"]) == ("fax", 4, True)
    assert walk.counted() == 1
    for part in ids[:2]:
        told = walk.told(part)
        assert (told["kind"], told["joined_into"], told["work"], told["counted"]) == ("part", ids[-1], "done", False)
    assert fax["same_job"] == [ids[1], ids[2], ids[0]]


def test_the_same_piece_twice_counts_nothing_twice(walk: Walk) -> None:
    first, second, third = pieces()
    again = first.replace(b"Date: Sun", b"X-Resent: yes\r\nDate: Sun")
    assert again != first
    ids = [walk.mail(piece) for piece in (first, again, second, second, third)]
    fax = walk.told(ids[-1])
    assert (fax["kind"], fax["pages"], walk.counted()) == ("fax", 4, 1)
    late = walk.mail(again.replace(b"X-Resent: yes", b"X-Resent: thrice"))
    assert walk.told(late)["joined_into"] == ids[-1]
    assert walk.later() == []
    assert walk.counted() == 1


@pytest.mark.parametrize(
    ("field", "other"),
    [("sender", "other@fax.example.jp"), ("From", b"<mfp-9f@mfp.example.jp>"), ("line", "shomu")],
    ids=["another envelope", "another From", "another line"],
)
def test_two_jobs_of_one_id_are_never_mixed(walk: Walk, field: str, other: Any) -> None:
    """Two machines that number their jobs alike, interleaved."""
    mine, theirs = pieces(4, n=2), pieces(6, mark=9, n=2)
    more: dict[str, Any] = {} if field == "From" else {field: other}
    if field == "From":
        theirs = [piece.replace(b"<mfp-2f@mfp.example.jp>", other, 1) for piece in theirs]
    walk.mail(mine[0])
    walk.mail(theirs[0], **more)
    theirs_whole, mine_whole = walk.mail(theirs[1], **more), walk.mail(mine[1])
    assert (walk.told(mine_whole)["pages"], walk.told(theirs_whole)["pages"]) == (4, 6)
    assert walk.counted() == 2


def test_two_jobs_of_one_id_from_one_machine_are_told_apart_by_the_caller(walk: Walk) -> None:
    mine = [piece.replace(b"Attached Image", b"From 0355550199", 1) for piece in pieces(4, n=2)]
    theirs = [piece.replace(b"Attached Image", b"From 0355550188", 1) for piece in pieces(6, mark=9, n=2)]
    walk.mail(mine[0])
    walk.mail(theirs[0])
    theirs_whole, mine_whole = walk.mail(theirs[1]), walk.mail(mine[1])
    assert (walk.told(mine_whole)["pages"], walk.told(theirs_whole)["pages"]) == (4, 6)


def test_what_cannot_be_told_apart_is_not_joined(walk: Walk) -> None:
    """One id, one machine, no caller, at the same time: four pieces, of which none is surely another's."""
    ids = [walk.mail(piece) for pair in zip(pieces(4, n=2), pieces(6, mark=9, n=2), strict=True) for piece in pair]
    assert {walk.told(part)["kind"] for part in ids} == {"part"}
    for _ in range(5):
        walk.later()
    told = [walk.told(part) for part in ids]
    assert all(fax["state"] == "held" and fax["kind"] == "fax" and fax["joined_into"] is None for fax in told)
    assert all("届いていません" in fax["held_because"][0] for fax in told)


def test_an_id_that_is_used_again_does_not_bring_an_old_piece_in(walk: Walk) -> None:
    lost = walk.mail(pieces(4)[0])
    assert walk.later() == [lost]
    set_back(walk, lost, timedelta(hours=3))
    ids = [walk.mail(piece) for piece in pieces(6, mark=9)]
    assert (walk.told(ids[-1])["pages"], walk.told(lost)["joined_into"]) == (6, None)


def set_back(walk: Walk, fax_id: str, time: timedelta) -> None:
    with walk.store.engine.begin() as connection:
        connection.execute(sa.update(Fax).where(col(Fax.id) == fax_id).values(accepted_at=now() - time))


def test_the_total_may_stand_on_the_last_piece_alone(walk: Walk) -> None:
    first, second, third = (piece.replace(b" total=3;", b"") for piece in pieces())
    third = third.replace(b"number=3;", b"number=3; total=3;")
    ids = [walk.mail(piece) for piece in (second, third, first)]
    assert (walk.told(ids[-1])["kind"], walk.told(ids[-1])["pages"]) == ("fax", 4)


def test_pieces_that_disagree_on_the_total_are_two_faxes(walk: Walk) -> None:
    first, second, _ = pieces()
    ids = [walk.mail(first), walk.mail(second.replace(b"total=3", b"total=2"))]
    for _ in range(3):
        walk.later()
    assert [walk.told(part)["kind"] for part in ids] == ["fax", "fax"]
    assert [walk.told(part)["state"] for part in ids] == ["held", "held"]


@pytest.mark.parametrize("number", [b"number=0", b"number=4"])
def test_a_number_that_cannot_be_is_held_at_once(walk: Walk, number: bytes) -> None:
    fax = walk.told(walk.mail(pieces()[0].replace(b"number=1", number)))
    assert (fax["state"], fax["kind"]) == ("held", "unreadable")
    assert "分割メール" in " ".join(fax["held_because"])


def test_a_missing_piece_is_waited_for_then_what_is_there_is_held(walk: Walk) -> None:
    parts = pieces(4, n=5)
    ids = [walk.mail(parts[at]) for at in (0, 1, 3)]
    assert walk.later(29) == []
    assert walk.later() == [ids[-1]]
    fax = walk.told(ids[-1])
    assert (fax["state"], fax["kind"], fax["counted"], fax["work"]) == ("held", "fax", True, "new")
    assert "全5通" in fax["held_because"][0]
    assert "3、5番目" in fax["held_because"][0]
    assert [walk.told(part)["joined_into"] for part in ids[:2]] == [ids[-1]] * 2
    assert walk.counted() == 1
    assert walk.later(300) == []  # once


def test_what_can_be_opened_of_an_incomplete_fax_is_shown(walk: Walk) -> None:
    """The last piece is missing: its padding only, so that every page is there."""
    first, second, _ = pieces(4)
    walk.mail(first)
    walk.mail(second)
    (head,) = walk.later()
    fax = walk.told(head)
    assert fax["pages"] >= 1
    assert "3番目" in fax["held_because"][0]


def test_the_first_piece_missing_is_held_without_pages(walk: Walk) -> None:
    _, second, third = pieces()
    walk.mail(third)
    walk.mail(second)
    (head,) = walk.later()
    fax = walk.told(head)
    assert (fax["state"], fax["kind"], fax["pages"], fax["counted"]) == ("held", "fax", 0, True)
    assert "1番目" in fax["held_because"][0]
    assert walk.desk.original(walk.desk.fax(head)) == second


def test_an_unknown_total_is_said(walk: Walk) -> None:
    walk.mail(pieces()[0].replace(b" total=3;", b""))
    (head,) = walk.later()
    assert "最後の部分" in walk.told(head)["held_because"][0]


def test_the_missing_piece_after_all_makes_the_held_fax_whole(walk: Walk) -> None:
    first, second, third = pieces()
    ids = [walk.mail(first), walk.mail(third)]
    (head,) = walk.later()
    walk.desk.mark(head, "sato", "done")
    late = walk.mail(second)
    fax = walk.told(head)
    assert (fax["pages"], fax["kind"], fax["counted"], fax["work"]) == (4, "fax", True, "new")
    assert not any("届いていません" in reason for reason in fax["held_because"])
    assert walk.told(late)["joined_into"] == head
    assert fax["same_job"] == [ids[0], late, ids[1]]
    assert walk.counted() == 1
    assert walk.later() == []


def test_a_late_piece_that_completes_nothing_joins_the_held_fax(walk: Walk) -> None:
    parts = pieces(4, n=5)
    walk.mail(parts[0])
    (head,) = walk.later()
    late = walk.mail(parts[1])
    assert walk.told(late)["joined_into"] == head
    assert "3、4、5番目" in walk.told(head)["held_because"][0]
    assert walk.later() == []
    assert walk.counted() == 1


def test_reading_a_joined_fax_again_changes_nothing(walk: Walk) -> None:
    ids = [walk.mail(piece) for piece in pieces()]
    before = walk.told(ids[-1])
    for fax_id in ids:
        walk.desk.requeue(fax_id, "sato")
        walk.work()
    assert walk.told(ids[-1]) == before
    assert walk.counted() == 1


# ---- whole mails with a counter


def mails(
    shape: str = "[%d/3]", caller: str = "0355550199", pages: tuple[int, ...] = (2, 1, 3), mark: int = 0
) -> list[bytes]:
    """A fax in ordinary mails, as FUJIFILM's machines send it."""
    return [
        m.multipart(
            m.fields((shape % number).encode() + b" From " + caller.encode(), Date=None),
            [m.text(), m.attached(m.tiff(count, 10 * number + mark), "image/tiff", "img.tif")],
        )
        for number, count in enumerate(pages, 1)
    ]


@pytest.mark.parametrize("shape", ["[%d/3]", "(%d/3)", "%d/3", "(%d of 3)", "［%d／3］", "%d／3"])
def test_mails_with_a_counter_become_one_fax_in_their_order(walk: Walk, shape: str) -> None:
    first, second, third = mails(shape)
    head = walk.mail(second)
    fax = walk.told(head)
    assert (fax["state"], fax["pages"]) == ("held", 1)
    assert "1、3通目が届いていません" in fax["held_because"][0]
    rest = [walk.mail(third), walk.mail(first)]
    fax = walk.told(head)
    assert (fax["pages"], fax["counted"], walk.counted()) == (6, True, 1)
    assert not any("届いていません" in reason for reason in fax["held_because"])
    assert fax["same_job"] == [rest[1], head, rest[0]]
    sizes = [page.bits for page in walk.store.pages(head)]
    assert len(set(sizes)) == 6
    for part in rest:
        told = walk.told(part)
        assert (told["joined_into"], told["work"], told["counted"], told["same_job"]) == (
            head, "done", False, fax["same_job"],
        )  # fmt: skip
        assert walk.desk.original(walk.desk.fax(part)) in (first, third)


def test_two_faxes_with_counters_from_two_callers_are_not_mixed(walk: Walk) -> None:
    mine, theirs = mails(pages=(1, 1, 1)), mails(caller="0355550188", pages=(2, 2, 2), mark=5)
    ids = [walk.mail(raw) for pair in zip(mine, theirs, strict=True) for raw in pair]
    assert (walk.told(ids[0])["pages"], walk.told(ids[1])["pages"]) == (3, 6)
    assert walk.counted() == 2


def test_a_second_fax_with_the_same_counters_is_another_one(walk: Walk) -> None:
    ids = [walk.mail(raw) for raw in mails()]
    more = [walk.mail(raw) for raw in mails(mark=5)]
    assert (walk.told(ids[0])["pages"], walk.told(more[0])["pages"]) == (6, 6)
    assert walk.told(more[2])["joined_into"] == more[0]
    assert walk.counted() == 2


def test_a_person_takes_mails_apart(walk: Walk) -> None:
    ids = [walk.mail(raw) for raw in mails(pages=(2, 1, 3))]
    walk.desk.separate(ids[0], "sato")
    walk.work()
    told = [walk.told(fax_id) for fax_id in ids]
    assert [fax["pages"] for fax in told] == [2, 1, 3]
    assert [fax["joined_into"] for fax in told] == [None] * 3
    assert [fax["work"] for fax in told] == ["new"] * 3
    assert [len(walk.store.pages(fax_id)) for fax_id in ids] == [2, 1, 3]
    assert walk.counted() == 3
    assert ("sato", "separated") in {(event.who, event.action) for event in walk.store.events(ids[1])}
    walk.desk.requeue(ids[1], "sato")
    walk.work()
    assert walk.told(ids[1])["joined_into"] is None


def test_pieces_of_one_mail_cannot_be_taken_apart(walk: Walk) -> None:
    ids = [walk.mail(piece) for piece in pieces()]
    with pytest.raises(Exception, match="nothing to separate"):
        walk.desk.separate(ids[-1], "sato")


def test_a_mail_of_a_split_fax_that_comes_again_is_not_another_one(walk: Walk) -> None:
    first, second, third = mails()
    head = walk.mail(first)
    walk.mail(second)
    again = walk.mail(second.replace(b"MIME-Version", b"X-Resent: yes\r\nMIME-Version", 1))
    walk.mail(third)
    assert walk.told(again)["joined_into"] == head
    assert (walk.told(head)["pages"], walk.counted()) == (6, 1)


def test_a_restart_between_parts_loses_nothing(walk: Walk) -> None:
    """What is known stands in the database alone: another pipeline goes on."""
    first, second, third = pieces()
    walk.mail(first)
    walk.mail(third)
    other = replace(walk, pipeline=replace(walk.pipeline, store=Store(walk.store.engine)))
    last = other.mail(second)
    assert (other.told(last)["pages"], other.counted()) == (4, 1)


def test_files_that_are_numbered_anew_in_each_mail_stay_in_their_order(walk: Walk) -> None:
    made = [
        m.multipart(
            m.fields(f"[{number}/2] FAX", Date=None),
            [m.text(), *(m.attached(m.tiff(1, 10 * number + n), "image/tiff", f"p{n}.tif") for n in (1, 2))],
        )
        for number in (1, 2)
    ]
    alone = [walk.mail(raw.replace(b"[%d/2]" % n, b"alone"), line="shomu") for n, raw in enumerate(made, 1)]
    head, _ = (walk.mail(raw) for raw in made)
    expected = [page.bits for fax_id in alone for page in walk.store.pages(fax_id)]
    assert [page.bits for page in walk.store.pages(head)] == expected
    assert len(set(expected)) == 4
