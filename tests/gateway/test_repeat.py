"""The same fax twice: surely the same counts once, what looks the same is linked, and nothing is thrown away."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlmodel import col

from gateway.errors import UsageError
from gateway.models import TOKYO, Fax, Page, now
from gateway.reader import MailToRead
from gateway.repeat import SAME_CALL, SAME_CALL_UNDATED, SAME_SHEET, contradicted, pictures_of, same_call
from ocr.page import Reading, Word
from tests.corpus.mail import machines as m
from tests.gateway.test_parts import Quick, Walk, walk

__all__ = ["walk"]
FORM = ("感染症発生届", "診断した医師の氏名", "医療機関の所在地", "患者の年齢", "診断年月日", "届出年月日")
NOISE = np.random.default_rng(11)


def sheet(seed: int = 1, boxes: int = 260) -> Image.Image:
    """A page written full of what nobody can read: the same seed, the same sheet."""
    rng = np.random.default_rng(seed)
    page = np.full((1100, 860), 255, np.uint8)
    for _ in range(boxes):
        x, y = rng.integers(60, 780), rng.integers(60, 1020)
        page[y : y + rng.integers(4, 24), x : x + rng.integers(3, 10)] = 0
        page[y : y + rng.integers(3, 8), x : x + rng.integers(8, 40)] = 0
    return Image.fromarray(page).convert("1")


def scanned(image: Image.Image, across: int = 0, down: int = 0, noise: float = 0.002, line: int = 0) -> Image.Image:
    """The sheet laid on the glass again: a little off its place, other noise, another line at the top."""
    page = np.roll(np.asarray(image), (down, across), (0, 1)) ^ (NOISE.random((1100, 860)) < noise)
    page[:20] = True
    page[6:16, 40 + line : 400 + 2 * line] = False
    return Image.fromarray(page)


def tiff(*pages: Image.Image) -> bytes:
    out = io.BytesIO()
    pages[0].save(out, "TIFF", compression="group4", save_all=True, append_images=pages[1:], dpi=(100, 100))
    return out.getvalue()


def fax(
    data: bytes,
    subject: str = "From 0355550199",
    date: str | None = None,
    boundary: str = "bnd",
    body: str = "Received: 2026-11-23 09:00",
    **fields: Any,
) -> bytes:
    parts = [m.text(body), m.attached(data, "image/tiff", "fax.tif")]
    return m.multipart(m.fields(subject, Date=date, **fields), parts, boundary=boundary)


# ---- surely the same


def test_the_whole_job_sent_again_counts_once(walk: Walk) -> None:
    """New Message-ID, Date, Received, boundary and file name: everything but the fax."""
    data = tiff(sheet())
    first = walk.mail(fax(data, date="Mon, 23 Nov 2026 09:00:00 +0900", Message_ID="<1@mfp.example.jp>"))
    resent = fax(data, date="Mon, 23 Nov 2026 09:07:00 +0900", boundary="other", Message_ID="<2@mfp.example.jp>")
    again = walk.mail(b"Received: from mfp by relay; again\r\n" + resent.replace(b"fax.tif", b"fax-2.tif"))
    told = walk.told(again)
    assert (told["duplicate_of"], told["counted"], told["work"], told["work_by"]) == (first, False, "done", "gateway")
    assert told["same_as"] == [first]
    assert walk.told(first)["same_as"] == [again]
    assert (walk.told(first)["counted"], walk.counted()) == (True, 1)
    assert walk.desk.original(walk.desk.fax(again)).startswith(b"Received: from mfp by relay")
    assert [page.bits for page in walk.store.pages(again)] == [page.bits for page in walk.store.pages(first)]


def test_the_same_pages_in_another_file_are_the_same(walk: Walk) -> None:
    """The machine makes the TIFF anew: other bytes, the same dots."""
    data = tiff(sheet())
    first = walk.mail(fax(data))
    again = walk.mail(fax(data + b"\0another end", boundary="other"))
    assert walk.told(again)["duplicate_of"] == first


def test_what_cannot_be_opened_is_known_again_by_its_bytes(walk: Walk) -> None:
    locked = m.attached(m.locked_pdf(), "application/pdf", "fax.pdf")
    mails = [
        m.multipart(m.fields("From 0355550199", Message_ID=f"<{n}@mfp.example.jp>", Date=None), [locked]) for n in "ab"
    ]
    first, again = (walk.mail(raw) for raw in mails)
    assert (walk.told(again)["duplicate_of"], walk.counted()) == (first, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "From 0355550188"},
        {"subject": "From 0355550199 (Fax Message No. 0002)"},
        {"sender": "<other@mfp.example.jp>"},
        {"body": "Received: 2026-11-23 09:07"},
    ],
    ids=["another caller", "another job of the machine", "another machine", "another time told"],
)
def test_a_call_of_its_own_counts_and_is_linked(walk: Walk, other: dict[str, Any]) -> None:
    data = tiff(sheet())
    first = walk.mail(fax(data))
    second = walk.mail(fax(data, **other))
    assert walk.told(second)["duplicate_of"] is None
    assert walk.counted() == 2
    linked = [] if "0355550188" in str(other) else [first]
    assert walk.told(second)["same_as"] == linked


def test_one_message_id_on_two_faxes_makes_them_no_repeat(walk: Walk) -> None:
    one = walk.mail(fax(tiff(sheet(1)), Message_ID="<same@mfp.example.jp>"))
    two = walk.mail(fax(tiff(sheet(2)), Message_ID="<same@mfp.example.jp>"))
    assert [walk.told(of)["duplicate_of"] for of in (one, two)] == [None, None]
    assert [walk.told(of)["same_as"] for of in (one, two)] == [[], []]
    assert walk.counted() == 2


def test_for_another_line_it_goes_its_own_way(walk: Walk) -> None:
    data = tiff(sheet())
    walk.mail(fax(data))
    other = walk.mail(fax(data, boundary="other"), line="shomu")
    assert walk.told(other)["duplicate_of"] is None
    assert walk.told(other)["work"] == "new"


def test_blank_pages_are_no_repeats_of_each_other(walk: Walk) -> None:
    blank = Image.new("1", (860, 1100), 1)
    walk.mail(fax(tiff(blank)))
    again = walk.mail(fax(tiff(blank) + b"\0", boundary="other"))
    assert walk.told(again)["duplicate_of"] is None


def test_whichever_is_looked_at_first_one_counts(walk: Walk) -> None:
    """Both journeys are under way at once, the later mail's first; and each is read again."""
    data = tiff(sheet())
    one = walk.mail(fax(data), walk=False)
    two = walk.mail(fax(data, boundary="other"), walk=False)
    for fax_id in (two, one, two, one):
        walk.pipeline.journey(fax_id, lambda function, *words: function(*words))
    assert walk.counted() == 1
    assert {walk.told(one)["duplicate_of"], walk.told(two)["duplicate_of"]} == {None, two}


