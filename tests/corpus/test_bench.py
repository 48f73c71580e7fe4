"""`make bench` measures what it says it does: every part run small, against real processes."""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks import __main__ as command
from benchmarks import door, hosts, knowing, postfix, reading, running, table
from benchmarks.table import Aim, Figure, Machine, Peer
from gateway import evaluation
from gateway.models import Job
from routing import taxonomy, training
from tests import city
from tests.city import Gateway

BASE = Path(tempfile.gettempdir())  # not tmp_path: Postfix's processes are not root's and must be able to walk there
QUIET = Machine(
    at="2026-11-23T09:00+09:00",
    faxless="0.1.0",
    cpu="a processor",
    cores=2,
    memory=8 << 30,
    system="Linux 6",
    python="3.11.7",
    folder="/srv",
    file_system="ext4",
    load=(0.1, 0.2, 0.3),
    busy=3.0,
)


def by_name(figures: Sequence[Figure]) -> dict[str, Figure]:
    assert len({figure.what for figure in figures}) == len(figures)
    return {figure.what: figure for figure in figures}


# ---- the parts, small -------------------------------------------------------------------------------------------


def test_the_door_takes_mails_beside_postfix() -> None:
    effort = door.Effort(messages={1: 5, 4: 12}, rounds=1, seconds=0, warming=4)
    figures = by_name(door.measure(BASE, effort))
    assert list(figures) == ["mails taken, 1 session", "mails taken, 4 sessions"]
    for figure in figures.values():
        assert figure.value is not None
        assert figure.value > 0
        assert "all 21 kept" in figure.remark
        assert (figure.peer is None) == bool(postfix.why_not())
        if figure.peer is not None:
            assert figure.peer.ratio == pytest.approx(figure.value / figure.peer.value)


def test_a_rate_counts_only_when_every_mail_was_kept() -> None:
    with door.open_door(BASE) as gateway:
        # The client of machines without smtp-source. Equal bytes would be kept once, and the rate would be another.
        door.send_ourselves(gateway.smtp[1], 6, 2)
        door.all_kept(gateway, 6)
        with pytest.raises(AssertionError, match="rows, repeats, jobs and files kept"):
            door.all_kept(gateway, 7)


def test_pages_are_read_and_held_against_the_truth() -> None:
    # The engine that loads at once; the tests of `ocr` and the journey read with the other one.
    effort = reading.Effort(faxes=1, seconds=0, corpora=("clean",), engine="tesseract")
    figures = by_name(reading.measure(BASE, effort))
    rate, errors = figures["pages read, clean"], figures["wrong characters, clean, print"]
    assert rate.value is not None
    assert rate.value > 0
    assert "0 could not be read" in rate.remark
    assert rate.peer is not None
    assert rate.peer.ratio == pytest.approx(rate.value / rate.peer.value)
    assert errors.value is not None
    assert errors.value < 50
    assert errors.peer is not None
    assert errors.peer.ratio == 1, "the same engine reads the same"
    bound = figures["pages read and written as searchable PDF, clean"]
    assert bound.value is not None
    assert 0 < bound.value <= rate.value
    assert bound.peer is not None, bound.remark
    assert bound.peer.name.startswith("OCRmyPDF")
    assert bound.peer.ratio == pytest.approx(bound.value / bound.peer.value)
    theirs = figures["wrong characters, clean, beside OCRmyPDF, print"]
    assert theirs.value == errors.value
    assert theirs.peer is not None
    assert 0 < theirs.peer.value < 80, "its pages are held against their own truths"


@pytest.mark.parametrize(("part", "least"), [("unseen", 3), ("second unseen", 1), ("third unseen", 4)])
def test_the_unseen_documents_are_of_every_class_and_none_was_learned(part: str, least: int) -> None:
    documents = list(knowing.unseen(dict(knowing.PARTS)[part]))
    assert set(Counter(document.document_type for document in documents)) == set(taxonomy.load().codes)
    assert min(Counter(document.document_type for document in documents).values()) >= least
    learned = {line for example in training.packaged() for line in example.text.splitlines()}
    for document in documents:
        lines = document.text.splitlines()
        # Titles and the law's own words stand on everybody's forms.
        assert sum(len(line) > 14 and line in learned for line in lines) <= 1, document.name


def test_knowing_is_measured_as_text_and_from_pictures(tmp_path: Path) -> None:
    known = by_name(knowing.measure(BASE, knowing.Effort(drawn=0, pictures=0, rounds=1)))
    assert set(known) == {
        f"{what}, {part}, text"
        for part, _ in knowing.PARTS
        for what in ("urgent found", "in the right department", "routed without a person", "class right")
    }
    # Held well below what is measured, against a model or phrases that were broken.
    for part, urgent, home, right in (
        ("unseen", 95, 98, 85),
        ("second unseen", 95, 97, 78),
        ("third unseen", 95, 97, 78),
    ):
        assert known[f"urgent found, {part}, text"].value > urgent  # type: ignore[operator]
        assert known[f"in the right department, {part}, text"].value > home  # type: ignore[operator]
        assert known[f"class right, {part}, text"].value > right  # type: ignore[operator]
    for write in (knowing.write_unseen, knowing.write_drawn):
        folder = tmp_path / write.__name__
        folder.mkdir()
        write(folder, 2)
        truths, without = evaluation.find(folder)
        assert (len(truths), without) == (2, 0)


