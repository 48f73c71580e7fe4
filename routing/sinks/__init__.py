"""The carriers: ``mail``, ``folder`` and ``webhook``. Each knows one receiver and nothing of the house."""

from __future__ import annotations

import contextlib
from pathlib import Path

from routing.delivery import Sink, SinkMistake
from routing.sinks.folder import FolderSink
from routing.sinks.mail import MailSink
from routing.sinks.webhook import WebhookSink


def build(
    kind: str,
    id: str,
    *,
    to: str = "",
    relay: str = "",
    sender: str = "",
    path: str = "",
    url: str = "",
    secret: str = "",
    seconds: float | None = None,
) -> Sink:
    """The sink of this kind from its settings; raises :class:`SinkMistake` naming what cannot be used.

    ``mail`` needs ``to`` (addresses parted by commas) and ``relay`` (``host:port``), ``folder`` needs ``path``
    (relative ones count from the working directory; made when it is not there), ``webhook`` needs ``url`` and
    ``secret``. ``seconds``: how long a receiver may be silent, where its usual time is too long.
    """
    if kind == "mail":
        return MailSink(id, to=to, relay=relay, sender=sender, **_limit(seconds))
    if kind == "folder":
        if not path:
            raise SinkMistake(f"配信先「{id}」に path がありません (missing)")
        folder = Path(path)
        with contextlib.suppress(OSError):  # what is in the way is said when a copy is carried
            folder.mkdir(parents=True, exist_ok=True)
        return FolderSink(id, folder)
    if kind == "webhook":
        return WebhookSink(id, url=url, secret=secret, **_limit(seconds))
    raise SinkMistake(f"配信先「{id}」の種類「{kind}」はありません (use mail, folder or webhook)")


def _limit(seconds: float | None) -> dict[str, float]:
    return {} if seconds is None else {"seconds": seconds}