def test_a_repeat_of_a_repeat_names_the_first(walk: Walk) -> None:
    data = tiff(sheet())
    first, *more = [walk.mail(fax(data, boundary=f"b{n}")) for n in range(4)]
    assert [walk.told(again)["duplicate_of"] for again in more] == [first] * 3
    exact = walk.mail(fax(data, boundary="b2"))
    assert walk.told(exact)["duplicate_of"] == first
    assert walk.counted() == 1


def call(**more: Any) -> Fax:
    given = {
        "caller": "+81355550199",
        "tsi": "SAKURA",
        "subject": "FAX",
        "sender": "mfp",
        "said": "x",
        "envelope_from": "mfp@x",
    }
    moment = more.pop("at", datetime(2026, 11, 23, 9, tzinfo=TOKYO))
    return Fax(
        id="a", sha256="b", bytes=1, line="hoken", month="2026-11", accepted_at=moment, received_at=moment,
        updated_at=moment, **{**given, **more},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("later", "dated", "once"),
    [
        (SAME_CALL_UNDATED, False, True),
        (SAME_CALL_UNDATED + timedelta(seconds=1), False, False),
        (timedelta(days=1), False, False),
        (timedelta(days=1), True, True),
        (SAME_CALL, True, True),
        (SAME_CALL + timedelta(seconds=1), True, False),
    ],
)
def test_the_time_within_which_equal_pages_are_one_call(later: timedelta, dated: bool, once: bool) -> None:
    first, again = call(), call(at=datetime(2026, 11, 23, 9, tzinfo=TOKYO) + later)
    assert same_call(first, again, dated) is same_call(again, first, dated) is once


