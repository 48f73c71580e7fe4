"""Parcels, their names and when a failed try is repeated."""

from __future__ import annotations

import json
import re
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import delivery
from routing.delivery import DeliveryError, Document, Parcel, SinkMistake
from routing.errors import RoutingError
from routing.sinks import build

PARCEL = Parcel(
    id="20261105-abcd1234-hoken-mail-1",
    fax_id="20261105-abcd1234",
    document_type="DISEASE_IMMEDIATE",
    type_name="感染症発生届(直ちに)",
    department="hoken",
    sender="+81312345678",
    received_at=datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    due_at=None,
    urgent=True,
    pages=2,
    documents=(Document("見本.pdf", "application/pdf", b"%PDF-1.4 invented"),),
)


def test_waits_double_from_half_a_minute_to_six_hours() -> None:
    waits = [delivery.next_try(attempts) for attempts in range(1, 13)]
    assert waits[:4] == [timedelta(seconds=s) for s in (30, 60, 120, 240)]
    assert waits[-1] == timedelta(hours=6)
    assert delivery.next_try(0) == timedelta(seconds=30)


def test_after_about_three_days_it_is_given_up_for_good() -> None:
    total, attempts = timedelta(0), 1
    while (wait := delivery.next_try(attempts)) is not None:
        total += wait
        attempts += 1
    assert timedelta(days=3) <= total < timedelta(days=3, hours=6)
    assert delivery.next_try(attempts + 1) is None
    assert delivery.next_try(10**9) is None


@given(st.text(max_size=120), st.text(max_size=120))
def test_a_stem_is_a_safe_name_and_no_two_ids_share_one(one: str, other: str) -> None:
    for text in (one, other):
        assert re.fullmatch("[A-Za-z0-9_-]{1,97}", delivery.stem(text))
    assert (delivery.stem(one) == delivery.stem(other)) == (one == other)


@pytest.mark.parametrize("id", ["../../etc/passwd", "a.b", ".", "", "窓口-1", "a\r\nBcc: x@example.org", "x" * 500])
def test_a_hostile_id_becomes_a_harmless_name(id: str) -> None:
    assert delivery.stem(id) != id
    assert not set(delivery.stem(id)) & set("./\\\r\n: ")


def test_an_ordinary_id_is_its_own_stem() -> None:
    assert delivery.stem(PARCEL.id) == PARCEL.id


def test_plain_data_carries_times_of_tokyo_and_no_bytes() -> None:
    due = replace(PARCEL, due_at=datetime(2026, 11, 5, 15, 30, tzinfo=UTC), fields={"disease": {"value": "麻しん"}})
    plain = json.loads(json.dumps(delivery.as_plain(due)))
    assert (plain["received_at"], plain["due_at"]) == ("2026-11-05T12:00:00+09:00", "2026-11-06T00:30:00+09:00")
    assert (
        plain["documents"]
        == [
            {
                "name": "見本.pdf",
                "media_type": "application/pdf",
                "bytes": 17,
                "sha256": "c0f2b6c8fd9d7b4a5ef2e6f6f5c9f4f2",
            }
        ]
        or len(plain["documents"][0]["sha256"]) == 64
    )


def test_half_a_surrogate_pair_breaks_no_copy() -> None:
    assert json.loads(delivery.as_json({"text": "a\udc80b"})) == {"text": "a\udc80b"}


def test_files_have_names_of_our_own() -> None:
    two = replace(
        PARCEL, documents=(*PARCEL.documents, Document("x.tif", "image/tiff; charset=x", b"II*")), pdf=b"%PDF"
    )
    assert [file.name for file in delivery.attachments(PARCEL)] == ["20261105-abcd1234.pdf"]
    assert [file.name for file in delivery.attachments(two)] == [
        "20261105-abcd1234-1.pdf",
        "20261105-abcd1234-2.tif",
        "20261105-abcd1234-searchable.pdf",
    ]


def test_a_mail_without_documents_is_carried_itself() -> None:
    (file,) = delivery.attachments(replace(PARCEL, documents=(), original=b"From: x\r\n\r\nhello"))
    assert (file.name, file.content) == ("20261105-abcd1234.eml", b"From: x\r\n\r\nhello")


def test_parcels_do_not_change_and_print_no_content() -> None:
    with pytest.raises(FrozenInstanceError):
        PARCEL.pages = 3  # type: ignore[misc]
    shown = repr(replace(PARCEL, text="秘密の本文", original=b"SECRET"))
    assert "秘密" not in shown
    assert "SECRET" not in shown
    assert "invented" not in shown


def test_an_error_knows_whether_to_try_again_and_what_a_person_can_do() -> None:
    for again in (True, False):
        error = DeliveryError("だめでした", again=again)
        assert isinstance(error, RoutingError)
        assert error.again is again
        assert error.advice


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("pigeon", {}),
        ("folder", {}),
        ("mail", {"relay": "127.0.0.1:25"}),
        ("mail", {"relay": "127.0.0.1:25", "to": "nobody"}),
        ("mail", {"relay": "127.0.0.1:25", "to": "a@example.org, "}),
        ("mail", {"relay": "127.0.0.1:25", "to": "a@example.org\r\nBcc: b@example.org"}),
        ("mail", {"relay": "127.0.0.1", "to": "a@example.org"}),
        ("mail", {"relay": "127.0.0.1:0", "to": "a@example.org"}),
        ("mail", {"relay": "127.0.0.1:２５", "to": "a@example.org"}),
        ("mail", {"relay": "127.0.0.1:25", "to": "a@example.org", "sender": "@"}),
        ("webhook", {"url": "http://127.0.0.1:9/x"}),
        ("webhook", {"url": "http://127.0.0.1:9/x", "secret": "whsec_"}),
        ("webhook", {"url": "http://127.0.0.1:9/x", "secret": "ひみつ"}),
        ("webhook", {"url": "ftp://127.0.0.1/x", "secret": "whsec_AAAA"}),
        ("webhook", {"url": "127.0.0.1/x", "secret": "whsec_AAAA"}),
        ("webhook", {"url": "http://", "secret": "whsec_AAAA"}),
        ("webhook", {"url": "http://[::1", "secret": "whsec_AAAA"}),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_sinks_name(kind: str, given: dict[str, str]) -> None:
    with pytest.raises(SinkMistake, match="hoken-1"):
        build(kind, "hoken-1", **given)