def test_two_workers_lose_and_double_nothing_when_one_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    look, looked = hosts.all_once, []

    def looked_at(stage: hosts.Stage, sent: set[str], *, killed: bool) -> None:
        look(stage, sent, killed=killed)
        with pytest.raises(AssertionError, match="250s are not the same"):
            look(stage, {*sent, "20261123-00000000"}, killed=killed)
        with stage.engine.begin() as connection:
            connection.execute(sa.insert(Job).values(fax_id=min(sent), work="carry"))
        with pytest.raises(AssertionError, match="1 jobs wait"):
            look(stage, sent, killed=killed)
        with stage.engine.begin() as connection:
            connection.execute(sa.delete(Job))
        (stage.sink / "20261123-00000000.pdf").write_bytes(b"")
        with pytest.raises(AssertionError, match="other files"):
            look(stage, sent, killed=killed)
        looked.append(len(sent))

    monkeypatch.setattr(hosts, "all_once", looked_at)
    monkeypatch.setattr(hosts, "WARMING", 4)
    rate, took = hosts.measure(BASE, hosts.Effort((hosts.Run(2, 24, kill=True),), paced=4))
    assert looked == [36]
    assert rate.value is not None
    assert rate.value > 0
    assert "all 36 routed, counted and delivered once" in rate.remark
    assert "killed worker" in rate.remark
    assert took.value is not None
    assert took.value > 0


def test_a_fax_is_timed_and_a_running_gateway_weighed(gateway: Gateway) -> None:
    sample = next(one for one in running.faxes_to_send(gateway) if one.pages == 1 and one.goes)
    routed = running.routing(gateway, [sample])
    assert routed.value is not None
    assert routed.value > 0
    main, worker = running.memory(gateway, [])
    assert main.value is not None
    assert worker.value is not None
    assert main.value > 30
    assert worker.value > 100, "an engine with its weights is larger than a bare process"


def test_people_are_called_while_ordinary_faxes_wait(tmp_path: Path) -> None:
    path = city.write_city(tmp_path, running.RING, workers=1)
    with city.gateway_at(path) as gateway:
        called = running.calling(gateway, tmp_path, waiting=2, urgent=1)
        (urgent,) = (fax for fax in gateway.ask("/api/v1/faxes")["faxes"] if fax["urgent"])
    assert called.value is not None
    assert called.value > 0
    assert list((tmp_path / "ring").glob(f"{urgent['id']}-alert1-*.json"))


# ---- the table --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("a", 3.9, "s", Aim(4, "at most")), True),
        (Figure("a", 4.1, "s", Aim(4, "at most")), False),
        (Figure("a", 61, "/min", Aim(60, "at least")), True),
        (Figure("a", 300, "/s", Aim(0.85, "at least", "ratio"), Peer("b", 400, 0.75)), False),
        (Figure("a", 300, "/s", Aim(0.85, "at least", "ratio")), None),
        (Figure("a", None, "s", Aim(4, "at most")), None),
        (Figure("a", 1, "%"), None),
    ],
)
def test_an_aim_is_met_or_not_or_cannot_be_told(figure: Figure, met: bool | None) -> None:
    assert figure.met is met
    assert figure.told()["met"] is met
    row = next(line for line in table.text(QUIET, [figure], 1).splitlines() if line.startswith("| a |"))
    assert ("| met |" in row, "**not met**" in row) == (met is True, met is False)


def test_what_makes_figures_rough_is_said() -> None:
    assert QUIET.warnings == ()
    assert "NOTE" not in table.text(QUIET, [], 1)
    assert "rough" in table.text(replace(QUIET, busy=90.0), [], 1)
    assert "syncing costs nothing" in table.text(replace(QUIET, file_system="tmpfs"), [], 1)
    assert "--quick" in table.text(QUIET, [], 1, quick=True)


def test_this_machine_is_known() -> None:
    here = table.machine(BASE)
    assert here.cores >= 1
    assert here.memory > 1 << 30
    assert here.file_system not in ("", "unknown")
    assert len(here.load) == 3


@pytest.mark.parametrize(
    ("value", "shown"), [(3.171, "3.17 s"), (12.34, "12.3 s"), (412.6, "413 s"), (60.0, "60 s"), (100.0, "100 s")]
)
def test_amounts_have_three_digits(value: float, shown: str) -> None:
    assert table.amount(value, "s") == shown


# ---- the command ------------------------------------------------------------------------------------------------


def test_a_part_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "door,cellar"]) == 2
    assert "cellar" in capsys.readouterr().err


def test_the_json_is_one_document_with_machine_and_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = Figure("a", 1.0, "s", Aim(4, "at most"), Peer("b", 2.0, 0.5), "so")
    monkeypatch.setattr(running, "measure", lambda _base, given: [figure] if given is running.QUICK else [])
    assert command.main(["--only", "running", "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["cores"] >= 1
    assert told["figures"] == [figure.told()]
    assert told["quick"] is True