def test_a_backlog_is_judged_by_the_time_of_the_calls() -> None:
    """All of it is accepted within a minute; a form that looks the same every day came on as many days."""
    taken = {"client": "backlog", "accepted_at": now()}
    monday, tuesday = call(), call(at=datetime(2026, 11, 24, 9, tzinfo=TOKYO))
    for entry in (monday, tuesday):
        for name, value in taken.items():
            setattr(entry, name, value)
    assert not same_call(monday, tuesday, dated=False)


@pytest.mark.parametrize("what", ["caller", "tsi", "subject", "sender", "said", "envelope_from"])
def test_what_one_mail_alone_tells_does_not_speak_against_it(what: str) -> None:
    assert not same_call(call(), call(**{what: "another"}), dated=True)
    silent = same_call(call(), call(**{what: ""}), dated=True)
    assert silent is (what != "envelope_from")


# ---- perhaps the same


def refaxed(walk: Walk, **later: Any) -> tuple[str, str]:
    one = walk.mail(fax(tiff(scanned(sheet()))))
    two = walk.mail(fax(tiff(scanned(sheet(), 5, -7, line=9)), subject="From 0355550199 again", **later))
    return one, two


def test_a_sheet_faxed_again_is_linked_both_ways_and_nothing_is_decided(walk: Walk) -> None:
    one, two = refaxed(walk)
    assert (walk.told(one)["same_as"], walk.told(two)["same_as"]) == ([two], [one])
    assert walk.told(two)["duplicate_of"] is None
    assert walk.told(two)["work"] == "new"
    assert walk.counted() == 2


class Lettered(Quick):
    """Reads on every page of a mail the lines that it was told."""

    told: dict[str, tuple[str, ...]]

    def read(self, mail: MailToRead, document: int, page: int) -> Reading:
        reading = super().read(mail, document, page)
        words = tuple(Word(text, (x0, y0, x1, y1), sure) for text, x0, y0, x1, y1, sure in seen(self.told[mail.digest]))
        return replace(reading, page=replace(reading.page, words=words))


@pytest.mark.parametrize(("date", "linked"), [("令和8年11月23日", True), ("令和8年11月24日", False)])
def test_a_date_that_differs_keeps_two_pictures_apart(walk: Walk, date: str, linked: bool) -> None:
    readers = Lettered(walk.pipeline.spool)
    walk.pipeline = replace(walk.pipeline, readers=readers)
    mails = [fax(tiff(scanned(sheet(), n))) + b"x" * n for n in range(2)]
    readers.told = {
        hashlib.sha256(mail).hexdigest(): (*FORM, day)
        for mail, day in zip(mails, ("令和8年11月23日", date), strict=True)
    }
    one, two = (walk.mail(mail) for mail in mails)
    assert walk.told(two)["same_as"] == ([one] if linked else [])


