"""A department's mailbox, by the organisation's own relay.

The subject holds the class, the sender's number and the due time, and no personal data: subjects show on every screen.
The relay takes all recipients or none, so that no copy is lost unseen.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses

from routing import number
from routing.delivery import (
    DeliveryError,
    Document,
    Notice,
    Parcel,
    Receipt,
    SinkMistake,
    attachments,
    stem,
    tokyo,
)
from routing.personal import NAMELESS

_POLICY = SMTP.clone(cte_type="7bit")  # no relay needs 8BITMIME for it
_SECONDS = 60.0
_TOO_LARGE = 552


class MailSink:
    """Sends each copy as one mail through ``relay`` (``host:port``, IPv6 in brackets) to every address in ``to``."""

    def __init__(self, id: str, *, to: str, relay: str, sender: str = "", seconds: float = _SECONDS) -> None:
        self.id = id
        self.to = _addresses(id, to)
        self.sender = _addresses(id, sender)[0] if sender else None
        self.host, self.port = _endpoint(id, relay)
        self.seconds = seconds

    def carry(self, parcel: Parcel) -> Receipt:
        """Hand the mail to the relay; its 250 is the receipt."""
        return self._receipt(lambda: self._sent_whole_or_light(parcel))

    def tell(self, notice: Notice) -> Receipt:
        """A short mail without attachments, for a telephone too."""
        return self._receipt(lambda: self._relayed(self.notice(notice)))

    def _receipt(self, send: Callable[[], str]) -> Receipt:
        try:
            return Receipt(send())
        except smtplib.SMTPResponseException as error:
            # RFC 5321 4.2.1: 4yz is transient, 5yz is permanent.
            again = not 500 <= error.smtp_code < 600
            raise DeliveryError(f"中継サーバが受け取りませんでした (relay: {error.smtp_code})", again=again) from error
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryError("中継サーバがこの宛先の文字に対応していません (SMTPUTF8)", again=False) from error
        except (OSError, smtplib.SMTPException) as error:
            reason = type(error).__name__
            raise DeliveryError(
                f"中継サーバに接続できないか、途中で切れました (relay: {reason})", again=True
            ) from error

    def _sent_whole_or_light(self, parcel: Parcel) -> str:
        """With the searchable PDF, or without it where the relay takes no mail of that size (RFC 1870 6: 552)."""
        try:
            return self._relayed(self.message(parcel))
        except smtplib.SMTPResponseException as error:
            if parcel.pdf is None or error.smtp_code != _TOO_LARGE:
                raise
            return self._relayed(self.message(replace(parcel, pdf=None)))

    def message(self, parcel: Parcel) -> bytes:
        """The mail as it goes out (RFC 5322), seven bits wide. Every try has the same Message-ID."""
        message = self._letter(parcel.id, parcel.received_at, urgent=parcel.urgent)
        message.set_content(_body(parcel), cte="base64")
        for document in attachments(parcel):
            _attach(message, document)
        return _with_subject(_subject(parcel), message)

    def notice(self, notice: Notice) -> bytes:
        """The mail that calls a person. Every try has the same Message-ID."""
        message = self._letter(notice.id, notice.received_at, urgent=True)
        message.set_content(_call(notice), cte="base64")
        return _with_subject(_call_subject(notice), message)

    def _letter(self, id: str, received_at: datetime, *, urgent: bool) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        origin = self.sender or Address("faxless", "faxless", "localhost")
        message["From"] = origin
        message["To"] = self.to
        message["Date"] = format_datetime(tokyo(received_at))
        message["Message-ID"] = f"<{stem(id)}@{_ascii_domain(origin)}>"
        message["X-Faxless-Id"] = stem(id)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: nobody's vacation notice answers it
        if urgent:
            message["Importance"] = "high"  # RFC 2156 5.3.4
        return message

    def _relayed(self, content: bytes) -> str:
        try:
            return self._sent(content, secret=True)
        except ssl.SSLError:
            # RFC 7435 section 3: where encryption cannot be had, the mail goes as it would have gone without the offer.
            return self._sent(content, secret=False)

    def _sent(self, content: bytes, *, secret: bool) -> str:
        client = smtplib.SMTP(self.host, self.port, local_hostname="localhost", timeout=self.seconds)
        try:
            _greet(client)
            if secret and client.has_extn("starttls"):
                _encrypt(client)
            return self._handed_over(client, content)
        finally:
            _leave(client)

    def _handed_over(self, client: smtplib.SMTP, content: bytes) -> str:
        addresses = [address.addr_spec for address in self.to]
        origin = self.sender.addr_spec if self.sender else ""  # RFC 5321 4.5.5: nobody waits for a bounce
        options = [f"size={len(content)}"] if client.has_extn("size") else []
        if not all(address.isascii() for address in [origin, *addresses]):
            if not client.has_extn("smtputf8"):
                raise smtplib.SMTPNotSupportedError
            options.append("SMTPUTF8")  # RFC 6531
        _good(client.mail(origin, options), 250)
        for address in addresses:
            _good(client.rcpt(address), 250, 251)
        code, said = client.data(content)
        _good((code, said), 250)
        return f"{code} {said.decode('ascii', 'replace')[:200]}"


def _greet(client: smtplib.SMTP) -> None:
    # RFC 5321 4.1.3: an address literal needs no name service, which an offline network may not have.
    if client.sock is None:
        raise smtplib.SMTPServerDisconnected
    address = client.sock.getsockname()[0]
    client.local_hostname = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
    client.ehlo_or_helo_if_needed()


def _encrypt(client: smtplib.SMTP) -> None:
    try:
        client.starttls(context=_unverified())
    except smtplib.SMTPResponseException as error:
        raise ssl.SSLError("offered and refused") from error
    _greet(client)  # RFC 3207 4.2: what was said before the handshake no longer holds


def _good(reply: tuple[int, bytes], *codes: int) -> None:
    if reply[0] not in codes:
        raise smtplib.SMTPResponseException(reply[0], reply[1])


def _leave(client: smtplib.SMTP) -> None:
    """Say good-bye; what the relay answers changes nothing: it has the mail, or has refused it."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        if client.sock is not None:
            client.quit()
    client.close()


