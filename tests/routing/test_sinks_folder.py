"""The folder sink on a real disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from routing.delivery import DeliveryError, Document, Parcel, as_plain
from routing.sinks import build
from routing.sinks.folder import FolderSink

PDF = b"%PDF-1.4 invented\n"
PARCEL = Parcel(
    id="20261105-abcd1234-hoken-folder-1",
    fax_id="20261105-abcd1234",
    document_type="OTHER",
    type_name="その他",
    department="hoken",
    sender=None,
    received_at=datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    due_at=None,
    urgent=False,
    pages=1,
    fields={"疾病": {"value": "麻しん"}},
    reasons=("線の既定の部署",),
    documents=(Document("../../見本.pdf", "application/pdf", PDF),),
)


def names(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir())


def test_the_document_lies_there_with_its_card(tmp_path: Path) -> None:
    receipt = FolderSink("f", tmp_path).carry(PARCEL)
    assert names(tmp_path) == [f"{PARCEL.id}.json", f"{PARCEL.id}.pdf"]
    assert (tmp_path / f"{PARCEL.id}.pdf").read_bytes() == PDF
    card = json.loads((tmp_path / f"{PARCEL.id}.json").read_text("utf-8"))
    assert card == as_plain(PARCEL) | {"files": [f"{PARCEL.id}.pdf"]}
    assert receipt.text == str(tmp_path / f"{PARCEL.id}.json")


def test_other_people_of_the_machine_cannot_read_it(tmp_path: Path) -> None:
    FolderSink("f", tmp_path).carry(PARCEL)
    assert all(place.stat().st_mode & 0o007 == 0 for place in tmp_path.iterdir())


def test_the_card_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    rename = Path.replace

    def watched(self: Path, target: Path) -> Path:
        done = rename(self, target)
        seen.append([name for name in names(tmp_path) if not name.startswith(".")])
        return done

    monkeypatch.setattr(Path, "replace", watched)
    FolderSink("f", tmp_path).carry(replace(PARCEL, pdf=b"%PDF searchable"))
    stem = PARCEL.id
    assert seen[:2] == [[f"{stem}.pdf"], sorted([f"{stem}-searchable.pdf", f"{stem}.pdf"])]
    assert f"{stem}.json" in seen[2]


def test_the_same_parcel_again_changes_nothing(tmp_path: Path) -> None:
    sink = FolderSink("f", tmp_path)
    first = sink.carry(PARCEL)
    before = {place.name: (place.stat().st_ino, place.stat().st_mtime_ns) for place in tmp_path.iterdir()}
    assert sink.carry(PARCEL) == first
    assert {place.name: (place.stat().st_ino, place.stat().st_mtime_ns) for place in tmp_path.iterdir()} == before


def test_a_try_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    (tmp_path / f"{PARCEL.id}.pdf").write_bytes(b"%PDF half of")
    for left in (PARCEL.id, f"{PARCEL.id}-searchable"):
        (tmp_path / f".{left}.0badf00d.part").write_bytes(b"%PD")
    others = [f".{PARCEL.id}2.0badf00d.part", "somebody-elses.part"]
    for other in others:
        (tmp_path / other).write_bytes(b"stays")
    FolderSink("f", tmp_path).carry(replace(PARCEL, pdf=b"%PDF searchable"))
    ours = [f"{PARCEL.id}-searchable.pdf", f"{PARCEL.id}.json", f"{PARCEL.id}.pdf"]
    assert names(tmp_path) == sorted([*others, *ours])
    assert (tmp_path / f"{PARCEL.id}.pdf").read_bytes() == PDF


def test_a_full_disk_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeliveryError, match="空き容量") as caught:
        FolderSink("f", tmp_path).carry(PARCEL)
    assert caught.value.again
    assert names(tmp_path) == []


@contextmanager
def nobody() -> Iterator[None]:
    """As a user without rights; root may write anywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir()
    shut.chmod(0o555)
    with nobody(), pytest.raises(DeliveryError, match="権限") as caught:
        FolderSink("f", shut).carry(PARCEL)
    assert caught.value.again
    assert names(shut) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_is_gone_or_no_folder_is_tried_again(tmp_path: Path, there: bool) -> None:
    place = tmp_path / "share"
    if there:
        place.write_text("a file")
    with pytest.raises(DeliveryError, match="フォルダがありません") as caught:
        FolderSink("f", place).carry(PARCEL)
    assert caught.value.again
    assert place.exists() is there
    assert str(tmp_path) not in str(caught.value)


def test_a_new_folder_is_made_when_the_sink_is_built(tmp_path: Path) -> None:
    sink = build("folder", "f", path=str(tmp_path / "copies" / "hoken"))
    assert sink.id == "f"
    sink.carry(PARCEL)
    assert len(names(tmp_path / "copies" / "hoken")) == 2


def test_a_hostile_id_stays_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    FolderSink("f", folder).carry(replace(PARCEL, id="../../out"))
    assert names(tmp_path) == ["in"]
    assert len(names(folder)) == 2


def test_no_document_at_all_gives_the_mail_itself(tmp_path: Path) -> None:
    FolderSink("f", tmp_path).carry(replace(PARCEL, documents=(), original=b"From: x\r\n\r\n\xff\x00"))
    assert (tmp_path / f"{PARCEL.id}.eml").read_bytes() == b"From: x\r\n\r\n\xff\x00"