def test_said_to_be_the_same_it_counts_once(walk: Walk) -> None:
    one, two = refaxed(walk)
    walk.desk.say(one, two, "sato", same=True)
    assert (walk.told(two)["duplicate_of"], walk.told(one)["duplicate_of"]) == (one, None)
    assert (walk.counted(), walk.told(two)["same_as"]) == (1, [one])
    for about, other in ((one, two), (two, one)):
        (said,) = [event for event in walk.store.events(about) if event.action == "said:same"]
        assert (said.who, said.detail) == ("sato", {"other": other})
    walk.desk.requeue(two, "sato")
    walk.work()
    assert (walk.told(two)["duplicate_of"], walk.counted()) == (one, 1)


def test_said_to_be_different_it_is_not_proposed_again(walk: Walk) -> None:
    one, two = refaxed(walk)
    walk.desk.say(two, one, "sato", same=False)
    walk.desk.requeue(two, "sato")
    walk.desk.requeue(one, "sato")
    walk.work()
    assert (walk.told(one)["same_as"], walk.told(two)["same_as"], walk.counted()) == ([], [], 2)


def test_what_the_gateway_took_for_the_same_a_person_may_undo(walk: Walk) -> None:
    data = tiff(sheet())
    one, two = walk.mail(fax(data)), walk.mail(fax(data, boundary="other"))
    walk.desk.say(one, two, "sato", same=False)
    walk.work()
    told = walk.told(two)
    assert (told["duplicate_of"], told["counted"], told["work"], walk.counted()) == (None, True, "new", 2)
    walk.desk.requeue(two, "sato")
    walk.work()
    assert (walk.told(two)["duplicate_of"], walk.told(two)["same_as"]) == (None, [])


def test_two_families_become_one(walk: Walk) -> None:
    one, two = refaxed(walk)
    data = walk.desk.original(walk.desk.fax(two))
    three = walk.mail(data)
    walk.desk.say(two, one, "sato", same=True)
    assert [walk.told(of)["duplicate_of"] for of in (one, two, three)] == [None, one, one]
    assert walk.counted() == 1


def test_equal_bytes_cannot_be_two_and_strangers_cannot_be_one(walk: Walk) -> None:
    one, _ = refaxed(walk)
    stranger = walk.mail(fax(tiff(sheet(5))))
    with pytest.raises(UsageError, match="not linked"):
        walk.desk.say(one, stranger, "sato", same=True)
    with pytest.raises(UsageError, match="not linked"):
        walk.desk.say(one, one, "sato", same=False)
    assert walk.counted() == 3


def test_the_first_two_pages_and_then_all_three_are_linked(walk: Walk) -> None:
    """The usual reason for faxing again: the first time it broke off."""
    pages = [sheet(seed) for seed in (1, 2, 3)]
    one = walk.mail(fax(tiff(*(scanned(page) for page in pages[:2]))))
    two = walk.mail(fax(tiff(*(scanned(page, 3, 4) for page in pages)), subject="again"))
    last = walk.mail(fax(tiff(scanned(pages[2], -4, 2)), subject="the last page"))
    assert walk.told(one)["same_as"] == [two]
    assert sorted(walk.told(two)["same_as"]) == sorted([one, last])


@pytest.mark.parametrize(
    "apart", [{"line": "shomu"}, {"days": 8}, {"caller": "0355550188"}], ids=["line", "time", "caller"]
)
def test_only_faxes_of_one_line_time_and_caller_are_compared(walk: Walk, apart: dict[str, Any]) -> None:
    one = walk.mail(fax(tiff(scanned(sheet()))), line=apart.get("line", "hoken"))
    with walk.store.engine.begin() as connection:
        past = now() - timedelta(days=apart.get("days", 0))
        connection.execute(sa.update(Fax).where(col(Fax.id) == one).values(accepted_at=past))
    two = walk.mail(fax(tiff(scanned(sheet(), 4)), subject=f"From {apart.get('caller', '0355550199')} again"))
    assert walk.told(two)["same_as"] == []


