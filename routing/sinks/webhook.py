"""Another system's HTTP address, signed by the Standard Webhooks rules (https://www.standardwebhooks.com, version 1).

``webhook-id`` is the parcel's id: the receiver's idempotency key. The body is the same at every try. Redirects are not
followed and no proxy is taken from the environment: a fax goes to the address that was configured and nowhere else.
"""

from __future__ import annotations

import base64
import itertools
import ssl
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from routing.delivery import (
    DeliveryError,
    Notice,
    Parcel,
    Receipt,
    SinkMistake,
    as_json,
    as_plain,
    attachments,
    notice_as_plain,
    stem,
    tokyo,
)

EVENT, ALERT_EVENT = "fax.routed", "fax.alert"
_LARGEST = 20 * 1024 * 1024
"""Bytes of files carried inside the body, in their order; what goes beyond is fetched by the fax's id."""
_SECONDS = 30.0


class WebhookSink:
    """Posts each copy as JSON to ``url``; ``secret`` is ``whsec_`` and base64."""

    def __init__(self, id: str, *, url: str, secret: str, seconds: float = _SECONDS) -> None:
        self.id = id
        self.url = _address(id, url)
        self.seconds = seconds
        try:
            self._signer = Webhook(secret)
        except (ValueError, EmptyWebhookSecretError) as error:
            raise SinkMistake(f"配信先「{id}」の secret は whsec_ とbase64で書いてください (secret)") from error

    def carry(self, parcel: Parcel) -> Receipt:
        """Post it; any 2xx is the receipt."""
        return self._sent(stem(parcel.id), as_json(payload(parcel)).decode())

    def tell(self, notice: Notice) -> Receipt:
        """Post the notice: the same signature and headers, another type."""
        happened = tokyo(notice.received_at).isoformat(timespec="seconds")
        event = {"type": ALERT_EVENT, "timestamp": happened, "data": notice_as_plain(notice)}
        return self._sent(stem(notice.id), as_json(event).decode())

    def _sent(self, name: str, body: str) -> Receipt:
        moment = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "faxless",
            "webhook-id": name,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": self._signer.sign(name, moment, body),
            "idempotency-key": name,
        }
        try:
            code = self._posted(body.encode(), headers)
        except httpx.UnsupportedProtocol as error:
            raise DeliveryError("送り先のURLが使えません (url)", again=False) from error
        except httpx.TimeoutException as error:
            raise DeliveryError("送り先が時間内に答えません (timeout)", again=True) from error
        except httpx.HTTPError as error:
            reason = type(error).__name__
            raise DeliveryError(f"送り先に接続できないか、途中で切れました ({reason})", again=True) from error
        if 200 <= code < 300:
            return Receipt(f"HTTP {code}")
        # Too slow, too many, or trouble of its own: later it may work. Anything else is for a person to see.
        again = code in (408, 429) or code >= 500
        raise DeliveryError(f"送り先が受け取りませんでした (HTTP {code})", again=again)

    def _posted(self, body: bytes, headers: dict[str, str]) -> int:
        with (
            # The system's certificates: where an organisation puts its own authority.
            httpx.Client(
                timeout=self.seconds, follow_redirects=False, trust_env=False, verify=ssl.create_default_context()
            ) as client,
            client.stream("POST", self.url, content=body, headers=headers) as answer,
        ):
            return answer.status_code  # what else it says is not read: it may never end


def payload(parcel: Parcel) -> dict[str, Any]:
    """The body: the event's type, when it happened and its data, with the files in base64 up to 20 MB."""
    files = attachments(parcel)
    ends = itertools.accumulate(len(file.content) for file in files)
    carried = [
        {
            "name": file.name,
            "media_type": file.media_type,
            "bytes": len(file.content),
            "content": base64.b64encode(file.content).decode() if end <= _LARGEST else None,
        }
        for file, end in zip(files, ends, strict=True)
    ]
    return {
        "type": EVENT,
        "timestamp": tokyo(parcel.received_at).isoformat(timespec="seconds"),
        "data": as_plain(parcel) | {"files": carried},
    }


def _address(id: str, url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise SinkMistake(f"配信先「{id}」の url は http:// か https:// で始まるものです (url)")
    return url
