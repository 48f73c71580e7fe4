"""The webhook sink against a real HTTP server on loopback, verified as a receiver verifies it."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from routing.delivery import DeliveryError, Document, Parcel, as_plain
from routing.sinks.webhook import WebhookSink

SECRET = "whsec_" + base64.b64encode(b"an invented secret of 32 bytes!!").decode()
PDF = b"%PDF-1.4 invented \x00\xff"
PARCEL = Parcel(
    id="20261105-abcd1234-hoken-webhook-1",
    fax_id="20261105-abcd1234",
    document_type="OTHER",
    type_name="その他",
    department="hoken",
    sender="+81312345678",
    received_at=datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    due_at=None,
    urgent=False,
    pages=1,
    fields={"疾病": {"value": "麻しん"}},
    reasons=("線の既定の部署",),
    documents=(Document("見本.pdf", "application/pdf", PDF),),
    text="本文\f二枚目",
)


@dataclass
class Receiver:
    """What came, and what to answer."""

    status: int = 200
    location: str = ""
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def listening(receiver: Receiver) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.came.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("location", receiver.location)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            receiver.came.append((self.path, {}, b""))

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_receiver_can_verify_it_and_has_the_document() -> None:
    receiver = Receiver()
    with listening(receiver) as url:
        receipt = WebhookSink("w", url=f"{url}/fax", secret=SECRET).carry(PARCEL)
    ((path, headers, body),) = receiver.came
    assert (receipt.text, path) == ("HTTP 200", "/fax")
    told = Webhook(SECRET).verify(body, headers)
    assert (told["type"], told["timestamp"]) == ("fax.routed", "2026-11-05T12:00:00+09:00")
    (file,) = told["data"].pop("files")
    assert base64.b64decode(file["content"]) == PDF
    assert told["data"] == as_plain(PARCEL)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"hoken", b"soumu"), headers)


def test_every_try_has_the_same_id_and_body() -> None:
    receiver = Receiver()
    with listening(receiver) as url:
        sink = WebhookSink("w", url=url, secret=SECRET)
        sink.carry(PARCEL)
        sink.carry(PARCEL)
    (_, one, first), (_, two, second) = receiver.came
    assert one["webhook-id"] == two["webhook-id"] == one["idempotency-key"] == PARCEL.id
    assert first == second


def test_an_id_that_no_header_takes_is_still_one_id() -> None:
    receiver = Receiver()
    odd = replace(PARCEL, id="20261105-abcd1234-窓口.1")
    with listening(receiver) as url:
        WebhookSink("w", url=url, secret=SECRET).carry(odd)
    _, headers, body = receiver.came[0]
    assert "." not in headers["webhook-id"]
    assert Webhook(SECRET).verify(body, headers)["data"]["id"] == odd.id


def test_a_large_fax_is_told_without_its_files() -> None:
    receiver = Receiver(status=204)
    large = replace(PARCEL, documents=(Document("x.pdf", "application/pdf", bytes(21 * 1024 * 1024)),))
    with listening(receiver) as url:
        WebhookSink("w", url=url, secret=SECRET).carry(large)
    (file,) = json.loads(receiver.came[0][2])["data"]["files"]
    assert (file["bytes"], file["content"]) == (21 * 1024 * 1024, None)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_receipt(status: int) -> None:
    with listening(Receiver(status)) as url:
        assert WebhookSink("w", url=url, secret=SECRET).carry(PARCEL).text == f"HTTP {status}"


@pytest.mark.parametrize(
    ("status", "again"),
    [
        (408, True),
        (429, True),
        (500, True),
        (503, True),
        (599, True),
        (400, False),
        (401, False),
        (404, False),
        (410, False),
    ],
)
def test_the_status_says_whether_to_try_again(status: int, again: bool) -> None:
    with listening(Receiver(status)) as url, pytest.raises(DeliveryError, match=str(status)) as caught:
        WebhookSink("w", url=url, secret=SECRET).carry(PARCEL)
    assert caught.value.again is again


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    elsewhere = Receiver()
    with (
        listening(elsewhere) as other,
        listening(Receiver(status, location=other)) as url,
        pytest.raises(DeliveryError, match=str(status)) as caught,
    ):
        WebhookSink("w", url=url, secret=SECRET).carry(PARCEL)
    assert not caught.value.again
    assert elsewhere.came == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_sees_a_fax(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, receiver = Receiver(), Receiver()
    with listening(proxy) as between, listening(receiver) as url:
        monkeypatch.setenv(name, between)
        WebhookSink("w", url=url, secret=SECRET).carry(PARCEL)
    assert (len(proxy.came), len(receiver.came)) == (0, 1)


def test_nobody_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryError) as caught:
            WebhookSink("w", url=f"http://127.0.0.1:{free.getsockname()[1]}", secret=SECRET).carry(PARCEL)
    assert caught.value.again


def test_a_receiver_that_never_answers_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(DeliveryError, match="時間内") as caught:
            WebhookSink("w", url=url, secret=SECRET, seconds=0.2).carry(PARCEL)
    assert caught.value.again


def test_a_receiver_that_talks_nonsense_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 this is SMTP\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(DeliveryError) as caught:
            WebhookSink("w", url=f"http://127.0.0.1:{server.getsockname()[1]}", secret=SECRET, seconds=5).carry(PARCEL)
        thread.join()
    assert caught.value.again


def test_an_answer_without_end_is_not_waited_for() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
                stop.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        receipt = WebhookSink("w", url=url, secret=SECRET, seconds=5).carry(PARCEL)
        stop.set()
        thread.join()
    assert receipt.text == "HTTP 200"


def test_half_a_surrogate_pair_in_the_text_is_carried() -> None:
    receiver = Receiver()
    with listening(receiver) as url:
        WebhookSink("w", url=url, secret=SECRET).carry(replace(PARCEL, text="a\udc80b"))
    _, headers, body = receiver.came[0]
    assert Webhook(SECRET).verify(body, headers)["data"]["text"] == "a\udc80b"


def test_a_searchable_pdf_never_pushes_the_original_out() -> None:
    receiver = Receiver()
    large = replace(PARCEL, pdf=bytes(20 * 1024 * 1024))
    with listening(receiver) as url:
        WebhookSink("w", url=url, secret=SECRET).carry(large)
    original, searchable = json.loads(receiver.came[0][2])["data"]["files"]
    assert base64.b64decode(original["content"]) == PDF
    assert (searchable["bytes"], searchable["content"]) == (20 * 1024 * 1024, None)