def test_looking_uses_the_index_of_the_line(walk: Walk) -> None:
    """A hundred thousand other faxes must not be looked through."""
    one = walk.mail(fax(tiff(sheet())))
    seen: list[str] = []
    with Statements(walk.store.engine, seen):
        walk.store.lately(walk.desk.fax(one), SAME_SHEET)
    (statement,) = [text for text in seen if "accepted_at >=" in text]
    with walk.store.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM fax WHERE line = 'a' AND accepted_at >= '2026' AND accepted_at <= '2027'"
        ).all()
    assert "fax_of_line" in str(plan)
    assert "LIMIT" in statement


class Statements:
    def __init__(self, engine: sa.Engine, seen: list[str]) -> None:
        self.engine, self.seen = engine, seen

    def _note(self, _c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.seen.append(statement)

    def __enter__(self) -> None:
        sa.event.listen(self.engine, "before_cursor_execute", self._note)

    def __exit__(self, *_: object) -> None:
        sa.event.remove(self.engine, "before_cursor_execute", self._note)


# ---- what the text says against it


def seen(lines: tuple[str, ...]) -> list[Any]:
    """These lines below each other, as they are kept."""
    return [
        [line, 60, 100 + 60 * number, 60 + 18 * len(line), 124 + 60 * number, 0.97] for number, line in enumerate(lines)
    ]


def read(*lines: str, turn: tuple[float, int, int] = (1.0, 0, 0), sure: float = 0.97) -> Page:
    """A page on which these lines were read, laid on the glass so much larger and further right and down."""
    size, across, down = turn
    words = []
    for number, line in enumerate(lines):
        box = (100, 200 + 80 * number, 100 + 30 * len(line), 236 + 80 * number)
        words.append([line, *(size * at + off for at, off in zip(box, (across, down) * 2, strict=True)), sure])
    return Page(fax_id="x", number=1, width=1728, height=2300, words=words)


@pytest.mark.parametrize(
    ("mine", "theirs", "against"),
    [
        ("令和8年11月23日", "令和8年11月23日", False),
        ("令和8年11月23日", "令和8年11月24日", True),
        ("令和8年8月1日", "令和8年8月11日", True),
        ("山田 太郎", "佐藤 花子", True),
        ("注文番号pq-2026-72958", "注文番号po-2026-72958", False),  # a letter misread is no other number
        ("2", "2|", False),  # a rule of the form
        ("12", "72", True),
        ("山田 太郎", "山田 大郎", False),
    ],
)
def test_words_at_the_same_place_that_differ_speak_against_it(mine: str, theirs: str, against: bool) -> None:
    one, other = read(*FORM, mine), read(*FORM, theirs, turn=(1.01, 14, -22))
    assert contradicted(one, other) is contradicted(other, one) is against


def test_words_that_were_read_unsurely_say_nothing() -> None:
    assert not contradicted(read(*FORM, "令和8年11月23日", sure=0.2), read(*FORM, "令和8年11月24日"))
    assert contradicted(read(*FORM, "令和8年11月23日", sure=0.4), read(*FORM, "令和8年11月24日"))


def test_pages_that_share_too_little_are_not_compared_by_words() -> None:
    assert not contradicted(read("電話 03-5555-0199"), read("電話 03-5555-0188"))


@given(st.lists(st.text(alphabet="感染症0123456789年月日山田", max_size=8), max_size=8))
def test_no_text_speaks_against_itself(lines: list[str]) -> None:
    assert not contradicted(read(*FORM, *lines), read(*FORM, *lines, turn=(0.99, -8, 30)))


def test_pages_are_known_by_all_of_their_dots_or_not_at_all() -> None:
    one, two = (Page(fax_id="x", number=n, bits=f"b{n}", fingerprint="f") for n in (1, 2))
    assert pictures_of([one, two]) != pictures_of([two, one]) != ""
    assert pictures_of([one, Page(fax_id="x", number=2)]) == ""
    assert pictures_of([]) == pictures_of([Page(fax_id="x", number=1, bits="blank")]) == ""
