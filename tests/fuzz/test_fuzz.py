"""Fuzzing in brief, and what it has found so far. At length: ``make fuzz``."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.document import page_image
from ocr.errors import Damaged
from tests.fuzz import __main__ as long
from tests.fuzz import documents as d
from tests.fuzz import oracle


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.data())
def test_mails_that_are_hurt_give_a_message(data: st.DataObject) -> None:
    hurt(data, "message")


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.data())
def test_documents_that_are_hurt_give_a_page_or_a_reason(data: st.DataObject) -> None:
    hurt(data, "document")


def hurt(data: st.DataObject, target: str) -> None:
    raw = data.draw(st.sampled_from(oracle.seeds(target)))
    dice = random.Random(data.draw(st.integers(0, 2**32)))
    oracle.CHECKS[target](oracle.mutated(target, raw, dice))


@pytest.mark.parametrize("target", oracle.CHECKS)
def test_every_seed_passes(target: str) -> None:
    assert len(oracle.seeds(target)) > 20
    for raw in oracle.seeds(target):
        oracle.CHECKS[target](raw)


def broken_form() -> bytes:
    """A form that draws itself twice, in a dictionary that pypdf cannot read and pdfium can: 1.8 GB in 600 bytes."""
    return d.PDFS["form that draws itself"]().replace(b"/BBox [", b"/BBox \xbb")


def form_behind_a_cut() -> bytes:
    """The same where pypdf finds no page: its table of objects is cut, and the file goes on with another."""
    whole = d.PDFS["form that draws itself"]()
    cut = whole.index(b"0000000111")
    return whole[: cut + 5] + whole[whole.index(b"/Pages") : -40] + whole[cut + 3 :]


def bomb_of_strange_length() -> bytes:
    """Noughts deflated twice, whose length pypdf cannot read: pdfium unpacks them all."""
    return d.PDFS["flate bomb in the instructions"]().replace(b"/Length 1", b"/Length C1", 1)


FOUND: dict[str, Callable[[], bytes]] = {
    "form that pypdf cannot read": broken_form,
    "form behind a cut": form_behind_a_cut,
    "bomb of a strange length": bomb_of_strange_length,
}


@pytest.mark.parametrize("make", FOUND.values(), ids=FOUND)
def test_what_fuzzing_found_stays_mended(make: Callable[[], bytes]) -> None:
    oracle.check_document(make())
    with pytest.raises(Damaged):
        page_image(make(), 1)


def test_a_filter_whose_name_is_no_text_is_no_filter() -> None:
    """pypdfium2 reads names as UTF-8."""
    data = d.image(d.BIT + b"/Filter /CCITT\x81Decode " + d.size(800, 800), bytes(99))
    oracle.check_document(data)


def test_a_finding_is_seen_again_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "message-crash-0123"
    kept.write_bytes(b"From: a\r\n\r\nb")
    assert long.replay(None, kept) == 0
    assert "nothing found" in capsys.readouterr().out
    with pytest.raises(KeyError):  # what a check raises is not swallowed, whatever it is
        long.replay("no such target", kept)


def test_the_long_run_begins_with_the_seeds(tmp_path: Path) -> None:
    long.plant("document", tmp_path)
    assert {file.read_bytes() for file in tmp_path.iterdir()} == set(oracle.seeds("document"))
