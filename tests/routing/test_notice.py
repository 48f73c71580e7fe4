"""Calls through each kind of receiver: small, signed, the same at every try, and nobody's name in them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from routing.delivery import ALERT, DeliveryError, Notice, next_try, notice_as_plain
from routing.sinks import build
from routing.sinks.folder import FolderSink
from routing.sinks.mail import MailSink
from routing.sinks.webhook import WebhookSink
from tests.routing import test_sinks_mail as mails
from tests.routing import test_sinks_webhook as hooks

NOTICE = Notice(
    id="20261105-abcd1234-alert1-toban",
    fax_id="20261105-abcd1234",
    document_type="DISEASE_IMMEDIATE",
    type_name="感染症発生届(直ちに)",
    department="感染症対策課",
    line="hoken",
    sender="03-1234-5678",
    received_at=datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    due_at=datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    step=1,
    link="https://fax.city.example/faxes/20261105-abcd1234",
)


def test_a_mail_that_calls_says_what_from_whom_by_when_and_where() -> None:
    relay = mails.Relay()
    with mails.listening(relay) as address:
        MailSink("m", to="toban@city.example", relay=address, sender="fax@city.example", seconds=10).tell(NOTICE)
    message = mails.read(relay.taken[0])
    assert message["Subject"] == "【至急】FAX 感染症発生届(直ちに) 発信 03-1234-5678 期限 直ちに [20261105-abcd1234]"
    assert list(message.iter_attachments()) == []
    assert (message["Importance"], message["Auto-Submitted"]) == ("high", "auto-generated")
    assert message["Message-ID"] == "<20261105-abcd1234-alert1-toban@city.example>"
    text = message.get_content()
    for said in (NOTICE.link, "感染症対策課", "回線: hoken", "期限: 直ちに", "緊急のFAXが届きました"):
        assert said in text


def test_a_second_call_says_that_nobody_has_opened_it() -> None:
    sink = MailSink("m", to="a@b.example", relay="127.0.0.1:25")
    later = replace(NOTICE, step=2, due_at=NOTICE.received_at + timedelta(hours=48), sender="")
    message = mails.parsed(sink.notice(later))
    assert str(message["Subject"]).startswith(
        "【至急・未開封 2回目】FAX 感染症発生届(直ちに) 発信 番号不明 期限 11-07 12:00"
    )
    assert "まだ誰も開いていません" in message.get_content()


def test_a_webhook_that_calls_is_signed_and_has_a_type_of_its_own() -> None:
    receiver = hooks.Receiver()
    with hooks.listening(receiver) as url:
        sink = WebhookSink("w", url=url, secret=hooks.SECRET)
        assert sink.tell(NOTICE).text == "HTTP 200"
        sink.tell(NOTICE)
    (_, headers, body), (_, again, second) = receiver.came
    told = Webhook(hooks.SECRET).verify(body, headers)
    assert (told["type"], told["data"]) == ("fax.alert", notice_as_plain(NOTICE))
    assert headers["webhook-id"] == again["webhook-id"] == headers["idempotency-key"] == NOTICE.id
    assert body == second


def test_a_folder_gets_one_whole_card(tmp_path: Path) -> None:
    sink = FolderSink("f", tmp_path)
    sink.tell(NOTICE)
    sink.tell(NOTICE)
    (card,) = tmp_path.iterdir()
    assert card.name == f"{NOTICE.id}.json"
    assert json.loads(card.read_text("utf-8")) == notice_as_plain(NOTICE)
    with pytest.raises(DeliveryError) as gone:
        FolderSink("f", tmp_path / "gone").tell(NOTICE)
    assert gone.value.again


def test_a_receiver_may_be_given_less_time() -> None:
    usual, short = (build("mail", "m", to="a@b.example", relay="127.0.0.1:25", seconds=s) for s in (None, 5.0))
    assert isinstance(usual, MailSink)
    assert isinstance(short, MailSink)
    assert (usual.seconds, short.seconds) == (60.0, 5.0)


def test_a_call_is_repeated_soon_and_not_next_week() -> None:
    waits = []
    while (wait := next_try(len(waits) + 1, ALERT)) is not None:
        waits.append(wait)
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert max(waits) == timedelta(minutes=5)
    assert timedelta(hours=12) <= sum(waits, timedelta(0)) < timedelta(hours=13)