def _unverified() -> ssl.SSLContext:
    """Encryption without proof of who answers: the relays of closed networks sign their certificates themselves.

    RFC 7435: protection against listening where there would be none otherwise.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _with_subject(subject: str, message: EmailMessage) -> bytes:
    # RFC 2047 by email.header: EmailMessage's own folding loses spaces between encoded words (Python 3.11).
    encoded = Header(subject, "utf-8", header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {encoded}\r\n".encode("ascii") + message.as_bytes()


def _call_subject(notice: Notice) -> str:
    due = "直ちに" if notice.due_at == notice.received_at else ""
    if notice.due_at and not due:
        due = f"{tokyo(notice.due_at):%m-%d %H:%M}"
    parts = [
        "【至急】" if notice.step == 1 else f"【至急・未開封 {notice.step}回目】",
        f"FAX {' '.join((notice.type_name or '種別不明').split())}",
        f" 発信 {notice.sender or '番号不明'}",
        f" 期限 {due}" if due else "",
        f" [{notice.fax_id}]",
    ]
    return "".join(parts)


def _call(notice: Notice) -> str:
    lines = [
        "緊急のFAXが届きました。" if notice.step == 1 else "緊急のFAXを、まだ誰も開いていません。",
        "",
        f"種別: {notice.type_name or '不明'}",
        f"部署: {notice.department or '未定'}",
        f"回線: {notice.line}",
        f"発信: {notice.sender or '番号不明'}",
        f"受信: {tokyo(notice.received_at):%Y-%m-%d %H:%M}",
    ]
    if notice.due_at:
        at_once = notice.due_at <= notice.received_at
        lines.append(f"期限: {'直ちに' if at_once else f'{tokyo(notice.due_at):%Y-%m-%d %H:%M}'}")
    lines += ["", notice.link, "", "開くか「対応開始」を押すと、次の人への連絡は止まります。"]
    return "\n".join(lines).encode("utf-8", "replace").decode() + "\n"


def _subject(parcel: Parcel) -> str:
    parts = [
        "【至急】" if parcel.urgent else "",
        f"FAX {' '.join((parcel.type_name or '種別不明').split())}",
        f" 発信 {_number(parcel)}",
        f" 期限 {tokyo(parcel.due_at):%Y-%m-%d %H:%M}" if parcel.due_at else "",
        f" [{parcel.fax_id}]",
    ]
    return "".join(parts)


def _number(parcel: Parcel) -> str:
    caller = number.parse(parcel.sender or "")  # what a machine calls itself may be a person's name
    return caller.e164 if caller else "番号不明"


def _body(parcel: Parcel) -> str:
    lines = [
        f"FAX番号(受付): {parcel.fax_id}",
        f"種別: {parcel.type_name or '不明'}" + (f" ({parcel.document_type})" if parcel.document_type else ""),
        f"部署: {parcel.department}",
        f"発信元: {_number(parcel)}",
        f"受信: {tokyo(parcel.received_at):%Y-%m-%d %H:%M}",
        f"期限: {tokyo(parcel.due_at):%Y-%m-%d %H:%M}" if parcel.due_at else "期限: なし",
        f"枚数: {parcel.pages}",
    ]
    told = [f"  {label}: {_value(parcel.fields[name])}" for name, label in NAMELESS.items() if name in parcel.fields]
    if told:
        lines += ["", "読み取った項目(原本と照らしてください。患者を特定できる項目は添付だけにあります):", *told]
    if parcel.reasons:
        lines += ["", "この部署に届いた理由:", *(f"  - {reason}" for reason in parcel.reasons)]
    if parcel.pdf is not None:
        lines += ["", "添付の -searchable.pdf は、届いた画像のままで文字の検索とコピーができるPDFです。"]
    lines += ["", "このメールは写しです。対応の記録は受信箱で行ってください。"]
    return "\n".join(lines).encode("utf-8", "replace").decode() + "\n"


def _value(value: object) -> str:
    if isinstance(value, dict) and value.get("masked"):
        return "黒塗り(電話で確認)"
    shown = value.get("value") if isinstance(value, dict) else value
    return " ".join(str(shown).split()) if shown is not None else ""


def _attach(message: EmailMessage, document: Document) -> None:
    if document.media_type == "message/rfc822":
        # RFC 2046 5.2.1 forbids base64 inside message/rfc822; the mail must stay as it is, byte for byte.
        message.add_attachment(document.content, maintype="application", subtype="octet-stream", filename=document.name)
        return
    main, _, sub = document.media_type.partition(";")[0].strip().lower().partition("/")
    if main not in ("application", "image") or not sub.isascii() or not sub.replace("-", "").isalnum():
        main, sub = "application", "octet-stream"
    message.add_attachment(document.content, maintype=main, subtype=sub, filename=document.name)


def _addresses(id: str, text: str) -> tuple[Address, ...]:
    try:
        found = tuple(
            Address(name, addr_spec=spec) for name, spec in getaddresses([text] if text.isprintable() else [])
        )
    except (ValueError, IndexError, MessageError):
        found = ()
    if not found or not all(address.username and address.domain for address in found):
        raise SinkMistake(f"配信先「{id}」の宛先「{text}」はメールアドレスではありません (not a mail address)")
    return found


def _ascii_domain(origin: Address) -> str:
    return origin.domain if origin.domain.isascii() else "faxless.localhost"


def _endpoint(id: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise SinkMistake(f"配信先「{id}」の relay「{text}」は 192.0.2.25:25 のように書いてください (host:port)")
    return host.strip("[]"), int(port)
